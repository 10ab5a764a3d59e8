//! Requests out, answers in.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, StatusCode, Uri,
    body::Body,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
        HeaderName, HeaderValue, LOCATION, PROXY_AUTHORIZATION, USER_AGENT,
    },
};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::pki_types::ServerName;
use tokio::time::timeout;

use crate::net::{
    AddressPolicy, Error, Proxy, TlsOptions,
    connect::Connector,
    gunzip::gunzip,
    redirect::{is_redirect, is_same_server, keeps_method, resolve},
};

/// As Go's client has it.
const REDIRECTS_MAX: usize = 10;

/// How long a connection may wait for its next request. Longer than scrapes are usually apart, as
/// Prometheus has it.
const IDLE_TIME_MAX: Duration = Duration::from_mins(5);

/// Connections to one server that are kept for later.
const IDLE_PER_HOST_MAX: usize = 16;

/// How a client connects. Clients are equal where these are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientOptions {
    /// Certificates.
    pub tls: TlsOptions,
    /// Requests go through this.
    pub proxy: Option<Proxy>,
    /// Answers that lead elsewhere are given to the caller as they are.
    pub stays: bool,
    /// Where it may connect.
    pub addresses: AddressPolicy,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET, POST, …
    pub method: Method,
    /// Whole: scheme, host, path.
    pub url: String,
    /// Besides `User-Agent` and `Host`, which are set where missing.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Bytes,
    /// For all of it: connecting, sending, reading the answer.
    pub timeout: Duration,
    /// Size of the answer's body, unpacked.
    pub body_bytes_max: u64,
}

impl Request {
    /// A GET with a minute of time and 64 MiB of answer.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_mins(1),
            body_bytes_max: 64 << 20,
        }
    }

    /// A POST of `body`, likewise.
    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: body.into(), ..Self::get(url) }
    }

    /// Sets a header, in place of those that have its name.
    ///
    /// # Errors
    /// Where name or value cannot be sent.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = header(name, value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Adds a header to those that have its name.
    ///
    /// # Errors
    /// Where name or value cannot be sent.
    pub fn add_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = header(name, value)?;
        self.headers.append(name, value);
        Ok(self)
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let bad = |why: String| Error::Header { name: name.to_owned(), why };
    let key = HeaderName::try_from(name).map_err(|error| bad(error.to_string()))?;
    let value = HeaderValue::try_from(value).map_err(|error| bad(error.to_string()))?;
    Ok((key, value))
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status, whatever it is.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, unpacked.
    pub body: Bytes,
    /// Bytes of the body as it came.
    pub packed_bytes: u64,
}

impl Answer {
    /// A header as text; empty where it is missing or no text.
    pub fn header(&self, name: impl hyper::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

type Inner = legacy::Client<HttpsConnector<Connector>, Full<Bytes>>;

/// Sends requests; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Inner,
    options: Arc<ClientOptions>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.options).finish()
    }
}

impl Client {
    /// # Errors
    /// Where a certificate, a key or a name cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let config = options.tls.config()?;
        let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
        let builder = match &options.tls.server_name {
            Some(name) => {
                let bad = |why: String| Error::Tls { what: "server_name", why };
                let name =
                    ServerName::try_from(name.clone()).map_err(|error| bad(error.to_string()))?;
                builder.with_server_name_resolver(FixedServerNameResolver::new(name))
            }
            None => builder,
        };
        let proxy = options.proxy.clone().map(Arc::new);
        let connector = Connector { addresses: options.addresses, proxy };
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .build(builder.enable_http1().wrap_connector(connector));
        Ok(Self { inner, options: Arc::new(options) })
    }

    /// Sends `request` and reads the whole answer, of whatever status.
    ///
    /// # Errors
    /// Where there is none, none in time, or one that is too large.
    pub async fn send(&self, request: Request) -> Result<Answer, Error> {
        let time = request.timeout;
        timeout(time, self.follow(request)).await.unwrap_or(Err(Error::Timeout(time)))
    }

    async fn follow(&self, request: Request) -> Result<Answer, Error> {
        let Request { mut method, url, mut headers, mut body, body_bytes_max, .. } = request;
        let bad = |why: &str| Error::Url { url: url.clone(), why: why.to_owned() };
        let mut uri: Uri = url.parse().map_err(|error| bad(&format!("{error}")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(bad("it needs http:// or https:// and a host"));
        }
        for _ in 0..=REDIRECTS_MAX {
            let asked = (method.clone(), uri.clone());
            let (head, answer) = self.ask(asked, headers.clone(), body.clone()).await?;
            let location = head.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location
                .filter(|_| is_redirect(head.status) && !self.options.stays)
                .and_then(|location| resolve(&uri, location));
            let Some(next) = next else { return read(head, answer, body_bytes_max).await };
            if !is_same_server(&uri, &next) {
                for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                    headers.remove(secret);
                }
            }
            if !keeps_method(head.status) && method != Method::HEAD {
                method = Method::GET;
                body = Bytes::new();
                headers.remove(CONTENT_TYPE);
                headers.remove(CONTENT_ENCODING);
            }
            uri = next;
        }
        Err(Error::Redirects(REDIRECTS_MAX))
    }

    async fn ask(
        &self,
        (method, uri): (Method, Uri),
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(hyper::http::response::Parts, hyper::body::Incoming), Error> {
        let is_plain = uri.scheme_str() == Some("http");
        let mut request = hyper::Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("quipu/", env!("CARGO_PKG_VERSION"))));
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
        let proxy = self.options.proxy.as_ref().and_then(|proxy| proxy.authorization.as_deref());
        if let Some(value) =
            proxy.filter(|_| is_plain).and_then(|it| HeaderValue::try_from(it).ok())
        {
            headers.insert(PROXY_AUTHORIZATION, value);
        }
        let response = self.inner.request(request).await.map_err(Error::transport)?;
        Ok(response.into_parts())
    }
}

/// Unpacks where it may take its time: a megabyte keeps a thread busy for some milliseconds.
async fn unpack(packed: Bytes, bytes_max: u64) -> Result<Bytes, Error> {
    const INLINE_BYTES_MAX: usize = 128 << 10;
    if packed.len() <= INLINE_BYTES_MAX {
        return gunzip(&packed, bytes_max);
    }
    let unpacking = tokio::task::spawn_blocking(move || gunzip(&packed, bytes_max));
    unpacking.await.unwrap_or_else(|panic| Err(Error::Packed(panic.to_string())))
}

async fn read(
    head: hyper::http::response::Parts,
    mut body: hyper::body::Incoming,
    bytes_max: u64,
) -> Result<Answer, Error> {
    if body.size_hint().lower() > bytes_max {
        return Err(Error::TooLarge(bytes_max));
    }
    let guess = usize::try_from(body.size_hint().lower()).unwrap_or(0).min(1 << 20);
    let mut bytes = BytesMut::with_capacity(guess);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Error::transport)?;
        if let Some(part) = frame.data_ref() {
            if (bytes.len() + part.len()) as u64 > bytes_max {
                return Err(Error::TooLarge(bytes_max));
            }
            bytes.extend_from_slice(part);
        }
    }
    let packed_bytes = bytes.len() as u64;
    let encoding = head.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let is_packed = encoding.is_some_and(|it| it.eq_ignore_ascii_case(b"gzip") || it == b"x-gzip");
    let mut headers = head.headers;
    let body = if is_packed && !bytes.is_empty() {
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        unpack(bytes.freeze(), bytes_max).await?
    } else {
        bytes.freeze()
    };
    Ok(Answer { status: head.status, headers, body, packed_bytes })
}
