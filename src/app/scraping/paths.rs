//! Files that a configuration names: relative to its folder, by name or by pattern.

use std::{
    io,
    path::{Component, Path, PathBuf, absolute},
};

use crate::os::{Disk, Files, read_whole};

/// The files of this machine, seen from a folder.
#[derive(Debug)]
pub(super) struct Tree {
    root: Disk,
    folder: PathBuf,
}

impl Tree {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        // The folder of a bare name is an empty path.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok(Self { root: Disk::open("/")?.mmap(false), folder: absolute(folder)? })
    }

    /// The whole of a file.
    ///
    /// # Errors
    /// Where it cannot be read, or has more than `bytes_max`.
    pub(super) fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        read_whole(&self.root, &self.below_root(path)?, bytes_max)
    }

    /// The text of a file without the blanks around it: how secrets are kept in files.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn secret(&self, path: &Path) -> io::Result<String> {
        const SECRET_BYTES_MAX: u64 = 1 << 20;
        let bytes = self.read(path, SECRET_BYTES_MAX)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(text.trim().to_owned())
    }

    /// The files that `pattern` names, sorted. Its last part may have one `*`.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub(super) fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
        let Some((begin, end)) = name.split_once('*') else {
            return Ok(vec![PathBuf::from(pattern)]);
        };
        let folder = if pattern.starts_with('/') && folder.is_empty() { "/" } else { folder };
        let entries = match self.root.list(&self.below_root(Path::new(folder))?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            entries => entries?,
        };
        let is_match = |name: &str| {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        };
        let found = entries.into_iter().filter(|entry| !entry.is_dir && is_match(&entry.name));
        Ok(found.map(|entry| Path::new(folder).join(entry.name)).collect())
    }

    /// As `os` wants paths: without the slash at the front, without dots.
    fn below_root(&self, path: &Path) -> io::Result<String> {
        let mut parts: Vec<&str> = Vec::new();
        let whole = self.folder.join(path);
        for part in whole.components() {
            match part {
                Component::Normal(name) => {
                    let name = name.to_str();
                    parts.push(name.ok_or(io::Error::from(io::ErrorKind::InvalidFilename))?);
                }
                Component::ParentDir => {
                    parts.pop();
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Ok(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files_of_a_folder() {
        let tree = Tree::open(Path::new("")).unwrap();
        let found = tree.matching("src/app/./scraping/pa*.rs").unwrap();
        assert_eq!(found, [PathBuf::from("src/app/./scraping/paths.rs")]);
        assert_eq!(tree.matching("no/such/folder/*.yml").unwrap(), [] as [PathBuf; 0]);
        assert_eq!(tree.matching("a.yml").unwrap(), [PathBuf::from("a.yml")]);
        let text = tree.read(Path::new("src/../Cargo.toml"), 1 << 20).unwrap();
        assert!(text.starts_with(b"[workspace]"));
        assert!(tree.read(Path::new("Cargo.toml"), 3).is_err());
    }
}
