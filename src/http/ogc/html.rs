//! The HTML of the OGC endpoints: plain pages that need no script, in the reader's language.

use std::fmt::Write;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::access::grant::{Grant, Read};
use crate::geo::crs::Crs;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::{Ask, Language};
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select::visible_fields;

const STYLE: &str = "body{font:15px/1.6 system-ui,'Noto Sans CJK SC',sans-serif;margin:0;color:#1c2733;background:#f5f7fa}\
header{background:#12406b;color:#fff;padding:.7rem 1.5rem}header a{color:#fff;margin-right:1.2rem;text-decoration:none}\
main{max-width:1200px;margin:1.2rem auto;padding:1rem 1.5rem;background:#fff;border-radius:6px;box-shadow:0 1px 3px #0002}\
h1{font-size:1.35rem;margin:.2rem 0 1rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #e3e8ee;vertical-align:top}th{background:#f0f4f8}\
.scroll{overflow-x:auto}a{color:#12609e}.quiet{color:#5b6b7b}code{background:#f0f4f8;padding:0 .3em;border-radius:3px}";

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
    if ask.language == Language::Chinese { zh } else { en }
}

/// An address of ours as an attribute's value, with the credential when the caller gave it in the URL.
fn href(ask: &Ask, path: &str) -> String {
    escape(&ask.carried.url(path))
}

/// A whole page around a body that is HTML already.
pub fn page(ask: &Ask, title: &str, body: &str) -> Response {
    let language = word(ask, "zh-CN", "en");
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang={language}><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title} · onemap</title><style>{STYLE}</style>\
         <header><a href=/><b>onemap 政务一张图</b></a><a href=\"{}\">OGC API</a><a href=\"{}\">{}</a>\
         <a href=\"{}\">{}</a></header><main><h1>{title}</h1>{body}</main></html>",
        href(ask, "/ogc"),
        href(ask, "/ogc/collections"),
        word(ask, "图层", "Collections"),
        href(ask, "/ogc/api?f=html"),
        word(ask, "接口说明", "API"),
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
            ),
        ),
    ];
    (headers, html).into_response()
}

pub fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::from("<ul>");
    for item in items {
        let _ = write!(out, "<li><code>{}</code>", escape(item));
    }
    out + "</ul>"
}

