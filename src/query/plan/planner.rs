//! What is to be done: the tree with its times resolved and its constant parts marked.
//!
//! Durations, `@`, `start()` and their kin depend on the question's times alone, so they become numbers
//! here. A part that is the same at every step (`@`) is evaluated once; which parts those are is
//! Prometheus' rule (`PreprocessExpr`), for `predict_linear(x @ 0, 60)` is not one of them.

use query_lang::{
    Aggregation, At, BinaryOp, Edges, Expr, Function, MatchOp, QueryTimes, Sign, ValueType,
    VectorSelector,
};

use super::extended::numbers_of;
use super::{
    Aggregate, Binary, Call, Hints, Info, Plan, Range, RangeFunction, Rows, Select, Subquery, Times,
};
use crate::model::{Label, Labels, METRIC_NAME, Matcher};
use crate::query::error::Error;
use crate::query::labels::is_valid_name;
use crate::query::window::Stamp;

/// Plans a tree.
///
/// # Errors
/// A duration without a value, a modifier without a meaning, a label that is none.
pub(crate) fn plan(text: &str, expr: &Expr, times: Times) -> Result<Plan, Error> {
    Ok(Planner { text, times }.plan(expr, View::default())?.finish())
}

pub(super) struct Planner<'a> {
    text: &'a str,
    pub(super) times: Times,
}

/// A plan, whether it is the same at every step, and whether that is worth evaluating it once.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) is_invariant: bool,
    wraps: bool,
}

impl Planned {
    pub(super) fn constant(plan: Plan) -> Self {
        Self { plan, is_invariant: true, wraps: false }
    }

    pub(super) fn varying(plan: Plan) -> Self {
        Self { plan, is_invariant: false, wraps: false }
    }

    pub(super) fn new(plan: Plan, is_invariant: bool) -> Self {
        Self { plan, is_invariant, wraps: is_invariant }
    }

    pub(super) fn finish(self) -> Plan {
        if self.wraps { Plan::Once(Box::new(self.plan)) } else { self.plan }
    }
}

/// What those above look at in a histogram.
#[derive(Clone, Copy, Default)]
pub(super) struct View {
    /// Count and sum.
    only_totals: bool,
    /// Something above needs buckets.
    needs_buckets: bool,
}

impl View {
    fn below(self, function: Function) -> Self {
        match function {
            Function::HistogramCount | Function::HistogramSum | Function::HistogramAvg => {
                Self { only_totals: true, ..self }
            }
            Function::HistogramQuantile
            | Function::HistogramQuantiles
            | Function::HistogramFraction => self.with_buckets(),
            _ => self,
        }
    }

    pub(super) fn with_buckets(self) -> Self {
        Self { needs_buckets: true, ..self }
    }

    fn hints(self) -> Hints {
        if self.only_totals && !self.needs_buckets { Hints::OnlyTotals } else { Hints::AsStored }
    }
}

