//! Files, verified pages, clock: the real ones, and simulated ones that fail on demand.
