//! What a question is: text, tree, types, print. Knows nothing of storage or execution.
//!
//! QQL is a strict superset of `PromQL`: what Prometheus accepts means the same here, and what it
//! refuses in `PromQL` is refused with the same text at the same place.
//!
//! ```
//! let expr = query_lang::parse("sum by(job)(rate(http_requests_total[300]))").unwrap();
//! assert_eq!(expr.to_string(), "sum by (job) (rate(http_requests_total[5m]))");
//!
//! let error = query_lang::parse("rate(up)").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"
//! );
//! ```

mod aggregations;
mod check;
mod duration;
mod error;
mod explain;
mod functions;
mod go;
mod hint;
mod operators;
mod parse;
mod picture;
mod print;
mod reference;
mod regex;
mod span;
mod tree;

pub use aggregations::{Aggregation, Parameters};
pub use duration::{
    DurationError, DurationExpr, DurationKind, DurationOp, DurationProblem, QueryTimes,
};
pub use error::{Code, ParseError, Problem};
pub use explain::{Explanation, explain};
pub use functions::{Argument, Family, Function, Maturity, Origin, Signature, Times};
pub use hint::closest;
pub use operators::{BinaryOp, MatchOp, Sign, ValueType};
pub use parse::{Limits, parse, parse_bytes, parse_selector, parse_within};
pub use picture::draw;
pub use reference::{EXAMPLE_ROWS, reference};
pub use span::Span;
pub use tree::{
    Aggregate, At, Binary, Call, Cardinality, Edges, Expr, Grouping, Keep, METRIC_NAME, Matcher,
    MatrixSelector, Moved, NumberLiteral, Paren, StringLiteral, Subquery, Unary, VectorMatching,
    VectorSelector,
};
