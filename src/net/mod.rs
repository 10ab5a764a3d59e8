//! Every outgoing connection.

pub mod objects;
