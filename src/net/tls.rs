//! How the other side proves who it is, and how we do.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use crate::net::Error;

/// Certificates and names. The default trusts what the machine trusts.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TlsOptions {
    /// PEM of the authorities that are trusted in place of the machine's.
    pub authorities: Option<Vec<u8>>,
    /// PEM of our own certificate and of those between it and an authority.
    pub certificate: Option<Vec<u8>>,
    /// PEM of the key to our certificate.
    pub key: Option<Vec<u8>>,
    /// The name that the other side must prove, where it is not the host of the URL.
    pub server_name: Option<String>,
    /// Takes any certificate. Whoever sits between can then read and change everything.
    pub is_insecure: bool,
}

/// Keys are not for logs.
impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("server_name", &self.server_name)
            .field("is_insecure", &self.is_insecure)
            .finish_non_exhaustive()
    }
}

impl TlsOptions {
    /// As rustls wants it.
    pub(super) fn config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls { what: "TLS", why: error.to_string() })?;
        let builder = if self.is_insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TakesAny(provider)))
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else {
            if self.certificate.is_some() || self.key.is_some() {
                let why = "a certificate needs its key, and a key its certificate".to_owned();
                return Err(Error::Tls { what: "the client certificate", why });
            }
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates("the client certificate", certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| Error::Tls { what: "the client key", why: error.to_string() })?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| Error::Tls { what: "the client certificate", why: error.to_string() })
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, Error> {
        let Some(pem) = &self.authorities else { return Ok(machine_roots()) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates("the certificate authority", pem)? {
            roots.add(certificate).map_err(|error| Error::Tls {
                what: "the certificate authority",
                why: error.to_string(),
            })?;
        }
        Ok(Arc::new(roots))
    }
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| Error::Tls { what, why: error.to_string() })?;
    if read.is_empty() {
        return Err(Error::Tls { what, why: "there is no certificate in it".into() });
    }
    Ok(read)
}

/// What the machine trusts; Mozilla's list where it says nothing, as in a bare container. Read once:
/// it takes some milliseconds.
fn machine_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Arc::new(roots)
    });
    Arc::clone(roots)
}

/// Believes whoever answers; only that they hold the key they show is checked.
#[derive(Debug)]
struct TakesAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
