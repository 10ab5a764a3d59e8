//! OTLP against the real server: over HTTP/1.1, HTTP/2 and gRPC, as protobuf and as JSON.

#![expect(clippy::expect_used, reason = "what cannot be is a failed test")]

#[path = "http/h2.rs"]
mod h2;
#[path = "otlp/message.rs"]
mod message;
#[path = "http/server.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod server;

use std::{
    io::Write as _,
    net::TcpListener,
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use h2::{Answer, connected, request, whole};
use message::{gauge, histogram, named};
use server::{Got, Server};

const PATHS: [&str; 3] = ["/v1/metrics", "/api/v1/otlp/v1/metrics", "/opentelemetry/v1/metrics"];
const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).expect("memory can be written");
    out.finish().expect("memory can be written")
}

/// More than a server takes, in few bytes.
fn bomb() -> Vec<u8> {
    gzip(&vec![0; 65 << 20])
}

fn ask(server: &Server, query: &str, says: &str) {
    let got = server.get(&format!("/api/v1/query?query={query}&time=10"));
    assert!(got.body.contains(says), "{query}: {says} is not in {}", got.body);
}

fn empty_answer(got: &Got, media_type: &str, body: &str) {
    assert_eq!((got.status, got.body.as_str()), (200, body));
    assert_eq!(got.header("content-type"), Some(media_type));
}

