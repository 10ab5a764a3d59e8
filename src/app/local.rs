//! A data directory asked without a server.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use axum::body::Body;
use hyper::{Request, Response};

use crate::app::{
    Error, Options,
    serve::{doors, store_threads},
    store::open_store,
};
use crate::http::{self, Context, Gate, Metrics};
use crate::os::{Clock, SystemClock};
use crate::store::{Config, Db};

/// An open directory that answers what a server on it would.
pub struct Local {
    gate: Gate,
    db: Arc<Db>,
    threads: Vec<JoinHandle<()>>,
}

impl Local {
    /// Opens a directory that is there. No row is written and no upkeep is done.
    ///
    /// # Errors
    /// Where it is no data directory, or a server has it.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Self::open_as(directory, false)
    }

    /// Opens a directory for rows to be written, and makes it where it is missing. The store commits and
    /// keeps itself up until this is dropped.
    ///
    /// # Errors
    /// Where it cannot be a data directory, or a server has it.
    pub fn open_to_write(directory: &Path) -> Result<Self, Error> {
        let mut local = Self::open_as(directory, true)?;
        local.threads = store_threads(&local.db)?;
        Ok(local)
    }

    fn open_as(directory: &Path, is_new_allowed: bool) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let config = Config::default();
        let (db, _) = open_store(directory, (is_new_allowed, true), Arc::clone(&clock), config)?;
        let gate = Gate::default();
        let metrics = Arc::new(Metrics::default());
        let doors = doors(&db, &clock, &Options::default());
        gate.open(Context::new(doors, http::Options::default(), metrics));
        Ok(Self { gate, db, threads: Vec::new() })
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.gate.answer(request).await
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.db.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}
