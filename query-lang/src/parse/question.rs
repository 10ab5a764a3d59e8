//! A whole text, from bytes to a checked tree.

use nom::{Err, Parser as _};

use super::branch::Branch;
use super::expression::expression;
use super::input::{Context, Parsed, Reject, Tokens, token};
use super::lexer::tokenize;
use super::literal::valid_text;
use super::selector::selector;
use super::token::Kind;
use crate::check::check;
use crate::error::{Code, ParseError, Problem};
use crate::span::Span;
use crate::tree::{Expr, Matcher};

/// How much a text may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub size_max: usize,
    /// Expressions within expressions: parentheses, arguments, operands of a sign or of `^`.
    pub nesting_max: usize,
    /// Levels of the tree. A chain of operators adds one for each, and does not nest.
    pub height_max: usize,
}

impl Default for Limits {
    /// A mebibyte of text; nesting that takes at most 4 KiB of stack a level (tests/limits.rs bears
    /// twice as much on the 2 MiB of a test's thread); and trees whose walkers may take 1 KiB a
    /// level there.
    fn default() -> Self {
        Self { size_max: 1 << 20, nesting_max: 128, height_max: 1000 }
    }
}

/// The question that `text` asks.
///
/// # Errors
/// [`ParseError`] where it asks none, with Prometheus' text and place.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    parse_within(text, Limits::default())
}

/// As [`parse`], of a text as it came from outside.
///
/// Bytes that are no UTF-8 become U+FFFD, which may stand in comments only.
///
/// # Errors
/// As [`parse`].
pub fn parse_bytes(text: &[u8]) -> Result<Expr, ParseError> {
    parse(&valid_text(text))
}

/// As [`parse`], within other limits.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(text: &str, limits: Limits) -> Result<Expr, ParseError> {
    let mut expr = *whole(text, limits, question)?.expr;
    let problems = check(text, &mut expr);
    if problems.is_empty() { Ok(expr) } else { Err(ParseError::new(text, problems)) }
}

/// The tests of a selector that stands alone, as in `match[]` of Prometheus' API.
///
/// One that selects everything is refused by whoever asks, if at all.
///
/// # Errors
/// [`ParseError`] where it is none.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    whole(text, Limits::default(), selector).map(|selector| selector.matchers)
}

fn question(input: Tokens<'_>) -> Parsed<'_, Branch> {
    match input.kind() {
        Kind::End => Err(Err::Failure(Reject::Empty)),
        _ => expression(input),
    }
}

/// What `parser` makes of all tokens of `text`.
fn whole<T>(
    text: &str,
    limits: Limits,
    parser: impl Fn(Tokens<'_>) -> Parsed<'_, T>,
) -> Result<T, ParseError> {
    if text.len() > limits.size_max {
        let (size, limit) = (text.len(), limits.size_max);
        let message = format!("query has {size} bytes, the limit is {limit}");
        let problem = Problem::new(Code::TooLong, Span::default(), message);
        return Err(ParseError::new("", vec![problem]));
    }
    let (tokens, lexical) = tokenize(text);
    let context = Context::new(lexical, limits);
    let input = Tokens::new(&tokens, &context);
    let (parsed, reject) = match (parser, token(Kind::End)).parse(input) {
        Ok((_, (parsed, _))) => (Some(parsed), None),
        Err(Err::Error(reject) | Err::Failure(reject)) => (None, Some(reject)),
        Err(Err::Incomplete(_)) => (None, Some(Reject::Empty)),
    };
    let problems = context.problems(reject);
    match parsed {
        Some(parsed) if problems.is_empty() => Ok(parsed),
        _ => Err(ParseError::new(text, problems)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_alone_gives_its_matchers() {
        let texts = |text| {
            let matchers = parse_selector(text).unwrap();
            matchers.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(texts("up{job!=\"a\"}"), ["job!=\"a\"", "__name__=\"up\""]);
        assert_eq!(texts("{}"), [""; 0]);
        let error = |text| parse_selector(text).unwrap_err().to_string();
        assert_eq!(error("up[5m]"), "1:3: parse error: unexpected \"[\"");
        assert_eq!(
            error("{a=~\"(\"}"),
            "1:2: parse error: error parsing regexp: missing closing ): `(`"
        );
        assert_eq!(error(""), "unknown position: parse error: unexpected end of input");
    }
}
