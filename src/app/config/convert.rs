//! `prometheus.yml` as a `quipu.yml`: what carries over, and what does not, by name.

use std::path::Path;

use crate::app::config::{
    fault::Faults,
    load::read_text,
    print::write_entry,
    sections::FOREIGN,
    tree::{Name, Node, Value},
};

/// A converted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The new file. What this version does not read stands in it as a comment.
    pub yaml: String,
    /// Key, what became of it, and why.
    pub notes: Vec<(String, &'static str, String)>,
}

/// Converts a file of Prometheus.
///
/// # Errors
/// Where it cannot be read or is no YAML.
pub fn convert(file: &Path) -> Result<Converted, Faults> {
    let faults = |text: &str, faults| Faults {
        name: file.display().to_string(),
        text: text.to_owned(),
        faults,
    };
    let text = read_text(file).map_err(|fault| faults("", vec![fault]))?;
    // Variables are for the server that reads the new file.
    let keep = |name: &str| Some(format!("${{{name}}}"));
    let root = Node::parse(&text, &keep).map_err(|all| faults(&text, all))?;
    let mut converted = Converted { yaml: String::new(), notes: Vec::new() };
    for (name, node) in root.entries().unwrap_or_default() {
        converted.section(name, node);
    }
    Ok(converted)
}

impl Converted {
    fn section(&mut self, name: &Name, node: &Node) {
        if name.text == "storage" {
            self.storage(node);
            return;
        }
        let known = FOREIGN.iter().find(|section| section.name == name.text);
        let mut entry = String::new();
        write_entry(&name.text, node, 0, false, &mut entry);
        match known {
            Some(section) if section.read.is_some() => {
                self.yaml.push_str(&entry);
                self.note(&name.text, "kept", "means the same here");
            }
            Some(_) => {
                self.comment(&entry);
                self.note(&name.text, "commented out", "not read by this version yet");
            }
            None => {
                self.comment(&entry);
                self.note(&name.text, "commented out", why_not(&name.text));
            }
        }
        if entry.contains("<secret>") {
            let why = "secrets are not copied: write ${NAME} or use the key ending in _file";
            self.note(&name.text, "incomplete", why);
        }
    }

    fn storage(&mut self, node: &Node) {
        let retention = node.get("tsdb").and_then(|tsdb| tsdb.get("retention")?.get("time"));
        if let Some(Value::Scalar(time)) = retention.map(|node| &node.value) {
            let line = format!("storage:\n  retention: {}\n", time.shown());
            self.yaml.push_str(&line);
            self.note("storage.tsdb.retention.time", "kept", "is storage.retention");
        }
        let parts: [(&str, Option<&Node>); 3] = [
            (
                "storage.tsdb.retention.size",
                node.get("tsdb").and_then(|it| it.get("retention")?.get("size")),
            ),
            (
                "storage.tsdb.out_of_order_time_window",
                node.get("tsdb").and_then(|it| it.get("out_of_order_time_window")),
            ),
            ("storage.exemplars", node.get("exemplars")),
        ];
        for (key, node) in parts {
            if node.is_some() {
                self.note(key, "left out", why_not(key));
            }
        }
    }

    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.yaml.push_str("# ");
            self.yaml.push_str(line);
            self.yaml.push('\n');
        }
    }

    fn note(&mut self, key: &str, verdict: &'static str, why: impl Into<String>) {
        self.notes.push((key.to_owned(), verdict, why.into()));
    }
}

fn why_not(key: &str) -> &'static str {
    match key {
        "remote_read" => "rows are read from this store alone; import them instead",
        "scrape_config_files" => "write the targets into scrape_configs",
        "tracing" => "the server sends no traces of itself",
        "runtime" => "is about Go's garbage collector",
        "storage.tsdb.retention.size" => "rows are kept by time, not by size",
        "storage.tsdb.out_of_order_time_window" => {
            "late rows are taken as far back as retention reaches, without an option"
        }
        "storage.exemplars" => "exemplars are kept as rows are, without a limit of their own",
        _ => "is no key of Prometheus that is known here",
    }
}
