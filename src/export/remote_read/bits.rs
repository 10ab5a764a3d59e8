//! Bits to bytes: the first bit is the highest of the first byte.

/// Nine widths of numbers, by the ones before them; the ninth is 64 bits.
const WIDTHS: [u32; 8] = [0, 3, 6, 9, 12, 18, 25, 56];

/// Takes bits.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    pub(super) bytes: Vec<u8>,
    /// Bits of the last byte that are not used yet.
    free: u32,
}

impl Bits {
    /// Behind whole bytes.
    pub(super) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, free: 0 }
    }

    /// One bit.
    pub(super) fn bit(&mut self, bit: bool) {
        self.put(u64::from(bit), 1);
    }

    /// The lowest `count` ≤ 64 bits, the highest of them first.
    #[expect(clippy::cast_possible_truncation, reason = "at most eight bits at a time")]
    pub(super) fn put(&mut self, bits: u64, mut count: u32) {
        while count > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let taken = self.free.min(count);
            let piece = (bits >> (count - taken)) & ((1 << taken) - 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= (piece as u8) << (self.free - taken);
            }
            self.free -= taken;
            count -= taken;
        }
    }

    /// A varint as Go writes it.
    pub(super) fn uvarint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(value & 0x7f | 0x80, 8);
            value >>= 7;
        }
        self.put(value, 8);
    }

    /// The same with a sign.
    pub(super) fn varint(&mut self, value: i64) {
        self.uvarint((value << 1 ^ value >> 63).cast_unsigned());
    }

    /// A number with a sign in the least of the widths that holds it.
    pub(super) fn varbit_int(&mut self, value: i64) {
        let fits = |width: &u32| {
            let half = 1_i64 << (width.max(&1) - 1);
            if *width == 0 { value == 0 } else { -half < value && value <= half }
        };
        self.varbit(WIDTHS.iter().find(|width| fits(width)), value.cast_unsigned());
    }

    /// A number in the least of the widths that holds it.
    pub(super) fn varbit_uint(&mut self, value: u64) {
        self.varbit(WIDTHS.iter().find(|width| value >> **width == 0), value);
    }

    fn varbit(&mut self, width: Option<&u32>, value: u64) {
        let Some(width) = width else {
            self.put(0xff, 8);
            return self.put(value, 64);
        };
        let ones = WIDTHS.iter().take_while(|it| *it < width).count();
        (0..ones).for_each(|_| self.bit(true));
        self.bit(false);
        self.put(value, *width);
    }
}
