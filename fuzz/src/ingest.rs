//! What has to hold for any bytes that come in by a door of `ingest`.
//!
//! The fuzz targets call these, and `tests/fuzz_corpus.rs` replays the corpus through them.

use quipu::ingest::{Config, Encoding, Error, Intake, LabelBook, Report, Session};
use quipu::ingest::{inflate, line, otlp, remote_write};
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
