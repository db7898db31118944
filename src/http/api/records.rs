//! The catalogue of resources after the compilation guide of 2017: searched, written, exchanged, scored.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::requests::condition;
use super::{body, created, ok};
use crate::approval::Condition;
use crate::catalogue::exchange::{Form, MOST_BYTES};
use crate::catalogue::search::{DRIFTS, MOST, Wanted};
use crate::catalogue::{KINDS, OPENNESS, Record, Written};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;
use crate::http::parameters::Parameters;
use crate::layer::model::ShareClass;

/// A parameter that is one of several words.
fn choice(parameters: &mut Parameters, name: &str, words: &[&str]) -> Result<Option<String>> {
    let value = parameters.take(name)?;
    match value.as_deref().is_none_or(|v| words.contains(&v)) {
        true => Ok(value),
        false => {
            let words = words.join(", ");
            Err(Error::invalid(name, format!("可选：{words}"), format!("choose from {words}")))
        }
    }
}

pub async fn search(mut ask: Ask) -> Answer {
    let parameters = &mut ask.parameters;
    let wanted = Wanted {
        q: parameters.take("q")?,
        theme: parameters.take("theme")?,
        department: parameters.take("department")?,
        kind: choice(parameters, "kind", &KINDS)?,
        share_class: choice(parameters, "share_class", &ShareClass::ALL.map(ShareClass::name))?,
        openness: choice(parameters, "openness", &OPENNESS.map(|(name, _)| name))?,
        category: parameters.take("category")?,
        drift: choice(parameters, "drift", &DRIFTS)?,
        after: parameters.take("after")?,
        limit: parameters.take_integer("limit", 0..=MOST)?.unwrap_or(20),
    };
    ask.parameters.clone().finish()?;
    Ok(ok(&serde_json::to_value(ask.app.catalogue.search(&ask.principal, &wanted).await?)?))
}

pub async fn get(ask: Ask, Path(code): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    shown(&ask, &code).await
}

async fn shown(ask: &Ask, code: &str) -> Answer {
    let record = ask.app.catalogue.get(&ask.principal, code).await?;
    let mut response = ok(&serde_json::to_value(&record)?);
    tag(&mut response, &record);
    Ok(response)
}

fn tag(response: &mut Response, record: &Record) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", record.version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// Writes a record of what is no layer of this platform.
pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let written: Written = body(&bytes)?;
    let code = ask.app.catalogue.create(&ask.principal, ask.department()?, &written).await?;
    let record = ask.app.catalogue.get(&ask.principal, &code).await?;
    let mut response = created(&serde_json::to_value(&record)?);
    tag(&mut response, &record);
    if let Ok(value) = HeaderValue::from_str(&format!("{}{}", ask.base, record.link)) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

pub async fn change(ask: Ask, Path(code): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    // Whether there is such a record comes first: a condition must not tell.
    ask.app.catalogue.get(&ask.principal, &code).await?;
    let read = match condition(&ask.headers)? {
        Condition::Version(version) => Some(version),
        Condition::Any => None,
    };
    let patch: Map<String, Value> = body(&bytes)?;
    ask.app.catalogue.patch(&ask.principal, ask.department()?, &code, read, &Value::Object(patch)).await?;
    shown(&ask, &code).await
}

/// Takes over the fields of the layer's published revision.
pub async fn accept_fields(ask: Ask, Path(code): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.catalogue.accept_fields(&ask.principal, ask.department()?, &code).await?;
    shown(&ask, &code).await
}

pub async fn remove(ask: Ask, Path(code): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.catalogue.remove(&ask.principal, ask.department()?, &code).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn import(mut ask: Ask, bytes: Body) -> Answer {
    let dry = ask.parameters.take_parsed("dry_run", "true 或 false", "true or false")?.unwrap_or(false);
    ask.parameters.clone().finish()?;
    let bytes = to_bytes(bytes, MOST_BYTES)
        .await
        .map_err(|_| Error::too_large("文件最大 8 MiB", "the file is larger than 8 MiB, or broke off"))?;
    let imported = ask.app.catalogue.import(&ask.principal, ask.department()?, bytes, dry).await?;
    Ok(ok(&serde_json::to_value(imported)?))
}

pub async fn export(mut ask: Ask) -> Answer {
    let form = choice(&mut ask.parameters, "format", &["csv", "xlsx"])?;
    ask.parameters.clone().finish()?;
    let (form, extension, media) = match form.as_deref() {
        Some("xlsx") => (Form::Workbook, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        _ => (Form::Csv, "csv", "text/csv; charset=utf-8"),
    };
    let stream = ask.app.catalogue.export(&ask.principal, ask.department()?, form)?;
    let mut response = Response::new(Body::from_stream(stream));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    attachment::name(&mut response, ("catalogue", "信息资源目录"), extension);
    Ok(response)
}

pub async fn scores(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&serde_json::to_value(ask.app.catalogue.scores(&ask.principal).await?)?))
}
