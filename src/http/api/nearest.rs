//! The features nearest to places.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::body;
use crate::http::ask::{Answer, Ask};
use crate::spatial::nearest::Wanted;

/// `{points | geometry, layers, k, max_distance}`.
pub async fn nearest(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Wanted = body(&bytes)?;
    let (found, _) = ask.app.spatial.nearest(&ask.principal, &wanted).await?;
    let mut response = Response::new(Body::from(found));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
