//! What each code of an error means, at length: what is wrong, why, and what to write instead.

use crate::error::Code;

/// A code explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// Some sentences.
    pub text: &'static str,
    /// A text that fails with it.
    pub wrong: &'static str,
    /// What was meant.
    pub right: &'static str,
}

/// What a code means, whatever its case: `Q012`.
pub fn explain(code: &str) -> Option<Explanation> {
    let code = Code::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(code))?;
    Some(explanation(*code))
}

macro_rules! explanations {
    ($($code:ident: $text:literal, $wrong:literal => $right:literal;)*) => {
        fn explanation(code: Code) -> Explanation {
            match code {
                $(Code::$code => Explanation {
                    code, text: $text, wrong: $wrong, right: $right,
                },)*
            }
        }
    };
}

explanations! {
    EmptyInput: "There is nothing to evaluate: the text is empty, or holds comments alone.",
        "# only a comment" => "up # and a comment";
    UnexpectedCharacter: "A character stands where none like it may stand. Names of metrics and \
        labels that hold other characters than letters, digits, `_` and `:` are written in quotes \
        within braces.",
        "up{a:b=\"c\"}" => "up{\"a:b\"=\"c\"}";
    UnexpectedToken: "A word or a symbol stands where the grammar has no place for it. Often \
        something before it is missing: an operator, a comma, a value in quotes.",
        "up{job=web}" => "up{job=\"web\"}";
    Unclosed: "Something was opened and not closed: a parenthesis, a bracket, a brace or a quote.",
        "sum(rate(a[5m])" => "sum(rate(a[5m]))";
    BadEscape: "In quotes a backslash begins an escape, as `\\n` or `\\u00e9`. Regular expressions \
        have backslashes of their own; write two, or put the text between backquotes, where there \
        are no escapes.",
        "up{job=~\"a\\.b\"}" => "up{job=~\"a\\\\.b\"}";
    InvalidUtf8: "Texts are UTF-8. This one holds bytes that are none, or the character U+FFFD, \
        which stands for such bytes.",
        "\"\u{fffd}\"" => "\"é\"";
    BadNumber: "What looks like a number is none. Decimal, hexadecimal (`0x1f`) and octal (`0755`) \
        numbers, exponents, `_` between digits and the suffixes K, M, G, T, Ki, Mi, Gi, Ti are read.",
        "1e" => "1e3";
    BadDuration: "A duration has the units y, w, d, h, m, s, ms, the longest first and each once. \
        Windows and steps must be longer than 0.",
        "rate(a[5m1h])" => "rate(a[1h5m])";
    UnknownFunction: "There is no function or aggregation of that name. Names of functions have a \
        case; a name in the tables of docs/language.md may be meant.",
        "ratee(a[5m])" => "rate(a[5m])";
    ArgumentCount: "A function or an aggregation has more or fewer arguments than it takes.",
        "clamp(a, 1)" => "clamp(a, 1, 5)";
    TrailingComma: "A comma may end a list of labels or matchers, not the arguments of a function.",
        "topk(5, a,)" => "topk(5, a)";
    ArgumentType: "An argument has another type than the function takes. A window `[5m]` makes a \
        range vector of a selector, `[5m:]` of any other expression; `scalar()` makes a number of a \
        vector, `vector()` a vector of a number.",
        "rate(a)" => "rate(a[5m])";
    OperandType: "Operators stand between numbers and instant vectors; `and`, `or` and `unless` \
        between vectors only.",
        "a and 1" => "a and vector(1)";
    BoolModifier: "Between two numbers a comparison needs `bool`, as there is nothing to filter; \
        beside other operators than comparisons `bool` means nothing.",
        "1 == 2" => "1 == bool 2";
    VectorMatching: "`on`, `ignoring`, `group_left`, `group_right` and `fill` say how the series of \
        two vectors find each other. Set operators take no groups, and a number has no labels.",
        "a and on (b) group_left (c) d" => "a and on (b) d";
    EmptySelector: "A selector must refuse the empty value of at least one label: otherwise it would \
        read every series there is.",
        "{job=~\".*\"}" => "{job=~\".+\"}";
    NameTwice: "The name of a metric stands before the braces and within them.",
        "up{__name__=\"down\"}" => "{__name__=\"down\"}";
    BadRegex: "A regular expression is none in RE2's syntax. There is no look-around and no \
        back-reference, and expressions match the whole value.",
        "up{job=~\"(a\"}" => "up{job=~\"(a)\"}";
    BadLabel: "The name of a label is empty.",
        "sum by (\"\") (a)" => "sum by (b) (a)";
    BadRange: "A range `[5m]` stands behind a selector only, before `offset` and `@`; a window may \
        be left out within a function only. Behind an expression a subquery `[5m:1m]` evaluates it \
        at steps of its own.",
        "sum(a)[5m]" => "sum(a)[5m:1m]";
    BadModifier: "`offset` and `@` move a vector in time, once each; `@` takes a number that is the \
        same at every step. `anchored` and `smoothed` stand behind selectors and their ranges, one \
        of them at most.",
        "a offset 5m offset 1h" => "a offset 65m";
    TooLong: "The text has more bytes than the limit allows.",
        "" => "up";
    TooDeep: "Expressions are nested deeper, or chained longer, than the limit allows. A regular \
        expression or a list of numbers often says the same in one step.",
        "" => "up == (1, 2, 3)";
    BadTemplate: "A template behind `WITH` is used with another number of arguments than it has \
        parameters.",
        "WITH (f(x) = x) f(1, 2)" => "WITH (f(x) = x) f(1)";
    TooLarge: "Templates that use each other grow with every use; this one grows beyond the limit.",
        "" => "WITH (x = a) x + x";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    /// What only grows long enough by repetition.
    fn wrong(explained: Explanation) -> String {
        match explained.code {
            Code::TooLong => " ".repeat(2 << 20),
            Code::TooDeep => "(".repeat(1000),
            Code::TooLarge => {
                let doubled = |at: usize| format!("x{} = x{at} + x{at}", at + 1);
                let all: Vec<String> = (0..40).map(doubled).collect();
                format!("WITH (x0 = a, {}) x40", all.join(", "))
            }
            _ => explained.wrong.to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_fails_with_the_code_and_what_is_right_does_not_fail() {
        for code in Code::ALL {
            let explained = explain(&code.as_str().to_lowercase()).unwrap();
            let error = parse(&wrong(explained)).unwrap_err();
            let found = error.problems().first().map(|problem| problem.code);
            assert_eq!(found, Some(*code), "{}: {error}", explained.wrong);
            assert_eq!(parse(explained.right).err(), None, "{}", explained.right);
        }
        assert_eq!(explain("Q999"), None);
    }
}
