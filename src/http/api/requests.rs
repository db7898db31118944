//! Requests for shared layers: written, submitted, decided on, given back. What each state allows is said in `approval`.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use onemap_approval::{Action, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{body, created, ok, uuid};
use crate::approval::attachment::extension;
use crate::approval::days::Day;
use crate::approval::draft::Written;
use crate::approval::list::{MOST, View, Wanted};
use crate::approval::steps::Configured;
use crate::approval::terms::Narrowing;
use crate::approval::{Condition, Deed, Request};
use crate::error::{Error, Kind, Result};
use crate::http::ask::{Answer, Ask, Language};
use crate::http::attachment;

/// Decisions of one call.
const MOST_DECISIONS: usize = 200;

pub async fn list(mut ask: Ask) -> Answer {
    let view = match ask.parameters.take("view")? {
        None => View::All,
        Some(name) => View::parse(&name).ok_or_else(|| {
            let names = View::ALL.map(View::name).join(", ");
            Error::invalid(
                "view",
                format!("没有这种列表，可选：{names}"),
                format!("there is no such list; choose from {names}"),
            )
        })?,
    };
    let state = ask.parameters.take("state")?;
    if state.as_deref().is_some_and(|s| State::parse(s).is_none()) {
        return Err(Error::invalid("state", "没有这种状态", "there is no such state").into());
    }
    let layer = ask.parameters.take("layer")?;
    let after = ask.parameters.take_parsed("after", "上一页的 next", "the `next` of the page before")?;
    let limit = ask.parameters.take_integer("limit", 1..=MOST)?.unwrap_or(50);
    ask.parameters.clone().finish()?;
    let wanted = Wanted { view, state, layer, after, limit };
    Ok(ok(&serde_json::to_value(ask.app.approvals.list(&ask.principal, &wanted).await?)?))
}

pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let written: Written = body(&bytes)?;
    let id = ask.app.approvals.create(&ask.principal, &written).await?;
    let request = ask.app.approvals.get(&ask.principal, id).await?;
    let mut response = created(&serde_json::to_value(&request)?);
    tag(&mut response, &request);
    if let Ok(value) = HeaderValue::from_str(&format!("{}/api/v1/requests/{id}", ask.base)) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    shown(&ask, &id).await
}

async fn shown(ask: &Ask, id: &str) -> Answer {
    let request = ask.app.approvals.get(&ask.principal, uuid(id)?).await?;
    let mut response = ok(&serde_json::to_value(&request)?);
    tag(&mut response, &request);
    Ok(response)
}

fn tag(response: &mut Response, request: &Request) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", request.version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// The version in `If-Match`: two who decide at once must not both do so.
pub(super) fn condition(headers: &HeaderMap) -> Result<Condition> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Error::unconditional(
            "请用 If-Match 说明所读到的申请版本",
            "say by If-Match which version of the request you have read",
        )
        .hint("取 ETag 响应头的值；* 表示不论版本", "send the value of the ETag header; * is any version"));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Condition::Any);
    }
    text.trim_matches('"').parse().map(Condition::Version).map_err(|_| {
        Error::invalid("If-Match", "不是申请的版本", "it is no version of a request")
            .hint("例如 If-Match: \"3\"", "such as If-Match: \"3\"")
    })
}

pub async fn edit(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    // Whether there is such a request comes first: a condition must not tell.
    let known = ask.app.approvals.get(&ask.principal, uuid(&id)?).await?;
    let condition = condition(&ask.headers)?;
    let patch: Map<String, Value> = body(&bytes)?;
    ask.app.approvals.edit(&ask.principal, known.id, condition, &Value::Object(patch)).await?;
    shown(&ask, &id).await
}

pub async fn discard(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let known = ask.app.approvals.get(&ask.principal, uuid(&id)?).await?;
    ask.app.approvals.discard(&ask.principal, known.id, condition(&ask.headers)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default)]
    note: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Approval {
    #[serde(default)]
    note: String,
    granted: Option<Narrowing>,
    /// A GeoJSON polygon.
    area: Option<Value>,
}

async fn act(ask: &Ask, id: &str, deed: impl FnOnce() -> Result<Deed>) -> Answer {
    ask.parameters.clone().finish()?;
    let known = ask.app.approvals.get(&ask.principal, uuid(id)?).await?;
    let condition = condition(&ask.headers)?;
    let outcome = ask.app.approvals.act(&ask.principal, known.id, condition, &deed()?).await?;
    if outcome.rules {
        ask.app.refresh().await?;
    }
    shown(ask, id).await
}

fn plain(action: Action, bytes: &Bytes) -> Result<Deed> {
    let said: Said = if bytes.is_empty() { Said::default() } else { body(bytes)? };
    Ok(Deed::plain(action, said.note))
}

pub async fn submit(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || plain(Action::Submit, &bytes)).await
}

pub async fn withdraw(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || plain(Action::Withdraw, &bytes)).await
}

pub async fn send_back(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || plain(Action::Return, &bytes)).await
}

pub async fn reject(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || plain(Action::Reject, &bytes)).await
}

pub async fn revoke(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || plain(Action::Revoke, &bytes)).await
}

pub async fn surrender(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || plain(Action::Surrender, &bytes)).await
}

