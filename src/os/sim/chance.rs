//! Random numbers of one seed.
//!
//! `SplitMix64`: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `last`, both in.
    pub(super) fn up_to(&mut self, last: usize) -> usize {
        let count = u128::try_from(last).unwrap_or(u128::MAX).saturating_add(1);
        // Multiply and shift: Lemire, "Fast random integer generation in an interval", 2019.
        let scaled = (u128::from(self.next()) * count) >> 64;
        usize::try_from(scaled).unwrap_or(last)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.up_to(99) < percent
    }

    pub(super) fn coin(&mut self) -> bool {
        self.percent(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_within_bounds() {
        let draw = |seed| {
            let mut chance = Chance::seeded(seed);
            (0..1_000).map(|_| chance.up_to(6)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        for wanted in 0..=6 {
            assert!(draw(3).contains(&wanted), "{wanted} never came");
        }
        assert!(draw(3).iter().all(|&drawn| drawn <= 6));
    }
}
