//! Why Prometheus 2.42 may answer otherwise: a closed list of what changed between it and the newest.
//!
//! A cause holds for the part of the expression that is to blame, and each looks at the answers: it must
//! explain all that differs there. What no cause explains fails the test.

use crate::Asker;
use crate::blame::{Blamed, ask};
use crate::extrapolation;
use crate::node::{Dialect, Kind, Node, Times};
use crate::value::{Apart, Labels, Value, apart};
use crate::words::COMPARISONS;

type Test = fn(&mut Asker<'_>, &Blamed) -> bool;

const CAUSES: [(&str, Test); 17] = [
    ("3.0 drops names at the end only: 2.42 refuses what differs in the name", refused_for_names),
    (
        "3.0 drops names at the end only: the newest refuses what 2.42 has joined",
        refused_for_joined,
    ),
    ("3.0 drops names at the end only: a comparison or `or` has the name again", name_is_back),
    ("the newest refuses two matches also where a comparison drops one", refused_although_dropped),
    ("2.42 keeps the name in atan2", atan2_has_name),
    ("rate: 2.42 reaches for zero before it looks for the series' begin", extrapolated),
    ("2.42 moves the window of predict_linear that @ fixes", moved_window),
    (
        "stddev and stdvar across series: 2.42 passes over the first value's infinity",
        infinite_spread,
    ),
    ("2.42's compensated sums and means make NaN of what overflows", overflow),
    ("timestamp: Prometheus, also the newest, forgets the offset beside @", forgotten_offset),
    (
        "2.42's Go has another logarithm of the smallest floats, and so other powers",
        smallest_logarithm,
    ),
    (
        "Prometheus, also the newest, misplaces @ in a subquery that begins when it is asked",
        misplaced_pin,
    ),
    ("2.42 evaluates what @ fixes in a subquery without steps", no_steps),
    ("topk and bottomk: which of equal values is not defined", equal_values),
    ("2.42 itself answers otherwise when it is asked again", unsteady),
    ("the last digits of 2.42's means and sums decide", last_digits),
    ("2.42 subtracts what the newest compensates", cancelled),
];

/// The cause, where it is one that is known.
pub(crate) fn cause(asker: &mut Asker<'_>, blamed: &Blamed) -> Option<&'static str> {
    CAUSES.iter().find(|(_, test)| test(asker, blamed)).map(|(cause, _)| *cause)
}

/// Of series that are told apart by their names alone.
const REFUSALS: [&str; 3] = [
    "vector cannot contain metrics with the same labelset",
    "multiple matches for labels: grouping labels must ensure unique matches",
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
];

fn refused_for_names(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let Value::Failed(text) = &blamed.theirs else { return false };
    has_several_names(blamed)
        && REFUSALS.contains(&text.as_str())
        && !matches!(blamed.mine, Value::Failed(_))
}

/// Series of one set of labels but for the name, one after the other in time.
fn refused_for_joined(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let Value::Failed(text) = &blamed.mine else { return false };
    let joins = has_several_names(blamed) || blamed.node.print(Dialect::Ours).contains(" or ");
    joins && text == REFUSALS[0] && !matches!(blamed.theirs, Value::Failed(_))
}

fn without_name(value: &Value) -> Value {
    let strip = |labels: &Labels| {
        let mut labels = labels.clone();
        labels.remove("__name__");
        labels
    };
    match value {
        Value::Vector(all) => Value::Vector(
            all.iter().map(|(labels, time, value)| (strip(labels), *time, *value)).collect(),
        ),
        Value::Matrix(all) => {
            Value::Matrix(all.iter().map(|(labels, rows)| (strip(labels), rows.clone())).collect())
        }
        Value::Failed(_) | Value::Scalar(..) | Value::Other => value.clone(),
    }
}

fn is_alike(left: &Value, right: &Value) -> bool {
    !matches!(apart(left, right, false), Apart::Far(_))
}

/// What has several names is one series where a name is dropped.
fn has_several_names(blamed: &Blamed) -> bool {
    blamed.node.print(Dialect::Theirs).contains("__name__=~")
}

fn name_is_back(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let mine = without_name(&blamed.mine);
    match blamed.node.name {
        // What has lost its name on one side goes on with that of the other.
        "or" => is_alike(&mine, &without_name(&blamed.theirs)),
        name => COMPARISONS.contains(&name) && is_alike(&mine, &blamed.theirs),
    }
}

/// 2.42 drops what does not compare before it looks for a second match, the newest behind.
fn refused_although_dropped(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let Value::Failed(text) = &blamed.mine else { return false };
    COMPARISONS.contains(&blamed.node.name)
        && text.starts_with("multiple matches for labels: ")
        && !matches!(blamed.theirs, Value::Failed(_))
}

fn atan2_has_name(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    if let Value::Failed(text) = &blamed.mine {
        let told_apart = has_several_names(blamed) && !matches!(blamed.theirs, Value::Failed(_));
        return blamed.node.name == "atan2" && told_apart && REFUSALS.contains(&text.as_str());
    }
    blamed.node.name == "atan2" && is_alike(&blamed.mine, &without_name(&blamed.theirs))
}

/// The steps of a question.
pub(crate) fn instants(times: Times) -> impl Iterator<Item = Times> {
    let step = times.step.max(1);
    let count = if times.step == 0 { 0 } else { (times.end - times.start) / step };
    (0..=count).map(move |i| times.start + i * step).map(|at| Times { start: at, end: at, step: 0 })
}

fn extrapolated(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    if !matches!(blamed.node.name, "rate" | "increase") {
        return false;
    }
    let Some(rows) = blamed.node.children().next() else { return false };
    extrapolation::explains(asker, blamed, rows)
}

fn moved_window(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    blamed.node.name == "predict_linear"
        && blamed.times.step > 0
        && instants(blamed.times).all(|at| {
            let (mine, _, found) = ask(asker, &blamed.node, at);
            let mine_at: Vec<_> =
                blamed.mine.cells().into_iter().filter(|(_, time, _)| *time == at.start).collect();
            let same = mine.cells().iter().zip(&mine_at).all(|(a, b)| a.0 == b.0);
            !matches!(found, Apart::Far(_)) && same && mine_at.len() == mine.cells().len()
        })
}

/// Values of the parts.
fn part_values(asker: &mut Asker<'_>, blamed: &Blamed) -> Vec<f64> {
    let mut values = Vec::new();
    for child in blamed.node.children().filter(|child| child.name != "text") {
        for at in times_of(child, blamed.times) {
            let (mine, ..) = ask(asker, child, at);
            values.extend(mine.cells().into_iter().map(|(_, _, value)| value));
        }
    }
    values
}

fn times_of(child: &Node, times: Times) -> Vec<Times> {
    if child.kind == Kind::Range { instants(times).collect() } else { vec![times] }
}

/// Cells that are apart; none where others than these differ.
fn differing(blamed: &Blamed) -> Vec<(f64, f64)> {
    let (mine, theirs) = (blamed.mine.cells(), blamed.theirs.cells());
    let is_aligned = mine.len() == theirs.len()
        && mine.iter().zip(&theirs).all(|(a, b)| (&a.0, a.1) == (&b.0, b.1));
    let pairs = mine.iter().zip(&theirs).map(|(a, b)| (a.2, b.2));
    let far = |(a, b): &(f64, f64)| {
        let one = |value| Value::Scalar(0, value);
        matches!(apart(&one(*a), &one(*b), false), Apart::Far(_))
    };
    if is_aligned { pairs.filter(far).collect() } else { Vec::new() }
}

fn infinite_spread(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let cells = differing(blamed);
    matches!(blamed.node.name, "stddev" | "stdvar")
        && !cells.is_empty()
        && cells.iter().all(|(mine, theirs)| mine.is_nan() && *theirs >= 0.0)
        && part_values(asker, blamed).iter().any(|value| !value.is_finite())
}

fn overflow(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    const NAMES: [&str; 8] = [
        "avg",
        "avg_over_time",
        "sum",
        "sum_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "stddev",
        "stdvar",
    ];
    let cells = differing(blamed);
    NAMES.contains(&blamed.node.name)
        && !cells.is_empty()
        && cells.iter().all(|(mine, theirs)| mine.is_infinite() && theirs.is_nan())
        && part_values(asker, blamed).iter().any(|value| value.abs() > 1e150)
}

fn no_steps(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let inside = blamed.node.times_inside(blamed.times);
    blamed.node.name == "subquery" && inside.start > inside.end && blamed.mine.is_empty()
}

/// Which of equal values they choose changes from one call of Prometheus to the next.
fn equal_values(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    fn choosing(node: &Node) -> Vec<&Node> {
        let mut all: Vec<&Node> = node.children().flat_map(choosing).collect();
        all.extend(matches!(node.name, "topk" | "bottomk").then_some(node));
        all
    }
    choosing(&blamed.node).into_iter().any(|node| {
        let Some(child) = node.children().nth(1) else { return false };
        let mut cells: Vec<_> = ask(asker, child, blamed.times)
            .0
            .cells()
            .into_iter()
            .map(|(_, time, value)| (time, value.to_bits()))
            .collect();
        let count = cells.len();
        cells.sort_unstable();
        cells.dedup();
        cells.len() < count
    })
}

fn forgotten_offset(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let text = blamed.node.print(Dialect::Theirs);
    let is_of_rows = blamed.node.children().all(|child| child.name == "selector");
    blamed.node.name == "timestamp"
        && is_of_rows
        && text.contains(" @ ")
        && text.contains(" offset ")
}

/// `runSubquery` moves what `@` fixes only where the subquery begins at another time.
fn misplaced_pin(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let inside = blamed.node.times_inside(blamed.times);
    let is_fixed = |child: &Node| child.print(Dialect::Ours).contains(" @ ");
    blamed.node.name == "subquery"
        && inside.start == blamed.times.start
        && blamed.node.children().any(is_fixed)
}

fn smallest_logarithm(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    matches!(blamed.node.name, "ln" | "log2" | "log10" | "^")
        && !differing(blamed).is_empty()
        && part_values(asker, blamed).iter().any(|value| value.is_subnormal())
}

/// How often Prometheus is asked the same to see whether it always says the same.
const REPEATS: usize = 40;

/// It folds in an order that changes; where large numbers cancel out, so does the answer.
fn unsteady(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    let text = blamed.node.print(Dialect::Theirs);
    (0..REPEATS).any(|_| {
        let again = asker.theirs.ask(&text, blamed.times);
        matches!(apart(&again, &blamed.theirs, false), Apart::Far(_))
            && !matches!(again, Value::Failed(_))
    })
}

/// Functions with steps, which the last digit of what they are given may take them over.
const STEPPED: [&str; 27] = [
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "count_values",
    "floor",
    "ceil",
    "round",
    "%",
    "sgn",
    "topk",
    "bottomk",
    "resets",
    "changes",
    "rate",
    "increase",
    "irate",
    "clamp",
    "sort",
    "sort_desc",
    "scalar",
    "/",
    "sin",
    "cos",
    "tan",
];

fn last_digits(_: &mut Asker<'_>, blamed: &Blamed) -> bool {
    blamed.parts_differ && STEPPED.contains(&blamed.node.name)
}

/// Differences of what is nearly equal.
fn cancelled(asker: &mut Asker<'_>, blamed: &Blamed) -> bool {
    const NAMES: [&str; 16] = [
        "-",
        "+",
        "stddev",
        "stdvar",
        "stddev_over_time",
        "stdvar_over_time",
        "deriv",
        "delta",
        "idelta",
        "predict_linear",
        "avg",
        "sum",
        "avg_over_time",
        "sum_over_time",
        "sin",
        "double_exponential_smoothing",
    ];
    let cells = differing(blamed);
    let largest = part_values(asker, blamed)
        .into_iter()
        .filter(|value| value.is_finite())
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    NAMES.contains(&blamed.node.name)
        && !cells.is_empty()
        && cells
            .iter()
            .all(|(mine, theirs)| (mine - theirs).abs() <= 1e-12 * largest * (1.0 + largest))
}
