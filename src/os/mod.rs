//! Files, verified pages, clock: the real ones, and simulated ones that fail on demand.
//!
//! Only this room touches files and clocks; everyone else is handed [`Files`] and a [`Clock`].
//! [`Disk`] is the real tree, with plain calls for everything that must be durable: no writes through
//! mappings, no `io_uring`, so that a recorder of system calls sees every byte.
//! [`sim::SimFiles`] is a disk in memory that loses, tears and refuses as told, from a seed.
//!
//! What is deliberately absent: this room knows no format, retries no failed sync, logs nothing, and
//! spawns no thread. Locks are leaves: none is held while another is taken.

mod clock;
mod disk;
mod files;
mod mapped;
mod path;
#[cfg(test)]
mod scratch;
pub mod sim;

pub use clock::{Clock, SimClock, SystemClock};
pub use disk::Disk;
pub use files::{Entry, Files, Lock, ReadFile, Space, WriteFile, read_whole, write_new_durable};
pub use mapped::Mapped;
