//! Operators: how tightly they bind, and what they take along.

use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::sequence::delimited;
use nom::{Err, Input as _, Parser as _};

use super::branch::Branch;
use super::call::{aggregate, call};
use super::input::{Parsed, Place, Reject, Tokens, is_word, keyword, nested, token, token_if};
use super::literal;
use super::postfix::postfix;
use super::selector::{label_list, text, vector_selector};
use super::template;
use super::token::{Keyword, Kind, Token};
use crate::functions::Function;
use crate::operators::{BinaryOp, Sign};
use crate::span::Span;
use crate::tree::{
    Binary, Call, Cardinality, Expr, NumberLiteral, Paren, StringLiteral, Unary, VectorMatching,
};

/// An expression with operators of any kind.
pub(super) fn expression(input: Tokens<'_>) -> Parsed<'_, Branch> {
    if template::begins(input) {
        return template::with(input);
    }
    binary(Binding::Default, input)
}

/// How tightly operators bind, from the loosest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Default,
    If,
    Or,
    And,
    Comparison,
    Sum,
    Product,
    /// Tighter than a sign: `-1 ^ 2` is `-(1 ^ 2)`.
    Power,
    /// Nothing binds that tightly.
    Nothing,
}

impl Binding {
    fn of(op: BinaryOp) -> Self {
        match op {
            BinaryOp::Default => Self::Default,
            BinaryOp::If | BinaryOp::IfNot => Self::If,
            BinaryOp::Or => Self::Or,
            BinaryOp::And | BinaryOp::Unless => Self::And,
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::TrimUpper
            | BinaryOp::TrimLower => Self::Comparison,
            BinaryOp::Add | BinaryOp::Sub => Self::Sum,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::Atan2 => Self::Product,
            BinaryOp::Pow => Self::Power,
        }
    }

    /// What the right operand of such an operator may hold: `^` groups to the right, others to the left.
    pub(super) fn of_right_operand(self) -> Self {
        match self {
            Self::Default => Self::If,
            Self::If => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product | Self::Power => Self::Power,
            Self::Nothing => Self::Nothing,
        }
    }
}

/// The operator that is next, if it binds at least as tightly as `loosest`.
pub(super) fn next_operator(input: Tokens<'_>, loosest: Binding) -> Option<(BinaryOp, Binding)> {
    match input.kind() {
        Kind::Operator(op) if Binding::of(op) >= loosest => Some((op, Binding::of(op))),
        Kind::Identifier => {
            let words = [BinaryOp::Default, BinaryOp::If, BinaryOp::IfNot];
            let op = words.into_iter().find(|op| is_word(input, op.symbol()))?;
            (Binding::of(op) >= loosest).then_some((op, Binding::of(op)))
        }
        _ => None,
    }
}

/// Operands with operators between them that bind at least as tightly as `loosest`.
fn binary(loosest: Binding, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (mut input, mut left) = operand(input)?;
    while let Some((op, binding)) = next_operator(input, loosest) {
        let (rest, modifiers) = modifiers(input.take_from(1))?;
        let inner = nested(|input| binary(binding.of_right_operand(), input));
        let (rest, right) = inner(rest)?;
        left = joined(op, left, *modifiers, right, rest)?;
        input = rest;
    }
    Ok((input, left))
}

/// Two operands and what stands between them.
fn joined(
    op: BinaryOp,
    left: Branch,
    modifiers: Modifiers,
    right: Branch,
    input: Tokens<'_>,
) -> Result<Branch, Err<Reject<'_>>> {
    let height = Branch::height_over([&left, &right]);
    let span = left.span().to(right.span());
    let expr = Expr::Binary(Binary {
        op,
        left: left.expr,
        right: right.expr,
        returns_bool: modifiers.returns_bool,
        matching: Some(modifiers.matching),
        span,
    });
    Branch::grow(input, expr, height)
}

