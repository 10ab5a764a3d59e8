//! Every file of the fuzz corpus once more, on stable Rust: what a fuzzer or an attacker once found
//! stays found.

#![expect(clippy::disallowed_methods, reason = "a test reads its own files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files should fail")]

#[path = "../fuzz/src/codec.rs"]
mod codec;
#[path = "../fuzz/src/gate.rs"]
mod gate;
#[path = "../fuzz/src/ingest.rs"]
mod ingest;
#[path = "../fuzz/src/language.rs"]
mod language;
#[path = "../fuzz/src/pairs.rs"]
mod pairs;
#[path = "../fuzz/src/scrape.rs"]
mod scrape;
#[path = "../fuzz/src/store.rs"]
mod store;

use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        eprintln!("{}", path.display());
        run(&std::fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "no corpus in {}", folder.display());
}

#[test]
fn remote_write_v1() {
    replay("remote_write_v1", ingest::remote_write_v1);
}

#[test]
fn remote_write_v2() {
    replay("remote_write_v2", ingest::remote_write_v2);
}

#[test]
fn line_protocol() {
    replay("line_protocol", ingest::line_protocol);
}

#[test]
fn exposition() {
    replay("exposition", ingest::exposition);
}

#[test]
fn otlp() {
    replay("otlp", ingest::otlp);
}

#[test]
fn json_lines() {
    replay("json_lines", ingest::json_lines);
}

#[test]
fn csv() {
    replay("csv", ingest::csv);
}

#[test]
fn push() {
    replay("push", ingest::push);
}

#[test]
fn snappy() {
    replay("snappy", ingest::snappy);
}

#[test]
fn wal_segment() {
    replay("wal_segment", store::wal_segment);
}

#[test]
fn catalog_file() {
    replay("catalog_file", store::catalog_file);
}

#[test]
fn backup_record() {
    replay("backup_record", store::backup_record);
}

#[test]
fn manifest_file() {
    replay("manifest_file", store::manifest_file);
}

#[test]
fn data_file() {
    replay("data_file", store::data_file);
}

#[test]
fn matchers() {
    replay("matchers", store::matchers);
}

#[test]
fn columns() {
    replay("columns", codec::columns);
}

#[test]
fn question() {
    replay("question", language::question);
}

#[test]
fn pair() {
    replay("pair", pairs::pair);
}

#[test]
fn target_list() {
    replay("target_list", scrape::targets);
}

#[test]
fn dns_answer() {
    replay("dns_answer", scrape::dns);
}

#[test]
fn configuration() {
    replay("configuration", gate::configuration);
}

#[test]
fn credential() {
    replay("credential", gate::credential);
}

#[test]
fn certificate() {
    replay("certificate", gate::certificate);
}

#[test]
fn tsdb_chunk() {
    replay("tsdb_chunk", ingest::tsdb_chunk);
}

#[test]
fn tsdb_index() {
    replay("tsdb_index", ingest::tsdb_index);
}

#[test]
fn remote_read() {
    replay("remote_read", ingest::remote_read);
}
