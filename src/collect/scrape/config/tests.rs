//! Files as people write them.

use proptest::prelude::*;

use super::*;

fn jobs(text: &str) -> Result<Vec<Job>, String> {
    ScrapeFile::read(text).and_then(|file| file.jobs()).map_err(|error| error.to_string())
}

fn job(text: &str) -> Job {
    jobs(text).unwrap().remove(0)
}

/// A job of `fields`, which are lines of YAML.
fn with(fields: &str) -> String {
    let fields = fields.lines().collect::<Vec<_>>().join("\n    ");
    format!("scrape_configs:\n  - job_name: a\n    {fields}\n")
}

#[test]
fn a_job_has_the_defaults_of_prometheus() {
    let job = job(&with("static_configs: [{targets: ['h:1']}]"));
    assert_eq!((job.interval.to_string(), job.timeout.to_string()), ("1m".into(), "10s".into()));
    assert_eq!((job.metrics_path.as_str(), job.scheme.as_str()), ("/metrics", "http"));
    assert!(job.honor_timestamps && !job.honor_labels && job.enable_compression);
    assert!(job.accept.starts_with("application/openmetrics-text;version=1.0.0;escaping=allow"));
    assert_eq!(job.limits.samples, 0);
}

#[test]
fn global_is_what_jobs_do_not_say() {
    let text = "
global: {scrape_interval: 5s, sample_limit: 7, external_labels: {zone: 1}}
scrape_configs:
  - job_name: a
  - {job_name: b, scrape_interval: 30s, scrape_timeout: 20s, sample_limit: 0}
";
    let jobs = jobs(text).unwrap();
    let shown: Vec<_> = jobs
        .iter()
        .map(|it| (it.interval.millis(), it.timeout.millis(), it.limits.samples))
        .collect();
    assert_eq!(shown, [(5000, 5000, 7), (30_000, 20_000, 0)]);
}

#[test]
fn every_field_is_read() {
    let text = with(
        "scrape_interval: 10s
scrape_timeout: 9s
metrics_path: /m
scheme: https
params: {module: [http_2xx, b]}
honor_labels: true
honor_timestamps: false
track_timestamps_staleness: true
scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, PrometheusText0.0.4]
fallback_scrape_protocol: PrometheusText0.0.4
scrape_classic_histograms: true
enable_compression: false
follow_redirects: false
authorization: {type: Token, credentials: 12345}
tls_config: {ca_file: /ca, cert_file: /c, key_file: /k, server_name: s, insecure_skip_verify: true}
proxy_url: http://proxy:3128
http_headers: {X-Scope: {values: [a], secrets: [b], files: [/f]}}
body_size_limit: 10MB
sample_limit: 1
label_limit: 2
label_name_length_limit: 3
label_value_length_limit: 4
target_limit: 5
keep_dropped_targets: 6
native_histogram_bucket_limit: 160
static_configs: [{targets: ['h:1', 'h:2'], labels: {zone: 1}}]
file_sd_configs: [{files: [/t/*.yml], refresh_interval: 1m}]
http_sd_configs: [{url: 'http://sd/', basic_auth: {username: u, password: 1}}]
dns_sd_configs: [{names: [a.b], type: A, port: 80}]
relabel_configs: [{source_labels: [__address__], target_label: x, replacement: 1}]
metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: go_.*}]",
    );
    let job = job(&text);
    let auth = job.settings.authorization.unwrap();
    assert_eq!((auth.kind.as_str(), auth.credentials.unwrap().reveal()), ("Token", "12345"));
    assert_eq!(job.params["module"], ["http_2xx", "b"]);
    assert_eq!((job.limits.body_bytes, job.limits.buckets), (10 << 20, 160));
    assert!(job.classic_histograms && job.settings.tls.insecure_skip_verify);
    assert_eq!(job.static_groups[0].labels["zone"], "1");
    assert_eq!(job.dns_lists[0].record, RecordType::A);
    assert_eq!(job.http_lists[0].0.refresh_interval.millis(), 60_000);
    let shown = serde_saphyr::to_string(&job.config).unwrap();
    assert!(shown.contains("<secret>") && !shown.contains("12345"), "{shown}");
}

#[test]
fn what_is_wrong_is_named_with_its_job() {
    let refused = |text: &str, parts: &[&str]| {
        let error = jobs(text).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    };
    refused("scrape_configs: [{job_name: a}, {job_name: a}]", &["\"a\"", "twice"]);
    refused("scrape_configs: [{scheme: http}]", &["job_name"]);
    refused(&with("scrape_timeout: 2m"), &["\"a\"", "scrape_timeout", "2m"]);
    refused(&with("scheme: ftp"), &["scheme", "ftp"]);
    refused(&with("static_configs: [{targets: ['http://h:1']}]"), &["not a valid hostname"]);
    refused(
        &with("kubernetes_sd_configs: [{role: node}]"),
        &["kubernetes_sd_configs", "supported"],
    );
    refused(&with("oauth2: {}"), &["oauth2", "not supported"]);
    refused(&with("scrape_intervall: 5s"), &["scrape_intervall"]);
    refused(&with("scrape_interval: 5"), &["5", "length of time"]);
    refused(&with("dns_sd_configs: [{names: [a], type: A}]"), &["port"]);
    refused(&with("file_sd_configs: [{files: [/a*/b.yml]}]"), &["/a*/b.yml"]);
    refused(&with("http_sd_configs: [{url: 'ftp://x'}]"), &["http_sd_configs", "url"]);
    refused(&with("basic_auth: {username: a}\nbearer_token: b"), &["at most one of"]);
    refused(&with("tls_config: {cert_file: /c}"), &["tls_config", "both are needed"]);
    refused(&with("http_headers: {Host: {values: [x]}}"), &["\"Host\""]);
    refused(&with("relabel_configs: [{action: hashmod, target_label: a}]"), &["modulus"]);
    refused(&with("scrape_protocols: []"), &["scrape_protocols"]);
    refused("rule_files: [a]", &["rule_files"]);
    refused("scrape_configs: {", &["line"]);
}

#[test]
fn lists_of_targets_are_json_or_yaml() {
    let json = r#"[{"targets": ["a:1"], "labels": {"zone": "z"}}]"#;
    let yaml = "- targets: ['a:1']\n  labels: {zone: z}\n";
    assert_eq!(read_groups(json, true).unwrap(), read_groups(yaml, false).unwrap());
    assert_eq!(read_groups("", false).unwrap(), []);
    assert!(read_groups("[{\"target\": []}]", true).is_err());
    assert!(read_groups("- targets: ['http://a/b']", false).is_err());
}

proptest! {
    #[test]
    fn any_text_is_a_file_or_an_error(text: String) {
        let _ = jobs(&text);
        let _ = (read_groups(&text, true), read_groups(&text, false));
    }
}
