//! Expressions as trees of text: enough to print them, to look at their parts, and to make them smaller.

use std::fmt::Write as _;

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Vector,
    Range,
}

/// Who is asked: a few names have changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ours,
    Theirs,
}

/// A piece of an expression's text.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(String),
    /// A name that is not the same for both.
    Renamed {
        ours: &'static str,
        theirs: &'static str,
    },
    Child(Box<Node>),
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The function, operator or aggregation; `selector` and `number` for leaves.
    pub(crate) name: &'static str,
    /// Labels that tell its series apart, as far as that is known.
    pub(crate) labels: Vec<&'static str>,
    pub(crate) pieces: Vec<Piece>,
    /// Of a range.
    pub(crate) window: Option<Window>,
}

/// The window of a range, ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) range: i64,
    /// Of a subquery; else 0.
    pub(crate) step: i64,
    pub(crate) offset: i64,
    pub(crate) at: Option<Pin>,
}

impl Window {
    /// Where `@` fixes it.
    pub(crate) fn fixed(self) -> Option<i64> {
        match self.at {
            Some(Pin::Time(time)) => Some(time),
            _ => None,
        }
    }
}

/// What `@` says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pin {
    Start,
    End,
    Time(i64),
}

/// When something is evaluated, ms; one time where the step is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
}

impl Node {
    pub(crate) fn new(
        kind: Kind,
        name: &'static str,
        labels: &[&'static str],
        pieces: Vec<Piece>,
    ) -> Self {
        Self { kind, name, labels: labels.to_vec(), pieces, window: None }
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = &Node> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Child(child) => Some(child.as_ref()),
            Piece::Text(_) | Piece::Renamed { .. } => None,
        })
    }

    pub(crate) fn print(&self, dialect: Dialect) -> String {
        let mut out = String::new();
        self.write(dialect, &mut out);
        out
    }

    fn write(&self, dialect: Dialect, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Renamed { ours, theirs } => {
                    out.push_str(if dialect == Dialect::Ours { ours } else { theirs });
                }
                Piece::Child(child) => child.write(dialect, out),
            }
        }
    }

    /// With `@ start()` and `@ end()` made times, so that a part can be asked by itself.
    pub(crate) fn pinned(&self, whole: Times) -> Self {
        let time = |millis: i64| format!("@ {}", millis / 1000);
        let mut node = self.clone();
        for piece in &mut node.pieces {
            match piece {
                Piece::Text(text) => {
                    *text = text
                        .replace("@ start()", &time(whole.start))
                        .replace("@ end()", &time(whole.end));
                }
                Piece::Child(child) => **child = child.pinned(whole),
                Piece::Renamed { .. } => {}
            }
        }
        if let Some(window) = &mut node.window {
            window.at = window.at.map(|pin| match pin {
                Pin::Start => Pin::Time(whole.start),
                Pin::End => Pin::Time(whole.end),
                Pin::Time(_) => pin,
            });
        }
        node
    }

    /// When the child of a subquery is evaluated, if it is asked by itself.
    pub(crate) fn times_inside(&self, times: Times) -> Times {
        let Some(window) = self.window.filter(|window| window.step > 0) else { return times };
        let (start, end) = window.fixed().map_or((times.start, times.end), |time| (time, time));
        let first = (start - window.offset - window.range).div_euclid(window.step) + 1;
        Times { start: first * window.step, end: end - window.offset, step: window.step }
    }
}

/// A text with children where `{}` stands.
pub(crate) fn template(text: &str, children: Vec<Node>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut children = children.into_iter();
    for (i, part) in text.split("{}").enumerate() {
        if i > 0 {
            pieces.extend(children.next().map(|child| Piece::Child(Box::new(child))));
        }
        if !part.is_empty() {
            pieces.push(Piece::Text(part.to_owned()));
        }
    }
    assert!(children.next().is_none(), "more children than places in {text}");
    pieces
}

/// ms as PromQL writes durations.
pub(crate) fn duration(millis: i64) -> String {
    let mut out = String::new();
    let (sign, mut rest) = (if millis < 0 { "-" } else { "" }, millis.abs());
    out.push_str(sign);
    for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")] {
        if rest >= unit {
            let _ = write!(out, "{}{name}", rest / unit);
            rest %= unit;
        }
    }
    if millis == 0 { "0s".to_owned() } else { out }
}
