//! Sections of the file that other rooms own, in Prometheus' words.
//!
//! This is the one place where they are taken in: a room that reads a section gives it a row with
//! `read`, which turns the section's node into the room's type by `Node::read` and keeps it. A section
//! that nothing here reads yet is refused by its name, because a rule that silently is not evaluated
//! is worse than a server that does not start.

use serde::Deserialize;

use crate::app::config::{
    fault::Fault,
    keys::SECTIONS,
    tree::{Name, Node},
};
use crate::collect::scrape::{GlobalConfig, Job, JobConfig, ScrapeFile};
use crate::http;
use crate::ingest::otlp;
use crate::model::TimeSpan;
use crate::net::remote_write::RemoteWriteConfig;
use crate::store::{Kept, RetentionRule};

/// Takes a section in.
type Read = fn(&Node) -> Result<(), Fault>;

/// A section that is not of options.
pub(super) struct Section {
    pub(super) name: &'static str,
    /// What it is for, for the schema and documentation.
    pub(super) help: &'static str,
    /// Whether it is a list; else it has keys.
    pub(super) is_list: bool,
    /// Checks it; None where nothing reads it yet.
    pub(super) read: Option<Read>,
}

/// All of them; but for the first those of Prometheus' own file.
pub(super) const FOREIGN: &[Section] = &[
    Section {
        name: "retention",
        help: "Series that are kept for less long than the others",
        is_list: true,
        read: Some(|node| node.read::<Vec<Shorter>>().map(drop)),
    },
    Section {
        name: "global",
        help: "Intervals and external labels",
        is_list: false,
        read: Some(|node| node.read::<GlobalConfig>().map(drop)),
    },
    Section {
        name: "scrape_configs",
        help: "Targets to collect from",
        is_list: true,
        read: Some(|node| node.read::<Vec<JobConfig>>().map(drop)),
    },
    Section {
        name: "remote_write",
        help: "Servers that get a copy of what comes in",
        is_list: true,
        read: Some(|node| node.read::<Vec<RemoteWriteConfig>>().map(drop)),
    },
    Section {
        name: "otlp",
        help: "How OTLP's names are translated",
        is_list: false,
        read: Some(|node| node.read::<otlp::Config>().map(drop)),
    },
    Section { name: "rule_files", help: "Files with rules", is_list: true, read: None },
    Section { name: "alerting", help: "Where alerts are sent", is_list: false, read: None },
];

/// What is wrong with a section that is not of options.
pub(super) fn read(name: &Name, node: &Node) -> Option<Fault> {
    let known = FOREIGN.iter().find(|section| section.name == name.text);
    match known.map(|section| section.read) {
        Some(Some(read)) => read(node).err(),
        Some(None) => {
            let what = format!("{} is not read by this version yet", name.text);
            Some(Fault::at(name.span, what).hint("leave the section out"))
        }
        None => {
            let options = SECTIONS.iter().map(|(name, _)| *name);
            let known: Vec<&str> =
                options.chain(FOREIGN.iter().map(|section| section.name)).collect();
            Some(Fault::unknown_key(name.span, &name.text, &known))
        }
    }
}

/// The jobs of `scrape_configs` with what `global` says. Where one of these cannot be read, that is
/// told already, and there are none.
pub(super) fn jobs(root: &Node, faults: &mut Vec<Fault>) -> Vec<Job> {
    let Some(configs) = root.get("scrape_configs") else { return Vec::new() };
    let global = root.get("global").map_or_else(|| Ok(GlobalConfig::default()), Node::read);
    let (Ok(global), Ok(scrape_configs)) = (global, configs.read()) else { return Vec::new() };
    ScrapeFile { global, scrape_configs }.jobs().unwrap_or_else(|error| {
        faults.push(Fault::at(configs.span, error.to_string()));
        Vec::new()
    })
}

/// How OTLP becomes rows.
pub(super) fn otlp(root: &Node) -> otlp::Config {
    // What cannot be read was told already.
    root.get("otlp").and_then(|node| node.read().ok()).unwrap_or_default()
}

/// An entry of `retention`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shorter {
    /// A selector.
    r#match: String,
    raw: Option<TimeSpan>,
    #[serde(rename = "5m")]
    minutes5: Option<TimeSpan>,
    #[serde(rename = "1h")]
    hour1: Option<TimeSpan>,
}

/// Which series are kept for less long than the others.
pub(super) fn retention(root: &Node, faults: &mut Vec<Fault>) -> Vec<RetentionRule> {
    let Some(node) = root.get("retention") else { return Vec::new() };
    // What cannot be read was told already.
    let entries: Vec<Shorter> = node.read().unwrap_or_default();
    let rule = |entry: Shorter| {
        let matchers = http::selector(&entry.r#match).map_err(|error| error.to_string())?;
        let [raw, minutes5, hour1] =
            [entry.raw, entry.minutes5, entry.hour1].map(|kept| kept.map(TimeSpan::duration));
        Ok::<_, String>(RetentionRule { matchers, kept: Kept { raw, minutes5, hour1 } })
    };
    let rules = entries.into_iter().map(rule).collect::<Result<Vec<_>, _>>();
    rules.unwrap_or_else(|why| {
        faults.push(Fault::at(node.span, format!("retention: {why}")));
        Vec::new()
    })
}

/// Who gets what is written, too.
pub(super) fn remote_write(root: &Node, faults: &mut Vec<Fault>) -> Vec<RemoteWriteConfig> {
    let Some(node) = root.get("remote_write") else { return Vec::new() };
    // What cannot be read was told already.
    let receivers: Vec<RemoteWriteConfig> = node.read().unwrap_or_default();
    if let Err(error) = RemoteWriteConfig::check_all(&receivers) {
        faults.push(Fault::at(node.span, error.to_string()));
    }
    receivers
}

/// Labels that what goes out has.
pub(super) fn external_labels(root: &Node) -> Vec<(String, String)> {
    let global = root.get("global").and_then(|node| node.read::<GlobalConfig>().ok());
    global.unwrap_or_default().external_labels.into_iter().collect()
}
