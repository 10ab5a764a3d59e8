//! What is kept from one question to the next changes no answer, whatever is written in between.

#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use super::*;
use crate::model::{TimeRange, Timestamp};
use crate::query::ResultCache;

/// More than the newest that are never kept, ms.
const LATER: i64 = 300_000;

/// What happens to a source.
#[derive(Clone, Debug)]
enum Event {
    /// The question is asked over some steps, some ms after its rows.
    Ask {
        question: usize,
        start: i64,
        count: i64,
        now: i64,
    },
    Write(usize, Vec<MemoryRow>),
    Remove(usize, i64, i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..3usize, 0..40i64, 2..40i64, 0..7000i64).prop_map(|(question, start, count, now)| {
            Event::Ask { question, start, count, now }
        }),
        2 => (0..5usize, prop::collection::vec(any_row(), 1..4)).prop_map(|(i, rows)| Event::Write(i, rows)),
        1 => (0..5usize, 0..6000i64, 1..500i64).prop_map(|(i, from, long)| Event::Remove(i, from, long)),
    ]
}

fn labels(i: usize) -> Labels {
    let host = (i % 3).to_string();
    let name = if i < 3 { "a_total" } else { "b_gauge" };
    Labels::new([("__name__", name), ("host", host.as_str())]).unwrap()
}

/// As texts: NaN is equal to itself there, and notes have no order.
fn shown(answer: Result<Answer, Error>) -> Result<String, String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    answer.warnings.sort();
    answer.infos.sort();
    let Value::Matrix(series) = &answer.value else { unreachable!() };
    let bits: Vec<_> = series
        .iter()
        .map(|series| {
            let floats: Vec<_> =
                series.floats.iter().map(|(time, value)| (*time, value.to_bits())).collect();
            format!("{} {floats:?} {:?}", series.labels, series.histograms)
        })
        .collect();
    Ok(format!("{bits:#?}\n{:?}\n{:?}", answer.warnings, answer.infos))
}

fn keeping(bytes: usize) -> Engine {
    Engine::new(Config {
        lookback_ms: 400,
        results: Some(Arc::new(ResultCache::new(bytes))),
        ..Config::default()
    })
}

fn asked(
    engine: &Engine,
    source: &MemorySource,
    (text, when): (&str, When),
    now: Option<i64>,
) -> Result<String, String> {
    let mut question = Question::parse(text, when).unwrap();
    question.asked_at = now;
    shown(engine.ask(source, Scope::METRICS, &question, &Budget::default()))
}

const MORE: [&str; 8] = [
    "rate(b_gauge[1s])",
    "sum(rate({__name__=~\".+\"}[1s])) by (host)",
    "avg by (host) (a_total + on (host) group_left () b_gauge)",
    "a_total + (b_gauge @ 2.5)",
    "max_over_time(sum(a_total)[1s:300ms])",
    "topk(1, a_total) or b_gauge",
    "sum(a_total or b_gauge)",
    "absent(a_total{host=\"1\"})",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn kept_or_not_the_answer_is_the_same(
        source in any_source(),
        texts in prop::collection::vec(0..QUESTIONS.len() + MORE.len(), 3),
        events in prop::collection::vec(any_event(), 1..25),
    ) {
        let engine = keeping(1 << 22);
        let mut source = source;
        for event in events {
            match event {
                Event::Write(i, rows) => source.add(&labels(i), rows),
                Event::Remove(i, from, long) => {
                    let (from, to) = (from * 1_000_000, (from + long) * 1_000_000);
                    let range = TimeRange::new(Timestamp(from), Timestamp(to)).unwrap();
                    source.remove(&labels(i), range);
                }
                Event::Ask { question, start, count, now } => {
                    let text = texts[question];
                    let text = QUESTIONS.iter().chain(&MORE).nth(text).unwrap();
                    let (start, end) = (start * 100, (start + count) * 100);
                    let asks = (*text, When::Over { start, end, step: 100 });
                    let kept = asked(&engine, &source, asks, Some(now + LATER));
                    let anew = asked(&engine, &source, asks, None);
                    prop_assert_eq!(kept, anew, "{}", text);
                }
            }
        }
    }
}

