//! Pages to look things up: lists, schemas, tile matrix sets, the interface's description.

use std::fmt::Write;

use serde_json::Value;

use super::{escape, link, word};
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::Ask;
use crate::http::ogc::schemas::Resource;

pub fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::from("<div class=card><ul>");
    for item in items {
        let _ = write!(out, "<li><code>{}</code>", escape(item));
    }
    out + "</ul></div>"
}

/// The tile matrix sets, with links to what is at `path` for each.
pub fn matrix_sets(ask: &Ask, path: &str) -> String {
    let mut out = format!("<div class=scroll><table><tr><th>{}<th>CRS<th>", word(ask, "矩阵集", "Set"));
    for set in TileMatrixSet::ALL {
        let link = link(ask, &format!("{path}/{}", set.id()), set.id());
        let _ = write!(out, "<tr><td>{link}<td>{}<td>{}", set.crs_uri(), escape(set.title()));
    }
    out + "</table></div>"
}

/// The matrices of a set.
pub fn matrix_set(ask: &Ask, set: TileMatrixSet) -> String {
    let document = set.definition();
    let origin = &document["tileMatrices"][0]["pointOfOrigin"];
    let mut out = format!(
        "<p class=quiet>{} · {} · {} {origin} {}</p><div class=scroll><table><tr><th>{}<th>{}<th>{}<th>{}",
        escape(set.title()),
        set.crs_uri(),
        word(ask, "原点", "Origin"),
        document["orderedAxes"],
        word(ask, "级别", "Matrix"),
        word(ask, "比例尺分母", "Scale denominator"),
        word(ask, "像元大小", "Cell size"),
        word(ask, "列 × 行", "Columns × rows"),
    );
    for m in document["tileMatrices"].as_array().into_iter().flatten() {
        let _ = write!(
            out,
            "<tr><td>{}<td>{}<td>{}<td>{} × {}",
            m["id"].as_str().unwrap_or_default(),
            m["scaleDenominator"],
            m["cellSize"],
            m["matrixWidth"],
            m["matrixHeight"]
        );
    }
    out + "</table></div>"
}

/// The fields that a schema names.
pub fn schema(ask: &Ask, resource: Resource, document: &Value) -> String {
    let said = match resource {
        Resource::Schema => word(ask, "要素的字段、类型和用途。", "The features' fields, their types and roles."),
        Resource::Queryables => word(
            ask,
            "可用作 字段=值 参数，也可写进 filter（CQL2）。",
            "They serve as parameters, field=value, and in filter (CQL2).",
        ),
        Resource::Sortables => word(ask, "可用于 sortby=+字段,-字段。", "They serve in sortby=+field,-field."),
    };
    let mut out = format!(
        "<p class=quiet>{said}</p><div class=scroll><table class=list><tr><th>{}<th>{}<th>{}<th>{}",
        word(ask, "字段", "Field"),
        word(ask, "名称", "Title"),
        word(ask, "类型", "Type"),
        word(ask, "角色", "Role"),
    );
    let mut properties: Vec<_> = document["properties"].as_object().into_iter().flatten().collect();
    properties.sort_by_key(|(_, p)| p["x-ogc-propertySeq"].as_i64());
    for (name, property) in properties {
        let text = |member: &str| property[member].as_str().unwrap_or_default();
        let _ = write!(
            out,
            "<tr><td><code>{}</code><td>{}<td>{} {}<td>{}",
            escape(name),
            escape(text("title")),
            escape(text("type")),
            escape(text("format")),
            escape(text("x-ogc-role")),
        );
    }
    out + "</table></div>"
}

/// The OpenAPI document, path by path.
pub fn api(ask: &Ask, document: &Value) -> String {
    let mut out = format!(
        "<p>{} <code>{}</code></p><p class=quiet>{}</p>",
        word(ask, "机器可读的 OpenAPI 3.0 文档：", "The OpenAPI 3.0 document, for programs:"),
        link(ask, "/ogc/api?f=json", &format!("{}/ogc/api", ask.base)),
        word(
            ask,
            "应用密钥用 Authorization: Bearer 或 ?key= 提供。点开一项可看参数。",
            "Keys are sent as Authorization: Bearer or ?key=. Open an entry for its parameters.",
        ),
    );
    let tags = document["tags"].as_array().cloned().unwrap_or_default();
    for tag in &tags {
        let name = tag["name"].as_str().unwrap_or_default();
        let said = tag["description"].as_str().unwrap_or(name);
        let _ = write!(out, "<h2 data-group id=\"{0}\">{1}</h2><div class=card>", escape(name), escape(said));
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                if operation["tags"][0].as_str() == Some(name) {
                    self::operation(ask, document, (path, method), operation, &mut out);
                }
            }
        }
        out.push_str("</div>");
    }
    out
}

/// What a reference means.
fn whole<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|r| r.strip_prefix('#'));
    pointer.and_then(|p| document.pointer(p)).unwrap_or(value)
}

fn operation(ask: &Ask, document: &Value, (path, method): (&str, &str), operation: &Value, out: &mut String) {
    let said = |v: &Value| escape(v.as_str().unwrap_or_default());
    let _ = write!(
        out,
        "<details><summary><span class=\"method {method}\">{}</span><code>/ogc{}</code> {}</summary>",
        method.to_uppercase(),
        escape(path),
        said(&operation["summary"]),
    );
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    if !parameters.is_empty() {
        let _ = write!(
            out,
            "<table class=list><tr><th>{}<th>{}<th>{}",
            word(ask, "参数", "Parameter"),
            word(ask, "类型", "Type"),
            word(ask, "说明", "Meaning"),
        );
    }
    for parameter in &parameters {
        let parameter = whole(document, parameter);
        let schema = &parameter["schema"];
        let choices: Vec<_> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let kind = match choices.is_empty() {
            true => format!("{} {}", said(&schema["type"]), said(&schema["format"])),
            false => escape(&choices.join(" · ")),
        };
        let place = said(&parameter["in"]);
        let _ = write!(
            out,
            "<tr><td><code>{}</code> <span class=\"quiet small\">{place}</span><td>{kind}<td>{}",
            said(&parameter["name"]),
            said(&parameter["description"]),
        );
    }
    out.push_str(if parameters.is_empty() { "</details>" } else { "</table></details>" });
}
