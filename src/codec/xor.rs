//! One float after another: the same, a small integer step, or the bits in which it differs.
//!
//! | bits, first to last | meaning |
//! | --- | --- |
//! | `0` | the value before, again |
//! | `1 0`, window | XOR with the value before, in the window of the XOR before |
//! | `1 1 0`, leading (5), meaningful - 1 (6), meaningful bits | XOR in a window of its own |
//! | `1 1 1`, class (2), step (6, 12, 18 or 32) | both are whole numbers; zigzagged difference |
//!
//! Idea: Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.2. The step is ours: counters grow by
//! small whole numbers, of which XOR sees 20 bits and more.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "windows are below 64 bits; whole numbers are checked to come back exactly"
)]

use super::bits::{PEEK_BITS, Reader, mask};
use super::varint::{unzigzag, zigzag};

/// Bits of a step, by class.
const STEP_BITS: [u32; 4] = [6, 12, 18, 32];
/// Control bits and header of an XOR with its own window.
const WINDOW_BITS: u32 = 3 + 5 + 6;
/// Whole numbers below this are exact in a float, and so are their neighbours.
const WHOLE_MAX: u64 = 1 << 53;

/// The bits in which the XOR before had ones. `meaningful` 0: there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    leading: u8,
    meaningful: u8,
}

/// How one value is written: `head` first, then `body`; bits over their lengths are zero.
#[derive(Clone, Copy)]
pub(super) struct Code {
    pub(super) head: u64,
    pub(super) head_bits: u32,
    pub(super) body: u64,
    pub(super) body_bits: u32,
}

impl Code {
    const SAME: Self = Self { head: 0, head_bits: 1, body: 0, body_bits: 0 };
}

impl Window {
    pub(super) const NONE: Self = Self { leading: 0, meaningful: 0 };

    /// The shortest code for `value` after `last`, and the window after it.
    #[inline]
    pub(super) fn encode(self, last: u64, value: u64) -> (Code, Self) {
        let xor = last ^ value;
        if xor == 0 {
            return (Code::SAME, self);
        }
        let (code, window) = self.encode_xor(xor);
        if code.head_bits + code.body_bits > 3 + 2 + STEP_BITS[0]
            && let Some(step) = encode_step(last, value)
            && step.head_bits + step.body_bits < code.head_bits + code.body_bits
        {
            return (step, self);
        }
        (code, window)
    }

    #[inline]
    fn encode_xor(self, xor: u64) -> (Code, Self) {
        let leading = xor.leading_zeros().min(31);
        let trailing = xor.trailing_zeros();
        let meaningful = 64 - leading - trailing;
        let (old_leading, old_meaningful) = (u32::from(self.leading), u32::from(self.meaningful));
        let old_trailing = 64 - old_leading - old_meaningful;
        if leading >= old_leading
            && trailing >= old_trailing
            && 2 + old_meaningful <= WINDOW_BITS + meaningful
        {
            let body = xor.checked_shr(old_trailing).unwrap_or(0);
            return (Code { head: 0b01, head_bits: 2, body, body_bits: old_meaningful }, self);
        }
        let head = 0b011 | u64::from(leading) << 3 | u64::from(meaningful - 1) << 8;
        let code =
            Code { head, head_bits: WINDOW_BITS, body: xor >> trailing, body_bits: meaningful };
        (code, Self { leading: leading as u8, meaningful: meaningful as u8 })
    }

    /// Reads the value after `last`.
    #[expect(clippy::inline_always, reason = "a call a row costs a tenth: benches/codec.rs")]
    #[inline(always)]
    pub(super) fn decode(&mut self, last: u64, reader: &mut Reader<'_>) -> u64 {
        let word = reader.peek();
        if word & 1 == 0 {
            reader.skip(1);
            return last;
        }
        if word & 2 == 0 {
            return last ^ self.decode_xor(word >> 2, 2, reader);
        }
        if word & 4 != 0 {
            return decode_step(last, word, reader);
        }
        self.leading = (word >> 3 & 31) as u8;
        // A window that hangs over the end of the word is no writer's; it is cut, not trusted.
        self.meaningful = ((word >> 8 & 63) as u8 + 1).min(64 - self.leading);
        last ^ self.decode_xor(word >> WINDOW_BITS, WINDOW_BITS, reader)
    }

    /// Reads the bits of the window; `word` shows them, `used` bits into what the reader peeked at.
    #[inline]
    fn decode_xor(self, word: u64, used: u32, reader: &mut Reader<'_>) -> u64 {
        let meaningful = u32::from(self.meaningful);
        let trailing = 64 - u32::from(self.leading) - meaningful;
        let body = if used + meaningful <= PEEK_BITS {
            reader.skip(used + meaningful);
            word & mask(meaningful)
        } else {
            reader.skip(used);
            reader.take(meaningful)
        };
        body.checked_shl(trailing).unwrap_or(0)
    }
}

#[inline]
fn encode_step(last: u64, value: u64) -> Option<Code> {
    let step = zigzag(whole(value)? - whole(last)?);
    let class = STEP_BITS.iter().position(|bits| step <= mask(*bits))?;
    let body_bits = *STEP_BITS.get(class)?;
    Some(Code { head: 0b111 | (class as u64) << 3, head_bits: 5, body: step, body_bits })
}

#[inline]
fn decode_step(last: u64, word: u64, reader: &mut Reader<'_>) -> u64 {
    let class = word >> 3 & 3;
    let [small, middle, large, huge] = STEP_BITS;
    let bits = match class {
        0 => small,
        1 => middle,
        2 => large,
        _ => huge,
    };
    reader.skip(5 + bits);
    let step = unzigzag(word >> 5 & mask(bits));
    ((f64::from_bits(last) as i64).wrapping_add(step) as f64).to_bits()
}

/// The whole number that the float with these bits is, if it is one (-0 is none) and exact.
#[inline]
fn whole(bits: u64) -> Option<i64> {
    let number = f64::from_bits(bits) as i64;
    ((number as f64).to_bits() == bits && number.unsigned_abs() < WHOLE_MAX).then_some(number)
}
