//! `${NAME}` in the text of a value.

use crate::app::config::tree::Environment;

/// Why a text cannot be filled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) advice: String,
}

/// The text with values of the environment put in; None where there is nothing to put in.
///
/// What does not look like `${NAME}` stays: `$1` and `${1}` belong to relabelling.
pub(super) fn substitute(
    text: &str,
    environment: Environment<'_>,
) -> Result<Option<String>, Problem> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        let inside = from.get(2..).unwrap_or_default();
        if let Some(kept) = before.strip_suffix('$') {
            out.push_str(kept);
            out.push_str("${");
            rest = inside;
            continue;
        }
        out.push_str(before);
        let found =
            inside.split_once('}').and_then(|(inner, after)| Some((variable(inner)?, after)));
        let Some(((name, default), after)) = found else {
            out.push_str("${");
            rest = inside;
            continue;
        };
        let value = environment(name).or_else(|| default.map(str::to_owned));
        out.push_str(&value.ok_or_else(|| Problem {
            what: format!("the environment has no {name}"),
            advice: format!(
                "set it, write ${{{name}:-default}}, or $${{{name}}} for the text itself"
            ),
        })?);
        rest = after;
    }
    out.push_str(rest);
    Ok(Some(out))
}

/// `NAME` or `NAME:-default`.
fn variable(inner: &str) -> Option<(&str, Option<&str>)> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_and_other_dollars_stay() {
        let environment = |name: &str| (name == "A").then(|| "x: ${B}".to_owned());
        for (text, expected) in [
            ("plain $1", None),
            ("${A}", Some("x: ${B}")),
            ("a${A}b${A}", Some("ax: ${B}bx: ${B}")),
            ("$${A}", Some("${A}")),
            ("${1}:${A}", Some("${1}:x: ${B}")),
            ("${C:-d}", Some("d")),
            ("${C:-}", Some("")),
            ("${unclosed", Some("${unclosed")),
        ] {
            assert_eq!(substitute(text, &environment).unwrap().as_deref(), expected, "{text}");
        }
        assert!(substitute("${C}", &environment).unwrap_err().what.contains('C'));
    }
}
