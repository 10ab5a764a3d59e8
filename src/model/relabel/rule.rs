//! A rule ready to run.

use md5::{Digest, Md5};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::model::{LabelBuilder, Labels, RelabelAction, RelabelConfig, RelabelError, anchored};

use super::template::Template;

/// One rule, its expression compiled. Two rules are equal where they were written alike.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "RelabelConfig", into = "RelabelConfig")]
pub struct RelabelRule {
    config: RelabelConfig,
    regex: Regex,
    target: Template,
    replacement: Template,
}

impl PartialEq for RelabelRule {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
    }
}

impl Eq for RelabelRule {}

impl From<RelabelRule> for RelabelConfig {
    fn from(rule: RelabelRule) -> Self {
        rule.config
    }
}

impl TryFrom<RelabelConfig> for RelabelRule {
    type Error = RelabelError;

    fn try_from(config: RelabelConfig) -> Result<Self, RelabelError> {
        config.check()?;
        let regex = anchored(&config.regex).map_err(|error| RelabelError::Regex {
            expression: config.regex.clone(),
            why: error.to_string(),
        })?;
        let target = Template::new(&config.target_label, &regex);
        let replacement = Template::new(&config.replacement, &regex);
        Ok(Self { config, regex, target, replacement })
    }
}

impl RelabelRule {
    /// As it was written.
    pub fn config(&self) -> &RelabelConfig {
        &self.config
    }

    /// Changes `labels`. False where they are dropped.
    pub fn apply(&self, labels: &mut LabelBuilder) -> bool {
        use RelabelAction as Action;
        let target = self.config.target_label.as_str();
        match self.config.action {
            Action::Keep => return self.regex.is_match(&self.source(labels)),
            Action::Drop => return !self.regex.is_match(&self.source(labels)),
            Action::KeepEqual => return labels.get(target) == self.source(labels),
            Action::DropEqual => return labels.get(target) != self.source(labels),
            Action::Replace => self.replace(labels),
            Action::HashMod => labels.set(target, self.hash(&self.source(labels)).to_string()),
            Action::Lowercase => labels.set(target, self.source(labels).to_lowercase()),
            Action::Uppercase => labels.set(target, self.source(labels).to_uppercase()),
            Action::LabelMap => self.map(labels),
            Action::LabelDrop => labels.retain(|name| !self.regex.is_match(name)),
            Action::LabelKeep => labels.retain(|name| self.regex.is_match(name)),
        }
        true
    }

    /// The values of the source labels, joined. A label that is not there has the value "".
    fn source(&self, labels: &LabelBuilder) -> String {
        let mut joined = String::new();
        for (i, name) in self.config.source_labels.iter().flatten().enumerate() {
            if i > 0 {
                joined.push_str(&self.config.separator);
            }
            joined.push_str(labels.get(name));
        }
        joined
    }

    fn replace(&self, labels: &mut LabelBuilder) {
        let source = self.source(labels);
        let Some(captures) = self.regex.captures(&source) else { return };
        let target = self.target.expand(&captures);
        // A label cannot be called "": the rule then does nothing.
        if !target.is_empty() {
            labels.set(&target, self.replacement.expand(&captures));
        }
    }

    fn map(&self, labels: &mut LabelBuilder) {
        // What is set meanwhile is not looked at again.
        let before = labels.clone();
        for (name, value) in before.iter() {
            if let Some(captures) = self.regex.captures(name) {
                let name = self.replacement.expand(&captures);
                if !name.is_empty() {
                    labels.set(&name, value);
                }
            }
        }
    }

    /// The last 8 bytes of the MD5 of `text`, big end first, modulo. MD5 is what Prometheus takes, so
    /// that servers of either kind share out targets alike.
    fn hash(&self, text: &str) -> u64 {
        let digest = Md5::digest(text.as_bytes());
        let last = digest.iter().skip(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        last.checked_rem(self.config.modulus).unwrap_or_default()
    }
}

/// Runs `rules` in order over `labels`. False where a rule drops them; they are then as the rule before
/// it left them.
pub fn relabel_in_place(rules: &[RelabelRule], labels: &mut LabelBuilder) -> bool {
    rules.iter().all(|rule| rule.apply(labels))
}

/// `labels` after `rules`; None where they are dropped.
pub fn relabel(rules: &[RelabelRule], labels: &Labels) -> Option<Labels> {
    if rules.is_empty() {
        return Some(labels.clone());
    }
    let mut builder = LabelBuilder::from(labels);
    relabel_in_place(rules, &mut builder).then(|| builder.labels())
}