/// Numbers whose sum depends on the order.
fn odd(i: usize, step: i64) -> f64 {
    let mixed =
        (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (step.cast_unsigned() * 0x51_7cc1);
    f64::from((mixed >> 40) as u32) * 1e-3 + 1e12 / (1.0 + (mixed % 97) as f64)
}

#[test]
fn sums_of_several_runs_are_the_same_while_series_come_and_go() {
    let mut source = MemorySource::new();
    for i in 0..2600 {
        let id = format!("{i:05}");
        let labels = Labels::new([("__name__", "m"), ("id", &id), ("of", &id[4..])]).unwrap();
        let lives = match i % 7 {
            0 => 0..200,
            1 => 150..400,
            _ => 0..400,
        };
        let rows = lives.map(|step| float_row(step * 100, odd(i, step)));
        source.add(&labels, rows);
    }
    let engine = keeping(64 << 20);
    for text in ["sum(m)", "avg by (of) (m)", "stddev(m)", "sum(m * 2)", "sum(rate(m[1s]))"] {
        for start in [0, 10, 20, 30, 170, 180, 190, 250, 260] {
            let (start, end) = (start * 100, (start + 100) * 100);
            let asks = (text, When::Over { start, end, step: 100 });
            let kept = asked(&engine, &source, asks, Some(end + LATER));
            assert_eq!(kept, asked(&engine, &source, asks, None), "{text} from {start}");
        }
    }
    let counters = engine.results().unwrap().counters();
    assert!(counters.partial_hits > 0, "{counters:?}");
}

#[test]
fn a_board_that_asks_again_has_only_its_new_steps_evaluated() {
    let mut source = MemorySource::new();
    source.add(&labels(0), (0..4000).map(|i| float_row(i * 1000, i as f64)));
    source.add(&labels(3), (0..4000).map(|i| float_row(i * 1000, (i % 7) as f64)));
    let engine = keeping(1 << 20);
    let mut evaluated = 0;
    for refresh in 0..5 {
        let end = 3_600_000 + refresh * 30_000;
        let when = When::Over { start: end - 3_000_000, end, step: 15_000 };
        for text in ["sum(rate(a_total[1m]))", "rate(b_gauge[1m])"] {
            let asks = (text, when);
            let kept = asked(&engine, &source, asks, Some(end));
            assert_eq!(kept, asked(&engine, &source, asks, None));
        }
        let counters = engine.results().unwrap().counters();
        let more = counters.steps_evaluated - evaluated;
        evaluated = counters.steps_evaluated;
        assert!(more <= if refresh == 0 { 402 } else { 50 }, "{more} of 402 at {refresh}");
        assert_eq!(counters.misses, 2);
    }
    // A row comes late: the steps that read it are evaluated again, and the answer has it.
    source.add(&labels(0), [float_row(2_000_500, 7.0)]);
    let when = When::Over { start: 600_000, end: 3_600_000, step: 15_000 };
    let asks = ("sum(rate(a_total[1m]))", when);
    let kept = asked(&engine, &source, asks, Some(4_000_000));
    assert_eq!(kept, asked(&engine, &source, asks, None));
    let more = engine.results().unwrap().counters().steps_evaluated - evaluated;
    assert!((4..60).contains(&more), "{more}");
}

#[test]
fn what_is_kept_stays_within_its_bytes() {
    let mut source = MemorySource::new();
    source.add(&labels(0), (0..1000).map(|i| float_row(i * 1000, i as f64)));
    let engine = keeping(20_000);
    for i in 0..50 {
        let text = format!("a_total + {i}");
        let asks = (text.as_str(), When::Over { start: 0, end: 100_000, step: 1000 });
        asked(&engine, &source, asks, Some(10_000_000)).unwrap();
    }
    let counters = engine.results().unwrap().counters();
    assert!(counters.bytes <= 20_000 && counters.entries > 3, "{counters:?}");
    assert_eq!(counters.evictions + counters.entries, 50);
}
