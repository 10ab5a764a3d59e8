//! Passing on: all that is written into the store goes out again by remote write.
//!
//! A receiver ([`RemoteWriteConfig`]) has a reader of the store's log with marks of its own on disk, so
//! what is acknowledged waits there while the receiver is away, and a killed process goes on where it
//! was. `feed` reads the log and labels rows, `shard` sends them and tries again, `ledger` keeps how
//! far each shard is, `remote` drives one receiver, `plan` decides. Rows of one series are always of
//! one shard, so they arrive in order.

mod config;
mod endpoint;
mod feed;
mod figures;
mod labeller;
mod ledger;
mod piece;
mod plan;
mod remote;
mod settings;
mod shard;
mod writer;

#[cfg(test)]
mod tests;

pub use config::{
    MetadataConfig, ProtobufMessage, QueueConfig, RemoteWriteConfig, RemoteWriteError,
};
pub use endpoint::ReadSecret;
pub use figures::Figure;
pub use writer::{RemoteWrite, Setup, StartError};
