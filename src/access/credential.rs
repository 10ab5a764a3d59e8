//! What a request shows to say who it is.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::access::{Refusal, Secret, token::TOKEN_PREFIX};

/// What a request shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    #[default]
    Nothing,
    /// A token.
    Token(Secret),
    /// A name and a password.
    Password {
        /// Whose.
        user: String,
        /// As it was typed.
        password: Secret,
    },
}

impl Credential {
    /// From the header `Authorization`: `Bearer TOKEN`, `Token TOKEN` (`InfluxDB` 2),
    /// `Token USER:PASSWORD` (`InfluxDB` 1.8), or `Basic` with name and password.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`] where it is another scheme or not in its form.
    pub fn from_header(value: &str) -> Result<Self, Refusal> {
        let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
        let rest = rest.trim();
        if rest.is_empty() {
            return Err(Refusal::Unreadable("there is nothing behind the scheme"));
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Self::Token(Secret::new(rest)));
        }
        if scheme.eq_ignore_ascii_case("token") {
            return Ok(match rest.split_once(':') {
                Some((user, password)) => Self::from_pair(user, password),
                None => Self::Token(Secret::new(rest)),
            });
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(Refusal::Unreadable("the scheme is none of Bearer, Basic and Token"));
        }
        let bytes = STANDARD.decode(rest).map_err(|_| Refusal::Unreadable("no base64"))?;
        let text = String::from_utf8(bytes).map_err(|_| Refusal::Unreadable("not UTF-8"))?;
        let pair = text.split_once(':').ok_or(Refusal::Unreadable("no colon behind the name"))?;
        Ok(Self::from_pair(pair.0, pair.1))
    }

    /// A name and a password, as Basic and the parameters `u` and `p` have them. A token may stand
    /// for the password, for senders that know no other place for it.
    pub fn from_pair(user: &str, password: &str) -> Self {
        if password.starts_with(TOKEN_PREFIX) {
            return Self::Token(Secret::new(password));
        }
        Self::Password { user: user.to_owned(), password: Secret::new(password) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_scheme_that_senders_use_is_read() {
        let token = || Credential::Token(Secret::new("quipu_x"));
        let ada = || Credential::Password { user: "ada".into(), password: Secret::new("p:w") };
        for (text, expected) in [
            ("Bearer quipu_x", token()),
            ("bearer  quipu_x ", token()),
            ("Token quipu_x", token()),
            ("Token ada:p:w", ada()),
            ("Basic YWRhOnA6dw==", ada()),
            // "any:quipu_x"
            ("Basic YW55OnF1aXB1X3g=", token()),
        ] {
            assert_eq!(Credential::from_header(text), Ok(expected), "{text}");
        }
        for text in ["", "Bearer", "Digest x", "Basic !", "Basic YWRh", "Basic /w=="] {
            assert!(Credential::from_header(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_credential_or_an_error(text: String) {
            let _ = Credential::from_header(&text);
            let _ = Credential::from_header(&format!("Basic {text}"));
        }
    }
}
