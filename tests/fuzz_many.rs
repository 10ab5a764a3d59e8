//! Millions of questions, and of rows with questions about them, in one process and on stable Rust.
//!
//! Inputs are made from a seed: what is nearly a question, what is none, and what came before, changed.
//! `make test` runs some thousands. `tools/ci/fuzz.sh` says how to run millions.

#![expect(clippy::disallowed_methods, reason = "a test measures real time and reads its own files")]
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::print_stdout, reason = "what was run is told")]
#![expect(clippy::cast_possible_truncation, reason = "the numbers are small")]

#[path = "../fuzz/src/language.rs"]
mod language;
#[path = "../fuzz/src/pairs.rs"]
mod pairs;
#[path = "fuzz/texts.rs"]
mod texts;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use texts::Maker;

/// Inputs where nothing is said; the bytes that one has at most; the time that one may take.
const COUNT: u64 = 20_000;
const BYTES_MAX: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(5);
/// What takes longer is run again.
const SLOW: Duration = Duration::from_millis(200);

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs so many inputs on all cores; each thread has a seed of its own.
fn run(name: &str, target: fn(&[u8]), make: fn(&mut Maker) -> Vec<u8>) {
    let (count, seed) = (variable("FUZZ_INPUTS", COUNT), variable("FUZZ_SEED", 1));
    let threads = variable("FUZZ_THREADS", 2);
    let (slowest, parsed) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (slowest, parsed) = (&slowest, &parsed);
            scope.spawn(move || {
                let mut maker = Maker::new(seed * 1000 + thread, corpus(name));
                for _ in 0..count / threads {
                    let input = make(&mut maker);
                    let input = &input[..input.len().min(BYTES_MAX)];
                    let from = Instant::now();
                    let held = catch_unwind(AssertUnwindSafe(|| target(input)));
                    let text = String::from_utf8_lossy(input);
                    assert!(held.is_ok(), "{name} panics on {input:?}: {text}");
                    let mut took = from.elapsed();
                    if took > SLOW {
                        // Once more: others may have had the processor.
                        let from = Instant::now();
                        target(input);
                        took = took.min(from.elapsed());
                    }
                    assert!(took < PATIENCE, "{name} takes {took:?} for {input:?}");
                    slowest.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
                    parsed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (took, done) = (began.elapsed().as_secs_f64(), parsed.into_inner());
    println!(
        "{name}: {done} inputs in {took:.0} s, the slowest {} µs, memory {} KiB at most",
        slowest.into_inner(),
        memory_kib(),
    );
}

/// The most that the process has had.
fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What is known of a target, to be changed.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.sort();
    files.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

#[test]
fn no_question_is_too_much_for_the_parser() {
    run("question", language::question, Maker::question);
}

#[test]
fn no_question_about_any_rows_is_too_much_for_the_engine() {
    run("pair", pairs::pair, Maker::pair);
    assert!(memory_kib() < 2 << 20, "memory is bounded");
}
