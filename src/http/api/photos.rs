//! Photos of marks.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::json;

use super::{created, ok, uuid};
use crate::annotation::photos::LARGEST;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::http::ogc::features::feature_id;
use crate::http::ogc::transactions::{editing, open, shown};

pub async fn add(ask: Ask, Path((layer, mark)): Path<(String, String)>, body: Body) -> Answer {
    let (pen, drawn) = open(&ask, &layer)?;
    let id = feature_id(&mark)?;
    let photo = ask.app.photos.add(&editing(&ask, &pen, &drawn), id, file(body).await?).await?;
    shown(&ask).await;
    Ok(created(&json!({"id": photo, "href": format!("{}{}/{photo}", ask.base, ask.path)})))
}

/// The body as it comes, up to the limit.
async fn file(body: Body) -> Result<Vec<u8>> {
    let mut file = vec![];
    let mut stream = body.into_data_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|e| {
            Error::invalid("body", "照片未完整送达", "the photo did not arrive whole").because(e.to_string())
        })?;
        if file.len() + piece.len() > LARGEST {
            return Err(Error::too_large("照片超过 10 MB", "the photo is larger than 10 MB"));
        }
        file.extend_from_slice(&piece);
    }
    Ok(file)
}

pub async fn list(ask: Ask, Path((layer, mark)): Path<(String, String)>) -> Answer {
    let drawn = ask.read(&layer)?;
    ask.parameters.clone().finish()?;
    let photos = ask.app.photos.list(&drawn.layer, &drawn.grant, feature_id(&mark)?).await?;
    Ok(ok(&json!({ "photos": photos })))
}

/// `size=thumbnail` is the small one.
pub async fn get(mut ask: Ask, Path((layer, mark, photo)): Path<(String, String, String)>) -> Answer {
    let drawn = ask.read(&layer)?;
    let thumbnail = match ask.parameters.take("size")?.as_deref() {
        None | Some("full") => false,
        Some("thumbnail") => true,
        Some(_) => {
            return Err(Error::invalid("size", "size 应为 full 或 thumbnail", "size is full or thumbnail").into());
        }
    };
    ask.parameters.clone().finish()?;
    let of = (feature_id(&mark)?, uuid(&photo)?);
    let picture = ask.app.photos.picture(&drawn.layer, &drawn.grant, of, thumbnail).await?;
    // A photo never changes; whether it may still be seen was just asked.
    let etag = weak_etag(&[photo.as_bytes(), &[u8::from(thumbnail)]]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let mut response = Response::new(Body::from(picture));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    Ok(keep(response, Keep::Private, Some(&etag)))
}

pub async fn remove(ask: Ask, Path((layer, mark, photo)): Path<(String, String, String)>) -> Answer {
    let (pen, drawn) = open(&ask, &layer)?;
    let (mark, photo) = (feature_id(&mark)?, uuid(&photo)?);
    ask.app.photos.remove(&editing(&ask, &pen, &drawn), mark, photo).await?;
    shown(&ask).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}
