//! The meaning of PromQL: scripts run over the engine and rows in memory.
//!
//! Scripts of our own are in this folder (`*.qt`); Prometheus' are looked for in
//! `$QUIPU_SHARED/conformance/promql`, by default beside the project, and passed over where they are not
//! (not so in CI). `PROMQL_SHOW=functions` prints the failures of files whose name has that in it.

#![expect(clippy::cast_precision_loss, reason = "numbers of scripts are small")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a script that is none fails")]

mod compare;
mod custom;
mod fixed;
mod histograms;
mod script;
mod values;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use quipu::model::{Budget, Labels, STALE_BITS, Scope};
use quipu::query::memory::{MemoryRow, MemorySource, MemoryValue};
use quipu::query::{Answer, Engine, Error, Question, Value, When};
use regex::Regex;

use script::{Command, Eval, Load, Pairs};

/// Cases of Prometheus' scripts that pass. It may rise, not fall.
const PASSED_FLOOR: usize = 1_453;

fn labels(pairs: &Pairs) -> Labels {
    Labels::new(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap()
}

fn load(source: &mut MemorySource, load: &Load) {
    let mut last: BTreeMap<&Pairs, Vec<MemoryRow>> = BTreeMap::new();
    for series in &load.series {
        let mut rows = Vec::new();
        for (i, value) in series.values.iter().enumerate() {
            let millis = i64::try_from(i).unwrap() * load.step;
            let Some(value) = value else { continue };
            let start = series.starts.as_ref().and_then(|starts| starts.get(i).copied().flatten());
            let value = match value {
                values::Value::Float(value) => MemoryValue::Float(*value),
                values::Value::Stale => MemoryValue::Float(f64::from_bits(STALE_BITS)),
                values::Value::Histogram(value) => {
                    MemoryValue::Histogram(Arc::new(value.as_ref().clone()))
                }
            };
            rows.push(MemoryRow {
                time: millis * 1_000_000,
                start: start.map_or(0, |start| (millis + start) * 1_000_000),
                value,
            });
        }
        last.insert(&series.labels, rows);
    }
    for (pairs, rows) in last {
        source.add(&labels(pairs), rows);
    }
    if load.with_nhcb {
        for (pairs, samples) in custom::custom_series(load) {
            let rows = samples.into_iter().map(|(millis, histogram)| MemoryRow {
                time: millis * 1_000_000,
                start: 0,
                value: MemoryValue::Histogram(Arc::new(histogram)),
            });
            source.add(&labels(&pairs), rows);
        }
    }
}

fn ask(source: &MemorySource, text: &str, when: When) -> Result<Answer, Error> {
    let question = Question::parse(text, when)?;
    Engine::default().ask(source, Scope::METRICS, &question, &Budget::default())
}

/// Asks with every selector fixed, at other times.
fn check_fixed(source: &MemorySource, case: &Eval) -> compare::Outcome {
    let mut question = Question::parse(&case.question, When::At(case.start)).unwrap();
    if !fixed::fix(&mut question.expr, case.start) {
        return Ok(());
    }
    for time in fixed::other_times(case.start) {
        question.when = When::At(time);
        let answer = Engine::default()
            .ask(source, Scope::METRICS, &question, &Budget::default())
            .map_err(|error| format!("fixed, at {time}: error: {error}"))?;
        compare::value(case, &answer.value).map_err(|text| format!("fixed, at {time}: {text}"))?;
    }
    Ok(())
}

fn check(source: &MemorySource, case: &Eval) -> compare::Outcome {
    let when = case.steps.map_or(When::At(case.start), |(end, step)| When::Over {
        start: case.start,
        end,
        step,
    });
    let answer = match ask(source, &case.question, when) {
        Ok(_) if !case.fail.is_empty() => return Err("expected an error".to_owned()),
        Ok(answer) => answer,
        Err(error) if case.fail.is_empty() => return Err(format!("error: {error}")),
        Err(error) => return compare::failure(&case.fail, &error.to_string()),
    };
    compare::annotations(case, &answer)?;
    compare::value(case, &answer.value)?;
    if case.steps.is_none() {
        check_fixed(source, case)?;
    }
    let depends_on_span =
        Regex::new(r"\b(start|end|range|step)\(\)").unwrap().is_match(&case.question);
    let is_steppable = matches!(answer.value, Value::Scalar(..) | Value::Vector(_));
    if case.steps.is_some() || case.is_ordered || depends_on_span || !is_steppable {
        return Ok(());
    }
    // The same question over three steps must agree at the middle one.
    let (start, end) = (case.start - 60_000, case.start + 60_000);
    let answer = ask(source, &case.question, When::Over { start, end, step: 60_000 })
        .map_err(|error| format!("over steps: error: {error}"))?;
    let Value::Matrix(series) = &answer.value else { return Err("no matrix".to_owned()) };
    let cells = compare::cells_at(series, case.start);
    let result = match (case.scalar, cells.as_slice()) {
        (Some(expected), [(_, quipu::query::Point::Float(value))]) => {
            let scalar = Value::Scalar(case.start, *value);
            compare::value(&Eval { scalar: Some(expected), ..case.clone() }, &scalar)
        }
        (Some(expected), _) => Err(format!("expected {expected}, got {cells:?}")),
        (None, _) => compare::vector(case, &cells, false),
    };
    result.map_err(|text| format!("over steps: {text}"))
}

/// Runs a script: how many cases passed, and what was wrong with the others.
fn run(text: &str) -> (usize, Vec<String>) {
    let mut source = MemorySource::new();
    let (mut passed, mut failures) = (0, Vec::new());
    for command in script::parse(text) {
        match command {
            Command::Clear => source = MemorySource::new(),
            Command::Load(command) => load(&mut source, &command),
            Command::Eval(case) => match check(&source, &case) {
                Ok(()) => passed += 1,
                Err(text) => {
                    failures.push(format!("line {}: {}\n    {text}", case.line, case.question));
                }
            },
        }
    }
    (passed, failures)
}

fn scripts(folder: &PathBuf, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

#[test]
fn scripts_of_our_own_pass() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/promql");
    let files = scripts(&folder, "qt");
    assert!(!files.is_empty(), "there are scripts");
    for file in files {
        let (_, failures) = run(&fs::read_to_string(&file).unwrap());
        assert!(failures.is_empty(), "{}:\n{}", file.display(), failures.join("\n"));
    }
}

#[test]
fn prometheus_scripts_pass_as_they_did() {
    let shared = std::env::var("QUIPU_SHARED")
        .map_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), Into::into);
    let files = scripts(&shared.join("conformance/promql"), "test");
    if files.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "no scripts in {}", shared.display());
        return;
    }
    let shown = std::env::var("PROMQL_SHOW").unwrap_or_else(|_| "/".to_owned());
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (good, failures) = run(&fs::read_to_string(&file).unwrap());
        println!("{name:32} {good:5} passed {:5} failed", failures.len());
        if name.contains(&shown) {
            println!("{}", failures.join("\n"));
        }
        passed += good;
        failed += failures.len();
    }
    println!("{passed} passed, {failed} failed");
    assert!(passed >= PASSED_FLOOR, "{passed} cases pass, {PASSED_FLOOR} did before");
}
