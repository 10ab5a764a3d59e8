//! Functions and aggregations, and their arguments.

use nom::combinator::opt;
use nom::{Input as _, Parser as _};

use super::branch::Branch;
use super::expression::{expression, number};
use super::input::{Parsed, Place, Tokens, is_word, nested, required, token, token_if};
use super::selector::label_list;
use super::token::{Keyword, Kind, Token};
use crate::aggregations::{Aggregation, Parameters};
use crate::error::{Code, Problem};
use crate::functions::Function;
use crate::go;
use crate::hint::function_like;
use crate::span::Span;
use crate::tree::{Aggregate, Call, Expr, Grouping};

/// `function(argument, …)`
pub(super) fn call(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (rest, args) = arguments(input.take_from(1))?;
    called(input.first(), args, rest)
}

fn called<'a>(name: Token<'a>, args: Arguments, rest: Tokens<'a>) -> Parsed<'a, Branch> {
    let span = name.span().to(args.span);
    let Some(function) = Function::meant(name.text, rest.is_extended()) else {
        let message = format!("unknown function with name {}", go::quote(name.text));
        let problem = Problem::new(Code::UnknownFunction, name.span(), message);
        rest.report(match function_like(name.text) {
            Some(known) => problem.hint(format!("did you mean {known}?")),
            None => problem,
        });
        return Ok((rest, Branch::placeholder(span)));
    };
    let height = Branch::height_over(&args.list);
    let args = args.list.into_iter().map(|branch| *branch.expr).collect();
    let args = if rest.is_extended() { in_order(function, args) } else { args };
    Ok((rest, Branch::grow(rest, Expr::Call(Call { function, args, span }), height)?))
}

/// Arguments in the order of the signature, where `MetricsQL` has another.
fn in_order(function: Function, mut args: Vec<Expr>) -> Vec<Expr> {
    let is_text = |expr: Option<&Expr>| matches!(expr, Some(Expr::String(_)));
    match function {
        // The vector last, and so the label first.
        Function::HistogramQuantiles if args.len() > 2 && is_text(args.first()) => {
            args.rotate_right(1);
        }
        // A list of names.
        Function::AggrOverTime => {
            if let Some(Expr::Call(Call { function: Function::Union, args: names, .. })) =
                args.first()
            {
                args.splice(..1, names.clone());
            }
        }
        _ => {}
    }
    args
}

/// `sum by (label) (expr)` or `sum(expr) by (label)`
pub(super) fn aggregate(op: Aggregation, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let (rest, before) = opt(grouping).parse(input.take_from(1))?;
    let (rest, args) = required(Place::Aggregation, arguments)(rest)?;
    aggregated(op, input.first(), before, args, rest)
}

/// The modifiers behind the arguments, and all of it.
fn aggregated<'a>(
    op: Aggregation,
    name: Token<'a>,
    before: Option<(Grouping, Span)>,
    args: Arguments,
    rest: Tokens<'a>,
) -> Parsed<'a, Branch> {
    let (rest, behind) = if before.is_none() { opt(grouping).parse(rest)? } else { (rest, None) };
    let has_grouping = before.is_some() || behind.is_some();
    let end = behind.as_ref().map_or(args.span, |(_, span)| *span);
    let (rest, limit) = if is_word(rest, "limit") && rest.second_kind() == Kind::Number {
        let (rest, limit) = number(rest.take_from(1))?;
        (rest, Some(limit))
    } else {
        (rest, None)
    };
    let span = name.span().to(limit.map_or(end, |limit| limit.span));
    let limit = limit.map(|limit| whole(limit.value));
    let grouping = before.or(behind).map(|(grouping, _)| grouping).unwrap_or_default();
    let wanted = 1 + usize::from(op.parameter().is_some());
    let found = args.list.len();
    let height = Branch::height_over(&args.list);
    let args: Vec<Expr> = args.list.into_iter().map(|branch| *branch.expr).collect();
    let fits = found == wanted || rest.is_extended() && found > wanted;
    let about = About { op, grouping, limit, span };
    if let Some(aggregate) = fits.then(|| gathered(about, args)).flatten() {
        // One level more where several vectors become one.
        let height = height + usize::from(found > wanted);
        return Ok((rest, Branch::grow(rest, Expr::Aggregate(aggregate), height)?));
    }
    let wanted = wanted + usize::from(rest.is_extended() && fits);
    let problem = wrong_count(span, wanted, found);
    // A grouping may follow, so Prometheus has looked.
    if has_grouping {
        rest.report(problem);
    } else {
        rest.report_behind_next(problem);
    }
    Ok((rest, Branch::placeholder(span)))
}

