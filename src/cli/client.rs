//! A client as small as the command line needs it: one server, HTTP/1.1 with or without TLS, and one
//! connection that is kept.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::BodyExt;
use hyper::{
    Request, Response, StatusCode, Uri,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};

use crate::access::Secret;
use crate::app::{Local, read_file};
use crate::cli::error::Error;
use crate::http::percent_decode;
use crate::net;

/// Who answers: a server, or a directory that is open here.
pub(super) enum Client {
    Remote(Box<Remote>),
    Local(Box<Local>),
}

/// A connection to one server.
pub(super) struct Remote {
    /// As given, without a password.
    url: String,
    uri: Uri,
    host: String,
    /// Before every path, without a slash at the end.
    prefix: String,
    authorization: Option<Secret>,
    options: net::ClientOptions,
    sender: SendRequest<Body>,
}

/// Names a file with the authorities that are trusted in place of the machine's.
const CA_VARIABLE: &str = "QUIPU_CA";

/// A file of authorities has fewer bytes.
const CA_BYTES_MAX: u64 = 16 << 20;

/// What a server answered.
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// An answer that is read piece by piece.
pub(super) struct Pieces {
    pub(super) status: StatusCode,
    media_type: String,
    body: Body,
}

impl Pieces {
    fn of(head: &hyper::http::response::Parts, body: Body) -> Self {
        let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Self { status: head.status, media_type: media_type.unwrap_or_default().to_owned(), body }
    }

    /// Whether it is the streamed form of remote read.
    pub(super) fn is_streamed(&self) -> bool {
        self.media_type.starts_with("application/x-streamed-protobuf")
    }

    /// The next piece; None behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.body.frame().await {
            let frame =
                frame.map_err(|error| Error::Failed(format!("the answer ends early: {error}")))?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// All that is left: for refusals, which are short.
    pub(super) async fn rest(mut self) -> Result<Got, Error> {
        let mut body = Vec::new();
        while let Some(piece) = self.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(Got { status: self.status, body: body.into() })
    }
}

impl Client {
    /// The server at `url`, or the directory where one is given.
    pub(super) async fn open(
        (url, token): (&str, Option<Secret>),
        data: Option<&std::path::Path>,
    ) -> Result<Self, Error> {
        Ok(match data {
            Some(directory) => Self::Local(Box::new(Local::open(directory)?)),
            None => Self::Remote(Box::new(Remote::connect(url, token).await?)),
        })
    }

    /// Sends a form, or text, and reads the whole answer.
    pub(super) async fn post(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: impl Into<Body>,
    ) -> Result<Got, Error> {
        self.stream(path, media_type, body).await?.rest().await
    }

    /// Sends a body, and gives the answer to be read piece by piece.
    pub(super) async fn stream(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: impl Into<Body>,
    ) -> Result<Pieces, Error> {
        match self {
            Self::Remote(remote) => remote.stream(path, media_type, body).await,
            Self::Local(local) => {
                let request = Request::post(path)
                    .header(CONTENT_TYPE, media_type)
                    .body(body.into())
                    .map_err(|error| Error::Usage(error.to_string()))?;
                let (head, body) = local.answer(request).await.into_parts();
                Ok(Pieces::of(&head, body))
            }
        }
    }
}

