//! Signed addresses of a department.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::grants::time;
use super::{body, created, ok};
use crate::access::signed::{NewSigned, Service};
use crate::error::Error;
use crate::http::ask::{Answer, Ask};

pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let client = ask.app.database.app().await?;
    let rows = client
        .query(
            "select id, label, layers, path, origin, to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                 to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), created_by, revoked_at is not null
             from onemap.signing_key where department_id = $1 order by created_at desc limit 1000",
            &[&ask.department()?],
        )
        .await?;
    let signed: Vec<Value> = rows
        .iter()
        .map(|r| {
            json!({"kid": r.get::<_, &str>(0), "label": r.get::<_, &str>(1), "layers": r.get::<_, Vec<&str>>(2),
                   "paths": r.get::<_, &str>(3).split(' ').collect::<Vec<_>>(), "origin": r.get::<_, Option<&str>>(4),
                   "expires": r.get::<_, &str>(5), "created": r.get::<_, &str>(6), "created_by": r.get::<_, &str>(7),
                   "revoked": r.get::<_, bool>(8)})
        })
        .collect();
    Ok(ok(&json!({ "signed": signed })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    label: String,
    layers: Vec<String>,
    services: Vec<Service>,
    until: String,
    origin: Option<String>,
}

pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let Wanted { label, layers, services, until, origin } = body(&bytes)?;
    let until =
        time("until", Some(&until))?.ok_or_else(|| Error::invalid("until", "缺少截止时间", "the end is missing"))?;
    let new = NewSigned { label, layers, services, until, origin };
    let signature = ask.app.login.sign(&ask.app.gate, &ask.principal, ask.department()?, &new).await?;
    ask.app.gate.reload(&ask.app.database).await?;
    let query = format!("kid={}&exp={}&sig={}", signature.kid, signature.exp, signature.sig);
    let ids = new.layers.join(",");
    let mut urls = serde_json::Map::new();
    for service in &new.services {
        let (name, path) = match service {
            Service::Tiles => ("tilejson", format!("/tiles/{ids}.json")),
            Service::Styles => ("style", format!("/styles/{}.json", new.layers[0])),
            Service::Wmts => ("wmts", "/ogc/wmts/1.0.0/WMTSCapabilities.xml".to_owned()),
        };
        urls.insert(name.into(), format!("{}{path}?{query}", ask.base).into());
    }
    Ok(created(
        &json!({"kid": signature.kid, "exp": signature.exp, "sig": signature.sig, "query": query, "urls": urls}),
    ))
}

pub async fn revoke(ask: Ask, Path(kid): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    match ask.app.login.revoke_signed(&ask.principal, ask.department()?, &kid).await? {
        true => {
            ask.app.gate.reload(&ask.app.database).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        false => {
            Err(Error::not_found("没有这个签名地址，或已吊销", "there is no such signed address, or it is revoked")
                .into())
        }
    }
}
