//! The OpenAPI 3.0.3 document of the OGC endpoints, with a concrete path for every collection the caller may read.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::common::readable;
use super::html::{self, page};
use super::{Format, format};
use crate::feature::output::FileFormat;
use crate::feature::query::{DEFAULT_LIMIT, MOST_FEATURES};
use crate::geo::crs::Crs;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, keep};
use crate::http::negotiation::MVT;
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select::visible_fields;

const MEDIA: &str = "application/vnd.oai.openapi+json;version=3.0";

pub async fn document(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let document = build(&ask);
    let response: Response = match format {
        Format::Json => super::json_response(MEDIA, &document),
        Format::Html => {
            let paths: Vec<&str> =
                document["paths"].as_object().map(|p| p.keys().map(String::as_str).collect()).unwrap_or_default();
            page(&ask, "OpenAPI 3.0", &html::list(paths.into_iter()))
        }
    };
    Ok(keep(response, Keep::Private, None))
}

fn build(ask: &Ask) -> Value {
    let mut paths = Map::new();
    let mut simple = |path: &str, id: &str, summary: &str, media: &str, parameters: Value| {
        paths.insert(path.to_owned(), json!({"get": operation(id, summary, media, parameters)}));
    };
    simple("/", "landing", "Landing page", "application/json", json!([f()]));
    simple("/conformance", "conformance", "Conformance classes", "application/json", json!([f()]));
    simple("/collections", "collections", "Collections", "application/json", json!([f()]));
    simple("/tileMatrixSets", "matrixSets", "Tile matrix sets", "application/json", json!([f()]));
    simple(
        "/tileMatrixSets/{tileMatrixSetId}",
        "matrixSet",
        "A tile matrix set",
        "application/json",
        json!([set(), f()]),
    );
    simple("/tiles", "tilesets", "Tilesets of the whole dataset", "application/json", json!([f()]));
    let list = json!({"name": "collections", "in": "query", "description": "Layers, comma-separated",
                      "schema": {"type": "array", "items": {"type": "string"}}, "style": "form", "explode": false});
    simple("/tiles/{tileMatrixSetId}", "tileset", "A tileset", "application/json", json!([set(), list, f()]));
    let tile_path = "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}";
    let place = [set(), matrix(), row(), column()];
    let parameters: Vec<Value> = place.iter().cloned().chain([list]).chain(tile_parameters()).collect();
    simple(tile_path, "tile", "A tile of several layers", MVT, parameters.into());
    for (layer, grant) in readable(ask) {
        let fields: Vec<Field> = visible_fields(layer.state(), grant.scope()).into_iter().cloned().collect();
        let crs = ask.offered(&layer, &grant).into_iter().map(Crs::uri).collect();
        collection_paths(&mut paths, ask, &layer, (&fields, crs));
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "onemap 政务一张图", "version": env!("CARGO_PKG_VERSION"),
            "description": "The city's shared layers: OGC API Features and Tiles.",
        },
        "servers": [{"url": format!("{}/ogc", ask.base)}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A department's application key"},
                "key": {"type": "apiKey", "in": "query", "name": "key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "onemap_session"},
            },
            "schemas": {"problem": {
                "type": "object", "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                    "detail": {"type": "string"}, "parameter": {"type": "string"}, "hint": {"type": "string"},
                    "request_id": {"type": "string"},
                },
            }},
        },
        "security": [{}, {"bearer": []}, {"key": []}, {"session": []}],
    })
}

fn operation(id: &str, summary: &str, media: &str, parameters: Value) -> Value {
    let problem = json!({"description": "Problem", "content": {"application/problem+json": {
        "schema": {"$ref": "#/components/schemas/problem"}}}});
    let schema = if media == MVT { json!({"type": "string", "format": "binary"}) } else { json!({"type": "object"}) };
    let mut content = Map::new();
    content.insert(media.to_owned(), json!({ "schema": schema }));
    if media != MVT {
        content.insert("text/html".into(), json!({"schema": {"type": "string"}}));
    }
    let mut responses = Map::new();
    responses.insert("200".into(), json!({"description": summary, "content": content}));
    if media == MVT {
        responses.insert("204".into(), json!({"description": "An empty tile"}));
    }
    for status in ["400", "401", "403", "404", "503"] {
        responses.insert(status.into(), problem.clone());
    }
    json!({"operationId": id, "summary": summary, "parameters": parameters, "responses": responses})
}

