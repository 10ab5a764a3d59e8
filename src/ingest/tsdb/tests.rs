//! Chunks and indexes, written here as Prometheus writes them, come back; any bytes end in an error at
//! worst.

mod write;

use proptest::prelude::*;

use super::*;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, STALE_BITS, Span};
use write::{Row, histograms, index, segment, xor, xor2};

fn decoded(encoding: u8, data: &[u8]) -> Result<Columns, Error> {
    let mut out = Columns { times: vec![7], values: vec![7.0], ..Columns::default() };
    let result = decode(encoding, data, &mut out);
    assert_eq!((out.times.remove(0), out.values.remove(0)), (7, 7.0), "what was there stays");
    if !out.starts.is_empty() {
        out.starts.remove(0);
    }
    assert!(result.is_ok() || out.is_empty(), "an error appends nothing");
    result.map(|()| out)
}

fn bits(rows: &[Row]) -> Vec<(i64, u64)> {
    rows.iter().map(|row| (row.time, row.value.to_bits())).collect()
}

fn pairs(columns: &Columns) -> Vec<(i64, u64)> {
    columns
        .times
        .iter()
        .zip(&columns.values)
        .map(|(time, value)| (*time, value.to_bits()))
        .collect()
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-1000_i32..1000).prop_map(f64::from),
        (0_i32..100).prop_map(|cents| f64::from(cents) / 100.0),
        prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::from_bits(STALE_BITS)]),
    ]
}

/// Rows that rise in time, mostly at a steady pace.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let step = prop_oneof![
        5 => Just(15_000_i64),
        3 => 14_900_i64..15_100,
        1 => 1_i64..10_000_000,
        1 => Just(i64::from(i32::MAX) * 4),
    ];
    let start = prop_oneof![3 => Just(None), 1 => (1_i64..100_000).prop_map(Some)];
    prop::collection::vec((step, value(), start), 0..300).prop_map(|steps| {
        let (mut time, mut start) = (1_767_225_600_000_i64, 0);
        let row = |(step, value, begins): (i64, f64, Option<i64>)| {
            time += step;
            start = begins.map_or(start, |before| time - before);
            Row { time, value, start }
        };
        steps.into_iter().map(row).collect()
    })
}

fn check_cuts(encoding: u8, data: &[u8]) {
    for end in 0..data.len() {
        // A cut may leave a whole chunk only where what is cut off were bits to fill the last byte.
        drop(decoded(encoding, &data[..end]));
    }
}

proptest! {
    #[test]
    fn xor_chunks_come_back(rows in rows()) {
        let data = xor(&rows);
        prop_assert_eq!(pairs(&decoded(1, &data).unwrap()), bits(&rows));
        check_cuts(1, &data);
    }

    #[test]
    fn xor2_chunks_come_back_with_their_starts(rows in rows(), with_starts: bool) {
        let rows: Vec<Row> =
            rows.into_iter().map(|row| Row { start: if with_starts { row.start } else { 0 }, ..row }).collect();
        let data = xor2(&rows);
        let found = decoded(4, &data).unwrap();
        prop_assert_eq!(pairs(&found), bits(&rows));
        let starts: Vec<i64> = rows.iter().map(|row| row.start).collect();
        if starts.iter().any(|start| *start != 0) {
            prop_assert_eq!(found.starts, starts);
        } else {
            prop_assert!(found.starts.is_empty());
        }
        check_cuts(4, &data);
    }

    #[test]
    fn any_bytes_decode_or_err(encoding in 0_u8..9, data: Vec<u8>, rows in 0_u16..400) {
        drop(decoded(encoding, &data));
        let counted = [&rows.to_be_bytes()[..], &data].concat();
        drop(decoded(encoding, &counted));
    }

    #[test]
    fn damaged_chunks_decode_or_err(rows in rows(), at: usize, flip in 1_u8..) {
        for (encoding, mut data) in [(1, xor(&rows)), (4, xor2(&rows))] {
            let at = at % data.len();
            data[at] ^= flip;
            drop(decoded(encoding, &data));
        }
    }

    #[test]
    fn histograms_come_back(
        counts in prop::collection::vec(prop::collection::vec(0_u32..1_000_000, 5), 1..40),
        schema in prop::sample::select(vec![-4_i8, 0, 8, CUSTOM_BUCKETS_SCHEMA]),
        threshold in prop::sample::select(vec![0.0, 0.001, 2.938_735_877_055_719e-39, 1024.0]),
        is_integer: bool, is_started: bool, is_gauge: bool,
    ) {
        let made: Vec<HistogramPoint> = (0_i64..).zip(&counts).map(|(i, counts)| {
            let time = 1_767_225_600_000 + i * 15_007;
            let counts: Vec<f64> = counts.iter().map(|count| f64::from(*count)).collect();
            let is_stale = i > 0 && counts[0] > 900_000.0;
            let value = Histogram {
                is_integer,
                reset_hint: match (is_gauge, i) {
                    (true, _) => ResetHint::Gauge,
                    (false, 0) => ResetHint::Unknown,
                    _ => ResetHint::NoReset,
                },
                schema,
                zero_threshold: threshold,
                zero_count: counts[0],
                count: counts.iter().sum(),
                sum: counts[1] / 3.0,
                positive_spans: vec![Span { offset: -3, length: 2 }, Span { offset: 70, length: 1 }],
                positive: counts[2..].to_vec(),
                negative_spans: vec![Span { offset: 1, length: 1 }],
                negative: counts[1..2].to_vec(),
                custom_values: if schema == CUSTOM_BUCKETS_SCHEMA { vec![0.005, 1.0 / 3.0, 10.0] } else { vec![] },
            };
            let stale = Histogram { is_integer, sum: f64::from_bits(STALE_BITS), ..Histogram::default() };
            let start = if is_started { time - 1000 * i } else { 0 };
            HistogramPoint { time, start, value: if is_stale { stale } else { value } }
        }).collect();
        let data = histograms(&made, is_started, is_gauge);
        let encoding = match (is_integer, is_started) {
            (true, false) => 2,
            (false, false) => 3,
            (true, true) => 5,
            (false, true) => 6,
        };
        let found = decoded(encoding, &data).unwrap();
        prop_assert_eq!(found.histograms.len(), made.len());
        for (found, made) in found.histograms.iter().zip(&made) {
            prop_assert_eq!(found.value.sum.to_bits(), made.value.sum.to_bits());
            if found.value.sum.to_bits() != STALE_BITS {
                prop_assert_eq!(found, made);
            }
        }
        check_cuts(encoding, &data);
    }

    #[test]
    fn any_bytes_are_an_index_or_an_error(bytes: Vec<u8>, at in 0_u64..64) {
        drop(Symbols::read(&bytes, at));
        drop(read_tombstones(&bytes));
        drop(open_frame(&bytes, at));
        let symbols = Symbols::read(&[0, 0, 0, 4, 0, 0, 0, 0, 0x48, 0x67, 0x4b, 0xc7], 0).unwrap();
        drop(read_series(&bytes, at, &symbols, &mut Series::default()));
        drop(IndexTail::read(&bytes, &bytes, bytes.len() as u64));
    }
}

