//! Questions over rows in memory: what the executor costs a row and a series, no store in it.
//!
//! `cargo bench --bench query`. 10,000 counters at 15 s for an hour, 2.4 M rows; criterion prints
//! elements a second, an element being a row that the question reads.

#![expect(clippy::unwrap_used, reason = "questions of a bench are well formed")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use quipu::model::{Budget, Labels, Scope};
use quipu::query::memory::{MemoryRow, MemorySource, MemoryValue};
use quipu::query::{Engine, Question, When};

const SERIES: u32 = 10_000;
const ROWS: i64 = 240;
const STEP: i64 = 15_000;

fn source() -> MemorySource {
    let mut source = MemorySource::new().with_slices(1024);
    for i in 0..SERIES {
        let (pod, service) = (format!("pod-{i:05}"), format!("service-{}", i % 50));
        let labels = Labels::new([
            ("__name__", "requests_total"),
            ("cluster", "eu-1"),
            ("pod", pod.as_str()),
            ("service", service.as_str()),
        ]);
        let mut value = 0.0;
        let rows = (0..ROWS).map(|t| {
            value += f64::from(i % 13);
            let value = MemoryValue::Float(value);
            MemoryRow { time: t * STEP * 1_000_000, start: 0, value }
        });
        source.add(&labels.unwrap(), rows);
    }
    source
}

fn questions(c: &mut Criterion) {
    let source = source();
    let engine = Engine::default();
    let end = (ROWS - 1) * STEP;
    let over = |step| When::Over { start: 600_000, end, step };
    let cases = [
        ("sum_by_rate", "sum by (service) (rate(requests_total[5m]))", over(60_000)),
        ("sum_instant_rate", "sum(rate(requests_total[5m]))", When::At(end)),
        ("count_over_time", "sum(count_over_time(requests_total[1h]))", When::At(end)),
        ("max_over_time", "max(max_over_time(requests_total[5m]))", over(60_000)),
        ("avg_over_time", "avg(avg_over_time(requests_total[5m]))", over(60_000)),
        ("count_all", "count(requests_total)", When::At(end)),
        ("topk", "topk(5, requests_total)", When::At(end)),
        ("ratio", "rate(requests_total[5m]) / requests_total", over(300_000)),
    ];
    let mut group = c.benchmark_group("query");
    group.sample_size(20);
    for (name, text, when) in cases {
        let question = Question::parse(text, when).unwrap();
        let ask = || {
            let budget = Budget::default();
            engine.ask(&source, Scope::METRICS, &question, &budget).unwrap()
        };
        group.throughput(Throughput::Elements(ask().stats.samples));
        group.bench_function(name, |b| b.iter(ask));
    }
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
