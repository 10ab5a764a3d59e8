//! How a question runs: plan, optimise, execute over a `Source`. Knows no store.
