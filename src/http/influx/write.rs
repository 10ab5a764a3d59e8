//! Line protocol in: `/write` of version 1 and `/api/v2/write` of version 2.
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
    Encoding, Intake, Place, Report,
    line::{Ask, Precision, decode},
};
use crate::model::Timestamp;

/// Which form parameters and errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

pub(super) async fn v1(State(context): State<Shared>, request: Request) -> Response<Body> {
    write(Version::One, context, request).await
}

pub(super) async fn v2(State(context): State<Shared>, request: Request) -> Response<Body> {
    write(Version::Two, context, request).await
}

async fn write(version: Version, context: Shared, request: Request) -> Response<Body> {
    let connection = Connection::of(&request, &context);
    let (head, body) = request.into_parts();
    let now = Timestamp(context.doors.clock.now());
    let taken = match wishes(version, &head.uri, &head.headers) {
        Ok(Wishes { db, precision, encoding }) => {
            let decode =
                move |bytes: &[u8], session: &mut _, intake: &Intake<'_>, batch: &mut _| {
                    decode(bytes, &Ask { precision, now, db: &db }, session, intake, batch)
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
        (Err(error), Version::One) => refused(&error, told(&error.to_string(), error.status())),
        (Err(error), Version::Two) => {
            refused(&error, coded(code(&error), &error.to_string(), None))
        }
    })
}

/// What a request says beside its body.
struct Wishes {
    db: String,
    precision: Precision,
    encoding: Encoding,
}

fn wishes(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Wishes, Error> {
    let params = Params::parse(uri.query(), b"")?;
    let name = match version {
        Version::One => "db",
        Version::Two => "bucket",
    };
    let header = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    Ok(Wishes {
        db: params.get(name).unwrap_or_default().to_owned(),
        precision: Precision::from_parameter(params.get("precision").unwrap_or_default()),
        encoding: Encoding::from_header(header, Encoding::Identity).map_err(Error::of_body)?,
    })
}

/// Words that clients look for, then the reasons, then how many lines are lost.
fn partial(report: &Report) -> String {
    let reasons: Vec<String> = report.refusals.iter().map(ToString::to_string).collect();
    let written = if report.samples > 0 { "partial write: " } else { "" };
    format!("{written}{} dropped={}", reasons.join("\n"), report.refused)
}

fn first_line(report: &Report) -> Option<usize> {
    report.refusals.iter().find_map(|refusal| match refusal.place {
        Place::Line(number) | Place::TextLine(number) => Some(number),
        Place::Series { .. } | Place::Metadata(_) => None,
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

/// The code of version 2. `refused` sets the status.
fn code(error: &Error) -> &'static str {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => "request too large",
        StatusCode::TOO_MANY_REQUESTS => "too many requests",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => "unavailable",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported media type",
        StatusCode::INTERNAL_SERVER_ERROR => "internal error",
        _ => "invalid",
    }
}
