//! The listening socket: connections in, requests to the router, a polite end.
//!
//! HTTP/1.1 and HTTP/2 without TLS ("prior knowledge") share it, told apart by their first bytes.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{interval, sleep, timeout},
};

use crate::http::{
    Context, Error, answer,
    connection::{Connection, Watched},
    path, prefix, routes,
    tls::Tls,
};
use crate::os::Clock;

/// Connections held at once; further ones wait in the socket's queue.
const CONNECTIONS_MAX: usize = 8192;

/// Head of a request, and the largest step in which a body is read. A hundred headers and a long URL
/// take 80 KiB; URLs end at 64 KiB by themselves.
const READ_BUFFER_BYTES: usize = 256 << 10;

const HEADERS_MAX: usize = 100;

/// Requests at once on one HTTP/2 connection. The least that RFC 9113 advises; gRPC clients take it.
const STREAMS_MAX: u32 = 100;

/// Head of a request in HTTP/2, counted as RFC 9113 counts: 32 bytes a header beside its text.
const HEADER_LIST_BYTES_MAX: u32 = 96 << 10;

/// What a client may send before a handler reads it: of one stream, and of all of a connection.
const STREAM_WINDOW_BYTES: u32 = 512 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// Streams that a client opened and reset before they were looked at, or that were refused: more ends
/// the connection. Resetting without end is an attack (CVE-2023-44487).
const RESET_STREAMS_MAX: usize = 20;
const REFUSED_STREAMS_MAX: usize = 200;

/// How often silent connections are looked for.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// How long requests that run may take to end when the server stops.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// The door of the house: shut while the store recovers, then open.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<RwLock<Option<House>>>);

/// What requests meet behind the gate.
#[derive(Clone, Debug)]
struct House {
    context: Arc<Context>,
    router: TowerToHyperService<Router>,
}

impl Gate {
    /// Lets requests in.
    pub fn open(&self, context: Context) {
        let context = Arc::new(context);
        let router = TowerToHyperService::new(routes::router(Arc::clone(&context)));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(House { context, router });
    }

    /// Requests from now on meet what `change` makes of the house; those that run end in the old one.
    pub fn change(&self, change: impl FnOnce(Context) -> Context) {
        if let Some(house) = self.house() {
            self.open(change(Context::clone(&house.context)));
        }
    }

    /// Ends streams that have no end of their own.
    fn stop(&self) {
        if let Some(house) = self.house() {
            house.context.is_stopping.store(true, Ordering::Relaxed);
        }
    }

    fn house(&self) -> Option<House> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a request as if it had come by the socket, but for its connection.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let Some(house) = self.house() else { return routes::starting(request.uri().path()) };
        let request = house.context.without_prefix(request);
        match house.router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A socket that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    gate: Gate,
    tls: Tls,
    clock: Arc<dyn Clock>,
}

impl Server {
    /// Takes the address. Requests are answered with 503 until the gate is opened.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind(address: SocketAddr, gate: Gate, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, gate, tls: Tls::default(), clock })
    }

    /// Speaks TLS with what is put into `tls`, now or later.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// The address that was taken; the port is chosen by the system where 0 was asked for.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done; then ends what runs, for ten seconds at most.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut stop = pin!(stop);
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let serving = self.serve((stream, peer), &graceful);
                    tokio::spawn(async move {
                        serving.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // Out of descriptors, most likely: waiting is all that helps.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        self.gate.stop();
        if timeout(STOP_TIME_MAX, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
    }

    fn serve(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        graceful: &GracefulShutdown,
    ) -> impl Future<Output = ()> + Send + use<> {
        // Answers are written whole; waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let (tls, clock) = (self.tls.clone(), Arc::clone(&self.clock));
        let gate = self.gate.clone();
        let watcher = graceful.watcher();
        async move {
            let Some(stream) = tls.accept(stream).await else { return };
            let connection =
                Arc::new(Connection::new(clock).of_client(stream.client()).from_peer(peer));
            let inside = Arc::clone(&connection);
            let service =
                service_fn(move |request| handle(gate.clone(), Arc::clone(&inside), request));
            let io = TokioIo::new(Watched { stream, connection: Arc::clone(&connection) });
            let serving = protocols().serve_connection(io, service).into_owned();
            let serving = watcher.watch(serving);
            let mut serving = pin!(serving);
            let mut watch = interval(WATCH_EVERY);
            loop {
                tokio::select! {
                    ended = &mut serving => {
                        if let Err(error) = ended {
                            tracing::debug!(%error, "connection ended");
                        }
                        return;
                    }
                    _ = watch.tick() => if connection.is_overdue() { return },
                }
            }
        }
    }
}

/// HTTP/1.1, and HTTP/2 for who begins with its preface.
///
/// Idle and slow connections are watched by us: hyper's own timer would also end connections that are
/// merely idle.
fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(READ_BUFFER_BYTES)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(REFUSED_STREAMS_MAX);
    builder
}

async fn handle(
    gate: Gate,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let _running = connection.begin();
    Ok(guarded(respond(&gate, &connection, request)).await)
}

async fn respond(
    gate: &Gate,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
) -> Response<Body> {
    let mut request = request.map(Body::new);
    if request.method() == Method::CONNECT {
        return answer::closing(Error::Method("this is not a proxy".into()).into_response());
    }
    if let Err(error) = path::check(request.uri().path()) {
        return answer::closing(error.into_response());
    }
    prefix::strip(&mut request);
    request.extensions_mut().insert(Arc::clone(connection));
    gate.answer(request).await
}

/// A panic in a handler ends that request only.
async fn guarded(handler: impl Future<Output = Response<Body>>) -> Response<Body> {
    let mut handler = pin!(handler);
    std::future::poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx))).unwrap_or_else(|_| {
            tracing::error!("a request handler panicked");
            let error = Error::Internal("a fault of the server; its log has the place".into());
            Poll::Ready(answer::closing(error.into_response()))
        })
    })
    .await
}
