//! Who speaks for each cluster.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::model::TenantId;

/// Sets [`ReplicaConfig::clusters_max`].
pub(in crate::ingest) const CLUSTERS_OPTION: &str = "--ha-clusters-max";

/// How replicas are told apart, and when one takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaConfig {
    /// The label that names what replicas have in common.
    pub cluster_label: String,
    /// The label that tells them apart; it is removed.
    pub replica_label: String,
    /// How long the elected one may be silent.
    pub failover_after: Duration,
    /// Clusters of a tenant that are known at once.
    pub clusters_max: usize,
}

impl Default for ReplicaConfig {
    fn default() -> Self {
        Self {
            cluster_label: "cluster".into(),
            replica_label: "__replica__".into(),
            failover_after: Duration::from_secs(30),
            clusters_max: 100,
        }
    }
}

/// What becomes of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ballot {
    /// They are of the elected replica.
    Elected,
    /// They are of another.
    Other,
    /// There are more clusters than may be known.
    TooMany,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Elected {
    replica: String,
    /// ns since 1970: when rows of it came last.
    heard_at: i64,
}

/// The elected replica of each cluster.
#[derive(Debug)]
pub struct Elections {
    config: ReplicaConfig,
    elected: Mutex<HashMap<(TenantId, String), Elected>>,
    failovers: AtomicU64,
    deduplicated: AtomicU64,
    /// Rises whenever somebody else is elected.
    version: AtomicU64,
}

/// A cluster that was silent this long is forgotten where room is needed.
const FORGET_AFTER_NS: i64 = 24 * 3600 * 1_000_000_000;
/// Begins what [`Elections::save`] writes.
const HEADER: &str = "quipu replicas 1";

impl Elections {
    /// Nobody is elected yet.
    pub fn new(config: ReplicaConfig) -> Self {
        Self {
            config,
            elected: Mutex::default(),
            failovers: AtomicU64::new(0),
            deduplicated: AtomicU64::new(0),
            version: AtomicU64::new(0),
        }
    }

    /// How replicas are told apart.
    pub fn config(&self) -> &ReplicaConfig {
        &self.config
    }

    /// Rows of `replica` came at `now`, in ns: are they taken?
    pub fn vote(&self, tenant: TenantId, cluster: &str, replica: &str, now: i64) -> Ballot {
        let mut elected = self.elected.lock().unwrap_or_else(PoisonError::into_inner);
        let failover = i64::try_from(self.config.failover_after.as_nanos()).unwrap_or(i64::MAX);
        if let Some(known) = elected.get_mut(&(tenant, cluster.to_owned())) {
            if known.replica == replica {
                known.heard_at = known.heard_at.max(now);
                return Ballot::Elected;
            }
            if now.saturating_sub(known.heard_at) <= failover {
                return Ballot::Other;
            }
            *known = Elected { replica: replica.to_owned(), heard_at: now };
            self.failovers.fetch_add(1, Relaxed);
            self.version.fetch_add(1, Relaxed);
            return Ballot::Elected;
        }
        let is_full = |elected: &HashMap<(TenantId, String), Elected>| {
            elected.keys().filter(|(of, _)| *of == tenant).count() >= self.config.clusters_max
        };
        if is_full(&elected) {
            elected.retain(|_, it| now.saturating_sub(it.heard_at) < FORGET_AFTER_NS);
            if is_full(&elected) {
                return Ballot::TooMany;
            }
        }
        let first = Elected { replica: replica.to_owned(), heard_at: now };
        elected.insert((tenant, cluster.to_owned()), first);
        self.version.fetch_add(1, Relaxed);
        Ballot::Elected
    }

    /// Counts rows that another replica sent as well.
    pub(in crate::ingest) fn count(&self, rows: u64) {
        self.deduplicated.fetch_add(rows, Relaxed);
    }

    /// Rows of replicas that were not elected, acknowledged and dropped.
    pub fn deduplicated(&self) -> u64 {
        self.deduplicated.load(Relaxed)
    }

    /// How often another replica took over.
    pub fn failovers(&self) -> u64 {
        self.failovers.load(Relaxed)
    }

