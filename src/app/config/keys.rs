//! Every option, one row each: its key in the file, its flag, what it takes, where it goes.
//!
//! The command line, the file, the environment, `docs/configuration.md` and the schema read this
//! table; the defaults are those of `Options::default()`, shown through the same row.

use crate::app::{
    Options,
    config::{elsewhere, limits, rows},
};

/// One option.
#[derive(Debug)]
pub struct Key {
    /// Section and name in the file: `server.listen`.
    pub path: &'static str,
    /// The flag's name without dashes, which also names the variable: `listen`, `QUIPU_LISTEN`.
    pub flag: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it does, in a line.
    pub help: &'static str,
    /// Whether a reload applies it; else it needs a restart.
    pub is_live: bool,
    /// Whether short help shows it.
    pub is_common: bool,
    /// Its text in `Options`.
    pub show: fn(&Options) -> String,
    /// Puts a text into `Options`, or says how to write one.
    pub set: fn(&mut Options, &str) -> Result<(), String>,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`; on the command line `--x` or `--no-x`.
    Switch,
    /// `90s`, `30d`.
    Duration,
    /// `64MiB`.
    Size,
    /// A whole number.
    Count,
    /// An address and a port.
    Address,
    /// A file or folder. In a file: relative to the folder that the file is in.
    Path,
    /// Any text.
    Text,
    /// Texts, with commas between them.
    List,
    /// One of these.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// What stands for a value in help and documentation.
    pub fn value_name(self) -> &'static str {
        match self {
            Self::Switch => "BOOL",
            Self::Duration => "TIME",
            Self::Size => "SIZE",
            Self::Count => "COUNT",
            Self::Address => "ADDR",
            Self::Path => "PATH",
            Self::Text => "TEXT",
            Self::List => "NAMES",
            Self::Choice(_) => "WHICH",
        }
    }
}

/// Sections of the file that hold options, with what they are about.
pub const SECTIONS: &[(&str, &str)] = &[
    ("server", "Where the server listens, and how it is reached"),
    ("storage", "Where rows lie, how safe, how long"),
    ("ingest", "Limits of writes"),
    ("query", "Limits of queries"),
    ("access", "Who may do what"),
    ("collect", "This machine's own metrics"),
    ("backup", "Copies of the data elsewhere"),
    ("archive", "Old blocks elsewhere, in place of here"),
    ("forward", "Who gets what is written, too"),
];

impl Key {
    /// All options, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [
            rows::SERVER,
            rows::STORAGE,
            limits::INGEST,
            limits::QUERY,
            limits::ACCESS,
            limits::COLLECT,
            elsewhere::BACKUP,
            elsewhere::ARCHIVE,
            elsewhere::FORWARD,
        ]
        .into_iter()
        .flatten()
    }

    /// The option of this key.
    pub fn of_path(path: &str) -> Option<&'static Self> {
        Self::all().find(|key| key.path == path)
    }

    /// Section and name.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').unwrap_or(("", self.path))
    }

    /// The variable of the environment that sets it.
    pub fn variable(&self) -> String {
        format!("QUIPU_{}", self.flag.to_ascii_uppercase().replace('-', "_"))
    }

    /// Whether a text may be set; else how to write one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, text: &str) -> Result<(), String> {
        (self.set)(&mut Options::default(), text)
    }
}
