//! Go's syntax of patterns: what is matched, what is refused and in which words.

use proptest::prelude::*;

use super::*;

#[test]
fn the_empty_text_is_matched_by_what_can_be_nothing() {
    let empty = [
        "",
        ".*",
        "a?",
        "(a|)",
        "a{0}",
        "a{0,3}",
        "^$",
        "(?:a*)",
        "(?i)",
        "\\A\\z",
        "\\B",
        "|a",
        "(a*)+",
        "(?P<n>a*?)",
        "\\Q\\E",
        "a*(?s).*",
    ];
    for pattern in empty {
        assert_eq!(matches_empty(pattern), Ok(true), "{pattern}");
    }
    let other = [
        ".+",
        "a",
        "(a|b)",
        "a{1,3}",
        "[a*]",
        "\\b",
        "[^]a]",
        "\\*",
        "{",
        "{,3}",
        "a*b",
        "\\pN*x",
        "[[:alpha:]-z]",
        "\\Qab\\E*",
        "(a*){0}b",
        "[\\d-x]",
        "\\x{1F600}",
        "a{01}",
    ];
    for pattern in other {
        assert_eq!(matches_empty(pattern), Ok(false), "{pattern}");
    }
}

#[test]
fn what_is_none_is_named_as_go_does() {
    let cases = [
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("(+)", "missing argument to repetition operator: `+`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a+{2}", "invalid nested repetition operator: `+{2}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}", "invalid repeat count: `{3,2}`"),
        ("(a{100}){11}", "invalid repeat count: `{11}`"),
        ("[a", "missing closing ]: `[a`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("\\8", "invalid escape sequence: `\\8`"),
        ("\\y", "invalid escape sequence: `\\y`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
    ];
    for (pattern, expected) in cases {
        let found = matches_empty(pattern).unwrap_err().to_string();
        assert_eq!(found, format!("error parsing regexp: {expected}"), "{pattern}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let pattern = "(".repeat(100_000);
    assert_eq!(matches_empty(&pattern).unwrap_err().problem, "expression nests too deeply");
}

proptest! {
    #[test]
    fn any_text_is_judged(pattern in r"[\\\[\](){}|*+?^$.,:<>=!PQEpx01ab-]{0,24}") {
        let _ = matches_empty(&pattern);
    }
}
