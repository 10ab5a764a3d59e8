//! The real directory tree, over `std::fs`.
//!
//! Plain calls only (open, pwrite, ftruncate, fdatasync, rename, …): the power-cut recorder of the
//! torture tests sees calls of the C library, and nothing that goes around it.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::os::path::{ancestry, check, check_dir, split};
use crate::os::{Entry, Files, Lock, Mapped, ReadFile, Space, WriteFile};

/// The tree below one directory of this machine.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    mmap: bool,
    /// Directories whose names this process knows to be durable.
    known: Mutex<HashSet<String>>,
}

impl Disk {
    /// Opens the tree at `root`, which must be there.
    ///
    /// # Errors
    /// `NotFound`, and `NotADirectory` where it is a file.
    pub fn open(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        if !fs::metadata(&root)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root, mmap: true, known: Mutex::default() })
    }

    /// Opens the tree at `root`, and makes what is missing of its path, durably.
    ///
    /// # Errors
    /// As mkdir and fsync have them.
    pub fn create(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        let missing: Vec<&Path> = root.ancestors().take_while(|path| !path.exists()).collect();
        if missing.is_empty() {
            // Whoever made it may have been killed before this sync. It may also be a mount point
            // below a directory that is not ours to open.
            let _ = root.parent().map(sync_directory);
        }
        for path in missing.into_iter().rev() {
            make_dir(path)?;
            path.parent().map_or(Ok(()), sync_directory)?;
        }
        Self::open(root)
    }

    /// Whether files may be mapped into memory; they may unless this says no.
    #[must_use]
    pub fn mmap(mut self, allowed: bool) -> Self {
        self.mmap = allowed;
        self
    }

    fn at(&self, path: &str) -> io::Result<PathBuf> {
        check(path).map(|path| self.root.join(path))
    }

    fn directory_at(&self, path: &str) -> io::Result<PathBuf> {
        check_dir(path)?;
        // `join` with "" would add a slash, which shows in messages.
        Ok(if path.is_empty() { self.root.clone() } else { self.root.join(path) })
    }

    fn is_known(&self, path: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    fn set_known(&self, path: &str, known: bool) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known {
            all.insert(path.to_owned());
        } else {
            all.remove(path);
        }
    }
}

