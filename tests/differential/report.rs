//! What was found, counted and told.

#![expect(clippy::print_stdout, reason = "a report is read")]

use std::collections::BTreeMap;

use crate::blame::Blamed;
use crate::node::{Dialect, Times};
use crate::value::{Apart, Value};

/// Of unexplained differences, so many are told in full.
const TOLD_MAX: usize = 40;

/// One question and what came of it.
pub(crate) struct Found {
    pub(crate) label: String,
    pub(crate) text: String,
    pub(crate) times: Times,
    pub(crate) is_empty: bool,
    pub(crate) mine: Value,
    pub(crate) theirs: Value,
    pub(crate) apart: Apart,
    /// Ways of asking Quipu that gave another answer.
    pub(crate) differing: Vec<String>,
    pub(crate) blamed: Option<Blamed>,
    pub(crate) cause: Option<&'static str>,
}

#[derive(Default)]
pub(crate) struct Report {
    all: usize,
    exact: usize,
    near: usize,
    empty: usize,
    failed: usize,
    /// Refused with the same words.
    same_words: usize,
    other_words: Vec<String>,
    causes: BTreeMap<&'static str, usize>,
    /// By the part that is to blame.
    unexplained: BTreeMap<&'static str, Vec<Found>>,
    differing: Vec<Found>,
}

impl Report {
    pub(crate) fn add(&mut self, found: Found) {
        self.all += 1;
        self.empty += usize::from(found.is_empty);
        self.failed += usize::from(matches!(found.mine, Value::Failed(_)));
        if let (Value::Failed(mine), Value::Failed(theirs)) = (&found.mine, &found.theirs) {
            self.same_words += usize::from(mine == theirs);
            if mine != theirs && self.other_words.len() < 5 {
                self.other_words
                    .push(format!("{}\n  mine:   {mine}\n  theirs: {theirs}", found.text));
            }
        }
        match (&found.apart, found.cause) {
            (Apart::Not, _) => self.exact += 1,
            (Apart::Little, _) => self.near += 1,
            (Apart::Far(_), Some(cause)) => *self.causes.entry(cause).or_default() += 1,
            (Apart::Far(_), None) => {
                let name = found.blamed.as_ref().map_or("", |blamed| blamed.node.name);
                self.unexplained.entry(name).or_default().push(found);
                return;
            }
        }
        if !found.differing.is_empty() {
            self.differing.push(found);
        }
    }

    /// Prints all, and fails where something is not explained.
    pub(crate) fn finish(self, is_single: bool) {
        println!(
            "{} questions: {} answered to the bit, {} within 1e-9",
            self.all, self.exact, self.near
        );
        println!(
            "of these {} are empty, and {} are refused by both, {} in the same words",
            self.empty, self.failed, self.same_words
        );
        for words in &self.other_words {
            println!("refused in other words: {words}");
        }
        for (cause, count) in &self.causes {
            println!("{count:6} differ: {cause}");
        }
        for (name, all) in &self.unexplained {
            println!("{:6} differ without a known cause: {name}", all.len());
        }
        let each = (TOLD_MAX / self.unexplained.len().max(1)).max(1);
        for found in self.unexplained.values().flat_map(|all| all.iter().take(each)) {
            tell(found);
        }
        for found in self.differing.iter().take(TOLD_MAX) {
            println!(
                "\n{}  {} {:?}\n  in other states: {:?}",
                found.label, found.text, found.times, found.differing
            );
        }
        assert!(self.differing.is_empty(), "{} depend on where rows lie", self.differing.len());
        assert!(self.unexplained.is_empty(), "differences without a known cause");
        assert!(is_single || self.exact * 3 >= self.all * 2, "too few are compared exactly");
        assert!(is_single || self.empty * 3 <= self.all, "too many answers are empty");
    }
}

fn tell(found: &Found) {
    println!("\nDIFFERENTIAL_ONLY={}  {:?}\n  {}", found.label, found.times, found.text);
    if !found.differing.is_empty() {
        println!("  in other states: {:?}", found.differing);
    }
    let Some(blamed) = &found.blamed else { return };
    let (mine, theirs) = (brief(&blamed.mine), brief(&blamed.theirs));
    println!("  to blame: {}", blamed.node.print(Dialect::Theirs));
    println!("  at {:?}, parts differ a little: {}", blamed.times, blamed.parts_differ);
    println!("  {:?}\n  mine:   {mine}\n  theirs: {theirs}", blamed.apart);
    if let (Value::Failed(text), _) | (_, Value::Failed(text)) = (&found.mine, &found.theirs) {
        println!("  {text}");
    }
}

fn brief(value: &Value) -> String {
    let text = format!("{value:?}");
    text.chars().take(400).collect()
}
