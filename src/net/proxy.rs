//! A way around: requests that go through a proxy.

use std::{fmt::Write as _, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::Uri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::net::Error;

/// Bytes of a proxy's answer to CONNECT.
const ANSWER_BYTES_MAX: usize = 8192;

/// An HTTP proxy: `http://user:password@host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// The value of `Proxy-Authorization`.
    pub(super) authorization: Option<String>,
}

impl FromStr for Proxy {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Url { url: url.to_owned(), why: why.to_owned() };
        let uri: Uri = url.parse().map_err(|error| bad(&format!("{error}")))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("a proxy is reached by http://"));
        }
        let authority = uri.authority().ok_or_else(|| bad("there is no host"))?;
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        let authorization = user.map(|user| format!("Basic {}", BASE64_STANDARD.encode(user)));
        let host = authority.host().to_owned();
        Ok(Self { host, port: authority.port_u16().unwrap_or(80), authorization })
    }
}

impl Proxy {
    /// Asks for a tunnel to `to`; the stream then is as if connected to it.
    pub(super) async fn tunnel(&self, stream: &mut TcpStream, to: &str) -> Result<(), Error> {
        let failed =
            |why: String| Error::Proxy { proxy: format!("{}:{}", self.host, self.port), why };
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        if let Some(authorization) = &self.authorization {
            // Writing to a string cannot fail.
            let _ = write!(request, "Proxy-Authorization: {authorization}\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
        let mut answer = Vec::new();
        // Byte by byte: what follows the head belongs to the tunnel.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(failed(format!("its answer is over {ANSWER_BYTES_MAX} bytes")));
            }
            let byte = stream.read_u8().await.map_err(|error| failed(error.to_string()))?;
            answer.push(byte);
        }
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.") && status.split(' ').nth(1) == Some("200") {
            return Ok(());
        }
        Err(failed(format!("it answers {status:?}")))
    }
}
