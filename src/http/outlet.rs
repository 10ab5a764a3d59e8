//! Answers on their way out: whole where they are small, piece by piece where they are large.
//!
//! What is written gathers until it fills a piece. With the first full piece the head of the answer
//! goes out and the pieces follow, as fast as the asker reads: no answer is held as one text. Who does
//! not read is let go.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::{
    HeaderMap, Response, StatusCode,
    body::Frame,
    header::{HeaderValue, IF_NONE_MATCH},
};
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle, time::timeout};

use crate::http::{
    Context, Error,
    admission::Permit,
    answer::{JSON, Packer, Packing, answer, packed, tagged},
};
use crate::model::Stop;

/// An answer of fewer bytes goes out whole. Most do: a panel of 20 series and 700 points has 400 KiB,
/// one of 300 points half of it.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces that wait for the asker.
pub(super) const PIECES_WAITING: usize = 4;

/// How long an asker may leave a piece unread.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What the head of an answer says of its body.
#[derive(Clone, Debug)]
pub(super) struct Form {
    media_type: &'static str,
    packing: Packing,
    /// Whether a whole body gets a tag, and which the asker has.
    tag: Option<Option<HeaderValue>>,
}

impl Form {
    /// Of this type, packed as the asker likes it.
    pub(super) fn new(media_type: &'static str, headers: &HeaderMap) -> Self {
        Self { media_type, packing: Packing::of(headers), tag: None }
    }

    /// Of this type, as it is.
    pub(super) fn plain(media_type: &'static str) -> Self {
        Self { media_type, packing: Packing::Plain, tag: None }
    }

    /// JSON.
    pub(super) fn json(headers: &HeaderMap) -> Self {
        Self::new(JSON, headers)
    }

    /// With a tag, so that a list that did not change is not sent again.
    pub(super) fn tagged(self, headers: &HeaderMap) -> Self {
        Self { tag: Some(headers.get(IF_NONE_MATCH).cloned()), ..self }
    }

    fn whole(self, body: Vec<u8>) -> Response<Body> {
        match self.tag {
            Some(known) => tagged(self.media_type, body, self.packing, known.as_ref()),
            None => packed(self.media_type, body, self.packing),
        }
    }

    fn begun(self, pieces: Pieces) -> Response<Body> {
        let mut response = answer(StatusCode::OK, self.media_type, Body::new(pieces));
        if self.packing != Packing::Plain {
            self.packing.tell(response.headers_mut());
        }
        response
    }
}

/// Where text is written: memory, or an outlet that sends what fills a piece.
pub(super) trait Page {
    /// What is written.
    fn out(&mut self) -> &mut Vec<u8>;

    /// Call it after every few kilobytes.
    ///
    /// # Errors
    /// Where nobody reads on.
    fn breathe(&mut self) -> Result<(), Error>;
}

impl Page for Vec<u8> {
    fn out(&mut self) -> &mut Vec<u8> {
        self
    }

    fn breathe(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl Page for Outlet {
    fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// # Errors
    /// [`Error::Cancelled`] where nobody reads, [`Error::Queued`] where too many are read at once.
    fn breathe(&mut self) -> Result<(), Error> {
        if self.out.len() < PIECE_BYTES { Ok(()) } else { self.send() }
    }
}

/// Takes what is written.
pub(super) struct Outlet {
    /// What is written and not on its way yet.
    out: Vec<u8>,
    /// How long the question waited for its turn.
    pub(super) queued: Duration,
    packing: Packing,
    /// There once the first piece went.
    packer: Option<Packer>,
    pieces: mpsc::Sender<Bytes>,
    stop: Stop,
    context: Arc<Context>,
    /// To run, then to stream: a slow reader must not keep questions waiting.
    permit: Option<Permit>,
}

impl Outlet {
    pub(super) fn new(
        context: &Arc<Context>,
        form: &Form,
        pieces: mpsc::Sender<Bytes>,
        (stop, permit, queued): (Stop, Permit, Duration),
    ) -> Self {
        Self {
            out: Vec::with_capacity(1024),
            queued,
            packing: form.packing,
            packer: None,
            pieces,
            stop,
            context: Arc::clone(context),
            permit: Some(permit),
        }
    }

    fn send(&mut self) -> Result<(), Error> {
        let broken = |error: std::io::Error| Error::Internal(error.to_string());
        self.stop.check().map_err(Error::of_question)?;
        let packer = if let Some(packer) = &mut self.packer {
            packer
        } else {
            self.permit = None;
            let streams = self.context.streams.enter();
            self.permit = Some(Handle::current().block_on(streams)?);
            self.packer.insert(Packer::new(self.packing).map_err(broken)?)
        };
        packer.push(&self.out).map_err(broken)?;
        self.out.clear();
        let piece = packer.take();
        if piece.is_empty() { Ok(()) } else { self.pass_on(piece) }
    }

    /// Waits for the asker to read, but not for ever.
    fn pass_on(&self, piece: Vec<u8>) -> Result<(), Error> {
        let sending = timeout(SILENCE_MAX, self.pieces.send(piece.into()));
        match Handle::current().block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Cancelled),
            Err(_) => Err(Error::TimedOut("the asker did not read the answer".into())),
        }
    }

    /// Sends the rest; the whole answer where nothing was sent before.
    pub(super) fn finish(mut self) -> Result<Option<Vec<u8>>, Error> {
        let broken = |error: std::io::Error| Error::Internal(error.to_string());
        let Some(mut packer) = self.packer.take() else { return Ok(Some(self.out)) };
        packer.push(&self.out).map_err(broken)?;
        let rest = packer.finish().map_err(broken)?;
        if !rest.is_empty() {
            self.pass_on(rest)?;
        }
        Ok(None)
    }
}

/// What writes an answer: it gives a whole one, or None where it sent pieces.
pub(super) type Writing = JoinHandle<Result<Option<Vec<u8>>, Error>>;

/// An error before the first piece is an answer; after it, the body ends without its end.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn respond(
    form: Form,
    writing: Writing,
    mut receiver: mpsc::Receiver<Bytes>,
    stop: StopOnDrop,
) -> Result<Response<Body>, Error> {
    let Some(first) = receiver.recv().await else {
        let done = writing.await.unwrap_or_else(|panic| Err(failed(&panic)))?;
        return Ok(form.whole(done.unwrap_or_default()));
    };
    Ok(form.begun(Pieces { first: Some(first), receiver, writing: Some(writing), _stop: stop }))
}

fn failed(panic: &tokio::task::JoinError) -> Error {
    Error::Internal(format!("the query failed inside: {panic}"))
}

/// Throws the switch when the question is dropped: hyper drops it when the connection is gone.
pub(super) struct StopOnDrop(pub(super) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What is sent, as a body.
struct Pieces {
    first: Option<Bytes>,
    receiver: mpsc::Receiver<Bytes>,
    writing: Option<Writing>,
    _stop: StopOnDrop,
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
        let Some(writing) = self.writing.as_mut() else { return Poll::Ready(None) };
        let ended = ready!(Pin::new(writing).poll(cx));
        self.writing = None;
        let ended = ended.unwrap_or_else(|panic| Err(failed(&panic)));
        Poll::Ready(ended.err().map(|error| {
            tracing::warn!(%error, "an answer ended before its end");
            Err(error)
        }))
    }
}
