//! A collection: what it is, on a map, its fields, and every way to it.

use std::fmt::Write;

use super::catalogue::shape;
use super::{copy, escape, href, link, map, word};
use crate::feature::output::FileFormat;
use crate::http::ask::Ask;
use crate::http::ogc::common::department_title;
use crate::http::ogc::schemas::{Resource, title};
use crate::layer::select::{temporal_field, visible_fields};
use crate::tile::render::Drawn;

pub fn collection(ask: &Ask, drawn: &Drawn, temporal: Option<(&str, &str)>) -> String {
    let layer = &drawn.layer;
    let said = ask.language.pick(&layer.description);
    let mut out = String::new();
    if !said.is_empty() {
        let _ = write!(out, "<p>{}</p>", escape(said));
    }
    if layer.synthetic {
        let _ =
            write!(out, "<p class=quiet>{}</p>", word(ask, "演示用合成数据。", "Synthetic data, for demonstration."));
    }
    out.push_str(&actions(ask, drawn));
    let _ = write!(out, "<div class=two><div>{}{}</div><div>", facts(ask, drawn, temporal), fields(ask, drawn));
    if layer.state().has_tiles() {
        let style = ask.carried.url(&format!("/styles/{}.json", layer.id));
        // Where all of it lies is not told to those who may see a part.
        let bbox = layer.state().bbox.filter(|_| drawn.grant.scope().is_all()).map(|b| format!("{b:?}"));
        let mut attributes = vec![("style", style.as_str())];
        attributes.extend(bbox.as_deref().map(|bbox| ("bbox", bbox)));
        out.push_str(&map(ask, "first-small", &attributes));
    }
    out + &addresses(ask, drawn) + "</div></div>"
}

fn actions(ask: &Ask, drawn: &Drawn) -> String {
    let id = &drawn.layer.id;
    let mut out = String::from("<div class=row>");
    if drawn.layer.state().archive.is_none() {
        let items = href(ask, &format!("/ogc/collections/{id}/items?f=html&limit=50"));
        let _ = write!(out, "<a class=button href=\"{items}\">{}</a>", word(ask, "浏览要素", "Browse features"));
    }
    let _ = write!(out, "<a class=\"button plain\" href=\"/?l={id}\">{}</a>", word(ask, "在一张图中看", "On the map"));
    out + "</div>"
}

fn facts(ask: &Ask, drawn: &Drawn, temporal: Option<(&str, &str)>) -> String {
    let (layer, state) = (&drawn.layer, drawn.layer.state());
    let whole = drawn.grant.scope().is_all();
    let snapshot = ask.app.catalog.snapshot();
    let theme = layer.theme.as_deref().and_then(|id| snapshot.themes.iter().find(|t| t.id == id));
    let mut rows: Vec<(&str, String)> = vec![
        (word(ask, "标识", "Id"), format!("<code>{}</code>", layer.id)),
        (word(ask, "提供单位", "Department"), escape(ask.language.pick(&department_title(ask, &layer.department)))),
        (word(ask, "几何", "Geometry"), shape(ask, state.geometry_type.as_deref(), state.archive.is_some()).into()),
    ];
    if let Some(theme) = theme {
        rows.push((word(ask, "主题", "Theme"), escape(ask.language.pick(&theme.title))));
    }
    if let Some(count) = state.feature_count.filter(|_| whole) {
        rows.push((word(ask, "要素数", "Features"), count.to_string()));
    }
    if let Some([west, south, east, north]) = state.bbox.filter(|_| whole) {
        let text = format!("{west:.4}, {south:.4} – {east:.4}, {north:.4}");
        rows.push((word(ask, "范围", "Extent"), text));
    }
    if let Some((from, to)) = temporal {
        rows.push((word(ask, "时间", "Time"), format!("{} – {}", escape(from), escape(to))));
    }
    rows.push((word(ask, "更新", "Updated"), escape(&layer.updated)));
    rows.push((word(ask, "存储坐标系", "Stored in"), format!("<code>EPSG:{}</code>", state.srid)));
    let offered = ask.offered(&drawn.layer, &drawn.grant);
    let offered: Vec<String> = offered.into_iter().map(|c| format!("<code>{}</code>", c.name())).collect();
    rows.push((word(ask, "可选坐标系", "Offered in"), offered.join(" ")));
    let mut out = String::from("<div class=scroll><table class=facts>");
    for (name, value) in rows {
        let _ = write!(out, "<tr><th>{name}<td>{value}");
    }
    out + "</table></div>"
}

fn fields(ask: &Ask, drawn: &Drawn) -> String {
    let state = drawn.layer.state();
    let mut out = format!(
        "<h2>{}</h2><div class=scroll><table class=list><tr><th>{}<th>{}<th>{}",
        word(ask, "字段", "Fields"),
        word(ask, "名称", "Title"),
        word(ask, "字段", "Field"),
        word(ask, "类型", "Type"),
    );
    let temporal = temporal_field(state, drawn.grant.scope());
    for field in visible_fields(state, drawn.grant.scope()) {
        let (kind, format) = field.kind.json_schema();
        let role = if temporal == Some(field) { "<span class=tag>datetime</span>" } else { "" };
        let _ = write!(
            out,
            "<tr><td>{}<td><code>{}</code><td>{kind} {} {role}",
            escape(title(field, ask.language)),
            escape(&field.name),
            format.unwrap_or_default(),
        );
    }
    out.push_str("</table></div>");
    if state.archive.is_none() {
        let resources = [Resource::Schema, Resource::Queryables, Resource::Sortables].map(|resource| {
            let path = format!("/ogc/collections/{}/{}", drawn.layer.id, resource.name());
            link(ask, &path, resource.title(ask.language))
        });
        let _ = write!(out, "<p class=small>{}</p>", resources.join(" · "));
    }
    out
}

/// Every address of the layer, for programs.
fn addresses(ask: &Ask, drawn: &Drawn) -> String {
    let (id, state) = (&drawn.layer.id, drawn.layer.state());
    let mut rows: Vec<(&str, String)> = vec![];
    if state.archive.is_none() {
        rows.push(("GeoJSON", format!("/ogc/collections/{id}/items")));
        let file = |format: FileFormat| (format.title(), format!("/ogc/collections/{id}/items?f={}", format.name()));
        rows.extend(FileFormat::ALL.map(file));
    }
    if state.has_tiles() {
        rows.push(("TileJSON", format!("/tiles/{id}.json")));
        rows.push((word(ask, "样式", "Style"), format!("/styles/{id}.json")));
        rows.push((word(ask, "瓦片集", "Tilesets"), format!("/ogc/collections/{id}/tiles")));
    }
    for (name, path) in [("WMS", "/ogc/wms"), ("WMTS", "/ogc/wmts"), ("WFS", "/ogc/wfs")] {
        // The features of a tile archive are in its tiles only.
        let served = if name == "WFS" { state.archive.is_none() } else { state.has_tiles() };
        if served {
            rows.push((name, path.to_owned()));
        }
    }
    let mut out = format!("<h2>{}</h2><div class=\"card address\">", word(ask, "服务地址", "Addresses"));
    for (name, path) in rows {
        let url = format!("{}{path}", ask.base);
        let shown = match name {
            "WMS" | "WMTS" | "WFS" => format!("<code>{}</code>", escape(&url)),
            _ => format!("<a href=\"{}\"><code>{}</code></a>", href(ask, &path), escape(&path)),
        };
        let _ = write!(out, "<span>{name}</span><span>{shown}</span>{}", copy(ask, &ask.carried.url(&url)));
    }
    out + "</div>"
}
