//! Random expressions, of the right types by construction.
//!
//! Steps, offsets, ranges and subquery steps are multiples of 10 s; evaluation times are 7 s past one,
//! or on one inside a subquery, where ranges are 3 s longer. So no window of a subquery begins on one of
//! its steps, as no window of rows begins on a row.

use crate::node::{Kind, Node, Pin, Times, Window, duration, template};
use crate::shapes::{HALF, MIDNIGHT};
use crate::tiers::Dice;

/// What is asked at once.
pub(crate) struct Case {
    pub(crate) root: Node,
    pub(crate) times: Times,
}

/// Where in the expression we are.
#[derive(Clone, Copy)]
struct Place {
    /// How many levels may still follow.
    depth: u32,
    /// Whether evaluation times are multiples of 10 s.
    is_round: bool,
}

impl Place {
    fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_sub(1), ..self }
    }
}

const JOINT: &[&str] = &["job", "instance"];
const CODED: &[&str] = &["code", "instance", "job"];

/// Names, and the labels that tell their series apart.
const COUNTERS: [(&str, &[&str]); 5] = [
    ("requests_total", CODED),
    ("errors_total", CODED),
    ("late_total", JOINT),
    ("lat_count", JOINT),
    ("lat_sum", JOINT),
];
const GAUGES: [(&str, &[&str]); 7] = [
    ("warmth", JOINT),
    ("depth", &["instance", "job", "room"]),
    ("gone", JOINT),
    ("sparse", &["job"]),
    ("up", JOINT),
    ("load", JOINT),
    ("odd", &["kind"]),
];

const ONCE: [&str; 27] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "sgn",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "sin",
    "sinh",
    "tan",
    "tanh",
    "deg",
    "rad",
    "round",
    "histogram_count",
    "histogram_sum",
    "histogram_fraction",
];
const DATES: [&str; 8] = [
    "minute",
    "hour",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "days_in_month",
    "month",
    "year",
];
const COUNTER_WINDOWS: [&str; 5] = ["rate", "increase", "irate", "resets", "changes"];
const WINDOWS: [&str; 20] = [
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "present_over_time",
    "absent_over_time",
    "delta",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "rate",
    "increase",
    "irate",
    "quantile_over_time",
    "predict_linear",
];
const FOLDS: [&str; 8] = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"];
const ARITHMETIC: [&str; 7] = ["+", "-", "*", "/", "%", "^", "atan2"];
const COMPARISONS: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];

/// The case of a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut dice = Dice(seed);
    // The first numbers of neighbouring seeds are alike.
    (0..8).for_each(|_| _ = dice.below(2));
    let is_instant = dice.below(3) == 0;
    let steps = if is_instant { 0 } else { dice.below(9).cast_signed() };
    let step = if is_instant { 0 } else { pick(&mut dice, &[10, 20, 60, 150, 300, 420]) * 1000 };
    let seconds = dice.below(HALF.unsigned_abs() / 5000).cast_signed() * 10 - HALF / 1000;
    let start = MIDNIGHT + seconds * 1000 + 7000;
    let times = Times { start, end: start + steps * step, step };
    let place = Place { depth: 1 + u32::try_from(dice.below(4)).unwrap_or(0), is_round: false };
    let root = match dice.below(20) {
        0 if is_instant => range(&mut dice, place, false),
        1 if is_instant => {
            let sort = pick(&mut dice, &["sort", "sort_desc"]);
            call(sort, vector(&mut dice, place))
        }
        2 => scalar(&mut dice, place),
        _ => vector(&mut dice, place),
    };
    Case { root, times }
}

fn pick<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[usize::try_from(dice.below(of.len() as u64)).unwrap_or(0)]
}

fn tens(dice: &mut Dice, below: u64) -> i64 {
    dice.below(below).cast_signed() * 10_000
}

fn call(name: &'static str, child: Node) -> Node {
    let labels = child.labels.clone();
    Node::new(Kind::Vector, name, &labels, template(&format!("{name}({{}})"), vec![child]))
}

