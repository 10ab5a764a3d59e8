//! Tests on labels, as data: how they run is the index's affair.

use std::fmt;

/// How a label's value is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// The whole value matches the regular expression.
    Regex,
    /// The whole value does not match.
    NotRegex,
}

/// One test on one label. A label that is not there has the value "".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matcher {
    /// The label's name.
    pub name: String,
    /// The test.
    pub op: MatchOp,
    /// Text, or a regular expression that is anchored at both ends.
    pub value: String,
}

impl Matcher {
    /// `name="value"`.
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into() }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}{:?}", self.name, self.value)
    }
}
