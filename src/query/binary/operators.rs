//! Operators on floats.

use query_lang::BinaryOp;

/// The result of an arithmetic operator; of the others, the left operand.
#[inline]
pub(super) fn arithmetic(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        _ => left,
    }
}

/// Whether a comparison holds; every other operator holds.
#[inline]
pub(super) fn holds(op: BinaryOp, left: f64, right: f64) -> bool {
    match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Less => left < right,
        BinaryOp::LessEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterEqual => left >= right,
        _ => true,
    }
}

/// Whether the result is another thing than the operand: it has no right to its name.
pub(super) fn changes_meaning(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::Atan2
    )
}

/// An operator between two numbers a step; comparisons give 0 or 1.
pub(crate) fn between_scalars(op: BinaryOp, left: &[f64], right: &[f64]) -> Vec<f64> {
    let pairs = left.iter().zip(right);
    if op.is_comparison() {
        return pairs.map(|(a, b)| f64::from(u8::from(holds(op, *a, *b)))).collect();
    }
    pairs.map(|(a, b)| arithmetic(op, *a, *b)).collect()
}

/// `out = left op right`, the operator chosen once for all, so that the loops become vector code.
pub(super) fn combine(op: BinaryOp, left: &[f64], right: &[f64], out: &mut [f64]) {
    match op {
        BinaryOp::Add => zip(left, right, out, |a, b| a + b),
        BinaryOp::Sub => zip(left, right, out, |a, b| a - b),
        BinaryOp::Mul => zip(left, right, out, |a, b| a * b),
        BinaryOp::Div => zip(left, right, out, |a, b| a / b),
        _ => zip(left, right, out, |a, b| arithmetic(op, a, b)),
    }
}

#[inline]
fn zip(left: &[f64], right: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    for ((out, a), b) in out.iter_mut().zip(left).zip(right) {
        *out = f(*a, *b);
    }
}

/// Which steps a comparison holds at.
pub(super) fn compare(op: BinaryOp, left: &[f64], right: &[f64], kept: &mut [u64]) {
    for ((kept, left), right) in kept.iter_mut().zip(left.chunks(64)).zip(right.chunks(64)) {
        *kept = left
            .iter()
            .zip(right)
            .enumerate()
            .fold(0, |bits, (at, (a, b))| bits | u64::from(holds(op, *a, *b)) << at);
    }
}
