//! What `rate` and `increase` of 2.42 are, worked out anew from the rows of the windows.

use std::collections::BTreeMap;

use crate::Asker;
use crate::blame::Blamed;
use crate::causes::instants;
use crate::node::{Dialect, Node};
use crate::value::Value;

/// Whether each cell of theirs is what 2.42's rule makes of the rows, and of ours what the newest's does.
pub(crate) fn explains(asker: &mut Asker<'_>, blamed: &Blamed, rows: &Node) -> bool {
    let text = rows.print(Dialect::Theirs);
    let (mine, theirs) = (by_cell(&blamed.mine), by_cell(&blamed.theirs));
    if mine.len() != theirs.len() {
        return false;
    }
    for at in instants(blamed.times) {
        let Value::Matrix(series) = asker.theirs.ask(&text, at) else { return false };
        for (labels, rows) in series {
            let mut labels = labels;
            labels.remove("__name__");
            let cell = (format!("{labels:?}"), at.start);
            let (Some(mine), Some(theirs)) = (mine.get(&cell), theirs.get(&cell)) else { continue };
            let (since, until) = window(rows_range(&blamed.node), at.start);
            let is_rate = blamed.node.name == "rate";
            let value = |is_old| increase(&rows, (since, until), is_rate, is_old);
            if !near(*mine, value(false)) || !near(*theirs, value(true)) {
                return false;
            }
        }
    }
    true
}

fn by_cell(value: &Value) -> BTreeMap<(String, i64), f64> {
    value.cells().into_iter().map(|(labels, time, value)| ((labels, time), value)).collect()
}

fn near(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Range and offset, ms, and where `@` fixes it.
fn rows_range(node: &Node) -> (i64, i64, Option<i64>) {
    let window = node.children().next().and_then(|rows| rows.window);
    window.map_or((0, 0, None), |it| (it.range, it.offset, it.fixed()))
}

fn window((range, offset, fixed): (i64, i64, Option<i64>), at: i64) -> (i64, i64) {
    let until = fixed.unwrap_or(at) - offset;
    (until - range, until)
}

fn increase(rows: &[(i64, f64)], (since, until): (i64, i64), is_rate: bool, is_old: bool) -> f64 {
    let ([first, .., last], count) = (rows, (rows.len() - 1) as f64) else { return f64::NAN };
    let mut result = last.1 - first.1;
    for pair in rows.windows(2) {
        if pair[1].1 < pair[0].1 {
            result += pair[0].1;
        }
    }
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let (mut to_start, to_end) = (seconds(first.0 - since), seconds(until - last.0));
    let sampled = seconds(last.0 - first.0);
    let average = sampled / count;
    let threshold = average * 1.1;
    let is_zero_near = result > 0.0 && first.1 >= 0.0;
    let to_zero = sampled * (first.1 / result);
    let mut reach = sampled;
    if is_old {
        if is_zero_near && to_zero < to_start {
            to_start = to_zero;
        }
        reach += if to_start < threshold { to_start } else { average / 2.0 };
    } else {
        to_start = if to_start >= threshold { average / 2.0 } else { to_start };
        reach += if is_zero_near { to_start.min(to_zero) } else { to_start };
    }
    reach += if to_end < threshold { to_end } else { average / 2.0 };
    result * (reach / sampled) / if is_rate { seconds(until - since) } else { 1.0 }
}
