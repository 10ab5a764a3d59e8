//! A job with everything decided.

use std::collections::BTreeMap;

use super::client::BearerToken;
use super::protocol::accept;
use super::{
    ConfigError, DnsConfig, FileConfig, GlobalConfig, Group, HttpConfig, HttpSettings, JobConfig,
    ScrapeProtocol,
};
use crate::model::{RelabelRule, TimeSpan};

/// How long a scrape may take where nobody says.
const TIMEOUT: TimeSpan = TimeSpan::from_secs(10);

/// The largest body that is read where `body_size_limit` says nothing: no exporter shows as much, and
/// a stream without end must not fill the memory.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// What a scrape may bring. 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body, unpacked. Never 0.
    pub body_bytes: u64,
    /// Samples after relabelling.
    pub samples: u64,
    /// Labels of a series.
    pub labels: u64,
    /// Bytes of a label's name.
    pub label_name_bytes: u64,
    /// Bytes of a label's value.
    pub label_value_bytes: u64,
    /// Targets of the job.
    pub targets: u64,
    /// Dropped targets that are remembered for people to see.
    pub dropped_targets: u64,
    /// Buckets of a native histogram.
    pub buckets: u64,
}

/// What is scraped and how. Equal jobs do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the configuration")]
#[expect(
    missing_docs,
    reason = "names and meanings are those of Prometheus; docs/scraping.md has them"
)]
pub struct Job {
    /// As written, with what `global` says.
    pub config: JobConfig,
    pub name: String,
    pub interval: TimeSpan,
    pub timeout: TimeSpan,
    pub metrics_path: String,
    pub scheme: String,
    pub params: BTreeMap<String, Vec<String>>,
    pub honor_labels: bool,
    pub honor_timestamps: bool,
    pub track_timestamps_staleness: bool,
    /// The header `Accept` of requests.
    pub accept: String,
    /// The format of a target that does not name a known one.
    pub fallback: Option<ScrapeProtocol>,
    pub classic_histograms: bool,
    pub ignores_native_histograms: bool,
    /// Whether the limits of a scrape are written as series too.
    pub extra_metrics: bool,
    pub enable_compression: bool,
    pub settings: HttpSettings,
    pub limits: Limits,
    pub relabel: Vec<RelabelRule>,
    pub metric_relabel: Vec<RelabelRule>,
    pub static_groups: Vec<Group>,
    pub file_lists: Vec<FileConfig>,
    /// With how each is reached.
    pub http_lists: Vec<(HttpConfig, HttpSettings)>,
    pub dns_lists: Vec<DnsConfig>,
}

fn bad(field: &'static str, why: impl Into<String>) -> ConfigError {
    ConfigError::Field { field, why: why.into() }
}

impl Job {
    pub(super) fn new(config: &JobConfig, global: &GlobalConfig) -> Result<Self, ConfigError> {
        check(config)?;
        let (interval, timeout) = pace(config, global)?;
        let native = config.scrape_native_histograms.or(global.scrape_native_histograms);
        let protocols = protocols(config, global, native)?;
        let is_utf8 = is_utf8(config, global)?;
        let converts = config.convert_classic_histograms_to_nhcb;
        if converts.unwrap_or(global.convert_classic_histograms_to_nhcb) {
            let name = "convert_classic_histograms_to_nhcb".to_owned();
            return Err(ConfigError::Unsupported(name, "classic histograms stay as they are"));
        }
        let classic = config.always_scrape_classic_histograms;
        Ok(Self {
            config: JobConfig {
                scrape_interval: Some(interval),
                scrape_timeout: Some(timeout),
                scrape_protocols: Some(protocols.clone()),
                ..config.clone()
            },
            name: config.job_name.clone(),
            interval,
            timeout,
            metrics_path: config.metrics_path.clone(),
            scheme: config.scheme.clone(),
            params: config.params.clone(),
            honor_labels: config.honor_labels,
            honor_timestamps: config.honor_timestamps,
            track_timestamps_staleness: config.track_timestamps_staleness,
            accept: accept(&protocols, is_utf8),
            fallback: config.fallback_scrape_protocol,
            classic_histograms: classic.unwrap_or(global.always_scrape_classic_histograms),
            ignores_native_histograms: native == Some(false),
            extra_metrics: config.extra_scrape_metrics.unwrap_or(global.extra_scrape_metrics),
            enable_compression: config.enable_compression,
            settings: settings(config)?,
            limits: limits(config, global),
            relabel: config.relabel_configs.clone(),
            metric_relabel: config.metric_relabel_configs.clone(),
            static_groups: config.static_configs.clone(),
            file_lists: config.file_sd_configs.clone(),
            http_lists: http_lists(config)?,
            dns_lists: config.dns_sd_configs.clone(),
        })
    }
}

