//! What spatial queries take.

use serde_json::{Value, json};

use crate::http::routes::Route;

pub(super) fn request_body(route: &Route) -> Option<Value> {
    match (route.method, route.path) {
        ("POST", "/api/v1/nearest") => Some(nearest()),
        ("POST", "/api/v1/summary" | "/api/v1/summary/jobs") => Some(summary()),
        _ => None,
    }
}

/// Of an overlay. For each layer there may be `fields.{layer}` and `filter.{layer}` beside.
pub(super) const OVERLAY: &[(&str, &str, bool)] = &[
    ("layers", "string", true),
    ("predicate", "string", false),
    ("max_distance", "number", false),
    ("k", "integer", false),
    ("matches", "string", false),
    ("crs", "string", false),
    ("format", "string", false),
    ("f", "string", false),
    ("lon", "string", false),
    ("lat", "string", false),
    ("wkt", "string", false),
    ("address", "string", false),
];

/// The formats that an overlay's rows come in.
pub(super) fn rows(route: &Route) -> Vec<(&'static str, Option<Value>)> {
    if route.method != "POST" || !matches!(route.path, "/api/v1/overlay" | "/api/v1/overlay/jobs") {
        return vec![];
    }
    let binary = |said: &str| Some(json!({"type": "string", "format": "binary", "description": said}));
    vec![
        ("application/geo+json", Some(json!({"type": "object", "description": "A FeatureCollection"}))),
        ("application/geo+json-seq", binary("Features, one a line or behind a record separator")),
        ("text/csv", binary("With a header; UTF-8 or GBK")),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", binary("The first sheet, with a header")),
    ]
}

fn named() -> Value {
    json!({"oneOf": [
        {"type": "string", "description": "A layer's id"},
        {"type": "object", "additionalProperties": false, "required": ["layer"], "properties": {
            "layer": {"type": "string"},
            "fields": {"type": "array", "items": {"type": "string"}, "description": "All that may be seen, when none are named"},
            "filter": {"type": "string", "description": "CQL2 text"},
        }},
    ]})
}

fn positions() -> Value {
    json!({"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
           "description": "Longitudes and latitudes in degrees (CGCS2000)"})
}

fn nearest() -> Value {
    json!({"type": "object", "additionalProperties": false, "required": ["layers"], "properties": {
        "points": positions(),
        "geometry": {"type": "object", "description": "A GeoJSON geometry, in the place of points"},
        "layers": {"type": "array", "minItems": 1, "maxItems": 20, "items": named()},
        "k": {"type": "integer", "minimum": 1, "maximum": 100, "default": 1},
        "max_distance": {"type": "number", "maximum": 100_000, "default": 10_000, "description": "Metres"},
    }})
}

fn summary() -> Value {
    let text = json!({"type": "string"});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
    let of_field = |name: &str| object(&[name], json!({name: {"type": "string", "description": "A field of numbers"}}));
    let zones = json!({"type": "object", "additionalProperties": false,
    "description": "One of layer, divisions, geometry, buffers, grid and h3",
    "properties": {
        "layer": {"type": "string", "description": "A layer of areas"},
        "divisions": {"type": "string", "enum": ["city", "district", "street", "community"]},
        "geometry": {"type": "object", "description": "A GeoJSON geometry, Feature or FeatureCollection of polygons"},
        "buffers": object(&["distances_m"], json!({
            "layer": text, "filter": text, "label": text, "points": positions(), "geometry": {"type": "object"},
            "distances_m": {"type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "number", "maximum": 100_000}}})),
        "grid": object(&["size_m"], json!({"size_m": {"type": "number", "minimum": 10, "maximum": 100_000}})),
        "h3": object(&["resolution"], json!({"resolution": {"type": "integer", "minimum": 0, "maximum": 12}})),
        "filter": {"type": "string", "description": "Of layer and divisions: which of them, in CQL2 text"},
        "label": {"type": "string", "description": "The field or property that zones are called by"},
    }});
    let statistic = json!({"oneOf": [
        {"type": "string", "enum": ["count", "area", "length"]},
        of_field("sum"), of_field("mean"), of_field("min"), of_field("max"),
    ]});
    object(
        &["layer", "zones"],
        json!({
            "layer": text, "filter": {"type": "string", "description": "CQL2 text"}, "zones": zones,
            "statistics": {"type": "array", "minItems": 1, "maxItems": 20, "items": statistic, "default": ["count"]},
            "by": {"type": "string", "description": "The field whose values are the categories"},
            "assign": {"type": "string", "enum": ["centre", "intersects", "share"], "default": "centre",
                       "description": "How what crosses a zone's edge counts"},
        }),
    )
}
