//! One connection: what it remembers between requests, and how long it may be silent.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::extract::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::tls::Stream;
use crate::ingest::Session;
use crate::os::Clock;

/// From the first byte of a request to the last of its head.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// Without a byte either way. Longer than the idle time of common clients (Go: 90 s, Prometheus and
/// Telegraf: 5 min), so that they close first and no request meets a closing connection.
const IDLE_TIME_MAX: Duration = Duration::from_secs(400);

/// How a client begins that speaks HTTP/2 unasked; no method of HTTP/1 is so called.
const PREFACE_START: &[u8] = b"PRI ";

/// Buffers larger than this are not kept for the next request.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Memory that requests of one connection use one after the other.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) session: Session,
    pub(super) body: Vec<u8>,
    pub(super) inflated: Vec<u8>,
}

/// Shared by the connection's requests, its stream and its watch.
#[derive(Debug)]
pub(super) struct Connection {
    scratch: Mutex<Option<Box<Scratch>>>,
    clock: Arc<dyn Clock>,
    /// The common name of the certificate that the client showed.
    pub(super) client: Option<Arc<str>>,
    /// Where it comes from.
    pub(super) peer: Option<SocketAddr>,
    /// Requests without an answer yet: one at most in HTTP/1, a stream each in HTTP/2.
    running: AtomicUsize,
    is_started: AtomicBool,
    is_http2: AtomicBool,
    /// Nanoseconds of monotonic time; 0 where no head is being read.
    head_since: AtomicU64,
    /// When a byte came or went last; in HTTP/2, when a request ended last: there, pings cost a
    /// silent client nothing.
    last_sign: AtomicU64,
}

impl Connection {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let now = nanos(clock.monotonic());
        Self {
            scratch: Mutex::new(None),
            clock,
            client: None,
            peer: None,
            running: AtomicUsize::new(0),
            is_started: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            head_since: AtomicU64::new(0),
            last_sign: AtomicU64::new(now),
        }
    }

    /// One of a client whose certificate was checked.
    pub(super) fn of_client(self, client: Option<Arc<str>>) -> Self {
        Self { client, ..self }
    }

    /// One from this address.
    pub(super) fn from_peer(self, peer: SocketAddr) -> Self {
        Self { peer: Some(peer), ..self }
    }

    /// The connection that a request came by; one of its own where it came by none.
    pub(super) fn of(request: &Request, context: &crate::http::Context) -> Arc<Self> {
        let known = request.extensions().get::<Arc<Self>>().map(Arc::clone);
        known.unwrap_or_else(|| Arc::new(Self::new(Arc::clone(&context.doors.clock))))
    }

    /// The memory of the last request, or new memory.
    pub(super) fn take_scratch(&self) -> Box<Scratch> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Keeps memory for the next request.
    pub(super) fn give_back(&self, mut scratch: Box<Scratch>) {
        for buffer in [&mut scratch.body, &mut scratch.inflated] {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
        *self.scratch.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch);
    }

    /// A request's head is complete: it may now take its time, until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    /// Whether the other side has been silent or slow for too long.
    pub(super) fn is_overdue(&self) -> bool {
        if self.is_busy() {
            return false;
        }
        let now = self.now();
        let since = |then: &AtomicU64| {
            Duration::from_nanos(now.saturating_sub(then.load(Ordering::Relaxed)))
        };
        let is_reading = self.head_since.load(Ordering::Relaxed) != 0;
        (is_reading && since(&self.head_since) > HEAD_TIME_MAX)
            || since(&self.last_sign) > IDLE_TIME_MAX
    }

    fn is_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    fn note_read(&self, bytes: &[u8]) {
        if !self.is_started.swap(true, Ordering::Relaxed) && bytes.starts_with(PREFACE_START) {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        if self.is_http2.load(Ordering::Relaxed) {
            return;
        }
        let now = self.now();
        self.last_sign.store(now, Ordering::Relaxed);
        if !self.is_busy() && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(now, Ordering::Relaxed);
        }
    }

    fn note_write(&self) {
        if !self.is_http2.load(Ordering::Relaxed) {
            self.last_sign.store(self.now(), Ordering::Relaxed);
        }
    }

    fn now(&self) -> u64 {
        // Never 0, which stands for "no head".
        nanos(self.clock.monotonic()).max(1)
    }
}

/// A request between its head and the head of its answer. A stream that its client resets drops it.
#[derive(Debug)]
pub(super) struct Running(Arc<Connection>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.last_sign.store(self.0.now(), Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A stream that notes when bytes come and go.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) stream: Stream,
    pub(super) connection: Arc<Connection>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.connection.note_read(bytes);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Watched {
    fn wrote(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(count)) if *count > 0) {
            self.connection.note_write();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::SimClock;

    #[test]
    fn a_slow_head_is_overdue_and_a_slow_answer_is_not() {
        let clock = SimClock::new(0);
        let connection = Arc::new(Connection::new(Arc::new(clock.clone())));
        connection.note_read(b"G");
        clock.advance(HEAD_TIME_MAX);
        connection.note_read(b"E");
        assert!(!connection.is_overdue());
        clock.advance(Duration::from_millis(1));
        assert!(connection.is_overdue());
        let running = connection.begin();
        clock.advance(Duration::from_hours(1));
        assert!(!connection.is_overdue());
        drop(running);
        assert!(!connection.is_overdue());
    }

    #[test]
    fn http2_without_requests_is_idle_whatever_it_pings() {
        let clock = SimClock::new(0);
        let connection = Arc::new(Connection::new(Arc::new(clock.clone())));
        connection.note_read(b"PRI * HTTP/2.0\r\n");
        clock.advance(HEAD_TIME_MAX * 2);
        connection.note_read(b"ping");
        assert!(!connection.is_overdue(), "a connection may open before it is used");
        let (first, second) = (connection.begin(), connection.begin());
        drop(first);
        clock.advance(IDLE_TIME_MAX * 2);
        assert!(!connection.is_overdue(), "one stream still runs");
        drop(second);
        clock.advance(IDLE_TIME_MAX);
        connection.note_read(b"ping");
        assert!(!connection.is_overdue());
        clock.advance(Duration::from_secs(1));
        connection.note_read(b"ping");
        assert!(connection.is_overdue());
    }

    #[test]
    fn an_idle_connection_is_kept_for_minutes() {
        let clock = SimClock::new(0);
        let connection = Connection::new(Arc::new(clock.clone()));
        clock.advance(IDLE_TIME_MAX);
        assert!(!connection.is_overdue());
        clock.advance(Duration::from_secs(1));
        assert!(connection.is_overdue());
    }

    #[test]
    fn large_buffers_are_not_kept() {
        let connection = Connection::new(Arc::new(SimClock::new(0)));
        let mut scratch = connection.take_scratch();
        scratch.body = Vec::with_capacity(KEPT_BYTES_MAX + 1);
        scratch.inflated = Vec::with_capacity(100);
        connection.give_back(scratch);
        let scratch = connection.take_scratch();
        assert_eq!((scratch.body.capacity(), scratch.inflated.capacity()), (0, 100));
    }
}
