//! The labels of a series: those of its data point, its resource, its scope, and its name.
//!
//! Attributes come first, in order of their keys; two that become one label are joined by `;`. What
//! the door itself says (`job`, `instance`, scope, name, bound) stands above them.

use std::borrow::Cow;

use crate::ingest::config::LABELS_OPTION;
use crate::ingest::labels::{Checked, limit, text};
use crate::ingest::otlp::attributes::{self, Attribute};
use crate::ingest::otlp::names::Names;
use crate::ingest::wire::Malformed;
use crate::ingest::{Config, Reason};
use crate::model::{Label, METRIC_NAME};

/// Why labels cannot be made.
pub(super) enum Fault {
    Refused(Reason),
    Malformed(Malformed),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Labels on their way: no name twice, no value empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Set<'w> {
    labels: Vec<(Cow<'w, str>, Cow<'w, [u8]>)>,
}

impl<'w> Set<'w> {
    /// Adds attributes as labels. More than `config` allows are refused here already, before they
    /// take time.
    pub(super) fn add_attributes(
        &mut self,
        mut found: Vec<Attribute<'w>>,
        names: Names,
        config: &Config,
    ) -> Result<(), Fault> {
        found.sort_by_key(|(key, _)| *key);
        for (key, value) in found {
            let value = attributes::text(value)?;
            if value.is_empty() {
                continue;
            }
            let name = names.label(text("name", key)?)?;
            match self.labels.iter_mut().find(|(there, _)| *there == name) {
                Some((_, joined)) if names.may_collide() => {
                    let joined = joined.to_mut();
                    joined.push(b';');
                    joined.extend_from_slice(&value);
                }
                Some(_) => return Err(Reason::DuplicateLabel(name).into()),
                None => self.labels.push((name.into(), value)),
            }
            limit("label count", self.labels.len(), config.labels_max, LABELS_OPTION)?;
        }
        Ok(())
    }

    /// How many labels.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Sets a label, whatever it was. An empty value takes it away.
    pub(super) fn set(&mut self, name: impl Into<Cow<'w, str>>, value: Cow<'w, [u8]>) {
        let name = name.into();
        self.labels.retain(|(there, _)| *there != name);
        if !value.is_empty() {
            self.labels.push((name, value));
        }
    }

    /// Sets labels that are not there yet.
    pub(super) fn fill(&mut self, others: &Set<'w>) {
        for (name, value) in &others.labels {
            if self.labels.iter().all(|(there, _)| there != name) {
                self.labels.push((name.clone(), value.clone()));
            }
        }
    }

    /// Sets all labels of another set.
    pub(super) fn set_all(&mut self, others: &Set<'w>) {
        for (name, value) in &others.labels {
            self.set(name.clone(), value.clone());
        }
    }

    /// The labels of the series that is called `metric`.
    pub(super) fn finish<'a>(
        &'a self,
        metric: &'a str,
        config: &Config,
    ) -> Result<Vec<Label<'a>>, Reason> {
        let mut checked = Checked::new(config);
        checked.add(METRIC_NAME.as_bytes(), metric.as_bytes())?;
        for (name, value) in self.labels.iter().filter(|(name, _)| name != METRIC_NAME) {
            checked.add(name.as_bytes(), value)?;
        }
        checked.finish()
    }
}
