//! The page of the language is what its tables make.
//!
//! `GOLDEN=write cargo nextest run -p query-lang --test reference` writes it.

#![expect(clippy::unwrap_used, reason = "a page that is not there fails the test")]

use std::path::Path;

#[test]
fn the_page_is_as_the_tables_have_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let marker = "## Rows of the examples";
    let (before, written) = page.split_at(page.find(marker).unwrap_or(page.len()));
    let expected = query_lang::reference();
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, format!("{before}{expected}")).unwrap();
        return;
    }
    assert!(written == expected, "docs/language.md is not as the tables have it");
}
