//! TCP to where a URL leads: look up, check the address, go through a proxy where there is one.

use std::{
    future::Future,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::net::{TcpStream, lookup_host};
use tower_service::Service;

use crate::net::{AddressPolicy, Error, Proxy};

/// Opens connections for one client.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) addresses: AddressPolicy,
    pub(super) proxy: Option<Arc<Proxy>>,
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&url).await })
    }
}

impl Connector {
    /// A connection to the host of `url`, without TLS.
    pub(super) async fn connect(&self, url: &Uri) -> Result<Stream, Error> {
        let is_tls = url.scheme_str() == Some("https");
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let Some(proxy) = &self.proxy else {
            let stream = self.open(host, port).await?;
            return Ok(Stream { inner: TokioIo::new(stream), is_proxied: false });
        };
        // The proxy looks the name up; an address is checked here all the same.
        if let Ok(address) = host.parse() {
            self.check(host, address)?;
        }
        let mut stream = self.open(&proxy.host, proxy.port).await?;
        if is_tls {
            let host = url.host().unwrap_or_default();
            proxy.tunnel(&mut stream, &format!("{host}:{port}")).await?;
        }
        Ok(Stream { inner: TokioIo::new(stream), is_proxied: !is_tls })
    }

    /// The first address that can be reached.
    async fn open(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let found = lookup_host((host, port))
            .await
            .map_err(|source| Error::Lookup { host: host.to_owned(), source })?;
        let to = || format!("{host}:{port}");
        let none = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let mut last = Error::Connect { to: to(), source: none };
        for address in found {
            if let Err(refused) = self.check(host, address.ip()) {
                last = refused;
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Small requests must not wait for the answer to the last.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(source) => last = Error::Connect { to: to(), source },
            }
        }
        Err(last)
    }

    fn check(&self, host: &str, address: IpAddr) -> Result<(), Error> {
        match self.addresses.refusal(address) {
            Some(why) => Err(Error::Refused { host: host.to_owned(), address, why }),
            None => Ok(()),
        }
    }
}

/// A connection, and whether requests on it name the whole URL.
#[derive(Debug)]
pub(super) struct Stream {
    inner: TokioIo<TcpStream>,
    is_proxied: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_proxied)
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }
}
