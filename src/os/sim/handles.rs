//! Open files and locks of the disk in memory.

use std::io::{self, ErrorKind};

use crate::os::sim::controls::State;
use crate::os::sim::fault::Verdict;
use crate::os::sim::{Call, Directories, SimFiles};
use crate::os::{Lock, Mapped, ReadFile, WriteFile};

/// The longest file, so that a wrong offset does not take the memory of the machine: 1 GiB.
const FILE_SIZE_MAX: usize = 1 << 30;

/// A file, open for reading or writing.
#[derive(Debug)]
pub(super) struct SimHandle {
    files: SimFiles,
    id: u64,
    path: String,
}

impl SimHandle {
    pub(super) fn open(files: &SimFiles, id: u64, path: &str) -> io::Result<Self> {
        files.state().tree.body_mut(id)?.opens += 1;
        Ok(Self { files: files.clone(), id, path: path.to_owned() })
    }

    fn size(&self) -> io::Result<u64> {
        let mut state = self.files.state();
        state.look(Call::Look, &self.path)?;
        Ok(state.tree.body(self.id)?.size())
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        if let Ok(body) = self.files.state().tree.body_mut(self.id) {
            body.opens = body.opens.saturating_sub(1);
        }
    }
}

impl WriteFile for SimHandle {
    fn write_all_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.files.state();
        let verdict = state.plan.begin(Call::Write, &self.path)?;
        match verdict {
            Verdict::Go => state.write(self.id, offset, bytes),
            Verdict::Fail(error) | Verdict::Cut(error) => {
                let part = state.chance.up_to(bytes.len());
                let _ = state.write(self.id, offset, bytes.get(..part).unwrap_or_default());
                Err(error)
            }
        }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.files.state();
        state.change(Call::Truncate, &self.path, |state| {
            let size = size_within_limit(len, 0)?;
            let room = state.room();
            let body = state.tree.body_mut(self.id)?;
            if len.saturating_sub(body.size()) > room {
                return Err(ErrorKind::StorageFull.into());
            }
            body.truncate(size);
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.files.state();
        match state.plan.begin(Call::Sync, &self.path)? {
            Verdict::Go => state.sync(self.id),
            Verdict::Fail(error) => {
                state.tree.body_mut(self.id)?.sync_failed();
                Err(error)
            }
            Verdict::Cut(error) => {
                if state.chance.coin() {
                    state.sync(self.id)?;
                }
                Err(error)
            }
        }
    }

    fn len(&self) -> io::Result<u64> {
        self.size()
    }
}

impl ReadFile for SimHandle {
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.files.state();
        state.look(Call::Read, &self.path)?;
        if out.is_empty() {
            return Ok(());
        }
        let bytes = state.tree.body(self.id)?.bytes();
        let found = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..start.checked_add(out.len())?))
            .ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.size()
    }

    fn map(&self) -> io::Result<Option<Mapped>> {
        let mut state = self.files.state();
        state.look(Call::Map, &self.path)?;
        if !state.options.mapping {
            return Ok(None);
        }
        Ok(Some(state.tree.body(self.id)?.bytes().to_vec().into()))
    }
}

impl State {
    /// Writes what fits.
    fn write(&mut self, id: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = size_within_limit(offset, bytes.len())?;
        let start = end - bytes.len();
        let room = self.room();
        let body = self.tree.body_mut(id)?;
        let end_max = usize::try_from(body.size().saturating_add(room)).unwrap_or(usize::MAX);
        let part = bytes.get(..end_max.saturating_sub(start)).unwrap_or(bytes);
        body.write(start, part);
        if part.len() < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, id: u64) -> io::Result<()> {
        self.tree.body_mut(id)?.sync();
        if self.options.directories == Directories::Ordered {
            self.tree.settle(|_| true);
        }
        Ok(())
    }

    /// Bytes by which files may grow.
    fn room(&self) -> u64 {
        let capacity = self.options.capacity;
        capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.tree.used()))
    }
}

fn size_within_limit(offset: u64, length: usize) -> io::Result<usize> {
    let end = usize::try_from(offset).ok().and_then(|offset| offset.checked_add(length));
    end.filter(|&end| end <= FILE_SIZE_MAX).ok_or_else(|| ErrorKind::FileTooLarge.into())
}

/// Held until dropped.
#[derive(Debug)]
pub(super) struct SimLock {
    files: SimFiles,
    id: u64,
}

impl SimLock {
    pub(super) fn held(files: &SimFiles, id: u64) -> Self {
        Self { files: files.clone(), id }
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.files.state().locks.remove(&self.id);
    }
}

impl Lock for SimLock {}
