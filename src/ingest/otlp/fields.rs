//! Numbers of fields that more than one file reads.
//!
//! Source: `opentelemetry/proto/metrics/v1/metrics.proto`, `common.proto`, `resource.proto`.

pub(super) const RESOURCE_ATTRIBUTES: u32 = 1;

pub(super) const SCOPE_NAME: u32 = 1;
pub(super) const SCOPE_VERSION: u32 = 2;
pub(super) const SCOPE_ATTRIBUTES: u32 = 3;

/// Of all kinds of metrics.
pub(super) const DATA_POINTS: u32 = 1;

/// The bit of a data point's flags that says: there is no value any more.
pub(super) const NO_RECORDED_VALUE: u64 = 1;
