//! A condition over time to a person. Empty until its issue.
