//! What has to hold for any bytes that come in by a door of `ingest`.
//!
//! The fuzz targets call these, and `tests/fuzz_corpus.rs` replays the corpus through them.

use quipu::ingest::{Config, Encoding, Error, Intake, LabelBook, Report, Session};
use quipu::ingest::{csv, exposition, inflate, json_lines, line, otlp, push, remote_write};
use quipu::model::{Batch, TenantId, Timestamp};

/// Limits small enough that a fuzzer finds them.
fn config() -> Config {
    Config {
        line_bytes_max: 4096,
        labels_max: 12,
        name_bytes_max: 64,
        value_bytes_max: 512,
        symbols_max: 100,
        buckets_max: 64,
        predictions_max: 50,
        ..Config::default()
    }
}

/// Sends the same body three times: cold, expected, and after the connection has forgotten.
fn thrice(mut send: impl FnMut(&mut Session, &Intake<'_>, &mut Batch) -> Result<Report, Error>) {
    let (config, book) = (config(), LabelBook::default());
    let intake = Intake { config: &config, registry: &book, tenant: TenantId(1) };
    let (mut session, mut batch) = (Session::new(), Batch::default());
    let mut seen: Option<(usize, u64, String)> = None;
    for round in 0..3 {
        if round == 2 {
            session.forget();
        }
        match send(&mut session, &intake, &mut batch) {
            Ok(report) => {
                assert_eq!(report.samples, batch.rows.len() as u64);
                assert!(report.refusals.len() <= config.reasons_max);
                assert_eq!(report.is_clean(), report.refusals.is_empty());
                assert!(
                    batch.rows.ends().last().copied().unwrap_or(0) as usize == batch.rows.len()
                );
                for series in batch.rows.series() {
                    assert!(book.labels(*series).is_some_and(|labels| !labels.is_empty()));
                }
                let now = (book.len(), report.refused, format!("{:?}", batch.rows));
                assert_eq!(seen.get_or_insert_with(|| now.clone()), &now);
            }
            Err(error) => {
                assert!(batch.is_empty() && book.is_empty(), "{error}");
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// An inflated body of remote write 1.
pub(crate) fn remote_write_v1(body: &[u8]) {
    thrice(|session, intake, batch| {
        remote_write::decode(remote_write::Message::WriteRequest, body, session, intake, batch)
    });
}

/// An inflated body of remote write 2.
pub(crate) fn remote_write_v2(body: &[u8]) {
    thrice(|session, intake, batch| {
        remote_write::decode(remote_write::Message::Request, body, session, intake, batch)
    });
}

/// An inflated body of lines.
pub(crate) fn line_protocol(body: &[u8]) {
    thrice(|session, intake, batch| {
        let ask = line::Ask { db: "fuzz", ..line::Ask::default() };
        line::decode(body, &ask, session, intake, batch)
    });
}

/// An inflated exposition; the first byte says which format and how it is taken.
pub(crate) fn exposition(body: &[u8]) {
    use exposition::{Ask, Entry, Format, Parser};

    let Some((choice, body)) = body.split_first() else { return };
    let format = match choice % 3 {
        0 => Format::Text,
        1 => Format::OpenMetrics,
        _ => Format::Protobuf,
    };
    let (is_whole, classic_histograms) = (choice & 4 != 0, choice & 8 != 0);
    let keep_created = choice & 16 != 0;
    thrice(|session, intake, batch| {
        let ask = Ask {
            format,
            is_whole,
            classic_histograms,
            keep_created,
            scope: b"fuzz",
            ..Ask::default()
        };
        exposition::decode(body, &ask, session, intake, batch)
    });
    if format != Format::Protobuf {
        let mut parser = Parser::new(body, format);
        let lines = body.split(|byte| *byte == b'\n').count() + 1;
        while let Some(entry) = parser.next() {
            assert!(parser.line() <= lines);
            if let Ok(Entry::Sample(sample)) = entry
                && let Ok(series) = parser.series(&sample)
            {
                assert!(!series.name.is_empty());
            }
        }
    }
}

/// An inflated body of OTLP: protobuf, or JSON where it begins as JSON does.
pub(crate) fn otlp(body: &[u8]) {
    let form = match body.trim_ascii_start() {
        [b'{', ..] => otlp::Form::Json,
        _ => otlp::Form::Protobuf,
    };
    // Sums of differences remember what came before; those of another receiver do not.
    for is_custom in [false, true] {
        let config = otlp::Config {
            convert_histograms_to_nhcb: is_custom,
            promote_scope_metadata: is_custom,
            promote_all_resource_attributes: is_custom,
            delta_to_cumulative: is_custom,
            delta_max_bytes: 4096,
            ..otlp::Config::default()
        };
        let send = |session: &mut Session, intake: &Intake<'_>, batch: &mut Batch| {
            let receiver = otlp::Receiver::new(config.clone());
            let now = Timestamp(1_000_000_000);
            receiver.decode(otlp::Sent { form, body, now }, session, intake, batch)
        };
        thrice(send);
    }
}

/// An inflated body of JSON lines.
pub(crate) fn json_lines(body: &[u8]) {
    thrice(|session, intake, batch| {
        json_lines::decode(body, &json_lines::Ask::default(), session, intake, batch)
    });
}

/// A format, a line's end, and separated values.
pub(crate) fn csv(body: &[u8]) {
    let at = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
    let (format, body) = body.split_at(at);
    let Ok(format) = csv::Format::parse(&String::from_utf8_lossy(format)) else { return };
    let now = quipu::model::Timestamp(1);
    thrice(|session, intake, batch| {
        let ask = csv::Ask { format: &format, delimiter: b',', now, extra: None };
        csv::decode(body, &ask, session, intake, batch)
    });
}

/// The body of a push, twice into one group and out again.
pub(crate) fn push(body: &[u8]) {
    use quipu::model::Timestamp;

    let group = push::Group::new([("job".to_owned(), "fuzz".to_owned())]);
    let Ok(pushed) = push::read(body, exposition::Format::Text, &group, &config()) else { return };
    let (mut groups, book) = (push::Groups::default(), LabelBook::default());
    for (how, now) in [(push::How::Replace, 1), (push::How::Merge, 2)] {
        let batch = groups.push(
            push::Push { group: &group, how, pushed: pushed.clone() },
            Timestamp(now),
            &book,
        );
        assert!(batch.is_ok_and(|batch| batch.rows.len() == groups.series() + 2));
    }
    let batch = groups.delete(&group, Timestamp(3), &book);
    assert!(batch.is_ok_and(|batch| batch.rows.len() >= 2) && groups.is_empty());
}

/// A body before it is inflated, in any encoding.
pub(crate) fn snappy(body: &[u8]) {
    const BYTES_MAX: usize = 1 << 20;
    let encodings =
        [Encoding::Snappy, Encoding::Gzip, Encoding::Deflate, Encoding::Zstd, Encoding::Identity];
    let mut buffer = Vec::new();
    for encoding in encodings {
        if let Ok(inflated) = inflate(encoding, body, BYTES_MAX, &mut buffer) {
            assert!(inflated.len() <= BYTES_MAX);
        }
    }
}

/// A chunk of a TSDB: its encoding, then its rows.
pub(crate) fn tsdb_chunk(bytes: &[u8]) {
    use quipu::ingest::tsdb::{Columns, decode};

    let Some((encoding, data)) = bytes.split_first() else { return };
    let mut out = Columns::default();
    if decode(*encoding, data, &mut out).is_err() {
        assert!(out.is_empty(), "an error appends nothing");
    }
    assert_eq!(out.times.len(), out.values.len());
    assert!(out.starts.is_empty() || out.starts.len() == out.times.len());
    assert!(u16::try_from(out.len()).is_ok());
}

/// A whole index of a TSDB block, gone through as an import does; also as a file of tombstones.
pub(crate) fn tsdb_index(bytes: &[u8]) {
    use quipu::ingest::tsdb::{
        INDEX_TAIL_BYTES, IndexTail, Series, Symbols, read_series, read_tombstones,
    };

    drop(read_tombstones(bytes));
    let tail = bytes.get(bytes.len().saturating_sub(INDEX_TAIL_BYTES)..).unwrap_or_default();
    let Ok(tail) = IndexTail::read(bytes, tail, bytes.len() as u64) else { return };
    let part = |range: &std::ops::Range<u64>| {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        bytes.get(at(range.start)..at(range.end)).unwrap_or_default()
    };
    let Ok(symbols) = Symbols::read(part(&tail.symbols), tail.symbols.start) else { return };
    let (mut at, mut series) = (tail.series.start, Series::default());
    while at < tail.series.end {
        let rest = part(&(at..tail.series.end));
        match read_series(rest, at, &symbols, &mut series) {
            Ok(Ok(used)) if used > 0 => {
                assert!(series.texts(&symbols).all(|(name, _)| name.len() <= bytes.len()));
                at += used as u64;
            }
            _ => break,
        }
    }
}

/// A stream of remote read frames.
pub(crate) fn remote_read(bytes: &[u8]) {
    use quipu::ingest::remote_read::{ReadError, read_message, take_frame};

    let mut rest = bytes;
    while let Ok(Some((message, used))) = take_frame(rest) {
        drop(read_message(message, |_, columns| {
            assert_eq!(columns.times.len(), columns.values.len());
            Ok::<_, ReadError>(())
        }));
        rest = rest.get(used..).unwrap_or_default();
    }
    // A fuzzer does not find checksums: also without a frame.
    drop(read_message(bytes, |_, _| Ok::<_, ReadError>(())));
}
