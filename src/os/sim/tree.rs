//! The names: directories, which of their entries are durable, and which changes are pending.
//!
//! Errors are those of Linux, so that a test on this disk holds on a real one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use crate::os::path::split;
use crate::os::sim::Directories;
use crate::os::sim::body::Body;

pub(super) const ROOT: u64 = 0;

/// Bodies kept before looking for those that nothing refers to.
const BODIES_BEFORE_SWEEP: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    File(u64),
    Dir(u64),
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) dir: u64,
    pub(super) name: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Dir {
    pub(super) visible: BTreeMap<String, Node>,
    pub(super) durable: BTreeMap<String, Node>,
}

#[derive(Clone, Debug)]
pub(super) enum Renaming {
    Add { node: Node, at: Place },
    Remove { node: Node, at: Place },
    Move { node: Node, from: Place, to: Place },
}

#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) dirs: BTreeMap<u64, Dir>,
    pub(super) bodies: BTreeMap<u64, Body>,
    /// In the order of the calls.
    pub(super) pending: Vec<Renaming>,
    next_id: u64,
    bodies_after_sweep: usize,
}

impl Renaming {
    pub(super) fn node(&self) -> Node {
        match self {
            Self::Add { node, .. } | Self::Remove { node, .. } | Self::Move { node, .. } => *node,
        }
    }

