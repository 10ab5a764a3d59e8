//! Scraping: which targets there are, when each is due, what a body means, what is stale.
//!
//! A [`Scraper`] holds the jobs of a configuration and what discovery found for them, and says what
//! [`Changes`] when one of these does. Each target is a [`Life`], a machine that says when it is due
//! and turns what came into a batch. Whoever drives them has the clock, the sockets and the threads:
//! nothing here waits, and nothing reads a file.
//!
//! Names, defaults and meanings are those of Prometheus 3, so that a configuration copied from there
//! does the same here.

mod config;
mod gone;
mod life;
mod list;
mod pool;
mod report;
mod scraper;
mod seen;
mod series;
mod target;

#[cfg(test)]
mod tests;

pub use config::{
    Authorization, BasicAuth, ByteSize, ConfigError, DnsConfig, FileConfig, GlobalConfig, Group,
    HeaderValues, HttpConfig, HttpSettings, Job, JobConfig, Limits, RecordType, ScrapeFile,
    ScrapeProtocol, Secret, TlsSettings, read_groups,
};
pub use life::Life;
pub use list::List;
pub use pool::Place;
pub use scraper::{Changes, PoolView, Scraper};
pub use seen::{Body, Health, Scrape, Seen};
pub use target::{Target, spread};
