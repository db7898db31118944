//! What many operations share.

use serde_json::{Map, Value, json};

use crate::feature::output::FileFormat;
use crate::feature::query::{DEFAULT_LIMIT, MOST_FEATURES};
use crate::geo::crs::Crs;
use crate::geo::tms::TileMatrixSet;
use crate::layer::filter::Language;
use crate::layer::model::Field;

/// Parameters that are the same everywhere, by the name under which operations refer to them.
pub fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

pub fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema,
           "style": "form", "explode": false})
}

fn place(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema})
}

pub fn names(name: &str, description: &str) -> Value {
    query(name, description, json!({"type": "array", "items": {"type": "string"}}))
}

pub fn components() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let formats: Vec<&str> = ["json", "html"].into_iter().chain(FileFormat::ALL.map(FileFormat::name)).collect();
    let parameters = json!({
        "f": query("f", "The representation; without it, Accept decides", json!({"type": "string", "enum": ["json", "html"]})),
        "items-f": query("f", "The representation; without it, Accept decides. Files have all features, unless limit says how many",
            json!({"type": "string", "enum": formats})),
        "datum": query("datum", "For files: coordinates that are shifted on purpose, for display only",
            json!({"type": "string", "enum": ["gcj02", "bd09"]})),
        "encoding": query("encoding", "For shp: how texts are stored", json!({"type": "string", "enum": ["utf-8", "gbk"], "default": "utf-8"})),
        "geometry": query("geometry", "For csv and xlsx: how geometries are written",
            json!({"type": "string", "enum": ["lonlat", "wkt", "none"]})),
        "limit": query("limit", "The most features of a page; more than the maximum is taken as the maximum",
            json!({"type": "integer", "minimum": 1, "maximum": MOST_FEATURES, "default": DEFAULT_LIMIT})),
        "cursor": query("cursor", "From a `next` or `prev` link", json!({"type": "string"})),
        "bbox": query("bbox", "Features that meet the box: four numbers, or six of which the heights are ignored",
            json!({"type": "array", "items": {"type": "number"},
                   "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]})),
        "datetime": query("datetime", "An instant or an interval, `..` for an open end", json!({"type": "string"})),
        "filter": query("filter", "CQL2: features that meet it", json!({"type": "string", "maxLength": onemap_cql2::MAX_BYTES})),
        "filter-lang": query("filter-lang", "The filter's language",
            json!({"type": "string", "enum": Language::ALL.map(Language::id), "default": Language::default().id()})),
        "skipGeometry": query("skipGeometry", "Without geometries", json!({"type": "boolean", "default": false})),
        "collections": names("collections", "Layers, comma-separated"),
        "fields": names("fields", "Of the fields only these, comma-separated"),
        "tile-f": query("f", "The representation", json!({"type": "string", "enum": ["mvt", "mlt"]})),
        "tileMatrixSetId": place("tileMatrixSetId", "The tile matrix set",
            json!({"type": "string", "enum": TileMatrixSet::ALL.map(TileMatrixSet::id)})),
        "tileMatrix": place("tileMatrix", "The zoom", json!({"type": "integer", "minimum": 0, "maximum": 24})),
        "tileRow": place("tileRow", "Counted from the north", count.clone()),
        "tileCol": place("tileCol", "Counted from the west", count),
        "featureId": place("featureId", "The feature", json!({"type": "integer"})),
        "If-Match": {"name": "If-Match", "in": "header", "required": true, "schema": {"type": "string"},
            "description": "The ETag of the state that the change is based on, or *; 428 without it, 412 when it is another by now"},
        "Content-Crs": {"name": "Content-Crs", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The CRS of the coordinates in the body as <URI>; CRS84 without it"},
    });
    json!({
        "parameters": parameters,
        "responses": {
            "problem": {"description": "What is wrong and what to do", "content": {"application/problem+json": {
                "schema": {"$ref": "#/components/schemas/problem"}}}},
        },
        "schemas": schemas(),
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "A department's application key"},
            "key": {"type": "apiKey", "in": "query", "name": "key"},
            "session": {"type": "apiKey", "in": "cookie", "name": "onemap_session"},
        },
    })
}

fn schemas() -> Value {
    json!({
        "problem": {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string"}, "parameter": {"type": "string"}, "hint": {"type": "string"},
                "request_id": {"type": "string"},
            },
        },
        "link": {
            "type": "object", "required": ["href", "rel"],
            "properties": {"href": {"type": "string"}, "rel": {"type": "string"}, "type": {"type": "string"},
                           "title": {"type": "string"}},
        },
        "features": {
            "type": "object", "required": ["type", "features"],
            "properties": {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
                "numberMatched": {"type": "integer"}, "numberReturned": {"type": "integer"},
                "timeStamp": {"type": "string", "format": "date-time"},
            },
        },
        "feature": {
            "type": "object", "required": ["type", "geometry", "properties"],
            "properties": {
                "type": {"type": "string", "enum": ["Feature"]}, "id": {"type": "integer"},
                "geometry": {"type": "object", "nullable": true}, "properties": {"type": "object", "nullable": true},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
            },
        },
    })
}

/// A CRS parameter of a collection.
pub fn crs(name: &str, description: &str, offered: &[Crs]) -> Value {
    let uris: Vec<String> = offered.iter().map(|crs| crs.uri()).collect();
    query(name, description, json!({"type": "string", "format": "uri", "enum": uris}))
}

/// A parameter that names fields.
pub fn of_fields(name: &str, description: &str, fields: &[Field], signed: bool) -> Value {
    let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
    let items = match signed {
        true => json!({"type": "string", "pattern": "^[+-]?[^+\\-\\s].*$"}),
        false => json!({"type": "string", "enum": names}),
    };
    query(name, description, json!({"type": "array", "minItems": 1, "items": items}))
}

/// A field as a parameter.
pub fn field(field: &Field, title: &str) -> Value {
    query(&field.name, title, schema(field))
}

pub fn schema(field: &Field) -> Value {
    let (kind, format) = field.kind.json_schema();
    let mut schema = json!({ "type": kind });
    if let Some(format) = format {
        schema["format"] = format.into();
    }
    schema
}

/// What an operation answers: the media types of its success, and problems.
pub fn operation(id: &str, tag: &str, summary: &str, media: &[(&str, Value)], parameters: Vec<Value>) -> Value {
    let content: Map<String, Value> =
        media.iter().map(|(media, schema)| ((*media).to_owned(), json!({ "schema": schema }))).collect();
    let mut responses = Map::new();
    responses.insert("200".into(), json!({"description": summary, "content": content}));
    // Whatever else there is to say is said in the same form.
    for status in ["400", "401", "403", "404", "406", "503", "default"] {
        responses.insert(status.into(), json!({"$ref": "#/components/responses/problem"}));
    }
    json!({"operationId": id, "tags": [tag], "summary": summary, "parameters": parameters, "responses": responses})
}

/// JSON, and HTML for people.
pub fn json_and_html() -> Vec<(&'static str, Value)> {
    vec![("application/json", json!({"type": "object"})), html()]
}

pub fn html() -> (&'static str, Value) {
    ("text/html", json!({"type": "string"}))
}

pub fn binary(media: &'static str) -> (&'static str, Value) {
    (media, json!({"type": "string", "format": "binary"}))
}
