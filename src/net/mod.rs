//! Every connection that goes out: scrape fetches, discovery, notices, remote write.
//!
//! A [`Client`] is HTTP/1.1 with or without TLS, through a proxy or not, with a limit on everything:
//! time, size of the answer, redirects, connections kept. It is made once for each way of connecting
//! ([`ClientOptions`]) and shared; its connections are used again.
//!
//! Addresses of link-local networks are refused wherever a name leads, redirects too: the services
//! that clouds put there (169.254.169.254) hand out credentials to whoever asks.

mod address;
mod client;
mod connect;
mod dial;
pub mod dns;
mod error;
mod gunzip;
pub mod objects;
mod proxy;
mod redirect;
pub mod remote_write;
mod tls;

#[cfg(test)]
mod tests;

pub use address::AddressPolicy;
pub use client::{Answer, Client, ClientOptions, Request};
pub use dial::{Wire, dial};
pub use error::Error;
pub use proxy::Proxy;
pub use tls::TlsOptions;
