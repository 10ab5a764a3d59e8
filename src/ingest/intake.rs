//! What a decoder needs from the house.

use crate::ingest::{Config, Error, Reason, Session, time::Bounds};
use crate::model::{self, Batch, Label, Registry, SeriesRef, TenantId};

/// Limits, series, and whose rows they are: the same for many requests.
#[derive(Clone, Copy)]
pub struct Intake<'a> {
    /// Limits.
    pub config: &'a Config,
    /// Finds and makes series.
    pub registry: &'a dyn Registry,
    /// Whose rows.
    pub tenant: TenantId,
}

impl Intake<'_> {
    /// Begins a request, whose rows come to `batch`, which is emptied: the times they may have.
    pub(super) fn begin(&self, session: &mut Session, batch: &mut Batch) -> Bounds {
        batch.clear();
        batch.tenant = self.tenant;
        let window = self.registry.window();
        session.begin(window, self.config.predictions_max);
        Bounds::new(window)
    }

    /// Registers one series. It alone may be refused; or there is no registering now.
    pub(super) fn register(
        &self,
        labels: &[Label<'_>],
    ) -> Result<Result<SeriesRef, Reason>, Error> {
        let mut refs = Vec::with_capacity(1);
        match self.registry.register(self.tenant, &[labels], &mut refs) {
            Ok(()) => Ok(Ok(refs.first().copied().unwrap_or_default())),
            Err(refusal @ (model::Error::Invalid(_) | model::Error::Limit { .. })) => {
                Ok(Err(Reason::Registry(refusal)))
            }
            Err(error) => Err(error.into()),
        }
    }
}
