//! Which rows a step reads, and whether it reads them wherever the question begins and ends.

use query_lang::{At, DurationExpr, DurationKind, Edges, Expr, VectorSelector};

use crate::query::plan::{Aggregate, Hints, Plan, Range, Rows, Select};
use crate::query::tier::may_sum_chunks;

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

/// What a plan reads, with a lookback and a step in ms; None where its results are not to be kept.
pub(crate) fn reads(plan: &Plan, times: (i64, i64)) -> Option<Reads> {
    let (lookback, step) = times;
    match plan {
        Plan::Number(_) | Plan::Text(_) => Some(Reads::default()),
        Plan::Select(select) | Plan::Stamps(select, _) => {
            let ahead = if select.edges == Edges::Plain { 0 } else { lookback };
            of_select(select, lookback, ahead, lookback)
        }
        Plan::Range(range) => of_range(range, times),
        Plan::RangeFunction(call) => {
            // Sums of chunks may stand for rows, and round otherwise once files are merged.
            if let Rows::Select(select) = &call.range.rows
                && may_sum_chunks(call.function, if select.at.is_none() { step } else { i64::MAX })
            {
                return None;
            }
            all(&call.scalars, times)?.join_with(of_range(&call.range, times))
        }
        Plan::Negate(inner) | Plan::Once(inner) | Plan::Keep(inner) => reads(inner, times),
        Plan::Shared(shared) => reads(&shared.plan, times),
        Plan::Call(call) => all(&call.args, times),
        Plan::Aggregate(aggregate) => of_aggregate(aggregate, times),
        Plan::Binary(binary) => reads(&binary.left, times)?.join_with(reads(&binary.right, times)),
        Plan::Among(among) => reads(&among.plan, times)?.join_with(all(&among.numbers, times)),
        Plan::Moved(moved) if moved.offset < 0 => None,
        Plan::Moved(moved) => {
            let below = reads(&moved.plan, times)?;
            let around = Reads::around(moved.at, moved.offset, below.back, below.forward);
            Some(around.join(Reads { fixed: below.fixed, ..Reads::default() }))
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

fn all(plans: &[Plan], times: (i64, i64)) -> Option<Reads> {
    plans.iter().try_fold(Reads::default(), |reads_of, plan| reads_of.join_with(reads(plan, times)))
}

fn of_select(select: &Select, back: i64, forward: i64, lookback: i64) -> Option<Reads> {
    if select.offset < 0 {
        return None;
    }
    // Hints of the first row are made from the row before.
    let before = if select.hints == Hints::OnlyTotals { lookback } else { 0 };
    Some(Reads::around(select.at, select.offset, back.saturating_add(before), forward))
}

fn of_range(range: &Range, times: (i64, i64)) -> Option<Reads> {
    let (lookback, _) = times;
    match &range.rows {
        Rows::Select(select) => {
            let beyond = if select.edges == Edges::Plain { 0 } else { lookback };
            of_select(select, range.length.saturating_add(beyond), beyond, lookback)
        }
        Rows::Subquery(inner) => {
            if inner.offset < 0 {
                return None;
            }
            let below = reads(&inner.plan, (lookback, inner.step))?;
            let back = range.length.saturating_add(below.back);
            let around = Reads::around(inner.at, inner.offset, back, below.forward);
            Some(around.join(Reads { fixed: below.fixed, ..Reads::default() }))
        }
    }
}

fn of_aggregate(aggregate: &Aggregate, times: (i64, i64)) -> Option<Reads> {
    // A parameter is judged at all steps at once.
    let has_number = matches!(aggregate.parameter, None | Some(Plan::Number(_)));
    // Which groups a limit leaves is decided by all steps.
    if !has_number || !aggregate.extras.is_empty() || aggregate.limit.is_some() {
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
    reads(&aggregate.plan, times)
}

/// Whether the value at a step is the same whatever other steps the question has.
pub(crate) fn is_step_local(expr: &Expr) -> bool {
    let is_local = match expr {
        Expr::Number(_)
        | Expr::String(_)
        | Expr::Paren(_)
        | Expr::Unary(_)
        | Expr::Binary(_)
        | Expr::Keep(_) => true,
        Expr::Vector(selector) => is_local_selector(selector),
        Expr::Matrix(matrix) => is_local_selector(&matrix.selector) && is_local_time(&matrix.range),
        Expr::Subquery(subquery) => {
            let times = [Some(&subquery.range), subquery.step.as_ref(), subquery.offset.as_ref()];
            is_local_at(subquery.at.as_ref()) && times.into_iter().flatten().all(is_local_time)
        }
        Expr::Moved(moved) => {
            is_local_at(moved.at.as_ref()) && moved.offset.as_ref().is_none_or(is_local_time)
        }
        Expr::Aggregate(aggregate) => is_listed(LOCAL_AGGREGATIONS, aggregate.op.name()),
        Expr::Call(call) => is_listed(LOCAL_FUNCTIONS, call.function.name()),
    };
    is_local && expr.children().into_iter().all(is_step_local)
}

fn is_local_selector(selector: &VectorSelector) -> bool {
    is_local_at(selector.at.as_ref()) && selector.offset.as_ref().is_none_or(is_local_time)
}

fn is_local_at(at: Option<&At>) -> bool {
    matches!(at, None | Some(At::Time(_)))
}

fn is_local_time(time: &DurationExpr) -> bool {
    match &time.kind {
        DurationKind::Literal { .. }
        | DurationKind::Step
        | DurationKind::Steps(_)
        | DurationKind::Omitted => true,
        DurationKind::Range => false,
        DurationKind::Negated(inner) | DurationKind::Paren(inner) => is_local_time(inner),
        DurationKind::Binary(_, left, right) => is_local_time(left) && is_local_time(right),
    }
}

/// Whose value at a step is of that step alone. A list of those that are: what is new is not kept before
/// someone looked at it.
const LOCAL_FUNCTIONS: &str = "\
    abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes \
    clamp clamp_max clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year \
    days_in_month deg delta deriv double_exponential_smoothing exp first_over_time floor \
    histogram_avg histogram_count histogram_fraction histogram_quantile histogram_quantiles \
    histogram_stddev histogram_stdvar histogram_sum hour idelta increase irate label_join \
    label_replace last_over_time ln log10 log2 mad_over_time max_of max_over_time min_of \
    min_over_time minute month pi predict_linear present_over_time quantile_over_time rad rate \
    resets round scalar sgn sin sinh sort sort_by_label sort_by_label_desc sort_desc sqrt \
    start_timestamp stddev_over_time stdvar_over_time step sum_over_time tan tanh time timestamp \
    ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time vector \
    year";

/// As [`LOCAL_FUNCTIONS`].
const LOCAL_AGGREGATIONS: &str = "\
    sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio";

fn is_listed(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|listed| listed == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::plan::{Times, plan};

    const LOOKBACK: i64 = 300_000;

    fn of(text: &str) -> Option<Reads> {
        let expr = query_lang::parse(text).unwrap();
        let now = 3_600_000;
        let times = Times { start: 0, end: now, step: 60_000, default_step: 60_000, now };
        let planned = plan(text, &expr, times).unwrap();
        if is_step_local(&expr) { reads(&planned, (LOOKBACK, times.step)) } else { None }
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
            "avg_over_time(a[1h])",
        ] {
            let text = if text == "a[range()]" { "rate(a[range()])" } else { text };
            assert_eq!(of(text), None, "{text}");
        }
    }
}
