//! Text to tokens.
//!
//! Which characters mean something depends on where they stand: between braces a word is never a
//! keyword, and behind `[` there are only durations, up to the first literal. The places, the
//! texts of the errors and a few oddities are those of Prometheus (`promql/parser/lex.go`).

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while};
use nom::combinator::value;
use nom::{IResult, Parser as _};

use super::literal::{Complaint, quoted_length};
use super::number_scan::{scan_extended, scan_number_or_duration};
use super::token::{Dialect, Keyword, Kind, Token};
use crate::error::{Code, Problem};
use crate::go;
use crate::operators::BinaryOp;
use crate::span::Span;

/// The tokens of `text`. The last is [`Kind::End`], or [`Kind::Bad`] with the problem beside it.
pub(super) fn tokenize(text: &str, dialect: Dialect) -> (Vec<Token<'_>>, Option<Problem>) {
    let mut lexer = Lexer { text, dialect, ..Lexer::default() };
    loop {
        match lexer.next() {
            Ok(token) => {
                lexer.tokens.push(token);
                if token.kind == Kind::End {
                    return (lexer.tokens, None);
                }
            }
            Err((at, (code, message))) => {
                lexer.tokens.push(Token { kind: Kind::Bad, text: "", start: at });
                let problem = Problem::new(code, Span::new(at, text.len()), message);
                return (lexer.tokens, Some(problem));
            }
        }
    }
}

#[derive(Default)]
struct Lexer<'a> {
    text: &'a str,
    dialect: Dialect,
    at: usize,
    tokens: Vec<Token<'a>>,
    place: Place,
    in_brackets: bool,
    /// A `:` was seen since the last `[`.
    has_colon: bool,
    /// A literal, or the end of a call, was seen behind any `[`.
    has_duration: bool,
    open_parens: usize,
}

/// Where the lexer is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Neither of the others; also behind the first literal in brackets.
    #[default]
    Statement,
    Braces,
    /// Between `[` and the first literal behind it.
    Duration,
}

