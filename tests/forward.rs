//! Quipu to Quipu: what is written to one is at the other, once, whoever is killed in between.

#![expect(
    clippy::disallowed_methods,
    reason = "waits for other processes and writes what they read"
)]
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be is a failed test")]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use quipu::{
    export::remote_write::{Message, Outgoing, Sample, encode, pack},
    model::Labels,
};

/// Nothing that is waited for takes this long.
const PATIENCE: Duration = Duration::from_mins(1);
/// ms since 1970; rows of one test follow each other by a second.
const BEGIN: u64 = 1_700_000_000_000;

/// A folder of its own for each process that is tested.
fn folder(what: &str) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("forward-{}-{number}-{what}", std::process::id());
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// An address that is free now.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A process under test, and how to start it again.
struct Process {
    words: Vec<String>,
    data: PathBuf,
    address: String,
    child: Child,
}

impl Process {
    fn start(verb: &str, data: PathBuf, address: String, more: &[&str]) -> Self {
        let mut words = vec![verb.to_owned(), "--listen".into(), address.clone()];
        words.extend(more.iter().map(|word| (*word).to_owned()));
        let child = spawn(&words, &data);
        Self { words, data, address, child }
    }

    fn server(address: String, more: &[&str]) -> Self {
        Self::start("serve", folder("server"), address, more)
    }

    fn kill(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }

    fn start_again(&mut self) {
        self.child = spawn(&self.words, &self.data);
    }

    fn ask(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!("{head}\r\nHost: it\r\nConnection: close\r\nContent-Length: {length}");
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap();
        (status, answer)
    }

    /// Writes rows `from..to` of some series, one request each.
    fn write(&self, rows: std::ops::Range<u64>) {
        for row in rows {
            let mut lines = String::new();
            for series in 0..7 {
                let time = BEGIN + row * 1000;
                writeln!(lines, "load,host=h{series} value={row}.{series} {time}").unwrap();
            }
            let (status, answer) = self.ask("POST /write?precision=ms HTTP/1.1", lines.as_bytes());
            assert_eq!(status, 204, "{answer}");
        }
    }

    /// Each row it has, as text.
    fn rows(&self) -> BTreeSet<String> {
        let head = "GET /api/v1/export?match[]=load_value&start=0 HTTP/1.1";
        let (status, answer) = self.ask(head, b"");
        assert_eq!(status, 200, "{answer}");
        let mut rows = BTreeSet::new();
        for line in answer.lines().filter(|line| line.starts_with("{\"metric\"")) {
            let json: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let columns = ["timestamps", "values"].map(|name| json[name].as_array().unwrap());
            for (time, value) in columns[0].iter().zip(columns[1]) {
                let is_new = rows.insert(format!("{} {time} {value}", json["metric"]["host"]));
                assert!(is_new, "a row is there twice: {line}");
            }
        }
        rows
    }

    /// The sum of a metric's samples that hold `label`.
    fn metric(&self, name: &str, label: &str) -> f64 {
        let (_, answer) = self.ask("GET /metrics HTTP/1.1", b"");
        let lines = answer.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    fn wait_for(&self, count: u64) {
        let until = Instant::now() + PATIENCE;
        while (self.rows().len() as u64) < count {
            assert!(Instant::now() < until, "{} of {count} rows", self.rows().len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.data);
        }
    }
}

fn spawn(words: &[String], data: &PathBuf) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quipu"))
        .args(words)
        .arg("--data")
        .arg(data)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the process starts");
    let mut told = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
    let mut log = String::new();
    while !log.contains("listening  ") {
        let count = told.read_line(&mut log).expect("talk is text");
        assert!(count > 0, "it ended: {log}");
    }
    // Read on, so that it never waits for us.
    std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
    child
}

