//! Series of several sources, by their labels: the same series of two sources stand together.
//!
//! Sources number their pairs of labels each in its own way. Here the pairs that are used are numbered
//! once more, by name and value: then to compare labels is to compare lists of numbers.

use crate::model::{Label, Labels, METRIC_NAME};

/// A series of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Which source.
    pub(super) source: u32,
    /// Which of its series.
    pub(super) id: u32,
    begin: u32,
    length: u32,
}

/// Series and their labels, while sources are added.
#[derive(Debug, Default)]
pub(super) struct LabelOrder {
    pairs: Vec<(String, String)>,
    lists: Vec<u32>,
    members: Vec<Member>,
}

/// Series by labels, each with its members.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pairs: Vec<(String, String)>,
    lists: Vec<u32>,
    members: Vec<Member>,
    /// Where the members of each series begin; then the number of all.
    begins: Vec<u32>,
}

/// How a source knows its labels.
pub(super) struct SourceLabels<'a> {
    /// How many pairs it has.
    pub(super) pair_count: usize,
    /// The pairs of a series, by label name.
    pub(super) list: &'a dyn Fn(u32) -> &'a [u32],
    /// Name and value of a pair.
    pub(super) text: &'a dyn Fn(u32) -> Label<'a>,
    /// By what pairs are sorted, where the source knows: its own numbers, mostly.
    pub(super) rank: &'a dyn Fn(u32) -> u32,
}

/// The number of a pair that was not seen yet.
const UNKNOWN: u32 = u32::MAX;

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl LabelOrder {
    /// Adds series of a source.
    pub(super) fn add(
        &mut self,
        source: u32,
        labels: &SourceLabels<'_>,
        series: impl Iterator<Item = u32>,
    ) {
        let first = self.lists.len();
        let mut numbers = vec![UNKNOWN; labels.pair_count];
        let mut used = Vec::new();
        for id in series {
            let begin = number(self.lists.len());
            for pair in (labels.list)(id) {
                let Some(known) = numbers.get_mut(*pair as usize) else { continue };
                if *known == UNKNOWN {
                    *known = 0;
                    used.push(*pair);
                }
                self.lists.push(*pair);
            }
            let length = number(self.lists.len()) - begin;
            self.members.push(Member { source, id, begin, length });
        }
        // By rank, so that what is sorted later is a run of sorted texts.
        used.sort_unstable_by_key(|pair| (labels.rank)(*pair));
        for pair in used {
            if let Some(known) = numbers.get_mut(pair as usize) {
                *known = number(self.pairs.len());
            }
            let (name, value) = (labels.text)(pair);
            self.pairs.push((name.to_owned(), value.to_owned()));
        }
        for pair in self.lists.get_mut(first..).unwrap_or_default() {
            *pair = numbers.get(*pair as usize).copied().unwrap_or_default();
        }
    }

    /// Sorts by labels, as label sets are ordered; or first by metric, so that a metric is one range.
    pub(super) fn sort(self, metric_first: bool) -> Ordered {
        let Self { pairs, mut lists, mut members } = self;
        let (pairs, ranks) = rank(pairs);
        for pair in &mut lists {
            *pair = ranks.get(*pair as usize).copied().unwrap_or_default();
        }
        let place =
            |name: &dyn Fn(&str) -> bool| number(pairs.partition_point(|pair| name(&pair.0)));
        let metrics = place(&|name| name < METRIC_NAME)..place(&|name| name <= METRIC_NAME);
        let list = |member: &Member| list_of(&lists, member);
        let metric =
            |member: &Member| list(member).iter().find(|pair| metrics.contains(pair)).copied();
        // The source decides between equals: members of a series stand by source.
        if metric_first {
            members.sort_by(|a, b| {
                (metric(a), list(a), a.source).cmp(&(metric(b), list(b), b.source))
            });
        } else {
            members.sort_by(|a, b| (list(a), a.source).cmp(&(list(b), b.source)));
        }
        let mut begins = Vec::new();
        let mut begin = 0;
        for series in members.chunk_by(|a, b| list(a) == list(b)) {
            begins.push(begin);
            begin += number(series.len());
        }
        begins.push(begin);
        Ordered { pairs, lists, members, begins }
    }
}

