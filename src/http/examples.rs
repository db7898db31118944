//! The example pages of the demo: pages as departments build them, on the SDK. Elsewhere there are none, for they show the demo city.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use rust_embed::RustEmbed;

use super::ask::{Answer, Ask};
use super::cache_policy::{Keep, keep, not_modified};
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "examples/"]
struct Examples;

/// As the portal's: MapLibre sets styles and starts its workers from blobs.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
    worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'";

pub async fn page(ask: Ask, Path(example): Path<String>) -> Answer {
    serve(&ask, &format!("{example}/index.html"))
}

pub async fn file(ask: Ask, Path((example, file)): Path<(String, String)>) -> Answer {
    serve(&ask, &format!("{example}/{file}"))
}

fn serve(ask: &Ask, path: &str) -> Answer {
    let found = Examples::get(path).filter(|_| ask.app.config.examples);
    let file = found.ok_or_else(|| Error::not_found("没有这个示例", "there is no such example"))?;
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..12]));
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Public) {
        return Ok(response);
    }
    let kind =
        HeaderValue::from_str(file.metadata.mimetype()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    Ok(keep((headers, file.data).into_response(), Keep::Public, Some(&etag)))
}
