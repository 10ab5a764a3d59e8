//! The tables of `docs/configuration.md`, from the table of options.

use std::fmt::Write as _;

use crate::app::{
    Options,
    config::{
        keys::{Key, Kind, SECTIONS},
        people::{TOKEN_FIELDS, USER_FIELDS},
        sections::FOREIGN,
    },
};

/// All keys, in Markdown.
pub fn reference() -> String {
    let mut out = String::new();
    let defaults = Options::default();
    for (section, help) in SECTIONS {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "### {section}\n\n{help}.\n");
        out.push_str("| key | flag | default | reload | what |\n| --- | --- | --- | --- | --- |\n");
        for key in Key::all().filter(|key| key.parts().0 == *section) {
            let default = match (key.show)(&defaults) {
                text if text.is_empty() => "none".into(),
                text => format!("`{text}`"),
            };
            let flag = match key.kind {
                Kind::Switch => format!("`--{0}`, `--no-{0}`", key.flag),
                kind => format!("`--{} {}`", key.flag, kind.value_name()),
            };
            let reload = if key.is_live { "yes" } else { "restart" };
            let _ = writeln!(
                out,
                "| `{}` | {flag} | {default} | {reload} | {} |",
                key.path,
                choices(key)
            );
        }
        if *section == "access" {
            for (list, fields) in [("tokens", TOKEN_FIELDS), ("users", USER_FIELDS)] {
                for (name, must, help) in fields {
                    let default = if *must { "required" } else { "none" };
                    let _ =
                        writeln!(out, "| `access.{list}[].{name}` | | {default} | yes | {help} |");
                }
            }
        }
        out.push('\n');
    }
    out.push_str(
        "### Sections in Prometheus' words\n\n| key | state | what |\n| --- | --- | --- |\n",
    );
    for section in FOREIGN {
        let state = if section.read.is_some() { "read" } else { "not yet" };
        let _ = writeln!(out, "| `{}` | {state} | {} |", section.name, section.help);
    }
    out
}

fn choices(key: &Key) -> String {
    match key.kind {
        Kind::Choice(words) if words.iter().any(|word| !key.help.contains(word)) => {
            format!("{}: {}", key.help, words.join(" or "))
        }
        _ => key.help.to_owned(),
    }
}
