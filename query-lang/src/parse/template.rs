//! `WITH` templates: `WITH (f(x) = rate(x[5m]), only = {job="a"}) f(m{only})`.
//!
//! A template is words of the text. Where it is used they are parsed again, with the templates that
//! were known where it was defined and its parameters beside them; so an error in it has its place,
//! and a parameter may stand wherever its words may. Words parsed that way are counted and limited.

use std::ops::Range;

use nom::{Err, Input as _};

use super::branch::Branch;
use super::expression::expression;
use super::input::{Parsed, Place, Reject, Tokens, is_word, nested, required, token};
use super::selector::narrowed;
use super::token::{Kind, Token};
use crate::error::{Code, Problem};
use crate::go;

/// Templates known at a place: the number of the innermost, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope(pub(super) u32);

/// A name and the words that it stands for.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) name: String,
    /// The names of parameters; None where it is none to be called.
    parameters: Option<Vec<String>>,
    body: Range<usize>,
    /// What is known in the body.
    scope: Scope,
    /// What is known beside it.
    pub(super) outer: Scope,
}

impl Template {
    /// Its words.
    pub(super) fn part<'a>(&self, input: Tokens<'a>) -> Tokens<'a> {
        input.part(&self.body, self.scope)
    }
}

/// Whether an expression with templates begins.
pub(super) fn begins(input: Tokens<'_>) -> bool {
    is_word(input, "with") && input.second_kind() == Kind::LeftParen
}

/// `WITH (name = …, name(parameter, …) = …) expression`
pub(super) fn with(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let outside = input.scope();
    let mut input = input.take_from(2);
    while input.kind() != Kind::RightParen {
        input = definition(input)?;
        if input.kind() == Kind::Comma {
            input = input.take_from(1);
        } else if input.kind() != Kind::RightParen {
            return required(Place::Template, token(Kind::RightParen))(input)
                .map(|(rest, _)| (rest, Branch::placeholder(input.first().span())));
        }
    }
    let (rest, branch) = nested(expression)(input.take_from(1))?;
    Ok((rest.with_scope(outside), branch))
}

/// One template; behind it, it is known.
fn definition(input: Tokens<'_>) -> Result<Tokens<'_>, Err<Reject<'_>>> {
    let (rest, name) = required(Place::Template, token(Kind::Identifier))(input)?;
    let (rest, parameters) = match rest.kind() {
        Kind::LeftParen => {
            let (rest, names) = parameters(rest)?;
            (rest, Some(names))
        }
        _ => (rest, None),
    };
    let (rest, _) = required(Place::Template, token(Kind::Assign))(rest)?;
    let body = rest.position()..end_of_part(rest);
    let outer = input.scope();
    let template = Template {
        name: name.text.to_owned(),
        parameters,
        body: body.clone(),
        scope: outer,
        outer,
    };
    let scope = rest.define(template);
    Ok(rest.take_from(body.len()).with_scope(scope))
}

/// `(parameter, …)`
fn parameters(input: Tokens<'_>) -> Parsed<'_, Vec<String>> {
    let mut input = input.take_from(1);
    let mut names = Vec::new();
    while input.kind() != Kind::RightParen {
        let (rest, name) = required(Place::Template, token(Kind::Identifier))(input)?;
        names.push(name.text.to_owned());
        input = if rest.kind() == Kind::Comma { rest.take_from(1) } else { rest };
        if rest.kind() != Kind::Comma {
            break;
        }
    }
    let (input, _) = required(Place::Template, token(Kind::RightParen))(input)?;
    Ok((input, names))
}

/// Where the words end that belong together: before a comma or a closing bracket of those around.
fn end_of_part(input: Tokens<'_>) -> usize {
    let mut depth = 0_usize;
    let mut at = input.position();
    let is_end = |kind: Kind| matches!(kind, Kind::End | Kind::Bad);
    for token in input.iter_elements().take_while(|token| !is_end(token.kind)) {
        let closes = matches!(token.kind, Kind::RightParen | Kind::RightBrace | Kind::RightBracket);
        if depth == 0 && (closes || token.kind == Kind::Comma) {
            break;
        }
        if matches!(token.kind, Kind::LeftParen | Kind::LeftBrace | Kind::LeftBracket) {
            depth += 1;
        }
        depth -= usize::from(closes);
        at += 1;
    }
    at
}

/// The template that the next word means, without parameters.
pub(super) fn named(input: Tokens<'_>) -> Option<(Token<'_>, Template)> {
    let name = input.first();
    if !input.is_extended() || name.kind != Kind::Identifier {
        return None;
    }
    let template = input.template(name.text)?;
    template.parameters.is_none().then_some((name, template))
}

/// What a parser makes of the words of a template.
pub(super) fn expand<'a, T>(
    input: Tokens<'a>,
    template: &Template,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> Result<T, Err<Reject<'a>>> {
    input.count_expansion(template.body.len())?;
    let body = input.part(&template.body, template.scope);
    let (rest, parsed) = nested(&parser)(body)?;
    if rest.kind() != Kind::End {
        required(Place::Template, token(Kind::End))(rest)?;
    }
    Ok(parsed)
}

/// Whether `name` or `name(` is next, and a template.
pub(super) fn is_used(input: Tokens<'_>) -> bool {
    let name = input.first();
    input.is_extended()
        && name.kind == Kind::Identifier
        && input.template(name.text).is_some_and(|template| {
            template.parameters.is_some() == (input.second_kind() == Kind::LeftParen)
        })
}

/// `name`, `name{label="value"}` or `name(argument, …)`, where that is a template.
pub(super) fn used(input: Tokens<'_>) -> Parsed<'_, Branch> {
    let name = input.first();
    let Some(template) = input.template(name.text) else { return input.reject(Place::Template) };
    if let Some(parameters) = &template.parameters {
        return called(input, &template, parameters);
    }
    let branch = expand(input, &template, expression)?;
    let rest = input.take_from(1);
    match rest.kind() {
        Kind::LeftBrace => narrowed(branch, rest),
        _ => Ok((rest, branch)),
    }
}

fn called<'a>(input: Tokens<'a>, template: &Template, parameters: &[String]) -> Parsed<'a, Branch> {
    let name = input.first();
    let mut rest = input.take_from(2);
    let mut arguments = Vec::new();
    while rest.kind() != Kind::RightParen {
        let argument = rest.position()..end_of_part(rest);
        rest = rest.take_from(argument.len());
        arguments.push(argument);
        if rest.kind() != Kind::Comma {
            break;
        }
        rest = rest.take_from(1);
    }
    let (rest, _) = token(Kind::RightParen)(rest)?;
    if arguments.len() != parameters.len() {
        let (wanted, found) = (parameters.len(), arguments.len());
        let text = go::quote(name.text);
        let message = format!("expected {wanted} argument(s) in call to {text}, got {found}");
        input.report(Problem::new(Code::BadTemplate, name.span(), message));
        return Ok((rest, Branch::placeholder(name.span())));
    }
    let mut scope = template.scope;
    for (parameter, body) in parameters.iter().zip(arguments) {
        scope = input.define(Template {
            name: parameter.clone(),
            parameters: None,
            body,
            scope: input.scope(),
            outer: scope,
        });
    }
    let bound = Template { scope, ..template.clone() };
    Ok((rest, expand(input, &bound, expression)?))
}
