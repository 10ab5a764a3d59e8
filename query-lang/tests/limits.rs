//! Limits hold before the stack or the memory does.

use query_lang::{Code, Limits, parse, parse_within};

fn code(text: &str) -> Option<Code> {
    parse(text).err().and_then(|error| error.problems().first().map(|problem| problem.code))
}

/// What nests, `count` times.
fn nestings(count: usize) -> [String; 9] {
    let around = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    [
        around("(", "1", ")"),
        around("-", "a", ""),
        around("abs(", "a", ")"),
        around("sum by (b) (", "a", ")"),
        around("2 ^ ", "2", ""),
        around("1 + (", "1", ")"),
        format!("a[{}]", around("(", "5m", ")")),
        format!("a[{}]", around("min_of(1, ", "5m", ")")),
        format!("a offset {}", around("-", "5m", "")),
    ]
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_refused_behind() {
    for text in nestings(60) {
        assert_eq!(code(&text), None, "{text}");
    }
    for text in nestings(50_000) {
        assert_eq!(code(&text), Some(Code::TooDeep), "{}", &text[..40]);
    }
}

#[test]
fn the_stack_of_a_thread_bears_more_than_the_limit() {
    let limits = Limits { nesting_max: 600, ..Limits::default() };
    for text in nestings(256) {
        assert!(parse_within(&text, limits).is_ok(), "{}", &text[..40]);
    }
}

#[test]
fn chains_grow_high_without_nesting() {
    let chain = |count: usize| vec!["a"; count].join(" or ");
    assert_eq!(code(&chain(1000)), None);
    assert_eq!(code(&chain(100_000)), Some(Code::TooDeep));
    let signed = |count: usize| vec!["-a"; count].join(" * ");
    assert_eq!(code(&signed(900)), None);
    let subqueries = format!("a{}", "[5m:]".repeat(100_000));
    assert_eq!(code(&subqueries), Some(Code::TooDeep));
    let durations = format!("a[{}]", vec!["1m"; 100_000].join(" + "));
    assert_eq!(code(&durations), Some(Code::TooDeep));
}

#[test]
fn long_texts_are_refused_at_once() {
    let text = " ".repeat(2 << 20);
    assert_eq!(code(&text), Some(Code::TooLong));
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.ends_with("query has 2097152 bytes, the limit is 1048576"), "{error}");
}
