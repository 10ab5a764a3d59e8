//! Who is it, and may they?

use std::{collections::HashMap, sync::Arc};

use crate::access::{
    Credential, Digest, Error, PasswordHash, Refusal, Scope, Scopes, Tenants, TokenBook,
    token::check_name,
};
use crate::model::TenantId;

/// What somebody is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who, for logs and refusals.
    pub name: Arc<str>,
    /// What.
    pub scopes: Scopes,
    /// In which tenant alone; None is in any.
    pub tenant: Option<String>,
    /// Until when, milliseconds since 1970; None is for ever.
    pub expires_ms: Option<i64>,
}

impl Grant {
    /// What a name is allowed, for ever.
    ///
    /// # Errors
    /// [`Error::Name`] where it is none.
    pub fn new(name: &str, scopes: Scopes, tenant: Option<String>) -> Result<Self, Error> {
        check_name(name)?;
        Ok(Self { name: name.into(), scopes, tenant, expires_ms: None })
    }
}

/// Somebody with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What they are allowed.
    pub grant: Grant,
    /// Their password.
    pub hash: PasswordHash,
}

/// Everybody who is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether nobody is asked who they are.
    pub is_open: bool,
    /// By the digest of their token.
    pub tokens: HashMap<Digest, Grant>,
    /// By name.
    pub users: HashMap<String, User>,
    /// By the common name of their certificate.
    pub certificates: HashMap<String, Grant>,
    /// Which tenants there are.
    pub tenants: Tenants,
}

/// Who calls, and whose rows they see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their name; `anonymous` where nobody is asked.
    pub name: Arc<str>,
    /// The tenant of this call.
    pub tenant: TenantId,
    /// Whether a token says so, which no browser sends by itself.
    pub is_by_token: bool,
}

/// The name of who was not asked.
const ANONYMOUS: &str = "anonymous";

impl Caller {
    /// Somebody who was not asked who they are.
    pub fn anonymous(tenant: TenantId) -> Self {
        Self { name: ANONYMOUS.into(), tenant, is_by_token: false }
    }

    /// Was nobody asked?
    pub fn is_anonymous(&self) -> bool {
        &*self.name == ANONYMOUS
    }
}

/// What a policy says of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are this one.
    Known(Grant),
    /// They are, if this is the hash of their password, which takes a while to find out.
    IfPassword(User),
}

impl Policy {
    /// Takes in the tokens of a book.
    pub fn add_book(&mut self, book: &TokenBook) {
        for record in book.records() {
            let grant = Grant {
                name: record.name.as_str().into(),
                scopes: record.scopes,
                tenant: record.tenant.clone(),
                expires_ms: record.expires_ms,
            };
            self.tokens.insert(record.digest, grant);
        }
    }

    /// Whether anybody could say who they are.
    pub fn knows_anybody(&self) -> bool {
        !(self.tokens.is_empty() && self.users.is_empty() && self.certificates.is_empty())
    }

    /// Whose credential it is. A certificate counts where nothing else is shown.
    ///
    /// # Errors
    /// Where it is nobody's, or too old.
    pub fn who(
        &self,
        credential: &Credential,
        certificate: Option<&str>,
        now_ms: i64,
    ) -> Result<Verdict, Refusal> {
        let grant = match credential {
            Credential::Nothing => match certificate {
                Some(name) => self.certificates.get(name).ok_or(Refusal::Unknown)?,
                None => return Err(Refusal::Missing),
            },
            Credential::Token(text) => {
                self.tokens.get(&Digest::of(text.expose())).ok_or(Refusal::Unknown)?
            }
            Credential::Password { user, .. } => {
                let known = self.users.get(user).cloned();
                return Ok(Verdict::IfPassword(known.unwrap_or_else(nobody)));
            }
        };
        if grant.expires_ms.is_some_and(|end| end <= now_ms) {
            return Err(Refusal::Expired { name: grant.name.to_string() });
        }
        Ok(Verdict::Known(grant.clone()))
    }

