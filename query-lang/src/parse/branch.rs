//! Trees while they are built: each knows its height, so that none outgrows the stack.

use nom::Err;

use super::input::{Reject, Tokens};
use crate::span::Span;
use crate::tree::{Expr, NumberLiteral};

/// An expression, or a duration, and the number of levels in it.
///
/// Nesting alone does not bound it: `1 + 1 + …` grows to the left without any. Everything that
/// walks a tree, dropping it included, takes stack by level.
pub(super) struct Branch<T = Expr> {
    /// Boxed, so that the frames of the parsers stay small.
    pub(super) expr: Box<T>,
    height: usize,
}

impl<T> Branch<T> {
    pub(super) fn leaf(expr: T) -> Self {
        Self { expr: Box::new(expr), height: 1 }
    }

    /// The height of a node over `children`.
    pub(super) fn height_over<'b>(children: impl IntoIterator<Item = &'b Self>) -> usize
    where
        T: 'b,
    {
        children.into_iter().map(|child| child.height).max().unwrap_or(0) + 1
    }

    /// A node of that height, if the limit allows it.
    pub(super) fn grow(input: Tokens<'_>, expr: T, height: usize) -> Result<Self, Err<Reject<'_>>> {
        let limit = input.limits().height_max;
        if height > limit {
            return Err(Err::Failure(Reject::TooDeep(input.first().span(), limit)));
        }
        Ok(Self { expr: Box::new(expr), height })
    }

    /// The same height, another expression.
    pub(super) fn map(self, change: impl FnOnce(T) -> T) -> Self {
        Self { expr: Box::new(change(*self.expr)), height: self.height }
    }
}

impl Branch {
    /// What stands for an expression that was reported as wrong.
    pub(super) fn placeholder(span: Span) -> Self {
        Self::leaf(Expr::Number(NumberLiteral { value: 0.0, is_duration: false, span }))
    }

    pub(super) fn span(&self) -> Span {
        self.expr.span()
    }
}