fn check(config: &JobConfig) -> Result<(), ConfigError> {
    if config.job_name.is_empty() {
        return Err(bad("job_name", "is empty"));
    }
    if !matches!(config.scheme.as_str(), "http" | "https") {
        return Err(bad("scheme", format!("{:?} is neither http nor https", config.scheme)));
    }
    config.static_configs.iter().try_for_each(Group::check)?;
    config.file_sd_configs.iter().try_for_each(FileConfig::check)?;
    config.dns_sd_configs.iter().try_for_each(DnsConfig::check)
}

fn pace(config: &JobConfig, global: &GlobalConfig) -> Result<(TimeSpan, TimeSpan), ConfigError> {
    let interval = config.scrape_interval.filter(|it| !it.is_zero());
    let interval = interval.unwrap_or(global.scrape_interval);
    let common = global.scrape_timeout.filter(|it| !it.is_zero());
    let common = common.unwrap_or(TIMEOUT.min(global.scrape_interval));
    if common > global.scrape_interval {
        let why = format!("{common} is more than scrape_interval, {}", global.scrape_interval);
        return Err(bad("global.scrape_timeout", why));
    }
    let timeout = config.scrape_timeout.filter(|it| !it.is_zero());
    let timeout = timeout.unwrap_or(common.min(interval));
    if timeout > interval {
        let why = format!("{timeout} is more than scrape_interval, {interval}");
        return Err(bad("scrape_timeout", why));
    }
    Ok((interval, timeout))
}

fn protocols(
    config: &JobConfig,
    global: &GlobalConfig,
    native: Option<bool>,
) -> Result<Vec<ScrapeProtocol>, ConfigError> {
    let said = config.scrape_protocols.as_ref().or(global.scrape_protocols.as_ref());
    let Some(said) = said else {
        return Ok(match native {
            Some(true) => ScrapeProtocol::WITH_NATIVE_HISTOGRAMS.to_vec(),
            Some(false) | None => ScrapeProtocol::DEFAULT.to_vec(),
        });
    };
    if said.is_empty() {
        return Err(bad("scrape_protocols", "is empty"));
    }
    let is_twice =
        |(i, protocol): (usize, &ScrapeProtocol)| said.iter().take(i).any(|it| it == protocol);
    if said.iter().enumerate().any(is_twice) {
        return Err(bad("scrape_protocols", "a protocol stands there twice"));
    }
    Ok(said.clone())
}

fn is_utf8(config: &JobConfig, global: &GlobalConfig) -> Result<bool, ConfigError> {
    let validation = config.metric_name_validation_scheme.as_ref();
    let validation = validation.or(global.metric_name_validation_scheme.as_ref());
    let validation = validation.map_or("utf8", String::as_str);
    if !matches!(validation, "utf8" | "legacy" | "") {
        return Err(bad("metric_name_validation_scheme", "known are utf8 and legacy"));
    }
    let escaping = config.metric_name_escaping_scheme.as_ref();
    match escaping.or(global.metric_name_escaping_scheme.as_ref()).map(String::as_str) {
        None | Some("") => Ok(validation != "legacy"),
        Some("allow-utf-8") => Ok(true),
        Some("underscores") => Ok(false),
        Some(_) => Err(bad("metric_name_escaping_scheme", "known are allow-utf-8 and underscores")),
    }
}

fn settings(config: &JobConfig) -> Result<HttpSettings, ConfigError> {
    let settings = HttpSettings {
        basic_auth: config.basic_auth.clone(),
        authorization: config.authorization.clone(),
        tls: config.tls_config.clone().unwrap_or_default(),
        proxy_url: config.proxy_url.clone(),
        follow_redirects: config.follow_redirects,
        headers: config.http_headers.clone(),
    };
    let (token, file) = (config.bearer_token.clone(), config.bearer_token_file.clone());
    settings.checked(BearerToken { token, file })
}

fn http_lists(config: &JobConfig) -> Result<Vec<(HttpConfig, HttpSettings)>, ConfigError> {
    config.http_sd_configs.iter().map(|it| Ok((it.clone(), it.settings()?))).collect()
}

fn limits(config: &JobConfig, global: &GlobalConfig) -> Limits {
    let body = config.body_size_limit.or(global.body_size_limit).map_or(0, |size| size.0);
    Limits {
        body_bytes: if body == 0 { BODY_BYTES_MAX } else { body },
        samples: config.sample_limit.unwrap_or(global.sample_limit),
        labels: config.label_limit.unwrap_or(global.label_limit),
        label_name_bytes: config.label_name_length_limit.unwrap_or(global.label_name_length_limit),
        label_value_bytes: config
            .label_value_length_limit
            .unwrap_or(global.label_value_length_limit),
        targets: config.target_limit.unwrap_or(global.target_limit),
        dropped_targets: config.keep_dropped_targets.unwrap_or(global.keep_dropped_targets),
        buckets: config.native_histogram_bucket_limit.unwrap_or(0),
    }
}
