//! `/address/jobs`: files and layers of addresses, matched as durable jobs.

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::address::jobs::comparison::KINDS;
use crate::address::jobs::counts::By;
use crate::address::jobs::decision::Wish;
use crate::address::jobs::export::Format;
use crate::address::jobs::intake::OfLayer;
use crate::address::jobs::reading::Wanted;
use crate::address::jobs::results::Band;
use crate::address::jobs::{Action, Start};
use crate::error::{Error, Result};
use crate::feature::output::FileFormat;
use crate::http::api::{body, created, ok, uuid};
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;
use crate::http::parameters::Parameters;

/// Bytes of a form's parts other than the file.
const MOST_FORM: usize = 4 << 10;

/// A file by a form, or a layer by JSON.
pub async fn create(ask: Ask, request: Request) -> Answer {
    ask.parameters.clone().finish()?;
    let media = ask.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if media.starts_with("multipart/") {
        let multipart = Multipart::from_request(request, &()).await.map_err(|_| no_form())?;
        return Ok(created(&receive(&ask, multipart).await?));
    }
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .map_err(|_| Error::too_large("请求内容超过 1 MiB", "the body is larger than 1 MiB"))?;
    let wanted: OfLayer = body(&bytes).map_err(|e| {
        e.hint(
            "上传文件用 multipart 表单（curl -F data=@地址.csv），匹配图层用 JSON {\"layer\": …}",
            "send a file as a multipart form (curl -F data=@file.csv), name a layer by JSON {\"layer\": …}",
        )
    })?;
    Ok(created(&ask.app.address_jobs.of_layer(&ask.principal, ask.department()?, &wanted).await?))
}

fn no_form() -> Error {
    Error::invalid("data", "请求内容不是 multipart 表单", "the body is no multipart form")
        .hint("例如 curl -F data=@地址.csv …", "for example curl -F data=@file.csv …")
}

fn broken(e: MultipartError) -> Error {
    Error::invalid("data", "表单不完整或格式不正确", "the form is broken off or not well formed").because(e)
}

async fn receive(ask: &Ask, mut form: Multipart) -> Result<Value> {
    let mut encoding = None;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default() {
            "encoding" => encoding = Some(small(field).await?),
            "data" => {
                let filename = field.file_name().unwrap_or_default().to_owned();
                if filename.is_empty() {
                    return Err(Error::invalid("data", "缺少文件名", "the file has no name"));
                }
                let jobs = &ask.app.address_jobs;
                return jobs.receive(&ask.principal, ask.department()?, (&filename, encoding), Box::pin(field)).await;
            }
            other => {
                let shown: String = other.chars().take(60).collect();
                return Err(Error::invalid(
                    &shown,
                    format!("表单中有未知的部分 {shown}"),
                    format!("the form has an unknown part {shown}"),
                )
                .hint("encoding 要放在 data 之前", "put encoding before data"));
            }
        }
    }
    Err(Error::invalid("data", "缺少文件 data", "the file `data` is missing"))
}

async fn small(mut field: Field<'_>) -> Result<String> {
    let mut bytes = vec![];
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        if bytes.len() + piece.len() > MOST_FORM {
            return Err(Error::too_large("表单内容过长", "a part of the form is too long"));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("encoding", "应为编码名称", "it should name an encoding"))
}

pub async fn list(mut ask: Ask) -> Answer {
    let limit = ask.parameters.take_integer("limit", 1..=200)?.unwrap_or(50);
    ask.parameters.clone().finish()?;
    Ok(ok(&json!({"jobs": ask.app.address_jobs.list(ask.department()?, limit).await?})))
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&ask.app.address_jobs.get(ask.department()?, uuid(&id)?).await?))
}

pub async fn start(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let id = uuid(&id)?;
    // A job one may not know of is a 404, whatever the body.
    ask.app.address_jobs.get(ask.department()?, id).await?;
    let start: Start = body(&bytes)?;
    Ok(ok(&ask.app.address_jobs.start(&ask.principal, ask.department()?, id, &start).await?))
}

async fn steer(ask: &Ask, id: &str, action: Action) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&ask.app.address_jobs.steer(&ask.principal, ask.department()?, uuid(id)?, action).await?))
}

pub async fn pause(ask: Ask, Path(id): Path<String>) -> Answer {
    steer(&ask, &id, Action::Pause).await
}

pub async fn resume(ask: Ask, Path(id): Path<String>) -> Answer {
    steer(&ask, &id, Action::Resume).await
}

pub async fn cancel(ask: Ask, Path(id): Path<String>) -> Answer {
    steer(&ask, &id, Action::Cancel).await
}

pub async fn rerun(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(created(&ask.app.address_jobs.rerun(&ask.principal, ask.department()?, uuid(&id)?).await?))
}

pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.address_jobs.remove(&ask.principal, ask.department()?, uuid(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn take_band(parameters: &mut Parameters) -> Result<Option<Band>> {
    let Some(name) = parameters.take("band")? else { return Ok(None) };
    let wrong = || Error::invalid("band", "应为 auto、review 或 reject", "it must be auto, review or reject");
    Band::parse(&name).ok_or_else(wrong).map(Some)
}

/// The row behind which a page begins; the first one without it.
fn take_after(parameters: &mut Parameters) -> Result<i64> {
    Ok(parameters.take_integer("after", 0..=i64::MAX)?.unwrap_or(0))
}

pub async fn rows(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let p = &mut ask.parameters;
    let wanted = Wanted {
        band: take_band(p)?,
        decided: p.take_parsed("decided", "true 或 false", "true or false")?,
        q: p.take("q")?,
        after: take_after(p)?,
        limit: p.take_integer("limit", 1..=500)?.unwrap_or(50),
        row: None,
    };
    ask.parameters.clone().finish()?;
    let (rows, next) = ask.app.address_jobs.rows(&ask.principal, ask.department()?, uuid(&id)?, &wanted).await?;
    Ok(ok(&json!({"rows": rows, "next": next.map(|n| n.to_string())})))
}

pub async fn decide(ask: Ask, Path((id, row)): Path<(String, String)>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let (id, department) = (uuid(&id)?, ask.department()?);
    ask.app.address_jobs.get(department, id).await?;
    let row = row.parse().map_err(|_| Error::not_found("没有这一行", "there is no such row"))?;
    let wish: Wish = body(&bytes)?;
    Ok(ok(&ask.app.address_jobs.decide(&ask.principal, department, id, row, &wish).await?))
}

pub async fn comparison(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let p = &mut ask.parameters;
    let (after, limit) = (take_after(p)?, p.take_integer("limit", 1..=500)?.unwrap_or(50));
    let kind = p.take("change")?;
    if kind.as_deref().is_some_and(|k| !KINDS.contains(&k)) {
        return Err(
            Error::invalid("change", "应为 better、worse 或 changed", "it must be better, worse or changed").into()
        );
    }
    ask.parameters.clone().finish()?;
    let page = (kind.as_deref(), after, limit);
    Ok(ok(&ask.app.address_jobs.comparison(&ask.principal, ask.department()?, uuid(&id)?, page).await?))
}

pub async fn counts(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let by = ask.parameters.take("by")?;
    ask.parameters.clone().finish()?;
    let wrong = || Error::invalid("by", "应为 community、town 或 district", "it must be community, town or district");
    let by = By::parse(by.as_deref().unwrap_or("community")).ok_or_else(wrong)?;
    Ok(ok(&ask.app.address_jobs.counts(&ask.principal, ask.department()?, uuid(&id)?, by).await?))
}

pub async fn export(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let (format, band) = (ask.parameters.take("format")?, take_band(&mut ask.parameters)?);
    ask.parameters.clone().finish()?;
    let wrong = || Error::invalid("format", "应为 csv、xlsx 或 geojson", "it must be csv, xlsx or geojson");
    let format = Format::parse(format.as_deref().unwrap_or("csv")).ok_or_else(wrong)?;
    let export = ask.app.address_jobs.export(&ask.principal, ask.department()?, uuid(&id)?, (format, band)).await?;
    let name = format!("{}.matched", export.stem());
    let (media, content) = match format {
        Format::Csv => ("text/csv; charset=utf-8", Body::from_stream(export.csv())),
        Format::GeoJson => ("application/geo+json", Body::from_stream(export.geojson())),
        Format::Xlsx => (FileFormat::Workbook.media()[0], Body::from_stream(export.xlsx())),
    };
    let mut response = Response::new(content);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    attachment::name(&mut response, ("addresses.matched", &name), format.extension());
    Ok(response)
}

/// What the department's people decided for texts.
pub async fn aliases(mut ask: Ask) -> Answer {
    let p = &mut ask.parameters;
    let (q, after) = (p.take("q")?.unwrap_or_default(), p.take_integer("after", 0..=i64::MAX)?);
    let limit = p.take_integer("limit", 1..=500)?.unwrap_or(50);
    ask.parameters.clone().finish()?;
    let aliases = ask.app.aliases.list(ask.department()?, &q, after, limit).await?;
    let next = aliases.last().filter(|_| aliases.len() as i64 == limit).map(|a| a["id"].to_string());
    Ok(ok(&json!({"aliases": aliases, "next": next})))
}

pub async fn remove_alias(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let id = id.parse().map_err(|_| Error::not_found("没有这个别名", "there is no such alias"))?;
    ask.app.aliases.remove(&ask.principal, ask.department()?, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
