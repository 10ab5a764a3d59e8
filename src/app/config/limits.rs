//! The rows of the table of options: limits, access, what is collected.

use crate::app::{
    config::{
        keys::{Key, Kind},
        rows::ROW,
        texts::{bytes, count, small_bytes, switch, text_of, time},
    },
    units::{show_duration, show_size},
};

pub(super) const INGEST: &[Key] = &[
    Key {
        path: "ingest.body_max",
        flag: "ingest-body-max",
        kind: Kind::Size,
        help: "Size of a body, packed or not",
        show: |o| show_size(o.http.body_bytes_max),
        set: |o, text| {
            bytes(&mut o.http.body_bytes_max, text)?;
            small_bytes(&mut o.http.ingest.body_bytes_max, text)
        },
        ..ROW
    },
    Key {
        path: "ingest.memory_max",
        flag: "ingest-memory-max",
        kind: Kind::Size,
        help: "Bytes of bodies held at once; more is answered with 429",
        show: |o| show_size(o.http.ingest_bytes_max),
        set: |o, text| bytes(&mut o.http.ingest_bytes_max, text),
        ..ROW
    },
    Key {
        path: "ingest.line_max",
        flag: "ingest-line-max",
        kind: Kind::Size,
        help: "Size of a line of line protocol",
        show: |o| show_size(o.http.ingest.line_bytes_max as u64),
        set: |o, text| small_bytes(&mut o.http.ingest.line_bytes_max, text),
        ..ROW
    },
    Key {
        path: "ingest.labels_max",
        flag: "ingest-labels-max",
        kind: Kind::Count,
        help: "Labels of a series",
        show: |o| o.http.ingest.labels_max.to_string(),
        set: |o, text| count(&mut o.http.ingest.labels_max, text),
        ..ROW
    },
    Key {
        path: "ingest.label_name_max",
        flag: "ingest-label-name-max",
        kind: Kind::Size,
        help: "Size of a label's name",
        show: |o| show_size(o.http.ingest.name_bytes_max as u64),
        set: |o, text| small_bytes(&mut o.http.ingest.name_bytes_max, text),
        ..ROW
    },
    Key {
        path: "ingest.label_value_max",
        flag: "ingest-label-value-max",
        kind: Kind::Size,
        help: "Size of a label's value",
        show: |o| show_size(o.http.ingest.value_bytes_max as u64),
        set: |o, text| small_bytes(&mut o.http.ingest.value_bytes_max, text),
        ..ROW
    },
    Key {
        path: "ingest.exemplar_max",
        flag: "ingest-exemplar-max",
        kind: Kind::Count,
        help: "Characters of an exemplar's labels",
        show: |o| o.http.ingest.exemplar_runes_max.to_string(),
        set: |o, text| count(&mut o.http.ingest.exemplar_runes_max, text),
        ..ROW
    },
    Key {
        path: "ingest.symbols_max",
        flag: "ingest-symbols-max",
        kind: Kind::Count,
        help: "Symbols of a remote write 2 request",
        show: |o| o.http.ingest.symbols_max.to_string(),
        set: |o, text| count(&mut o.http.ingest.symbols_max, text),
        ..ROW
    },
    Key {
        path: "ingest.buckets_max",
        flag: "ingest-buckets-max",
        kind: Kind::Count,
        help: "Buckets of a native histogram",
        show: |o| o.http.ingest.buckets_max.to_string(),
        set: |o, text| count(&mut o.http.ingest.buckets_max, text),
        ..ROW
    },
    Key {
        path: "ingest.import_line_max",
        flag: "ingest-import-line-max",
        kind: Kind::Size,
        help: "Size of a line of an import",
        show: |o| show_size(o.http.ingest.import_line_bytes_max as u64),
        set: |o, text| small_bytes(&mut o.http.ingest.import_line_bytes_max, text),
        ..ROW
    },
    Key {
        path: "ingest.push_repeat",
        flag: "push-repeat",
        kind: Kind::Duration,
        help: "How often pushed values are written again, so that queries go on to see them",
        is_live: false,
        show: |o| show_duration(o.push_repeat),
        set: |o, text| time(&mut o.push_repeat, text),
        ..ROW
    },
    Key {
        path: "ingest.push_groups_max",
        flag: "push-groups-max",
        kind: Kind::Count,
        help: "Groups of pushes that are kept",
        is_live: false,
        show: |o| o.push_limits.groups_max.to_string(),
        set: |o, text| count(&mut o.push_limits.groups_max, text),
        ..ROW
    },
    Key {
        path: "ingest.push_series_max",
        flag: "push-series-max",
        kind: Kind::Count,
        help: "Series of pushes that are kept",
        is_live: false,
        show: |o| o.push_limits.series_max.to_string(),
        set: |o, text| count(&mut o.push_limits.series_max, text),
        ..ROW
    },
    Key {
        path: "ingest.ha_dedup",
        flag: "ha-dedup",
        kind: Kind::Switch,
        help: "Take rows of one replica of each cluster only, by two labels of remote write",
        is_live: false,
        show: |o| o.ha_dedup.to_string(),
        set: |o, text| switch(&mut o.ha_dedup, text),
        ..ROW
    },
    Key {
        path: "ingest.ha_cluster_label",
        flag: "ha-cluster-label",
        kind: Kind::Text,
        help: "The label that names what replicas have in common",
        is_live: false,
        show: |o| o.replicas.cluster_label.clone(),
        set: |o, text| text_of(&mut o.replicas.cluster_label, text),
        ..ROW
    },
    Key {
        path: "ingest.ha_replica_label",
        flag: "ha-replica-label",
        kind: Kind::Text,
        help: "The label that tells replicas apart; it is removed",
        is_live: false,
        show: |o| o.replicas.replica_label.clone(),
        set: |o, text| text_of(&mut o.replicas.replica_label, text),
        ..ROW
    },
    Key {
        path: "ingest.ha_failover_after",
        flag: "ha-failover-after",
        kind: Kind::Duration,
        help: "How long the replica that is heard may be silent before another is",
        is_live: false,
        show: |o| show_duration(o.replicas.failover_after),
        set: |o, text| time(&mut o.replicas.failover_after, text),
        ..ROW
    },
    Key {
        path: "ingest.ha_clusters_max",
        flag: "ha-clusters-max",
        kind: Kind::Count,
        help: "Clusters of replicas that are known at once",
        is_live: false,
        show: |o| o.replicas.clusters_max.to_string(),
        set: |o, text| count(&mut o.replicas.clusters_max, text),
        ..ROW
    },
];

