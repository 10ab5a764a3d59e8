//! What is scraped, and how it goes.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;
use serde::Serialize;

use crate::collect::scrape::{Job, Life, PoolView};
use crate::http::{
    Error,
    params::Params,
    prometheus::{
        scope::{limit, selector},
        status::{rfc3339_nanos, shown},
    },
    question::asked,
    routes::Shared,
};
use crate::model::{
    LabelBuilder, Labels, MatchOp, Matcher, RelabelRule, anchored, relabel_in_place,
};

type Map<'a> = BTreeMap<&'a str, &'a str>;

fn map(labels: &Labels) -> Map<'_> {
    labels.iter().collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Prometheus'")]
struct Targets<'a> {
    active_targets: Vec<Active<'a>>,
    dropped_targets: Vec<Dropped<'a>>,
    dropped_target_counts: Option<BTreeMap<&'a str, usize>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Active<'a> {
    discovered_labels: Map<'a>,
    labels: Map<'a>,
    scrape_pool: &'a str,
    scrape_url: &'a str,
    global_url: String,
    last_error: String,
    last_scrape: String,
    last_scrape_duration: f64,
    health: &'static str,
    scrape_interval: String,
    scrape_timeout: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dropped<'a> {
    discovered_labels: Map<'a>,
    scrape_pool: &'a str,
}

fn active<'a>(life: &'a Life, host: &str) -> Active<'a> {
    let (target, seen) = (&life.target, life.seen());
    Active {
        discovered_labels: map(&target.discovered),
        labels: map(&target.labels),
        scrape_pool: &life.job.name,
        scrape_url: &target.url,
        global_url: global_url(&target.url, host),
        last_error: seen.error,
        // What Go shows for a time that never was.
        last_scrape: seen
            .at
            .map_or_else(|| "0001-01-01T00:00:00Z".into(), |at| rfc3339_nanos(at.nanos())),
        last_scrape_duration: seen.took.as_secs_f64(),
        health: seen.health.name(),
        scrape_interval: target.interval.to_string(),
        scrape_timeout: target.timeout.to_string(),
    }
}

/// `url` as other machines would write it: loopback is this machine, by its name.
fn global_url(url: &str, host: &str) -> String {
    for local in ["://127.0.0.1:", "://localhost:", "://[::1]:"] {
        if let Some((scheme, rest)) = url.split_once(local) {
            return format!("{scheme}://{host}:{rest}");
        }
    }
    url.to_owned()
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The pools asked for, of all of `pools`.
fn wanted<'a>(pools: &'a [PoolView], params: &Params) -> impl Iterator<Item = &'a PoolView> {
    let name = params.get("scrapePool").map(str::to_owned);
    pools.iter().filter(move |pool| name.as_ref().is_none_or(|name| pool.job.name == *name))
}

pub(super) async fn targets(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    let state = params.get("state").unwrap_or("any").to_lowercase();
    let (shows_active, shows_dropped) = (state != "dropped", state != "active");
    if !matches!(state.as_str(), "any" | "active" | "dropped") {
        let why = format!("{state:.40?} is none of active, dropped, any");
        return Err(Error::Parameter { name: "state", why });
    }
    let pools = context.doors.scraper.pools();
    let host = host();
    let mut answer = Targets {
        active_targets: Vec::new(),
        dropped_targets: Vec::new(),
        dropped_target_counts: shows_dropped.then(|| {
            pools.iter().map(|pool| (pool.job.name.as_str(), pool.dropped_count)).collect()
        }),
    };
    for pool in wanted(&pools, &params) {
        if shows_active {
            answer.active_targets.extend(pool.active.iter().map(|life| active(life, &host)));
        }
        if shows_dropped {
            answer.dropped_targets.extend(pool.dropped.iter().map(|labels| Dropped {
                discovered_labels: map(labels),
                scrape_pool: &pool.job.name,
            }));
        }
    }
    shown(&answer)
}

#[derive(Serialize)]
struct Described<'a> {
    target: Map<'a>,
    #[serde(skip_serializing_if = "String::is_empty")]
    metric: String,
    #[serde(rename = "type")]
    kind: &'static str,
    help: String,
    unit: String,
}

