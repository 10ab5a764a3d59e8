//! Looking into a directory without a server: what is there, what it takes, what is odd.
//!
//! Reads only, and as little as it can. Passes on a directory that was copied while a server wrote, or
//! that is damaged or cut: what cannot be read is a finding, the rest is shown. That every byte is
//! right is the affair of `verify`.

mod directory;
mod file;
mod series;
#[cfg(test)]
mod tests;

pub use directory::{CatalogSummary, DataKind, FileSummary, Inspection, SegmentSummary, inspect};
pub use file::{ColumnBytes, FileInspection, MetricBytes, SectionBytes, inspect_file};
pub use series::{SeriesInspection, inspect_series};
