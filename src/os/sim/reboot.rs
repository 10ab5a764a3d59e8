//! What a disk may look like after the power was cut, or the process killed.

use std::collections::{BTreeMap, BTreeSet};

use crate::os::sim::Directories;
use crate::os::sim::body::Body;
use crate::os::sim::chance::Chance;
use crate::os::sim::tree::{Dir, Node, ROOT, Renaming, Tree};

/// What a power cut leaves of the pending changes of one directory.
#[derive(Clone, Copy)]
enum Fate {
    All,
    Nothing,
    /// The first so many.
    Prefix(usize),
    /// Each or not.
    Subset,
}

impl Tree {
    /// The tree after a power cut: everything in it is durable.
    pub(super) fn after_cut(&self, model: Directories, chance: &mut Chance) -> Self {
        let mut dirs = self.dirs.clone();
        for change in self.surviving(model, chance) {
            change.apply(&mut dirs);
        }
        let mut found = Found { old: self, dirs: BTreeMap::new(), bodies: BTreeMap::new() };
        found.walk(&dirs, chance);
        Self::rebuilt(self, found.dirs, found.bodies)
    }

    /// The tree after a kill: nothing is lost, and what was pending still is.
    pub(super) fn after_kill(&self) -> Self {
        let mut tree = self.clone();
        for body in tree.bodies.values_mut() {
            body.opens = 0;
        }
        tree
    }

    fn surviving(&self, model: Directories, chance: &mut Chance) -> Vec<Renaming> {
        let all = self.pending.iter().cloned();
        match model {
            Directories::Ordered => all.take(chance.up_to(self.pending.len())).collect(),
            Directories::Strict => {
                let mut fates = Fates::default();
                all.filter(|change| fates.survives(change, chance)).collect()
            }
        }
    }
}

/// The fates of directories under the strict model.
#[derive(Default)]
struct Fates {
    dirs: BTreeMap<u64, (Fate, usize)>,
    /// Whose way of changes is broken off: what follows for them is lost as well.
    lost: BTreeSet<Node>,
}

impl Fates {
    fn survives(&mut self, renaming: &Renaming, chance: &mut Chance) -> bool {
        let (fate, seen) =
            self.dirs.entry(renaming.home()).or_insert_with(|| (draw_fate(chance), 0));
        let index = *seen;
        *seen += 1;
        let survives = match *fate {
            Fate::All => true,
            Fate::Nothing => false,
            Fate::Prefix(kept) => index < kept,
            Fate::Subset => chance.coin(),
        } && !self.lost.contains(&renaming.node());
        if !survives {
            self.lost.insert(renaming.node());
        }
        survives
    }
}

fn draw_fate(chance: &mut Chance) -> Fate {
    match chance.up_to(3) {
        0 => Fate::All,
        1 => Fate::Nothing,
        // Tests rarely have more changes pending in one directory.
        2 => Fate::Prefix(chance.up_to(8)),
        _ => Fate::Subset,
    }
}

/// What can be reached from the root.
struct Found<'a> {
    old: &'a Tree,
    dirs: BTreeMap<u64, Dir>,
    bodies: BTreeMap<u64, Body>,
}

impl Found<'_> {
    fn walk(&mut self, dirs: &BTreeMap<u64, Dir>, chance: &mut Chance) {
        let mut waiting = vec![ROOT];
        while let Some(id) = waiting.pop() {
            let mut names = dirs.get(&id).map(|dir| dir.durable.clone()).unwrap_or_default();
            // A directory has one parent: of two, the one found first.
            names.retain(|_, node| match *node {
                Node::File(file) => self.keep(file, chance),
                Node::Dir(dir) => {
                    let is_new = !self.dirs.contains_key(&dir) && !waiting.contains(&dir);
                    if is_new {
                        waiting.push(dir);
                    }
                    is_new
                }
            });
            self.dirs.insert(id, Dir { visible: names.clone(), durable: names });
        }
    }

    fn keep(&mut self, file: u64, chance: &mut Chance) -> bool {
        let Some(old) = self.old.bodies.get(&file) else { return false };
        let body = self.bodies.entry(file).or_insert_with(|| Body::settled(old.after_cut(chance)));
        body.links += 1;
        true
    }
}
