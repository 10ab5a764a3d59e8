//! Jobs that look for trouble and say what to do about it. Empty until its issue.
