//! The page that says what the bytes are has the sections that the code names.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree may stop")]

use std::{fs, path::Path};

const NAMED: &str = "storage-format.md, \"";

fn sections_named_in(folder: &Path, named: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sections_named_in(&path, named);
        } else {
            let code = fs::read_to_string(&path).unwrap();
            let rest = code.split(NAMED).skip(1);
            named.extend(rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
}

#[test]
fn every_section_that_code_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("storage-format.md")).unwrap();
    let headings: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    let mut named = Vec::new();
    sections_named_in(&root.join("src"), &mut named);
    assert!(named.len() > 10, "{named:?}");
    for name in &named {
        assert!(headings.contains(&name.as_str()), "no section {name:?}");
    }
}