/// An operand, with its signs and all that follows it directly.
fn operand(input: Tokens<'_>) -> Parsed<'_, Branch> {
    match input.kind() {
        Kind::Operator(BinaryOp::Add | BinaryOp::Sub) => signed(input),
        _ => postfix(input),
    }
}

fn signed(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (input, (sign, start)) = sign(input)?;
    let (input, inner) = nested(|input| binary(Binding::Power, input))(input)?;
    with_sign_before(sign, start, inner, input)
}

fn with_sign_before<'a>(
    sign: Sign,
    start: Token<'a>,
    inner: Branch,
    input: Tokens<'a>,
) -> Parsed<'a, Branch> {
    let span = start.span().to(inner.span());
    let height = Branch::height_over([&inner]);
    let expr = match *inner.expr {
        Expr::Number(number) => Expr::Number(with_sign(sign, number, start)),
        _ => Expr::Unary(Unary { sign, expr: inner.expr, span }),
    };
    Ok((input, Branch::grow(input, expr, height)?))
}

/// `+` or `-`.
pub(super) fn sign(input: Tokens<'_>) -> Parsed<'_, (Sign, Token<'_>)> {
    alt((
        token(Kind::Operator(BinaryOp::Add)).map(|token| (Sign::Plus, token)),
        token(Kind::Operator(BinaryOp::Sub)).map(|token| (Sign::Minus, token)),
    ))
    .parse(input)
}

/// The number that a sign before it makes.
pub(super) fn with_sign(sign: Sign, number: NumberLiteral, start: Token<'_>) -> NumberLiteral {
    let value = match sign {
        Sign::Plus => number.value,
        Sign::Minus => -number.value,
    };
    NumberLiteral { value, span: start.span().to(number.span), ..number }
}

/// What may stand by itself.
pub(super) fn primary(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let is_call = input.second_kind() == Kind::LeftParen;
    match input.kind() {
        Kind::Number | Kind::Duration => {
            number(input).map(|(rest, number)| (rest, Branch::leaf(Expr::Number(number))))
        }
        Kind::String => string(input),
        Kind::LeftParen => paren(input),
        Kind::Aggregation(op) if begins_aggregation(input.second_kind()) => aggregate(op, input),
        Kind::Identifier if template::is_used(input) => template::used(input),
        Kind::Identifier if is_call => call(input),
        Kind::Keyword(keyword) if keyword.names_function() && is_call => call(input),
        Kind::LeftBrace => vector_selector(input),
        kind if kind.names_metric() => vector_selector(input),
        _ => input.reject(Place::Expression),
    }
}

fn begins_aggregation(kind: Kind) -> bool {
    matches!(kind, Kind::LeftParen | Kind::Keyword(Keyword::By | Keyword::Without))
}

/// A number or a duration, which stands for its seconds.
pub(super) fn number(input: Tokens<'_>) -> Parsed<'_, NumberLiteral> {
    let (rest, literal) = token_if(|kind| matches!(kind, Kind::Number | Kind::Duration))(input)?;
    let is_duration = literal.kind == Kind::Duration;
    let value = literal::value(literal.text, is_duration, input.is_extended());
    let span = literal.span();
    let value = input.value_or_report(span, value);
    Ok((rest, NumberLiteral { value, is_duration, span }))
}

fn string(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let start = input.first();
    let (rest, value) = text(input)?;
    let span = Span::new(start.start, rest.end_since(input));
    Ok((rest, Branch::leaf(Expr::String(StringLiteral { value, span }))))
}

fn paren(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (input, (open, inner)) = (token(Kind::LeftParen), nested(expression)).parse(input)?;
    if input.is_extended() && input.kind() == Kind::Comma {
        return union(open, inner, input);
    }
    closed(open, inner, input)
}

/// The end of `(expr)`.
fn closed<'a>(open: Token<'a>, inner: Branch, input: Tokens<'a>) -> Parsed<'a, Branch> {
    let (input, close) = token(Kind::RightParen)(input)?;
    let height = Branch::height_over([&inner]);
    let span = open.span().to(close.span());
    let expr = Expr::Paren(Paren { expr: inner.expr, span });
    Ok((input, Branch::grow(input, expr, height)?))
}

/// The rest of `(a, b)`, which is `union(a, b)`.
fn union<'a>(open: Token<'a>, first: Branch, input: Tokens<'a>) -> Parsed<'a, Branch> {
    let mut input = input;
    let mut list = vec![first];
    while input.kind() == Kind::Comma && input.second_kind() != Kind::RightParen {
        let (rest, next) = nested(expression)(input.take_from(1))?;
        list.push(next);
        input = rest;
    }
    let (input, _) = opt(token(Kind::Comma)).parse(input)?;
    let (input, close) = token(Kind::RightParen)(input)?;
    let height = Branch::height_over(&list);
    let args = list.into_iter().map(|branch| *branch.expr).collect();
    let span = open.span().to(close.span());
    let expr = Expr::Call(Call { function: Function::Union, args, span });
    Ok((input, Branch::grow(input, expr, height)?))
}

/// What stands between an operator and its right operand.
struct Modifiers {
    returns_bool: bool,
    matching: VectorMatching,
}

fn modifiers(input: Tokens<'_>) -> Parsed<'_, Box<Modifiers>> {
    let (input, returns_bool) = opt(keyword(Keyword::Bool)).parse(input)?;
    let (input, matching) = opt(matching).parse(input)?;
    let (input, (fill_left, fill_right)) = fills(input)?;
    let matching = VectorMatching { fill_left, fill_right, ..matching.unwrap_or_default() };
    Ok((input, Box::new(Modifiers { returns_bool: returns_bool.is_some(), matching })))
}

/// `on (…)` or `ignoring (…)`, and `group_left (…)` or `group_right (…)`.
fn matching(input: Tokens<'_>) -> Parsed<'_, VectorMatching> {
    let (input, which) = alt((keyword(Keyword::On), keyword(Keyword::Ignoring))).parse(input)?;
    let (input, labels) = label_list(input)?;
    let side = alt((
        keyword(Keyword::GroupLeft).map(|_| Cardinality::ManyToOne),
        keyword(Keyword::GroupRight).map(|_| Cardinality::OneToMany),
    ));
    let (input, cardinality) = opt(side).parse(input)?;
    let (input, include_all) = opt(all_labels).parse(input)?;
    let (input, include) = match (cardinality, input.kind()) {
        (Some(_), Kind::LeftParen) => label_list(input)?,
        _ => (input, Vec::new()),
    };
    let (input, prefix) = if cardinality.is_some() && is_word(input, "prefix") {
        let (input, prefix) = text(input.take_from(1))?;
        (input, Some(prefix))
    } else {
        (input, None)
    };
    let on = which.kind == Kind::Keyword(Keyword::On);
    let cardinality = cardinality.unwrap_or_default();
    let include_all = include_all.is_some();
    let (fill_left, fill_right) = (None, None);
    let matching = VectorMatching {
        cardinality,
        on,
        labels,
        include,
        include_all,
        prefix,
        fill_left,
        fill_right,
    };
    Ok((input, matching))
}

/// `(*)` behind `group_left` or `group_right`.
fn all_labels(input: Tokens<'_>) -> Parsed<'_, ()> {
    if !input.is_extended() {
        return input.reject(Place::Expression);
    }
    let star = token(Kind::Operator(BinaryOp::Mul));
    (token(Kind::LeftParen), star, token(Kind::RightParen)).map(|_| ()).parse(input)
}

/// `fill(x)`, or `fill_left(x)` and `fill_right(x)` in either order.
fn fills(input: Tokens<'_>) -> Parsed<'_, (Option<f64>, Option<f64>)> {
    let (input, both) = opt(fill(Keyword::Fill)).parse(input)?;
    if both.is_some() {
        return Ok((input, (both, both)));
    }
    let (input, left) = opt(fill(Keyword::FillLeft)).parse(input)?;
    let (input, right) = opt(fill(Keyword::FillRight)).parse(input)?;
    if left.is_some() || right.is_none() {
        return Ok((input, (left, right)));
    }
    let (input, left) = opt(fill(Keyword::FillLeft)).parse(input)?;
    Ok((input, (left, right)))
}

fn fill<'a>(word: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, f64> {
    move |input| {
        let (input, _) = keyword(word)(input)?;
        let value = (opt(sign), number).map(|(sign, number)| match sign {
            Some((Sign::Minus, _)) => -number.value,
            Some((Sign::Plus, _)) | None => number.value,
        });
        let in_parens = delimited(token(Kind::LeftParen), value, token(Kind::RightParen));
        // The word is a modifier only if a parenthesis follows, so there is no way back.
        cut(in_parens).parse(input)
    }
}
