//! Which operands meet: scalar and scalar, vector and vector, or one of each.

use super::{choice, operators, pairs, scalar, sets};
use crate::query::{
    error::Error,
    evaluate::{Evaluator, Outcome},
    plan::Binary,
    steps::Steps,
};

/// The value of an operator at each step.
///
/// # Errors
/// What the operands refused, or series that do not match.
pub(crate) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    steps: Steps,
) -> Result<Outcome, Error> {
    let left = evaluator.eval(&binary.left, steps)?;
    let right = evaluator.eval(&binary.right, steps)?;
    if binary.op.is_choice() {
        let matching = binary.matching.clone().unwrap_or_default();
        return Ok(Outcome::Vector(choice::evaluate(binary.op, left, right, &matching)));
    }
    Ok(match (left, right) {
        (Outcome::Scalar(left), Outcome::Scalar(right)) => {
            Outcome::Scalar(operators::between_scalars(binary.op, &left, &right))
        }
        (Outcome::Vector(left), Outcome::Vector(right)) => {
            let matching = binary.matching.clone().unwrap_or_default();
            Outcome::Vector(if binary.op.is_set() {
                sets::evaluate(binary.op, left, &right, &matching)?
            } else {
                pairs::evaluate(evaluator, binary, &matching, left, right)?
            })
        }
        (Outcome::Vector(vector), Outcome::Scalar(scalar)) => {
            Outcome::Vector(scalar::evaluate(evaluator, binary, vector, &scalar, false))
        }
        (Outcome::Scalar(scalar), Outcome::Vector(vector)) => {
            Outcome::Vector(scalar::evaluate(evaluator, binary, vector, &scalar, true))
        }
        // The parser has seen to it that texts are no operands.
        (Outcome::Text(text), _) | (_, Outcome::Text(text)) => Outcome::Text(text),
    })
}
