//! Cross-origin access: pages of other origins may read answers with a key. Cookies are never sent across
//! (no `allow-credentials`).

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, content-crs, accept, accept-language, if-match, if-none-match, prefer, range",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, link, location, content-crs, content-datum, content-disposition, preference-applied, retry-after, x-request-id",
);

/// Answers preflights itself. An OPTIONS request that is none (tus asks so what the server speaks) is the router's.
pub async fn around(app: &App, request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let origins = &app.config.cors_origins;
    let allowed = allowed_origin(origins, request.headers());
    let preflight =
        *request.method() == Method::OPTIONS && request.headers().contains_key("access-control-request-method");
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next(request).await };
    let headers = response.headers_mut();
    if !origins.iter().any(|o| o == "*") {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    let Some(origin) = allowed else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// The origin that may read the answer: any, or the caller's when it is one of the configured.
fn allowed_origin(configured: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    if configured.iter().any(|o| o == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let origin = headers.get(header::ORIGIN)?;
    configured.iter().any(|o| o.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configured_origins_are_allowed() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://a.example"));
        let of = |list: &[&str]| allowed_origin(&list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), &headers);
        assert_eq!(of(&["https://a.example"]).unwrap(), "https://a.example");
        assert_eq!(of(&["https://b.example"]), None);
        assert_eq!(of(&["*"]).unwrap(), "*");
        assert_eq!(of(&[]), None);
    }
}
