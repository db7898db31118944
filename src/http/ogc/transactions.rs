//! OGC API Features Part 4: features created, replaced, updated and deleted by their layer's own department.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use super::features::feature_id;
use crate::access::grant::{Edit, Grant};
use crate::error::{Error, Result};
use crate::feature::write::feature;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::{Answer, Ask};
use crate::layer::edit::{Change, Content, Editing};
use crate::tile::render::Drawn;

pub async fn create(ask: Ask, Path(id): Path<String>, body: Bytes) -> Answer {
    let (edit, drawn) = open(&ask, &id)?;
    let content = content(&ask, &drawn, &body, true)?;
    let made = editing(&ask, &edit, &drawn).create(&content).await?;
    shown(&ask).await;
    let mut response = StatusCode::CREATED.into_response();
    let location = format!("{}/ogc/collections/{id}/items/{made}", ask.base);
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Error::internal)?);
    Ok(response)
}

pub async fn replace(ask: Ask, Path(path): Path<(String, String)>, body: Bytes) -> Answer {
    change(ask, path, |ask, drawn| Ok(Change::Replace(content(ask, drawn, &body, true)?))).await
}

pub async fn update(ask: Ask, Path(path): Path<(String, String)>, body: Bytes) -> Answer {
    change(ask, path, |ask, drawn| Ok(Change::Merge(content(ask, drawn, &body, false)?))).await
}

pub async fn delete(ask: Ask, Path(path): Path<(String, String)>) -> Answer {
    change(ask, path, |_, _| Ok(Change::Delete)).await
}

async fn change(
    ask: Ask,
    (id, feature): (String, String),
    read: impl FnOnce(&Ask, &Drawn) -> Result<Change>,
) -> Answer {
    let (edit, drawn) = open(&ask, &id)?;
    let feature = feature_id(&feature)?;
    let change = read(&ask, &drawn)?;
    let expected = if_match(&ask.headers)?;
    editing(&ask, &edit, &drawn).change(feature, expected.as_deref(), &change).await?;
    shown(&ask).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Permission first, then whether there is anything to edit.
fn open(ask: &Ask, id: &str) -> Result<(Grant<Edit>, Drawn)> {
    let edit = ask.edit(id)?;
    let drawn = ask.read(id)?;
    ask.parameters.clone().finish()?;
    Ok((edit, drawn))
}

fn editing<'a>(ask: &'a Ask, edit: &'a Grant<Edit>, drawn: &'a Drawn) -> Editing<'a> {
    Editing { store: &ask.app.store, layer: &drawn.layer, read: &drawn.grant, edit }
}

/// The writer sees what it wrote: this node's tiles have it before the answer goes out.
async fn shown(ask: &Ask) {
    if let Err(e) = ask.app.edits.catch_up().await {
        // It is written; the tiles follow when the database is back.
        tracing::warn!("an edit is not in the tiles yet: {e}");
    }
}

fn content(ask: &Ask, drawn: &Drawn, body: &Bytes, whole: bool) -> Result<Content> {
    let text = |name: header::HeaderName| ask.headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let media = text(header::CONTENT_TYPE).map(|m| m.split(';').next().unwrap_or_default().trim());
    let json = ["application/geo+json", "application/json", "application/merge-patch+json"];
    if media.is_some_and(|m| !json.iter().any(|known| m.eq_ignore_ascii_case(known))) {
        return Err(Error::unsupported("要素须以 GeoJSON 提交", "features are written as GeoJSON")
            .hint("Content-Type: application/geo+json", "Content-Type: application/geo+json"));
    }
    let crs = text(header::HeaderName::from_static("content-crs"));
    if crs.is_some_and(|uri| Crs::parse(uri.trim_start_matches('<').trim_end_matches('>')) != Some(CRS84)) {
        return Err(Error::invalid("content-crs", "写入的坐标须为 CRS84（经度在前）", "features are written in CRS84"));
    }
    feature(drawn.layer.state(), body, whole)
}

/// The states of the feature that the caller allows; none allows every one. An ETag names the state before its dash. A proxy that
/// compresses makes tags weak: they are taken all the same.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Vec<String>>> {
    let mut tags = vec![];
    for value in headers.get_all(header::IF_MATCH) {
        for tag in value.to_str().map_err(|_| bad_tag())?.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(None);
            }
            let opaque = tag.trim_start_matches("W/").strip_prefix('"').and_then(|t| t.strip_suffix('"'));
            let state = opaque.ok_or_else(bad_tag)?.split('-').next().unwrap_or_default();
            tags.push(state.to_owned());
        }
    }
    Ok((!tags.is_empty()).then_some(tags))
}

fn bad_tag() -> Error {
    Error::invalid("if-match", "If-Match 应为 ETag", "If-Match should hold ETags")
        .hint("例如 If-Match: \"…\"，值取自 GET 的 ETag", "take it from the ETag header of a GET, with its quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> Result<Option<Vec<String>>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
        if_match(&headers)
    }

    #[test]
    fn tags_name_states() {
        assert_eq!(of("\"ab-12\", W/\"cd-34\"").unwrap().unwrap(), ["ab", "cd"]);
        assert_eq!(of("*").unwrap(), None);
        assert!(of("ab").is_err());
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
    }
}
