//! Operators on single values of which at least one is a histogram.

use std::sync::Arc;

use query_lang::BinaryOp;

use crate::math::histogram::{self, Incompatible, Joined, Keep};
use crate::model::{Histogram, ResetHint};
use crate::query::annotations::{Note, Operation};

/// An operand.
#[derive(Clone, Copy)]
pub(super) enum Element<'a> {
    Float(f64),
    Histogram(&'a Arc<Histogram>),
}

impl Element<'_> {
    fn kind(self) -> &'static str {
        match self {
            Element::Float(_) => "float",
            Element::Histogram(_) => "histogram",
        }
    }
}

/// A result: a histogram, whether it is to be kept, and what is to be said.
pub(super) struct Combined {
    pub histogram: Arc<Histogram>,
    pub keeps: bool,
    pub notes: Vec<Note>,
}

impl Combined {
    fn of(mut histogram: Histogram) -> Self {
        histogram::compact(&mut histogram);
        Self { histogram: Arc::new(histogram), keeps: true, notes: Vec::new() }
    }
}

/// The result of an operator, of which a histogram is an operand.
///
/// # Errors
/// What is to be said where there is none.
pub(super) fn combine(
    op: BinaryOp,
    left: Element<'_>,
    right: Element<'_>,
) -> Result<Combined, Note> {
    use Element::{Float, Histogram as Hist};
    let scaled = |histogram: &Arc<Histogram>, scale: &dyn Fn(&mut Histogram)| {
        let mut histogram = histogram.as_ref().clone();
        scale(&mut histogram);
        Combined::of(histogram)
    };
    Ok(match (left, op, right) {
        (Float(factor), BinaryOp::Mul, Hist(histogram))
        | (Hist(histogram), BinaryOp::Mul, Float(factor)) => {
            scaled(histogram, &|h| histogram::multiply(h, factor))
        }
        (Hist(histogram), BinaryOp::Div, Float(divisor)) => {
            scaled(histogram, &|h| histogram::divide(h, divisor))
        }
        (Hist(histogram), BinaryOp::TrimUpper | BinaryOp::TrimLower, Float(bound)) => {
            let keep = if op == BinaryOp::TrimUpper { Keep::Below } else { Keep::Above };
            let mut trimmed = histogram.as_ref().clone();
            histogram::trim(&mut trimmed, bound, keep);
            Combined { histogram: Arc::new(trimmed), keeps: true, notes: Vec::new() }
        }
        (Hist(left), BinaryOp::Add, Hist(right)) => {
            joined(histogram::add(left, right), op, Operation::Addition)?
        }
        (Hist(left), BinaryOp::Sub, Hist(right)) => {
            let difference = histogram::subtract(left, right).map(|(mut histogram, joined)| {
                histogram.reset_hint = ResetHint::Gauge;
                (histogram, joined)
            });
            joined(difference, op, Operation::Subtraction)?
        }
        (Hist(left), BinaryOp::Equal | BinaryOp::NotEqual, Hist(right)) => Combined {
            histogram: Arc::clone(left),
            keeps: histogram::equal(left, right) == (op == BinaryOp::Equal),
            notes: Vec::new(),
        },
        _ => {
            return Err(Note::IncompatibleTypes {
                left: left.kind(),
                operator: op.symbol(),
                right: right.kind(),
            });
        }
    })
}

/// What floats have to say of an operator that only histograms have.
pub(super) fn of_floats(op: BinaryOp) -> Option<Note> {
    matches!(op, BinaryOp::TrimLower | BinaryOp::TrimUpper).then_some(Note::IncompatibleTypes {
        left: "float",
        operator: op.symbol(),
        right: "float",
    })
}

fn joined(
    result: Result<(Histogram, Joined), Incompatible>,
    op: BinaryOp,
    operation: Operation,
) -> Result<Combined, Note> {
    let (histogram, joined) =
        result.map_err(|Incompatible| Note::IncompatibleLayout(op.symbol()))?;
    if joined.hints_collide {
        // Prometheus gives the warning in place of the result.
        return Err(Note::ResetCollision(operation));
    }
    let mut combined = Combined::of(histogram);
    if joined.bounds_reconciled {
        combined.notes.push(Note::BoundsReconciled(operation));
    }
    Ok(combined)
}
