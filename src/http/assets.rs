//! The portal: the built web page, inside the binary.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::cache_policy::{Keep, keep, not_modified, weak_etag};
use super::problem::Problem;
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "web/dist/"]
struct Dist;

/// Said when the binary was built without the web page (`make run` builds both).
const PLACEHOLDER: &str = "<!doctype html><meta charset=utf-8><title>onemap</title><p>网页尚未构建，请运行 make run。\
    The web page is not built: run <code>make run</code>. <a href=/ogc>OGC API</a>";

/// Only the page itself may load things, and only from here; styles may be inline because MapLibre and Element Plus set them.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
    worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'";

/// A file of the page; the page itself for every path of its own router.
pub async fn portal(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    if !matches!(*request.method(), Method::GET | Method::HEAD) || is_interface(&path) {
        return Problem(Error::not_found("没有这个地址", "there is nothing at this address").hint(
            "接口说明见 /ogc/api 与 /api/openapi.json",
            "the interfaces are described at /ogc/api and /api/openapi.json",
        ))
        .into_response();
    }
    match Dist::get(&path) {
        Some(file) if !path.is_empty() => {
            let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..12]));
            // Vite puts a hash of the content into the names of assets/.
            let policy = if path.starts_with("assets/") { Keep::Forever } else { Keep::Public };
            if let Some(response) = not_modified(request.headers(), &etag, policy) {
                return response;
            }
            let kind = HeaderValue::from_str(file.metadata.mimetype())
                .unwrap_or(HeaderValue::from_static("application/octet-stream"));
            keep(([(header::CONTENT_TYPE, kind)], file.data).into_response(), policy, Some(&etag))
        }
        _ if path.contains('.') => Problem(Error::not_found("没有这个文件", "there is no such file")).into_response(),
        _ => page(request.headers()),
    }
}

fn is_interface(path: &str) -> bool {
    ["api/", "ogc/", "tiles/", "styles/", "sprites/", "fonts/", "assets/"]
        .iter()
        .any(|prefix| path.starts_with(prefix) && Dist::get(path).is_none())
}

fn page(asked: &HeaderMap) -> Response {
    let html = Dist::get("index.html").map_or(PLACEHOLDER.as_bytes().into(), |f| f.data);
    let etag = weak_etag(&[&html]);
    if let Some(response) = not_modified(asked, &etag, Keep::Public) {
        return response;
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    keep((StatusCode::OK, headers, html).into_response(), Keep::Public, Some(&etag))
}