pub async fn approve(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    act(&ask, &id, || {
        let said: Approval = if bytes.is_empty() { Approval::default() } else { body(&bytes)? };
        Ok(Deed { action: Action::Approve, note: said.note, narrowing: said.granted, within: said.area })
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decisions {
    decisions: Vec<Decision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    id: uuid::Uuid,
    version: i32,
    /// approve, return or reject.
    action: String,
    #[serde(default)]
    note: String,
    granted: Option<Narrowing>,
    area: Option<Value>,
}

/// Many decisions, each by itself: one that fails keeps none of the others from being made.
pub async fn decide(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Decisions = body(&bytes)?;
    if wanted.decisions.is_empty() || wanted.decisions.len() > MOST_DECISIONS {
        return Err(Error::invalid("decisions", "一次 1 到 200 项", "1 to 200 decisions at once").into());
    }
    let (mut results, mut rules) = (vec![], false);
    for decision in wanted.decisions {
        let (id, version) = (decision.id, decision.version);
        let made = match deed_of(decision) {
            Ok(deed) => ask.app.approvals.act(&ask.principal, id, Condition::Version(version), &deed).await,
            Err(e) => Err(e),
        };
        results.push(match made {
            Ok(outcome) => {
                rules |= outcome.rules;
                let request = ask.app.approvals.get(&ask.principal, id).await?;
                json!({"id": id, "done": true, "state": request.state, "version": request.version})
            }
            // A fault of ours is not one of the request's: nothing is said of the rest.
            Err(e) if matches!(e.kind, Kind::Internal | Kind::Busy) => return Err(e.into()),
            Err(e) => {
                let detail = if ask.language == Language::Chinese { &e.detail.zh } else { &e.detail.en };
                json!({"id": id, "done": false, "problem": detail})
            }
        });
    }
    if rules {
        ask.app.refresh().await?;
    }
    Ok(ok(&json!({ "results": results })))
}

fn deed_of(decision: Decision) -> Result<Deed> {
    let action = match decision.action.as_str() {
        "approve" => Action::Approve,
        "return" => Action::Return,
        "reject" => Action::Reject,
        _ => {
            return Err(Error::invalid(
                "action",
                "批量处理只能是 approve、return 或 reject",
                "a decision is approve, return or reject",
            ));
        }
    };
    Ok(Deed { action, note: decision.note, narrowing: decision.granted, within: decision.area })
}

pub async fn history(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let events = ask.app.approvals.history(&ask.principal, uuid(&id)?).await?;
    Ok(ok(&json!({ "events": events })))
}

pub async fn attach(mut ask: Ask, Path(id): Path<String>, bytes: Body) -> Answer {
    let filename = ask.parameters.take("filename")?;
    ask.parameters.clone().finish()?;
    let known = ask.app.approvals.get(&ask.principal, uuid(&id)?).await?;
    let condition = condition(&ask.headers)?;
    let filename = filename.ok_or_else(|| Error::invalid("filename", "缺少文件名", "the file's name is missing"))?;
    let stream = bytes.into_data_stream();
    ask.app.approvals.attach(&ask.principal, known.id, condition, &filename, stream).await?;
    shown(&ask, &id).await
}

/// The file, to be saved: what strangers sent is never shown within our own origin.
pub async fn attached(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let file = ask.app.approvals.attached(&ask.principal, uuid(&id)?).await?;
    let bytes = tokio::fs::read(&file.path).await?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&file.media).map_err(Error::internal)?);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    let stem = file.filename.rsplit_once('.').map_or(file.filename.as_str(), |(stem, _)| stem);
    attachment::name(&mut response, ("attachment", stem), extension(&file.media));
    Ok(response)
}

/// The caller's department; the platform's administrator sees to any.
fn department_of(ask: &mut Ask) -> Result<String> {
    let own = ask.department()?.to_owned();
    let Some(named) = ask.parameters.take("department")? else { return Ok(own) };
    let platform = ask.principal.role() == Some(crate::access::principal::Role::PlatformAdministrator);
    match named == own || (platform && ask.app.catalog.snapshot().departments.iter().any(|d| *d.id == *named)) {
        true => Ok(named),
        false => Err(Error::invalid("department", "只能设置本单位的审批步骤", "only your own department's steps")),
    }
}

pub async fn steps(mut ask: Ask) -> Answer {
    let department = department_of(&mut ask)?;
    let layer = ask.parameters.take("layer")?;
    ask.parameters.clone().finish()?;
    let steps = ask.app.approvals.steps(&department, layer.as_deref()).await?;
    Ok(ok(&json!({"department": department, "layer": layer, "steps": steps})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    steps: Vec<Configured>,
}

pub async fn set_steps(mut ask: Ask, bytes: Bytes) -> Answer {
    let department = department_of(&mut ask)?;
    let layer = ask.parameters.take("layer")?;
    ask.parameters.clone().finish()?;
    let wanted: Steps = body(&bytes)?;
    ask.app.approvals.set_steps(&ask.principal, &department, layer.as_deref(), &wanted.steps).await?;
    let steps = ask.app.approvals.steps(&department, layer.as_deref()).await?;
    Ok(ok(&json!({"department": department, "layer": layer, "steps": steps})))
}

fn year(text: &str) -> Result<i64> {
    text.parse()
        .ok()
        .filter(|y| (2000..=2100).contains(y))
        .ok_or_else(|| Error::invalid("year", "年份为 2000 到 2100", "a year from 2000 to 2100"))
}

pub async fn calendar(ask: Ask, Path(of): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let year = year(&of)?;
    Ok(ok(&json!({"year": year, "days": ask.app.approvals.days(year).await?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    days: Vec<Day>,
}

pub async fn set_calendar(ask: Ask, Path(of): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let year = year(&of)?;
    let wanted: Days = body(&bytes)?;
    ask.app.approvals.set_days(&ask.principal, year, &wanted.days).await?;
    Ok(ok(&json!({"year": year, "days": ask.app.approvals.days(year).await?})))
}
