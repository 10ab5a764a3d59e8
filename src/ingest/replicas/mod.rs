//! Pairs of senders that say the same: of each cluster one replica is elected, the rest is thanked and
//! forgotten.
//!
//! As Cortex' and Mimir's "HA tracker" has it: two servers scrape the same targets and write with a
//! label that names their cluster and one that names the replica. Rows of the elected replica are
//! taken and lose the replica's label, so that it is one series whoever sends it. Where the elected one
//! falls silent, the next to come is elected. Who is elected is a value; time comes from outside.

mod election;

pub(super) use election::CLUSTERS_OPTION;
pub use election::{Ballot, Elections, ReplicaConfig};
