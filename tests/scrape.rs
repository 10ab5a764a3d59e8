//! The real server scrapes: an exporter of a few lines, itself, lists that change, targets that go.

#![expect(
    clippy::disallowed_methods,
    reason = "waits for other processes and writes what they read"
)]
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::ptr_arg, reason = "a helper of tests")]
#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

#[path = "http/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use server::Server;

/// Whatever is waited for comes long before.
const PATIENCE: Duration = Duration::from_secs(40);

/// A target: shows a text that may change, and remembers the head of the last request.
struct Exporter {
    address: SocketAddr,
    body: Arc<Mutex<String>>,
    head: Arc<Mutex<String>>,
    is_over: Arc<AtomicBool>,
}

impl Exporter {
    fn start(body: &str, content_type: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let exporter = Self {
            address: listener.local_addr().unwrap(),
            body: Arc::new(Mutex::new(body.to_owned())),
            head: Arc::default(),
            is_over: Arc::default(),
        };
        let (body, head, is_over) =
            (exporter.body.clone(), exporter.head.clone(), exporter.is_over.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let mut asked = String::new();
                for line in lines.by_ref().map_while(Result::ok).take_while(|it| !it.is_empty()) {
                    asked.push_str(&line.to_lowercase());
                    asked.push('\n');
                }
                *head.lock().unwrap() = asked;
                let body = body.lock().unwrap().clone();
                let size = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
                     content-length: {size}\r\n\r\n{body}"
                );
            }
        });
        exporter
    }

    fn show(&self, body: &str) {
        body.clone_into(&mut self.body.lock().unwrap());
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = std::net::TcpStream::connect(self.address);
    }
}

/// A file of one test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("scrape-{}-{name}", std::process::id()));
    // Beside it and then in its place: a reader sees the old or the new.
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, &path).unwrap();
    path
}

fn start(config: &PathBuf) -> Server {
    Server::start_with(&["--config", config.to_str().unwrap()])
}

fn ask(server: &Server, path: &str) -> Value {
    let marks = [("\"", "%22"), ("{", "%7B"), ("}", "%7D")];
    let path = marks.iter().fold(path.to_owned(), |path, (mark, code)| path.replace(mark, code));
    let got = server.get(&path);
    assert_eq!(got.status, 200, "{}", got.body);
    serde_json::from_str::<Value>(&got.body).unwrap()["data"].clone()
}

/// The value of an instant query of one series; None where there is none.
fn value(server: &Server, query: &str) -> Option<String> {
    let data = ask(server, &format!("/api/v1/query?query={query}"));
    data["result"][0]["value"][1].as_str().map(str::to_owned)
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < end, "{what}: not after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn wait_for_value(server: &Server, query: &str, expected: Option<&str>) {
    let is_there = || value(server, query).as_deref() == expected;
    wait_for(&format!("{query} is {expected:?}"), is_there);
}

