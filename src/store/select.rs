//! The way out: which series match, where their rows are, and the rows themselves.

use std::{collections::HashMap, ops::Range, sync::Arc};

use roaring::RoaringBitmap;

use crate::model::{
    self, Ask, Buckets, Budget, Estimate, Facts, FloatPartial, Flow, Generation as Stamp, Grouping,
    Groups, Labels, Reading, Rows, SeriesRef, TimeRange, Timestamp, Visitor, Zone,
};

use super::{
    catalog::{Catalog, Index, Slot},
    db::Db,
    error::Error,
    file::DataFile,
    label_order::{LabelOrder, Ordered, SourceLabels},
    live::Live,
    matching::{self, Test},
    rows::{HistogramPoint, SeriesRows},
    tier::{self, Sought, TierView},
    tombstones::Deletions,
    whole::Wholes,
};

/// The catalog's number among the sources; blocks follow, by their place among the live files.
const CATALOG: u32 = 0;
/// Rows that are lent at once.
const LENT_ROWS_MAX: usize = 1024;
/// Series of the catalog below which the kept order of all is not asked for.
const SORTED_MIN: u64 = 1024;
/// And the share of all: a look at each of these costs about what one costs to be sorted.
const SORTED_SHARE: u64 = 16;
/// Candidates up to which heads are asked one by one.
const FEW: u64 = 4096;

/// Series that were selected, of one moment.
#[derive(Debug)]
pub(super) struct Picked {
    catalog: Arc<Catalog>,
    live: Live,
    range: TimeRange,
    deletions: Deletions,
    ordered: Ordered,
    tiers: TierView,
}

/// What is looked for, in one moment's files and heads.
#[derive(Clone, Copy)]
struct Search<'a> {
    tests: &'a [Test],
    live: &'a Live,
    range: TimeRange,
    budget: &'a Budget,
}

impl Db {
    /// Series that match and may have a row in the range, by labels.
    pub(super) fn pick(&self, ask: &Ask<'_>) -> Result<Picked, model::Error> {
        let tests = Test::all(ask.matchers)?;
        let live = self.live();
        let deletions = Deletions::new(&live.tombstones)?;
        let oldest = Timestamp(self.seen_from());
        let tiers = TierView::new(&live, ask.scope.tier)?;
        let range = TimeRange::new(ask.range.start().max(oldest), ask.range.end());
        let mut order = LabelOrder::default();
        // Retention may have taken the whole range.
        if let Some(range) = range {
            let search = Search { tests: &tests, live: &live, range, budget: ask.budget };
            self.add_catalog(&search, &mut order)?;
            for (place, file) in (1..).zip(&live.files) {
                if file.is_block() && overlaps(file, range) {
                    add_block(place, file, &tests, ask.budget, &mut order)?;
                }
            }
        }
        if let Some(range) = tier_range(&tiers, ask.range) {
            let first = u32::try_from(live.files.len() + 1).unwrap_or(u32::MAX);
            for (place, file) in (first..).zip(&live.tiers) {
                if overlaps(file, range) {
                    add_block(place, file, &tests, ask.budget, &mut order)?;
                }
            }
        }
        let ordered = order.sort(false);
        ask.budget.allow_series(ordered.len() as usize)?;
        ask.budget.use_memory(ordered.bytes())?;
        let range = range.unwrap_or(ask.range);
        let catalog = Arc::clone(&self.catalog);
        Ok(Picked { catalog, live, range, deletions, ordered, tiers })
    }

