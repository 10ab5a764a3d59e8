//! Lives of targets, played through: what is written for what comes.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::ingest::{self, Intake, LabelBook};
use crate::model::{Batch, LabelBuilder, Registry, TenantId, Timestamp, is_stale};

const MINUTE: i64 = 60_000_000_000;

/// A scraper of one job, its target, and what it wrote.
struct Stage {
    book: LabelBook,
    config: ingest::Config,
    life: Arc<Life>,
}

fn jobs(fields: &str) -> Vec<Job> {
    let text = format!(
        "scrape_configs: [{{job_name: j, static_configs: [{{targets: ['h:1']}}], {fields}}}]"
    );
    ScrapeFile::read(&text).unwrap().jobs().unwrap()
}

impl Stage {
    fn new(fields: &str) -> Self {
        let changes = Scraper::new(7).apply(jobs(fields));
        assert_eq!((changes.started.len(), changes.jobs.len()), (1, 1));
        let life = Arc::clone(&changes.started[0]);
        Self { book: LabelBook::default(), config: ingest::Config::default(), life }
    }

    /// What is written when `got` comes at that minute; labels of the target left out.
    fn scrape(&self, minute: i64, got: Result<&str, &str>) -> Vec<String> {
        let got = got.map(|text| Body { content_type: "text/plain", bytes: text.as_bytes() });
        self.scrape_body(minute, got)
    }

    fn scrape_body(&self, minute: i64, got: Result<Body<'_>, &str>) -> Vec<String> {
        let due = Timestamp(minute * MINUTE);
        let scrape = Scrape { due, began: due, took: Duration::from_millis(250), got };
        let registry: &dyn Registry = &self.book;
        let intake = Intake { config: &self.config, registry, tenant: TenantId::default() };
        let mut batch = Batch::default();
        self.life.finished(&scrape, &intake, &mut batch).unwrap();
        self.shown(&batch, minute)
    }

    fn shown(&self, batch: &Batch, minute: i64) -> Vec<String> {
        let mut lines = Vec::new();
        for (series, rows) in batch.rows.runs() {
            let labels = self.book.labels(series).unwrap();
            let own =
                labels.iter().filter(|(name, _)| !["__name__", "instance", "job"].contains(name));
            let own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
            for row in rows {
                let value = batch.rows.values()[row];
                let value = if is_stale(value) { "stale".into() } else { value.to_string() };
                let name = format!("{}{{{}}}", labels.metric(), own.join(","));
                let late = batch.rows.times()[row] - minute * MINUTE;
                let late = if late == 0 { String::new() } else { format!(" at {late:+}") };
                lines.push(format!("{} {value}{late}", name.trim_end_matches("{}")));
            }
        }
        lines
    }

    fn error(&self) -> String {
        self.life.seen().error
    }
}

/// The series about the scrape.
fn report(up: u8, scraped: usize, kept: usize, added: usize) -> Vec<String> {
    vec![
        format!("up {up}"),
        "scrape_duration_seconds 0.25".into(),
        format!("scrape_samples_scraped {scraped}"),
        format!("scrape_samples_post_metric_relabeling {kept}"),
        format!("scrape_series_added {added}"),
    ]
}

fn with(rows: &[&str], report: Vec<String>) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).chain(report).collect()
}

#[test]
fn a_series_that_a_target_shows_no_more_is_stale_once() {
    let stage = Stage::new("");
    let expected = with(&["a{x=1} 1", "a{x=2} 2", "b 3"], report(1, 3, 3, 3));
    assert_eq!(stage.scrape(1, Ok("a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n")), expected);
    let expected = with(&["a{x=1} 1", "b 4", "a{x=2} stale"], report(1, 2, 2, 0));
    assert_eq!(stage.scrape(2, Ok("a{x=\"1\"} 1\nb 4\n")), expected);
    let expected = with(&["b 4", "a{x=1} 1"], report(1, 2, 2, 0));
    assert_eq!(stage.scrape(3, Ok("b 4\na{x=\"1\"} 1\n")), expected);
    let labels = stage.book.labels(crate::model::SeriesRef(0)).unwrap().to_string();
    assert_eq!(labels, r#"{__name__="a", instance="h:1", job="j", x="1"}"#);
}

#[test]
fn a_failed_scrape_ends_all_series_and_says_why() {
    let stage = Stage::new("");
    stage.scrape(1, Ok("a 1\nb 2\n"));
    let expected = with(&["a stale", "b stale"], report(0, 0, 0, 0));
    assert_eq!(stage.scrape(2, Err("connection refused")), expected);
    assert_eq!(
        (stage.error().as_str(), stage.life.seen().health),
        ("connection refused", Health::Down)
    );
    assert_eq!(stage.scrape(3, Err("connection refused")), report(0, 0, 0, 0));
    assert_eq!(stage.scrape(4, Ok("a 1\n")), with(&["a 1"], report(1, 1, 1, 1)));
    assert_eq!(stage.error(), "");
}

#[test]
fn a_body_that_cannot_be_read_is_not_taken_at_all() {
    let stage = Stage::new("");
    stage.scrape(1, Ok("a 1\n"));
    let expected = with(&["a stale"], report(0, 0, 0, 0));
    assert_eq!(stage.scrape(2, Ok("a 1\nb{ 2\n")), expected);
    assert!(stage.error().contains("line 2"), "{}", stage.error());
    let html = Body { content_type: "text/html", bytes: b"<html>" };
    assert_eq!(stage.scrape_body(3, Ok(html)), report(0, 0, 0, 0));
    assert!(stage.error().contains("unsupported Content-Type \"text/html\""));
    let fallback = Stage::new("fallback_scrape_protocol: PrometheusText0.0.4");
    let blank = Body { content_type: "", bytes: b"a 1\n" };
    assert_eq!(fallback.scrape_body(1, Ok(blank)), with(&["a 1"], report(1, 1, 1, 1)));
}

#[test]
fn rules_change_and_drop_series_and_what_is_dropped_is_counted() {
    let stage = Stage::new(
        "metric_relabel_configs: [{source_labels: [__name__], regex: go_.*, action: drop},
         {regex: x, action: labeldrop}]",
    );
    for minute in 1..4 {
        let added = usize::from(minute == 1);
        let expected = with(&["a 1"], report(1, 3, 1, added));
        assert_eq!(stage.scrape(minute, Ok("go_1 1\na{x=\"1\"} 1\ngo_2 2\n")), expected);
    }
}

