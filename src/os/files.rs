//! The doors to files: the tree of one database, files being written, files being read.
//!
//! What is durable when: the bytes and length of a file after its [`WriteFile::sync`]; its name, also
//! after a rename or a removal, after [`Files::sync_dir`] of the directory it is in. A failed sync
//! leaves unknown what is durable, and a later one that succeeds does not heal it ("fsyncgate",
//! Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020): give the file up.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::os::{Mapped, path};

/// The directory tree of one database. Paths are '/'-separated, relative to the root, and hold no
/// "." or ".."; others are `InvalidInput`.
pub trait Files: Send + Sync + fmt::Debug {
    /// Makes a new, empty file.
    ///
    /// # Errors
    /// `AlreadyExists` where the name is taken.
    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>>;

    /// Opens an existing file for writing; its content stays.
    fn open_write(&self, path: &str) -> io::Result<Box<dyn WriteFile>>;

    /// Opens an existing file for reading. It stays readable after its name is removed.
    fn open_read(&self, path: &str) -> io::Result<Arc<dyn ReadFile>>;

    /// Gives a file or directory another name, at once, in place of a file that has it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the name of a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes a directory and those above it, and syncs the parent of each that is new to this
    /// process: what is later synced inside cannot be lost with them.
    fn create_dir_all(&self, path: &str) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a directory durable; "" is the root.
    fn sync_dir(&self, path: &str) -> io::Result<()>;

    /// What is in a directory, sorted by name; "" is the root.
    ///
    /// # Errors
    /// `NotFound` where there is no such directory.
    fn list(&self, path: &str) -> io::Result<Vec<Entry>>;

    /// Is there a file or directory of this name?
    fn exists(&self, path: &str) -> io::Result<bool>;

    /// Gives a file a second name.
    ///
    /// # Errors
    /// `AlreadyExists` where `to` is taken.
    fn hard_link(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes an exclusive lock on a file, which is made where missing and never removed.
    ///
    /// # Errors
    /// `WouldBlock` while someone else holds it, in this process or another.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>>;

    /// Room on the device the root lies on.
    fn space(&self) -> io::Result<Space>;

    /// The path as a person would type it, for messages.
    fn path_of(&self, path: &str) -> PathBuf;
}

/// A file open for writing. Dropping it syncs nothing.
pub trait WriteFile: Send + fmt::Debug {
    /// Writes all of `bytes` at `offset`; a gap before it reads as zeros. Short writes are continued.
    ///
    /// # Errors
    /// On any error, also `StorageFull`, a part may have been written: cut the file back.
    fn write_all_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `len` bytes, or grows it with zeros.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Makes bytes and length durable (fdatasync). Not to be tried again after an error.
    fn sync(&mut self) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Is there no byte in it?
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A file open for reading.
pub trait ReadFile: Send + Sync + fmt::Debug {
    /// Fills `out` with the bytes at `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` where the file ends before `out` is full.
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Is there no byte in it?
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The whole file as memory; only for files that are never changed again.
    /// `None` where mapping is not possible or is off.
    fn map(&self) -> io::Result<Option<Mapped>>;

    /// How many pages it pays to ask for at once where reads go forwards: more than one where each
    /// question takes long to be answered, however little it asks for.
    fn pages_ahead(&self) -> usize {
        1
    }
}

/// An exclusive lock, freed on drop and with the process.
pub trait Lock: Send + Sync + fmt::Debug {}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Last part of the path. Bytes that are not UTF-8 are replaced, so such a file cannot be opened.
    pub name: String,
    /// A directory, or else a file.
    pub is_dir: bool,
    /// Bytes in the file, 0 for a directory.
    pub size: u64,
}

/// Room on a device, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Size of the device.
    pub total: u64,
    /// What this process may still use.
    pub free: u64,
}

/// Reads a file into memory.
///
/// # Errors
/// `FileTooLarge` where it has more than `limit` bytes; nothing is allocated then.
pub fn read_whole(files: &dyn Files, path: &str, limit: u64) -> io::Result<Vec<u8>> {
    let file = files.open_read(path)?;
    let size = file.len()?;
    let length = usize::try_from(size).ok().filter(|_| size <= limit).ok_or_else(|| {
        let shown = files.path_of(path);
        let what = format!("{} has {size} bytes, limit is {limit}", shown.display());
        io::Error::new(io::ErrorKind::FileTooLarge, what)
    })?;
    let mut bytes = vec![0; length];
    file.read_exact_at(0, &mut bytes)?;
    Ok(bytes)
}

/// Puts `bytes` under `path`, whole and durable, in place of what was there: written beside it as
/// `path.tmp`, synced, renamed, the directory synced. A power cut leaves the old or the new.
pub fn write_new_durable(files: &dyn Files, path: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = format!("{path}.tmp");
    // One that a killed process left. Unknown state, never named by anything.
    match files.remove(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_and_rename(files, &beside, path, bytes);
    if written.is_err() {
        // The error that counts is the first; a leftover is removed by the next attempt.
        let _ = files.remove(&beside);
    }
    written?;
    files.sync_dir(path::split(path).0)
}

fn write_and_rename(files: &dyn Files, from: &str, to: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = files.create(from)?;
    file.write_all_at(0, bytes)?;
    file.sync()?;
    drop(file);
    files.rename(from, to)
}
