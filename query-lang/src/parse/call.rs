//! Functions and aggregations, and their arguments.

use nom::combinator::opt;
use nom::{Input as _, Parser as _};

use super::branch::Branch;
use super::expression::expression;
use super::input::{Parsed, Place, Tokens, nested, required, token, token_if};
use super::selector::label_list;
use super::token::{Keyword, Kind};
use crate::error::{Code, Problem};
use crate::functions::Function;
use crate::go;
use crate::hint::function_like;
use crate::operators::Aggregation;
use crate::span::Span;
use crate::tree::{Aggregate, Call, Expr, Grouping};

/// `function(argument, …)`
pub(super) fn call(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let name = input.first();
    let (rest, args) = arguments(input.take_from(1))?;
    let span = name.span().to(args.span);
    let Some(function) = Function::named(name.text) else {
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
    Ok((rest, Branch::grow(rest, Expr::Call(Call { function, args, span }), height)?))
}

/// `sum by (label) (expr)` or `sum(expr) by (label)`
pub(super) fn aggregate(op: Aggregation, input: Tokens<'_>) -> Parsed<'_, Branch> {
    let name = input.first();
    let (rest, before) = opt(grouping).parse(input.take_from(1))?;
    let (rest, args) = required(Place::Aggregation, arguments)(rest)?;
    let (rest, behind) = if before.is_none() { opt(grouping).parse(rest)? } else { (rest, None) };
    let has_grouping = before.is_some() || behind.is_some();
    let end = behind.as_ref().map_or(args.span, |(_, span)| *span);
    let span = name.span().to(end);
    let grouping = before.or(behind).map(|(grouping, _)| grouping).unwrap_or_default();

    let wanted = 1 + usize::from(op.parameter().is_some());
    if args.list.len() != wanted {
        let problem = wrong_count(span, wanted, args.list.len());
        // A grouping may follow, so Prometheus has looked.
        if has_grouping {
            rest.report(problem);
        } else {
            rest.report_behind_next(problem);
        }
        return Ok((rest, Branch::placeholder(span)));
    }
    let height = Branch::height_over(&args.list);
    let mut args = args.list.into_iter().map(|branch| branch.expr);
    let parameter = if wanted == 2 { args.next() } else { None };
    let Some(expr) = args.next() else { return Ok((rest, Branch::placeholder(span))) };
    let aggregate = Aggregate { op, parameter, expr, grouping, span };
    Ok((rest, Branch::grow(rest, Expr::Aggregate(aggregate), height)?))
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
