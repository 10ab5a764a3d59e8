//! Selectors, and lists of labels.

use nom::Parser as _;
use nom::combinator::opt;

use super::branch::Branch;
use super::input::{Parsed, Place, Tokens, required, token, token_if};
use super::literal::unquote;
use super::token::{Kind, Token};
use crate::error::{Code, Problem};
use crate::go;
use crate::operators::{BinaryOp, MatchOp};
use crate::regex;
use crate::span::Span;
use crate::tree::{Edges, Expr, METRIC_NAME, Matcher, VectorSelector};

/// `name`, `{label="value"}`, or both.
pub(super) fn vector_selector(input: Tokens<'_>) -> Parsed<'_, Branch> {
    selector.map(|selector| Branch::leaf(Expr::Vector(selector))).parse(input)
}

pub(super) fn selector(input: Tokens<'_>) -> Parsed<'_, VectorSelector> {
    let start = input.first();
    let (rest, name) = opt(token_if(Kind::names_metric)).parse(input)?;
    let (rest, braces) = match (name, rest.kind()) {
        (Some(_), kind) if kind != Kind::LeftBrace => (rest, None),
        _ => braces(rest).map(|(rest, braces)| (rest, Some(braces)))?,
    };
    let (mut matchers, end) = braces.unwrap_or_else(|| (Vec::new(), start.span()));
    let name = name.map(|token| token.text.to_owned());
    matchers.extend(name.clone().map(is_metric));
    let span = start.span().to(end);
    let edges = Edges::Plain;
    Ok((rest, VectorSelector { name, matchers, at: None, offset: None, edges, span }))
}

fn is_metric(value: String) -> Matcher {
    Matcher { name: METRIC_NAME.to_owned(), op: MatchOp::Equal, value }
}

/// `{matcher, …}` and where it ends. A comma may end the list.
fn braces(input: Tokens<'_>) -> Parsed<'_, (Vec<Matcher>, Span)> {
    let (mut input, _) = token(Kind::LeftBrace)(input)?;
    let mut matchers = Vec::new();
    while input.kind() != Kind::RightBrace {
        let (rest, matcher) = required(Place::MatcherStart, matcher)(input)?;
        matchers.push(matcher);
        let is_next = |kind| matches!(kind, Kind::Comma | Kind::RightBrace);
        let (behind, next) = required(Place::MatcherNext, token_if(is_next))(rest)?;
        // The brace itself is taken below.
        input = if next.kind == Kind::Comma { behind } else { rest };
    }
    let (input, close) = token(Kind::RightBrace)(input)?;
    Ok((input, (matchers, close.span())))
}

/// `label="value"`, or a metric's name in quotes.
fn matcher(input: Tokens<'_>) -> Parsed<'_, Matcher> {
    let is_name = |kind| matches!(kind, Kind::Identifier | Kind::String);
    let (rest, label) = token_if(is_name)(input)?;
    let is_quoted = label.kind == Kind::String;
    let name = if is_quoted { unquote(label.text) } else { label.text.to_owned() };
    if is_quoted && match_op(rest.kind()).is_none() {
        return Ok((rest, is_metric(name)));
    }
    let operator = token_if(|kind| match_op(kind).is_some());
    let (rest, operator) = required(Place::MatcherOperator, operator)(rest)?;
    let op = match_op(operator.kind).unwrap_or(MatchOp::Equal);
    let (rest, value) = required(Place::MatcherValue, token(Kind::String))(rest)?;
    let matcher = Matcher { name, op, value: unquote(value.text) };
    report_bad_regex(input, &matcher, label, value);
    Ok((rest, matcher))
}

fn match_op(kind: Kind) -> Option<MatchOp> {
    match kind {
        Kind::Assign => Some(MatchOp::Equal),
        Kind::Operator(BinaryOp::NotEqual) => Some(MatchOp::NotEqual),
        Kind::MatchRegex => Some(MatchOp::Regex),
        Kind::MatchNotRegex => Some(MatchOp::NotRegex),
        _ => None,
    }
}

fn report_bad_regex(input: Tokens<'_>, matcher: &Matcher, label: Token<'_>, value: Token<'_>) {
    if matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex)
        && let Err(error) = regex::matches_empty(&matcher.value)
    {
        let span = label.span().to(value.span());
        input.report(Problem::new(Code::BadRegex, span, error.to_string()));
    }
}

/// `(label, …)`; names may be quoted, and a comma may end the list.
pub(super) fn label_list(input: Tokens<'_>) -> Parsed<'_, Vec<String>> {
    let (mut input, _) = required(Place::GroupingStart, token(Kind::LeftParen))(input)?;
    let mut labels = Vec::new();
    while input.kind() != Kind::RightParen {
        let (rest, label) = required(Place::GroupingLabel, label)(input)?;
        labels.push(label);
        let is_next = |kind| matches!(kind, Kind::Comma | Kind::RightParen);
        let (behind, next) = required(Place::GroupingNext, token_if(is_next))(rest)?;
        input = if next.kind == Kind::Comma { behind } else { rest };
    }
    let (input, _) = token(Kind::RightParen)(input)?;
    Ok((input, labels))
}

fn label(input: Tokens<'_>) -> Parsed<'_, String> {
    let is_label = |kind: Kind| kind.names_label() || kind == Kind::String;
    let (rest, token) = token_if(is_label)(input)?;
    let name = if token.kind == Kind::String { unquote(token.text) } else { token.text.to_owned() };
    if name.is_empty() {
        let message = format!("invalid label name for grouping: {}", go::quote(&name));
        input.report(Problem::new(Code::BadLabel, token.span(), message));
    }
    Ok((rest, name))
}