impl Planner<'_> {
    pub(super) fn plan(&self, expr: &Expr, view: View) -> Result<Planned, Error> {
        Ok(match expr {
            Expr::Number(number) => Planned::constant(Plan::Number(number.value)),
            Expr::String(string) => Planned::constant(Plan::Text(string.value.clone())),
            Expr::Vector(selector) => {
                let select = self.select(selector, view)?;
                let is_invariant = select.at.is_some();
                Planned::new(Plan::Select(select), is_invariant)
            }
            Expr::Matrix(_) | Expr::Subquery(_) => {
                let (range, is_invariant) = self.range(expr, view)?;
                Planned { plan: Plan::Range(range), is_invariant, wraps: false }
            }
            Expr::Paren(paren) => self.plan(&paren.expr, view)?,
            Expr::Unary(unary) => {
                let inner = self.plan(&unary.expr, view)?;
                match unary.sign {
                    Sign::Plus => inner,
                    Sign::Minus => Planned { plan: Plan::Negate(Box::new(inner.plan)), ..inner },
                }
            }
            Expr::Binary(binary) => self.binary(binary, view)?,
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, view)?,
            Expr::Call(call) => self.call(call, view)?,
            Expr::Moved(moved) => self.moved(moved, view)?,
            Expr::Keep(keep) => self.keep(keep, view)?,
        })
    }

    pub(super) fn query_times(&self) -> QueryTimes {
        QueryTimes {
            step_ms: self.times.step,
            range_ms: self.times.end.saturating_sub(self.times.start),
            default_step_ms: self.times.default_step,
        }
    }

    pub(super) fn at(&self, at: Option<&At>) -> Option<i64> {
        at.map(|at| match at {
            At::Time(time) => *time,
            At::Start => self.times.start,
            At::End => self.times.end,
            At::Computed(expr) => self.computed(expr),
        })
    }

    pub(super) fn offset(&self, offset: Option<&query_lang::DurationExpr>) -> Result<i64, Error> {
        Ok(offset.map_or(Ok(0), |offset| offset.signed_ms(self.query_times()))?)
    }

    pub(super) fn select(&self, selector: &VectorSelector, view: View) -> Result<Select, Error> {
        Ok(Select {
            matchers: matchers(&selector.matchers),
            alternatives: selector.alternatives.iter().map(|set| matchers(set)).collect(),
            at: self.at(selector.at.as_ref()),
            offset: self.offset(selector.offset.as_ref())?,
            edges: selector.edges,
            hints: view.hints(),
            place: selector.span.start,
        })
    }

    fn range(&self, expr: &Expr, view: View) -> Result<(Range, bool), Error> {
        let times = self.query_times();
        match expr {
            Expr::Matrix(matrix) => {
                let select = self.select(&matrix.selector, view)?;
                let is_invariant = select.at.is_some();
                let length = matrix.range.positive_ms(times)?;
                let place = matrix.span.start;
                Ok((Range { rows: Rows::Select(select), length, place }, is_invariant))
            }
            Expr::Subquery(subquery) => {
                let offset = self.offset(subquery.offset.as_ref())?;
                let step = subquery
                    .step
                    .as_ref()
                    .map_or(Ok(self.times.default_step), |step| step.positive_ms(times))?;
                let length = subquery.range.positive_ms(times)?;
                let inner = self.plan(&subquery.expr, view.with_buckets())?;
                // Its own steps are many, whatever those of the question are.
                let plan = Planned { wraps: inner.is_invariant, ..inner }.finish();
                let at = self.at(subquery.at.as_ref());
                let rows = Rows::Subquery(Box::new(Subquery { plan, step, at, offset }));
                Ok((Range { rows, length, place: subquery.span.start }, at.is_some()))
            }
            Expr::Paren(paren) => self.range(&paren.expr, view),
            _ => Err(Error::NotSteppable(expr.value_type())),
        }
    }

    fn binary(&self, binary: &query_lang::Binary, view: View) -> Result<Planned, Error> {
        let view = match binary.op {
            BinaryOp::TrimLower | BinaryOp::TrimUpper => view.with_buckets(),
            _ => view,
        };
        if let Some(numbers) = numbers_of(binary) {
            return self.among(binary, numbers, view);
        }
        let left = self.plan(&binary.left, view)?;
        let right = self.plan(&binary.right, view)?;
        let is_invariant = left.is_invariant && right.is_invariant;
        let operand = |side: Planned| if is_invariant { side.plan } else { side.finish() };
        let plan = Plan::Binary(Box::new(Binary {
            op: binary.op,
            left: operand(left),
            right: operand(right),
            returns_bool: binary.returns_bool,
            keeps_name: false,
            matching: binary.matching.clone(),
            place: binary.span.start,
        }));
        Ok(Planned::new(plan, is_invariant))
    }

    fn aggregate(&self, aggregate: &query_lang::Aggregate, view: View) -> Result<Planned, Error> {
        let expr = aggregate.expr.without_parens();
        let inner = self.plan(expr, view)?;
        let mut parameter = None;
        let mut parameter_place = 0;
        let mut label = String::new();
        if let Some(expr) = aggregate.parameter.as_deref().map(Expr::without_parens) {
            parameter_place = expr.span().start;
            match self.plan(expr, View::default())?.plan {
                Plan::Text(text) => label = text,
                plan => parameter = Some(plan),
            }
        }
        let needs_label = matches!(aggregate.op, Aggregation::CountValues | Aggregation::Quantiles);
        if needs_label && !is_valid_name(&label) {
            let span = aggregate.parameter.as_ref().map(|parameter| parameter.span());
            let written = span.and_then(|span| self.text.get(span.start..span.end));
            return Err(Error::LabelName(written.unwrap_or_default().to_owned()));
        }
        let mut grouping = aggregate.grouping.clone();
        grouping.labels.sort();
        grouping.labels.dedup();
        let (is_invariant, wraps) = (inner.is_invariant, inner.wraps);
        // Invariant or not, the aggregation is wrapped as a whole, not its vector.
        let plan = if is_invariant { inner.plan } else { inner.finish() };
        let plan = Plan::Aggregate(Box::new(Aggregate {
            op: aggregate.op,
            parameter,
            parameter_place,
            label,
            extras: self.extras(aggregate)?,
            limit: aggregate.limit,
            plan,
            plan_place: expr.span().start,
            grouping,
            place: aggregate.span.start,
        }));
        Ok(Planned { plan, is_invariant, wraps })
    }

    fn call(&self, call: &query_lang::Call, view: View) -> Result<Planned, Error> {
        if let Some(number) = self.constant(call.function) {
            return Ok(Planned::constant(Plan::Number(number)));
        }
        let args: Vec<&Expr> = call.args.iter().map(Expr::without_parens).collect();
        let stamp = match call.function {
            Function::Timestamp => Some(Stamp::Time),
            Function::StartTimestamp => Some(Stamp::Start),
            _ => None,
        };
        if let (Some(stamp), [Expr::Vector(selector)]) = (stamp, args.as_slice()) {
            let select = self.select(selector, view)?;
            let is_invariant = select.at.is_some();
            return Ok(Planned::new(Plan::Stamps(select, stamp), is_invariant));
        }
        if call.function == Function::Info {
            return self.info(&args, view);
        }
        if matches!(call.function, Function::Ttf | Function::Ru) {
            return self.composed(call, &args, view);
        }
        let view = view.below(call.function);
        let is_range = |expr: &&&Expr| expr.value_type() == ValueType::RangeVector;
        if let Some(range) = args.iter().find(is_range) {
            return self.range_function(call, &args, range, view);
        }
        let mut is_invariant = is_stable(call.function);
        let mut planned = Vec::with_capacity(args.len());
        for arg in &args {
            let arg = self.plan(arg, view)?;
            is_invariant &= arg.is_invariant;
            planned.push(arg);
        }
        let operand = |arg: Planned| if is_invariant { arg.plan } else { arg.finish() };
        let plan = Plan::Call(Box::new(Call {
            function: call.function,
            args: planned.into_iter().map(operand).collect(),
            places: args.iter().map(|arg| arg.span().start).collect(),
            place: call.span.start,
            absent: args.first().map_or_else(Labels::empty, |arg| absent_labels(arg)),
        }));
        Ok(Planned::new(plan, is_invariant))
    }

    /// Functions of the question's times alone.
    #[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
    pub(super) fn constant(&self, function: Function) -> Option<f64> {
        let Times { start, end, step, now, .. } = self.times;
        let millis = match function {
            Function::Start => start,
            Function::End => end,
            Function::Now => now,
            Function::Range => end.saturating_sub(start),
            Function::Step if start == end => 0,
            Function::Step => step,
            _ => return None,
        };
        Some(millis as f64 / 1000.0)
    }

    fn range_function(
        &self,
        call: &query_lang::Call,
        args: &[&Expr],
        windows: &Expr,
        view: View,
    ) -> Result<Planned, Error> {
        let (range, range_is_invariant) = self.range(windows, view)?;
        check_edges(call.function, &range)?;
        let mut is_invariant = is_stable(call.function) && range_is_invariant;
        let mut scalars = Vec::new();
        let mut texts = Vec::new();
        for arg in args.iter().filter(|arg| arg.value_type() != ValueType::RangeVector) {
            let arg = self.plan(arg, view)?;
            if let Plan::Text(text) = arg.plan {
                texts.push(text);
                continue;
            }
            is_invariant &= arg.is_invariant;
            scalars.push(arg);
        }
        let operand = |arg: Planned| if is_invariant { arg.plan } else { arg.finish() };
        let plan = Plan::RangeFunction(Box::new(RangeFunction {
            function: call.function,
            range,
            scalars: scalars.into_iter().map(operand).collect(),
            texts,
            place: args.first().map_or(0, |arg| arg.span().start),
            absent: absent_labels(windows),
        }));
        Ok(Planned::new(plan, is_invariant))
    }

    fn info(&self, args: &[&Expr], view: View) -> Result<Planned, Error> {
        let [base, others @ ..] = args else { return Ok(Planned::constant(Plan::Number(0.0))) };
        let planned = self.plan(base, view)?;
        let matchers = others.first().and_then(|arg| match arg {
            Expr::Vector(selector) => Some(matchers(&selector.matchers)),
            _ => None,
        });
        let (at, offset) = self.reference(base, None, 0)?.unwrap_or((None, 0));
        let is_invariant = planned.is_invariant && others.is_empty();
        let plan = if is_invariant { planned.plan } else { planned.finish() };
        let plan = Plan::Info(Box::new(Info { plan, matchers, at, offset }));
        Ok(if is_invariant { Planned::new(plan, true) } else { Planned::varying(plan) })
    }

    /// The time that the first selector below looks at: its `@`, or that of the nearest subquery
    /// around it that has one, and the offsets on the way there.
    fn reference(
        &self,
        expr: &Expr,
        around: Option<i64>,
        shift: i64,
    ) -> Result<Option<(Option<i64>, i64)>, Error> {
        match expr {
            Expr::Vector(selector) => {
                let offset = self.offset(selector.offset.as_ref())?;
                Ok(Some(match self.at(selector.at.as_ref()) {
                    Some(at) => (Some(at), offset),
                    None => (around, offset.saturating_add(shift)),
                }))
            }
            Expr::Matrix(matrix) => {
                self.reference(&Expr::Vector(matrix.selector.clone()), around, shift)
            }
            Expr::Subquery(subquery) => {
                let offset = self.offset(subquery.offset.as_ref())?;
                let (around, shift) = match self.at(subquery.at.as_ref()) {
                    Some(at) => (Some(at), offset),
                    None => (around, shift.saturating_add(offset)),
                };
                self.reference(&subquery.expr, around, shift)
            }
            _ => {
                for child in expr.children() {
                    if let Some(found) = self.reference(child, around, shift)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Whether the function gives the same for the same arguments, whenever it is evaluated.
fn is_stable(function: Function) -> bool {
    !matches!(
        function,
        Function::DaysInMonth
            | Function::DayOfMonth
            | Function::DayOfWeek
            | Function::DayOfYear
            | Function::Hour
            | Function::Minute
            | Function::Month
            | Function::Year
            | Function::PredictLinear
            | Function::Time
            | Function::Timestamp
            | Function::Lag
            | Function::TimezoneOffset
    ) && function.signature().family != query_lang::Family::WholeRange
}

fn check_edges(function: Function, range: &Range) -> Result<(), Error> {
    let Rows::Select(select) = &range.rows else { return Ok(()) };
    let extrapolates = matches!(function, Function::Rate | Function::Increase | Function::Delta);
    let (modifier, functions, is_allowed) = match select.edges {
        Edges::Plain => return Ok(()),
        Edges::Anchored => (
            "anchored",
            "changes, delta, increase, rate, resets",
            extrapolates || matches!(function, Function::Changes | Function::Resets),
        ),
        Edges::Smoothed => ("smoothed", "delta, increase, rate", extrapolates),
    };
    if is_allowed {
        return Ok(());
    }
    Err(Error::Modifier { modifier, functions, function: function.name() })
}

fn matchers(tests: &[query_lang::Matcher]) -> Vec<Matcher> {
    let op = |op| match op {
        MatchOp::Equal => crate::model::MatchOp::Equal,
        MatchOp::NotEqual => crate::model::MatchOp::NotEqual,
        MatchOp::Regex => crate::model::MatchOp::Regex,
        MatchOp::NotRegex => crate::model::MatchOp::NotRegex,
    };
    tests
        .iter()
        .map(|m| Matcher { name: m.name.clone(), op: op(m.op), value: m.value.clone() })
        .collect()
}

/// Labels that a selector's matchers name, each once; none of other expressions.
fn absent_labels(expr: &Expr) -> Labels {
    let selector = match expr {
        Expr::Vector(selector) => selector,
        Expr::Matrix(matrix) => &matrix.selector,
        _ => return Labels::empty(),
    };
    if !selector.alternatives.is_empty() {
        return Labels::empty();
    }
    let others = || selector.matchers.iter().filter(|m| m.name != METRIC_NAME);
    let pairs: Vec<Label<'_>> = others()
        .filter(|m| m.op == MatchOp::Equal && others().filter(|o| o.name == m.name).count() == 1)
        .map(|m| (m.name.as_str(), m.value.as_str()))
        .collect();
    Labels::new(pairs).unwrap_or_else(|_| Labels::empty())
}
