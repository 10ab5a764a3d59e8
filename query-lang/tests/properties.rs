//! What holds for any text, and for any tree.

#[path = "support/shape.rs"]
mod shape;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query_lang::{
    Aggregate, Aggregation, At, Binary, BinaryOp, Call, Cardinality, DurationExpr, DurationKind,
    DurationOp, Edges, Expr, Function, Grouping, METRIC_NAME, MatchOp, Matcher, MatrixSelector,
    NumberLiteral, Paren, Sign, Span, StringLiteral, Subquery, Unary, VectorMatching,
    VectorSelector, parse, parse_bytes,
};
use shape::shape;

const NOWHERE: Span = Span { start: 0, end: 0 };

/// Words of the language, and some that are none.
const WORDS: &str = "a b:c up sum topk rate abs by without on ignoring group_left group_right fill \
    fill_left fill_right bool offset @ start end step range min_of max_of anchored smoothed and or \
    unless atan2 + - * / % ^ == != < <= > >= </ >/ = =~ !~ ( ) ( ) { } [ ] , : 1 5m 1.5 0x1f inf nan \
    default if ifnot with limit prefix keep_metric_names or union median 5i 1K 1.5h * \
    \"x\" 'y' `z` \"\\xff\" \"(\" # é \" \n";

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WORDS.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>())
}

const OPERANDS: &[&str] = &[
    "a",
    "1",
    "-2",
    "Inf",
    "nan",
    "5m",
    "a{b=\"c\"}",
    "a[5m:1m]",
    "rate(a[5m])",
    "(a)",
    "-a",
    "a offset 5m",
    "a offset -(5m)",
    "a offset - -5",
    "a offset (1m)",
    "a offset (1m) @ 3",
    "a offset -(1m) @ 3",
    "a @ 3",
    "sum(a)",
    "a offset step()",
    "start()",
    "a[-2^2+step()]",
    "a offset + +step()",
    "topk(1, a)",
    "(a, b)",
    "a{b=\"c\" or d=\"e\"}",
    "rate(a[5i])",
    "rate(a[])",
    "(a) offset 5m",
    "sum(a) @ (end() - 5)",
    "sum by (b) (a) limit 3",
    "rate(a[5m]) keep_metric_names",
    "WITH (x = -1, y = a + b) x * y",
    "1.5Ki",
];

const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "> bool",
    "and",
    "or",
    "unless",
    "atan2",
    "</",
    "+ on (x)",
    "default",
    "if",
    "ifnot",
    "* on (x) group_left (*) prefix \"y\"",
    "* ignoring (x) group_left",
    "+ fill(1)",
    "- fill_right(2)",
    "^ -",
    "+ +",
];

/// Texts that often parse.
fn likely() -> impl Strategy<Value = String> {
    let operand = prop::sample::select(OPERANDS);
    let operator = prop::sample::select(OPERATORS);
    (operand.clone(), vec((operator, operand), 0..5)).prop_map(|(first, others)| {
        others.iter().fold(first.to_owned(), |text, (operator, operand)| {
            format!("{text} {operator} {operand}")
        })
    })
}

fn check_print(text: &str) -> Result<(), TestCaseError> {
    if let Ok(expr) = parse(text) {
        let printed = expr.to_string();
        let again = parse(&printed);
        prop_assert!(again.is_ok(), "{text}: {printed}: {again:?}");
        prop_assert_eq!(again.map(|again| shape(&again)).ok(), Some(shape(&expr)), "{}", text);
    }
    Ok(())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,5}",
        Just("without".to_owned()),
        Just("a.b".to_owned()),
        "\\PC{1,4}"
    ]
    .prop_filter("no query holds U+FFFD", |name| !name.contains('\u{fffd}'))
}

/// As a parser adds them up.
fn seconds_of(milliseconds: u32) -> f64 {
    f64::from(milliseconds / 1000) + f64::from(milliseconds % 1000) * 1e6 / 1e9
}

fn literal() -> impl Strategy<Value = DurationExpr> {
    (1..1_000_000_000_u32, any::<bool>()).prop_map(|(milliseconds, is_duration)| {
        let seconds = seconds_of(milliseconds);
        DurationExpr { kind: DurationKind::Literal { seconds, is_duration }, span: NOWHERE }
    })
}