/// A token, or a complaint and its place.
type Next<'a> = Result<Token<'a>, (usize, Complaint)>;

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Next<'a> {
        self.skip_blanks();
        let rest = self.rest();
        let Some(character) = rest.chars().next() else { return self.end() };
        match self.place {
            Place::Statement => self.statement(character),
            Place::Braces => self.braces(character),
            Place::Duration => self.duration(character),
        }
    }

    /// Skips spaces, and comments where they may stand.
    fn skip_blanks(&mut self) {
        while let Ok((rest, _)) = self.blanks() {
            let at = self.text.len() - rest.len();
            if at == self.at {
                return;
            }
            self.at = at;
        }
    }

    fn blanks(&self) -> IResult<&'a str, &'a str> {
        if self.rest().starts_with('#') && self.place != Place::Duration {
            return take_till(|character| character == '\n' || character == '\r')
                .parse(self.rest());
        }
        take_while(is_space).parse(self.rest())
    }

    fn end(&self) -> Next<'a> {
        let message = if self.place == Place::Braces {
            "unexpected end of input inside braces"
        } else if self.place == Place::Duration {
            "unexpected end of input in duration expression"
        } else if self.open_parens > 0 {
            "unclosed left parenthesis"
        } else if self.in_brackets {
            "unclosed left bracket"
        } else {
            return Ok(Token { kind: Kind::End, text: "", start: self.at });
        };
        complain(self.at, Code::Unclosed, message)
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, kind: Kind, length: usize) -> Token<'a> {
        let text = self.rest().get(..length).unwrap_or_default();
        let token = Token { kind, text, start: self.at };
        self.at += length;
        token
    }

    /// Takes what a symbol's parser has left behind.
    fn take_up_to(&mut self, kind: Kind, behind: &str) -> Token<'a> {
        self.take(kind, self.rest().len() - behind.len())
    }

    fn unexpected(&self, character: char, place: &str) -> Next<'a> {
        let character = go::quote_char(Some(character));
        complain(
            self.at,
            Code::UnexpectedCharacter,
            &format!("unexpected character{place}: {character}"),
        )
    }

    fn braces(&mut self, character: char) -> Next<'a> {
        match character {
            '"' | '\'' | '`' => self.quoted(),
            '{' => complain(self.at, Code::UnexpectedCharacter, "unexpected left brace '{'"),
            '+' if self.dialect == Dialect::Qql => Ok(self.take(Kind::Operator(BinaryOp::Add), 1)),
            '}' => {
                self.place = Place::Statement;
                Ok(self.take(Kind::RightBrace, 1))
            }
            '!' if match_symbol(self.rest()).is_err() => self.after_exclamation(" inside braces"),
            _ if is_word_start(character) => {
                let length = word_length(self.rest(), |character| character != ':');
                Ok(self.take(Kind::Identifier, length))
            }
            _ => match match_symbol(self.rest()) {
                Ok((behind, kind)) => Ok(self.take_up_to(kind, behind)),
                Err(_) => self.unexpected(character, " inside braces"),
            },
        }
    }

    fn duration(&mut self, character: char) -> Next<'a> {
        match character {
            ']' | '(' | ')' => self.bracket(character),
            ':' => {
                self.at += 1;
                if !self.has_duration {
                    let message = "unexpected colon before duration in duration expression";
                    return complain(self.at, Code::UnexpectedCharacter, message);
                }
                if self.has_colon {
                    let message = "unexpected repeated colon in duration expression";
                    return complain(self.at, Code::UnexpectedCharacter, message);
                }
                self.has_colon = true;
                self.at -= 1;
                Ok(self.take(Kind::Colon, 1))
            }
            _ if self.starts_number(character) => {
                self.place = Place::Statement;
                self.has_duration = true;
                self.number()
            }
            _ => match duration_symbol(self.rest()) {
                Ok((behind, kind)) => Ok(self.take_up_to(kind, behind)),
                Err(_) => self.duration_word(character, " in duration expression", ""),
            },
        }
    }

    /// `step`, `range`, `min_of`, `max_of`; between brackets there are no other words.
    fn duration_word(&mut self, character: char, place: &str, hint: &str) -> Next<'a> {
        let length =
            word_length(self.rest(), |character| !character.is_ascii_digit() && character != ':');
        if self.dialect == Dialect::Qql {
            let length = word_length(self.rest(), |character| character != ':');
            let word = self.rest().get(..length).unwrap_or_default();
            if Kind::of_word(word, self.dialect).is_none() && is_word_start(character) {
                // A template, perhaps.
                self.has_duration = true;
                return Ok(self.take(Kind::Identifier, length));
            }
        }
        let word = self.rest().get(..length).unwrap_or_default();
        match Kind::of_word(word, self.dialect) {
            Some(
                kind @ Kind::Keyword(
                    Keyword::Step | Keyword::Range | Keyword::MinOf | Keyword::MaxOf,
                ),
            ) => Ok(self.take(kind, length)),
            _ => self
                .unexpected(character, place)
                .map_err(|(at, (code, message))| (at, (code, format!("{message}{hint}")))),
        }
    }

    fn statement(&mut self, character: char) -> Next<'a> {
        match character {
            '(' | ')' | '[' | ']' => self.bracket(character),
            '{' => {
                self.place = Place::Braces;
                Ok(self.take(Kind::LeftBrace, 1))
            }
            '"' | '\'' | '`' => self.quoted(),
            '=' if self.rest().starts_with("=~") => {
                let message = "unexpected character after '=': '~'";
                complain(self.at, Code::UnexpectedCharacter, message)
            }
            '!' if !self.rest().starts_with("!=") => self.after_exclamation(""),
            _ if self.starts_number(character) => self.number(),
            ':' if self.in_brackets && self.has_colon => {
                complain(self.at, Code::UnexpectedCharacter, "unexpected colon ':'")
            }
            ':' if self.in_brackets => {
                self.has_colon = true;
                Ok(self.take(Kind::Colon, 1))
            }
            _ if is_word_start(character) && self.in_brackets => {
                self.duration_word(character, "", ", expected ':'")
            }
            _ if is_word_start(character) || character == ':' => Ok(self.word()),
            _ => match statement_symbol(self.rest()) {
                Ok((behind, kind)) => Ok(self.take_up_to(kind, behind)),
                Err(_) => self.unexpected(character, ""),
            },
        }
    }

    fn bracket(&mut self, character: char) -> Next<'a> {
        match character {
            '(' => {
                self.open_parens += 1;
                Ok(self.take(Kind::LeftParen, 1))
            }
            ')' if self.open_parens == 0 => {
                // Prometheus has taken the parenthesis when it notices.
                let message = "unexpected right parenthesis ')'";
                complain(self.at + 1, Code::UnexpectedCharacter, message)
            }
            ')' => {
                // As in `[step():]`. Prometheus misses the duration there.
                self.has_duration |= self.place == Place::Duration;
                self.open_parens -= 1;
                Ok(self.take(Kind::RightParen, 1))
            }
            '[' if self.in_brackets => {
                complain(self.at, Code::UnexpectedCharacter, "unexpected left bracket '['")
            }
            '[' => {
                self.in_brackets = true;
                self.place = Place::Duration;
                self.has_colon = false;
                Ok(self.take(Kind::LeftBracket, 1))
            }
            _ if !self.in_brackets => {
                complain(self.at, Code::UnexpectedCharacter, "unexpected right bracket ']'")
            }
            _ => {
                self.in_brackets = false;
                self.place = Place::Statement;
                Ok(self.take(Kind::RightBracket, 1))
            }
        }
    }

    fn after_exclamation(&self, place: &str) -> Next<'a> {
        let found = go::quote_char(self.rest().chars().nth(1));
        let message = format!("unexpected character after '!'{place}: {found}");
        complain(self.at, Code::UnexpectedCharacter, &message)
    }

    fn starts_number(&self, character: char) -> bool {
        let second = self.rest().as_bytes().get(1);
        character.is_ascii_digit() || character == '.' && second.is_some_and(u8::is_ascii_digit)
    }

    fn number(&mut self) -> Next<'a> {
        if self.dialect == Dialect::Qql
            && let Some((kind, length)) = scan_extended(self.rest())
        {
            return Ok(self.take(kind, length));
        }
        match scan_number_or_duration(self.rest()) {
            Ok((kind, length)) => Ok(self.take(kind, length)),
            Err(length) => {
                let text = go::quote(self.rest().get(..length).unwrap_or_default());
                let message = format!("bad number or duration syntax: {text}");
                complain(self.at, Code::BadNumber, &message)
            }
        }
    }

    fn quoted(&mut self) -> Next<'a> {
        match quoted_length(self.rest()) {
            Ok(length) => Ok(self.take(Kind::String, length)),
            Err(complaint) => Err((self.at, complaint)),
        }
    }

    fn word(&mut self) -> Token<'a> {
        let length = word_length(self.rest(), |_| true);
        let (word, behind) = self.rest().split_at_checked(length).unwrap_or_default();
        let kind = match Kind::of_word(word, self.dialect) {
            // Metrics had these names before there was a modifier.
            Some(Kind::Keyword(Keyword::Fill | Keyword::FillLeft | Keyword::FillRight))
                if !behind.trim_start_matches(is_space).starts_with('(') =>
            {
                Kind::Identifier
            }
            Some(kind) => kind,
            None if word.contains(':') => Kind::MetricIdentifier,
            None => Kind::Identifier,
        };
        self.take(kind, length)
    }
}

