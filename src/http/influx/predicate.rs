//! What a deletion of version 2 matches: `_measurement="cpu" AND host="a"`.
//!
//! Conditions are joined by AND; each compares for equality, or for the lack of it. InfluxDB knows no OR
//! either. Source: `influxdata/influxdb` v2, `predicate/parser.go`.

use std::{iter::Peekable, str::Chars};

use crate::http::Error;
use crate::model::{METRIC_NAME, MatchOp, Matcher};

/// Bytes of a predicate.
const BYTES_MAX: usize = 64 << 10;

/// Conditions in one predicate: each is a test on every series.
const CONDITIONS_MAX: usize = 100;

/// The matchers of a predicate; none of an empty one.
///
/// A field becomes a metric by the name `measurement_field`, so that is what these two keys test. A
/// measurement alone means all metrics that begin with it.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, Error> {
    if text.len() > BYTES_MAX {
        return Err(bad(&format!("it has {} bytes, at most {BYTES_MAX} are read", text.len())));
    }
    let (mut measurement, mut field, mut out) = (None, None, Vec::new());
    for Condition { key, is_equal, value } in conditions(&tokens(text)?)? {
        let part = match key.as_str() {
            "_measurement" => Some(&mut measurement),
            "_field" => Some(&mut field),
            _ => None,
        };
        match part {
            Some(part) if part.is_none() && is_equal => *part = Some(value),
            Some(_) => return Err(bad(&format!("{key} is compared once, and by ="))),
            None => {
                let op = if is_equal { MatchOp::Equal } else { MatchOp::NotEqual };
                out.push(Matcher { name: key, op, value });
            }
        }
    }
    let regex = |value: String| Matcher { name: METRIC_NAME.to_owned(), op: MatchOp::Regex, value };
    let escape = |text: &str| regex_syntax::escape(text);
    match (measurement, field) {
        (Some(measurement), Some(field)) => {
            out.push(Matcher::equal(METRIC_NAME, format!("{measurement}_{field}")));
        }
        (Some(measurement), None) => out.push(regex(format!("(?s:{}_.+)", escape(&measurement)))),
        (None, Some(field)) => out.push(regex(format!("(?s:.+_{})", escape(&field)))),
        (None, None) => {}
    }
    Ok(out)
}

struct Condition {
    key: String,
    is_equal: bool,
    value: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Equal,
    NotEqual,
}

fn bad(why: &str) -> Error {
    Error::Bad(format!("error decoding the predicate: {why}"))
}

fn conditions(tokens: &[Token]) -> Result<Vec<Condition>, Error> {
    let mut out = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        if out.len() >= CONDITIONS_MAX {
            return Err(bad(&format!("it has more than {CONDITIONS_MAX} conditions")));
        }
        if !out.is_empty() {
            rest = match rest {
                [Token::Word(word), behind @ ..] if word.eq_ignore_ascii_case("and") => behind,
                [Token::Word(word), ..] if word.eq_ignore_ascii_case("or") => {
                    return Err(bad("OR is not supported: delete twice"));
                }
                _ => return Err(bad("conditions are joined by AND")),
            };
        }
        let [
            Token::Word(key) | Token::Quoted(key),
            op @ (Token::Equal | Token::NotEqual),
            Token::Word(value) | Token::Quoted(value),
            behind @ ..,
        ] = rest
        else {
            return Err(bad("a condition looks like key=\"value\""));
        };
        let is_equal = *op == Token::Equal;
        out.push(Condition { key: key.clone(), is_equal, value: value.clone() });
        rest = behind;
    }
    Ok(out)
}

fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut out = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => {}
            // Conditions are all joined by AND, so parentheses change nothing.
            '(' | ')' => {}
            '=' if rest.next_if_eq(&'~').is_some() => return Err(bad("=~ is not supported")),
            '=' => out.push(Token::Equal),
            '!' if rest.next_if_eq(&'=').is_some() => out.push(Token::NotEqual),
            '"' | '\'' => out.push(Token::Quoted(quoted(c, &mut rest)?)),
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                out.push(Token::Word(word));
            }
            c => return Err(bad(&format!("{c:?} has no meaning here"))),
        }
    }
    Ok(out)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/')
}

/// The rest of a text in quotes; `\` keeps what follows as it is.
fn quoted(quote: char, rest: &mut Peekable<Chars<'_>>) -> Result<String, Error> {
    let mut text = String::new();
    loop {
        match rest.next() {
            Some(c) if c == quote => return Ok(text),
            Some('\\') => text.extend(rest.next().map(|c| if c == 'n' { '\n' } else { c })),
            Some(c) => text.push(c),
            None => return Err(bad("a text has no closing quote")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        match matchers(text) {
            Ok(found) => {
                let one = |it: &Matcher| format!("{} {:?} {}", it.name, it.op, it.value);
                found.iter().map(one).collect::<Vec<_>>().join("; ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn predicates_become_matchers() {
        for (text, expected) in [
            ("", ""),
            ("  ", ""),
            (r#"host="a b""#, "host Equal a b"),
            (r#"_measurement="c.u""#, r"__name__ Regex (?s:c\.u_.+)"),
            (r#"_measurement = 'cpu' AND "_field"="idle""#, "__name__ Equal cpu_idle"),
            (r"_field=load1", "__name__ Regex (?s:.+_load1)"),
            (r#"(a="1" and (b!="2"))"#, "a Equal 1; b NotEqual 2"),
            (r#""odd key"="say \"x\" \\""#, r#"odd key Equal say "x" \"#),
            ("a=\"\"", "a Equal "),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_predicate_says_why() {
        for (text, expected) in [
            (r#"a="1" OR b="2""#, "OR is not supported"),
            (r#"a=~"1""#, "=~ is not supported"),
            ("a", "a condition looks like"),
            ("a=", "a condition looks like"),
            (r#"a="1" b="2""#, "joined by AND"),
            (r#"a="1" AND"#, "a condition looks like"),
            (r#"a="1"#, "no closing quote"),
            ("a > 1", "'>' has no meaning"),
            (r#"_measurement!="a""#, "_measurement is compared once, and by ="),
            (r#"_field="a" AND _field="b""#, "_field is compared once"),
        ] {
            assert!(shown(text).contains(expected), "{text}: {}", shown(text));
        }
        assert!(shown(&"a=b AND ".repeat(200)).contains("more than 100 conditions"));
        assert!(shown(&"x".repeat(BYTES_MAX + 1)).contains("at most"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_predicate_or_an_error(text: String) {
            let _ = matchers(&text);
        }

        #[test]
        fn any_name_and_value_can_be_said(key in "[a-z ü\"\\\\]{1,9}", value: String) {
            prop_assume!(!value.contains('\n') && value.len() < 1000);
            let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let found = matchers(&format!("{}={}", quote(&key), quote(&value))).unwrap();
            prop_assert_eq!(found, [Matcher::equal(&key, &value)]);
        }
    }
}
