//! Trees compared without their places.

use query_lang::Expr;

/// All of a tree but its spans, as text.
pub(crate) fn shape(expr: &Expr) -> String {
    let debug = format!("{expr:?}");
    let mut parts = debug.split("Span {");
    let mut shape = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shape.push_str(part.split_once('}').map_or("", |(_, behind)| behind));
    }
    shape
}
