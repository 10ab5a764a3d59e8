//! The words of the language, cut and named.

use crate::aggregations::Aggregation;
use crate::functions::Origin;
use crate::go;
use crate::operators::BinaryOp;
use crate::span::Span;

/// A word, a symbol or a literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

/// Which language a text is read in.
///
/// Every text is first read as `PromQL`, so that what Prometheus takes means what it means there, and
/// what it refuses is refused in its words. Only a text that is refused is read as QQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    #[default]
    PromQl,
    Qql,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The end of the text.
    End,
    /// The text goes on, but not in this language; the lexer has said why.
    Bad,
    Identifier,
    /// An identifier with a colon in it.
    MetricIdentifier,
    Number,
    Duration,
    String,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    At,
    /// `=`
    Assign,
    /// `=~`
    MatchRegex,
    /// `!~`
    MatchNotRegex,
    /// An operator; `!=` is also a way to match.
    Operator(BinaryOp),
    Aggregation(Aggregation),
    Keyword(Keyword),
}

/// A word with a meaning of its own, in some places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Bool,
    By,
    Without,
    On,
    Ignoring,
    GroupLeft,
    GroupRight,
    Fill,
    FillLeft,
    FillRight,
    Offset,
    Anchored,
    Smoothed,
    Start,
    End,
    Step,
    Range,
    MinOf,
    MaxOf,
}

impl Kind {
    /// What a word means, whatever its case; `None` is an identifier.
    pub(super) fn of_word(word: &str, dialect: Dialect) -> Option<Self> {
        let lower = word.to_ascii_lowercase();
        let is_known = |op: &&Aggregation| {
            op.name() == lower && (dialect == Dialect::Qql || op.origin() == Origin::PromQl)
        };
        if let Some(op) = Aggregation::ALL.iter().find(is_known) {
            return Some(Self::Aggregation(*op));
        }
        Some(match lower.as_str() {
            "and" => Self::Operator(BinaryOp::And),
            "or" => Self::Operator(BinaryOp::Or),
            "unless" => Self::Operator(BinaryOp::Unless),
            "atan2" => Self::Operator(BinaryOp::Atan2),
            "inf" | "nan" => Self::Number,
            lower => Self::Keyword(Keyword::of_word(lower)?),
        })
    }

    /// Whether it may be the name of a metric.
    pub(super) fn names_metric(self) -> bool {
        match self {
            Self::Identifier | Self::MetricIdentifier | Self::Aggregation(_) => true,
            Self::Operator(op) => op.is_set(),
            Self::Keyword(keyword) => !matches!(
                keyword,
                Keyword::Bool
                    | Keyword::On
                    | Keyword::Ignoring
                    | Keyword::GroupLeft
                    | Keyword::GroupRight
            ),
            _ => false,
        }
    }

    /// Whether it may be the name of a label in `by (…)` and the like.
    pub(super) fn names_label(self) -> bool {
        match self {
            Self::Identifier | Self::MetricIdentifier | Self::Aggregation(_) => true,
            Self::Operator(op) => op.is_set() || op == BinaryOp::Atan2,
            // `without` is missing from Prometheus' list.
            Self::Keyword(keyword) => keyword != Keyword::Without,
            _ => false,
        }
    }

    /// Whether an expression may begin with it.
    pub(super) fn begins_expression(self) -> bool {
        self.names_metric()
            || matches!(
                self,
                Self::Number
                    | Self::Duration
                    | Self::String
                    | Self::LeftParen
                    | Self::LeftBrace
                    | Self::Operator(BinaryOp::Add | BinaryOp::Sub)
            )
    }
}

impl Keyword {
    fn of_word(lower: &str) -> Option<Self> {
        Some(match lower {
            "bool" => Self::Bool,
            "by" => Self::By,
            "without" => Self::Without,
            "on" => Self::On,
            "ignoring" => Self::Ignoring,
            "group_left" => Self::GroupLeft,
            "group_right" => Self::GroupRight,
            "fill" => Self::Fill,
            "fill_left" => Self::FillLeft,
            "fill_right" => Self::FillRight,
            "offset" => Self::Offset,
            "anchored" => Self::Anchored,
            "smoothed" => Self::Smoothed,
            "start" => Self::Start,
            "end" => Self::End,
            "step" => Self::Step,
            "range" => Self::Range,
            "min_of" => Self::MinOf,
            "max_of" => Self::MaxOf,
            _ => return None,
        })
    }

    /// Also the name of a function: `step()`.
    pub(super) fn names_function(self) -> bool {
        matches!(
            self,
            Self::Start | Self::End | Self::Step | Self::Range | Self::MinOf | Self::MaxOf
        )
    }
}

impl Token<'_> {
    pub(super) fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    /// As Prometheus names it where it is not expected.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            Kind::End => "end of input".to_owned(),
            Kind::Bad => "error".to_owned(),
            Kind::Identifier => format!("identifier {}", go::quote(self.text)),
            Kind::MetricIdentifier => format!("metric identifier {}", go::quote(self.text)),
            Kind::Number => format!("number {}", self.excerpt()),
            Kind::Duration => format!("duration {}", self.excerpt()),
            Kind::String => format!("string {}", self.excerpt()),
            Kind::Operator(_) | Kind::At | Kind::MatchRegex | Kind::MatchNotRegex => {
                format!("<op:{}>", self.text)
            }
            Kind::Aggregation(_) => format!("<aggr:{}>", self.text),
            Kind::Keyword(keyword) if keyword.names_function() => self.excerpt(),
            Kind::Keyword(_) => format!("<{}>", self.text),
            Kind::LeftParen
            | Kind::RightParen
            | Kind::LeftBrace
            | Kind::RightBrace
            | Kind::LeftBracket
            | Kind::RightBracket
            | Kind::Comma
            | Kind::Colon
            | Kind::Assign => self.excerpt(),
        }
    }

    /// The text, or ten characters of one that is longer than ten bytes.
    fn excerpt(&self) -> String {
        if self.text.len() <= 10 {
            return go::quote(self.text);
        }
        let start: String = self.text.chars().take(10).collect();
        format!("{}...", go::quote(&start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_described_as_prometheus_does() {
        let token = |kind, text| Token { kind, text, start: 0 };
        let cases = [
            (token(Kind::Keyword(Keyword::By), "BY"), "<BY>"),
            (token(Kind::Keyword(Keyword::Step), "step"), "\"step\""),
            (token(Kind::Operator(BinaryOp::And), "and"), "<op:and>"),
            (token(Kind::At, "@"), "<op:@>"),
            (token(Kind::Aggregation(Aggregation::Sum), "sum"), "<aggr:sum>"),
            (token(Kind::Assign, "="), "\"=\""),
            (token(Kind::String, "'a longer text'"), "string \"'a longer \"..."),
            (
                token(Kind::Identifier, "a_very_long_identifier"),
                "identifier \"a_very_long_identifier\"",
            ),
        ];
        for (token, expected) in cases {
            assert_eq!(token.describe(), expected);
        }
    }
}
