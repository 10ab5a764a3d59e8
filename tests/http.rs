//! Every route of the real server, good and bad, as a client meets it: over a socket.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::disallowed_methods, reason = "damages files as nobody else may")]

use std::{fs, path::Path};

#[path = "http/archive.rs"]
mod archive;
#[path = "http/backup.rs"]
mod backup;
#[path = "http/questions.rs"]
mod questions;
#[path = "http/server.rs"]
mod server;

use server::{Got, Server, remote_write, snappy_claiming};

fn ok(got: &Got, says: &str) {
    assert!((200..300).contains(&got.status), "{}: {}", got.status, got.body);
    assert!(got.body.contains(says), "{:?} is not in {}", says, got.body);
}

fn refused(got: &Got, status: u16, says: &str) {
    assert_eq!(got.status, status, "{}", got.body);
    assert!(got.body.contains(says), "{:?} is not in {}", says, got.body);
}

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

/// Three rooms with a value each at one second, one of them -0.
fn furnished() -> Server {
    let server = Server::start();
    let lines = "room,floor=1 warmth=21.5 1000\nroom,floor=2 warmth=-0.0 1000\n\
                 room,floor=3 warmth=1e-7,light=9i 1000";
    let got = server.post("/write?precision=ms", &[], lines);
    assert_eq!((got.status, got.body.as_str()), (204, ""));
    server
}

