//! The tree of a question: what the text says, checked, and not yet planned.
//!
//! Every node knows its bytes in the text, as errors and annotations name them. Those are the
//! position ranges of Prometheus (`promql/parser/ast.go`), so an annotation made from them ends
//! with the same `(line:column)`. What a plan adds (constants hoisted, windows moved) is no part
//! of the tree.

use crate::aggregations::Aggregation;
use crate::duration::DurationExpr;
use crate::functions::Function;
use crate::operators::{BinaryOp, MatchOp, Sign, ValueType};
use crate::span::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `1`, `5m`
    Number(NumberLiteral),
    /// `"text"`
    String(StringLiteral),
    /// `name{label="value"}`
    Vector(VectorSelector),
    /// `name[5m]`
    Matrix(MatrixSelector),
    /// `expr[1h:1m]`
    Subquery(Subquery),
    /// `-expr`
    Unary(Unary),
    /// `left + right`
    Binary(Binary),
    /// `sum by (label) (expr)`
    Aggregate(Aggregate),
    /// `function(argument, …)`
    Call(Call),
    /// `(expr)`
    Paren(Paren),
    /// `expr offset 5m` of what is no selector.
    Moved(Moved),
    /// `expr keep_metric_names`
    Keep(Keep),
}

/// A number, or a duration that stands for its seconds.
#[derive(Clone, Copy, Debug)]
pub struct NumberLiteral {
    /// The number; of a duration, its seconds.
    pub value: f64,
    /// Written as a duration, and printed as one.
    pub is_duration: bool,
    /// Where it stands, its sign included.
    pub span: Span,
}

/// Numbers are equal when their bits are: a tree with a `NaN` in it equals itself.
impl PartialEq for NumberLiteral {
    fn eq(&self, other: &Self) -> bool {
        self.value.to_bits() == other.value.to_bits()
            && self.is_duration == other.is_duration
            && self.span == other.span
    }
}

/// A text in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringLiteral {
    /// The text without quotes and escapes. Bytes that are no UTF-8 (`"\xff"`) became U+FFFD.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// One test on a label. A series without the label has the value `""`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// How to compare.
    pub op: MatchOp,
    /// The text, or the regular expression (RE2, matched against the whole value, `.` matches `\n`).
    pub value: String,
}

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// What `@` fixes the evaluation to.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// Milliseconds since 1970.
    Time(i64),
    /// The first step of the whole query.
    Start,
    /// The last step of the whole query.
    End,
    /// A number that is the same at every step: `@ (end() - 1h)`.
    Computed(Box<Expr>),
}

/// How the edges of a window are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Edges {
    /// As they are: left-open, and extrapolated by the functions that do.
    #[default]
    Plain,
    /// `anchored`: with the row before the window, and nothing extrapolated.
    Anchored,
    /// `smoothed`: values at both edges interpolated.
    Smoothed,
}

/// Series by name and labels.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSelector {
    /// The name written before the braces.
    pub name: Option<String>,
    /// All tests, in order; one for `name` is the last.
    pub matchers: Vec<Matcher>,
    /// Other tests that will do as well, each all of them: `{a="b" or c="d"}`.
    pub alternatives: Vec<Vec<Matcher>>,
    /// The time fixed by `@`.
    pub at: Option<At>,
    /// How far back from there, or from the step; never a literal zero.
    pub offset: Option<DurationExpr>,
    /// `anchored` or `smoothed`.
    pub edges: Edges,
    /// Where it stands, with `offset` and `@`.
    pub span: Span,
}

/// The rows of a window: a selector and its range.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSelector {
    /// What to select. It has the `@`, `offset` and edges that are written behind the range.
    pub selector: VectorSelector,
    /// The length of the window.
    pub range: DurationExpr,
    /// Where it stands, with `offset` and `@`.
    pub span: Span,
}

/// An instant expression, evaluated at steps within a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// What to evaluate.
    pub expr: Box<Expr>,
    /// The length of the window.
    pub range: DurationExpr,
    /// The distance of the steps; the default is the server's.
    pub step: Option<DurationExpr>,
    /// The time fixed by `@`.
    pub at: Option<At>,
    /// How far back from there, or from the step; never a literal zero.
    pub offset: Option<DurationExpr>,
    /// Where it stands, with `offset` and `@`.
    pub span: Span,
}

/// An expression with a sign. The sign of a number is part of the number.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    /// The sign.
    pub sign: Sign,
    /// What it stands before.
    pub expr: Box<Expr>,
    /// From the sign to the end.
    pub span: Span,
}

/// How many series of one side belong to how many of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// One to one.
    #[default]
    OneToOne,
    /// `group_left`: many on the left.
    ManyToOne,
    /// `group_right`: many on the right.
    OneToMany,
    /// Set operators.
    ManyToMany,
}

/// How series of two instant vectors find each other.
#[derive(Clone, Debug, Default)]
pub struct VectorMatching {
    /// Who may have many.
    pub cardinality: Cardinality,
    /// `on`: by `labels` only. Otherwise (`ignoring`) by all but `labels`.
    pub on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// Labels that the many take over from the one.
    pub include: Vec<String>,
    /// All labels are taken over but those of `on`: `group_left(*)`.
    pub include_all: bool,
    /// What stands before the names of labels that are taken over.
    pub prefix: Option<String>,
    /// The value of a missing series on the left.
    pub fill_left: Option<f64>,
    /// The value of a missing series on the right.
    pub fill_right: Option<f64>,
}

