//! What an operator should know at once: so far, that a reload failed. As a list, and as a stream of
//! server-sent events that has no end.
//!
//! Source: Prometheus `util/notifications` and `web/api/v1/api.go`, `notificationsSSE`.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{self, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{CACHE_CONTROL, HeaderValue},
};
use serde::Serialize;
use tokio::time::{Interval, interval};

use crate::http::{
    Error,
    answer::{answer, done},
    prometheus::status::{rfc3339, shown},
    routes::Shared,
};

/// How often a stream looks whether there is news.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// After so many looks without news a comment is sent, so that nobody takes the stream for dead.
const LOOKS_SILENT: u32 = 30;

/// Streams at once; more are told that there is nothing to read.
const STREAMS_MAX: usize = 16;
static STREAMS: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Notification {
    text: &'static str,
    date: String,
    active: bool,
}

/// What is to be known now.
fn current(context: &Shared) -> Option<Notification> {
    let last = context.control.last_reload();
    (!last.is_good).then(|| Notification {
        text: "Configuration reload has failed.",
        date: rfc3339(last.tried_ms),
        active: true,
    })
}

pub(super) async fn list(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    shown(&current(&context).into_iter().collect::<Vec<_>>())
}

pub(super) async fn live(State(context): State<Shared>) -> Response<Body> {
    let Some(place) = Place::take() else { return done() };
    let events = Events {
        context: Arc::clone(&context),
        told: None,
        looks: interval(LOOK_EVERY),
        silent: LOOKS_SILENT,
        _place: place,
    };
    let mut response = answer(StatusCode::OK, "text/event-stream", Body::new(events));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// One of the streams that there may be.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let count = STREAMS.fetch_add(1, Ordering::Relaxed);
        let place = Self;
        (count < STREAMS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The stream: what changed since it was told last.
struct Events {
    context: Shared,
    told: Option<Notification>,
    looks: Interval,
    silent: u32,
    _place: Place,
}

impl Events {
    /// The next event, if there is news.
    fn news(&mut self) -> Option<Bytes> {
        let now = current(&self.context);
        if now == self.told {
            self.silent += 1;
            return (self.silent > LOOKS_SILENT).then(|| {
                self.silent = 0;
                Bytes::from_static(b": quipu listens\n\n")
            });
        }
        self.silent = 0;
        let ended = self.told.take().map(|told| Notification { active: false, ..told });
        self.told.clone_from(&now);
        let mut event = String::new();
        for notification in ended.into_iter().chain(now) {
            let json = serde_json::to_string(&notification).unwrap_or_default();
            event.push_str(&format!("data: {json}\n\n"));
        }
        Some(event.into())
    }
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            ready!(self.looks.poll_tick(cx));
            if self.context.is_stopping.load(Ordering::Relaxed) {
                return Poll::Ready(None);
            }
            if let Some(event) = self.news() {
                return Poll::Ready(Some(Ok(Frame::data(event))));
            }
        }
    }
}
