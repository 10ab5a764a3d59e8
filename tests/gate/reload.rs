//! A configuration is exchanged whole or not at all, and no request notices.

#![expect(
    clippy::disallowed_methods,
    reason = "waits for other processes and writes what they read"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::{Folder, Server, configured, eventually, put, refused};

fn file(timeout: &str, more: &str) -> String {
    format!("query:\n  timeout: {timeout}\n{more}")
}

fn has_timeout(server: &Server, timeout: &str) -> bool {
    let flags = server.get("/api/v1/status/flags").body;
    flags.contains(&format!("\"query-timeout\":\"{timeout}\""))
}

#[test]
fn a_good_file_is_applied_and_a_bad_one_is_not() {
    let (server, path) = configured(&file("11s", ""));
    assert!(has_timeout(&server, "11s"));
    let write = |text: &str| std::fs::write(&path, text).expect("the file can be written");
    write(&file("12s", "storage:\n  retention: 30d\n"));
    let got = server.post("/-/reload", &[], "");
    let told = r#""changed":["query.timeout"],"needs_restart":["storage.retention"]"#;
    refused(&got, 200, told);
    assert!(has_timeout(&server, "12s"));
    write(&file("13s", "nonsense: 1\n"));
    refused(&server.post("/-/reload", &[], ""), 500, "quipu.yml:3:1: unknown key");
    assert!(has_timeout(&server, "12s"));
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("\nquipu_config_last_reload_successful 0\n"), "{metrics}");
    let shown = server.get("/api/v1/status/runtimeinfo").body;
    assert!(shown.contains(r#""reloadConfigSuccess":false"#), "{shown}");
    write(&file("14s", ""));
    server.signal("-HUP");
    eventually("the signal reloads", || has_timeout(&server, "14s"));
    eventually("the metric says so", || {
        server.get("/metrics").body.contains("\nprometheus_config_last_reload_successful 1\n")
    });
    refused(&server.post("/-/quit", &[], ""), 403, "--allow-quit");
    write(&file("14s", "server:\n  allow_quit: true\n"));
    refused(&server.post("/-/reload", &[], ""), 200, "server.allow_quit");
    refused(&server.post("/-/quit", &[], ""), 200, "Goodbye");
}

/// Requests over connections of their own while the configuration changes all the time.
#[test]
fn no_request_is_dropped_by_reloads_under_load() {
    let folder = Folder::next();
    let path = put(&folder, "quipu.yml", &file("20s", ""));
    let server = Server::start_on_with(folder, &["--config", &path, "--collect"]);
    let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let lanes: Vec<_> = (0..4)
        .map(|lane| {
            let (is_over, answered) = (Arc::clone(&is_over), Arc::clone(&answered));
            let client = server.client();
            thread::spawn(move || {
                let mut number = 0;
                while !is_over.load(Ordering::Relaxed) {
                    number += 1;
                    let row = format!("load,lane={lane} n={number} {number}");
                    let wrote = client.send("POST", "/write?precision=s", &[], row.as_bytes());
                    assert_eq!(wrote.status, 204, "{}", wrote.body);
                    let asked = client.get("/api/v1/query?query=count(load_n)&time=1");
                    assert_eq!(asked.status, 200, "{}", asked.body);
                    answered.fetch_add(2, Ordering::Relaxed);
                }
                number
            })
        })
        .collect();
    for round in 0..20 {
        let before = answered.load(Ordering::Relaxed);
        let timeout = format!("{}s", 21 + round);
        let limits = format!(
            "ingest:\n  memory_max: {}MiB\ncollect:\n  interval: {}s\n",
            64 + round,
            1 + round
        );
        std::fs::write(&path, file(&timeout, &limits)).expect("the file can be written");
        if round % 2 == 0 {
            server.signal("-HUP");
            eventually("the signal reloads", || has_timeout(&server, &timeout));
        } else {
            assert_eq!(server.post("/-/reload", &[], "").status, 200);
            assert!(has_timeout(&server, &timeout));
        }
        eventually("requests go on", || answered.load(Ordering::Relaxed) > before + 8);
    }
    is_over.store(true, Ordering::Relaxed);
    let written: i32 = lanes.into_iter().map(|lane| lane.join().expect("no request failed")).sum();
    let counted = server.get(&format!(
        "/api/v1/query?query=sum(count_over_time(load_n[{written}s]))&time={written}"
    ));
    assert!(counted.body.contains(&format!("\"{written}\"")), "{written}: {}", counted.body);
}