fn f() -> Value {
    json!({"name": "f", "in": "query", "description": "The representation", "schema": {"type": "string", "enum": ["json", "html"]}})
}
/// What an answer of several features may be: a page, or a file of all.
fn file_parameters() -> Vec<Value> {
    let formats: Vec<&str> = ["json", "html"].into_iter().chain(FileFormat::ALL.map(FileFormat::name)).collect();
    let one_of = |name: &str, what: &str, values: &[&str]| json!({"name": name, "in": "query", "description": what, "schema": {"type": "string", "enum": values}});
    vec![
        one_of("f", "The representation. Files have all features, unless limit says how many", &formats),
        one_of("datum", "For files: coordinates that are shifted on purpose, for display only", &["gcj02", "bd09"]),
        one_of("encoding", "For shp: how texts are stored", &["utf-8", "gbk"]),
        one_of("geometry", "For csv and xlsx: how geometries are written", &["lonlat", "wkt", "none"]),
    ]
}
fn set() -> Value {
    json!({"name": "tileMatrixSetId", "in": "path", "required": true, "schema": {"type": "string", "enum": TileMatrixSet::ALL.map(TileMatrixSet::id)}})
}
fn matrix() -> Value {
    json!({"name": "tileMatrix", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 0, "maximum": 24}})
}
fn row() -> Value {
    json!({"name": "tileRow", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 0}})
}
/// What tiles are asked for beside their place.
fn tile_parameters() -> [Value; 4] {
    let list = |name: &str, what: &str| {
        json!({"name": name, "in": "query", "description": what, "style": "form", "explode": false,
               "schema": {"type": "array", "items": {"type": "string"}}})
    };
    [
        list("fields", "Of the fields only these, comma-separated"),
        json!({"name": "filter", "in": "query", "description": "CQL2 text: features that meet it", "schema": {"type": "string"}}),
        json!({"name": "filter-lang", "in": "query", "description": "The filter's language",
               "schema": {"type": "string", "enum": ["cql2-text"], "default": "cql2-text"}}),
        json!({"name": "f", "in": "query", "description": "The representation", "schema": {"type": "string", "enum": ["mvt"]}}),
    ]
}
fn column() -> Value {
    json!({"name": "tileCol", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 0}})
}

