//! Reads lists of targets again and again: files, URLs, names.
//!
//! A list that cannot be read now leaves what it said last, and is told once.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;

use super::drive::Scraping;
use super::lookup::look_up;
use crate::collect::scrape::{
    DnsConfig, FileConfig, HttpConfig, HttpSettings, List, Place, read_groups, spread,
};
use crate::model::LabelBuilder;
use crate::net::Request;

/// How soon a changed file is noticed.
const NOTICE: Duration = Duration::from_secs(5);

/// Bytes of a list.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// How long a server may take to give its list, at most.
const LIST_TIME_MAX: Duration = Duration::from_secs(30);

/// Reads `list` for the job until the task is ended.
pub(super) async fn read(scraping: Arc<Scraping>, job: String, list: List) {
    let id = list.id();
    let mut reader = Reader { scraping, job, id, told: HashMap::new() };
    match list {
        List::Files(config) => reader.files(&config).await,
        List::Http(list) => reader.http(&list.0, &list.1).await,
        List::Dns(config) => reader.dns(&config).await,
    }
}

struct Reader {
    scraping: Arc<Scraping>,
    job: String,
    id: u64,
    /// What was said of parts that cannot be read.
    told: HashMap<String, String>,
}

impl Reader {
    fn found(&mut self, part: &str, labels: Option<Vec<LabelBuilder>>) {
        self.told.remove(part);
        let place = Place { list: self.id, part: part.to_owned() };
        let changes = self.scraping.into.scraper.discover(&self.job, place, labels);
        self.scraping.carry_out(changes);
    }

    fn failed(&mut self, part: &str, why: String) {
        if self.told.get(part) != Some(&why) {
            let job = &self.job;
            tracing::warn!(job, "a list of targets cannot be read: {part}: {why}");
            self.told.insert(part.to_owned(), why);
        }
    }

    async fn files(&mut self, config: &FileConfig) {
        let pause = NOTICE.min(config.refresh_interval.duration());
        let mut known: HashSet<PathBuf> = HashSet::new();
        loop {
            let mut seen = HashSet::new();
            for pattern in &config.files {
                match self.scraping.clients.files.matching(pattern) {
                    Ok(files) => seen.extend(files),
                    Err(error) => self.failed(pattern, error.to_string()),
                }
            }
            for gone in known.difference(&seen) {
                self.found(&gone.to_string_lossy(), None);
            }
            for file in &seen {
                self.file(file);
            }
            known = seen;
            sleep(pause).await;
        }
    }

    fn file(&mut self, file: &Path) {
        let shown = file.to_string_lossy().into_owned();
        let is_json = file.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
        let read = self.scraping.clients.files.read(file, LIST_BYTES_MAX);
        let groups = read.map_err(|error| error.to_string()).and_then(|bytes| {
            let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
            read_groups(&text, is_json).map_err(|error| error.to_string())
        });
        match groups {
            Ok(groups) => {
                let from = [("__meta_filepath", shown.as_str())];
                let labels = groups.iter().flat_map(|group| spread(group, &from)).collect();
                self.found(&shown, Some(labels));
            }
            Err(why) => self.failed(&shown, why),
        }
    }

    async fn http(&mut self, config: &HttpConfig, settings: &HttpSettings) {
        loop {
            match self.ask(config, settings).await {
                Ok(labels) => self.found("", Some(labels)),
                Err(why) => self.failed(&config.url, why),
            }
            sleep(config.refresh_interval.duration()).await;
        }
    }

    async fn ask(
        &self,
        config: &HttpConfig,
        settings: &HttpSettings,
    ) -> Result<Vec<LabelBuilder>, String> {
        let clients = &self.scraping.clients;
        let client = clients.client(settings).map_err(|error| error.to_string())?;
        let seconds = config.refresh_interval.duration().as_secs_f64().to_string();
        let request = Request {
            timeout: config.refresh_interval.duration().min(LIST_TIME_MAX),
            body_bytes_max: LIST_BYTES_MAX,
            ..Request::get(config.url.clone())
        };
        let request = request
            .header("accept", "application/json")
            .and_then(|it| it.header("x-prometheus-refresh-interval-seconds", &seconds))
            .and_then(|it| clients.dress(it, settings))
            .map_err(|error| error.to_string())?;
        let answer = client.send(request).await.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("server returned HTTP status {}", answer.status));
        }
        let content_type = answer.header("content-type");
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(format!("unsupported content type {content_type:.100?}"));
        }
        let text = std::str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
        let groups = read_groups(text, true).map_err(|error| error.to_string())?;
        let from = [("__meta_url", config.url.as_str())];
        Ok(groups.iter().flat_map(|group| spread(group, &from)).collect())
    }

    async fn dns(&mut self, config: &DnsConfig) {
        loop {
            for name in &config.names {
                match look_up(&self.scraping.clients.files, config, name).await {
                    Ok(labels) => self.found(name, Some(labels)),
                    Err(why) => self.failed(name, why),
                }
            }
            sleep(config.refresh_interval.duration()).await;
        }
    }
}
