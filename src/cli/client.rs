//! A client as small as the command line needs it: one server, plain HTTP/1.1, kept connection.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::{
    Request, Response, StatusCode, Uri,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::access::Secret;
use crate::app::Local;
use crate::cli::error::Error;

/// Who answers: a server, or a directory that is open here.
pub(super) enum Client {
    Remote(Remote),
    Local(Box<Local>),
}

/// A connection to one server.
pub(super) struct Remote {
    url: String,
    host: String,
    /// Before every path, without a slash at the end.
    prefix: String,
    token: Option<Secret>,
    sender: SendRequest<Body>,
}

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
            None => Self::Remote(Remote::connect(url, token).await?),
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
    /// Connects to `http://host:port/prefix`.
    pub(super) async fn connect(url: &str, token: Option<Secret>) -> Result<Self, Error> {
        let with_scheme =
            if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let bad = || Error::Usage(format!("{url:?} is no address: write it like http://host:7847"));
        let uri: Uri = with_scheme.parse().map_err(|_| bad())?;
        if uri.scheme_str() != Some("http") {
            return Err(Error::Usage(format!("{url:?}: only http:// is spoken here so far")));
        }
        let authority = uri.authority().ok_or_else(bad)?;
        let (host, port) = (authority.host(), authority.port_u16().unwrap_or(80));
        let unreachable = |why: String| Error::Unreachable { url: url.to_owned(), why };
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        tokio::spawn(async move {
            // Its end shows at the next request.
            let _ = connection.await;
        });
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { url: url.to_owned(), host: authority.to_string(), prefix, token, sender })
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
        let unreachable = |why: String| Error::Unreachable { url: self.url.clone(), why };
        let mut request = Request::post(format!("{}{path}", self.prefix))
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, media_type);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let request = request.body(body.into()).map_err(|error| Error::Usage(error.to_string()))?;
        self.sender.ready().await.map_err(|error| unreachable(error.to_string()))?;
        let response: Response<_> = self
            .sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let (head, body) = response.into_parts();
        Ok(Pieces::of(&head, Body::new(body)))
    }
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
}
