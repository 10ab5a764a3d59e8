//! Boards, panels, variables, reports. Empty until its issue.