    /// How many clusters are known.
    pub fn clusters(&self) -> usize {
        self.elected.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Rises whenever [`Self::save`] would say somebody else.
    pub fn version(&self) -> u64 {
        self.version.load(Relaxed)
    }

    /// Who is elected, as text: a line each, so that a restart is no failover.
    pub fn save(&self) -> String {
        let elected = self.elected.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |((tenant, cluster), it): (&(TenantId, String), &Elected)| {
            format!("{} {:?} {:?}\n", tenant.0, cluster, it.replica)
        };
        let mut lines: Vec<String> = elected.iter().map(line).collect();
        lines.sort_unstable();
        format!("{HEADER}\n{}", lines.concat())
    }

    /// Takes up what [`Self::save`] wrote, as if all had been heard `now`: while the server was away
    /// nobody could be. Lines that are none are left out, for the worst that follows is an election.
    pub fn load(&self, text: &str, now: i64) {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return;
        }
        let mut elected = self.elected.lock().unwrap_or_else(PoisonError::into_inner);
        for (cluster, replica) in lines.filter_map(read_line).take(self.config.clusters_max) {
            elected.insert(cluster, Elected { replica, heard_at: now });
        }
    }
}

/// Tenant, then cluster and replica in quotation marks.
fn read_line(line: &str) -> Option<((TenantId, String), String)> {
    let (tenant, rest) = line.split_once(' ')?;
    let (cluster, replica) = rest.strip_prefix('"')?.strip_suffix('"')?.split_once("\" \"")?;
    // Names with quotation marks or escapes are not taken up: they are elected anew.
    let is_plain = |text: &str| !text.contains(['"', '\\']);
    let key = (TenantId(tenant.parse().ok()?), cluster.to_owned());
    (is_plain(cluster) && is_plain(replica)).then_some((key, replica.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;
    const ONE: TenantId = TenantId(1);

    #[test]
    fn the_first_is_elected_until_it_is_silent_for_too_long() {
        let elections = Elections::new(ReplicaConfig::default());
        let vote = |replica, at: i64| elections.vote(ONE, "eu", replica, at * S);
        assert_eq!(vote("a", 100), Ballot::Elected);
        assert_eq!(vote("b", 101), Ballot::Other);
        assert_eq!(vote("a", 115), Ballot::Elected);
        assert_eq!(vote("b", 145), Ballot::Other, "30 s are not over");
        assert_eq!(vote("b", 146), Ballot::Elected);
        assert_eq!(vote("a", 147), Ballot::Other, "it is back, and another speaks");
        assert_eq!(vote("b", 120), Ballot::Elected, "a clock that jumps back elects nobody else");
        assert_eq!(vote("a", 170), Ballot::Other);
        assert_eq!((elections.failovers(), elections.clusters()), (1, 1));
    }

    #[test]
    fn clusters_and_tenants_are_apart_and_bounded() {
        let config = ReplicaConfig { clusters_max: 2, ..ReplicaConfig::default() };
        let elections = Elections::new(config);
        assert_eq!(elections.vote(ONE, "eu", "a", 0), Ballot::Elected);
        assert_eq!(elections.vote(ONE, "us", "b", 0), Ballot::Elected);
        assert_eq!(elections.vote(ONE, "asia", "b", 0), Ballot::TooMany);
        assert_eq!(elections.vote(TenantId(2), "asia", "b", 0), Ballot::Elected);
        let later = FORGET_AFTER_NS + 1;
        assert_eq!(elections.vote(ONE, "eu", "a", later), Ballot::Elected);
        assert_eq!(elections.vote(ONE, "asia", "b", later), Ballot::Elected, "us is forgotten");
    }

    #[test]
    fn a_restart_is_no_failover() {
        let before = Elections::new(ReplicaConfig::default());
        before.vote(ONE, "eu west", "a b", 7 * S);
        before.vote(TenantId(2), "us", "c", 8 * S);
        before.vote(ONE, "odd\"name", "c", 8 * S);
        let after = Elections::new(ReplicaConfig::default());
        after.load(&before.save(), 30 * S);
        assert_eq!(after.clusters(), 2);
        assert_eq!(after.vote(ONE, "eu west", "z", 59 * S), Ballot::Other);
        assert_eq!(after.vote(ONE, "eu west", "a b", 59 * S), Ballot::Elected);
        for text in ["", "quipu replicas 2\n1 \"a\" \"b\"", "quipu replicas 1\nx\n1 \"\n\" \" "] {
            let none = Elections::new(ReplicaConfig::default());
            none.load(text, 0);
            assert_eq!(none.clusters(), 0, "{text}");
        }
    }
}