#[test]
fn counts_that_floats_cannot_hold_are_counted_as_refused() {
    let histogram = Histogram { is_integer: true, count: 1e17, ..Histogram::default() };
    let point = HistogramPoint { time: 1, start: 0, value: histogram };
    let data = histograms(&[point], false, false);
    let found = decoded(2, &data).unwrap();
    assert_eq!((found.refused, found.histograms.len()), (1, 0));
}

#[test]
#[expect(clippy::decimal_bitwise_operands, reason = "a bit of a test")]
fn series_come_back_with_labels_and_chunks_and_damage_is_named() {
    let labels: [&[(&str, &str)]; 2] = [&[("__name__", "a"), ("job", "x")], &[("__name__", "b")]];
    let chunks = [(5, 9, 8_u64), (10, 20, 1 << 32 | 77)];
    let bytes = index(&labels, &chunks);
    let size = bytes.len();
    let tail = IndexTail::read(&bytes, &bytes[size - INDEX_TAIL_BYTES..], size as u64).unwrap();
    let part = |range: &std::ops::Range<u64>| {
        &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    };
    let symbols = Symbols::read(part(&tail.symbols), tail.symbols.start).unwrap();
    let (mut series, mut at, mut found) = (Series::default(), tail.series.start, Vec::new());
    loop {
        let rest = &part(&tail.series)[usize::try_from(at - tail.series.start).unwrap()..];
        let used = read_series(rest, at, &symbols, &mut series).unwrap().unwrap();
        if used == 0 {
            break;
        }
        at += used as u64;
        found.push((series.texts(&symbols).collect::<Vec<_>>(), series.chunks.clone()));
    }
    let expected: Vec<ChunkRef> = chunks
        .iter()
        .map(|(first, last, place)| ChunkRef {
            segment: u32::try_from(place >> 32).unwrap(),
            at: u32::try_from(place & 0xffff_ffff).unwrap(),
            first: *first,
            last: *last,
        })
        .collect();
    assert_eq!(found, [(labels[0].to_vec(), expected.clone()), (labels[1].to_vec(), expected)]);

    let mut damaged = part(&tail.series).to_vec();
    damaged[3] ^= 1;
    let error = read_series(&damaged, tail.series.start, &symbols, &mut series).unwrap_err();
    assert!(error.to_string().starts_with("index is damaged at byte "), "{error}");
    let mut old = bytes.clone();
    old[4] = 1;
    let error = IndexTail::read(&old, &old[size - INDEX_TAIL_BYTES..], size as u64).unwrap_err();
    assert_eq!(error.to_string(), "index is damaged at byte 5: version is 1, only 2 is known");
}

#[test]
fn frames_are_checked() {
    let bytes = segment(&[(1, b"abc")]);
    check_segment(&bytes).unwrap();
    let frame = open_frame(&bytes[8..], 8).unwrap().unwrap();
    assert_eq!((frame.encoding, frame.data), (1, &b"abc"[..]));
    assert_eq!(open_frame(&bytes[8..11], 8).unwrap().unwrap_err(), bytes.len() - 8);
    let mut damaged = bytes.clone();
    damaged[10] ^= 4;
    assert!(open_frame(&damaged[8..], 8).unwrap_err().to_string().contains("checksum"));
    assert!(check_segment(&bytes[1..]).is_err());
}

#[test]
fn a_block_says_what_it_is() {
    let text = br#"{"ulid":"01BX","minTime":5,"maxTime":9,"version":1,"stats":{"numSamples":3},
        "compaction":{"level":2,"parents":[{"ulid":"01AX","minTime":5,"maxTime":7}]}}"#;
    let meta = read_meta(text).unwrap();
    assert_eq!((meta.min_time, meta.max_time, meta.stats.samples), (5, 9, 3));
    assert_eq!(meta.compaction.parents[0].ulid, "01AX");
    assert!(read_meta(br#"{"ulid":"x","minTime":1,"maxTime":2,"version":9}"#).is_err());
    assert!(read_meta(b"{").is_err());
}
