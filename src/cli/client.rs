//! A client as small as the command line needs it: one server, plain HTTP/1.1, kept connection.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::{
    Request, Response, StatusCode, Uri,
    client::conn::http1::{SendRequest, handshake},
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

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
    sender: SendRequest<Body>,
}

/// What a server answered.
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Client {
    /// Sends a form, or text, and reads the whole answer.
    pub(super) async fn post(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: impl Into<Body>,
    ) -> Result<Got, Error> {
        match self {
            Self::Remote(remote) => remote.post(path, media_type, body).await,
            Self::Local(local) => {
                let request = Request::post(path)
                    .header(CONTENT_TYPE, media_type)
                    .body(body.into())
                    .map_err(|error| Error::Usage(error.to_string()))?;
                let (head, body) = local.answer(request).await.into_parts();
                let body = body.collect().await;
                let body = body.map_err(|error| Error::Failed(error.to_string()))?.to_bytes();
                Ok(Got { status: head.status, body })
            }
        }
    }
}

/// Takes pieces of an answer.
pub(super) type Taker<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Error>;

impl Client {
    /// The server at `url`, or the directory where one is given.
    pub(super) async fn open(url: &str, data: Option<&std::path::Path>) -> Result<Self, Error> {
        Ok(match data {
            Some(directory) => Self::Local(Box::new(Local::open(directory)?)),
            None => Self::Remote(Remote::connect(url).await?),
        })
    }

    /// Sends a form, and hands over the answer piece by piece; the body of a refusal is returned whole.
    pub(super) async fn stream(
        &mut self,
        path: &str,
        form: String,
        take: Taker<'_>,
    ) -> Result<Option<Got>, Error> {
        match self {
            Self::Remote(remote) => remote.stream(path, form, take).await,
            Self::Local(local) => {
                let request = Request::post(path)
                    .header(CONTENT_TYPE, FORM)
                    .body(form.into())
                    .map_err(|error| Error::Usage(error.to_string()))?;
                let response = local.answer(request).await;
                pieces(response, take, |why| Error::Failed(why)).await
            }
        }
    }
}

/// Hands over a body piece by piece.
async fn pieces<B>(
    response: Response<B>,
    take: Taker<'_>,
    failed: impl Fn(String) -> Error,
) -> Result<Option<Got>, Error>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let (head, mut body) = response.into_parts();
    if !head.status.is_success() {
        let body = body.collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        return Ok(Some(Got { status: head.status, body }));
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed(format!("the answer ends early: {error}")))?;
        if let Some(bytes) = frame.data_ref() {
            take(bytes)?;
        }
    }
    Ok(None)
}

impl Remote {
    /// As [`Client::stream`].
    async fn stream(
        &mut self,
        path: &str,
        form: String,
        take: Taker<'_>,
    ) -> Result<Option<Got>, Error> {
        let url = self.url.clone();
        let unreachable = |why: String| Error::Unreachable { url: url.clone(), why };
        let request = Request::post(format!("{}{path}", self.prefix))
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, FORM)
            .body(form.into())
            .map_err(|error| Error::Usage(error.to_string()))?;
        self.sender.ready().await.map_err(|error| unreachable(error.to_string()))?;
        let response = self.sender.send_request(request).await;
        pieces(response.map_err(|error| unreachable(error.to_string()))?, take, unreachable).await
    }

    /// Connects to `http://host:port/prefix`.
    pub(super) async fn connect(url: &str) -> Result<Self, Error> {
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
        Ok(Self { url: url.to_owned(), host: authority.to_string(), prefix, sender })
    }

    /// Sends a form, or text, and reads the whole answer.
    pub(super) async fn post(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: impl Into<Body>,
    ) -> Result<Got, Error> {
        let unreachable = |why: String| Error::Unreachable { url: self.url.clone(), why };
        let request = Request::post(format!("{}{path}", self.prefix))
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, media_type)
            .body(body.into())
            .map_err(|error| Error::Usage(error.to_string()))?;
        self.sender.ready().await.map_err(|error| unreachable(error.to_string()))?;
        let response: Response<_> = self
            .sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| unreachable(error.to_string()))?.to_bytes();
        Ok(Got { status, body })
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
