//! Durations as the text gives them: literals, or expressions that wait for the query's step and range.
//!
//! `[5m]`, `[step() * 2]`, `offset -min_of(1h, range())`. They stay trees until a query runs, as
//! in Prometheus (`promql/durations.go`), whose arithmetic on seconds and whose errors these are.

use crate::span::Span;

/// A duration.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationExpr {
    /// What it is.
    pub kind: DurationKind,
    /// Where it stands, as Prometheus counts it: of two operands, from one to the other.
    pub span: Span,
}

/// What a duration is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationKind {
    /// A number of seconds: `300`, `5m`.
    Literal {
        /// The seconds.
        seconds: f64,
        /// Written as a duration, and printed as one.
        is_duration: bool,
    },
    /// `step()`: the distance of the query's steps.
    Step,
    /// `range()`: from the query's start to its end.
    Range,
    /// `5i`: so many steps of the query; of an instant query, of a subquery's default step.
    Steps(f64),
    /// `[]`: the step of the query, at least the default step of subqueries.
    Omitted,
    /// `-duration`
    Negated(Box<DurationExpr>),
    /// `(duration)`
    Paren(Box<DurationExpr>),
    /// Two durations and what is between them.
    Binary(DurationOp, Box<DurationExpr>, Box<DurationExpr>),
}

/// An operator between two durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DurationOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `min_of(…, …)`
    MinOf,
    /// `max_of(…, …)`
    MaxOf,
}

/// What a duration may need to know of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryTimes {
    /// `step()` in milliseconds; 0 in an instant query.
    pub step_ms: i64,
    /// `range()` in milliseconds; 0 in an instant query.
    pub range_ms: i64,
    /// The step of subqueries that name none, in milliseconds.
    pub default_step_ms: i64,
}

/// A duration that has no usable value. Shown as Prometheus shows it: bytes, not line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {problem}", span.start, span.end)]
pub struct DurationError {
    /// The duration.
    pub span: Span,
    /// What is wrong with it.
    pub problem: DurationProblem,
}

/// What is wrong with a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationProblem {
    /// A quotient by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A remainder by zero.
    #[error("modulo by zero")]
    ModuloByZero,
    /// No number came out.
    #[error("duration is NaN or infinite")]
    NotFinite,
    /// A window or a step of no length.
    #[error("duration must be greater than 0")]
    NotPositive,
    /// More nanoseconds than 64 bits hold.
    #[error("duration is out of range")]
    OutOfRange,
}

/// The most seconds that fit 64 bits of nanoseconds: 2^63 / 1e9, some 292 years.
pub(crate) const SECONDS_MAX: f64 = 9_223_372_036.854_776;

/// Seconds as a sum of whole ones and the rest, which is how Go makes them of nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "both parts are below 2^53")]
pub(crate) fn seconds_of(nanoseconds: i64) -> f64 {
    (nanoseconds / 1_000_000_000) as f64 + (nanoseconds % 1_000_000_000) as f64 / 1e9
}

/// The milliseconds of a literal: rounded to nanoseconds and those cut, as Prometheus does.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and literals are in range")]
pub(crate) fn milliseconds_of(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64 / 1_000_000
}

/// `seconds` cut to milliseconds, the finest that is evaluated; less than one is left as it is.
pub(crate) fn whole_milliseconds(seconds: f64) -> f64 {
    match milliseconds_of(seconds) {
        0 => seconds,
        milliseconds => seconds_of(milliseconds.saturating_mul(1_000_000)),
    }
}

impl DurationExpr {
    /// A literal of so many seconds.
    pub fn seconds(seconds: f64, span: Span) -> Self {
        Self { kind: DurationKind::Literal { seconds, is_duration: true }, span }
    }

    /// The length of a window or a step in milliseconds.
    ///
    /// # Errors
    /// [`DurationError`] where it is not positive, or has no value.
    pub fn positive_ms(&self, times: QueryTimes) -> Result<i64, DurationError> {
        self.milliseconds(times, false)
    }

    /// An offset in milliseconds, of either sign.
    ///
    /// # Errors
    /// [`DurationError`] where it has no value.
    pub fn signed_ms(&self, times: QueryTimes) -> Result<i64, DurationError> {
        self.milliseconds(times, true)
    }

