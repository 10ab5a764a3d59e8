//! What a walk sends, as the body of an answer.

use std::{
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
};

use axum::body::{Body, Bytes};
use hyper::{Response, StatusCode, body::Frame};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::http::{Error, answer::answer};
use crate::model::Stop;

/// An error before the first piece is an answer; after it, the body ends without its end.
pub(super) async fn stream(
    media_type: &'static str,
    walking: JoinHandle<Result<(), Error>>,
    mut receiver: mpsc::Receiver<Bytes>,
    stop: Stop,
) -> Result<Response<Body>, Error> {
    let Some(first) = receiver.recv().await else {
        walking.await.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string())))?;
        return Ok(answer(StatusCode::OK, media_type, Body::empty()));
    };
    let pieces = Pieces { first: Some(first), receiver, walking: Some(walking), stop };
    Ok(answer(StatusCode::OK, media_type, Body::new(pieces)))
}

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
