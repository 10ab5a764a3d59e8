//! The front of QQL: text to tree.
//!
//! `lexer` cuts the text into tokens, `literal` and `number_scan` know what is in them. The
//! grammar is nom over tokens: `expression` has the operators, `call` functions and aggregations,
//! `selector` what is between braces,
//! `template` what stands behind `WITH`, `postfix` what follows an expression, `window` durations.
//! Types are checked afterwards, by `check`.
//!
//! The grammar is that of Prometheus (`promql/parser/generated_parser.y`), with its error texts:
//! a token that does not fit is reported with the innermost part of the grammar that reports.

mod branch;
mod call;
mod expression;
mod input;
mod lexer;
mod literal;
mod number_scan;
mod postfix;
mod question;
mod selector;
mod template;
mod token;
mod window;

pub use question::{Limits, parse, parse_bytes, parse_selector, parse_within};
