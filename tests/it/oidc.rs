//! Signing in at an OpenID provider: a small real one, which signs real tokens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onemap::config::Config;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::identity::{By, code, step};
use crate::world::World;

/// Where onemap believes to be. Nobody goes there: the test takes what is sent there to where it is.
const PORTAL: &str = "https://map.example";
const SECRET: &str = "a secret & of the client";

/// What the provider says of whoever signs in, and what it does wrong.
#[derive(Clone)]
struct Behaviour {
    /// Put over the claims of a good token; null takes one away.
    claims: Value,
    kid: &'static str,
    algorithm: &'static str,
    /// Signs with a key of its own, under the same name.
    forges: bool,
    /// Redeems a code more than once.
    forgetful: bool,
    /// Answers nothing but this.
    status: Option<u16>,
    /// Answers with more than anybody would read.
    endless: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            claims: json!({}),
            kid: "first",
            algorithm: "EdDSA",
            forges: false,
            forgetful: false,
            status: None,
            endless: false,
        }
    }
}

struct Inner {
    issuer: String,
    keys: Mutex<HashMap<&'static str, PKey<Private>>>,
    behaviour: Mutex<Behaviour>,
    /// By code: the request that it was given for.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    /// How often the keys were asked for.
    asked: AtomicUsize,
}

#[derive(Clone)]
struct Provider(Arc<Inner>);

