//! What becomes of segments and catalog files that the store needs no more.

use std::io;

use crate::os::{Files, remove_tree};
use crate::store::{
    config::Config,
    db::{Db, held},
    error::{Error, failed},
    manifest::Edit,
};

/// The folder of what waits for the archive of the log, below the root.
pub(super) const WAITING: &str = "archiving";

/// Removes files, or keeps them until the archive has them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct Retired {
    /// Bytes that may wait; 0 where nothing is archived.
    backlog_max: u64,
}

impl Db {
    /// Forgets what waits for an archive of the log that is not kept any more. Not where one is: the
    /// archive would have a gap.
    ///
    /// # Errors
    /// Where a file cannot be removed.
    pub fn forget_waiting(&self) -> Result<(), Error> {
        let files = &*self.files;
        if self.config.archive_backlog_max > 0 {
            return Ok(());
        }
        if files.exists(WAITING).map_err(failed(files, "look for", WAITING))? {
            remove_tree(files, WAITING).map_err(failed(files, "remove", WAITING))?;
        }
        let mut manifest = held(&self.manifest);
        if manifest.state().to_archive.is_empty() {
            return Ok(());
        }
        manifest.apply(&[Edit::InArchive(u64::MAX)])
    }
}

impl Retired {
    /// As the configuration has it.
    pub(in crate::store) fn of(config: &Config) -> Self {
        Self { backlog_max: config.archive_backlog_max }
    }

    /// The same at a start, which may be one without the archive, to look or to copy: where files wait
    /// already, what a cut-off trim left waits with them.
    pub(in crate::store) fn at_start(files: &dyn Files, config: &Config) -> Self {
        let is_waiting = config.archive_backlog_max == 0 && files.exists(WAITING).unwrap_or(true);
        if is_waiting { Self { backlog_max: u64::MAX } } else { Self::of(config) }
    }

    /// Takes a file out of the store's way. Where more waits than may, the oldest is given up: the
    /// archive has a gap then, which it names, and the disk does not fill.
    pub(in crate::store) fn put_away(self, files: &dyn Files, path: &str) -> io::Result<()> {
        if self.backlog_max == 0 {
            return files.remove(path);
        }
        files.create_dir_all(WAITING)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        files.rename(path, &format!("{WAITING}/{name}"))?;
        let waiting = files.list(WAITING)?;
        let mut bytes: u64 = waiting.iter().map(|entry| entry.size).sum();
        // Names are numbers with zeros in front: sorted, the oldest come first.
        for entry in waiting {
            if bytes <= self.backlog_max {
                break;
            }
            files.remove(&format!("{WAITING}/{}", entry.name))?;
            bytes -= entry.size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{sim::SimFiles, write_new_durable};

    #[test]
    fn files_wait_up_to_a_bound_and_the_oldest_goes_first() {
        let sim = SimFiles::seeded(1);
        sim.create_dir_all("wal").unwrap();
        let retired = Retired { backlog_max: 25 };
        for number in 0..4 {
            let path = format!("wal/{number:010}.wal");
            write_new_durable(&sim, &path, &[7; 10]).unwrap();
            retired.put_away(&sim, &path).unwrap();
        }
        let names: Vec<String> = sim.files().into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, ["archiving/0000000002.wal", "archiving/0000000003.wal"]);
        write_new_durable(&sim, "wal/5", b"x").unwrap();
        Retired::default().put_away(&sim, "wal/5").unwrap();
        assert!(!sim.exists("wal/5").unwrap());
    }
}
