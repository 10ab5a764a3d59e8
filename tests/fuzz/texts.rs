//! Inputs for the targets, from a seed.

use query_lang::{Function, ValueType};

/// Makes inputs, and remembers some to change them.
pub(crate) struct Maker {
    state: u64,
    known: Vec<Vec<u8>>,
    fresh: usize,
}

/// Inputs that are remembered beside the corpus.
const FRESH_MAX: usize = 256;

const NAMES: [&str; 8] =
    ["a", "b", "h", "c_total", "h{x=\"0\"}", "{__name__=~\"a|b\"}", "a{y!~\"[12]\"}", "start"];
const BINARY: [&str; 20] = [
    "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "> bool", "<", ">=", "<= bool", "and", "or",
    "unless", "</", ">/", "!= bool", "^",
];
const MATCHING: [&str; 12] = [
    "",
    "",
    "",
    "on (x)",
    "on ()",
    "ignoring (y)",
    "on (x) group_left ()",
    "ignoring (x) group_right (y)",
    "on (x, y) group_left (le)",
    "fill (0)",
    "on (x) fill_left (1)",
    "ignoring (y) group_left () fill_right (NaN)",
];
const FOLDS: [&str; 13] = [
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "limitk",
    "limit_ratio",
];
const GROUPINGS: [&str; 6] = ["", "by (x)", "by ()", "without (y)", "by (le, x, y)", "without ()"];
const SHIFTS: [&str; 12] = [
    "",
    "",
    "",
    "",
    " offset 10s",
    " offset -1m",
    " @ 30",
    " @ start()",
    " @ end() offset 7s",
    " offset step()",
    " @ -5",
    " offset (2s * 3)",
];
const EDGES: [&str; 6] = ["", "", "", "", " anchored", " smoothed"];
const RANGES: [&str; 8] = ["10s", "1m", "5m", "7s", "step()", "1h", "1ms", "max_of(10s, step())"];
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "0.5",
    "2",
    "1e300",
    "Inf",
    "-Inf",
    "NaN",
    "5m",
    "0x1F",
    "1_000",
    "9007199254740993",
    "5e-324",
];
const TEXTS: [&str; 9] = [
    "\"x\"",
    "\"y\"",
    "\"__name__\"",
    "\"$1\"",
    "\"(.*)\"",
    "\"\"",
    "\"a\\xffb\"",
    "'é'",
    "`(?i:A)|[^b]`",
];
/// What stands where it should not.
const NOISE: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "'",
    "`",
    "@",
    "=",
    "=~",
    "!~",
    "#",
    "\n",
    "offset",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "bool",
    "inf",
    "nan",
    "0x",
    "1e",
    "5m3",
    "\\",
    "\0",
    "é",
    "\u{fffd}",
    "((((((((",
    "------",
    "[1m:1m]",
    "sum",
    "rate(",
    "anchored",
    "1y2w3d4h5m6s7ms",
];

