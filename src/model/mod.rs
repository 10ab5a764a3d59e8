//! The words everyone speaks: time, labels, values, matchers, batches, tenant, budget, and the doors
//! `Source`, `Sink`, `Registry`, `Log`, `Blocks`. Types and traits, no algorithms.
