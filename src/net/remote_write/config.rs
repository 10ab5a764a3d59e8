//! `remote_write`, as Prometheus has it: names, defaults and what contradicts itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::collect::scrape::{Authorization, BasicAuth, HeaderValues, Secret, TlsSettings};
use crate::export::remote_write::Message;
use crate::model::{RelabelRule, TimeSpan};
use crate::store::MARKS_MAX;

use super::settings::Queue;

/// One receiver: an entry of `remote_write`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the configuration")]
pub struct RemoteWriteConfig {
    /// Where rows are sent.
    pub url: String,
    /// Names it in metrics and on disk; made of the URL where nothing is said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How long a request may take.
    pub remote_timeout: TimeSpan,
    /// Sent with each request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is done to labels, and which rows are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write_relabel_configs: Vec<RelabelRule>,
    /// Which message is sent.
    pub protobuf_message: ProtobufMessage,
    /// Whether message 1 sends exemplars; message 2 always does.
    pub send_exemplars: bool,
    /// Whether message 1 sends native histograms; message 2 always does.
    pub send_native_histograms: bool,
    /// How rows wait.
    pub queue_config: QueueConfig,
    /// How message 1 tells what metrics are.
    pub metadata_config: MetadataConfig,
    /// User and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Another kind of credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// The old way to say `authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<Secret>,
    /// Likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// Certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsSettings>,
    /// A way around.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// Taken, and without effect: HTTP/1.1 is spoken.
    pub enable_http2: bool,
    /// More headers, secret ones among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub http_headers: BTreeMap<String, HeaderValues>,
}

impl Default for RemoteWriteConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: String::new(),
            remote_timeout: TimeSpan::from_secs(30),
            headers: BTreeMap::new(),
            write_relabel_configs: Vec::new(),
            protobuf_message: ProtobufMessage::default(),
            send_exemplars: false,
            send_native_histograms: false,
            queue_config: QueueConfig::default(),
            metadata_config: MetadataConfig::default(),
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

/// `protobuf_message`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum ProtobufMessage {
    /// Remote write 1.
    #[default]
    #[serde(rename = "prometheus.WriteRequest")]
    One,
    /// Remote write 2.
    #[serde(rename = "io.prometheus.write.v2.Request")]
    Two,
}

impl From<ProtobufMessage> for Message {
    fn from(message: ProtobufMessage) -> Self {
        match message {
            ProtobufMessage::One => Self::WriteRequest,
            ProtobufMessage::Two => Self::Request,
        }
    }
}

/// `queue_config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// Rows that wait in memory, a shard.
    pub capacity: usize,
    /// Shards at most.
    pub max_shards: usize,
    /// Shards at least.
    pub min_shards: usize,
    /// Rows of a request.
    pub max_samples_per_send: usize,
    /// How long rows wait for company.
    pub batch_send_deadline: TimeSpan,
    /// The first pause after a failure; it doubles.
    pub min_backoff: TimeSpan,
    /// The longest.
    pub max_backoff: TimeSpan,
    /// Whether "too many requests" is tried again, or the rows dropped. Prometheus drops them where
    /// nothing is said; here what was acknowledged is not given up for that.
    pub retry_on_http_429: bool,
    /// Rows older than this are dropped; 0 is never.
    pub sample_age_limit: TimeSpan,
}

/// Of milliseconds, which are no whole seconds.
fn span(text: &str) -> TimeSpan {
    text.parse().unwrap_or_default()
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            max_shards: 50,
            min_shards: 1,
            max_samples_per_send: 2_000,
            batch_send_deadline: TimeSpan::from_secs(5),
            min_backoff: span("30ms"),
            max_backoff: TimeSpan::from_secs(5),
            retry_on_http_429: true,
            sample_age_limit: TimeSpan::default(),
        }
    }
}

/// `metadata_config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataConfig {
    /// Whether what metrics are is sent.
    pub send: bool,
    /// How often.
    pub send_interval: TimeSpan,
    /// Metrics of a request.
    pub max_samples_per_send: usize,
}

impl Default for MetadataConfig {
    fn default() -> Self {
        Self { send: true, send_interval: TimeSpan::from_secs(60), max_samples_per_send: 2_000 }
    }
}

/// What is wrong with a list of receivers. The text names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("remote_write, {receiver:?}: {field}: {why}")]
pub struct RemoteWriteError {
    /// The name or URL of the receiver.
    pub receiver: String,
    /// The field.
    pub field: &'static str,
    /// What is wrong.
    pub why: String,
}

