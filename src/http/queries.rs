//! Questions that run, each with a switch, and what those cost that have ended.
//!
//! What operators of VictoriaMetrics love: the list of running queries with a way to end one, and the
//! dearest queries of late. Both are bounded: texts are cut, and of ended questions the last are kept.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::http::request;

use crate::access::Caller;
use crate::http::{Context, Error, connection::Connection};
use crate::model::{Budget, Stop};
use crate::os::Clock;

/// Bytes that are kept of a text and of a header.
const TEXT_BYTES_MAX: usize = 2048;
const HEADER_BYTES_MAX: usize = 128;

/// Headers by which dashboards say for what they ask, and how they are called here. Grafana sends
/// them with every query of a panel.
const ORIGIN_HEADERS: [(&str, &str); 9] = [
    ("x-grafana-org-id", "org"),
    ("x-dashboard-uid", "dashboard"),
    ("x-dashboard-title", "dashboard_title"),
    ("x-panel-id", "panel"),
    ("x-panel-title", "panel_title"),
    ("x-datasource-uid", "datasource"),
    ("x-query-group-id", "query_group"),
    ("fromalert", "from_alert"),
    ("user-agent", "user_agent"),
];

/// Who or what asked: names and values.
pub(super) type Origin = Arc<[(&'static str, String)]>;

/// What is told of a question.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// The expression; for calls that have none, their path and parameters.
    pub(super) text: String,
    /// First step, last step and their distance, ms; all 0 where there are none.
    pub(super) span: (i64, i64, i64),
    who: Arc<str>,
    address: Option<SocketAddr>,
    origin: Option<Origin>,
}

impl Told {
    /// What the head of a request tells.
    pub(super) fn of(context: &Context, head: &request::Parts) -> Self {
        let text = head.uri.path_and_query().map_or("", |uri| uri.as_str());
        let who = head.extensions.get::<Caller>().map_or_else(|| "".into(), |it| it.name.clone());
        let connection = head.extensions.get::<Arc<Connection>>();
        let origin = ORIGIN_HEADERS.iter().filter_map(|(header, name)| {
            let value = head.headers.get(*header)?.to_str().ok()?;
            Some((*name, cut(value, HEADER_BYTES_MAX).to_owned()))
        });
        let now = context.now_ms();
        Self {
            text: text.to_owned(),
            span: (now, now, 0),
            who,
            address: connection.and_then(|connection| connection.peer),
            origin: Some(origin.collect()),
        }
    }

    /// The same about an expression and its steps.
    pub(super) fn about(self, text: &str, span: (i64, i64, i64)) -> Self {
        Self { text: text.to_owned(), span, ..self }
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

/// All questions.
pub(super) struct Queries {
    clock: Arc<dyn Clock>,
    next: AtomicU64,
    kept_max: usize,
    running: Mutex<BTreeMap<u64, Running>>,
    ended: Mutex<VecDeque<Ended>>,
}

struct Running {
    told: Told,
    began: Duration,
    began_ms: i64,
    has_turn: Arc<AtomicBool>,
    stop: Stop,
    budget: Arc<Budget>,
}

/// What one question was and cost.
#[derive(Clone, Debug)]
struct Ended {
    text: Arc<str>,
    range_s: i64,
    origin: Origin,
    took: Duration,
    at: Duration,
    samples: u64,
    bytes: u64,
    is_failed: bool,
}

/// A question that runs, as it is listed.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) text: String,
    pub(super) span: (i64, i64, i64),
    pub(super) who: Arc<str>,
    pub(super) address: Option<SocketAddr>,
    pub(super) origin: Origin,
    pub(super) took: Duration,
    pub(super) began_ms: i64,
    pub(super) has_turn: bool,
    pub(super) samples: u64,
    pub(super) bytes: u64,
}

/// What all questions of one text and length cost together.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    pub(super) text: Arc<str>,
    pub(super) range_s: i64,
    pub(super) count: u64,
    pub(super) failed: u64,
    pub(super) took: Duration,
    pub(super) longest: Duration,
    pub(super) samples: u64,
    pub(super) bytes: u64,
    /// Those who asked, at most [`ORIGINS_MAX`].
    pub(super) origins: Vec<Origin>,
}

/// Askers that are told apart for one text.
const ORIGINS_MAX: usize = 5;

impl Queries {
    pub(super) fn new(clock: Arc<dyn Clock>, kept_max: usize) -> Self {
        Self {
            // Ids of two starts of a server differ, so that no old id ends a new question.
            next: AtomicU64::new(clock.now().cast_unsigned().max(1)),
            clock,
            kept_max,
            running: Mutex::default(),
            ended: Mutex::default(),
        }
    }

    /// Lists a question until what is returned is dropped.
    pub(super) fn enter(
        self: &Arc<Self>,
        mut told: Told,
        stop: &Stop,
        budget: &Arc<Budget>,
    ) -> Entry {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        told.text.truncate(told.text.floor_char_boundary(TEXT_BYTES_MAX));
        let has_turn = Arc::new(AtomicBool::new(false));
        let running = Running {
            told,
            began: self.clock.monotonic(),
            began_ms: self.clock.now().div_euclid(1_000_000),
            has_turn: Arc::clone(&has_turn),
            stop: stop.clone(),
            budget: Arc::clone(budget),
        };
        self.running().insert(id, running);
        Entry { id, queries: Arc::clone(self), has_turn, is_failed: true }
    }

    /// Ends a question.
    ///
    /// # Errors
    /// Where none of that id runs.
    pub(super) fn cancel(&self, id: u64) -> Result<(), Error> {
        let unknown = || Error::NotFound(format!("no query with id {id:016X} is running"));
        self.running().get(&id).map(|running| running.stop.cancel()).ok_or_else(unknown)
    }

    /// Those that run, the longest first.
    pub(super) fn list(&self) -> Vec<Listed> {
        let now = self.clock.monotonic();
        let mut all: Vec<Listed> = self
            .running()
            .iter()
            .map(|(id, it)| Listed {
                id: *id,
                text: it.told.text.clone(),
                span: it.told.span,
                who: Arc::clone(&it.told.who),
                address: it.told.address,
                origin: it.told.origin.clone().unwrap_or_default(),
                took: now.saturating_sub(it.began),
                began_ms: it.began_ms,
                has_turn: it.has_turn.load(Ordering::Relaxed),
                samples: it.budget.samples(),
                bytes: it.budget.memory(),
            })
            .collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.took));
        all
    }

    /// What the questions cost that ended within `lifetime`, by text and length.
    pub(super) fn costs(&self, lifetime: Duration) -> Vec<Cost> {
        let since = self.clock.monotonic().saturating_sub(lifetime);
        let mut costs: HashMap<(Arc<str>, i64), Cost> = HashMap::new();
        let ended = self.ended();
        for it in ended.iter().filter(|it| it.at >= since) {
            let cost =
                costs.entry((Arc::clone(&it.text), it.range_s)).or_insert_with(|| Cost::new(it));
            cost.add(it);
        }
        drop(ended);
        costs.into_values().collect()
    }

    /// Ended questions that are kept at most.
    pub(super) fn kept_max(&self) -> usize {
        self.kept_max
    }

    fn leave(&self, id: u64, is_failed: bool) {
        let Some(running) = self.running().remove(&id) else { return };
        let at = self.clock.monotonic();
        let (start, end, _) = running.told.span;
        let ended = Ended {
            text: running.told.text.into(),
            range_s: end.saturating_sub(start) / 1000,
            origin: running.told.origin.unwrap_or_default(),
            took: at.saturating_sub(running.began),
            at,
            samples: running.budget.samples(),
            bytes: running.budget.memory(),
            is_failed,
        };
        let mut all = self.ended();
        while all.len() >= self.kept_max.max(1) {
            all.pop_front();
        }
        all.push_back(ended);
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cost {
    fn new(first: &Ended) -> Self {
        Self {
            text: Arc::clone(&first.text),
            range_s: first.range_s,
            count: 0,
            failed: 0,
            took: Duration::ZERO,
            longest: Duration::ZERO,
            samples: 0,
            bytes: 0,
            origins: Vec::new(),
        }
    }

    fn add(&mut self, one: &Ended) {
        self.count += 1;
        self.failed += u64::from(one.is_failed);
        self.took += one.took;
        self.longest = self.longest.max(one.took);
        self.samples = self.samples.saturating_add(one.samples);
        self.bytes = self.bytes.saturating_add(one.bytes);
        if !one.origin.is_empty()
            && self.origins.len() < ORIGINS_MAX
            && !self.origins.contains(&one.origin)
        {
            self.origins.push(Arc::clone(&one.origin));
        }
    }

    /// The mean of each.
    pub(super) fn mean(&self) -> Duration {
        self.took / u32::try_from(self.count.max(1)).unwrap_or(u32::MAX)
    }

    pub(super) fn mean_bytes(&self) -> u64 {
        self.bytes / self.count.max(1)
    }
}

/// A place in the list of running questions.
pub(super) struct Entry {
    id: u64,
    queries: Arc<Queries>,
    has_turn: Arc<AtomicBool>,
    is_failed: bool,
}

impl Entry {
    /// It has waited for its turn and runs.
    pub(super) fn begin(&self) {
        self.has_turn.store(true, Ordering::Relaxed);
    }

    /// It has ended, well unless there is an error.
    pub(super) fn end(mut self, error: Option<&Error>) {
        self.is_failed = error.is_some();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.queries.leave(self.id, self.is_failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::SimClock;

    fn told(text: &str) -> Told {
        Told { text: text.into(), span: (0, 60_000, 1000), ..Told::default() }
    }

    #[test]
    fn questions_are_listed_while_they_run_and_counted_when_they_end() {
        let clock = SimClock::new(0);
        let queries = Arc::new(Queries::new(Arc::new(clock.clone()), 3));
        let (stop, budget) = (Stop::default(), Arc::new(Budget::default()));
        let first = queries.enter(told("a"), &stop, &budget);
        first.begin();
        clock.advance(Duration::from_secs(2));
        let second = queries.enter(told("b"), &stop, &budget);
        let listed = queries.list();
        assert_eq!(listed.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((listed[0].has_turn, listed[1].has_turn), (true, false));
        first.end(None);
        drop(second);
        assert!(queries.list().is_empty());
        let mut costs = queries.costs(Duration::from_secs(10));
        costs.sort_by(|a, b| a.text.cmp(&b.text));
        let seen: Vec<_> = costs.iter().map(|it| (&*it.text, it.failed, it.took)).collect();
        assert_eq!(seen, [("a", 0, Duration::from_secs(2)), ("b", 1, Duration::ZERO)]);
        clock.advance(Duration::from_secs(11));
        assert!(queries.costs(Duration::from_secs(10)).is_empty());
    }

    #[test]
    fn the_last_that_ended_are_kept() {
        let queries = Arc::new(Queries::new(Arc::new(SimClock::new(0)), 3));
        let (stop, budget) = (Stop::default(), Arc::new(Budget::default()));
        for text in ["a", "b", "c", "d", "d"] {
            queries.enter(told(text), &stop, &budget).end(None);
        }
        let mut costs = queries.costs(Duration::MAX);
        costs.sort_by(|a, b| a.text.cmp(&b.text));
        let seen: Vec<_> = costs.iter().map(|it| (&*it.text, it.count)).collect();
        assert_eq!(seen, [("c", 1), ("d", 2)]);
    }

    #[test]
    fn a_question_is_ended_by_its_id() {
        let queries = Arc::new(Queries::new(Arc::new(SimClock::new(0)), 3));
        let (stop, budget) = (Stop::default(), Arc::new(Budget::default()));
        let entry = queries.enter(told("a"), &stop, &budget);
        queries.cancel(entry.id).unwrap();
        assert!(stop.check().is_err());
        let id = entry.id;
        drop(entry);
        assert!(matches!(queries.cancel(id), Err(Error::NotFound(_))));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let queries = Arc::new(Queries::new(Arc::new(SimClock::new(0)), 3));
        let (stop, budget) = (Stop::default(), Arc::new(Budget::default()));
        let entry = queries.enter(told(&"é".repeat(5000)), &stop, &budget);
        assert_eq!(queries.list()[0].text.len(), TEXT_BYTES_MAX);
        drop(entry);
    }
}