#[test]
fn line_protocol_is_written_and_asked_back() {
    let server = furnished();
    let got = server.get("/api/v1/query?query=room_warmth&time=1");
    ok(&got, r#"{"metric":{"__name__":"room_warmth","floor":"2"},"value":[1,"-0"]}"#);
    ok(&got, r#""value":[1,"1e-07"]"#);
    let got = server.get("/api/v1/query?query=sum(room_light)&time=1.5");
    ok(&got, r#""result":[{"metric":{},"value":[1.5,"9"]}]"#);
}

#[test]
fn one_bad_line_harms_only_itself() {
    let server = Server::start();
    let got = server.post("/write", &[], "good f=1 1000000000\nbad\n");
    refused(&got, 400, "partial write: unable to parse 'bad'");
    assert!(got.header("x-influxdb-version").is_some());
    let got = server.post("/api/v2/write?bucket=b&precision=s", &[], "bad2\n");
    refused(&got, 400, r#""code":"invalid""#);
    refused(&got, 400, r#""line":1"#);
    ok(&server.get("/api/v1/query?query=good_f&time=1"), r#""value":[1,"1"]"#);
    assert_eq!(server.post("/write", &[], "").status, 204);
}

#[test]
fn remote_write_is_written_once_however_often_it_is_sent() {
    let server = Server::start();
    let body = remote_write("up", "a", &[(1_000, 1.0), (2_000, -0.0)]);
    for _ in 0..2 {
        let got = server.post("/api/v1/write", &[("content-encoding", "snappy")], body.clone());
        assert_eq!(got.status, 204, "{}", got.body);
        assert_eq!(got.header("x-prometheus-remote-write-samples-written"), Some("2"));
    }
    let got = server.get("/api/v1/export?match[]=up&start=0&end=10");
    assert_eq!(
        got.body,
        "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[1,-0.0],\"timestamps\":[1000,2000]}\n"
    );
    ok(&server.get("/api/v1/query?query=up[5s]&time=3"), r#""values":[[1,"1"],[2,"-0"]]"#);
}

#[test]
fn remote_write_refuses_what_it_cannot_read() {
    let server = Server::start();
    refused(&server.post("/api/v1/write", &[], "hello"), 400, "snappy");
    refused(&server.post("/api/v1/write", &[], snappy_claiming(1 << 30)), 413, "--ingest-body-max");
    let encoding = [("content-encoding", "br")];
    refused(&server.post("/api/v1/write", &encoding, "x"), 415, "is not known");
    refused(&server.get("/api/v1/write"), 405, "POST");
    ok(&server.get("/api/v1/write?get_vm_proto_version=1"), "1");
}

#[test]
fn questions_by_get_and_post() {
    let server = furnished();
    let text = "query=room_warmth%7Bfloor%3D%221%22%7D";
    ok(&server.post("/api/v1/query?time=1", FORM, text), r#""value":[1,"21.5"]"#);
    let got = server.post("/api/v1/query_range", FORM, format!("{text}&start=1&end=31&step=15"));
    ok(
        &got,
        r#""resultType":"matrix","result":[{"metric":{"__name__":"room_warmth","floor":"1"},"values":[[1,"21.5"],[16,"21.5"],[31,"21.5"]]}]"#,
    );
    ok(&server.get("/api/v1/query?query=1%2B1&time=0&stats=all"), r#""totalQueryableSamples""#);
    ok(&server.get("/api/v1/query?query=room_warmth&time=1&limit=1"), "truncated due to limit");
    ok(&server.get("/api/v1/format_query?query=sum(a)by(b)"), r#""data":"sum by (b) (a)""#);
    ok(&server.get("/api/v1/query_exemplars?query=a&start=0&end=1"), r#""data":[]"#);
}

#[test]
fn wrong_questions_say_what_is_wrong() {
    let server = Server::start();
    for (path, status, says) in [
        ("/api/v1/query", 400, "query"),
        ("/api/v1/query?query=(", 400, "parse error"),
        ("/api/v1/query?query=rate(up)", 400, "1:6: parse error: expected type range vector"),
        ("/api/v1/query?query=1&time=NaN", 400, "valid timestamp"),
        ("/api/v1/query?query=1&timeout=soon", 400, "valid duration"),
        ("/api/v1/query_range?query=1&start=0&end=1&step=0", 400, "step"),
        ("/api/v1/query_range?query=1&start=0&end=99999&step=1", 400, "11,000"),
        ("/api/v1/query_range?query=up[5m]&start=0&end=1&step=1", 400, "invalid expression type"),
        ("/api/v1/query_exemplars?query=(", 400, "parse error"),
        ("/api/v1/format_query?query=(", 400, "parse error"),
        ("/api/v1/series", 400, "match[]"),
        ("/api/v1/series?match[]={}", 400, "match[]"),
        ("/api/v1/export?match[]={", 400, "match[]"),
        ("/api/v1/labels?start=x", 400, "start"),
        ("/api/v1/metadata?limit=x", 400, "limit"),
        ("/api/v1/status/tsdb?limit=x", 400, "limit"),
        ("/api/v1/nothing", 404, "no such path"),
        ("/query?q=SELECT%201", 400, "/api/v1/query"),
    ] {
        refused(&server.get(path), status, says);
    }
}

#[test]
fn labels_values_and_series_of_what_is_there() {
    let server = furnished();
    ok(&server.get("/api/v1/labels"), r#"["__name__","floor"]"#);
    ok(&server.get("/api/v1/label/floor/values"), r#"["1","2","3"]"#);
    ok(&server.get("/api/v1/label/floor/values?match[]=room_light"), r#"["3"]"#);
    ok(
        &server.get("/api/v1/series?match[]=room_light"),
        r#"[{"__name__":"room_light","floor":"3"}]"#,
    );
    ok(&server.get("/api/v1/series?match[]=room_light&start=5"), r#""data":[]"#);
    ok(&server.get("/api/v1/metadata"), r#""data":{}"#);
    // Grafana asks so when it starts, and shows no exemplars where that is refused.
    let in_millis =
        "/api/v1/query_exemplars?query=room_light&start=1700000000000&end=1700003600000";
    ok(&server.get(in_millis), r#""data":[]"#);
    ok(&server.get("/api/v1/status/tsdb"), r#""numSeries""#);
}

#[test]
fn the_server_tells_what_it_is() {
    let server = furnished();
    for (path, says) in [
        ("/", "Quipu"),
        ("/ready", "ready"),
        ("/health", "pass"),
        ("/-/ready", "ready"),
        ("/-/healthy", "healthy"),
        ("/ping?verbose=true", "version"),
        ("/metrics", "quipu_ingest_rows_total{door=\"line\"} 4"),
        ("/metrics", "process_resident_memory_bytes"),
        ("/api/v1/status/buildinfo", r#""features":{}"#),
        ("/api/v1/status/runtimeinfo", "startTime"),
        ("/api/v1/status/flags", r#""sync":"commit""#),
        ("/api/v1/status/config", "yaml"),
        ("/api/quipu/v1/storage", "index_bytes"),
        ("/query?q=SHOW+DATABASES", "databases"),
    ] {
        ok(&server.get(path), says);
    }
    assert_eq!(server.get("/ping").status, 204);
}

#[test]
fn upkeep_on_demand_for_those_who_address_the_server() {
    let server = furnished();
    for path in ["/api/v1/admin/flush", "/api/v1/admin/compact", "/api/v1/admin/retention"] {
        ok(&server.post(path, &[], ""), "success");
        refused(&server.post(path, &[("origin", "http://evil.example")], ""), 403, "evil");
        refused(&server.send("POST", path, &[("host", "evil.example")], b""), 403, "--allow-host");
        assert_eq!(server.get(path).status, 405);
    }
    ok(&server.get("/api/v1/query?query=count(room_warmth)&time=1"), r#"[1,"3"]"#);
}

#[test]
fn deletion_and_the_scrub_by_url() {
    let server = furnished();
    let delete = "/api/v1/admin/tsdb/delete_series";
    refused(&server.post(delete, &[], ""), 400, "match[]");
    refused(&server.post(&format!("{delete}?match[]=1%2B1"), &[], ""), 400, "selector");
    let evil = [("origin", "http://evil.example")];
    refused(&server.post(&format!("{delete}?match[]=room_warmth"), &evil, ""), 403, "evil");
    assert_eq!(server.get(delete).status, 405);
    assert_eq!(server.post(&format!("{delete}?match[]=room_warmth"), &[], "").status, 204);
    ok(&server.get("/api/v1/query?query=count(room_warmth)&time=1"), r#""result":[]"#);
    assert_eq!(server.post("/api/v1/admin/tsdb/clean_tombstones", &[], "").status, 204);
    ok(&server.post("/api/v1/admin/scrub", &[], ""), r#""findings":[]"#);
    ok(&server.get("/api/quipu/v1/storage"), r#""damaged":[]"#);
    refused(&server.get("/api/v1/query?query=up&tier=2h"), 400, "raw, 5m and 1h");
    assert_eq!(server.get("/api/v1/query?query=up&tier=1h").status, 200);
}

#[test]
fn hostile_requests_are_refused_and_the_next_one_is_served() {
    let server = Server::start();
    for (raw, status) in [
        ("GET /..%2f..%2fetc HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET /api/v1/../x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET //x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("BREW /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        ("POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST /write HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /ready HTTP/9.9\r\n\r\n", 400),
    ] {
        let got = server.raw(raw.as_bytes());
        assert_eq!(got.status, status, "{raw}: {}", got.body);
        assert_eq!(server.get("/ready").status, 200);
    }
}

#[test]
fn long_answers_are_packed_for_those_who_unpack() {
    let server = Server::start();
    let lines: Vec<String> = (0..500).map(|i| format!("m,i={i} f={i} 1000000000")).collect();
    assert_eq!(server.post("/write", &[], lines.join("\n")).status, 204);
    let path = "/api/v1/query?query=m_f&time=1";
    let packed = server.send("GET", path, &[("accept-encoding", "gzip")], b"");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let plain = server.get(path);
    assert!(plain.header("content-encoding").is_none());
    assert!(packed.bytes * 3 < plain.bytes, "{} {}", packed.bytes, plain.bytes);
}

#[test]
fn what_was_acknowledged_is_there_after_a_stop_and_after_a_kill() {
    let server = furnished();
    let server = server.restart_politely();
    ok(&server.get("/api/v1/query?query=count(room_warmth)&time=1"), r#"[1,"3"]"#);
    let got = server.post("/write", &[], "late f=5 1000000000");
    assert_eq!((got.status, got.body.as_str()), (204, ""));
    let server = server.restart_after_kill();
    ok(&server.get("/api/v1/query?query=count(room_warmth)&time=1"), r#"[1,"3"]"#);
    ok(&server.get("/api/v1/query?query=late_f&time=1"), r#"[1,"5"]"#);
}

#[test]
fn the_command_line_asks_and_says_by_its_exit_code_how_it_went() {
    let server = furnished();
    let asked = server.quipu(&["query", "room_light", "--at", "1", "--url", &server.url]);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    assert_eq!(
        asked.stdout,
        "SERIES                 TIME  VALUE\nroom_light{floor=\"3\"}  1     9\n"
    );
    let wrong = server.quipu(&["query", "rate(up)", "--url", &server.url]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (1, ""));
    assert!(wrong.stderr.contains("╭─[ query:1:6 ]"), "{}", wrong.stderr);
    let nobody = server.quipu(&["query", "up", "--url", "http://127.0.0.1:9"]);
    assert_eq!(nobody.code, 3, "{}", nobody.stderr);
    assert_eq!(server.quipu(&["query"]).code, 2);
    let exposed = server.quipu(&["serve", "--listen", "0.0.0.0:0", "--data", "never-made"]);
    assert_eq!(exposed.code, 2);
    assert!(exposed.stderr.contains("--insecure-no-auth"), "{}", exposed.stderr);
    let taken = server.url.trim_start_matches("http://").to_owned();
    let taken = server.quipu(&["serve", "--listen", &taken, "--data", "never-made"]);
    assert_eq!(taken.code, 1);
    assert!(taken.stderr.contains("--listen"), "{}", taken.stderr);
}

#[test]
fn a_data_directory_is_asked_and_checked_without_a_server() {
    let server = furnished();
    let busy = server.quipu(&["query", "room_light", "--data", server.data()]);
    assert_eq!(busy.code, 1, "{}", busy.stderr);
    assert!(busy.stderr.contains("in use by another process"), "{}", busy.stderr);
    let folder = server.stop();
    let words = |verb: &'static str| [verb, "--data", folder.path()];
    let asked = folder.quipu(&["query", "room_light", "--at", "1", "--data", folder.path()]);
    assert_eq!((asked.code, asked.stdout.lines().count()), (0, 2), "{}", asked.stderr);
    assert_eq!(shown(&folder, &["inspect"]).stderr, "");
    let checked = folder.quipu(&words("verify"));
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    let repaired = folder.quipu(&["repair", "--dry-run", "--data", folder.path()]);
    assert_eq!(repaired.code, 0, "{}", repaired.stderr);
    assert!(repaired.stderr.contains("nothing to repair"), "{}", repaired.stderr);
    assert_eq!(folder.quipu(&words("repair")).code, 2, "there is nobody to ask");
    let nothing = folder.quipu(&["verify", "--data", "no-such-folder"]);
    assert_eq!(nothing.code, 1);
}

/// What `quipu WORDS --data FOLDER` shows; it must end well.
fn shown(folder: &server::Folder, words: &[&str]) -> server::Ended {
    let ended = folder.quipu(&[words, &["--data", folder.path()]].concat());
    assert_eq!(ended.code, 0, "{words:?}: {}{}", ended.stdout, ended.stderr);
    ended
}

/// Damages the last file of a folder below the data directory.
fn damage(folder: &server::Folder, below: &str, how: impl Fn(&mut Vec<u8>)) {
    let mut files: Vec<_> = fs::read_dir(Path::new(folder.path()).join(below)).unwrap().collect();
    files.sort_by_key(|entry| entry.as_ref().unwrap().path());
    let path = files.last().unwrap().as_ref().unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    how(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

#[test]
fn a_directory_is_looked_into_live_copied_cut_and_damaged() {
    let server = furnished();
    assert_eq!(server.post("/api/v1/admin/flush", &[], "").status, 200);
    assert_eq!(server.post("/write", &[], "late f=5 1000000000").status, 204);
    let live = server.folder();
    let overview = shown(&live, &["inspect"]);
    assert!(overview.stdout.contains("room_warmth"), "{}", overview.stdout);
    assert_eq!(overview.stderr, "");
    assert!(shown(&live, &["inspect", "wal"]).stdout.contains("whole"));
    let blocks = shown(&live, &["inspect", "blocks", "--format", "csv"]).stdout;
    let block = blocks.lines().nth(1).and_then(|line| line.split(',').next()).unwrap();
    assert!(shown(&live, &["inspect", "block", block]).stdout.contains("columns"));
    assert!(shown(&live, &["inspect", "series"]).stdout.contains("late_f"));

    let copied = live.copied();
    assert_eq!(shown(&copied, &["inspect", "diff", live.path()]).stderr, "no difference\n");
    assert_eq!(shown(&copied, &["verify"]).code, 0);
    damage(&copied, "wal", |bytes| bytes.truncate(bytes.len() - 13));
    let looked = shown(&copied, &["inspect", "wal"]);
    assert!(looked.stdout.contains("torn tail"), "{}", looked.stdout);
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
    };
    damage(&copied, Path::new(block).parent().unwrap().to_str().unwrap(), flip);
    let looked = shown(&copied, &["inspect", "blocks"]);
    assert!(looked.stderr.contains("is damaged at byte"), "{}", looked.stderr);
    damage(&copied, "manifest", flip);
    let looked = shown(&copied, &["inspect"]);
    assert!(looked.stderr.contains("manifest"), "{}", looked.stderr);
    assert!(looked.stdout.contains("room_warmth"), "{}", looked.stdout);
    // The files are as they were left: nothing was cut, locked or made.
    assert_eq!(server.folder().quipu(&["verify", "--data", live.path()]).code, 0);
    let repaired = copied.quipu(&["repair", "--yes", "--data", copied.path()]);
    assert_eq!(repaired.code, 0, "{}", repaired.stderr);
    assert_eq!(shown(&copied, &["inspect"]).stderr, "");
}
