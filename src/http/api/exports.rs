//! A layer's tiles as a file: put as a job, fetched when it is done.

use std::io::SeekFrom;
use std::path::Path;

use axum::body::{Body, Bytes};
use axum::extract::Path as UrlPath;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{body, ok, uuid};
use crate::access::datastore::Watch;
use crate::access::gate::sign_in;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;
use crate::tile::export::{job, zooms};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Wanted {
    minzoom: Option<i64>,
    maxzoom: Option<i64>,
}

/// Starts an export of what the caller may see of the layer.
pub async fn begin(ask: Ask, UrlPath(id): UrlPath<String>, bytes: Bytes) -> Answer {
    let drawn = ask.export(&id)?;
    ask.parameters.clone().finish()?;
    if ask.principal.is_anonymous() {
        return Err(sign_in().into());
    }
    let wanted: Wanted = if bytes.is_empty() { Wanted::default() } else { body(&bytes)? };
    let zooms = zooms(wanted.minzoom, wanted.maxzoom)?;
    let job = job::request(&ask.app.queue, &ask.principal, drawn.grant.layer(), zooms).await?;
    Ok((StatusCode::ACCEPTED, ok(&json!({ "job": job }))).into_response())
}

/// The finished file. The rights to its layer are asked again.
pub async fn fetch(ask: Ask, UrlPath(id): UrlPath<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let app = &ask.app;
    let open = |layer: &str| ask.export(layer).map(|drawn| drawn.grant);
    let (path, layer) =
        job::fetch((&app.queue, &app.database, &app.exports), ask.department()?, uuid(&id)?, open).await?;
    let watch = app.store.watch(&ask.export(&layer)?.grant)?;
    let mut response = file(&ask.headers, &path, "application/vnd.pmtiles", Some(watch)).await?;
    attachment::name(&mut response, (&layer, &layer), "pmtiles");
    Ok(response)
}

/// A file, or the range of it that is asked for, as long as `watch` sees no reason to stop.
pub(super) async fn file(
    asked: &HeaderMap,
    path: &Path,
    media: &'static str,
    watch: Option<Watch>,
) -> Result<Response> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    let (from, length, status) = match range(asked, size) {
        None => (0, size, StatusCode::OK),
        Some((from, to)) => (from, to - from + 1, StatusCode::PARTIAL_CONTENT),
    };
    file.seek(SeekFrom::Start(from)).await?;
    let mut response = (status, streamed(file, length, watch)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // It is compressed already; named so, it is not compressed again on its way.
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{size}", from + length - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(Error::internal)?);
    }
    Ok(response)
}

/// The one range that is asked for, first and last byte; anything else is answered by the whole (RFC 9110, 14.2).
fn range(headers: &HeaderMap, size: u64) -> Option<(u64, u64)> {
    let (from, to) = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let last = size.checked_sub(1)?;
    let (from, to) = match (from, to) {
        ("", suffix) => (size.saturating_sub(suffix.parse().ok()?), last),
        (from, "") => (from.parse().ok()?, last),
        (from, to) => (from.parse().ok()?, to.parse::<u64>().ok()?.min(last)),
    };
    (from <= to).then_some((from, to))
}

/// The rest of a file, for as long as the grant holds.
fn streamed(file: tokio::fs::File, length: u64, watch: Option<Watch>) -> Response {
    let pieces = futures_util::stream::try_unfold((file.take(length), watch), |(mut file, mut watch)| async move {
        watch.as_mut().map_or(Ok(()), Watch::look_now_and_then)?;
        let mut piece = Vec::with_capacity(256 << 10);
        let n = (&mut file).take(256 << 10).read_to_end(&mut piece).await?;
        Ok::<_, Error>((n > 0).then(|| (Bytes::from(piece), (file, watch))))
    });
    Response::new(Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood() {
        let of =
            |text: &'static str| range(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(text))]), 100);
        assert_eq!(of("bytes=0-9"), Some((0, 9)));
        assert_eq!(of("bytes=90-"), Some((90, 99)));
        assert_eq!(of("bytes=-5"), Some((95, 99)));
        assert_eq!(of("bytes=50-500"), Some((50, 99)));
        for whole in ["bytes=9-0", "bytes=100-", "bytes=1-2,4-5", "lines=1-2", "bytes=x-"] {
            assert_eq!(of(whole), None, "{whole}");
        }
    }
}
