//! Reads a configuration whole: where each value comes from, and all that is wrong.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use query_lang::Span;

use crate::access::Policy;
use crate::app::{
    Options,
    config::{
        fault::{Fault, Faults},
        keys::{Key, Kind, SECTIONS},
        people::{self, People},
        sections,
        tree::{Node, TEXT_BYTES_MAX, Value},
    },
    files::read_file,
};
use crate::collect::scrape::Job;
use crate::store::RetentionRule;

/// Values of the environment by name.
pub type Variables = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a configuration is read from, again at each reload.
pub struct Loader {
    /// What the command line says.
    pub flags: Vec<(&'static Key, String)>,
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Variables,
}

/// A configuration with no fault.
pub struct Loaded {
    /// What it says.
    pub options: Options,
    /// Who it lets in, those of the file of tokens not among them.
    pub policy: Policy,
    /// Every option with its text, in the order of the table.
    pub settings: Vec<Setting>,
    /// What is scraped.
    pub jobs: Vec<Job>,
    /// Which series are kept for less long than the others.
    pub rules: Vec<RetentionRule>,
    /// The file's tree.
    pub(super) root: Option<Node>,
}

/// Without its secrets.
impl fmt::Debug for Loaded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.yaml_with_origins())
    }
}

/// An option as it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which one.
    pub path: &'static str,
    /// Its value, as it would be typed.
    pub text: String,
    /// Where that is from.
    pub origin: Origin,
}

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File(String, usize),
    /// A variable of the environment.
    Variable(String),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(name, line) => write!(out, "{name}:{line}"),
            Self::Variable(name) => write!(out, "${name}"),
            Self::Flag(name) => write!(out, "--{name}"),
        }
    }
}

impl Loader {
    /// One of a file alone.
    pub fn of_file(file: impl Into<PathBuf>) -> Self {
        Self {
            flags: Vec::new(),
            file: Some(file.into()),
            environment: Box::new(|name| std::env::var(name).ok()),
        }
    }

