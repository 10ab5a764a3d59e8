//! A folder of a tree as a tree of its own: what reads a database reads a snapshot in it too.

use std::{io, path::PathBuf, sync::Arc};

use crate::os::{Entry, Files, Lock, ReadFile, Space, WriteFile};

/// [`Files`] whose root is a folder of others.
#[derive(Debug)]
pub struct Below {
    files: Arc<dyn Files>,
    folder: String,
}

impl Below {
    /// The tree below `folder`, which need not be there yet.
    pub fn new(files: Arc<dyn Files>, folder: impl Into<String>) -> Self {
        Self { files, folder: folder.into() }
    }

    fn at(&self, path: &str) -> String {
        if path.is_empty() { self.folder.clone() } else { format!("{}/{path}", self.folder) }
    }
}

impl Files for Below {
    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        self.files.create(&self.at(path))
    }

    fn open_write(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        self.files.open_write(&self.at(path))
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn ReadFile>> {
        self.files.open_read(&self.at(path))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(&self.at(from), &self.at(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.remove(&self.at(path))
    }

    fn create_dir_all(&self, path: &str) -> io::Result<()> {
        self.files.create_dir_all(&self.at(path))
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.files.remove_dir(&self.at(path))
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.files.sync_dir(&self.at(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        self.files.list(&self.at(path))
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        self.files.exists(&self.at(path))
    }

    fn hard_link(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.hard_link(&self.at(from), &self.at(to))
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>> {
        self.files.lock(&self.at(path))
    }

    fn space(&self) -> io::Result<Space> {
        self.files.space()
    }

    fn path_of(&self, path: &str) -> PathBuf {
        self.files.path_of(&self.at(path))
    }
}

/// Removes a folder and all in it; fine where there is none.
///
/// # Errors
/// The first that could not be removed; what is left can be tried again.
pub fn remove_tree(files: &dyn Files, folder: &str) -> io::Result<()> {
    let entries = match files.list(folder) {
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
        if entry.is_dir {
            remove_tree(files, &path)?;
        } else {
            files.remove(&path)?;
        }
    }
    if folder.is_empty() { Ok(()) } else { files.remove_dir(folder) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{read_whole, sim::SimFiles, write_new_durable};

    #[test]
    fn a_folder_is_a_tree_and_cannot_be_left() {
        let sim = SimFiles::seeded(1);
        let below = Below::new(Arc::new(sim.clone()), "a/b");
        below.create_dir_all("").unwrap();
        write_new_durable(&below, "x", b"1").unwrap();
        assert_eq!(read_whole(&sim, "a/b/x", 9).unwrap(), b"1");
        assert!(below.exists("x").unwrap());
        for bad in ["../x", "/x", "../../c"] {
            assert_eq!(below.create(bad).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{bad}");
        }
        below.create_dir_all("d/e").unwrap();
        below.hard_link("x", "d/e/y").unwrap();
        remove_tree(&sim, "a").unwrap();
        remove_tree(&sim, "a").unwrap();
        assert_eq!(sim.files(), []);
    }
}
