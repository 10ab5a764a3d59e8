//! Why somebody is sent away, and why what should let them in cannot be read.

use crate::access::Scope;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It shows nothing.
    #[error(
        "who is asking? send a token as \"Authorization: Bearer quipu_…\", or a name and password"
    )]
    Missing,
    /// What it shows is not in its form.
    #[error("the credentials cannot be read: {0}")]
    Unreadable(&'static str),
    /// What it shows is not known. Which part of it is wrong is not told.
    #[error("the credentials are not known here")]
    Unknown,
    /// The token was right once.
    #[error("token {name:?} has expired: create another with quipu token create")]
    Expired {
        /// Of the token.
        name: String,
    },
    /// Known, and not allowed to.
    #[error("{name:?} has no scope {missing}: this needs a token or user with it")]
    Scope {
        /// Of the caller.
        name: String,
        /// What the route asks for.
        missing: Scope,
    },
    /// No tenant of this name.
    #[error("tenant {0:?} is not known here: this server holds the tenant \"default\" only")]
    Tenant(String),
    /// A tenant of somebody else.
    #[error("{name:?} may not use tenant {tenant:?}")]
    TenantOfOthers {
        /// Of the caller.
        name: String,
        /// As it was asked for.
        tenant: String,
    },
}

impl Refusal {
    /// Whether showing other credentials may help (401); else it is forbidden (403).
    pub fn is_about_identity(&self) -> bool {
        match self {
            Self::Missing | Self::Unreadable(_) | Self::Unknown | Self::Expired { .. } => true,
            Self::Scope { .. } | Self::Tenant(_) | Self::TenantOfOthers { .. } => false,
        }
    }
}

/// Why credentials cannot be kept or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No scope of this name.
    #[error("{0:?} is no scope: there are read, write and admin")]
    Scope(String),
    /// No hash that is understood.
    #[error("this is no argon2id hash: make one with quipu token hash-password")]
    Hash,
    /// A name that cannot be one.
    #[error("{0:?} is no name: up to 64 letters, digits and any of . _ - @")]
    Name(String),
    /// Somebody has this name.
    #[error("there is a token named {0:?} already")]
    Taken(String),
    /// Nobody has it.
    #[error("there is no token with name or id {0:?}")]
    NoSuchToken(String),
    /// A token that could be guessed.
    #[error("a token has at least {min} characters, this one {length}")]
    Short {
        /// How many it has.
        length: usize,
        /// How many it must have.
        min: usize,
    },
    /// The file of tokens is not in its form.
    #[error("the file of tokens cannot be read: {0}")]
    Book(String),
}
