//! Signing in at an OpenID provider: the authorisation code flow (OpenID Connect Core, 3.1) with PKCE (RFC 7636).
//!
//! Nothing is kept of a sign-in under way: what it must find again (state, nonce, the code's verifier) follows from a secret in a cookie
//! of the browser that began it. So nobody can fill anything by beginning, any node may finish, and another browser cannot.

mod attempt;
mod provider;

use std::sync::Arc;
use std::time::Duration;

use onemap_credentials::id_token::{self, Claims, Expected, Fault};
use onemap_credentials::totp::same;
use tokio::sync::Semaphore;

use self::attempt::Attempt;
pub use self::attempt::LASTS;
use self::provider::{Provider, Trouble};
use super::second_factor::now;
use crate::config::Config;
use crate::error::{Error, Result};

/// Where the provider sends people back to.
pub const CALLBACK: &str = "/api/v1/session/oidc/callback";

/// How long the provider may take for all that is asked of it during a sign-in.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Sign-ins that ask the provider at once.
const AT_ONCE: usize = 16;

/// Why nobody is signed in. The portal says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The provider says so: most often somebody changed their mind.
    Denied,
    /// It was begun too long ago, in another browser, or is over already.
    Expired,
    /// What the provider sent is not what it should be.
    Invalid,
    /// The provider does not answer.
    Unavailable,
    /// The provider knows them, nobody here does.
    Unknown,
    /// The person has left.
    Barred,
    /// Nothing but a certificate would be the second factor, and none was shown.
    Certificate,
    /// A fault of ours.
    Failed,
}

impl Refusal {
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Denied => "denied",
            Refusal::Expired => "expired",
            Refusal::Invalid => "invalid",
            Refusal::Unavailable => "unavailable",
            Refusal::Unknown => "unknown",
            Refusal::Barred => "barred",
            Refusal::Certificate => "certificate",
            Refusal::Failed => "failed",
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Refusal {
        match trouble {
            Trouble::Away => Refusal::Unavailable,
            Trouble::Odd => Refusal::Invalid,
            Trouble::Spent => Refusal::Expired,
        }
    }
}

/// What comes back with the browser.
#[derive(Default)]
pub struct Callback {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Somebody whom the provider vouches for.
pub struct Vouched {
    pub claims: Claims,
    /// By which this sign-in is told from all others.
    pub digest: [u8; 32],
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    provider: Provider,
    issuer: String,
    client: String,
    /// The address of [`CALLBACK`], as the provider knows it.
    redirect: String,
    scope: String,
    places: Semaphore,
}

impl Oidc {
    /// None where the settings name no provider.
    pub fn new(config: &Config) -> Result<Option<Oidc>> {
        let oidc = &config.oidc;
        let (Some(issuer), Some(client), Some(base)) = (&oidc.oidc_issuer, &oidc.oidc_client_id, &config.public_url)
        else {
            return Ok(None);
        };
        let provider = Provider::new(issuer, client, oidc.oidc_client_secret.as_deref()).map_err(Error::internal)?;
        Ok(Some(Oidc(Arc::new(Inner {
            provider,
            issuer: issuer.clone(),
            client: client.clone(),
            redirect: format!("{base}{CALLBACK}"),
            scope: oidc.oidc_scope.clone(),
            places: Semaphore::new(AT_ONCE),
        }))))
    }

    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Begins: the provider's address to go to, and the cookie that finds the way back.
    pub async fn begin(&self) -> Result<(String, String), Refusal> {
        let inner = &*self.0;
        let attempt = Attempt::new(now());
        let address = self.bounded(async { Ok(inner.provider.metadata().await?.authorization.clone()) }).await?;
        let mut address = reqwest::Url::parse(&address).map_err(|_| Refusal::Invalid)?;
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &inner.client)
            .append_pair("redirect_uri", &inner.redirect)
            .append_pair("scope", &inner.scope)
            .append_pair("state", &attempt.state())
            .append_pair("nonce", &attempt.nonce())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok((address.into(), attempt.cookie().to_owned()))
    }

    /// Finishes: whom the provider vouches for, when the browser is the one that began.
    pub async fn finish(&self, callback: &Callback, cookie: Option<&str>) -> Result<Vouched, Refusal> {
        let attempt = cookie.and_then(|cookie| Attempt::of(cookie, now())).ok_or(Refusal::Expired)?;
        let state = callback.state.as_deref().unwrap_or_default();
        if !same(state.as_bytes(), attempt.state().as_bytes()) {
            return Err(Refusal::Expired);
        }
        if let Some(error) = &callback.error {
            let shown: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
            tracing::info!("the OpenID provider refuses a sign-in: {shown}");
            return Err(Refusal::Denied);
        }
        let claims = self.bounded(self.claims(callback, &attempt)).await?;
        Ok(Vouched { claims, digest: attempt.digest() })
    }

    async fn claims(&self, callback: &Callback, attempt: &Attempt) -> Result<Claims, Refusal> {
        let inner = &*self.0;
        let metadata = inner.provider.metadata().await?;
        // An answer that another provider gave must not be taken to this one.
        if callback.issuer.as_ref().map_or(metadata.names_itself, |issuer| *issuer != inner.issuer) {
            return Err(Refusal::Invalid);
        }
        let code = callback.code.as_deref().filter(|code| !code.is_empty()).ok_or(Refusal::Invalid)?;
        let token = inner.provider.redeem(&metadata, code, &attempt.verifier(), &inner.redirect).await?;
        let nonce = attempt.nonce();
        let expected = Expected { issuer: &inner.issuer, client: &inner.client, nonce: &nonce };
        let keys = inner.provider.keys(&metadata).await?;
        let mut checked = id_token::check(&token, &keys, &expected, now());
        if matches!(checked, Err(Fault::UnknownKey)) {
            // The provider may have another key since.
            let keys = inner.provider.newer_keys(&metadata).await?;
            checked = id_token::check(&token, &keys, &expected, now());
        }
        checked.map_err(|fault| {
            tracing::warn!("an ID token is refused: {fault}");
            Refusal::Invalid
        })
    }

    /// Asks the provider in its turn, and no longer than it may take.
    async fn bounded<T>(&self, asking: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        let turn = async {
            let _place = self.0.places.acquire().await.map_err(|_| Refusal::Unavailable)?;
            asking.await
        };
        tokio::time::timeout(TIMEOUT, turn).await.unwrap_or(Err(Refusal::Unavailable))
    }
}
