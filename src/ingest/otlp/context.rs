//! Where a data point stands: its metric, scope and resource, each with the key of its bytes.
//!
//! Labels are made when the first new series asks for them; a request of known series never does.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::ingest::labels::text;
use crate::ingest::otlp::attributes::{self, Attribute};
use crate::ingest::otlp::labels::{Fault, Set};
use crate::ingest::otlp::names::{Named, Names};
use crate::ingest::otlp::{Config, fields};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{self, Reason};
use crate::model::{MetricKind, SeriesKey};

/// Attributes that make `job` and `instance`.
pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SERVICE_NAMESPACE: &str = "service.namespace";
pub(super) const SERVICE_INSTANCE: &str = "service.instance.id";

/// How names are made, and what may be said.
#[derive(Clone, Copy)]
pub(super) struct Rules<'r> {
    pub(super) config: &'r Config,
    pub(super) names: Names,
    pub(super) limits: &'r ingest::Config,
}

/// Who sends.
pub(super) struct Resource<'w> {
    pub(super) message: Wire<'w>,
    pub(super) key: SeriesKey,
    labels: OnceCell<Result<ResourceLabels<'w>, Reason>>,
}

/// What every series of a resource has.
#[derive(Clone, Debug, Default)]
pub(super) struct ResourceLabels<'w> {
    promoted: Set<'w>,
    job: Cow<'w, [u8]>,
    instance: Cow<'w, [u8]>,
}

impl<'w> Resource<'w> {
    pub(super) fn new(message: Wire<'w>, key: SeriesKey) -> Self {
        Self { message, key, labels: OnceCell::new() }
    }

    pub(super) fn attributes(&self) -> Result<Vec<Attribute<'w>>, Malformed> {
        attributes::read(self.message, fields::RESOURCE_ATTRIBUTES)
    }

    pub(super) fn labels(&self, rules: Rules<'_>) -> Result<&ResourceLabels<'w>, Fault> {
        remembered(&self.labels, || ResourceLabels::read(&self.attributes()?, rules))
    }
}

impl<'w> ResourceLabels<'w> {
    fn read(found: &[Attribute<'w>], rules: Rules<'_>) -> Result<Self, Fault> {
        let mut labels = Self {
            job: attributes::find(found, SERVICE_NAME)?.unwrap_or_default(),
            instance: attributes::find(found, SERVICE_INSTANCE)?.unwrap_or_default(),
            promoted: Set::default(),
        };
        let namespace = attributes::find(found, SERVICE_NAMESPACE)?;
        if let Some(namespace) = namespace.filter(|_| !labels.job.is_empty()) {
            labels.job = Cow::Owned([&namespace, &b"/"[..], &labels.job].concat());
        }
        let promoted = found.iter().filter(|(key, _)| {
            std::str::from_utf8(key).is_ok_and(|key| rules.config.promotes(key))
        });
        labels.promoted.add_attributes(promoted.copied().collect(), rules.names, rules.limits)?;
        Ok(labels)
    }

    /// Sets `job` and `instance`; whether there is one of them.
    pub(super) fn identify(&self, set: &mut Set<'w>) -> bool {
        for (name, value) in [("job", &self.job), ("instance", &self.instance)] {
            if !value.is_empty() {
                set.set(name, value.clone());
            }
        }
        !(self.job.is_empty() && self.instance.is_empty())
    }

    pub(super) fn promoted(&self) -> &Set<'w> {
        &self.promoted
    }
}

/// What was made before, or is made now; a refusal is remembered as well.
fn remembered<T>(
    memory: &OnceCell<Result<T, Reason>>,
    make: impl FnOnce() -> Result<T, Fault>,
) -> Result<&T, Fault> {
    if memory.get().is_none() {
        let fresh = match make() {
            Ok(fresh) => Ok(fresh),
            Err(Fault::Refused(reason)) => Err(reason),
            Err(malformed @ Fault::Malformed(_)) => return Err(malformed),
        };
        // It is empty still: there is one thread.
        let _ = memory.set(fresh);
    }
    match memory.get() {
        Some(Ok(there)) => Ok(there),
        Some(Err(reason)) => Err(reason.clone().into()),
        None => Err(Reason::NoLabels.into()),
    }
}

