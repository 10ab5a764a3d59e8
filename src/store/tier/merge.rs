//! Few files of a tier of many: neighbours to one, of two buckets that end alike the later.

use std::sync::Arc;

use crate::model::{Labels, Partial, TimeRange, Timestamp};
use crate::store::{
    compact::{order, positions, sources},
    counters::Counters,
    db::Db,
    error::Error,
    file::DataFile,
    label_order::Ordered,
    manifest::{FileId, Partition},
    tombstones::Deletions,
};

use super::{
    Rules,
    bucket::{is_hole, overlay},
    downsample::TierOutput,
};

/// A file that grows past this is ended, and the next begun.
pub(super) const BYTES_MAX: u64 = 1 << 30;

/// What a merge looks at.
struct Merge<'a> {
    inputs: &'a [Arc<DataFile>],
    ordered: &'a Ordered,
    deletions: &'a Deletions,
    rules: &'a Rules,
    /// Whether there is nothing earlier that holes could hide.
    drops_holes: bool,
}

impl Db {
    /// Makes one file of all files of a tier's partition.
    pub(in crate::store) fn merge_whole_tier(&self, partition: Partition) -> Result<(), Error> {
        let all: Vec<FileId> = self.live().of(partition).map(|file| file.meta.id).collect();
        self.merge_tier(partition, &all)
    }

    /// Makes one file of neighbours. The caller holds `upkeep`.
    pub(in crate::store) fn merge_tier(
        &self,
        partition: Partition,
        inputs: &[FileId],
    ) -> Result<(), Error> {
        let live = self.live();
        let drops_holes =
            live.of(partition).next().is_some_and(|first| inputs.contains(&first.meta.id));
        let inputs: Vec<_> =
            live.of(partition).filter(|file| inputs.contains(&file.meta.id)).cloned().collect();
        let Some(ordered) = order(self, &inputs)? else { return Ok(()) };
        if inputs.is_empty() {
            return Ok(());
        }
        let deletions = Deletions::new(&live.tombstones)?;
        let rules = Rules::new(&live.retired)?;
        let merge = Merge {
            inputs: &inputs,
            ordered: &ordered,
            deletions: &deletions,
            rules: &rules,
            drops_holes,
        };
        let mut out = TierOutput::new(self, partition);
        let positions = positions(&inputs);
        if let Err(error) = self.write_tier(&merge, &mut out, positions) {
            out.abandon();
            return Err(error);
        }
        let written = out.finish(positions)?;
        self.exchange(&inputs, &written, Vec::new())?;
        Counters::add(&self.counters.merges, 1);
        Ok(())
    }

    fn write_tier(
        &self,
        merge: &Merge<'_>,
        out: &mut TierOutput<'_>,
        positions: (u64, u64),
    ) -> Result<(), Error> {
        let asks_labels = merge.rules.asks_labels() || !merge.deletions.is_empty();
        for series in 0..merge.ordered.len() {
            let labels = asks_labels.then(|| merge.ordered.labels(series));
            let mut all = Vec::new();
            for (input, place) in sources(self, merge.inputs, merge.ordered.members(series))? {
                let Some(file) = merge.inputs.get(input) else { continue };
                let mut buckets = file.read_all_buckets(place)?;
                if let Some(labels) = &labels {
                    hide_deleted(merge.deletions, file, labels, &mut buckets);
                }
                overlay(&mut all, buckets);
            }
            if let (Some(labels), Some(file)) = (&labels, merge.inputs.first()) {
                let until = merge.rules.until(file.meta.partition.tier, Some(labels));
                all.retain(|bucket| bucket.until > until);
            }
            if merge.drops_holes {
                all.retain(|bucket| !is_hole(bucket));
            }
            out.write(merge.ordered, series, &all, positions)?;
        }
        Ok(())
    }
}

/// Makes holes of buckets that a deletion touches: what is not kept row by row goes bucket by bucket.
pub(super) fn hide_deleted(
    deletions: &Deletions,
    file: &DataFile,
    labels: &Labels,
    buckets: &mut [Partial],
) {
    for bucket in buckets {
        let after = bucket.until.saturating_sub(bucket.tier.width());
        let span = TimeRange::closed(Timestamp(after.saturating_add(1)), Timestamp(bucket.until));
        if span.is_some_and(|span| deletions.touch(file.meta.id, labels, span)) {
            *bucket = super::bucket::hole(bucket.tier, bucket.until);
        }
    }
}
