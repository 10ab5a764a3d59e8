//! What is wrong with a text: texts and places as Prometheus has them, with a code and a hint.

use std::fmt;

use crate::span::Span;

/// Why a text is no question. The first problem is the one that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    text: Box<str>,
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// Where.
    pub span: Span,
    /// What, in Prometheus' words.
    pub message: String,
    /// What to do about it, where that can be guessed.
    pub hint: Option<String>,
}

macro_rules! codes {
    ($($variant:ident $code:literal $summary:literal,)*) => {
        /// The kind of a problem. Codes never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As people see it, `Q012`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it stands for, in a line.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }
        }
    };
}

codes! {
    EmptyInput "Q001" "There is no expression.",
    UnexpectedCharacter "Q002" "A character has no meaning where it stands.",
    UnexpectedToken "Q003" "A word or symbol has no place where it stands.",
    Unclosed "Q004" "A parenthesis, bracket, brace or quote is not closed.",
    BadEscape "Q005" "An escape in a text is none.",
    InvalidUtf8 "Q006" "A text is not UTF-8.",
    BadNumber "Q007" "A number is none.",
    BadDuration "Q008" "A duration is none, or not positive, or too long.",
    UnknownFunction "Q009" "There is no function of that name.",
    ArgumentCount "Q010" "A function or aggregation has too few or too many arguments.",
    TrailingComma "Q011" "A comma ends the arguments of a function.",
    ArgumentType "Q012" "An argument has the wrong type.",
    OperandType "Q013" "An operand has the wrong type.",
    BoolModifier "Q014" "`bool` is missing between scalars, or stands where nothing is compared.",
    VectorMatching "Q015" "Matching, grouping or filling does not fit the operands or the operator.",
    EmptySelector "Q016" "A selector would select everything.",
    NameTwice "Q017" "A metric's name is set twice.",
    BadRegex "Q018" "A regular expression is none.",
    BadLabel "Q019" "A label's name is none.",
    BadRange "Q020" "A range stands behind what is no selector.",
    BadModifier "Q021" "`offset`, `@`, `anchored` or `smoothed` does not fit what it follows.",
    TooLong "Q022" "The text is longer than the limit.",
    TooDeep "Q023" "The expression nests deeper than the limit.",
    BadTemplate "Q024" "A template of `WITH` is none, or does not fit where it is used.",
    TooLarge "Q025" "Templates expand to more than the limit.",
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Problem {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl ParseError {
    /// The problems of `text`, at least one, in the order in which Prometheus finds them.
    pub(crate) fn new(text: &str, problems: Vec<Problem>) -> Self {
        debug_assert!(!problems.is_empty(), "an error says what is wrong");
        Self { text: text.into(), problems }
    }

    /// The text that was asked.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All that was found, at least one; the first is the one that is shown.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Line and column of a problem; none where the text is empty.
    pub fn place(&self, problem: &Problem) -> Option<(usize, usize)> {
        (!self.text.is_empty()).then(|| problem.span.line_column(&self.text))
    }
}

/// `1:6: parse error: …`, as Prometheus writes it.
impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(problem) = self.problems.first() else { return Ok(()) };
        match self.place(problem) {
            Some((line, column)) => write!(out, "{line}:{column}")?,
            None => out.write_str("unknown position")?,
        }
        write!(out, ": parse error: {}", problem.message)
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_numbered_without_gaps() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.as_str(), format!("Q{:03}", index + 1));
        }
    }
}
