//! Looking up records of the domain name system: what `dns_sd_configs` asks for.
//!
//! Addresses of ordinary connections are looked up by the system's resolver; it cannot be asked for
//! SRV, MX or NS records, and does not say whether a name is missing or its server is. So this asks
//! the machine's name servers itself: one question a message, UDP first, TCP where the answer was cut.
//!
//! Deliberately absent: a cache, and whatever else makes a resolver. Source: RFC 1035, RFC 2782.

mod message;
mod resolver;
mod system;

pub use message::{Kind, Malformed, Record, Response, question, read};
pub use resolver::{DnsError, Resolver};
pub use system::Servers;
