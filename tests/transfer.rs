//! Import and export of the real binary: blocks that a real Prometheus 2.42 made come in row by row,
//! once, also after a kill; what goes out comes back.

#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a test has files of its own")]
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Rows by series: time in ms, bits of the value.
type Rows = BTreeMap<String, BTreeMap<i64, u64>>;

/// A folder that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("quipu-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn blocks() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transfer/blocks");
    folder.to_str().unwrap().to_owned()
}

fn quipu(words: &[&str], crash_at: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    command.args(words);
    if let Some(place) = crash_at {
        command.env("QUIPU_CRASH_AT", place);
    }
    command.output().unwrap()
}

fn done(words: &[&str]) -> (String, String) {
    let output = quipu(words, None);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, talk) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{words:?}: {talk}");
    (out, talk)
}

/// What tests/transfer/blocks holds: the formula that made it.
fn expected() -> Rows {
    let value = |s: i32, i: i32| match s {
        0 => f64::from(i * i % 977),
        1 => f64::from(i) / 8.0,
        _ => f64::from(i % 13 - 6),
    };
    let rows = |s: i32| {
        let time = move |i: i32| (1_700_002_800 + i64::from(i) * 15 + i64::from(s)) * 1000;
        (0..600).map(|i| (time(i), value(s, i).to_bits())).collect()
    };
    (0..3).map(|s| (format!("fixture_total j {s}"), rows(s))).collect()
}

/// Rows of JSON lines.
fn exported(data: &str) -> Rows {
    let (text, _) = done(&["export", "--data", data]);
    let mut rows = Rows::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let label = |name: &str| line["metric"][name].as_str().unwrap_or_default().to_owned();
        let series = format!("{} {} {}", label("__name__"), label("job"), label("s"));
        let (times, values) = (&line["timestamps"], &line["values"]);
        let pairs = times.as_array().unwrap().iter().zip(values.as_array().unwrap());
        let pairs = pairs.map(|(t, v)| (t.as_i64().unwrap(), v.as_f64().unwrap().to_bits()));
        rows.entry(series).or_default().extend(pairs);
    }
    rows
}

#[test]
fn blocks_of_prometheus_come_in_whole_and_once() {
    let scratch = Scratch::new("blocks");
    let data = scratch.at("data");
    let (_, talk) = done(&["import", "prometheus", &blocks(), "--data", &data]);
    assert!(talk.contains("imported 1800 rows of 2 blocks"), "{talk}");
    assert!(exported(&data) == expected());
    let (_, talk) = done(&["import", "prometheus", &blocks(), "--data", &data]);
    assert!(talk.contains("imported 0 rows") && talk.contains("were there already"), "{talk}");
    assert!(exported(&data) == expected());
    done(&["verify", "--deep", "--data", &data]);
}

#[test]
fn an_import_that_was_killed_goes_on() {
    for place in ["bulk-written", "manifest-before-append", "block-before-rename", "bulk-listed"] {
        let scratch = Scratch::new(place);
        let data = scratch.at("data");
        let words = ["import", "prometheus", &blocks(), "--data", &data];
        let killed = quipu(&words, Some(place));
        assert!(!killed.status.success(), "{place} was passed");
        done(&words);
        assert!(exported(&data) == expected(), "{place}");
        done(&["verify", "--deep", "--data", &data]);
    }
}