pub(super) async fn metadata(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    let matchers = match params.get("match_target") {
        Some(text) => tests(&selector(text)?)?,
        None => Vec::new(),
    };
    let limit = match limit(&params)? {
        0 => usize::MAX,
        limit => limit,
    };
    let metric = params.get("metric");
    let pools = context.doors.scraper.pools();
    let mut found = Vec::new();
    let lives = pools.iter().flat_map(|pool| &pool.active);
    for life in lives.filter(|life| matchers.iter().all(|test| test.passes(&life.target.labels))) {
        for told in life.metadata() {
            if metric.is_some_and(|metric| metric != told.metric) || found.len() >= limit {
                continue;
            }
            found.push(Described {
                target: map(&life.target.labels),
                metric: if metric.is_none() { told.metric } else { String::new() },
                kind: told.kind.name(),
                help: told.help,
                unit: told.unit,
            });
        }
    }
    if found.is_empty() {
        return Err(Error::NotFound("specified metadata not found".into()));
    }
    shown(&found)
}

/// A matcher ready to run.
struct Test {
    matcher: Matcher,
    regex: Option<regex::Regex>,
}

impl Test {
    fn passes(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.matcher.name).unwrap_or_default();
        let matches = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => value == self.matcher.value,
        };
        matches != matches!(self.matcher.op, MatchOp::NotEqual | MatchOp::NotRegex)
    }
}

fn tests(matchers: &[Matcher]) -> Result<Vec<Test>, Error> {
    let test = |matcher: &Matcher| {
        let is_regex = matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex);
        let regex = is_regex.then(|| anchored(&matcher.value)).transpose();
        let regex = regex
            .map_err(|error| Error::Parameter { name: "match_target", why: error.to_string() })?;
        Ok(Test { matcher: matcher.clone(), regex })
    };
    matchers.iter().map(test).collect()
}

pub(super) async fn pools(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let pools = context.doors.scraper.pools();
    let names: Vec<&str> = pools.iter().map(|pool| pool.job.name.as_str()).collect();
    shown(&serde_json::json!({ "scrapePools": names }))
}

/// The job of the pool that the parameter names.
fn job<'a>(pools: &'a [PoolView], params: &Params) -> Result<&'a Job, Error> {
    let Some(name) = params.get("scrapePool") else {
        return Err(Error::Bad("no scrapePool parameter provided".into()));
    };
    let found = pools.iter().find(|pool| pool.job.name == name);
    let unknown = || format!("error getting scrape config: scrape pool {name:.100?} not found");
    found.map(|pool| pool.job.as_ref()).ok_or_else(|| Error::Bad(unknown()))
}

pub(super) async fn pool_config(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    let pools = context.doors.scraper.pools();
    let yaml = serde_saphyr::to_string(&job(&pools, &params)?.config);
    let yaml = yaml.map_err(|error| Error::Internal(error.to_string()))?;
    shown(&serde_json::json!({ "yaml": yaml }))
}

#[derive(Serialize)]
struct Step<'a> {
    rule: &'a RelabelRule,
    output: BTreeMap<String, String>,
    keep: bool,
}

/// What the rules of a pool make of labels, one rule after the other.
pub(super) async fn relabel_steps(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    let pools = context.doors.scraper.pools();
    let job = job(&pools, &params)?;
    let Some(text) = params.get("labels") else {
        return Err(Error::Bad("no labels parameter provided".into()));
    };
    let given: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| Error::Parameter { name: "labels", why: error.to_string() })?;
    let given = given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut labels = LabelBuilder::from_pairs(given);
    let mut keep = true;
    let steps: Vec<Step<'_>> = job
        .relabel
        .iter()
        .map(|rule| {
            keep = keep && relabel_in_place(std::slice::from_ref(rule), &mut labels);
            if !keep {
                labels.clear();
            }
            let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            Step { rule, output: labels.iter().map(owned).collect(), keep }
        })
        .collect();
    shown(&serde_json::json!({ "steps": steps }))
}
