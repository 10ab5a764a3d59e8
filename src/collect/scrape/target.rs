//! From what discovery found to what is scraped: labels, relabelling, the URL.
//!
//! Labels that begin with `__` steer: `__address__`, `__scheme__`, `__metrics_path__`, `__param_*`,
//! `__scrape_interval__`, `__scrape_timeout__`. Rules may change them; series do not have them.

use std::fmt::Write as _;

use super::config::{Group, Job};
use crate::model::{LabelBuilder, Labels, TimeSpan, relabel_in_place};

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM: &str = "__param_";
const META: &str = "__meta_";

/// Something that is scraped. Two are one where labels and URL are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As discovery found it, before rules.
    pub discovered: Labels,
    /// What its series get.
    pub labels: Labels,
    /// What is fetched.
    pub url: String,
    /// How often.
    pub interval: TimeSpan,
    /// How long a scrape may take.
    pub timeout: TimeSpan,
}

/// What became of something that was discovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Active(Box<Target>),
    /// Rules do not want it.
    Dropped(Labels),
}

/// The label sets of a group's targets; `extra` are labels that say where the group is from.
pub fn spread(group: &Group, extra: &[(&str, &str)]) -> Vec<LabelBuilder> {
    let mut common = LabelBuilder::new();
    for (name, value) in &group.labels {
        common.set(name, value.as_str());
    }
    for (name, value) in extra {
        common.set(name, *value);
    }
    let of = |address: &String| {
        let mut labels = common.clone();
        labels.set(ADDRESS, address.as_str());
        labels
    };
    group.targets.iter().map(of).collect()
}

/// Labels with what the job says where they do not.
fn with_job(job: &Job, found: &LabelBuilder) -> LabelBuilder {
    let mut labels = found.clone();
    let mut fill = |name: &str, value: &str| {
        if labels.get(name).is_empty() {
            labels.set(name, value);
        }
    };
    fill("job", &job.name);
    fill(INTERVAL, &job.interval.to_string());
    fill(TIMEOUT, &job.timeout.to_string());
    fill(METRICS_PATH, &job.metrics_path);
    fill(SCHEME, &job.scheme);
    for (name, values) in &job.params {
        if let Some(value) = values.first() {
            fill(&format!("{PARAM}{name}"), value);
        }
    }
    labels
}

/// What `job` makes of a discovered label set.
///
/// # Errors
/// What makes it no target.
pub(super) fn populate(job: &Job, found: &LabelBuilder) -> Result<Found, String> {
    let mut labels = with_job(job, found);
    let discovered = labels.labels();
    if !relabel_in_place(&job.relabel, &mut labels) {
        return Ok(Found::Dropped(discovered));
    }
    let address = labels.get(ADDRESS).to_owned();
    if address.is_empty() {
        return Err("no address".into());
    }
    if address.contains('/') {
        return Err(format!("{address:?} is not a valid hostname"));
    }
    let (interval, timeout) = pace(&labels)?;
    let url = url(job, &labels, &address)?;
    labels.retain(|name| !name.starts_with(META));
    if labels.get("instance").is_empty() {
        labels.set("instance", address);
    }
    labels.retain(|name| !name.starts_with("__"));
    let labels = labels.labels();
    Ok(Found::Active(Box::new(Target { discovered, labels, url, interval, timeout })))
}

fn pace(labels: &LabelBuilder) -> Result<(TimeSpan, TimeSpan), String> {
    let read = |name, what| {
        let text = labels.get(name);
        match text.parse::<TimeSpan>() {
            Ok(span) if span.is_zero() => Err(format!("{what} cannot be 0")),
            Ok(span) => Ok(span),
            Err(error) => Err(format!("error parsing {what}: {error}")),
        }
    };
    let (interval, timeout) =
        (read(INTERVAL, "scrape interval")?, read(TIMEOUT, "scrape timeout")?);
    if timeout > interval {
        let why = format!("({:?} > {:?})", timeout.to_string(), interval.to_string());
        return Err(format!("scrape timeout cannot be greater than scrape interval {why}"));
    }
    Ok((interval, timeout))
}

fn url(job: &Job, labels: &LabelBuilder, address: &str) -> Result<String, String> {
    let scheme = labels.get(SCHEME);
    if !matches!(scheme, "http" | "https") {
        return Err(format!("scheme {scheme:?} is neither http nor https"));
    }
    let path = labels.get(METRICS_PATH);
    let slash = if path.starts_with('/') || path.is_empty() { "" } else { "/" };
    let mut url = format!("{scheme}://{address}{slash}");
    // A path may bring a query of its own, as people write it in relabelling.
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    escape(path, |byte| byte == b'/' || is_path(byte), &mut url);
    let mut params = job.params.clone();
    for (name, value) in labels.iter() {
        if let Some(name) = name.strip_prefix(PARAM) {
            let values = params.entry(name.to_owned()).or_default();
            match values.first_mut() {
                Some(first) => value.clone_into(first),
                None => values.push(value.to_owned()),
            }
        }
    }
    let mut separator = '?';
    if !query.is_empty() {
        url.push('?');
        escape(query, |byte| is_path(byte) || matches!(byte, b'/' | b'?' | b'%'), &mut url);
        separator = '&';
    }
    for (name, values) in &params {
        for value in values {
            url.push(separator);
            form(name, &mut url);
            url.push('=');
            form(value, &mut url);
            separator = '&';
        }
    }
    Ok(url)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

/// Bytes of a path that stand for themselves: RFC 3986, `pchar`.
fn is_path(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte)
}

