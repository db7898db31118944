//! OGC API Records: the catalogue, in which each layer that the caller may know of is a record.

mod record;
mod search;

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};

use self::record::{Record, media_of, rights, schema};
use self::search::{BUCKETS, Search, facet_names};
use super::html::{self, page};
use super::styles::STYLES;
use super::{Format, format, json_response, link, self_links};
use crate::error::Error;
use crate::feature::output::FileFormat;
use crate::geo::crs::CRS84;
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};

/// The catalogue's id among the collections. No layer is called so.
pub const CATALOGUE: &str = "catalogue";
const PATH: &str = "/ogc/collections/catalogue";
const GEOJSON: &str = "application/geo+json";
const SCHEMA: &str = "application/schema+json";
const RECORD: &str = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core";
pub const CATALOG_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/ogc-catalog";

/// The catalogue as a collection.
pub async fn catalogue(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let document = describe(&ask);
    let title = document["title"].as_str().unwrap_or_default().to_owned();
    Ok(match format {
        Format::Json => ask.json("application/json", document),
        Format::Html => {
            let said = document["description"].as_str().unwrap_or_default();
            page(&ask, &title, &format!("<p>{}</p>{}", html::escape(said), form(&ask, "")))
        }
    })
}

pub fn describe(ask: &Ask) -> Value {
    let url = |rest: &str| format!("{}{PATH}{rest}", ask.base);
    let mut links = self_links(ask, PATH, Format::Json, "application/json");
    links.extend([
        link(url("/items"), "items", GEOJSON, "Records as GeoJSON"),
        link(url("/items?f=html"), "items", "text/html", "Records as HTML"),
        link(
            url("/queryables"),
            "http://www.opengis.net/def/rel/ogc/1.0/queryables",
            SCHEMA,
            "What records are found by",
        ),
        link(
            url("/sortables"),
            "http://www.opengis.net/def/rel/ogc/1.0/sortables",
            SCHEMA,
            "What records are sorted by",
        ),
        link(url("/schema"), "describedby", SCHEMA, "The schema of the records"),
        link(
            url("/facets"),
            "http://www.opengis.net/def/rel/ogc/1.0/facets",
            "application/json",
            "What records are counted by",
        ),
    ]);
    json!({
        "id": CATALOGUE,
        "type": "Collection",
        "itemType": "record",
        "title": html::word(ask, "图层目录", "The catalogue of layers"),
        "description": html::word(
            ask,
            "政务一张图的图层目录：可以使用的图层，以及可以向提供单位申请的图层。",
            "The layers of the city's shared map: those that may be used, and those that may be requested from their owners.",
        ),
        "crs": [CRS84.uri()],
        "storageCrs": CRS84.uri(),
        "defaultSortOrder": ["id"],
        "conformsTo": [RECORD, "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/searchable-catalog"],
        "links": links,
    })
}

