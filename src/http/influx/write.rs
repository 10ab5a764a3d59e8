//! Line protocol in: `/write` of version 1, `/api/v2/write` of version 2, `/api/v3/write_lp` of
//! version 3.
//!
//! The same lines, told apart by how they name the database and by the form of errors. Good lines are
//! kept where others are refused.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{
    HeaderMap, Response, StatusCode, Uri,
    header::{CONTENT_ENCODING, HeaderValue},
};

use crate::export::write_string;
use crate::http::{
    Error,
    answer::{JSON, answer, done, refused},
    body::drain,
    connection::Connection,
    influx::routes::marked,
    intake::take,
    params::Params,
    routes::Shared,
};
use crate::ingest::{
    Encoding, Intake, Place, Reason, Refusal, Report, Session,
    line::{Ask, Precision, decode},
};
use crate::model::{Batch, Timestamp};

/// Which form parameters and errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
    Three,
}

pub(super) async fn v1(State(context): State<Shared>, request: Request) -> Response<Body> {
    write(Version::One, context, request).await
}

pub(super) async fn v2(State(context): State<Shared>, request: Request) -> Response<Body> {
    write(Version::Two, context, request).await
}

pub(super) async fn v3(State(context): State<Shared>, request: Request) -> Response<Body> {
    write(Version::Three, context, request).await
}

async fn write(version: Version, context: Shared, request: Request) -> Response<Body> {
    let connection = Connection::of(&request, &context);
    let (head, body) = request.into_parts();
    let now = Timestamp(context.doors.clock.now());
    let taken = match wishes(version, &head.uri, &head.headers) {
        Ok(Wishes { db, precision, encoding, is_whole }) => {
            let decode = move |bytes: &[u8],
                               session: &mut Session,
                               intake: &Intake<'_>,
                               batch: &mut Batch| {
                let ask = Ask { precision, now, db: &db };
                let mut report = decode(bytes, &ask, session, intake, batch)?;
                if is_whole && !report.is_clean() {
                    batch.clear();
                    report.samples = 0;
                }
                Ok(report)
            };
            take(&context, &connection, |it| &it.lines, (encoding, body), decode).await
        }
        Err(error) => {
            drain(body).await;
            Err(error)
        }
    };
    marked(match (taken, version) {
        (Ok(report), _) if report.is_clean() => done(),
        (Ok(report), Version::One) => told(&partial(&report), StatusCode::BAD_REQUEST),
        (Ok(report), Version::Two) => coded("invalid", &partial(&report), first_line(&report)),
        (Ok(report), Version::Three) => invalid_lines(&report),
        (Err(error), version) => refusal(version, &error),
    })
}

/// Refuses a caller in the form of version 1.
pub(super) fn refusal_v1(error: &Error, _: &HeaderMap) -> Response<Body> {
    marked(refusal(Version::One, error))
}

/// Refuses a caller in the form of version 2.
pub(super) fn refusal_v2(error: &Error, _: &HeaderMap) -> Response<Body> {
    marked(refusal(Version::Two, error))
}

fn refusal(version: Version, error: &Error) -> Response<Body> {
    let text = error.to_string();
    let response = match version {
        Version::One | Version::Three => told(&text, error.status()),
        Version::Two => coded(code(error), &text, None),
    };
    refused(error, response)
}

/// What a request says beside its body.
struct Wishes {
    db: String,
    precision: Precision,
    encoding: Encoding,
    /// Whether one bad line has all refused.
    is_whole: bool,
}

