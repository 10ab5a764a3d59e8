//! What has to hold for any bytes that come in by a door of `ingest`.
//!
//! The fuzz targets call these, and `tests/fuzz_corpus.rs` replays the corpus through them.

use quipu::ingest::{Config, Encoding, Error, Intake, LabelBook, Report, Session};
use quipu::ingest::{exposition, inflate, line, remote_write};
use quipu::model::{Batch, TenantId};

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
