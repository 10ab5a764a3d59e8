//! A configuration as YAML, its secrets left out.
//!
//! A value that came from the environment is printed as it stands in the file, `${NAME}`; keys that
//! hold secrets by their name are printed as `<secret>`, and so are passwords in URLs.

use std::fmt::Write as _;

use crate::app::config::{
    keys::{Key, SECTIONS},
    load::{Loaded, Setting},
    people,
    sections::FOREIGN,
    tree::{Node, Scalar, Value},
};

/// What stands in place of a secret, as Prometheus has it.
const REDACTED: &str = "<secret>";

impl Loaded {
    /// The configuration that is in effect, as a file that would say it.
    pub fn yaml(&self) -> String {
        self.print(|_| String::new())
    }

    /// The same, each option with where it is from.
    pub fn yaml_with_origins(&self) -> String {
        self.print(|setting| format!("  # {}", setting.origin))
    }

    fn print(&self, remark: impl Fn(&Setting) -> String) -> String {
        let mut out = String::new();
        for (section, _) in SECTIONS {
            // Writing into a String cannot fail.
            let _ = writeln!(out, "{section}:");
            self.print_section(section, &remark, &mut out);
            for path in people::KEYS {
                let Some(name) = path.strip_prefix(section).and_then(|it| it.strip_prefix('.'))
                else {
                    continue;
                };
                if let Some(node) = self.root.as_ref().and_then(|it| it.get(section)?.get(name)) {
                    write_entry(name, node, 2, false, &mut out);
                }
            }
        }
        for section in FOREIGN {
            if let Some(node) = self.root.as_ref().and_then(|root| root.get(section.name)) {
                write_entry(section.name, node, 0, false, &mut out);
            }
        }
        out
    }

    fn print_section(&self, section: &str, remark: &impl Fn(&Setting) -> String, out: &mut String) {
        let mut inner = "";
        for setting in &self.settings {
            let Some(rest) = setting.path.strip_prefix(section).and_then(|it| it.strip_prefix('.'))
            else {
                continue;
            };
            let (group, name) = rest.split_once('.').unwrap_or(("", rest));
            if group != inner {
                let _ = writeln!(out, "  {group}:");
                inner = group;
            }
            let indent = if group.is_empty() { 2 } else { 4 };
            let _ = writeln!(
                out,
                "{:indent$}{name}: {}{}",
                "",
                quoted(&setting.text, Key::of_path(setting.path).is_some()),
                remark(setting)
            );
        }
    }
}

/// `name: value`, lists and maps below.
pub(super) fn write_entry(
    name: &str,
    node: &Node,
    indent: usize,
    is_secret: bool,
    out: &mut String,
) {
    let is_secret = is_secret || holds_secret(name);
    let _ = write!(out, "{:indent$}{}:", "", quoted(name, true));
    write_value(node, indent, is_secret, out);
}

fn write_value(node: &Node, indent: usize, is_secret: bool, out: &mut String) {
    match &node.value {
        Value::Null => out.push('\n'),
        Value::Scalar(scalar) => {
            let _ = writeln!(out, " {}", shown(scalar, is_secret));
        }
        Value::List(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::List(items) => {
            out.push('\n');
            for item in items {
                let _ = write!(out, "{:indent$}-", "");
                write_item(item, indent, is_secret, out);
            }
        }
        Value::Map(entries) => {
            out.push('\n');
            for (name, node) in entries {
                write_entry(&name.text, node, indent + 2, is_secret, out);
            }
        }
    }
}

/// What stands behind a dash: the first key of a map on its line.
fn write_item(item: &Node, indent: usize, is_secret: bool, out: &mut String) {
    match &item.value {
        Value::Map(entries) if !entries.is_empty() => {
            for (i, (name, node)) in entries.iter().enumerate() {
                let mut entry = String::new();
                write_entry(&name.text, node, indent + 2, is_secret, &mut entry);
                let skipped = if i == 0 { indent + 1 } else { 0 };
                out.push_str(entry.get(skipped..).unwrap_or_default());
            }
        }
        _ => write_value(item, indent + 2, is_secret, out),
    }
}

fn shown(scalar: &Scalar, is_secret: bool) -> String {
    let text = scalar.shown();
    if is_secret && scalar.written.is_none() {
        return REDACTED.into();
    }
    let text = without_password(text);
    quoted(&text, scalar.is_plain)
}

/// Whether a key holds what nobody shall see; the name of a file that holds it may be seen.
fn holds_secret(name: &str) -> bool {
    const WHOLE: [&str; 5] = ["credentials", "headers", "secrets", "token", "connection_string"];
    const ENDS: [&str; 6] =
        ["password", "password_hash", "secret", "_token", "secret_key", "api_key"];
    let name = name.to_ascii_lowercase();
    WHOLE.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
}

/// `https://user:<secret>@host`.
fn without_password(text: &str) -> String {
    let hidden = || {
        let (scheme, rest) = text.split_once("://")?;
        let host_end = rest.find('/').unwrap_or(rest.len());
        let at = rest.get(..host_end)?.rfind('@')?;
        let (user, _) = rest.get(..at)?.split_once(':')?;
        Some(format!("{scheme}://{user}:{REDACTED}{}", rest.get(at..)?))
    };
    hidden().unwrap_or_else(|| text.to_owned())
}

/// As YAML reads it back: plain where that is plainly the same.
fn quoted(text: &str, is_plain: bool) -> String {
    let is_simple = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "/._<".contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:<>+%@".contains(c))
        && !text.ends_with(':');
    if is_simple && is_plain {
        return text.to_owned();
    }
    // Double quotes and escapes of JSON mean the same in YAML.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back_but_for_secrets() {
        let text = "a:\n- name: x y\n  list: [1, \"2\", {}]\n  url: http://u:canary@h/p\n\
                    - [[a], []]\nb:\n  password: canary\n  password_file: /x\n  token: ${T}\n  \
                    headers: {k: canary}\n  e:\n  s: \"tab\\t\"\n";
        let root = Node::parse(text, &|_| Some("canary".into())).unwrap();
        let mut out = String::new();
        for (name, node) in root.entries().unwrap() {
            write_entry(&name.text, node, 0, false, &mut out);
        }
        assert!(!out.contains("canary"), "{out}");
        assert_eq!(out.matches(REDACTED).count(), 3, "{out}");
        let mut again = String::new();
        let reread = Node::parse(&out, &|_| Some("canary".into())).unwrap();
        for (name, node) in reread.entries().unwrap() {
            write_entry(&name.text, node, 0, false, &mut again);
        }
        assert_eq!(again, out);
    }
}
