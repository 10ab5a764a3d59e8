//! `info`: series enriched with the labels of the info series that describe where they come from.

use std::collections::{HashMap, HashSet};

use regex::Regex;

use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, anchored};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::{filtered, with};
use crate::query::leaf::{Leaf, Task};
use crate::query::matrix::{Matrix, Row};
use crate::query::merge::merge_same_labels;
use crate::query::plan::{Hints, Info};
use crate::query::steps::{Steps, Windows, to_millis};
use crate::query::window::{Instant, Stamp};

/// The info metric where none is named.
const TARGET_INFO: &str = "target_info";

/// Labels by which info series and others find each other. Prometheus has them fixed too.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// The series with the labels of their info series.
///
/// # Errors
/// Info series that contradict each other, and what the source refused.
pub(crate) fn info(
    evaluator: &mut Evaluator<'_>,
    info: &Info,
    steps: Steps,
) -> Result<Matrix, Error> {
    let base = evaluator.vector(&info.plan, steps)?;
    let given = info.matchers.as_deref().unwrap_or_default();
    let (names, data): (Vec<&Matcher>, Vec<&Matcher>) =
        given.iter().partition(|matcher| matcher.name == METRIC_NAME);
    let names = name_matchers(&names);
    let tests = names.iter().map(Test::new).collect::<Result<Vec<_>, _>>()?;
    let is_info = |labels: &Labels| tests.iter().all(|test| test.passes(labels.metric()));
    let rows: Vec<Labels> = (0..base.len()).map(|row| base.labels(row)).collect();
    let plain: Vec<&Labels> = rows.iter().filter(|labels| !is_info(labels)).collect();
    let mut infos = InfoSeries::default();
    if let Some(identity) = identity_matchers(&plain) {
        let given = data.iter().map(|matcher| (*matcher).clone());
        let matchers: Vec<Matcher> = names.into_iter().chain(identity).chain(given).collect();
        infos.find(evaluator, info, &matchers, steps)?;
    }
    let data = DataLabels::new(&data)?;
    let mut result = Matrix::new(steps.count);
    for (index, labels) in rows.iter().enumerate() {
        let drops_name = base.drops_name(index);
        if is_info(labels) {
            result.push(labels.clone(), drops_name, base.row(index));
            continue;
        }
        for (enriched, row) in infos.enrich(labels, base.row(index), &data)? {
            result.push(enriched, drops_name, row.as_ref());
        }
    }
    merge_same_labels(result)
}

/// What an info metric's name must pass: `target_info` where nothing is said, and some `_info` where
/// only what it is not is said.
fn name_matchers(given: &[&Matcher]) -> Vec<Matcher> {
    let mut matchers: Vec<Matcher> = given.iter().map(|matcher| (*matcher).clone()).collect();
    if matchers.is_empty() {
        matchers.push(Matcher::equal(METRIC_NAME, TARGET_INFO));
    } else if !matchers.iter().any(|m| matches!(m.op, MatchOp::Equal | MatchOp::Regex)) {
        matchers.push(Matcher {
            name: METRIC_NAME.to_owned(),
            op: MatchOp::Regex,
            value: ".+_info".to_owned(),
        });
    }
    matchers
}

/// A matcher ready to be asked.
enum Test {
    Text { value: String, is_equal: bool },
    Regex { regex: Regex, matches: bool },
}

impl Test {
    fn new(matcher: &Matcher) -> Result<Self, Error> {
        let value = matcher.value.clone();
        let regex = |value: &str| {
            anchored(value).map_err(|error| crate::model::Error::Invalid(error.to_string()))
        };
        Ok(match matcher.op {
            MatchOp::Equal => Self::Text { value, is_equal: true },
            MatchOp::NotEqual => Self::Text { value, is_equal: false },
            MatchOp::Regex => Self::Regex { regex: regex(&value)?, matches: true },
            MatchOp::NotRegex => Self::Regex { regex: regex(&value)?, matches: false },
        })
    }

    fn passes(&self, text: &str) -> bool {
        match self {
            Self::Text { value, is_equal } => (value == text) == *is_equal,
            Self::Regex { regex, matches } => regex.is_match(text) == *matches,
        }
    }
}

/// Labels asked for by matchers; all where none is.
struct DataLabels {
    names: HashSet<String>,
    /// Whether a series without info series passes all of them.
    pass_without: bool,
}

impl DataLabels {
    fn new(matchers: &[&Matcher]) -> Result<Self, Error> {
        let mut pass_without = true;
        for matcher in matchers {
            pass_without &= Test::new(matcher)?.passes("");
        }
        Ok(Self { names: matchers.iter().map(|m| m.name.clone()).collect(), pass_without })
    }

    fn takes(&self, name: &str) -> bool {
        name != METRIC_NAME && (self.names.is_empty() || self.names.contains(name))
    }
}

/// Identity of info series: name, and the labels they are found by.
type Identity = Labels;

/// Info series by identity; at each step, the index of the newest in `labels`.
#[derive(Default)]
struct InfoSeries {
    labels: Vec<Labels>,
    newest: HashMap<Identity, Vec<Option<u32>>>,
    names: Vec<String>,
}

