//! Backups of the real server, by its own commands.

use std::path::Path;

use super::{ok, refused, server::Server};

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

fn rows(server: &Server, from: u32, count: u32) {
    let line = |n: u32| format!("room,n={n} warmth={n} {}", 1000 + n);
    let lines = (from..from + count).map(line).collect::<Vec<_>>().join("\n");
    assert_eq!(server.post("/write?precision=ms", &[], lines).status, 204);
}

/// The value of one number, or none.
fn count(server: &Server) -> String {
    server.get("/api/v1/query?query=count(room_warmth)&time=2").body
}

#[test]
fn a_server_is_backed_up_checked_pruned_and_restored() {
    let server = Server::start();
    let place = format!("{}-backups", server.data());
    let restored = format!("{}-restored", server.data());
    rows(&server, 0, 30);
    let words = ["backup", "create", "--url", &server.url, "--to", &place];
    let first = server.quipu(&words);
    assert_eq!(first.code, 0, "{}", first.stderr);
    rows(&server, 30, 20);
    let flushed = server.post("/api/v1/admin/flush", FORM, "");
    ok(&flushed, "success");
    let got = server.post("/api/v1/admin/backup", &[], format!(r#"{{"to":"{place}"}}"#));
    ok(&got, r#""stored_bytes":"#);
    let listed = server.quipu(&["backup", "list", "--from", &place, "--format", "csv"]);
    assert_eq!(listed.stdout.lines().count(), 3, "{}{}", listed.stdout, listed.stderr);
    assert!(listed.stdout.contains(first.stdout.trim()));
    let verified = server.quipu(&["backup", "verify", "--from", &place, "--deep"]);
    assert_eq!((verified.code, verified.stdout.as_str()), (0, ""), "{}", verified.stderr);

    // The first as it was, although there is a later one.
    let words = ["restore", "--from", &place, "--backup", first.stdout.trim(), "--data", &restored];
    let done = server.quipu(&words);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let again = server.quipu(&words);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);
    let other = Server::start_at(Path::new(&restored));
    assert!(count(&other).contains(r#""value":[2,"30"]"#));
    drop(other);

    let words = ["backup", "prune", "--from", &place, "--keep-last", "1", "--format", "csv"];
    let pruned = server.quipu(&words);
    assert!(pruned.stdout.contains(",removed\n"), "{}{}", pruned.stdout, pruned.stderr);
    let got = server.get("/metrics");
    assert!(got.body.contains("\nquipu_backup_done_total 2\n"), "{}", got.body);
    std::fs::remove_dir_all(&place).unwrap();
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let server = Server::start();
    refused(&server.post("/api/v1/admin/backup", &[], ""), 400, "--backup-to");
    refused(&server.post("/api/v1/admin/backup", FORM, "to=elsewhere"), 400, "whole path");
    refused(&server.post("/api/v1/admin/backup", &[], r#"{"too":1}"#), 400, "like {");
    // What others keep there is left alone.
    let theirs = format!("to={}", server.data());
    refused(&server.post("/api/v1/admin/backup", FORM, &theirs), 400, "holds other things");
    let stranger = [("host", "evil.example")];
    assert_eq!(server.post("/api/v1/admin/backup", &stranger, "").status, 403);
    let words = ["backup", "list", "--from", server.data()];
    let listed = server.quipu(&words);
    assert_eq!(listed.code, 1);
    assert!(listed.stderr.contains("holds no backups"), "{}", listed.stderr);
    let pruned = server.quipu(&["backup", "prune", "--from", server.data()]);
    assert_eq!(pruned.code, 2, "{}", pruned.stderr);
}

#[test]
fn a_snapshot_is_named_as_prometheus_names_it_and_loads() {
    let server = Server::start();
    rows(&server, 0, 5);
    let got = server.post("/api/v1/admin/tsdb/snapshot?skip_head=false", &[], "");
    ok(&got, r#""status":"success""#);
    let name = got.body.split(r#""name":""#).nth(1).and_then(|rest| rest.split('"').next());
    let folder = format!("{}/snapshots/{}", server.data(), name.unwrap());
    let other = Server::start_at(Path::new(&folder));
    assert!(count(&other).contains(r#""value":[2,"5"]"#));
    refused(&server.post("/api/v1/admin/tsdb/snapshot?skip_head=x", &[], ""), 400, "skip_head");
}
