//! Uploads: the tus 1.0 protocol (core, creation, termination), then inspection and load as jobs.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::json;

use super::{body, ok, uuid};
use crate::error::{Error, Kind, Result};
use crate::http::ask::{Answer, Ask};
use crate::layer::registry::layer_id;
use crate::upload::load::LoadRequest;

const VERSION: &str = "1.0.0";

/// What this server speaks of tus.
pub async fn options(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set(&mut response, "tus-version", VERSION);
    set(&mut response, "tus-extension", "creation,termination");
    set(&mut response, "tus-max-size", &ask.app.uploads.limit().to_string());
    Ok(tus(response))
}

fn tus(mut response: Response) -> Response {
    set(&mut response, "tus-resumable", VERSION);
    response
}

fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn integer(headers: &HeaderMap, name: &str) -> Result<i64> {
    let text = headers.get(name).and_then(|v| v.to_str().ok());
    text.and_then(|t| t.trim().parse().ok()).filter(|n: &i64| *n >= 0).ok_or_else(|| {
        Error::invalid(
            name,
            format!("缺少 {name} 请求头或其值不正确"),
            format!("the header {name} is missing or wrong"),
        )
        .hint("上传使用 tus 1.0 协议", "uploads use the tus 1.0 protocol")
    })
}

/// A client of another version of the protocol must not go on (tus 1.0, "Tus-Resumable").
fn same_version(headers: &HeaderMap) -> Result<()> {
    match headers.get("tus-resumable") {
        Some(version) if version != VERSION => {
            Err(Error::invalid("Tus-Resumable", "不支持该 tus 版本", "this version of tus is not spoken here")
                .hint("请使用 tus 1.0.0", "use tus 1.0.0"))
        }
        _ => Ok(()),
    }
}

/// `Upload-Metadata: filename <base64>, …`
fn filename(headers: &HeaderMap) -> Result<String> {
    let metadata = headers.get("upload-metadata").and_then(|v| v.to_str().ok()).unwrap_or_default();
    metadata
        .split(',')
        .filter_map(|pair| pair.trim().split_once(' '))
        .find(|(name, _)| *name == "filename" || *name == "name")
        .and_then(|(_, value)| base64::engine::general_purpose::STANDARD.decode(value.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Error::invalid(
                "Upload-Metadata",
                "缺少 filename（base64 编码的 UTF-8 文件名）",
                "filename is missing (the file's name in UTF-8, base64-encoded)",
            )
        })
}

pub async fn create(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    same_version(&ask.headers)?;
    let department = ask.app.gate.publisher(&ask.principal)?;
    let size = integer(&ask.headers, "upload-length")?;
    let id = ask.app.uploads.create(&ask.principal, &department, &filename(&ask.headers)?, size).await?;
    let mut response = StatusCode::CREATED.into_response();
    set(&mut response, "location", &format!("{}/api/v1/uploads/{id}", ask.base));
    Ok(tus(response))
}

pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&json!({"uploads": ask.app.uploads.list(ask.department()?).await?})))
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&serde_json::to_value(ask.app.uploads.get(ask.department()?, uuid(&id)?).await?)?))
}

pub async fn offset(ask: Ask, Path(id): Path<String>) -> Answer {
    let info = ask.app.uploads.get(ask.department()?, uuid(&id)?).await?;
    let mut response = StatusCode::OK.into_response();
    set(&mut response, "upload-offset", &info.offset.to_string());
    set(&mut response, "upload-length", &info.size.to_string());
    Ok(tus(response))
}

pub async fn append(ask: Ask, Path(id): Path<String>, request: Body) -> Answer {
    let media = ask.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if media != Some("application/offset+octet-stream") {
        return Err(Error::unsupported(
            "Content-Type 应为 application/offset+octet-stream",
            "the content type must be application/offset+octet-stream",
        )
        .into());
    }
    same_version(&ask.headers)?;
    let offset = integer(&ask.headers, "upload-offset")?;
    let department = ask.department()?;
    let arrived =
        ask.app.uploads.append(&ask.principal, department, uuid(&id)?, offset, request.into_data_stream()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set(&mut response, "upload-offset", &arrived.to_string());
    Ok(tus(response))
}

pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.uploads.remove(&ask.principal, ask.department()?, uuid(&id)?).await?;
    Ok(tus(StatusCode::NO_CONTENT.into_response()))
}

/// Starts loading one of the file's layers into a new revision.
pub async fn load(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let mut wanted: LoadRequest = body(&bytes)?;
    wanted.layer = layer_id(&wanted.layer)?;
    let info = ask.app.uploads.get(ask.department()?, uuid(&id)?).await?;
    if !matches!(info.state.as_str(), "inspected" | "loaded" | "published" | "failed") || info.inspection.is_none() {
        return Err(Error::conflict("该文件尚未完成检查", "the file has not been inspected yet").into());
    }
    // An existing layer must be one's own; a new one needs a publisher. The job asks again when it runs.
    match ask.edit(&wanted.layer) {
        Ok(_) => {}
        Err(e) if e.kind == Kind::NotFound => {
            ask.app.gate.publisher(&ask.principal)?;
        }
        Err(e) => return Err(e.into()),
    }
    let input = json!({"upload": info.id, "request": wanted});
    let job = ask.app.queue.put(&ask.principal, "upload.load", &input).await?;
    Ok((StatusCode::ACCEPTED, ok(&json!({ "job": job }))).into_response())
}
