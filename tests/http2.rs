//! HTTP/2 without TLS on the port where HTTP/1 is spoken.

#[path = "http/h2.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod h2;
#[path = "http/server.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod server;

use h2::{connected, request, whole};
use server::Server;

#[test]
fn one_port_speaks_both() {
    let server = Server::start();
    let url = &server.url;
    let answers = connected(url, |mut sender| async move {
        let post = request(url, "POST", "/write?precision=s", &[], "room warmth=21.5 1");
        let written = whole(sender.send_request(post).await.expect("an answer")).await;
        let get = request(url, "GET", "/api/v1/query?query=room_warmth&time=1", &[], "");
        [written, whole(sender.send_request(get).await.expect("an answer")).await]
    });
    assert_eq!(answers[0].status, 204);
    assert!(answers[1].body.ends_with(br#""value":[1,"21.5"]}]}}"#), "{:?}", answers[1].body);
    assert!(server.get("/api/v1/query?query=room_warmth&time=1").body.contains("21.5"));
}

#[test]
fn many_requests_share_a_connection() {
    let server = Server::start();
    let url = &server.url;
    let statuses = connected(url, |sender| async move {
        let mut running = tokio::task::JoinSet::new();
        for index in 0..500 {
            let mut sender = sender.clone();
            let post =
                request(url, "POST", "/write?precision=s", &[], format!("many v={index} {index}"));
            running.spawn(async move {
                sender.ready().await.expect("the connection stays");
                sender.send_request(post).await.expect("an answer").status().as_u16()
            });
        }
        running.join_all().await
    });
    assert_eq!(statuses, vec![204; 500]);
    let got = server.get("/api/v1/query?query=count_over_time(many_v[1000s])&time=600");
    assert!(got.body.contains(r#""value":[600,"500"]"#), "{}", got.body);
}

#[test]
fn a_head_too_large_is_refused_and_the_connection_stays() {
    let server = Server::start();
    let url = &server.url;
    let long = "x".repeat(200 << 10);
    let (large, after) = connected(url, |mut sender| async move {
        let large = request(url, "GET", "/-/healthy", &[("x-large", &long)], "");
        let large = sender.send_request(large).await;
        let _ = sender.ready().await;
        let get = request(url, "GET", "/-/healthy", &[], "");
        (large.map(|it| it.status().as_u16()), sender.send_request(get).await.map(|it| it.status()))
    });
    assert!(large.as_ref().map_or(true, |status| *status == 431), "{large:?}");
    assert!(large.is_err() || after.is_ok_and(|status| status == 200));
    assert_eq!(server.get("/-/healthy").status, 200);
}

/// Thousands of requests, each reset as soon as it is sent: the connection ends, the server goes on.
#[test]
fn a_rapid_reset_ends_the_connection_only() {
    let server = Server::start();
    let url = &server.url;
    let ended = connected(url, |sender| async move {
        for _ in 0..20_000 {
            let mut sender = sender.clone();
            if sender.ready().await.is_err() {
                return true;
            }
            let get = request(url, "GET", "/api/v1/query?query=1", &[], "");
            // Dropped after one look: hyper sends RST_STREAM.
            let _ = tokio::time::timeout(std::time::Duration::ZERO, sender.send_request(get)).await;
        }
        false
    });
    // Ended or not: nobody else may notice.
    assert_eq!(server.get("/-/healthy").status, 200, "connection ended: {ended}");
    assert!(server.get("/api/v1/query?query=1").body.contains("success"));
}
