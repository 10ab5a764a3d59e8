//! The tree of a question as JSON. Source: Prometheus `web/api/v1/translate_ast.go`.

use query_lang::{
    At, Cardinality, DurationExpr, DurationKind, DurationOp, Edges, Expr, Sign, Times,
    VectorMatching, VectorSelector,
};
use serde_json::{Value, json};

use crate::export::write_float;

/// A node and all below it. How deep they nest is bounded by the parser.
pub(super) fn of(expr: &Expr) -> Value {
    match expr {
        Expr::Number(number) => json!({ "type": "numberLiteral", "val": plain(number.value) }),
        Expr::String(text) => json!({ "type": "stringLiteral", "val": text.value }),
        Expr::Vector(selector) => of_selector("vectorSelector", selector),
        Expr::Matrix(matrix) => {
            let mut node = of_selector("matrixSelector", &matrix.selector);
            put_duration(&mut node, "range", Some(&matrix.range));
            node
        }
        Expr::Subquery(subquery) => {
            let mut node = json!({ "type": "subquery", "expr": of(&subquery.expr) });
            put_duration(&mut node, "range", Some(&subquery.range));
            put_duration(&mut node, "offset", subquery.offset.as_ref());
            put_duration(&mut node, "step", subquery.step.as_ref());
            put_at(&mut node, subquery.at.as_ref());
            node
        }
        Expr::Unary(unary) => {
            let op = match unary.sign {
                Sign::Plus => "+",
                Sign::Minus => "-",
            };
            json!({ "type": "unaryExpr", "op": op, "expr": of(&unary.expr) })
        }
        Expr::Binary(binary) => json!({
            "type": "binaryExpr",
            "op": binary.op.symbol(),
            "lhs": of(&binary.left),
            "rhs": of(&binary.right),
            "matching": binary.matching.as_ref().map(of_matching),
            "bool": binary.returns_bool,
        }),
        Expr::Aggregate(aggregate) => json!({
            "type": "aggregation",
            "op": aggregate.op.name(),
            "expr": of(&aggregate.expr),
            "param": aggregate.parameter.as_deref().map(of),
            "grouping": aggregate.grouping.labels,
            "without": aggregate.grouping.without,
        }),
        Expr::Call(call) => {
            let signature = call.function.signature();
            let kinds: Vec<&str> =
                signature.arguments.iter().map(|it| it.value_type.api_name()).collect();
            let variadic = match signature.times {
                Times::Once => json!(0),
                Times::UpTo(times) => json!(times),
                Times::Any | Times::AtLeastOnce | Times::Pairs => json!(-1),
            };
            let args: Vec<Value> = call.args.iter().map(of).collect();
            let function = json!({
                "name": signature.name,
                "argTypes": kinds,
                "variadic": variadic,
                "returnType": signature.returns.api_name(),
            });
            json!({ "type": "call", "func": function, "args": args })
        }
        Expr::Paren(paren) => json!({ "type": "parenExpr", "expr": of(&paren.expr) }),
        Expr::Moved(moved) => {
            let mut node = json!({ "type": "movedExpr", "expr": of(&moved.expr) });
            put_duration(&mut node, "offset", moved.offset.as_ref());
            put_at(&mut node, moved.at.as_ref());
            node
        }
        Expr::Keep(keep) => json!({ "type": "keepMetricNames", "expr": of(&keep.expr) }),
    }
}

fn of_selector(kind: &str, selector: &VectorSelector) -> Value {
    let matcher = |it: &query_lang::Matcher| json!({ "name": it.name, "value": it.value, "type": it.op.symbol() });
    let matchers: Vec<Value> = selector.matchers.iter().map(matcher).collect();
    let mut node = json!({
        "type": kind,
        "name": selector.name.as_deref().unwrap_or_default(),
        "matchers": matchers,
        "anchored": selector.edges == Edges::Anchored,
        "smoothed": selector.edges == Edges::Smoothed,
    });
    put_duration(&mut node, "offset", selector.offset.as_ref());
    put_at(&mut node, selector.at.as_ref());
    node
}

fn of_matching(matching: &VectorMatching) -> Value {
    let card = match matching.cardinality {
        Cardinality::OneToOne => "one-to-one",
        Cardinality::ManyToOne => "many-to-one",
        Cardinality::OneToMany => "one-to-many",
        Cardinality::ManyToMany => "many-to-many",
    };
    json!({
        "card": card,
        "labels": matching.labels,
        "on": matching.on,
        "include": matching.include,
        "fillValues": { "lhs": matching.fill_left, "rhs": matching.fill_right },
    })
}

fn put(node: &mut Value, key: &str, value: Value) {
    if let Some(node) = node.as_object_mut() {
        node.insert(key.to_owned(), value);
    }
}

/// A duration is milliseconds where it is a literal, else 0 and a tree under another key.
fn put_duration(node: &mut Value, key: &str, duration: Option<&DurationExpr>) {
    let millis = duration.and_then(literal_millis);
    put(node, key, json!(millis.unwrap_or(0)));
    let tree = duration.filter(|_| millis.is_none()).map(of_duration);
    put(node, &format!("{key}Expr"), tree.unwrap_or(Value::Null));
}

