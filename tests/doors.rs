//! The ways in that carry text: expositions, pushes, imports, line protocol of every version, and
//! what becomes of rows without a server.

#[path = "http/server.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod server;

use server::{Got, Server, remote_write};

fn ok(got: &Got, status: u16, says: &str) {
    assert_eq!(got.status, status, "{}", got.body);
    assert!(got.body.contains(says), "{says:?} is not in {}", got.body);
}

fn ask(server: &Server, query: &str) -> String {
    let query =
        query.replace('"', "%22").replace('{', "%7B").replace('}', "%7D").replace('>', "%3E");
    let got = server.get(&format!("/api/v1/query?query={query}"));
    assert_eq!(got.status, 200, "{}", got.body);
    got.body
}

fn export(server: &Server, selector: &str) -> String {
    let selector = selector.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
    server.get(&format!("/api/v1/export?match[]={selector}")).body
}

#[test]
fn expositions_are_imported_with_labels_and_times_of_the_request() {
    let server = Server::start();
    let path = "/api/v1/import/prometheus?extra_label=dc=x&timestamp=5000";
    assert_eq!(server.post(path, &[], "a{b=\"c\"} 1\nd 2 7000\n").status, 204);
    let got =
        server.post("/prometheus/api/v1/import/prometheus", &[], "ok 1 1000\nbad\nok 2 2000\n");
    ok(&got, 400, r#""errorType":"bad_data","error":"line 2: expected a value after the series"#);
    assert_eq!(
        export(&server, "{dc=\"x\"}"),
        "{\"metric\":{\"__name__\":\"a\",\"b\":\"c\",\"dc\":\"x\"},\"values\":[1],\"timestamps\":[5000]}\n\
         {\"metric\":{\"__name__\":\"d\",\"dc\":\"x\"},\"values\":[2],\"timestamps\":[7000]}\n"
    );
    assert!(export(&server, "ok").contains("\"values\":[1,2]"));
    let openmetrics = [("content-type", "application/openmetrics-text; version=1.0.0")];
    let body = "# TYPE o counter\no_total 3 9.5 # {trace_id=\"t\"} 1 9.5\n# EOF\n";
    assert_eq!(server.post("/api/v1/import/prometheus", &openmetrics, body).status, 204);
    assert!(export(&server, "o_total").contains("\"timestamps\":[9500]"));
    let got = server.get("/api/v1/query_exemplars?query=o_total&start=0&end=99");
    ok(&got, 200, "trace_id");
    let got = server.post("/api/v1/import/prometheus?extra_label=x", &[], "a 1\n");
    ok(&got, 400, "invalid parameter \\\"extra_label\\\"");
    let got = server.post("/api/v1/import/prometheus", &[("content-encoding", "br")], "a 1\n");
    assert_eq!(got.status, 415);
}

#[test]
fn an_export_is_imported_as_it_was() {
    let server = Server::start();
    let lines = "m,a=b f=1.5,g=-0.0 1000\nm,a=b f=2 2000\nn h=1e300 3000\n";
    assert_eq!(server.post("/write?precision=ms", &[], lines).status, 204);
    let exported = export(&server, "{__name__=~\".%2B\"}");
    assert_eq!(exported.lines().count(), 3, "{exported}");
    let other = Server::start();
    assert_eq!(other.post("/api/v1/import", &[], &exported).status, 204);
    assert_eq!(export(&other, "{__name__=~\".%2B\"}"), exported);
    let got = other.post("/api/v1/import", &[], "{\"metric\":{\"a\":\"b\"},\"values\":[1]}\n");
    ok(&got, 400, "line 1: \\\"timestamps\\\" is missing");
}

#[test]
fn separated_values_are_imported_by_their_format() {
    let server = Server::start();
    let path = "/api/v1/import/csv?format=2:metric:ask,1:label:ticker,3:time:unix_s";
    assert_eq!(server.post(path, &[], "GOOG,1.23,5\nMSFT,,6\n").status, 204);
    assert_eq!(
        export(&server, "ask"),
        "{\"metric\":{\"__name__\":\"ask\",\"ticker\":\"GOOG\"},\"values\":[1.23],\"timestamps\":[5000]}\n"
    );
    ok(&server.post(path, &[], "GOOG,x,5\nGOOG,2,6\n"), 400, "line 1: ");
    assert!(export(&server, "ask").contains("[1.23,2]"));
    ok(&server.post("/api/v1/import/csv", &[], "1"), 400, "format is empty");
    let path = "/api/v1/import/csv?format=1:metric:m&delimiter=ab";
    ok(&server.post(path, &[], "1"), 400, "delimiter");
}

/// `influx delete` and the libraries of version 2: a bucket, a range with both ends in it, a predicate.
#[test]
fn rows_of_a_bucket_are_deleted_by_predicate_and_time() {
    let server = Server::start();
    let lines = "cpu,host=a idle=1,user=2 1700000000\ncpu,host=b idle=3 1700000000\n\
                 cpu,host=a idle=4 1700000001\ncpu,host=a idle=5 1700000002\nmem,host=a free=6 1700000000";
    for bucket in ["one", "two"] {
        let path = format!("/api/v2/write?bucket={bucket}&org=o&precision=s");
        assert_eq!(server.post(&path, &[], lines).status, 204);
    }
    let rows = |bucket: &str| {
        let query = format!("/api/v1/query?query={{db=\"{bucket}\"}}[10s]&time=1700000005");
        let body = server.get(&query.replace('"', "%22")).body;
        body.matches("\"]").count()
    };
    assert_eq!((rows("one"), rows("two")), (6, 6));
    let delete = |query: &str, stop: &str, predicate: &str| {
        let body = format!(
            r#"{{"start":"2023-11-14T22:13:20Z","stop":"{stop}","predicate":"{predicate}"}}"#
        );
        server.post(&format!("/api/v2/delete?org=o&{query}"), &[], &body)
    };
    let idle = r#"_measurement=\"cpu\" AND _field=\"idle\" AND host=\"a\""#;
    ok(&delete("bucket=one", "2023-11-14T22:13:21.000000000Z", idle), 204, "");
    assert_eq!((rows("one"), rows("two")), (4, 6));
    ok(&delete("bucket=one", "2023-11-14T22:13:20.5Z", r#"_measurement=\"cpu\""#), 204, "");
    assert_eq!(rows("one"), 2);
    ok(&delete("bucket=one", "2030-01-01T00:00:00+01:00", ""), 204, "");
    assert_eq!((rows("one"), rows("two")), (0, 6));
    ok(&delete("bucket=three", "2030-01-01T00:00:00Z", ""), 404, r#""code":"not found""#);
    ok(&delete("org=o", "2030-01-01T00:00:00Z", ""), 400, "bucket or bucketID");
    ok(&delete("bucket=two", "2010-01-01T00:00:00Z", ""), 400, "stop lies before start");
    ok(&delete("bucket=two", "yesterday", ""), 400, "RFC 3339");
    ok(&delete("bucket=two", "2030-01-01T00:00:00Z", "a=1 OR b=2"), 400, "OR is not supported");
    ok(&server.post("/api/v2/delete?bucket=two", &[], "{}"), 400, "missing field");
    assert_eq!(rows("two"), 6);
}

#[test]
fn pushed_groups_are_replaced_merged_and_deleted() {
    let server = Server::start();
    let send =
        |method: &str, path: &str, body: &str| server.send(method, path, &[], body.as_bytes());
    ok(&send("PUT", "/metrics/job/backup/instance/i", "took 5\nsize 6\n"), 200, "");
    assert!(ask(&server, "took{job=\"backup\",instance=\"i\"}").contains("\"5\""));
    assert!(ask(&server, "push_time_seconds").contains("\"instance\":\"i\""));
    ok(&send("POST", "/metrics/job/backup/instance/i", "took 7\n"), 200, "");
    assert!(ask(&server, "sum(took)%2Bsum(size)").contains("\"13\""));
    ok(&send("PUT", "/metrics/job/backup/instance/i", "took 8\n"), 200, "");
    assert!(ask(&server, "size").contains("\"result\":[]"));
    ok(&send("PUT", "/metrics/job@base64/ai94/path@base64/=", "took 9\n"), 200, "");
    assert!(ask(&server, "took{job=\"j/x\"}").contains("\"9\""));
    ok(&send("PUT", "/metrics/job/backup", "took 1 5\n"), 400, "must not have timestamps");
    ok(&send("PUT", "/metrics/job/backup", "took\n"), 400, "text format parsing error: line 1");
    assert!(
        ask(&server, "push_failure_time_seconds{instance=\"\",job=\"backup\"}>0")
            .contains("backup")
    );
    ok(&send("PUT", "/metrics/job/backup/x", "took 1\n"), 400, "odd number of components");
    ok(&send("DELETE", "/metrics/job/backup/instance/i", ""), 202, "");
    assert!(ask(&server, "took{job=\"backup\"}").contains("\"result\":[]"));
    assert!(ask(&server, "took").contains("\"9\""));
    assert_eq!(send("GET", "/metrics/job/backup", "").status, 405);
}

/// Groups live until they are deleted, as with a Pushgateway's `--persistence.file`.
#[test]
fn pushed_groups_outlive_a_kill() {
    let server = Server::start();
    let send =
        |server: &Server, method: &str, path: &str| server.send(method, path, &[], b"took 5\n");
    for job in ["stays", "goes"] {
        ok(&send(&server, "PUT", &format!("/metrics/job/{job}")), 200, "");
    }
    ok(&send(&server, "DELETE", "/metrics/job/goes"), 202, "");
    let server = server.restart_after_kill();
    // Rows of before the kill are seen, too; those that are written again are newer.
    let newer =
        |job: &str| ask(&server, &format!("count_over_time(took{{job=\"{job}\"}}%5B5m%5D)>1"));
    let is_there = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        newer("stays").contains("\"stays\"")
    });
    assert!(is_there, "{}", newer("stays"));
    assert!(newer("goes").contains("\"result\":[]"), "{}", newer("goes"));
    ok(&send(&server, "DELETE", "/metrics/job/stays"), 202, "");
    assert!(ask(&server, "took").contains("\"result\":[]"));
}

#[test]
fn line_protocol_of_version_3_names_every_bad_line() {
    let server = Server::start();
    let path = "/api/v3/write_lp?db=d";
    assert_eq!(server.post(path, &[], "m f=1 1708976567\nm f=2 1708976568000\n").status, 204);
    assert!(export(&server, "m_f").contains("[1708976567000,1708976568000]"));
    let body = "m f=3 1708976569\nbad\nm f=4 1708976570\n";
    let got = server.post(&format!("{path}&accept_partial=false"), &[], body);
    ok(
        &got,
        400,
        r#"{"error":"parsing failed for write_lp endpoint","data":[{"original_line":"bad","line_number":2,"error_message":"missing fields"}]}"#,
    );
    assert!(export(&server, "m_f").contains("\"values\":[1,2]"));
    let got = server.post(&format!("{path}&no_sync=true"), &[], body);
    ok(&got, 400, "partial write of line protocol occurred");
    assert!(export(&server, "m_f").contains("\"values\":[1,2,3,4]"));
    ok(&server.post("/api/v3/write_lp", &[], "m f=1"), 400, "missing query parameter 'db'");
    ok(&server.post(&format!("{path}&precision=x"), &[], "m f=1"), 400, "precision");
}

/// The Python library of version 1 packs requests that have no body.
#[test]
fn an_empty_body_is_never_inflated() {
    let server = Server::start();
    let gzip = [("content-encoding", "gzip")];
    assert_eq!(server.post("/write?db=x", &gzip, "").status, 204);
    assert_eq!(server.send("GET", "/ping", &gzip, b"").status, 204);
    assert_eq!(server.send("HEAD", "/ping", &[], b"").status, 204);
    let got = server.post("/query?q=CREATE%20DATABASE%20x", &gzip, "");
    ok(&got, 200, "statement_id");
    assert!(got.header("x-influxdb-version").is_some());
}

/// k6 and the shell of version 1 send these.
#[test]
fn blanks_before_a_line_empty_parameters_and_odd_headers_are_taken() {
    let server = Server::start();
    let path = "/influx/write?db=&rp=&precision=zz&params=%7B%7D&chunked=true";
    assert_eq!(server.post(path, &[("content-type", "")], " m,a=b f=1 5000000\n# x\n").status, 204);
    assert!(export(&server, "m_f").contains("\"timestamps\":[5]"));
}

/// Clients of version 2 look for a bucket, make it, and look again.
#[test]
fn buckets_are_found_after_they_are_made_or_written_to() {
    let server = Server::start();
    ok(&server.get("/api/v2/buckets?name=b"), 200, r#""buckets":[]"#);
    ok(&server.post("/api/v2/buckets", &[], r#"{"name":"b","orgID":"1"}"#), 201, r#""name":"b""#);
    assert_eq!(server.post("/api/v2/write?bucket=c&org=o", &[], "m f=1").status, 204);
    let got = server.get("/api/v2/buckets");
    ok(&got, 200, r#""name":"b""#);
    ok(&got, 200, r#""name":"c""#);
    ok(&server.get("/api/v2/orgs?org=o"), 200, r#""name":"o""#);
    ok(&server.get("/health"), 200, r#""status":"pass""#);
    ok(&server.get("/ready"), 200, "ready");
    ok(&server.post("/api/v2/buckets", &[], "{}"), 400, "missing field");
}

/// The version that a client of `QuestDB` chooses decides whether it sends text.
#[test]
fn settings_offer_the_text_protocol_alone() {
    let server = Server::start();
    let got = server.get("/settings");
    ok(&got, 200, r#""line.proto.support.versions":[1]"#);
    ok(&got, 200, r#""acceptable line protocol":[1]"#);
}

/// The library of npm sends snappy and says nothing of it; `VictoriaMetrics`' agent asks, then
/// packs with zstd.
#[test]
fn remote_write_needs_no_header_and_has_three_paths() {
    let server = Server::start();
    for (at, path) in ["/api/v1/write", "/api/v1/push", "/api/v1/prom/write"].iter().enumerate() {
        let body = remote_write("up", path, &[(1000, 1.0)]);
        assert_eq!(server.post(path, &[], body).status, 204);
        assert_eq!(export(&server, "up").lines().count(), at + 1);
        ok(&server.get(&format!("{path}?get_vm_proto_version=1")), 200, "1");
    }
    let lines = zstd::encode_all(&b"z 1 1000\n"[..], 1).unwrap();
    let zstd = [("content-encoding", "zstd")];
    assert_eq!(server.post("/api/v1/import/prometheus", &zstd, lines).status, 204);
    assert!(export(&server, "z").contains("[1000]"));
}

#[test]
fn explain_prints_what_each_line_becomes() {
    let server = Server::start();
    let folder = server.stop();
    let explain = |protocol: &str, text: &str, more: &[&str]| {
        let file = format!("{}/{protocol}.txt", folder.path());
        #[expect(clippy::disallowed_methods, reason = "a test writes its own files")]
        std::fs::write(&file, text).unwrap();
        let words = ["ingest", "explain", "--protocol", protocol, &file];
        folder.quipu(&[&words[..], more].concat())
    };
    let ended = explain("influx", "m,a=b f=1,s=\"x\ny\" 5\nbad\nm f=2 6\n", &["--precision", "s"]);
    assert_eq!(
        ended.stdout,
        "1: {__name__=\"m_f\", a=\"b\"} 1 @ 5\n1: 1 text fields are left out\n\
         3: error: unable to parse 'bad': missing fields\n4: {__name__=\"m_f\"} 2 @ 6\n"
    );
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let ended = explain("prometheus", "# TYPE h histogram\nh_bucket{le=\"1\"} 2 5\n", &[]);
    assert!(
        ended.stdout.contains("2: {__name__=\"h_bucket\", le=\"1.0\"} 2 @ 0.005"),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let ended = explain("openmetrics", "a 1\n", &[]);
    assert!(ended.stdout.ends_with("2: error: text does not end with # EOF\n"), "{}", ended.stdout);
    let ended = explain("csv", "1,5\n", &["--format", "1:metric:m,2:time:unix_s"]);
    assert_eq!(ended.stdout, "1: {__name__=\"m\"} 1 @ 5\n");
    let line = "{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[5]}\n";
    assert_eq!(explain("jsonl", line, &[]).stdout, "1: {a=\"b\"} 1 @ 0.005\n");
}