    /// Adds the series of the catalog that have rows in heads or parts.
    fn add_catalog(&self, search: &Search<'_>, order: &mut LabelOrder) -> Result<(), model::Error> {
        let Search { tests, live, range, budget } = *search;
        let visible = self.catalog.visible();
        self.catalog.with(|index| {
            let mut found = matching::select(index, tests).map_err(|_| in_memory())?;
            found.remove_range(visible..);
            budget.allow_series(usize::try_from(found.len()).unwrap_or(usize::MAX))?;
            let found = with_rows(index, live, range, &found)?;
            let known = is_sorted_worth_it(&found, index).then(|| self.catalog.order(index));
            let labels = SourceLabels {
                pair_count: index.pairs().len(),
                list: &|slot| index.list(slot),
                text: &|pair| index.pairs().text(pair),
                rank: &|pair| known.as_ref().map_or(pair, |known| known.rank(pair)),
            };
            match &known {
                Some(known) => {
                    let slots = known.slots().iter().copied().filter(|slot| found.contains(*slot));
                    order.add(CATALOG, &labels, slots);
                }
                None => order.add(CATALOG, &labels, found.iter()),
            }
            Ok(())
        })
    }
}

/// Whether to go through all series by labels is less than to sort those that were found.
fn is_sorted_worth_it(found: &RoaringBitmap, index: &Index) -> bool {
    found.len() >= SORTED_MIN && found.len() * SORTED_SHARE >= u64::from(index.len())
}

fn in_memory() -> model::Error {
    model::Error::Damaged("the catalog in memory is damaged: restart the server".to_owned())
}

pub(super) fn overlaps(file: &DataFile, range: TimeRange) -> bool {
    let span = TimeRange::closed(Timestamp(file.meta.times.0), Timestamp(file.meta.times.1));
    span.is_some_and(|span| span.overlaps(range))
}

/// Those of `wanted` that have a row in a head or part that overlaps `range`.
fn with_rows(
    index: &Index,
    live: &Live,
    range: TimeRange,
    wanted: &RoaringBitmap,
) -> Result<RoaringBitmap, model::Error> {
    let mut found = RoaringBitmap::new();
    for file in live.files.iter().filter(|file| !file.is_block() && overlaps(file, range)) {
        found |= file.slots(index)? & wanted;
    }
    for head in live.heads() {
        let span = head
            .times()
            .and_then(|(first, last)| TimeRange::closed(Timestamp(first), Timestamp(last)));
        if !span.is_some_and(|span| span.overlaps(range)) {
            continue;
        }
        let missing = wanted - &found;
        if missing.len() <= FEW {
            found.extend(missing.iter().filter(|slot| head.has_rows(*slot)));
        } else {
            let active: RoaringBitmap = head.active(index.len()).into_iter().collect();
            found |= active & missing;
        }
    }
    Ok(found)
}

fn add_block(
    source: u32,
    file: &DataFile,
    tests: &[Test],
    budget: &Budget,
    order: &mut LabelOrder,
) -> Result<(), model::Error> {
    let labels = file.labels()?;
    let found = matching::select(labels, tests).map_err(|what| file.damaged_in_labels(what))?;
    budget.allow_series(usize::try_from(found.len()).unwrap_or(usize::MAX))?;
    let source_labels = SourceLabels {
        pair_count: labels.pair_count(),
        list: &|series| labels.list(series as usize),
        text: &|pair| labels.pair(pair),
        rank: &|pair| pair,
    };
    order.add(source, &source_labels, found.iter());
    Ok(())
}

