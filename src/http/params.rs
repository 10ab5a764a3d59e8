//! Parameters of a request: those of the form first, then those of the URL, as Go merges them.

use std::{borrow::Cow, str};

use hyper::{HeaderMap, header::CONTENT_TYPE};

use crate::http::Error;

/// Names and values in the order they were sent; a name may stand there several times.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// From the URL's query part and a form.
    pub(super) fn parse(url: Option<&str>, form: &[u8]) -> Result<Self, Error> {
        let mut pairs = Vec::new();
        for text in [form, url.unwrap_or_default().as_bytes()] {
            for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
                let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
                let (name, value) = pair.split_at(at);
                let name = text_of(decode(name)?)?;
                let value = decode(value.get(1..).unwrap_or_default())?;
                let value = String::from_utf8(value).map_err(|error| {
                    let valid = error.utf8_error().valid_up_to();
                    Error::Bad(format!(
                        "invalid parameter {name:?}: parse error: invalid UTF-8 at byte {valid}"
                    ))
                })?;
                pairs.push((name, value));
            }
        }
        Ok(Self(pairs))
    }

    /// The first value of `name`; None where it is not there or empty, which clients mean alike.
    pub(super) fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// Every value of `name`.
    pub(super) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Whether the body holds parameters.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    let bytes: Cow<'_, [u8]> = if text.contains(&b'+') {
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<u8>>().into()
    } else {
        text.into()
    };
    unescape(&bytes)
}

/// Undoes percent-encoding.
///
/// # Errors
/// [`Error::Bad`] where an escape is none, or what comes out is not UTF-8.
pub fn percent_decode(text: &[u8]) -> Result<String, Error> {
    text_of(unescape(text)?)
}

fn unescape(text: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let byte = escape
            .get(1..3)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(byte) = byte else {
            let bad = String::from_utf8_lossy(escape.get(..3).unwrap_or(escape)).into_owned();
            return Err(Error::Bad(format!("invalid URL escape {bad:?}: write % as %25")));
        };
        out.push(byte);
        rest = escape.get(3..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Ok(out)
}

fn text_of(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| {
        let shown = String::from_utf8_lossy(error.as_bytes());
        let shown: String = shown.chars().take(80).collect();
        Error::Bad(format!("not UTF-8 text: {shown:?}"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_form_comes_before_the_url_and_names_may_repeat() {
        let params = Params::parse(Some("a=url&m[]=1"), b"a=form&m%5B%5D=2+3&b=&c").unwrap();
        assert_eq!(params.get("a"), Some("form"));
        assert_eq!(params.all("m[]").collect::<Vec<_>>(), ["2 3", "1"]);
        assert_eq!((params.get("b"), params.get("d")), (None, None));
        assert_eq!(params.all("c").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn bad_escapes_and_bad_text_are_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%ff"] {
            assert!(Params::parse(Some(text), b"").is_err(), "{text}");
        }
        let error = Params::parse(Some("query=up%7Ba=%22%ff"), b"").unwrap_err().to_string();
        assert_eq!(error, "invalid parameter \"query\": parse error: invalid UTF-8 at byte 6");
    }

    proptest! {
        #[test]
        fn any_bytes_are_parameters_or_an_error(form: Vec<u8>) {
            let _ = Params::parse(None, &form);
        }

        #[test]
        fn text_survives_encoding(text: String) {
            let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let params = Params::parse(None, format!("a={}", encoded.concat()).as_bytes()).unwrap();
            prop_assert_eq!(params.all("a").next(), Some(text.as_str()));
        }
    }
}