    /// Whether `step()` or `range()` is in it, so that its value differs from query to query.
    pub fn depends_on_query(&self) -> bool {
        match &self.kind {
            DurationKind::Literal { .. } => false,
            DurationKind::Step
            | DurationKind::Range
            | DurationKind::Steps(_)
            | DurationKind::Omitted => true,
            DurationKind::Negated(inner) | DurationKind::Paren(inner) => inner.depends_on_query(),
            DurationKind::Binary(_, left, right) => {
                left.depends_on_query() || right.depends_on_query()
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked against SECONDS_MAX before")]
    fn milliseconds(&self, times: QueryTimes, signed: bool) -> Result<i64, DurationError> {
        if let DurationKind::Literal { seconds, .. } = self.kind {
            // The parser has checked it. What is computed, Prometheus cuts without rounding.
            return Ok(milliseconds_of(seconds));
        }
        let seconds = self.evaluate(times)?;
        let problem = if !seconds.is_finite() {
            DurationProblem::NotFinite
        } else if seconds <= 0.0 && !signed {
            DurationProblem::NotPositive
        } else if seconds.abs() > SECONDS_MAX {
            DurationProblem::OutOfRange
        } else {
            return Ok((seconds * 1000.0) as i64);
        };
        Err(DurationError { span: self.span, problem })
    }

    #[expect(clippy::cast_precision_loss, reason = "a query's times are far below 2^53 ms")]
    fn evaluate(&self, times: QueryTimes) -> Result<f64, DurationError> {
        Ok(match &self.kind {
            DurationKind::Literal { seconds, .. } => *seconds,
            DurationKind::Step => times.step_ms as f64 / 1000.0,
            DurationKind::Range => times.range_ms as f64 / 1000.0,
            DurationKind::Steps(count) if times.step_ms > 0 => {
                count * times.step_ms as f64 / 1000.0
            }
            DurationKind::Steps(count) => count * times.default_step_ms as f64 / 1000.0,
            DurationKind::Omitted => times.step_ms.max(times.default_step_ms) as f64 / 1000.0,
            DurationKind::Negated(inner) => -inner.evaluate(times)?,
            DurationKind::Paren(inner) => inner.evaluate(times)?,
            DurationKind::Binary(op, left, right) => op
                .apply(left.evaluate(times)?, right.evaluate(times)?)
                .map_err(|problem| DurationError { span: self.span, problem })?,
        })
    }
}

impl DurationOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::MinOf => "min_of",
            Self::MaxOf => "max_of",
        }
    }

    fn apply(self, left: f64, right: f64) -> Result<f64, DurationProblem> {
        // Go's Min and Max give NaN for NaN, Rust's give the other number.
        let not_a_number = left.is_nan() || right.is_nan();
        match self {
            Self::Add => Ok(left + right),
            Self::Sub => Ok(left - right),
            Self::Mul => Ok(left * right),
            Self::Div if right == 0.0 => Err(DurationProblem::DivisionByZero),
            Self::Div => Ok(left / right),
            Self::Mod if right == 0.0 => Err(DurationProblem::ModuloByZero),
            Self::Mod => Ok(left % right),
            Self::Pow => Ok(left.powf(right)),
            Self::MinOf | Self::MaxOf if not_a_number => Ok(f64::NAN),
            Self::MinOf => Ok(left.min(right)),
            Self::MaxOf => Ok(left.max(right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: QueryTimes =
        QueryTimes { step_ms: 15_000, range_ms: 3_600_000, default_step_ms: 60_000 };

    fn literal(seconds: f64) -> DurationExpr {
        DurationExpr::seconds(seconds, Span::new(4, 6))
    }

    fn binary(op: DurationOp, left: f64, right: f64) -> DurationExpr {
        let kind = DurationKind::Binary(op, Box::new(literal(left)), Box::new(literal(right)));
        DurationExpr { kind, span: Span::new(4, 9) }
    }

    #[test]
    fn operators_work_on_seconds() {
        let cases = [
            (DurationOp::Add, 7000),
            (DurationOp::Sub, 3000),
            (DurationOp::Mul, 10_000),
            (DurationOp::Div, 2500),
            (DurationOp::Mod, 1000),
            (DurationOp::Pow, 25_000),
            (DurationOp::MinOf, 2000),
            (DurationOp::MaxOf, 5000),
        ];
        for (op, expected) in cases {
            assert_eq!(binary(op, 5.0, 2.0).positive_ms(TIMES), Ok(expected), "{op:?}");
        }
    }

    #[test]
    fn step_and_range_come_from_the_query() {
        let step = DurationExpr { kind: DurationKind::Step, span: Span::default() };
        let range = DurationExpr { kind: DurationKind::Range, span: Span::default() };
        assert_eq!(step.positive_ms(TIMES), Ok(15_000));
        assert_eq!(range.positive_ms(TIMES), Ok(3_600_000));
        let negated =
            DurationExpr { kind: DurationKind::Negated(Box::new(step)), span: Span::default() };
        assert_eq!(negated.signed_ms(TIMES), Ok(-15_000));
        assert!(negated.depends_on_query());
    }

    #[test]
    fn a_value_that_cannot_be_names_its_bytes() {
        let text = |duration: DurationExpr| {
            duration.positive_ms(TIMES).map_err(|error| error.to_string()).unwrap_err()
        };
        assert_eq!(text(binary(DurationOp::Div, 1.0, 0.0)), "4:9: division by zero");
        assert_eq!(text(binary(DurationOp::Mod, 1.0, 0.0)), "4:9: modulo by zero");
        assert_eq!(text(binary(DurationOp::Sub, 1.0, 8.0)), "4:9: duration must be greater than 0");
        assert_eq!(text(binary(DurationOp::Pow, 1e9, 9.0)), "4:9: duration is out of range");
        assert_eq!(text(binary(DurationOp::Pow, -2.0, 0.5)), "4:9: duration is NaN or infinite");
    }

    #[test]
    fn literals_round_to_nanoseconds_and_are_cut_to_milliseconds() {
        assert_eq!(literal(1.0019).positive_ms(TIMES), Ok(1001));
        assert_eq!(literal(0.29).positive_ms(TIMES), Ok(290));
    }
}