fn duration() -> impl Strategy<Value = DurationExpr> {
    let of = |kind| DurationExpr { kind, span: NOWHERE };
    let leaf = prop_oneof![literal(), Just(of(DurationKind::Step)), Just(of(DurationKind::Range))];
    let operators = prop::sample::select(vec![
        DurationOp::Add,
        DurationOp::Sub,
        DurationOp::Mul,
        DurationOp::Div,
        DurationOp::Mod,
        DurationOp::Pow,
        DurationOp::MinOf,
        DurationOp::MaxOf,
    ]);
    let in_parens = move |inner: DurationExpr| match inner.kind {
        DurationKind::Paren(_) => inner,
        _ => of(DurationKind::Paren(Box::new(inner))),
    };
    let nested = leaf.prop_recursive(3, 12, 2, move |inner| {
        prop_oneof![
            inner.clone().prop_map(in_parens),
            inner
                .clone()
                .prop_map(move |inner| { of(DurationKind::Negated(Box::new(in_parens(inner)))) }),
            (operators.clone(), inner.clone(), inner).prop_map(move |(op, left, right)| {
                let (left, right) = (Box::new(in_parens(left)), Box::new(in_parens(right)));
                of(DurationKind::Binary(op, left, right))
            }),
        ]
    });
    // A literal that is all of a duration is written as one.
    nested.prop_map(|duration| match duration.kind {
        DurationKind::Literal { seconds, .. } => DurationExpr::seconds(seconds, NOWHERE),
        _ => duration,
    })
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let text = prop_oneof!["[a-z]{1,5}", ".{1,4}", Just("\"\\\n".to_owned())];
    let equal = (name(), prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual]), text)
        .prop_map(|(name, op, value)| Matcher { name, op, value });
    let regex =
        (name(), prop::sample::select(vec![MatchOp::Regex, MatchOp::NotRegex]), "[a-z]{1,3}\\.\\*")
            .prop_map(|(name, op, value)| Matcher { name, op, value });
    prop_oneof![equal, regex]
        .prop_filter("no query holds U+FFFD", |matcher| !matcher.value.contains('\u{fffd}'))
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![(-1_i64 << 40..1 << 40).prop_map(At::Time), Just(At::Start), Just(At::End)]
}

fn selector() -> impl Strategy<Value = VectorSelector> {
    let edges = prop::sample::select(vec![Edges::Plain, Edges::Anchored, Edges::Smoothed]);
    let metric = "[a-z:][a-z0-9_:]{0,5}x";
    (option::of(metric), vec(matcher(), 0..3), option::of(at()), option::of(duration()), edges)
        .prop_map(|(name, mut matchers, at, offset, edges)| {
            // Printed in this order, and one must refuse the empty text.
            matchers.sort_by_key(ToString::to_string);
            let metric = name.clone().unwrap_or_else(|| "fallback".to_owned());
            let metric =
                Matcher { name: METRIC_NAME.to_owned(), op: MatchOp::Equal, value: metric };
            matchers.retain(|matcher| matcher.name != METRIC_NAME);
            matchers.push(metric);
            if name.is_none() {
                matchers.sort_by_key(ToString::to_string);
            }
            let alternatives = Vec::new();
            VectorSelector { name, matchers, alternatives, at, offset, edges, span: NOWHERE }
        })
}

fn number() -> impl Strategy<Value = Expr> {
    let value = prop_oneof![any::<f64>(), Just(f64::INFINITY), Just(f64::NAN), Just(-0.0)];
    prop_oneof![
        value.prop_map(|value| NumberLiteral { value, is_duration: false, span: NOWHERE }),
        (0..1_000_000_u32).prop_map(|milliseconds| NumberLiteral {
            value: seconds_of(milliseconds),
            is_duration: true,
            span: NOWHERE,
        }),
    ]
    .prop_map(Expr::Number)
}

fn paren(expr: Expr) -> Box<Expr> {
    Box::new(Expr::Paren(Paren { expr: Box::new(expr), span: NOWHERE }))
}

fn matching() -> impl Strategy<Value = VectorMatching> {
    let cardinality = prop::sample::select(vec![
        Cardinality::OneToOne,
        Cardinality::ManyToOne,
        Cardinality::OneToMany,
    ]);
    let fill = || option::of(-1e6..1e6_f64);
    (cardinality, any::<bool>(), vec("l[a-z]{0,3}", 0..3), vec("i[a-z]{0,3}", 0..3), fill(), fill())
        .prop_map(|(cardinality, on, labels, mut include, fill_left, fill_right)| {
            if cardinality == Cardinality::OneToOne {
                include.clear();
            }
            VectorMatching {
                cardinality,
                on,
                labels,
                include,
                include_all: false,
                prefix: None,
                fill_left,
                fill_right,
            }
        })
}