fn scalar(dice: &mut Dice, place: Place) -> Node {
    let make = |name, pieces| Node::new(Kind::Scalar, name, &[], pieces);
    match dice.below(if place.depth == 0 { 6 } else { 12 }) {
        0 => make("pi", template("pi()", vec![])),
        1 => make("time", template("time()", vec![])),
        2..=5 => number(dice),
        6 | 7 => {
            let name = pick(dice, &ARITHMETIC[..5]);
            let (left, right) = (scalar(dice, place.deeper()), scalar(dice, place.deeper()));
            make(name, template(&format!("({{}} {name} {{}})"), vec![left, right]))
        }
        8 => {
            let name = pick(dice, &COMPARISONS);
            let (left, right) = (scalar(dice, place.deeper()), scalar(dice, place.deeper()));
            make(name, template(&format!("({{}} {name} bool {{}})"), vec![left, right]))
        }
        9 => make("-", template("(-{})", vec![scalar(dice, place.deeper())])),
        _ => make("scalar", template("scalar({})", vec![vector(dice, place.deeper())])),
    }
}

fn number(dice: &mut Dice) -> Node {
    let text = match dice.below(16) {
        0 => "NaN".to_owned(),
        1 => pick(dice, &["Inf", "1e300", "0x1f", "1e-9"]).to_owned(),
        2 => "0".to_owned(),
        3 => "0.1".to_owned(),
        4..=7 => format!("{}", dice.below(9)),
        8..=11 => format!("{}", dice.below(400) as f64 / 8.0),
        _ => format!("{}", dice.below(3000)),
    };
    Node::new(Kind::Scalar, "number", &[], template(&text, vec![]))
}

