//! A department's application keys.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, created, ok, uuid};
use crate::access::keys::{NewKey, Wanted};
use crate::error::Error;
use crate::http::ask::{Answer, Ask};

/// Hours that a key goes on beside the one that takes its place.
const HOURS: i32 = 24;

pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let client = ask.app.database.app().await?;
    let rows = client
        .query(
            "select id, label, prefix, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                    to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), revoked_at is not null,
                    allowed_origins, allowed_addresses::text[], daily_quota, rate_limit, replaces,
                    coalesce((select requests from onemap.key_use where key_id = id
                        and day = (now() at time zone 'Asia/Shanghai')::date), 0)
             from onemap.app_key where department_id = $1 order by created_at desc",
            &[&ask.department()?],
        )
        .await?;
    let keys: Vec<Value> = rows
        .iter()
        .map(|r| {
            json!({"id": r.get::<_, uuid::Uuid>(0), "label": r.get::<_, &str>(1), "prefix": r.get::<_, &str>(2),
                   "created": r.get::<_, &str>(3), "expires": r.get::<_, Option<&str>>(4), "revoked": r.get::<_, bool>(5),
                   "origins": r.get::<_, Option<Vec<&str>>>(6), "addresses": r.get::<_, Option<Vec<&str>>>(7),
                   "daily_quota": r.get::<_, Option<i64>>(8), "rate_limit": r.get::<_, Option<i32>>(9),
                   "replaces": r.get::<_, Option<uuid::Uuid>>(10), "used_today": r.get::<_, i64>(11)})
        })
        .collect();
    Ok(ok(&json!({ "keys": keys })))
}

pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Wanted = body(&bytes)?;
    let key = ask.app.login.create_key(&ask.principal, ask.department()?, &wanted).await?;
    ask.app.gate.reload(&ask.app.database).await?;
    Ok(created(&shown(&key, json!({"label": wanted.label.trim()}))))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// Hours that the old key goes on.
    hours: Option<i32>,
}

/// Another key with the same bounds; both serve for a while.
pub async fn rotate(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let rotation: Rotation = if bytes.is_empty() { Rotation::default() } else { body(&bytes)? };
    let hours = rotation.hours.unwrap_or(HOURS);
    if !(0..=720).contains(&hours) {
        return Err(Error::invalid("hours", "为 0 到 720 小时", "it is between 0 and 720 hours").into());
    }
    let rotated = ask.app.login.rotate_key(&ask.principal, ask.department()?, uuid(&id)?, hours).await?;
    let key = rotated.ok_or_else(unknown)?;
    ask.app.gate.reload(&ask.app.database).await?;
    Ok(created(&shown(&key, json!({"replaces": id, "hours": hours}))))
}

/// A new key: the only time that its text is shown.
fn shown(key: &NewKey, mut document: Value) -> Value {
    document["id"] = json!(key.id);
    document["prefix"] = json!(key.prefix);
    document["key"] = json!(key.key);
    document
}

pub async fn revoke(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    match ask.app.login.revoke_key(&ask.principal, ask.department()?, uuid(&id)?).await? {
        true => {
            ask.app.gate.reload(&ask.app.database).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        false => Err(unknown().into()),
    }
}

fn unknown() -> Error {
    Error::not_found("没有这个密钥，或已吊销", "there is no such key, or it is revoked already")
}
