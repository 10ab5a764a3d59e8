//! Rows in, kept safe, rows out. Knows no query and no wire format.
//!
//! A batch goes to the log, then to the head; a flush writes the head as parts, merges make few of
//! many, a partition that is over is sealed to blocks. `Db` wires this; policy is in `plan`.

pub mod backup;
mod bulk;
mod bytes;
mod catalog;
mod commit;
mod compact;
mod config;
mod counters;
mod crash;
mod db;
mod dictionary;
mod error;
mod file;
mod flush;
mod follow;
pub mod fuzz;
mod head;
mod histogram;
mod inspect;
mod label_order;
mod live;
mod manifest;
mod matching;
mod orphans;
mod plan;
mod rebuild;
mod recover;
mod report;
mod retire;
mod rows;
mod scrub;
mod select;
mod source;
mod tier;
mod tombstones;
mod upkeep;
mod verify;
mod wal;
mod whole;

pub use bulk::{Bulk, BulkRows, Loaded};
pub use config::{Config, Kept, RetentionRule, SyncPolicy, Tiers};
pub use crash::CRASH_POINTS;
pub use db::Db;
pub use error::{Damage, Error};
pub use follow::{Bookmark, Followed, Follower, MARKS_MAX, Mark};
pub use inspect::{
    CatalogSummary, ColumnBytes, DataKind, FileInspection, FileSummary, Inspection, MetricBytes,
    SectionBytes, SegmentSummary, SeriesInspection, inspect, inspect_file, inspect_series,
};
pub use matching::Selectors;
pub use recover::Recovery;
pub use report::{Counter, FileFigures, KindBytes, Storage};
pub use verify::{Finding, Repair, Report, repair, verify};
