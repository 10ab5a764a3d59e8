//! What is told of a plan.

use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::query::{Explained, ResultCache};

fn source() -> MemorySource {
    let mut source = MemorySource::new();
    for host in ["a", "b"] {
        let labels = Labels::new([("__name__", "x_total"), ("host", host)]).unwrap();
        source.add(&labels, (0..100).map(|i| float_row(i * 1000, 1.0)));
    }
    source
}

fn explained(text: &str, is_run: bool) -> Explained {
    let results = Some(Arc::new(ResultCache::new(1 << 20)));
    let engine = Engine::new(Config { results, ..Config::default() });
    let when = When::Over { start: 10_000, end: 90_000, step: 1000 };
    let mut question = Question::parse(text, when).unwrap();
    question.asked_at = Some(1_000_000);
    let ticks = Cell::new(0);
    let clock = || {
        ticks.set(ticks.get() + 1);
        Duration::from_millis(ticks.get())
    };
    let clock: &dyn Fn() -> Duration = &clock;
    let budget = Budget::default();
    let clock = is_run.then_some(clock);
    engine.explain((&source(), Scope::METRICS), &question, &budget, clock).unwrap()
}

#[test]
fn a_plan_is_a_tree_with_what_its_selectors_read() {
    let text =
        explained("sum by (host) (rate(x_total{host!=\"\"}[5s])) / 2 > x_total offset 1s", false);
    assert_eq!(
        text.to_string(),
        r#">
├─ /
│  ├─ sum by (host)
│  │  └─ rate over 5s of x_total{host!=""}  (2 series, about 200 rows, 3200 bytes, raw, 1970-01-01T00:00:05Z to 1970-01-01T00:01:30Z)
│  └─ 2
└─ x_total offset 1s  (2 series, about 200 rows, 3200 bytes, raw, 1969-12-31T23:55:09Z to 1970-01-01T00:01:29Z)
81 steps; the result may be kept for the next question
"#
    );
    assert!(text.ran.is_none());
}

#[test]
fn what_ran_tells_what_each_part_took() {
    let explained = explained("sum(x_total) + max_over_time(sum(x_total)[10s:1s])", true);
    let (stats, took, _) = explained.ran.clone().unwrap();
    let root = explained.root.ran.unwrap();
    assert!(took > root.took && stats.samples == root.samples, "{root:?}");
    let samples: u64 = explained.root.children.iter().map(|it| it.ran.unwrap().samples).sum();
    assert_eq!(samples, root.samples);
    let text = explained.to_string();
    assert!(text.contains("rows read]"), "{text}");
    assert!(text.contains("10s of steps of 1s"), "{text}");
}

#[test]
fn a_shared_part_is_told_of_once() {
    let text = explained("sum(x_total) / (sum(x_total) + 1)", true).to_string();
    assert_eq!(text.matches("shared part 1, used 2 times").count(), 1, "{text}");
    assert_eq!(text.matches("shared part 1, as above").count(), 1, "{text}");
    assert_eq!(text.matches("x_total").count(), 1, "{text}");
}