impl Files for Disk {
    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(self.at(path)?)?;
        Ok(Box::new(DiskWrite(file)))
    }

    fn open_write(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        let file = OpenOptions::new().write(true).open(self.at(path)?)?;
        Ok(Box::new(DiskWrite(file)))
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn ReadFile>> {
        let file = open_to_read(&self.at(path)?)?;
        // Linux opens a directory as well, and only reading it fails.
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Arc::new(DiskRead { file, mmap: self.mmap }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from)?, self.at(to)?)?;
        self.set_known(from, false);
        self.set_known(to, false);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.at(path)?)
    }

    fn create_dir_all(&self, path: &str) -> io::Result<()> {
        check_dir(path)?;
        for step in ancestry(path) {
            let is_new = make_dir(&self.at(step)?)?;
            // Also where it was there: whoever made it may have been killed before the sync.
            if is_new || !self.is_known(step) {
                self.sync_dir(split(step).0)?;
                self.set_known(step, true);
            }
        }
        Ok(())
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        fs::remove_dir(self.at(path)?)?;
        self.set_known(path, false);
        Ok(())
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        sync_directory(&self.directory_at(path)?)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for found in fs::read_dir(self.directory_at(path)?)? {
            let found = found?;
            // A link is what it leads to. A name that went away meanwhile is not listed.
            let meta = match fs::metadata(found.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            let name = found.file_name().to_string_lossy().into_owned();
            let size = if meta.is_dir() { 0 } else { meta.len() };
            entries.push(Entry { name, is_dir: meta.is_dir(), size });
        }
        entries.sort();
        Ok(entries)
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        fs::exists(self.directory_at(path)?)
    }

    fn hard_link(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.at(from)?, self.at(to)?)
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>> {
        let path = self.at(path)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(DiskLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn space(&self) -> io::Result<Space> {
        let found = rustix::fs::statvfs(&self.root)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Space { total: bytes(found.f_blocks), free: bytes(found.f_bavail) })
    }

    fn path_of(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

#[derive(Debug)]
struct DiskWrite(File);

impl WriteFile for DiskWrite {
    fn write_all_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

#[derive(Debug)]
struct DiskRead {
    file: File,
    mmap: bool,
}

impl ReadFile for DiskRead {
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn map(&self) -> io::Result<Option<Mapped>> {
        // No address space or too many mappings: the page cache serves instead.
        Ok(if self.mmap { Mapped::map(&self.file).ok() } else { None })
    }
}

/// Closing the file frees the lock.
#[derive(Debug)]
struct DiskLock {
    _file: File,
}

impl Lock for DiskLock {}

/// Is the directory new? It may be there already.
fn make_dir(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if path.is_dir() {
                Ok(false)
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = open_to_read(path)?;
    if !directory.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    directory.sync_all()
}

fn open_to_read(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::scratch::Scratch;
    use crate::os::{read_whole, write_new_durable};

    fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> io::ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn files_are_made_written_renamed_listed_and_removed() {
        let scratch = Scratch::new();
        let disk = Disk::create(scratch.path().join("x/y")).unwrap();
        disk.create_dir_all("a/b").unwrap();
        disk.create_dir_all("a/b").unwrap();
        let mut file = disk.create("a/b/one").unwrap();
        file.write_all_at(2, b"cd").unwrap();
        file.write_all_at(0, b"ab").unwrap();
        file.sync().unwrap();
        assert_eq!(file.len().unwrap(), 4);
        assert_eq!(kind(disk.create("a/b/one")), io::ErrorKind::AlreadyExists);
        disk.rename("a/b/one", "a/two").unwrap();
        disk.hard_link("a/two", "three").unwrap();
        disk.sync_dir("").unwrap();
        disk.open_write("three").unwrap().truncate(3).unwrap();
        assert_eq!(read_whole(&disk, "a/two", 3).unwrap(), b"abc");
        assert_eq!(kind(read_whole(&disk, "a/two", 2)), io::ErrorKind::FileTooLarge);
        let root: Vec<_> = disk.list("").unwrap();
        let entry = |name: &str, is_dir, size| Entry { name: name.to_owned(), is_dir, size };
        assert_eq!(root, [entry("a", true, 0), entry("three", false, 3)]);
        disk.remove("three").unwrap();
        assert_eq!(kind(disk.open_read("three")), io::ErrorKind::NotFound);
        assert_eq!(kind(disk.open_read("a")), io::ErrorKind::IsADirectory);
        assert_eq!(kind(disk.list("c")), io::ErrorKind::NotFound);
        disk.remove_dir("a/b").unwrap();
        assert!(!disk.exists("a/b").unwrap());
        assert!(disk.exists("").unwrap());
    }

    #[test]
    fn a_mapping_shows_what_pread_shows_and_outlives_the_name() {
        let scratch = Scratch::new();
        for (mmap, name) in [(true, "mapped"), (false, "not")] {
            let disk = Disk::open(scratch.path()).unwrap().mmap(mmap);
            write_new_durable(&disk, name, b"words").unwrap();
            write_new_durable(&disk, name, b"other words").unwrap();
            let file = disk.open_read(name).unwrap();
            disk.remove(name).unwrap();
            let map = file.map().unwrap();
            assert_eq!(map.is_some(), mmap);
            if let Some(map) = map {
                map.advise_random();
                map.advise_unneeded();
                assert_eq!(&map[..], b"other words");
            }
            let mut out = [0; 5];
            file.read_exact_at(6, &mut out).unwrap();
            assert_eq!(&out, b"words");
            assert_eq!(kind(file.read_exact_at(7, &mut out)), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn an_empty_file_maps_to_nothing() {
        let scratch = Scratch::new();
        let disk = Disk::open(scratch.path()).unwrap();
        disk.create("empty").unwrap();
        let map = disk.open_read("empty").unwrap().map().unwrap();
        assert_eq!(map.map(|map| map.len()), Some(0));
    }

    #[test]
    fn a_lock_is_held_by_one_until_dropped() {
        let scratch = Scratch::new();
        let (one, two) = (Disk::open(scratch.path()).unwrap(), Disk::open(scratch.path()).unwrap());
        let held = one.lock("LOCK").unwrap();
        assert_eq!(kind(two.lock("LOCK")), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(two.lock("LOCK").is_ok());
    }

    #[test]
    fn nothing_outside_the_root_can_be_named() {
        let scratch = Scratch::new();
        let disk = Disk::open(scratch.path()).unwrap();
        for bad in ["../x", "/etc/passwd", "a/../../x"] {
            assert_eq!(kind(disk.create(bad)), io::ErrorKind::InvalidInput);
            assert_eq!(kind(disk.rename("a", bad)), io::ErrorKind::InvalidInput);
            assert_eq!(kind(disk.list(bad)), io::ErrorKind::InvalidInput);
        }
        assert_eq!(kind(Disk::open(scratch.path().join("missing"))), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_device_has_room() {
        let space = Disk::open(std::env::temp_dir()).unwrap().space().unwrap();
        assert!(space.total > 0 && space.free <= space.total);
    }
}
