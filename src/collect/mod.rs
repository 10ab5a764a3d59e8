//! What this machine says: /proc and cgroups, as batches.
