//! What there is to know of a collection's fields, as JSON Schema (2020-12): the schema (Part 5), queryables (Part 3) and sortables
//! (Part 8). All three name what the grant shows, and nothing else.

use axum::extract::Path;
use serde_json::{Map, Value, json};

use super::query::GEOMETRY;
use super::{Format, features, format, html};
use crate::http::ask::{Answer, Ask, Language};
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::layer::model::{Field, FieldType, State};
use crate::layer::select;
use crate::tile::render::Drawn;

pub const MEDIA: &str = "application/schema+json";
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A field with at most so many values names them.
const MOST_CHOICES: usize = 30;

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Schema,
    Queryables,
    Sortables,
}

impl Resource {
    pub fn name(self) -> &'static str {
        match self {
            Resource::Schema => "schema",
            Resource::Queryables => "queryables",
            Resource::Sortables => "sortables",
        }
    }
    pub fn title(self, language: Language) -> &'static str {
        let chinese = language == Language::Chinese;
        match self {
            Resource::Schema if chinese => "字段",
            Resource::Schema => "Schema",
            Resource::Queryables if chinese => "可查询的字段",
            Resource::Queryables => "Queryables",
            Resource::Sortables if chinese => "可排序的字段",
            Resource::Sortables => "Sortables",
        }
    }
}

pub async fn schema(ask: Ask, path: Path<String>) -> Answer {
    answer(ask, path, Resource::Schema)
}

pub async fn queryables(ask: Ask, path: Path<String>) -> Answer {
    answer(ask, path, Resource::Queryables)
}

pub async fn sortables(ask: Ask, path: Path<String>) -> Answer {
    answer(ask, path, Resource::Sortables)
}

fn answer(mut ask: Ask, Path(id): Path<String>, resource: Resource) -> Answer {
    let drawn = ask.describe(&id)?;
    drawn.layer.state().need_rows()?;
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let document = document(&ask, &drawn, resource);
    let etag = weak_etag(&[document.to_string().as_bytes(), &[format as u8, ask.language as u8]]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let response = match format {
        Format::Json => ask.json(MEDIA, document),
        Format::Html => {
            features::below(&ask, &drawn, resource.title(ask.language), &html::schema(&ask, resource, &document))
        }
    };
    Ok(keep(response, Keep::Private, Some(&etag)))
}

pub fn document(ask: &Ask, drawn: &Drawn, resource: Resource) -> Value {
    let state = drawn.layer.state();
    let visible = select::visible_fields(state, drawn.grant.scope());
    let temporal = select::temporal_field(state, drawn.grant.scope());
    // What fields hold is told to those who may ask for features.
    let reads = ask.read(&drawn.layer.id).ok();
    let mut properties = Map::new();
    if resource == Resource::Schema {
        // What GeoJSON has beside the properties: the id of the feature.
        let title = ask.language.word("要素标识", "Feature id");
        properties.insert(
            state.source.key.clone(),
            json!({"title": title, "type": "integer", "readOnly": true, "x-ogc-role": "id", "x-ogc-propertySeq": 1}),
        );
    }
    for field in visible {
        let mut schema = field_schema(field, ask.language);
        if temporal == Some(field) && resource != Resource::Sortables {
            schema["x-ogc-role"] = "primary-instant".into();
        }
        if let (Resource::Queryables, FieldType::Text) = (resource, field.kind)
            && let Some(choices) = reads.as_ref().and_then(|reads| ask.app.tiles.choices(reads, field, MOST_CHOICES))
        {
            schema["enum"] = choices.into();
        }
        schema["x-ogc-propertySeq"] = (properties.len() + 1).into();
        properties.insert(field.name.clone(), schema);
    }
    if let (Some(geometry), true) = (geometry_schema(state), resource != Resource::Sortables) {
        let mut geometry = geometry;
        geometry["title"] = ask.language.word("几何", "Geometry").into();
        geometry["x-ogc-propertySeq"] = (properties.len() + 1).into();
        properties.entry(GEOMETRY).or_insert(geometry);
    }
    json!({
        "$schema": DIALECT,
        "$id": format!("{}/ogc/collections/{}/{}", ask.base, drawn.layer.id, resource.name()),
        "type": "object",
        "title": ask.language.pick(&drawn.layer.title),
        "description": ask.language.pick(&drawn.layer.description),
        "properties": properties,
        "additionalProperties": false,
    })
}

pub fn title(field: &Field, language: Language) -> &str {
    match language {
        Language::English if !field.title_en.is_empty() => &field.title_en,
        _ if !field.title_zh.is_empty() => &field.title_zh,
        _ => &field.name,
    }
}

fn field_schema(field: &Field, language: Language) -> Value {
    let (kind, format) = field.kind.json_schema();
    let mut schema = json!({"title": title(field, language), "type": kind});
    if let Some(format) = format {
        schema["format"] = format.into();
    }
    schema
}

/// The geometry as Part 5 has it: no type, but a format of its own.
fn geometry_schema(state: &State) -> Option<Value> {
    state.source.geometry.as_ref()?;
    let kind = state.geometry_type.as_deref().unwrap_or("Geometry");
    let format = match kind.trim_end_matches(['Z', 'M']) {
        "Point" => "geometry-point",
        "MultiPoint" => "geometry-multipoint",
        "LineString" => "geometry-linestring",
        "MultiLineString" => "geometry-multilinestring",
        "Polygon" => "geometry-polygon",
        "MultiPolygon" => "geometry-multipolygon",
        "GeometryCollection" => "geometry-geometrycollection",
        _ => "geometry-any",
    };
    Some(json!({"format": format, "x-ogc-role": "primary-geometry"}))
}