#[test]
fn protobuf_is_taken_on_every_path_however_it_is_packed() {
    let server = Server::start();
    for (index, path) in PATHS.into_iter().enumerate() {
        let body = named("shop", &gauge("warmth", &[(10, 21.5)]));
        let plain = server.post(path, &[PROTOBUF], &body);
        empty_answer(&plain, "application/x-protobuf", "");
        let body = named("shop", &gauge(&format!("packed{index}"), &[(10, 2.0)]));
        let packings = [
            ("gzip", gzip(&body)),
            ("zstd", zstd::bulk::compress(&body, 1).expect("memory can be written")),
        ];
        for (coding, packed) in packings {
            let got = server.post(path, &[PROTOBUF, ("content-encoding", coding)], packed);
            empty_answer(&got, "application/x-protobuf", "");
        }
        ask(&server, &format!("packed{index}"), r#""job":"shop"},"value":[10,"2"]"#);
    }
    ask(&server, "warmth", r#""value":[10,"21.5"]"#);
}

#[test]
fn what_was_acknowledged_outlives_the_server() {
    let server = Server::start();
    let body = histogram("latency", 10, &[1, 0, 2], &[0.5, 10.0]);
    assert_eq!(server.post("/v1/metrics", &[PROTOBUF], body).status, 200);
    let server = server.restart_after_kill();
    ask(&server, "latency_bucket", r#""le":"0.5"},"value":[10,"1"]"#);
    ask(&server, "latency_bucket", r#""le":"+Inf"},"value":[10,"3"]"#);
    ask(&server, "latency_sum", r#""value":[10,"4.5"]"#);
    assert!(server.get("/api/v1/metadata?metric=latency").body.contains("histogram"));
}

#[test]
fn json_is_answered_with_json() {
    let server = Server::start();
    let body = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"http.requests","sum":{
        "aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
        {"asInt":"7","timeUnixNano":"10000000000","startTimeUnixNano":"1000000000",
         "attributes":[{"key":"path","value":{"stringValue":"/"}}]},
        {"asInt":"8"}]}}]}]}]}"#;
    let got = server.post("/v1/metrics", &[JSON], body);
    assert_eq!((got.status, got.header("content-type")), (200, Some("application/json")));
    assert!(got.body.contains(r#"{"partialSuccess":{"rejectedDataPoints":"1","#), "{}", got.body);
    assert!(got.body.contains("data point 1 of metric"), "{}", got.body);
    ask(&server, "http_requests_total", r#""path":"/"},"value":[10,"7"]"#);
    empty_answer(&server.post("/v1/metrics", &[JSON], "{}"), "application/json", "{}");
}

#[test]
fn an_empty_body_is_an_empty_request() {
    let server = Server::start();
    for headers in [&[PROTOBUF][..], &[PROTOBUF, GZIP], &[]] {
        let got = server.post("/v1/metrics", headers, "");
        empty_answer(&got, "application/x-protobuf", "");
    }
    empty_answer(&server.post("/v1/metrics", &[JSON], ""), "application/json", "{}");
}

#[test]
fn a_body_in_pieces_needs_no_length() {
    let server = Server::start();
    let body = gauge("pieces", &[(10, 3.0)]);
    let (first, second) = body.split_at(body.len() / 2);
    let mut request = b"POST /v1/metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
        content-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for piece in [first, second, b""] {
        request.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        request.extend([piece, b"\r\n"].concat());
    }
    assert_eq!(server.raw(&request).status, 200);
    ask(&server, "pieces", r#""value":[10,"3"]"#);
}

#[test]
fn what_cannot_be_read_is_a_status_in_the_form_of_the_request() {
    let server = Server::start();
    let got = server.post("/v1/metrics", &[PROTOBUF], b"\x0a\xff");
    assert_eq!((got.status, got.header("content-type")), (400, Some("application/x-protobuf")));
    assert!(got.body.starts_with("\u{8}\u{3}\u{12}"), "{:?}", got.body);
    assert!(got.body.contains("cannot decode the protobuf message"), "{:?}", got.body);
    let got = server.post("/v1/metrics", &[JSON], r#"{"resourceMetrics":7}"#);
    assert_eq!((got.status, got.header("content-type")), (400, Some("application/json")));
    assert!(got.body.starts_with(r#"{"code":3,"message":"cannot decode the JSON"#), "{}", got.body);
    for headers in [[("content-type", "text/plain")], [("content-encoding", "br")]] {
        assert_eq!(server.post("/v1/metrics", &headers, "x").status, 415);
    }
    let got = server.post("/v1/metrics", &[PROTOBUF, GZIP], bomb());
    assert_eq!(got.status, 413);
    assert!(got.body.contains("--ingest-body-max"), "{:?}", got.body);
    assert_eq!(server.get("/v1/metrics").status, 405);
}

/// Sends messages of gRPC one after the other on one connection.
fn export(server: &Server, coding: &str, messages: &[Vec<u8>]) -> Vec<Answer> {
    let url = &server.url;
    connected(url, |mut sender| async move {
        let mut answers = Vec::new();
        for message in messages {
            let headers = [
                ("content-type", "application/grpc"),
                ("te", "trailers"),
                ("grpc-encoding", coding),
            ];
            let packed = u8::from(coding != "identity");
            let length = u32::try_from(message.len()).expect("a small message").to_be_bytes();
            let body = [&[packed][..], &length, message].concat();
            let post = request(url, "POST", EXPORT, &headers, body);
            answers.push(whole(sender.send_request(post).await.expect("an answer")).await);
        }
        answers
    })
}

fn grpc_status(answer: &Answer) -> &str {
    answer.header("grpc-status").expect("a status")
}

#[test]
fn grpc_is_taken_and_says_what_it_refused() {
    let server = Server::start();
    let good = gauge("warmth", &[(10, 21.5)]);
    let partly = gauge("warmth", &[(9, 20.5), (0, 1.0)]);
    let answers = export(&server, "identity", &[good.clone(), partly, Vec::new()]);
    for answer in &answers {
        assert_eq!((answer.status, grpc_status(answer)), (200, "0"));
        assert_eq!(answer.header("content-type"), Some("application/grpc"));
    }
    assert_eq!(&answers[0].body[..], [0; 5]);
    let told = String::from_utf8_lossy(&answers[1].body);
    assert!(told.contains("data point 1 of metric \"warmth\": data point has no time"), "{told}");
    ask(&server, "warmth[5s]", r#""values":[[9,"20.5"],[10,"21.5"]]"#);
    let packed = [gzip(&gauge("packed", &[(10, 1.0)]))];
    assert_eq!(grpc_status(&export(&server, "gzip", &packed)[0]), "0");
    let packed = zstd::bulk::compress(&gauge("tight", &[(10, 2.0)]), 1).expect("it packs");
    assert_eq!(grpc_status(&export(&server, "zstd", &[packed])[0]), "0");
    ask(&server, "packed+%2B+tight", r#""value":[10,"3"]"#);
}

#[test]
fn grpc_refuses_with_the_codes_that_clients_act_on() {
    let server = Server::start();
    let bad = export(&server, "identity", &[b"\x0a\xff".to_vec()]);
    assert_eq!(grpc_status(&bad[0]), "3");
    assert!(bad[0].header("grpc-message").is_some_and(|text| text.contains("protobuf")));
    let large = export(&server, "gzip", &[bomb()]);
    assert_eq!(grpc_status(&large[0]), "8");
    assert!(large[0].header("grpc-status-details-bin").is_none(), "nothing says: try again");
    let unknown = export(&server, "br", &[bomb()]);
    assert_eq!(grpc_status(&unknown[0]), "12");
    let url = &server.url;
    let plain = connected(url, |mut sender| async move {
        let post = request(url, "POST", EXPORT, &[JSON], "{}");
        whole(sender.send_request(post).await.expect("an answer")).await
    });
    assert_eq!(plain.status, 415);
    assert_eq!(server.get("/-/healthy").status, 200);
}

#[test]
fn http2_takes_otlp_over_http_as_well() {
    let server = Server::start();
    let url = &server.url;
    let answer = connected(url, |mut sender| async move {
        let post = request(url, "POST", "/v1/metrics", &[PROTOBUF], gauge("two", &[(10, 2.0)]));
        whole(sender.send_request(post).await.expect("an answer")).await
    });
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(PROTOBUF.1)));
    ask(&server, "two", r#""value":[10,"2"]"#);
}

/// The ports are the same for everybody on this machine: where somebody has one, the error is seen.
#[test]
fn ports_that_others_know_are_served_where_they_are_free() {
    let hold = |port| TcpListener::bind(("127.0.0.1", port));
    let are_free = hold(4317).is_ok() && hold(4318).is_ok();
    let folder =
        |name: &str| format!("{}/otlp-{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let serve = |data: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--compat-ports", "--data", data])
            .stderr(Stdio::piped());
        command
    };
    let first = folder("first");
    let mut serving = are_free.then(|| serve(&first).spawn().expect("the server starts"));
    if let Some(child) = &mut serving {
        let mut told = std::io::BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut log = String::new();
        while !log.contains("ask ") {
            let count = std::io::BufRead::read_line(&mut told, &mut log).expect("text");
            assert!(count > 0, "the server ended: {log}");
        }
        assert!(log.contains("127.0.0.1:4317 and 127.0.0.1:4318"), "{log}");
        for url in ["http://127.0.0.1:4317", "http://127.0.0.1:4318"] {
            let answer = connected(url, |mut sender| async move {
                let post = request(url, "POST", "/v1/metrics", &[PROTOBUF], "");
                whole(sender.send_request(post).await.expect("an answer")).await
            });
            assert_eq!(answer.status, 200);
        }
    }
    let both = (hold(4317), hold(4318));
    let second = folder("second");
    let refused = serve(&second).output().expect("the command runs");
    drop(both);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    if let Some(mut child) = serving {
        child.kill().expect("the server can be killed");
        child.wait().expect("the server ends");
    }
    for folder in [first, second] {
        // The second has none.
        let _ = std::fs::remove_dir_all(folder);
    }
    assert!(!refused.status.success());
    assert!(said.contains("127.0.0.1:431") && said.contains("--compat-ports"), "{said}");
}