impl Remote {
    /// Connects to `http://host:port/prefix` or `https://user:password@host/prefix`. A token is said
    /// rather than a password.
    pub(super) async fn connect(url: &str, token: Option<Secret>) -> Result<Self, Error> {
        let with_scheme =
            if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let (with_scheme, password) = without_password(&with_scheme)?;
        let bad = |()| {
            let what = "is no address: write it like http://host:7847 or https://host";
            Error::Usage(format!("{with_scheme:?} {what}"))
        };
        let uri: Uri = with_scheme.parse().map_err(|_| bad(()))?;
        let authority = uri.authority().ok_or_else(|| bad(()))?.to_string();
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad(()));
        }
        let token = token.map(|token| Secret::new(format!("Bearer {}", token.expose())));
        let options = options(&uri)?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        let (url, sender) = (with_scheme, dial(&uri, &options).await?);
        let authorization = token.or(password);
        Ok(Self { url, uri, host: authority, prefix, authorization, options, sender })
    }

    /// Sends a form, or text, and reads the whole answer.
    pub(super) async fn post(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: impl Into<Body>,
    ) -> Result<Got, Error> {
        self.stream(path, media_type, body).await?.rest().await
    }

    /// As [`Client::stream`].
    pub(super) async fn stream(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: impl Into<Body>,
    ) -> Result<Pieces, Error> {
        let mut request = Request::post(format!("{}{path}", self.prefix))
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, media_type);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.expose());
        }
        let request = request.body(body.into()).map_err(|error| Error::Usage(error.to_string()))?;
        // A server closes what was idle for long.
        if self.sender.ready().await.is_err() {
            self.sender = dial(&self.uri, &self.options).await?;
        }
        let response = self.sender.send_request(request).await;
        let response: Response<_> = response.map_err(|error| self.unreachable(&error))?;
        let (head, body) = response.into_parts();
        Ok(Pieces::of(&head, Body::new(body)))
    }

    fn unreachable(&self, why: &dyn std::error::Error) -> Error {
        Error::Unreachable { url: self.url.clone(), why: chain(why) }
    }
}

/// The URL as it may be shown, and what its user and password become in a header.
fn without_password(url: &str) -> Result<(String, Option<Secret>), Error> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok((url.to_owned(), None)) };
    let size = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(size).unwrap_or((rest, ""));
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((url.to_owned(), None)) };
    let user = percent_decode(user.as_bytes()).map_err(|error| Error::Usage(error.to_string()))?;
    let password = Secret::new(format!("Basic {}", BASE64_STANDARD.encode(user)));
    Ok((format!("{scheme}://{host}{path}"), Some(password)))
}

/// A server that is named is meant, wherever it is; it is trusted by the machine's authorities, or by
/// those of `QUIPU_CA`.
fn options(uri: &Uri) -> Result<net::ClientOptions, Error> {
    let mut options = net::ClientOptions::default();
    options.addresses.allows_link_local = true;
    if let Some(file) = std::env::var_os(CA_VARIABLE).filter(|_| uri.scheme_str() == Some("https"))
    {
        let shown = file.to_string_lossy();
        let read = read_file(file.as_ref(), CA_BYTES_MAX);
        let read = read.map_err(|error| {
            Error::Usage(format!("{CA_VARIABLE}: cannot read {shown}: {error}"))
        })?;
        options.tls.authorities = Some(read);
    }
    Ok(options)
}

async fn dial(uri: &Uri, options: &net::ClientOptions) -> Result<SendRequest<Body>, Error> {
    let unreachable = |why: String| Error::Unreachable { url: uri.to_string(), why };
    let wire = net::dial(uri, options).await.map_err(|error| unreachable(error.to_string()))?;
    let (sender, connection) = handshake(wire).await.map_err(|error| unreachable(chain(&error)))?;
    tokio::spawn(async move {
        // Its end shows at the next request.
        let _ = connection.await;
    });
    Ok(sender)
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// A form of names and values.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

/// The media type of [`form`].
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        let text = form(&[("query", "a{b=\"c d\"} + 1"), ("time", "1.5")]);
        assert_eq!(text, "query=a%7Bb%3D%22c%20d%22%7D%20%2B%201&time=1.5");
    }

    #[test]
    fn a_password_is_said_in_a_header_and_not_shown() {
        let parts = |url| {
            let (url, password) = without_password(url).unwrap();
            (url, password.map(|it| it.expose().to_owned()))
        };
        let basic = Some("Basic YTpiQGM=".to_owned());
        assert_eq!(parts("https://a:b%40c@host:1/p@q"), ("https://host:1/p@q".to_owned(), basic));
        assert_eq!(parts("http://host/?a=b@c"), ("http://host/?a=b@c".to_owned(), None));
    }
}
