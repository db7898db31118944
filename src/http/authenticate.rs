//! Who asks, and whether a change comes from our own pages.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use futures_util::StreamExt;
use onemap_credentials::origin::of_address;
use tokio::time::Instant;

use super::ask::COOKIE;
use super::parameters::{is_credential, is_signed};
use super::peer::{self, Peer};
use super::problem::Problem;
use crate::access::login::{Credential, SignedAddress, Stage};
use crate::access::principal::Principal;
use crate::access::trace;
use crate::app::App;
use crate::error::{Error, Result};

/// Finds out who asks. A credential that is wrong is an error even where none is needed: a page whose key has expired should
/// learn it, not silently see less.
pub async fn around(app: &App, mut request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    if let Err(foreign) = same_site(&request) {
        return Problem(foreign).into_response();
    }
    let principal = match credential(&request) {
        None => Ok(Principal::anonymous()),
        Some(credential) => {
            let seen = Seen::of(app, &request);
            proven(app, &credential, &seen).await
        }
    };
    match principal {
        Ok(principal) => {
            trace::by(&principal);
            request.extensions_mut().insert(principal.clone());
            guarded(app, principal, next(request).await)
        }
        // A stale session cookie must not keep anybody from signing in or out, nor from the open pages.
        Err(_) if is_cookie(&request) && forgiving(&request) => {
            request.extensions_mut().insert(Principal::anonymous());
            next(request).await
        }
        Err(e) => Problem(e).into_response(),
    }
}

/// Who it is, if the key is for this page and address and has not asked too much, and the session is good for this.
async fn proven(app: &App, credential: &Credential, seen: &Seen) -> Result<Principal> {
    let proof = app.login.authenticate(credential, seen.by_itself()).await?;
    if let Some(bounds) = &proof.bounds {
        app.login.admit(bounds, seen.origin.as_deref(), seen.address)?;
    }
    if let Some(signed) = &proof.signed {
        signed.admit(seen.reads, &seen.path, seen.origin.as_deref())?;
    }
    match proof.stage {
        Stage::Unproved if !is_of_session(&seen.path) => Err(Error::forbidden(
            "登录尚未完成：请先输入第二因素验证码",
            "signing in is not finished: show the second factor first",
        )
        .named("/problems/pending")
        .hint("POST /api/v1/session/second-factor", "POST /api/v1/session/second-factor")),
        Stage::Unfinished if !is_of_session(&seen.path) && !seen.path.starts_with("/api/v1/me/") => {
            Err(Error::forbidden(
                "登录尚未完成：请先修改密码或启用第二因素",
                "signing in is not finished: change the password or enrol a second factor first",
            )
            .named("/problems/pending")
            .hint(
                "见 GET /api/v1/session 的 pending；POST /api/v1/me/password、POST /api/v1/me/second-factor",
                "see `pending` of GET /api/v1/session; POST /api/v1/me/password, POST /api/v1/me/second-factor",
            ))
        }
        _ => Ok(proof.principal),
    }
}

/// What is about signing in and out, and good without having done so.
fn is_of_session(path: &str) -> bool {
    path == "/api/v1/session" || path.starts_with("/api/v1/session/")
}

/// What is looked at of a request beside its credential.
struct Seen {
    /// Of the page that asks: as the browser says, or from the page's address where it says no more.
    origin: Option<String>,
    address: Option<IpAddr>,
    path: String,
    reads: bool,
}

impl Seen {
    /// Whether this is what the portal asks without anybody doing anything.
    fn by_itself(&self) -> bool {
        self.reads && self.path.starts_with("/api/v1/notifications")
    }

    fn of(app: &App, request: &Request) -> Seen {
        let headers = request.headers();
        let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        let origin = text(header::ORIGIN).or_else(|| text(header::REFERER).and_then(of_address));
        let peer = request.extensions().get::<Peer>();
        Seen {
            origin: origin.map(str::to_owned),
            address: peer.map(|peer| peer::address(peer.0, headers, &app.proxies)),
            path: request.uri().path().to_owned(),
            reads: matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS),
        }
    }
}

/// How often somebody whose answer is under way is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// An answer that is given out bit by bit ends, broken off, when its caller is barred or moved, or its key revoked.
fn guarded(app: &App, principal: Principal, response: Response) -> Response {
    if principal.is_anonymous() || response.body().size_hint().exact().is_some() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let looks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    let begin = Some((body.into_data_stream(), looks, app.clone(), principal));
    let pieces = futures_util::stream::unfold(begin, |state| async move {
        let (mut pieces, mut looks, app, principal) = state?;
        loop {
            tokio::select! {
                biased;
                _ = looks.tick() => if let Err(ended) = app.gate.still_is(&principal) {
                    return Some((Err(axum::Error::new(ended)), None));
                },
                piece = pieces.next() => return piece.map(|piece| (piece, Some((pieces, looks, app, principal)))),
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

fn forgiving(request: &Request) -> bool {
    let path = request.uri().path();
    is_of_session(path) || !(path.starts_with("/api") || path.starts_with("/ogc") || path.starts_with("/tiles"))
}

fn is_cookie(request: &Request) -> bool {
    matches!(credential(request), Some(Credential::Session(_)))
}

fn credential(request: &Request) -> Option<Credential> {
    let headers = request.headers();
    if let Some(token) = bearer(headers) {
        return Some(Credential::Key(token));
    }
    let query = request.uri().query().unwrap_or_default();
    if let Some(signed) = signed(query) {
        return Some(Credential::Signed(signed));
    }
    if let Some((_, key)) = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| is_credential(n)) {
        return Some(Credential::Key(key.into_owned()));
    }
    CookieJar::from_headers(headers).get(COOKIE).map(|c| Credential::Session(c.value().to_owned()))
}

/// What signs an address. What cannot be right is looked up all the same, and refused like any other.
fn signed(query: &str) -> Option<SignedAddress> {
    if !is_signed(query) {
        return None;
    }
    let value =
        |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    let expires = value("exp")?.parse().unwrap_or(0);
    Some(SignedAddress { kid: value("kid")?, expires, signature: value("sig")? })
}

/// The key in `Authorization: Bearer`. Another scheme is a proxy's business, not ours. A key with odd bytes is a wrong key, not none.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let given = String::from_utf8_lossy(headers.get(header::AUTHORIZATION)?.as_bytes());
    let (scheme, token) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Cross-site request forgery: a change that comes with a cookie must come from our own pages. Browsers say where a request
/// comes from (Sec-Fetch-Site; Origin in older ones); programs without cookies are not concerned.
fn same_site(request: &Request) -> Result<()> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let cookie = || CookieJar::from_headers(request.headers()).get(COOKIE).is_some();
    match changes && cookie() && !from_own_page(request.headers()) {
        true => Err(Error::forbidden("跨站请求已被拒绝", "a request from another site was refused")),
        false => Ok(()),
    }
}

fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.split("://").nth(1) == Some(host),
        _ => true,
    }
}
