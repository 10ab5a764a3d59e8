//! What follows an expression directly, and binds tighter than any operator: ranges, subqueries,
//! `offset`, `@`, `anchored`, `smoothed`.

use nom::branch::alt;
use nom::combinator::opt;
use nom::sequence::terminated;
use nom::{Err, Input as _, Parser as _};

use super::branch::Branch;
use super::expression::{number, primary, sign};
use super::input::{Parsed, Place, Reject, Tokens, is_word, keyword, nested, required, token};
use super::token::{Keyword, Kind, Token};
use super::window::{duration, offset_duration};
use crate::duration::{DurationExpr, DurationKind, whole_milliseconds};
use crate::error::{Code, Problem};
use crate::go;
use crate::operators::Sign;
use crate::span::Span;
use crate::tree::{At, Edges, Expr, Keep, MatrixSelector, Moved, Subquery};

// What comes after the recursion has functions of its own, so that its frames stay small.
pub(super) fn postfix(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (input, branch) = primary(input)?;
    followed(branch, input)
}

/// All that follows an expression.
fn followed(branch: Branch, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (mut input, mut branch) = (input, branch);
    loop {
        (input, branch) = match input.kind() {
            Kind::LeftBracket => brackets(branch, input)?,
            Kind::At => at(branch, input)?,
            Kind::Keyword(Keyword::Offset) => offset(branch, input)?,
            Kind::Keyword(Keyword::Anchored) => edges(branch, Edges::Anchored, input),
            Kind::Keyword(Keyword::Smoothed) => edges(branch, Edges::Smoothed, input),
            _ if is_word(input, "keep_metric_names") => keep(branch, input)?,
            _ => return Ok((input, branch)),
        };
    }
}

/// `[range]` or `[range:step]`
fn brackets<'a>(branch: Branch, input: Tokens<'a>) -> Parsed<'a, Branch> {
    let (input, open) = token(Kind::LeftBracket)(input)?;
    let (input, range) = match input.kind() {
        Kind::RightBracket if input.is_extended() => {
            let span = input.first().span();
            (input, DurationExpr { kind: DurationKind::Omitted, span })
        }
        _ => window(Place::Range, input)?,
    };
    match input.kind() {
        Kind::RightBracket => {
            let close = input.first();
            let input = input.take_from(1);
            let brackets = open.span().to(close.span());
            Ok((input, matrix(branch, range, brackets, input)))
        }
        Kind::Colon => {
            let input = input.take_from(1);
            let (input, step) = match input.kind() {
                Kind::RightBracket => (input, None),
                _ => window(Place::Step, input).map(|(input, step)| (input, Some(step)))?,
            };
            let (input, close) = required(Place::StepNext, token(Kind::RightBracket))(input)?;
            subquery(branch, range, step, close, input)
        }
        _ => required(Place::RangeNext, |input: Tokens<'a>| input.reject(Place::Expression))(input),
    }
}

