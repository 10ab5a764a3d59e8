//! Groups that several threads change, and that outlive the process where somebody keeps them.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Group, Groups, Limits, SavedError};

/// Keeps bytes under names, durably.
pub trait Keeper: Send + fmt::Debug {
    /// Keeps `bytes` in place of what was there.
    ///
    /// # Errors
    /// What the system says; what was there is there still.
    fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Forgets what is there, if anything is.
    ///
    /// # Errors
    /// What the system says.
    fn forget(&self, name: &str) -> io::Result<()>;
}

/// Groups behind a lock; a clone is the same groups.
#[derive(Clone, Debug, Default)]
pub struct SharedGroups(Arc<Both>);

/// The keeper's lock is taken first.
#[derive(Debug, Default)]
struct Both {
    keeper: Mutex<Option<Box<dyn Keeper>>>,
    groups: Mutex<Groups>,
}

impl SharedGroups {
    /// Empty ones, kept by `keeper`.
    pub fn new(limits: Limits, keeper: Option<Box<dyn Keeper>>) -> Self {
        let groups = Mutex::new(Groups::new(limits));
        Self(Arc::new(Both { keeper: Mutex::new(keeper), groups }))
    }

    /// The groups, for as long as the guard lives. Never held while something waits.
    pub fn lock(&self) -> MutexGuard<'_, Groups> {
        // Groups are changed in one step at the end, so a panic leaves them whole.
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a group that was kept. Limits are for pushes: what was taken once stays.
    ///
    /// # Errors
    /// Where the bytes are no group.
    pub fn load(&self, bytes: &[u8]) -> Result<(), SavedError> {
        self.lock().load(bytes)
    }

    /// Makes a group durable as it is now, or its deletion. Waits for the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep(&self, group: &Group) -> io::Result<()> {
        // Held until the file is there, so that of two pushes the later is kept.
        let keeper = self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(keeper) = keeper.as_ref() else { return Ok(()) };
        let (name, bytes) = self.lock().saved(group);
        match bytes {
            Some(bytes) => keeper.keep(&name, &bytes),
            None => keeper.forget(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ingest::push::{How, Push, Pushed};
    use crate::ingest::{LabelBook, push::Groups};
    use crate::model::{TimeRange, Timestamp};

    type Kept = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

    #[derive(Debug, Default)]
    struct Memory(Kept);

    impl Keeper for Memory {
        fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
            Ok(())
        }

        fn forget(&self, name: &str) -> io::Result<()> {
            self.0.lock().unwrap().remove(name);
            Ok(())
        }
    }

    #[test]
    fn what_is_kept_is_what_is_there() {
        let files = Kept::default();
        let book = LabelBook::new(TimeRange::ALL);
        let shared =
            SharedGroups::new(Limits::default(), Some(Box::new(Memory(Arc::clone(&files)))));
        let group = |job: &str| Group::new([("job".to_owned(), job.to_owned())]);
        for job in ["a", "b"] {
            let (group, pushed) = (group(job), Pushed::default());
            let push = Push { group: &group, how: How::Replace, pushed };
            shared.lock().push(push, Timestamp(5), &book).unwrap();
            shared.keep(&group).unwrap();
        }
        let again = SharedGroups::default();
        for bytes in files.lock().unwrap().values() {
            again.load(bytes).unwrap();
        }
        let rows = |groups: &Groups| groups.repeat(Timestamp(9), &book).unwrap().rows;
        assert_eq!(again.lock().len(), 2);
        assert_eq!(format!("{:?}", rows(&again.lock())), format!("{:?}", rows(&shared.lock())));
        shared.lock().delete(&group("a"), Timestamp(6), &book).unwrap();
        shared.keep(&group("a")).unwrap();
        assert_eq!(files.lock().unwrap().len(), 1);
    }
}
