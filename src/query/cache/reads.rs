//! Which rows a step reads, and whether it reads them wherever the question begins and ends.

use query_lang::{
    Aggregation as A, At, DurationExpr, DurationKind, Edges, Expr, Function as F, VectorSelector,
};

use crate::query::plan::{Aggregate, Hints, Plan, Range, Rows, Select};

/// The time around a step that its value depends on, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// How far before the step.
    pub back: i64,
    /// How far after it.
    pub forward: i64,
    /// The time that all steps look at besides (`@`): its first and last ms.
    pub fixed: Option<(i64, i64)>,
}

impl Reads {
    fn join(self, other: Self) -> Self {
        let fixed = match (self.fixed, other.fixed) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        let (back, forward) = (self.back.max(other.back), self.forward.max(other.forward));
        Self { back, forward, fixed }
    }

    /// What is read `back` ms before and `forward` ms after a step, or after the one time `at`, less
    /// `offset`.
    fn around(at: Option<i64>, offset: i64, back: i64, forward: i64) -> Self {
        let back = back.saturating_add(offset);
        let forward = forward.saturating_sub(offset);
        match at {
            None => Self { back, forward: forward.max(0), fixed: None },
            Some(at) => {
                let fixed = (at.saturating_sub(back), at.saturating_add(forward));
                Self { back: 0, forward: 0, fixed: Some(fixed) }
            }
        }
    }
}

/// What a plan reads; None where its results are not to be kept.
pub(crate) fn reads(plan: &Plan, lookback: i64) -> Option<Reads> {
    match plan {
        Plan::Number(_) | Plan::Text(_) => Some(Reads::default()),
        Plan::Select(select) | Plan::Stamps(select, _) => {
            let ahead = if select.edges == Edges::Plain { 0 } else { lookback };
            of_select(select, lookback, ahead, lookback)
        }
        Plan::Range(range) => of_range(range, lookback),
        Plan::RangeFunction(call) => {
            all(&call.scalars, lookback)?.join_with(of_range(&call.range, lookback))
        }
        Plan::Negate(inner) | Plan::Once(inner) => reads(inner, lookback),
        Plan::Call(call) => all(&call.args, lookback),
        Plan::Aggregate(aggregate) => of_aggregate(aggregate, lookback),
        Plan::Binary(binary) => {
            reads(&binary.left, lookback)?.join_with(reads(&binary.right, lookback))
        }
        // The series of info metrics are looked for in the whole range of the question.
        Plan::Info(_) => None,
    }
}

impl Reads {
    fn join_with(self, other: Option<Self>) -> Option<Self> {
        Some(self.join(other?))
    }
}

fn all(plans: &[Plan], lookback: i64) -> Option<Reads> {
    plans
        .iter()
        .try_fold(Reads::default(), |reads_of, plan| reads_of.join_with(reads(plan, lookback)))
}

fn of_select(select: &Select, back: i64, forward: i64, lookback: i64) -> Option<Reads> {
    if select.offset < 0 {
        return None;
    }
    // Hints of the first row are made from the row before.
    let before = if select.hints == Hints::OnlyTotals { lookback } else { 0 };
    Some(Reads::around(select.at, select.offset, back.saturating_add(before), forward))
}

fn of_range(range: &Range, lookback: i64) -> Option<Reads> {
    match &range.rows {
        Rows::Select(select) => {
            let beyond = if select.edges == Edges::Plain { 0 } else { lookback };
            of_select(select, range.length.saturating_add(beyond), beyond, lookback)
        }
        Rows::Subquery(inner) => {
            if inner.offset < 0 {
                return None;
            }
            let below = reads(&inner.plan, lookback)?;
            let back = range.length.saturating_add(below.back);
            let around = Reads::around(inner.at, inner.offset, back, below.forward);
            Some(around.join(Reads { fixed: below.fixed, ..Reads::default() }))
        }
    }
}

fn of_aggregate(aggregate: &Aggregate, lookback: i64) -> Option<Reads> {
    // A parameter is judged at all steps at once.
    if !matches!(aggregate.parameter, None | Some(Plan::Number(_))) {
        return None;
    }
    // Whether a group loses its name is decided by its series at all steps.
    let is_leaf =
        matches!(aggregate.plan, Plan::Select(_) | Plan::Stamps(..) | Plan::RangeFunction(_));
    let grouping = &aggregate.grouping;
    let keeps_name = !grouping.without && grouping.labels.iter().any(|name| name == "__name__");
    if keeps_name && !is_leaf {
        return None;
    }
    reads(&aggregate.plan, lookback)
}

/// Whether the value at a step is the same whatever other steps the question has.
pub(crate) fn is_step_local(expr: &Expr) -> bool {
    let is_local = match expr {
        Expr::Number(_) | Expr::String(_) | Expr::Paren(_) | Expr::Unary(_) | Expr::Binary(_) => {
            true
        }
        Expr::Vector(selector) => is_local_selector(selector),
        Expr::Matrix(matrix) => is_local_selector(&matrix.selector) && is_local_time(&matrix.range),
        Expr::Subquery(subquery) => {
            let times = [Some(&subquery.range), subquery.step.as_ref(), subquery.offset.as_ref()];
            is_local_at(subquery.at) && times.into_iter().flatten().all(is_local_time)
        }
        Expr::Aggregate(aggregate) => is_local_aggregation(aggregate.op),
        Expr::Call(call) => is_local_function(call.function),
    };
    is_local && expr.children().into_iter().all(is_step_local)
}

