//! Selectors of what `shapes.rs` makes, with matchers, `offset` and `@`.

use crate::node::{Kind, Node, Pin, Window, duration, template};
use crate::shapes::{HALF, MIDNIGHT};
use crate::tiers::Dice;

/// A name, and the labels that tell its series apart.
pub(crate) type Named = (&'static str, &'static [&'static str]);

const JOINT: &[&str] = &["job", "instance"];

const CODED: &[&str] = &["code", "instance", "job"];

/// Names, and the labels that tell their series apart.
pub(crate) const COUNTERS: [Named; 5] = [
    ("requests_total", CODED),
    ("errors_total", CODED),
    ("late_total", JOINT),
    ("lat_count", JOINT),
    ("lat_sum", JOINT),
];

pub(crate) const GAUGES: [Named; 7] = [
    ("warmth", JOINT),
    ("depth", &["instance", "job", "room"]),
    ("gone", JOINT),
    ("sparse", &["job"]),
    ("up", JOINT),
    ("load", JOINT),
    ("odd", &["kind"]),
];

pub(crate) fn pick<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[usize::try_from(dice.below(of.len() as u64)).unwrap_or(0)]
}

pub(crate) fn tens(dice: &mut Dice, below: u64) -> i64 {
    dice.below(below).cast_signed() * 10_000
}

/// Name, labels, and the text of matchers: the labels it fixes are told apart no more.
pub(crate) fn series(dice: &mut Dice, of: &[Named]) -> (String, Vec<&'static str>) {
    let (name, labels) = pick(dice, of);
    let mut matchers = Vec::new();
    for label in labels {
        if dice.below(6) == 0 {
            matchers.push(matcher(dice, label));
        }
    }
    let text = match dice.below(12) {
        0 => {
            matchers.push(format!("__name__=\"{name}\""));
            format!("{{{}}}", matchers.join(","))
        }
        _ if matchers.is_empty() => name.to_owned(),
        _ => format!("{name}{{{}}}", matchers.join(",")),
    };
    (text, labels.to_vec())
}

fn matcher(dice: &mut Dice, label: &str) -> String {
    let (value, pattern): (&[&str], &[&str]) = match label {
        "job" => (&["a", "b", "a", "b", "c"], &["a|b", "[^b]", "(?i)A", "c.*|b"]),
        "code" => (&["200", "500", "500", ""], &["2.*", "5..|x", "(200|500)", ".+"]),
        "room" => (&["x", ""], &["x?", ".*", ".+"]),
        "kind" => (&["p", "q"], &["p", "[pq]"]),
        _ => (&["0", "1", "2"], &["[0-1]", ".", "1|2", ".+"]),
    };
    let (value, pattern) = (pick(dice, value), pick(dice, pattern));
    match dice.below(4) {
        0 => format!("{label}=\"{value}\""),
        1 => format!("{label}!=\"{value}\""),
        2 => format!("{label}=~\"{pattern}\""),
        _ => format!("{label}!~\"{}\"", pick(dice, &["a", "1", "200", "x|y", "0|2"])),
    }
}

/// `offset` and `@`, in either order.
pub(crate) fn shifts(dice: &mut Dice) -> (String, i64, Option<Pin>) {
    let offset = match dice.below(6) {
        0 => tens(dice, 90),
        1 => -tens(dice, 30),
        _ => 0,
    };
    let at = match dice.below(14) {
        0 => Some(Pin::Start),
        1 => Some(Pin::End),
        2 => Some(Pin::Time(MIDNIGHT - HALF + 7000 + tens(dice, 1080))),
        _ => None,
    };
    let offset_text =
        if offset == 0 { String::new() } else { format!(" offset {}", duration(offset)) };
    let at_text = match at {
        Some(Pin::Start) => " @ start()".to_owned(),
        Some(Pin::End) => " @ end()".to_owned(),
        Some(Pin::Time(time)) => format!(" @ {}", time / 1000),
        None => String::new(),
    };
    let text = if dice.below(2) == 0 { offset_text + &at_text } else { at_text + &offset_text };
    (text, offset, at)
}

pub(crate) fn selector(dice: &mut Dice, of: &[Named]) -> Node {
    let (text, labels) = series(dice, of);
    let (shift, _, _) = shifts(dice);
    Node::new(Kind::Vector, "selector", &labels, template(&(text + &shift), vec![]))
}

pub(crate) fn any_selector(dice: &mut Dice) -> Node {
    match dice.below(9) {
        0..=3 => selector(dice, &COUNTERS),
        4..=7 => selector(dice, &GAUGES),
        _ => {
            let (shift, _, _) = shifts(dice);
            let names =
                pick(dice, &["warmth|up", "requests_total|up", "late_.*", "lat_(sum|count)"]);
            let text = format!("{{__name__=~\"{names}\"}}{shift}");
            Node::new(
                Kind::Vector,
                "selector",
                &["__name__", "code", "instance", "job"],
                template(&text, vec![]),
            )
        }
    }
}

/// Rows of a selector without modifiers.
pub(crate) fn rows(dice: &mut Dice, selector: &str, labels: &[&'static str], range: i64) -> Node {
    let (shift, offset, at) = shifts(dice);
    let text = format!("{selector}[{}]{shift}", duration(range));
    let mut node = Node::new(Kind::Range, "range", labels, template(&text, vec![]));
    node.window = Some(Window { range, step: 0, offset, at });
    node
}
