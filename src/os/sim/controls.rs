//! The disk, and what a test may do to it.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::os::sim::body::Body;
use crate::os::sim::chance::Chance;
use crate::os::sim::fault::{Fault, Plan, Verdict};
use crate::os::sim::tree::{Node, ROOT, Tree};
use crate::os::sim::{Call, PowerCut};

/// Which directory entries a power cut spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Directories {
    /// As POSIX has it: an entry is durable after a sync of its directory, and pending ones survive
    /// or not, each for itself.
    #[default]
    Strict,
    /// As journalling file systems have it: entries become durable in the order of the calls, and
    /// any sync takes all before it along.
    Ordered,
}

/// A disk in memory. Clones are handles of the same disk.
///
/// The controls return a handle too, so that they can be strung together:
/// `SimFiles::seeded(7).cut_power_at(12)`.
#[derive(Clone)]
pub struct SimFiles(Arc<Mutex<State>>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) tree: Tree,
    pub(super) plan: Plan,
    pub(super) chance: Chance,
    pub(super) options: Options,
    /// Files that somebody holds locked.
    pub(super) locks: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    pub(super) directories: Directories,
    pub(super) mapping: bool,
    pub(super) capacity: Option<u64>,
}

impl SimFiles {
    /// An empty disk. Everything left to chance on it comes from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::with(Tree::new(), Chance::seeded(seed), Options::default())
    }

    fn with(tree: Tree, chance: Chance, options: Options) -> Self {
        let plan = Plan::default();
        Self(Arc::new(Mutex::new(State { tree, plan, chance, options, locks: BTreeSet::new() })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::return_self_not_must_use, reason = "they act; what they return is a convenience")]
impl SimFiles {
    /// Chooses the model of directories; strict unless this says otherwise.
    pub fn directories(&self, model: Directories) -> Self {
        self.state().options.directories = model;
        self.clone()
    }

    /// Whether `map` lends the content as it is at the call, or `None`; it is `None` unless this
    /// says otherwise.
    pub fn mapping(&self, allowed: bool) -> Self {
        self.state().options.mapping = allowed;
        self.clone()
    }

    /// Makes the disk hold so many bytes of content and no more; `None` is without limit.
    pub fn set_capacity(&self, bytes: impl Into<Option<u64>>) -> Self {
        self.state().options.capacity = bytes.into();
        self.clone()
    }

    /// Cuts the power in the mutating call of index `operation`, counted from 0 since the disk was
    /// started. That call may have had its effect, a part of it or none; it and every later call
    /// fail with [`PowerCut`].
    pub fn cut_power_at(&self, operation: u64) -> Self {
        self.state().plan.cut_at = Some(operation);
        self.clone()
    }

    /// Lets the call of this index, counted from 0 from now on, fail once, whatever it is.
    pub fn fail_call(&self, index: u64, kind: io::ErrorKind) -> Self {
        self.fail(Fault::at(index, kind))
    }

    /// Adds an error to come.
    pub fn fail(&self, fault: Fault) -> Self {
        self.state().plan.faults.push(fault);
        self.clone()
    }

    /// Takes back all errors to come.
    pub fn heal(&self) -> Self {
        self.state().plan.faults.clear();
        self.clone()
    }
}

impl SimFiles {
    /// Has the power been cut?
    pub fn was_cut(&self) -> bool {
        self.state().plan.was_cut
    }

    /// Mutating calls so far ([`Call::is_mutating`]): how many places there are to cut.
    pub fn operations(&self) -> u64 {
        self.state().plan.operations
    }

    /// Calls of any kind so far.
    pub fn calls(&self) -> u64 {
        self.state().plan.calls
    }

    /// Calls that failed because of a fault.
    pub fn faults_hit(&self) -> u64 {
        self.state().plan.faults_hit
    }

    /// Another disk: this one as it may look when the power has been cut now, or was. One seed, one
    /// outcome. Model, mapping and capacity stay; faults and locks are gone.
    #[must_use]
    pub fn after_reboot(&self, seed: u64) -> Self {
        let state = self.state();
        let mut chance = Chance::seeded(seed);
        let tree = state.tree.after_cut(state.options.directories, &mut chance);
        Self::with(tree, chance, state.options)
    }

    /// Another disk: this one after the process was killed. Everything written is there, and is as
    /// durable as it was: a power cut may follow. Faults and locks are gone.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let state = self.state();
        Self::with(state.tree.after_kill(), state.chance.clone(), state.options)
    }

    /// Turns one bit of a file over (`bit` 0 is the lowest of the byte).
    ///
    /// # Errors
    /// `InvalidInput` where there is no such byte; the errors of a look-up. Not counted as a call.
    pub fn flip_bit(&self, path: &str, offset: u64, bit: u8) -> io::Result<()> {
        let index = self.index_in(path, offset)?;
        self.damage_with(path, |bytes| {
            if let Some(byte) = bytes.get_mut(index) {
                *byte ^= 1 << (bit % 8);
            }
        })
    }

    /// Overwrites bytes of a file, the whole of `range` with `bytes` over and over.
    ///
    /// # Errors
    /// As [`SimFiles::flip_bit`].
    pub fn damage(&self, path: &str, range: Range<u64>, bytes: &[u8]) -> io::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let (start, last) =
            (self.index_in(path, range.start)?, self.index_in(path, range.end - 1)?);
        self.damage_with(path, |content| {
            let place = content.get_mut(start..=last).unwrap_or_default();
            place.iter_mut().zip(bytes.iter().cycle()).for_each(|(old, new)| *old = *new);
        })
    }

    /// Cuts a file short, as a damaged file system may.
    ///
    /// # Errors
    /// As [`SimFiles::flip_bit`]; `size` must be below the size of the file.
    pub fn truncate_file(&self, path: &str, size: u64) -> io::Result<()> {
        let size = self.index_in(path, size)?;
        self.damage_with(path, |bytes| bytes.truncate(size))
    }

    /// All files with their sizes, sorted by path. Not counted as calls.
    pub fn files(&self) -> Vec<(String, u64)> {
        let state = self.state();
        let (mut files, mut waiting) = (Vec::new(), vec![(ROOT, String::new())]);
        while let Some((id, prefix)) = waiting.pop() {
            for (name, node) in state.tree.dirs.get(&id).iter().flat_map(|dir| &dir.visible) {
                match *node {
                    Node::Dir(dir) => waiting.push((dir, format!("{prefix}{name}/"))),
                    Node::File(file) => {
                        let size = state.tree.body(file).map_or(0, Body::size);
                        files.push((format!("{prefix}{name}"), size));
                    }
                }
            }
        }
        files.sort();
        files
    }

    fn index_in(&self, path: &str, offset: u64) -> io::Result<usize> {
        let state = self.state();
        let size = state.tree.body(state.tree.find_file(path)?)?.size();
        usize::try_from(offset).ok().filter(|_| offset < size).ok_or_else(|| {
            let what = format!("{path} has {size} bytes, none at {offset}");
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })
    }

    fn damage_with(&self, path: &str, change: impl Fn(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = self.state();
        let id = state.tree.find_file(path)?;
        state.tree.body_mut(id)?.damage(change);
        Ok(())
    }
}

impl State {
    /// Counts a call that changes nothing.
    pub(super) fn look(&mut self, call: Call, path: &str) -> io::Result<()> {
        match self.plan.begin(call, path)? {
            Verdict::Go => Ok(()),
            Verdict::Fail(error) | Verdict::Cut(error) => Err(error),
        }
    }

    /// Counts a call that changes something whole or not at all, and carries it out.
    pub(super) fn change<T>(
        &mut self,
        call: Call,
        path: &str,
        effect: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.plan.begin(call, path)? {
            Verdict::Go => effect(self),
            Verdict::Fail(error) => Err(error),
            Verdict::Cut(error) => {
                if self.chance.coin() {
                    // Done, and nobody was told.
                    let _ = effect(self);
                }
                Err(error)
            }
        }
    }
}

impl fmt::Debug for SimFiles {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = if self.was_cut() { format!(", {PowerCut}") } else { String::new() };
        write!(out, "SimFiles({} operations{cut})", self.operations())
    }
}
