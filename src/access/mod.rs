//! Who may do what: callers, scopes, tenants, tokens, passwords. Decisions as values.
//!
//! A request shows a [`Credential`]; a [`Policy`] says whose it is, and whether that [`Caller`] may do
//! what the route asks for, in which tenant. Nothing here touches a socket, a file or a clock: `http`
//! asks, `app` brings the policy from the configuration and the file of tokens.
//!
//! Secrets are never kept: of a token its SHA-256 (it has 256 bits from the system, so a slow hash
//! adds nothing), of a password its argon2id hash, of a password that was right a keyed digest.

mod credential;
mod error;
mod password;
mod policy;
mod scope;
mod secret;
mod tenant;
mod token;

pub use credential::Credential;
pub use error::{Error, Refusal};
pub use password::{PasswordHash, Remembered, hash_password};
pub use policy::{Caller, Grant, Policy, User, Verdict};
pub use scope::{Scope, Scopes};
pub use secret::Secret;
pub use tenant::{DEFAULT_TENANT, Tenants};
pub use token::{Digest, Token, TokenBook, TokenRecord};
