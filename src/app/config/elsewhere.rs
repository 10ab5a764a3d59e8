//! The rows of the table of options: what goes elsewhere, as backups or by remote write.

use crate::app::{
    config::{
        keys::{Key, Kind},
        rows::ROW,
        texts::{bytes, count, set_some, switch, time},
    },
    units::{show_duration, show_size},
};
use crate::net::remote_write::RemoteWriteConfig;

pub(super) const BACKUP: &[Key] = &[
    Key {
        path: "backup.to",
        flag: "backup-to",
        help: "Where backups go: a directory, or s3://bucket/prefix",
        is_live: false,
        show: |o| o.backup.to.clone().unwrap_or_default(),
        set: |o, text| {
            o.backup.to = Some(text.to_owned()).filter(|text| !text.is_empty());
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "backup.every",
        flag: "backup-every",
        kind: Kind::Duration,
        help: "How often one is made, like 1d; 0s is only when asked",
        is_live: false,
        show: |o| show_duration(o.backup.every.unwrap_or_default()),
        set: |o, text| set_some(&mut o.backup.every, text),
        ..ROW
    },
    Key {
        path: "backup.archive_wal",
        flag: "backup-log-every",
        kind: Kind::Duration,
        help: "How often the log is archived there, like 10s, so that a restore can go to a moment; 0s is never",
        is_live: false,
        show: |o| show_duration(o.backup.log_every.unwrap_or_default()),
        set: |o, text| set_some(&mut o.backup.log_every, text),
        ..ROW
    },
    Key {
        path: "backup.log_max",
        flag: "backup-log-max",
        kind: Kind::Size,
        help: "Log that is kept for the archive while its place cannot be reached",
        is_live: false,
        show: |o| show_size(o.backup.log_max),
        set: |o, text| bytes(&mut o.backup.log_max, text),
        ..ROW
    },
    Key {
        path: "backup.access",
        flag: "backup-access",
        kind: Kind::Switch,
        help: "Backups have the tokens, too: their digests, names and scopes",
        is_live: false,
        show: |o| o.store.backs_up_access.to_string(),
        set: |o, text| switch(&mut o.store.backs_up_access, text),
        ..ROW
    },
    Key {
        path: "backup.rate",
        flag: "backup-rate",
        kind: Kind::Size,
        help: "Bytes a second that a backup may move; 0 is without limit",
        is_live: false,
        show: |o| show_size(o.backup.rate),
        set: |o, text| bytes(&mut o.backup.rate, text),
        ..ROW
    },
    Key {
        path: "backup.keep_last",
        flag: "backup-keep-last",
        kind: Kind::Count,
        help: "Newest backups that are kept; all if no rule to keep is given",
        is_live: false,
        show: |o| o.backup.keep.unwrap_or_default().last.to_string(),
        set: |o, text| count(&mut o.backup.keep.get_or_insert_default().last, text),
        ..ROW
    },
    Key {
        path: "backup.keep_daily",
        flag: "backup-keep-daily",
        kind: Kind::Count,
        help: "Days of which one backup is kept",
        is_live: false,
        show: |o| o.backup.keep.unwrap_or_default().daily.to_string(),
        set: |o, text| count(&mut o.backup.keep.get_or_insert_default().daily, text),
        ..ROW
    },
    Key {
        path: "backup.keep_weekly",
        flag: "backup-keep-weekly",
        kind: Kind::Count,
        help: "Weeks of which one backup is kept",
        is_live: false,
        show: |o| o.backup.keep.unwrap_or_default().weekly.to_string(),
        set: |o, text| count(&mut o.backup.keep.get_or_insert_default().weekly, text),
        ..ROW
    },
    Key {
        path: "backup.keep_monthly",
        flag: "backup-keep-monthly",
        kind: Kind::Count,
        help: "Months of which one backup is kept",
        is_live: false,
        show: |o| o.backup.keep.unwrap_or_default().monthly.to_string(),
        set: |o, text| count(&mut o.backup.keep.get_or_insert_default().monthly, text),
        ..ROW
    },
];

pub(super) const ARCHIVE: &[Key] = &[
    Key {
        path: "archive.to",
        flag: "archive-to",
        help: "Where old blocks go: a directory, or s3://bucket/prefix; they are read there, and gone here",
        is_live: false,
        show: |o| o.archive.to.clone().unwrap_or_default(),
        set: |o, text| {
            o.archive.to = Some(text.to_owned()).filter(|text| !text.is_empty());
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "archive.after",
        flag: "archive-after",
        kind: Kind::Duration,
        help: "How long after a day's end its blocks go there; 0s: no more go, what is there is read",
        is_live: false,
        show: |o| show_duration(o.archive.after.unwrap_or_default()),
        set: |o, text| set_some(&mut o.archive.after, text),
        ..ROW
    },
    Key {
        path: "archive.cache",
        flag: "archive-cache",
        kind: Kind::Size,
        help: "Archived pages that are kept in memory",
        is_live: false,
        show: |o| show_size(o.store.archive_cache_bytes as u64),
        set: |o, text| {
            let mut size = 0;
            bytes(&mut size, text)?;
            o.store.archive_cache_bytes = usize::try_from(size).unwrap_or(usize::MAX);
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "archive.rate",
        flag: "archive-rate",
        kind: Kind::Size,
        help: "Bytes a second that go there; 0 is without limit",
        is_live: false,
        show: |o| show_size(o.archive.rate),
        set: |o, text| bytes(&mut o.archive.rate, text),
        ..ROW
    },
    Key {
        path: "archive.timeout",
        flag: "archive-timeout",
        kind: Kind::Duration,
        help: "How long an answer of it may take before what needs it fails",
        is_live: false,
        show: |o| show_duration(o.archive.wait_max),
        set: |o, text| time(&mut o.archive.wait_max, text),
        ..ROW
    },
];

pub(super) const FORWARD: &[Key] = &[
    Key {
        path: "forward.to",
        flag: "forward-to",
        kind: Kind::List,
        help: "Remote write URLs that all that is written is sent to, too; remote_write says more of each",
        is_live: false,
        show: |o| {
            let shown: Vec<String> =
                o.forward_to.iter().map(RemoteWriteConfig::shown_url).collect();
            shown.join(",")
        },
        set: |o, text| {
            let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
            o.forward_to = urls.map(RemoteWriteConfig::to).collect();
            Ok(())
        },
        ..ROW
    },
    Key {
        path: "forward.buffer_max",
        flag: "forward-buffer-max",
        kind: Kind::Size,
        help: "Log that waits for a receiver that is away; past it the oldest is given up",
        is_live: false,
        show: |o| show_size(o.store.follow_bytes_max),
        set: |o, text| bytes(&mut o.store.follow_bytes_max, text),
        ..ROW
    },
];
