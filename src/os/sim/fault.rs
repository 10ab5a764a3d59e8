//! When calls fail: power cuts and injected errors, counted by calls.

use std::io;

/// The error of every call from the cut on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the power was cut")]
pub struct PowerCut;

/// The error that a [`Fault`] asked for; its kind is that of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call:?} failed, as the test asked")]
pub struct Injected {
    /// What was called.
    pub call: Call,
}

/// Is this what a call says once the power is cut?
pub fn is_power_cut(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<PowerCut>()).is_some()
}

/// The calls a disk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each is the method of Files, ReadFile or WriteFile it is named for"
)]
pub enum Call {
    Create,
    OpenWrite,
    OpenRead,
    Write,
    Truncate,
    Sync,
    Rename,
    Remove,
    /// One directory of `create_dir_all`; the sync of its parent is a call of its own.
    CreateDir,
    RemoveDir,
    SyncDir,
    HardLink,
    Read,
    Map,
    /// `len`, `exists`, `space`, and whether a directory of `create_dir_all` is there.
    Look,
    List,
    Lock,
}

impl Call {
    /// Does it change the disk, or make a change durable? These are what power cuts count.
    pub fn is_mutating(self) -> bool {
        match self {
            Self::Create
            | Self::Write
            | Self::Truncate
            | Self::Sync
            | Self::Rename
            | Self::Remove
            | Self::CreateDir
            | Self::RemoveDir
            | Self::SyncDir
            | Self::HardLink => true,
            Self::OpenWrite
            | Self::OpenRead
            | Self::Read
            | Self::Map
            | Self::Look
            | Self::List
            | Self::Lock => false,
        }
    }
}

/// Which calls a fault counts and hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Every call.
    Any,
    /// Those that change the disk.
    Mutating,
    /// Those that do not.
    Reading,
    /// One kind.
    Only(Call),
}

impl Calls {
    fn hold(self, call: Call) -> bool {
        match self {
            Self::Any => true,
            Self::Mutating => call.is_mutating(),
            Self::Reading => !call.is_mutating(),
            Self::Only(only) => only == call,
        }
    }
}

/// An error to come: of the calls that match from now on, the one of this index (from 0) fails.
#[derive(Clone, Debug)]
pub struct Fault {
    index: u64,
    kind: io::ErrorKind,
    calls: Calls,
    below: String,
    lasting: bool,
    seen: u64,
}

impl Fault {
    /// Fails the `index`-th call of any kind, once.
    pub fn at(index: u64, kind: io::ErrorKind) -> Self {
        Self { index, kind, calls: Calls::Any, below: String::new(), lasting: false, seen: 0 }
    }

    /// Counts and hits only these.
    #[must_use]
    pub fn only(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Counts and hits only calls on paths that begin so.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.below);
        self
    }

    /// Fails all that follow as well.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    fn hits(&mut self, call: Call, path: &str) -> bool {
        if !self.calls.hold(call) || !path.starts_with(&self.below) {
            return false;
        }
        let index = self.seen;
        self.seen += 1;
        index == self.index || self.lasting && index > self.index
    }
}

/// What is to become of a call.
#[derive(Debug)]
pub(super) enum Verdict {
    Go,
    /// It fails; the disk goes on.
    Fail(io::Error),
    /// The power goes while it runs.
    Cut(io::Error),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) calls: u64,
    pub(super) operations: u64,
    pub(super) faults: Vec<Fault>,
    pub(super) faults_hit: u64,
    pub(super) cut_at: Option<u64>,
    pub(super) was_cut: bool,
}

impl Plan {
    /// Counts a call and says how it goes.
    ///
    /// # Errors
    /// [`PowerCut`] where the power went before.
    pub(super) fn begin(&mut self, call: Call, path: &str) -> io::Result<Verdict> {
        if self.was_cut {
            return Err(io::Error::other(PowerCut));
        }
        self.calls += 1;
        if call.is_mutating() {
            let index = self.operations;
            self.operations += 1;
            if self.cut_at.is_some_and(|cut| index >= cut) {
                self.was_cut = true;
                return Ok(Verdict::Cut(io::Error::other(PowerCut)));
            }
        }
        let mut failing = None;
        for fault in &mut self.faults {
            // All are asked, as all count.
            if fault.hits(call, path) && failing.is_none() {
                failing = Some(fault.kind);
            }
        }
        let Some(kind) = failing else { return Ok(Verdict::Go) };
        self.faults_hit += 1;
        Ok(Verdict::Fail(io::Error::new(kind, Injected { call })))
    }
}
