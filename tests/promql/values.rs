//! The values of scripts: numbers, durations, label sets, histograms.

use quipu::math::histogram::{add, subtract};
use quipu::model::{Histogram, ResetHint, Span};
use regex::Regex;

use crate::script::Pairs;

/// A value of a series.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Float(f64),
    Stale,
    Histogram(Box<Histogram>),
}

/// `1h30m` in ms; `0` needs no unit.
pub(crate) fn duration_ms(text: &str) -> i64 {
    let text = text.trim();
    if text == "0" {
        return 0;
    }
    let part = Regex::new(r"^(\d+)(ms|[smhdwy])").unwrap();
    let (mut rest, mut total) = (text, 0);
    while !rest.is_empty() {
        let found = part.captures(rest).unwrap_or_else(|| panic!("no duration: {text:?}"));
        let unit = match &found[2] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => 31_536_000_000,
        };
        total += found[1].parse::<i64>().unwrap() * unit;
        rest = &rest[found[0].len()..];
    }
    total
}

fn signed_ms(text: &str) -> i64 {
    text.strip_prefix('-')
        .map_or_else(|| duration_ms(text.trim_start_matches('+')), |text| -duration_ms(text))
}

/// A number as Go's `ParseInt` or `ParseFloat` read it; None where it is none.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(&hex.replace('_', ""), 16).ok().map(|n| sign * n as f64);
    }
    let is_octal = digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|byte| (b'0'..b'8').contains(&byte));
    if is_octal {
        return i64::from_str_radix(digits, 8).ok().map(|n| sign * n as f64);
    }
    let lower = digits.to_lowercase();
    if lower == "nan" {
        return Some(f64::NAN);
    }
    if lower == "inf" || lower == "infinity" {
        return Some(sign * f64::INFINITY);
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    digits.parse::<f64>().ok().map(|n| sign * n)
}