/// The pairs, sorted and each once, and the place of each of the given ones among them.
fn rank(pairs: Vec<(String, String)>) -> (Vec<(String, String)>, Vec<u32>) {
    let mut order: Vec<u32> = (0..number(pairs.len())).collect();
    // Stable, as that sees sorted runs and merges them.
    order.sort_by(|a, b| pairs.get(*a as usize).cmp(&pairs.get(*b as usize)));
    let mut ranks = vec![0; pairs.len()];
    let mut sorted: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    let mut pairs: Vec<Option<(String, String)>> = pairs.into_iter().map(Some).collect();
    for place in order {
        let Some(pair) = pairs.get_mut(place as usize).and_then(Option::take) else { continue };
        if sorted.last() != Some(&pair) {
            sorted.push(pair);
        }
        if let Some(rank) = ranks.get_mut(place as usize) {
            *rank = number(sorted.len()) - 1;
        }
    }
    (sorted, ranks)
}

fn list_of<'a>(lists: &'a [u32], member: &Member) -> &'a [u32] {
    let begin = member.begin as usize;
    lists.get(begin..begin + member.length as usize).unwrap_or_default()
}

impl Ordered {
    /// How many series.
    pub(super) fn len(&self) -> u32 {
        number(self.begins.len().saturating_sub(1))
    }

    /// All pairs in use, by name, then value.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Where a series is found: by source.
    pub(super) fn members(&self, series: u32) -> &[Member] {
        let begin = self.begins.get(series as usize).copied().unwrap_or_default() as usize;
        let end = self.begins.get(series as usize + 1).copied().unwrap_or_default() as usize;
        self.members.get(begin..end).unwrap_or_default()
    }

    /// The places among [`Self::pairs`] of a series' labels, rising.
    pub(super) fn list(&self, series: u32) -> &[u32] {
        self.members(series).first().map_or(&[], |member| list_of(&self.lists, member))
    }

    /// The labels of a series.
    pub(super) fn labels(&self, series: u32) -> Labels {
        self.labels_of(self.list(series))
    }

    /// The labels that a list of places stands for.
    pub(super) fn labels_of(&self, list: &[u32]) -> Labels {
        let pairs = list.iter().filter_map(|pair| self.pairs.get(*pair as usize));
        let pairs: Vec<Label<'_>> =
            pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Labels::from_sorted(&pairs)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum::<usize>()
            + self.lists.capacity() * 4
            + self.members.capacity() * size_of::<Member>()
            + self.begins.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_two_sources_meet_by_labels() {
        let texts = [
            [("__name__", "b"), ("A", "x"), ("__name__", "a")],
            [("A", "x"), ("__name__", "a"), ("z", "1")],
        ];
        let lists: [[&[u32]; 3]; 2] = [[&[1, 0], &[1, 2], &[0]], [&[0, 1], &[1, 2], &[]]];
        let mut order = LabelOrder::default();
        for (number, source) in (0..).zip(0..2) {
            let labels = SourceLabels {
                pair_count: 3,
                list: &|id| lists[source][id as usize],
                text: &|pair| texts[source][pair as usize],
                rank: &|pair| pair,
            };
            order.add(number, &labels, 0..3);
        }
        let ordered = order.sort(false);
        let shown: Vec<String> =
            (0..ordered.len()).map(|series| ordered.labels(series).to_string()).collect();
        assert_eq!(
            shown,
            [
                "{}",
                r#"{A="x", __name__="a"}"#,
                r#"{A="x", __name__="b"}"#,
                r#"{__name__="a", z="1"}"#,
                r#"{__name__="b"}"#,
            ]
        );
        let members: Vec<_> =
            ordered.members(1).iter().map(|member| (member.source, member.id)).collect();
        assert_eq!(members, [(0, 1), (1, 0)]);
    }
}
