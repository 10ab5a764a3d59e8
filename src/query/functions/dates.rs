//! Parts of dates, in UTC.

use query_lang::Function;

use super::call::arg;
use super::math::map_floats;
use crate::query::date::Date;
use crate::query::error::Error;
use crate::query::evaluate::{Evaluator, scalar_matrix};
use crate::query::matrix::Matrix;
use crate::query::plan::Call;
use crate::query::steps::Steps;

/// The part of a date that a function is.
pub(super) fn part(function: Function) -> Option<fn(Date) -> i64> {
    Some(match function {
        Function::DaysInMonth => Date::days_in_month,
        Function::DayOfMonth => |date| date.day,
        Function::DayOfWeek => |date| date.weekday,
        Function::DayOfYear => |date| date.year_day,
        Function::Hour => |date| date.hour,
        Function::Minute => |date| date.minute,
        Function::Month => |date| date.month,
        Function::Year => |date| date.year,
        _ => return None,
    })
}

/// The part of each value as seconds since 1970; of each step where there is no argument.
///
/// # Errors
/// What the argument refused.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "seconds saturate, parts of dates are small"
)]
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    part: fn(Date) -> i64,
    steps: Steps,
) -> Result<Matrix, Error> {
    if call.args.is_empty() {
        let parts: Vec<f64> =
            steps.times().map(|time| part(Date::from_unix(time.div_euclid(1000))) as f64).collect();
        return Ok(scalar_matrix(&parts));
    }
    let matrix = evaluator.vector(arg(call, 0), steps)?;
    Ok(map_floats(matrix, |_, value| part(Date::from_unix(value as i64)) as f64))
}

/// The offset of a time zone from UTC at each step, in seconds.
///
/// # Errors
/// A zone that is not known.
pub(super) fn zone_offsets(name: &str, steps: Steps) -> Result<Vec<f64>, Error> {
    let unknown = || Error::TimeZone(name.to_owned());
    let zone = jiff::tz::TimeZone::get(name).map_err(|_| unknown())?;
    let offset = |time: i64| {
        let at = jiff::Timestamp::from_millisecond(time).ok()?;
        Some(f64::from(zone.to_offset(at).seconds()))
    };
    steps.times().map(|time| offset(time).ok_or_else(unknown)).collect()
}
