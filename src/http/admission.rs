//! How much is worked on at once: bytes of requests in flight, questions running.
//!
//! Who finds the house full waits a moment, and is then sent away with `Retry-After`: a queue that
//! grows answers everybody late.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::http::Error;

/// Bytes that one permit stands for.
const UNIT: u64 = 1024;

/// Permission to hold bytes, or to run; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
}

/// Bytes of request bodies that may be held at once.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    units: Arc<Semaphore>,
    units_max: u32,
    wait: Duration,
}

impl Bytes {
    pub(super) fn new(bytes_max: u64, wait: Duration) -> Self {
        let units_max = u32::try_from((bytes_max / UNIT).max(1)).unwrap_or(u32::MAX >> 3);
        // A semaphore counts to usize::MAX >> 3.
        Self { units: Arc::new(Semaphore::new(units_max as usize)), units_max, wait }
    }

    /// Waits for room for `bytes`. More than there is in all counts as all there is.
    pub(super) async fn enter(&self, bytes: u64) -> Result<Permit, Error> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units_max);
        let busy = Error::Busy { what: "too many bytes in flight", option: "--ingest-memory-max" };
        enter(&self.units, units.max(1), self.wait, busy).await
    }
}

/// Questions that may run at once.
#[derive(Clone, Debug)]
pub(super) struct Questions {
    slots: Arc<Semaphore>,
    count: usize,
    wait: Duration,
}

impl Questions {
    pub(super) fn new(count: usize, wait: Duration) -> Self {
        Self { slots: Arc::new(Semaphore::new(count.max(1))), count, wait }
    }

    pub(super) async fn enter(&self) -> Result<Permit, Error> {
        let busy = Error::Queued { running: self.count, option: "--queries-max" };
        enter(&self.slots, 1, self.wait, busy).await
    }
}

async fn enter(
    semaphore: &Arc<Semaphore>,
    count: u32,
    wait: Duration,
    busy: Error,
) -> Result<Permit, Error> {
    if let Ok(permit) = Arc::clone(semaphore).try_acquire_many_owned(count) {
        return Ok(Permit { _permit: permit });
    }
    match timeout(wait, Arc::clone(semaphore).acquire_many_owned(count)).await {
        Ok(Ok(permit)) => Ok(Permit { _permit: permit }),
        Ok(Err(_)) | Err(_) => Err(busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_house_sends_away_and_lets_in_again() {
        let bytes = Bytes::new(10 * UNIT, Duration::ZERO);
        let first = bytes.enter(9 * UNIT).await.unwrap();
        assert!(matches!(bytes.enter(2 * UNIT).await, Err(Error::Busy { .. })));
        let _second = bytes.enter(1).await.unwrap();
        drop(first);
        bytes.enter(9 * UNIT).await.unwrap();
    }

    #[tokio::test]
    async fn a_question_waits_for_its_turn_but_not_for_ever() {
        let questions = Questions::new(1, Duration::ZERO);
        let first = questions.enter().await.unwrap();
        let refusal = questions.enter().await.unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.kind()), (503, "timeout"));
        assert!(refusal.is_passing() && refusal.to_string().contains("--queries-max"));
        drop(first);
        questions.enter().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_larger_than_the_house_gets_all_of_it() {
        let bytes = Bytes::new(UNIT, Duration::ZERO);
        bytes.enter(u64::MAX).await.unwrap();
    }
}
