//! `$1`, `${1}`, `${name}` in replacements, as Go's `Regexp.Expand` reads them.
//!
//! The `regex` crate's own templates differ where Go takes letters of any script into a name, and
//! where braces are not closed, so they are read here.

use regex::{Captures, Regex};

/// A text with references to what an expression captured.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// An index of a group.
    Group(usize),
}

impl Template {
    /// References to groups that `regex` does not have stand for nothing.
    pub(super) fn new(text: &str, regex: &Regex) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                literal.push('$');
                rest = after;
            } else if let Some((name, after)) = reference(rest) {
                rest = after;
                if let Some(group) = group(name, regex) {
                    push_text(&mut literal, &mut parts);
                    parts.push(Part::Group(group));
                }
            } else {
                literal.push('$');
            }
        }
        literal.push_str(rest);
        push_text(&mut literal, &mut parts);
        Self { parts }
    }

    /// The text for one match.
    pub(super) fn expand(&self, captures: &Captures<'_>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => {
                    out.push_str(captures.get(*group).map_or("", |found| found.as_str()));
                }
            }
        }
        out
    }
}

fn push_text(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

/// The name after a dollar sign, and what follows it; None where no name stands there.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (inside, is_braced) = match text.strip_prefix('{') {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = inside.find(|c| !is_name(c)).unwrap_or(inside.len());
    let (name, after) = inside.split_at(end);
    let after = if is_braced { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

fn group(name: &str, regex: &Regex) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = name.len() > 1 && name.starts_with('0');
    if is_number && !is_padded {
        return name.parse().ok().filter(|index| *index < regex.captures_len());
    }
    regex.capture_names().position(|there| there == Some(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expanded(expression: &str, text: &str, template: &str) -> String {
        let regex = Regex::new(expression).unwrap();
        let template = Template::new(template, &regex);
        template.expand(&regex.captures(text).unwrap())
    }

    #[test]
    fn references_are_read_as_go_reads_them() {
        let check = |template: &str, expected: &str| {
            assert_eq!(expanded("(?P<first>a+)(b+)", "aabbb", template), expected, "{template}");
        };
        check("$1", "aa");
        check("${1}x${2}", "aaxbbb");
        check("$0", "aabbb");
        // The longest name counts: `1x` is no group.
        check("$1x", "");
        check("${first}/$first", "aa/aa");
        check("$3", "");
        check("$01", "");
        check("$99999999999999999999", "");
        check("$$1", "$1");
        check("$", "$");
        check("a$-b", "a$-b");
        check("${1", "${1");
        check("${}", "${}");
        check("${a-b}", "${a-b}");
        check("$1$2", "aabbb");
        check("$été!", "!");
    }

    proptest! {
        #[test]
        fn any_template_is_read(template: String) {
            let regex = Regex::new("(.*)").unwrap();
            let read = Template::new(&template, &regex);
            if !template.contains('$') {
                prop_assert_eq!(read.expand(&regex.captures("x").unwrap()), template);
            }
        }
    }
}
