//! The OpenAPI 3.0.3 document of everything but the OGC endpoints, made from the route table itself, so that it cannot miss a
//! route or name one that is not there.

mod spatial;

use serde_json::{Map, Value, json};

use super::{ok, openapi_sharing as sharing, theme_shapes};
use crate::access::principal::Role;
use crate::access::rights::Right;
use crate::http::ask::{Answer, Ask};
use crate::http::routes::{Access, Route, table};

pub async fn document(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let mut paths: Map<String, Value> = Map::new();
    for route in table().iter().filter(|r| !r.path.starts_with("/ogc")) {
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(route);
    }
    Ok(ok(&json!({
        "openapi": "3.0.3",
        "info": {"title": "onemap 政务一张图: map and management", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": ask.base}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A department's application key"},
                "key": {"type": "apiKey", "in": "query", "name": "key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "onemap_session"},
            },
            "schemas": {
                "problem": {
                    "type": "object", "description": "RFC 9457", "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                        "detail": {"type": "string"}, "parameter": {"type": "string"}, "hint": {"type": "string"},
                        "instance": {"type": "string"}, "request_id": {"type": "string"},
                    },
                },
                "title": {
                    "type": "object", "required": ["zh", "en"],
                    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
                },
            },
        },
    })))
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    for (name, kind, required) in query_parameters(route) {
        parameters.push(json!({"name": name, "in": "query", "required": required, "schema": {"type": kind}}));
    }
    if sharing::is_conditional(route) {
        parameters.push(json!({"name": "If-Match", "in": "header", "required": true, "schema": {"type": "string"}}));
    }
    let mut responses = Map::new();
    responses.insert(success(route).into(), json!({"description": "Done"}));
    let mut statuses = vec!["400", "404", "503"];
    match route.access {
        Access::Open => {}
        Access::Layer => statuses.extend(["401", "403"]),
        Access::Department => statuses.push("401"),
        _ => statuses.extend(["401", "403"]),
    }
    // Whatever else there is to say is said in the same form.
    statuses.push("default");
    responses.extend(statuses.into_iter().map(|status| (status.to_owned(), problem(route))));
    if route.path.ends_with("/{z}/{x}/{y}") {
        responses.insert("204".into(), json!({"description": "An empty tile"}));
    }
    let mut operation = json!({
        "operationId": format!("{} {}", route.method, route.path),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
        "security": if matches!(route.access, Access::Open | Access::Layer) {
            json!([{}, {"bearer": []}, {"key": []}, {"session": []}])
        } else {
            json!([{"session": []}])
        },
    });
    let bodies = [
        ("application/json", request_body(route)),
        ("multipart/form-data", request_form(route)),
        ("image/*", request_file(route)),
    ];
    let content: Map<String, Value> = bodies
        .into_iter()
        .chain(spatial::rows(route))
        .filter_map(|(media, schema)| Some((media.to_owned(), json!({ "schema": schema? }))))
        .collect();
    if !content.is_empty() {
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

/// How something that is wrong is said: by services of older standards in XML.
fn problem(route: &Route) -> Value {
    let xml = ["/wms", "/wmts", "/wfs", "/DataServer"].iter().any(|service| route.path.ends_with(service));
    let media: &[&str] = match xml {
        true => &["application/problem+json", "text/xml", "application/vnd.ogc.se_xml"],
        false => &["application/problem+json"],
    };
    let schema = |media: &str| match media {
        "application/problem+json" => json!({"schema": {"$ref": "#/components/schemas/problem"}}),
        _ => json!({"schema": {"type": "string"}}),
    };
    let content: Map<String, Value> = media.iter().map(|media| ((*media).to_owned(), schema(media))).collect();
    json!({"description": "Problem", "content": content})
}

fn success(route: &Route) -> &'static str {
    match (route.method, route.path) {
        (
            "POST",
            "/api/v1/uploads/{upload}/load"
            | "/api/v1/layers/{layer}/export"
            | "/api/v1/overlay/jobs"
            | "/api/v1/summary/jobs"
            | "/api/v1/themes"
            | "/api/v1/themes/{layer}/refresh",
        ) => "202",
        ("PATCH", "/api/v1/themes/{layer}") | ("POST", "/api/v1/audit/exports") => "202",
        (
            "POST",
            "/api/v1/uploads"
            | "/api/v1/keys"
            | "/api/v1/annotations"
            | "/api/v1/grants"
            | "/api/v1/people"
            | "/api/v1/people/{person}/certificates"
            | "/api/v1/people/{person}/accounts"
            | "/api/v1/me/certificates"
            | "/api/v1/signed-urls"
            | "/api/v1/departments"
            | "/api/v1/keys/{key}/rotate"
            | "/api/v1/layers",
        ) => "201",
        ("POST", path) if path.starts_with("/api/v1/annotations/") => "201",
        ("POST", "/api/v1/requests" | "/api/v1/webhooks" | "/api/v1/catalogue") => "201",
        ("POST", "/address/jobs" | "/address/jobs/{job}/rerun") => "201",
        ("GET", "/api/v1/session/oidc" | "/api/v1/session/oidc/callback") => "303",
        ("DELETE", "/api/v1/jobs/{job}") => "200",
        ("DELETE" | "OPTIONS", _) | ("PATCH", "/api/v1/uploads/{upload}") => "204",
        _ => "200",
    }
}

