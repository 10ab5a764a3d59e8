//! Why a request got no answer.

use std::{net::IpAddr, path::PathBuf, time::Duration};

/// A cause from below, with causes of its own.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request got no answer, or why a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a URL of http or https.
    #[error("{url:?} is no URL that can be fetched: {why}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// A header cannot be sent.
    #[error("header {name:?} cannot be sent: {why}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A name has no address.
    #[error("lookup {host}: {source}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// The address is one that is not connected to.
    #[error("{host} is {address}, a {why}: refused")]
    Refused {
        /// The name or address asked for.
        host: String,
        /// Where it leads.
        address: IpAddr,
        /// Why not.
        why: &'static str,
    },
    /// No connection.
    #[error("connect {to}: {source}")]
    Connect {
        /// Host and port.
        to: String,
        /// What happened.
        source: std::io::Error,
    },
    /// The proxy did not open the way.
    #[error("proxy {proxy}: {why}")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// What it said.
        why: String,
    },
    /// The connection failed while speaking.
    #[error("{0}")]
    Transport(#[source] Cause),
    /// No whole answer in time.
    #[error("context deadline exceeded: no answer within {0:?}")]
    Timeout(Duration),
    /// The answer is larger than allowed.
    #[error("body size limit exceeded: more than {0} bytes")]
    TooLarge(u64),
    /// The answer cannot be unpacked.
    #[error("cannot unpack the answer: {0}")]
    Packed(String),
    /// Around and around.
    #[error("stopped after {0} redirects")]
    Redirects(usize),
    /// A certificate or key that cannot be used.
    #[error("cannot use {what}: {why}")]
    Tls {
        /// Which setting.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A file that a setting names cannot be read.
    #[error("cannot read {what} {file}: {source}", file = file.display())]
    File {
        /// Which setting.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// An error of hyper's, with its causes in one line: the innermost says what happened.
    pub(super) fn transport(error: impl Into<Cause>) -> Self {
        let cause = error.into();
        match cause.downcast::<hyper_util::client::legacy::Error>() {
            Ok(error) => Self::innermost(&error),
            Err(cause) => Self::Transport(cause),
        }
    }

    /// Connectors give errors of ours to hyper, which wraps them.
    fn innermost(error: &hyper_util::client::legacy::Error) -> Self {
        let mut text = String::new();
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = next {
            let said = cause.to_string();
            if !text.contains(&said) {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&said);
            }
            next = cause.source();
        }
        let text = text.trim_start_matches("client error (Connect): ").to_owned();
        Self::Transport(text.into())
    }
}
