//! Types and matching: what the grammar alone cannot refuse.
//!
//! Texts, places and the order of problems are those of Prometheus (`checkAST` in
//! `promql/parser/parse.go`).

use crate::aggregations::Parameters;
use crate::error::{Code, Problem};
use crate::functions::{Function, Origin, Signature, Times};
use crate::go;
use crate::operators::{MatchOp, ValueType};
use crate::regex;
use crate::span::Span;
use crate::tree::{
    Aggregate, At, Binary, Call, Cardinality, Expr, METRIC_NAME, Matcher, Moved, Subquery, Unary,
    VectorMatching, VectorSelector,
};

/// All that is wrong with `expr`, and `expr` completed: matching stands where it applies only.
pub(crate) fn check(text: &str, expr: &mut Expr) -> Vec<Problem> {
    let mut checker = Checker { text, problems: Vec::new() };
    checker.expr(expr);
    checker.problems
}

struct Checker<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

/// What a type is expected in.
enum Context {
    Aggregation,
    Parameter,
    Function(Function),
}

impl Context {
    fn describe(&self) -> String {
        match self {
            Self::Aggregation => "aggregation expression".to_owned(),
            Self::Parameter => "aggregation parameter".to_owned(),
            Self::Function(function) => {
                format!("call to function {}", go::quote(function.name()))
            }
        }
    }
}

