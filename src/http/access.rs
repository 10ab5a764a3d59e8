//! Who sent this request, and may they? The pure part is in the room `access`.

use std::sync::{Arc, PoisonError, RwLock};

use hyper::{HeaderMap, Uri, header::AUTHORIZATION};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::access::{Caller, Credential, Grant, Policy, Refusal, Remembered, Scope, User, Verdict};
use crate::http::{Error, params::Params};

/// Passwords checked at once: each check takes 19 MiB and a core for some 20 ms.
const CHECKS_MAX: usize = 2;

/// Checks that wait for their turn; more are sent away, or guessing would hold up everybody.
const WAITING_MAX: usize = 64;

/// The header that names a tenant, as Mimir, Loki and Cortex have it.
const TENANT: &str = "x-scope-orgid";

/// The policy in force, and passwords that were right.
#[derive(Debug)]
pub struct Access {
    policy: RwLock<Arc<Policy>>,
    remembered: Remembered,
    checks: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Access {
    /// Begins with this policy; `key` is random and of this process.
    pub fn new(policy: Policy, key: &[u8; 32]) -> Self {
        Self {
            policy: RwLock::new(Arc::new(policy)),
            remembered: Remembered::new(key),
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// Nobody is asked who they are.
    pub(super) fn open() -> Self {
        Self::new(Policy { is_open: true, ..Policy::default() }, &[0; 32])
    }

    /// Requests from now on are judged by this.
    pub fn put(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who sends this, if they may do it.
    pub(super) async fn admit(&self, scope: Scope, shown: &Shown<'_>) -> Result<Caller, Error> {
        let policy = self.policy();
        let tenant = shown.tenant()?;
        if policy.is_open || !policy.knows_anybody() {
            let tenant = policy
                .allow(&Policy::open_grant(), scope, tenant)
                .map_err(|refusal| refused(&refusal))?;
            return Ok(Caller::anonymous(tenant));
        }
        let credential = shown.credential().map_err(|refusal| refused(&refusal))?;
        let is_by_token = matches!(credential, Credential::Token(_));
        let verdict = policy
            .who(&credential, shown.certificate, shown.now_ms)
            .map_err(|refusal| refused(&refusal))?;
        let grant = match (verdict, credential) {
            (Verdict::Known(grant), _) => grant,
            (Verdict::IfPassword(user), Credential::Password { user: name, password }) => {
                self.check(user, name, password).await?
            }
            (Verdict::IfPassword(_), Credential::Nothing | Credential::Token(_)) => {
                return Err(refused(&Refusal::Unknown));
            }
        };
        let tenant = policy.allow(&grant, scope, tenant).map_err(|refusal| refused(&refusal))?;
        Ok(Caller { name: grant.name, tenant, is_by_token })
    }

    async fn check(
        &self,
        user: User,
        name: String,
        password: crate::access::Secret,
    ) -> Result<Grant, Error> {
        if self.remembered.has(&name, &password, &user.hash) {
            return Ok(user.grant);
        }
        let busy =
            || Error::Busy { what: "too many passwords to check at once", option: "use tokens" };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.checks).acquire_owned().await.map_err(|_| busy())?;
        let checked = spawn_blocking(move || {
            let is_right = user.hash.is_of(&password);
            drop(turn);
            (is_right, user, password)
        });
        let failed = |error| Error::Internal(format!("the password could not be checked: {error}"));
        let (is_right, user, password) = checked.await.map_err(failed)?;
        if !is_right {
            return Err(refused(&Refusal::Unknown));
        }
        self.remembered.add(&name, &password, &user.hash);
        Ok(user.grant)
    }
}

/// What a request shows of who sends it.
pub(super) struct Shown<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) uri: &'a Uri,
    /// Whether the parameters `u` and `p` are a name and a password, as in `InfluxDB` 1.
    pub(super) has_parameters: bool,
    /// The common name of the client's certificate.
    pub(super) certificate: Option<&'a str>,
    pub(super) now_ms: i64,
}

impl Shown<'_> {
    fn credential(&self) -> Result<Credential, Refusal> {
        if let Some(value) = self.headers.get(AUTHORIZATION) {
            let value = value.to_str().map_err(|_| Refusal::Unreadable("not visible ASCII"))?;
            return Credential::from_header(value);
        }
        if !self.has_parameters {
            return Ok(Credential::Nothing);
        }
        // What cannot be parsed here is refused by the handler, in its words.
        let params = Params::parse(self.uri.query(), b"").unwrap_or_default();
        Ok(match (params.get("u"), params.get("p")) {
            (None, None) => Credential::Nothing,
            (user, password) => {
                Credential::from_pair(user.unwrap_or_default(), password.unwrap_or_default())
            }
        })
    }

    fn tenant(&self) -> Result<Option<&str>, Error> {
        let mut values = self.headers.get_all(TENANT).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let name = value.to_str().ok().filter(|name| !name.is_empty());
        match (name, values.next()) {
            (Some(name), None) => Ok(Some(name)),
            _ => Err(Error::Bad("the header X-Scope-OrgID must name one tenant".into())),
        }
    }
}

fn refused(refusal: &Refusal) -> Error {
    if refusal.is_about_identity() {
        Error::Unauthorized(refusal.to_string())
    } else {
        Error::Forbidden(refusal.to_string())
    }
}
