//! Which layers are searched for addresses, and how their indexes are doing.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, ok};
use crate::access::grant::Read;
use crate::access::policy::Scope;
use crate::address::guess::guess_of_layer;
use crate::address::mapping::Mapping;
use crate::address::sources::{self, AddressSource, PRIORITY};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::layer::model::{Layer, State};

/// The sources that the caller may search, with the state of this node's index of each.
pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let mut found = vec![];
    for source in ask.app.addresses.sources().snapshot().values() {
        let Ok(grant) = ask.app.gate.open::<Read>(&ask.principal, &source.layer) else { continue };
        let Ok(layer) = ask.app.catalog.of(&grant) else { continue };
        found.push(document(&ask, &layer, source, grant.scope()));
    }
    Ok(ok(&json!({"sources": found})))
}

fn document(ask: &Ask, layer: &Layer, source: &AddressSource, scope: &Scope) -> Value {
    let searched = source.mapping.fields().iter().all(|f| scope.sees_field(f));
    // Figures of the whole are only for those who may see the whole.
    let mut index = json!(ask.app.addresses.indexes().status(&source.layer));
    if !scope.is_all() {
        index = json!({"state": index["state"]});
    }
    json!({
        "layer": source.layer, "title": layer.title, "department": layer.department,
        "mapping": *source.mapping, "priority": source.priority, "updated": source.updated,
        "division": source.mapping.division().map(|e| e.name()),
        // A grant that leaves a mapped field out leaves the source out.
        "searched": searched, "partial": !scope.is_all(),
        "index": index,
    })
}

/// How a layer is a source; and what its fields look like, for its owner to confirm.
pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.describe(&id)?;
    ask.parameters.clone().finish()?;
    let snapshot = ask.app.addresses.sources().snapshot();
    let source = snapshot.get(&*drawn.layer.id);
    let source = source.map(|s| document(&ask, &drawn.layer, s, drawn.grant.scope()));
    let guess = guess_of_layer(&drawn.layer, drawn.layer.state());
    Ok(ok(&json!({
        "layer": id, "source": source, "guess": {"mapping": guess.mapping, "report": guess.report},
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Without it the guess is taken.
    mapping: Option<Mapping>,
    priority: Option<u8>,
}

/// Makes the layer a source, or changes how it is one.
pub async fn put(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let grant = ask.edit(&id)?;
    ask.parameters.clone().finish()?;
    let layer = ask.app.catalog.published(&grant)?;
    let wanted: Wanted = if bytes.trim_ascii().is_empty() { body(&Bytes::from_static(b"{}"))? } else { body(&bytes)? };
    let snapshot = ask.app.addresses.sources().snapshot();
    let before = snapshot.get(&*layer.id);
    let mapping = match wanted.mapping {
        Some(mapping) => mapping,
        None => match before {
            Some(before) => Mapping::clone(&before.mapping),
            None => guess_of_layer(&layer, layer.state()).mapping,
        },
    };
    check(&mapping, layer.state())?;
    let priority = wanted.priority.or(before.map(|b| b.priority)).unwrap_or(PRIORITY);
    sources::set(&ask.app.database, &grant, &mapping, priority).await?;
    ask.app.refresh().await?;
    get(ask, Path(id)).await
}

pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    let grant = ask.edit(&id)?;
    ask.parameters.clone().finish()?;
    if !sources::remove(&ask.app.database, &grant).await? {
        return Err(Error::not_found("该图层不是地址源", "this layer is no address source").into());
    }
    ask.app.refresh().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn check(mapping: &Mapping, state: &State) -> Result<()> {
    sources::check(state)?;
    mapping.check(state.fields.iter().map(|f| f.name.as_str()))
}