fn collection_paths(
    paths: &mut Map<String, Value>,
    ask: &Ask,
    layer: &Published,
    (fields, crs): (&[Field], Vec<String>),
) {
    let id = &*layer.id;
    let title = ask.language.pick(&layer.title);
    let crs_parameter = |name: &str, what: &str| json!({"name": name, "in": "query", "description": what, "schema": {"type": "string", "format": "uri", "enum": crs}});
    let mut parameters = vec![
        json!({"name": "limit", "in": "query", "description": "The most features of a page", "style": "form", "explode": false,
               "schema": {"type": "integer", "minimum": 1, "maximum": MOST_FEATURES, "default": DEFAULT_LIMIT}}),
        json!({"name": "bbox", "in": "query", "description": "Features that intersect the box", "style": "form", "explode": false,
               "schema": {"type": "array", "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                          "items": {"type": "number"}}}),
        json!({"name": "datetime", "in": "query", "description": "An instant or an interval", "style": "form", "explode": false,
               "schema": {"type": "string"}}),
        crs_parameter("crs", "The CRS of the answer"),
        crs_parameter("bbox-crs", "The CRS of bbox"),
        json!({"name": "cursor", "in": "query", "description": "From the `next` link", "schema": {"type": "string"}}),
    ];
    parameters.extend(file_parameters());
    for field in fields {
        parameters.push(json!({"name": field.name, "in": "query", "description": field.title_zh, "style": "form",
                               "explode": false, "schema": schema(field)}));
    }
    let base = format!("/collections/{id}");
    let mut add = |path: String, operation: Value| paths.insert(path, json!({ "get": operation }));
    let operation_id = |what: &str| format!("{what}.{id}");
    let edits = !layer.state().source.registered && layer.state().archive.is_none() && ask.edit(id).is_ok();
    add(base.clone(), operation(&operation_id("collection"), title, "application/json", json!([f()])));
    let feature = json!({"name": "featureId", "in": "path", "required": true, "schema": {"type": "integer"}});
    if layer.state().archive.is_none() {
        add(
            format!("{base}/items"),
            operation(&operation_id("items"), title, "application/geo+json", Value::Array(parameters)),
        );
        let single = json!([feature.clone(), crs_parameter("crs", "The CRS of the answer"), f()]);
        add(
            format!("{base}/items/{{featureId}}"),
            operation(&operation_id("item"), title, "application/geo+json", single),
        );
    }
    if layer.state().has_tiles() {
        add(format!("{base}/tiles"), operation(&operation_id("tilesets"), title, "application/json", json!([f()])));
        add(
            format!("{base}/tiles/{{tileMatrixSetId}}"),
            operation(&operation_id("tileset"), title, "application/json", json!([set(), f()])),
        );
        add(
            format!("{base}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"),
            operation(
                &operation_id("tile"),
                title,
                MVT,
                [set(), matrix(), row(), column()].into_iter().chain(tile_parameters()).collect(),
            ),
        );
    }
    if edits {
        writing(paths, id, title, &feature, fields);
    }
}

/// What the layer's own editors may do beside reading.
fn writing(paths: &mut Map<String, Value>, id: &str, title: &str, feature: &Value, fields: &[Field]) {
    let properties: Map<String, Value> = fields.iter().map(|f| (f.name.clone(), schema(f))).collect();
    let body = |required: &[&str]| {
        json!({"required": true, "content": {"application/geo+json": {"schema": {
        "type": "object", "required": required, "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "geometry": {"type": "object", "nullable": true},
            "properties": {"type": "object", "nullable": true, "additionalProperties": false, "properties": properties},
        }}}}})
    };
    let if_match = json!({"name": "If-Match", "in": "header", "schema": {"type": "string"},
        "description": "The ETag of the feature that is to be changed; 412 when it is another one by now"});
    let mut add = |path: &str, method: &str, status: &str, parameters: Value, body: Option<Value>| {
        let mut operation = operation(&format!("{method}.{id}"), title, "application/geo+json", parameters);
        let mut problems = operation["responses"].as_object().cloned().unwrap_or_default();
        problems.remove("200");
        let problem = problems.get("400").cloned().unwrap_or_default();
        problems.insert(status.into(), json!({"description": "Done"}));
        problems.extend(["409", "412", "415"].map(|status| (status.to_owned(), problem.clone())));
        operation["responses"] = Value::Object(problems);
        if let Some(body) = body {
            operation["requestBody"] = body;
        }
        paths[path][method] = operation;
    };
    let (items, item) = (format!("/collections/{id}/items"), format!("/collections/{id}/items/{{featureId}}"));
    add(&items, "post", "201", json!([]), Some(body(&["type", "geometry", "properties"])));
    add(&item, "put", "204", json!([feature, if_match]), Some(body(&["type", "geometry", "properties"])));
    add(&item, "patch", "204", json!([feature, if_match]), Some(body(&["type"])));
    add(&item, "delete", "204", json!([feature, if_match]), None);
}

fn schema(field: &Field) -> Value {
    let (kind, format) = field.kind.json_schema();
    let mut schema = json!({ "type": kind });
    if let Some(format) = format {
        schema["format"] = format.into();
    }
    schema
}
