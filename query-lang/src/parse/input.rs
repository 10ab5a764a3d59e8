//! The tokens as nom takes them, and what a parser says where they do not fit.

use std::cell::{Cell, RefCell};
use std::iter::{Copied, Enumerate};
use std::ops::Range;
use std::slice::Iter;

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Input, Needed};

use super::Limits;
use super::literal::Complaint;
use super::template::{Scope, Template};
use super::token::{Dialect, Keyword, Kind, Token};
use crate::error::{Code, Problem};
use crate::span::Span;

/// The tokens that are left, and what is known of the whole text.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    /// The next.
    at: u32,
    /// The end of the part.
    end: u32,
    /// The templates known here.
    scope: Scope,
    context: &'a Context<'a>,
}

/// Texts are far shorter: a token takes a byte, and they are limited.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What parsers tell each other past the tokens.
#[derive(Default)]
pub(super) struct Context<'a> {
    /// All of the text, whatever part of it is parsed.
    tokens: &'a [Token<'a>],
    /// What was found wrong while the grammar still fitted.
    problems: RefCell<Vec<Problem>>,
    /// Why the last token is [`Kind::Bad`]; taken when a parser gets there.
    lexical: RefCell<Option<Problem>>,
    depth: Cell<usize>,
    limits: Limits,
    dialect: Dialect,
    templates: RefCell<Vec<Template>>,
    /// Tokens of templates that were parsed.
    expanded: Cell<usize>,
}

pub(super) type Parsed<'a, T> = IResult<Tokens<'a>, T, Reject<'a>>;

/// Why a parser does not go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reject<'a> {
    /// There is nothing to parse.
    Empty,
    /// A token that has no place here.
    Unexpected(Token<'a>, Place),
    /// The tree is too high.
    TooDeep(Span, usize),
    /// Templates have become too much.
    TooLarge(Span, usize),
}

/// Where a token has no place: the part of the grammar, and what would have had one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Expression,
    Aggregation,
    GroupingStart,
    GroupingLabel,
    GroupingNext,
    MatcherStart,
    MatcherOperator,
    MatcherValue,
    MatcherNext,
    Offset,
    At,
    Range,
    RangeNext,
    Step,
    StepNext,
    Template,
}

impl Place {
    fn describe(self) -> &'static str {
        match self {
            Self::Expression => "",
            Self::Aggregation => " in aggregation",
            Self::GroupingStart => " in grouping opts, expected \"(\"",
            Self::GroupingLabel => " in grouping opts, expected label",
            Self::GroupingNext => " in grouping opts, expected \",\" or \")\"",
            Self::MatcherStart => " in label matching, expected identifier or \"}\"",
            Self::MatcherOperator => " in label matching, expected label matching operator",
            Self::MatcherValue => " in label matching, expected string",
            Self::MatcherNext => " in label matching, expected \",\" or \"}\"",
            Self::Offset => " in offset, expected number, duration, step(), or range()",
            Self::At => " in @, expected timestamp",
            Self::Range => {
                " in subquery or range selector, expected number, duration, step(), or range()"
            }
            Self::RangeNext => " in subquery or range, expected \":\" or \"]\"",
            Self::Step => {
                " in subquery selector, expected number, duration, step(), range(), or \"]\""
            }
            Self::Template => " in a template of WITH",
            Self::StepNext => " in subquery selector, expected \"]\"",
        }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(
        tokens: &'a [Token<'a>],
        lexical: Option<Problem>,
        limits: Limits,
        dialect: Dialect,
    ) -> Self {
        Self { tokens, lexical: RefCell::new(lexical), limits, dialect, ..Self::default() }
    }

    /// All problems in the order in which they were found, the one that ended parsing last.
    pub(super) fn problems(&self, reject: Option<Reject<'_>>) -> Vec<Problem> {
        let mut problems = self.problems.take();
        match reject {
            None => {}
            Some(Reject::Empty) => {
                let message = "no expression found in input";
                problems.push(Problem::new(Code::EmptyInput, Span::default(), message));
            }
            Some(Reject::Unexpected(token, _)) if token.kind == Kind::Bad => {
                problems.extend(self.lexical.take());
            }
            Some(Reject::Unexpected(token, place)) => {
                let message = format!("unexpected {}{}", token.describe(), place.describe());
                problems.push(Problem::new(Code::UnexpectedToken, token.span(), message));
            }
            Some(Reject::TooDeep(span, limit)) => {
                let message = format!("expression nests deeper than the limit of {limit}");
                problems.push(Problem::new(Code::TooDeep, span, message));
            }
            Some(Reject::TooLarge(span, limit)) => {
                let message = format!("templates expand to more than the limit of {limit} words");
                problems.push(Problem::new(Code::TooLarge, span, message));
            }
        }
        problems
    }
}

