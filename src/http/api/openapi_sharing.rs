//! Shapes of the routes of requests, notifications and the catalogue, for the OpenAPI document.

use serde_json::{Value, json};

use crate::http::routes::Route;

type Parameter = (&'static str, &'static str, bool);

pub fn query_parameters(route: &Route) -> &'static [Parameter] {
    match (route.method, route.path) {
        ("GET", "/api/v1/requests") => &[
            ("view", "string", false),
            ("state", "string", false),
            ("layer", "string", false),
            ("after", "string", false),
            ("limit", "integer", false),
        ],
        ("PUT", "/api/v1/requests/{request}/attachment") => &[("filename", "string", true)],
        ("GET", "/api/v1/catalogue") => &[
            ("q", "string", false),
            ("theme", "string", false),
            ("department", "string", false),
            ("kind", "string", false),
            ("share_class", "string", false),
            ("openness", "string", false),
            ("category", "string", false),
            ("drift", "string", false),
            ("after", "string", false),
            ("limit", "integer", false),
        ],
        ("GET", "/api/v1/catalogue/export") => &[("format", "string", false)],
        ("POST", "/api/v1/catalogue/import") => &[("dry_run", "boolean", false)],
        (_, "/api/v1/approval-steps") => &[("department", "string", false), ("layer", "string", false)],
        ("GET", "/api/v1/notifications") => {
            &[("unread", "boolean", false), ("before", "integer", false), ("limit", "integer", false)]
        }
        _ => &[],
    }
}

/// Whether a route takes `If-Match`.
pub fn is_conditional(route: &Route) -> bool {
    let request = route.path.starts_with("/api/v1/requests/{request}") && route.method != "GET";
    request || (route.method == "PATCH" && route.path == "/api/v1/catalogue/{code}")
}

fn object(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn narrowing() -> Value {
    object(
        &[],
        json!({
            "rights": rights(), "fields": texts(), "filter": text("CQL2 text"), "from": day(), "until": day(),
        }),
    )
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn day() -> Value {
    json!({"type": "string", "format": "date"})
}

fn rights() -> Value {
    json!({"type": "array", "items": {"type": "string", "enum": ["view", "query", "print", "export", "write"]}})
}

fn area() -> Value {
    json!({"type": "object", "description": "A GeoJSON Polygon or MultiPolygon in EPSG:4490 or 4326, longitude first"})
}

/// 信息资源目录的一条记录.
fn record() -> Value {
    let words = |words: &[&str]| json!({"type": "string", "enum": words});
    let item = object(
        &["name"],
        json!({
            "name": {"type": "string"}, "title": {"type": "string"}, "type": {"type": "string"},
            "length": {"type": "integer", "minimum": 0}, "sensitivity": {"type": "string"},
        }),
    );
    json!({
        "name": text("信息资源名称"), "name_en": {"type": "string"}, "kind": words(&["service", "offline", "planned"]),
        "abstract": text("信息资源摘要"), "theme": {"type": "string"}, "format": text("信息资源格式"),
        "items": {"type": "array", "items": item, "maxItems": 500},
        "share_class": words(&["unconditional", "conditional", "not_shared"]), "share_condition": text("共享条件"),
        "share_mode": text("共享方式"), "openness": words(&["open", "conditional", "closed"]), "open_condition": text("开放条件"),
        "update_cycle": words(&["realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly", "irregular"]),
        "published": day(), "data_updated": day(), "related": texts(),
    })
}

pub fn request_body(route: &Route) -> Option<Value> {
    let note = || object(&[], json!({"note": text("Needed to return, reject, revoke and surrender")}));
    Some(match (route.method, route.path) {
        ("POST" | "PATCH", "/api/v1/requests" | "/api/v1/requests/{request}") => {
            let required: &[&str] = if route.method == "POST" { &["layer"] } else { &[] };
            object(
                required,
                json!({
                    "layer": {"type": "string"}, "purpose": text("用途"), "legal_basis": text("法律依据"),
                    "case_number": text("案件或协议编号"), "rights": rights(), "fields": texts(), "filter": text("CQL2 text"),
                    "area": area(), "divisions": texts(), "from": day(), "until": day(),
                }),
            )
        }
        ("POST", "/api/v1/requests/{request}/approve") => {
            object(&[], json!({"note": {"type": "string"}, "granted": narrowing(), "area": area()}))
        }
        ("POST", path) if path.starts_with("/api/v1/requests/{request}/") => note(),
        ("POST" | "PATCH", "/api/v1/catalogue" | "/api/v1/catalogue/{code}") => {
            let required: &[&str] = if route.method == "POST" { &["name", "share_class"] } else { &[] };
            object(required, record())
        }
        ("POST", "/api/v1/requests/decisions") => {
            let decision = object(
                &["id", "version", "action"],
                json!({
                    "id": {"type": "string", "format": "uuid"}, "version": {"type": "integer"},
                    "action": {"type": "string", "enum": ["approve", "return", "reject"]},
                    "note": {"type": "string"}, "granted": narrowing(), "area": area(),
                }),
            );
            object(
                &["decisions"],
                json!({"decisions": {"type": "array", "items": decision, "minItems": 1, "maxItems": 200}}),
            )
        }
        ("PUT", "/api/v1/approval-steps") => {
            let step = object(
                &["approver", "working_days"],
                json!({
                    "approver": {"type": "string", "enum": ["requester", "owner", "platform"]},
                    "working_days": {"type": "integer", "minimum": 1, "maximum": 60},
                }),
            );
            object(&["steps"], json!({"steps": {"type": "array", "items": step, "maxItems": 5}}))
        }
        ("PUT", "/api/v1/calendar/{year}") => {
            let entry = object(
                &["day", "working"],
                json!({"day": day(), "working": {"type": "boolean"}, "note": {"type": "string"}}),
            );
            object(&["days"], json!({"days": {"type": "array", "items": entry, "maxItems": 400}}))
        }
        ("POST", "/api/v1/notifications/read") => object(
            &[],
            json!({
                "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": 1000}, "up_to": {"type": "integer"},
            }),
        ),
        ("POST", "/api/v1/webhooks") => {
            object(&["url"], json!({"url": {"type": "string", "format": "uri"}, "kinds": texts()}))
        }
        _ => return None,
    })
}
