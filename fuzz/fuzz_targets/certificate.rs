#![no_main]

#[path = "../src/gate.rs"]
#[expect(dead_code, reason = "each target calls one of them")]
mod gate;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gate::certificate(bytes));