#[expect(clippy::cast_possible_truncation, reason = "the parser keeps literals in range")]
fn literal_millis(duration: &DurationExpr) -> Option<i64> {
    match &duration.kind {
        DurationKind::Literal { seconds, .. } => Some((seconds * 1e9).round() as i64 / 1_000_000),
        DurationKind::Negated(inner) => match inner.kind {
            DurationKind::Literal { .. } => literal_millis(inner).map(|millis| -millis),
            _ => None,
        },
        DurationKind::Paren(_)
        | DurationKind::Step
        | DurationKind::Steps(_)
        | DurationKind::Omitted
        | DurationKind::Range
        | DurationKind::Binary(..) => None,
    }
}

fn of_duration(duration: &DurationExpr) -> Value {
    let node = |op: &str, left: Value, right: Value, is_wrapped: bool| json!({ "type": "durationExpr", "op": op, "lhs": left, "rhs": right, "wrapped": is_wrapped });
    match &duration.kind {
        DurationKind::Literal { seconds, is_duration } => {
            json!({ "type": "numberLiteral", "val": plain(*seconds), "duration": is_duration })
        }
        DurationKind::Step | DurationKind::Omitted => node("step", Value::Null, Value::Null, false),
        DurationKind::Range => node("range", Value::Null, Value::Null, false),
        DurationKind::Steps(count) => {
            let count = json!({ "type": "numberLiteral", "val": plain(*count), "duration": false });
            node("*", count, node("step", Value::Null, Value::Null, false), false)
        }
        DurationKind::Negated(inner) => node("-", Value::Null, of_duration(inner), false),
        DurationKind::Paren(inner) => {
            let mut inner = of_duration(inner);
            put(&mut inner, "wrapped", json!(true));
            inner
        }
        DurationKind::Binary(op, left, right) => {
            let op = match op {
                DurationOp::Add => "+",
                DurationOp::Sub => "-",
                DurationOp::Mul => "*",
                DurationOp::Div => "/",
                DurationOp::Mod => "%",
                DurationOp::Pow => "^",
                DurationOp::MinOf => "min_of",
                DurationOp::MaxOf => "max_of",
            };
            node(op, of_duration(left), of_duration(right), false)
        }
    }
}

fn put_at(node: &mut Value, at: Option<&At>) {
    let (time, word) = match at {
        None => (Value::Null, Value::Null),
        Some(At::Time(millis)) => (json!(millis), Value::Null),
        Some(At::Start) => (Value::Null, json!("start")),
        Some(At::End) => (Value::Null, json!("end")),
        Some(At::Computed(expr)) => {
            put(node, "timestampExpr", of(expr));
            (Value::Null, Value::Null)
        }
    };
    put(node, "timestamp", time);
    put(node, "startOrEnd", word);
}

/// A number in plain notation, as Go's format `f` has it.
fn plain(number: f64) -> String {
    if number.is_finite() {
        return format!("{number}");
    }
    let mut out = Vec::new();
    write_float(number, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &Value) {
        assert_eq!(&of(&query_lang::parse(text).unwrap()), expected, "{text}");
    }

    #[test]
    fn nodes_have_the_keys_of_prometheus() {
        check(
            r#"up{job="a"} offset 5m @ 10"#,
            &json!({
                "type": "vectorSelector", "name": "up", "offset": 300_000, "offsetExpr": null,
                "matchers": [
                    { "name": "job", "value": "a", "type": "=" },
                    { "name": "__name__", "value": "up", "type": "=" },
                ],
                "timestamp": 10_000, "startOrEnd": null, "anchored": false, "smoothed": false,
            }),
        );
        check(
            "1e21 > bool -2",
            &json!({
                "type": "binaryExpr", "op": ">", "bool": true, "matching": null,
                "lhs": { "type": "numberLiteral", "val": "1000000000000000000000" },
                "rhs": { "type": "numberLiteral", "val": "-2" },
            }),
        );
        check(
            "topk by (a) (3, (\"x\"))".replace("(\"x\")", "b").as_str(),
            &json!({
                "type": "aggregation", "op": "topk", "without": false, "grouping": ["a"],
                "param": { "type": "numberLiteral", "val": "3" },
                "expr": of(&query_lang::parse("b").unwrap()),
            }),
        );
    }

    #[test]
    fn ranges_are_milliseconds_or_trees() {
        let tree = of(&query_lang::parse("rate(a[5m])").unwrap());
        assert_eq!(tree["args"][0]["range"], 300_000);
        assert_eq!(tree["func"]["argTypes"], json!(["matrix"]));
        let tree = of(&query_lang::parse("a[step() * 2]").unwrap());
        assert_eq!((&tree["range"], &tree["rangeExpr"]["op"]), (&json!(0), &json!("*")));
        assert_eq!(tree["rangeExpr"]["lhs"]["op"], "step");
        let tree = of(&query_lang::parse("a + on (b) group_left (c) d").unwrap());
        assert_eq!(tree["matching"]["card"], "many-to-one");
        assert_eq!(tree["matching"]["include"], json!(["c"]));
        let tree = of(&query_lang::parse("max_over_time(a[1h:1m] @ end())").unwrap());
        assert_eq!(tree["args"][0]["step"], 60_000);
        assert_eq!(tree["args"][0]["startOrEnd"], "end");
    }
}
