//! The smallest part of an expression that the two answer differently, though they agree on its parts.

use crate::Asker;
use crate::node::{Dialect, Kind, Node, Times};
use crate::value::{Apart, Value, apart};

/// A part, and its answers.
pub(crate) struct Blamed {
    pub(crate) node: Node,
    pub(crate) times: Times,
    pub(crate) mine: Value,
    pub(crate) theirs: Value,
    pub(crate) apart: Apart,
    /// Whether parts of it are a little apart already.
    pub(crate) parts_differ: bool,
}

/// Looks for it, in an expression that is [`Node::pinned`].
pub(crate) fn blame(asker: &mut Asker<'_>, node: &Node, times: Times) -> Blamed {
    let mut parts_differ = false;
    for child in node.children().filter(|child| child.name != "text") {
        let times = node.times_inside(times);
        let (times, found) = compare(asker, child, times);
        match found {
            Apart::Far(_) => return blame(asker, child, times),
            Apart::Little => parts_differ = true,
            Apart::Not => {}
        }
    }
    let (mine, theirs, apart) = ask(asker, node, times);
    Blamed { node: node.clone(), times, mine, theirs, apart, parts_differ }
}

/// Ranges can be asked at one time only: the first at which they differ.
fn compare(asker: &mut Asker<'_>, node: &Node, times: Times) -> (Times, Apart) {
    if node.kind != Kind::Range || times.step == 0 {
        return (times, ask(asker, node, times).2);
    }
    let mut worst = Apart::Not;
    let mut time = times.start;
    while time <= times.end {
        let at = Times { start: time, end: time, step: 0 };
        match ask(asker, node, at).2 {
            found @ Apart::Far(_) => return (at, found),
            Apart::Little => worst = Apart::Little,
            Apart::Not => {}
        }
        time += times.step;
    }
    (times, worst)
}

pub(crate) fn ask(asker: &mut Asker<'_>, node: &Node, times: Times) -> (Value, Value, Apart) {
    let mine = asker.ours.ask(&node.print(Dialect::Ours), times);
    let theirs = asker.theirs.ask(&node.print(Dialect::Theirs), times);
    let is_ordered = times.step == 0 && matches!(node.name, "sort" | "sort_desc");
    let found = apart(&mine, &theirs, is_ordered);
    (mine, theirs, found)
}
