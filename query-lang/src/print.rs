//! Trees to text, in the one form that Prometheus prints (`promql/parser/printer.go`).
//!
//! Equal text is equal meaning, so the text serves as the key of caches. What is printed parses to
//! the same tree again.

use std::fmt::{self, Display, Formatter, Result};

use crate::duration::{DurationExpr, DurationKind, DurationOp, milliseconds_of};
use crate::go;
use crate::operators::{BinaryOp, MatchOp, Sign, ValueType};
use crate::tree::{
    Aggregate, At, Binary, Call, Cardinality, Edges, Expr, METRIC_NAME, Matcher, MatrixSelector,
    NumberLiteral, Subquery, VectorMatching, VectorSelector,
};

impl Display for Expr {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Number(number) => number.fmt(out),
            Self::String(string) => out.write_str(&go::quote(&string.value)),
            Self::Vector(selector) => selector.fmt(out),
            Self::Matrix(matrix) => matrix.fmt(out),
            Self::Subquery(subquery) => subquery.fmt(out),
            Self::Unary(unary) => {
                let sign = match unary.sign {
                    Sign::Plus => '+',
                    Sign::Minus => '-',
                };
                write!(out, "{sign}{}", unary.expr)
            }
            Self::Binary(binary) => binary.fmt(out),
            Self::Aggregate(aggregate) => aggregate.fmt(out),
            Self::Call(call) => call.fmt(out),
            Self::Paren(paren) => write!(out, "({})", paren.expr),
            Self::Moved(moved) => {
                let offset = Offset(moved.offset.as_ref());
                write!(out, "{}{}{offset}", moved.expr, Fixed(moved.at.as_ref()))
            }
            Self::Keep(keep) => write!(out, "{} keep_metric_names", keep.expr),
        }
    }
}

impl Display for NumberLiteral {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write_number(out, self.value, self.is_duration)
    }
}

fn write_number(out: &mut Formatter<'_>, value: f64, is_duration: bool) -> Result {
    if is_duration { write_duration(out, value) } else { out.write_str(&go::plain(value)) }
}

/// A duration in its units, in milliseconds and with a sign, as `1h30m`.
///
/// Weeks and years only where nothing is left over: 90d is easier to read than 12w6d. Prometheus
/// rounds down where a literal is not all of a duration, and so prints 1001ms as 1s; that would
/// be another question.
fn write_duration(out: &mut Formatter<'_>, seconds: f64) -> Result {
    const DAY: u64 = 24 * 3_600_000;
    const UNITS: [(&str, u64); 7] = [
        ("y", 365 * DAY),
        ("w", 7 * DAY),
        ("d", DAY),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let mut left = milliseconds_of(seconds).unsigned_abs();
    if left == 0 {
        // Prometheus prints 0s, which is no window.
        return if seconds == 0.0 {
            out.write_str("0s")
        } else {
            out.write_str(&go::plain(seconds))
        };
    }
    if seconds < 0.0 {
        out.write_str("-")?;
    }
    for (unit, size) in UNITS {
        if size < 7 * DAY || left.is_multiple_of(size) {
            let count = left / size;
            left %= size;
            if count > 0 {
                write!(out, "{count}{unit}")?;
            }
        }
    }
    Ok(())
}

impl Display for DurationExpr {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match &self.kind {
            DurationKind::Literal { seconds, is_duration } => {
                write_number(out, *seconds, *is_duration)
            }
            DurationKind::Step => out.write_str("step()"),
            DurationKind::Range => out.write_str("range()"),
            DurationKind::Steps(count) => write!(out, "{}i", go::plain(*count)),
            DurationKind::Omitted => Ok(()),
            DurationKind::Negated(inner) => write!(out, "-{inner}"),
            DurationKind::Paren(inner) => write!(out, "({inner})"),
            DurationKind::Binary(op @ (DurationOp::MinOf | DurationOp::MaxOf), left, right) => {
                write!(out, "{}({left}, {right})", op.symbol())
            }
            DurationKind::Binary(op, left, right) => {
                write!(out, "{left} {} {right}", op.symbol())
            }
        }
    }
}

impl Display for Matcher {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}{}{}", label(&self.name), self.op.symbol(), go::quote(&self.value))
    }
}

/// A label's name, in quotes where it is none that may stand bare.
fn label(name: &str) -> String {
    let is_bare =
        name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && !name.is_empty();
    if is_bare { name.to_owned() } else { go::quote(name) }
}

/// Names of labels in parentheses.
struct Labels<'a>(&'a [String]);

impl Display for Labels<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        // Words that are no names in such a list; Prometheus prints them bare all the same.
        let is_word = |name: &str| {
            ["without", "inf", "nan"].iter().any(|word| name.eq_ignore_ascii_case(word))
        };
        let label = |name: &String| if is_word(name) { go::quote(name) } else { label(name) };
        let labels: Vec<String> = self.0.iter().map(label).collect();
        write!(out, "({})", labels.join(", "))
    }
}

