//! Objects as files of a folder: a disk beside this one, or one that is mounted.

use std::{fmt, io, ops::Range, sync::Arc};

use crate::model::{BlockEntry, Blocks, Error};
use crate::os::{Files, read_whole, write_new_durable};

/// What ends the name of a file that is being written.
const UNFINISHED: &str = ".tmp";

/// [`Blocks`] in a folder.
#[derive(Debug)]
pub struct DirectoryBlocks {
    files: Arc<dyn Files>,
}

impl DirectoryBlocks {
    /// Objects below the root of `files`.
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files }
    }

    fn failed<'a>(
        &'a self,
        call: &'a str,
        name: &'a str,
    ) -> impl FnOnce(io::Error) -> Error + use<'a> {
        move |source| {
            let text = format!("cannot {call} {}: {source}", self.files.path_of(name).display());
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full(text),
                io::ErrorKind::InvalidInput => Error::Invalid(text),
                _ => Error::Io(text),
            }
        }
    }

    fn make_folder(&self, name: &str) -> Result<(), Error> {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.is_empty() {
            return Ok(());
        }
        self.files.create_dir_all(folder).map_err(self.failed("create", folder))
    }

    /// Writes bytes beside `name`, durable but for their name.
    fn write_beside(&self, beside: &str, bytes: &[u8]) -> io::Result<()> {
        match self.files.remove(beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.files.create(beside)?;
        file.write_all_at(0, bytes)?;
        file.sync()
    }

    fn walk(&self, folder: &str, found: &mut Vec<BlockEntry>) -> Result<(), Error> {
        let entries = match self.files.list(folder) {
            Err(none) if none.kind() == io::ErrorKind::NotFound => return Ok(()),
            listed => listed.map_err(self.failed("list", folder))?,
        };
        for entry in entries {
            let name = match folder {
                "" => entry.name,
                folder => format!("{folder}/{}", entry.name),
            };
            if entry.is_dir {
                self.walk(&name, found)?;
            } else if !name.ends_with(UNFINISHED) {
                found.push(BlockEntry { name, size: entry.size });
            }
        }
        Ok(())
    }
}

impl Blocks for DirectoryBlocks {
    fn place(&self) -> String {
        self.files.path_of("").display().to_string()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.make_folder(name)?;
        write_new_durable(&*self.files, name, bytes).map_err(self.failed("write", name))
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<bool, Error> {
        self.make_folder(name)?;
        let beside = format!("{name}{UNFINISHED}");
        self.write_beside(&beside, bytes).map_err(self.failed("write", &beside))?;
        // A second name is given to one only, where a rename would take the place of what is there.
        let linked = self.files.hard_link(&beside, name);
        // Best effort: a leftover is no object, and the next attempt removes it.
        drop(self.files.remove(&beside));
        match linked {
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            linked => linked.map_err(self.failed("name", name))?,
        }
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.files.sync_dir(folder).map_err(self.failed("sync", folder))?;
        Ok(true)
    }

    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match read_whole(&*self.files, name, limit) {
            Err(none) if none.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(long) if long.kind() == io::ErrorKind::FileTooLarge => {
                Err(Error::Damaged(long.to_string()))
            }
            read => read.map(Some).map_err(self.failed("read", name)),
        }
    }

    fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error> {
        let file = self.files.open_read(name).map_err(self.failed("open", name))?;
        let size = file.len().map_err(self.failed("read", name))?;
        let mut parts = Vec::with_capacity(ranges.len());
        for range in ranges {
            let length = range.end.checked_sub(range.start).filter(|_| range.end <= size);
            let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
                let shown = self.files.path_of(name);
                let what = format!("{} has {size} bytes, not {range:?}", shown.display());
                return Err(Error::Damaged(what));
            };
            let mut bytes = vec![0; length];
            file.read_exact_at(range.start, &mut bytes).map_err(self.failed("read", name))?;
            parts.push(bytes);
        }
        Ok(parts)
    }

    fn list(&self, folder: &str) -> Result<Vec<BlockEntry>, Error> {
        let mut found = Vec::new();
        self.walk(folder, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        match self.files.remove(name) {
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => removed.map_err(self.failed("remove", name))?,
        }
        // Pieces go after the record that named them: the record must not come back without them.
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.files.sync_dir(folder).map_err(self.failed("sync", folder))
    }
}

impl fmt::Display for DirectoryBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::sim::SimFiles;

    #[test]
    fn objects_are_put_listed_read_and_removed() {
        let sim = SimFiles::seeded(1);
        let blocks = DirectoryBlocks::new(Arc::new(sim.clone()));
        blocks.put("objects/ab/1", b"one").unwrap();
        blocks.put("objects/ab/1", b"first").unwrap();
        assert_eq!(blocks.put_new("backups/a", b"A"), Ok(true));
        assert_eq!(blocks.put_new("backups/a", b"B"), Ok(false));
        assert_eq!(blocks.get("backups/a", 9), Ok(Some(b"A".to_vec())));
        assert_eq!(blocks.get("backups/b", 9), Ok(None));
        assert!(blocks.get("objects/ab/1", 2).is_err());
        let listed = blocks.list("").unwrap();
        let listed: Vec<_> = listed.iter().map(|it| (it.name.as_str(), it.size)).collect();
        assert_eq!(listed, [("backups/a", 1), ("objects/ab/1", 5)]);
        assert_eq!(blocks.read("objects/ab/1", &[1..3, 0..1]).unwrap(), [&b"ir"[..], b"f"]);
        let beyond = blocks.read("objects/ab/1", &[0..1, 0..6]);
        assert!(matches!(beyond, Err(Error::Damaged(_))));
        assert!(matches!(blocks.put("../x", b""), Err(Error::Invalid(_))));
        blocks.remove("backups/a").unwrap();
        blocks.remove("backups/a").unwrap();
        assert_eq!(blocks.list("backups"), Ok(vec![]));
        assert_eq!(blocks.list("nothing"), Ok(vec![]));
    }
}
