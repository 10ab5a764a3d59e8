//! Load tests: scenarios, executors, thresholds, results. Empty until its issue.
