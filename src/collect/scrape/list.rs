//! Lists that targets are found by, as whoever reads them is told.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::config::{DnsConfig, FileConfig, HttpConfig, HttpSettings, Job};

/// A list of targets that is somewhere else and may change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// In files.
    Files(FileConfig),
    /// At a URL.
    Http(Box<(HttpConfig, HttpSettings)>),
    /// In the domain name system.
    Dns(DnsConfig),
}

impl List {
    /// Equal lists have equal ids, as long as this process lives. Never 0.
    pub fn id(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish().max(1)
    }
}

impl Job {
    /// The lists it names, each once.
    pub fn lists(&self) -> Vec<List> {
        let files = self.file_lists.iter().cloned().map(List::Files);
        let http = self.http_lists.iter().cloned().map(|list| List::Http(Box::new(list)));
        let dns = self.dns_lists.iter().cloned().map(List::Dns);
        let mut lists: Vec<List> = Vec::new();
        for list in files.chain(http).chain(dns) {
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
        lists
    }
}
