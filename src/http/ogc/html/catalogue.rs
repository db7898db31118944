//! The landing page, and the collections by theme.

use std::fmt::Write;

use super::{copy, escape, href, link, word};
use crate::access::grant::{Grant, Read};
use crate::http::ask::Ask;
use crate::http::ogc::common::department_title;
use crate::layer::catalog::Published;

pub fn landing(ask: &Ask, layers: usize) -> String {
    let mut out = format!(
        "<p>{} {}</p><div class=cards>",
        word(ask, "城市各部门共享的图层，按国际通行标准提供。", "The layers that the city's departments share, by open standards."),
        match layers {
            0 => word(
                ask,
                "未登录时只列出提供单位明确公开的图层；请登录，或在地址后加 ?key=应用密钥。",
                "Without a session only those are listed that their owners opened to all: sign in, or add ?key=… to the address.",
            )
            .to_owned(),
            n => format!("{} {n} {}", word(ask, "当前可读", "You may read"), word(ask, "个图层。", "of them.")),
        },
    );
    for (path, zh, en, zh_said, en_said) in CARDS {
        let (name, said) = (word(ask, zh, en), word(ask, zh_said, en_said));
        let _ = write!(out, "<a href=\"{}\"><b>{name}</b>{said}</a>", href(ask, path));
    }
    out.push_str("</div>");
    out + &addresses(ask)
}

type Card = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Path, name and description of what there is.
const CARDS: [Card; 9] = [
    ("/ogc/collections", "图层与要素", "Collections", "查找、预览、过滤、下载", "Find, look, filter, download"),
    ("/ogc/collections/catalogue", "目录记录", "Records", "按主题、部门、类型检索", "The catalogue, with facets"),
    ("/ogc/styles", "样式", "Styles", "MapLibre 样式", "MapLibre styles"),
    ("/ogc/processes", "处理服务", "Processes", "地址匹配等", "Address matching and others"),
    ("/ogc/tiles", "瓦片", "Tiles", "矢量瓦片集", "Tilesets of vector tiles"),
    ("/ogc/tileMatrixSets", "瓦片矩阵集", "Tile matrix sets", "含天地图 CGCS2000 网格", "CGCS2000 among them"),
    ("/ogc/api?f=html", "接口说明", "API definition", "OpenAPI 3.0", "OpenAPI 3.0"),
    ("/ogc/conformance", "符合性声明", "Conformance", "实现的标准类", "What of the standards holds"),
    ("/", "一张图", "The map", "在浏览器中看图", "Everything on one map"),
];

/// The services' addresses, for desktop programs.
fn addresses(ask: &Ask) -> String {
    let mut out = format!(
        "<h2>{}</h2><div class=\"card address\">",
        word(ask, "在 QGIS、ArcGIS 等软件中使用", "For QGIS, ArcGIS and others")
    );
    for (name, path) in [("OGC API", "/ogc"), ("WMS", "/ogc/wms"), ("WMTS", "/ogc/wmts"), ("WFS", "/ogc/wfs")] {
        let url = format!("{}{path}", ask.base);
        let _ = write!(out, "<span>{name}</span><code>{}</code>{}", escape(&url), copy(ask, &ask.carried.url(&url)));
    }
    out + "</div>"
}

pub fn collections(ask: &Ask, layers: &[(Published, Grant<Read>)]) -> String {
    if layers.is_empty() {
        return format!(
            "<p class=card>{}</p>",
            word(
                ask,
                "没有可读的图层。请先登录，或在地址后加 ?key=应用密钥。",
                "There is no layer you may read. Sign in, or add ?key=… to the address.",
            )
        );
    }
    let mut out = search(ask, layers);
    let snapshot = ask.app.catalog.snapshot();
    let named = snapshot.themes.iter().map(|t| (Some(t.id.as_str()), ask.language.pick(&t.title)));
    for (theme, title) in named.chain([(None, word(ask, "其他", "Others"))]) {
        let known = |id: &str| snapshot.themes.iter().any(|t| t.id == id);
        let of = |l: &Published| l.theme.as_deref().filter(|id| known(id)) == theme;
        let rows: Vec<_> = layers.iter().filter(|(l, _)| of(l)).collect();
        if !rows.is_empty() {
            group(ask, title, &rows, &mut out);
        }
    }
    out
}

fn search(ask: &Ask, layers: &[(Published, Grant<Read>)]) -> String {
    let mut departments: Vec<_> = layers.iter().map(|(l, _)| l.department.clone()).collect();
    departments.sort_unstable();
    departments.dedup();
    let mut out = format!(
        "<form class=bar><input class=grow type=search data-search placeholder=\"{0}\" aria-label=\"{0}\">\
         <select data-department aria-label=\"{1}\"><option value=\"\">{2}",
        word(ask, "按名称、标识、说明查找", "Find by name, id or description"),
        word(ask, "部门", "Department"),
        word(ask, "所有部门", "All departments"),
    );
    for id in departments {
        let title = department_title(ask, &id);
        let _ = write!(out, "<option value=\"{}\">{}", escape(&id), escape(ask.language.pick(&title)));
    }
    let _ =
        write!(out, "</select><span class=quiet>{} {}</span></form>", layers.len(), word(ask, "个图层", "collections"));
    out
}

fn group(ask: &Ask, title: &str, layers: &[&(Published, Grant<Read>)], out: &mut String) {
    let _ = write!(
        out,
        "<section data-group><h2>{}</h2><div class=scroll><table><thead><tr><th>{}<th class=unimportant>{}<th>{}\
         <th class=unimportant>{}<th class=number>{}<tbody>",
        escape(title),
        word(ask, "图层", "Collection"),
        word(ask, "标识", "Id"),
        word(ask, "部门", "Department"),
        word(ask, "几何", "Geometry"),
        word(ask, "要素数", "Features"),
    );
    for (layer, grant) in layers {
        let state = layer.state();
        let department = ask.language.pick(&department_title(ask, &layer.department)).to_owned();
        let (name, said) = (ask.language.pick(&layer.title), ask.language.pick(&layer.description));
        let text = format!("{name} {} {said} {} {department}", layer.id, layer.title.zh);
        let count = state.feature_count.filter(|_| grant.scope().is_all()).map(|n| n.to_string()).unwrap_or_default();
        let _ = write!(
            out,
            "<tr data-text=\"{}\" data-of=\"{}\"><td>{}<div class=\"quiet small\">{}</div><td class=unimportant>\
             <code>{}</code><td>{}<td class=unimportant>{}<td class=number>{count}",
            escape(&text),
            escape(&layer.department),
            link(ask, &format!("/ogc/collections/{}", layer.id), name),
            escape(said),
            layer.id,
            escape(&department),
            shape(ask, state.geometry_type.as_deref(), state.archive.is_some()),
        );
    }
    out.push_str("</table></div></section>");
}

/// What the features are, in words.
pub fn shape(ask: &Ask, geometry: Option<&str>, archive: bool) -> &'static str {
    let kind = geometry.map(|g| g.trim_end_matches(['Z', 'M']));
    match kind.map(|k| k.strip_prefix("Multi").unwrap_or(k)) {
        _ if archive => word(ask, "瓦片", "tiles"),
        None => word(ask, "表", "table"),
        Some("Point") => word(ask, "点", "points"),
        Some("LineString") => word(ask, "线", "lines"),
        Some("Polygon") => word(ask, "面", "polygons"),
        Some(_) => word(ask, "混合", "mixed"),
    }
}
