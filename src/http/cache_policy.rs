//! Caching, said per answer. What is not said here is `no-store`: a forgotten answer must not stay in somebody's proxy.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// How an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Never changes under this address and is open to all.
    Forever,
    /// Open to all; ask again each time.
    Public,
    /// For the one who asked; ask again each time.
    Private,
}

impl Keep {
    fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Keep::Forever => "public, max-age=31536000, immutable",
            Keep::Public => "public, no-cache",
            Keep::Private => "private, no-cache",
        })
    }
}

/// Marks an answer with its policy and, when it has one, its validator.
pub fn keep(mut response: Response, policy: Keep, etag: Option<&str>) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, policy.value());
    if let Some(value) = etag.and_then(|e| HeaderValue::from_str(e).ok()) {
        headers.insert(header::ETAG, value);
    }
    response
}

/// 304 when the caller has this state already (RFC 9110, 13.1.2: weak comparison).
pub fn not_modified(headers: &HeaderMap, etag: &str, policy: Keep) -> Option<Response> {
    let given = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let same = given.trim() == "*" || given.split(',').any(|tag| opaque(tag) == opaque(etag));
    same.then(|| keep(StatusCode::NOT_MODIFIED.into_response(), policy, Some(etag)))
}

/// A weak validator of whatever the parts stand for.
pub fn weak_etag(parts: &[&[u8]]) -> String {
    format!("W/\"{}\"", digest(parts))
}

/// A digest of the parts, for a validator.
pub fn digest(parts: &[&[u8]]) -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..12])
}

/// The headers that every answer has, and `no-store` where nothing else was said.
pub async fn around(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let mut response = next(request).await;
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers
        .entry(header::VARY)
        .or_insert(HeaderValue::from_static("Accept, Accept-Encoding, Accept-Language, Authorization, Cookie"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}
