//! Files of bytes that must never change.
#![expect(clippy::unwrap_used, reason = "a test that cannot write its files may stop")]
#![expect(clippy::disallowed_methods, reason = "a test's own files, not the database's")]

use std::path::{Path, PathBuf};
use std::{env, fs};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The bytes of a golden file, after seeing that `written` is the same.
pub(crate) fn same_bytes(name: &str, written: &[u8]) -> Vec<u8> {
    let path = path(name);
    if !path.exists() && env::var_os("GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, written).unwrap();
    }
    let golden = read(name);
    assert_eq!(written, golden, "{name}: writing gives other bytes");
    golden
}

/// The bytes of a golden file.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let path = path(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of all golden files in a folder and those below it, sorted.
pub(crate) fn names(folder: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(path(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let list = if entry.path().is_dir() { &mut folders } else { &mut names };
            list.push(name);
        }
    }
    names.sort();
    names
}
