//! [`Files`] on the disk in memory.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use crate::os::path::{ancestry, check, check_dir, split};
use crate::os::sim::controls::State;
use crate::os::sim::handles::{SimHandle, SimLock};
use crate::os::sim::tree::Node;
use crate::os::sim::{Call, SimFiles};
use crate::os::{Entry, Files, Lock, ReadFile, Space, WriteFile};

/// The size of a disk without a limit: 1 TiB.
const CAPACITY_DEFAULT: u64 = 1 << 40;

impl Files for SimFiles {
    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        check(path)?;
        let id = self.state().change(Call::Create, path, |state| state.tree.create(path))?;
        Ok(Box::new(SimHandle::open(self, id, path)?))
    }

    fn open_write(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(self.open(Call::OpenWrite, path)?))
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn ReadFile>> {
        Ok(Arc::new(self.open(Call::OpenRead, path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check(from).and_then(|_| check(to))?;
        self.state().change(Call::Rename, from, |state| state.tree.rename(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        check(path)?;
        self.state().change(Call::Remove, path, |state| state.tree.remove(path))
    }

    fn create_dir_all(&self, path: &str) -> io::Result<()> {
        check_dir(path)?;
        for step in ancestry(path) {
            let found = {
                let mut state = self.state();
                state.look(Call::Look, step)?;
                state.tree.find(step)
            };
            match found {
                Ok(Node::Dir(_)) => {}
                Ok(Node::File(_)) => return Err(ErrorKind::AlreadyExists.into()),
                Err(_) => self
                    .state()
                    .change(Call::CreateDir, step, |state| state.tree.create_dir(step))?,
            }
            let is_durable = self.state().tree.is_durable(step)?;
            if !is_durable {
                self.sync_dir(split(step).0)?;
            }
        }
        Ok(())
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        check(path)?;
        self.state().change(Call::RemoveDir, path, |state| state.tree.remove_dir(path))
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        check_dir(path)?;
        self.state().change(Call::SyncDir, path, |state| {
            state.tree.sync_dir(path, state.options.directories)
        })
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        check_dir(path)?;
        let mut state = self.state();
        state.look(Call::List, path)?;
        let id = state.tree.find_dir(path)?;
        let names = state.tree.dirs.get(&id).into_iter().flat_map(|dir| &dir.visible);
        names.map(|(name, &node)| entry(&state, name, node)).collect()
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        check_dir(path)?;
        let mut state = self.state();
        state.look(Call::Look, path)?;
        match state.tree.find(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn hard_link(&self, from: &str, to: &str) -> io::Result<()> {
        check(from).and_then(|_| check(to))?;
        self.state().change(Call::HardLink, from, |state| state.tree.hard_link(from, to))
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>> {
        check(path)?;
        self.state().look(Call::Lock, path)?;
        let found = self.state().tree.find_file(path);
        let id = match found {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.state().change(Call::Create, path, |state| state.tree.create(path))?
            }
            other => other?,
        };
        if self.state().locks.insert(id) {
            Ok(Box::new(SimLock::held(self, id)))
        } else {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    fn space(&self) -> io::Result<Space> {
        let mut state = self.state();
        state.look(Call::Look, "")?;
        let total = state.options.capacity.unwrap_or(CAPACITY_DEFAULT);
        Ok(Space { total, free: total.saturating_sub(state.tree.used()) })
    }

    fn path_of(&self, path: &str) -> PathBuf {
        PathBuf::from("sim:").join(path)
    }
}

impl SimFiles {
    fn open(&self, call: Call, path: &str) -> io::Result<SimHandle> {
        check(path)?;
        let found = {
            let mut state = self.state();
            state.look(call, path)?;
            state.tree.find_file(path)?
        };
        SimHandle::open(self, found, path)
    }
}

fn entry(state: &State, name: &str, node: Node) -> io::Result<Entry> {
    let (is_dir, size) = match node {
        Node::Dir(_) => (true, 0),
        Node::File(id) => (false, state.tree.body(id)?.size()),
    };
    Ok(Entry { name: name.to_owned(), is_dir, size })
}