/// What measured.
pub(super) struct Scope<'w> {
    message: Wire<'w>,
    schema_url: &'w [u8],
    pub(super) key: SeriesKey,
    labels: OnceCell<Result<Set<'w>, Reason>>,
}

impl<'w> Scope<'w> {
    pub(super) fn new(message: Wire<'w>, schema_url: &'w [u8], key: SeriesKey) -> Self {
        Self { message, schema_url, key, labels: OnceCell::new() }
    }

    pub(super) fn labels(&self, rules: Rules<'_>) -> Result<&Set<'w>, Fault> {
        remembered(&self.labels, || self.read(rules))
    }

    /// Nothing, unless scopes are wanted and this one has a name.
    fn read(&self, rules: Rules<'_>) -> Result<Set<'w>, Fault> {
        let mut set = Set::default();
        if !rules.config.promote_scope_metadata {
            return Ok(set);
        }
        let (mut name, mut version): (&[u8], &[u8]) = (&[], &[]);
        let mut message = self.message;
        while let Some((number, value)) = message.field()? {
            match (number, value) {
                (fields::SCOPE_NAME, Value::Bytes(text)) => name = text.bytes(),
                (fields::SCOPE_VERSION, Value::Bytes(text)) => version = text.bytes(),
                _ => {}
            }
        }
        if name.is_empty() {
            return Ok(set);
        }
        for (key, value) in attributes::read(self.message, fields::SCOPE_ATTRIBUTES)? {
            let key = format!("otel_scope_{}", text("name", key)?);
            set.set(rules.names.label(&key)?, attributes::text(value)?);
        }
        set.set("otel_scope_name", Cow::Borrowed(name));
        set.set("otel_scope_version", Cow::Borrowed(version));
        set.set("otel_scope_schema_url", Cow::Borrowed(self.schema_url));
        Ok(set)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum { is_monotonic: bool },
    Histogram,
    Exponential,
    Summary,
}

/// What the sums of data points are sums of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporality {
    /// Everything since the start.
    Cumulative,
    /// What came since the data point before.
    Delta,
    /// Not said, where it has to be.
    Unspecified,
}

pub(super) struct Metric<'w> {
    pub(super) name: &'w [u8],
    pub(super) unit: &'w [u8],
    pub(super) help: &'w [u8],
    pub(super) kind: Kind,
    pub(super) temporality: Temporality,
    pub(super) data: Wire<'w>,
    pub(super) key: SeriesKey,
    pub(super) family: OnceCell<Result<String, Reason>>,
}

impl Metric<'_> {
    /// The name of the metric as it is stored, without suffixes of its parts.
    pub(super) fn family(&self, names: Names) -> Result<&str, Reason> {
        let made = self.family.get_or_init(|| {
            let (name, unit) = (text("name", self.name)?, text("value", self.unit)?);
            names.metric(name, unit, self.named())
        });
        made.as_deref().map_err(Clone::clone)
    }

    fn named(&self) -> Named {
        match self.kind {
            Kind::Gauge => Named::Gauge,
            Kind::Sum { is_monotonic: true } => Named::Counter,
            Kind::Sum { is_monotonic: false }
            | Kind::Histogram
            | Kind::Exponential
            | Kind::Summary => Named::Other,
        }
    }

    /// What metadata calls it.
    pub(super) fn stored_kind(&self) -> MetricKind {
        match self.kind {
            Kind::Sum { is_monotonic: true } => MetricKind::Counter,
            Kind::Gauge | Kind::Sum { is_monotonic: false } => MetricKind::Gauge,
            Kind::Histogram | Kind::Exponential => MetricKind::Histogram,
            Kind::Summary => MetricKind::Summary,
        }
    }

    /// Whether data points are differences.
    pub(super) fn is_delta(&self) -> bool {
        self.temporality == Temporality::Delta
    }
}

/// All of it.
#[derive(Clone, Copy)]
pub(super) struct Context<'c, 'w> {
    pub(super) resource: &'c Resource<'w>,
    pub(super) scope: &'c Scope<'w>,
    pub(super) metric: &'c Metric<'w>,
}