fn escape(text: &str, is_plain: impl Fn(u8) -> bool, out: &mut String) {
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// As forms are sent: a blank is a plus.
fn form(text: &str, out: &mut String) {
    for part in text.split_inclusive(' ') {
        let (word, blank) = part.strip_suffix(' ').map_or((part, ""), |word| (word, "+"));
        escape(word, is_unreserved, out);
        out.push_str(blank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::scrape::ScrapeFile;

    fn job(fields: &str) -> Job {
        let text = format!("scrape_configs: [{{job_name: api, {fields}}}]");
        ScrapeFile::read(&text).unwrap().jobs().unwrap().remove(0)
    }

    fn target(fields: &str, labels: &[(&str, &str)]) -> Target {
        let found = LabelBuilder::from_pairs(labels.iter().copied());
        match populate(&job(fields), &found).unwrap() {
            Found::Active(target) => *target,
            Found::Dropped(labels) => panic!("dropped: {labels}"),
        }
    }

    #[test]
    fn a_plain_target_has_job_and_instance() {
        let target = target("scrape_interval: 15s", &[(ADDRESS, "h:9100"), ("__meta_x", "y")]);
        assert_eq!(target.labels.to_string(), r#"{instance="h:9100", job="api"}"#);
        assert_eq!(target.url, "http://h:9100/metrics");
        let discovered = r#"{__address__="h:9100", __meta_x="y", __metrics_path__="/metrics", __scheme__="http", __scrape_interval__="15s", __scrape_timeout__="10s", job="api"}"#;
        assert_eq!(target.discovered.to_string(), discovered);
    }

    /// The blackbox exporter's pattern: the address becomes a parameter.
    #[test]
    fn rules_may_say_what_is_fetched() {
        let fields = "metrics_path: /probe, params: {module: [http 2xx, b]}, relabel_configs: [
            {source_labels: [__address__], target_label: __param_target},
            {source_labels: [__param_target], target_label: instance},
            {target_label: __address__, replacement: 'prober:9115'}]";
        let target = target(fields, &[(ADDRESS, "a.b:80")]);
        assert_eq!(target.labels.to_string(), r#"{instance="a.b:80", job="api"}"#);
        let expected = "http://prober:9115/probe?module=http+2xx&module=b&target=a.b%3A80";
        assert_eq!(target.url, expected);
    }

    #[test]
    fn labels_of_a_target_say_how_it_is_scraped() {
        let labels = [
            (ADDRESS, "h:1"),
            (SCHEME, "https"),
            (METRICS_PATH, "m x"),
            (INTERVAL, "5s"),
            (TIMEOUT, "2s"),
            ("job", "own"),
        ];
        let target = target("scrape_interval: 15s", &labels);
        assert_eq!(target.url, "https://h:1/m%20x");
        assert_eq!((target.interval.millis(), target.timeout.millis()), (5000, 2000));
        assert_eq!(target.labels.get("job"), Some("own"));
    }

    #[test]
    fn what_is_no_target_is_said() {
        let refused = |fields: &str, labels: &[(&str, &str)], part: &str| {
            let found = LabelBuilder::from_pairs(labels.iter().copied());
            let error = populate(&job(fields), &found).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("", &[], "no address");
        refused("", &[(ADDRESS, "h/x")], "not a valid hostname");
        refused("", &[(ADDRESS, "h"), (INTERVAL, "0s")], "scrape interval cannot be 0");
        refused("", &[(ADDRESS, "h"), (TIMEOUT, "2m")], "cannot be greater");
        refused("", &[(ADDRESS, "h"), (SCHEME, "ftp")], "ftp");
    }

    #[test]
    fn what_rules_drop_is_remembered_as_it_was_found() {
        let fields = "relabel_configs: [{source_labels: [zone], regex: a, action: keep}]";
        let found = LabelBuilder::from_pairs([(ADDRESS, "h:1"), ("zone", "b")]);
        let Found::Dropped(labels) = populate(&job(fields), &found).unwrap() else { panic!() };
        assert_eq!((labels.get("zone"), labels.get("job")), (Some("b"), Some("api")));
    }
}
