//! `target_info`: what is known of a resource beside its name, as labels of one series.
//!
//! It has a row at the last data point of a request, and rows before that, close enough that an
//! instant query at any data point finds one.

use crate::ingest::config::LABELS_OPTION;
use crate::ingest::labels::limit;
use crate::ingest::otlp::attributes;
use crate::ingest::otlp::context::{Resource, SERVICE_INSTANCE, SERVICE_NAME, SERVICE_NAMESPACE};
use crate::ingest::otlp::decoder::{Decoder, Fault};
use crate::ingest::otlp::labels::{Fault as LabelFault, Set};
use crate::ingest::otlp::metadata::TARGET_INFO;
use crate::ingest::{Error, Reason};
use crate::model::SeriesRef;

/// Half of what an instant query looks back by default.
const STEP_NANOS: i64 = 150 * 1_000_000_000;

/// Rows of one request: four hours. Data points that lie further apart have theirs at the end.
const ROWS_MAX: i64 = 100;

/// Name, `job` and `instance`.
const OWN_LABELS: usize = 3;

/// The times of data points: first and last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered {
    first: i64,
    last: i64,
}

impl Covered {
    /// Covers `time`, too.
    #[inline]
    pub(super) fn add(covered: &mut Option<Self>, time: i64) {
        match covered {
            Some(covered) => {
                covered.first = covered.first.min(time);
                covered.last = covered.last.max(time);
            }
            None => *covered = Some(Self { first: time, last: time }),
        }
    }

    /// When `target_info` has rows.
    fn times(self) -> impl Iterator<Item = i64> {
        let earliest = self.last.saturating_sub((ROWS_MAX - 1) * STEP_NANOS);
        let first = self.first.max(earliest);
        let before = (0..ROWS_MAX).map(move |step| first.saturating_add(step * STEP_NANOS));
        before.take_while(move |time| *time < self.last).chain([self.last])
    }
}

impl<'d> Decoder<'d> {
    /// Writes what is known of a resource, if any of its data points was taken.
    pub(super) fn take_target(&mut self, resource: &Resource<'d>) -> Result<(), Error> {
        let Some(covered) = self.covered else { return Ok(()) };
        let series = match self.target(resource) {
            Ok(Some(series)) => series,
            // No data point: nobody is told that it is missing.
            Ok(None) | Err(Fault::Refused(_)) => return Ok(()),
            Err(Fault::Failed(error)) => return Err(error),
        };
        for time in covered.times() {
            self.batch.rows.push_started(time, 0, 1.0);
        }
        self.batch.rows.end_run(series);
        self.tell_target();
        Ok(())
    }

    /// None where there is nothing to say, or nobody to say it of.
    fn target(&mut self, resource: &Resource<'d>) -> Result<Option<SeriesRef>, Fault> {
        if resource.message.is_empty() {
            return Ok(None);
        }
        let bytes = self.key_bytes();
        bytes.clear();
        bytes.extend_from_slice(TARGET_INFO.as_bytes());
        bytes.extend_from_slice(&resource.key.0.to_le_bytes());
        let key = self.key_of();
        if let Some(found) = self.session.find(key, self.intake.registry) {
            return Ok(Some(found));
        }
        self.check_body()?;
        let mut set = Set::default();
        if !self.describe(resource, &mut set)? {
            return Ok(None);
        }
        self.register(key, &set, TARGET_INFO).map(Some)
    }

    /// Whether there is something to say.
    fn describe(&self, resource: &Resource<'d>, set: &mut Set<'d>) -> Result<bool, Fault> {
        const IDENTIFYING: [&str; 3] = [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE];
        let is_identifying = |key: &[u8]| IDENTIFYING.iter().any(|name| name.as_bytes() == key);
        let mut found = resource.attributes()?;
        if found.iter().all(|(key, _)| is_identifying(key)) {
            return Ok(false);
        }
        if !self.rules.config.keep_identifying_resource_attributes {
            found.retain(|(key, _)| !is_identifying(key));
        }
        let limits = self.intake.config;
        limit("label count", found.len(), limits.labels_max * 4, LABELS_OPTION)?;
        found.sort_by_key(|(key, _)| *key);
        for attribute in found {
            // A command line of many kilobytes shall not cost us the rest.
            let is_long = attributes::text(attribute.1)?.len() > limits.value_bytes_max
                || attribute.0.len() > limits.name_bytes_max;
            if is_long {
                continue;
            }
            if set.len() + OWN_LABELS >= limits.labels_max {
                break;
            }
            match set.add_attributes(vec![attribute], self.rules.names, limits) {
                Ok(()) | Err(LabelFault::Refused(Reason::Name { .. })) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(resource.labels(self.rules)?.identify(set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn times(first: i64, last: i64) -> Vec<i64> {
        Covered { first: first * SECOND, last: last * SECOND }
            .times()
            .map(|time| time / SECOND)
            .collect()
    }

    #[test]
    fn rows_are_close_enough_to_be_found() {
        assert_eq!(times(100, 100), [100]);
        assert_eq!(times(100, 200), [100, 200]);
        assert_eq!(times(0, 300), [0, 150, 300]);
        assert_eq!(times(0, 301), [0, 150, 300, 301]);
    }

    #[test]
    fn rows_are_never_many_and_lie_between_data_points() {
        let all = Covered { first: i64::MIN, last: i64::MAX - 1 };
        assert!(all.times().count() <= 101);
        let within = |covered: Covered| {
            covered.times().all(|time| covered.first <= time && time <= covered.last)
        };
        assert!(within(all) && within(Covered { first: 5, last: i64::MAX - 1 }));
    }
}