/// A duration that must not be zero or less. Only a literal is known to be.
fn window(place: Place, input: Tokens<'_>) -> Parsed<'_, DurationExpr> {
    let (input, window) = required(place, duration)(input)?;
    if let DurationKind::Literal { seconds, .. } = window.kind
        && seconds <= 0.0
    {
        let message = "duration must be greater than 0";
        input.report_behind_next(Problem::new(Code::BadDuration, window.span, message));
    }
    Ok((input, as_duration(window)))
}

/// A literal that is the whole duration is one, however it was written: `[300]` is `[5m]`.
fn as_duration(duration: DurationExpr) -> DurationExpr {
    match duration.kind {
        DurationKind::Literal { seconds, .. } => {
            DurationExpr::seconds(whole_milliseconds(seconds), duration.span)
        }
        _ => duration,
    }
}

fn matrix(branch: Branch, range: DurationExpr, brackets: Span, input: Tokens<'_>) -> Branch {
    let span = Span::new(branch.span().start, brackets.end);
    let (message, hint) = match branch.expr.as_ref() {
        Expr::Vector(selector) if selector.offset.is_some() => {
            ("no offset modifiers allowed before range", "write the offset behind the range")
        }
        Expr::Vector(selector) if selector.at.is_some() => {
            ("no @ modifiers allowed before range", "write the @ behind the range")
        }
        Expr::Vector(_) => {
            return branch.map(|expr| match expr {
                Expr::Vector(selector) => Expr::Matrix(MatrixSelector { selector, range, span }),
                other => other,
            });
        }
        _ => (
            "ranges only allowed for vector selectors",
            "a subquery evaluates an expression over a range: add a colon, as in [5m:]",
        ),
    };
    input.report(Problem::new(Code::BadRange, brackets, message).hint(hint));
    branch
}

fn subquery<'a>(
    branch: Branch,
    range: DurationExpr,
    step: Option<DurationExpr>,
    close: Token<'a>,
    input: Tokens<'a>,
) -> Parsed<'a, Branch> {
    let span = branch.span().to(close.span());
    let height = Branch::height_over([&branch]);
    let subquery = Subquery { expr: branch.expr, range, step, at: None, offset: None, span };
    Ok((input, Branch::grow(input, Expr::Subquery(subquery), height)?))
}

/// `expr keep_metric_names`
fn keep(branch: Branch, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let span = branch.span().to(input.first().span());
    let height = Branch::height_over([&branch]);
    let input = input.take_from(1);
    let expr = Expr::Keep(Keep { expr: branch.expr, span });
    Ok((input, Branch::grow(input, expr, height)?))
}

/// An expression that is no selector, so that it can be moved.
fn movable(branch: Branch, input: Tokens<'_>) -> Result<Branch, Err<Reject<'_>>> {
    if !input.is_extended() || moved_parts_are_there(&branch.expr) {
        return Ok(branch);
    }
    let height = Branch::height_over([&branch]);
    let span = branch.span();
    let expr = Expr::Moved(Moved { expr: branch.expr, at: None, offset: None, span });
    Branch::grow(input, expr, height)
}

fn moved_parts_are_there(expr: &Expr) -> bool {
    matches!(expr, Expr::Vector(_) | Expr::Matrix(_) | Expr::Subquery(_) | Expr::Moved(_))
}

/// The parts of an expression that `@` and `offset` set.
struct Parts<'e> {
    at: &'e mut Option<At>,
    offset: &'e mut Option<DurationExpr>,
    span: &'e mut Span,
}

fn parts(expr: &mut Expr) -> Option<Parts<'_>> {
    match expr {
        Expr::Vector(selector) => Some(Parts {
            at: &mut selector.at,
            offset: &mut selector.offset,
            span: &mut selector.span,
        }),
        Expr::Matrix(matrix) => Some(Parts {
            at: &mut matrix.selector.at,
            offset: &mut matrix.selector.offset,
            span: &mut matrix.span,
        }),
        Expr::Subquery(subquery) => Some(Parts {
            at: &mut subquery.at,
            offset: &mut subquery.offset,
            span: &mut subquery.span,
        }),
        Expr::Moved(moved) => {
            Some(Parts { at: &mut moved.at, offset: &mut moved.offset, span: &mut moved.span })
        }
        _ => None,
    }
}

/// `offset 5m`
fn offset(mut branch: Branch, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (start, _) = keyword(Keyword::Offset)(input)?;
    let (input, duration) = required(Place::Offset, offset_duration)(start)?;
    let whole = branch.span();
    branch = movable(branch, input)?;
    match parts(&mut branch.expr) {
        None => misplaced(input, whole, "offset modifier"),
        Some(moved) if moved.offset.is_some() => {
            let message = "offset may not be set multiple times";
            input.report(Problem::new(Code::BadModifier, whole, message));
        }
        Some(moved) => {
            moved.span.end = input.end_since(start);
            *moved.offset = Some(as_duration(duration)).filter(|duration| !is_zero(duration));
        }
    }
    Ok((input, branch))
}

