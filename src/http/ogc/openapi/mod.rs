//! The OpenAPI 3.0.3 document of the OGC endpoints: a concrete path for every collection that the caller may read, with the parameters that it
//! has, and for whatever else the route table serves under `/ogc`.

mod collection;
mod parts;
mod rest;

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::common::readable;
use super::html::{self, page};
use super::{Format, format, json_response};
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};

pub const MEDIA: &str = "application/vnd.oai.openapi+json;version=3.0";

pub async fn document(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let document = build(&ask);
    let etag = weak_etag(&[document.to_string().as_bytes(), &[format as u8]]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let response: Response = match format {
        Format::Html => page(&ask, html::word(&ask, "接口说明", "API definition"), &html::api(&ask, &document)),
        _ => json_response(MEDIA, &document),
    };
    Ok(keep(response, Keep::Private, Some(&etag)))
}

/// The document under construction.
struct Paths<'a> {
    ask: &'a Ask,
    paths: Map<String, Value>,
    tags: Vec<Value>,
}

impl Paths<'_> {
    fn word(&self, zh: &'static str, en: &'static str) -> &'static str {
        self.ask.language.word(zh, en)
    }

    fn tag(&mut self, name: &str, description: &str) {
        self.tags.push(json!({"name": name, "description": description}));
    }

    fn has(&self, path: &str, method: &str) -> bool {
        self.paths.get(path).is_some_and(|item| item.get(method).is_some())
    }

    fn add(&mut self, path: &str, method: &str, operation: Value) {
        self.paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    }
}

fn build(ask: &Ask) -> Value {
    let mut paths = Paths { ask, paths: Map::new(), tags: vec![] };
    let readable = readable(ask, None);
    rest::first(&mut paths);
    for (layer, grant) in &readable {
        collection::add(&mut paths, layer, grant);
    }
    rest::others(&mut paths, &readable);
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": paths.word("政务一张图开放接口", "onemap: the city's shared layers"),
            "version": env!("CARGO_PKG_VERSION"),
            "description": paths.word(
                "各部门共享图层的 OGC API。文档只列出当前身份可读的图层。",
                "The OGC APIs of the layers that the city's departments share: those that you may read.",
            ),
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": format!("{}/ogc", ask.base)}],
        "tags": paths.tags,
        "paths": paths.paths,
        "components": parts::components(),
        "security": [{}, {"bearer": []}, {"key": []}, {"session": []}],
    })
}
