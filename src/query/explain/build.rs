//! From a plan to what is told of it.

use query_lang::{Edges, Grouping};

use super::tree::{Node, Reading};
use crate::model::{METRIC_NAME, MatchOp, Matcher};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::plan::{Aggregate, Among, Binary, Moved, Plan, Range, Rows, Select, Shared};
use crate::query::steps::{Steps, Windows};
use crate::query::subquery::inner_steps;
use crate::query::window::reach;

/// The tree of a plan, with what its selectors would read.
///
/// # Errors
/// What the source refused.
pub(crate) fn tree(evaluator: &Evaluator<'_>, plan: &Plan, steps: Steps) -> Result<Node, Error> {
    Builder { evaluator, shared: Vec::new() }.node(plan, steps)
}

struct Builder<'a, 'b> {
    evaluator: &'a Evaluator<'b>,
    /// Parts that stand there several times and were told of.
    shared: Vec<usize>,
}

impl Builder<'_, '_> {
    fn node(&mut self, plan: &Plan, steps: Steps) -> Result<Node, Error> {
        let mut children = Vec::new();
        let mut reading = None;
        let what = match plan {
            Plan::Number(number) => number.to_string(),
            Plan::Text(text) => format!("{text:?}"),
            Plan::Select(select) => {
                let (windows, edges) = (self.windows(select, steps, None), select.edges);
                reading = self.reading(select, reach(windows, edges, self.evaluator.lookback))?;
                selector(select)
            }
            Plan::Stamps(select, _) => {
                reading = self.reading(select, self.windows(select, steps, None))?;
                format!("timestamps of {}", selector(select))
            }
            Plan::Range(range) => self.range(range, steps, &mut reading, &mut children)?,
            Plan::RangeFunction(call) => {
                let range = self.range(&call.range, steps, &mut reading, &mut children)?;
                self.all(&call.scalars, steps, &mut children)?;
                format!("{} over {range}", call.function.name())
            }
            Plan::Negate(inner) => {
                children.push(self.node(inner, steps)?);
                "negate".to_owned()
            }
            Plan::Call(call) => {
                self.all(&call.args, steps, &mut children)?;
                call.function.name().to_owned()
            }
            Plan::Aggregate(aggregate) => {
                self.all(aggregate.parameter.as_slice(), steps, &mut children)?;
                children.push(self.node(&aggregate.plan, steps)?);
                aggregation(aggregate)
            }
            Plan::Binary(binary) => {
                children.push(self.node(&binary.left, steps)?);
                children.push(self.node(&binary.right, steps)?);
                operator(binary)
            }
            Plan::Info(info) => {
                children.push(self.node(&info.plan, steps)?);
                "info".to_owned()
            }
            Plan::Once(inner) => {
                children.push(self.node(inner, Steps { count: 1, ..steps })?);
                "once for all steps".to_owned()
            }
            Plan::Moved(moved) => self.moved(moved, steps, &mut children)?,
            Plan::Keep(inner) => {
                children.push(self.node(inner, steps)?);
                "keep names".to_owned()
            }
            Plan::Among(among) => self.among(among, steps, &mut children)?,
            Plan::Shared(shared) => self.shared(shared, steps, &mut children)?,
        };
        let measures = self.evaluator.measures.as_ref();
        let ran = measures.and_then(|measures| measures.of(plan));
        Ok(Node { what, reading, ran, children })
    }

    fn moved(
        &mut self,
        moved: &Moved,
        steps: Steps,
        children: &mut Vec<Node>,
    ) -> Result<String, Error> {
        let steps = moved.at.map_or(steps, Steps::at);
        let start = steps.start.saturating_sub(moved.offset);
        children.push(self.node(&moved.plan, Steps { start, ..steps })?);
        let at = moved.at.map_or_else(String::new, |at| format!(" @ {}", seconds(at)));
        Ok(format!("all of it{at} offset {}", seconds(moved.offset)))
    }

    fn among(
        &mut self,
        among: &Among,
        steps: Steps,
        children: &mut Vec<Node>,
    ) -> Result<String, Error> {
        children.push(self.node(&among.plan, steps)?);
        self.all(&among.numbers, steps, children)?;
        Ok(if among.is_equal { "is one of" } else { "is none of" }.to_owned())
    }