impl Picked {
    /// All labels in use, by name, then value.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        self.ordered.pairs()
    }

    /// The slot of a series in the catalog.
    pub(super) fn slot(&self, series: u32) -> Option<Slot> {
        self.ordered
            .members(series)
            .iter()
            .find(|member| member.source == CATALOG)
            .map(|member| member.id)
    }

    /// The live files, each with the place of a series in it.
    pub(super) fn places(
        &self,
        series: u32,
    ) -> impl Iterator<Item = (&Arc<DataFile>, Result<usize, Error>)> {
        let slot = self.slot(series);
        let reference = slot.map(|slot| self.catalog.with(|index| index.series(slot)));
        (1..).zip(&self.live.files).filter_map(move |(source, file)| {
            Some((file, self.place(series, source, file, reference).transpose()?))
        })
    }

    fn place(
        &self,
        series: u32,
        source: u32,
        file: &DataFile,
        reference: Option<SeriesRef>,
    ) -> Result<Option<usize>, Error> {
        if !overlaps(file, self.range) {
            return Ok(None);
        }
        if file.is_block() {
            let member = self.ordered.members(series).iter().find(|member| member.source == source);
            return Ok(member.map(|member| member.id as usize));
        }
        reference.map_or(Ok(None), |reference| file.find(reference))
    }

    /// The files of tiers that have a series, oldest first.
    fn tier_places(&self, series: u32) -> Vec<(Arc<DataFile>, usize)> {
        let first = self.live.files.len() + 1;
        let members = self.ordered.members(series).iter();
        let mut places: Vec<_> = members
            .filter_map(|member| {
                let file = self.live.tiers.get((member.source as usize).checked_sub(first)?)?;
                Some((member.source, (Arc::clone(file), member.id as usize)))
            })
            .collect();
        places.sort_by_key(|(source, _)| *source);
        places.into_iter().map(|(_, place)| place).collect()
    }

    /// Lends the buckets that stand for rows of a series in windows that begin in `range`; false where
    /// no more is wanted.
    fn lend_buckets(
        &self,
        series: u32,
        (range, facts): (TimeRange, Facts),
        budget: &Budget,
        visit: &mut dyn Visitor,
    ) -> Result<bool, model::Error> {
        let places = self.tier_places(series);
        let Some(range) = tier_range(&self.tiers, range).filter(|_| !places.is_empty()) else {
            return Ok(true);
        };
        let labels = (self.tiers.asks_labels() || !self.deletions.is_empty())
            .then(|| self.ordered.labels(series));
        let spans = self.tiers.spans(labels.as_ref());
        let hidden = labels.as_ref().map(|labels| (&self.deletions, labels));
        let sought = Sought { spans: &spans, range, places: &places, hidden, facts };
        let mut buckets = Buckets::default();
        tier::read(&sought, &mut buckets)?;
        budget.use_samples(buckets.len())?;
        Ok(buckets.is_empty() || visit.buckets(series, &buckets)? == Flow::Continue)
    }

    /// The part of a range in which rows of a series are seen.
    fn rows_seen(&self, series: u32, range: TimeRange) -> Option<TimeRange> {
        let labels = self.tiers.asks_labels().then(|| self.ordered.labels(series));
        let after = self.tiers.rows_after(labels.as_ref());
        TimeRange::new(range.start().max(Timestamp(after.saturating_add(1))), range.end())
    }

    /// The rows of a series in `range`, into the empty `rows`.
    fn read(
        &self,
        series: u32,
        range: TimeRange,
        rows: &mut SeriesRows,
        one: &mut SeriesRows,
    ) -> Result<(), Error> {
        for (file, place) in self.places(series) {
            let place = place?;
            one.clear();
            file.read_series(place, range, one)?;
            if !self.deletions.is_empty() {
                self.deletions.apply(file.meta.id, Some(&self.ordered.labels(series)), one);
            }
            rows.overlay(one);
        }
        if let Some(slot) = self.slot(series) {
            for head in self.live.heads() {
                one.clear();
                head.read(slot, one).map_err(super::flush::in_memory)?;
                one.clip(range);
                rows.overlay(one);
            }
        }
        Ok(())
    }
}

/// Chunks in place of rows.
impl Picked {
    /// Whether all rows are seen as they lie in files.
    fn may_stand_whole(&self, series: u32) -> bool {
        self.deletions.is_empty() && model::Selection::zones(self, series).is_empty()
    }

    /// As [`Self::read`], with chunks that stand whole in `chunks`.
    fn read_wholes(
        &self,
        series: u32,
        wholes: Wholes<'_>,
        rows: (&mut SeriesRows, &mut SeriesRows),
        chunks: &mut Vec<FloatPartial>,
    ) -> Result<(), Error> {
        let places = self.places(series).map(|(file, place)| Ok((file, place?)));
        let places = places.collect::<Result<Vec<_>, Error>>()?;
        let mut heads = Vec::new();
        if let Some(slot) = self.slot(series) {
            for head in self.live.heads() {
                let mut one = SeriesRows::default();
                head.read(slot, &mut one).map_err(super::flush::in_memory)?;
                one.clip(wholes.range);
                heads.push(one);
            }
        }
        wholes.read(&places, &mut heads, rows, chunks)
    }
}