/// Whether it is a literal of less than half a nanosecond, which is no offset.
fn is_zero(duration: &DurationExpr) -> bool {
    match duration.kind {
        DurationKind::Literal { seconds, .. } => seconds.is_nan() || (seconds * 1e9).round() == 0.0,
        _ => false,
    }
}

fn misplaced(input: Tokens<'_>, span: Span, modifier: &str) {
    let message = format!(
        "{modifier} must be preceded by an instant vector selector or range vector selector or a subquery"
    );
    input.report(Problem::new(Code::BadModifier, span, message));
}

/// `@ 1609746000`, `@ start()`, `@ end()`
fn at(mut branch: Branch, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (start, _) = token(Kind::At)(input)?;
    let (input, fixed) = required(Place::At, fixed_time)(start)?;
    let whole = branch.span();
    if let Fixed::Seconds(seconds) = fixed
        && !(seconds > -TIMESTAMP_BOUND && seconds < TIMESTAMP_BOUND)
    {
        let seconds = go::fixed(seconds, 6);
        let message = format!("timestamp out of bounds for @ modifier: {seconds}");
        input.report(Problem::new(Code::BadModifier, whole, message));
    }
    branch = movable(branch, input)?;
    match parts(&mut branch.expr) {
        None => misplaced(input, whole, "@ modifier"),
        Some(moved) if moved.at.is_some() => {
            let message = "@ <timestamp> may not be set multiple times";
            input.report(Problem::new(Code::BadModifier, whole, message));
        }
        Some(moved) => {
            moved.span.end = input.end_since(start);
            *moved.at = Some(fixed.at());
        }
    }
    Ok((input, branch))
}

/// 2^63: Prometheus bounds seconds by what 64 bits hold, not milliseconds.
const TIMESTAMP_BOUND: f64 = 9_223_372_036_854_775_808.0;

/// What stands behind `@`.
enum Fixed {
    Seconds(f64),
    Start,
    End,
    Computed(Box<Expr>),
}

impl Fixed {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    fn at(self) -> At {
        match self {
            Self::Seconds(seconds) => At::Time((seconds * 1000.0).round() as i64),
            Self::Start => At::Start,
            Self::End => At::End,
            Self::Computed(expr) => At::Computed(expr),
        }
    }
}

fn fixed_time(input: Tokens<'_>) -> Parsed<'_, Fixed> {
    let seconds = (opt(sign), number).map(|(sign, number)| match sign {
        Some((Sign::Minus, _)) => Fixed::Seconds(-number.value),
        Some((Sign::Plus, _)) | None => Fixed::Seconds(number.value),
    });
    let bound = alt((
        keyword(Keyword::Start).map(|_| Fixed::Start),
        keyword(Keyword::End).map(|_| Fixed::End),
    ));
    let call = (token(Kind::LeftParen), token(Kind::RightParen));
    match alt((seconds, terminated(bound, call))).parse(input) {
        Err(Err::Error(_)) if input.is_extended() => {
            let (rest, computed) = nested(primary)(input)?;
            Ok((rest, Fixed::Computed(computed.expr)))
        }
        parsed => parsed,
    }
}

/// `anchored` or `smoothed`. Prometheus does not count the word to the expression's place.
fn edges(mut branch: Branch, edges: Edges, input: Tokens<'_>) -> (Tokens<'_>, Branch) {
    let word = if edges == Edges::Anchored { "anchored" } else { "smoothed" };
    let span = branch.span();
    let report = |message: String| input.report(Problem::new(Code::BadModifier, span, message));
    let selector = match branch.expr.as_mut() {
        Expr::Vector(selector) => Some(selector),
        Expr::Matrix(matrix) => Some(&mut matrix.selector),
        Expr::Subquery(_) => {
            report(format!("{word} modifier is not supported for subqueries"));
            None
        }
        _ => {
            report(format!("{word} modifier not implemented"));
            None
        }
    };
    if let Some(selector) = selector {
        if selector.edges != Edges::Plain && selector.edges != edges {
            report("anchored and smoothed modifiers cannot be used together".to_owned());
        }
        selector.edges = edges;
    }
    (input.take_from(1), branch)
}
