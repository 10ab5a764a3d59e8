//! The walk through a request: resources, scopes, metrics, data points.

use crate::ingest::check::check;
use crate::ingest::labels::shown;
use crate::ingest::otlp::context::{Context, Kind, Metric, Resource, Rules, Scope, Temporality};
use crate::ingest::otlp::delta::Deltas;
use crate::ingest::otlp::fields::DATA_POINTS;
use crate::ingest::otlp::labels::{Fault as LabelFault, Set};
use crate::ingest::otlp::points::Head;
use crate::ingest::otlp::role::Role;
use crate::ingest::otlp::shapes::REQUEST;
use crate::ingest::otlp::{attributes, target::Covered};
use crate::ingest::time::Bounds;
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Error, Intake, Place, Reason, Report, Session};
use crate::model::{Batch, Door, SeriesKey, SeriesRef};

/// Why a data point was not taken: it alone is bad, or nothing can be taken.
pub(super) enum Fault {
    Refused(Reason),
    Failed(Error),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Failed(malformed.into())
    }
}

impl From<LabelFault> for Fault {
    fn from(fault: LabelFault) -> Self {
        match fault {
            LabelFault::Refused(reason) => Self::Refused(reason),
            LabelFault::Malformed(malformed) => malformed.into(),
        }
    }
}

/// One request on its way into a batch.
pub(super) struct Decoder<'d> {
    pub(super) intake: &'d Intake<'d>,
    pub(super) session: &'d mut Session,
    pub(super) batch: &'d mut Batch,
    pub(super) rules: Rules<'d>,
    pub(super) deltas: &'d Deltas,
    pub(super) now: i64,
    pub(super) bounds: Bounds,
    pub(super) report: Report,
    /// Times of the data points taken of the resource at hand.
    pub(super) covered: Option<Covered>,
    /// Stands for the configuration: other names are other series.
    pub(super) fingerprint: u64,
    body: Wire<'d>,
    /// What names the series at hand: keys of resource, scope and metric, attributes, role.
    key: Vec<u8>,
    /// Where in `key` the role begins.
    key_point: usize,
    is_checked: bool,
}

/// What a decoder is given beside the request.
#[derive(Clone, Copy)]
pub(super) struct Given<'d> {
    pub(super) intake: &'d Intake<'d>,
    pub(super) rules: Rules<'d>,
    pub(super) deltas: &'d Deltas,
    pub(super) fingerprint: u64,
    pub(super) now: i64,
    pub(super) bounds: Bounds,
}

/// Room for names that a connection keeps.
const KEY_BYTES_KEPT: usize = 64 << 10;

const PREFIX_BYTES: usize = 3 * size_of::<SeriesKey>();

impl<'d> Decoder<'d> {
    pub(super) fn new(
        given: Given<'d>,
        body: &'d [u8],
        session: &'d mut Session,
        batch: &'d mut Batch,
    ) -> Self {
        let Given { intake, rules, deltas, fingerprint, now, bounds } = given;
        let key = std::mem::take(&mut session.bytes);
        Self {
            intake,
            session,
            batch,
            rules,
            deltas,
            now,
            bounds,
            report: Report::default(),
            covered: None,
            fingerprint,
            body: Wire::new(body),
            key,
            key_point: 0,
            is_checked: false,
        }
    }

    pub(super) fn finish(mut self) -> Report {
        self.key.clear();
        self.key.shrink_to(KEY_BYTES_KEPT);
        self.session.bytes = self.key;
        Report {
            samples: self.batch.rows.len() as u64,
            histograms: self.batch.histograms.len() as u64,
            exemplars: self.batch.exemplars.len() as u64,
            ..self.report
        }
    }