impl RemoteWriteConfig {
    /// A receiver that is reached at `url`, all else as it is by default.
    pub fn to(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Checks a list: each receiver, and that no two have one name.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check_all(list: &[Self]) -> Result<(), RemoteWriteError> {
        let mut names = BTreeSet::new();
        for config in list {
            config.check()?;
            if !names.insert(config.name()) {
                let why = "is the name of another receiver, too; give each a name of its own";
                return Err(config.wrong("name", why));
            }
        }
        Ok(())
    }

    /// The name it was given, or one made of the URL, without secrets in it.
    pub fn name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let hash = xxhash_rust::xxh3::xxh3_64(self.url.as_bytes()) >> 32;
        format!("{hash:08x}")
    }

    /// The URL without what may be a secret: user, password, parameters.
    pub fn shown_url(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        match url.split_once("://") {
            Some((scheme, rest)) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = host.rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{host}{path}")
            }
            None => url.to_owned(),
        }
    }

    pub(super) fn wrong(&self, field: &'static str, why: impl Into<String>) -> RemoteWriteError {
        let receiver = if self.name.is_empty() { self.shown_url() } else { self.name.clone() };
        RemoteWriteError { receiver, field, why: why.into() }
    }

    fn check(&self) -> Result<(), RemoteWriteError> {
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            return Err(self.wrong("url", "begins with http:// or https://"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_file = !self.name.starts_with('.') && self.name.chars().all(is_plain);
        if !is_file || self.name.len() > 100 {
            let why = "is at most 100 letters, digits, \"-\", \"_\" and \".\": it names a file";
            return Err(self.wrong("name", why));
        }
        self.check_queue()?;
        self.check_credentials()
    }

    fn check_queue(&self) -> Result<(), RemoteWriteError> {
        let queue = self.queue_config;
        let numbers = [
            ("queue_config.capacity", queue.capacity, 10_000_000),
            ("queue_config.max_samples_per_send", queue.max_samples_per_send, 1_000_000),
            ("queue_config.min_shards", queue.min_shards, MARKS_MAX),
            ("queue_config.max_shards", queue.max_shards, MARKS_MAX),
            (
                "metadata_config.max_samples_per_send",
                self.metadata_config.max_samples_per_send,
                1_000_000,
            ),
        ];
        for (field, number, most) in numbers {
            if number == 0 || number > most {
                return Err(self.wrong(field, format!("is {number}, and must be 1 to {most}")));
            }
        }
        if queue.min_shards > queue.max_shards {
            return Err(self.wrong("queue_config.min_shards", "is more than max_shards"));
        }
        let spans = [
            ("remote_timeout", self.remote_timeout),
            ("queue_config.batch_send_deadline", queue.batch_send_deadline),
            ("queue_config.min_backoff", queue.min_backoff),
            ("metadata_config.send_interval", self.metadata_config.send_interval),
        ];
        if let Some((field, _)) = spans.iter().find(|(_, span)| span.is_zero()) {
            return Err(self.wrong(field, "must be over 0"));
        }
        if queue.min_backoff > queue.max_backoff {
            return Err(self.wrong("queue_config.min_backoff", "is more than max_backoff"));
        }
        Ok(())
    }

    fn check_credentials(&self) -> Result<(), RemoteWriteError> {
        let ways = [
            self.basic_auth.is_some(),
            self.authorization.is_some(),
            self.bearer_token.is_some(),
            self.bearer_token_file.is_some(),
        ];
        if ways.iter().filter(|is_used| **is_used).count() > 1 {
            let why = "at most one of basic_auth, authorization, bearer_token, bearer_token_file";
            return Err(self.wrong("authorization", why));
        }
        if let Some(auth) = &self.basic_auth
            && ((!auth.username.is_empty() && auth.username_file.is_some())
                || (auth.password.is_some() && auth.password_file.is_some()))
        {
            return Err(self.wrong("basic_auth", "give a text or a file, not both"));
        }
        if let Some(auth) = &self.authorization
            && auth.credentials.is_some()
            && auth.credentials_file.is_some()
        {
            return Err(self.wrong("authorization", "give credentials or a file, not both"));
        }
        for name in self.headers.keys().chain(self.http_headers.keys()) {
            if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(self.wrong("headers", format!("{name} is set by itself")));
            }
        }
        Ok(())
    }

    pub(super) fn queue(&self) -> Queue {
        let (queue, metadata) = (self.queue_config, self.metadata_config);
        Queue {
            capacity: queue.capacity,
            shards_min: queue.min_shards,
            shards_max: queue.max_shards,
            rows_max: queue.max_samples_per_send,
            deadline: queue.batch_send_deadline.duration(),
            backoff_min: queue.min_backoff.duration(),
            backoff_max: queue.max_backoff.duration(),
            age_max: (!queue.sample_age_limit.is_zero()).then(|| queue.sample_age_limit.nanos()),
            metadata_every: metadata.send.then(|| metadata.send_interval.duration()),
            metadata_max: metadata.max_samples_per_send,
        }
    }
}

/// Headers that requests have by themselves, as Prometheus reserves them.
const RESERVED: [&str; 12] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
];
