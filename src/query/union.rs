//! Series that pass one of several sets of tests: selections as one, each series once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::labels::{only, without};
use crate::model::{
    Buckets, Budget, Error, Estimate, FloatPartial, Flow, Generation, Grouping, Groups, Labels,
    Reading, Rows, Selection, Visitor, Zone,
};

/// Several selections as one.
pub(crate) struct Union {
    parts: Vec<Arc<dyn Selection>>,
    /// Part and number of each series, in label order.
    series: Vec<(usize, u32)>,
}

impl Union {
    /// Joins selections of one range.
    ///
    /// # Errors
    /// More series than the budget allows.
    pub(crate) fn new(parts: &[Arc<dyn Selection>], budget: &Budget) -> Result<Self, Error> {
        let mut series: BTreeMap<Labels, (usize, u32)> = BTreeMap::new();
        for (part, selection) in parts.iter().enumerate() {
            for number in 0..selection.len() {
                series.entry(selection.labels(number)).or_insert((part, number));
            }
        }
        budget.allow_series(series.len())?;
        Ok(Self { parts: parts.to_vec(), series: series.into_values().collect() })
    }

    fn part(&self, series: u32) -> Option<(&dyn Selection, u32)> {
        let (part, number) = *self.series.get(series as usize)?;
        Some((self.parts.get(part)?.as_ref(), number))
    }
}

impl Selection for Union {
    fn len(&self) -> u32 {
        u32::try_from(self.series.len()).unwrap_or(u32::MAX)
    }

    fn labels(&self, series: u32) -> Labels {
        self.part(series).map_or_else(Labels::empty, |(part, number)| part.labels(number))
    }

    fn groups(&self, by: &Grouping) -> Groups {
        let keys: Vec<Labels> = (0..self.len())
            .map(|series| match by {
                Grouping::By(names) => only(&self.labels(series), names),
                Grouping::Without(names) => without(&self.labels(series), names),
            })
            .collect();
        let mut numbers: BTreeMap<Labels, u32> = keys.iter().map(|key| (key.clone(), 0)).collect();
        (0..).zip(numbers.values_mut()).for_each(|(number, slot)| *slot = number);
        let of = keys.iter().map(|key| numbers.get(key).copied().unwrap_or(u32::MAX)).collect();
        Groups { labels: numbers.into_keys().collect(), of }
    }

    fn scan(
        &self,
        series: Range<u32>,
        reading: &Reading,
        budget: &Budget,
        visit: &mut dyn Visitor,
    ) -> Result<(), Error> {
        for number in series {
            let Some((part, own)) = self.part(number) else { break };
            let mut renumbered = Renumbered { number, visit };
            part.scan(own..own.saturating_add(1), reading, budget, &mut renumbered)?;
        }
        Ok(())
    }

    fn zones(&self, series: u32) -> Vec<Zone> {
        self.part(series).map_or_else(Vec::new, |(part, number)| part.zones(number))
    }

    fn estimate(&self) -> Estimate {
        let mut sum = Estimate { series: self.series.len() as u64, rows: 0, bytes: 0 };
        for part in &self.parts {
            let estimate = part.estimate();
            sum.rows = sum.rows.saturating_add(estimate.rows);
            sum.bytes = sum.bytes.saturating_add(estimate.bytes);
        }
        sum
    }

    fn generation(&self) -> Generation {
        // Generations only rise, and so does their sum.
        Generation(self.parts.iter().fold(0, |sum, part| part.generation().0.wrapping_add(sum)))
    }
}

/// Rows of a series under another number.
struct Renumbered<'a> {
    number: u32,
    visit: &'a mut dyn Visitor,
}

impl Visitor for Renumbered<'_> {
    fn rows(&mut self, _series: u32, rows: Rows<'_>) -> Result<Flow, Error> {
        self.visit.rows(self.number, rows)
    }

    fn buckets(&mut self, _series: u32, buckets: &Buckets) -> Result<Flow, Error> {
        self.visit.buckets(self.number, buckets)
    }

    fn chunks(&mut self, _series: u32, chunks: &[FloatPartial]) -> Result<Flow, Error> {
        self.visit.chunks(self.number, chunks)
    }
}