#[test]
fn limits_fail_the_scrape_and_name_themselves() {
    let fails = |fields: &str, body: &str, (scraped, kept): (usize, usize), part: &str| {
        let stage = Stage::new(fields);
        assert_eq!(stage.scrape(1, Ok(body)), report(0, scraped, kept, 0), "{fields}");
        assert!(stage.error().contains(part), "{}", stage.error());
        // What is within the limits is taken again.
        assert_eq!(stage.scrape(2, Ok("a 1\n")), with(&["a 1"], report(1, 1, 1, 1)));
    };
    fails("sample_limit: 1", "a 1\nb 1\n", (2, 2), "sample limit exceeded");
    let drop = "metric_relabel_configs: [{source_labels: [__name__], regex: x, action: drop}]";
    fails(&format!("sample_limit: 1, {drop}"), "a 1\nb 1\nx 1\n", (3, 2), "sample limit exceeded");
    fails("label_limit: 3", "a{x=\"1\"} 1\n", (1, 0), "label_limit exceeded (metric: a");
    fails(
        "label_name_length_limit: 8",
        "a{ninechars=\"1\"} 1\n",
        (1, 0),
        "label_name_length_limit",
    );
    fails("label_value_length_limit: 3", "a{x=\"1234\"} 1\n", (1, 0), "label_value_length_limit");
}

#[test]
fn a_body_of_too_many_samples_registers_no_series() {
    let stage = Stage::new("sample_limit: 1");
    stage.scrape(1, Ok("# a comment\na 1\n\nb 1\n"));
    assert_eq!((stage.error().as_str(), stage.book.len()), ("sample limit exceeded", 5));
}

#[test]
fn times_of_samples_count_unless_told_otherwise() {
    let stage = Stage::new("");
    let body = "a 1 59000\nb 2\n";
    assert_eq!(stage.scrape(1, Ok(body)), with(&["a 1 at -1000000000", "b 2"], report(1, 2, 2, 1)));
    // It ended by itself.
    assert_eq!(stage.scrape(2, Ok("b 2\n")), with(&["b 2"], report(1, 1, 1, 0)));
    let stage = Stage::new("track_timestamps_staleness: true");
    stage.scrape(1, Ok(body));
    assert_eq!(stage.scrape(2, Ok("b 2\n")), with(&["b 2", "a stale"], report(1, 1, 1, 0)));
    let stage = Stage::new("honor_timestamps: false");
    assert_eq!(stage.scrape(1, Ok(body)), with(&["a 1", "b 2"], report(1, 2, 2, 2)));
}

#[test]
fn limits_are_series_too_on_request() {
    let stage = Stage::new("extra_scrape_metrics: true, sample_limit: 9, scrape_timeout: 5s");
    let mut expected = with(&["a 1"], report(1, 1, 1, 1));
    expected.extend(
        ["scrape_timeout_seconds 5", "scrape_sample_limit 9", "scrape_body_size_bytes 4"]
            .map(str::to_owned),
    );
    assert_eq!(stage.scrape(1, Ok("a 1\n")), expected);
}

#[test]
fn a_scrape_that_begins_a_little_late_has_the_time_it_was_due() {
    let stage = Stage::new("");
    let times = |late_ms: i64| {
        let due = Timestamp(MINUTE);
        let began = Timestamp(MINUTE + late_ms * 1_000_000 + 5);
        let scrape = Scrape { due, began, took: Duration::ZERO, got: Err("x") };
        let registry: &dyn Registry = &stage.book;
        let intake = Intake { config: &stage.config, registry, tenant: TenantId::default() };
        let mut batch = Batch::default();
        stage.life.finished(&scrape, &intake, &mut batch).unwrap();
        (batch.rows.times()[0] - MINUTE) / 1_000_000
    };
    assert_eq!((times(0), times(9), times(11)), (0, 0, 11));
}