/// As with [`NumberLiteral`], equal bits are equal numbers.
impl PartialEq for VectorMatching {
    fn eq(&self, other: &Self) -> bool {
        let bits = |fill: Option<f64>| fill.map(f64::to_bits);
        self.cardinality == other.cardinality
            && self.on == other.on
            && self.labels == other.labels
            && self.include == other.include
            && self.include_all == other.include_all
            && self.prefix == other.prefix
            && bits(self.fill_left) == bits(other.fill_left)
            && bits(self.fill_right) == bits(other.fill_right)
    }
}

/// Two expressions and what is between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The left operand.
    pub left: Box<Expr>,
    /// The right operand.
    pub right: Box<Expr>,
    /// `bool`: a comparison yields 0 or 1 and keeps every series.
    pub returns_bool: bool,
    /// How series match; there if both operands are instant vectors, and only then.
    pub matching: Option<VectorMatching>,
    /// From the start of `left` to the end of `right`.
    pub span: Span,
}

/// The labels that make a group. The default, `by ()`, is one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grouping {
    /// All labels but `labels` make it (and not the name), instead of `labels` alone.
    pub without: bool,
    /// The labels, as written.
    pub labels: Vec<String>,
}

/// Series of one vector made into fewer.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What to make.
    pub op: Aggregation,
    /// The parameter; there exactly if [`Aggregation::parameter`] says so.
    pub parameter: Option<Box<Expr>>,
    /// Further parameters, as [`Aggregation::parameters`] has them.
    pub extras: Vec<Expr>,
    /// The vector.
    pub expr: Box<Expr>,
    /// By which labels.
    pub grouping: Grouping,
    /// `limit 5`: so many groups at most.
    pub limit: Option<usize>,
    /// All of it, the modifier included.
    pub span: Span,
}

/// A function and its arguments, in number and type as [`Function::signature`] has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: Function,
    /// The arguments.
    pub args: Vec<Expr>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// An expression evaluated at another time.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// What to evaluate.
    pub expr: Box<Expr>,
    /// The time fixed by `@`.
    pub at: Option<At>,
    /// How far back from there, or from the step; never a literal zero.
    pub offset: Option<DurationExpr>,
    /// Where it stands, with `offset` and `@`.
    pub span: Span,
}

/// An expression that keeps the names of metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// Whose names are kept.
    pub expr: Box<Expr>,
    /// Where it stands, with `keep_metric_names`.
    pub span: Span,
}

/// An expression in parentheses.
#[derive(Clone, Debug, PartialEq)]
pub struct Paren {
    /// What is within.
    pub expr: Box<Expr>,
    /// Parentheses included.
    pub span: Span,
}

impl Expr {
    /// Where it stands in the text.
    pub fn span(&self) -> Span {
        match self {
            Self::Number(number) => number.span,
            Self::String(string) => string.span,
            Self::Vector(selector) => selector.span,
            Self::Matrix(matrix) => matrix.span,
            Self::Subquery(subquery) => subquery.span,
            Self::Unary(unary) => unary.span,
            Self::Binary(binary) => binary.span,
            Self::Aggregate(aggregate) => aggregate.span,
            Self::Call(call) => call.span,
            Self::Paren(paren) => paren.span,
            Self::Moved(moved) => moved.span,
            Self::Keep(keep) => keep.span,
        }
    }

    /// What it yields. Says nothing on whether the parts are well typed; `parse` has seen to that.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Number(_) => ValueType::Scalar,
            Self::String(_) => ValueType::String,
            Self::Vector(_) | Self::Aggregate(_) => ValueType::InstantVector,
            Self::Matrix(_) | Self::Subquery(_) => ValueType::RangeVector,
            Self::Unary(unary) => unary.expr.value_type(),
            Self::Paren(paren) => paren.expr.value_type(),
            Self::Moved(moved) => moved.expr.value_type(),
            Self::Keep(keep) => keep.expr.value_type(),
            Self::Call(call) => call.function.signature().returns,
            Self::Binary(binary) if binary.op.is_choice() => ValueType::InstantVector,
            Self::Binary(binary) => match (binary.left.value_type(), binary.right.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::InstantVector,
            },
        }
    }

    /// The expressions directly below, in the order of the text: a parameter before its vector.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Number(_) | Self::String(_) | Self::Vector(_) | Self::Matrix(_) => Vec::new(),
            Self::Subquery(subquery) => vec![&subquery.expr],
            Self::Unary(unary) => vec![&unary.expr],
            Self::Paren(paren) => vec![&paren.expr],
            Self::Moved(moved) => vec![&moved.expr],
            Self::Keep(keep) => vec![&keep.expr],
            Self::Binary(binary) => vec![&binary.left, &binary.right],
            Self::Call(call) => call.args.iter().collect(),
            Self::Aggregate(aggregate) => {
                let parameter = aggregate.parameter.iter().map(AsRef::as_ref);
                parameter.chain(&aggregate.extras).chain([aggregate.expr.as_ref()]).collect()
            }
        }
    }

    /// This one without the parentheses around it.
    pub fn without_parens(&self) -> &Self {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            expr = &paren.expr;
        }
        expr
    }
}