    fn shared(
        &mut self,
        shared: &Shared,
        steps: Steps,
        children: &mut Vec<Node>,
    ) -> Result<String, Error> {
        let known = self.shared.iter().position(|id| *id == shared.id);
        if let Some(number) = known {
            return Ok(format!("shared part {}, as above", number + 1));
        }
        self.shared.push(shared.id);
        let number = self.shared.len();
        children.push(self.node(&shared.plan, steps)?);
        Ok(format!("shared part {number}, used {} times", shared.uses))
    }

    fn all(&mut self, plans: &[Plan], steps: Steps, to: &mut Vec<Node>) -> Result<(), Error> {
        for plan in plans {
            to.push(self.node(plan, steps)?);
        }
        Ok(())
    }

    /// What a range is of; what it reads, or is made of, is put where it is told to.
    fn range(
        &mut self,
        range: &Range,
        steps: Steps,
        reading: &mut Option<Reading>,
        children: &mut Vec<Node>,
    ) -> Result<String, Error> {
        let length = seconds(range.length);
        Ok(match &range.rows {
            Rows::Select(select) => {
                let windows = self.windows(select, steps, Some(range.length));
                let windows = reach(windows, select.edges, self.evaluator.lookback);
                *reading = self.reading(select, windows)?;
                format!("{length} of {}", selector(select))
            }
            Rows::Subquery(inner) => {
                if let Some(steps) = inner_steps(inner, range.length, steps) {
                    children.push(self.node(&inner.plan, steps)?);
                }
                format!("{length} of steps of {}", seconds(inner.step))
            }
        })
    }

    fn windows(&self, select: &Select, steps: Steps, length: Option<i64>) -> Windows {
        let length = length.unwrap_or(self.evaluator.lookback);
        Windows::new(steps, length, select.at, select.offset)
    }

    fn reading(&self, select: &Select, windows: Windows) -> Result<Option<Reading>, Error> {
        let Some(range) = windows.range() else { return Ok(None) };
        let Some(selection) = self.evaluator.select(&select.matchers, Some(range))? else {
            return Ok(None);
        };
        let estimate = selection.estimate();
        let zones = selection.zones(0);
        let zone = zones.iter().find(|zone| zone.until >= range.start().0);
        Ok(Some(Reading {
            range_ms: (range.start().millis(), range.end().millis().saturating_sub(1)),
            series: estimate.series,
            rows: estimate.rows,
            bytes: estimate.bytes,
            tier: zone.map_or("raw", |zone| zone.tier.name()),
        }))
    }
}

fn selector(select: &Select) -> String {
    let is_name = |it: &&Matcher| it.name == METRIC_NAME && it.op == MatchOp::Equal;
    let name = select.matchers.iter().find(is_name);
    let others = select.matchers.iter().filter(|it| !name.is_some_and(|name| name == *it));
    let others: Vec<String> = others.map(ToString::to_string).collect();
    let mut text = name.map(|name| name.value.clone()).unwrap_or_default();
    if !others.is_empty() || text.is_empty() {
        text = format!("{text}{{{}}}", others.join(", "));
    }
    text.push_str(match select.edges {
        Edges::Plain => "",
        Edges::Anchored => " anchored",
        Edges::Smoothed => " smoothed",
    });
    if let Some(at) = select.at {
        text = format!("{text} @ {}", seconds(at));
    }
    if select.offset != 0 {
        text = format!("{text} offset {}", seconds(select.offset));
    }
    text
}

fn aggregation(aggregate: &Aggregate) -> String {
    let name = aggregate.op.name();
    match by(&aggregate.grouping) {
        Some(by) => format!("{name} {by}"),
        None => name.to_owned(),
    }
}

fn by(grouping: &Grouping) -> Option<String> {
    let labels = grouping.labels.join(", ");
    match (grouping.without, labels.is_empty()) {
        (false, true) => None,
        (false, false) => Some(format!("by ({labels})")),
        (true, _) => Some(format!("without ({labels})")),
    }
}

fn operator(binary: &Binary) -> String {
    let bool = if binary.returns_bool { " bool" } else { "" };
    let on = binary.matching.as_ref().map_or_else(String::new, |matching| {
        let word = if matching.on { "on" } else { "ignoring" };
        let labels = matching.labels.join(", ");
        if matching.on || !labels.is_empty() {
            format!(" {word} ({labels})")
        } else {
            String::new()
        }
    });
    format!("{}{bool}{on}", binary.op.symbol())
}

/// `1.5s`.
#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn seconds(millis: i64) -> String {
    format!("{}s", millis as f64 / 1000.0)
}