    /// The directory whose sync makes it durable.
    pub(super) fn home(&self) -> u64 {
        match self {
            Self::Add { at, .. } | Self::Remove { at, .. } => at.dir,
            Self::Move { to, .. } => to.dir,
        }
    }
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            dirs: BTreeMap::from([(ROOT, Dir::default())]),
            bodies: BTreeMap::new(),
            pending: Vec::new(),
            next_id: ROOT + 1,
            bodies_after_sweep: 0,
        }
    }

    /// A tree of these parts, in which `next_id` of `like` goes on.
    pub(super) fn rebuilt(
        like: &Self,
        dirs: BTreeMap<u64, Dir>,
        bodies: BTreeMap<u64, Body>,
    ) -> Self {
        let pending = Vec::new();
        Self { dirs, bodies, pending, next_id: like.next_id, bodies_after_sweep: 0 }
    }

    pub(super) fn find(&self, path: &str) -> io::Result<Node> {
        let mut node = Node::Dir(ROOT);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Node::Dir(dir) = node else { return Err(ErrorKind::NotADirectory.into()) };
            node = self.entry(dir, name).ok_or(ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    pub(super) fn find_file(&self, path: &str) -> io::Result<u64> {
        match self.find(path)? {
            Node::File(id) => Ok(id),
            Node::Dir(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn find_dir(&self, path: &str) -> io::Result<u64> {
        match self.find(path)? {
            Node::Dir(id) => Ok(id),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn body(&self, id: u64) -> io::Result<&Body> {
        self.bodies.get(&id).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn body_mut(&mut self, id: u64) -> io::Result<&mut Body> {
        self.bodies.get_mut(&id).ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Bytes of all files that have a name or are open.
    pub(super) fn used(&self) -> u64 {
        let live = self.bodies.values().filter(|body| body.links > 0 || body.opens > 0);
        live.map(Body::size).fold(0, u64::saturating_add)
    }

    pub(super) fn create(&mut self, path: &str) -> io::Result<u64> {
        let at = self.free_place(path)?;
        let id = self.new_id();
        self.bodies.insert(id, Body::default());
        self.add(Node::File(id), at);
        Ok(id)
    }

    pub(super) fn create_dir(&mut self, path: &str) -> io::Result<()> {
        let at = self.free_place(path)?;
        let id = self.new_id();
        self.dirs.insert(id, Dir::default());
        self.add(Node::Dir(id), at);
        Ok(())
    }

    pub(super) fn hard_link(&mut self, from: &str, to: &str) -> io::Result<()> {
        let node = self.find(from)?;
        let at = self.free_place(to)?;
        if matches!(node, Node::Dir(_)) {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.add(node, at);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) -> io::Result<()> {
        let at = self.place(path)?;
        let node = Node::File(self.find_file(path)?);
        self.take(&at);
        self.pending.push(Renaming::Remove { node, at });
        Ok(())
    }

    pub(super) fn remove_dir(&mut self, path: &str) -> io::Result<()> {
        let at = self.place(path)?;
        let id = self.find_dir(path)?;
        self.must_be_empty(id)?;
        self.take(&at);
        self.pending.push(Renaming::Remove { node: Node::Dir(id), at });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (source, target) = (self.place(from)?, self.place(to)?);
        let node = self.entry(source.dir, &source.name).ok_or(ErrorKind::NotFound)?;
        let replaced = self.entry(target.dir, &target.name);
        if replaced == Some(node) {
            return Ok(());
        }
        if is_above(from, to) {
            return Err(ErrorKind::InvalidInput.into());
        }
        if is_above(to, from) {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        match (node, replaced) {
            (Node::File(_), Some(Node::Dir(_))) => return Err(ErrorKind::IsADirectory.into()),
            (Node::Dir(_), Some(Node::File(_))) => return Err(ErrorKind::NotADirectory.into()),
            (Node::Dir(_), Some(Node::Dir(id))) => self.must_be_empty(id)?,
            (Node::File(_), Some(Node::File(_))) | (_, None) => {}
        }
        self.take(&target);
        self.take(&source);
        self.show(node, &target);
        self.pending.push(Renaming::Move { node, from: source, to: target });
        Ok(())
    }

    /// Is the name of this directory, which is there, durable?
    pub(super) fn is_durable(&self, path: &str) -> io::Result<bool> {
        let at = self.place(path)?;
        let durable = self.dirs.get(&at.dir).and_then(|dir| dir.durable.get(&at.name));
        Ok(durable == Some(&self.find(path)?))
    }

    pub(super) fn sync_dir(&mut self, path: &str, model: Directories) -> io::Result<()> {
        let id = self.find_dir(path)?;
        match model {
            Directories::Strict => self.settle(|change| change.home() == id),
            Directories::Ordered => self.settle(|_| true),
        }
        self.sweep();
        Ok(())
    }

    /// Makes the pending changes durable for which `is_due` says so.
    pub(super) fn settle(&mut self, is_due: impl Fn(&Renaming) -> bool) {
        let mut waiting: Vec<Renaming> = Vec::new();
        for change in std::mem::take(&mut self.pending) {
            if !is_due(&change) {
                waiting.push(change);
                continue;
            }
            if let Renaming::Move { node, from, .. } = &change {
                forget_way(&mut waiting, &mut self.dirs, *node, from);
            }
            change.apply(&mut self.dirs);
        }
        self.pending = waiting;
    }

    fn entry(&self, dir: u64, name: &str) -> Option<Node> {
        self.dirs.get(&dir)?.visible.get(name).copied()
    }

    fn place(&self, path: &str) -> io::Result<Place> {
        let (dir, name) = split(path);
        Ok(Place { dir: self.find_dir(dir)?, name: name.to_owned() })
    }

    fn free_place(&self, path: &str) -> io::Result<Place> {
        let at = self.place(path)?;
        match self.entry(at.dir, &at.name) {
            None => Ok(at),
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
        }
    }

    fn must_be_empty(&self, dir: u64) -> io::Result<()> {
        let is_empty = self.dirs.get(&dir).is_none_or(|dir| dir.visible.is_empty());
        if is_empty { Ok(()) } else { Err(ErrorKind::DirectoryNotEmpty.into()) }
    }

    fn add(&mut self, node: Node, at: Place) {
        self.show(node, &at);
        self.pending.push(Renaming::Add { node, at });
    }

    fn show(&mut self, node: Node, at: &Place) {
        if let Some(dir) = self.dirs.get_mut(&at.dir) {
            dir.visible.insert(at.name.clone(), node);
        }
        if let Node::File(id) = node
            && let Some(body) = self.bodies.get_mut(&id)
        {
            body.links += 1;
        }
    }

    fn take(&mut self, at: &Place) {
        let taken = self.dirs.get_mut(&at.dir).and_then(|dir| dir.visible.remove(&at.name));
        if let Some(Node::File(id)) = taken
            && let Some(body) = self.bodies.get_mut(&id)
        {
            body.links = body.links.saturating_sub(1);
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Forgets the files that have no name, durable or not, and no handle.
    fn sweep(&mut self) {
        if self.bodies.len() < 2 * self.bodies_after_sweep + BODIES_BEFORE_SWEEP {
            return;
        }
        let mut named: BTreeSet<Node> = self.pending.iter().map(Renaming::node).collect();
        for dir in self.dirs.values() {
            named.extend(dir.durable.values());
        }
        self.bodies.retain(|&id, body| {
            body.links > 0 || body.opens > 0 || named.contains(&Node::File(id))
        });
        self.bodies_after_sweep = self.bodies.len();
    }
}

impl Renaming {
    /// Carries the change out on the durable names.
    pub(super) fn apply(self, dirs: &mut BTreeMap<u64, Dir>) {
        match self {
            Self::Add { node, at } => insert(dirs, node, at),
            Self::Remove { node, at } => remove(dirs, node, &at),
            Self::Move { node, from, to } => {
                remove(dirs, node, &from);
                insert(dirs, node, to);
            }
        }
    }
}

/// Drops the changes that gave `node` the name it now loses, in other directories: a move that is
/// durable must not be followed by a sync that brings the old name back.
fn forget_way(
    waiting: &mut Vec<Renaming>,
    dirs: &mut BTreeMap<u64, Dir>,
    node: Node,
    from: &Place,
) {
    let mut lost = from.clone();
    let led_here = |change: &Renaming, lost: &Place| match change {
        Renaming::Add { node: other, at: to } | Renaming::Move { node: other, to, .. } => {
            *other == node && to == lost
        }
        Renaming::Remove { .. } => false,
    };
    while let Some(index) = waiting.iter().rposition(|change| led_here(change, &lost)) {
        let Renaming::Move { from, .. } = waiting.remove(index) else { return };
        remove(dirs, node, &from);
        lost = from;
    }
}

fn insert(dirs: &mut BTreeMap<u64, Dir>, node: Node, at: Place) {
    if let Some(dir) = dirs.get_mut(&at.dir) {
        dir.durable.insert(at.name, node);
    }
}

/// Only if the name still means this node.
fn remove(dirs: &mut BTreeMap<u64, Dir>, node: Node, at: &Place) {
    if let Some(dir) = dirs.get_mut(&at.dir)
        && dir.durable.get(&at.name) == Some(&node)
    {
        dir.durable.remove(&at.name);
    }
}

fn is_above(upper: &str, lower: &str) -> bool {
    lower.strip_prefix(upper).is_some_and(|rest| rest.starts_with('/'))
}