    /// Takes the whole request. Only what makes it worthless as a whole is an error.
    pub(super) fn take(&mut self) -> Result<(), Error> {
        let mut request = self.body;
        loop {
            let before = request;
            match request.field()? {
                Some((1, Value::Bytes(message))) => self.take_resource(message)?,
                Some((1, _)) => {
                    return Err(before.mismatch("ExportMetricsServiceRequest", 1).into());
                }
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }

    fn take_resource(&mut self, message: Wire<'d>) -> Result<(), Error> {
        let found = last_message(message, 1, "ResourceMetrics")?.unwrap_or_default();
        self.key.clear();
        self.key.extend_from_slice(&self.fingerprint.to_le_bytes());
        self.key.extend_from_slice(found.bytes());
        let resource = Resource::new(found, self.key_of());
        self.covered = None;
        let mut fields = message;
        loop {
            let before = fields;
            match fields.field()? {
                Some((2, Value::Bytes(scope))) => self.take_scope(&resource, scope)?,
                Some((2, _)) => return Err(before.mismatch("ResourceMetrics", 2).into()),
                Some(_) => {}
                None => return self.take_target(&resource),
            }
        }
    }

    fn take_scope(&mut self, resource: &Resource<'d>, message: Wire<'d>) -> Result<(), Error> {
        let found = last_message(message, 1, "ScopeMetrics")?.unwrap_or_default();
        let schema = last_message(message, 3, "ScopeMetrics")?.unwrap_or_default();
        self.key.clear();
        self.key.extend_from_slice(found.bytes());
        self.key.extend_from_slice(&found.bytes().len().to_le_bytes());
        self.key.extend_from_slice(schema.bytes());
        let scope = Scope::new(found, schema.bytes(), self.key_of());
        let mut fields = message;
        loop {
            let before = fields;
            match fields.field()? {
                Some((2, Value::Bytes(metric))) => self.take_metric(resource, &scope, metric)?,
                Some((2, _)) => return Err(before.mismatch("ScopeMetrics", 2).into()),
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }

    fn take_metric(
        &mut self,
        resource: &Resource<'d>,
        scope: &Scope<'d>,
        message: Wire<'d>,
    ) -> Result<(), Error> {
        let Some(metric) = self.read_metric(message)? else { return Ok(()) };
        let context = Context { resource, scope, metric: &metric };
        if let Err(reason) = self.judge(&metric) {
            let points = count(metric.data, DATA_POINTS)?;
            if points > 0 {
                self.refuse(&metric, 0, points, reason);
            }
            return Ok(());
        }
        self.key.clear();
        for key in [resource.key, scope.key, metric.key] {
            self.key.extend_from_slice(&key.0.to_le_bytes());
        }
        self.take_points(context)
    }

    fn take_points(&mut self, context: Context<'_, 'd>) -> Result<(), Error> {
        let mut fields = context.metric.data;
        let (mut index, mut has_taken) = (0, false);
        loop {
            let before = fields;
            match fields.field()? {
                Some((DATA_POINTS, Value::Bytes(point))) => {
                    match self.take_point(context, point) {
                        Ok(time) => {
                            has_taken = true;
                            Covered::add(&mut self.covered, time);
                        }
                        Err(Fault::Refused(reason)) => {
                            self.refuse(context.metric, index, 1, reason);
                        }
                        Err(Fault::Failed(error)) => return Err(error),
                    }
                    index += 1;
                }
                Some((DATA_POINTS, _)) => {
                    return Err(before.mismatch("Metric", DATA_POINTS).into());
                }
                Some(_) => {}
                None => break,
            }
        }
        if has_taken {
            self.tell(context.metric);
        }
        Ok(())
    }

    /// Takes a data point; its time.
    #[inline]
    fn take_point(&mut self, context: Context<'_, 'd>, point: Wire<'d>) -> Result<i64, Fault> {
        match context.metric.kind {
            Kind::Gauge | Kind::Sum { .. } => self.take_number(context, point),
            Kind::Histogram if self.rules.config.convert_histograms_to_nhcb => {
                self.take_custom(context, point)
            }
            Kind::Histogram => self.take_classic(context, point),
            Kind::Exponential => self.take_exponential(context, point),
            Kind::Summary => self.take_summary(context, point),
        }
    }

    /// Whether data points of this metric can be taken at all.
    fn judge(&self, metric: &Metric<'_>) -> Result<(), Reason> {
        match metric.temporality {
            Temporality::Cumulative => Ok(()),
            Temporality::Delta if self.rules.config.delta_to_cumulative => Ok(()),
            Temporality::Delta => Err(Reason::Temporality("delta, and delta_to_cumulative is off")),
            Temporality::Unspecified => Err(Reason::Temporality("not specified")),
        }
    }

    /// Begins a data point: its time, if it is taken. Its series are named from here on.
    #[inline]
    pub(super) fn begin(&mut self, head: &Head<'_>) -> Result<i64, Fault> {
        if head.time == 0 {
            return Err(Reason::NoTime.into());
        }
        let time = i64::try_from(head.time).map_err(|_| Reason::TimeOutside(i64::MAX))?;
        let time = self.bounds.nanos(time)?;
        self.key.truncate(PREFIX_BYTES);
        attributes::gather(head.message, head.attributes, &mut self.key)?;
        self.key_point = self.key.len();
        Ok(time)
    }

    /// The series that a data point has in a role.
    #[inline]
    pub(super) fn series(
        &mut self,
        context: Context<'_, 'd>,
        head: &Head<'d>,
        role: Role,
    ) -> Result<SeriesRef, Fault> {
        self.key.truncate(self.key_point);
        role.put(&mut self.key);
        let key = self.key_of();
        match self.session.find(key, self.intake.registry) {
            Some(found) => Ok(found),
            None => self.new_series(context, head, role, key),
        }
    }

    #[cold]
    fn new_series(
        &mut self,
        context: Context<'_, 'd>,
        head: &Head<'d>,
        role: Role,
        key: SeriesKey,
    ) -> Result<SeriesRef, Fault> {
        self.check_body()?;
        let rules = self.rules;
        let mut set = Set::default();
        let found = attributes::read(head.message, head.attributes)?;
        set.add_attributes(found, rules.names, rules.limits)?;
        let resource = context.resource.labels(rules)?;
        set.fill(resource.promoted());
        resource.identify(&mut set);
        set.set_all(context.scope.labels(rules)?);
        let family = context.metric.family(rules.names)?;
        let name = role.name(family, &mut set);
        self.register(key, &set, &name)
    }

    /// Registers a series of its own key.
    pub(super) fn register(
        &mut self,
        key: SeriesKey,
        set: &Set<'_>,
        name: &str,
    ) -> Result<SeriesRef, Fault> {
        let labels = set.finish(name, self.intake.config)?;
        let series = self.intake.register(&labels)??;
        self.intake.registry.bind(key, series);
        self.session.learn(key, series);
        Ok(series)
    }

    /// Registering cannot be taken back: before the first, all of the body is checked.
    pub(super) fn check_body(&mut self) -> Result<(), Malformed> {
        if !self.is_checked {
            check(self.body, &REQUEST)?;
            self.is_checked = true;
        }
        Ok(())
    }

    /// The key of what `self.key` holds.
    #[inline]
    pub(super) fn key_of(&self) -> SeriesKey {
        self.intake.registry.key(self.intake.tenant, Door::Point, &self.key)
    }

    /// Scratch space for a key.
    pub(super) fn key_bytes(&mut self) -> &mut Vec<u8> {
        &mut self.key
    }

    /// A row of its own.
    #[inline]
    pub(super) fn put(&mut self, series: SeriesRef, time: i64, start: i64, value: f64) {
        self.batch.rows.push_started(time, start, value);
        self.batch.rows.end_run(series);
    }

    #[cold]
    fn refuse(&mut self, metric: &Metric<'_>, index: usize, points: u64, reason: Reason) {
        self.report.refuse(self.intake.config, points, || {
            (Place::Point { metric: shown(metric.name), index }, reason)
        });
    }
}

/// The last of the messages in field `number`.
fn last_message<'w>(
    mut message: Wire<'w>,
    number: u32,
    name: &'static str,
) -> Result<Option<Wire<'w>>, Malformed> {
    let mut last = None;
    loop {
        let before = message;
        match message.field()? {
            Some((found, Value::Bytes(inner))) if found == number => last = Some(inner),
            Some((found, _)) if found == number => return Err(before.mismatch(name, number)),
            Some(_) => {}
            None => return Ok(last),
        }
    }
}

/// How many messages stand in field `number`.
fn count(mut message: Wire<'_>, number: u32) -> Result<u64, Malformed> {
    let mut count = 0;
    while let Some((found, _)) = message.field()? {
        count += u64::from(found == number);
    }
    Ok(count)
}
