//! TLS on the accepted stream: rustls with ring, HTTP/2 or HTTP/1.1 as the client likes.
//!
//! The certificate in use is one shared value: a reload puts another in its place, for connections
//! that come after.

use std::{
    io,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
    time::Duration,
};

use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::http::certificate::common_name;

/// From the connection to the end of the handshake.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2
    #[default]
    OneTwo,
    /// 1.3
    OneThree,
}

/// Certificates and keys, as text.
#[derive(Clone, Copy, Debug)]
pub struct TlsPem<'a> {
    /// The server's certificate, and those that signed it.
    pub cert: &'a [u8],
    /// Its key.
    pub key: &'a [u8],
    /// Who signs certificates of clients; None asks for none.
    pub client_ca: Option<&'a [u8]>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The text holds none.
    #[error("there is no {0} in it")]
    Nothing(&'static str),
    /// The text is not in the form.
    #[error("the {what} is no PEM: {source}")]
    Pem {
        /// Of what.
        what: &'static str,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The key is not that of the certificate, or of a kind that is not spoken.
    #[error("certificate and key do not go together: {0}")]
    Pair(rustls::Error),
    /// Nobody could be checked with it.
    #[error("the certificate of who signs clients cannot be used: {0}")]
    ClientCa(String),
}

/// The certificate in use; none where connections are plain.
#[derive(Clone, Debug, Default)]
pub struct Tls(Arc<RwLock<Option<Arc<ServerConfig>>>>);

/// A certificate that can be put into use.
#[derive(Clone, Debug)]
pub struct TlsReady(Arc<ServerConfig>);

impl Tls {
    /// Makes a certificate ready; nothing changes yet.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub fn ready(pem: &TlsPem<'_>) -> Result<TlsReady, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[&SupportedProtocolVersion] = match pem.min_version {
            TlsVersion::OneTwo => &[&TLS13, &TLS12],
            TlsVersion::OneThree => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(TlsError::Pair)?;
        let builder = match pem.client_ca {
            None => builder.with_no_client_auth(),
            Some(text) => {
                let mut roots = RootCertStore::empty();
                for signer in certificates(text, "client CA")? {
                    roots.add(signer).map_err(|error| TlsError::ClientCa(error.to_string()))?;
                }
                // Who shows none may still show a token.
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| TlsError::ClientCa(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = certificates(pem.cert, "certificate")?;
        let key = PrivateKeyDer::from_pem_slice(pem.key).map_err(|source| match source {
            pem::Error::NoItemsFound => TlsError::Nothing("key"),
            source => TlsError::Pem { what: "key", source },
        })?;
        let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsReady(Arc::new(config)))
    }

    /// Connections from now on use this.
    pub fn put(&self, ready: Option<TlsReady>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ready.map(|ready| ready.0);
    }

    /// The stream as requests come over it; None where the handshake failed.
    pub(super) async fn accept(&self, stream: TcpStream) -> Option<Stream> {
        let config = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(config) = config else { return Some(Stream::Plain(stream)) };
        match timeout(HANDSHAKE_TIME_MAX, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                tracing::debug!(%error, "TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("TLS handshake took too long");
                None
            }
        }
    }
}

fn certificates(text: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::Pem { what, source })?;
    if all.is_empty() { Err(TlsError::Nothing(what)) } else { Ok(all) }
}

/// An accepted stream.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// The common name of the certificate that the client showed and that was checked.
    pub(super) fn client(&self) -> Option<Arc<str>> {
        let Self::Tls(stream) = self else { return None };
        let shown = stream.get_ref().1.peer_certificates()?.first()?;
        common_name(shown).map(Arc::from)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        let ready = |cert: &str, key: &str| {
            let (cert, key) = (cert.as_bytes(), key.as_bytes());
            let pem = TlsPem { cert, key, client_ca: None, min_version: TlsVersion::OneTwo };
            Tls::ready(&pem).unwrap_err().to_string()
        };
        assert_eq!(ready("", ""), "there is no certificate in it");
        let torn = "-----BEGIN CERTIFICATE-----\nMIIB\n";
        assert!(ready(torn, "").contains("is no PEM"), "{}", ready(torn, ""));
        let cert = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert_eq!(ready(cert, ""), "there is no key in it");
    }
}
