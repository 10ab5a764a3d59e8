//! Where lists of targets come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::client::BearerToken;
use super::error::explained;
use super::{
    Authorization, BasicAuth, ConfigError, HeaderValues, HttpSettings, Secret, TlsSettings,
};
use crate::model::TimeSpan;

/// Targets that have labels in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// `host:port`
    pub targets: Vec<String>,
    /// Labels of all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Reads a list of groups, as files and servers give it.
///
/// # Errors
/// Where and why it cannot be read.
pub fn read_groups(text: &str, is_json: bool) -> Result<Vec<Group>, ConfigError> {
    let groups: Option<Vec<Group>> = if is_json {
        serde_json::from_str(text).map_err(|error| ConfigError::Text(error.to_string()))?
    } else if text.trim().is_empty() {
        None
    } else {
        serde_saphyr::from_str(text).map_err(|error| ConfigError::Text(error.to_string()))?
    };
    let groups = groups.unwrap_or_default();
    groups.iter().try_for_each(Group::check)?;
    Ok(groups)
}

impl Group {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |field: &'static str, why: String| ConfigError::Field { field, why };
        if self.labels.keys().any(String::is_empty) {
            return Err(bad("labels", "a label has no name".into()));
        }
        match self.targets.iter().find(|target| target.contains('/')) {
            Some(url) => Err(bad("targets", format!("{url:?} is not a valid hostname"))),
            None => Ok(()),
        }
    }
}

/// An entry of `file_sd_configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// Paths of JSON or YAML; the last part may have a `*`.
    pub files: Vec<String>,
    /// How often they are read again even where nothing seems to have changed.
    pub refresh_interval: TimeSpan,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self { files: Vec::new(), refresh_interval: TimeSpan::from_secs(300) }
    }
}

impl FileConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |why: String| ConfigError::Field { field: "file_sd_configs", why };
        if self.files.is_empty() {
            return Err(bad("files is empty".into()));
        }
        for path in &self.files {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let ending = name.rsplit_once('.').map(|(_, ending)| ending);
            let is_known = ending.is_some_and(|ending| {
                ["json", "yml", "yaml"].iter().any(|known| ending.eq_ignore_ascii_case(known))
            });
            if !is_known || folder.contains('*') || name.matches('*').count() > 1 {
                return Err(bad(format!(
                    "path name {path:?} is not valid: it ends in .json, .yml or .yaml, and only the \
                     last part may have one *"
                )));
            }
        }
        refresh(self.refresh_interval, "file_sd_configs")
    }
}

fn refresh(interval: TimeSpan, field: &'static str) -> Result<(), ConfigError> {
    if interval.is_zero() {
        return Err(ConfigError::Field { field, why: "refresh_interval must be over 0".into() });
    }
    Ok(())
}

/// An entry of `http_sd_configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where the list is.
    pub url: String,
    /// How often it is asked for.
    pub refresh_interval: TimeSpan,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<Secret>,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsSettings>,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
    /// See [`HttpSettings`].
    pub follow_redirects: bool,
    /// Taken, and without effect: HTTP/1.1 is spoken.
    pub enable_http2: bool,
    /// See [`HttpSettings`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub http_headers: BTreeMap<String, HeaderValues>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            refresh_interval: TimeSpan::from_secs(60),
            basic_auth: None,
            authorization: None,
            bearer_token: None,
            bearer_token_file: None,
            tls_config: None,
            proxy_url: None,
            follow_redirects: true,
            enable_http2: true,
            http_headers: BTreeMap::new(),
        }
    }
}

impl<'de> Deserialize<'de> for HttpConfig {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(|error| match explained(&error.to_string()) {
            Some(better) => serde::de::Error::custom(better),
            None => error,
        })
    }
}

impl Serialize for HttpConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl HttpConfig {
    /// How the list is reached.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn settings(&self) -> Result<HttpSettings, ConfigError> {
        let bad = |why: &str| ConfigError::Field { field: "http_sd_configs", why: why.to_owned() };
        let is_web = self.url.starts_with("http://") || self.url.starts_with("https://");
        if !is_web {
            return Err(bad("url must begin with http:// or https://"));
        }
        refresh(self.refresh_interval, "http_sd_configs")?;
        let settings = HttpSettings {
            basic_auth: self.basic_auth.clone(),
            authorization: self.authorization.clone(),
            tls: self.tls_config.clone().unwrap_or_default(),
            proxy_url: self.proxy_url.clone(),
            follow_redirects: self.follow_redirects,
            headers: self.http_headers.clone(),
        };
        let (token, file) = (self.bearer_token.clone(), self.bearer_token_file.clone());
        settings.checked(BearerToken { token, file })
    }
}

/// Kinds of DNS records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// Addresses of four bytes.
    A,
    /// Addresses of sixteen bytes.
    Aaaa,
    /// Servers with their ports.
    #[default]
    Srv,
    /// Servers for mail.
    Mx,
    /// Name servers.
    Ns,
}

/// An entry of `dns_sd_configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsConfig {
    /// Names that are looked up.
    pub names: Vec<String>,
    /// How often.
    pub refresh_interval: TimeSpan,
    /// What is asked for.
    #[serde(rename = "type")]
    pub record: RecordType,
    /// The port of all targets; SRV records have their own.
    pub port: u16,
}

impl Default for DnsConfig {
    fn default() -> Self {
        let refresh_interval = TimeSpan::from_secs(30);
        Self { names: Vec::new(), refresh_interval, record: RecordType::Srv, port: 0 }
    }
}

impl DnsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |why: &str| ConfigError::Field { field: "dns_sd_configs", why: why.to_owned() };
        if self.names.is_empty() {
            return Err(bad("names is empty"));
        }
        if self.record != RecordType::Srv && self.port == 0 {
            return Err(bad("a port is required for all record types but SRV"));
        }
        refresh(self.refresh_interval, "dns_sd_configs")
    }
}