/// A text in quotes.
pub(crate) fn unquote(text: &str) -> String {
    let quote = text.chars().next().unwrap();
    let body = &text[1..text.len() - 1];
    if quote == '`' {
        return body.to_owned();
    }
    let mut out = Vec::new();
    let mut rest = body.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.extend(c.to_string().bytes());
            continue;
        }
        let escape = rest.next().unwrap();
        let mut code = |digits: usize| {
            let text: String = rest.by_ref().take(digits).collect();
            u32::from_str_radix(&text, 16).unwrap()
        };
        match escape {
            'x' => out.push(u8::try_from(code(2)).unwrap()),
            'u' => out.extend(char::from_u32(code(4)).unwrap().to_string().bytes()),
            'U' => out.extend(char::from_u32(code(8)).unwrap().to_string().bytes()),
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'r' => out.push(b'\r'),
            other => out.extend(other.to_string().bytes()),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `name{a="b"}` and what follows.
pub(crate) fn parse_labels(text: &str) -> (Pairs, &str) {
    let mut labels = Pairs::new();
    let name = Regex::new(r"^[A-Za-z_:][\w:]*").unwrap();
    let mut rest = text;
    if let Some(found) = name.find(rest) {
        labels.push(("__name__".to_owned(), found.as_str().to_owned()));
        rest = &rest[found.end()..];
    }
    let braces = rest.trim_start_matches([' ', '\t']);
    if braces.starts_with('{') && !braces.starts_with("{{") {
        rest = label_set(&braces[1..], &mut labels);
    }
    labels.retain(|(_, value)| !value.is_empty());
    labels.sort();
    (labels, rest)
}

fn label_set<'a>(text: &'a str, labels: &mut Pairs) -> &'a str {
    let quoted = r#""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`"#;
    let label = Regex::new(&format!(r"^\s*(?:([A-Za-z_]\w*)|({quoted}))\s*(?:=\s*({quoted}))?\s*"))
        .unwrap();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return after;
        }
        let found = label.captures(rest).unwrap_or_else(|| panic!("bad labels {text:?}"));
        let name = found.get(1).map_or_else(|| unquote(&found[2]), |name| name.as_str().to_owned());
        match found.get(3) {
            Some(value) => labels.push((name, unquote(value.as_str()))),
            None => labels.push(("__name__".to_owned(), name)),
        }
        rest = &rest[found[0].len()..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// Start timestamps relative to their values.
pub(crate) fn parse_starts(text: &str) -> Vec<Option<i64>> {
    let blank = Regex::new(r"^_(?:x(\d+))?$").unwrap();
    let duration = r"[+-]?(?:\d+[a-z]+?|0)";
    let item = Regex::new(&format!(r"^({duration})(?:([+-])({duration}))?(?:x(\d+))?$")).unwrap();
    let mut starts = Vec::new();
    for word in text.split_whitespace() {
        if let Some(found) = blank.captures(word) {
            let count = found.get(1).map_or(1, |n| n.as_str().parse().unwrap());
            starts.extend(std::iter::repeat_n(None, count));
            continue;
        }
        let found = item.captures(word).unwrap_or_else(|| panic!("bad start {word:?}"));
        let base = signed_ms(&found[1]);
        let mut delta = found.get(3).map_or(0, |d| signed_ms(d.as_str()));
        if found.get(2).is_some_and(|sign| sign.as_str() == "-") {
            delta = -delta;
        }
        let count = found.get(4).map_or(0, |n| n.as_str().parse::<i64>().unwrap());
        starts.extend((0..=count).map(|k| Some(base + k * delta)));
    }
    starts
}

/// `1 2+3x2 _ stale {{…}}x3`.
pub(crate) fn parse_values(text: &str) -> Vec<Option<Value>> {
    let histogram =
        Regex::new(r"^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?(?:\s|$)").unwrap();
    let float = r"(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF]|[nN][aA][nN])";
    let item =
        Regex::new(&format!(r"^(?:(_)|(stale|[+-]?{float})([+-]{float})?)(?:x(\d+))?(?:\s|$)"))
            .unwrap();
    let mut values = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(found) = histogram.captures(rest) {
            let mut current = parse_histogram(&found[1]);
            let times = found.get(4).map_or(0, |n| n.as_str().parse().unwrap());
            let step = found.get(3).map(|body| parse_histogram(body.as_str()));
            values.push(Some(Value::Histogram(Box::new(current.clone()))));
            for _ in 0..times {
                if let Some(step) = &step {
                    let next = if &found[2] == "+" { add } else { subtract };
                    current = next(&current, step).unwrap().0;
                }
                values.push(Some(Value::Histogram(Box::new(current.clone()))));
            }
            rest = rest[found[0].len()..].trim_start();
            continue;
        }
        let found = item.captures(rest).unwrap_or_else(|| panic!("bad values near {rest:?}"));
        let times = found.get(4).map(|n| n.as_str().parse::<usize>().unwrap());
        if found.get(1).is_some() {
            values.extend(std::iter::repeat_n(None, times.unwrap_or(1)));
        } else if &found[2] == "stale" {
            values.extend(std::iter::repeat_n(Some(Value::Stale), times.unwrap_or(0) + 1));
        } else {
            let mut value = number(&found[2]).unwrap();
            let step = found.get(3).map_or(0.0, |step| number(step.as_str()).unwrap());
            for _ in 0..=times.unwrap_or(0) {
                values.push(Some(Value::Float(value)));
                if found.get(3).is_some() {
                    value += step;
                }
            }
        }
        rest = rest[found[0].len()..].trim_start();
    }
    values
}

fn parse_histogram(body: &str) -> Histogram {
    let field = Regex::new(r"([a-z_]+):(\[[^\]]*\]|\S+)").unwrap();
    let mut histogram = Histogram::default();
    let (mut offset, mut n_offset) = (0, 0);
    for found in field.captures_iter(body) {
        let text = &found[2];
        let float = || text.parse::<f64>().unwrap_or_else(|_| number(text).unwrap());
        let list = || -> Vec<f64> {
            let inner = text.trim_start_matches('[').trim_end_matches(']');
            inner.split_whitespace().map(|word| number(word).unwrap()).collect()
        };
        match &found[1] {
            "schema" => histogram.schema = text.parse().unwrap(),
            "sum" => histogram.sum = float(),
            "count" => histogram.count = float(),
            "z_bucket" => histogram.zero_count = float(),
            "z_bucket_w" => histogram.zero_threshold = float(),
            "custom_values" => histogram.custom_values = list(),
            "buckets" => histogram.positive = list(),
            "n_buckets" => histogram.negative = list(),
            "offset" => offset = text.parse().unwrap(),
            "n_offset" => n_offset = text.parse().unwrap(),
            "counter_reset_hint" => {
                histogram.reset_hint = match text {
                    "reset" => ResetHint::Reset,
                    "not_reset" => ResetHint::NoReset,
                    "gauge" => ResetHint::Gauge,
                    _ => ResetHint::Unknown,
                };
            }
            other => panic!("unknown histogram key {other:?}"),
        }
    }
    let spans = |offset: i32, counts: &[f64]| match counts.len() {
        0 => vec![],
        n => vec![Span { offset, length: u32::try_from(n).unwrap() }],
    };
    histogram.positive_spans = spans(offset, &histogram.positive);
    histogram.negative_spans = spans(n_offset, &histogram.negative);
    histogram
}
