//! OGC API Common and the collection resources of Features: landing page, conformance, collections.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};

use super::html::{self, page};
use super::query::limit;
use super::records::{self, CATALOG_REL};
use super::styles::STYLES;
use super::{Format, format, json_response, link, openapi, relation, schemas, self_links};
use crate::access::grant::{Grant, Read};
use crate::access::rights::Right;
use crate::access::trace;
use crate::error::Result;
use crate::feature::extent::Span;
use crate::feature::output::FileFormat;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::layer::catalog::Published;
use crate::tile::render::Drawn;

pub const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
    // By its former name, which QGIS looks for.
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-operators",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/core-roles-features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/returnables-and-receivables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-features-6/1.0/conf/properties",
    "http://www.opengis.net/spec/ogcapi-features-6/1.0/conf/properties-features",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sorting",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/features-sorting",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/ogcapi-styles-1/0.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-styles-1/0.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-styles-1/0.0/conf/manage-styles",
    "http://www.opengis.net/spec/ogcapi-styles-1/0.0/conf/style-validation",
    "http://www.opengis.net/spec/ogcapi-styles-1/0.0/conf/mapbox-styles",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-collection",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core-query-parameters",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/records-api",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/sorting",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-filter",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/searchable-catalog",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/searchable-catalog/sorting",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/searchable-catalog/filtering",
    "http://www.opengis.net/spec/ogcapi-records-2/1.0/conf/simple",
    "http://www.opengis.net/spec/ogcapi-records-2/1.0/conf/advanced",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixsetlimits",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixsetlimits",
    "http://www.opengis.net/spec/tms/2.0/conf/tilesetmetadata",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilesetmetadata",
];

const FUNCTIONS_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/functions";
/// Collections of a page, at most.
const MOST_COLLECTIONS: i64 = 1_000;

pub async fn landing(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let url = |path: &str| format!("{}/ogc{path}", ask.base);
    let mut links = self_links(&ask, "/ogc", format, "application/json");
    links.extend([
        link(url("/api"), "service-desc", openapi::MEDIA, "The API definition"),
        link(url("/api?f=html"), "service-doc", "text/html", "The API documentation"),
        link(url("/conformance"), "conformance", "application/json", "Conformance classes"),
        link(url("/collections"), "data", "application/json", "Collections"),
        link(url("/functions"), FUNCTIONS_REL, "application/json", "Functions for filters"),
        link(url("/tiles"), "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", "application/json", "Tilesets"),
        link(url("/processes"), "http://www.opengis.net/def/rel/ogc/1.0/processes", "application/json", "Processes"),
        link(url("/jobs"), "http://www.opengis.net/def/rel/ogc/1.0/job-list", "application/json", "Jobs"),
        link(url("/collections/catalogue"), CATALOG_REL, "application/json", "The catalogue of layers"),
        link(url("/styles"), STYLES, "application/json", "Styles"),
        link(
            url("/tileMatrixSets"),
            "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
            "application/json",
            "Tile matrix sets",
        ),
        link(url("/wms?service=WMS&request=GetCapabilities"), "related", "text/xml", "Web Map Service 1.3.0"),
        link(url("/wmts/1.0.0/WMTSCapabilities.xml"), "related", "application/xml", "Web Map Tile Service 1.0.0"),
        link(url("/wfs?service=WFS&request=GetCapabilities"), "related", "application/xml", "Web Feature Service 2.0"),
    ]);
    let document = json!({
        "title": "onemap 政务一张图",
        "description": "The city's shared map layers. 城市政务共享图层。",
        "links": links,
    });
    Ok(match format {
        Format::Json => in_json(&ask, document),
        Format::Html => {
            let body = html::landing(&ask, readable(&ask, None).len());
            validated(&ask, &[&body], || page(&ask, html::word(&ask, "政务一张图开放接口", "onemap OGC API"), &body))
        }
    })
}

/// JSON whose links carry the credential, with a validator.
fn in_json(ask: &Ask, document: Value) -> Response {
    let document = ask.carried.links(document);
    validated(ask, &[&document.to_string()], || json_response("application/json", &document))
}

/// The answer with a validator made of what it says; 304 when the caller has that already.
fn validated(ask: &Ask, said: &[&str], answer: impl FnOnce() -> Response) -> Response {
    let language = [ask.language as u8];
    let parts: Vec<&[u8]> = said.iter().map(|part| part.as_bytes()).chain([&language[..]]).collect();
    let etag = weak_etag(&parts);
    let known = not_modified(&ask.headers, &etag, Keep::Private);
    known.unwrap_or_else(|| keep(answer(), Keep::Private, Some(&etag)))
}

pub async fn conformance(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let document = json!({ "conformsTo": CONFORMANCE });
    Ok(match format {
        Format::Json => in_json(&ask, document),
        Format::Html => {
            let body = html::list(CONFORMANCE.iter().copied());
            validated(&ask, &[&body], || page(&ask, html::word(&ask, "符合性声明", "Conformance"), &body))
        }
    })
}

