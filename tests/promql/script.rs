//! Test scripts: `load`, `clear`, `eval`, in the format of Prometheus' promqltest.

use regex::Regex;

use crate::values::{Value, duration_ms, parse_labels, parse_starts, parse_values, unquote};

/// Labels as pairs, sorted.
pub(crate) type Pairs = Vec<(String, String)>;

/// A series of a script.
#[derive(Debug, Clone)]
pub(crate) struct ScriptSeries {
    pub(crate) labels: Pairs,
    /// A value a step; None where it is left out.
    pub(crate) values: Vec<Option<Value>>,
    /// Start timestamps relative to each value, ms.
    pub(crate) starts: Option<Vec<Option<i64>>>,
}

/// `load`.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) step: i64,
    /// Classic histograms are loaded as native ones too.
    pub(crate) with_nhcb: bool,
    pub(crate) series: Vec<ScriptSeries>,
}

/// What a text must be.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Any,
    Text(String),
    Pattern(String),
}

impl Rule {
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(expected) => expected == text,
            Self::Pattern(pattern) => Regex::new(pattern).unwrap().is_match(text),
        }
    }
}

/// `eval`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Eval {
    pub(crate) line: usize,
    pub(crate) question: String,
    pub(crate) start: i64,
    /// End and step; None at one time.
    pub(crate) steps: Option<(i64, i64)>,
    pub(crate) is_ordered: bool,
    pub(crate) fail: Vec<Rule>,
    pub(crate) warn: Vec<Rule>,
    pub(crate) info: Vec<Rule>,
    pub(crate) no_warn: bool,
    pub(crate) no_info: bool,
    pub(crate) scalar: Option<f64>,
    pub(crate) string: Option<String>,
    /// The window of a bare range.
    pub(crate) window: Option<(i64, i64, i64)>,
    pub(crate) series: Vec<ScriptSeries>,
}

/// A command of a script.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// Reads a script.
pub(crate) fn parse(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text
        .split('\n')
        .map(str::trim)
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let word = line.split([' ', '\t']).next().unwrap_or_default().to_lowercase();
        if line.is_empty() {
            at += 1;
        } else if word == "clear" {
            commands.push(Command::Clear);
            at += 1;
        } else if word.starts_with("load") {
            commands.push(Command::Load(load(&lines, &mut at)));
        } else if word.starts_with("eval") {
            commands.push(Command::Eval(Box::new(eval(&lines, &mut at))));
        } else {
            panic!("line {}: unknown command {line:?}", at + 1);
        }
    }
    commands
}

fn load(lines: &[&str], at: &mut usize) -> Load {
    let (word, step) = lines[*at].split_once([' ', '\t']).unwrap();
    let mut load =
        Load { step: duration_ms(step), with_nhcb: word.ends_with("_with_nhcb"), series: vec![] };
    *at += 1;
    let mut starts = None;
    while let Some(line) = lines.get(*at).filter(|line| !line.is_empty()) {
        let first = line.split([' ', '\t']).next().unwrap();
        if first.ends_with("@st") {
            starts = Some(parse_starts(&line[first.len()..]));
        } else {
            let (labels, rest) = parse_labels(line);
            let values = parse_values(rest);
            load.series.push(ScriptSeries { labels, values, starts: starts.take() });
        }
        *at += 1;
    }
    load
}

fn eval(lines: &[&str], at: &mut usize) -> Eval {
    let instant =
        Regex::new(r"^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$")
            .unwrap();
    let range = Regex::new(
        r"^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$",
    )
    .unwrap();
    let mut eval = Eval { line: *at + 1, ..Eval::default() };
    let line = lines[*at];
    let modifier;
    if let Some(found) = instant.captures(line) {
        modifier = found.get(1).map(|m| m.as_str().to_owned());
        eval.start = duration_ms(found.get(2).map_or("0", |m| m.as_str()));
        found[3].clone_into(&mut eval.question);
    } else {
        let found = range.captures(line).unwrap_or_else(|| panic!("bad eval {line:?}"));
        modifier = found.get(1).map(|m| m.as_str().to_owned());
        eval.start = duration_ms(&found[2]);
        eval.steps = Some((duration_ms(&found[3]), duration_ms(&found[4])));
        found[5].clone_into(&mut eval.question);
    }
    match modifier.as_deref() {
        Some("fail") => eval.fail.push(Rule::Any),
        Some("warn") => eval.warn.push(Rule::Any),
        Some("info") => eval.info.push(Rule::Any),
        Some("ordered") => eval.is_ordered = true,
        _ => {}
    }
    *at += 1;
    while let Some(line) = lines.get(*at).filter(|line| !line.is_empty()) {
        *at += 1;
        if expectation(&mut eval, line) {
            break;
        }
    }
    eval
}

/// Reads a line below `eval`; whether it is the last.
fn expectation(eval: &mut Eval, line: &str) -> bool {
    if let Some(text) = line.strip_prefix("expected_fail_message") {
        eval.fail.push(Rule::Text(text.trim().to_owned()));
        return true;
    }
    if let Some(text) = line.strip_prefix("expected_fail_regexp") {
        eval.fail.push(Rule::Pattern(text.trim().to_owned()));
        return true;
    }
    let window =
        Regex::new(r"^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$").unwrap();
    if let Some(found) = window.captures(line) {
        let at = |index: usize| duration_ms(&found[index]);
        eval.window = Some((at(1), at(2), at(3)));
        return false;
    }
    if let Some(text) = line.strip_prefix("expect string") {
        eval.string = Some(unquote(text.trim()));
        return false;
    }
    let expect =
        Regex::new(r"^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$")
            .unwrap();
    if let Some(found) = expect.captures(line) {
        let rule = match found.get(2).map(|m| m.as_str()) {
            Some("msg") => Rule::Text(found[3].trim().to_owned()),
            Some(_) => Rule::Pattern(found[3].trim().to_owned()),
            None => Rule::Any,
        };
        match &found[1] {
            "ordered" => eval.is_ordered = true,
            "fail" => eval.fail.push(rule),
            "warn" => eval.warn.push(rule),
            "info" => eval.info.push(rule),
            "no_warn" => eval.no_warn = true,
            _ => eval.no_info = true,
        }
        return false;
    }
    if let Some(number) = crate::values::number(line) {
        eval.scalar = Some(number);
        return true;
    }
    let (labels, rest) = parse_labels(line);
    eval.series.push(ScriptSeries { labels, values: parse_values(rest), starts: None });
    false
}