fn complain<'a>(at: usize, code: Code, message: &str) -> Next<'a> {
    Err((at, (code, message.to_owned())))
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn is_word_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

/// The length of the word `text` starts with, of letters, digits, `_` and `:` that are `allowed`.
fn word_length(text: &str, allowed: impl Fn(char) -> bool) -> usize {
    let in_word =
        |character: char| character.is_ascii_alphanumeric() || character == '_' || character == ':';
    text.find(|character| !in_word(character) || !allowed(character)).unwrap_or(text.len())
}

fn match_symbol(text: &str) -> IResult<&str, Kind> {
    alt((
        value(Kind::Comma, tag(",")),
        value(Kind::MatchRegex, tag("=~")),
        value(Kind::Assign, tag("=")),
        value(Kind::MatchNotRegex, tag("!~")),
        value(Kind::Operator(BinaryOp::NotEqual), tag("!=")),
    ))
    .parse(text)
}

fn duration_symbol(text: &str) -> IResult<&str, Kind> {
    alt((
        value(Kind::Comma, tag(",")),
        value(Kind::Operator(BinaryOp::Add), tag("+")),
        value(Kind::Operator(BinaryOp::Sub), tag("-")),
        value(Kind::Operator(BinaryOp::Mul), tag("*")),
        value(Kind::Operator(BinaryOp::Div), tag("/")),
        value(Kind::Operator(BinaryOp::Mod), tag("%")),
        value(Kind::Operator(BinaryOp::Pow), tag("^")),
    ))
    .parse(text)
}

fn statement_symbol(text: &str) -> IResult<&str, Kind> {
    alt((
        value(Kind::Operator(BinaryOp::Equal), tag("==")),
        value(Kind::Assign, tag("=")),
        value(Kind::Operator(BinaryOp::NotEqual), tag("!=")),
        value(Kind::Operator(BinaryOp::LessEqual), tag("<=")),
        value(Kind::Operator(BinaryOp::TrimUpper), tag("</")),
        value(Kind::Operator(BinaryOp::Less), tag("<")),
        value(Kind::Operator(BinaryOp::GreaterEqual), tag(">=")),
        value(Kind::Operator(BinaryOp::TrimLower), tag(">/")),
        value(Kind::Operator(BinaryOp::Greater), tag(">")),
        value(Kind::At, tag("@")),
        duration_symbol,
    ))
    .parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokenize(text, Dialect::PromQl).0.iter().map(|token| token.kind).collect()
    }

    fn complaint(text: &str) -> (usize, String) {
        let problem = tokenize(text, Dialect::PromQl).1.unwrap();
        (problem.span.start, problem.message)
    }

    #[test]
    fn words_are_keywords_only_outside_braces() {
        let by = Kind::Keyword(Keyword::By);
        assert_eq!(kinds("BY"), [by, Kind::End]);
        assert_eq!(kinds("{by}"), [Kind::LeftBrace, Kind::Identifier, Kind::RightBrace, Kind::End]);
        assert_eq!(kinds("fill"), [Kind::Identifier, Kind::End]);
        assert_eq!(kinds("fill ()").first(), Some(&Kind::Keyword(Keyword::Fill)));
        assert_eq!(kinds("a:b"), [Kind::MetricIdentifier, Kind::End]);
    }

    #[test]
    fn comments_end_with_the_line() {
        assert_eq!(kinds("a # b\n{ # c\n}").len(), 4);
    }

    #[test]
    fn complaints_stand_where_prometheus_puts_them() {
        let cases = [
            ("(1))", 4, "unexpected right parenthesis ')'"),
            ("a[:1m]", 3, "unexpected colon before duration in duration expression"),
            ("a[5m:1s:1s]", 7, "unexpected colon ':'"),
            ("a[5s x]", 5, "unexpected character: 'x', expected ':'"),
            ("a[x]", 2, "unexpected character in duration expression: 'x'"),
            ("a !", 2, "unexpected character after '!': '\u{fffd}'"),
            ("{a!b}", 2, "unexpected character after '!' inside braces: 'b'"),
            ("(a", 2, "unclosed left parenthesis"),
            ("a[5m", 4, "unclosed left bracket"),
            ("a ü", 2, "unexpected character: 'ü'"),
            ("1x", 0, "bad number or duration syntax: \"1\""),
        ];
        for (text, at, message) in cases {
            assert_eq!(complaint(text), (at, message.to_owned()), "{text}");
        }
    }
}
