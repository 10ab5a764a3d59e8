//! A body on its way in: read, unpacked, decoded, written, acknowledged.
//!
//! Small bodies are decoded where they were read: handing them to another thread costs more than the
//! work. The answer waits for the sync that the batch shares with its neighbours, without a thread.

use std::sync::Arc;

use axum::body::Body;
use tokio::{sync::oneshot, task::spawn_blocking};

use crate::http::{
    Context, Error, body,
    connection::{Connection, Scratch},
    context::DoorCounters,
    routes::Shared,
};
use crate::ingest::{self, Encoding, Intake, Report, Session, inflate};
use crate::model::{Batch, TenantId};

/// Bodies above this are decoded where blocking is allowed: a millisecond's work.
const INLINE_BYTES_MAX: usize = 256 << 10;

/// What a packed body is taken to need until it is unpacked, as a multiple of its size.
pub(super) const UNPACKED_RATIO: u64 = 8;

/// Turns unpacked bytes into a batch.
pub(super) trait Decode:
    FnOnce(&[u8], &mut Session, &Intake<'_>, &mut Batch) -> Result<Report, ingest::Error>
    + Send
    + 'static
{
}

impl<T> Decode for T where
    T: FnOnce(&[u8], &mut Session, &Intake<'_>, &mut Batch) -> Result<Report, ingest::Error>
        + Send
        + 'static
{
}

/// Takes a body; returns after its good rows are safe.
pub(super) async fn take(
    context: &Shared,
    connection: &Connection,
    counters: impl Fn(&Context) -> &DoorCounters,
    (encoding, body): (Encoding, Body),
    decode: impl Decode,
) -> Result<Report, Error> {
    let mut scratch = connection.take_scratch();
    let buffer = std::mem::take(&mut scratch.body);
    let read = body::read(body, context.body_limit(), &context.bytes, buffer).await?;
    let counters = counters(context);
    counters.bytes.add(read.bytes.len() as u64);
    scratch.body = read.bytes;
    let unpacked = if encoding == Encoding::Identity {
        None
    } else {
        let size = scratch.body.len() as u64 * UNPACKED_RATIO;
        Some(context.bytes.enter(size.min(context.options.body_bytes_max)).await?)
    };
    let (mut scratch, decoded) = if scratch.body.len() <= INLINE_BYTES_MAX {
        let decoded = decode_body(context, &mut scratch, encoding, decode);
        (scratch, decoded)
    } else {
        let context = Arc::clone(context);
        let decoding = spawn_blocking(move || {
            let decoded = decode_body(&context, &mut scratch, encoding, decode);
            (scratch, decoded)
        });
        decoding
            .await
            .map_err(|panic| Error::Internal(format!("the body could not be decoded: {panic}")))?
    };
    drop((unpacked, read.permits));
    let written = match decoded {
        Ok((report, batch)) => write(context, batch).await.map(|()| report),
        Err(error) => Err(Error::of_body(error).of_packed(encoding)),
    };
    if written.is_err() {
        scratch.session.forget();
    }
    connection.give_back(scratch);
    if let Ok(report) = &written {
        counters.rows.add(report.samples + report.histograms + report.exemplars);
        counters.refused.add(report.refused);
    }
    written
}

fn decode_body(
    context: &Context,
    scratch: &mut Scratch,
    encoding: Encoding,
    decode: impl Decode,
) -> Result<(Report, Batch), ingest::Error> {
    let config = &context.options.ingest;
    let bytes = inflate(encoding, &scratch.body, config.body_bytes_max, &mut scratch.inflated)?;
    let registry = context.doors.registry.as_ref();
    let intake = Intake { config, registry, tenant: TenantId::default() };
    let mut batch = Batch::default();
    let report = decode(bytes, &mut scratch.session, &intake, &mut batch)?;
    Ok((report, batch))
}

/// Writes a batch; returns after it is safe.
pub(super) async fn write(context: &Context, batch: Batch) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let (done, waiting) = oneshot::channel();
    context.doors.sink.write(
        batch,
        Box::new(move |written| {
            // Nobody listens where the sender went away; the rows are safe all the same.
            let _ = done.send(written);
        }),
    );
    match waiting.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::of_write(error)),
        Err(_) => Err(Error::Unavailable("the store is closing".into())),
    }
}
