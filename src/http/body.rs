//! Reading a request's body: bounded, admitted, never slower than a sender that is alive.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::timeout;

use crate::http::{
    Error,
    admission::{Bytes, Permit},
};

/// How long a sender may be silent in the middle of a body.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A refusal is read only after the body: this much of it is taken and thrown away, this long.
const DRAIN_BYTES_MAX: u64 = 256 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// What a body may weigh.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimit {
    pub(super) bytes: u64,
    pub(super) option: &'static str,
}

/// A body that was read, and the room it takes.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) bytes: Vec<u8>,
    pub(super) permits: Vec<Permit>,
}

/// Reads a body into `buffer`, which gives its memory.
pub(super) async fn read(
    mut body: Body,
    limit: BodyLimit,
    admission: &Bytes,
    mut buffer: Vec<u8>,
) -> Result<Read, Error> {
    buffer.clear();
    let mut permits = Vec::with_capacity(1);
    let announced = body.size_hint().upper();
    if let Some(size) = announced {
        if size > limit.bytes {
            drain(body).await;
            return Err(too_large(limit));
        }
        match admission.enter(size).await {
            Ok(permit) => permits.push(permit),
            Err(busy) => {
                drain(body).await;
                return Err(busy);
            }
        }
        buffer.reserve(usize::try_from(size).unwrap_or(0));
    }
    while let Some(frame) = timeout(SILENCE_MAX, body.frame()).await.map_err(|_| silent())? {
        let frame = frame.map_err(|error| Error::Bad(format!("cannot read the body: {error}")))?;
        let Ok(piece) = frame.into_data() else { continue };
        let size = buffer.len() as u64 + piece.len() as u64;
        if size > limit.bytes {
            drain(body).await;
            return Err(too_large(limit));
        }
        // Chunked bodies say no length: they are admitted as they double.
        if announced.is_none() && buffer.capacity() < buffer.len() + piece.len() {
            let more = (buffer.len() + piece.len()).max(64 << 10);
            match admission.enter(more as u64).await {
                Ok(permit) => permits.push(permit),
                Err(busy) => {
                    drain(body).await;
                    return Err(busy);
                }
            }
            buffer.reserve(more);
        }
        buffer.extend_from_slice(&piece);
    }
    Ok(Read { bytes: buffer, permits })
}

/// Reads on and throws away, so that the sender comes to read the answer instead of a reset.
pub(super) async fn drain(mut body: Body) {
    let reading = async {
        let mut left = DRAIN_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(rest) = left.checked_sub(size) else { return };
            left = rest;
        }
    };
    // Either way the answer goes out next.
    let _ = timeout(DRAIN_TIME_MAX, reading).await;
}

fn too_large(limit: BodyLimit) -> Error {
    let BodyLimit { bytes, option } = limit;
    Error::TooLarge(format!("the body is larger than the limit of {bytes} bytes: {option}"))
}

fn silent() -> Error {
    Error::Bad(format!("the body stopped for {} s before its end", SILENCE_MAX.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: BodyLimit = BodyLimit { bytes: 10, option: "--x" };

    fn room() -> Bytes {
        Bytes::new(1 << 20, Duration::ZERO)
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_read_into_the_buffer() {
        let old = Vec::from(*b"old");
        let read = read(Body::from("0123456789"), LIMIT, &room(), old).await.unwrap();
        assert_eq!(read.bytes, b"0123456789");
        assert_eq!(read.permits.len(), 1);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_names_the_option() {
        let refusal = read(Body::from("0123456789a"), LIMIT, &room(), Vec::new()).await;
        assert_eq!(
            refusal.unwrap_err().to_string(),
            "the body is larger than the limit of 10 bytes: --x"
        );
    }
}