impl Provider {
    async fn start() -> Provider {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let keys = HashMap::from([("first", PKey::generate_ed25519().unwrap())]);
        let provider = Provider(Arc::new(Inner {
            issuer,
            keys: Mutex::new(keys),
            behaviour: Mutex::default(),
            codes: Mutex::default(),
            asked: AtomicUsize::new(0),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys_of))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    fn does(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        *self.0.behaviour.lock().unwrap() = behaviour;
    }

    /// Says of whoever signs in that they are this.
    fn says(&self, claims: Value) {
        self.does(|behaviour| behaviour.claims = claims);
    }

    /// Lets somebody in whom the page at `address` asks for; where the browser is sent to.
    fn let_in(&self, address: &str) -> String {
        let asked: HashMap<String, String> = Url::parse(address).unwrap().query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["redirect_uri"], format!("{PORTAL}/api/v1/session/oidc/callback"));
        let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
        let code = format!("code-{}", uuid::Uuid::new_v4());
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .append_pair("iss", &self.0.issuer)
            .append_pair("session_state", "of no concern");
        self.0.codes.lock().unwrap().insert(code, asked);
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    fn signed(&self, behaviour: &Behaviour, nonce: &str) -> String {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({"iss": self.0.issuer, "aud": "onemap", "sub": "u-1", "nonce": nonce, "iat": now,
            "exp": now + 300});
        for (name, value) in behaviour.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": behaviour.algorithm, "kid": behaviour.kid});
        let signed = format!("{}.{}", encode(header), encode(claims));
        let key = match behaviour.forges {
            true => PKey::generate_ed25519().unwrap(),
            false => self
                .0
                .keys
                .lock()
                .unwrap()
                .entry(behaviour.kid)
                .or_insert_with(|| PKey::generate_ed25519().unwrap())
                .clone(),
        };
        let signature = match behaviour.algorithm {
            "none" => vec![],
            _ => Signer::new_without_digest(&key).unwrap().sign_oneshot_to_vec(signed.as_bytes()).unwrap(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn description(State(provider): State<Provider>) -> Json<Value> {
    let issuer = &provider.0.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys_of(State(provider): State<Provider>) -> Json<Value> {
    provider.0.asked.fetch_add(1, Ordering::SeqCst);
    let keys = provider.0.keys.lock().unwrap();
    let keys: Vec<Value> = keys
        .iter()
        .map(|(kid, key)| {
            let x = URL_SAFE_NO_PAD.encode(key.raw_public_key().unwrap());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": x})
        })
        .collect();
    Json(json!({ "keys": keys }))
}

async fn token(
    State(provider): State<Provider>,
    headers: axum::http::HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let behaviour = provider.0.behaviour.lock().unwrap().clone();
    if let Some(status) = behaviour.status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    if behaviour.endless {
        return vec![b' '; 4 << 20].into_response();
    }
    let wrong = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    // Name and secret are encoded before they are put together (RFC 6749, 2.3.1).
    let pair = base64::engine::general_purpose::STANDARD.encode("onemap:a+secret+%26+of+the+client");
    if headers["authorization"] != format!("Basic {pair}") {
        return wrong("invalid_client");
    }
    let mut codes = provider.0.codes.lock().unwrap();
    let asked = match behaviour.forgetful {
        true => codes.get(&form["code"]).cloned(),
        false => codes.remove(&form["code"]),
    };
    let Some(asked) = asked else { return wrong("invalid_grant") };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"] {
        return wrong("invalid_grant");
    }
    Json(json!({"token_type": "Bearer", "access_token": "x", "id_token": provider.signed(&behaviour, &asked["nonce"])}))
        .into_response()
}

/// A browser that is sent from page to page.
struct Browser<'a> {
    world: &'a World,
    client: reqwest::Client,
}

/// Where a page sends a browser, and the cookies that it sets.
struct Sent {
    to: String,
    cookies: HashMap<String, String>,
}

impl Sent {
    fn session(&self) -> String {
        let token = self.cookies.get("onemap_session").unwrap_or_else(|| panic!("no session: {}", self.to));
        format!("onemap_session={token}")
    }
}

impl<'a> Browser<'a> {
    fn new(world: &'a World) -> Browser<'a> {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { world, client }
    }

    async fn get(&self, path: &str, cookie: &str) -> Sent {
        let response =
            self.client.get(format!("{}{path}", self.world.url)).header("cookie", cookie).send().await.unwrap();
        assert_eq!(response.status(), 303, "{path}");
        let set = response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let cookies = set.map(|text| {
            assert!(text.contains("HttpOnly") && text.contains("SameSite=Lax"), "{text}");
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let cookies = cookies.filter(|(_, value)| !value.is_empty()).collect();
        Sent { to: response.headers()["location"].to_str().unwrap().to_owned(), cookies }
    }

    /// Begins to sign in: the provider's address, and the cookie.
    async fn begin(&self) -> (String, String) {
        let sent = self.get("/api/v1/session/oidc", "").await;
        let cookie = format!("onemap_oidc={}", sent.cookies["onemap_oidc"]);
        (sent.to, cookie)
    }

    async fn sign_in(&self, provider: &Provider) -> Sent {
        let (address, cookie) = self.begin().await;
        self.get(&provider.let_in(&address), &cookie).await
    }

    /// Why nobody is signed in.
    async fn refused(&self, provider: &Provider) -> String {
        reason(&self.sign_in(provider).await)
    }
}

fn reason(sent: &Sent) -> String {
    assert!(!sent.cookies.contains_key("onemap_session"), "{}", sent.to);
    let reason = sent.to.strip_prefix(&format!("{PORTAL}/#/sign-in?refused="));
    reason.unwrap_or_else(|| panic!("{}", sent.to)).to_owned()
}

async fn world_at(provider: &Provider, settings: impl FnOnce(&mut Config)) -> World {
    let issuer = provider.0.issuer.clone();
    World::with(|config| {
        config.public_url = Some(PORTAL.into());
        config.oidc.oidc_issuer = Some(issuer);
        config.oidc.oidc_client_id = Some("onemap".into());
        config.oidc.oidc_client_secret = Some(SECRET.into());
        settings(config);
    })
    .await
}

/// The path of a person as an administrator of the platform knows it.
async fn path_of(admin: &By<'_>, login: &str) -> String {
    let people = admin.get("/api/v1/people").await.1;
    let one = people["people"].as_array().unwrap().iter().find(|p| p["login"] == login).unwrap().clone();
    format!("/api/v1/people/{}", one["id"])
}

async fn link(admin: &By<'_>, login: &str, account: Value) -> Value {
    let path = path_of(admin, login).await;
    let (status, said) = admin.send(Method::POST, &format!("{path}/accounts"), &account).await;
    assert_eq!(status, 201, "{said}");
    said["id"].clone()
}

async fn who(world: &World, cookie: &str) -> Value {
    let request = world.request(Method::GET, "/api/v1/session").header("cookie", cookie);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_linked_signs_in_with_the_role_that_is_given_here() {
    let provider = Provider::start().await;
    let world = world_at(&provider, |_| ()).await;
    let admin = By::person(&world, "housing-platform_administrator").await;
    let browser = Browser::new(&world);
    let options: Value = world.json(crate::world::As::Anonymous, "/api/v1/session/options").await;
    assert_eq!(options["oidc"]["href"], format!("{PORTAL}/api/v1/session/oidc"));
    // The provider's word on roles and departments is nobody's business.
    provider.says(
        json!({"roles": ["platform_administrator"], "department": "housing", "preferred_username": "health-auditor"}),
    );
    assert_eq!(browser.refused(&provider).await, "unknown");
    let account = link(&admin, "health-publisher", json!({"subject": "u-1"})).await;
    let sent = browser.sign_in(&provider).await;
    assert_eq!(sent.to, format!("{PORTAL}/"));
    let cookie = sent.session();
    let me = who(&world, &cookie).await;
    assert_eq!((&me["user"], &me["role"]), (&json!("health-publisher"), &json!("publisher")));
    // One account is one person's.
    let other = path_of(&admin, "health-user").await;
    let taken = admin.send(Method::POST, &format!("{other}/accounts"), &json!({"subject": "u-1"})).await;
    assert_eq!(taken.0, 409, "{}", taken.1);
    let path = path_of(&admin, "health-publisher").await;
    let listed = admin.get(&format!("{path}/accounts")).await.1;
    assert!(listed["accounts"][0]["last_used"].is_string(), "{listed}");
    // Unlinked, they are out.
    assert_eq!(admin.send(Method::DELETE, &format!("{path}/accounts/{account}"), &Value::Null).await.0, 204);
    assert_eq!(who(&world, &cookie).await["status"], 401);
    assert_eq!(browser.refused(&provider).await, "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_this_sign_in_is_refused() {
    let provider = Provider::start().await;
    let world = world_at(&provider, |_| ()).await;
    let admin = By::person(&world, "housing-platform_administrator").await;
    link(&admin, "health-user", json!({"subject": "u-1"})).await;
    let browser = Browser::new(&world);
    let now = jiff::Timestamp::now().as_second();
    for claims in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"aud": "another"}),
        json!({"aud": ["onemap", "another"]}),
        json!({"iss": "https://another.example"}),
        json!({"exp": now - 120}),
        json!({"iat": now - 7200}),
        json!({"sub": null}),
    ] {
        provider.says(claims.clone());
        assert_eq!(browser.refused(&provider).await, "invalid", "{claims}");
    }
    provider.does(|does| does.forges = true);
    assert_eq!(browser.refused(&provider).await, "invalid", "another's signature");
    provider.does(|does| does.algorithm = "none");
    assert_eq!(browser.refused(&provider).await, "invalid", "no signature");
    provider.does(|does| does.status = Some(503));
    assert_eq!(browser.refused(&provider).await, "unavailable");
    provider.does(|does| does.status = Some(404));
    assert_eq!(browser.refused(&provider).await, "invalid");
    provider.does(|does| does.endless = true);
    assert_eq!(browser.refused(&provider).await, "invalid");
    provider.does(|_| ());
    browser.sign_in(&provider).await.session();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_belongs_to_one_browser_and_is_gone_once() {
    let provider = Provider::start().await;
    let world = world_at(&provider, |_| ()).await;
    let admin = By::person(&world, "housing-platform_administrator").await;
    link(&admin, "health-user", json!({"subject": "u-1"})).await;
    let browser = Browser::new(&world);
    // Even a provider that redeems a code twice gives no second session.
    provider.does(|does| does.forgetful = true);
    let (address, cookie) = browser.begin().await;
    let back = provider.let_in(&address);
    browser.get(&back, &cookie).await.session();
    assert_eq!(reason(&browser.get(&back, &cookie).await), "expired");
    // Somebody else's way back, or none of ours.
    let (address, mine) = browser.begin().await;
    let (_, others) = browser.begin().await;
    let back = provider.let_in(&address);
    for cookie in [&others, "", "onemap_oidc=x", "onemap_oidc=0123456789abcdef0123456789abcdef.1700000000"] {
        assert_eq!(reason(&browser.get(&back, cookie).await), "expired", "{cookie}");
    }
    let elsewhere = back.replace("iss=http", "iss=https");
    assert_eq!(reason(&browser.get(&elsewhere, &mine).await), "invalid", "another provider's answer");
    let (path, query) = back.split_once('?').unwrap();
    let state = query.split('&').find(|pair| pair.starts_with("state=")).unwrap();
    for (query, expected) in [
        (format!("{state}&error=access_denied"), "denied"),
        (state.to_owned(), "invalid"),
        (format!("{state}&{state}"), "invalid"),
        ("error=access_denied".to_owned(), "expired"),
    ] {
        let iss = format!("&iss={}", provider.0.issuer);
        assert_eq!(reason(&browser.get(&format!("{path}?{query}{iss}"), &mine).await), expected, "{query}");
    }
    // Nothing says where to go afterwards.
    for parameter in ["to", "next", "redirect_uri"] {
        let path = format!("/api/v1/session/oidc?{parameter}=https://evil.example");
        assert_eq!(world.request(Method::GET, &path).send().await.unwrap().status(), 400);
    }
    browser.get(&back, &mine).await.session();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_found_and_invented_ones_are_not_asked_for_each_time() {
    let provider = Provider::start().await;
    let world = world_at(&provider, |_| ()).await;
    let admin = By::person(&world, "housing-platform_administrator").await;
    link(&admin, "health-user", json!({"subject": "u-1"})).await;
    let browser = Browser::new(&world);
    for _ in 0..3 {
        browser.sign_in(&provider).await.session();
    }
    assert_eq!(provider.0.asked.load(Ordering::SeqCst), 1);
    provider.does(|does| does.kid = "second");
    browser.sign_in(&provider).await.session();
    assert_eq!(provider.0.asked.load(Ordering::SeqCst), 2);
    provider.does(|does| (does.kid, does.forges) = ("invented", true));
    for _ in 0..5 {
        assert_eq!(browser.refused(&provider).await, "invalid");
    }
    assert_eq!(provider.0.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_is_refused_and_who_is_new_needs_a_department() {
    let provider = Provider::start().await;
    let world = world_at(&provider, |config| {
        config.oidc.oidc_link_claim = Some("email".into());
        config.oidc.oidc_department_claim = Some("department".into());
    })
    .await;
    let admin = By::person(&world, "housing-platform_administrator").await;
    let browser = Browser::new(&world);
    link(&admin, "health-user", json!({"name": "Li.Wei@city.example"})).await;
    // An address is theirs when the provider has seen that it is.
    provider.says(json!({"email": "li.wei@city.example", "email_verified": false}));
    assert_eq!(browser.refused(&provider).await, "unknown");
    provider.says(json!({"email": "li.wei@city.example", "email_verified": true}));
    let cookie = browser.sign_in(&provider).await.session();
    assert_eq!(who(&world, &cookie).await["user"], "health-user");
    // From then on the subject counts, whatever the address: another account with it is another's.
    provider.says(json!({"email": "li.wei@city.example", "email_verified": true, "sub": "u-2"}));
    assert_eq!(browser.refused(&provider).await, "unknown");
    let path = path_of(&admin, "health-user").await;
    assert_eq!(admin.send(Method::PATCH, &path, &json!({"active": false})).await.0, 200);
    assert_eq!(who(&world, &cookie).await["status"], 401);
    provider.says(json!({}));
    assert_eq!(browser.refused(&provider).await, "barred");
    // Somebody new: a user, whatever else is said, in a department that there is.
    provider.says(json!({"sub": "u-3", "department": "nowhere"}));
    assert_eq!(browser.refused(&provider).await, "unknown");
    let new = json!({"sub": "u-3", "department": "health", "name": "陈静", "preferred_username": "Chen.Jing", "role": "auditor"});
    provider.says(new);
    let cookie = browser.sign_in(&provider).await.session();
    let me = who(&world, &cookie).await;
    let said = [&me["user"], &me["name"], &me["role"], &me["department"]["id"]];
    assert_eq!(said, ["chen.jing", "陈静", "user", "health"].map(|text| json!(text)).each_ref());
    let layers = world.request(Method::GET, "/ogc/collections/unconditional").header("cookie", &cookie);
    assert_eq!(layers.send().await.unwrap().status(), 200, "known at once");
    // A name that somebody has stays theirs.
    provider.says(json!({"sub": "u-4", "department": "health", "preferred_username": "health-auditor"}));
    let cookie = browser.sign_in(&provider).await.session();
    assert!(who(&world, &cookie).await["user"].as_str().unwrap().starts_with("oidc-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_the_providers_or_shown_here() {
    let provider = Provider::start().await;
    let world = world_at(&provider, |config| {
        config.second_factor = true;
        config.oidc.oidc_second_factor = vec!["mfa".into(), "urn:level:3".into()];
    })
    .await;
    let admin = By::person(&world, "housing-platform_administrator").await;
    world.sql("update onemap.session set pending = false").await;
    world.app.login.forget();
    link(&admin, "health-auditor", json!({"subject": "u-1"})).await;
    let browser = Browser::new(&world);
    let jobs = async |cookie: &str| By::with(&world, cookie).get("/api/v1/jobs").await.0;
    // The provider has seen one.
    for claims in [json!({"amr": ["pwd", "mfa"]}), json!({"acr": "urn:level:3"})] {
        provider.says(claims);
        assert_eq!(jobs(&browser.sign_in(&provider).await.session()).await, 200);
    }
    // It has not: one has to be enrolled, as with a password.
    provider.says(json!({"amr": ["pwd"], "acr": "urn:level:1"}));
    let cookie = browser.sign_in(&provider).await.session();
    assert_eq!(jobs(&cookie).await, 403);
    let auditor = By::with(&world, &cookie);
    assert_eq!(auditor.get("/api/v1/session").await.1["pending"]["change_password"], false);
    let (_, enrolment) = auditor.send(Method::POST, "/api/v1/me/second-factor", &json!({})).await;
    let first = code(&enrolment, step() - 1);
    let confirmed = auditor.send(Method::POST, "/api/v1/me/second-factor/confirm", &json!({"code": first})).await;
    assert_eq!(confirmed.0, 200, "{}", confirmed.1);
    assert_eq!(jobs(&cookie).await, 200);
    // The next time it has to be shown; until then not even the account can be changed.
    let cookie = browser.sign_in(&provider).await.session();
    let next = By::with(&world, &cookie);
    assert_eq!(next.get("/api/v1/session").await.1["pending"]["code"], true);
    for path in ["/api/v1/jobs", "/api/v1/me/sessions", "/api/v1/me/certificates", "/ogc/collections/open"] {
        let (status, said) = next.get(path).await;
        assert_eq!((status, &said["type"]), (403, &json!("/problems/pending")), "{path}");
    }
    let show = "/api/v1/session/second-factor";
    assert_eq!(next.send(Method::POST, show, &json!({"code": "000000"})).await.0, 401);
    assert_eq!(next.send(Method::POST, show, &json!({"code": first})).await.0, 401, "it was taken");
    let shown = json!({"code": confirmed.1["recovery_codes"][0]});
    let request = world.request(Method::POST, show).header("cookie", &cookie).json(&shown);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let new = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(jobs(&new).await, 200);
    assert_eq!(jobs(&cookie).await, 401, "its token has changed");
    // Guessing locks, as with passwords.
    let cookie = browser.sign_in(&provider).await.session();
    let guessing = By::with(&world, &cookie);
    for _ in 0..8 {
        assert_eq!(guessing.send(Method::POST, show, &json!({"code": "000000"})).await.0, 401);
    }
    let right = json!({"code": confirmed.1["recovery_codes"][1]});
    assert_eq!(guessing.send(Method::POST, show, &right).await.0, 401, "locked, although right");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_nothing_to_go_to() {
    let world = World::new().await;
    assert_eq!(world.json(crate::world::As::Anonymous, "/api/v1/session/options").await["oidc"], Value::Null);
    for path in ["/api/v1/session/oidc", "/api/v1/session/oidc/callback?code=x&state=y"] {
        assert_eq!(world.request(Method::GET, path).send().await.unwrap().status(), 404, "{path}");
    }
    // One that is not there is said on the sign-in page.
    let gone = world_without_answer().await;
    let sent = Browser::new(&gone).get("/api/v1/session/oidc", "").await;
    assert_eq!(reason(&sent), "unavailable");
}

async fn world_without_answer() -> World {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    World::with(|config| {
        config.public_url = Some(PORTAL.into());
        config.oidc.oidc_issuer = Some(issuer);
        config.oidc.oidc_client_id = Some("onemap".into());
    })
    .await
}
