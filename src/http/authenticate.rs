//! Who asks, and whether a change comes from our own pages.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;

use super::ask::COOKIE;
use super::parameters::is_credential;
use super::problem::Problem;
use crate::access::login::Credential;
use crate::access::principal::Principal;
use crate::app::App;
use crate::error::Error;

/// Finds out who asks. A credential that is wrong is an error even where none is needed: a page whose key has expired should
/// learn it, not silently see less.
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let principal = match credential(&request) {
        None => Ok(Principal::anonymous()),
        Some(credential) => app.login.authenticate(&credential).await,
    };
    match principal {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        // A stale session cookie must not keep anybody from signing in or out, nor from the open pages.
        Err(_) if is_cookie(&request) && forgiving(&request) => {
            request.extensions_mut().insert(Principal::anonymous());
            next.run(request).await
        }
        Err(e) => Problem(e).into_response(),
    }
}

fn forgiving(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/api/v1/session" || !(path.starts_with("/api") || path.starts_with("/ogc") || path.starts_with("/tiles"))
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
    if let Some((_, key)) = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| is_credential(n)) {
        return Some(Credential::Key(key.into_owned()));
    }
    CookieJar::from_headers(headers).get(COOKIE).map(|c| Credential::Session(c.value().to_owned()))
}

/// The key in `Authorization: Bearer`. Another scheme is a proxy's business, not ours. A key with odd bytes is a wrong key, not none.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let given = String::from_utf8_lossy(headers.get(header::AUTHORIZATION)?.as_bytes());
    let (scheme, token) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Cross-site request forgery: a change that comes with a cookie must come from our own pages. Browsers say where a request
/// comes from (Sec-Fetch-Site; Origin in older ones); programs without cookies are not concerned.
pub async fn same_site(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let cookie = CookieJar::from_headers(request.headers()).get(COOKIE).is_some();
    if changes && cookie && !from_own_page(request.headers()) {
        return Problem(Error::forbidden("跨站请求已被拒绝", "a request from another site was refused"))
            .into_response();
    }
    next.run(request).await
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
