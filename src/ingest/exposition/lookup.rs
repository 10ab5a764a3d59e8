//! The series of what came: by its bytes, else by its labels.

use std::borrow::Cow;

use super::{Ask, Pair};
use crate::ingest::labels::{Checked, shown, text};
use crate::ingest::{Error, Intake, Reason, Session};
use crate::model::{self, Door, Label, METRIC_NAME, SeriesKey, SeriesRef};

/// Stands for a series that relabelling drops. The session alone knows it; no registry gives so many
/// refs.
const DROPPED: SeriesRef = SeriesRef(u64::MAX - 1);

/// What became of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Series(SeriesRef),
    /// Relabelling does not want it.
    Dropped,
}

impl Found {
    fn of(series: SeriesRef) -> Self {
        if series == DROPPED { Self::Dropped } else { Self::Series(series) }
    }
}

/// Finds series for one exposition.
pub(super) struct Lookup<'l> {
    pub(super) session: &'l mut Session,
    pub(super) intake: &'l Intake<'l>,
    pub(super) ask: &'l Ask<'l>,
}

impl Lookup<'_> {
    /// The key of what `write` appends: text must differ where labels do.
    #[inline]
    pub(super) fn key(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> SeriesKey {
        let mut bytes = std::mem::take(&mut self.session.bytes);
        bytes.clear();
        bytes.extend_from_slice(&self.ask.scope.len().to_le_bytes());
        bytes.extend_from_slice(self.ask.scope);
        write(&mut bytes);
        let key = self.intake.registry.key(self.intake.tenant, Door::Exposition, &bytes);
        self.session.bytes = bytes;
        key
    }

    #[inline]
    pub(super) fn find(&mut self, key: SeriesKey) -> Option<Found> {
        self.session.find(key, self.intake.registry).map(Found::of)
    }

    /// Makes the series of a name and labels, which may be in any order.
    #[cold]
    pub(super) fn register(
        &mut self,
        key: SeriesKey,
        name: &[u8],
        labels: &[Pair<'_>],
    ) -> Result<Result<Found, Reason>, Error> {
        let read = read(name, labels);
        let labels = match read {
            Ok(labels) => labels,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(relabel) = self.ask.relabel else { return self.register_set(key, &labels) };
        if let Some(changed) = relabel.relabel(&labels) {
            return self.register_set(key, &changed.iter().collect::<Vec<_>>());
        }
        self.session.learn(key, DROPPED);
        Ok(Ok(Found::Dropped))
    }

    fn register_set(
        &mut self,
        key: SeriesKey,
        labels: &[Label<'_>],
    ) -> Result<Result<Found, Reason>, Error> {
        let mut checked = Checked::new(self.intake.config);
        let added = labels
            .iter()
            .try_for_each(|(name, value)| checked.add(name.as_bytes(), value.as_bytes()));
        let labels = match added.and_then(|()| checked.finish()) {
            Ok(labels) => labels,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut refs = Vec::with_capacity(1);
        match self.intake.registry.register(self.intake.tenant, &[&labels], &mut refs) {
            Ok(()) => {}
            Err(refusal @ (model::Error::Invalid(_) | model::Error::Limit { .. })) => {
                return Ok(Err(Reason::Registry(refusal)));
            }
            Err(error) => return Err(error.into()),
        }
        let series = refs.first().copied().unwrap_or_default();
        self.intake.registry.bind(key, series);
        self.session.learn(key, series);
        Ok(Ok(Found::Series(series)))
    }
}

/// Name and labels as text. Two labels of one name are found before anything is changed by rules.
fn read<'a>(name: &'a [u8], labels: &'a [Pair<'_>]) -> Result<Vec<Label<'a>>, Reason> {
    let mut read = Vec::with_capacity(labels.len() + 1);
    read.push((METRIC_NAME, text("value", name)?));
    for (name, value) in labels {
        if name.is_empty() {
            return Err(Reason::EmptyName(shown(value)));
        }
        read.push((text("name", name)?, text("value", value)?));
    }
    let mut names: Vec<&str> = read.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(left, right)| left == right) {
        Some((twice, _)) => Err(Reason::DuplicateLabel((*twice).to_owned())),
        None => Ok(read),
    }
}

/// A name and what stands behind it.
pub(super) fn with_suffix<'a>(name: &'a [u8], suffix: &str) -> Cow<'a, [u8]> {
    if suffix.is_empty() {
        Cow::Borrowed(name)
    } else {
        Cow::Owned([name, suffix.as_bytes()].concat())
    }
}
