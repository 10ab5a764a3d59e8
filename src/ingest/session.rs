//! What one connection is likely to send next.
//!
//! Senders repeat themselves: the series of this scrape are those of the last, in the same order.
//! So each series remembers the one that came after it, and a guess that is right costs a look at
//! the next few bytes of an array instead of a probe of the registry, which misses every cache
//! (0.1 µs, a third of what a sample may cost).

use crate::ingest::line::Field;
use crate::ingest::remote_write::Symbol;
use crate::model::{Registry, SeriesKey, SeriesRef, TimeRange};

/// How long a series is expected without asking the registry again. A series is retired at the
/// earliest when its partition is sealed, 10 minutes after its last row.
const EXPECTATION_NANOS: i64 = 5 * 60 * 1_000_000_000;

/// Slots for metadata already sent: a sender has hundreds to thousands of metrics, a target of a
/// thousand some dozens.
const METADATA_SLOTS_MAX: usize = 4096;
/// Slots at first.
const METADATA_SLOTS_MIN: usize = 64;
/// Slots for each metric, so that two seldom meet in one.
const METADATA_SPREAD: usize = 8;

/// Symbols of an ordinary request: 2,000 samples have some hundred to some thousand.
const SYMBOLS_KEPT: usize = 8192;

/// The memory of one connection: what it sends again and again, and scratch space. Bounded.
#[derive(Debug, Default)]
pub struct Session {
    expected: Expected,
    metadata: Vec<SeriesKey>,
    /// How many of them are taken.
    metadata_count: usize,
    /// The end of the registry's window when the session began to learn: the clock it has.
    since: i64,
    /// Series of the last exposition whose rows had its time.
    pub(super) present: Vec<SeriesRef>,
    /// Bytes put together for a key.
    pub(super) bytes: Vec<u8>,
    /// Labels spelled out from symbols.
    pub(super) spelled: Vec<u8>,
    /// Symbols of the request at hand.
    pub(super) symbols: Vec<Symbol>,
    /// Fields of the line at hand.
    pub(super) fields: Vec<Field>,
}

impl Session {
    /// One that expects nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that it holds.
    pub fn size_bytes(&self) -> usize {
        self.expected.size_bytes()
            + self.metadata.capacity() * size_of::<SeriesKey>()
            + self.present.capacity() * size_of::<SeriesRef>()
            + self.bytes.capacity()
            + self.spelled.capacity()
            + self.symbols.capacity() * size_of::<Symbol>()
            + self.fields.capacity() * size_of::<Field>()
    }

    /// Series of the last [`exposition`](super::exposition) whose rows had its time: what is not among
    /// them any more has ended. A series that came twice stands there twice.
    pub fn present(&self) -> &[SeriesRef] {
        &self.present
    }

    /// Makes it expect nothing. For when a batch was not written: metadata in it counts as sent.
    pub fn forget(&mut self) {
        self.expected.clear();
        self.metadata.clear();
        self.metadata_count = 0;
    }

    /// Starts a request: forgets what was learned too long ago or is too much.
    pub(super) fn begin(&mut self, window: TimeRange, predictions_max: usize) {
        let now = window.end().nanos();
        if now.saturating_sub(self.since) > EXPECTATION_NANOS || now < self.since {
            self.forget();
            self.since = now;
        }
        self.expected.entries_max = predictions_max.min(u32::MAX as usize - 1);
    }

    /// Gives back scratch space that one large request took.
    pub(super) fn release(&mut self) {
        self.symbols.clear();
        self.symbols.shrink_to(SYMBOLS_KEPT);
    }

    /// The series of `key`: by expectation, else from the registry.
    #[inline]
    pub(super) fn find(&mut self, key: SeriesKey, registry: &dyn Registry) -> Option<SeriesRef> {
        if let Some(series) = self.expected.next(key) {
            return Some(series);
        }
        let series = registry.find(key)?;
        self.expected.learn(key, series);
        Some(series)
    }

    /// Expects `key` from now on.
    pub(super) fn learn(&mut self, key: SeriesKey, series: SeriesRef) {
        self.expected.learn(key, series);
    }