impl<'a> Tokens<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        Self { at: 0, end: index(context.tokens.len()), scope: Scope::default(), context }
    }

    fn rest(self) -> &'a [Token<'a>] {
        self.context.tokens.get(self.at as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether `MetricsQL`'s and own additions are read.
    pub(super) fn is_extended(self) -> bool {
        self.context.dialect == Dialect::Qql
    }

    /// The templates known here.
    pub(super) fn scope(self) -> Scope {
        self.scope
    }

    /// The same place with other templates.
    pub(super) fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The place of the next token.
    pub(super) fn position(self) -> usize {
        self.at as usize
    }

    /// A part of the text, with the templates known there.
    pub(super) fn part(self, body: &Range<usize>, scope: Scope) -> Self {
        let end = body.end.min(self.context.tokens.len());
        Self { at: index(body.start), end: index(end), scope, ..self }
    }

    /// Makes a template known behind those of `scope`.
    pub(super) fn define(self, template: Template) -> Scope {
        let mut templates = self.context.templates.borrow_mut();
        templates.push(template);
        Scope(index(templates.len()))
    }

    /// The template that a name means here.
    pub(super) fn template(self, name: &str) -> Option<Template> {
        let templates = self.context.templates.borrow();
        let mut scope = self.scope;
        while let Some(template) = scope.0.checked_sub(1).and_then(|at| templates.get(at as usize))
        {
            if template.name == name {
                return Some(template.clone());
            }
            scope = template.outer;
        }
        None
    }

    /// Counts the words that a template adds.
    pub(super) fn count_expansion(self, words: usize) -> Result<(), Err<Reject<'a>>> {
        let expanded = self.context.expanded.get().saturating_add(words.max(1));
        self.context.expanded.set(expanded);
        let limit = self.limits().expansion_max;
        if expanded > limit {
            return Err(Err::Failure(Reject::TooLarge(self.first().span(), limit)));
        }
        Ok(())
    }

    /// The next token. The last one of a text is never taken, so there always is one.
    pub(super) fn first(self) -> Token<'a> {
        if let Some(token) = self.rest().first() {
            return *token;
        }
        // The end of a part: what stands behind it in the text.
        let behind = self.context.tokens.get(self.end as usize);
        let start = behind.map_or(0, |token| token.start);
        Token { kind: Kind::End, text: "", start }
    }

    pub(super) fn kind(self) -> Kind {
        self.first().kind
    }

    /// The kind of the token behind the next.
    pub(super) fn second_kind(self) -> Kind {
        self.rest().get(1).map_or(Kind::End, |token| token.kind)
    }

    /// Where the last token ends that was taken since `start`.
    pub(super) fn end_since(self, start: Self) -> usize {
        let taken = self.at.saturating_sub(start.at) as usize;
        let last = taken.checked_sub(1).and_then(|last| start.rest().get(last));
        last.map_or(0, |token| token.span().end)
    }

    pub(super) fn limits(self) -> Limits {
        self.context.limits
    }

    /// Notes a problem and goes on, so that the first one found is the first one shown.
    pub(super) fn report(self, problem: Problem) {
        self.context.problems.borrow_mut().push(problem);
    }

    /// As [`Self::report`], of what Prometheus notices when it has read the next token already.
    pub(super) fn report_behind_next(self, problem: Problem) {
        if self.kind() == Kind::Bad
            && let Some(lexical) = self.context.lexical.borrow_mut().take()
        {
            self.report(lexical);
        }
        self.report(problem);
    }

    /// The value, or zero and a report on `span`.
    pub(super) fn value_or_report(self, span: Span, value: Result<f64, Complaint>) -> f64 {
        value.unwrap_or_else(|(code, message)| {
            self.report(Problem::new(code, span, message));
            0.0
        })
    }

    pub(super) fn reject<T>(self, place: Place) -> Parsed<'a, T> {
        Err(Err::Error(Reject::Unexpected(self.first(), place)))
    }
}

