//! The house stands on floors: a room imports only what its row names.
//!
//! The table is the floor plan of docs/architecture.md. Where a check stops you, the thing you reach
//! for most likely lives on the wrong floor: a constant, a small type, a trait. Move it down.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[path = "house/code.rs"]
mod code;
#[path = "house/planted.rs"]
mod planted;

use code::{code_of, parts, paths, without_tests};

struct Room {
    name: &'static str,
    floor: u8,
    may: &'static [&'static str],
}

const fn room(floor: u8, name: &'static str, may: &'static [&'static str]) -> Room {
    Room { name, floor, may }
}

/// What `http` and `net` may import; `app` and `cli` may import those two as well.
const BELOW_HTTP: &[&str] = &[
    "query_lang",
    "model",
    "codec",
    "os",
    "math",
    "query",
    "ingest",
    "export",
    "access",
    "store",
    "dashboard",
    "continuous",
    "collect",
    "apm",
    "advise",
    "alert",
    "load",
];

/// Each room from the ground up: its floor, its name, and the rooms it may name.
const ROOMS: &[Room] = &[
    room(2, "query_lang", &[]),
    room(2, "model", &[]),
    room(2, "codec", &[]),
    room(2, "os", &[]),
    room(3, "math", &["model"]),
    room(4, "query", &["model", "math", "query_lang"]),
    room(4, "ingest", &["model", "math"]),
    room(4, "export", &["model", "codec", "math"]),
    room(4, "access", &["model"]),
    room(4, "store", &["model", "math", "codec", "os"]),
    room(5, "dashboard", &["model", "query"]),
    room(5, "continuous", &["model", "math", "query", "query_lang"]),
    room(5, "collect", &["model", "ingest", "os"]),
    room(6, "apm", &["model", "math", "query", "continuous"]),
    room(6, "advise", &["model", "math", "query", "continuous"]),
    room(6, "alert", &["model", "math", "query", "continuous"]),
    room(6, "load", &["model", "math", "query"]),
    room(7, "http", BELOW_HTTP),
    room(7, "net", BELOW_HTTP),
    room(8, "app", BELOW_HTTP),
    room(9, "cli", BELOW_HTTP),
];

/// Files longer than [`LINES_MAX`], and why each is one thing.
const LONG_FILES: &[(&str, &str)] = &[];
const LINES_MAX: usize = 500;

/// Crates that must not come in by a back door: docs/dependencies.md says why each.
const BANNED_CRATES: &[&str] = &["aws-lc-sys", "openssl-sys", "nalgebra", "datafusion"];

/// Products and formats the engine has never heard of.
const WIRE_NAMES: &[&str] = &[
    "influx",
    "influxdb",
    "prometheus",
    "otlp",
    "opentelemetry",
    "openmetrics",
    "victoriametrics",
    "graphite",
    "statsd",
    "opentsdb",
    "jaeger",
    "zipkin",
    "tempo",
    "pyroscope",
    "pprof",
    "sentry",
    "grafana",
    "protobuf",
];
const ENGINE: &[&str] = &["model", "codec", "store", "query"];

/// The first words of what is asynchronous or opens sockets.
const NETWORK_CRATES: &[&str] =
    &["tokio", "hyper", "hyper_util", "axum", "tower", "h2", "rustls", "futures", "async"];

#[test]
fn every_room_imports_only_from_its_row() -> io::Result<()> {
    no_faults(rust_files("src")?.iter().flat_map(import_faults))
}

#[test]
fn the_language_stands_alone() -> io::Result<()> {
    let files = rust_files("query-lang/src")?;
    no_faults(files.iter().flat_map(|file| {
        let named = paths(&file.code).into_iter().filter(|(_, path)| first(path) == "quipu");
        named.map(|(line, path)| file.fault(line, &format!("the language may not name {path}")))
    }))
}

#[test]
fn every_folder_is_in_the_table_and_every_row_has_one() -> io::Result<()> {
    let mut folders = Vec::new();
    for entry in fs::read_dir("src")? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    folders.push("query_lang".into());
    folders.sort();
    let mut rows: Vec<&str> = ROOMS.iter().map(|room| room.name).collect();
    rows.sort_unstable();
    assert_eq!(folders, rows, "left: folders of src/ and the language; right: the table");
    Ok(())
}

#[test]
fn rows_name_only_lower_floors() {
    for room in ROOMS {
        for name in room.may {
            let floor = find(name).map(|other| other.floor);
            assert!(
                floor < Some(room.floor) && floor.is_some(),
                "{} may not name {name}",
                room.name
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() -> io::Result<()> {
    let mut files = rust_files("src")?;
    files.extend(rust_files("query-lang/src")?);
    no_faults(files.iter().flat_map(charter_faults))
}

#[test]
fn only_the_top_floors_are_async_open_sockets_or_spawn() -> io::Result<()> {
    no_faults(rust_files("src")?.iter().flat_map(network_faults))
}

#[test]
fn only_os_touches_files_and_clocks() -> io::Result<()> {
    no_faults(rust_files("src")?.iter().flat_map(machine_faults))
}

#[test]
fn the_engine_has_never_heard_of_a_wire_format() -> io::Result<()> {
    no_faults(rust_files("src")?.iter().flat_map(wire_faults))
}

#[test]
fn unsafe_stands_in_one_file() -> io::Result<()> {
    let mut files = rust_files("src")?;
    files.extend(rust_files("query-lang/src")?);
    no_faults(files.iter().flat_map(unsafe_faults))
}

#[test]
fn long_files_are_listed_with_a_reason() -> io::Result<()> {
    let mut files = rust_files("src")?;
    files.extend(rust_files("query-lang/src")?);
    files.extend(rust_files("tests")?);
    for (name, reason) in LONG_FILES {
        assert!(!reason.is_empty(), "{name} is long without a reason");
        let is_long = files.iter().any(|file| file.name == *name && file.lines > LINES_MAX);
        assert!(is_long, "{name} is not long any more: take it off the list");
    }
    let long = files.iter().filter(|file| file.lines > LINES_MAX);
    let unlisted = long.filter(|file| LONG_FILES.iter().all(|(name, _)| file.name != *name));
    no_faults(unlisted.map(|file| format!("{} has {} lines", file.name, file.lines)))
}

#[test]
fn no_banned_crate_is_in_the_lock() -> io::Result<()> {
    no_faults(lock_faults(&fs::read_to_string("Cargo.lock")?).into_iter())
}

#[test]
fn every_dependency_has_a_line_of_why_and_every_line_a_dependency() -> io::Result<()> {
    let page = fs::read_to_string("docs/dependencies.md")?;
    let manifests =
        fs::read_to_string("Cargo.toml")? + &fs::read_to_string("query-lang/Cargo.toml")?;
    let names = dependencies(&manifests);
    for name in &names {
        let row = format!("| `{name}` |");
        assert!(page.contains(&row), "docs/dependencies.md has no row that begins {row}");
    }
    for name in page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()) {
        let is_known = names.contains(&name) || BANNED_CRATES.contains(&name);
        assert!(is_known, "docs/dependencies.md has a row of {name}, which nothing depends on");
    }
    Ok(())
}

/// A source file as the checks see it.
struct File {
    name: String,
    room: String,
    lines: usize,
    text: String,
    code: String,
    product: String,
}

impl File {
    fn new(name: &str, text: &str) -> Self {
        let code = code_of(text);
        let inside = name.strip_prefix("src/").unwrap_or(name);
        let room = inside.split_once('/').map_or("", |(room, _)| room);
        let is_test = name.ends_with("/tests.rs") || name.contains("/tests/");
        Self {
            name: name.to_owned(),
            room: room.to_owned(),
            lines: text.lines().count(),
            text: text.to_owned(),
            product: if is_test { String::new() } else { without_tests(&code) },
            code,
        }
    }

    fn fault(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.name)
    }

    fn is_in(&self, rooms: &[&str]) -> bool {
        rooms.contains(&self.room.as_str())
    }

    /// How many modules lie between the crate's root and this file's module, that one counted.
    fn depth(&self) -> usize {
        let inside = self.name.trim_start_matches("src/").trim_end_matches("/mod.rs");
        inside.split('/').count()
    }
}

/// Rooms that the file names and its row does not; groups of rooms in one `use`.
fn import_faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    if file.room.is_empty() {
        return faults;
    }
    let row = find(&file.room);
    for (line, path) in paths(&file.code) {
        let Some(named) = room_named(&path) else { continue };
        let top = file.is_in(&["app", "cli"]) && ["http", "net", "app"].contains(&named);
        let allowed = named == file.room || row.is_some_and(|row| row.may.contains(&named));
        if !(allowed || top && named != "cli") {
            faults.push(file.fault(line, &format!("{} may not import {named}", file.room)));
        }
    }
    for (line, path) in paths(&file.product) {
        let ups = path.split("::").take_while(|segment| *segment == "super").count();
        if ups >= file.depth() {
            faults.push(file.fault(line, "names the house by super: write crate::ROOM"));
        }
    }
    for (number, line) in file.code.lines().enumerate() {
        if line.split_whitespace().collect::<String>().contains("crate::{") {
            faults.push(file.fault(number + 1, "one `use` a room, not crate::{…}"));
        }
    }
    faults
}

fn charter_faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    if !file.text.starts_with("//! ") {
        faults.push(file.fault(1, "does not begin with what it is for (//!)"));
    }
    if file.name.ends_with("/mod.rs") {
        let logic = paths(&file.product).into_iter().filter(|(_, path)| path == "fn");
        faults.extend(logic.map(|(line, _)| file.fault(line, "mod.rs holds doors, no logic")));
    }
    for (number, line) in file.text.lines().enumerate() {
        if ["TODO", "FIXME", "XXX"].iter().any(|mark| line.contains(mark)) {
            faults.push(file.fault(number + 1, "do it, or file it"));
        }
    }
    faults
}

fn network_faults(file: &File) -> Vec<String> {
    if file.is_in(&["http", "net", "app", "cli", ""]) {
        return Vec::new();
    }
    let is_network = |path: &str| {
        NETWORK_CRATES.contains(&first(path))
            || under(path, "std::net")
            || under(path, "std::thread")
            || ["thread::spawn", "thread::scope", "thread::Builder", "thread::sleep"]
                .contains(&path)
    };
    let named = paths(&file.product).into_iter().filter(|(_, path)| is_network(path));
    named.map(|(line, path)| file.fault(line, &format!("{path} below http and net"))).collect()
}

fn machine_faults(file: &File) -> Vec<String> {
    if file.is_in(&["os", "app", "cli", ""]) {
        return Vec::new();
    }
    let is_machine = |path: &str| {
        under(path, "std::fs")
            || path.starts_with("fs::")
            || ends(path, "SystemTime::now")
            || ends(path, "Instant::now")
            || ends(path, "File::open")
            || ends(path, "File::create")
    };
    let named = paths(&file.product).into_iter().filter(|(_, path)| is_machine(path));
    named.map(|(line, path)| file.fault(line, &format!("{path}: ask os"))).collect()
}

fn wire_faults(file: &File) -> Vec<String> {
    if !file.is_in(ENGINE) {
        return Vec::new();
    }
    let is_wire = |path: &str| {
        path.split("::").flat_map(parts).any(|part| WIRE_NAMES.contains(&part.as_str()))
    };
    let named = paths(&file.product).into_iter().filter(|(_, path)| is_wire(path));
    named.map(|(line, path)| file.fault(line, &format!("{path} is a wire format's name"))).collect()
}

fn unsafe_faults(file: &File) -> Vec<String> {
    if file.name == "src/os/mapped.rs" {
        return Vec::new();
    }
    let named = paths(&file.code).into_iter().filter(|(_, path)| path == "unsafe");
    named.map(|(line, _)| file.fault(line, "unsafe outside os/mapped.rs")).collect()
}

fn lock_faults(lock: &str) -> Vec<String> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = "));
    let banned = names.map(|name| name.trim_matches('"')).filter(|it| BANNED_CRATES.contains(it));
    banned.map(|name| format!("Cargo.lock holds {name}: see `cargo tree -i {name}`")).collect()
}