fn wishes(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Wishes, Error> {
    let params = Params::parse(uri.query(), b"")?;
    let name = match version {
        Version::One | Version::Three => "db",
        Version::Two => "bucket",
    };
    let precision = params.get("precision").unwrap_or_default();
    let precision = match version {
        Version::One | Version::Two => Precision::from_parameter(precision),
        Version::Three => Precision::from_word_of_version_3(precision).ok_or_else(|| {
            let why = "it is none of auto, nanosecond, microsecond, millisecond, second".into();
            Error::Parameter { name: "precision", why }
        })?,
    };
    if version == Version::Three && params.get(name).is_none() {
        return Err(Error::Bad("missing query parameter 'db'".into()));
    }
    let is_whole = version == Version::Three
        && params.get("accept_partial").is_some_and(|text| text.eq_ignore_ascii_case("false"));
    let header = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    Ok(Wishes {
        db: params.get(name).unwrap_or_default().to_owned(),
        precision,
        encoding: Encoding::from_header(header, Encoding::Identity).map_err(Error::of_body)?,
        is_whole,
    })
}

/// Words that clients look for, then the reasons, then how many points are lost.
fn partial(report: &Report) -> String {
    let reasons: Vec<String> = report.refusals.iter().map(ToString::to_string).collect();
    let is_unreadable = |refusal: &&Refusal| matches!(refusal.reason, Reason::Line { .. });
    let unreadable = report.refusals.iter().filter(is_unreadable).count();
    // InfluxDB counts points that it read and did not take; lines that are none are not among them.
    let dropped = report.refused.saturating_sub(unreadable as u64);
    let dropped = if unreadable == report.refusals.len() { 0 } else { dropped };
    if report.samples + report.strings + dropped == 0 {
        return reasons.join("\n");
    }
    format!("partial write: {} dropped={dropped}", reasons.join("\n"))
}

fn first_line(report: &Report) -> Option<usize> {
    report.refusals.iter().find_map(|refusal| match refusal.place {
        Place::Line(number) | Place::TextLine(number) => Some(number),
        Place::Series { .. } | Place::Metadata(_) | Place::Point { .. } => None,
    })
}

/// The form of version 1: one text, in the body and in a header.
fn told(text: &str, status: StatusCode) -> Response<Body> {
    let mut body = Vec::from(*br#"{"error":"#);
    write_string(text, &mut body);
    body.extend_from_slice(b"}\n");
    let mut response = answer(status, JSON, body);
    // A header is one line of visible characters.
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(1000).collect();
    if let Ok(value) = HeaderValue::from_bytes(line.as_bytes()) {
        response.headers_mut().insert("x-influxdb-error", value);
    }
    response
}

/// The form of version 2: a code, a text, and the line where it is known.
fn coded(code: &str, text: &str, line: Option<usize>) -> Response<Body> {
    let mut body = Vec::from(*br#"{"code":"#);
    write_string(code, &mut body);
    body.extend_from_slice(br#","message":"#);
    write_string(text, &mut body);
    if let Some(line) = line {
        body.extend_from_slice(format!(r#","line":{line}"#).as_bytes());
    }
    body.extend_from_slice(b"}\n");
    answer(StatusCode::BAD_REQUEST, JSON, body)
}

/// The form of version 3: each line with what is wrong with it.
fn invalid_lines(report: &Report) -> Response<Body> {
    let is_partial = report.samples > 0 || report.strings > 0;
    let text = if is_partial {
        "partial write of line protocol occurred"
    } else {
        "parsing failed for write_lp endpoint"
    };
    let mut body = Vec::from(*br#"{"error":"#);
    write_string(text, &mut body);
    body.extend_from_slice(br#","data":["#);
    for (index, refusal) in report.refusals.iter().enumerate() {
        let (line, what) = match &refusal.reason {
            Reason::Line { line, what } => (line.as_str(), what.to_string()),
            other => ("", other.to_string()),
        };
        let number = match refusal.place {
            Place::Line(number) | Place::TextLine(number) => number,
            Place::Series { .. } | Place::Metadata(_) | Place::Point { .. } => 0,
        };
        body.extend_from_slice(if index > 0 { b"," } else { b"" });
        body.extend_from_slice(br#"{"original_line":"#);
        write_string(line, &mut body);
        body.extend_from_slice(format!(r#","line_number":{number},"error_message":"#).as_bytes());
        write_string(&what, &mut body);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}\n");
    answer(StatusCode::BAD_REQUEST, JSON, body)
}

/// The code of version 2. `refused` sets the status.
pub(super) fn code(error: &Error) -> &'static str {
    match error.status() {
        StatusCode::NOT_FOUND => "not found",
        StatusCode::PAYLOAD_TOO_LARGE => "request too large",
        StatusCode::TOO_MANY_REQUESTS => "too many requests",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => "unavailable",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported media type",
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::INTERNAL_SERVER_ERROR => "internal error",
        _ => "invalid",
    }
}