/// What is the same for a server and an agent that pass on.
fn nothing_is_lost_and_nothing_is_there_twice(verb: &str, words: &[&str]) {
    let receiver = free_address();
    let mut far = Process::server(receiver.clone(), &[]);
    let url = format!("http://{receiver}/api/v1/write");
    let mut near = Process::start(verb, folder(verb), free_address(), &[words, &[&url]].concat());
    near.write(0..20);
    far.wait_for(20 * 7);
    // The receiver dies, then the sender, with rows of before and after in its log.
    far.kill();
    near.write(20..40);
    near.kill();
    near.start_again();
    near.write(40..60);
    far.start_again();
    far.wait_for(60 * 7);
    let expected: BTreeSet<String> = (0..60_u64)
        .flat_map(|row| (0..7).map(move |series| (row, series)))
        .map(|(row, series)| format!("\"h{series}\" {} {row}.{series}", BEGIN + row * 1000))
        .collect();
    // 1.0 is written 1.
    let plain = |rows: &BTreeSet<String>| -> BTreeSet<String> {
        rows.iter().map(|row| row.strip_suffix(".0").unwrap_or(row).to_owned()).collect()
    };
    assert_eq!(plain(&far.rows()), plain(&expected));
    // Since it is back, it was sent what it had missed, and nothing that it had.
    let got = far.metric("quipu_ingest_rows_total", "remote_write");
    assert_eq!(got, f64::from(40 * 7));
    assert_eq!(near.metric("quipu_remote_write_sent_rows_total", ""), f64::from(40 * 7));
    let until = Instant::now() + PATIENCE;
    while near.metric("quipu_remote_write_pending_records", "remote=") > 0.0 {
        assert!(Instant::now() < until, "marks follow what was sent");
        std::thread::sleep(Duration::from_millis(50));
    }
    near.kill();
    near.start_again();
    near.write(60..61);
    far.wait_for(61 * 7);
    let got = far.metric("quipu_ingest_rows_total", "remote_write");
    assert_eq!(got, f64::from(41 * 7), "what was acknowledged is not sent again");
}

#[test]
fn a_server_passes_on_whoever_is_killed_in_between() {
    nothing_is_lost_and_nothing_is_there_twice("serve", &["--forward-to"]);
}

#[test]
fn an_agent_passes_on_whoever_is_killed_in_between() {
    nothing_is_lost_and_nothing_is_there_twice("agent", &["--no-collect", "--to"]);
}

/// A receiver that answers as it is told and notes what it was asked: head of each request.
fn scripted(answers: &'static [&'static str]) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (told, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let lower = head.to_lowercase();
            let length = lower.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let close = "Connection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(format!("HTTP/1.1 {answer}\r\n{close}").as_bytes()).unwrap();
            told.send(lower).unwrap();
        }
    });
    (address, asked)
}

#[test]
fn trouble_is_tried_again_after_the_time_asked_for_and_refusals_are_not() {
    let (receiver, asked) = scripted(&[
        "503 Service Unavailable\r\nRetry-After: 1",
        "204 No Content",
        "400 Bad Request",
        "204 No Content",
    ]);
    let config = folder("config");
    let text = format!(
        "remote_write:
- url: http://{receiver}/write
  headers: {{X-Scope-OrgID: me}}
  basic_auth: {{username: me, password: geheim}}
  metadata_config: {{send: false}}
  queue_config: {{batch_send_deadline: 50ms, max_shards: 1}}
"
    );
    std::fs::write(&config, text).unwrap();
    let words = ["--no-collect", "--config", config.to_str().unwrap()];
    let agent = Process::start("agent", folder("agent"), free_address(), &words);
    agent.write(0..1);
    let first = asked.recv_timeout(PATIENCE).unwrap();
    let began = Instant::now();
    for header in [
        "authorization: basic bwu6z2vozwlt",
        "x-scope-orgid: me",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "user-agent: quipu/",
    ] {
        assert!(first.contains(header), "{header} in {first}");
    }
    assert!(!first.contains("retry-attempt"));
    let second = asked.recv_timeout(PATIENCE).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    assert!(second.contains("retry-attempt: 1"), "{second}");
    for row in 1..3 {
        agent.write(row..row + 1);
        asked.recv_timeout(PATIENCE).unwrap();
    }
    let until = Instant::now() + PATIENCE;
    while agent.metric("quipu_remote_write_pending_records", "remote=") > 0.0 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(agent.metric("quipu_remote_write_sent_rows_total", ""), 14.0);
    assert_eq!(agent.metric("quipu_remote_write_dropped_rows_total", "refused"), 7.0);
    assert_eq!(agent.metric("quipu_remote_write_retried_rows_total", ""), 7.0);
    std::fs::remove_file(&config).unwrap();
}

#[test]
fn an_agent_keeps_nothing_to_ask_and_says_so() {
    let address = free_address();
    let words = ["--no-collect", "--to", "http://127.0.0.1:1"];
    let agent = Process::start("agent", folder("agent"), address, &words);
    agent.write(0..3);
    let (status, answer) = agent.ask("GET /api/v1/query?query=up HTTP/1.1", b"");
    assert_eq!(status, 404);
    assert!(answer.contains("this is an agent"), "{answer}");
    assert_eq!(agent.metric("quipu_remote_write_sent_rows_total", ""), 0.0);
}

