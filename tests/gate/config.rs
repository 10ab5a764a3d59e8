//! The file, as the command line and the server read it.

use std::rc::Rc;

use super::{Folder, Server, configured, put};

#[test]
fn a_file_is_checked_printed_and_converted() {
    let folder = Folder::next();
    let good = put(&folder, "good.yml", "query:\n  timeout: 7s\n");
    let bad = put(&folder, "bad.yml", "query:\n  timeoutt: 7s\nstorage: {sync: 7}\n");
    let checked = folder.quipu(&["config", "check", &good]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let checked = folder.quipu(&["config", "check", &bad]);
    assert_eq!((checked.code, checked.stdout.as_str()), (1, ""));
    assert!(checked.stderr.contains("bad.yml:2:3 ]"), "{}", checked.stderr);
    assert!(checked.stderr.contains("╰─ did you mean timeout?"), "{}", checked.stderr);
    assert!(checked.stderr.contains("2 faults"), "{}", checked.stderr);
    let printed =
        folder.quipu(&["config", "print", "--config", &good, "--origin", "--query-lookback", "9s"]);
    assert!(printed.stdout.contains("timeout: 7s  # "), "{}", printed.stdout);
    assert!(printed.stdout.contains("good.yml:2\n"), "{}", printed.stdout);
    assert!(printed.stdout.contains("lookback: 9s  # --query-lookback"), "{}", printed.stdout);
    let schema = folder.quipu(&["config", "schema"]);
    assert!(schema.stdout.contains("\"external_url\""), "{}", schema.stderr);
    let theirs = put(&folder, "prometheus.yml", "scrape_configs: []\nremote_read: []\n");
    let converted = folder.quipu(&["config", "convert", &theirs]);
    assert_eq!(converted.code, 0);
    assert!(converted.stderr.contains("remote_read: commented out"), "{}", converted.stderr);
    let ours = put(&folder, "converted.yml", &converted.stdout);
    assert_eq!(folder.quipu(&["config", "check", &ours]).code, 0);
    let started = folder.quipu(&["serve", "--config", &bad, "--data", folder.path()]);
    assert_eq!(started.code, 1);
    assert!(started.stderr.contains("bad.yml:3:17 ]"), "{}", started.stderr);
}

#[test]
fn a_server_shows_what_is_in_effect_without_its_secrets() {
    let text = "query:\n  timeout: 7s\naccess:\n  tokens:\n  \
                - {name: a, token: canary-0123456789, scopes: [read]}\n";
    let (server, _) = configured(text);
    let token = [("authorization", "Bearer canary-0123456789")];
    for path in ["/api/v1/status/config", "/api/v1/status/flags", "/metrics"] {
        let got = server.send("GET", path, &token, b"");
        assert_eq!(got.status, 200, "{}", got.body);
        assert!(!got.body.contains("canary"), "{}", got.body);
    }
    let shown = server.send("GET", "/api/v1/status/config", &token, b"");
    assert!(shown.body.contains("timeout: 7s"), "{}", shown.body);
    assert!(shown.body.contains("token: <secret>"), "{}", shown.body);
}

#[test]
fn a_path_in_front_of_all_is_taken_off() {
    let folder = Folder::next();
    let url = "https://metrics.example.com/quipu/";
    let server = Server::start_on_with(Rc::clone(&folder), &["--external-url", url]);
    for path in ["/quipu/api/v1/query?query=1%2B1", "/api/v1/query?query=1%2B1"] {
        assert!(server.get(path).body.contains("\"2\""), "{path}");
    }
    assert_eq!(server.get("/quipu").status, 200);
    assert_eq!(server.get("/quipu/ready").status, 200);
    assert_eq!(server.get("/quipuready").status, 404);
    let host = [("host", "metrics.example.com")];
    assert_eq!(server.send("POST", "/quipu/-/reload", &host, b"").status, 200);
}