/// Name, labels, and the text of matchers: the labels it fixes are told apart no more.
fn series(
    dice: &mut Dice,
    of: &[(&'static str, &'static [&'static str])],
) -> (String, Vec<&'static str>) {
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
fn shifts(dice: &mut Dice) -> (String, i64, Option<Pin>) {
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

fn selector(dice: &mut Dice, of: &[(&'static str, &'static [&'static str])]) -> Node {
    let (text, labels) = series(dice, of);
    let (shift, _, _) = shifts(dice);
    Node::new(Kind::Vector, "selector", &labels, template(&(text + &shift), vec![]))
}

fn any_selector(dice: &mut Dice) -> Node {
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

/// A range of rows, or a subquery.
fn range(dice: &mut Dice, place: Place, is_counter: bool) -> Node {
    if place.depth > 0 && dice.below(4) == 0 {
        return subquery(dice, place);
    }
    let length = match dice.below(6) {
        0 => 10_000 + tens(dice, 6),
        1 => 600_000 + tens(dice, 300),
        _ => 60_000 + tens(dice, 60),
    };
    let (text, labels) = match (is_counter, dice.below(8)) {
        (true, _) | (false, 0) => series(dice, &COUNTERS),
        (false, _) => series(dice, &GAUGES),
    };
    rows(dice, &text, &labels, length)
}

/// Rows of a selector without modifiers.
fn rows(dice: &mut Dice, selector: &str, labels: &[&'static str], range: i64) -> Node {
    let (shift, offset, at) = shifts(dice);
    let text = format!("{selector}[{}]{shift}", duration(range));
    let mut node = Node::new(Kind::Range, "range", labels, template(&text, vec![]));
    node.window = Some(Window { range, step: 0, offset, at });
    node
}

fn subquery(dice: &mut Dice, place: Place) -> Node {
    let (shift, offset, at) = shifts(dice);
    let has_step = dice.below(4) > 0;
    let step = if has_step { pick(dice, &[10, 20, 30, 60, 90, 120]) * 1000 } else { 60_000 };
    let is_round = place.is_round && at.is_none();
    let range = 10_000 + tens(dice, 60) + if is_round { 3000 } else { 0 };
    let child = vector(dice, Place { is_round: true, ..place.deeper() });
    let step_text = if has_step { duration(step) } else { String::new() };
    let window = format!("[{}:{step_text}]{shift}", duration(range));
    // A call, a selector or parentheses may stand there, an operator may not.
    let open = matches!(child.name, "selector") && dice.below(2) == 0 && !is_shifted(&child);
    let text = if open { format!("{{}}{window}") } else { format!("({{}}){window}") };
    let labels = child.labels.clone();
    let mut node = Node::new(Kind::Range, "subquery", &labels, template(&text, vec![child]));
    node.window = Some(Window { range, step, offset, at });
    node
}

fn is_shifted(node: &Node) -> bool {
    let text = node.print(crate::node::Dialect::Ours);
    text.contains(" @ ") || text.contains(" offset ")
}

fn vector(dice: &mut Dice, place: Place) -> Node {
    if place.depth == 0 {
        return any_selector(dice);
    }
    let next = place.deeper();
    match dice.below(40) {
        0..=4 => counter_window(dice, next),
        5..=11 => window(dice, next),
        12..=17 => aggregate(dice, next),
        18 | 19 => choose(dice, next),
        20..=22 => with_scalar(dice, next),
        23..=28 => pair(dice, next),
        29..=31 => sets(dice, next),
        32 | 33 => once(dice, next),
        34 => clamp(dice, next),
        35 => relabel(dice, next),
        36 => quantile(dice, next),
        37 => rare(dice, next),
        38 => call("absent", vector(dice, next)),
        _ => any_selector(dice),
    }
}

fn counter_window(dice: &mut Dice, place: Place) -> Node {
    let name = pick(dice, &COUNTER_WINDOWS);
    call(name, range(dice, place, true))
}

fn window(dice: &mut Dice, place: Place) -> Node {
    let name = pick(dice, &WINDOWS);
    let rows = range(dice, place, false);
    let labels = rows.labels.clone();
    let make =
        |text: &str, children| Node::new(Kind::Vector, name, &labels, template(text, children));
    match name {
        "quantile_over_time" => {
            let rank = rank(dice);
            make("quantile_over_time({}, {})", vec![rank, rows])
        }
        "predict_linear" => make("predict_linear({}, {})", vec![rows, number(dice)]),
        "absent_over_time" => Node { labels: vec![], ..call(name, rows) },
        "present_over_time" if dice.below(2) == 0 => smoothing(dice, rows),
        _ => call(name, rows),
    }
}

fn smoothing(dice: &mut Dice, rows: Node) -> Node {
    use crate::node::Piece;

    let labels = rows.labels.clone();
    let factors = ["0.3, 0.1", "0.5, 0.5", "0.9, 0.2"];
    let text = format!("({{}}, {})", pick(dice, &factors));
    let name = "double_exponential_smoothing";
    let mut pieces = vec![Piece::Renamed { ours: name, theirs: "holt_winters" }];
    pieces.extend(template(&text, vec![rows]));
    Node::new(Kind::Vector, name, &labels, pieces)
}

fn rank(dice: &mut Dice) -> Node {
    let text =
        pick(dice, &["0", "0.1", "0.25", "0.5", "0.75", "0.9", "0.99", "1", "-0.5", "1.5", "NaN"]);
    Node::new(Kind::Scalar, "number", &[], template(text, vec![]))
}

/// `by` or `without`, and the labels that are left.
fn grouping(dice: &mut Dice, labels: &[&'static str]) -> (String, Vec<&'static str>) {
    let mut named: Vec<&'static str> = Vec::new();
    for label in labels {
        if dice.below(2) == 0 && *label != "__name__" {
            named.push(label);
        }
    }
    match dice.below(5) {
        0 => (String::new(), vec![]),
        1 | 2 => {
            let left = labels.iter().copied().filter(|it| !named.contains(it) && *it != "__name__");
            (format!("without ({})", named.join(", ")), left.collect())
        }
        _ => (format!("by ({})", named.join(", ")), named),
    }
}

fn aggregated(dice: &mut Dice, name: &'static str, parameter: Option<Node>, child: Node) -> Node {
    let (by, left) = grouping(dice, &child.labels);
    let argument = if parameter.is_some() { "({}, {})" } else { "({})" };
    let text = match dice.below(3) {
        0 => format!("{name}{argument} {by}"),
        _ => format!("{name} {by} {argument}"),
    };
    let children = parameter.into_iter().chain([child]).collect();
    Node::new(Kind::Vector, name, &left, template(text.trim_end(), children))
}

fn aggregate(dice: &mut Dice, place: Place) -> Node {
    let name = pick(dice, &FOLDS);
    let child = vector(dice, place);
    aggregated(dice, name, None, child)
}

/// Aggregations with a parameter.
fn choose(dice: &mut Dice, place: Place) -> Node {
    let child = vector(dice, place);
    match dice.below(4) {
        0 => {
            let rank = rank(dice);
            aggregated(dice, "quantile", Some(rank), child)
        }
        1 => {
            let text = Node::new(Kind::Scalar, "text", &[], template("\"value\"", vec![]));
            let node = aggregated(dice, "count_values", Some(text), child);
            let labels = [node.labels.clone(), vec!["value"]].concat();
            Node { labels, ..node }
        }
        _ => {
            let name = pick(dice, &["topk", "bottomk"]);
            let labels = child.labels.clone();
            let count = Node::new(
                Kind::Scalar,
                "number",
                &[],
                template(pick(dice, &["0", "1", "2", "3", "5", "-1"]), vec![]),
            );
            Node { labels, ..aggregated(dice, name, Some(count), child) }
        }
    }
}

fn operator(dice: &mut Dice) -> (&'static str, String) {
    if dice.below(3) > 0 {
        let name = pick(dice, &ARITHMETIC);
        return (name, name.to_owned());
    }
    let name = pick(dice, &COMPARISONS);
    (name, if dice.below(2) == 0 { format!("{name} bool") } else { name.to_owned() })
}

/// An operator between a vector and a scalar.
fn with_scalar(dice: &mut Dice, place: Place) -> Node {
    let (name, text) = operator(dice);
    let (left, right) = (vector(dice, place), scalar(dice, place));
    let labels = left.labels.clone();
    let (first, second) = if dice.below(3) == 0 { (right, left) } else { (left, right) };
    // Precedence is tried too: what then is read as another tree has the same meaning for both.
    let is_bare = ARITHMETIC.contains(&name) && dice.below(3) == 0;
    let text = if is_bare { format!("{{}} {text} {{}}") } else { format!("({{}} {text} {{}})") };
    Node::new(Kind::Vector, name, &labels, template(&text, vec![first, second]))
}

fn shared(left: &Node, right: &Node) -> Vec<&'static str> {
    let both = |label: &&&'static str| right.labels.contains(*label) && **label != "__name__";
    left.labels.iter().filter(both).copied().collect()
}

/// Labels without the name, sorted.
fn own(node: &Node) -> Vec<&'static str> {
    let mut labels: Vec<_> = node.labels.iter().copied().filter(|it| *it != "__name__").collect();
    labels.sort_unstable();
    labels
}

/// An operator between two vectors that can be matched.
fn pair(dice: &mut Dice, place: Place) -> Node {
    let (name, text) = operator(dice);
    let (left, right) = (vector(dice, place), vector(dice, place));
    let common = shared(&left, &right);
    let on = common.join(", ");
    let ignored = |node: &Node| {
        own(node).into_iter().filter(|it| !common.contains(it)).collect::<Vec<_>>().join(", ")
    };
    let (mine, theirs) = (own(&left), own(&right));
    let (how, labels, children) = if mine == theirs {
        let how = match dice.below(3) {
            0 => String::new(),
            1 => format!("on ({on})"),
            _ => "ignoring (nothing)".to_owned(),
        };
        (how, mine, vec![left, right])
    } else if common.len() == theirs.len() || common.len() == mine.len() {
        let many = if common.len() == theirs.len() { &left } else { &right };
        let side = if common.len() == theirs.len() { "group_left" } else { "group_right" };
        let with = pick(dice, &[" ()", " ()", " (zone)", " (room)"]);
        let with = if many.labels.contains(&"room") { " ()" } else { with };
        let how = match dice.below(2) {
            0 => format!("on ({on}) {side}{with}"),
            _ => format!("ignoring ({}) {side}{with}", ignored(many)),
        };
        let labels = own(many);
        (how, labels, vec![left, right])
    } else {
        // Made alike first, mostly.
        if dice.below(6) == 0 {
            (String::new(), common.clone(), vec![left, right])
        } else {
            let fold = pick(dice, &FOLDS[..5]);
            let alike = |node: Node| {
                let text = format!("{fold} by ({on}) ({{}})");
                Node::new(Kind::Vector, fold, &common, template(&text, vec![node]))
            };
            (String::new(), common.clone(), vec![alike(left), alike(right)])
        }
    };
    Node::new(Kind::Vector, name, &labels, template(&format!("({{}} {text} {how} {{}})"), children))
}

fn sets(dice: &mut Dice, place: Place) -> Node {
    let name = pick(dice, &["and", "or", "unless"]);
    let (left, right) = (vector(dice, place), vector(dice, place));
    let on = shared(&left, &right).join(", ");
    let how = match dice.below(3) {
        0 => String::new(),
        1 => format!("on ({on})"),
        _ => format!("ignoring ({})", pick(dice, &["code", "instance", "room", "kind"])),
    };
    let labels = left.labels.clone();
    Node::new(
        Kind::Vector,
        name,
        &labels,
        template(&format!("({{}} {name} {how} {{}})"), vec![left, right]),
    )
}

fn once(dice: &mut Dice, place: Place) -> Node {
    let name = pick(dice, &ONCE);
    let child = vector(dice, place);
    let labels = child.labels.clone();
    match name {
        "histogram_fraction" => Node::new(
            Kind::Vector,
            name,
            &labels,
            template("histogram_fraction(0, 1, {})", vec![child]),
        ),
        "round" if dice.below(2) == 0 => {
            let nearest = pick(dice, &["0.5", "5", "0.1", "-2", "0", "1e-9"]);
            Node::new(
                Kind::Vector,
                name,
                &labels,
                template(&format!("round({{}}, {nearest})"), vec![child]),
            )
        }
        _ => call(name, child),
    }
}

fn clamp(dice: &mut Dice, place: Place) -> Node {
    let child = vector(dice, place);
    let labels = child.labels.clone();
    let (low, high) = (scalar(dice, place), scalar(dice, place));
    let (name, text, children) = match dice.below(3) {
        0 => ("clamp", "clamp({}, {}, {})", vec![child, low, high]),
        1 => ("clamp_min", "clamp_min({}, {})", vec![child, low]),
        _ => ("clamp_max", "clamp_max({}, {})", vec![child, high]),
    };
    Node::new(Kind::Vector, name, &labels, template(text, children))
}

fn relabel(dice: &mut Dice, place: Place) -> Node {
    let child = vector(dice, place);
    let labels = child.labels.clone();
    let (name, text) = match dice.below(6) {
        0 => ("label_replace", r#"label_replace({}, "zone", "$1", "instance", "(.*)")"#),
        1 => ("label_replace", r#"label_replace({}, "job", "j-$1$1", "job", "(a)|b")"#),
        2 => ("label_replace", r#"label_replace({}, "code", "", "code", "5..")"#),
        3 => ("label_join", r#"label_join({}, "zone", "/", "job", "instance")"#),
        4 => ("label_join", r#"label_join({}, "room", "-", "nothing", "job")"#),
        _ => ("label_replace", r#"label_replace({}, "zone", "${1}x$2", "code", "(.)(?P<n>.*)")"#),
    };
    Node::new(Kind::Vector, name, &labels, template(text, vec![child]))
}

fn quantile(dice: &mut Dice, place: Place) -> Node {
    const BUCKETS: [(&str, &[&str]); 1] = [("lat_bucket", &["instance", "job", "le"])];
    let buckets = match dice.below(4) {
        0 => selector(dice, &BUCKETS),
        1 => {
            let rate = call("rate", bucket_range(dice));
            Node::new(
                Kind::Vector,
                "sum",
                &["job", "le"],
                template("sum by (job, le) ({})", vec![rate]),
            )
        }
        _ => {
            let name = pick(dice, &["rate", "increase", "max_over_time"]);
            call(name, bucket_range(dice))
        }
    };
    let labels: Vec<_> = buckets.labels.iter().copied().filter(|it| *it != "le").collect();
    let rank = if place.depth > 0 && dice.below(5) == 0 {
        scalar(dice, place.deeper())
    } else {
        rank(dice)
    };
    let text = "histogram_quantile({}, {})";
    Node::new(Kind::Vector, "histogram_quantile", &labels, template(text, vec![rank, buckets]))
}

fn bucket_range(dice: &mut Dice) -> Node {
    let range = 60_000 + tens(dice, 90);
    rows(dice, "lat_bucket", &["instance", "job", "le"], range)
}

fn rare(dice: &mut Dice, place: Place) -> Node {
    match dice.below(7) {
        0 => {
            let child = scalar(dice, place);
            Node::new(Kind::Vector, "vector", &[], template("vector({})", vec![child]))
        }
        1 | 2 => {
            let name = pick(dice, &DATES);
            if dice.below(2) == 0 {
                return Node::new(Kind::Vector, name, &[], template(&format!("{name}()"), vec![]));
            }
            let time = call("timestamp", vector(dice, place));
            let labels = time.labels.clone();
            let text = format!("({{}} + 86400 * {})", dice.below(3000));
            call(name, Node::new(Kind::Vector, "+", &labels, template(&text, vec![time])))
        }
        3 | 4 => call("timestamp", vector(dice, place)),
        5 => {
            let child = vector(dice, place);
            let labels = child.labels.clone();
            Node::new(Kind::Vector, "-", &labels, template("(-{})", vec![child]))
        }
        _ => call(pick(dice, &["sort", "sort_desc"]), vector(dice, place)),
    }
}