pub async fn items(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    let search = Search::take(&mut ask.parameters)?;
    let records = search.of(record::all(&ask));
    let facets = search.facets(&ask, &records);
    let matched = records.len();
    let shown: Vec<&Record> = records.iter().skip(search.offset).take(search.limit).collect();
    let mut document = json!({
        "type": "FeatureCollection",
        "features": shown.iter().map(|record| geojson(&ask, record)).collect::<Vec<_>>(),
        "numberMatched": matched,
        "numberReturned": shown.len(),
        "links": pages(&ask, &search, matched, format),
    });
    if let Some(facets) = facets {
        document["facets"] = facets;
    }
    let document = ask.carried.links(document);
    let etag = weak_etag(&[document.to_string().as_bytes(), &[format as u8]]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    // Not in the validator: the same records are the same answer, whenever they were asked for.
    let mut document = document;
    document["timeStamp"] = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
    let response = match format {
        Format::Json => json_response(GEOJSON, &document),
        Format::Html => listed(&ask, &shown, matched, &document["links"]),
    };
    Ok(keep(response, Keep::Private, Some(&etag)))
}

pub async fn item(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let records = record::all(&ask);
    let found = records.iter().find(|record| *record.layer.id == *id);
    let record = found.ok_or_else(|| {
        Error::not_found("目录中没有这条记录", "there is no such record in the catalogue")
            .hint(format!("目录见 {PATH}/items"), format!("the catalogue is at {PATH}/items"))
    })?;
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let mut document = geojson(&ask, record);
    let links = self_links(&ask, &format!("{PATH}/items/{id}"), format, GEOJSON);
    if let Some(members) = document["links"].as_array_mut() {
        members.retain(|l| l["rel"] != "self");
        members.splice(0..0, links);
    }
    let document = ask.carried.links(document);
    let etag = weak_etag(&[document.to_string().as_bytes(), &[format as u8]]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let response = match format {
        Format::Json => json_response(GEOJSON, &document),
        Format::Html => detail(&ask, record, &document),
    };
    Ok(keep(response, Keep::Private, Some(&etag)))
}

/// A record (OGC 20-004r1, 7.2).
fn geojson(ask: &Ask, record: &Record) -> Value {
    let layer = &record.layer;
    let geometry = record
        .bbox
        .map(|[w, s, e, n]| json!({"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]}));
    let formats: Vec<Value> = record.formats.iter().map(|f| json!({"name": f, "mediaType": media_of(f)})).collect();
    let mut properties = json!({
        "type": "dataset",
        "title": record.title,
        "description": record.description,
        "language": {"code": html::word(ask, "zh", "en")},
        "languages": [{"code": "zh", "name": "中文"}, {"code": "en", "name": "English"}],
        "resourceLanguages": [{"code": "zh", "name": "中文"}],
        "created": layer.created,
        "updated": layer.updated,
        "contacts": [{
            "identifier": layer.department, "organization": ask.language.pick(&record.department),
            "roles": ["publisher", "custodian"],
            "links": [link(format!("{}/?d={}", ask.base, layer.department), "about", "text/html", "The department's layers")],
        }],
        "formats": formats,
        "rights": rights(layer.class, ask.language),
        "department": layer.department,
        "shareClass": layer.class.name(),
        "access": record.access,
        "geometryType": record.geometry_type,
        "externalIds": [{"scheme": "onemap", "value": layer.id}],
    });
    let mut keywords = vec![ask.language.pick(&record.department).to_owned()];
    if let (Some(id), Some(title)) = (&layer.theme, record.themes(ask.language)) {
        keywords.push(title.to_owned());
        properties["theme"] = id.clone().into();
        properties["themes"] = json!([{
            "concepts": [{"id": id, "title": title}], "scheme": format!("{}/api/v1/topics", ask.base),
        }]);
    }
    properties["keywords"] = keywords.into();
    json!({
        "id": layer.id,
        "type": "Feature",
        "conformsTo": [RECORD],
        // The state that the data have: that of their last change.
        "time": {"timestamp": layer.updated, "resolution": "PT1S"},
        "geometry": geometry,
        "properties": properties,
        "links": links(ask, record),
    })
}

fn links(ask: &Ask, record: &Record) -> Vec<Value> {
    let id = &record.layer.id;
    let url = |path: String| format!("{}{path}", ask.base);
    let mut links = vec![
        link(url(format!("{PATH}/items/{id}?f=json")), "self", GEOJSON, "This record"),
        link(url(PATH.into()), "collection", "application/json", "The catalogue"),
    ];
    let Some(state) = record.layer.state.as_ref().filter(|_| record.access != "request") else {
        links.push(link(url(format!("/?l={id}")), "about", "text/html", "Where to request it"));
        return links;
    };
    let collection = format!("/ogc/collections/{id}");
    links.push(link(url(collection.clone()), "describes", "application/json", "The collection"));
    links.push(link(url(format!("/?l={id}")), "preview", "text/html", "On the map"));
    if state.archive.is_none() {
        links.push(link(url(format!("{collection}/items")), "items", GEOJSON, "Features"));
        for format in FileFormat::ALL {
            let address = url(format!("{collection}/items?f={}", format.name()));
            links.push(link(address, "enclosure", format.media()[0], &format!("Features as {}", format.name())));
        }
    }
    if state.has_tiles() {
        let tiles = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
        links.push(link(url(format!("{collection}/tiles")), tiles, "application/json", "Vector tiles"));
        links.push(link(url(format!("{collection}/styles")), STYLES, "application/json", "Styles"));
        links.push(link(url(format!("/tiles/{id}.json")), "data", "application/json", "TileJSON"));
    }
    for (name, path, tiles) in [("WMS", "/ogc/wms", true), ("WMTS", "/ogc/wmts", true), ("WFS", "/ogc/wfs", false)] {
        let served = if tiles { state.has_tiles() } else { state.archive.is_none() };
        if served {
            let address = url(format!("{path}?service={name}&request=GetCapabilities"));
            links.push(link(address, "service", "text/xml", name));
        }
    }
    links
}

/// `self`, `alternate`, `next`, `prev`.
fn pages(ask: &Ask, search: &Search, matched: usize, format: Format) -> Vec<Value> {
    let address = |offset: usize, f: &str| {
        let kept = form_urlencoded::parse(ask.query.as_bytes()).filter(|(n, _)| n != "offset" && n != "f");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept.collect::<Vec<_>>()).append_pair("f", f);
        if offset > 0 {
            query.append_pair("offset", &offset.to_string());
        }
        format!("{}{PATH}/items?{}", ask.base, query.finish())
    };
    let (this, other) = match format {
        Format::Json => (("json", GEOJSON), ("html", "text/html")),
        Format::Html => (("html", "text/html"), ("json", GEOJSON)),
    };
    let mut links = vec![
        link(address(search.offset, this.0), "self", this.1, "This page"),
        link(address(search.offset, other.0), "alternate", other.1, "This page in the other format"),
        link(format!("{}{PATH}", ask.base), "collection", "application/json", "The catalogue"),
    ];
    if search.limit > 0 && search.offset + search.limit < matched {
        links.push(link(address(search.offset + search.limit, this.0), "next", this.1, "Next page"));
    }
    if search.offset > 0 {
        links.push(link(address(search.offset.saturating_sub(search.limit), this.0), "prev", this.1, "Previous page"));
    }
    links
}

pub async fn queryables(ask: Ask) -> Answer {
    let mut properties = schema(ask.language, |_| true);
    properties.insert("geometry".into(), json!({"format": "geometry-polygon", "x-ogc-role": "primary-geometry"}));
    schema_answer(ask, "queryables", properties.into())
}

pub async fn sortables(ask: Ask) -> Answer {
    let properties = schema(ask.language, |p| p.sortable);
    schema_answer(ask, "sortables", properties.into())
}

pub async fn record_schema(ask: Ask) -> Answer {
    let mut properties = schema(ask.language, |p| p.name != "id");
    properties.insert("id".into(), json!({"type": "string", "x-ogc-role": "id"}));
    properties.insert("geometry".into(), json!({"format": "geometry-polygon", "x-ogc-role": "primary-geometry"}));
    properties.insert("rights".into(), json!({"type": "string"}));
    properties.insert("keywords".into(), json!({"type": "array", "items": {"type": "string"}}));
    properties.insert("language".into(), json!({"type": "object"}));
    for name in ["languages", "resourceLanguages", "themes", "contacts", "formats", "externalIds"] {
        properties.insert(name.into(), json!({"type": "array", "items": {"type": "object"}}));
    }
    schema_answer(ask, "schema", properties.into())
}

fn schema_answer(mut ask: Ask, what: &str, properties: Value) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    if format == Format::Html {
        let names = properties.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        return Ok(page(&ask, what, &html::list(names)));
    }
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{}{PATH}/{what}", ask.base),
        "type": "object",
        "title": html::word(&ask, "图层目录", "The catalogue of layers"),
        "properties": properties,
        "additionalProperties": false,
    });
    Ok(keep(json_response(SCHEMA, &document), Keep::Private, None))
}

pub async fn facets(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let facets: serde_json::Map<String, Value> = facet_names()
        .map(|name| (name.to_owned(), json!({"type": "term", "property": name, "sortedBy": "count"})))
        .collect();
    let document = json!({
        "id": CATALOGUE, "title": html::word(&ask, "图层目录", "The catalogue of layers"),
        "facets": facets, "defaultBucketCount": BUCKETS,
        "links": self_links(&ask, &format!("{PATH}/facets"), format, "application/json"),
    });
    Ok(match format {
        Format::Json => ask.json("application/json", document),
        Format::Html => page(&ask, "Facets", &html::list(facet_names())),
    })
}

fn form(ask: &Ask, q: &str) -> String {
    // The credential of the address, so that a search goes on with it.
    let hidden = ask.carried.credential().map_or_else(String::new, |(name, value)| {
        format!("<input type=hidden name=\"{}\" value=\"{}\">", html::escape(&name), html::escape(&value))
    });
    format!(
        "<form action=\"{PATH}/items\"><input type=hidden name=f value=html>{hidden}<input name=q value=\"{}\" placeholder=\"{}\"> <button>{}</button></form>",
        html::escape(q),
        html::word(ask, "名称、摘要、单位、字段", "title, description, department, field"),
        html::word(ask, "查找", "Search"),
    )
}

fn listed(ask: &Ask, records: &[&Record], matched: usize, links: &Value) -> Response {
    let q = form_urlencoded::parse(ask.query.as_bytes()).find(|(n, _)| n == "q").map(|(_, v)| v.into_owned());
    let rows: String = records
        .iter()
        .map(|r| {
            format!(
                "<tr><td>{}<td>{}<td>{}<td>{}<td>{}",
                html::link(ask, &format!("{PATH}/items/{}", r.layer.id), &r.title),
                html::escape(ask.language.pick(&r.department)),
                html::escape(r.themes(ask.language).unwrap_or("–")),
                rights(r.layer.class, ask.language),
                html::escape(r.layer.updated.get(..10).unwrap_or_default()),
            )
        })
        .collect();
    let page_link = |rel: &str, text: &str| {
        let found = links.as_array().into_iter().flatten().find(|l| l["rel"] == rel);
        let address = found.and_then(|l| l["href"].as_str());
        address.map(|a| format!("<a rel={rel} href=\"{}\">{text}</a> ", html::escape(a))).unwrap_or_default()
    };
    let word = |zh, en| html::word(ask, zh, en);
    let body = format!(
        "{}<p class=quiet>{matched} {}</p><div class=scroll><table><tr><th>{}<th>{}<th>{}<th>{}<th>{}{rows}</table></div><p>{}{}</p>",
        form(ask, q.as_deref().unwrap_or_default()),
        word("条记录", "records"),
        word("图层", "Layer"),
        word("提供单位", "Department"),
        word("主题", "Theme"),
        word("共享类型", "Sharing"),
        word("更新", "Updated"),
        page_link("prev", word("← 上一页", "← Previous page")),
        page_link("next", word("下一页 →", "Next page →")),
    );
    page(ask, word("图层目录", "The catalogue of layers"), &body)
}

fn detail(ask: &Ask, record: &Record, document: &Value) -> Response {
    let word = |zh, en| html::word(ask, zh, en);
    let row = |name: &str, text: &str| format!("<tr><th>{name}<td>{}", html::escape(text));
    let links: String = document["links"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|l| !matches!(l["rel"].as_str(), Some("self" | "alternate")))
        .map(|l| {
            let text = |name: &str| html::escape(l[name].as_str().unwrap_or_default());
            format!("<li><a href=\"{}\">{}</a> <span class=quiet>{}</span>", text("href"), text("title"), text("type"))
        })
        .collect();
    let body = format!(
        "<p>{}</p><table>{}{}{}{}{}</table><ul>{links}</ul>",
        html::escape(&record.description),
        row(word("提供单位", "Department"), ask.language.pick(&record.department)),
        row(word("主题", "Theme"), record.themes(ask.language).unwrap_or("–")),
        row(word("共享类型", "Sharing"), rights(record.layer.class, ask.language)),
        row(word("更新", "Updated"), &record.layer.updated),
        row(word("格式", "Formats"), &record.formats.join(", ")),
    );
    page(ask, &record.title, &body)
}
