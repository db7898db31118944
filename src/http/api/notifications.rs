//! What one is told: the inbox, its stream, and the department's webhooks.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;

use super::{body, created, ok, uuid};
use crate::error::Error;
use crate::http::ask::{Answer, Ask};
use crate::notice::inbox::{MOST, Reader};
use crate::notice::webhook::KINDS;

pub async fn list(mut ask: Ask) -> Answer {
    let unread = ask.parameters.take_parsed("unread", "true 或 false", "true or false")?.unwrap_or(false);
    let before = ask.parameters.take_integer("before", 1..=i64::MAX)?;
    let limit = ask.parameters.take_integer("limit", 1..=MOST)?.unwrap_or(50);
    ask.parameters.clone().finish()?;
    let reader = Reader::of(&ask.principal)?;
    Ok(ok(&serde_json::to_value(ask.app.notices.inbox(&reader, unread, before, limit).await?)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(default)]
    ids: Vec<i64>,
    up_to: Option<i64>,
}

pub async fn read(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Read = body(&bytes)?;
    if wanted.ids.len() > 1000 {
        return Err(Error::invalid("ids", "一次最多 1000 条", "at most 1000 messages at once").into());
    }
    let reader = Reader::of(&ask.principal)?;
    let unread = ask.app.notices.mark_read(&reader, &wanted.ids, wanted.up_to).await?;
    Ok(ok(&json!({ "unread": unread })))
}

/// Server-sent events: the unread count at once, then with each new message.
pub async fn events(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let news = ask.app.notices.news(Reader::of(&ask.principal)?);
    let events =
        news.map(|news| Ok::<_, Infallible>(Event::default().data(serde_json::to_string(&news).unwrap_or_default())));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

pub async fn webhooks(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&json!({"webhooks": ask.app.notices.webhooks(ask.department()?).await?, "kinds": KINDS})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    url: String,
    kinds: Option<Vec<String>>,
}

pub async fn create_webhook(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let new: NewWebhook = body(&bytes)?;
    let made =
        ask.app.notices.create_webhook(&ask.principal, ask.department()?, &new.url, new.kinds.as_deref()).await?;
    Ok(created(&serde_json::to_value(made)?))
}

pub async fn remove_webhook(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.notices.remove_webhook(&ask.principal, ask.department()?, uuid(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
