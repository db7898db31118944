//! What is asked of the provider: its description, its keys, and the token for a code. Each answer is bounded in time and size, no
//! redirect is followed, and nothing is sent in clear but to this machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use onemap_credentials::id_token::Keys;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::config::is_safe;

const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LARGEST: usize = 256 * 1024;
/// How long the description and the keys are believed: a key that the provider has given up is good for nothing after that.
const BELIEVED: Duration = Duration::from_secs(3600);
/// How long after looking for a key that was not there no other is looked for: whoever sends tokens with invented keys must not make us ask
/// each time.
const AGAIN: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Away,
    /// The answer is none that the standards know.
    Odd,
    /// The code is good for nothing any more.
    Spent,
}

/// What the provider says of itself (OpenID Connect Discovery, 3).
pub struct Metadata {
    pub authorization: String,
    token: String,
    keys: String,
    /// Whether the client says its secret in a header; otherwise in the form.
    basic: bool,
    /// Whether it says in its answers who it is (RFC 9207).
    pub names_itself: bool,
}

#[derive(Deserialize)]
struct Described {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// What was read, and when.
type Kept<T> = Option<(Instant, Arc<T>)>;

pub struct Provider {
    http: Client,
    issuer: String,
    client: String,
    secret: Option<String>,
    /// Held while they are read: whoever comes meanwhile waits for the same answer.
    metadata: Mutex<Kept<Metadata>>,
    keys: Mutex<KeptKeys>,
}

#[derive(Default)]
struct KeptKeys {
    read: Kept<Keys>,
    /// When a key was looked for that was not among them.
    sought: Option<Instant>,
}

impl Provider {
    pub fn new(issuer: &str, client: &str, secret: Option<&str>) -> Result<Provider, reqwest::Error> {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .user_agent(concat!("onemap/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Provider {
            http,
            issuer: issuer.to_owned(),
            client: client.to_owned(),
            secret: secret.map(str::to_owned),
            metadata: Mutex::default(),
            keys: Mutex::default(),
        })
    }

    pub async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        let mut kept = self.metadata.lock().await;
        if let Some((read, metadata)) = &*kept
            && read.elapsed() < BELIEVED
        {
            return Ok(metadata.clone());
        }
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let metadata = Arc::new(self.described(self.read(&address).await?)?);
        *kept = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    fn described(&self, said: Described) -> Result<Metadata, Trouble> {
        let addresses = [&said.authorization_endpoint, &said.token_endpoint, &said.jwks_uri];
        if said.issuer != self.issuer || !addresses.into_iter().all(|address| is_safe(address)) {
            tracing::warn!("the OpenID provider describes itself as {}, or with unsafe addresses", said.issuer);
            return Err(Trouble::Odd);
        }
        let methods = said.token_endpoint_auth_methods_supported;
        Ok(Metadata {
            authorization: said.authorization_endpoint,
            token: said.token_endpoint,
            keys: said.jwks_uri,
            // Without a word about it the header is meant.
            basic: methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
            names_itself: said.authorization_response_iss_parameter_supported,
        })
    }

    pub async fn keys(&self, metadata: &Metadata) -> Result<Arc<Keys>, Trouble> {
        let mut kept = self.keys.lock().await;
        match &kept.read {
            Some((read, keys)) if read.elapsed() < BELIEVED => Ok(keys.clone()),
            _ => self.read_keys(metadata, &mut kept).await,
        }
    }

    /// The keys as they are now, for a token whose key was not among them.
    pub async fn newer_keys(&self, metadata: &Metadata) -> Result<Arc<Keys>, Trouble> {
        let mut kept = self.keys.lock().await;
        if let (Some((_, keys)), Some(sought)) = (&kept.read, kept.sought)
            && sought.elapsed() < AGAIN
        {
            return Ok(keys.clone());
        }
        kept.sought = Some(Instant::now());
        self.read_keys(metadata, &mut kept).await
    }

    async fn read_keys(&self, metadata: &Metadata, kept: &mut KeptKeys) -> Result<Arc<Keys>, Trouble> {
        let (_, bytes) = answer(self.http.get(&metadata.keys)).await?;
        let keys = Arc::new(Keys::parse(&bytes).filter(|keys| !keys.is_empty()).ok_or(Trouble::Odd)?);
        kept.read = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }

    /// The ID token for a code.
    pub async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        redirect: &str,
    ) -> Result<String, Trouble> {
        let mut request = self.http.post(&metadata.token).header("accept", "application/json");
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        match &self.secret {
            Some(secret) if metadata.basic => {
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                request = request.basic_auth(encoded(&self.client), Some(encoded(secret)));
            }
            Some(secret) => pairs.extend([("client_id", self.client.as_str()), ("client_secret", secret.as_str())]),
            None => pairs.push(("client_id", &self.client)),
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let (status, bytes) = answer(request).await?;
        if status.is_success() {
            return parse::<Tokens>(&bytes).map(|tokens| tokens.id_token);
        }
        match parse::<Refused>(&bytes) {
            Ok(refused) if refused.error == "invalid_grant" => Err(Trouble::Spent),
            _ => {
                tracing::warn!("the OpenID provider refuses to redeem a code: {status}");
                Err(Trouble::Odd)
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, address: &str) -> Result<T, Trouble> {
        let (status, bytes) = answer(self.http.get(address)).await?;
        match status.is_success() {
            true => parse(&bytes),
            false => {
                tracing::warn!("the OpenID provider answers {status} to {address}");
                Err(Trouble::Odd)
            }
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).map_err(|_| Trouble::Odd)
}

/// An answer's status and body, which are read up to a limit.
async fn answer(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Trouble> {
    let away = |e: reqwest::Error| {
        tracing::warn!("the OpenID provider does not answer: {}", e.without_url());
        Trouble::Away
    };
    let mut response = request.send().await.map_err(away)?;
    let status = response.status();
    if status.is_server_error() {
        tracing::warn!("the OpenID provider answers {status}");
        return Err(Trouble::Away);
    }
    let mut bytes = vec![];
    while let Some(piece) = response.chunk().await.map_err(away)? {
        if bytes.len() + piece.len() > LARGEST {
            tracing::warn!("an answer of the OpenID provider is larger than {LARGEST} bytes");
            return Err(Trouble::Odd);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((status, bytes))
}
