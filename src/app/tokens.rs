//! The file of tokens in the data directory: read by the server, changed by the command line.
//!
//! It is written whole and renamed, under a lock of its own, so that it is changed while a server runs
//! on the directory. The server reads it again every second: a token that is revoked is of no use then.

use std::{io, path::Path, sync::Arc};

use ring::rand::{SecureRandom, SystemRandom};

use crate::access::{PasswordHash, Scopes, Secret, Token, TokenBook, TokenRecord, hash_password};
use crate::app::Error;
use crate::os::{Clock, Disk, Files, SystemClock, read_whole, write_new_durable};

const FOLDER: &str = "access";
const FILE: &str = "access/tokens.json";
const LOCK: &str = "access/LOCK";

/// A file of more bytes is damaged: ten thousand tokens have less.
const BYTES_MAX: u64 = 8 << 20;

/// The tokens of a data directory.
#[derive(Clone, Debug)]
pub struct TokenFile {
    files: Arc<dyn Files>,
}

impl TokenFile {
    /// Those of a directory, which is made where `is_new_allowed`.
    ///
    /// # Errors
    /// Where the directory cannot be used.
    pub fn open(directory: &Path, is_new_allowed: bool) -> Result<Self, Error> {
        let disk = if is_new_allowed { Disk::create(directory) } else { Disk::open(directory) };
        let bad = |source| Error::Directory { directory: directory.to_owned(), source };
        Ok(Self { files: Arc::new(disk.map_err(bad)?) })
    }

    /// All tokens; none where there is no file.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(&self) -> Result<TokenBook, Error> {
        self.bytes()?.map_or_else(|| Ok(TokenBook::default()), |bytes| self.parse(&bytes))
    }

    /// The file's bytes, to see whether it has changed.
    pub(super) fn bytes(&self) -> Result<Option<Vec<u8>>, Error> {
        match read_whole(self.files.as_ref(), FILE, BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    pub(super) fn parse(&self, bytes: &[u8]) -> Result<TokenBook, Error> {
        let file = self.files.path_of(FILE);
        TokenBook::parse(bytes).map_err(|source| Error::Tokens { file, source })
    }

    /// Makes a token. Its text is in what is returned and nowhere else.
    ///
    /// # Errors
    /// Where the name is none or taken, or the file cannot be written.
    pub fn create(&self, wanted: &Wanted) -> Result<(Secret, TokenRecord), Error> {
        let token = Token::mint(&random()?);
        let id = random()?;
        let created_ms = SystemClock::new().now().div_euclid(1_000_000);
        let mut record = TokenRecord {
            id: String::new(),
            name: wanted.name.clone(),
            digest: token.digest,
            scopes: wanted.scopes,
            tenant: wanted.tenant.clone(),
            created_ms,
            expires_ms: wanted.lives_ms.map(|lives| created_ms.saturating_add(lives)),
        };
        self.change(|book| {
            record.id = book.free_id(&id);
            book.add(record.clone())
        })?;
        Ok((token.text, record))
    }

    /// Strikes a token out, by its name or id.
    ///
    /// # Errors
    /// Where there is none, or the file cannot be written.
    pub fn revoke(&self, name_or_id: &str) -> Result<TokenRecord, Error> {
        self.change(|book| book.revoke(name_or_id))
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut TokenBook) -> Result<T, crate::access::Error>,
    ) -> Result<T, Error> {
        let files = self.files.as_ref();
        files.create_dir_all(FOLDER).map_err(|source| self.failed(source))?;
        let _lock = files.lock(LOCK).map_err(|source| self.failed(source))?;
        let mut book = self.read()?;
        let file = files.path_of(FILE);
        let done = change(&mut book).map_err(|source| Error::Tokens { file, source })?;
        write_new_durable(files, FILE, book.print().as_bytes())
            .map_err(|source| self.failed(source))?;
        Ok(done)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::TokenFile { file: self.files.path_of(FILE), source }
    }
}

/// A token that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What it shall be called.
    pub name: String,
    /// What it shall allow.
    pub scopes: Scopes,
    /// The only tenant it is for.
    pub tenant: Option<String>,
    /// How long it lives; None is for ever.
    pub lives_ms: Option<i64>,
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

/// The hash of a password, for the configuration.
///
/// # Errors
/// Where the system has no random bytes.
pub fn hash_of(password: &Secret) -> Result<PasswordHash, Error> {
    hash_password(password, &random()?).map_err(|_| Error::Random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::sim::SimFiles;

    fn wanted(name: &str) -> Wanted {
        let scopes = "read".parse().unwrap();
        Wanted { name: name.into(), scopes, tenant: None, lives_ms: Some(1000) }
    }

    #[test]
    fn a_token_is_there_until_it_is_revoked() {
        let tokens = TokenFile { files: Arc::new(SimFiles::seeded(7)) };
        assert!(tokens.read().unwrap().records().is_empty());
        let (text, made) = tokens.create(&wanted("a")).unwrap();
        assert_eq!(crate::access::Digest::of(text.expose()), made.digest);
        tokens.create(&wanted("b")).unwrap();
        assert!(tokens.create(&wanted("a")).is_err());
        assert_eq!(tokens.read().unwrap().records().len(), 2);
        assert_eq!(tokens.revoke(&made.id).unwrap().name, "a");
        assert!(tokens.revoke("a").is_err());
        assert_eq!(tokens.read().unwrap().records().len(), 1);
    }
}
