//! Rust source as the house's checks read it: no comments, no literals, paths written out.
//!
//! Not a parser: it knows enough of the language to tell what a file names from what it says.

/// `text` with comments, strings and character literals blanked; what stays keeps its place.
pub(crate) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_length(rest);
        let length = hidden.or_else(|| word_length(rest)).unwrap_or(first.len_utf8());
        let (here, after) = rest.split_at(length);
        if hidden.is_some() {
            code.extend(here.chars().map(|c| if c == '\n' { c } else { ' ' }));
        } else {
            code.push_str(here);
        }
        rest = after;
    }
    code
}

/// `code` with the items under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let (before, item) = rest.split_at(at);
        let (blank, after) = item.split_at(item_length(item));
        kept.push_str(before);
        kept.extend(blank.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    kept + rest
}

/// Every path that `code` names, with its line; `use a::{b, c::d}` names `a::b` and `a::c::d`.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut reader = PathReader { groups: Vec::new(), path: String::new(), found: Vec::new() };
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = match word_length(rest) {
                Some(length) => length,
                None if rest.starts_with("::") => 2,
                None => first.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            reader.take(number + 1, token);
            rest = after;
        }
        if !reader.path.ends_with("::") {
            reader.end(number + 1);
        }
    }
    reader.found
}

/// The parts of an identifier in lower case: `otlpHttp_v1` is `otlp`, `http`, `v1`.
pub(crate) fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for c in word.chars() {
        if c == '_' || (c.is_uppercase() && was_lower) {
            parts.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        if let Some(part) = parts.last_mut().filter(|_| c != '_') {
            part.extend(c.to_lowercase());
        }
    }
    parts
}

/// Joins tokens to paths, and puts what stands before an open brace before what stands in it.
struct PathReader {
    groups: Vec<String>,
    path: String,
    found: Vec<(usize, String)>,
}

impl PathReader {
    fn take(&mut self, line: usize, token: &str) {
        match token {
            "::" => self.path.push_str(token),
            "{" if self.path.ends_with("::") => self.groups.push(std::mem::take(&mut self.path)),
            "{" => {
                self.end(line);
                self.groups.push(String::new());
            }
            "}" => {
                self.end(line);
                self.groups.pop();
            }
            _ if word_length(token).is_some() => {
                if !self.path.ends_with("::") {
                    self.end(line);
                    self.path.push_str(self.groups.last().map_or("", String::as_str));
                }
                self.path.push_str(token);
            }
            _ if token.trim().is_empty() && self.path.ends_with("::") => {}
            _ => self.end(line),
        }
    }

    fn end(&mut self, line: usize) {
        if !self.path.is_empty() {
            self.found.push((line, std::mem::take(&mut self.path)));
        }
    }
}

/// How long the identifier is that `text` begins with.
fn word_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    is_word(first).then(|| text.find(|c| !is_word(c)).unwrap_or(text.len()))
}

/// How long the comment or literal is that `text` begins with.
fn hidden_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment_length(text));
    }
    let plain = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let prefix = text.len() - plain.len();
    if let Some(raw) = plain.strip_prefix('r') {
        let body = raw.trim_start_matches('#');
        let hashes = raw.len() - body.len();
        let close = format!("\"{}", "#".repeat(hashes));
        let inside = body.strip_prefix('"')?;
        let end = inside.find(&close).map_or(inside.len(), |at| at + close.len());
        return Some(prefix + 1 + hashes + 1 + end);
    }
    if let Some(inside) = plain.strip_prefix('"') {
        return Some(prefix + 1 + quoted_length(inside, '"'));
    }
    let inside = plain.strip_prefix('\'')?;
    let mut chars = inside.chars();
    let is_literal = chars.next()? == '\\' || chars.next() == Some('\'');
    is_literal.then(|| prefix + 1 + quoted_length(inside, '\''))
}

/// How long `inside` is to the end of its closing `quote`.
fn quoted_length(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == quote && !escaped {
            return at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    inside.len()
}

/// How long the block comment is; they nest.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// How long the item is that `item` begins with, its attributes included.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_code(text: &str, expected: &str) {
        assert_eq!(code_of(text).split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        check_code("a // b::c\nd", "a d");
        check_code("a /* b /* c */ d */ e", "a e");
        check_code(r#"a("std::fs \" still", 'x', '\'', b'"') b"#, "a( , , , ) b");
        check_code(r##"a(r#"std::fs " "#, br"x\") b"##, "a( , ) b");
        check_code("fn f<'a>(x: &'a str) -> &'a r#type", "fn f<'a>(x: &'a str) -> &'a r#type");
        check_code("braver\"x\"", "braver");
    }

    #[test]
    fn lines_stay_where_they_are() {
        assert_eq!(code_of("a /*\n\n*/ b \"\n\" c").lines().count(), 4);
    }

    #[test]
    fn items_under_cfg_test_are_left_out() {
        let code = "a\n#[cfg(test)]\nmod tests { fn f() { b } }\nc\n#[cfg(test)]\nuse x::y;\nd";
        assert_eq!(without_tests(code).split_whitespace().collect::<String>(), "acd");
        assert_eq!(without_tests(code).lines().count(), code.lines().count());
    }

    #[test]
    fn groups_are_written_out() {
        let named = |code: &str| -> Vec<String> { paths(code).into_iter().map(|p| p.1).collect() };
        assert_eq!(
            named("use std::{fs, io::{self, Read}};"),
            ["use", "std::fs", "std::io::self", "std::io::Read"]
        );
        assert_eq!(named("fn f() { fs::read(x) }"), ["fn", "f", "fs::read", "x"]);
        assert_eq!(named("use crate::\n    model::Labels;"), ["use", "crate::model::Labels"]);
    }

    #[test]
    fn identifiers_are_split_into_parts() {
        assert_eq!(parts("InfluxLine_v2"), ["influx", "line", "v2"]);
        assert_eq!(parts("temporary"), ["temporary"]);
    }
}
