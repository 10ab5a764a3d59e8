//! Which series there are: labels to ref and back.
//!
//! `pairs`, `postings`, `slab` and `index` are the catalog in memory, `order` sorts it, `cache` the short way past it
//! for bytes that were seen before, `matching` how matchers become sets of series, `log` what makes
//! a registration durable and `load` the reading of it.

mod cache;
mod index;
mod load;
mod log;
mod order;
mod pairs;
mod postings;
mod shared;
mod slab;

pub(super) use cache::LabelCache;
pub(super) use index::{Index, Slot};
pub(super) use load::load;
pub(super) use log::{CatalogLog, FOLDER, catalog_number, catalog_path};
pub(super) use shared::Catalog;
