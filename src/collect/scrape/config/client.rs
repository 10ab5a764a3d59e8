//! How a target or a list of targets is reached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};

/// `basic_auth`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BasicAuth {
    /// The user's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// A file that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_file: Option<PathBuf>,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A file that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

/// `authorization`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authorization {
    /// The word before the credentials; `Bearer` where nothing is said.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Secret>,
    /// A file that holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<PathBuf>,
}

/// `tls_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Authorities that are trusted, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// A file that holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Our certificate, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// A file that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// Its key, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// A file that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The name that the other side must prove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Takes any certificate.
    pub insecure_skip_verify: bool,
    /// `TLS12` or `TLS13`; older versions are not spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<String>,
    /// Likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_version: Option<String>,
}

/// What a header of `http_headers` is sent with: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderValues {
    /// In clear.
    pub values: Vec<String>,
    /// Not shown.
    pub secrets: Vec<Secret>,
    /// One value in each file.
    pub files: Vec<PathBuf>,
}

/// How a server is reached and what it is told about who asks. Whoever makes requests reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HttpSettings {
    /// User and password.
    pub basic_auth: Option<BasicAuth>,
    /// Another kind of credentials; `bearer_token` is one.
    pub authorization: Option<Authorization>,
    /// Certificates.
    pub tls: TlsSettings,
    /// A way around.
    pub proxy_url: Option<String>,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// More headers.
    pub headers: BTreeMap<String, HeaderValues>,
}

/// The old way to say `authorization`.
pub(super) struct BearerToken {
    pub(super) token: Option<Secret>,
    pub(super) file: Option<PathBuf>,
}

/// Headers that a client sets by itself, which Prometheus reserves as well.
const RESERVED: [&str; 20] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "te",
    "upgrade",
];

impl HttpSettings {
    /// Checks that nothing is said twice, and puts the bearer token in its place.
    pub(super) fn checked(mut self, bearer: BearerToken) -> Result<Self, ConfigError> {
        let bad =
            |field: &'static str, why: &str| ConfigError::Field { field, why: why.to_owned() };
        let has_bearer = bearer.token.is_some() || bearer.file.is_some();
        let ways = [self.basic_auth.is_some(), self.authorization.is_some(), has_bearer];
        if ways.iter().filter(|is_used| **is_used).count() > 1 {
            let why =
                "at most one of basic_auth, authorization, bearer_token and bearer_token_file";
            return Err(bad("authorization", why));
        }
        if has_bearer {
            let (credentials, credentials_file) = (bearer.token, bearer.file);
            let kind = "Bearer".into();
            self.authorization = Some(Authorization { kind, credentials, credentials_file });
        }
        if let Some(auth) = &mut self.authorization {
            auth.check()?;
        }
        if let Some(auth) = &self.basic_auth {
            let is_twice = !auth.username.is_empty() && auth.username_file.is_some();
            if is_twice || (auth.password.is_some() && auth.password_file.is_some()) {
                return Err(bad("basic_auth", "give a text or a file, not both"));
            }
        }
        self.tls.check()?;
        for name in self.headers.keys() {
            if RESERVED.contains(&name.to_lowercase().as_str()) {
                let why = format!("setting header {name:?} is not allowed");
                return Err(ConfigError::Field { field: "http_headers", why });
            }
        }
        Ok(self)
    }
}

impl Authorization {
    fn check(&mut self) -> Result<(), ConfigError> {
        let bad = |why: &str| ConfigError::Field { field: "authorization", why: why.to_owned() };
        if self.credentials.is_some() && self.credentials_file.is_some() {
            return Err(bad("at most one of credentials and credentials_file"));
        }
        if self.kind.trim().is_empty() {
            self.kind = "Bearer".into();
        }
        if self.kind.eq_ignore_ascii_case("basic") {
            return Err(bad("type cannot be \"basic\": use basic_auth"));
        }
        Ok(())
    }
}

impl TlsSettings {
    fn check(&self) -> Result<(), ConfigError> {
        let bad = |why: &str| ConfigError::Field { field: "tls_config", why: why.to_owned() };
        let is_twice = (self.ca.is_some() && self.ca_file.is_some())
            || (self.cert.is_some() && self.cert_file.is_some())
            || (self.key.is_some() && self.key_file.is_some());
        if is_twice {
            return Err(bad("ca, cert and key are each given as text or as file, not both"));
        }
        let has_certificate = self.cert.is_some() || self.cert_file.is_some();
        if has_certificate != (self.key.is_some() || self.key_file.is_some()) {
            return Err(bad("exactly one of cert and key is given; both are needed"));
        }
        for version in [&self.min_version, &self.max_version].into_iter().flatten() {
            if !matches!(version.as_str(), "TLS12" | "TLS13") {
                return Err(bad("versions spoken are TLS12 and TLS13"));
            }
        }
        if self.max_version.as_deref() == Some("TLS12")
            || self.min_version.as_deref() == Some("TLS13")
        {
            return Err(bad(
                "min_version and max_version cannot be narrowed here: both are spoken",
            ));
        }
        Ok(())
    }
}
