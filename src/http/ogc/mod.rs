//! The OGC API endpoints. A layer is called a collection here, and only here.

pub mod common;
pub mod features;
pub mod files;
pub mod functions;
pub mod html;
pub mod jobs;
pub mod openapi;
pub mod paging;
pub mod processes;
pub mod query;
pub mod records;
pub mod schemas;
pub mod styles;
pub mod tiles;
pub mod tileset;
pub mod transactions;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ask::Ask;
use super::negotiation;
use crate::error::{Error, Result};

/// The two representations every resource has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Html,
}

/// `f=` wins over Accept; JSON when neither says anything. 406 when Accept names only what there is not.
pub fn format(ask: &mut Ask) -> Result<Format> {
    match ask.parameters.take("f")?.as_deref() {
        Some("json" | "geojson" | "application/json" | "application/geo+json") => Ok(Format::Json),
        Some("html" | "text/html") => Ok(Format::Html),
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            Err(Error::invalid("f", format!("不支持的格式 {shown}"), format!("the format {shown} is not offered"))
                .hint("可用：json、html", "choose json or html"))
        }
        None => negotiation::representation(&ask.headers, OFFERED).map(|i| [Format::Json, Format::Html][i]).ok_or_else(
            || {
                let (zh, en) = ("没有 Accept 所要的表示", "there is no representation that Accept asks for");
                Error::not_acceptable(zh, en).hint(
                    "可用：application/json、text/html，或用 f= 指定",
                    "there are application/json and text/html; or say f=",
                )
            },
        ),
    }
}

/// Media types of JSON and of HTML. Whoever names one of JSON's gets JSON, under the name that it has here.
pub const OFFERED: &[&[&str]] = &[
    &[
        "application/json",
        "application/geo+json",
        "application/schema+json",
        "application/ld+json",
        "application/vnd.oai.openapi+json",
    ],
    &["text/html", "application/xhtml+xml"],
];

/// Link relations of OGC's register.
pub mod relation {
    pub const SCHEMA: &str = "http://www.opengis.net/def/rel/ogc/1.0/schema";
    pub const QUERYABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/queryables";
    pub const SORTABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/sortables";
}

pub fn json_response(media: &'static str, value: &Value) -> Response {
    ([(header::CONTENT_TYPE, media)], value.to_string()).into_response()
}

pub fn link(href: String, rel: &str, media: &str, title: &str) -> Value {
    json!({"href": href, "rel": rel, "type": media, "title": title})
}

/// `self` and `alternate` of a resource at `path` (with its query, if it has one).
pub fn self_links(ask: &Ask, path: &str, format: Format, json_media: &str) -> Vec<Value> {
    let url = |f: &str| format!("{}{path}?f={f}", ask.base);
    let (this, other) = match format {
        Format::Json => (("json", json_media), ("html", "text/html")),
        Format::Html => (("html", "text/html"), ("json", json_media)),
    };
    vec![
        link(url(this.0), "self", this.1, "This document"),
        link(url(other.0), "alternate", other.1, "This document in the other format"),
    ]
}
