//! One connection, for who speaks HTTP on it himself: the command line, which streams both ways.

use std::sync::Arc;

use hyper::{Uri, rt};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use crate::net::{ClientOptions, Error, connect::Connector};

/// Bytes both ways.
pub trait Wire: rt::Read + rt::Write + Send + Unpin {}

impl<T: rt::Read + rt::Write + Send + Unpin> Wire for T {}

/// Connects to the host of `url`, and proves who that is where the URL says `https`.
///
/// # Errors
/// [`Error::Lookup`], [`Error::Connect`], [`Error::Refused`], [`Error::Proxy`], [`Error::Tls`].
pub async fn dial(url: &Uri, options: &ClientOptions) -> Result<Box<dyn Wire>, Error> {
    let proxy = options.proxy.clone().map(Arc::new);
    let stream = Connector { addresses: options.addresses, proxy }.connect(url).await?;
    if url.scheme_str() != Some("https") {
        return Ok(Box::new(stream));
    }
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let name = options.tls.server_name.as_deref().unwrap_or(host).to_owned();
    let failed = |why: String| Error::Tls { what: "the server's certificate", why };
    let name = ServerName::try_from(name).map_err(|error| failed(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(options.tls.config()?));
    let stream = connector.connect(name, TokioIo::new(stream)).await;
    Ok(Box::new(TokioIo::new(stream.map_err(|error| failed(error.to_string()))?)))
}
