//! Traces, service map, error groups, flame graphs. Empty until its issue.
