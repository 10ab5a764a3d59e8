//! The machine, as far as collecting needs it: files with text, names in a folder, room on a mount.

use std::io;

use crate::os::{Disk, Files, Space};

/// Where sources read. Paths have no leading slash: `proc/stat`.
pub trait Machine: Send {
    /// The whole text of a file; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// As opening and reading have them; `FileTooLarge` past 4 MiB.
    fn read(&self, path: &str) -> io::Result<String>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// `NotFound` where there is no such folder.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// Room on the file system that is mounted at `mount`, which has its leading slash.
    ///
    /// # Errors
    /// As statvfs has them.
    fn space(&self, mount: &str) -> io::Result<Space>;
}

/// No file of `/proc` or `/sys` that we read comes near this.
const SIZE_BYTES_MAX: usize = 4 << 20;

/// The machine this process runs on.
#[derive(Debug)]
pub struct ThisMachine {
    root: Disk,
}

impl ThisMachine {
    /// # Errors
    /// Where "/" cannot be opened.
    pub fn new() -> io::Result<Self> {
        Ok(Self { root: Disk::open("/")?.mmap(false) })
    }
}

impl Machine for ThisMachine {
    /// Files of `/proc` say that they have no bytes, so the end is found by reading: into zeroed
    /// memory, in one go (the kernel writes the text anew for each read, and two halves of different
    /// moments may not fit), and none of these texts holds a zero byte.
    fn read(&self, path: &str) -> io::Result<String> {
        let file = self.root.open_read(path)?;
        let mut size = 4096;
        while size <= SIZE_BYTES_MAX {
            let mut bytes = vec![0; size];
            match file.read_exact_at(0, &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(size);
                    bytes.truncate(end);
                    return Ok(String::from_utf8(bytes).unwrap_or_else(|error| {
                        String::from_utf8_lossy(error.as_bytes()).into_owned()
                    }));
                }
                other => other?,
            }
            size *= 4;
        }
        Err(io::ErrorKind::FileTooLarge.into())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        Ok(self.root.list(path)?.into_iter().map(|entry| entry.name).collect())
    }

    fn space(&self, mount: &str) -> io::Result<Space> {
        Disk::open(mount)?.space()
    }
}

#[cfg(test)]
pub(super) mod fake {
    //! A machine made of texts.

    use std::collections::BTreeMap;

    use super::*;

    /// Files by path; folders follow from them.
    #[derive(Debug, Default)]
    pub(in crate::collect) struct FakeMachine {
        files: BTreeMap<String, String>,
        mounts: BTreeMap<String, Space>,
    }

    impl FakeMachine {
        pub(in crate::collect) fn with(mut self, path: &str, text: &str) -> Self {
            self.files.insert(path.to_owned(), text.to_owned());
            self
        }

        pub(in crate::collect) fn without(mut self, path: &str) -> Self {
            self.files.retain(|name, _| !name.starts_with(path));
            self
        }

        pub(in crate::collect) fn mount(mut self, mount: &str, space: Space) -> Self {
            self.mounts.insert(mount.to_owned(), space);
            self
        }
    }

    impl Machine for FakeMachine {
        fn read(&self, path: &str) -> io::Result<String> {
            self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn list(&self, path: &str) -> io::Result<Vec<String>> {
            let inside = self.files.keys().filter_map(|name| name.strip_prefix(path));
            let inside = inside.filter_map(|name| name.strip_prefix('/'));
            let mut names: Vec<String> =
                inside.filter_map(|name| name.split('/').next()).map(str::to_owned).collect();
            names.dedup();
            if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names) }
        }

        fn space(&self, mount: &str) -> io::Result<Space> {
            self.mounts.get(mount).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_say_they_are_empty_are_read_to_their_end() {
        let machine = ThisMachine::new().unwrap();
        let stat = machine.read("proc/stat").unwrap();
        assert!(stat.starts_with("cpu ") && stat.ends_with('\n'));
        let symbols = machine.read("proc/self/smaps").unwrap();
        assert!(symbols.len() > 4096 && symbols.ends_with('\n'));
        assert!(machine.read("proc/no-such-file").is_err());
    }

    #[test]
    fn folders_and_mounts_are_seen() {
        let machine = ThisMachine::new().unwrap();
        assert!(machine.list("proc/self").unwrap().contains(&"stat".to_owned()));
        assert!(machine.space("/").unwrap().total > 0);
        assert!(machine.space("/no-such-folder").is_err());
    }
}
