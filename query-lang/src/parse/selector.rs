//! Selectors, and lists of labels.

use nom::combinator::opt;
use nom::{Input as _, Parser as _};

use super::branch::Branch;
use super::input::{Parsed, Place, Tokens, is_word, required, token, token_if};
use super::literal::unquote;
use super::template;
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
    let (mut sets, end) = braces.unwrap_or_else(|| (vec![Vec::new()], start.span()));
    let name = name.map(|token| token.text.to_owned());
    for matchers in &mut sets {
        matchers.extend(name.clone().map(is_metric));
    }
    let span = start.span().to(end);
    let edges = Edges::Plain;
    let mut sets = sets.into_iter();
    let matchers = sets.next().unwrap_or_default();
    let alternatives = sets.collect();
    let selector =
        VectorSelector { name, matchers, alternatives, at: None, offset: None, edges, span };
    Ok((rest, selector))
}

/// A selector with further tests behind it, as a template may have.
pub(super) fn narrowed(branch: Branch, input: Tokens<'_>) -> Parsed<'_, Branch> {
    if !matches!(branch.expr.as_ref(), Expr::Vector(_)) {
        return input.reject(Place::Template);
    }
    let (rest, (more, _)) = braces(input)?;
    let narrow = |expr| match expr {
        Expr::Vector(selector) => {
            let VectorSelector { matchers, alternatives, .. } = selector.clone();
            let own = std::iter::once(matchers).chain(alternatives);
            let sets = own.flat_map(|set| joined(&vec![set], &more));
            // The test for the name is the last.
            let mut sets = sets.map(|mut set| {
                if selector.name.is_some()
                    && let Some(at) = set.iter().position(|it| it.name == METRIC_NAME)
                {
                    let name = set.remove(at);
                    set.push(name);
                }
                set
            });
            let matchers = sets.next().unwrap_or_default();
            let alternatives = sets.collect();
            Expr::Vector(VectorSelector { matchers, alternatives, ..selector })
        }
        other => other,
    };
    Ok((rest, branch.map(narrow)))
}

fn is_metric(value: String) -> Matcher {
    Matcher { name: METRIC_NAME.to_owned(), op: MatchOp::Equal, value }
}

/// Sets of tests, one of which has to pass.
type Sets = Vec<Vec<Matcher>>;

/// `{matcher, …}` and where it ends. A comma may end the list, and `or` begins another.
fn braces(input: Tokens<'_>) -> Parsed<'_, (Sets, Span)> {
    let (mut input, _) = token(Kind::LeftBrace)(input)?;
    let mut sets = vec![Vec::new()];
    while input.kind() != Kind::RightBrace {
        let rest = if let Some(parsed) = shared(input) {
            let (rest, shared) = parsed?;
            sets = joined(&sets, &shared);
            rest
        } else {
            let (rest, matcher) = required(Place::MatcherStart, matcher)(input)?;
            if let Some(matchers) = sets.last_mut() {
                matchers.push(matcher);
            }
            rest
        };
        if is_word(rest, "or") {
            sets.push(Vec::new());
            input = rest.take_from(1);
            continue;
        }
        let is_next = |kind| matches!(kind, Kind::Comma | Kind::RightBrace);
        let (behind, next) = required(Place::MatcherNext, token_if(is_next))(rest)?;
        // The brace itself is taken below.
        input = if next.kind == Kind::Comma { behind } else { rest };
    }
    let (input, close) = token(Kind::RightBrace)(input)?;
    Ok((input, (sets, close.span())))
}

/// A template of tests: `{only, job="a"}`.
fn shared(input: Tokens<'_>) -> Option<Parsed<'_, Sets>> {
    let next = input.second_kind();
    let stands_alone = matches!(next, Kind::Comma | Kind::RightBrace | Kind::Identifier);
    let (_, template) = template::named(input).filter(|_| stands_alone)?;
    let sets = template::expand(input, &template, |body| {
        if body.kind() == Kind::LeftBrace {
            braces(body).map(|(rest, (sets, _))| (rest, sets))
        } else {
            // A name of its own, that stands for others.
            shared(body).unwrap_or_else(|| required(Place::MatcherStart, reject)(body))
        }
    });
    Some(sets.map(|sets| (input.take_from(1), sets)))
}

fn reject<T>(input: Tokens<'_>) -> Parsed<'_, T> {
    input.reject(Place::Expression)
}

/// The tests so far and those of a template; of the last set, where both have several.
fn joined(sets: &Sets, shared: &Sets) -> Sets {
    let (last, before) =
        sets.split_last().map_or((&[][..], &[][..]), |(last, before)| (last.as_slice(), before));
    let with = |more: &Vec<Matcher>| last.iter().chain(more).cloned().collect();
    before.iter().cloned().chain(shared.iter().map(with)).collect()
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
    let value_at = rest.first();
    let (rest, value) = required(Place::MatcherValue, text)(rest)?;
    let matcher = Matcher { name, op, value };
    report_bad_regex(input, &matcher, label, value_at);
    Ok((rest, matcher))
}

/// A quoted text; in QQL also templates of texts, and several joined by `+`.
pub(super) fn text(input: Tokens<'_>) -> Parsed<'_, String> {
    let (mut input, mut value) = text_part(input)?;
    while input.is_extended()
        && input.kind() == Kind::Operator(BinaryOp::Add)
        && is_text(input.take_from(1))
    {
        let (rest, more) = text_part(input.take_from(1))?;
        value.push_str(&more);
        input = rest;
    }
    Ok((input, value))
}

/// Whether a quoted text is next, or a template that begins with one.
pub(super) fn is_text(input: Tokens<'_>) -> bool {
    input.kind() == Kind::String
        || template::named(input).is_some_and(|(_, template)| is_text(template.part(input)))
}

fn text_part(input: Tokens<'_>) -> Parsed<'_, String> {
    if let Some((_, template)) = template::named(input) {
        return Ok((input.take_from(1), template::expand(input, &template, text)?));
    }
    let (rest, value) = token(Kind::String)(input)?;
    Ok((rest, unquote(value.text)))
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
        let rest = if let Some((_, template)) = template::named(input) {
            labels.extend(template::expand(input, &template, |body| match body.kind() {
                Kind::LeftParen => label_list(body),
                _ => label.map(|label| vec![label]).parse(body),
            })?);
            input.take_from(1)
        } else {
            let (rest, label) = required(Place::GroupingLabel, label)(input)?;
            labels.push(label);
            rest
        };
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
