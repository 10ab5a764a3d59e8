//! How much a sender may ask for, and the options that say otherwise.

/// Sets [`Config::body_bytes_max`].
pub(super) const BODY_OPTION: &str = "--ingest-body-max";
/// Sets [`Config::line_bytes_max`].
pub(super) const LINE_OPTION: &str = "--ingest-line-max";
/// Sets [`Config::import_line_bytes_max`].
pub(super) const IMPORT_LINE_OPTION: &str = "--ingest-import-line-max";
/// Sets [`Config::labels_max`].
pub(super) const LABELS_OPTION: &str = "--ingest-labels-max";
/// Sets [`Config::name_bytes_max`].
pub(super) const NAME_OPTION: &str = "--ingest-label-name-max";
/// Sets [`Config::value_bytes_max`].
pub(super) const VALUE_OPTION: &str = "--ingest-label-value-max";
/// Sets [`Config::exemplar_runes_max`].
pub(super) const EXEMPLAR_OPTION: &str = "--ingest-exemplar-max";
/// Sets [`Config::symbols_max`].
pub(super) const SYMBOLS_OPTION: &str = "--ingest-symbols-max";
/// Sets [`Config::buckets_max`].
pub(super) const BUCKETS_OPTION: &str = "--ingest-buckets-max";

/// Limits and habits of the doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of a body after inflating. 64 MiB is what VictoriaMetrics grants its largest doors.
    pub body_bytes_max: usize,
    /// Bytes of one line of line protocol.
    pub line_bytes_max: usize,
    /// Bytes of one line of an import: a line of JSON holds many rows. 10 MiB is what VictoriaMetrics
    /// grants.
    pub import_line_bytes_max: usize,
    /// Labels of a series, its name included.
    pub labels_max: usize,
    /// Bytes of a label's name.
    pub name_bytes_max: usize,
    /// Bytes of a label's value, of a metric's name, of a help text.
    pub value_bytes_max: usize,
    /// Characters of all labels of an exemplar together, as `OpenMetrics` has it.
    pub exemplar_runes_max: usize,
    /// Entries of the symbol table of a remote write 2 request: 32 bytes each while it runs.
    pub symbols_max: usize,
    /// Buckets of one side of a native histogram, and its custom bounds.
    pub buckets_max: usize,
    /// Refusals of a request that are told in words; the others are counted.
    pub reasons_max: usize,
    /// Series that a [`Session`](super::Session) expects again: 36 bytes each.
    pub predictions_max: usize,
    /// Whether a database named by a line protocol request becomes the label `db`.
    pub is_db_label: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 << 20,
            line_bytes_max: 1 << 20,
            import_line_bytes_max: 10 << 20,
            labels_max: 64,
            name_bytes_max: 256,
            value_bytes_max: 4 << 10,
            exemplar_runes_max: 128,
            symbols_max: 1 << 18,
            buckets_max: 16 << 10,
            reasons_max: 10,
            predictions_max: 1 << 16,
            is_db_label: true,
        }
    }
}
