//! Who gets in, and by which configuration: the real server, asked by clients and by curl.

#![expect(clippy::expect_used, reason = "what cannot be is a failed test")]

#[path = "http/server.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod server;

#[path = "gate/access.rs"]
mod access;
#[path = "gate/config.rs"]
mod config;
#[path = "gate/reload.rs"]
mod reload;
#[path = "gate/tls.rs"]
mod tls;

use std::{
    io::Write,
    process::{Command, Stdio},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use server::{Folder, Got, Server};

/// Nothing takes this long; a hanging test says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again until the answer is as it should be.
#[expect(clippy::disallowed_methods, reason = "a test over real time")]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A folder with a file in it.
#[expect(clippy::disallowed_methods, reason = "a test's own files")]
fn put(folder: &Folder, name: &str, text: &str) -> String {
    std::fs::create_dir_all(folder.path()).expect("a folder can be made");
    let path = format!("{}/{name}", folder.path());
    std::fs::write(&path, text).expect("a file can be written");
    path
}

/// A server on a configuration.
fn configured(text: &str) -> (Server, String) {
    let folder = Folder::next();
    let file = put(&folder, "quipu.yml", text);
    (Server::start_on_with(Rc::clone(&folder), &["--config", &file]), file)
}

/// Runs a command of the program with something to read.
fn quipu_reading(words: &[&str], text: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quipu"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    input.write_all(text.as_bytes()).expect("the command reads");
    drop(input);
    let output = child.wait_with_output().expect("the command ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn refused(got: &Got, status: u16, says: &str) {
    assert_eq!(got.status, status, "{}", got.body);
    assert!(got.body.contains(says), "{:?} is not in {}", says, got.body);
}
