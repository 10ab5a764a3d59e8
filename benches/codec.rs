//! What the codecs take: nanoseconds and bytes a row, on four kinds of values.
//!
//! `cargo bench --bench codec` prints the bytes first, then times. A row is a time and a value; the
//! columns' times are nanoseconds as the store has them, the stream's are milliseconds.
#![expect(clippy::print_stdout, reason = "the table of bytes is what a reader of the bench wants")]
#![expect(clippy::unwrap_used, reason = "a bench that fails may stop")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use quipu::codec::{
    decode_floats, decode_ints, encode_floats, encode_ints, encoding_of,
    gorilla::{self, Cursor},
};

const ROWS: [usize; 2] = [120, 720];
const KINDS: [Kind; 4] = [Kind::Counter, Kind::Decimal, Kind::Integer, Kind::Noise];

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Grows by whole numbers; now and then it stands still.
    Counter,
    /// A gauge of two digits.
    Decimal,
    /// A gauge of whole numbers that changes three times of four.
    Integer,
    /// A gauge of all 52 bits.
    Noise,
}

/// `SplitMix64`: the same columns in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed >> 32) % u64::from(limit)).unwrap()
    }

    /// Around 0, within `limit`, near 0 more often.
    fn step(&mut self, limit: u32) -> f64 {
        f64::from(self.below(limit)) - f64::from(self.below(limit))
    }
}

impl Kind {
    /// Milliseconds, 15 s apart and up to 4 ms late, and values.
    fn rows(self, rows: usize) -> (Vec<i64>, Vec<f64>) {
        let mut random = Random(self as u64);
        let mut value: f64 = 1000.0;
        (0_i64..)
            .take(rows)
            .map(|row| {
                let time = 1_767_225_600_000 + row * 15_000 + i64::from(random.below(5));
                value = match self {
                    Self::Counter if random.below(16) == 0 => value,
                    Self::Counter => value + 300.0 + f64::from(random.below(600)),
                    Self::Decimal => (value * 100.0 + random.step(60)).round() / 100.0,
                    Self::Integer if random.below(4) == 0 => value,
                    Self::Integer => value + random.step(12),
                    Self::Noise => value + random.step(1 << 30) / 3e9,
                };
                (time, value)
            })
            .unzip()
    }
}

/// One series in every form that is measured.
struct Case {
    name: String,
    times_ms: Vec<i64>,
    times: Vec<i64>,
    values: Vec<f64>,
    cursor: Cursor,
    stream: Vec<u8>,
    times_column: Vec<u8>,
    values_column: Vec<u8>,
}

impl Case {
    fn new(kind: Kind, rows: usize) -> Self {
        let (times_ms, values) = kind.rows(rows);
        let times: Vec<i64> = times_ms.iter().map(|time| time * 1_000_000).collect();
        let (mut times_column, mut values_column) = (Vec::new(), Vec::new());
        encode_ints(&times, &mut times_column);
        encode_floats(&values, &mut values_column);
        let mut stream = vec![0; rows * 20];
        let cursor = append_all(&times_ms, &values, &mut stream);
        let name = format!("{kind:?}/{rows}").to_lowercase();
        Self { name, times_ms, times, values, cursor, stream, times_column, values_column }
    }

    fn print_bytes(&self) {
        let rows = f64::from(self.cursor.rows());
        let a_row = |bytes: usize| f64::from(u32::try_from(bytes).unwrap()) / rows;
        let columns = self.times_column.len() + self.values_column.len();
        println!(
            "{:12} stream {:5.2}  times {:5.2} {:14} values {:5.2} {:14} columns/stream {:.2}",
            self.name,
            a_row(self.cursor.bytes()),
            a_row(self.times_column.len()),
            encoding_of(&self.times_column).unwrap().name(),
            a_row(self.values_column.len()),
            encoding_of(&self.values_column).unwrap().name(),
            a_row(columns) / a_row(self.cursor.bytes()),
        );
    }
}

fn append_all(times: &[i64], values: &[f64], stream: &mut [u8]) -> Cursor {
    let mut cursor = Cursor::new();
    for (time, value) in times.iter().zip(values) {
        cursor.append(stream, *time, *value).unwrap();
    }
    cursor
}

fn main() {
    let cases: Vec<Case> =
        ROWS.iter().flat_map(|rows| KINDS.map(|kind| Case::new(kind, *rows))).collect();
    println!("bytes a row");
    cases.iter().for_each(Case::print_bytes);

    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(20)
        .without_plots()
        .configure_from_args();
    streams(&mut criterion, &cases);
    columns(&mut criterion, &cases);
}

fn streams(criterion: &mut Criterion, cases: &[Case]) {
    let mut group = criterion.benchmark_group("stream");
    for case in cases {
        let mut stream = case.stream.clone();
        measure(&mut group, "append", case, || {
            black_box(append_all(&case.times_ms, &case.values, &mut stream));
        });
        let (mut times, mut values) = (Vec::new(), Vec::new());
        measure(&mut group, "decode", case, || {
            times.clear();
            values.clear();
            gorilla::decode(&case.cursor, &case.stream, &mut times, &mut values).unwrap();
        });
    }
}

fn columns(criterion: &mut Criterion, cases: &[Case]) {
    let mut group = criterion.benchmark_group("column");
    for case in cases {
        let (mut bytes, mut times, mut values) = (Vec::new(), Vec::new(), Vec::new());
        measure(&mut group, "encode-ints", case, || {
            bytes.clear();
            encode_ints(black_box(&case.times), &mut bytes);
        });
        measure(&mut group, "encode-floats", case, || {
            bytes.clear();
            encode_floats(black_box(&case.values), &mut bytes);
        });
        measure(&mut group, "decode-ints", case, || {
            times.clear();
            decode_ints(black_box(&case.times_column), case.times.len(), &mut times).unwrap();
        });
        measure(&mut group, "decode-floats", case, || {
            values.clear();
            decode_floats(black_box(&case.values_column), case.values.len(), &mut values).unwrap();
        });
    }
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    what: &str,
    case: &Case,
    mut routine: impl FnMut(),
) {
    group.throughput(Throughput::Elements(case.cursor.rows().into()));
    group.bench_function(format!("{what}/{}", case.name), |bencher| bencher.iter(&mut routine));
}
