//! Rows as text: an exposition, JSON lines, separated values.
//!
//! The paths, parameters and statuses are those of VictoriaMetrics, whose tools refuse any success but
//! 204. Good lines are kept where others are refused, which is told as 400 with their numbers.

use axum::{
    body::Body,
    extract::{Request, State},
    response::IntoResponse,
};
use hyper::{
    HeaderMap, Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use crate::http::{
    Context, Error,
    answer::done,
    body::drain,
    connection::Connection,
    context::DoorCounters,
    intake::{Decode, take},
    params::Params,
    prometheus::moment::time,
    routes::Shared,
};
use crate::ingest::{
    Encoding, ExtraLabels, Intake,
    csv::{self, Format as Columns},
    exposition::{self, Format},
    json_lines,
};
use crate::model::Timestamp;

/// The text format, `OpenMetrics` or protobuf, by content type, else by what the text ends with.
pub(super) async fn exposition(State(context): State<Shared>, request: Request) -> Response<Body> {
    let wishes = Wishes::of(&context, &request).map(|(wishes, _)| wishes);
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = media_type.and_then(Format::from_content_type);
    let decode = wishes.map(|Wishes { encoding, extra, now }| {
        let decode = move |bytes: &[u8], session: &mut _, intake: &Intake<'_>, batch: &mut _| {
            let format = match format {
                Some(Format::Text) | None => Format::of_text(bytes),
                Some(other) => other,
            };
            let (relabel, scope) = (extra.as_relabel(), extra.scope());
            let ask = exposition::Ask { format, now, relabel, scope, ..exposition::Ask::default() };
            exposition::decode(bytes, &ask, session, intake, batch)
        };
        (encoding, decode)
    });
    import(&context, request, |it| &it.exposition, decode).await
}

pub(super) async fn json_lines(State(context): State<Shared>, request: Request) -> Response<Body> {
    let wishes = Wishes::of(&context, &request).map(|(wishes, _)| wishes);
    let decode = wishes.map(|Wishes { encoding, extra, .. }| {
        let decode = move |bytes: &[u8], session: &mut _, intake: &Intake<'_>, batch: &mut _| {
            json_lines::decode(
                bytes,
                &json_lines::Ask { extra: Some(&extra) },
                session,
                intake,
                batch,
            )
        };
        (encoding, decode)
    });
    import(&context, request, |it| &it.json_lines, decode).await
}

pub(super) async fn csv(State(context): State<Shared>, request: Request) -> Response<Body> {
    let wishes = Wishes::of(&context, &request).and_then(|(wishes, params)| {
        let bad =
            |name| move |error: csv::FormatError| Error::Parameter { name, why: chain(&error) };
        let format = Columns::parse(params.get("format").unwrap_or_default());
        let delimiter = csv::Ask::delimiter(params.all("delimiter").next());
        Ok((wishes, format.map_err(bad("format"))?, delimiter.map_err(bad("delimiter"))?))
    });
    let decode = wishes.map(|(Wishes { encoding, extra, now }, format, delimiter)| {
        let decode = move |bytes: &[u8], session: &mut _, intake: &Intake<'_>, batch: &mut _| {
            let ask = csv::Ask { format: &format, delimiter, now, extra: Some(&extra) };
            csv::decode(bytes, &ask, session, intake, batch)
        };
        (encoding, decode)
    });
    import(&context, request, |it| &it.csv, decode).await
}

fn chain(error: &csv::FormatError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

async fn import(
    context: &Shared,
    request: Request,
    counters: impl Fn(&Context) -> &DoorCounters,
    decode: Result<(Encoding, impl Decode), Error>,
) -> Response<Body> {
    let connection = Connection::of(&request, context);
    let body = request.into_body();
    let taken = match decode {
        Ok((encoding, decode)) => {
            take(context, &connection, counters, (encoding, body), decode).await
        }
        Err(error) => {
            drain(body).await;
            Err(error)
        }
    };
    match taken {
        Ok(report) if report.is_clean() => done(),
        Ok(report) => Error::Bad(report.to_string()).into_response(),
        Err(error) => error.into_response(),
    }
}

/// What such a request says beside its body.
struct Wishes {
    encoding: Encoding,
    extra: ExtraLabels,
    /// The time of rows that have none.
    now: Timestamp,
}

impl Wishes {
    fn of(context: &Context, request: &Request) -> Result<(Self, Params), Error> {
        let params = Params::parse(request.uri().query(), b"")?;
        let now = match time_of(&params)? {
            Some(now) => now,
            None => Timestamp(context.doors.clock.now()),
        };
        let encoding = encoding(request.headers())?;
        Ok((Self { encoding, extra: extra_labels(&params)?, now }, params))
    }
}

/// `timestamp` is in milliseconds here; 0 is none.
fn time_of(params: &Params) -> Result<Option<Timestamp>, Error> {
    const NAME: &str = "timestamp";
    let Some(text) = params.get(NAME).filter(|text| *text != "0") else { return Ok(None) };
    if let Ok(millis) = text.parse::<i64>() {
        let bad =
            || Error::Parameter { name: NAME, why: "it is outside the years 1677 to 2262".into() };
        return Timestamp::from_millis(millis).ok_or_else(bad).map(Some);
    }
    Ok(time(params, NAME)?.and_then(Timestamp::from_millis))
}

fn extra_labels(params: &Params) -> Result<ExtraLabels, Error> {
    let mut pairs = Vec::new();
    for text in params.all("extra_label") {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                pairs.push((name.to_owned(), value.to_owned()));
            }
            _ => {
                let shown: String = text.chars().take(80).collect();
                let why = format!("{shown:?} is not NAME=VALUE");
                return Err(Error::Parameter { name: "extra_label", why });
            }
        }
    }
    Ok(ExtraLabels::new(pairs))
}

pub(in crate::http) fn encoding(headers: &HeaderMap) -> Result<Encoding, Error> {
    let header = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    Encoding::from_header(header, Encoding::Identity).map_err(Error::of_body)
}
