//! Which parts of a question stand in it several times, so that each is evaluated once.

use std::{cell::Cell, collections::HashMap};

use query_lang::{Aggregation, Expr};

use super::Plan;

/// Bytes of a question beyond which no one looks: each part is printed to be compared.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// What is the same: the meaning, and the text, so that places in one are places in the other.
type Same = (String, String);

/// Parts that stand in a question several times.
pub(super) struct Repeats {
    /// A number for each, and how often it stands there.
    parts: HashMap<Same, (usize, usize)>,
    /// How often the part around stands there.
    around: Cell<usize>,
}

/// A part that is to be evaluated once.
#[derive(Clone, Copy)]
pub(super) struct Repeat {
    pub(super) id: usize,
    pub(super) uses: usize,
    /// How often the part around stands there.
    around: usize,
}

impl Repeats {
    /// Of a question.
    pub(super) fn new(text: &str, expr: &Expr) -> Self {
        let mut parts: HashMap<Same, (usize, usize)> = HashMap::new();
        if text.len() <= TEXT_BYTES_MAX {
            count(text, expr, &mut parts);
        }
        parts.retain(|_, (_, uses)| *uses > 1);
        Self { parts, around: Cell::new(1) }
    }

    /// Enters a part; what it is where it stands there several times, and more often than the part
    /// around it, which is not evaluated again anyway.
    pub(super) fn enter(&self, text: &str, expr: &Expr) -> Option<Repeat> {
        if self.parts.is_empty() || !is_counted(expr) {
            return None;
        }
        let (id, uses) = *self.parts.get(&same(text, expr))?;
        let around = self.around.get();
        (uses > around).then(|| {
            self.around.set(uses);
            Repeat { id, uses, around }
        })
    }

    /// Leaves a part that was entered.
    pub(super) fn leave(&self, repeat: Repeat) {
        self.around.set(repeat.around);
    }
}

fn same(text: &str, expr: &Expr) -> Same {
    let span = expr.span();
    (expr.to_string(), text.get(span.start..span.end).unwrap_or_default().to_owned())
}

/// Numbers and texts cost nothing, and ranges are no values.
fn is_counted(expr: &Expr) -> bool {
    matches!(expr, Expr::Vector(_) | Expr::Aggregate(_) | Expr::Call(_) | Expr::Binary(_))
}

/// Whether a part reads anything.
fn count(text: &str, expr: &Expr, parts: &mut HashMap<Same, (usize, usize)>) -> bool {
    let mut reads = matches!(expr, Expr::Vector(_) | Expr::Matrix(_));
    for child in expr.children() {
        reads |= count(text, child, parts);
    }
    if reads && is_counted(expr) {
        let next = parts.len();
        parts.entry(same(text, expr)).or_insert((next, 0)).1 += 1;
    }
    reads
}

/// Whether rows go into groups as they are read.
fn folds(op: Aggregation) -> bool {
    !matches!(
        op,
        Aggregation::Topk
            | Aggregation::Bottomk
            | Aggregation::Limitk
            | Aggregation::LimitRatio
            | Aggregation::Quantile
            | Aggregation::CountValues
    )
}

/// A leaf that could be shared, read once more: to hold its rows would cost more.
pub(super) fn streamable(op: Aggregation, plan: Plan) -> Plan {
    match plan {
        Plan::Shared(shared)
            if folds(op)
                && matches!(
                    shared.plan,
                    Plan::Select(_) | Plan::Stamps(..) | Plan::RangeFunction(_)
                ) =>
        {
            shared.plan
        }
        plan => plan,
    }
}
