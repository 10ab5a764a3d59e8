//! The tokens as nom takes them, and what a parser says where they do not fit.

use std::cell::{Cell, RefCell};
use std::iter::{Copied, Enumerate};
use std::slice::Iter;

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Input, Needed};

use super::Limits;
use super::literal::Complaint;
use super::token::{Keyword, Kind, Token};
use crate::error::{Code, Problem};
use crate::span::Span;

/// The tokens that are left, and what is known of the whole text.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    rest: &'a [Token<'a>],
    context: &'a Context,
}

/// What parsers tell each other past the tokens.
#[derive(Default)]
pub(super) struct Context {
    /// What was found wrong while the grammar still fitted.
    problems: RefCell<Vec<Problem>>,
    /// Why the last token is [`Kind::Bad`]; taken when a parser gets there.
    lexical: RefCell<Option<Problem>>,
    depth: Cell<usize>,
    limits: Limits,
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
            Self::StepNext => " in subquery selector, expected \"]\"",
        }
    }
}

impl Context {
    pub(super) fn new(lexical: Option<Problem>, limits: Limits) -> Self {
        Self { lexical: RefCell::new(lexical), limits, ..Self::default() }
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
        }
        problems
    }
}

impl<'a> Tokens<'a> {
    pub(super) fn new(rest: &'a [Token<'a>], context: &'a Context) -> Self {
        Self { rest, context }
    }

    /// The next token. The last one of a text is never taken, so there always is one.
    pub(super) fn first(self) -> Token<'a> {
        let end = Token { kind: Kind::End, text: "", start: 0 };
        self.rest.first().copied().unwrap_or(end)
    }

    pub(super) fn kind(self) -> Kind {
        self.first().kind
    }

    /// The kind of the token behind the next.
    pub(super) fn second_kind(self) -> Kind {
        self.rest.get(1).map_or(Kind::End, |token| token.kind)
    }

    /// Where the last token ends that was taken since `start`.
    pub(super) fn end_since(self, start: Self) -> usize {
        let taken = start.rest.len().saturating_sub(self.rest.len());
        let last = taken.checked_sub(1).and_then(|last| start.rest.get(last));
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
        self.rest.len()
    }

    fn take(&self, index: usize) -> Self {
        self.take_split(index).1
    }

    fn take_from(&self, index: usize) -> Self {
        self.take_split(index).0
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        let (taken, rest) = self.rest.split_at_checked(index).unwrap_or((self.rest, &[]));
        (Self { rest, ..*self }, Self { rest: taken, ..*self })
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.rest.iter().position(|token| predicate(*token))
    }

    fn iter_elements(&self) -> Self::Iter {
        self.rest.iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if count <= self.rest.len() { Ok(count) } else { Err(Needed::new(count - self.rest.len())) }
    }
}
