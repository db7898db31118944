//! The HTML of the OGC endpoints: pages for people, in the reader's language. They say everything without a script; with it there are maps,
//! a search in lists, and buttons that copy.

mod catalogue;
mod collection;
mod items;
mod reference;

use std::fmt::Write;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

pub use catalogue::{collections, landing};
pub use collection::collection;
pub use items::{ItemsPage, form, item, items};
pub use reference::{api, list, matrix_set, matrix_sets, schema};

use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, digest, keep, not_modified};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page loads nothing from elsewhere, and runs nothing that stands in it. MapLibre makes its worker from a blob.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    connect-src 'self'; worker-src blob:; child-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

pub fn word(ask: &Ask, zh: &'static str, en: &'static str) -> &'static str {
    ask.language.word(zh, en)
}

/// An address of ours as an attribute's value, with the credential when the caller gave it in the URL.
pub fn href(ask: &Ask, path: &str) -> String {
    escape(&ask.carried.url(path))
}

/// A link to an address of ours.
pub fn link(ask: &Ask, path: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", href(ask, path), escape(text))
}

/// A button that copies a text; hidden where no script shows it.
fn copy(ask: &Ask, text: &str) -> String {
    format!(
        "<button type=button class=plain hidden data-copy=\"{}\">{}</button>",
        escape(text),
        word(ask, "复制", "Copy")
    )
}

/// A place for a map: of a layer as its style draws it, or of the features at an address.
pub fn map(ask: &Ask, class: &str, attributes: &[(&str, &str)]) -> String {
    let mut out = format!("<div class=\"map {class}\" data-base=\"{}\"", href(ask, "/styles/base.json"));
    for (name, value) in attributes {
        let _ = write!(out, " data-{name}=\"{}\"", escape(value));
    }
    out + "></div>"
}

/// A whole page around a body that is HTML already.
pub fn page(ask: &Ask, title: &str, body: &str) -> Response {
    page_below(ask, &[], title, body)
}

/// The same, with the pages above it: their paths and names.
pub fn page_below(ask: &Ask, above: &[(&str, &str)], title: &str, body: &str) -> Response {
    let language = word(ask, "zh-CN", "en");
    let mut crumbs = String::new();
    for (path, name) in above {
        let _ = write!(crumbs, "{} › ", link(ask, path, name));
    }
    if !crumbs.is_empty() {
        // The collection's own name stands before it already.
        let last = title.rsplit(" · ").next().unwrap_or(title);
        crumbs = format!("<nav class=crumbs>{crumbs}{}</nav>", escape(last));
    }
    let title = escape(title);
    // Only pages with a map load the library for it.
    let (sheet, library) = match body.contains(" data-base=") {
        true => ("<link rel=stylesheet href=/sdk/maplibre-gl.css>", "<script defer src=/sdk/maplibre-gl.js></script>"),
        false => ("", ""),
    };
    let script = format!("{library}<script defer src=\"/ogc/page.js?v={}\"></script>", script_tag());
    let html = format!(
        "<!doctype html><html lang={language}><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\"><title>{title} · onemap</title>\
         <link rel=icon href=/favicon.svg>{sheet}<style>{STYLE}</style>{script}<header><a href=/><b>{}</b></a>{}{}{}</header>\
         <main>{crumbs}<h1>{title}</h1>{body}</main></html>",
        word(ask, "政务一张图", "onemap"),
        link(ask, "/ogc", word(ask, "开放接口", "OGC API")),
        link(ask, "/ogc/collections", word(ask, "图层", "Collections")),
        link(ask, "/ogc/api?f=html", word(ask, "接口说明", "API")),
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language)),
    ];
    (headers, html).into_response()
}

fn script_tag() -> &'static str {
    static TAG: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TAG.get_or_init(|| digest(&[SCRIPT.as_bytes()]))
}

/// The script of the pages.
pub async fn script(mut ask: Ask) -> Answer {
    let named = ask.parameters.take("v")?.as_deref() == Some(script_tag());
    ask.parameters.clone().finish()?;
    let (policy, etag) = (if named { Keep::Forever } else { Keep::Public }, format!("\"{}\"", script_tag()));
    if let Some(response) = not_modified(&ask.headers, &etag, policy) {
        return Ok(response);
    }
    let media = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    Ok(keep((media, SCRIPT).into_response(), policy, Some(&etag)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_stays_text() {
        assert_eq!(super::escape("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }
}