fn function(function: Function, args: Vec<Expr>) -> Expr {
    Expr::Call(Call { function, args, span: NOWHERE })
}

/// `count_values("…", selector)`
fn counted_values() -> impl Strategy<Value = Expr> {
    ("[^\u{fffd}]{0,6}", selector()).prop_map(|(value, selector)| {
        let value = Expr::String(StringLiteral { value, span: NOWHERE });
        Expr::Aggregate(Aggregate {
            op: Aggregation::CountValues,
            parameter: Some(Box::new(value)),
            extras: Vec::new(),
            limit: None,
            expr: Box::new(Expr::Vector(selector)),
            grouping: Grouping::default(),
            span: NOWHERE,
        })
    })
}

/// Instant vectors of any make.
fn vector() -> impl Strategy<Value = Expr> {
    let matrix = (selector(), duration()).prop_map(|(selector, range)| {
        Expr::Matrix(MatrixSelector { selector, range, span: NOWHERE })
    });
    let leaf = prop_oneof![
        selector().prop_map(Expr::Vector),
        matrix.prop_map(|matrix| function(Function::Rate, vec![matrix])),
        number().prop_map(|number| function(Function::Vector, vec![number])),
        counted_values(),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let operators = prop::sample::select(vec![
            BinaryOp::Add,
            BinaryOp::Pow,
            BinaryOp::Atan2,
            BinaryOp::Greater,
            BinaryOp::TrimUpper,
        ]);
        let grouping = (any::<bool>(), vec(name(), 0..3))
            .prop_map(|(without, labels)| Grouping { without, labels });
        prop_oneof![
            inner.clone().prop_map(|inner| *paren(inner)),
            inner.clone().prop_map(|inner| {
                Expr::Unary(Unary { sign: Sign::Minus, expr: paren(inner), span: NOWHERE })
            }),
            (inner.clone(), operators, matching(), inner.clone()).prop_map(
                |(left, op, matching, right)| Expr::Binary(Binary {
                    op,
                    left: paren(left),
                    right: paren(right),
                    returns_bool: op == BinaryOp::Greater,
                    matching: Some(matching),
                    span: NOWHERE,
                })
            ),
            (inner.clone(), grouping).prop_map(|(inner, grouping)| Expr::Aggregate(Aggregate {
                op: Aggregation::Sum,
                parameter: None,
                extras: Vec::new(),
                limit: None,
                expr: Box::new(inner),
                grouping,
                span: NOWHERE,
            })),
            (inner, duration(), option::of(duration()), option::of(at()), option::of(duration()))
                .prop_map(|(inner, range, step, at, offset)| {
                    let expr = paren(inner);
                    let subquery = Subquery { expr, range, step, at, offset, span: NOWHERE };
                    function(Function::MaxOverTime, vec![Expr::Subquery(subquery)])
                }),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_question_or_an_error(bytes in vec(any::<u8>(), 0..64)) {
        if let Err(error) = parse_bytes(&bytes) {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(!error.picture("query").is_empty());
        }
    }

    #[test]
    fn any_text_is_a_question_or_an_error(text in "\\PC{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(!error.picture("query").is_empty());
        }
    }

    #[test]
    fn any_words_are_a_question_or_an_error(words in vec(word(), 0..24), glue in "[ ]?") {
        let text = words.join(&glue);
        if let Err(error) = parse(&text) {
            prop_assert!(!error.picture("query").is_empty());
        }
        check_print(&text)?;
    }

    #[test]
    fn what_is_printed_parses_to_the_same_tree(text in likely()) {
        check_print(&text)?;
    }

    #[test]
    fn spans_lie_in_the_text_and_hold_their_children(text in likely()) {
        fn check(expr: &Expr, text: &str) -> Result<(), TestCaseError> {
            let span = expr.span();
            prop_assert!(span.start < span.end && span.end <= text.len(), "{expr}: {span:?}");
            for child in expr.children() {
                prop_assert!(span.start <= child.span().start && child.span().end <= span.end);
                check(child, text)?;
            }
            Ok(())
        }
        // What a template stands for lies where the template does.
        if let Ok(expr) = parse(&text)
            && !text.contains("WITH")
        {
            check(&expr, &text)?;
        }
    }

    #[test]
    fn any_tree_is_parsed_from_its_print(expr in vector()) {
        let printed = expr.to_string();
        let parsed = parse(&printed);
        prop_assert!(parsed.is_ok(), "{printed}: {parsed:?}");
        prop_assert_eq!(parsed.map(|parsed| shape(&parsed)).ok(), Some(shape(&expr)), "{}", printed);
    }
}
