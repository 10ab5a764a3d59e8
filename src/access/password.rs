//! Passwords: argon2id hashes, and the memory of those that were right.
//!
//! A check takes some 20 ms and 19 MiB on purpose, which no sender of a thousand requests a second
//! could afford; so a pair that was right is remembered by a keyed digest of name, password and hash.
//! A pair that was wrong is never remembered, and another hash is another digest: what is remembered
//! cannot be poisoned and ends with the hash.

use std::{
    collections::HashSet,
    sync::{PoisonError, RwLock},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use ring::hmac;

use crate::access::{Error, Secret};

/// Pairs remembered; more of them and all are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// An argon2id hash, as `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// # Errors
    /// [`Error::Hash`] where it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let hash = phc::PasswordHash::new(text.trim()).map_err(|_| Error::Hash)?;
        let is_whole = hash.algorithm.as_str() == "argon2id" && hash.hash.is_some();
        if is_whole { Ok(Self(text.trim().to_owned())) } else { Err(Error::Hash) }
    }

    /// A hash that no password has: whoever is not known is checked like who is.
    pub(super) fn of_nobody() -> Self {
        let text = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5$\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        Self(text.to_owned())
    }

    /// Whether it is the hash of `password`. Slow.
    pub fn is_of(&self, password: &Secret) -> bool {
        phc::PasswordHash::new(&self.0).is_ok_and(|hash| {
            Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The hash of a password, with the parameters that OWASP recommends. Slow.
///
/// # Errors
/// [`Error::Hash`] where the salt is not one.
pub fn hash_password(password: &Secret, salt: &[u8; 16]) -> Result<PasswordHash, Error> {
    let hash: phc::PasswordHash = Argon2::default()
        .hash_password_with_salt(password.expose().as_bytes(), salt)
        .map_err(|_| Error::Hash)?;
    Ok(PasswordHash(hash.to_string()))
}

/// Pairs that were right.
#[derive(Debug)]
pub struct Remembered {
    key: hmac::Key,
    pairs: RwLock<HashSet<[u8; 32]>>,
}

impl Remembered {
    /// Nothing yet; `key` is random and of this process.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), pairs: RwLock::default() }
    }

    /// Was this pair right?
    pub fn has(&self, user: &str, password: &Secret, hash: &PasswordHash) -> bool {
        let digest = self.digest(user, password, hash);
        self.pairs.read().unwrap_or_else(PoisonError::into_inner).contains(&digest)
    }

    /// This pair was right.
    pub fn add(&self, user: &str, password: &Secret, hash: &PasswordHash) {
        let digest = self.digest(user, password, hash);
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() >= REMEMBERED_MAX {
            pairs.clear();
        }
        pairs.insert(digest);
    }

    fn digest(&self, user: &str, password: &Secret, hash: &PasswordHash) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [user, password.expose(), hash.as_str()] {
            // The length before each keeps "a" + "bc" from being "ab" + "c".
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_alone() {
        let hash = hash_password(&Secret::new("correct horse"), &[7; 16]).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        let hash = PasswordHash::parse(&format!(" {}\n", hash.as_str())).unwrap();
        assert!(hash.is_of(&Secret::new("correct horse")));
        assert!(!hash.is_of(&Secret::new("correct hors")));
        assert!(PasswordHash::parse(PasswordHash::of_nobody().as_str()).is_ok());
        assert!(!PasswordHash::of_nobody().is_of(&Secret::new("")));
        for text in
            ["", "secret", "$2y$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=8,t=1,p=1$aaaa"]
        {
            assert_eq!(PasswordHash::parse(text), Err(Error::Hash), "{text}");
        }
    }

    #[test]
    fn only_the_very_pair_that_was_right_is_remembered() {
        let remembered = Remembered::new(&[1; 32]);
        let hash = PasswordHash("$argon2id$x".into());
        let (ada, password) = ("ada", Secret::new("pw"));
        assert!(!remembered.has(ada, &password, &hash));
        remembered.add(ada, &password, &hash);
        assert!(remembered.has(ada, &password, &hash));
        assert!(!remembered.has("adap", &Secret::new("w"), &hash));
        assert!(!remembered.has(ada, &password, &PasswordHash("$argon2id$y".into())));
        for i in 0..REMEMBERED_MAX {
            remembered.add(&i.to_string(), &password, &hash);
        }
        assert!(!remembered.has(ada, &password, &hash), "it is bounded");
    }
}
