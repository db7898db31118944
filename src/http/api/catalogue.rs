//! Departments, topics and the layers one may know of.

use axum::extract::Path;
use serde_json::{Value, json};

use super::ok;
use crate::access::policy::Standing;
use crate::error::Error;
use crate::geo::crs::Crs;
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::layer::model::Layer;
use crate::tile::store::{TILE_LIMIT, Wanted};

pub async fn departments(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&json!({"departments": ask.app.catalog.snapshot().departments})))
}

pub async fn topics(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&json!({"topics": ask.app.catalog.snapshot().themes})))
}

/// `?q=` finds by title (zh, en) or id, `theme=` and `department=` narrow.
pub async fn layers(mut ask: Ask) -> Answer {
    let q = ask.parameters.take("q")?.map(|q| q.to_lowercase());
    let theme = ask.parameters.take("theme")?;
    let department = ask.parameters.take("department")?;
    ask.parameters.clone().finish()?;
    let found: Vec<Value> = ask
        .app
        .catalog
        .visible(&ask.app.gate, &ask.principal)
        .iter()
        .filter(|(layer, _)| theme.as_ref().is_none_or(|t| layer.theme.as_ref() == Some(t)))
        .filter(|(layer, _)| department.as_ref().is_none_or(|d| **d == *layer.department))
        .filter(|(layer, _)| q.as_ref().is_none_or(|q| names(layer).contains(q.as_str())))
        .map(|(layer, standing)| summary(layer, standing))
        .collect();
    let document = json!({ "layers": found });
    let etag = weak_etag(&[document.to_string().as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    Ok(keep(ok(&document), Keep::Private, Some(&etag)))
}

fn names(layer: &Layer) -> String {
    format!("{}\n{}\n{}", layer.title.zh, layer.title.en, layer.id).to_lowercase()
}

pub(super) fn summary(layer: &Layer, standing: &Standing) -> Value {
    let (access, scope) = match standing {
        Standing::Edits => ("edit", None),
        Standing::Marks => ("annotate", None),
        Standing::Reads(scope) => ("read", Some(scope)),
        _ => ("request", None),
    };
    // Figures of the whole are only for those who may see the whole.
    let whole = matches!(access, "edit" | "annotate") || scope.is_some_and(|s| s.is_all());
    let state = layer.state.as_ref();
    json!({
        "id": layer.id, "title": layer.title, "abstract": layer.description,
        "department": layer.department, "theme": layer.theme,
        "share_class": layer.class.name(), "anonymous": layer.anonymous,
        "geometry": state.and_then(|s| s.geometry_type.clone()),
        "tiles_only": state.is_some_and(|s| s.archive.is_some()),
        "annotation": layer.annotation,
        "access": access,
        "partial": !whole && access == "read",
        "feature_count": state.and_then(|s| s.feature_count).filter(|_| whole),
        "bbox": state.and_then(|s| s.bbox).filter(|_| whole),
        "revision": state.map(|s| s.number),
        "updated": layer.updated, "synthetic": layer.synthetic,
    })
}

pub async fn layer(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let visible = ask.app.catalog.visible(&ask.app.gate, &ask.principal);
    let (layer, standing) = visible
        .into_iter()
        .find(|(layer, _)| *layer.id == *id)
        .ok_or_else(|| Error::not_found("没有这个图层", "there is no such layer"))?;
    let mut document = summary(&layer, &standing);
    document["source"] = layer.source.clone().into();
    if let Some(state) = &layer.state {
        // Field names are part of the catalogue: one must know what to request. Values are not.
        let fields: Vec<Value> = state
            .fields
            .iter()
            .map(|f| {
                let readable = match &standing {
                    Standing::Edits | Standing::Marks => true,
                    Standing::Reads(scope) => scope.sees_field(&f.name),
                    _ => false,
                };
                json!({"name": f.name, "type": f.kind, "title": {"zh": f.title_zh, "en": f.title_en}, "readable": readable})
            })
            .collect();
        document["fields"] = fields.into();
        document["crs"] = Crs::epsg(state.srid.max(4326)).uri().into();
        document["current_revision"] = state.number.into();
        if Wanted::of(&layer).is_some() {
            document["tile_index"] = json!(ask.app.tiles.indexes().status(state.revision));
        }
    }
    if standing == Standing::Edits {
        document["tile_rank"] = layer.thinning.rank.clone().into();
        document["tile_limit"] = layer.thinning.limit.unwrap_or(TILE_LIMIT).into();
        document["suppression"] = json!(layer.suppression);
    }
    if standing == Standing::Edits && layer.state.as_ref().is_some_and(|s| !s.source.registered && s.archive.is_none())
    {
        document["view"] = format!("map.\"{}\"", layer.id).into();
    }
    Ok(ok(&document))
}