impl model::Selection for Picked {
    fn len(&self) -> u32 {
        self.ordered.len()
    }

    fn labels(&self, series: u32) -> Labels {
        self.ordered.labels(series)
    }

    fn groups(&self, by: &Grouping) -> Groups {
        let (names, is_by) = match by {
            Grouping::By(names) => (names, true),
            Grouping::Without(names) => (names, false),
        };
        let kept: Vec<bool> = self
            .ordered
            .pairs()
            .iter()
            .map(|(name, _)| names.iter().any(|it| it == name) == is_by)
            .collect();
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut of = Vec::with_capacity(self.ordered.len() as usize);
        let mut key = Vec::new();
        for series in 0..self.ordered.len() {
            key.clear();
            let list = self.ordered.list(series).iter();
            key.extend(list.filter(|pair| kept.get(**pair as usize).copied().unwrap_or_default()));
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            let number = match numbers.get(&key) {
                Some(number) => *number,
                None => *numbers.entry(key.clone()).or_insert(next),
            };
            of.push(number);
        }
        let mut sorted: Vec<(Vec<u32>, u32)> = numbers.into_iter().collect();
        sorted.sort_unstable();
        let mut places = vec![0_u32; sorted.len()];
        for (place, (_, number)) in (0..).zip(&sorted) {
            if let Some(it) = places.get_mut(*number as usize) {
                *it = place;
            }
        }
        for number in &mut of {
            *number = places.get(*number as usize).copied().unwrap_or_default();
        }
        Groups { labels: sorted.iter().map(|(list, _)| self.ordered.labels_of(list)).collect(), of }
    }

    fn scan(
        &self,
        series: Range<u32>,
        reading: &Reading,
        budget: &Budget,
        visit: &mut dyn Visitor,
    ) -> Result<(), model::Error> {
        let Some(touched) = touched(reading) else { return Ok(()) };
        let range = touched.intersection(self.range);
        let (mut rows, mut one) = (SeriesRows::default(), SeriesRows::default());
        let mut chunks = Vec::new();
        for series in series.start..series.end.min(self.ordered.len()) {
            let facts = (touched, reading.columns.facts);
            if reading.windows.partials && !self.lend_buckets(series, facts, budget, visit)? {
                continue;
            }
            let Some(range) = range.and_then(|range| self.rows_seen(series, range)) else {
                continue;
            };
            rows.clear();
            match reading.chunks.filter(|_| self.may_stand_whole(series)) {
                None => self.read(series, range, &mut rows, &mut one)?,
                Some(facts) => {
                    let wholes = Wholes { range, windows: &reading.windows, facts };
                    chunks.clear();
                    self.read_wholes(series, wholes, (&mut rows, &mut one), &mut chunks)?;
                    budget.use_samples(chunks.len())?;
                    if !chunks.is_empty() && visit.chunks(series, &chunks)? == Flow::NextSeries {
                        continue;
                    }
                }
            }
            budget.use_samples(rows.len())?;
            lend(series, &rows, reading.columns.starts, visit)?;
        }
        Ok(())
    }

    fn zones(&self, series: u32) -> Vec<Zone> {
        if self.live.tiers.is_empty() {
            return Vec::new();
        }
        let labels = self.tiers.asks_labels().then(|| self.ordered.labels(series));
        self.tiers.spans(labels.as_ref()).into_iter().map(|span| span.zone).collect()
    }