pub(super) const QUERY: &[Key] = &[
    Key {
        path: "query.queries_max",
        flag: "queries-max",
        kind: Kind::Count,
        help: "Queries that run at once; 0 is two a core",
        show: |o| o.http.queries_max.to_string(),
        set: |o, text| count(&mut o.http.queries_max, text),
        ..ROW
    },
    Key {
        path: "query.queue_wait",
        flag: "query-queue-wait",
        kind: Kind::Duration,
        help: "How long a query waits for its turn before it is answered with 503",
        show: |o| show_duration(o.http.query_wait),
        set: |o, text| time(&mut o.http.query_wait, text),
        ..ROW
    },
    Key {
        path: "query.stats_kept",
        flag: "query-stats-kept",
        kind: Kind::Count,
        help: "Ended queries that are remembered for the list of the dearest",
        show: |o| o.http.queries_kept.to_string(),
        set: |o, text| count(&mut o.http.queries_kept, text),
        ..ROW
    },
    Key {
        path: "query.remote_read_samples_max",
        flag: "remote-read-samples-max",
        kind: Kind::Count,
        help: "Rows that a remote read may answer with at once; streamed ones have no limit",
        show: |o| o.http.read_samples_max.to_string(),
        set: |o, text| count(&mut o.http.read_samples_max, text),
        ..ROW
    },
    Key {
        path: "query.remote_read_frame_max",
        flag: "remote-read-frame-max",
        kind: Kind::Size,
        help: "Size of a frame of a streamed remote read",
        show: |o| show_size(o.http.read_frame_bytes_max),
        set: |o, text| bytes(&mut o.http.read_frame_bytes_max, text),
        ..ROW
    },
    Key {
        path: "query.timeout",
        flag: "query-timeout",
        kind: Kind::Duration,
        help: "How long a query may run",
        show: |o| show_duration(o.http.query_timeout),
        set: |o, text| time(&mut o.http.query_timeout, text),
        ..ROW
    },
    Key {
        path: "query.lookback",
        flag: "query-lookback",
        kind: Kind::Duration,
        help: "How far back an instant looks for a value",
        show: |o| show_duration(o.lookback),
        set: |o, text| time(&mut o.lookback, text),
        ..ROW
    },
    Key {
        path: "query.series_max",
        flag: "query-series-max",
        kind: Kind::Count,
        help: "Series that a selector may match",
        show: |o| o.http.query_limits.series_max.to_string(),
        set: |o, text| count(&mut o.http.query_limits.series_max, text),
        ..ROW
    },
    Key {
        path: "query.samples_max",
        flag: "query-samples-max",
        kind: Kind::Count,
        help: "Rows that a query may read",
        show: |o| o.http.query_limits.samples_max.to_string(),
        set: |o, text| count(&mut o.http.query_limits.samples_max, text),
        ..ROW
    },
    Key {
        path: "query.memory_max",
        flag: "query-memory-max",
        kind: Kind::Size,
        help: "Memory that a query may use",
        show: |o| show_size(o.http.query_limits.memory_max),
        set: |o, text| bytes(&mut o.http.query_limits.memory_max, text),
        ..ROW
    },
];

pub(super) const ACCESS: &[Key] = &[
    Key {
        path: "access.insecure_no_auth",
        flag: "insecure-no-auth",
        kind: Kind::Switch,
        help: "Ask nobody who they are, even where other machines can reach the server",
        is_common: true,
        show: |o| o.insecure_no_auth.to_string(),
        set: |o, text| switch(&mut o.insecure_no_auth, text),
        ..ROW
    },
    Key {
        path: "access.allowed_hosts",
        flag: "allow-host",
        kind: Kind::List,
        help: "Names under which this server is reached, for calls that change it",
        show: |o| o.http.allowed_hosts.0.join(","),
        set: |o, text| {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            o.http.allowed_hosts.0 = names.map(str::to_owned).collect();
            Ok(())
        },
        ..ROW
    },
];

pub(super) const COLLECT: &[Key] = &[
    Key {
        path: "collect.enabled",
        flag: "collect",
        kind: Kind::Switch,
        help: "Write what this machine and this server say into the store",
        is_common: true,
        show: |o| o.is_collecting.to_string(),
        set: |o, text| switch(&mut o.is_collecting, text),
        ..ROW
    },
    Key {
        path: "collect.interval",
        flag: "collect-interval",
        kind: Kind::Duration,
        help: "How often to collect",
        show: |o| show_duration(o.collect_interval),
        set: |o, text| {
            time(&mut o.collect_interval, text)?;
            if o.collect_interval.is_zero() { Err("at least 1ms".into()) } else { Ok(()) }
        },
        ..ROW
    },
];
