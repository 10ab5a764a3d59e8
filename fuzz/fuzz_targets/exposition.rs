#![no_main]

#[path = "../src/ingest.rs"]
#[expect(dead_code, reason = "each target calls one of them")]
mod ingest;

libfuzzer_sys::fuzz_target!(|body: &[u8]| ingest::exposition(body));