fn identity(name: &str, labels: &Labels) -> Identity {
    let identifying = filtered(labels, |name| IDENTIFYING.contains(&name));
    with(&identifying, METRIC_NAME, name)
}

/// What an info series of any of these has; None where they have no identity.
fn identity_matchers(series: &[&Labels]) -> Option<Vec<Matcher>> {
    let mut matchers = Vec::new();
    for name in IDENTIFYING {
        let values: HashSet<&str> = series.iter().filter_map(|labels| labels.get(name)).collect();
        if values.is_empty() {
            continue;
        }
        let mut values: Vec<String> = values.into_iter().map(regex::escape).collect();
        values.sort();
        let value = values.join("|");
        matchers.push(Matcher { name: name.to_owned(), op: MatchOp::Regex, value });
    }
    (!matchers.is_empty()).then_some(matchers)
}

impl InfoSeries {
    /// Reads the series that match.
    fn find(
        &mut self,
        evaluator: &mut Evaluator<'_>,
        info: &Info,
        matchers: &[Matcher],
        steps: Steps,
    ) -> Result<(), Error> {
        let windows = Windows::new(steps, evaluator.lookback, info.at, info.offset);
        let Some(selection) = evaluator.select(matchers, windows.range())? else { return Ok(()) };
        let leaf = Leaf {
            selection,
            task: Task::Stamp(Instant { steps, windows }, Stamp::Time),
            hints: Hints::AsStored,
            reach: windows,
            place: 0,
            in_subquery: evaluator.in_subquery,
            budget: evaluator.budget,
            counts: evaluator.counts.clone(),
        };
        let stamps = leaf.collect(evaluator.pool, &mut evaluator.notes)?;
        self.fill(&stamps)
    }

    /// Takes the newest series of each identity at each step. `stamps` are the times of rows.
    fn fill(&mut self, stamps: &Matrix) -> Result<(), Error> {
        let steps = stamps.steps();
        for index in 0..stamps.len() {
            let labels = stamps.labels(index);
            let name = labels.metric().to_owned();
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let newest =
                self.newest.entry(identity(&name, &labels)).or_insert_with(|| vec![None; steps]);
            for (step, best) in newest.iter_mut().enumerate() {
                let Some(stamp) = stamps.row(index).float(step) else { continue };
                let Some(other) = best.map(|other| other as usize) else {
                    *best = Some(number);
                    continue;
                };
                let before = stamps.row(other).float(step).unwrap_or(f64::NEG_INFINITY);
                if before == stamp {
                    return Err(duplicate(&stamps.labels(other), &labels, stamp));
                }
                if before < stamp {
                    *best = Some(number);
                }
            }
            self.labels.push(labels);
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
        self.names.sort();
        Ok(())
    }

    /// The labels of a series at each step, and the steps that have them.
    fn enrich(
        &self,
        base: &Labels,
        row: crate::query::matrix::RowRef<'_>,
        data: &DataLabels,
    ) -> Result<Vec<(Labels, Row)>, Error> {
        let per_name: Vec<Option<&Vec<Option<u32>>>> =
            self.names.iter().map(|name| self.newest.get(&identity(name, base))).collect();
        let mut results: Vec<(Vec<Option<u32>>, Labels, Row)> = Vec::new();
        for step in (0..row.values.len()).filter(|step| row.has(*step)) {
            let infos: Vec<Option<u32>> = per_name
                .iter()
                .map(|newest| newest.and_then(|newest| newest.get(step).copied().flatten()))
                .collect();
            if infos.iter().all(Option::is_none) && !data.pass_without {
                continue;
            }
            let at = if let Some(at) = results.iter().position(|(known, ..)| *known == infos) {
                at
            } else {
                let labels = self.combine(base, &infos, data)?;
                results.push((infos, labels, Row::new(row.values.len())));
                results.len() - 1
            };
            if let Some((_, _, result)) = results.get_mut(at) {
                result.copy_cell(step, row);
            }
        }
        Ok(results.into_iter().map(|(_, labels, row)| (labels, row)).collect())
    }

    fn combine(
        &self,
        base: &Labels,
        infos: &[Option<u32>],
        data: &DataLabels,
    ) -> Result<Labels, Error> {
        let mut added: Vec<(String, String)> = Vec::new();
        for labels in infos.iter().flatten().filter_map(|i| self.labels.get(*i as usize)) {
            for (name, value) in labels.iter().filter(|(name, _)| data.takes(name)) {
                match added.iter().find(|(known, _)| known == name) {
                    Some((_, known)) if known != value => {
                        return Err(Error::InfoConflict(name.to_owned()));
                    }
                    Some(_) => {}
                    None if base.get(name).is_some() => {}
                    None => added.push((name.to_owned(), value.to_owned())),
                }
            }
        }
        Ok(added.iter().fold(base.clone(), |labels, (name, value)| with(&labels, name, value)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the stamp was made from whole ms")]
fn duplicate(first: &Labels, second: &Labels, stamp: f64) -> Error {
    let time = (stamp * 1000.0).round() as i64;
    debug_assert_eq!(to_millis(time.saturating_mul(1_000_000)), time);
    Error::DuplicateInfo { first: first.to_string(), second: second.to_string(), time }
}
