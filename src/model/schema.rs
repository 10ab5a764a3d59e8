//! Which tenant, which table.

/// Whose rows: 0 is the only tenant until there are more. A directory in the store, never a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(pub u32);

/// The tables there are. Numbers stand in files and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Samples: (series, time, start, value), by series then time.
    Metrics = 1,
    /// Samples that point to a trace.
    Exemplars = 2,
    /// Type, unit and help of a metric: one row a change.
    Metadata = 3,
}

impl Table {
    /// The table's name in paths and in QQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Exemplars => "exemplars",
            Self::Metadata => "metadata",
        }
    }
}
