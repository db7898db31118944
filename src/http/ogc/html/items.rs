//! Features beside a map: a page of a collection, and one feature.

use std::fmt::Write;

use super::{escape, href, link, map, word};
use crate::feature::geojson::Page;
use crate::feature::output::FileFormat;
use crate::http::ask::Ask;
use crate::http::ogc::paging::Pages;
use crate::http::ogc::query::ItemsQuery;
use crate::http::ogc::schemas::title;
use crate::layer::model::{Field, FieldType};

/// What a page of features shows.
pub struct ItemsPage<'a> {
    pub layer: &'a str,
    pub query: &'a ItemsQuery,
    pub rows: &'a [(i64, Vec<String>)],
    pub pages: &'a Pages,
    pub done: &'a Page,
}

pub fn items(ask: &Ask, page: &ItemsPage<'_>) -> String {
    let mut out = form(ask, page.layer, page.query.limit, None);
    if page.rows.is_empty() {
        let _ =
            write!(out, "<p class=card>{}</p>", word(ask, "没有符合条件的要素。", "No feature meets the conditions."));
        return out;
    }
    let table = table(ask, page);
    if page.query.selection.srid.is_none() {
        return out + &table + &turn(ask, page);
    }
    // On the map in longitude and latitude, whatever the table's page was asked in.
    let features = page.pages.this_as(&[("crs", None)], "json");
    let map = map(ask, "tall first-small", &[("features", &ask.carried.url(&features))]);
    out + "<div class=\"two wide\"><div>" + &table + &turn(ask, page) + "</div>" + &map + "</div>"
}

/// The filter and how many; `wrong` says what was wrong with what was asked.
pub fn form(ask: &Ask, layer: &str, limit: i64, wrong: Option<(&str, &str)>) -> String {
    let given: Vec<(String, String)> =
        form_urlencoded::parse(ask.query.as_bytes()).map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    let value = |name: &str| given.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
    let path = format!("/ogc/collections/{layer}/items");
    let mut out = String::new();
    if let Some((detail, hint)) = wrong {
        let _ = write!(
            out,
            "<div class=wrong><b>{}</b><br><span class=small>{}</span></div>",
            escape(detail),
            escape(hint)
        );
    }
    let _ =
        write!(out, "<form class=bar action=\"{}\" method=get><input type=hidden name=f value=html>", escape(&path));
    for (name, value) in given.iter().filter(|(n, _)| !["f", "filter", "limit", "cursor"].contains(&n.as_str())) {
        let _ = write!(out, "<input type=hidden name=\"{}\" value=\"{}\">", escape(name), escape(value));
    }
    if let Some((name, value)) = ask.carried.credential() {
        let _ = write!(out, "<input type=hidden name=\"{}\" value=\"{}\">", escape(&name), escape(&value));
    }
    let _ = write!(
        out,
        "<input class=grow name=filter value=\"{}\" placeholder=\"{1}\" aria-label=\"{2}\"><select name=limit aria-label=\"{3}\">",
        escape(value("filter")),
        word(
            ask,
            "过滤条件（CQL2），例如 名称 LIKE '%学%' AND 楼层 &gt;= 6",
            "Filter (CQL2), such as name LIKE '%school%' AND floors &gt;= 6"
        ),
        word(ask, "过滤条件", "Filter"),
        word(ask, "每页", "Per page"),
    );
    let mut choices = vec![10, 50, 100, 500, limit];
    choices.sort_unstable();
    choices.dedup();
    for n in choices {
        let _ = write!(out, "<option{}>{n}", if n == limit { " selected" } else { "" });
    }
    let _ = write!(
        out,
        "</select><button>{}</button>{}</form>",
        word(ask, "查询", "Apply"),
        link(ask, &format!("{path}?f=html&limit={limit}"), word(ask, "清除", "Clear")),
    );
    out
}

fn table(ask: &Ask, page: &ItemsPage<'_>) -> String {
    let fields = &page.query.fields;
    let mut out = String::from("<div class=scroll><table class=features><thead><tr><th class=number>id");
    for field in fields {
        let (mark, next) = order(page.query, field);
        let url = page.pages.this_as(&[("sortby", Some(&next))], "html");
        let _ = write!(
            out,
            "<th{}><a title=\"{}\" href=\"{}\">{}{mark}</a>",
            aligned(field),
            escape(&field.name),
            href(ask, &url),
            escape(title(field, ask.language)),
        );
    }
    out.push_str("<tbody>");
    for (id, cells) in page.rows {
        let url = href(ask, &format!("/ogc/collections/{}/items/{id}?f=html", page.layer));
        let _ = write!(out, "<tr data-feature=\"{id}\"><td class=number><a href=\"{url}\">{id}</a>");
        for (field, cell) in fields.iter().zip(cells) {
            let cell = escape(cell);
            let _ = write!(out, "<td{} title=\"{cell}\">{cell}", aligned(field));
        }
    }
    out + "</table></div>"
}

fn aligned(field: &Field) -> &'static str {
    if matches!(field.kind, FieldType::Integer | FieldType::Float) { " class=number" } else { "" }
}

/// How the page is ordered by a field, and the order that a click on its name asks for.
fn order(query: &ItemsQuery, field: &Field) -> (&'static str, String) {
    match query.selection.sort.first().filter(|key| key.field.name == field.name) {
        Some(key) if key.descending => (" ▼", field.name.clone()),
        Some(_) => (" ▲", format!("-{}", field.name)),
        None => ("", field.name.clone()),
    }
}

/// To the pages before and after.
fn turn(ask: &Ask, page: &ItemsPage<'_>) -> String {
    let mut out = String::from("<div class=row>");
    let mut button = |url: Option<String>, rel: &str, text: &str| {
        if let Some(url) = url {
            let _ = write!(out, "<a class=\"button plain\" rel={rel} href=\"{}\">{text}</a>", href(ask, &url));
        }
    };
    button(page.pages.previous(page.done, "html"), "prev", word(ask, "← 上一页", "← Previous"));
    button(page.pages.next(page.done, "html"), "next", word(ask, "下一页 →", "Next →"));
    let _ = write!(
        out,
        "<span class=quiet>{} {} · {}</span></div><p class=small>{} ",
        page.rows.len(),
        word(ask, "个要素", "features"),
        link(ask, &page.pages.this("json"), "GeoJSON"),
        word(ask, "下载全部符合条件的要素：", "Download all that meet the conditions:"),
    );
    let files = FileFormat::ALL.map(|format| link(ask, &page.pages.whole(format.name()), format.title()));
    out + &files.join(" · ") + "</p>"
}

pub fn item(ask: &Ask, layer: &str, id: i64, fields: &[Field], cells: &[String]) -> String {
    let path = format!("/ogc/collections/{layer}/items/{id}?f=json");
    let mut out = String::from("<div class=two><div class=scroll><table class=facts>");
    for (field, cell) in fields.iter().zip(cells) {
        let _ = write!(
            out,
            "<tr><th title=\"{}\">{}<td>{}",
            escape(&field.name),
            escape(title(field, ask.language)),
            escape(cell)
        );
    }
    let _ = write!(
        out,
        "</table></div><div class=first-small>{}<p class=small>{}</p></div></div>",
        map(ask, "", &[("features", &ask.carried.url(&path))]),
        link(ask, &path, "GeoJSON"),
    );
    out
}
