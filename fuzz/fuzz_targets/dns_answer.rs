#![no_main]

#[path = "../src/scrape.rs"]
#[expect(dead_code, reason = "each target calls one of them")]
mod scrape;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scrape::dns(bytes));
