//! JSON, as far as files of cases need it; the crate shall not depend on more for its tests.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{anychar, char, multispace0, none_of};
use nom::combinator::{map_opt, map_res, recognize, value};
use nom::multi::{fold_many0, many1_count, separated_list0};
use nom::sequence::{delimited, preceded, separated_pair};
use nom::{IResult, Parser};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match spaced(json).parse(text) {
            Ok(("", json)) => Ok(json),
            Ok((rest, _)) => Err(format!("more behind the end: {rest:.20}")),
            Err(error) => Err(error.to_string().chars().take(200).collect()),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
    pub(crate) fn as_usize(&self) -> Option<usize> {
        if let Self::Number(number) = self { Some(*number as usize) } else { None }
    }
}

fn spaced<'a, T>(
    parser: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
) -> impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>> {
    delimited(multispace0, parser, multispace0)
}

fn json(text: &str) -> IResult<&str, Json> {
    let field = separated_pair(spaced(string), char(':'), spaced(json));
    alt((
        value(Json::Null, tag("null")),
        value(Json::Bool(true), tag("true")),
        value(Json::Bool(false), tag("false")),
        string.map(Json::String),
        delimited(
            char('['),
            separated_list0(char(','), spaced(json)),
            preceded(multispace0, char(']')),
        )
        .map(Json::Array),
        delimited(char('{'), separated_list0(char(','), field), preceded(multispace0, char('}')))
            .map(Json::Object),
        number,
    ))
    .parse(text)
}

fn number(text: &str) -> IResult<&str, Json> {
    let digit = |character: char| matches!(character, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
    let digits = recognize(many1_count(nom::character::complete::satisfy(digit)));
    map_res(digits, |digits: &str| digits.parse().map(Json::Number)).parse(text)
}

fn string(text: &str) -> IResult<&str, String> {
    let plain = none_of("\"\\");
    let escaped = preceded(char('\\'), alt((preceded(char('u'), code_unit), short_escape)));
    let body = fold_many0(alt((plain, escaped)), String::new, |mut text, character| {
        text.push(character);
        text
    });
    delimited(char('"'), body, char('"')).parse(text)
}

/// Four hexadecimal digits; of a surrogate, its fellow too.
fn code_unit(text: &str) -> IResult<&str, char> {
    let (rest, high) = unit(text)?;
    if let Some(character) = char::from_u32(high) {
        return Ok((rest, character));
    }
    map_opt(preceded(tag("\\u"), unit), |low| {
        char::from_u32(0x1_0000 + ((high & 0x3ff) << 10) + (low & 0x3ff))
    })
    .parse(rest)
}

fn unit(text: &str) -> IResult<&str, u32> {
    let digits = take_while_m_n(4, 4, |digit: char| digit.is_ascii_hexdigit());
    map_res(digits, |digits| u32::from_str_radix(digits, 16)).parse(text)
}

fn short_escape(text: &str) -> IResult<&str, char> {
    map_opt(anychar, |character| match character {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        '"' | '\\' | '/' => Some(character),
        _ => None,
    })
    .parse(text)
}
