//! The words everyone speaks: time, labels, relabelling, values, matchers, batches, tenant, budget,
//! and the doors `Source`, `Registry`, `Sink`, `Log`, `Blocks`. Types and traits; the one algorithm is
//! relabelling, which doors in, doors out and rules share.
//!
//! Everything above the ground floor meets here: `query` asks a [`Source`] and `store` is one, and
//! neither knows the other.

mod batch;
mod buckets;
mod budget;
mod doors;
mod error;
mod histogram;
mod labels;
mod log;
mod matcher;
mod pattern;
mod relabel;
mod schema;
mod source;
mod tier;
mod time;
mod time_span;

pub use batch::{Batch, Exemplar, HistogramRow, Metadata, MetricKind, MetricRows};
pub use buckets::{Buckets, Facts, FloatColumns};
pub use budget::{Budget, Limits, Stop};
pub use doors::{Door, Registry, SeriesKey, SeriesRef, Sink, SinkDone};
pub use error::Error;
pub use histogram::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, Span};
pub use labels::{Label, Labels, METRIC_NAME};
pub use log::{BlockEntry, Blocks, Log, LogDone, LogRecord, Position, StreamId};
pub use matcher::{MatchOp, Matcher};
pub use pattern::anchored;
pub use relabel::{
    LabelBuilder, RelabelAction, RelabelConfig, RelabelError, RelabelRule, relabel,
    relabel_in_place,
};
pub use schema::{Table, TenantId};
pub use source::{
    Ask, Cardinality, Columns, Estimate, ExemplarSeries, Flow, Generation, Grouping, Groups,
    Reading, Rows, Scope, Selection, Source, Visitor, Windows,
};
pub use tier::{FloatPartial, HistogramPartial, Partial, Tier, TierRow, Zone};
pub use time::{STALE_BITS, TimeRange, Timestamp, is_stale};
pub use time_span::{NoTimeSpan, TimeSpan};
