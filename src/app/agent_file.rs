//! The agent's configuration: the sections of `prometheus.yml` that an agent has a use for.

use serde::Deserialize;

use crate::collect::scrape::{ConfigError, GlobalConfig, Job, JobConfig, ScrapeFile};
use crate::net::remote_write::RemoteWriteConfig;

/// A configuration file of an agent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentFile {
    /// What all have in common; `external_labels` go out with every series.
    pub global: GlobalConfig,
    /// What is scraped.
    pub scrape_configs: Vec<JobConfig>,
    /// Who gets what is collected.
    pub remote_write: Vec<RemoteWriteConfig>,
}

impl AgentFile {
    /// Reads YAML.
    ///
    /// # Errors
    /// Where and why it cannot be read.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    /// What is scraped, with everything filled in that `global` says.
    ///
    /// # Errors
    /// What means nothing, and in which job.
    pub fn jobs(&self) -> Result<Vec<Job>, ConfigError> {
        let (global, scrape_configs) = (self.global.clone(), self.scrape_configs.clone());
        ScrapeFile { global, scrape_configs }.jobs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_prometheus_are_read_and_mistakes_are_named() {
        let text = "
global:
  external_labels: {site: home}
remote_write:
  - url: https://me:secret@far.example/api/v1/write?token=x
    remote_timeout: 10s
    headers: {X-Scope-OrgID: a}
    protobuf_message: io.prometheus.write.v2.Request
    basic_auth: {username: me, password: geheim}
    queue_config: {max_shards: 4, batch_send_deadline: 500ms, retry_on_http_429: true}
    metadata_config: {send: false}
    write_relabel_configs:
      - {source_labels: [__name__], regex: go_.*, action: drop}
";
        let file = AgentFile::read(text).unwrap();
        let [config] = &file.remote_write[..] else { panic!("one receiver") };
        assert_eq!(config.shown_url(), "https://far.example/api/v1/write");
        assert_eq!(config.queue_config.max_shards, 4);
        assert_eq!(config.queue_config.capacity, 10_000);
        assert!(!format!("{config:?}").contains("geheim"));
        RemoteWriteConfig::check_all(&file.remote_write).unwrap();
        let twice = [config.clone(), config.clone()];
        assert!(RemoteWriteConfig::check_all(&twice).unwrap_err().to_string().contains("name"));
        for (text, expected) in [
            ("remote_write: [{url: 'ftp://a'}]", "url"),
            ("remote_write: [{url: 'http://a', name: a/b}]", "name"),
            ("remote_write: [{url: 'http://a', queue_config: {max_shards: 0}}]", "max_shards"),
            ("remote_write: [{url: 'http://a', queue_config: {min_shards: 60}}]", "min_shards"),
            ("remote_write: [{url: 'http://a', queue_config: {min_backoff: 1m}}]", "min_backoff"),
            ("remote_write: [{url: 'http://a', headers: {Host: b}}]", "headers"),
            ("remote_write: [{url: 'http://a', bearer_token: a, basic_auth: {}}]", "authorization"),
        ] {
            let file = AgentFile::read(text).unwrap();
            let error = RemoteWriteConfig::check_all(&file.remote_write).unwrap_err();
            assert!(error.field.contains(expected), "{error}");
        }
        let error = AgentFile::read("remote_write: [{urll: a}]").unwrap_err();
        assert!(error.contains("urll"), "{error}");
        let text = "scrape_configs: [{job_name: a, static_configs: [{targets: ['b:1']}]}]";
        assert_eq!(AgentFile::read(text).unwrap().jobs().unwrap().len(), 1);
    }
}
