//! Names and values of labels of all series, from dictionaries: no series is walked, none is sorted.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::model::{self, Ask, TimeRange, Timestamp};

use super::{
    catalog::{Catalog, Index, Slot},
    db::Db,
    error::Error,
    file::{BlockLabels, DataFile},
    head::Generation,
    live::Live,
    select::{overlaps, tier_range},
    tier::TierView,
};

impl Db {
    /// Names of the labels of all series that may have a row in the range, sorted.
    pub(super) fn all_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, model::Error> {
        let of_block = |labels: &BlockLabels, out: &mut BTreeSet<String>| {
            for name in labels.names() {
                if !out.contains(name)
                    && labels.of_name(name).any(|pair| labels.postings_len(pair as usize) > 0)
                {
                    out.insert(name.to_owned());
                }
            }
        };
        let of_catalog = |index: &Index, seen: &Seen<'_>, out: &mut BTreeSet<String>| {
            for name in index.pairs().names() {
                let mut pairs = index.pairs().of_name(name).iter();
                if !out.contains(name) && pairs.any(|pair| seen.has_pair(index, *pair)) {
                    out.insert(name.to_owned());
                }
            }
        };
        let mut out = BTreeSet::new();
        self.each_dictionary(ask, &mut out, of_block, of_catalog)?;
        Ok(out.into_iter().collect())
    }

    /// Values that a label has on all series that may have a row in the range, sorted.
    pub(super) fn all_values(
        &self,
        ask: &Ask<'_>,
        name: &str,
    ) -> Result<Vec<String>, model::Error> {
        let of_block = |labels: &BlockLabels, out: &mut Vec<String>| {
            let pairs = labels.of_name(name).filter(|it| labels.postings_len(*it as usize) > 0);
            add_new(pairs.map(|pair| (labels.pair(pair).1, pair)), |_| true, out);
        };
        let of_catalog = |index: &Index, seen: &Seen<'_>, out: &mut Vec<String>| {
            let pairs = index.pairs().of_name(name).iter().copied();
            let values = pairs.map(|pair| (index.pairs().text(pair).1, pair));
            add_new(values, |(_, pair)| seen.has_pair(index, *pair), out);
        };
        let mut out = Vec::new();
        self.each_dictionary(ask, &mut out, of_block, of_catalog)?;
        ask.budget.use_memory(out.iter().map(|value| value.len() + size_of::<String>()).sum())?;
        Ok(out)
    }

    /// Shows the dictionaries of all files and heads that may have rows in the range.
    fn each_dictionary<T>(
        &self,
        ask: &Ask<'_>,
        out: &mut T,
        of_block: impl Fn(&BlockLabels, &mut T),
        of_catalog: impl Fn(&Index, &Seen<'_>, &mut T),
    ) -> Result<(), model::Error> {
        let live = self.live();
        let tiers = TierView::new(&live, ask.scope.tier)?;
        let oldest = Timestamp(self.seen_from());
        let range = TimeRange::new(ask.range.start().max(oldest), ask.range.end());
        let of_tiers = tier_range(&tiers, ask.range);
        let is_in = |file: &&std::sync::Arc<DataFile>, range: Option<TimeRange>| {
            file.is_block() && range.is_some_and(|range| overlaps(file, range))
        };
        let rows = live.files.iter().filter(|file| is_in(file, range));
        for file in rows.chain(live.tiers.iter().filter(|file| is_in(file, of_tiers))) {
            ask.budget.check()?;
            of_block(file.labels()?, out);
        }
        let Some(range) = range else { return Ok(()) };
        self.catalog.with(|index| {
            let seen = Seen::new(&self.catalog, index, &live, range)?;
            if !seen.is_empty() {
                of_catalog(index, &seen, out);
            }
            Ok(())
        })
    }
}

/// Adds the values that are not there yet and that are wanted to sorted ones. Days are much alike, so
/// what is known is asked first.
fn add_new<'a>(
    values: impl Iterator<Item = (&'a str, u32)>,
    is_wanted: impl Fn(&(&'a str, u32)) -> bool,
    out: &mut Vec<String>,
) {
    let known = out.len();
    for value in values {
        let is_known =
            |known: &[String]| known.binary_search_by(|it| it.as_str().cmp(value.0)).is_ok();
        if !out.get(..known).is_some_and(is_known) && is_wanted(&value) {
            out.push(value.0.to_owned());
        }
    }
    if out.len() > known {
        out.sort();
    }
}

/// The series of the catalog that may have a row in a range.
struct Seen<'a> {
    visible: Slot,
    parts: Vec<&'a RoaringBitmap>,
    heads: Vec<&'a Generation>,
}

impl<'a> Seen<'a> {
    fn new(
        catalog: &Catalog,
        index: &Index,
        live: &'a Live,
        range: TimeRange,
    ) -> Result<Self, Error> {
        let parts = live.files.iter().filter(|file| !file.is_block() && overlaps(file, range));
        let is_in = |head: &&Generation| {
            let times = head.times();
            let span = times.and_then(|it| TimeRange::closed(Timestamp(it.0), Timestamp(it.1)));
            span.is_some_and(|span| span.overlaps(range))
        };
        Ok(Self {
            visible: catalog.visible(),
            parts: parts.map(|file| file.slots(index)).collect::<Result<_, _>>()?,
            heads: live.heads().map(|head| &**head).filter(is_in).collect(),
        })
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.heads.is_empty()
    }

    /// Whether a series that has a pair is among them: nearly always the first that is looked at.
    fn has_pair(&self, index: &Index, pair: u32) -> bool {
        index.any_posting(pair, |slot| {
            slot < self.visible
                && (self.parts.iter().any(|part| part.contains(slot))
                    || self.heads.iter().any(|head| head.has_rows(slot)))
        })
    }
}