    /// Whether metadata with this key was not seen lately; it is from now on.
    pub(super) fn is_news(&mut self, key: SeriesKey) -> bool {
        self.widen_news();
        match self.news_slot(key) {
            Some(slot) if *slot == key => false,
            Some(slot) => {
                let is_free = *slot == SeriesKey(0);
                *slot = key;
                self.metadata_count += usize::from(is_free);
                true
            }
            None => true,
        }
    }

    /// Metadata with this key was not taken after all.
    pub(super) fn forget_news(&mut self, key: SeriesKey) {
        if let Some(slot) = self.news_slot(key) {
            *slot = SeriesKey(0);
        }
    }

    fn news_slot(&mut self, key: SeriesKey) -> Option<&mut SeriesKey> {
        let slots = self.metadata.len().max(1);
        self.metadata.get_mut(key.0 as usize % slots)
    }

    /// Makes room before slots are scarce.
    fn widen_news(&mut self) {
        let wanted = (self.metadata_count * METADATA_SPREAD).next_power_of_two();
        let wanted = wanted.clamp(METADATA_SLOTS_MIN, METADATA_SLOTS_MAX);
        if self.metadata.len() >= wanted {
            return;
        }
        let known = std::mem::replace(&mut self.metadata, vec![SeriesKey(0); wanted]);
        for key in known.into_iter().filter(|key| *key != SeriesKey(0)) {
            if let Some(slot) = self.news_slot(key) {
                *slot = key;
            }
        }
    }
}

const NONE: u32 = u32::MAX;

/// Series in the order they first came, each with a guess at its successor.
#[derive(Debug)]
struct Expected {
    keys: Vec<u128>,
    series: Vec<SeriesRef>,
    /// Index of the entry that came after this one the last time.
    nexts: Vec<u32>,
    /// By low bits of the key: an index, [`NONE`] where there is none. A colliding entry takes the
    /// slot; the older one is then known by its neighbour only.
    slots: Vec<u32>,
    last: u32,
    entries_max: usize,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            series: Vec::new(),
            nexts: Vec::new(),
            slots: Vec::new(),
            last: NONE,
            entries_max: 0,
        }
    }
}

impl Expected {
    fn size_bytes(&self) -> usize {
        self.keys.capacity() * 16
            + self.series.capacity() * 8
            + (self.nexts.capacity() + self.slots.capacity()) * 4
    }

    fn clear(&mut self) {
        *self = Self { entries_max: self.entries_max, ..Self::default() };
    }

    #[inline]
    fn next(&mut self, key: SeriesKey) -> Option<SeriesRef> {
        let guess = self.nexts.get(self.last as usize).copied().unwrap_or(NONE);
        if self.keys.get(guess as usize) == Some(&key.0) {
            self.last = guess;
            return self.series.get(guess as usize).copied();
        }
        self.jump(key)
    }

    /// The sender did something else this time; remember that instead.
    fn jump(&mut self, key: SeriesKey) -> Option<SeriesRef> {
        let index = self.slots.get(self.slot(key.0)).copied()?;
        if self.keys.get(index as usize) != Some(&key.0) {
            return None;
        }
        self.follow(index);
        self.series.get(index as usize).copied()
    }

    #[cold]
    fn learn(&mut self, key: SeriesKey, series: SeriesRef) {
        if self.keys.len() >= self.entries_max {
            self.clear();
            if self.entries_max == 0 {
                return;
            }
        }
        let Ok(index) = u32::try_from(self.keys.len()) else { return };
        self.keys.push(key.0);
        self.series.push(series);
        self.nexts.push(index + 1);
        self.follow(index);
        if self.slots.len() < self.keys.len() * 2 {
            self.widen();
        } else {
            self.place(index, key.0);
        }
    }

    fn follow(&mut self, index: u32) {
        if let Some(next) = self.nexts.get_mut(self.last as usize) {
            *next = index;
        }
        self.last = index;
    }