/// All of an aggregation but its arguments.
struct About {
    op: Aggregation,
    grouping: Grouping,
    limit: Option<usize>,
    span: Span,
}

/// The aggregation of any number of arguments: parameters first, and the vectors as one.
fn gathered(about: About, mut args: Vec<Expr>) -> Option<Aggregate> {
    let About { op, grouping, limit, span } = about;
    let parameter = op.parameter().is_some().then(|| args.remove(0)).map(Box::new);
    let mut extras = Vec::new();
    match op.parameters() {
        Parameters::LabelAndNumbers => {
            let expr = args.pop()?;
            extras = std::mem::replace(&mut args, vec![expr]);
            if extras.is_empty() {
                return None;
            }
        }
        Parameters::TwoNumbersAndRest if args.len() < 2 => return None,
        Parameters::TwoNumbersAndRest => extras.push(args.remove(0)),
        _ => {}
    }
    let takes_rest =
        matches!(op.parameters(), Parameters::NumberAndRest | Parameters::TwoNumbersAndRest);
    if takes_rest && args.len() > 1 && matches!(args.last(), Some(Expr::String(_))) {
        extras.extend(args.pop());
    }
    let expr = if args.len() > 1 {
        Expr::Call(Call { function: Function::Union, args, span })
    } else {
        args.pop()?
    };
    Some(Aggregate { op, parameter, extras, expr: Box::new(expr), grouping, limit, span })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and no number of groups is negative"
)]
fn whole(value: f64) -> usize {
    value as usize
}

fn wrong_count(span: Span, wanted: usize, found: usize) -> Problem {
    let message = if found == 0 {
        "no arguments for aggregate expression provided".to_owned()
    } else {
        format!(
            "wrong number of arguments for aggregate expression provided, expected {wanted}, got {found}"
        )
    };
    Problem::new(Code::ArgumentCount, span, message)
}

/// `by (…)` or `without (…)`, and where.
fn grouping(input: Tokens<'_>) -> Parsed<'_, (Grouping, Span)> {
    let is_grouping = |kind| matches!(kind, Kind::Keyword(Keyword::By | Keyword::Without));
    let (rest, word) = token_if(is_grouping)(input)?;
    let (behind, labels) = label_list(rest)?;
    let without = word.kind == Kind::Keyword(Keyword::Without);
    let span = Span::new(word.start, behind.end_since(rest));
    Ok((behind, (Grouping { without, labels }, span)))
}

/// Arguments, and from where to where their parentheses reach.
struct Arguments {
    list: Vec<Branch>,
    span: Span,
}

fn arguments(input: Tokens<'_>) -> Parsed<'_, Arguments> {
    let (mut input, open) = token(Kind::LeftParen)(input)?;
    let mut list = Vec::new();
    if input.kind() != Kind::RightParen {
        let (rest, first) = nested(expression)(input)?;
        list.push(first);
        input = rest;
        while input.kind() == Kind::Comma {
            let (rest, argument) = further_argument(input)?;
            list.extend(argument);
            input = rest;
        }
    }
    let (input, close) = token(Kind::RightParen)(input)?;
    Ok((input, Arguments { list, span: open.span().to(close.span()) }))
}

/// A comma and an argument. Without one, that is reported, and parsing goes on as Prometheus' does.
fn further_argument(input: Tokens<'_>) -> Parsed<'_, Option<Branch>> {
    let (rest, comma) = token(Kind::Comma)(input)?;
    if rest.kind().begins_expression() {
        return nested(expression).map(Some).parse(rest);
    }
    let message = "trailing commas not allowed in function call args";
    let problem = Problem::new(Code::TrailingComma, comma.span(), message);
    rest.report_behind_next(problem.hint("remove the comma"));
    Ok((rest, None))
}
