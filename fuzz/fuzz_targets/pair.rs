#![no_main]

#[path = "../src/pairs.rs"]
mod pairs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pairs::pair(bytes));