fn query_parameters(route: &Route) -> &'static [(&'static str, &'static str, bool)] {
    match route.path {
        "/api/v1/identify" => &[
            ("lon", "number", true),
            ("lat", "number", true),
            ("tolerance", "integer", false),
            ("layers", "string", false),
        ],
        "/api/v1/overlay" | "/api/v1/overlay/jobs" => spatial::OVERLAY,
        "/api/v1/summary" | "/api/v1/jobs/{job}/summary" => &[("f", "string", false)],
        "/api/v1/layers" if route.method == "GET" => {
            &[("q", "string", false), ("theme", "string", false), ("department", "string", false)]
        }
        "/tiles/{layer}/{z}/{x}/{y}" => &[("v", "string", false), ("fields", "string", false)],
        "/api/v1/audit" => &[
            ("department", "string", false),
            ("who", "string", false),
            ("layer", "string", false),
            ("operation", "string", false),
            ("feature", "integer", false),
            ("from", "string", false),
            ("to", "string", false),
            ("bbox", "string", false),
            ("status", "integer", false),
            ("request", "string", false),
            ("limit", "integer", false),
            ("after", "string", false),
        ],
        "/api/v1/audit/summary" => &[
            ("by", "string", false),
            ("from", "string", false),
            ("to", "string", false),
            ("layer", "string", false),
            ("department", "string", false),
            ("operation", "string", false),
        ],
        "/api/v1/jobs" => &[("limit", "integer", false)],
        "/api/v1/annotations/{layer}/marks/{feature}/photos/{photo}" if route.method == "GET" => {
            &[("size", "string", false)]
        }
        "/api/v1/themes/{layer}/table" => {
            &[("period", "string", false), ("after", "integer", false), ("limit", "integer", false)]
        }
        "/api/v1/session/oidc/callback" => &[
            ("code", "string", false),
            ("state", "string", false),
            ("error", "string", false),
            ("iss", "string", false),
        ],
        "/api/v1/people" if route.method == "GET" => &[("department", "string", false), ("q", "string", false)],
        "/api/v1/grants" if route.method == "GET" => &[("layer", "string", false), ("all", "boolean", false)],
        "/address/search" | "/address/suggest" => &[
            ("q", "string", true),
            ("limit", "integer", false),
            ("lon", "number", false),
            ("lat", "number", false),
            ("division", "string", false),
            ("level", "string", false),
            ("source", "string", false),
            ("crs", "string", false),
        ],
        "/address/reverse" => &[
            ("lon", "number", true),
            ("lat", "number", true),
            ("radius", "integer", false),
            ("limit", "integer", false),
            ("source", "string", false),
            ("crs", "string", false),
        ],
        "/address/search/csv" => {
            &[("source", "string", false), ("division", "string", false), ("crs", "string", false)]
        }
        "/address/jobs" if route.method == "GET" => &[("limit", "integer", false)],
        "/address/jobs/{job}/rows" => &[
            ("band", "string", false),
            ("decided", "boolean", false),
            ("q", "string", false),
            ("after", "integer", false),
            ("limit", "integer", false),
        ],
        "/address/jobs/{job}/comparison" => {
            &[("change", "string", false), ("after", "integer", false), ("limit", "integer", false)]
        }
        "/address/jobs/{job}/counts" => &[("by", "string", false)],
        "/address/jobs/{job}/export" => &[("format", "string", false), ("band", "string", false)],
        "/api/v1/address-aliases" => {
            &[("q", "string", false), ("after", "integer", false), ("limit", "integer", false)]
        }
        _ => sharing::query_parameters(route),
    }
}

/// A file as it is.
fn request_file(route: &Route) -> Option<Value> {
    let photos = "/api/v1/annotations/{layer}/marks/{feature}/photos";
    let said = "JPEG, PNG or WebP, 10 MB at most";
    let file = json!({"type": "string", "format": "binary", "description": said});
    ((route.method, route.path) == ("POST", photos)).then_some(file)
}

