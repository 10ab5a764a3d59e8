//! Texts and numbers as Go writes them: error texts and canonical print are Prometheus', and so Go's.

use std::fmt::Write as _;

/// `strconv.Quote`: in double quotes, what is not printable escaped.
///
/// U+FFFD, which Go prints as it is, is escaped: no query may hold it raw.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        push_escaped(&mut out, character, '"');
    }
    out.push('"');
    out
}

/// `%q` of a character; `None` is the end of the input.
pub(crate) fn quote_char(character: Option<char>) -> String {
    let mut out = String::from("'");
    match character {
        Some(character) => push_escaped(&mut out, character, '\''),
        None => out.push(char::REPLACEMENT_CHARACTER),
    }
    out.push('\'');
    out
}

/// `%#U` of a character: `U+0071 'q'`.
pub(crate) fn code_point(character: char) -> String {
    let number = format!("U+{:04X}", u32::from(character));
    if is_printable(character) { format!("{number} '{character}'") } else { number }
}

/// `%v` of a float: the fewest digits that say it, with an exponent below 1e-4 and from 1e21.
pub(crate) fn shortest(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if exponent.starts_with('-') { '-' } else { '+' };
        return format!("{digits}e{sign}{:0>2}", exponent.trim_start_matches('-'));
    }
    plain(value)
}

/// `strconv.FormatFloat(value, 'f', -1, 64)`: the fewest digits that say it, without an exponent.
pub(crate) fn plain(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value.is_nan() { "NaN".to_owned() } else { value.to_string() }
}

/// `%f` and `%.3f` of a float.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { plain(value) }
}

fn push_escaped(out: &mut String, character: char, quote: char) {
    let short = match character {
        '\u{7}' => Some('a'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{b}' => Some('v'),
        '\\' => Some('\\'),
        _ if character == quote => Some(quote),
        _ => None,
    };
    let code = u32::from(character);
    if let Some(short) = short {
        out.push('\\');
        out.push(short);
    } else if is_printable(character) && character != char::REPLACEMENT_CHARACTER {
        out.push(character);
    } else {
        // Writing into a String cannot fail.
        let _ = match code {
            0..0x80 => write!(out, "\\x{code:02x}"),
            0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
    }
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the space.
///
/// The standard library escapes the same classes for `Debug`, and marks only at the start of a
/// text, hence the letter before.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return character == ' ' || character.is_ascii_graphic();
    }
    let mut text = String::from("a");
    text.push(character);
    text.escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_strconv_does() {
        assert_eq!(quote("a\"b\\c\n\u{7}"), r#""a\"b\\c\n\a""#);
        assert_eq!(quote("ü☺\u{301}"), "\"ü☺\u{301}\"");
        assert_eq!(
            quote("\u{0}\u{7f}\u{a0}\u{200b}\u{10fffd}"),
            r#""\x00\x7f\u00a0\u200b\U0010fffd""#
        );
        assert_eq!(quote_char(Some('\'')), r"'\''");
        assert_eq!(quote_char(Some('"')), "'\"'");
        assert_eq!(quote_char(None), "'\u{fffd}'");
    }

    #[test]
    fn numbers_as_strconv_does() {
        assert_eq!(shortest(-23.0), "-23");
        assert_eq!(shortest(1e21), "1e+21");
        assert_eq!(shortest(1.5e-7), "1.5e-07");
        assert_eq!(shortest(0.0001), "0.0001");
        assert_eq!(plain(1e21), "1000000000000000000000");
        assert_eq!(plain(f64::INFINITY), "+Inf");
        assert_eq!(plain(-0.0), "-0");
        assert_eq!(fixed(f64::NEG_INFINITY, 6), "-Inf");
        assert_eq!(fixed(9.3e18, 6), "9300000000000000000.000000");
    }

    #[test]
    fn code_points_show_what_can_be_shown() {
        assert_eq!(code_point('q'), "U+0071 'q'");
        assert_eq!(code_point('\n'), "U+000A");
    }
}
