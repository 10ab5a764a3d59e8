//! The listening socket: connections in, requests to the router, a polite end.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, OnceLock},
    task::Poll,
    time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
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
};
use crate::os::Clock;

/// Connections held at once; further ones wait in the socket's queue.
const CONNECTIONS_MAX: usize = 8192;

/// Head of a request, and the largest step in which a body is read. A hundred headers and a long URL
/// take 80 KiB; URLs end at 64 KiB by themselves.
const READ_BUFFER_BYTES: usize = 256 << 10;

const HEADERS_MAX: usize = 100;

/// How often silent connections are looked for.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// How long requests that run may take to end when the server stops.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// The door of the house: shut while the store recovers, then open.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<OnceLock<TowerToHyperService<Router>>>);

impl Gate {
    /// Lets requests in.
    pub fn open(&self, context: Context) {
        // A second opening changes nothing: the house stands.
        let _ = self.0.set(TowerToHyperService::new(routes::router(Arc::new(context))));
    }

    /// Answers a request as if it had come by the socket, but for its connection.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let Some(router) = self.0.get() else { return routes::starting(request.uri().path()) };
        match router.call(request).await {
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
    clock: Arc<dyn Clock>,
}

impl Server {
    /// Takes the address. Requests are answered with 503 until the gate is opened.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind(address: SocketAddr, gate: Gate, clock: Arc<dyn Clock>) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, gate, clock })
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
                Ok((stream, _)) => {
                    let serving = self.serve(stream, &graceful);
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
        if timeout(STOP_TIME_MAX, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        graceful: &GracefulShutdown,
    ) -> impl Future<Output = ()> + Send + use<> {
        // Answers are written whole; waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let connection = Arc::new(Connection::new(Arc::clone(&self.clock)));
        let gate = self.gate.clone();
        let inside = Arc::clone(&connection);
        let service = service_fn(move |request| handle(gate.clone(), Arc::clone(&inside), request));
        let io = TokioIo::new(Watched { stream, connection: Arc::clone(&connection) });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            // Idle and slow connections are watched below: hyper's own timer would also end
            // connections that are merely idle.
            .header_read_timeout(None)
            .max_buf_size(READ_BUFFER_BYTES)
            .max_headers(HEADERS_MAX)
            .serve_connection(io, service);
        let serving = graceful.watch(serving);
        async move {
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

async fn handle(
    gate: Gate,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    connection.begin();
    let response = guarded(respond(&gate, &connection, request)).await;
    connection.end();
    Ok(response)
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
