//! What is wrong with a configuration: where, what, and what was meant.

use std::fmt;

use query_lang::{Span, closest, draw};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the file; None where it is no file's fault.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to do, where that can be guessed.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at a place in the file.
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), hint: None }
    }

    /// A fault outside of the file.
    pub(super) fn of(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A key that nobody knows, with the one that was meant or those that are known.
    pub(super) fn unknown_key(span: Span, key: &str, known: &[&str]) -> Self {
        let fault = Self::at(span, format!("unknown key {key:?}"));
        match (closest(key, known.iter().copied()), known) {
            (Some(meant), _) => fault.hint(format!("did you mean {meant}?")),
            (None, []) => fault.hint("there are no keys here"),
            (None, known) => fault.hint(format!("known here: {}", known.join(", "))),
        }
    }
}

/// All that is wrong with one configuration: at least one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file's name, as it was given.
    pub name: String,
    /// Its text.
    pub text: String,
    /// In the order of their places.
    pub faults: Vec<Fault>,
}

impl Faults {
    /// Each fault drawn: its line, the place underlined, and what to do.
    pub fn picture(&self) -> String {
        let draw = |fault: &Fault| {
            let title = format!("error: {}", fault.message);
            match (fault.span, &fault.hint) {
                (Some(span), hint) => draw(&title, &self.name, &self.text, span, hint.as_deref()),
                (None, Some(hint)) => format!("{title}; {hint}\n"),
                (None, None) => format!("{title}\n"),
            }
        };
        self.faults.iter().map(draw).collect()
    }
}

/// A line a fault: `quipu.yml:3:5: unknown key "lissten"; did you mean listen?`
impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            let gap = if i > 0 { "\n" } else { "" };
            write!(out, "{gap}")?;
            if let Some(span) = fault.span {
                let (line, column) = span.line_column(&self.text);
                write!(out, "{}:{line}:{column}: ", self.name)?;
            }
            write!(out, "{}", fault.message)?;
            if let Some(hint) = &fault.hint {
                write!(out, "; {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