impl Checker<'_> {
    fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(code, span, message));
    }

    fn expr(&mut self, expr: &mut Expr) -> ValueType {
        match expr {
            Expr::Number(_) => ValueType::Scalar,
            Expr::String(_) => ValueType::String,
            Expr::Paren(paren) => self.expr(&mut paren.expr),
            Expr::Vector(selector) => {
                self.selector(selector);
                ValueType::InstantVector
            }
            Expr::Matrix(matrix) => {
                self.selector(&mut matrix.selector);
                ValueType::RangeVector
            }
            Expr::Moved(moved) => self.moved(moved),
            Expr::Keep(keep) => {
                let found = self.expr(&mut keep.expr);
                if found != ValueType::InstantVector {
                    let message =
                        format!("only an instant vector keeps metric names, got {}", found.name());
                    self.report(Code::OperandType, keep.span, message);
                }
                ValueType::InstantVector
            }
            Expr::Unary(unary) => self.unary(unary),
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
        }
    }

    fn expect(&mut self, expr: &mut Expr, wanted: ValueType, context: &Context) {
        let found = self.expr(expr);
        // What MetricsQL's functions take, they take of numbers too.
        let is_taken = match context {
            Context::Function(function) => {
                wanted == ValueType::InstantVector
                    && found == ValueType::Scalar
                    && function.signature().origin == Origin::MetricsQl
            }
            Context::Aggregation | Context::Parameter => false,
        };
        if found != wanted && !is_taken {
            self.wrong_type(expr.span(), wanted, found, context);
        }
    }

    fn wrong_type(&mut self, span: Span, wanted: ValueType, found: ValueType, context: &Context) {
        let message = format!(
            "expected type {} in {}, got {}",
            wanted.name(),
            context.describe(),
            found.name()
        );
        let written = self.text.get(span.start..span.end).unwrap_or_default();
        let problem = Problem::new(Code::ArgumentType, span, message);
        self.problems.push(match (wanted, found) {
            // Of long arguments only the idea.
            (ValueType::RangeVector, ValueType::InstantVector) if written.len() > 40 => {
                problem.hint("add a window, for example [5m], or [5m:] behind an expression")
            }
            (ValueType::RangeVector, ValueType::InstantVector) => {
                let colon = if written.ends_with(')') { ":" } else { "" };
                problem.hint(format!("add a window, for example {written}[5m{colon}]"))
            }
            (ValueType::InstantVector, ValueType::RangeVector) => problem
                .hint("remove the window, or put it in a function as rate() or avg_over_time()"),
            (ValueType::InstantVector, ValueType::Scalar) => {
                problem.hint("vector() makes a vector of a number")
            }
            (ValueType::Scalar, ValueType::InstantVector) => {
                problem.hint("scalar() makes a number of a vector of one series")
            }
            _ => problem,
        });
    }

    fn unary(&mut self, unary: &mut Unary) -> ValueType {
        let found = self.expr(&mut unary.expr);
        if !matches!(found, ValueType::Scalar | ValueType::InstantVector) {
            let message = format!(
                "unary expression only allowed on expressions of type scalar or instant vector, got {}",
                go::quote(found.name())
            );
            self.report(Code::OperandType, unary.span, message);
        }
        found
    }

    fn subquery(&mut self, subquery: &mut Subquery) -> ValueType {
        self.at(&mut subquery.at);
        let found = self.expr(&mut subquery.expr);
        if found != ValueType::InstantVector {
            let message = format!(
                "subquery is only allowed on instant vector, got {} instead",
                found.api_name()
            );
            self.report(Code::OperandType, subquery.span, message);
        }
        ValueType::RangeVector
    }

    fn aggregate(&mut self, aggregate: &mut Aggregate) -> ValueType {
        self.expect(&mut aggregate.expr, ValueType::InstantVector, &Context::Aggregation);
        if let (Some(wanted), Some(parameter)) =
            (aggregate.op.parameter(), &mut aggregate.parameter)
        {
            self.expect(parameter, wanted, &Context::Parameter);
        }
        let wanted = match aggregate.op.parameters() {
            Parameters::NumberAndRest => ValueType::String,
            _ => ValueType::Scalar,
        };
        for extra in &mut aggregate.extras {
            let is_rest = matches!(extra.value_type(), ValueType::String)
                && aggregate.op.parameters() == Parameters::TwoNumbersAndRest;
            let wanted = if is_rest { ValueType::String } else { wanted };
            self.expect(extra, wanted, &Context::Parameter);
        }
        ValueType::InstantVector
    }

    fn call(&mut self, call: &mut Call) -> ValueType {
        let function = call.function;
        let signature = function.signature();
        self.argument_count(call, signature);
        let labels_only = function == Function::Info && self.info_labels(call);
        let context = Context::Function(function);
        let count = call.args.len();
        for (index, argument) in call.args.iter_mut().enumerate() {
            // More arguments than a function has are counted above, and not looked into.
            if signature.times == Times::Once && index >= signature.arguments.len() {
                break;
            }
            let Some(wanted) = signature.argument(index, count) else { break };
            if labels_only && index == 1 {
                continue;
            }
            self.expect(argument, wanted, &context);
        }
        signature.returns
    }

    fn argument_count(&mut self, call: &Call, signature: &Signature) {
        let (found, least) = (call.args.len(), signature.arguments_min());
        let most = signature.arguments_max().unwrap_or(usize::MAX);
        let is_half = signature.times == Times::Pairs && (found - least.min(found)) % 2 == 1;
        let wanted = if signature.times == Times::Once && found != least {
            format!("{least}")
        } else if found < least {
            format!("at least {least}")
        } else if found > most {
            format!("at most {most}")
        } else if is_half {
            format!("{least} and further pairs of")
        } else {
            return;
        };
        let name = go::quote(signature.name);
        let message = format!("expected {wanted} argument(s) in call to {name}, got {found}");
        self.report(Code::ArgumentCount, call.span, message);
    }

    /// The second argument of `info` holds labels to take, and no metric's name.
    /// True if it is a selector, which then may also select everything.
    fn info_labels(&mut self, call: &Call) -> bool {
        let Some(labels) = call.args.get(1) else { return false };
        let (found, wanted) = (labels.value_type(), ValueType::InstantVector);
        if found != wanted {
            self.wrong_type(call.span, wanted, found, &Context::Function(Function::Info));
        }
        match labels {
            Expr::Vector(VectorSelector { name: None, .. }) => true,
            Expr::Vector(_) => {
                let message = "expected label selectors only, got vector selector instead";
                self.report(Code::ArgumentType, labels.span(), message);
                false
            }
            _ => {
                let message = "expected label selectors only";
                self.report(Code::ArgumentType, labels.span(), message);
                false
            }
        }
    }

    fn moved(&mut self, moved: &mut Moved) -> ValueType {
        let found = self.expr(&mut moved.expr);
        if found != ValueType::InstantVector {
            let modifier = if moved.at.is_some() { "@ modifier" } else { "offset modifier" };
            let message = format!(
                "{modifier} must be preceded by an instant vector selector or range vector selector or a subquery"
            );
            self.report(Code::BadModifier, moved.expr.span(), message);
        }
        self.at(&mut moved.at);
        found
    }

    /// What stands behind `@` is a number that the query's times alone decide.
    fn at(&mut self, at: &mut Option<At>) {
        let Some(At::Computed(expr)) = at else { return };
        let found = self.expr(expr);
        if found != ValueType::Scalar || !is_of_query(expr) {
            let message = "@ modifier needs a number that is the same at every step";
            let problem = Problem::new(Code::BadModifier, expr.span(), message);
            self.problems
                .push(problem.hint("start(), end(), now(), step(), range() and numbers are"));
        }
    }

    fn selector(&mut self, selector: &mut VectorSelector) {
        self.at(&mut selector.at);
        let selector = &*selector;
        let Some(name) = &selector.name else {
            let mut sets = std::iter::once(&selector.matchers).chain(&selector.alternatives);
            if !sets.all(|matchers| matchers.iter().any(refuses_empty)) {
                let message = "vector selector must contain at least one non-empty matcher";
                let problem = Problem::new(Code::EmptySelector, selector.span, message);
                self.problems.push(problem.hint("name a metric, or a label that must be there"));
            }
            return;
        };
        // The last matcher is the one for the name before the braces.
        let sets = std::iter::once(&selector.matchers).chain(&selector.alternatives);
        let written = sets.flat_map(|matchers| matchers.iter().rev().skip(1));
        for matcher in written.filter(|matcher| matcher.name == METRIC_NAME) {
            let (name, other) = (go::quote(name), go::quote(&matcher.value));
            let message = format!("metric name must not be set twice: {name} or {other}");
            self.report(Code::NameTwice, selector.span, message);
        }
    }

    fn binary(&mut self, binary: &mut Binary) -> ValueType {
        let left = self.expr(&mut binary.left);
        let right = self.expr(&mut binary.right);
        let are_scalars = left == ValueType::Scalar && right == ValueType::Scalar;
        let operator = self.operator_span(binary);
        let (op, span) = (binary.op, binary.span);

        if binary.returns_bool && !op.is_comparison() {
            let message = "bool modifier can only be used on comparison operators";
            self.report(Code::BoolModifier, operator, message);
        }
        if op.is_comparison() && !binary.returns_bool && are_scalars {
            let message = "comparisons between scalars must use BOOL modifier";
            let hint = format!("write {} bool", op.symbol());
            self.problems.push(Problem::new(Code::BoolModifier, operator, message).hint(hint));
        }
        let mut matching = binary.matching.take().unwrap_or_default();
        let is_many = op.is_set() || op.is_choice();
        if is_many && matching.cardinality == Cardinality::OneToOne {
            matching.cardinality = Cardinality::ManyToMany;
        }
        self.labels_matched_and_included(&matching, operator);
        for (operand, found) in [(&binary.left, left), (&binary.right, right)] {
            if !matches!(found, ValueType::Scalar | ValueType::InstantVector) {
                let message = "binary expression must contain only scalar and instant vector types";
                self.report(Code::OperandType, operand.span(), message);
            }
        }
        if left != ValueType::InstantVector || right != ValueType::InstantVector {
            self.matching_without_vectors(&matching, span);
        } else {
            if is_many {
                self.matching_of_sets(&matching, binary);
            }
            binary.matching = Some(matching);
        }
        if op.is_set() && (left == ValueType::Scalar || right == ValueType::Scalar) {
            let op = go::quote(op.symbol());
            let message = format!("set operator {op} not allowed in binary scalar expression");
            let problem = Problem::new(Code::OperandType, span, message);
            self.problems.push(problem.hint("vector() makes a vector of a number"));
        }
        if are_scalars && !op.is_choice() { ValueType::Scalar } else { ValueType::InstantVector }
    }

    /// Where the operator stands, with its modifiers: all between the operands but blanks.
    fn operator_span(&self, binary: &Binary) -> Span {
        let (start, end) = (binary.left.span().end, binary.right.span().start);
        let between = self.text.get(start..end).unwrap_or_default();
        let is_blank = |character| matches!(character, ' ' | '\t' | '\n' | '\r');
        let start = end - between.trim_start_matches(is_blank).len();
        Span::new(start, start + between.trim_matches(is_blank).len())
    }

    fn labels_matched_and_included(&mut self, matching: &VectorMatching, operator: Span) {
        if !matching.on {
            return;
        }
        for label in &matching.labels {
            for _ in matching.include.iter().filter(|included| *included == label) {
                let label = go::quote(label);
                let message =
                    format!("label {label} must not occur in ON and GROUP clause at once");
                self.report(Code::VectorMatching, operator, message);
            }
        }
    }

    fn matching_without_vectors(&mut self, matching: &VectorMatching, span: Span) {
        if !matching.labels.is_empty() {
            let message = "vector matching only allowed between instant vectors";
            self.report(Code::VectorMatching, span, message);
        }
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            let message = "filling in missing series only allowed between instant vectors";
            self.report(Code::VectorMatching, span, message);
        }
    }

    fn matching_of_sets(&mut self, matching: &VectorMatching, binary: &Binary) {
        if matching.cardinality != Cardinality::ManyToMany {
            let op = go::quote(binary.op.symbol());
            let message = format!("no grouping allowed for {op} operation");
            self.report(Code::VectorMatching, binary.span, message);
            let message = "set operations must always be many-to-many";
            self.report(Code::VectorMatching, binary.span, message);
        }
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            let message = "filling in missing series not allowed for set operators";
            self.report(Code::VectorMatching, binary.span, message);
        }
    }
}

/// Whether a number is the same at every step of a query.
fn is_of_query(expr: &Expr) -> bool {
    let is_known = match expr {
        Expr::Number(_) | Expr::Paren(_) | Expr::Unary(_) | Expr::Binary(_) => true,
        Expr::Call(call) => matches!(
            call.function,
            Function::Start
                | Function::End
                | Function::Step
                | Function::Range
                | Function::Now
                | Function::Pi
                | Function::MinOf
                | Function::MaxOf
        ),
        _ => false,
    };
    is_known && expr.children().into_iter().all(is_of_query)
}

/// Whether a series without the label is refused.
fn refuses_empty(matcher: &Matcher) -> bool {
    let takes_empty = match matcher.op {
        MatchOp::Equal => matcher.value.is_empty(),
        MatchOp::NotEqual => !matcher.value.is_empty(),
        // A wrong expression was reported before.
        MatchOp::Regex => regex::matches_empty(&matcher.value).unwrap_or(true),
        MatchOp::NotRegex => !regex::matches_empty(&matcher.value).unwrap_or(false),
    };
    !takes_empty
}
