//! Questions asked again and again; what answers call for. Empty until its issue.
