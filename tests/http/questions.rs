//! Questions that cost much: kept for the next one, explained, and ended when the asker goes.

use std::fmt::Write as _;
use std::{
    io::Write,
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{FORM, Server, ok, refused};

const PATIENCE: Duration = Duration::from_secs(30);

/// Rows of three hosts each 15 s of the hours before 1,700,000,000 s.
fn furnished() -> Server {
    let server = Server::start();
    let mut lines = String::new();
    for i in 0..480 {
        for host in ["a", "b", "c"] {
            let time = 1_700_000_000 - i * 15;
            let _ = writeln!(lines, "m,host={host} total={i} {time}");
        }
    }
    assert_eq!(server.post("/write?precision=s", &[], lines).status, 204);
    server
}

fn metric(server: &Server, name: &str) -> u64 {
    let page = server.get("/metrics").body;
    let line = page.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap()
}

#[test]
fn a_board_that_asks_again_is_answered_from_what_is_kept() {
    let server = furnished();
    let path = "/api/v1/query_range?query=sum(rate(m_total[1m]))&step=15&start=1699993200&end=";
    let first = server.get(&format!("{path}1699999500"));
    ok(&first, r#""resultType":"matrix""#);
    assert_eq!(metric(&server, "quipu_query_results_misses_total"), 1);
    assert!(metric(&server, "quipu_query_results_bytes") > 0);
    // The same, and with more steps.
    assert_eq!(server.get(&format!("{path}1699999500")).body, first.body);
    let more = server.get(&format!("{path}1699999560"));
    assert_eq!(metric(&server, "quipu_query_results_hits_total"), 1);
    assert_eq!(metric(&server, "quipu_query_results_partial_hits_total"), 1);
    assert_eq!(server.get(&format!("{path}1699999560&nocache=1")).body, more.body);
    assert_eq!(metric(&server, "quipu_query_results_hits_total"), 1);
    // A row that comes late is seen.
    assert_eq!(server.post("/write?precision=s", &[], "m,host=a total=1e9 1699996001").status, 204);
    let late = server.get(&format!("{path}1699999560"));
    assert_ne!(late.body, more.body);
    assert_eq!(server.get(&format!("{path}1699999560&nocache=1")).body, late.body);
}

#[test]
fn a_plan_is_explained_as_json_and_as_text() {
    let server = furnished();
    let range = "start=1699996380&end=1699999980&step=60";
    let query = "query=sum by (host) (rate(m_total[5m])) / 2";
    let got = server.post("/api/quipu/v1/explain", FORM, format!("{query}&{range}"));
    ok(&got, r#""what":"rate over 300s of m_total""#);
    ok(&got, r#""series":3"#);
    assert!(!got.body.contains("ran"), "{}", got.body);
    let got = server.post("/api/quipu/v1/explain", FORM, format!("{query}&{range}&analyze=1"));
    ok(&got, r#""steps_kept":0"#);
    ok(&got, r#""seconds":"#);
    let text = format!("{query}&{range}&format=text&analyze=1");
    let got = server.post("/api/quipu/v1/explain", FORM, text);
    // Nothing had to run: the question before had all steps.
    ok(&got, "61 steps kept from earlier questions");
    let text = format!("{query}&{range}&format=text&analyze=1&nocache=1");
    let got = server.post("/api/quipu/v1/explain", FORM, text);
    ok(&got, "├─ sum by (host)  [");
    ok(&got, " 0 steps kept from earlier questions");
    refused(&server.get("/api/quipu/v1/explain?query=sum("), 400, "parse error");
    refused(&server.get("/api/quipu/v1/explain?query=m&format=svg"), 400, "json and text");
    let words = ["query", "m_total", "--at", "1700000000", "--explain=analyze"];
    let ended = server.quipu(&[&words[..], &["--url", &server.url]].concat());
    assert!(ended.stdout.starts_with("m_total  (3 series"), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("rows read"), "{}", ended.stdout);
}

/// A question that takes most of a minute at the least, in one series: its values differ, so that each
/// window is sorted.
const HEAVY: &str = "/api/v1/query_range?query=quantile_over_time(0.5,vector(time())[5d:1s])\
                     &start=1000000&end=2000000&step=1000";

#[test]
fn a_question_ends_when_the_asker_goes() {
    let server = Server::start_with(&["--queries-max", "1"]);
    for _ in 0..3 {
        let mut asker = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
        write!(asker, "GET {HEAVY} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        // It has the one place, or the test shows nothing.
        let until = Instant::now() + PATIENCE;
        while !server.get("/api/v1/status/active_queries").body.contains(r#""state":"running""#) {
            assert!(Instant::now() < until, "the question does not begin");
            sleep(Duration::from_millis(10));
        }
        drop(asker);
        let gone = Instant::now();
        // There is one place, which the other had.
        ok(&server.get("/api/v1/query?query=1"), "scalar");
        let waited = gone.elapsed();
        assert!(waited < Duration::from_millis(500), "{waited:?}");
    }
}

#[test]
fn a_question_of_one_long_series_meets_its_deadline() {
    let server = Server::start();
    let began = Instant::now();
    refused(&server.get(&format!("{HEAVY}&timeout=300ms")), 503, "query timed out");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
