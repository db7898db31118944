//! A department's application keys.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, created, ok, uuid};
use crate::error::Error;
use crate::http::ask::{Answer, Ask};

pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let client = ask.app.database.app().await?;
    let rows = client
        .query(
            "select id, label, prefix, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                    to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), revoked_at is not null
             from onemap.app_key where department_id = $1 order by created_at desc",
            &[&ask.department()?],
        )
        .await?;
    let keys: Vec<Value> = rows
        .iter()
        .map(|r| {
            json!({"id": r.get::<_, uuid::Uuid>(0), "label": r.get::<_, &str>(1), "prefix": r.get::<_, &str>(2),
                   "created": r.get::<_, &str>(3), "expires": r.get::<_, Option<&str>>(4), "revoked": r.get::<_, bool>(5)})
        })
        .collect();
    Ok(ok(&json!({ "keys": keys })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    label: String,
    /// Days until it expires; at most ten years.
    days: Option<i32>,
}

pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let new: NewKey = body(&bytes)?;
    let label = new.label.trim();
    if label.is_empty() || label.chars().count() > 100 {
        return Err(Error::invalid("label", "名称为 1 到 100 个字", "a label has 1 to 100 characters").into());
    }
    if new.days.is_some_and(|d| !(1..=3650).contains(&d)) {
        return Err(Error::invalid("days", "有效期为 1 到 3650 天", "a key lives 1 to 3650 days").into());
    }
    let key = ask.app.login.create_key(&ask.principal, ask.department()?, label, new.days).await?;
    Ok(created(&json!({"id": key.id, "label": label, "prefix": key.prefix, "key": key.key})))
}

pub async fn revoke(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    match ask.app.login.revoke_key(&ask.principal, ask.department()?, uuid(&id)?).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => {
            Err(Error::not_found("没有这个密钥，或已吊销", "there is no such key, or it is revoked already").into())
        }
    }
}