    /// Where the file is: paths in it are seen from there.
    pub fn folder(&self) -> &Path {
        let folder = self.file.as_deref().and_then(Path::parent);
        folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Reads it all.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn load(&self) -> Result<Loaded, Faults> {
        let name = self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        let faults = |text: &str, faults: Vec<Fault>| Faults {
            name: name.clone(),
            text: text.to_owned(),
            faults,
        };
        let text = match &self.file {
            Some(file) => read_text(file).map_err(|fault| faults("", vec![fault]))?,
            None => String::new(),
        };
        let root = Node::parse(&text, &*self.environment).map_err(|all| faults(&text, all))?;
        let folder = self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let mut reading = Reading { folder, values: Vec::new(), people: None, faults: Vec::new() };
        reading.root(&root);
        let Reading { values, people, faults: mut found, .. } = reading;
        let line = |span: Span| span.line_column(&text).0;
        let file = |key: &Key| {
            let value = values.iter().find(|value| value.key.path == key.path)?;
            Some((value.text.clone(), Origin::File(name.clone(), line(value.span))))
        };
        let (mut options, settings) = self.settle(file, &mut found);
        check_together(&options, &mut found);
        options.http.otlp = sections::otlp(&root);
        options.remote_write = sections::remote_write(&root, &mut found);
        options.external_labels = sections::external_labels(&root);
        let jobs = sections::jobs(&root, &mut found);
        let rules = sections::retention(&root, &mut found);
        found.sort_by_key(|fault| fault.span.map(|span| span.start));
        if !found.is_empty() {
            return Err(faults(&text, found));
        }
        let policy = people.unwrap_or_default().policy;
        let root = self.file.is_some().then_some(root);
        Ok(Loaded { options, policy, settings, jobs, rules, root })
    }

    /// For every option the value that counts.
    fn settle(
        &self,
        file: impl Fn(&Key) -> Option<(String, Origin)>,
        faults: &mut Vec<Fault>,
    ) -> (Options, Vec<Setting>) {
        let mut options = Options::default();
        let mut settings = Vec::new();
        for key in Key::all() {
            let flag = self.flags.iter().rev().find(|(known, _)| known.path == key.path);
            let flag = flag.map(|(_, text)| (text.clone(), Origin::Flag(key.flag)));
            let variable = key.variable();
            let from_environment = || {
                let text = (self.environment)(&variable).filter(|text| !text.is_empty())?;
                Some((text, Origin::Variable(variable.clone())))
            };
            let said = flag.or_else(from_environment).or_else(|| file(key));
            let origin = match said {
                None => Origin::Default,
                Some((text, origin)) => {
                    match ((key.set)(&mut options, &text), &origin) {
                        // Those of the file are told with their place, see `Reading`.
                        (Ok(()), _) | (Err(_), Origin::File(..) | Origin::Default) => {}
                        (Err(advice), Origin::Variable(_) | Origin::Flag(_)) => {
                            faults.push(Fault::of(format!("{origin}: {text:?}: {advice}")));
                        }
                    }
                    origin
                }
            };
            settings.push(Setting { path: key.path, text: (key.show)(&options), origin });
        }
        (options, settings)
    }
}

/// A file's text, or why it cannot be had.
pub(super) fn read_text(file: &Path) -> Result<String, Fault> {
    let fault = |what: String| Fault::of(format!("cannot read {}: {what}", file.display()));
    let bytes = read_file(file, TEXT_BYTES_MAX).map_err(|error| fault(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8".into()))
}

/// What only shows when all is known.
fn check_together(options: &Options, faults: &mut Vec<Fault>) {
    let tls = &options.tls;
    if tls.cert.is_some() != tls.key.is_some() {
        let what = "server.tls.cert_file and server.tls.key_file go together: one is missing";
        faults.push(Fault::of(what));
    }
    if tls.client_ca.is_some() && tls.cert.is_none() {
        let what = "server.tls.client_ca_file needs server.tls.cert_file: certificates of clients \
                    are shown over TLS alone";
        faults.push(Fault::of(what));
    }
}

/// An option as the file has it.
struct FileValue {
    key: &'static Key,
    text: String,
    span: Span,
}

/// Walks the tree by the table.
struct Reading<'a> {
    folder: &'a Path,
    values: Vec<FileValue>,
    people: Option<People>,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn root(&mut self, root: &Node) {
        let Some(entries) = root.entries() else {
            self.faults.push(Fault::at(root.span, format!("expected keys, found {}", root.kind())));
            return;
        };
        for (name, node) in entries {
            if SECTIONS.iter().any(|(section, _)| *section == name.text) {
                self.section(&name.text, node);
            } else if let Some(fault) = sections::read(name, node) {
                self.faults.push(fault);
            }
        }
    }

    fn section(&mut self, prefix: &str, node: &Node) {
        let Some(entries) = node.entries() else {
            let what = format!("expected keys of {prefix}, found {}", node.kind());
            self.faults.push(Fault::at(node.span, what));
            return;
        };
        if prefix == "access" {
            match people::read(node, self.folder) {
                Ok(people) => self.people = Some(people),
                Err(faults) => self.faults.extend(faults),
            }
        }
        for (name, node) in entries {
            let path = format!("{prefix}.{}", name.text);
            let below = format!("{path}.");
            if let Some(key) = Key::of_path(&path) {
                self.value(key, node);
            } else if Key::all().any(|key| key.path.starts_with(&below)) {
                self.section(&path, node);
            } else if !people::KEYS.contains(&path.as_str()) {
                self.faults.push(Fault::unknown_key(name.span, &name.text, &known_below(prefix)));
            }
        }
    }

    fn value(&mut self, key: &'static Key, node: &Node) {
        let text = match (&node.value, key.kind) {
            (Value::Scalar(scalar), Kind::Path) if !scalar.text.is_empty() => {
                Some(self.folder.join(&scalar.text).display().to_string())
            }
            (Value::Scalar(scalar), _) => Some(scalar.text.clone()),
            (Value::List(items), Kind::List) => joined(items),
            (Value::Null | Value::List(_) | Value::Map(_), _) => None,
        };
        let Some(text) = text else {
            let what = format!("expected {}, found {}", described(key.kind), node.kind());
            self.faults.push(Fault::at(node.span, what));
            return;
        };
        if let Err(advice) = key.check(&text) {
            let what = format!("expected {}, found {}", described(key.kind), node.kind());
            let fault = Fault::at(node.span, what);
            // Other advice says what was expected once more.
            let is_new = advice.starts_with("write it");
            self.faults.push(if is_new { fault.hint(advice) } else { fault });
        }
        self.values.push(FileValue { key, text, span: node.span });
    }
}

fn joined(items: &[Node]) -> Option<String> {
    let texts = items.iter().map(|item| match &item.value {
        Value::Scalar(scalar) => Some(scalar.text.as_str()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    });
    Some(texts.collect::<Option<Vec<&str>>>()?.join(","))
}

fn described(kind: Kind) -> String {
    match kind {
        Kind::Switch => "true or false",
        Kind::Duration => "a time",
        Kind::Size => "a size",
        Kind::Count => "a whole number",
        Kind::Address => "an address and port",
        Kind::Path => "a path",
        Kind::Text => "text",
        Kind::List => "a list of texts",
        Kind::Choice(words) => return words.join(" or "),
    }
    .into()
}

/// Names that may stand in a section, directly.
fn known_below(prefix: &str) -> Vec<&'static str> {
    let inside = |path: &'static str| {
        let rest = path.strip_prefix(prefix)?.strip_prefix('.')?;
        rest.split('.').next()
    };
    let mut known: Vec<&str> =
        Key::all().map(|key| key.path).chain(people::KEYS).filter_map(inside).collect();
    known.dedup();
    known
}