impl VectorSelector {
    /// Name and matchers, without what moves them in time.
    fn write_series(&self, out: &mut Formatter<'_>) -> Result {
        let is_name = |matcher: &Matcher| {
            matcher.name == METRIC_NAME
                && matcher.op == MatchOp::Equal
                && !matcher.value.is_empty()
                && Some(&matcher.value) == self.name.as_ref()
        };
        let texts = |matchers: &[Matcher]| {
            let others = matchers.iter().filter(|matcher| !is_name(matcher));
            let mut others: Vec<String> = others.map(ToString::to_string).collect();
            others.sort_unstable();
            others.join(",")
        };
        let first = texts(&self.matchers);
        out.write_str(self.name.as_deref().unwrap_or_default())?;
        if first.is_empty() && self.name.is_some() && self.alternatives.is_empty() {
            return Ok(());
        }
        write!(out, "{{{first}")?;
        for matchers in &self.alternatives {
            write!(out, " or {}", texts(matchers))?;
        }
        out.write_str("}")
    }

    fn edges_text(&self) -> &'static str {
        match self.edges {
            Edges::Plain => "",
            Edges::Anchored => " anchored",
            Edges::Smoothed => " smoothed",
        }
    }
}

/// ` @ 1.000`
struct Fixed<'a>(Option<&'a At>);

impl Display for Fixed<'_> {
    #[expect(clippy::cast_precision_loss, reason = "as Prometheus prints it")]
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self.0 {
            None => Ok(()),
            Some(At::Time(time)) => write!(out, " @ {}", go::fixed(*time as f64 / 1000.0, 3)),
            Some(At::Start) => out.write_str(" @ start()"),
            Some(At::End) => out.write_str(" @ end()"),
            Some(At::Computed(expr)) => write!(out, " @ {expr}"),
        }
    }
}

/// ` offset 5m`
struct Offset<'a>(Option<&'a DurationExpr>);

impl Display for Offset<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        self.0.map_or(Ok(()), |offset| write!(out, " offset {offset}"))
    }
}

impl Display for VectorSelector {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        self.write_series(out)?;
        let offset = Offset(self.offset.as_ref());
        write!(out, "{}{}{offset}", Fixed(self.at.as_ref()), self.edges_text())
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let selector = &self.selector;
        selector.write_series(out)?;
        let (edges, offset) = (selector.edges_text(), Offset(selector.offset.as_ref()));
        write!(out, "[{}]{edges}{}{offset}", self.range, Fixed(selector.at.as_ref()))
    }
}

impl Display for Subquery {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}[{}:", self.expr, self.range)?;
        if let Some(step) = &self.step {
            step.fmt(out)?;
        }
        write!(out, "]{}{}", Fixed(self.at.as_ref()), Offset(self.offset.as_ref()))
    }
}

impl Display for Binary {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self.left.as_ref() {
            // A sign would take in the power: `+Inf ^ 2` is `+(Inf ^ 2)`.
            Expr::Number(NumberLiteral { value: f64::INFINITY, .. })
                if self.op == BinaryOp::Pow =>
            {
                out.write_str("Inf")?;
            }
            left => left.fmt(out)?,
        }
        write!(out, " {}", self.op.symbol())?;
        if self.returns_bool {
            out.write_str(" bool")?;
        }
        if let Some(matching) = &self.matching {
            matching.fmt(out)?;
        }
        write!(out, " {}", self.right)
    }
}

impl Display for VectorMatching {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let group = match self.cardinality {
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
            Cardinality::ManyToOne => Some("group_left"),
            Cardinality::OneToMany => Some("group_right"),
        };
        if self.on || !self.labels.is_empty() || group.is_some() {
            let word = if self.on { "on" } else { "ignoring" };
            write!(out, " {word} {}", Labels(&self.labels))?;
        }
        match group {
            Some(group) if self.include_all => write!(out, " {group} (*)")?,
            Some(group) => write!(out, " {group} {}", Labels(&self.include))?,
            None => {}
        }
        if let Some(prefix) = &self.prefix {
            write!(out, " prefix {}", go::quote(prefix))?;
        }
        match (self.fill_left, self.fill_right) {
            (Some(left), Some(right)) if left == right => write_fill(out, "fill", Some(left)),
            (left, right) => {
                write_fill(out, "fill_left", left)?;
                write_fill(out, "fill_right", right)
            }
        }
    }
}

fn write_fill(out: &mut Formatter<'_>, word: &str, value: Option<f64>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(out, " {word} ({})", go::shortest(value)))
}

impl Display for Aggregate {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(self.op.name())?;
        let labels = Labels(&self.grouping.labels);
        if self.grouping.without {
            write!(out, " without {labels} ")?;
        } else if !self.grouping.labels.is_empty() {
            write!(out, " by {labels} ")?;
        }
        out.write_str("(")?;
        if let Some(parameter) = &self.parameter {
            write!(out, "{parameter}, ")?;
        }
        let is_text = |extra: &&Expr| extra.value_type() == ValueType::String;
        for extra in self.extras.iter().filter(|extra| !is_text(extra)) {
            write!(out, "{extra}, ")?;
        }
        self.expr.fmt(out)?;
        for extra in self.extras.iter().filter(is_text) {
            write!(out, ", {extra}")?;
        }
        out.write_str(")")?;
        self.limit.map_or(Ok(()), |limit| write!(out, " limit {limit}"))
    }
}

impl Display for Call {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(out, "{}({})", self.function.name(), args.join(", "))
    }
}