pub async fn collections(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    let limit = limit(&mut ask.parameters, MOST_COLLECTIONS, MOST_COLLECTIONS)? as usize;
    let after = ask.parameters.take("cursor")?;
    ask.parameters.clone().finish()?;
    let all = readable(&ask, None);
    let beyond = |id: &str| after.as_deref().is_none_or(|after| id > after);
    let mut readable: Vec<_> = all.iter().filter(|(layer, _)| beyond(&layer.id)).cloned().collect();
    let more = readable.len() > limit;
    readable.truncate(limit);
    let mut documents = vec![];
    for (layer, grant) in &readable {
        documents.push(describe(&ask, layer, grant, span(&ask, layer).await?));
    }
    // The catalogue stands at the end of the last page.
    if !more {
        documents.push(records::describe(&ask));
    }
    let mut links = self_links(&ask, "/ogc/collections", format, "application/json");
    if let (true, Some((last, _))) = (more, readable.last()) {
        let next = format!("{}/ogc/collections?f=json&limit={limit}&cursor={}", ask.base, last.id);
        links.push(link(next, "next", "application/json", "Next page"));
    }
    let crs: Vec<String> = Crs::offered(4490).into_iter().map(Crs::uri).collect();
    let document = json!({
        "links": links,
        "crs": crs,
        "numberMatched": all.len() + 1,
        "numberReturned": documents.len(),
        "collections": documents,
    });
    Ok(match format {
        Format::Json => in_json(&ask, document),
        Format::Html => {
            let body = html::collections(&ask, &readable);
            validated(&ask, &[&body], || page(&ask, html::word(&ask, "图层", "Collections"), &body))
        }
    })
}

/// From when to when the layer's features are, as it is now; told to those who may ask for features.
async fn span(ask: &Ask, layer: &Published) -> Result<Option<Span>> {
    let Ok(Drawn { grant, .. }) = trace::within_sync(Arc::default(), || ask.read(&layer.id)) else { return Ok(None) };
    let edits = ask.app.edits.of(layer.state().revision).number;
    // Kept for everybody who may see the whole layer: whoever happens to ask first is given nothing by it.
    trace::within(Arc::default(), ask.app.extents.of(layer, &grant, edits)).await
}

/// The layers that the caller has a right on now, or any right.
pub fn readable(ask: &Ask, right: Option<Right>) -> Vec<(Published, Grant<Read>)> {
    let visible = ask.app.catalog.visible(&ask.app.gate, &ask.principal);
    // To be named in a list is not an access: whoever reads one of them opens it for itself.
    let open = |id: &str| {
        trace::within_sync(Arc::default(), || right.map_or_else(|| ask.describe(id), |right| ask.read_for(id, right)))
    };
    let readable = visible.into_iter().filter_map(|(layer, _)| open(&layer.id).ok());
    readable.map(|drawn| (drawn.layer, drawn.grant)).collect()
}

pub async fn collection(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let drawn = ask.describe(&id)?;
    let span = span(&ask, &drawn.layer).await?;
    Ok(match format {
        Format::Json => in_json(&ask, describe(&ask, &drawn.layer, &drawn.grant, span)),
        Format::Html => {
            let ends = span.as_ref().map(|(from, to)| (from.as_str(), to.as_str()));
            let body = html::collection(&ask, &drawn, ends);
            let above = [("/ogc/collections", html::word(&ask, "图层", "Collections"))];
            let title = ask.language.pick(&drawn.layer.title);
            validated(&ask, &[title, &body], || html::page_below(&ask, &above, title, &body))
        }
    })
}

/// A collection's description (OGC 17-069r4, 7.14; Part 2, 6.2).
pub fn describe(ask: &Ask, layer: &Published, grant: &Grant<Read>, span: Option<Span>) -> Value {
    let state = layer.state();
    let path = format!("/ogc/collections/{}", layer.id);
    let url = |rest: &str| format!("{}{path}{rest}", ask.base);
    let mut links = self_links(ask, &path, Format::Json, "application/json");
    if state.archive.is_none() {
        links.push(link(url("/items?f=json"), "items", "application/geo+json", "Features as GeoJSON"));
        links.push(link(url("/items?f=html"), "items", "text/html", "Features as HTML"));
        for format in FileFormat::ALL {
            let href = url(&format!("/items?f={}", format.name()));
            links.push(link(href, "items", format.media()[0], &format!("All features as {}", format.title())));
        }
        for (name, rel, title) in [
            ("schema", relation::SCHEMA, "The features' schema"),
            ("queryables", relation::QUERYABLES, "Fields that a filter may name"),
            ("sortables", relation::SORTABLES, "Fields to sort by"),
        ] {
            links.push(link(url(&format!("/{name}")), rel, schemas::MEDIA, title));
        }
    }
    if state.has_tiles() {
        links.push(link(url("/styles"), STYLES, "application/json", "Styles"));
        let tilesets = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
        links.push(link(url("/tiles"), tilesets, "application/json", "Vector tiles"));
    }
    let crs: Vec<String> = ask.offered(layer, grant).into_iter().map(Crs::uri).collect();
    let mut document = json!({
        "id": layer.id,
        "title": ask.language.pick(&layer.title),
        "description": ask.language.pick(&layer.description),
        "crs": crs,
        "storageCrs": Crs::epsg(state.srid).uri(),
        "links": links,
        "keywords": std::iter::once(&*layer.department).chain(layer.theme.as_deref()).collect::<Vec<&str>>(),
        "attribution": ask.language.pick(&department_title(ask, &layer.department)),
        "updated": layer.updated,
    });
    if state.archive.is_none() {
        document["itemType"] = "feature".into();
    }
    // A grant on a part of the layer must not tell how far the whole reaches.
    if let (Some(bbox), true) = (state.bbox, grant.scope().is_all()) {
        document["extent"] = json!({"spatial": {"bbox": [bbox], "crs": CRS84.uri()}});
    }
    if let Some((from, to)) = span {
        let gregorian = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian";
        document["extent"]["temporal"] = json!({"interval": [[from, to]], "trs": gregorian});
    }
    document
}

pub fn department_title(ask: &Ask, id: &str) -> crate::layer::model::Title {
    let snapshot = ask.app.catalog.snapshot();
    snapshot.departments.iter().find(|d| *d.id == *id).map(|d| d.title.clone()).unwrap_or_default()
}
