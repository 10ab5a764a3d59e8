//! The series of a line: one look-up where it was seen before.

use super::field::{Field, Line};
use super::strict::{Tags, measurement};
use crate::ingest::config::VALUE_OPTION;
use crate::ingest::labels::{Checked, limit, text};
use crate::ingest::{Error, Intake, Reason, Session};
use crate::model::{self, Door, Label, METRIC_NAME, SeriesKey, SeriesRef};

/// Stands for a line whose fields are not consecutive series: each is found by a key of its own.
/// The session alone knows it; no registry gives so many refs.
const APART: SeriesRef = SeriesRef(u64::MAX);

/// Sets registered at once: bounds memory for lines of many fields and many tags.
const SETS_MAX: usize = 64;

/// The label that a database becomes.
const DB_LABEL: &str = "db";

/// How the series of a line were found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// The first of a run.
    Run(SeriesRef),
    /// One by one: they stand in the lookup.
    Apart,
}

/// Finds series for lines of one request.
pub(super) struct Lookup<'l> {
    body: &'l [u8],
    db: &'l str,
    session: &'l mut Session,
    pub(super) intake: &'l Intake<'l>,
    apart: Vec<SeriesRef>,
}

impl<'l> Lookup<'l> {
    pub(super) fn new(
        body: &'l [u8],
        db: &'l str,
        session: &'l mut Session,
        intake: &'l Intake<'l>,
    ) -> Self {
        Self { body, db, session, intake, apart: Vec::new() }
    }

    /// The series of a field of the line found last.
    #[inline]
    pub(super) fn series(&self, found: Found, index: usize) -> SeriesRef {
        match found {
            Found::Run(first) => SeriesRef(first.0 + index as u64),
            Found::Apart => self.apart.get(index).copied().unwrap_or_default(),
        }
    }

    /// None where the line was not seen before. A line without numbers needs no series.
    #[inline]
    pub(super) fn find(&mut self, line: &Line, fields: &[Field]) -> Option<Found> {
        if fields.is_empty() {
            return self.has_head(line).then_some(Found::Apart);
        }
        let key = self.key(Door::Line, line, fields);
        match self.session.find(key, self.intake.registry)? {
            APART => self.find_apart(line, fields),
            first => Some(Found::Run(first)),
        }
    }

    /// Text alone: nothing to find, but its tags have to be good.
    fn has_head(&self, line: &Line) -> bool {
        !self.slice(line.head_start, line.head_end).contains(&b',')
    }

    fn find_apart(&mut self, line: &Line, fields: &[Field]) -> Option<Found> {
        self.apart.clear();
        for field in fields {
            let key = self.key(Door::LineField, line, std::slice::from_ref(field));
            let series = self.session.find(key, self.intake.registry)?;
            self.apart.push(series);
        }
        Some(Found::Apart)
    }

    /// The key of measurement, tags and names of fields, each led by its length.
    #[inline]
    fn key(&mut self, door: Door, line: &Line, fields: &[Field]) -> SeriesKey {
        let mut bytes = std::mem::take(&mut self.session.bytes);
        bytes.clear();
        put(self.db.as_bytes(), &mut bytes);
        put(self.slice(line.head_start, line.head_end), &mut bytes);
        for field in fields {
            put(self.name(field), &mut bytes);
        }
        let key = self.intake.registry.key(self.intake.tenant, door, &bytes);
        self.session.bytes = bytes;
        key
    }

