//! The store as a [`model::Source`]: selections, and questions about labels that touch no chunk.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    self, Ask, Cardinality, Exemplar, ExemplarSeries, Labels, METRIC_NAME, Metadata, Scope,
    Selection, Timestamp,
};

use super::{catalog::Index, db::Db, select::Picked};

impl model::Source for Db {
    fn select(&self, ask: &Ask<'_>) -> Result<Box<dyn Selection>, model::Error> {
        Ok(Box::new(self.pick(ask)?))
    }

    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, model::Error> {
        if ask.matchers.is_empty() {
            return self.all_names(ask);
        }
        let picked = self.pick(ask)?;
        let mut names: Vec<String> = picked.pairs().iter().map(|(name, _)| name.clone()).collect();
        names.dedup();
        Ok(names)
    }

    fn label_values(&self, ask: &Ask<'_>, name: &str) -> Result<Vec<String>, model::Error> {
        if ask.matchers.is_empty() {
            return self.all_values(ask, name);
        }
        let picked = self.pick(ask)?;
        Ok(picked
            .pairs()
            .iter()
            .filter(|pair| pair.0 == name)
            .map(|(_, value)| value.clone())
            .collect())
    }

    fn series(&self, ask: &Ask<'_>) -> Result<Vec<Labels>, model::Error> {
        let picked = self.pick(ask)?;
        Ok((0..picked.len()).map(|series| picked.labels(series)).collect())
    }

    fn metadata(&self, _scope: &Scope, metric: Option<&str>) -> Vec<Metadata> {
        let known = self.catalog.metadata();
        match metric {
            Some(metric) => known.get(metric).cloned().into_iter().collect(),
            None => known.values().cloned().collect(),
        }
    }

    fn exemplars(&self, ask: &Ask<'_>) -> Result<Vec<ExemplarSeries>, model::Error> {
        let picked = self.pick(ask)?;
        let heads = in_heads(self);
        let mut files = BTreeMap::new();
        let mut found = Vec::new();
        for series in 0..picked.len() {
            let mut exemplars = Vec::new();
            for (file, place) in picked.places(series) {
                let place = place?;
                let id = file.meta.id;
                if let std::collections::btree_map::Entry::Vacant(entry) = files.entry(id) {
                    let mut by_place: BTreeMap<usize, Vec<Exemplar>> = BTreeMap::new();
                    for (place, exemplar) in file.exemplars()? {
                        by_place.entry(place).or_default().push(exemplar);
                    }
                    entry.insert(by_place);
                }
                exemplars.extend(
                    files.get(&id).and_then(|file| file.get(&place)).into_iter().flatten().cloned(),
                );
            }
            exemplars.extend(
                picked
                    .slot(series)
                    .and_then(|slot| heads.get(&slot))
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            exemplars.retain(|exemplar| ask.range.contains(Timestamp(exemplar.time)));
            exemplars.sort_by_key(|exemplar| exemplar.time);
            exemplars.dedup();
            if !exemplars.is_empty() {
                found.push(ExemplarSeries { labels: picked.labels(series), exemplars });
            }
        }
        Ok(found)
    }

    fn cardinality(&self, _scope: &Scope, limit: usize) -> Cardinality {
        let live = self.live();
        let times = live
            .files
            .iter()
            .map(|file| file.meta.times)
            .chain(live.heads().filter_map(|head| head.times()));
        let time = times.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)));
        let head_rows = live.heads().map(|head| head.rows()).sum();
        let counted = self.catalog.with(|index| count(index, limit));
        Cardinality { head_rows, time, ..counted }
    }
}

fn in_heads(db: &Db) -> BTreeMap<u32, Vec<Exemplar>> {
    let mut all: BTreeMap<u32, Vec<Exemplar>> = BTreeMap::new();
    for (slot, exemplar) in db.live().heads().flat_map(|head| head.exemplars()) {
        all.entry(slot).or_default().push(exemplar);
    }
    all
}

/// Counts series by what they have in common.
pub(super) fn count(index: &Index, limit: usize) -> Cardinality {
    let pairs = index.pairs();
    let names: BTreeSet<&str> = pairs.names().collect();
    let texts = |name: &str| {
        pairs.of_name(name).iter().map(|pair| pairs.text(*pair).1.len() as u64).sum::<u64>()
    };
    let of_metric = pairs.of_name(METRIC_NAME).iter();
    let by_metric =
        of_metric.map(|pair| (pairs.text(*pair).1.to_owned(), index.postings_len(*pair)));
    let all = (0..u32::try_from(pairs.len()).unwrap_or(u32::MAX)).map(|pair| {
        let (name, value) = pairs.text(pair);
        (format!("{name}={value}"), index.postings_len(pair))
    });
    Cardinality {
        series: u64::from(index.len()),
        label_pairs: pairs.len() as u64,
        by_metric: most(by_metric, limit),
        values_by_name: most(
            names.iter().map(|name| ((*name).to_owned(), pairs.of_name(name).len() as u64)),
            limit,
        ),
        bytes_by_name: most(names.iter().map(|name| ((*name).to_owned(), texts(name))), limit),
        by_pair: most(all, limit),
        ..Cardinality::default()
    }
}

/// The entries of the highest counts, most first.
fn most(entries: impl Iterator<Item = (String, u64)>, limit: usize) -> Vec<(String, u64)> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    entries.truncate(limit);
    entries
}

impl Picked {
    fn len(&self) -> u32 {
        Selection::len(self)
    }

    fn labels(&self, series: u32) -> Labels {
        Selection::labels(self, series)
    }
}