#[test]
fn targets_are_due_once_an_interval_at_a_moment_of_their_own() {
    let changes = Scraper::new(1).apply(
        ScrapeFile::read(
            "scrape_configs: [{job_name: j, scrape_interval: 10s, static_configs: [{targets: [a, b, c, d, e, f, g, h]}]}]",
        )
        .unwrap()
        .jobs()
        .unwrap(),
    );
    let mut offsets = Vec::new();
    for life in &changes.started {
        let first = life.due_after(Timestamp(100 * MINUTE));
        let second = life.due_after(first);
        assert_eq!(second.nanos() - first.nanos(), 10_000_000_000);
        assert!(first.nanos() > 100 * MINUTE && first.nanos() % 1_000_000 == 0);
        offsets.push(first.nanos() % 10_000_000_000);
    }
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets.len(), 8, "{offsets:?}");
}

#[test]
fn a_target_that_is_gone_ends_with_its_report() {
    let stage = Stage::new("");
    stage.scrape(1, Ok("a 1\n"));
    let ended = stage.life.ended(Timestamp(2 * MINUTE));
    let rows = report(0, 0, 0, 0);
    let ends = rows.iter().map(|row| format!("{} stale", row.split(' ').next().unwrap()));
    let expected: Vec<String> = std::iter::once("a stale".to_owned()).chain(ends).collect();
    assert_eq!(stage.shown(&ended, 2), expected);
    assert_eq!(stage.scrape(3, Ok("a 1\n")), Vec::<String>::new());
}

#[test]
fn an_unchanged_job_goes_on_undisturbed_and_a_changed_one_keeps_its_series() {
    let scraper = Scraper::new(7);
    let mut changes = scraper.apply(jobs(""));
    let stage = Stage {
        book: LabelBook::default(),
        config: ingest::Config::default(),
        life: changes.started.remove(0),
    };
    stage.scrape(1, Ok("a 1\nb 1\n"));
    let changes = scraper.apply(jobs(""));
    assert!(changes.started.is_empty() && changes.stopped.is_empty() && changes.jobs.is_empty());
    let mut changes = scraper.apply(jobs("scrape_interval: 30s"));
    assert_eq!((changes.started.len(), changes.stopped.len(), changes.replaced.len()), (1, 0, 1));
    assert_eq!(stage.scrape(2, Ok("a 1\n")), Vec::<String>::new());
    let stage = Stage { life: changes.started.remove(0), ..stage };
    assert_eq!(stage.scrape(2, Ok("a 1\n")), with(&["a 1", "b stale"], report(1, 1, 1, 0)));
    let changes = scraper.apply(Vec::new());
    assert_eq!((changes.stopped.len(), changes.ended_jobs.len()), (1, 1));
}

#[test]
fn lists_bring_targets_and_take_them_away() {
    let scraper = Scraper::new(7);
    let changes = scraper.apply(jobs("target_limit: 2, file_sd_configs: [{files: [a.yml]}]"));
    let list = changes.jobs[0].lists()[0].id();
    let place = || Place { list, part: "a.yml".into() };
    let found = |addresses: &[&str]| {
        let of = |address: &&str| LabelBuilder::from_pairs([("__address__", *address)]);
        Some(addresses.iter().map(of).collect())
    };
    let changes = scraper.discover("j", place(), found(&["x:1", "h:1"]));
    assert_eq!((changes.started.len(), changes.stopped.len()), (1, 0), "h:1 is known");
    let again = scraper.discover("j", place(), found(&["x:1", "h:1"]));
    assert_eq!((again.started.len(), again.stopped.len()), (0, 0));
    let over = scraper.discover("j", place(), found(&["x:1", "y:1"]));
    let refusal = over.started[0].refusal().unwrap();
    assert_eq!(refusal, "target_limit exceeded (number of targets: 3, limit: 2)");
    let gone = scraper.discover("j", place(), None);
    assert_eq!((gone.started.len(), gone.stopped.len()), (0, 2));
    assert_eq!(scraper.pools()[0].active[0].refusal(), None);
    let stranger = Place { list: 1, part: String::new() };
    assert!(scraper.discover("j", stranger, found(&["z:1"])).started.is_empty());
}

#[test]
fn what_metrics_are_is_remembered() {
    let stage = Stage::new("");
    stage.scrape(1, Ok("# HELP a_total Of a.\n# TYPE a_total counter\na_total 1\n"));
    stage.scrape(2, Ok("# HELP a_total Of a.\n# TYPE a_total counter\na_total 1\n"));
    let told = stage.life.metadata();
    assert_eq!(
        (told.len(), told[0].metric.as_str(), told[0].help.as_str()),
        (1, "a_total", "Of a.")
    );
}
