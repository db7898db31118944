//! A picture as an answer: its validator, who may keep it, its bytes.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::Answer;
use crate::http::ask::Ask;
use crate::http::cache_policy::{Keep, keep, not_modified};
use crate::picture::Wanted;

pub async fn answer(ask: &Ask, wanted: &Wanted) -> Answer {
    let drawn: Vec<_> = wanted.sheet.sources.iter().map(|source| source.drawn.clone()).collect();
    let key = ask.app.pictures.key(wanted);
    let policy = if ask.is_open_to_all(&drawn) { Keep::Public } else { Keep::Private };
    let etag = key.map(|key| format!("W/\"{key:032x}\""));
    if let Some(response) = etag.as_deref().and_then(|etag| not_modified(&ask.headers, etag, policy)) {
        return Ok(vary(response, policy));
    }
    let bytes = ask.app.pictures.render(wanted, key).await?;
    let mut response: Response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted.format.media()));
    Ok(vary(keep(response, policy, etag.as_deref()), policy))
}

/// What is open to all hangs on nothing of who asks.
fn vary(mut response: Response, policy: Keep) -> Response {
    if policy != Keep::Private {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}