    #[inline]
    fn slice(&self, start: usize, end: usize) -> &'l [u8] {
        self.body.get(start..end).unwrap_or_default()
    }

    #[inline]
    fn name(&self, field: &Field) -> &'l [u8] {
        self.slice(field.name_start as usize, field.name_end as usize)
    }

    /// Makes the series of a line that the strict reader finds good.
    pub(super) fn register(
        &mut self,
        line: &Line,
        fields: &[Field],
    ) -> Result<Result<Found, Reason>, Error> {
        if fields.is_empty() {
            return Ok(Ok(Found::Apart));
        }
        let key = self.key(Door::Line, line, fields);
        // Another connection may have met it.
        if let Some(found) = self.find_apart(line, fields) {
            self.session.learn(key, APART);
            return Ok(Ok(found));
        }
        let refs = match self.register_all(line, fields)? {
            Ok(refs) => refs,
            Err(reason) => return Ok(Err(reason)),
        };
        let first = refs.first().copied().unwrap_or_default();
        let is_run = (first.0..).zip(&refs).all(|(expected, series)| series.0 == expected);
        if is_run {
            self.intake.registry.bind(key, first);
            self.session.learn(key, first);
            return Ok(Ok(Found::Run(first)));
        }
        self.session.learn(key, APART);
        for (field, series) in fields.iter().zip(&refs) {
            let key = self.key(Door::LineField, line, std::slice::from_ref(field));
            self.intake.registry.bind(key, *series);
            self.session.learn(key, *series);
        }
        self.apart = refs;
        Ok(Ok(Found::Apart))
    }

    fn register_all(
        &self,
        line: &Line,
        fields: &[Field],
    ) -> Result<Result<Vec<SeriesRef>, Reason>, Error> {
        let head = Head::of(self.slice(line.head_start, line.head_end));
        let tags = match self.tags(&head) {
            Ok(tags) => tags,
            Err(reason) => return Ok(Err(reason)),
        };
        let names: Vec<Vec<u8>> =
            fields.iter().map(|field| unescape(self.name(field), b",\" =")).collect();
        // A field that stands twice is one series: the registry is not asked for it twice at once.
        let at_once = if is_twice(&names) { 1 } else { SETS_MAX };
        let mut refs = Vec::with_capacity(fields.len());
        let measurement = match self.check_names(&head, &names) {
            Ok(measurement) => measurement,
            Err(reason) => return Ok(Err(reason)),
        };
        for names in names.chunks(at_once) {
            let metrics = names.iter().map(|name| {
                let name = String::from_utf8_lossy(name);
                format!("{measurement}_{name}")
            });
            let metrics: Vec<String> = metrics.collect();
            let sets: Vec<Vec<Label<'_>>> =
                metrics.iter().map(|metric| named(&tags, metric)).collect();
            let sets: Vec<&[Label<'_>]> = sets.iter().map(Vec::as_slice).collect();
            match self.intake.registry.register(self.intake.tenant, &sets, &mut refs) {
                Ok(()) => {}
                Err(refusal @ (model::Error::Invalid(_) | model::Error::Limit { .. })) => {
                    return Ok(Err(Reason::Registry(refusal)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ok(refs))
    }

    /// Whether `measurement_field` may be a metric's name for all fields, before one is registered.
    fn check_names<'h>(&self, head: &'h Head, names: &[Vec<u8>]) -> Result<&'h str, Reason> {
        let measurement = text("measurement", &head.measurement)?;
        for name in names {
            let size = measurement.len() + 1 + name.len();
            limit("size of metric name", size, self.intake.config.value_bytes_max, VALUE_OPTION)?;
            text("field name", name)?;
        }
        Ok(measurement)
    }

    /// Tags as labels, sorted; the database among them unless a tag has its name.
    fn tags<'h>(&'h self, head: &'h Head) -> Result<Vec<Label<'h>>, Reason> {
        let mut checked = Checked::new(self.intake.config);
        // Room for the name that each series gets, and no other label of that name.
        checked.add(METRIC_NAME.as_bytes(), b"_")?;
        for (name, value) in &head.tags {
            checked.add(name, value)?;
        }
        if !head.tags.iter().any(|(name, _)| name == DB_LABEL.as_bytes()) {
            checked.add(DB_LABEL.as_bytes(), self.db.as_bytes())?;
        }
        checked.finish()
    }
}

/// A head taken apart, its escapes undone.
struct Head {
    measurement: Vec<u8>,
    tags: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Head {
    fn of(head: &[u8]) -> Self {
        let tags = Tags::of(head)
            .map(|(name, value)| (unescape(name, b",= "), unescape(value, b",= ")))
            .collect();
        Self { measurement: unescape(measurement(head).0, b", "), tags }
    }
}

/// A backslash before one of `special` is left out; before others it stands for itself.
fn unescape(text: &[u8], special: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek() {
            Some(next) if *byte == b'\\' && special.contains(next) => {
                out.push(**next);
                bytes.next();
            }
            _ => out.push(*byte),
        }
    }
    out
}

fn is_twice(names: &[Vec<u8>]) -> bool {
    let mut sorted: Vec<&Vec<u8>> = names.iter().collect();
    sorted.sort_unstable();
    sorted.iter().zip(sorted.iter().skip(1)).any(|(left, right)| left == right)
}

/// `tags` with the metric's name in its place.
fn named<'n>(tags: &[Label<'n>], name: &'n str) -> Vec<Label<'n>> {
    tags.iter().map(|tag| if tag.0 == METRIC_NAME { (METRIC_NAME, name) } else { *tag }).collect()
}

#[inline]
fn put(text: &[u8], out: &mut Vec<u8>) {
    // Bodies are under 4 GiB.
    #[expect(clippy::cast_possible_truncation, reason = "checked before")]
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}
