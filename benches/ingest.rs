//! What a sample costs on its way in, per door, once the connection is warm.
//!
//! Bodies have the shape of the bench's generator: 12 labels and about 250 bytes a series for remote
//! write, 7 fields a line. The registry is a map in memory behind the same door as the store's.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::format_push_string,
    reason = "making bodies is not what is measured"
)]

use std::hint::black_box;
use std::io::Write as _;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quipu::ingest::{
    Config, Encoding, Intake, LabelBook, Session, inflate, line, otlp, remote_write,
};
use quipu::model::{Batch, TenantId, Timestamp};

const SERIES: usize = 5_000;
const NOW_MS: u64 = 1_760_000_000_000;

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Twelve labels as a scraped host has them.
fn labels(index: usize) -> Vec<(String, String)> {
    let host = index / 100;
    [
        ("__name__", format!("node_cpu_seconds_total_{}", index % 100)),
        ("arch", "x64".into()),
        ("datacenter", format!("eu-central-1{}", host % 3)),
        ("hostname", format!("host_{host:05}")),
        ("instance", format!("10.0.{}.{}:9100", host / 250, host % 250)),
        ("job", "node-exporter".into()),
        ("os", "Ubuntu22.04LTS".into()),
        ("rack", format!("{}", host % 40)),
        ("region", "eu-central-1".into()),
        ("service", format!("service-{}", host % 20)),
        ("service_environment", "production".into()),
        ("team", "New-York".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn write_request(step: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for index in 0..SERIES {
        let mut series = Vec::new();
        for (name, value) in labels(index) {
            let mut label = Vec::new();
            put_bytes(&mut label, 1, name.as_bytes());
            put_bytes(&mut label, 2, value.as_bytes());
            put_bytes(&mut series, 1, &label);
        }
        let mut sample = vec![0x09];
        sample.extend_from_slice(&((index as u64 * 7 + step) as f64).to_le_bytes());
        sample.push(0x10);
        put_varint(&mut sample, NOW_MS + step * 15_000);
        put_bytes(&mut series, 2, &sample);
        put_bytes(&mut body, 1, &series);
    }
    body
}

fn request(step: u64) -> Vec<u8> {
    let mut symbols = vec![String::new()];
    let mut numbers = std::collections::HashMap::from([(String::new(), 0)]);
    let mut all = Vec::new();
    for index in 0..SERIES {
        let mut refs = Vec::new();
        for (name, value) in labels(index) {
            for text in [name, value] {
                let number = *numbers.entry(text.clone()).or_insert_with(|| {
                    symbols.push(text);
                    symbols.len() as u64 - 1
                });
                put_varint(&mut refs, number);
            }
        }
        let mut series = Vec::new();
        put_bytes(&mut series, 1, &refs);
        let mut sample = vec![0x09];
        sample.extend_from_slice(&((index as u64 * 7 + step) as f64).to_le_bytes());
        sample.push(0x10);
        put_varint(&mut sample, NOW_MS + step * 15_000);
        put_bytes(&mut series, 2, &sample);
        put_bytes(&mut all, 5, &series);
    }
    let mut body = Vec::new();
    for symbol in &symbols {
        put_bytes(&mut body, 4, symbol.as_bytes());
    }
    body.extend_from_slice(&all);
    body
}

fn bench_remote_write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("remote_write");
    group.throughput(Throughput::Elements(SERIES as u64));
    let config = Config::default();
    for (name, message, make) in [
        ("one", remote_write::Message::WriteRequest, write_request as fn(u64) -> Vec<u8>),
        ("two", remote_write::Message::Request, request),
    ] {
        let book = LabelBook::default();
        let intake = Intake { config: &config, registry: &book, tenant: TenantId(0) };
        let plain = make(1);
        let packed = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
        eprintln!("{name}: {} B/sample, {} packed", plain.len() / SERIES, packed.len() / SERIES);
        let (mut session, mut batch, mut buffer) = (Session::new(), Batch::default(), Vec::new());
        group.bench_function(format!("{name}/inflate"), |bencher| {
            bencher.iter(|| {
                let inflated = inflate(Encoding::Snappy, &packed, 1 << 26, &mut buffer).unwrap();
                black_box(inflated.len())
            });
        });
        group.bench_function(format!("{name}/decode"), |bencher| {
            bencher.iter(|| {
                let report =
                    remote_write::decode(message, &plain, &mut session, &intake, &mut batch);
                black_box(report.unwrap().samples)
            });
        });
        group.bench_function(format!("{name}/whole"), |bencher| {
            bencher.iter(|| {
                let inflated = inflate(Encoding::Snappy, &packed, 1 << 26, &mut buffer).unwrap();
                let report =
                    remote_write::decode(message, inflated, &mut session, &intake, &mut batch);
                black_box(report.unwrap().samples)
            });
        });
    }
    group.finish();
}

const LINES: usize = 1_000;
const FIELDS: usize = 7;

/// A third floats as sensors print them, the others integers, as the generator's mixture has it.
fn lines(step: u64) -> Vec<u8> {
    let mut body = String::new();
    for index in 0..LINES {
        let host = index / 9;
        body.push_str(&format!(
            "disk{},arch=x64,datacenter=eu-central-1{},hostname=host_{host:05},os=Ubuntu22.04LTS,\
             rack={},region=eu-central-1,service=service-{},team=New-York ",
            index % 9,
            host % 3,
            host % 40,
            host % 20
        ));
        let noise = |field: usize| (index * 31 + field * 7919 + step as usize * 104_729) % 100_003;
        let fields: Vec<String> = (0..FIELDS)
            .map(|field| match field % 3 {
                0 => format!("used_percent_{field}={}", noise(field) as f64 / 1003.7),
                1 => format!("inodes_free_{field}={}i", noise(field) * 4096),
                _ => format!("total_bytes_{field}={}", noise(field)),
            })
            .collect();
        body.push_str(&format!("{} {}000000\n", fields.join(","), NOW_MS + step * 15_000));
    }
    body.into_bytes()
}

fn bench_line(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("line");
    group.throughput(Throughput::Elements((LINES * FIELDS) as u64));
    let (config, book) = (Config::default(), LabelBook::default());
    let intake = Intake { config: &config, registry: &book, tenant: TenantId(0) };
    let body = lines(1);
    eprintln!("line: {} B/sample", body.len() / (LINES * FIELDS));
    let (mut session, mut batch) = (Session::new(), Batch::default());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&body).unwrap();
    let packed = gzip.finish().unwrap();
    let mut buffer = Vec::new();
    group.bench_function("gunzip", |bencher| {
        bencher.iter(|| {
            black_box(inflate(Encoding::Gzip, &packed, 1 << 26, &mut buffer).unwrap().len())
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let ask = line::Ask::default();
            let report = line::decode(&body, &ask, &mut session, &intake, &mut batch).unwrap();
            black_box(report.samples)
        });
    });
    group.finish();
}

fn put_fixed(out: &mut Vec<u8>, number: u8, value: u64) {
    out.push(number << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_attribute(out: &mut Vec<u8>, field: u8, name: &str, value: &str) {
    let (mut any, mut pair) = (Vec::new(), Vec::new());
    put_bytes(&mut any, 1, value.as_bytes());
    put_bytes(&mut pair, 1, name.as_bytes());
    put_bytes(&mut pair, 2, &any);
    put_bytes(out, field, &pair);
}

/// The same series as those of remote write: a host is a resource, its metrics are sums.
fn export_request(step: u64) -> Vec<u8> {
    let time = (NOW_MS + step * 15_000) * 1_000_000;
    let mut body = Vec::new();
    for host in 0..SERIES / 100 {
        let (mut resource, mut scope) = (Vec::new(), Vec::new());
        for (name, value) in labels(host * 100).iter().skip(1) {
            put_attribute(&mut resource, 1, name, value);
        }
        for index in host * 100..(host + 1) * 100 {
            let (mut point, mut sum, mut metric) = (Vec::new(), Vec::new(), Vec::new());
            put_fixed(&mut point, 2, NOW_MS * 1_000_000);
            put_fixed(&mut point, 3, time);
            put_fixed(&mut point, 4, ((index as u64 * 7 + step) as f64).to_bits());
            put_attribute(&mut point, 7, "cpu", "0");
            put_attribute(&mut point, 7, "mode", "idle");
            put_bytes(&mut sum, 1, &point);
            sum.extend_from_slice(&[2 << 3, 2, 3 << 3, 1]);
            put_bytes(&mut metric, 1, format!("node.cpu.time.{}", index % 100).as_bytes());
            put_bytes(&mut metric, 3, b"s");
            put_bytes(&mut metric, 7, &sum);
            put_bytes(&mut scope, 2, &metric);
        }
        let mut all = Vec::new();
        put_bytes(&mut all, 1, &resource);
        put_bytes(&mut all, 2, &scope);
        put_bytes(&mut body, 1, &all);
    }
    body
}

fn bench_otlp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("otlp");
    group.throughput(Throughput::Elements(SERIES as u64));
    let (config, book) = (Config::default(), LabelBook::default());
    let intake = Intake { config: &config, registry: &book, tenant: TenantId(0) };
    let receiver = otlp::Receiver::new(otlp::Config::default());
    let body = export_request(1);
    eprintln!("otlp: {} B/sample", body.len() / SERIES);
    let (mut session, mut batch) = (Session::new(), Batch::default());
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let sent =
                otlp::Sent { form: otlp::Form::Protobuf, body: &body, now: Timestamp::default() };
            let report = receiver.decode(sent, &mut session, &intake, &mut batch).unwrap();
            black_box(report.samples)
        });
    });
    group.finish();
}

criterion_group!(benches, bench_remote_write, bench_line, bench_otlp);
criterion_main!(benches);
