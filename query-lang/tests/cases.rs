//! The cases in `cases/`: a question a line, and below it what becomes of it.
//!
//! `prints` and a text: it parses, and prints so; without a text, as it was written.
//! `fails`, a code and a text: it does not, and says so.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a file of cases that is none fails the test"
)]

#[path = "support/shape.rs"]
mod shape;

use std::path::Path;

use query_lang::parse;
use shape::shape;

fn check(question: &str, expected: &str) -> Result<(), String> {
    let (word, text) = expected.split_once(' ').unwrap_or((expected, ""));
    let found = match parse(question) {
        Ok(expr) => {
            let printed = expr.to_string();
            let again = parse(&printed)
                .map_err(|error| format!("{question}: printed {printed}: {error}"))?;
            // Matchers are printed in order, so only from then on trees are equal.
            let twice = again.to_string();
            if twice != printed || parse(&twice).as_ref().map(shape).ok() != Some(shape(&again)) {
                return Err(format!("{question}: printed {printed}, which is another question"));
            }
            format!("prints {printed}")
        }
        Err(error) => format!("fails {} {error}", error.problems().first().unwrap().code),
    };
    let expected = match word {
        "prints" if text.is_empty() => format!("prints {question}"),
        "prints" | "fails" => expected.to_owned(),
        _ => panic!("neither prints nor fails: {expected}"),
    };
    if found == expected {
        Ok(())
    } else {
        Err(format!("{question}\n  expected {expected}\n  found    {found}"))
    }
}

#[test]
fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        for pair in lines.chunks(2) {
            let [question, expected] = pair else {
                panic!("a question without an answer: {pair:?}")
            };
            let expected = expected.strip_prefix("  ").unwrap();
            wrong.extend(check(question, expected).err());
            count += 1;
        }
    }
    assert!(count > 100, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
