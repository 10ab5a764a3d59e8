#![no_main]

#[path = "../src/store.rs"]
#[expect(dead_code, reason = "each target calls one of them")]
mod store;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| store::backup_record(bytes));
