//! The packed encodings of whole numbers: the numbers themselves, their differences, or the
//! differences of those, whichever lie closest together.
//!
//! ```text
//!   as many first numbers as were subtracted from (zigzag varints) · residuals.rs
//! ```

use super::Error;
use super::encoding::Encoding;
use super::pack::Word;
use super::residuals::{self, Residuals};
use super::varint::{decode_varint, encode_varint, unzigzag, varint_bytes, zigzag};

/// How many times neighbours are subtracted before the rest is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Zero,
    One,
    Two,
}

/// Each number less the one before it; one fewer than `numbers`.
pub(super) fn of(numbers: &[i64]) -> Vec<i64> {
    let later = numbers.get(1..).unwrap_or_default();
    later.iter().zip(numbers).map(|(number, before)| number.wrapping_sub(*before)).collect()
}

/// The order that costs least, and how its numbers are packed.
pub(super) struct Packed {
    order: Order,
    residuals: Residuals,
    second: Vec<i64>,
    firsts_bytes: usize,
}

impl Packed {
    /// Asks each order what it would cost. There are at least three numbers.
    pub(super) fn plan(numbers: &[i64], deltas: &[i64]) -> Self {
        let second = of(deltas);
        let cost = |first: Option<&i64>| first.map_or(0, |first| varint_bytes(zigzag(*first)));
        let (one, two) = (cost(numbers.first()), cost(numbers.first()) + cost(deltas.first()));
        let plans = [
            (Order::Zero, Residuals::plan(numbers), 0),
            (Order::One, Residuals::plan(deltas), one),
            (Order::Two, Residuals::plan(&second), two),
        ];
        let [zero, one, two] = plans;
        let bytes = |plan: &(Order, Residuals, usize)| plan.1.bytes + plan.2;
        let mut best = zero;
        for plan in [one, two] {
            if bytes(&plan) < bytes(&best) {
                best = plan;
            }
        }
        let (order, residuals, firsts_bytes) = best;
        Self { order, residuals, second, firsts_bytes }
    }

    /// What [`Packed::encode`] will append.
    pub(super) const fn bytes(&self) -> usize {
        self.firsts_bytes + self.residuals.bytes
    }

    pub(super) const fn encoding(&self) -> Encoding {
        match (self.order, self.residuals.is_patched()) {
            (Order::Zero, false) => Encoding::Packed,
            (Order::One, false) => Encoding::Delta,
            (Order::Two, false) => Encoding::DeltaDelta,
            (Order::Zero, true) => Encoding::PatchedPacked,
            (Order::One, true) => Encoding::PatchedDelta,
            (Order::Two, true) => Encoding::PatchedDeltaDelta,
        }
    }

    /// Appends what was planned, for the numbers that it was planned for.
    pub(super) fn encode(&self, numbers: &[i64], deltas: &[i64], out: &mut Vec<u8>) {
        let (firsts, rest) = match self.order {
            Order::Zero => (0, numbers),
            Order::One => (1, deltas),
            Order::Two => (2, self.second.as_slice()),
        };
        for first in [numbers.first(), deltas.first()].into_iter().take(firsts).flatten() {
            encode_varint(zigzag(*first), out);
        }
        self.residuals.encode(rest, out);
    }
}

/// Reads into all of `out` what [`Packed::encode`] wrote; returns the bytes used.
pub(super) fn decode<T: Word>(
    encoding: Encoding,
    bytes: &[u8],
    out: &mut [T],
) -> Result<usize, Error> {
    let (order, patched) = match encoding {
        Encoding::Packed => (Order::Zero, false),
        Encoding::Delta => (Order::One, false),
        Encoding::DeltaDelta => (Order::Two, false),
        Encoding::PatchedPacked => (Order::Zero, true),
        Encoding::PatchedDelta => (Order::One, true),
        Encoding::PatchedDeltaDelta => (Order::Two, true),
        _ => return Err(encoding.misplaced()),
    };
    let mut used = 0;
    let mut firsts = [0; 2];
    for first in firsts.iter_mut().take(order as usize) {
        let (number, len) = decode_varint(bytes.get(used..).unwrap_or_default())?;
        *first = unzigzag(number);
        used += len;
    }
    let rest = out.get_mut(order as usize..).unwrap_or_default();
    let frame = residuals::decode(bytes.get(used..).unwrap_or_default(), patched, rest)?;
    match (order, frame.zigzagged) {
        (Order::Zero, false) => add_base(frame.base, |d| d, out),
        (Order::Zero, true) => add_base(frame.base, unzigzagged, out),
        (Order::One, false) => sum(firsts, frame.base, |d| d, out),
        (Order::One, true) => sum(firsts, frame.base, unzigzagged, out),
        (Order::Two, false) => sum_twice(firsts, frame.base, |d| d, out),
        (Order::Two, true) => sum_twice(firsts, frame.base, unzigzagged, out),
    }
    Ok(used + frame.used)
}

#[inline]
const fn unzigzagged(distance: i64) -> i64 {
    unzigzag(distance.cast_unsigned())
}

#[inline]
fn add_base<T: Word>(base: i64, signed: impl Fn(i64) -> i64, out: &mut [T]) {
    for slot in out {
        *slot = T::from_int(base.wrapping_add(signed(slot.int())));
    }
}

#[inline]
fn sum<T: Word>([first, _]: [i64; 2], base: i64, signed: impl Fn(i64) -> i64, out: &mut [T]) {
    let Some((start, rest)) = out.split_first_mut() else { return };
    *start = T::from_int(first);
    let mut number = first;
    for slot in rest {
        number = number.wrapping_add(base.wrapping_add(signed(slot.int())));
        *slot = T::from_int(number);
    }
}

#[inline]
fn sum_twice<T: Word>(
    [first, delta]: [i64; 2],
    base: i64,
    signed: impl Fn(i64) -> i64,
    out: &mut [T],
) {
    let [start, second, rest @ ..] = out else { return sum([first, delta], 0, |d| d, out) };
    let (mut number, mut delta) = (first.wrapping_add(delta), delta);
    *start = T::from_int(first);
    *second = T::from_int(number);
    for slot in rest {
        delta = delta.wrapping_add(base.wrapping_add(signed(slot.int())));
        number = number.wrapping_add(delta);
        *slot = T::from_int(number);
    }
}
