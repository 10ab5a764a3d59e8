//! XOR chunks: second differences of times, and the bits in which each value differs.

use super::bits::Bits;

/// The bits in which the XOR before had ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    leading: u32,
    trailing: u32,
}

impl Window {
    /// None written yet: no XOR fits.
    pub(super) const NONE: Self = Self { leading: u32::MAX, trailing: 0 };

    /// The bits in which `value` differs from the one before.
    pub(super) fn put(&mut self, before: u64, value: u64, out: &mut Bits) {
        let xor = before ^ value;
        if xor == 0 {
            return out.bit(false);
        }
        // Five bits tell how many zeros lead.
        let (leading, trailing) = (xor.leading_zeros().min(31), xor.trailing_zeros());
        if leading >= self.leading && trailing >= self.trailing {
            out.put(0b10, 2);
            return out.put(xor >> self.trailing, 64 - self.leading - self.trailing);
        }
        let meaningful = 64 - leading - trailing;
        out.put(0b11, 2);
        out.put(u64::from(leading), 5);
        // 64 does not fit in six bits, and 0 is no width.
        out.put(u64::from(meaningful & 63), 6);
        out.put(xor >> trailing, meaningful);
        *self = Self { leading, trailing };
    }
}

/// A chunk that grows.
#[derive(Clone, Debug)]
pub(super) struct XorChunk {
    rows: u16,
    bits: Bits,
    time: i64,
    delta: i64,
    value: u64,
    window: Window,
}

impl XorChunk {
    pub(super) fn new() -> Self {
        let bits = Bits::after(vec![0, 0]);
        Self { rows: 0, bits, time: 0, delta: 0, value: 0, window: Window::NONE }
    }

    pub(super) fn push(&mut self, time: i64, value: f64) {
        let value = value.to_bits();
        match self.rows {
            0 => {
                self.bits.varint(time);
                self.bits.put(value, 64);
            }
            1 => {
                self.delta = time.wrapping_sub(self.time);
                self.bits.uvarint(self.delta.cast_unsigned());
                self.window.put(self.value, value, &mut self.bits);
            }
            _ => {
                let delta = time.wrapping_sub(self.time);
                self.put_change(delta.wrapping_sub(self.delta));
                self.delta = delta;
                self.window.put(self.value, value, &mut self.bits);
            }
        }
        (self.time, self.value) = (time, value);
        self.rows += 1;
    }

    fn put_change(&mut self, change: i64) {
        const CLASSES: [(u64, u32, u32); 3] = [(0b10, 2, 14), (0b110, 3, 17), (0b1110, 4, 20)];
        if change == 0 {
            return self.bits.bit(false);
        }
        for (head, head_bits, width) in CLASSES {
            let half = 1_i64 << (width - 1);
            if -half < change && change <= half {
                self.bits.put(head, head_bits);
                return self.bits.put(change.cast_unsigned(), width);
            }
        }
        self.bits.put(0b1111, 4);
        self.bits.put(change.cast_unsigned(), 64);
    }

    /// The chunk as it is stored and sent.
    pub(super) fn bytes(mut self) -> Vec<u8> {
        if let Some(head) = self.bits.bytes.first_chunk_mut::<2>() {
            *head = self.rows.to_be_bytes();
        }
        self.bits.bytes
    }
}