    /// Whether who has this grant may do this, in the tenant they ask for.
    ///
    /// # Errors
    /// Where a scope is missing or the tenant is not theirs.
    pub fn allow(
        &self,
        grant: &Grant,
        scope: Scope,
        tenant: Option<&str>,
    ) -> Result<TenantId, Refusal> {
        if !grant.scopes.has(scope) {
            return Err(Refusal::Scope { name: grant.name.to_string(), missing: scope });
        }
        let own = grant.tenant.as_deref();
        let Some(asked) = tenant.or(own) else { return Ok(TenantId::default()) };
        let id = self.tenants.find(asked)?;
        match own.map(|own| self.tenants.find(own)) {
            None => Ok(id),
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(own)) if own == id => Ok(id),
            Some(Ok(_)) => Err(Refusal::TenantOfOthers {
                name: grant.name.to_string(),
                tenant: asked.to_owned(),
            }),
        }
    }

    /// What everybody may where nobody is asked.
    pub fn open_grant() -> Grant {
        Grant { name: ANONYMOUS.into(), scopes: Scopes::ALL, tenant: None, expires_ms: None }
    }
}

/// A user whom no password lets in.
fn nobody() -> User {
    let grant =
        Grant { name: "nobody".into(), scopes: Scopes::default(), tenant: None, expires_ms: None };
    User { grant, hash: PasswordHash::of_nobody() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Secret, Token, TokenRecord};

    fn policy() -> (Policy, Credential) {
        let token = Token::mint(&[1; 32]);
        let mut book = TokenBook::default();
        book.add(TokenRecord {
            id: "1".into(),
            name: "grafana".into(),
            digest: token.digest,
            scopes: "read".parse().unwrap(),
            tenant: Some("default".into()),
            created_ms: 0,
            expires_ms: Some(100),
        })
        .unwrap();
        let mut policy = Policy::default();
        policy.add_book(&book);
        let ada = Grant::new("ada", Scopes::ALL, None).unwrap();
        policy.certificates.insert("ada.example".into(), ada);
        (policy, Credential::Token(token.text))
    }

    #[test]
    fn a_token_lets_in_until_it_expires_and_only_where_it_may() {
        let (policy, token) = policy();
        let Ok(Verdict::Known(grant)) = policy.who(&token, None, 99) else { panic!("known") };
        assert_eq!(policy.allow(&grant, Scope::Read, None), Ok(TenantId(0)));
        assert_eq!(policy.allow(&grant, Scope::Read, Some("anonymous")), Ok(TenantId(0)));
        let refused = policy.allow(&grant, Scope::Write, None).unwrap_err();
        assert!(!refused.is_about_identity());
        assert!(refused.to_string().contains("no scope write"), "{refused}");
        let refused = policy.allow(&grant, Scope::Read, Some("shop")).unwrap_err();
        assert_eq!(refused, Refusal::Tenant("shop".into()));
        assert!(matches!(policy.who(&token, None, 100), Err(Refusal::Expired { .. })));
    }

    #[test]
    fn strangers_are_told_nothing_of_who_is_known() {
        let (policy, _) = policy();
        let other = Credential::Token(Secret::new("quipu_other"));
        assert_eq!(policy.who(&other, None, 0), Err(Refusal::Unknown));
        assert_eq!(policy.who(&Credential::Nothing, None, 0), Err(Refusal::Missing));
        let bob = Credential::from_pair("bob", "secret");
        let Ok(Verdict::IfPassword(user)) = policy.who(&bob, None, 0) else { panic!("slow") };
        assert!(!user.hash.is_of(&Secret::new("secret")));
    }

    #[test]
    fn a_certificate_stands_for_its_name_where_nothing_else_is_shown() {
        let (policy, token) = policy();
        let who = |credential: &Credential, name| match policy.who(credential, Some(name), 0) {
            Ok(Verdict::Known(grant)) => grant.name.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(who(&Credential::Nothing, "ada.example"), "ada");
        assert_eq!(who(&token, "ada.example"), "grafana");
        assert!(who(&Credential::Nothing, "eve.example").contains("Unknown"));
    }

    #[test]
    fn a_token_of_another_tenant_is_of_no_use_here() {
        let (policy, _) = policy();
        let grant = Grant::new("shop", Scopes::ALL, Some("shop".into())).unwrap();
        for asked in [None, Some("default"), Some("shop")] {
            assert!(policy.allow(&grant, Scope::Read, asked).is_err(), "{asked:?}");
        }
    }
}
