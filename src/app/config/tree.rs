//! YAML as a tree that knows where each word stands.
//!
//! Built from the parser's events rather than through serde: serde stops at the first fault and
//! forgets places and spelling, and a check shall name all faults, each with its line. Scalars stay
//! text until a key says what they are, so `30d`, `010` and `"10"` mean what the key means.
//!
//! `${NAME}` in a scalar is the environment's value of NAME, `${NAME:-x}` is x where that is not set,
//! `$${` is `${`. Other dollars stay, as `$1` of relabelling does. A value never becomes YAML by this.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use query_lang::Span;

use crate::app::config::{environment::substitute, fault::Fault};

/// A file of more bytes is a mistake.
pub(super) const TEXT_BYTES_MAX: u64 = 8 << 20;

/// What a file may unfold to: aliases repeat what they name.
const NODES_MAX: usize = 500_000;

const DEPTH_MAX: usize = 64;

/// The values of the environment, by name.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, `~`, `null`.
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    /// In the order of the file, no name twice.
    Map(Vec<(Name, Node)>),
}

/// Text, and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Without quotes: may be a number or a truth.
    pub(super) is_plain: bool,
    /// Before values of the environment were put in, where there were some.
    pub(super) written: Option<String>,
}

/// The name of a map's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

impl Node {
    /// Reads a text; an empty one is Null.
    pub(super) fn parse(text: &str, environment: Environment<'_>) -> Result<Self, Vec<Fault>> {
        let mut builder = Builder {
            environment,
            open: Vec::new(),
            anchors: HashMap::new(),
            documents: 0,
            nodes: 0,
            root: None,
            faults: Vec::new(),
        };
        for next in Parser::new_from_str(text) {
            let taken = next
                .map_err(|error| {
                    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                    Fault::at(Span::new(at, at), format!("this is no YAML: {}", error.kind()))
                })
                .and_then(|(event, span)| builder.take(event, place(span)));
            if let Err(fault) = taken {
                builder.faults.push(fault);
                break;
            }
        }
        if builder.faults.is_empty() {
            let nothing = Self { span: Span::new(0, 0), value: Value::Null };
            Ok(builder.root.unwrap_or(nothing))
        } else {
            Err(builder.faults)
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Scalar(scalar) => {
                let shown: String = scalar.shown().chars().take(60).collect();
                format!("{shown:?}")
            }
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }

    /// The entries of a map; none of nothing.
    pub(super) fn entries(&self) -> Option<&[(Name, Node)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null => Some(&[]),
            Value::Scalar(_) | Value::List(_) => None,
        }
    }

    /// The entry of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let mut entries = self.entries()?.iter();
        entries.find(|(known, _)| known.text == name).map(|(_, node)| node)
    }
}

impl Scalar {
    /// As it stands in the file: what the environment gave may be a secret.
    pub(super) fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }
}

fn place(span: granit_parser::Span) -> Span {
    let (start, end) = (span.start.byte_offset(), span.end.byte_offset());
    Span::new(start.unwrap_or(0), end.or(start).unwrap_or(0))
}

/// A list or map that is not closed yet.
struct Open {
    span: Span,
    anchor: usize,
    of: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map { entries: Vec<(Name, Node)>, name: Option<Name>, merged: Vec<Node> },
}

struct Builder<'a> {
    environment: Environment<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    nodes: usize,
    root: Option<Node>,
    /// What is wrong and does not keep the rest from being read.
    faults: Vec<Fault>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Fault::at(span, "a second document: a configuration is one"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                self.scalar(&text, is_plain, (span, anchor))
            }
            Event::SequenceStart(_, anchor, _) => self.begin(span, anchor, Parts::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                let of = Parts::Map { entries: Vec::new(), name: None, merged: Vec::new() };
                self.begin(span, anchor, of)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let Some(node) = known else {
                    return Err(Fault::at(span, "an alias that stands inside what it names"));
                };
                self.count(node.size(), span)?;
                self.put(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        is_plain: bool,
        (span, anchor): (Span, usize),
    ) -> Result<(), Fault> {
        self.count(1, span)?;
        if is_plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            return self.put(Node { span, value: Value::Null }, anchor);
        }
        let (text, written) = match substitute(text, self.environment) {
            Ok(None) => (text.to_owned(), None),
            Ok(Some(filled)) => (filled, Some(text.to_owned())),
            Err(problem) => {
                self.faults.push(Fault::at(span, problem.what).hint(problem.advice));
                (text.to_owned(), None)
            }
        };
        let value = Value::Scalar(Scalar { text, is_plain, written });
        self.put(Node { span, value }, anchor)
    }

    fn begin(&mut self, span: Span, anchor: usize, of: Parts) -> Result<(), Fault> {
        self.count(1, span)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault::at(span, format!("nests deeper than {DEPTH_MAX} levels")));
        }
        self.open.push(Open { span, anchor, of });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { span, anchor, of }) = self.open.pop() else { return Ok(()) };
        let value = match of {
            Parts::List(items) => Value::List(items),
            Parts::Map { mut entries, merged, .. } => {
                merge(&mut entries, merged);
                Value::Map(entries)
            }
        };
        self.put(Node { span, value }, anchor)
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(Fault::at(span, format!("more than {NODES_MAX} values, aliases unfolded")));
        }
        Ok(())
    }

    /// A whole value: into what is open, or the root.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            // A copy is kept, which counts as its repetitions do.
            self.count(node.size(), node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(Open { of, .. }) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let (entries, name, merged) = match of {
            Parts::List(items) => {
                items.push(node);
                return Ok(());
            }
            Parts::Map { entries, name, merged } => (entries, name, merged),
        };
        let Some(named) = name.take() else {
            let text = match &node.value {
                Value::Scalar(scalar) => scalar.text.clone(),
                Value::Null => "null".into(),
                Value::List(_) | Value::Map(_) => {
                    return Err(Fault::at(node.span, "a key must be text"));
                }
            };
            *name = Some(Name { text, span: node.span });
            return Ok(());
        };
        if named.text == "<<" {
            merged.push(node);
        } else if entries.iter().any(|(known, _)| known.text == named.text) {
            self.faults.push(Fault::at(named.span, format!("key {:?} is there twice", named.text)));
        } else {
            entries.push((named, node));
        }
        Ok(())
    }
}

impl Node {
    fn size(&self) -> usize {
        match &self.value {
            Value::Null | Value::Scalar(_) => 1,
            Value::List(items) => items.iter().map(Self::size).sum::<usize>() + 1,
            Value::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum::<usize>() + 1,
        }
    }
}

/// `<<: *defaults`: what the map does not say itself.
fn merge(entries: &mut Vec<(Name, Node)>, merged: Vec<Node>) {
    for node in merged {
        let sources = match node.value {
            Value::List(items) => items,
            value => vec![Node { value, ..node }],
        };
        for source in sources {
            let Value::Map(others) = source.value else { continue };
            for (name, node) in others {
                if entries.iter().all(|(known, _)| known.text != name.text) {
                    entries.push((name, node));
                }
            }
        }
    }
}
