//! Durations, in brackets and behind `offset`.

use nom::branch::alt;
use nom::sequence::{delimited, separated_pair};
use nom::{Input as _, Parser as _};

use super::branch::Branch;
use super::expression::{Binding, next_operator, number, sign, with_sign};
use super::input::{Parsed, Place, Tokens, keyword, nested, token};
use super::number_scan::steps;
use super::template;
use super::token::{Keyword, Kind, Token};
use crate::duration::{DurationExpr, DurationKind, DurationOp, SECONDS_MAX};
use crate::error::{Code, Problem};
use crate::operators::{BinaryOp, Sign};
use crate::span::Span;
use crate::tree::NumberLiteral;

type Part = Branch<DurationExpr>;

/// A duration with operators.
pub(super) fn duration(input: Tokens<'_>) -> Parsed<'_, DurationExpr> {
    let (input, part) = binary(Binding::Sum, input)?;
    Ok((input, *part.expr))
}

/// The duration behind `offset`: one term, so that `a offset 5m + b` is a sum of two vectors.
///
/// In Prometheus' grammar a term that begins with a parenthesis, or with two signs, goes on with
/// the operators behind it: `a offset (5m) * 2` moves by ten minutes.
pub(super) fn offset_duration(input: Tokens<'_>) -> Parsed<'_, DurationExpr> {
    let is_sign = |kind| matches!(kind, Kind::Operator(BinaryOp::Add | BinaryOp::Sub));
    let (rest, part) = match (input.kind(), input.second_kind()) {
        (Kind::LeftParen, _) => binary(Binding::Sum, input)?,
        // Signs of a literal go into it, so parentheses have to keep together what follows.
        (first, second) if is_sign(first) && is_sign(second) => {
            let (rest, part) = binary(Binding::Sum, input)?;
            (rest, part.map(in_parens_if_binary))
        }
        (first, _) if is_sign(first) => signed(term, input)?,
        _ => term(input)?,
    };
    Ok((rest, *part.expr))
}

fn in_parens_if_binary(duration: DurationExpr) -> DurationExpr {
    if !matches!(duration.kind, DurationKind::Binary(..)) {
        return duration;
    }
    let span = duration.span;
    DurationExpr { kind: DurationKind::Paren(Box::new(duration)), span }
}

fn binary(loosest: Binding, input: Tokens<'_>) -> Parsed<'_, Part> {
    let (mut input, mut left) = operand(input)?;
    while let Some((op, binding)) = next_operator(input, loosest) {
        let Some(op) = duration_op(op) else { break };
        let sign = input.first();
        let inner = nested(|input| binary(binding.of_right_operand(), input));
        let (rest, right) = inner(input.take_from(1))?;
        let height = Branch::height_over([&left, &right]);
        left = Branch::grow(rest, join(rest, sign, op, left.expr, right.expr), height)?;
        input = rest;
    }
    Ok((input, left))
}

fn duration_op(op: BinaryOp) -> Option<DurationOp> {
    Some(match op {
        BinaryOp::Add => DurationOp::Add,
        BinaryOp::Sub => DurationOp::Sub,
        BinaryOp::Mul => DurationOp::Mul,
        BinaryOp::Div => DurationOp::Div,
        BinaryOp::Mod => DurationOp::Mod,
        BinaryOp::Pow => DurationOp::Pow,
        _ => return None,
    })
}

/// Two durations and their operator; a literal zero behind a division is reported.
fn join(
    input: Tokens<'_>,
    operator: Token<'_>,
    op: DurationOp,
    left: Box<DurationExpr>,
    right: Box<DurationExpr>,
) -> DurationExpr {
    let by_zero = matches!(right.kind, DurationKind::Literal { seconds: 0.0, .. });
    let message = match op {
        DurationOp::Div if by_zero => "division by zero",
        DurationOp::Mod if by_zero => "modulo by zero",
        _ => {
            let span = left.span.to(right.span);
            let kind = DurationKind::Binary(op, left, right);
            return DurationExpr { kind, span };
        }
    };
    input.report_behind_next(Problem::new(Code::BadDuration, operator.span(), message));
    zero()
}

/// What stands for a duration that was reported as wrong.
fn zero() -> DurationExpr {
    DurationExpr::seconds(0.0, Span::default())
}

fn operand(input: Tokens<'_>) -> Parsed<'_, Part> {
    match input.kind() {
        Kind::Operator(BinaryOp::Add | BinaryOp::Sub) => {
            signed(nested(|input| binary(Binding::Power, input)), input)
        }
        _ => term(input),
    }
}

fn signed<'a>(
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, Part>,
    input: Tokens<'a>,
) -> Parsed<'a, Part> {
    let (input, (sign, start)) = sign(input)?;
    let (input, part) = parser(input)?;
    let height = Branch::height_over([&part]);
    let inner = *part.expr;
    let span = start.span().to(inner.span);
    let expr = match (inner.kind, sign) {
        (DurationKind::Literal { seconds, is_duration }, _) => {
            let number = NumberLiteral { value: seconds, is_duration, span: inner.span };
            literal(with_sign(sign, number, start))
        }
        (kind, Sign::Plus) => DurationExpr { kind, span: inner.span },
        (kind, Sign::Minus) => {
            let inner = DurationExpr { kind, span: inner.span };
            DurationExpr { kind: DurationKind::Negated(Box::new(inner)), span }
        }
    };
    Ok((input, Branch::grow(input, expr, height)?))
}

fn literal(number: NumberLiteral) -> DurationExpr {
    let kind = DurationKind::Literal { seconds: number.value, is_duration: number.is_duration };
    DurationExpr { kind, span: number.span }
}

fn term(input: Tokens<'_>) -> Parsed<'_, Part> {
    match input.kind() {
        Kind::Duration if input.is_extended() && steps(input.first().text).is_some() => {
            let token = input.first();
            let kind = DurationKind::Steps(steps(token.text).unwrap_or_default());
            let part = Branch::leaf(DurationExpr { kind, span: token.span() });
            Ok((input.take_from(1), part))
        }
        Kind::Identifier => match template::named(input) {
            Some((_, template)) => {
                let inner = |body| binary(Binding::Sum, body);
                Ok((input.take_from(1), template::expand(input, &template, inner)?))
            }
            None => input.reject(Place::Expression),
        },
        Kind::Number | Kind::Duration => literal_in_range(input),
        Kind::LeftParen => paren(input),
        Kind::Keyword(Keyword::Step) => of_query(Keyword::Step, DurationKind::Step, input),
        Kind::Keyword(Keyword::Range) => of_query(Keyword::Range, DurationKind::Range, input),
        Kind::Keyword(Keyword::MinOf | Keyword::MaxOf) => extreme(input),
        _ => input.reject(Place::Expression),
    }
}

fn literal_in_range(input: Tokens<'_>) -> Parsed<'_, Part> {
    let (rest, number) = number(input)?;
    if number.value.abs() > SECONDS_MAX {
        let message = "duration out of range";
        input.report(Problem::new(Code::BadDuration, number.span, message));
        return Ok((rest, Branch::leaf(zero())));
    }
    Ok((rest, Branch::leaf(literal(number))))
}

fn paren(input: Tokens<'_>) -> Parsed<'_, Part> {
    let inner = nested(|input| binary(Binding::Sum, input));
    let (input, (open, part, _)) =
        (token(Kind::LeftParen), inner, token(Kind::RightParen)).parse(input)?;
    let height = Branch::height_over([&part]);
    let inner = *part.expr;
    let span = match inner.kind {
        // Twice in parentheses is once.
        DurationKind::Paren(_) => return Ok((input, Branch::grow(input, inner, height)?)),
        // Prometheus lets the place of a literal begin with its parenthesis, of others not.
        DurationKind::Literal { .. } => open.span().to(inner.span),
        _ => inner.span,
    };
    let expr = DurationExpr { kind: DurationKind::Paren(Box::new(inner)), span };
    Ok((input, Branch::grow(input, expr, height)?))
}

/// `step()` or `range()`
fn of_query(word: Keyword, kind: DurationKind, input: Tokens<'_>) -> Parsed<'_, Part> {
    let (input, (name, _, close)) =
        (keyword(word), token(Kind::LeftParen), token(Kind::RightParen)).parse(input)?;
    let span = name.span().to(close.span());
    Ok((input, Branch::leaf(DurationExpr { kind, span })))
}

/// `min_of(…, …)` or `max_of(…, …)`
fn extreme(input: Tokens<'_>) -> Parsed<'_, Part> {
    let name = alt((
        keyword(Keyword::MinOf).map(|_| DurationOp::MinOf),
        keyword(Keyword::MaxOf).map(|_| DurationOp::MaxOf),
    ));
    let inner = || nested(|input| binary(Binding::Sum, input));
    let two = separated_pair(inner(), token(Kind::Comma), inner());
    let in_parens = delimited(token(Kind::LeftParen), two, token(Kind::RightParen));
    let (input, (op, (left, right))) = (name, in_parens).parse(input)?;
    let height = Branch::height_over([&left, &right]);
    // As of any two operands; Prometheus counts neither the name nor the parentheses.
    let span = left.expr.span.to(right.expr.span);
    let kind = DurationKind::Binary(op, left.expr, right.expr);
    Ok((input, Branch::grow(input, DurationExpr { kind, span }, height)?))
}