impl Maker {
    pub(crate) fn new(seed: u64, known: Vec<Vec<u8>>) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, known, fresh: 0 }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        ((self.state >> 33) as usize) % limit.max(1)
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    /// A question, or nearly.
    pub(crate) fn question(&mut self) -> Vec<u8> {
        match self.below(8) {
            0..=2 => {
                let depth = 1 + self.below(4);
                let text = self.of(ValueType::InstantVector, depth).into_bytes();
                self.remember(&text);
                text
            }
            3 => self.soup(),
            _ => self.changed(),
        }
    }

    /// Rows and a question.
    pub(crate) fn pair(&mut self) -> Vec<u8> {
        let length = self.below(200);
        let mut bytes = vec![length as u8];
        for _ in 0..length {
            let byte = if self.below(12) == 0 { 0 } else { 1 + self.below(255) as u8 };
            bytes.push(byte);
        }
        match self.below(8) {
            0 => {
                bytes.push(1);
                for _ in 0..=self.below(24) {
                    bytes.push(self.below(256) as u8);
                }
            }
            1 => bytes.extend(self.changed()),
            _ => {
                let kinds = [
                    ValueType::InstantVector,
                    ValueType::InstantVector,
                    ValueType::Scalar,
                    ValueType::RangeVector,
                ];
                let kind = kinds[self.below(kinds.len())];
                let depth = 1 + self.below(4);
                let text = self.of(kind, depth).into_bytes();
                self.remember(&text);
                bytes.extend(text);
            }
        }
        bytes
    }

    fn remember(&mut self, text: &[u8]) {
        if self.fresh < FRESH_MAX {
            self.known.push(text.to_vec());
            self.fresh += 1;
        } else if self.below(64) == 0 {
            let place = self.known.len() - 1 - self.below(FRESH_MAX);
            self.known[place] = text.to_vec();
        }
    }

    fn soup(&mut self) -> Vec<u8> {
        let mut text = String::new();
        for _ in 0..self.below(24) {
            let word = match self.below(6) {
                0 => self.pick(&NAMES),
                1 => self.pick(&BINARY),
                2 => self.pick(&NUMBERS),
                3 => self.pick(&MATCHING),
                4 => Function::ALL[self.below(Function::ALL.len())].name(),
                _ => self.pick(&NOISE),
            };
            text.push_str(word);
            text.push_str(self.pick(&[" ", "", "\t"]));
        }
        text.into_bytes()
    }

    /// Something known with a few changes.
    fn changed(&mut self) -> Vec<u8> {
        if self.known.is_empty() {
            return self.soup();
        }
        let index = self.below(self.known.len());
        let mut bytes = self.known[index].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => _ = bytes.remove(at),
                2 => bytes.insert(at, self.below(256) as u8),
                3 => bytes.truncate(at),
                4 => {
                    let other = self.below(self.known.len());
                    let other = self.known[other].clone();
                    let from = self.below(other.len() + 1);
                    bytes.splice(at.., other[from..].iter().copied());
                }
                5 => {
                    // A part many times: nesting and long chains.
                    let from = self.below(at + 1);
                    let part = bytes[from..at].to_vec();
                    let most = if self.below(20) == 0 { 200 } else { 4 };
                    let times = 1 + self.below(most);
                    let many: Vec<u8> =
                        part.iter().copied().cycle().take(part.len() * times).collect();
                    bytes.splice(at..at, many);
                    bytes.truncate(4096);
                }
                _ => {
                    let word = self.pick(&NOISE);
                    bytes.splice(at..at, word.bytes());
                }
            }
        }
        bytes
    }

    /// An expression of a type, with a mistake now and then.
    fn of(&mut self, kind: ValueType, depth: usize) -> String {
        let kind = if self.below(200) == 0 {
            [ValueType::Scalar, ValueType::RangeVector, ValueType::String][self.below(3)]
        } else {
            kind
        };
        match kind {
            ValueType::Scalar => self.scalar(depth),
            ValueType::String => self.pick(&TEXTS).to_owned(),
            ValueType::RangeVector => self.range(depth),
            ValueType::InstantVector if depth == 0 => self.selector(),
            ValueType::InstantVector => self.vector(depth - 1),
        }
    }

    fn selector(&mut self) -> String {
        let (name, shift, edges) = (self.pick(&NAMES), self.pick(&SHIFTS), self.pick(&EDGES));
        let edges = if self.below(8) == 0 { edges } else { "" };
        format!("{name}{edges}{shift}")
    }

    fn range(&mut self, depth: usize) -> String {
        let (range, shift) = (self.pick(&RANGES), self.pick(&SHIFTS));
        if depth == 0 || self.below(3) > 0 {
            let (name, edges) = (self.pick(&NAMES), self.pick(&EDGES));
            return format!("{name}[{range}]{edges}{shift}");
        }
        let step = self.pick(&["", "10s", "7s", "1m", "step()"]);
        let inner = self.of(ValueType::InstantVector, depth - 1);
        format!("({inner})[{range}:{step}]{shift}")
    }

    fn scalar(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 3 } else { 7 }) {
            0..=2 => self.pick(&NUMBERS).to_owned(),
            3 => self.pick(&["time()", "pi()", "step()", "range()", "start()", "end()"]).to_owned(),
            4 => format!("scalar({})", self.of(ValueType::InstantVector, depth - 1)),
            _ => {
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!(
                    "({left} {} {right})",
                    self.pick(&["+", "-", "*", "/", "%", "^", "== bool", "> bool"])
                )
            }
        }
    }

    fn vector(&mut self, depth: usize) -> String {
        match self.below(10) {
            0..=3 => self.call(depth),
            4 | 5 => self.fold(depth),
            6..=8 => {
                let (left, right) = (self.of(ValueType::InstantVector, depth), self.other(depth));
                let (op, how) = (self.pick(&BINARY), self.pick(&MATCHING));
                let how = if right.1 { "" } else { how };
                format!("({left} {op} {how} {})", right.0)
            }
            _ => self.selector(),
        }
    }

    /// A right operand, and whether it is a scalar.
    fn other(&mut self, depth: usize) -> (String, bool) {
        if self.below(3) == 0 {
            return (self.scalar(depth), true);
        }
        (self.of(ValueType::InstantVector, depth), false)
    }

    fn fold(&mut self, depth: usize) -> String {
        let (name, by) = (self.pick(&FOLDS), self.pick(&GROUPINGS));
        let inner = self.of(ValueType::InstantVector, depth);
        if matches!(name, "topk" | "bottomk" | "quantile" | "limitk" | "limit_ratio") {
            let parameter = self.scalar(depth.min(1));
            return format!("{name} {by} ({parameter}, {inner})");
        }
        if self.below(12) == 0 {
            return format!("count_values {by} (\"v\", {inner})");
        }
        format!("{name} {by} ({inner})")
    }

    fn call(&mut self, depth: usize) -> String {
        let function = Function::ALL[self.below(Function::ALL.len())];
        let signature = function.signature();
        let count = signature.arguments.len() + usize::from(self.below(8) == 0);
        let mut arguments = Vec::new();
        for index in 0..count {
            if index + 1 == count && self.below(10) == 0 {
                break;
            }
            let Some(kind) = signature.argument(index, count) else { break };
            arguments.push(self.of(kind, depth));
        }
        format!("{}({})", function.name(), arguments.join(", "))
    }
}
