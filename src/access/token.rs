//! Tokens: made of random bytes, shown once, kept as digests in a book.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::access::{Error, Scopes, Secret};

/// What tokens begin with, so that people and scanners of leaks know them.
pub(super) const TOKEN_PREFIX: &str = "quipu_";

/// Tokens that were chosen by people have at least so many characters.
const CHARACTERS_MIN: usize = 16;

/// Tokens in one book.
const TOKENS_MAX: usize = 10_000;

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// A new token.
#[derive(Debug)]
pub struct Token {
    /// Shown once, to who made it.
    pub text: Secret,
    /// What is kept.
    pub digest: Digest,
}

impl Token {
    /// From 32 random bytes.
    pub fn mint(random: &[u8; 32]) -> Self {
        let text = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        Self { digest: Digest::of(&text), text: Secret::new(text) }
    }

    /// One that somebody chose.
    ///
    /// # Errors
    /// [`Error::Short`] where it could be guessed.
    pub fn chosen(text: &Secret) -> Result<Self, Error> {
        let trimmed = text.expose().trim();
        let length = trimmed.chars().count();
        if length < CHARACTERS_MIN {
            return Err(Error::Short { length, min: CHARACTERS_MIN });
        }
        Ok(Self { digest: Digest::of(trimmed), text: Secret::new(trimmed) })
    }
}

impl Digest {
    /// Of a token's text.
    pub fn of(text: &str) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }

    fn hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let is_whole = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        is_whole.then_some(Self(bytes))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.hex().get(..8).unwrap_or_default())
    }
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Given once; eight hexadecimal digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
    /// What it allows.
    pub scopes: Scopes,
    /// The tenant it is bound to; None is any.
    pub tenant: Option<String>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970; None is never.
    pub expires_ms: Option<i64>,
}

/// The tokens of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenBook {
    records: Vec<TokenRecord>,
}

/// The book as a file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    tokens: Vec<WrittenToken>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenToken {
    id: String,
    name: String,
    sha256: String,
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    created_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
}

const FORMAT: u32 = 1;

impl TokenBook {
    /// All of them, in the order in which they were made.
    pub fn records(&self) -> &[TokenRecord] {
        &self.records
    }

    /// Takes a new one in.
    ///
    /// # Errors
    /// Where the name is none or taken, or the book is full.
    pub fn add(&mut self, record: TokenRecord) -> Result<(), Error> {
        check_name(&record.name)?;
        if self.records.iter().any(|known| known.name == record.name) {
            return Err(Error::Taken(record.name));
        }
        if self.records.len() >= TOKENS_MAX {
            return Err(Error::Book(format!("it has {TOKENS_MAX} tokens, which is the most")));
        }
        self.records.push(record);
        Ok(())
    }

    /// Strikes one out, by its name or id.
    ///
    /// # Errors
    /// [`Error::NoSuchToken`].
    pub fn revoke(&mut self, name_or_id: &str) -> Result<TokenRecord, Error> {
        let is_it = |it: &TokenRecord| it.name == name_or_id || it.id == name_or_id;
        let at = self.records.iter().position(is_it);
        let at = at.ok_or_else(|| Error::NoSuchToken(name_or_id.to_owned()))?;
        Ok(self.records.remove(at))
    }

    /// An id that no token has, from random bytes.
    pub fn free_id(&self, random: &[u8; 4]) -> String {
        let mut number = u32::from_le_bytes(*random);
        loop {
            let id = format!("{number:08x}");
            if self.records.iter().all(|record| record.id != id) {
                return id;
            }
            number = number.wrapping_add(1);
        }
    }

    /// From a file.
    ///
    /// # Errors
    /// [`Error::Book`] where it is not in the form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bad = |what: String| Error::Book(what);
        let written: Written =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if written.format != FORMAT {
            return Err(bad(format!("format {} is not known, {FORMAT} is", written.format)));
        }
        let mut book = Self::default();
        for token in written.tokens {
            let scopes =
                token.scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>()?;
            let digest = Digest::from_hex(&token.sha256);
            book.add(TokenRecord {
                digest: digest.ok_or_else(|| bad(format!("{:?} is no SHA-256", token.sha256)))?,
                scopes,
                id: token.id,
                name: token.name,
                tenant: token.tenant,
                created_ms: token.created_ms,
                expires_ms: token.expires_ms,
            })?;
        }
        Ok(book)
    }

    /// As a file has it.
    pub fn print(&self) -> String {
        let token = |it: &TokenRecord| WrittenToken {
            id: it.id.clone(),
            name: it.name.clone(),
            sha256: it.digest.hex(),
            scopes: it.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            tenant: it.tenant.clone(),
            created_ms: it.created_ms,
            expires_ms: it.expires_ms,
        };
        let tokens = self.records.iter().map(token).collect();
        let written = Written { format: FORMAT, tokens };
        // Texts and numbers alone: there is nothing that JSON has no form for.
        let mut text = serde_json::to_string_pretty(&written).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Whether something may be called so: names go into logs and files.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(is_good) {
        return Ok(());
    }
    Err(Error::Name(name.chars().take(80).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(name: &str) -> TokenRecord {
        TokenRecord {
            id: format!("{:08x}", name.len()),
            name: name.into(),
            digest: Digest::of(name),
            scopes: "read,admin".parse().unwrap(),
            tenant: (name.len() > 1).then(|| "default".into()),
            created_ms: 1,
            expires_ms: (name.len() > 2).then_some(2),
        }
    }

    #[test]
    fn a_token_is_known_by_its_prefix_and_kept_as_a_digest() {
        let token = Token::mint(&[0xfb; 32]);
        assert_eq!(token.text.expose(), "quipu_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
        assert_eq!(token.digest, Digest::of(token.text.expose()));
        assert_ne!(token.digest, Token::mint(&[0xfc; 32]).digest);
        assert!(Token::chosen(&Secret::new("fifteen letters")).is_err());
        let chosen = Token::chosen(&Secret::new("sixteen letters!\n")).unwrap();
        assert_eq!(chosen.digest, Digest::of("sixteen letters!"));
    }

    #[test]
    fn a_book_reads_as_it_is_printed_and_names_are_unique() {
        let mut book = TokenBook::default();
        for name in ["a", "bb", "ccc"] {
            book.add(record(name)).unwrap();
        }
        assert_eq!(TokenBook::parse(book.print().as_bytes()), Ok(book.clone()));
        assert_eq!(book.add(record("bb")), Err(Error::Taken("bb".into())));
        assert!(matches!(book.add(record("no spaces")), Err(Error::Name(_))));
        assert_eq!(book.free_id(&[1, 0, 0, 0]), "00000004");
        assert_eq!(book.revoke("bb").unwrap().name, "bb");
        assert_eq!(book.revoke("00000003").unwrap().name, "ccc");
        assert!(matches!(book.revoke("bb"), Err(Error::NoSuchToken(_))));
        let other = book.print().replace("\"format\": 1", "\"format\": 2");
        assert!(matches!(TokenBook::parse(other.as_bytes()), Err(Error::Book(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_book_or_an_error(bytes: Vec<u8>, cut in 0_usize..400) {
            let _ = TokenBook::parse(&bytes);
            let mut book = TokenBook::default();
            book.add(record("ccc")).unwrap();
            let text = book.print();
            let _ = TokenBook::parse(text.as_bytes().get(..cut).unwrap_or_default());
        }
    }
}
