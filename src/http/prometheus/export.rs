//! `/api/v1/export`: rows of selected series as JSON lines, streamed.
//!
//! Memory is bounded: a thread walks the series and waits for the asker to read. The selection pins
//! one version of the store for as long, so an asker who does not read is let go.

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
};
use hyper::{Response, StatusCode, body::Frame};
use tokio::{
    runtime::Handle,
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use crate::export::{JsonLines, LINE_ROWS_MAX};
use crate::http::{
    Context, Error, admission::Permit, answer::answer, prometheus::scope::Wanted, question::asked,
    routes::Shared,
};
use crate::model::{
    self, Ask, Budget, Columns, Flow, Labels, Limits, Matcher, Partial, Reading, Rows, Scope, Stop,
    TimeRange, Visitor, Windows,
};

/// Pieces of 64 KiB and more that wait for the asker.
const PIECES_WAITING: usize = 4;

/// How long an asker may leave a piece unread.
const SILENCE_MAX: Duration = Duration::from_secs(30);

pub(super) async fn export(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let wanted = Wanted::parse(&asked.params)?;
    if wanted.selectors.is_empty() {
        return Err(Error::Bad("no match[] parameter provided: name the series to export".into()));
    }
    let line_rows_max = match asked.params.get("max_rows_per_line") {
        None => LINE_ROWS_MAX,
        Some(text) => text.parse().map_err(|_| Error::Parameter {
            name: "max_rows_per_line",
            why: "it is no whole number".into(),
        })?,
    };
    let permit = context.streams.enter().await?;
    let (pieces, receiver) = mpsc::channel(PIECES_WAITING);
    let stop = Stop::default();
    let walk = Walk { wanted, line_rows_max, pieces, stop: stop.clone(), permit };
    let walking = spawn_blocking(move || walk.run(&context).map_err(Error::of_question));
    stream(walking, receiver, stop).await
}

/// An error before the first piece is an answer; after it, the body ends without its end.
async fn stream(
    walking: JoinHandle<Result<(), Error>>,
    mut receiver: mpsc::Receiver<Bytes>,
    stop: Stop,
) -> Result<Response<Body>, Error> {
    let Some(first) = receiver.recv().await else {
        walking.await.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string())))?;
        return Ok(answer(StatusCode::OK, LINES, Body::empty()));
    };
    let pieces = Pieces { first: Some(first), receiver, walking: Some(walking), stop };
    Ok(answer(StatusCode::OK, LINES, Body::new(pieces)))
}

const LINES: &str = "application/stream+json; charset=utf-8";

/// What the walk sends, as a body.
struct Pieces {
    first: Option<Bytes>,
    receiver: mpsc::Receiver<Bytes>,
    walking: Option<JoinHandle<Result<(), Error>>>,
    stop: Stop,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Some(piece) = ready!(self.receiver.poll_recv(cx)) {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let Some(walking) = self.walking.as_mut() else { return Poll::Ready(None) };
        let ended = ready!(Pin::new(walking).poll(cx));
        self.walking = None;
        let ended = ended.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string())));
        Poll::Ready(ended.err().map(|error| {
            tracing::warn!(%error, "an export ended before its end");
            Err(error)
        }))
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The walk over the series, on its own thread.
struct Walk {
    wanted: Wanted,
    line_rows_max: usize,
    pieces: mpsc::Sender<Bytes>,
    stop: Stop,
    permit: Permit,
}

impl Walk {
    fn run(self, context: &Context) -> Result<(), model::Error> {
        // Rows are not held, so they are not limited.
        let limits = Limits { samples_max: u64::MAX, ..context.options.query_limits };
        let budget = Budget::new(limits, self.stop.clone());
        let mut done = (self.wanted.selectors.len() > 1).then(HashSet::new);
        for matchers in &self.wanted.selectors {
            self.walk(context, matchers, &budget, &mut done)?;
        }
        drop(self.permit);
        Ok(())
    }

    fn walk(
        &self,
        context: &Context,
        matchers: &[Matcher],
        budget: &Budget,
        done: &mut Option<HashSet<Labels>>,
    ) -> Result<(), model::Error> {
        let range = self.wanted.range;
        let ask = Ask { scope: Scope::METRICS, matchers, range, budget };
        let selection = context.doors.source.select(&ask)?;
        let reading = Reading { columns: Columns::VALUES, windows: whole(range) };
        let labels = |series| selection.labels(series);
        let lines = JsonLines::new(labels, self.line_rows_max, |piece| self.send(piece.into()));
        let mut once = Once { lines, done, labels, current: None };
        selection.scan(0..selection.len(), &reading, budget, &mut once)?;
        once.lines.finish()
    }

    /// Waits for the asker to read, but not for ever.
    fn send(&self, piece: Bytes) -> Result<(), model::Error> {
        self.stop.check()?;
        let sending = timeout(SILENCE_MAX, self.pieces.send(piece));
        match Handle::current().block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(model::Error::Cancelled),
            Err(_) => Err(model::Error::TimedOut),
        }
    }
}

/// One window over all of the range.
fn whole(range: TimeRange) -> Windows {
    let last = range.end().nanos().saturating_sub(1);
    let length = last.saturating_sub(range.start().nanos()).saturating_add(1);
    Windows { first_end: last, step: 0, count: 1, length, partials: false }
}

/// Leaves out series that a selector before this one gave.
struct Once<'a, V, L> {
    lines: V,
    done: &'a mut Option<HashSet<Labels>>,
    labels: L,
    /// The series at hand, and whether it is new.
    current: Option<(u32, bool)>,
}

impl<V: Visitor, L: Fn(u32) -> Labels> Visitor for Once<'_, V, L> {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, model::Error> {
        let is_new = match self.current {
            Some((known, is_new)) if known == series => is_new,
            _ => self.done.as_mut().is_none_or(|done| done.insert((self.labels)(series))),
        };
        self.current = Some((series, is_new));
        if is_new { self.lines.rows(series, rows) } else { Ok(Flow::NextSeries) }
    }

    fn partial(&mut self, series: u32, partial: &Partial) -> Result<Flow, model::Error> {
        self.lines.partial(series, partial)
    }
}
