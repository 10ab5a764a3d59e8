//! A data directory asked without a server.

use std::{path::Path, sync::Arc};

use axum::body::Body;
use hyper::{Request, Response};

use crate::app::{Error, Options, serve::doors, store::open_store};
use crate::http::{self, Context, Gate, Metrics};
use crate::os::{Clock, SystemClock};
use crate::store::{Config, Db};

/// An open directory that answers what a server on it would.
pub struct Local {
    gate: Gate,
    db: Arc<Db>,
}

impl Local {
    /// Opens a directory that is there. No row is written and no upkeep is done.
    ///
    /// # Errors
    /// Where it is no data directory, or a server has it.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let (db, _) = open_store(directory, (false, true), Arc::clone(&clock), Config::default())?;
        let gate = Gate::default();
        let metrics = Arc::new(Metrics::default());
        let doors = doors(&db, &clock, Options::default().lookback);
        gate.open(Context::new(doors, http::Options::default(), metrics));
        Ok(Self { gate, db })
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.gate.answer(request).await
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.db.close();
    }
}
