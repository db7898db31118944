//! A sheet of paper: whether its layers may be printed, and what has to stand on it of where it comes from. The portal asks before it prints; the
//! answer leaves a record for each layer.

use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, ok};
use crate::access::rights::Right;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::tile::render::Drawn;

const MOST: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    layers: Vec<String>,
}

pub async fn sheet(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Wanted = body(&bytes)?;
    if wanted.layers.is_empty() || wanted.layers.len() > MOST {
        let (zh, en) = (format!("应有 1 到 {MOST} 个图层"), format!("there are to be 1 to {MOST} layers"));
        return Err(Error::invalid("layers", zh, en).into());
    }
    let opened: Vec<Drawn> = wanted.layers.iter().map(|id| ask.read_for(id, Right::Print)).collect::<Result<_>>()?;
    let snapshot = ask.app.catalog.snapshot();
    let title = |id: &str| snapshot.departments.iter().find(|d| *d.id == *id).map(|d| d.title.clone());
    let of_layer = |drawn: &Drawn| -> Value {
        let issued = drawn.grant.scope().issued.as_ref();
        json!({
            "layer": &*drawn.layer.id, "title": drawn.layer.title, "provider": title(&drawn.layer.department),
            "grant": issued.map(|issued| issued.id), "purpose": issued.map(|issued| &*issued.purpose),
        })
    };
    let printer = ask.principal.department.as_deref().and_then(title);
    Ok(ok(&json!({
        "layers": opened.iter().map(of_layer).collect::<Vec<_>>(), "department": printer,
        "at": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })))
}