    fn widen(&mut self) {
        self.slots.clear();
        self.slots.resize((self.keys.len() * 4).next_power_of_two().max(64), NONE);
        let keys = std::mem::take(&mut self.keys);
        for (index, key) in (0..).zip(&keys) {
            self.place(index, *key);
        }
        self.keys = keys;
    }

    fn place(&mut self, index: u32, key: u128) {
        let slot = self.slot(key);
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = index;
        }
    }

    fn slot(&self, key: u128) -> usize {
        key as usize & self.slots.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::model::{Door, Error, Label, TenantId, Timestamp};

    /// Knows every key, and counts how often it is asked.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Registry for Counting {
        fn key(&self, _: TenantId, _: Door, _: &[u8]) -> SeriesKey {
            SeriesKey(0)
        }
        fn find(&self, key: SeriesKey) -> Option<SeriesRef> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Some(SeriesRef(u64::try_from(key.0).unwrap() * 10))
        }
        fn register(
            &self,
            _: TenantId,
            _: &[&[Label<'_>]],
            _: &mut Vec<SeriesRef>,
        ) -> Result<(), Error> {
            Ok(())
        }
        fn bind(&self, _: SeriesKey, _: SeriesRef) {}
        fn window(&self) -> TimeRange {
            TimeRange::ALL
        }
    }

    fn asked(
        session: &mut Session,
        registry: &Counting,
        keys: impl Iterator<Item = u128>,
    ) -> usize {
        let before = registry.0.load(Ordering::Relaxed);
        for key in keys {
            let found = session.find(SeriesKey(key), registry).unwrap();
            assert_eq!(u128::from(found.0), key * 10);
        }
        registry.0.load(Ordering::Relaxed) - before
    }

    #[test]
    fn what_came_before_is_not_asked_again_in_whatever_order() {
        let (mut session, registry) = (Session::new(), Counting::default());
        session.begin(TimeRange::ALL, 1000);
        assert_eq!(asked(&mut session, &registry, 0..300), 300);
        assert_eq!(asked(&mut session, &registry, 0..300), 0);
        assert_eq!(asked(&mut session, &registry, (100..300).chain(0..100)), 0);
        assert_eq!(asked(&mut session, &registry, (0..50).chain(400..410).chain(60..300)), 10);
        assert_eq!(asked(&mut session, &registry, (0..50).chain(400..410).chain(60..300)), 0);
    }

    #[test]
    fn memory_is_bounded_and_answers_stay_right_when_it_overflows() {
        let (mut session, registry) = (Session::new(), Counting::default());
        for _ in 0..3 {
            session.begin(TimeRange::ALL, 100);
            asked(&mut session, &registry, 0..1000);
            assert!(session.size_bytes() < 100 * 64, "{}", session.size_bytes());
        }
        session.begin(TimeRange::ALL, 0);
        asked(&mut session, &registry, 0..10);
    }

    #[test]
    fn after_five_minutes_the_registry_is_asked_again() {
        let (mut session, registry) = (Session::new(), Counting::default());
        let window = |end| TimeRange::new(Timestamp(0), Timestamp(end)).unwrap();
        let start = EXPECTATION_NANOS * 100;
        session.begin(window(start), 100);
        assert_eq!(asked(&mut session, &registry, 0..10), 10);
        session.begin(window(start + EXPECTATION_NANOS), 100);
        assert_eq!(asked(&mut session, &registry, 0..10), 0);
        session.begin(window(start + EXPECTATION_NANOS + 1), 100);
        assert_eq!(asked(&mut session, &registry, 0..10), 10);
    }

    #[test]
    fn metadata_is_news_once() {
        let mut session = Session::new();
        let keys = || (1..500_u128).map(|key| SeriesKey(key * 0x9e37_79b9_7f4a_7c15));
        assert!(session.size_bytes() < 100);
        assert_eq!(keys().filter(|key| session.is_news(*key)).count(), 499);
        let again = keys().filter(|key| session.is_news(*key)).count();
        assert!(again < 100, "{again} were forgotten");
        assert!(session.is_news(SeriesKey(5)));
        assert!(!session.is_news(SeriesKey(5)));
        session.forget();
        assert!(session.is_news(SeriesKey(5)));
    }
}