/// Forms with files.
fn request_form(route: &Route) -> Option<Value> {
    let list = json!({"type": "array", "items": {"type": "string"}});
    match route.path {
        "/address/jobs" if route.method == "POST" => Some(json!({
            "type": "object", "required": ["data"],
            "properties": {
                "encoding": {"type": "string"},
                "data": {"type": "string", "format": "binary", "description": "csv, tab-separated text or xlsx, with a header"},
            },
        })),
        "/address/search/csv" => Some(json!({
            "type": "object", "required": ["data"],
            "properties": {
                "data": {"type": "string", "format": "binary", "description": "csv in UTF-8 or GBK, with a header"},
                "columns": list, "result_columns": list,
                "encoding": {"type": "string"}, "delimiter": {"type": "string"},
            },
        })),
        _ => None,
    }
}

fn request_body(route: &Route) -> Option<Value> {
    spatial::request_body(route).or_else(|| other_body(route))
}

fn other_body(route: &Route) -> Option<Value> {
    let text = json!({"type": "string"});
    let title = json!({"$ref": "#/components/schemas/title"});
    let class = json!({"type": "string", "enum": ["unconditional", "conditional", "not_shared"]});
    let tile = json!({"type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "integer", "minimum": 0}});
    let object = |required: &[&str], properties: Value| {
        let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
        // An empty list is not valid in OpenAPI 3.0.
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    };
    Some(match (route.method, route.path) {
        ("POST", "/api/v1/session") => {
            object(&["user", "password"], json!({"user": text, "password": text, "code": text}))
        }
        ("POST", "/api/v1/keys") => {
            let (list, number) = (json!({"type": "array", "items": text}), json!({"type": "integer", "minimum": 1}));
            object(
                &["label"],
                json!({"label": text, "days": number, "origins": list, "addresses": list, "daily_quota": number,
                       "rate_limit": number}),
            )
        }
        ("POST", "/api/v1/keys/{key}/rotate") => {
            object(&[], json!({"hours": {"type": "integer", "minimum": 0, "maximum": 720}}))
        }
        ("POST", "/api/v1/signed-urls") => object(
            &["label", "layers", "services", "until"],
            json!({"label": text, "layers": {"type": "array", "minItems": 1, "maxItems": 20, "items": text},
                   "services": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": ["tiles", "styles", "wmts"]}},
                   "until": {"type": "string", "format": "date-time"}, "origin": text}),
        ),
        ("POST", "/api/v1/people") => {
            object(&["login", "name", "role"], json!({"login": text, "name": text, "department": text, "role": role()}))
        }
        ("PATCH", "/api/v1/people/{person}") => {
            object(&[], json!({"name": text, "department": text, "role": role(), "active": {"type": "boolean"}}))
        }
        ("POST", "/api/v1/departments") => object(
            &["id", "title"],
            json!({"id": text, "code": text, "title": title, "quota_bytes": {"type": "integer", "minimum": 0}}),
        ),
        ("POST", "/api/v1/me/password") => object(&["old", "new"], json!({"old": text, "new": text})),
        ("POST", "/api/v1/me/second-factor/confirm") => object(&["code"], json!({"code": text})),
        ("POST", "/api/v1/session/second-factor") => object(&[], json!({"code": text})),
        ("DELETE", "/api/v1/me/second-factor" | "/api/v1/me/certificates/{certificate}") => {
            object(&["password"], json!({"password": text}))
        }
        ("POST", "/api/v1/me/certificates") => object(&[], json!({"label": text})),
        ("POST", "/api/v1/people/{person}/certificates") => {
            object(&["fingerprint"], json!({"fingerprint": text, "label": text}))
        }
        ("POST", "/api/v1/people/{person}/accounts") => object(&[], json!({"subject": text, "name": text})),
        ("POST", "/api/v1/grants" | "/api/v1/simulation/grant") => grant(),
        ("POST", "/api/v1/simulation") => object(
            &["layer", "action"],
            json!({"layer": text, "action": right(), "field": text, "feature": {"type": "integer"},
                   "principal": object(&[], json!({"department": text, "role": role()})),
                   "tile": tile}),
        ),
        ("POST", "/api/v1/simulation/viewers") => object(
            &["layer"],
            json!({"layer": text, "action": right(), "field": text, "feature": {"type": "integer"}, "tile": tile}),
        ),
        ("DELETE", "/api/v1/grants/{grant}") => object(&["reason"], json!({"reason": text})),
        ("POST", "/api/v1/layers/{layer}/rollback") => object(&["revision"], json!({"revision": {"type": "integer"}})),
        ("PATCH", "/api/v1/layers/{layer}") => object(
            &[],
            json!({"title": title, "abstract": title, "share_class": class, "anonymous": {"type": "boolean"},
                   "tile_rank": text, "tile_limit": {"type": "integer"}, "suppression": theme_shapes::suppression()}),
        ),
        ("POST", "/api/v1/layers") => object(
            &["id", "department", "title", "share_class", "schema", "table", "key"],
            json!({"id": text, "department": text, "title": title, "abstract": title, "theme": text, "share_class": class,
                   "schema": text, "table": text, "key": text, "geometry": text}),
        ),
        ("POST", "/api/v1/annotations") => {
            let kinds = json!({"type": "string", "enum": ["text", "integer", "float", "boolean", "date", "timestamp"]});
            let field = object(&["name", "type"], json!({"name": text, "type": kinds, "title": title}));
            object(
                &["title"],
                json!({"id": text, "title": title, "abstract": title, "theme": text, "share_class": class,
                       "fields": {"type": "array", "items": field, "maxItems": 30}}),
            )
        }
        ("POST", "/api/v1/annotations/{layer}/marks") => {
            object(&["address"], json!({"address": text, "text": text, "properties": {"type": "object"}}))
        }
        ("POST", "/api/v1/audit/exports") => {
            let corners = json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4});
            let integer = json!({"type": "integer"});
            object(
                &[],
                json!({"department": text, "who": text, "layer": text, "operation": text, "feature": integer, "from": text,
                       "to": text, "bbox": corners, "status": integer, "request": text}),
            )
        }
        ("POST", "/api/v1/print") => {
            object(&["layers"], json!({"layers": {"type": "array", "items": text, "minItems": 1, "maxItems": 20}}))
        }
        ("POST", "/address/parse") => {
            object(&["q"], json!({"q": {"oneOf": [text, {"type": "array", "items": text, "maxItems": 1000}]}}))
        }
        ("POST", "/address/jobs") => {
            object(&["layer"], json!({"layer": text, "columns": {"type": "array", "items": text}}))
        }
        ("POST", "/address/jobs/{job}/start") => {
            let (list, part) =
                (json!({"type": "array", "items": text}), json!({"type": "number", "minimum": 0, "maximum": 1}));
            object(&["columns"], json!({"columns": list, "sources": list, "auto": part, "reject": part}))
        }
        ("POST", "/address/jobs/{job}/rows/{row}/decision") => {
            let candidate = json!({"oneOf": [{"type": "integer", "minimum": 0},
                object(&["source", "feature"], json!({"source": text, "feature": {"type": "integer"}}))]});
            let number = json!({"type": "number"});
            object(
                &["kind"],
                json!({"kind": {"type": "string", "enum": ["pick", "place", "reject", "undo"]}, "candidate": candidate,
                       "lon": number, "lat": number, "label": text, "note": text}),
            )
        }
        ("PUT", "/api/v1/layers/{layer}/address-source") => object(
            &[],
            json!({"mapping": {"type": "object", "additionalProperties": text},
                   "priority": {"type": "integer", "minimum": 0, "maximum": 255}}),
        ),
        ("POST", "/api/v1/uploads/{upload}/load") => object(
            &["layer"],
            json!({"layer": text, "source_layer": text, "title": title, "theme": text, "share_class": class,
                   "crs": {"type": "integer"}, "datum": {"type": "string", "enum": ["none", "gcj02", "bd09"]},
                   "swap_axes": {"type": "boolean"}, "encoding": text, "key": text,
                   "accept_guesses": {"type": "boolean"}}),
        ),
        (method, path) => return theme_shapes::request_body(method, path).or_else(|| sharing::request_body(route)),
    })
}

fn right() -> Value {
    json!({"type": "string", "enum": Right::ALL.map(Right::name)})
}

fn role() -> Value {
    json!({"type": "string", "enum": Role::ALL.map(Role::name)})
}

/// A grant as it is given.
fn grant() -> Value {
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "items": text});
    json!({
        "type": "object", "additionalProperties": false, "required": ["layer", "department", "rights", "purpose"],
        "properties": {
            "layer": text, "department": text, "fields": list, "filter": {"type": "string", "description": "CQL2 text"},
            "rights": {"type": "array", "minItems": 1, "items": right()},
            "area": {"type": "object", "description": "GeoJSON Polygon or MultiPolygon in degrees (EPSG:4490)"},
            "divisions": list, "purpose": text, "legal_basis": text, "case_number": text,
            "valid_from": {"type": "string", "format": "date-time"}, "valid_until": {"type": "string", "format": "date-time"},
        },
    })
}
