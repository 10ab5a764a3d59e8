//! Whose rows: names of tenants to their numbers.
//!
//! A tenant is a directory of the store and a number in every call, never a label. The store serves
//! tenant 0 alone so far; so this is the door at which others are told so.

use crate::access::Refusal;
use crate::model::TenantId;

/// The name of tenant 0.
pub const DEFAULT_TENANT: &str = "default";

/// What senders of Mimir call the tenant where there is only one.
const MIMIR_DEFAULT: &str = "anonymous";

/// A tenant's name of more bytes is none.
const NAME_BYTES_MAX: usize = 150;

/// The tenants that are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tenants;

impl Tenants {
    /// The number of the tenant with this name.
    ///
    /// # Errors
    /// [`Refusal::Tenant`] where it is not served.
    pub fn find(self, name: &str) -> Result<TenantId, Refusal> {
        match name {
            DEFAULT_TENANT | MIMIR_DEFAULT => Ok(TenantId(0)),
            other => {
                let mut end = NAME_BYTES_MAX.min(other.len());
                while !other.is_char_boundary(end) {
                    end -= 1;
                }
                Err(Refusal::Tenant(other.get(..end).unwrap_or_default().to_owned()))
            }
        }
    }
}
