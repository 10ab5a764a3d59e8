//! Every file of the fuzz corpus once more, on stable Rust: what a fuzzer or an attacker once found
//! stays found.

#![expect(clippy::disallowed_methods, reason = "a test reads its own files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files should fail")]

#[path = "../fuzz/src/ingest.rs"]
mod ingest;

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
fn snappy() {
    replay("snappy", ingest::snappy);
}
