//! A rule as it is written down: names and defaults of Prometheus.

use serde::{Deserialize, Deserializer, Serialize, de};

/// What stands between source labels where nothing is said.
const SEPARATOR: &str = ";";
/// The expression where nothing is said: all of it.
pub(super) const REGEX: &str = "(.*)";
/// The replacement where nothing is said: what was matched.
const REPLACEMENT: &str = "$1";

/// One entry of `relabel_configs`, `metric_relabel_configs`, `write_relabel_configs` or
/// `alert_relabel_configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelabelConfig {
    /// Labels whose values are joined. None and an empty list both give the empty text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_labels: Option<Vec<String>>,
    /// Stands between them.
    pub separator: String,
    /// What the joined text, or a label's name, is matched against; anchored at both ends.
    pub regex: String,
    /// For `hashmod`.
    #[serde(skip_serializing_if = "is_zero")]
    pub modulus: u64,
    /// The label that gets the result. `replace` expands `$1` in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target_label: String,
    /// What it gets.
    pub replacement: String,
    /// What to do.
    pub action: RelabelAction,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Default for RelabelConfig {
    fn default() -> Self {
        Self {
            source_labels: None,
            separator: SEPARATOR.into(),
            regex: REGEX.into(),
            modulus: 0,
            target_label: String::new(),
            replacement: REPLACEMENT.into(),
            action: RelabelAction::Replace,
        }
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RelabelAction {
    /// Sets the target to the replacement where the expression matches.
    #[default]
    Replace,
    /// Drops what does not match.
    Keep,
    /// Drops what matches.
    Drop,
    /// Drops where the joined text is not the target's value.
    KeepEqual,
    /// Drops where the joined text is the target's value.
    DropEqual,
    /// Sets the target to a hash of the joined text, modulo.
    HashMod,
    /// Copies labels whose names match to names made of the replacement.
    LabelMap,
    /// Removes labels whose names match.
    LabelDrop,
    /// Removes labels whose names do not match.
    LabelKeep,
    /// Sets the target to the joined text in small letters.
    Lowercase,
    /// Sets the target to the joined text in capital letters.
    Uppercase,
}

impl RelabelAction {
    const ALL: [Self; 11] = [
        Self::Replace,
        Self::Keep,
        Self::Drop,
        Self::KeepEqual,
        Self::DropEqual,
        Self::HashMod,
        Self::LabelMap,
        Self::LabelDrop,
        Self::LabelKeep,
        Self::Lowercase,
        Self::Uppercase,
    ];

    /// The word that names it in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::KeepEqual => "keepequal",
            Self::DropEqual => "dropequal",
            Self::HashMod => "hashmod",
            Self::LabelMap => "labelmap",
            Self::LabelDrop => "labeldrop",
            Self::LabelKeep => "labelkeep",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
        }
    }
}

/// Capital letters do not matter, as in Prometheus.
impl<'de> Deserialize<'de> for RelabelAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let word = text.to_lowercase();
        let found = Self::ALL.into_iter().find(|action| action.name() == word);
        found.ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|action| action.name()).collect();
            let known = known.join(", ");
            de::Error::custom(format!("unknown relabel action {text:?}; known are {known}"))
        })
    }
}

/// What is wrong with a rule. The text names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelabelError {
    /// The expression cannot be read.
    #[error("regex {expression:?} cannot be read: {why}")]
    Regex {
        /// As written.
        expression: String,
        /// What the reader said.
        why: String,
    },
    /// `hashmod` needs one.
    #[error("modulus must be over 0 for action hashmod")]
    NoModulus,
    /// The action needs one.
    #[error("target_label is missing, which action {0} needs")]
    NoTarget(&'static str),
    /// The action has no use for a field that was set.
    #[error("{field} has no meaning for action {action}, which takes only {takes}")]
    Useless {
        /// The field.
        field: &'static str,
        /// The action.
        action: &'static str,
        /// Fields that it does take.
        takes: &'static str,
    },
}

impl RelabelConfig {
    /// Checks what can be checked without the expression.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), RelabelError> {
        use RelabelAction as Action;
        match self.action {
            Action::Replace => self.needs_target(),
            Action::HashMod => {
                self.needs_target()?;
                if self.modulus == 0 { Err(RelabelError::NoModulus) } else { Ok(()) }
            }
            Action::Lowercase | Action::Uppercase => {
                self.needs_target()?;
                self.refuse(&["replacement"], "source_labels, separator and target_label")
            }
            Action::KeepEqual | Action::DropEqual => {
                self.needs_target()?;
                let useless = ["regex", "modulus", "separator", "replacement"];
                self.refuse(&useless, "source_labels and target_label")
            }
            Action::LabelDrop | Action::LabelKeep => {
                let useless =
                    ["source_labels", "target_label", "modulus", "separator", "replacement"];
                self.refuse(&useless, "regex")
            }
            Action::LabelMap if self.replacement.is_empty() => Err(RelabelError::Useless {
                field: "an empty replacement",
                action: self.action.name(),
                takes: "regex and the name that replacement makes",
            }),
            Action::Keep | Action::Drop | Action::LabelMap => Ok(()),
        }
    }

    fn needs_target(&self) -> Result<(), RelabelError> {
        if self.target_label.is_empty() {
            return Err(RelabelError::NoTarget(self.action.name()));
        }
        Ok(())
    }

    /// Refuses the first of `fields` that was set to something else than its default.
    fn refuse(&self, fields: &[&'static str], takes: &'static str) -> Result<(), RelabelError> {
        let is_set = |field: &str| match field {
            "source_labels" => self.source_labels.is_some(),
            "target_label" => !self.target_label.is_empty(),
            "modulus" => self.modulus != 0,
            "separator" => self.separator != SEPARATOR,
            "regex" => self.regex != REGEX,
            _ => self.replacement != REPLACEMENT,
        };
        match fields.iter().find(|field| is_set(field)) {
            Some(field) => Err(RelabelError::Useless { field, action: self.action.name(), takes }),
            None => Ok(()),
        }
    }
}
