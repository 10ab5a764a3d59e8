//! Each check is shown a fault that it must find, and a text that it must let pass.

use super::{
    File, charter_faults, dependencies, import_faults, lock_faults, machine_faults, network_faults,
    unsafe_faults, wire_faults,
};

fn check(faults_of: impl Fn(&File) -> Vec<String>, name: &str, text: &str, expected: &[&str]) {
    let found = faults_of(&File::new(name, text));
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (fault, words) in found.iter().zip(expected) {
        assert!(fault.contains(words), "{fault} does not say {words}");
    }
}

#[test]
fn an_import_from_above_is_found() {
    let text = "//! x\nuse crate::model::Labels;\nuse crate::store::Db;\n";
    check(import_faults, "src/query/run.rs", text, &["run.rs:3: query may not import store"]);
    check(import_faults, "src/http/own.rs", text, &[]);
    let text = "fn f() { crate::query::run(); query_lang::parse(); }";
    check(import_faults, "src/store/db.rs", text, &["import query", "import query_lang"]);
    check(import_faults, "src/continuous/rule.rs", text, &[]);
}

#[test]
fn the_top_floors_may_name_those_under_them() {
    let text = "use crate::http::serve; use crate::net::send;";
    check(import_faults, "src/app/wire.rs", text, &[]);
    check(import_faults, "src/net/scrape.rs", text, &["net may not import http"]);
    check(import_faults, "src/app/x.rs", "use crate::cli::run;", &["app may not import cli"]);
    check(import_faults, "src/cli/serve.rs", "use crate::app::run;", &[]);
}

#[test]
fn words_in_comments_and_strings_are_not_imports() {
    let text = "//! not crate::store\nconst A: &str = \"crate::store::Db\"; // crate::store";
    check(import_faults, "src/query/run.rs", text, &[]);
}

#[test]
fn a_group_of_rooms_and_a_way_round_are_found() {
    let text = "use crate::{model::Labels, os::Clock};";
    check(import_faults, "src/store/db.rs", text, &["one `use` a room"]);
    let text = "use super::super::store::Db;";
    check(import_faults, "src/query/run.rs", text, &["write crate::ROOM"]);
    check(import_faults, "src/query/run/fold.rs", text, &[]);
}

#[test]
fn tasks_threads_and_sockets_are_found() {
    let text = "use std::{net::TcpStream, thread};\nasync fn f() { tokio::spawn(g()) }";
    let expected = ["std::net::TcpStream", "std::thread", "async", "tokio::spawn"];
    check(network_faults, "src/store/db.rs", text, &expected);
    check(network_faults, "src/net/fetch.rs", text, &[]);
    let text = "#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(g); } }";
    check(network_faults, "src/store/db.rs", text, &[]);
}

#[test]
fn files_and_clocks_are_found() {
    let text = "use std::fs; fn f() { Instant::now(); fs::read(x); }";
    let expected = ["std::fs", "Instant::now", "fs::read"];
    check(machine_faults, "src/ingest/line.rs", text, &expected);
    check(machine_faults, "src/os/disk.rs", text, &[]);
    let text =
        "fn f() { DataFile::open(x); fs::File::open(x); File::create(x); TheInstant::now(); }";
    check(machine_faults, "src/store/db.rs", text, &["fs::File::open", "File::create"]);
}

#[test]
fn names_of_wire_formats_are_found_as_parts_of_words() {
    let text = "//! As Prometheus does.\nfn influx_line() { temporary::OtlpRows }";
    let expected = ["influx_line", "temporary::OtlpRows"];
    check(wire_faults, "src/store/db.rs", text, &expected);
    check(wire_faults, "src/ingest/line.rs", text, &[]);
}

#[test]
fn missing_charters_logic_at_the_door_and_leftovers_are_found() {
    check(charter_faults, "src/math/sum.rs", "fn f() {}", &["what it is for"]);
    check(charter_faults, "src/math/mod.rs", "//! Sums.\nfn f() {}", &["no logic"]);
    check(charter_faults, "src/math/sum.rs", "//! Sums.\n// TODO: all", &["file it"]);
    check(charter_faults, "src/math/mod.rs", "//! Sums.\npub use sum::Sum;", &[]);
}

#[test]
fn unsafe_elsewhere_is_found() {
    let text = "#![expect(unsafe_code, reason = \"x\")]\nfn f() { unsafe { g() } }";
    check(unsafe_faults, "src/store/db.rs", text, &["outside os/mapped.rs"]);
    check(unsafe_faults, "src/os/mapped.rs", text, &[]);
}

#[test]
fn banned_crates_are_found_by_whole_name() {
    let lock = "[[package]]\nname = \"nalgebra\"\n[[package]]\nname = \"nalgebra-not\"\n";
    assert_eq!(lock_faults(lock).len(), 1);
}

#[test]
fn dependencies_are_read_from_every_list() {
    let manifest = "[workspace.dependencies]\nnom = { version = \"8\" }\n[dependencies]\n\
                    thiserror.workspace = true\n# a = 1\n[lints]\nx = 1\n[dev-dependencies]\n\
                    proptest = \"1\"\nquery-lang = { path = \"query-lang\" }\n";
    assert_eq!(dependencies(manifest), ["nom", "thiserror", "proptest"]);
}