fn is_local_selector(selector: &VectorSelector) -> bool {
    is_local_at(selector.at) && selector.offset.as_ref().is_none_or(is_local_time)
}

fn is_local_at(at: Option<At>) -> bool {
    matches!(at, None | Some(At::Time(_)))
}

fn is_local_time(time: &DurationExpr) -> bool {
    match &time.kind {
        DurationKind::Literal { .. } | DurationKind::Step => true,
        DurationKind::Range => false,
        DurationKind::Negated(inner) | DurationKind::Paren(inner) => is_local_time(inner),
        DurationKind::Binary(_, left, right) => is_local_time(left) && is_local_time(right),
    }
}

/// A list of those that are: what is new is not kept before someone looked at it.
fn is_local_aggregation(op: A) -> bool {
    matches!(
        op,
        A::Sum
            | A::Avg
            | A::Count
            | A::Min
            | A::Max
            | A::Group
            | A::Stddev
            | A::Stdvar
            | A::Topk
            | A::Bottomk
            | A::CountValues
            | A::Quantile
            | A::Limitk
            | A::LimitRatio
    )
}

/// As [`is_local_aggregation`].
fn is_local_function(function: F) -> bool {
    matches!(
        function,
        F::Abs
            | F::Absent
            | F::AbsentOverTime
            | F::Acos
            | F::Acosh
            | F::Asin
            | F::Asinh
            | F::Atan
            | F::Atanh
            | F::AvgOverTime
            | F::Ceil
            | F::Changes
            | F::Clamp
            | F::ClampMax
            | F::ClampMin
            | F::Cos
            | F::Cosh
            | F::CountOverTime
            | F::DayOfMonth
            | F::DayOfWeek
            | F::DayOfYear
            | F::DaysInMonth
            | F::Deg
            | F::Delta
            | F::Deriv
            | F::DoubleExponentialSmoothing
            | F::Exp
            | F::FirstOverTime
            | F::Floor
            | F::HistogramAvg
            | F::HistogramCount
            | F::HistogramFraction
            | F::HistogramQuantile
            | F::HistogramQuantiles
            | F::HistogramStddev
            | F::HistogramStdvar
            | F::HistogramSum
            | F::Hour
            | F::Idelta
            | F::Increase
            | F::Irate
            | F::LabelJoin
            | F::LabelReplace
            | F::LastOverTime
            | F::Ln
            | F::Log10
            | F::Log2
            | F::MadOverTime
            | F::MaxOf
            | F::MaxOverTime
            | F::MinOf
            | F::MinOverTime
            | F::Minute
            | F::Month
            | F::Pi
            | F::PredictLinear
            | F::PresentOverTime
            | F::QuantileOverTime
            | F::Rad
            | F::Rate
            | F::Resets
            | F::Round
            | F::Scalar
            | F::Sgn
            | F::Sin
            | F::Sinh
            | F::Sort
            | F::SortByLabel
            | F::SortByLabelDesc
            | F::SortDesc
            | F::Sqrt
            | F::StartTimestamp
            | F::StddevOverTime
            | F::StdvarOverTime
            | F::Step
            | F::SumOverTime
            | F::Tan
            | F::Tanh
            | F::Time
            | F::Timestamp
            | F::TsOfFirstOverTime
            | F::TsOfLastOverTime
            | F::TsOfMaxOverTime
            | F::TsOfMinOverTime
            | F::Vector
            | F::Year
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::plan::{Times, plan};

    const LOOKBACK: i64 = 300_000;

    fn of(text: &str) -> Option<Reads> {
        let expr = query_lang::parse(text).unwrap();
        let times = Times { start: 0, end: 3_600_000, step: 60_000, default_step: 60_000 };
        let planned = plan(text, &expr, times).unwrap();
        if is_step_local(&expr) { reads(&planned, LOOKBACK) } else { None }
    }

    #[test]
    fn what_a_step_reads_is_counted_from_all_selectors() {
        let moving = |back, forward| Some(Reads { back, forward, fixed: None });
        for (text, expected) in [
            ("a", moving(300_000, 0)),
            ("a offset 1m", moving(360_000, 0)),
            ("rate(a[10m]) + b", moving(600_000, 0)),
            ("sum(max_over_time(rate(a[5m])[1h:1m] offset 1m))", moving(3_960_000, 0)),
            ("a smoothed", moving(300_000, 300_000)),
            ("a @ 100", Some(Reads { back: 0, forward: 0, fixed: Some((-200_000, 100_000)) })),
            ("time()", moving(0, 0)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_depends_on_the_questions_ends_or_looks_ahead_is_not_kept() {
        for text in [
            "a @ end()",
            "a @ start()",
            "a offset -1m",
            "end() - time()",
            "a[range()]",
            "max_over_time(a[5m:1m] @ end())",
            "info(a)",
            "topk(scalar(b), a)",
            "sum by (__name__) (a or b)",
        ] {
            let text = if text == "a[range()]" { "rate(a[range()])" } else { text };
            assert_eq!(of(text), None, "{text}");
        }
    }
}