#[test]
fn an_agent_collects_this_machine_and_adds_labels() {
    let receiver = free_address();
    let far = Process::server(receiver.clone(), &[]);
    let config = folder("config");
    let text = format!(
        "global: {{external_labels: {{site: attic}}}}
remote_write:
- url: http://{receiver}/api/v1/write
  protobuf_message: io.prometheus.write.v2.Request
  queue_config: {{batch_send_deadline: 100ms}}
  write_relabel_configs:
  - {{source_labels: [__name__], regex: 'node_(load|memory).*', action: keep}}
"
    );
    std::fs::write(&config, text).unwrap();
    let path = config.to_str().unwrap();
    let words = ["--config", path, "--collect-interval", "1s", "--label", "floor=3"];
    let _agent = Process::start("agent", folder("agent"), free_address(), &words);
    let until = Instant::now() + PATIENCE;
    let selector = "%7Bsite%3D%22attic%22%2Cfloor%3D%223%22%7D";
    let head = format!("GET /api/v1/series?match[]={selector}&start=0 HTTP/1.1");
    let mut answer = String::new();
    while !answer.contains("node_load1\"") {
        assert!(Instant::now() < until, "{answer}");
        std::thread::sleep(Duration::from_millis(100));
        answer = far.ask(&head, b"").1;
    }
    assert!(answer.contains("node_memory_MemTotal_bytes"), "{answer}");
    let (_, cpu) = far.ask("GET /api/v1/series?match[]=node_cpu_seconds_total HTTP/1.1", b"");
    assert!(!cpu.contains("node_cpu"), "{cpu}");
    let (_, known) = far.ask("GET /api/v1/metadata?metric=node_load1 HTTP/1.1", b"");
    assert!(known.contains("\"gauge\""), "{known}");
    std::fs::remove_file(&config).unwrap();
}

/// A request as one replica of a pair sends it.
fn of_replica(replica: &str, row: u64) -> Vec<u8> {
    let pairs = [("__name__", "load_value"), ("host", "h"), ("cluster", "eu")];
    let labels = Labels::new(pairs.into_iter().chain([("__replica__", replica)])).unwrap();
    let mut series = Outgoing::new(labels);
    let time = i64::try_from((BEGIN + row * 1000) * 1_000_000).unwrap();
    let value = if replica == "a" { 1.0 } else { 2.0 };
    series.samples.push(Sample { time, start: 0, value });
    let mut body = Vec::new();
    encode(Message::WriteRequest, &[series], &mut body);
    pack(&body).unwrap()
}

#[test]
fn of_two_replicas_one_is_heard_until_it_is_silent() {
    let words = ["--ha-dedup", "--ha-failover-after", "2s"];
    let mut server = Process::server(free_address(), &words);
    let send = |server: &Process, replica: &str, row: u64| {
        let head = "POST /api/v1/write HTTP/1.1\r\nContent-Encoding: snappy";
        let (status, answer) = server.ask(head, &of_replica(replica, row));
        assert_eq!(status, 204, "{answer}");
    };
    send(&server, "a", 0);
    send(&server, "b", 1);
    send(&server, "a", 2);
    assert_eq!(server.rows().len(), 2);
    // A second passes before it is written down who is heard.
    let kept = server.data.join("replicas");
    let until = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(&kept).is_ok_and(|text| text.contains("\"eu\"")) {
        assert!(Instant::now() < until, "nobody is written down in {}", kept.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    server.kill();
    server.start_again();
    send(&server, "b", 3);
    send(&server, "a", 4);
    assert_eq!(server.rows().len(), 3, "a restart is no failover");
    let until = Instant::now() + PATIENCE;
    let mut row = 5;
    while server.metric("quipu_ha_failovers_total", "") < 1.0 {
        assert!(Instant::now() < until);
        send(&server, "b", row);
        row += 1;
        std::thread::sleep(Duration::from_millis(200));
    }
    send(&server, "a", 500);
    let rows = server.rows();
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows.iter().filter(|row| row.ends_with("2.0") || row.ends_with(" 2")).count(), 1);
    assert_eq!(server.metric("quipu_ha_clusters", ""), 1.0);
}
