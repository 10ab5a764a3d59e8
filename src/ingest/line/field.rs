//! A line taken apart.

/// A numeric field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ingest) struct Field {
    /// Where its name starts in the body.
    pub(super) name_start: u32,
    /// Where its name ends.
    pub(super) name_end: u32,
    /// Its value as a sample.
    pub(super) value: f64,
}

/// A line without its fields, which lie in a buffer of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Where measurement and tags start in the body.
    pub(super) head_start: usize,
    /// Where they end.
    pub(super) head_end: usize,
    /// In the request's precision; None where the line has none.
    pub(super) time: Option<i64>,
    /// How many fields are text.
    pub(super) strings: u64,
    /// Where the next line starts.
    pub(super) next: usize,
}