    fn estimate(&self) -> Estimate {
        let files = self.live.all_files().filter(|file| overlaps(file, self.range));
        let (rows, bytes, series) = files.fold((0, 0, 0), |(rows, bytes, series), file| {
            (rows + file.meta.rows, bytes + file.meta.bytes, series + file.meta.series)
        });
        let in_heads: u64 = self.live.heads().map(|head| head.rows()).sum();
        let picked = u64::from(self.ordered.len());
        let share = |of: u64| of.checked_div(series).map_or(0, |each| each * picked);
        Estimate {
            series: picked,
            rows: share(rows) + in_heads.min(in_heads / 1000 * picked),
            bytes: share(bytes),
        }
    }

    fn generation(&self) -> Stamp {
        // Files by number, heads by position: any new row changes it. Finer ones come with the cache.
        let files = self.live.all_files().map(|file| file.meta.id.0);
        let heads = self.live.heads().map(|head| head.positions().1);
        Stamp(files.chain(heads).fold(self.live.tombstones.len() as u64, |stamp, number| {
            (stamp ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
        }))
    }
}

/// Where buckets are looked for that end in `range` or shortly before; None where none are seen.
pub(super) fn tier_range(tiers: &TierView, range: TimeRange) -> Option<TimeRange> {
    let until = tiers.until();
    let start = range.start().0.saturating_sub(tiers.width());
    (until > start)
        .then(|| {
            TimeRange::new(Timestamp(start), Timestamp(until.saturating_add(1)).min(range.end()))
        })
        .flatten()
}

/// The times that windows touch.
fn touched(reading: &Reading) -> Option<TimeRange> {
    let windows = &reading.windows;
    let last = windows
        .first_end
        .saturating_add(windows.step.saturating_mul(i64::from(windows.count.saturating_sub(1))));
    let first = windows.first_end.saturating_sub(windows.length).saturating_add(1);
    TimeRange::closed(Timestamp(first), Timestamp(last))
}

/// Lends rows by time, floats and histograms in turns.
fn lend(
    series: u32,
    rows: &SeriesRows,
    with_starts: bool,
    visit: &mut dyn Visitor,
) -> Result<(), model::Error> {
    let mut next = 0;
    let mut histograms = rows.histograms.as_slice();
    loop {
        let end = histograms.first().map_or(rows.times.len(), |point| {
            next + rows
                .times
                .get(next..)
                .unwrap_or_default()
                .partition_point(|time| *time < point.time)
        });
        while next < end {
            let until = end.min(next + LENT_ROWS_MAX);
            if lend_floats(series, rows, next..until, with_starts, visit)? == Flow::NextSeries {
                return Ok(());
            }
            next = until;
        }
        let Some(first) = histograms.first() else { return Ok(()) };
        let until = rows.times.get(next).copied().unwrap_or(i64::MAX);
        let count = histograms
            .partition_point(|point| point.time < until)
            .max(usize::from(first.time == i64::MAX));
        let (now, later) = histograms.split_at(count.min(LENT_ROWS_MAX));
        if lend_histograms(series, now, visit)? == Flow::NextSeries {
            return Ok(());
        }
        histograms = later;
    }
}

fn lend_floats(
    series: u32,
    rows: &SeriesRows,
    range: Range<usize>,
    with_starts: bool,
    visit: &mut dyn Visitor,
) -> Result<Flow, model::Error> {
    let starts = if with_starts { rows.starts.get(range.clone()).unwrap_or_default() } else { &[] };
    let times = rows.times.get(range.clone()).unwrap_or_default();
    let values = rows.values.get(range).unwrap_or_default();
    visit.rows(series, Rows { times, values, starts, histograms: &[] })
}

fn lend_histograms(
    series: u32,
    points: &[HistogramPoint],
    visit: &mut dyn Visitor,
) -> Result<Flow, model::Error> {
    let times: Vec<i64> = points.iter().map(|point| point.time).collect();
    let starts: Vec<i64> = points.iter().map(|point| point.start).collect();
    let values: Vec<_> = points.iter().map(|point| Arc::clone(&point.value)).collect();
    visit.rows(series, Rows { times: &times, values: &[], starts: &starts, histograms: &values })
}
