//! Answers: a status, a type, a body.

use std::io::{self, Write};

use axum::body::Body;
use flate2::{Compression, write::GzEncoder};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue,
        RETRY_AFTER, VARY, WWW_AUTHENTICATE,
    },
};

use crate::http::Error;

/// JSON.
pub(super) const JSON: &str = "application/json";
/// Text for people and for text formats.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// Bodies below this are sent as they are: packing costs more than it saves.
const PACK_BYTES_MIN: usize = 1024;

/// An answer with a body.
pub(super) fn answer(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Done, and nothing to say.
pub(super) fn done() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The headers that go with a refusal, whatever its form.
pub(super) fn refused(error: &Error, mut response: Response<Body>) -> Response<Body> {
    *response.status_mut() = error.status();
    if error.is_passing() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if matches!(error, Error::Unauthorized(_)) {
        for scheme in [r#"Bearer realm="quipu""#, r#"Basic realm="quipu", charset="UTF-8""#] {
            response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
    }
    response
}

/// Says that no other request is read from this connection.
pub(super) fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    #[default]
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// What the asker unpacks and likes best; of two liked alike, the one that costs less.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::Plain);
        let offers =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for item in offers.flat_map(|value| value.split(',')) {
            let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
            let packing = match coding.trim() {
                "zstd" => Self::Zstd,
                "gzip" | "*" => Self::Gzip,
                _ => continue,
            };
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok());
            let weight: f32 = weight.unwrap_or(1.0);
            if weight > best.0 || (weight == best.0 && weight > 0.0 && packing == Self::Zstd) {
                best = (weight, packing);
            }
        }
        best.1
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// Says in the head of an answer how its body is packed.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Some(name) = self.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
    }
}

/// Packs a body piece by piece.
pub(super) enum Packer {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Packer {
    pub(super) fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::Plain => Self::Plain(Vec::new()),
            Packing::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Packing::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
        })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// What is packed so far and was not taken yet.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        })
    }

    /// The rest.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// An answer of status 200 whose body is packed where that pays.
pub(super) fn packed(media_type: &'static str, body: Vec<u8>, packing: Packing) -> Response<Body> {
    if packing == Packing::Plain || body.len() < PACK_BYTES_MIN {
        return answer(StatusCode::OK, media_type, body);
    }
    let smaller = Packer::new(packing).and_then(|mut packer| {
        packer.push(&body)?;
        packer.finish()
    });
    // Writing to memory cannot fail; if it did, the plain body is as good.
    let Ok(smaller) = smaller else { return answer(StatusCode::OK, media_type, body) };
    let mut response = answer(StatusCode::OK, media_type, smaller);
    packing.tell(response.headers_mut());
    response
}

/// The same with a tag of what it holds; who has that already is told so, and sent nothing.
pub(super) fn tagged(
    media_type: &'static str,
    body: Vec<u8>,
    packing: Packing,
    known: Option<&HeaderValue>,
) -> Response<Body> {
    let tag = format!("W/\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(&body));
    let is_known = known
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| known.split(',').any(|it| it.trim() == tag || it.trim() == "*"));
    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        packed(media_type, body, packing)
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_packed_as_the_asker_likes_best() {
        for (offered, expected) in [
            ("gzip", Packing::Gzip),
            ("gzip, deflate, br", Packing::Gzip),
            ("gzip, deflate, br, zstd", Packing::Zstd),
            ("zstd;q=0.5, gzip;q=0.6", Packing::Gzip),
            ("deflate;q=0.5, gzip;q=0.1", Packing::Gzip),
            ("*", Packing::Gzip),
            ("gzip;q=0, zstd;q=0", Packing::Plain),
            ("identity", Packing::Plain),
            ("", Packing::Plain),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(offered));
            assert_eq!(Packing::of(&headers), expected, "{offered}");
        }
        assert_eq!(Packing::of(&HeaderMap::new()), Packing::Plain);
    }

    #[test]
    fn small_bodies_stay_plain() {
        let plain = packed(JSON, vec![b'x'; 100], Packing::Gzip);
        assert!(plain.headers().get(CONTENT_ENCODING).is_none());
        let small = packed(JSON, vec![b'x'; 100_000], Packing::Zstd);
        assert_eq!(small.headers().get(CONTENT_ENCODING).unwrap(), "zstd");
    }

    #[test]
    fn packed_pieces_make_one_body() {
        let body: Vec<u8> = (0..100_000_u32).flat_map(|i| (i % 251).to_le_bytes()).collect();
        for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
            let mut packer = Packer::new(packing).unwrap();
            let mut sent = Vec::new();
            for piece in body.chunks(70_000) {
                packer.push(piece).unwrap();
                sent.extend(packer.take());
            }
            sent.extend(packer.finish().unwrap());
            let unpacked = match packing {
                Packing::Plain => sent,
                Packing::Gzip => {
                    let mut out = Vec::new();
                    let mut reader = flate2::read::GzDecoder::new(&sent[..]);
                    io::Read::read_to_end(&mut reader, &mut out).unwrap();
                    out
                }
                Packing::Zstd => zstd::decode_all(&sent[..]).unwrap(),
            };
            assert!(unpacked == body, "{packing:?}");
        }
    }

    #[test]
    fn who_has_a_list_already_is_told_so() {
        let first = tagged(JSON, b"[1]".to_vec(), Packing::Plain, None);
        let tag = first.headers().get(ETAG).unwrap();
        let again = tagged(JSON, b"[1]".to_vec(), Packing::Plain, Some(tag));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = tagged(JSON, b"[2]".to_vec(), Packing::Plain, Some(tag));
        assert_eq!(other.status(), StatusCode::OK);
    }
}
