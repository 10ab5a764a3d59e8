//! Floats that are decimals of few digits, as whole numbers: 12.25 is 1225 and two digits.
//!
//! A float is such a decimal if the whole number divided by the power of ten is the same float,
//! bit for bit; the division rounds as reading "12.25" does. The rest are kept apart.
//! Idea: Kuschewski et al., "`BtrBlocks`" (PDE), SIGMOD 2023, and Afroozeh et al., "ALP", SIGMOD 2024,
//! which multiplies by an inverse; dividing finds decimals that it misses and needs one exponent.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "every conversion is checked to give the same float back"
)]

/// Powers of ten that floats hold exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The most digits that a reader takes.
pub(super) const DIGITS_MAX: usize = POWERS.len() - 1;
/// The most digits looked for: nanoseconds, of nanoseconds.
const DIGITS_TRIED: usize = 18;
/// Added and taken away again, it rounds a float below 2^51 to a whole one.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
const WHOLE_MAX: f64 = 2_251_799_813_685_248.0;
/// What two roundings may move a product, as a share of it.
const SLACK: f64 = 1.0 / 2_251_799_813_685_248.0;
/// Floats looked at to guess the digits.
const SAMPLE: usize = 16;
/// What a row costs that is kept apart, and what a digit costs each row that is not, in tenths of a
/// bit.
const APART_COST: usize = 800;
const DIGIT_COST: usize = 33;

/// A column of floats as whole numbers.
pub(super) struct Decimals {
    pub(super) digits: usize,
    /// One a row; rows kept apart repeat the number before them.
    pub(super) numbers: Vec<i64>,
    /// The rows kept apart, ascending.
    pub(super) positions: Vec<i64>,
    /// Their floats' bits.
    pub(super) bits: Vec<i64>,
}

impl Decimals {
    /// None where so few rows are decimals that it is of no use.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let step = values.len().div_ceil(SAMPLE).max(1);
        let digits = best_digits(values.iter().step_by(step))?;
        let decimals = Self::with_digits(values, digits);
        // The sample may have missed the rows with the most digits.
        let apart = decimals.bits.iter().map(|bits| f64::from_bits(bits.cast_unsigned()));
        let apart: Vec<f64> = apart.filter(|value| value.is_finite()).collect();
        let more = best_digits(apart.iter()).filter(|more| {
            *more > digits && (more - digits) * DIGIT_COST * values.len() < apart.len() * APART_COST
        });
        Some(more.map_or(decimals, |more| Self::with_digits(values, more)))
    }

    fn with_digits(values: &[f64], digits: usize) -> Self {
        let rows = values.len();
        let (numbers, positions, bits) = (Vec::with_capacity(rows), Vec::new(), Vec::new());
        let mut decimals = Self { digits, numbers, positions, bits };
        match POWERS.get(digits) {
            Some(power) if digits > 0 => decimals.fill(values, |value| number(value, *power)),
            _ => decimals.fill(values, whole),
        }
        decimals
    }

    #[inline]
    fn fill(&mut self, values: &[f64], number: impl Fn(f64) -> Option<i64>) {
        let mut before = values.iter().copied().find_map(&number).unwrap_or(0);
        self.numbers.extend((0_i64..).zip(values).map(|(position, value)| {
            if let Some(number) = number(*value) {
                before = number;
            } else {
                self.positions.push(position);
                self.bits.push(value.to_bits().cast_signed());
            }
            before
        }));
    }
}

/// What whole numbers are divided by; None for more digits than [`DIGITS_MAX`].
pub(super) fn power(digits: usize) -> Option<f64> {
    POWERS.get(digits).copied()
}

/// The digits that make `values` cheapest; None where more than half have too many.
fn best_digits<'a>(values: impl Iterator<Item = &'a f64>) -> Option<usize> {
    let mut by_digits = [0_usize; DIGITS_TRIED + 1];
    let (mut found, mut missed) = (0, 0);
    for value in values.filter(|value| value.is_finite()) {
        if let Some(count) = digits_of(*value).and_then(|digits| by_digits.get_mut(digits)) {
            *count += 1;
            found += 1;
        } else {
            missed += 1;
        }
    }
    if found == 0 || missed > found {
        return None;
    }
    let (mut best, mut best_cost, mut held) = (0, usize::MAX, 0);
    for (digits, count) in by_digits.into_iter().enumerate() {
        held += count;
        let cost = (found - held) * APART_COST + held * digits * DIGIT_COST;
        if held > 0 && cost < best_cost {
            (best, best_cost) = (digits, cost);
        }
    }
    Some(best)
}

fn digits_of(value: f64) -> Option<usize> {
    if whole(value).is_some() {
        return Some(0);
    }
    let powers = POWERS.iter().take(DIGITS_TRIED + 1).enumerate().skip(1);
    powers.take_while(|(_, power)| (value * **power).abs() < WHOLE_MAX).find_map(
        |(digits, power)| {
            let product = value * power;
            let rest = product - ((product + ROUNDING) - ROUNDING);
            (rest.abs() <= product.abs() * SLACK && number(value, *power).is_some())
                .then_some(digits)
        },
    )
}

/// The whole number that, divided by `power`, is this very float.
#[inline]
fn number(value: f64, power: f64) -> Option<i64> {
    let product = value * power;
    let shifted = product + ROUNDING;
    let number = (shifted.to_bits().wrapping_sub(ROUNDING.to_bits())).cast_signed();
    let back = (shifted - ROUNDING) / power;
    (back.to_bits() == value.to_bits() && product.abs() < WHOLE_MAX).then_some(number)
}

/// The whole number that this very float is; -0 is none.
#[inline]
fn whole(value: f64) -> Option<i64> {
    let number = value as i64;
    ((number as f64).to_bits() == value.to_bits()).then_some(number)
}
