//! OGC API Features Part 4: features created, replaced, updated and deleted by their layer's own department. Of an annotation layer
//! everybody there may draw; the others' marks are left to them and to the publishers.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use super::features::feature_id;
use crate::access::rights::Right;
use crate::error::{Error, Result};
use crate::feature::write::feature;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::{Answer, Ask};
use crate::layer::edit::{Change, Content, Editing, Pen};
use crate::tile::render::Drawn;

/// What a body is: a whole feature, or what is to change of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Feature,
    Patch,
}

impl Body {
    fn media(self) -> &'static [&'static str] {
        match self {
            Body::Feature => &["application/geo+json", "application/json"],
            Body::Patch => &["application/merge-patch+json", "application/geo+json", "application/json"],
        }
    }
}

pub async fn create(ask: Ask, Path(id): Path<String>, body: Bytes) -> Answer {
    let (pen, drawn) = open(&ask, &id)?;
    let content = content(&ask, &drawn, &body, Body::Feature)?;
    let made = editing(&ask, &pen, &drawn).create(content).await?;
    shown(&ask).await;
    let mut response = StatusCode::CREATED.into_response();
    let location = format!("{}/ogc/collections/{id}/items/{made}", ask.base);
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Error::internal)?);
    Ok(response)
}

pub async fn replace(ask: Ask, Path(path): Path<(String, String)>, body: Bytes) -> Answer {
    change(ask, path, |ask, drawn| Ok(Change::Replace(content(ask, drawn, &body, Body::Feature)?))).await
}

pub async fn update(ask: Ask, Path(path): Path<(String, String)>, body: Bytes) -> Answer {
    change(ask, path, |ask, drawn| Ok(Change::Merge(content(ask, drawn, &body, Body::Patch)?))).await
}

pub async fn delete(ask: Ask, Path(path): Path<(String, String)>) -> Answer {
    change(ask, path, |_, _| Ok(Change::Delete)).await
}

/// What this caller may do with the collection's features.
pub async fn items_options(ask: Ask, Path(id): Path<String>) -> Answer {
    options(&ask, &id, "GET, HEAD, OPTIONS", "GET, HEAD, OPTIONS, POST", &[("accept-post", Body::Feature)])
}

/// What this caller may do with a feature.
pub async fn item_options(ask: Ask, Path((id, _)): Path<(String, String)>) -> Answer {
    let all = "GET, HEAD, OPTIONS, PUT, PATCH, DELETE";
    options(&ask, &id, "GET, HEAD, OPTIONS", all, &[("accept-patch", Body::Patch)])
}

fn options(
    ask: &Ask,
    id: &str,
    reading: &'static str,
    writing: &'static str,
    bodies: &[(&'static str, Body)],
) -> Answer {
    let drawn = ask.describe(id)?;
    let state = drawn.layer.state();
    let writes = ask.pen(id).is_ok() && !state.source.registered && state.archive.is_none();
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(if writes { writing } else { reading }));
    for (name, body) in bodies.iter().filter(|_| writes) {
        if let Ok(value) = HeaderValue::from_str(&body.media().join(", ")) {
            headers.insert(*name, value);
        }
    }
    Ok(response)
}

async fn change(
    ask: Ask,
    (id, feature): (String, String),
    read: impl FnOnce(&Ask, &Drawn) -> Result<Change>,
) -> Answer {
    let (pen, drawn) = open(&ask, &id)?;
    let feature = feature_id(&feature)?;
    let change = read(&ask, &drawn)?;
    let expected = if_match(&ask.headers)?;
    editing(&ask, &pen, &drawn).change(feature, expected.as_deref(), change).await?;
    shown(&ask).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Permission first, then whether there is anything to edit.
pub fn open(ask: &Ask, id: &str) -> Result<(Pen, Drawn)> {
    let pen = ask.pen(id)?;
    let drawn = match pen {
        Pen::Publisher(_) | Pen::Annotator(_) => ask.read(id)?,
        Pen::Grantee(_) => ask.read_for(id, Right::Write)?,
    };
    ask.parameters.clone().finish()?;
    Ok((pen, drawn))
}

pub fn editing<'a>(ask: &'a Ask, pen: &'a Pen, drawn: &'a Drawn) -> Editing<'a> {
    Editing { store: &ask.app.store, layer: &drawn.layer, read: &drawn.grant, pen }
}

/// The writer sees what it wrote: this node's tiles have it before the answer goes out.
pub async fn shown(ask: &Ask) {
    if let Err(e) = ask.app.edits.catch_up().await {
        // It is written; the tiles follow when the database is back.
        tracing::warn!("an edit is not in the tiles yet: {e}");
    }
}

fn content(ask: &Ask, drawn: &Drawn, bytes: &Bytes, body: Body) -> Result<Content> {
    let text = |name: header::HeaderName| ask.headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let media = text(header::CONTENT_TYPE).map(|m| m.split(';').next().unwrap_or_default().trim());
    let takes = body.media();
    if media.is_some_and(|m| !takes.iter().any(|known| m.eq_ignore_ascii_case(known))) {
        let first = format!("Content-Type: {}", takes[0]);
        return Err(Error::unsupported("要素须以 GeoJSON 提交", "features are written as GeoJSON").hint(&first, &first));
    }
    let crs = match text(header::HeaderName::from_static("content-crs")) {
        None => CRS84,
        Some(uri) => {
            let offered = ask.offered(&drawn.layer, &drawn.grant);
            written_crs(uri.trim_start_matches('<').trim_end_matches('>'), &offered)?
        }
    };
    let (state, scope) = (drawn.layer.state(), drawn.grant.scope());
    if scope.fields.is_none() {
        return feature(state, bytes, body == Body::Feature, crs);
    }
    // A field that is not granted does not exist, and keeps what it holds.
    let mut granted = state.clone();
    granted.fields.retain(|field| scope.sees_field(&field.name));
    feature(&granted, bytes, body == Body::Feature, crs)
}

/// Features are written in the systems that the collection is offered in.
fn written_crs(uri: &str, offered: &[Crs]) -> Result<Crs> {
    Crs::parse(uri).filter(|crs| offered.contains(crs)).ok_or_else(|| {
        let uris: Vec<String> = offered.iter().map(|crs| crs.uri()).collect();
        Error::invalid("content-crs", "不支持以该坐标参考系写入", "features are not written in this CRS")
            .hint(format!("可用：{}", uris.join("、")), format!("choose one of {}", uris.join(", ")))
    })
}

/// The states of the feature that the caller allows; none for `*`, which allows every one. An ETag names the state before its dash. A
/// proxy that compresses makes tags weak: they are taken all the same.
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
    match tags.is_empty() {
        false => Ok(Some(tags)),
        // Whoever does not say what it has seen would overwrite what it has not.
        true => Err(Error::unconditional(
            "修改要素须用 If-Match 写明所依据的状态",
            "a change names in If-Match the state that it is based on",
        )),
    }
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
        assert!(if_match(&HeaderMap::new()).is_err());
    }
}