/// Runs `parser` one level deeper.
pub(super) fn nested<'a, T>(
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let depth = input.context.depth.get();
        let limit = input.limits().nesting_max;
        if depth >= limit {
            return Err(Err::Failure(Reject::TooDeep(input.first().span(), limit)));
        }
        input.context.depth.set(depth + 1);
        let parsed = parser(input);
        input.context.depth.set(depth);
        parsed
    }
}

/// Takes a token of that kind.
pub(super) fn token<'a>(kind: Kind) -> impl Fn(Tokens<'a>) -> Parsed<'a, Token<'a>> {
    token_if(move |found| found == kind)
}

/// Takes that keyword.
pub(super) fn keyword<'a>(word: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, Token<'a>> {
    token(Kind::Keyword(word))
}

/// Whether the next token is that word, which has a meaning in QQL and in this place alone.
pub(super) fn is_word(input: Tokens<'_>, word: &str) -> bool {
    let first = input.first();
    input.is_extended() && first.kind == Kind::Identifier && first.text.eq_ignore_ascii_case(word)
}

/// Takes a token of such a kind.
pub(super) fn token_if<'a>(
    fits: impl Fn(Kind) -> bool,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Token<'a>> {
    move |input| {
        let first = input.first();
        if fits(first.kind) {
            Ok((input.take_from(1), first))
        } else {
            input.reject(Place::Expression)
        }
    }
}

/// Runs `parser`; a token that does not fit ends all parsing and is reported with `place`.
pub(super) fn required<'a, T>(
    place: Place,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        parser(input).map_err(|error| match error {
            Err::Error(Reject::Unexpected(token, Place::Expression))
            | Err::Failure(Reject::Unexpected(token, Place::Expression)) => {
                Err::Failure(Reject::Unexpected(token, place))
            }
            Err::Error(reject) | Err::Failure(reject) => Err::Failure(reject),
            Err::Incomplete(needed) => Err::Incomplete(needed),
        })
    }
}

impl<'a> ParseError<Tokens<'a>> for Reject<'a> {
    fn from_error_kind(input: Tokens<'a>, _: ErrorKind) -> Self {
        Self::Unexpected(input.first(), Place::Expression)
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// As a slice of tokens, with the context carried along.
impl<'a> Input for Tokens<'a> {
    type Item = Token<'a>;
    type Iter = Copied<Iter<'a, Token<'a>>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.rest().len()
    }

    fn take(&self, index: usize) -> Self {
        self.take_split(index).1
    }

    fn take_from(&self, index: usize) -> Self {
        self.take_split(index).0
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        let middle = self.at.saturating_add(self::index(index)).min(self.end);
        (Self { at: middle, ..*self }, Self { end: middle, ..*self })
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.rest().iter().position(|token| predicate(*token))
    }

    fn iter_elements(&self) -> Self::Iter {
        self.rest().iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        let left = self.rest().len();
        if count <= left { Ok(count) } else { Err(Needed::new(count - left)) }
    }
}
