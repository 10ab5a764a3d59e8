//! Every outgoing connection. Empty until its issue.
