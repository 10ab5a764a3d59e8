//! Functions of one float.

use query_lang::Function;

use super::call::arg;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::Matrix;
use crate::query::plan::Call;
use crate::query::steps::Steps;

/// The function of a float that a function is.
pub(super) fn of_float(function: Function) -> Option<fn(f64) -> f64> {
    use Function as F;
    Some(match function {
        F::Abs => f64::abs,
        F::Ceil => f64::ceil,
        F::Floor => f64::floor,
        F::Exp => f64::exp,
        F::Ln => f64::ln,
        F::Log2 => f64::log2,
        F::Log10 => f64::log10,
        F::Sqrt => f64::sqrt,
        F::Acos => f64::acos,
        F::Acosh => f64::acosh,
        F::Asin => f64::asin,
        F::Asinh => f64::asinh,
        F::Atan => f64::atan,
        F::Atanh => f64::atanh,
        F::Cos => f64::cos,
        F::Cosh => f64::cosh,
        F::Sin => f64::sin,
        F::Sinh => f64::sinh,
        F::Tan => f64::tan,
        F::Tanh => f64::tanh,
        F::Deg => |radians| radians * 180.0 / std::f64::consts::PI,
        F::Rad => |degrees| degrees * std::f64::consts::PI / 180.0,
        F::Sgn => sign,
        _ => return None,
    })
}

/// Unlike `f64::signum`, zero and NaN stay as they are.
fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// The lesser, as Go has it: -Inf is less than anything, and NaN makes NaN of the rest.
pub(super) fn min_of(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

/// The greater, as Go has it.
pub(super) fn max_of(a: f64, b: f64) -> f64 {
    -min_of(-a, -b)
}

/// Every float changed, histograms left out, names to be dropped.
pub(super) fn map_floats(mut matrix: Matrix, change: impl Fn(usize, f64) -> f64) -> Matrix {
    for row in 0..matrix.len() {
        let (values, _) = matrix.row_mut(row);
        // Cells without a float are changed too: no branch costs less than one.
        values.iter_mut().enumerate().for_each(|(step, value)| *value = change(step, *value));
        matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
    }
    matrix.drop_names();
    matrix
}

/// `round`, `clamp`, `clamp_min`, `clamp_max`.
pub(super) fn bounded(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let matrix = evaluator.vector(arg(call, 0), steps)?;
    let mut scalar = |index: usize, default: f64| {
        if call.args.len() > index {
            evaluator.scalar(arg(call, index), steps)
        } else {
            Ok(vec![default; steps.count])
        }
    };
    let at = |values: &[f64], step: usize| values.get(step).copied().unwrap_or(f64::NAN);
    if call.function == Function::Round {
        let nearest = scalar(1, 1.0)?;
        return Ok(map_floats(matrix, |step, value| {
            // Inverted, as it causes fewer inaccuracies: 0.1 has no exact float, 10 has.
            let inverse = 1.0 / at(&nearest, step);
            (value * inverse + 0.5).floor() / inverse
        }));
    }
    let (low, high) = match call.function {
        Function::ClampMin => (scalar(1, 0.0)?, vec![f64::INFINITY; steps.count]),
        Function::ClampMax => (vec![f64::NEG_INFINITY; steps.count], scalar(1, 0.0)?),
        _ => (scalar(1, 0.0)?, scalar(2, 0.0)?),
    };
    let mut clamped =
        map_floats(matrix, |step, value| max_of(at(&low, step), min_of(at(&high, step), value)));
    for step in (0..steps.count).filter(|step| at(&high, *step) < at(&low, *step)) {
        for row in 0..clamped.len() {
            crate::query::matrix::clear_bit(clamped.row_mut(row).1, step);
        }
    }
    Ok(clamped)
}
