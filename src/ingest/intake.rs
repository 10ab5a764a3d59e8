//! What a decoder needs from the house.

use crate::ingest::Config;
use crate::model::{Registry, TenantId};

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
