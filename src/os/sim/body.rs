//! One file: what reads see, what is durable, and what is pending between the two.

use std::cmp::Ordering;

use crate::os::sim::chance::Chance;

/// What a device writes whole or not at all.
const SECTOR_SIZE: usize = 512;

#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    visible: Vec<u8>,
    durable: Vec<u8>,
    /// In the order of the calls.
    pending: Vec<Change>,
    /// Names it has.
    pub(super) links: u32,
    /// Handles that are open.
    pub(super) opens: u32,
}

#[derive(Clone, Debug)]
enum Change {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    /// A write whose bytes a failed sync has lost: only the growth of the file is left of it.
    Grow(usize),
    Truncate(usize),
}

/// What a power cut leaves of the pending changes of one file.
#[derive(Clone, Copy)]
enum Fate {
    All,
    Nothing,
    /// The first so many whole, the next one torn.
    Prefix(usize),
    /// Each whole, torn, or not at all: as if the device had reordered them.
    Subset,
    /// The lengths arrived, the bytes did not.
    Zeros,
    /// Each in its own way.
    Mixed,
}

/// What a power cut leaves of one change.
#[derive(Clone, Copy)]
enum Landing {
    Whole,
    Torn,
    LengthOnly,
    Lost,
}

impl Fate {
    fn landing(self, index: usize, chance: &mut Chance) -> Landing {
        match self {
            Self::All => Landing::Whole,
            Self::Nothing => Landing::Lost,
            Self::Zeros => Landing::LengthOnly,
            Self::Prefix(whole) => match index.cmp(&whole) {
                Ordering::Less => Landing::Whole,
                Ordering::Equal => Landing::Torn,
                Ordering::Greater => Landing::Lost,
            },
            Self::Subset => match chance.up_to(9) {
                0..4 => Landing::Lost,
                4..6 => Landing::Torn,
                _ => Landing::Whole,
            },
            Self::Mixed => match chance.up_to(3) {
                0 => Landing::Lost,
                1 => Landing::Torn,
                2 => Landing::LengthOnly,
                _ => Landing::Whole,
            },
        }
    }
}

impl Body {
    /// A file on a disk just started: all of it durable.
    pub(super) fn settled(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), visible: bytes, ..Self::default() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.visible
    }

    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.visible.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        put(&mut self.visible, offset, bytes);
        self.pending.push(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn truncate(&mut self, size: usize) {
        self.visible.resize(size, 0);
        self.pending.push(Change::Truncate(size));
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// The device refused: the system has dropped the pages, and marked them clean.
    pub(super) fn sync_failed(&mut self) {
        for change in &mut self.pending {
            *change = std::mem::replace(change, Change::Grow(0)).without_bytes();
        }
    }

    /// Changes the bytes on the device and those in memory, behind the back of everyone.
    pub(super) fn damage(&mut self, change: impl Fn(&mut Vec<u8>)) {
        self.sync();
        change(&mut self.durable);
        change(&mut self.visible);
    }

    /// What is in the file after a power cut now.
    pub(super) fn after_cut(&self, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let fate = self.draw_fate(chance);
        for (index, change) in self.pending.iter().enumerate() {
            for left in change.clone().landed(fate.landing(index, chance), chance) {
                left.apply(&mut bytes);
            }
        }
        bytes
    }

    fn draw_fate(&self, chance: &mut Chance) -> Fate {
        match chance.up_to(5) {
            0 => Fate::All,
            1 => Fate::Nothing,
            2 => Fate::Prefix(chance.up_to(self.pending.len())),
            3 => Fate::Subset,
            4 => Fate::Zeros,
            _ => Fate::Mixed,
        }
    }
}

impl Change {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(to, offset, &bytes),
            Self::Grow(size) => to.resize(size.max(to.len()), 0),
            Self::Truncate(size) => to.resize(size, 0),
        }
    }

    fn landed(self, landing: Landing, chance: &mut Chance) -> Vec<Self> {
        match landing {
            Landing::Whole => vec![self],
            Landing::Torn => self.torn(chance),
            Landing::LengthOnly => vec![self.without_bytes()],
            Landing::Lost => Vec::new(),
        }
    }

    /// Only the change of length. What was durable in its place is still there.
    fn without_bytes(self) -> Self {
        match self {
            Self::Write { offset, bytes } => Self::Grow(offset.saturating_add(bytes.len())),
            other @ (Self::Grow(_) | Self::Truncate(_)) => other,
        }
    }

    /// A part of a write. Lengths change whole.
    fn torn(self, chance: &mut Chance) -> Vec<Self> {
        let Self::Write { offset, mut bytes } = self else { return vec![self] };
        let kept = chance.up_to(bytes.len());
        match chance.up_to(2) {
            0 => bytes.truncate(kept),
            1 => bytes.truncate(whole_sectors(offset, kept)),
            _ => return some_sectors(offset, &bytes, chance),
        }
        vec![Self::Write { offset, bytes }]
    }
}

