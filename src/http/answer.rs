//! Answers: a status, a type, a body.

use std::io::Write;

use axum::body::Body;
use flate2::{Compression, write::GzEncoder};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
        VARY, WWW_AUTHENTICATE,
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

/// Whether the asker unpacks gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|item| {
            let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok());
            matches!(coding.trim(), "gzip" | "*") && weight.unwrap_or(1.0_f32) > 0.0
        })
    })
}

/// An answer of status 200 whose body is packed where that pays.
pub(super) fn packed(media_type: &'static str, body: Vec<u8>, gzip: bool) -> Response<Body> {
    if !gzip || body.len() < PACK_BYTES_MIN {
        return answer(StatusCode::OK, media_type, body);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing to memory cannot fail; if it did, the plain body is as good.
    let Some(smaller) = encoder.write_all(&body).and_then(|()| encoder.finish()).ok() else {
        return answer(StatusCode::OK, media_type, body);
    };
    let mut response = answer(StatusCode::OK, media_type, smaller);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_offered_and_not_refused() {
        for (offered, expected) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("deflate;q=0.5, gzip;q=0.1", true),
            ("*", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(offered));
            assert_eq!(accepts_gzip(&headers), expected, "{offered}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn small_bodies_stay_plain() {
        let plain = packed(JSON, vec![b'x'; 100], true);
        assert!(plain.headers().get(CONTENT_ENCODING).is_none());
        let small = packed(JSON, vec![b'x'; 100_000], true);
        assert_eq!(small.headers().get(CONTENT_ENCODING).unwrap(), "gzip");
    }
}
