//! Operators: how tightly they bind, and what they take along.

use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::sequence::delimited;
use nom::{Input as _, Parser as _};

use super::branch::Branch;
use super::call::{aggregate, call};
use super::input::{Parsed, Place, Tokens, keyword, nested, token, token_if};
use super::literal;
use super::postfix::postfix;
use super::selector::{label_list, vector_selector};
use super::token::{Keyword, Kind, Token};
use crate::operators::{BinaryOp, Sign};
use crate::tree::{
    Binary, Cardinality, Expr, NumberLiteral, Paren, StringLiteral, Unary, VectorMatching,
};

/// An expression with operators of any kind.
pub(super) fn expression(input: Tokens<'_>) -> Parsed<'_, Branch> {
    binary(Binding::Or, input)
}

/// How tightly operators bind, from the loosest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
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
        left = Branch::grow(rest, expr, height)?;
        input = rest;
    }
    Ok((input, left))
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
    let value =
        if is_duration { literal::duration(literal.text) } else { literal::number(literal.text) };
    let span = literal.span();
    let value = input.value_or_report(span, value);
    Ok((rest, NumberLiteral { value, is_duration, span }))
}

fn string(input: Tokens<'_>) -> Parsed<'_, Branch> {
    token(Kind::String)
        .map(|token| {
            let value = literal::unquote(token.text);
            Branch::leaf(Expr::String(StringLiteral { value, span: token.span() }))
        })
        .parse(input)
}

fn paren(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (input, (open, inner, close)) =
        (token(Kind::LeftParen), nested(expression), token(Kind::RightParen)).parse(input)?;
    let height = Branch::height_over([&inner]);
    let span = open.span().to(close.span());
    let expr = Expr::Paren(Paren { expr: inner.expr, span });
    Ok((input, Branch::grow(input, expr, height)?))
}

/// What stands between an operator and its right operand.
struct Modifiers {
    returns_bool: bool,
    matching: VectorMatching,
}

fn modifiers(input: Tokens<'_>) -> Parsed<'_, Modifiers> {
    let (input, returns_bool) = opt(keyword(Keyword::Bool)).parse(input)?;
    let (input, matching) = opt(matching).parse(input)?;
    let (input, (fill_left, fill_right)) = fills(input)?;
    let matching = VectorMatching { fill_left, fill_right, ..matching.unwrap_or_default() };
    Ok((input, Modifiers { returns_bool: returns_bool.is_some(), matching }))
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
    let (input, include) = match (cardinality, input.kind()) {
        (Some(_), Kind::LeftParen) => label_list(input)?,
        _ => (input, Vec::new()),
    };
    let on = which.kind == Kind::Keyword(Keyword::On);
    let cardinality = cardinality.unwrap_or_default();
    Ok((input, VectorMatching { cardinality, on, labels, include, ..VectorMatching::default() }))
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
