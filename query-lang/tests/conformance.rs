//! The parser cases of Prometheus, where they lie beside the workspace.
//!
//! `$QUIPU_SHARED`, else `../shared` beside the workspace. On CI they have to be there.

#![expect(clippy::unwrap_used, reason = "a file of cases that is none fails the test")]

#[path = "support/json.rs"]
mod json;

use std::path::{Path, PathBuf};

use json::Json;
use query_lang::parse_bytes;

fn shared() -> PathBuf {
    std::env::var_os("QUIPU_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from)
}

/// The bytes of a case: a text, texts with a count, or bytes as Latin-1.
fn input(case: &Json) -> Vec<u8> {
    if let Some(text) = case.get("input_latin1") {
        let to_byte = |character| u8::try_from(u32::from(character)).unwrap();
        return text.as_str().unwrap().chars().map(to_byte).collect();
    }
    if let Some(parts) = case.get("input_parts") {
        let part = |part: &Json| {
            let [text, count] = part.as_array().unwrap() else { panic!("a part is a pair") };
            text.as_str().unwrap().repeat(count.as_usize().unwrap())
        };
        return parts.as_array().unwrap().iter().map(part).collect::<String>().into_bytes();
    }
    case.get("input").unwrap().as_str().unwrap().as_bytes().to_vec()
}

#[test]
fn every_case_parses_or_fails_with_the_same_text() {
    let path = shared().join("conformance/promql/parse_cases.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return;
    };
    let cases = Json::parse(&text).unwrap();
    let cases = cases.get("cases").unwrap().as_array().unwrap();
    let mut wrong = Vec::new();
    let mut texts = 0;
    for case in cases {
        let input = input(case);
        let parsed = parse_bytes(&input).map_err(|error| error.to_string());
        let fails = case.get("fails") == Some(&Json::Bool(true));
        let expected = case.get("error").and_then(Json::as_str);
        texts += usize::from(fails && expected.is_some());
        let is_right = match (&parsed, fails, expected) {
            (Ok(_), false, _) | (Err(_), true, None) => true,
            (Err(found), true, Some(expected)) => found == expected,
            _ => false,
        };
        if !is_right {
            let input = String::from_utf8_lossy(&input).into_owned();
            wrong.push(format!("{input:?}: expected {expected:?}, found {parsed:?}"));
        }
    }
    println!("{} cases, {texts} with a text", cases.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
