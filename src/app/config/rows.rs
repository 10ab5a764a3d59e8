//! The rows of the table of options: where the server listens, where rows lie.

use crate::app::{
    config::{
        keys::{Key, Kind},
        texts::{
            bytes, count, external_url, forever_or, pattern, put, show_path, show_tiers, some_path,
            switch, tiers, time, until,
        },
    },
    units::{duration, show_duration, show_size},
};
use crate::http::TlsVersion;
use crate::store::SyncPolicy;

/// How often the log is synced where a write does not wait for it.
const SYNC_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// What most rows are: applied by a reload, shown by long help only.
pub(super) const ROW: Key = Key {
    path: "",
    flag: "",
    kind: Kind::Text,
    help: "",
    is_live: true,
    is_common: false,
    show: |_| String::new(),
    set: |_, _| Ok(()),
};

pub(super) const SERVER: &[Key] = &[
    Key {
        path: "server.listen",
        flag: "listen",
        kind: Kind::Address,
        help: "Address and port; port 0 lets the system choose",
        is_live: false,
        is_common: true,
        show: |o| o.listen.to_string(),
        set: |o, text| put(&mut o.listen, text, "write it like 127.0.0.1:7847"),
    },
    Key {
        path: "server.external_url",
        flag: "external-url",
        help: "The URL by which others reach the server, a path in front of all its own included",
        show: |o| o.external_url.clone().unwrap_or_default(),
        set: |o, text| {
            o.external_url = external_url(text)?;
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "server.threads",
        flag: "threads",
        kind: Kind::Count,
        help: "Threads for sockets; 0 is one a core",
        is_live: false,
        show: |o| o.threads.to_string(),
        set: |o, text| count(&mut o.threads, text),
        ..ROW
    },
    Key {
        path: "server.compat_ports",
        flag: "compat-ports",
        kind: Kind::Switch,
        help: "Serve the ports of OTLP, 4317 and 4318, as well",
        is_live: false,
        is_common: true,
        show: |o| o.compat_ports.to_string(),
        set: |o, text| switch(&mut o.compat_ports, text),
    },
    Key {
        path: "server.allow_link_local",
        flag: "allow-link-local",
        kind: Kind::Switch,
        help: "Let outgoing requests reach link-local addresses, clouds' metadata services among them",
        is_live: false,
        show: |o| o.addresses.allows_link_local.to_string(),
        set: |o, text| switch(&mut o.addresses.allows_link_local, text),
        ..ROW
    },
    Key {
        path: "server.cors_origin",
        flag: "cors-origin",
        help: "Origins whose pages may read answers, as a regular expression; `.*` is any",
        show: |o| o.http.cors_origin.clone(),
        set: |o, text| pattern(&mut o.http.cors_origin, text),
        ..ROW
    },
    Key {
        path: "server.allow_quit",
        flag: "allow-quit",
        kind: Kind::Switch,
        help: "Let POST /-/quit end the server",
        show: |o| o.is_quit_allowed.to_string(),
        set: |o, text| switch(&mut o.is_quit_allowed, text),
        ..ROW
    },
    Key {
        path: "server.tls.cert_file",
        flag: "tls-cert",
        kind: Kind::Path,
        help: "Certificate of the server in PEM, those that signed it behind it; turns TLS on",
        is_common: true,
        show: |o| show_path(o.tls.cert.as_deref()),
        set: |o, text| {
            o.tls.cert = some_path(text);
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "server.tls.key_file",
        flag: "tls-key",
        kind: Kind::Path,
        help: "Key of that certificate in PEM",
        is_common: true,
        show: |o| show_path(o.tls.key.as_deref()),
        set: |o, text| {
            o.tls.key = some_path(text);
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "server.tls.client_ca_file",
        flag: "tls-client-ca",
        kind: Kind::Path,
        help: "Who signs certificates of clients, in PEM; a client may then show one to say who it is",
        show: |o| show_path(o.tls.client_ca.as_deref()),
        set: |o, text| {
            o.tls.client_ca = some_path(text);
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "server.tls.min_version",
        flag: "tls-min-version",
        kind: Kind::Choice(&["1.2", "1.3"]),
        help: "The oldest version of TLS that is spoken",
        show: |o| if o.tls.min_version == TlsVersion::OneThree { "1.3" } else { "1.2" }.into(),
        set: |o, text| {
            o.tls.min_version = match text {
                "1.2" => TlsVersion::OneTwo,
                "1.3" => TlsVersion::OneThree,
                _ => return Err("it is 1.2 or 1.3".into()),
            };
            Ok(())
        },
        ..ROW
    },
];

pub(super) const STORAGE: &[Key] = &[
    Key {
        path: "storage.data",
        flag: "data",
        kind: Kind::Path,
        help: "Where the data lies; made if missing",
        is_live: false,
        is_common: true,
        show: |o| o.data.display().to_string(),
        set: |o, text| {
            o.data = some_path(text).ok_or("it needs the name of a folder")?;
            Ok(())
        },
    },
    Key {
        path: "storage.retention",
        flag: "retention",
        kind: Kind::Duration,
        help: "How long rows are kept, like 30d, or forever",
        is_live: false,
        is_common: true,
        show: |o| forever_or(o.store.retention),
        set: |o, text| {
            o.store.retention = until(text)?;
            Ok(())
        },
    },
    Key {
        path: "storage.retention_1h",
        flag: "retention-1h",
        kind: Kind::Duration,
        help: "How long buckets of an hour are kept, like 2y, or forever",
        is_live: false,
        show: |o| forever_or(o.store.retention_1h),
        set: |o, text| {
            o.store.retention_1h = until(text)?;
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "storage.retention_5m",
        flag: "retention-5m",
        kind: Kind::Duration,
        help: "How long buckets of five minutes are kept, or forever",
        is_live: false,
        show: |o| forever_or(o.store.retention_5m),
        set: |o, text| {
            o.store.retention_5m = until(text)?;
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "storage.tiers",
        flag: "tiers",
        kind: Kind::List,
        help: "Which tiers are written beside rows: 1h, 5m, both, none, or auto (1h unless rows are kept forever)",
        is_live: false,
        show: |o| show_tiers(o.store.tiers),
        set: |o, text| {
            o.store.tiers = tiers(text)?;
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "storage.scrub_every",
        flag: "scrub-every",
        kind: Kind::Duration,
        help: "In what time every byte on disk is read and checked once; 0s is never",
        is_live: false,
        show: |o| show_duration(o.store.scrub_every.unwrap_or_default()),
        set: |o, text| {
            o.store.scrub_every = Some(duration(text)?).filter(|every| !every.is_zero());
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "storage.sync",
        flag: "sync",
        kind: Kind::Choice(&["commit", "interval", "none"]),
        help: "When a write is acknowledged: commit (after its sync), interval (synced every 100 ms), none",
        is_live: false,
        is_common: true,
        show: |o| {
            match o.store.sync {
                SyncPolicy::Commit => "commit",
                SyncPolicy::Interval(_) => "interval",
                SyncPolicy::None => "none",
            }
            .into()
        },
        set: |o, text| {
            o.store.sync = match text {
                "commit" => SyncPolicy::Commit,
                "interval" => SyncPolicy::Interval(SYNC_INTERVAL),
                "none" => SyncPolicy::None,
                _ => return Err("it is commit, interval or none".into()),
            };
            Ok(())
        },
    },
    Key {
        path: "storage.memory_max",
        flag: "memory-max",
        kind: Kind::Size,
        help: "Memory that the store may use; 0 is half of the machine's",
        is_live: false,
        is_common: true,
        show: |o| show_size(o.store.memory_max),
        set: |o, text| bytes(&mut o.store.memory_max, text),
    },
    Key {
        path: "storage.future_max",
        flag: "future-max",
        kind: Kind::Duration,
        help: "How far ahead of the clock a row may lie",
        is_live: false,
        show: |o| show_duration(o.store.future_max),
        set: |o, text| time(&mut o.store.future_max, text),
        ..ROW
    },
    Key {
        path: "storage.flush_rows",
        flag: "flush-rows",
        kind: Kind::Count,
        help: "Rows in memory that call for a flush",
        is_live: false,
        show: |o| o.store.flush_rows.to_string(),
        set: |o, text| count(&mut o.store.flush_rows, text),
        ..ROW
    },
    Key {
        path: "storage.mmap",
        flag: "mmap",
        kind: Kind::Switch,
        help: "Read files through mappings; --no-mmap reads with plain calls",
        is_live: false,
        show: |o| o.mmap.to_string(),
        set: |o, text| switch(&mut o.mmap, text),
        ..ROW
    },
];
