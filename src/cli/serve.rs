//! `quipu serve`.

use std::{
    io::{self, Write},
    thread::available_parallelism,
    time::Duration,
};

use crate::app::{self, Options, Ready};
use crate::cli::{
    command::{ReplicaWords, Serve, Sync},
    error::Error,
};
use crate::http::{self, AllowedHosts};
use crate::ingest::{self, ReplicaConfig};
use crate::model::Limits;
use crate::net::{AddressPolicy, remote_write::RemoteWriteConfig};
use crate::store::{self, SyncPolicy};

/// How often the log is synced where a write does not wait for it.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn run(serve: &Serve) -> Result<(), Error> {
    let options = options(serve);
    app::serve(&options, |ready| say(&banner(&options, ready)))?;
    Ok(())
}

/// Talk: to standard error, where it does not mix with data.
pub(super) fn say(text: &str) {
    // A terminal that is gone cannot be told that it is gone.
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

fn banner(options: &Options, ready: &Ready) -> String {
    let url = format!("http://{}", ready.address);
    let (version, data) = (env!("CARGO_PKG_VERSION"), options.data.display());
    let (took, found) = (ready.recovery.took.as_secs_f64(), app::describe(&ready.recovery));
    format!(
        "Quipu {version}
  listening  {url}
  data       {data}, recovered in {took:.2} s: {found}
  send       curl {url}/write --data-binary 'room,floor=2 temperature=21.5'
  ask        curl '{url}/api/v1/query?query=room_temperature'
"
    )
}

fn options(serve: &Serve) -> Options {
    let store = store::Config::default();
    Options {
        data: serve.data.clone(),
        listen: serve.listen,
        insecure_no_auth: serve.insecure_no_auth,
        collect_every: serve.collect.then_some(serve.collect_interval),
        scrape_config: serve.scrape_config.clone(),
        addresses: AddressPolicy {
            allows_link_local: serve.allow_link_local,
            ..AddressPolicy::default()
        },
        mmap: !serve.no_mmap,
        threads: serve.threads,
        lookback: serve.queries.query_lookback,
        store: store::Config {
            sync: match serve.sync {
                Sync::Commit => SyncPolicy::Commit,
                Sync::Interval => SyncPolicy::Interval(SYNC_INTERVAL),
                Sync::None => SyncPolicy::None,
            },
            retention: serve.retention,
            future_max: serve.future_max,
            memory_max: serve.memory_max.unwrap_or(store.memory_max),
            flush_rows: serve.flush_rows.unwrap_or(store.flush_rows),
            follow_bytes_max: serve.forward_buffer_max.unwrap_or(store.follow_bytes_max),
            ..store
        },
        http: http_options(serve),
        replicas: serve.replicas.ha_dedup.then(|| replicas(&serve.replicas)),
        remote_write: serve.forward_to.iter().map(RemoteWriteConfig::to).collect(),
        external_labels: Vec::new(),
    }
}

fn replicas(words: &ReplicaWords) -> ReplicaConfig {
    ReplicaConfig {
        cluster_label: words.ha_cluster_label.clone(),
        replica_label: words.ha_replica_label.clone(),
        failover_after: words.ha_failover_after,
        clusters_max: words.ha_clusters_max,
    }
}

fn http_options(serve: &Serve) -> http::Options {
    let (ingest, queries) = (&serve.ingest, &serve.queries);
    let defaults = http::Options::default();
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    http::Options {
        body_bytes_max: ingest.ingest_body_max,
        ingest_bytes_max: ingest.ingest_memory_max,
        queries_max: if queries.queries_max == 0 {
            (cores * 2).max(4)
        } else {
            queries.queries_max
        },
        query_timeout: queries.query_timeout,
        query_limits: Limits {
            series_max: queries.query_series_max,
            samples_max: queries.query_samples_max,
            memory_max: queries.query_memory_max,
        },
        allowed_hosts: AllowedHosts(serve.allow_host.clone()),
        ingest: ingest_config(serve),
        flags: flags(serve),
        ..defaults
    }
}

fn ingest_config(serve: &Serve) -> ingest::Config {
    let limits = &serve.ingest;
    let defaults = ingest::Config::default();
    let size = |size: Option<u64>, default| {
        size.map_or(default, |size| usize::try_from(size).unwrap_or(usize::MAX))
    };
    ingest::Config {
        body_bytes_max: size(Some(limits.ingest_body_max), 0),
        line_bytes_max: size(limits.ingest_line_max, defaults.line_bytes_max),
        labels_max: limits.ingest_labels_max.unwrap_or(defaults.labels_max),
        name_bytes_max: size(limits.ingest_label_name_max, defaults.name_bytes_max),
        value_bytes_max: size(limits.ingest_label_value_max, defaults.value_bytes_max),
        exemplar_runes_max: limits.ingest_exemplar_max.unwrap_or(defaults.exemplar_runes_max),
        symbols_max: limits.ingest_symbols_max.unwrap_or(defaults.symbols_max),
        buckets_max: limits.ingest_buckets_max.unwrap_or(defaults.buckets_max),
        ..defaults
    }
}

/// What the status page shows: names and values as they would be typed.
fn flags(serve: &Serve) -> Vec<(String, String)> {
    let time = |time: Duration| format!("{}s", time.as_secs_f64());
    let flag = |name: &str, value: String| (name.to_owned(), value);
    vec![
        flag("data", serve.data.display().to_string()),
        flag("listen", serve.listen.to_string()),
        flag("retention", serve.retention.map_or_else(|| "forever".into(), time)),
        flag("sync", format!("{:?}", serve.sync).to_lowercase()),
        flag("collect", serve.collect.to_string()),
        flag("insecure-no-auth", serve.insecure_no_auth.to_string()),
        flag("future-max", time(serve.future_max)),
        flag("ingest-body-max", serve.ingest.ingest_body_max.to_string()),
        flag("ingest-memory-max", serve.ingest.ingest_memory_max.to_string()),
        flag("query-timeout", time(serve.queries.query_timeout)),
        flag("query-lookback", time(serve.queries.query_lookback)),
        flag("query-series-max", serve.queries.query_series_max.to_string()),
        flag("query-samples-max", serve.queries.query_samples_max.to_string()),
        flag("query-memory-max", serve.queries.query_memory_max.to_string()),
    ]
}
