//! The bodies of classes and themes, as the API document shows them.

use onemap_statistics::classify::{MOST_CLASSES, Method};
use onemap_statistics::palette::Palette;
use serde_json::{Map, Value, json};

use crate::theme::classify::MOST_VALUES;
use crate::theme::definition::MOST_ROWS;

/// The body of a route of these; none of others.
pub fn request_body(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        ("POST", "/api/v1/classify") => Some(classify()),
        ("POST", "/api/v1/themes") => Some(theme()),
        ("PATCH", "/api/v1/themes/{layer}") => Some(object(&[], definition())),
        _ => None,
    }
}

fn object(required: &[&str], properties: Map<String, Value>) -> Value {
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    // An empty list is not valid in OpenAPI 3.0.
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn text() -> Value {
    json!({"type": "string"})
}

/// What classes and themes have in common.
fn classes() -> Map<String, Value> {
    members(json!({
        "method": {"type": "string", "enum": Method::ALL.map(Method::name), "default": "natural_breaks"},
        "classes": {"type": "integer", "minimum": 2, "maximum": MOST_CLASSES, "default": 5},
        "breaks": {"type": "array", "items": {"type": "number"}, "maxItems": MOST_CLASSES,
                   "description": "Upper bounds, rising; of the method manual only"},
        "palette": {"type": "string", "enum": Palette::ALL.map(Palette::name)},
        "reverse": {"type": "boolean", "default": false},
    }))
}

fn classify() -> Value {
    let mut properties = classes();
    properties.extend(members(json!({
        "values": {"type": "array", "maxItems": MOST_VALUES, "items": {"type": "number", "nullable": true}},
        "layer": text(), "field": text(), "filter": {"type": "string", "description": "CQL2 text"},
    })));
    object(&[], properties)
}

fn definition() -> Map<String, Value> {
    let rows = json!({"type": "array", "maxItems": MOST_ROWS, "items": {"type": "object",
        "additionalProperties": {"nullable": true, "oneOf": [text(), {"type": "number"}, {"type": "boolean"}]}}});
    let data = json!({"rows": rows, "layer": text(), "filter": {"type": "string", "description": "CQL2 text"},
        "upload": {"type": "string", "format": "uuid"}});
    let zones = json!({"layer": text(), "code": text(), "name": text(), "parent": text()});
    let join = json!({"by": {"type": "string", "enum": ["code", "name", "location"]},
        "field": text(), "parent": text(), "lon": text(), "lat": text()});
    let measures = ["count", "sum", "mean", "ratio", "per_capita", "per_km2", "category"];
    let indicator = json!({"kind": {"type": "string", "enum": measures}, "field": text(), "denominator": text(),
        "per": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "default": 1},
        "label": {"type": "string", "maxLength": 60, "description": "What the number is called, for the layer's readers"}});
    let indicator = object(&["kind"], members(indicator));
    let kinds = ["choropleth", "graduated_symbols", "dot_density", "heat", "categories", "bivariate"];
    let time = json!({"field": text(), "unit": {"type": "string", "enum": ["year", "quarter", "month", "day"]}});
    let mut properties = classes();
    properties.extend(members(json!({
        "data": object(&[], members(data)),
        "zones": object(&["layer"], members(zones)),
        "join": object(&["by"], members(join)),
        "indicator": indicator, "second": indicator,
        "kind": {"type": "string", "enum": kinds, "default": "choropleth"},
        "time": object(&["field"], members(time)),
    })));
    properties
}

fn theme() -> Value {
    let mut properties = definition();
    let title = json!({"$ref": "#/components/schemas/title"});
    properties.extend(members(json!({
        "id": text(), "title": title, "abstract": title, "theme": text(),
        "share_class": {"type": "string", "enum": ["unconditional", "conditional", "not_shared"], "default": "not_shared"},
    })));
    object(&["id", "title", "data", "zones", "join", "indicator"], properties)
}

/// The rule of a layer whose small counts are protected.
pub fn suppression() -> Value {
    let k = json!({"type": "integer", "minimum": 2, "maximum": 1000});
    let mut rule = object(
        &["k", "zones"],
        members(
            json!({"k": k, "zones": text(), "zone_code": text(), "code": text(), "field": text(), "count": text()}),
        ),
    );
    rule["nullable"] = true.into();
    rule
}