#[test]
fn a_selector_and_a_range_choose_rows() {
    let scratch = Scratch::new("choice");
    let data = scratch.at("data");
    let choice = ["--match", r#"{s=~"0|1"}"#, "--start", "1700002815", "--end", "1700002830"];
    done(&[&["import", "prometheus", &blocks(), "--data", &data][..], &choice].concat());
    let mut wanted = expected();
    wanted.remove("fixture_total j 2");
    for rows in wanted.values_mut() {
        rows.retain(|time, _| (1_700_002_815_000..=1_700_002_830_000).contains(time));
    }
    assert!(exported(&data) == wanted);
    let nothing = scratch.at("");
    let refused = quipu(&["import", "prometheus", &nothing, "--data", &data], None);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holds no block of Prometheus"));
}

#[test]
fn a_damaged_chunk_is_told_and_the_rest_comes_in() {
    let scratch = Scratch::new("damage");
    let (data, theirs) = (scratch.at("data"), scratch.at("theirs"));
    for block in fs::read_dir(blocks()).unwrap() {
        let block = block.unwrap();
        let to = Path::new(&theirs).join(block.file_name());
        fs::create_dir_all(to.join("chunks")).unwrap();
        for name in ["index", "meta.json", "tombstones", "chunks/000001"] {
            fs::copy(block.path().join(name), to.join(name)).unwrap();
        }
        let path = to.join("chunks/000001");
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let output = quipu(&["import", "prometheus", &theirs, "--data", &data], None);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("left out: 2 chunks that are damaged"), "{talk}");
    let (found, all) = (exported(&data), expected());
    let lost: usize = all.iter().map(|(series, rows)| rows.len() - found[series].len()).sum();
    assert!(lost > 0 && lost <= 2 * 120, "{lost}");
    for (series, rows) in found {
        assert!(rows.iter().all(|(time, bits)| all[&series][time] == *bits));
    }
}

#[test]
fn lines_that_go_out_come_back() {
    let scratch = Scratch::new("lines");
    let (data, again, file) = (scratch.at("data"), scratch.at("again"), scratch.at("rows.lp"));
    done(&["import", "prometheus", &blocks(), "--data", &data]);
    done(&["export", "--data", &data, "-o", &file]);
    let note = scratch.at("note");
    let (_, talk) = done(&["import", "lines", &file, "--data", &again, "--resume", &note]);
    assert!(talk.contains("sent 1800 lines"), "{talk}");
    assert!(exported(&again) == expected());
    let (_, talk) = done(&["import", "lines", &file, "--data", &again, "--resume", &note]);
    assert!(talk.contains("sent 0 lines"), "{talk}");
}

/// Values of each kind, and a label that has to be escaped everywhere.
fn odd_lines() -> String {
    let values = "0.1,0.3333333333333333,-0.0,5e-324,1.7976931348623157e308,9007199254740993,-7";
    let label = r#"a \"b\" , = \\ ü"#;
    let times = "[1700000000001,1700000015001,1700000030001,1700000045001,1700000060001,1700000075001,1700000090001]";
    let line = |metric: &str, values: &str| {
        format!("{{\"metric\":{metric},\"values\":[{values}],\"timestamps\":{times}}}\n")
    };
    let mut text = line(&format!(r#"{{"__name__":"odd_total","path":"{label}"}}"#), values);
    text += &line(r#"{"__name__":"odd_value","n":"1"}"#, "1,2,3,4,5,6,7");
    text
}

/// The lines of an export of JSON lines, in their order.
fn all_lines(data: &str) -> Vec<String> {
    let mut lines: Vec<String> =
        done(&["export", "--data", data]).0.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// Line protocol has no infinities; all other formats say them.
#[test]
fn every_text_format_goes_out_and_comes_back() {
    let scratch = Scratch::new("back");
    let columns = "1:label:__name__,2:label:n,3:label:path,4:time:rfc3339,5:metric:value";
    let words = |format: &str| match format {
        "csv" => vec!["import", "csv", "--skip-header", "--format", columns],
        "jsonl" => vec!["import", "jsonl"],
        "openmetrics" => vec!["import", "openmetrics"],
        _ => vec!["import", "lines"],
    };
    for format in ["jsonl", "csv", "openmetrics", "lp"] {
        let at = |name: &str| scratch.at(&format!("{format}-{name}"));
        let mut text = odd_lines();
        if format != "lp" {
            text += r#"{"metric":{"__name__":"odd_ends"},"values":["Infinity","-Infinity",null],"timestamps":[1,2,3]}"#;
        }
        fs::write(at("rows.jsonl"), text).unwrap();
        done(&["import", "jsonl", &at("rows.jsonl"), "--data", &at("data")]);
        done(&["export", "--data", &at("data"), "--format", format, "-o", &at("out")]);
        done(&[words(format), vec![&at("out"), "--data", &at("again")]].concat());
        let (first, second) = (all_lines(&at("data")), all_lines(&at("again")));
        assert_eq!(first.len(), if format == "lp" { 2 } else { 3 });
        assert_eq!(first, second, "{format}");
    }
}

#[test]
fn formats_have_their_heads_and_days_their_files() {
    let scratch = Scratch::new("formats");
    let (data, lake) = (scratch.at("data"), scratch.at("lake"));
    done(&["import", "prometheus", &blocks(), "--data", &data]);
    let export = |words: &[&str]| done(&[&["export", "--data", &data][..], words].concat()).0;
    let csv = export(&["--format", "csv", "--match", r#"{s="1"}"#, "--times", "unix_s"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(&lines[..2], ["__name__,job,s,time,value", "fixture_total,j,1,1700002801,0"]);
    assert_eq!(lines.len(), 601);
    let wide = export(&["--format", "csv", "--pivot", "s", "--reduce", "1m", "--times", "unix_s"]);
    let lines: Vec<&str> = wide.lines().collect();
    // 1700002800 is a whole minute: its row stands alone in the first bucket.
    assert_eq!(&lines[..3], ["time,0,1,2", "1700002800,0,,", "1700002860,16,0.375,-3"]);
    let text = export(&["--format", "openmetrics"]);
    assert!(text.starts_with("# TYPE fixture_total unknown\nfixture_total{job=\"j\",s=\"0\"} 0 "));
    assert!(text.ends_with("# EOF\n"));
    done(&["export", "--data", &data, "--partition", "day", "--format", "csv", "-o", &lake]);
    let days: Vec<String> = fs::read_dir(&lake)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(days.len(), 2, "{days:?}");
    assert!(Path::new(&lake).join("day=2023-11-14/part-0.csv").exists(), "{days:?}");
    let refused = quipu(&["export", "--data", &data, "--format", "xml"], None);
    assert_eq!(refused.status.code(), Some(2));
}