/// The crates that a manifest depends on, whatever for; ours left out.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_listing = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_listing = line.contains("dependencies]");
        } else if let Some((key, _)) = line.split_once('=').filter(|_| is_listing) {
            let name = key.trim().split('.').next().unwrap_or_default();
            let is_comment = name.starts_with('#');
            if !is_comment && !name.is_empty() && name != "query-lang" {
                names.push(name);
            }
        }
    }
    names
}

/// The room that a path leads into.
fn room_named(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix("crate::").map_or(path, first);
    let is_ours = path.starts_with("crate::") || first(path) == "query_lang";
    find(if is_ours { first(name) } else { "" }).map(|room| room.name)
}

fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

fn under(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether the last names of `path` are `names`, each whole: `DataFile::open` is not `File::open`.
fn ends(path: &str, names: &str) -> bool {
    path.strip_suffix(names).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

/// Passes where there is no fault, else prints all of them.
fn no_faults(faults: impl Iterator<Item = String>) -> io::Result<()> {
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(io::Error::other(faults.join("\n"))) }
}

/// Every Rust file under `folder`, in order of name; none where the folder is missing.
fn rust_files(folder: impl Into<PathBuf>) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.into()];
    folders.retain(|folder: &PathBuf| folder.exists());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_rust(&path) {
                let text = fs::read_to_string(&path)?;
                found.push(File::new(&path.to_string_lossy(), &text));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "rs")
}
