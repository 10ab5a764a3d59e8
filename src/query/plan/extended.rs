//! What QQL adds to PromQL, planned.

use query_lang::{BinaryOp, Expr, Function, Sign, ValueType};

use super::planner::{Planned, Planner, View};
use super::{Among, Binary, Call, Moved, Plan, Range, RangeFunction, Rows, Subquery};
use crate::model::Labels;
use crate::query::error::Error;

/// The numbers that values are compared with, in `q == (200, 404)`.
pub(super) fn numbers_of(binary: &query_lang::Binary) -> Option<&[Expr]> {
    if !matches!(binary.op, BinaryOp::Equal | BinaryOp::NotEqual) {
        return None;
    }
    let Expr::Call(call) = binary.right.without_parens() else { return None };
    let are_numbers = call.args.iter().all(|arg| arg.value_type() == ValueType::Scalar);
    (call.function == Function::Union && are_numbers).then_some(&call.args)
}

impl Planner<'_> {
    pub(super) fn moved(&self, moved: &query_lang::Moved, view: View) -> Result<Planned, Error> {
        let inner = self.plan(&moved.expr, view)?;
        let at = self.at(moved.at.as_ref());
        let offset = self.offset(moved.offset.as_ref())?;
        let is_invariant = at.is_some() || inner.is_invariant;
        let plan = Plan::Moved(Box::new(Moved { plan: inner.finish(), at, offset }));
        Ok(Planned::new(plan, is_invariant))
    }

    pub(super) fn keep(&self, keep: &query_lang::Keep, view: View) -> Result<Planned, Error> {
        let mut inner = self.plan(&keep.expr, view)?;
        if let Plan::Binary(binary) = &mut inner.plan {
            binary.keeps_name = true;
        }
        let is_invariant = inner.is_invariant;
        Ok(Planned::new(Plan::Keep(Box::new(inner.plan)), is_invariant))
    }

    pub(super) fn among(
        &self,
        binary: &query_lang::Binary,
        numbers: &[Expr],
        view: View,
    ) -> Result<Planned, Error> {
        let numbers: Vec<Plan> = numbers
            .iter()
            .map(|number| Ok(self.plan(number, view)?.finish()))
            .collect::<Result<_, Error>>()?;
        let plan = self.plan(&binary.left, view)?.finish();
        let is_equal = binary.op == BinaryOp::Equal;
        let returns_bool = binary.returns_bool;
        Ok(Planned::varying(Plan::Among(Box::new(Among { plan, numbers, is_equal, returns_bool }))))
    }

    pub(super) fn extras(&self, aggregate: &query_lang::Aggregate) -> Result<Vec<Plan>, Error> {
        let plan = |extra: &Expr| Ok(self.plan(extra.without_parens(), View::default())?.finish());
        aggregate.extras.iter().map(plan).collect()
    }

    /// A time in ms that the parser found to be the same at every step.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    pub(super) fn computed(&self, expr: &Expr) -> i64 {
        (self.number(expr) * 1000.0).round() as i64
    }

    fn number(&self, expr: &Expr) -> f64 {
        match expr {
            Expr::Number(number) => number.value,
            Expr::Paren(paren) => self.number(&paren.expr),
            Expr::Unary(unary) => match unary.sign {
                Sign::Plus => self.number(&unary.expr),
                Sign::Minus => -self.number(&unary.expr),
            },
            Expr::Binary(binary) => {
                let (left, right) = (self.number(&binary.left), self.number(&binary.right));
                crate::query::binary::between_scalars(binary.op, &[left], &[right])
                    .first()
                    .copied()
                    .unwrap_or(f64::NAN)
            }
            Expr::Call(call) => {
                let args: Vec<f64> = call.args.iter().map(|arg| self.number(arg)).collect();
                match (call.function, args.as_slice()) {
                    (Function::Pi, _) => std::f64::consts::PI,
                    (Function::MinOf, [a, b]) => a.min(*b),
                    (Function::MaxOf, [a, b]) => a.max(*b),
                    (function, _) => self.constant(function).unwrap_or(f64::NAN),
                }
            }
            _ => f64::NAN,
        }
    }

    /// Functions that others are made of.
    pub(super) fn composed(
        &self,
        call: &query_lang::Call,
        args: &[&Expr],
        view: View,
    ) -> Result<Planned, Error> {
        let place = call.span.start;
        let with = |function: Function, plan: Plan, number: f64| {
            Plan::Call(Box::new(Call {
                function,
                args: vec![plan, Plan::Number(number)],
                places: vec![place; 2],
                place,
                absent: Labels::empty(),
            }))
        };
        let between = |op: BinaryOp, left: Plan, right: Plan, are_vectors: bool| {
            Plan::Binary(Box::new(Binary {
                op,
                left,
                right,
                returns_bool: false,
                keeps_name: false,
                matching: are_vectors.then(query_lang::VectorMatching::default),
                place,
            }))
        };
        let [free, others @ ..] = args else { return Ok(Planned::constant(Plan::Number(0.0))) };
        let free_plan = self.plan(free, view)?.finish();
        let at_least_0 = |plan: Plan| with(Function::ClampMin, plan, 0.0);
        if call.function == Function::Ru {
            let Some(most) = others.first() else { return Ok(Planned::varying(free_plan)) };
            let most = self.plan(most, view)?.finish();
            let used = between(BinaryOp::Sub, most.clone(), at_least_0(free_plan), true);
            let share = between(BinaryOp::Div, at_least_0(used), at_least_0(most), true);
            return Ok(Planned::varying(between(BinaryOp::Mul, share, Plan::Number(100.0), false)));
        }
        let slope = self.slope(free, view, place)?;
        let at_most = |plan: Plan, most: f64| with(Function::ClampMax, plan, most);
        let left = at_most(Plan::Negate(Box::new(free_plan)), 0.0);
        let seconds = between(BinaryOp::Div, left, at_most(slope, 0.0), true);
        let year = at_most(seconds, 365.0 * 24.0 * 3600.0);
        #[expect(clippy::cast_precision_loss, reason = "steps are below 2^53 ms")]
        let step = self.times.step as f64 / 1000.0;
        let factor = if step > 0.0 { (step / 300.0).min(1.0) } else { 1.0 };
        Ok(Planned::varying(with(Function::SmoothExponential, year, factor)))
    }

    /// `deriv_fast(v[])`
    fn slope(&self, expr: &Expr, view: View, place: usize) -> Result<Plan, Error> {
        let (step, default_step) = (self.times.step, self.times.default_step);
        let rows = if let Expr::Vector(selector) = expr {
            Rows::Select(self.select(selector, view)?)
        } else {
            let plan = self.plan(expr, view.with_buckets())?.finish();
            let subquery = Subquery { plan, step: default_step, at: None, offset: 0 };
            Rows::Subquery(Box::new(subquery))
        };
        let range = Range { rows, length: step.max(default_step), place };
        Ok(Plan::RangeFunction(Box::new(RangeFunction {
            function: Function::DerivFast,
            range,
            scalars: Vec::new(),
            texts: Vec::new(),
            place,
            absent: Labels::empty(),
        })))
    }
}
