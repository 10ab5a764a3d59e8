//! Regular expressions as Prometheus means them: RE2, the whole text, a dot for any character.

use regex::{Regex, RegexBuilder};

/// Compiles an expression that matches whole texts only.
///
/// # Errors
/// What is wrong with it.
pub fn anchored(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?s:{})$", without_quotes(expression))).octal(true).build()
}

/// `\Q…\E` spelled out: RE2 knows it, the `regex` crate does not.
fn without_quotes(expression: &str) -> String {
    let mut result = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        result.push_str(before);
        if let Some(quoted) = escape.strip_prefix("\\Q") {
            let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            result.push_str(&regex::escape(literal));
            rest = after;
        } else {
            let end = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
            let (pair, after) = escape.split_at(end);
            result.push_str(pair);
            rest = after;
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match_and_a_dot_is_any_character() {
        let matches = |expression: &str, text: &str| anchored(expression).unwrap().is_match(text);
        assert!(matches("a|b", "b"));
        assert!(!matches("a|b", "ab"));
        assert!(matches("a.b", "a\nb"));
        assert!(matches(r"\Qa.b\E+", "a.bb"));
        assert!(!matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"\\Q", r"\Q"));
    }
}
