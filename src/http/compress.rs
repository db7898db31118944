//! Answers compressed as their caller takes it.

use std::convert::Infallible;
use std::future::ready;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use http_body::Body as HttpBody;
use tower::ServiceExt;
use tower_http::compression::Compression;

use super::negotiation;
use crate::feature::output::FileFormat;

/// Bytes below which an answer goes as it is.
const SMALL: u64 = 600;

pub async fn around(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let accepted = request.headers().get(header::ACCEPT_ENCODING).cloned();
    let response = next(request).await;
    if !is_worth_it(&response) {
        return response;
    }
    let mut asked = axum::http::Request::new(());
    asked.headers_mut().extend(accepted.map(|accepted| (header::ACCEPT_ENCODING, accepted)));
    let mut response = Some(response);
    let answered = tower::service_fn(move |_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let Ok(compressed) = Compression::new(answered).oneshot(asked).await;
    compressed.map(Body::new)
}

/// What is large enough and not compressed already. Events must not wait in a compressor, nor may the first bytes of a file.
fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let is_large = response.body().size_hint().exact().is_none_or(|bytes| bytes >= SMALL);
    is_large && !headers.contains_key(header::CONTENT_ENCODING) && !is_dense(headers)
}

fn is_dense(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let files = [FileFormat::Shapefile, FileFormat::Workbook, FileFormat::GeoPackage, FileFormat::FlatGeobuf];
    kind.starts_with("text/event-stream")
        || (kind.starts_with("image/") && !kind.starts_with("image/svg+xml"))
        || [negotiation::MVT, negotiation::MLT].iter().any(|tile| kind.starts_with(tile))
        || files.iter().any(|file| kind.starts_with(file.media()[0]))
}
