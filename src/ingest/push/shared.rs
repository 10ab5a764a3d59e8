//! Groups that several threads change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Groups, Limits};

/// Groups behind a lock; a clone is the same groups.
#[derive(Clone, Debug, Default)]
pub struct SharedGroups(Arc<Mutex<Groups>>);

impl SharedGroups {
    /// Empty ones.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(Groups::new(limits))))
    }

    /// The groups, for as long as the guard lives. Never held while something waits.
    pub fn lock(&self) -> MutexGuard<'_, Groups> {
        // Groups are changed in one step at the end, so a panic leaves them whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
