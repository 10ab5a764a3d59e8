//! An HTTP/2 client without TLS ("prior knowledge"), as gRPC's are.

#![expect(clippy::expect_used, reason = "what cannot be is a failed test")]

use std::{convert::Infallible, future::Future};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{HeaderMap, Request, Response, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, runtime, time::timeout};

/// What a request carries.
pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    /// A header or a trailer, as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = self.trailers.get(name).or_else(|| self.headers.get(name))?;
        value.to_str().ok()
    }
}

/// Does what is asked on a connection to `url`; nothing may take half a minute.
pub(crate) fn connected<T, F: Future<Output = T>>(
    url: &str,
    work: impl FnOnce(http2::SendRequest<Body>) -> F,
) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let address = url.trim_start_matches("http://").to_owned();
    runtime.block_on(async {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("the server speaks HTTP/2");
        tokio::spawn(connection);
        timeout(std::time::Duration::from_secs(30), work(sender)).await.expect("no answer hangs")
    })
}

/// A request with headers and a body.
pub(crate) fn request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into()).boxed()).expect("a good request")
}

/// Reads an answer to its trailers.
pub(crate) async fn whole(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("the answer is whole");
    let trailers = body.trailers().cloned().unwrap_or_default();
    Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes(), trailers }
}