#[test]
fn a_target_is_scraped_and_its_series_end_when_it_shows_them_no_more() {
    let exporter = Exporter::start("a{x=\"1\"} 5\na{x=\"2\"} 7\n", "text/plain; version=0.0.4");
    let address = exporter.address;
    let config = file(
        "plain.yml",
        &format!(
            "
global: {{scrape_interval: 300ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: shop
    params: {{module: [all]}}
    basic_auth: {{username: me, password: secret}}
    static_configs: [{{targets: ['{address}'], labels: {{zone: z}}}}]
    metric_relabel_configs: [{{source_labels: [x], target_label: y}}]
"
        ),
    );
    let server = start(&config);
    wait_for_value(&server, "a{x=\"2\"}", Some("7"));
    wait_for_value(&server, "up{job=\"shop\"}", Some("1"));
    let labels = ask(&server, "/api/v1/series?match[]=a{x=\"1\"}");
    let expected = serde_json::json!([{"__name__": "a", "instance": address.to_string(),
        "job": "shop", "x": "1", "y": "1", "zone": "z"}]);
    assert_eq!(labels, expected);
    let head = exporter.head.lock().unwrap().clone();
    for part in [
        "get /metrics?module=all http/1.1",
        "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,",
        "accept-encoding: gzip",
        "authorization: basic bwu6c2vjcmv0",
        "x-prometheus-scrape-timeout-seconds: 0.25",
        "user-agent: quipu/",
    ] {
        assert!(head.contains(part), "{part} is not in {head}");
    }
    exporter.show("a{x=\"1\"} 6\n");
    wait_for_value(&server, "a{x=\"2\"}", None);
    assert_eq!(value(&server, "a{x=\"1\"}").as_deref(), Some("6"));

    let targets = ask(&server, "/api/v1/targets");
    let target = &targets["activeTargets"][0];
    assert_eq!((&target["health"], &target["lastError"]), (&"up".into(), &"".into()));
    assert_eq!(target["scrapeUrl"], format!("http://{address}/metrics?module=all"));
    assert_eq!(target["discoveredLabels"]["__address__"], address.to_string());
    assert_eq!(targets["droppedTargetCounts"]["shop"], 0);

    exporter.end();
    wait_for_value(&server, "up{job=\"shop\"}", Some("0"));
    wait_for_value(&server, "a", None);
    let targets = ask(&server, "/api/v1/targets?state=active&scrapePool=shop");
    assert_eq!(targets["activeTargets"][0]["health"], "down");
    let error = targets["activeTargets"][0]["lastError"].as_str().unwrap().to_owned();
    assert!(error.contains("connect") || error.contains("closed"), "{error}");
}

#[test]
fn a_server_scrapes_itself_from_a_list_that_changes() {
    let list = file("self.yml", "");
    let config = file(
        "lists.yml",
        &format!(
            "
scrape_configs:
  - job_name: self
    scrape_interval: 500ms
    file_sd_configs: [{{files: ['{}'], refresh_interval: 200ms}}]
    relabel_configs: [{{source_labels: [zone], regex: off, action: drop}}]
",
            list.display()
        ),
    );
    let server = start(&config);
    let address = server.url.trim_start_matches("http://").to_owned();
    assert_eq!(ask(&server, "/api/v1/scrape_pools"), serde_json::json!({"scrapePools": ["self"]}));
    file(
        "self.yml",
        &format!("- targets: ['{address}']\n- {{targets: [x], labels: {{zone: 'off'}}}}\n"),
    );
    wait_for_value(&server, "up{job=\"self\"}", Some("1"));
    wait_for("its own figures are there", || {
        value(&server, "quipu_scrapes_total{result=\"taken\"}").is_some()
    });
    let path = "/api/v1/targets/metadata?metric=quipu_scrapes_total";
    let told = ask(&server, path);
    assert_eq!((&told[0]["type"], &told[0]["target"]["job"]), (&"counter".into(), &"self".into()));
    let targets = ask(&server, "/api/v1/targets?state=dropped");
    assert_eq!(targets["droppedTargets"][0]["discoveredLabels"]["zone"], "off");
    let yaml = ask(&server, "/api/v1/scrape_pools/config?scrapePool=self")["yaml"].clone();
    assert!(yaml.as_str().unwrap().contains("job_name: self"), "{yaml}");
    let steps = "/api/v1/targets/relabel_steps?scrapePool=self&labels=%7B%22zone%22:%22off%22%7D";
    assert_eq!(ask(&server, steps)["steps"][0]["keep"], false);
    // A list that cannot be read changes nothing; an empty one ends its targets.
    file("self.yml", "- targets: [");
    thread::sleep(Duration::from_millis(600));
    assert_eq!(ask(&server, "/api/v1/targets")["activeTargets"].as_array().unwrap().len(), 1);
    file("self.yml", "[]");
    wait_for_value(&server, "up{job=\"self\"}", None);
}

#[test]
fn a_list_is_fetched_and_native_histograms_are_asked_for() {
    let exporter = Exporter::start("b 1\n", "text/plain");
    let list =
        format!(r#"[{{"targets": ["{}"], "labels": {{"__meta_zone": "z"}}}}]"#, exporter.address);
    let lister = Exporter::start(&list, "application/json");
    let config = file(
        "http.yml",
        &format!(
            "
scrape_configs:
  - job_name: found
    scrape_interval: 300ms
    scrape_native_histograms: true
    http_sd_configs: [{{url: 'http://{}/list', refresh_interval: 1s}}]
    relabel_configs: [{{source_labels: [__meta_url, __meta_zone], target_label: from}}]
",
            lister.address
        ),
    );
    let server = start(&config);
    wait_for_value(&server, "b", Some("1"));
    let labels = ask(&server, "/api/v1/series?match[]=b");
    assert_eq!(labels[0]["from"], format!("http://{}/list;z", lister.address));
    assert!(lister.head.lock().unwrap().contains("x-prometheus-refresh-interval-seconds: 1\n"));
    let head = exporter.head.lock().unwrap().clone();
    assert!(head.contains("accept: application/vnd.google.protobuf;proto=io.prometheus"), "{head}");
}

#[test]
fn a_configuration_that_means_nothing_is_refused_with_its_place() {
    let config = file("bad.yml", "scrape_configs:\n- job_name: a\n  kubernetes_sd_configs: []\n");
    let server = Server::start();
    let ended = server.quipu(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "never",
        "--config",
        config.to_str().unwrap(),
    ]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("kubernetes_sd_configs"), "{}", ended.stderr);
}
