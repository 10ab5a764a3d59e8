//! Labels of exemplars: few, as `OpenMetrics` has it.

use crate::ingest::config::EXEMPLAR_OPTION;
use crate::ingest::labels::{limit, shown, text};
use crate::ingest::{Config, Reason};
use crate::model::Labels;

/// A label has at least a character, so more labels than characters are too many.
pub(super) fn check_count(count: usize, config: &Config) -> Result<(), Reason> {
    limit("exemplar label count", count, config.exemplar_runes_max, EXEMPLAR_OPTION)
}

/// Labels of an exemplar: text, no name empty or twice, of limited size together.
pub(super) fn finish(pairs: &[(&[u8], &[u8])], config: &Config) -> Result<Labels, Reason> {
    let mut labels = Vec::with_capacity(pairs.len());
    let mut runes = 0;
    for (name, value) in pairs {
        if name.is_empty() {
            return Err(Reason::EmptyName(shown(value)));
        }
        let label = (text("name", name)?, text("value", value)?);
        runes += label.0.chars().count() + label.1.chars().count();
        limit("size of exemplar labels", runes, config.exemplar_runes_max, EXEMPLAR_OPTION)?;
        labels.push(label);
    }
    Labels::new(labels).map_err(Reason::DuplicateLabel)
}
