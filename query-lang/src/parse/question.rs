//! A whole text, from bytes to a checked tree.

use nom::{Err, Parser as _};

use super::branch::Branch;
use super::expression::expression;
use super::input::{Context, Parsed, Reject, Tokens, token};
use super::lexer::tokenize;
use super::literal::valid_text;
use super::selector::selector;
use super::token::{Dialect, Kind};
use crate::check::check;
use crate::duration::DurationKind;
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
    /// Words that templates may expand to.
    pub expansion_max: usize,
}

impl Default for Limits {
    /// A mebibyte of text; nesting that takes at most 4 KiB of stack a level (tests/limits.rs bears
    /// twice as much on the 2 MiB of a test's thread); and trees whose walkers may take 1 KiB a
    /// level there.
    fn default() -> Self {
        Self { size_max: 1 << 20, nesting_max: 128, height_max: 1000, expansion_max: 100_000 }
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
    match parse_as(text, limits, Dialect::PromQl) {
        Ok(expr) => Ok(expr),
        Err(refusal) if refusal.is_of_size() => Err(refusal.error),
        Err(refusal) => parse_as(text, limits, Dialect::Qql).map_err(
            |of_qql| if of_qql.got_further_than(&refusal) { of_qql } else { refusal }.error,
        ),
    }
}

/// Why a text is none of a dialect's.
struct Refusal {
    error: ParseError,
    /// The grammar took it, the types did not.
    is_of_types: bool,
}

impl Refusal {
    fn is_of_size(&self) -> bool {
        self.error.problems().iter().any(|problem| problem.code == Code::TooLong)
    }

    /// Where it is the better answer to someone who meant QQL.
    fn got_further_than(&self, other: &Self) -> bool {
        let first = |refusal: &Self| refusal.error.problems().first().cloned();
        let (Some(own), Some(others)) = (first(self), first(other)) else { return false };
        let says_more = own.span.start == others.span.start
            && (own.message.starts_with(&others.message) && own.message != others.message
                || others.code == Code::UnknownFunction && own.code != others.code);
        match (self.is_of_types, other.is_of_types) {
            (true, false) => true,
            (_, true) => false,
            (false, false) => own.span.start > others.span.start || says_more,
        }
    }
}

fn parse_as(text: &str, limits: Limits, dialect: Dialect) -> Result<Expr, Refusal> {
    let parsed = whole(text, limits, dialect, question);
    let mut expr = *parsed.map_err(|error| Refusal { error, is_of_types: false })?.expr;
    let problems = check(text, &mut expr);
    if problems.is_empty() {
        return Ok(expr);
    }
    Err(Refusal { error: ParseError::new(text, problems), is_of_types: true })
}

/// The tests of a selector that stands alone, as in `match[]` of Prometheus' API.
///
/// One that selects everything is refused by whoever asks, if at all.
///
/// # Errors
/// [`ParseError`] where it is none.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    whole(text, Limits::default(), Dialect::PromQl, selector).map(|selector| selector.matchers)
}

fn question(input: Tokens<'_>) -> Parsed<'_, Branch> {
    match input.kind() {
        Kind::End => Err(Err::Failure(Reject::Empty)),
        _ if input.is_extended() => {
            let (rest, branch) = expression(input)?;
            Ok((rest, refuse_omitted(rest, branch)))
        }
        _ => expression(input),
    }
}

/// A window may be left out within a function; alone it would say nothing.
fn refuse_omitted(input: Tokens<'_>, branch: Branch) -> Branch {
    if let Expr::Matrix(matrix) = branch.expr.without_parens()
        && matrix.range.kind == DurationKind::Omitted
    {
        let message = "a window may be left out in the arguments of a function only";
        input.report(Problem::new(Code::BadRange, matrix.range.span, message));
    }
    branch
}

/// What `parser` makes of all tokens of `text`.
fn whole<T>(
    text: &str,
    limits: Limits,
    dialect: Dialect,
    parser: impl Fn(Tokens<'_>) -> Parsed<'_, T>,
) -> Result<T, ParseError> {
    if text.len() > limits.size_max {
        let (size, limit) = (text.len(), limits.size_max);
        let message = format!("query has {size} bytes, the limit is {limit}");
        let problem = Problem::new(Code::TooLong, Span::default(), message);
        return Err(ParseError::new("", vec![problem]));
    }
    let (tokens, lexical) = tokenize(text, dialect);
    let context = Context::new(&tokens, lexical, limits, dialect);
    let input = Tokens::new(&context);
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