/// Some sectors of a write, and now and then its length though the last of them is missing.
fn some_sectors(offset: usize, bytes: &[u8], chance: &mut Chance) -> Vec<Change> {
    let mut left = Vec::new();
    if chance.coin() {
        left.push(Change::Grow(offset.saturating_add(bytes.len())));
    }
    let (first, rest) = bytes.split_at(bytes.len().min(SECTOR_SIZE - offset % SECTOR_SIZE));
    let mut start = offset;
    for sector in std::iter::once(first).chain(rest.chunks(SECTOR_SIZE)) {
        if chance.coin() {
            left.push(Change::Write { offset: start, bytes: sector.to_vec() });
        }
        start = start.saturating_add(sector.len());
    }
    left
}

fn put(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset.saturating_add(bytes.len());
    if to.len() < end {
        to.resize(end, 0);
    }
    if let Some(place) = to.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// How many of `kept` bytes at `offset` lie before the last border of sectors.
fn whole_sectors(offset: usize, kept: usize) -> usize {
    let end = offset.saturating_add(kept);
    kept.saturating_sub(end % SECTOR_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(body: &Body) -> Vec<Vec<u8>> {
        (0..400).map(|seed| body.after_cut(&mut Chance::seeded(seed))).collect()
    }

    #[test]
    fn synced_bytes_survive_every_cut_and_pending_ones_every_way() {
        let mut body = Body::default();
        body.write(0, b"safe");
        body.sync();
        body.write(4, &[b'x'; 2_000]);
        body.write(2_004, b"tail");
        let seen = outcomes(&body);
        assert!(seen.iter().all(|bytes| bytes.starts_with(b"safe")));
        let any = |what: &str, test: &dyn Fn(&[u8]) -> bool| {
            assert!(seen.iter().any(|bytes| test(bytes)), "never {what}");
        };
        any("nothing", &|bytes| bytes == b"safe");
        any("all", &|bytes| bytes == body.bytes());
        any("the later write without the earlier", &|bytes| {
            bytes.ends_with(b"tail") && bytes[4..2_004].iter().all(|&byte| byte == 0)
        });
        any("zeros of the right length", &|bytes| {
            bytes.len() == 2_008 && bytes[4..].iter().all(|&byte| byte == 0)
        });
        any("a tear at a byte", &|bytes| bytes.len() > 4 && bytes.len() % SECTOR_SIZE != 0);
        any("a tear at a sector", &|bytes| bytes.len() == 3 * SECTOR_SIZE);
    }

    #[test]
    fn a_cut_back_that_was_not_synced_may_be_lost() {
        let mut body = Body::settled(b"record torn".to_vec());
        body.truncate(6);
        body.write(6, b"!");
        let seen = outcomes(&body);
        assert!(seen.contains(&b"record!".to_vec()));
        assert!(seen.contains(&b"record!torn".to_vec()));
    }

    #[test]
    fn a_failed_sync_loses_bytes_for_good_but_reads_still_see_them() {
        let mut body = Body::settled(b"old".to_vec());
        body.write(0, b"new");
        body.write(3, b"er");
        body.sync_failed();
        body.write(5, b"+");
        body.sync();
        assert_eq!(body.bytes(), b"newer+");
        assert!(outcomes(&body).iter().all(|bytes| bytes == b"old\0\0+"));
    }
}