/// A link to an address of ours.
pub fn link(ask: &Ask, path: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", href(ask, path), escape(text))
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

pub fn landing(ask: &Ask) -> String {
    let rows = [
        ("/ogc/collections", word(ask, "图层目录与要素", "Collections and their features")),
        ("/ogc/tiles", word(ask, "矢量瓦片", "Vector tiles")),
        ("/ogc/tileMatrixSets", word(ask, "瓦片矩阵集", "Tile matrix sets")),
        ("/ogc/conformance", word(ask, "符合性声明", "Conformance")),
        ("/ogc/api?f=html", word(ask, "接口说明（OpenAPI 3.0）", "API definition (OpenAPI 3.0)")),
    ];
    let mut out = format!(
        "<p class=quiet>{}</p><ul>",
        word(
            ask,
            "城市各部门共享的图层。未登录时只列出提供单位明确公开的图层。",
            "The layers that the city's departments share. Without a session only those that their owners opened to all.",
        )
    );
    for (path, text) in rows {
        let _ = write!(out, "<li><a href=\"{}\">{text}</a>", href(ask, path));
    }
    out + "</ul>"
}

pub fn collections(ask: &Ask, layers: &[(Published, Grant<Read>)]) -> String {
    if layers.is_empty() {
        return format!(
            "<p>{}</p>",
            word(
                ask,
                "没有可读的图层。请先登录，或在地址后加 ?key=应用密钥。",
                "There is no layer you may read. Sign in, or add ?key=… to the address.",
            )
        );
    }
    let mut out = format!(
        "<p class=quiet>{} {}</p><div class=scroll><table><tr><th>{}<th>{}<th>{}<th>{}",
        layers.len(),
        word(ask, "个图层", "layers"),
        word(ask, "图层", "Layer"),
        word(ask, "标识", "Id"),
        word(ask, "几何类型", "Geometry"),
        word(ask, "要素", "Features"),
    );
    for (layer, grant) in layers {
        let state = layer.state();
        let count = state.feature_count.filter(|_| grant.scope().is_all()).map(|n| n.to_string()).unwrap_or_default();
        let _ = write!(
            out,
            "<tr><td><a href=\"{}\">{}</a><td><code>{id}</code><td>{}<td>{count}",
            href(ask, &format!("/ogc/collections/{}", layer.id)),
            escape(ask.language.pick(&layer.title)),
            state.geometry_type.as_deref().unwrap_or("–"),
            id = layer.id,
        );
    }
    out + "</table></div>"
}

pub fn collection(ask: &Ask, layer: &Published, grant: &Grant<Read>) -> String {
    let state = layer.state();
    let id = &layer.id;
    let items = href(ask, &format!("/ogc/collections/{id}/items?limit=50"));
    let items = match state.archive {
        None => format!("<a href=\"{items}\">{}</a> · ", word(ask, "浏览要素", "Features")),
        Some(_) => String::new(),
    };
    let mut out = format!(
        "<p>{}</p><p>{items}<a href=\"{}\">TileJSON</a> · <a href=\"{}\">{}</a> · <a href=\"/?l={id}\">{}</a></p>",
        escape(ask.language.pick(&layer.description)),
        href(ask, &format!("/tiles/{id}.json")),
        href(ask, &format!("/styles/{id}.json")),
        word(ask, "样式", "Style"),
        word(ask, "在地图上看", "On the map"),
    );
    if layer.synthetic {
        let _ =
            write!(out, "<p class=quiet>{}</p>", word(ask, "演示用合成数据。", "Synthetic data, for demonstration."));
    }
    let _ = write!(
        out,
        "<p class=quiet>{}: {} · CRS: {}</p><div class=scroll><table><tr><th>{}<th>{}<th>{}",
        word(ask, "更新", "Updated"),
        escape(&layer.updated),
        Crs::epsg(state.srid).uri(),
        word(ask, "字段", "Field"),
        word(ask, "名称", "Title"),
        word(ask, "类型", "Type"),
    );
    for field in visible_fields(state, grant.scope()) {
        let title = if ask.language == Language::Chinese { &field.title_zh } else { &field.title_en };
        let _ = write!(
            out,
            "<tr><td><code>{}</code><td>{}<td>{}",
            escape(&field.name),
            escape(title),
            field.kind.json_schema().0
        );
    }
    out + "</table></div>"
}

pub fn items(ask: &Ask, path: &str, fields: &[&Field], rows: &[(i64, Vec<String>)], next: Option<i64>) -> String {
    let mut out = String::from("<div class=scroll><table><tr><th>id");
    for field in fields {
        let title = if ask.language == Language::Chinese { &field.title_zh } else { &field.title_en };
        let _ = write!(out, "<th title=\"{}\">{}", escape(&field.name), escape(title));
    }
    for (id, cells) in rows {
        let _ = write!(out, "<tr><td><a href=\"{}\">{id}</a>", href(ask, &format!("{path}/{id}")));
        for cell in cells {
            let _ = write!(out, "<td>{}", escape(cell));
        }
    }
    out.push_str("</table></div>");
    if rows.is_empty() {
        let _ = write!(out, "<p>{}</p>", word(ask, "没有符合条件的要素。", "No feature meets the conditions."));
    }
    if let Some(next) = next {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = form_urlencoded::parse(ask.query.as_bytes()).filter(|(n, _)| n != "cursor").collect::<Vec<_>>();
        query.extend_pairs(kept).append_pair("cursor", &next.to_string());
        let _ = write!(
            out,
            "<p><a rel=next href=\"{}\">{}</a></p>",
            href(ask, &format!("{path}?{}", query.finish())),
            word(ask, "下一页 →", "Next page →")
        );
    }
    out
}

pub fn item(ask: &Ask, layer: &str, fields: &[&Field], cells: &[String]) -> String {
    let mut out = String::from("<table>");
    for (field, cell) in fields.iter().zip(cells) {
        let title = if ask.language == Language::Chinese { &field.title_zh } else { &field.title_en };
        let _ = write!(out, "<tr><th>{}<td>{}", escape(title), escape(cell));
    }
    let _ = write!(
        out,
        "</table><p><a href=\"{}\">{}</a></p>",
        href(ask, &format!("/ogc/collections/{layer}")),
        word(ask, "← 返回图层", "← The layer")
    );
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_stays_text() {
        assert_eq!(super::escape("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }
}
