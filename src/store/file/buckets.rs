//! Reading buckets from a file of a tier.

use crate::codec;
use crate::model::{Buckets, Facts, Partial, TimeRange, Timestamp};
use crate::store::{
    error::{Damage, Error},
    tier,
};

use super::{reader::DataFile, tables::ChunkKind};

impl DataFile {
    /// The buckets of one series that end in `range`, of a file of a tier, with what is asked of them.
    pub(in crate::store) fn read_buckets(
        &self,
        series: usize,
        range: TimeRange,
        facts: Facts,
        out: &mut Buckets,
    ) -> Result<(), Error> {
        out.clear();
        let Some(tier) = self.meta.partition.tier else { return Ok(()) };
        let tables = self.tables()?;
        let mut histograms: Vec<Partial> = Vec::new();
        let mut ends = Vec::new();
        for chunk in tables.of(series) {
            let Some(time) = tables.time_of(chunk) else { continue };
            let span = TimeRange::closed(Timestamp(time.first), Timestamp(time.last));
            if !span.is_some_and(|span| span.overlaps(range)) {
                continue;
            }
            ends.clear();
            let bytes = self.read(time.at, time.bytes as usize)?;
            codec::decode_ints(&bytes, time.rows as usize, &mut ends)
                .map_err(|error| self.damaged(time.at, error.into()))?;
            let bytes = self.read(chunk.at, chunk.values_bytes as usize)?;
            let wrong = |what: Damage| self.damaged(chunk.at, what);
            match chunk.kind {
                ChunkKind::Buckets => {
                    tier::decode_floats(tier, &ends, &bytes, facts, out).map_err(wrong)?;
                }
                ChunkKind::HistogramBuckets => {
                    let read = tier::decode_histograms(tier, &ends, &bytes).map_err(wrong)?;
                    histograms.extend(read);
                }
                ChunkKind::Floats | ChunkKind::Histograms => {
                    return Err(wrong(Damage::Contradiction("rows in a file of a tier")));
                }
            }
        }
        let place = |end: Timestamp| out.untils.partition_point(|until| *until < end.0);
        let (begin, end) = (place(range.start()), place(range.end()));
        out.keep(begin..end.max(begin));
        histograms.retain(|bucket| range.contains(Timestamp(bucket.until)));
        if !histograms.is_empty() {
            let floats = (0..out.len()).filter_map(|i| out.partial(tier, i)).collect();
            out.clear();
            join(floats, histograms).iter().for_each(|bucket| out.push(bucket, facts));
        }
        Ok(())
    }

    /// All buckets of one series, with all that is known of them.
    pub(in crate::store) fn read_all_buckets(&self, series: usize) -> Result<Vec<Partial>, Error> {
        let Some(tier) = self.meta.partition.tier else { return Ok(Vec::new()) };
        let mut all = Buckets::default();
        self.read_buckets(series, TimeRange::ALL, Facts::ALL, &mut all)?;
        Ok((0..all.len()).filter_map(|i| all.partial(tier, i)).collect())
    }
}

/// Buckets of floats and of histograms, by time, those of one end as one.
fn join(mut floats: Vec<Partial>, histograms: Vec<Partial>) -> Vec<Partial> {
    if histograms.is_empty() {
        return floats;
    }
    floats.extend(histograms);
    floats.sort_by_key(|bucket| bucket.until);
    floats.dedup_by(|later, earlier| {
        let is_same = later.until == earlier.until;
        if is_same {
            earlier.ends_stale |= later.ends_stale;
            earlier.floats = earlier.floats.or(later.floats);
            earlier.histograms = earlier.histograms.take().or_else(|| later.histograms.take());
        }
        is_same
    });
    floats
}
