//! Files, verified pages, clock: the real ones, and simulated ones that fail on demand.
//!
//! Only this room touches files and clocks; everyone else is handed [`Files`] and a [`Clock`].
//! [`Disk`] is the real tree, with plain calls for everything that must be durable: no writes through
//! mappings, no `io_uring`, so that a recorder of system calls sees every byte.
//! [`sim::SimFiles`] is a disk in memory that loses, tears and refuses as told, from a seed.
//! Data files are read in pages of 64 KiB, and no byte of a page is lent before its checksum held:
//! [`PageWriter`], [`PageReader`], [`PageStream`].
//!
//! What is deliberately absent: this room knows no format, retries no failed sync, logs nothing, and
//! spawns no thread. Locks are leaves: none is held while another is taken.

mod below;
mod clock;
mod disk;
mod files;
mod mapped;
mod pages;
mod path;
#[cfg(test)]
mod scratch;
pub mod sim;

pub use below::{Below, remove_tree};
pub use clock::{Clock, SimClock, SystemClock};
pub use disk::Disk;
pub use files::{Entry, Files, Lock, ReadFile, Space, WriteFile, read_whole, write_new_durable};
pub use mapped::Mapped;
pub use pages::{
    Lent, PAGE_SIZE, PageCache, PageError, PageReader, PageStream, PageWriter, page_count,
};
