//! Remote read: rows for another Prometheus, in one message or in frames of chunks.
//!
//! Errors are plain text, which readers log. Source: `storage/remote/read_handler.go` of
//! prometheus/prometheus.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_ENCODING, HeaderValue},
};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::export::{Frames, Pieces, RowWriter, Samples};
use crate::http::{
    Context, Error, body,
    outlet::{Form, PIECES_WAITING, Page, StopOnDrop, respond},
    prometheus::{
        export::{scan_into, send_piece},
        write::refusal,
    },
    queries::Told,
    question::{self, Job},
    routes::Shared,
};
use crate::ingest::{Encoding, ReadQuery, ReadRequest, inflate};
use crate::model::{
    Ask, Budget, Error as Failure, Limits, MatchOp, Scope, Selection, Stop, TimeRange, Timestamp,
};

const STREAMED: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
const WHOLE: &str = "application/x-protobuf";

/// Bytes of a request once it is unpacked: a selector of megabytes is a mistake.
const REQUEST_BYTES_MAX: usize = 4 << 20;

pub(super) async fn read(State(context): State<Shared>, request: Request) -> Response<Body> {
    let answered = rows(&context, request).await;
    answered.unwrap_or_else(|error| refusal(&error, &HeaderMap::new()))
}

async fn rows(context: &Shared, request: Request) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let packed = body::read(body, Context::form_limit(), &context.bytes, Vec::new()).await?.bytes;
    let mut bytes = Vec::new();
    let bytes = inflate(Encoding::Snappy, &packed, REQUEST_BYTES_MAX, &mut bytes);
    let bytes = bytes.map_err(Error::of_body)?;
    let request = ReadRequest::parse(bytes).map_err(|error| Error::Bad(error.to_string()))?;
    let told = Told::of(context, &head).about(&described(&request), span(&request));
    if request.is_streamed {
        return stream(context, told, request).await;
    }
    let job = Job { within: None, form: Form::plain(WHOLE), told };
    let mut response = question::answer(context, job, move |context, budget, outlet| {
        *outlet.out() = samples(context, budget, &request)?;
        Ok(())
    })
    .await?;
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
    }
    Ok(response)
}

/// What is listed of it.
fn described(request: &ReadRequest) -> String {
    let queries = request.queries.iter().map(|query| {
        let matchers = query.matchers.iter().map(|it| {
            let op = match it.op {
                MatchOp::Equal => "=",
                MatchOp::NotEqual => "!=",
                MatchOp::Regex => "=~",
                MatchOp::NotRegex => "!~",
            };
            format!("{}{op}{:?}", it.name, it.value)
        });
        format!("{{{}}}", matchers.collect::<Vec<_>>().join(","))
    });
    format!("remote read {}", queries.collect::<Vec<_>>().join(" "))
}

fn span(request: &ReadRequest) -> (i64, i64, i64) {
    let start = request.queries.iter().map(|query| query.start_ms).min().unwrap_or(0);
    let end = request.queries.iter().map(|query| query.end_ms).max().unwrap_or(0);
    (start, end, 0)
}

/// The range of a query: both ends are in it, the last ms as a whole. None where it is empty.
fn range(query: &ReadQuery) -> Option<TimeRange> {
    let start = Timestamp::from_millis_saturating(query.start_ms);
    let end = Timestamp::from_millis_saturating(query.end_ms).nanos().saturating_add(999_999);
    TimeRange::closed(start, Timestamp(end)).or_else(|| TimeRange::new(start, Timestamp(end)))
}

/// Visits the rows of a query, series after series, in label order.
fn visit(
    context: &Context,
    budget: &Budget,
    query: &ReadQuery,
    writer: &mut dyn RowWriter,
) -> Result<(), Failure> {
    let Some(range) = range(query) else { return Ok(()) };
    let ask = Ask { scope: Scope::METRICS, matchers: &query.matchers, range, budget };
    let selection: Box<dyn Selection> = context.doors.source.select(&ask)?;
    scan_into(&*selection, range, budget, writer)
}

/// The whole answer, packed.
fn samples(context: &Context, budget: &Budget, request: &ReadRequest) -> Result<Vec<u8>, Error> {
    let mut writer = Samples::new(context.options.read_samples_max);
    for query in &request.queries {
        visit(context, budget, query, &mut writer).map_err(|error| match error {
            Failure::Limit { what: "samples of a remote read", limit, .. } => Error::Bad(format!(
                "exceeded sample limit ({limit}): raise --remote-read-samples-max, or accept streamed chunks"
            )),
            other => Error::of_question(other),
        })?;
        writer.end_query();
    }
    let packed = snap::raw::Encoder::new().compress_vec(&writer.message());
    packed.map_err(|error| Error::Internal(error.to_string()))
}

/// The answer in frames: rows are not held, so they are not limited.
async fn stream(
    context: &Shared,
    told: Told,
    request: ReadRequest,
) -> Result<Response<Body>, Error> {
    let stop = Stop::default();
    let limits = Limits { samples_max: u64::MAX, ..context.options.query_limits };
    let budget = std::sync::Arc::new(Budget::new(limits, stop.clone()));
    let entry = context.queries.enter(told, &stop, &budget);
    let permit = context.streams.enter().await?;
    entry.begin();
    let (sender, receiver) = mpsc::channel(PIECES_WAITING);
    let (inside, gone) = (Shared::clone(context), StopOnDrop(stop.clone()));
    let frame_bytes = usize::try_from(context.options.read_frame_bytes_max).unwrap_or(usize::MAX);
    let writing = spawn_blocking(move || {
        let mut send = |piece: Vec<u8>| send_piece(&stop, &sender, piece.into());
        let mut frames = Frames::new(Pieces::new(&mut send), frame_bytes);
        let done = request
            .queries
            .iter()
            .try_for_each(|query| {
                visit(&inside, &budget, query, &mut frames)?;
                frames.end_query()
            })
            .and_then(|()| frames.end())
            .map(|()| None)
            .map_err(Error::of_question);
        entry.end(done.as_ref().err());
        drop(permit);
        done
    });
    respond(Form::plain(STREAMED), writing, receiver, gone).await
}
