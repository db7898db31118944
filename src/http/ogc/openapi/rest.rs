//! What is not of one collection, and what the route table has that is described nowhere else: no interface is left out.

use serde_json::{Value, json};

use super::Paths;
use super::parts::{binary, crs, html, json_and_html, names, operation, query, shared};
use crate::access::grant::{Grant, Read};
use crate::geo::crs::CRS84;
use crate::http::negotiation::{MLT, MVT};
use crate::http::ogc::paging::GEOJSON;
use crate::http::ogc::schemas;
use crate::http::ogc::styles::MBS;
use crate::http::routes::{self, Route};
use crate::layer::catalog::Published;

const COMMON: &str = "common";
const TILES: &str = "tiles";

/// The resources of the whole, described by hand.
pub fn first(paths: &mut Paths<'_>) {
    paths.tag(COMMON, paths.word("入口、目录与声明", "Landing page, collections, conformance"));
    paths.tag(TILES, paths.word("多图层瓦片与瓦片矩阵集", "Tiles of several layers, tile matrix sets"));
    let json = json_and_html();
    let mut get = |path: &str, id: &str, tag: &str, (zh, en), media: &[(&str, Value)], parameters: &[&str]| {
        let parameters = parameters.iter().map(|name| shared(name)).collect();
        let summary = paths.word(zh, en);
        paths.add(path, "get", operation(id, tag, summary, media, parameters));
    };
    get("/", "landing", COMMON, ("入口", "Landing page"), &json, &["f"]);
    get("/functions", "functions", COMMON, ("过滤条件可用的函数", "Functions for filters"), &json, &["f"]);
    get("/conformance", "conformance", COMMON, ("符合性声明", "Conformance classes"), &json, &["f"]);
    get(
        "/api",
        "api",
        COMMON,
        ("本文档", "This document"),
        &[(super::MEDIA, json!({"type": "object"})), json[1].clone()],
        &["f"],
    );
    get("/collections", "collections", COMMON, ("图层", "Collections"), &json, &["f"]);
    get("/tileMatrixSets", "matrixSets", TILES, ("瓦片矩阵集", "Tile matrix sets"), &json, &["f"]);
    let set = "/tileMatrixSets/{tileMatrixSetId}";
    get(set, "matrixSet", TILES, ("一个瓦片矩阵集", "A tile matrix set"), &json, &["tileMatrixSetId", "f"]);
    get("/tiles", "tilesets", TILES, ("瓦片集", "Tilesets of the whole"), &json, &["f"]);
    let tileset = "/tiles/{tileMatrixSetId}";
    get(tileset, "tileset", TILES, ("一个瓦片集", "A tileset"), &json, &["tileMatrixSetId", "collections", "f"]);
    let tile = "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}";
    let parameters = [
        "tileMatrixSetId",
        "tileMatrix",
        "tileRow",
        "tileCol",
        "collections",
        "fields",
        "filter",
        "filter-lang",
        "tile-f",
    ];
    get(tile, "tile", TILES, ("多图层瓦片", "A tile of several layers"), &[binary(MVT), binary(MLT)], &parameters);
    paths.paths[tile]["get"]["responses"]["204"] = json!({"description": "An empty tile"});
    let pages = json!([most("The most collections of a page", 1), shared("cursor"), shared("f")]);
    paths.paths["/collections"]["get"]["parameters"] = pages;
}

/// Everything else of the table. The services of the older standards describe themselves.
pub fn others(paths: &mut Paths<'_>, readable: &[(Published, Grant<Read>)]) {
    const BY_LAYER: [&str; 5] = ["/items", "/tiles", "/schema", "/queryables", "/sortables"];
    const APART: [&str; 4] = ["wms", "wmts", "wfs", "page.js"];
    for route in routes::table() {
        let Some(path) = route.path.strip_prefix("/ogc/").filter(|p| !p.is_empty()) else { continue };
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        // Who may not enter is not told how.
        let entered = route.access.check(&paths.ask.principal).is_ok();
        if APART.contains(&first) || matches!(route.method, "OPTIONS" | "HEAD") || !entered {
            continue;
        }
        match (first, rest.strip_prefix("{layer}")) {
            // What there is of these depends on the layer.
            ("collections", Some(below)) if BY_LAYER.iter().any(|known| below.starts_with(known)) => {}
            ("collections", Some(below)) => {
                let may = |id: &str| route.method == "GET" || paths.ask.edit(id).is_ok();
                let open: Vec<&Published> = readable.iter().map(|(layer, _)| layer).filter(|l| may(&l.id)).collect();
                for layer in open {
                    generic(paths, &route, &layer.id, &format!("/collections/{}{below}", layer.id));
                }
            }
            ("tiles" | "tileMatrixSets", _) => {}
            _ => {
                if !paths.tags.iter().any(|tag| tag["name"] == first) {
                    paths.tag(first, first);
                }
                generic(paths, &route, first, &format!("/{path}"));
            }
        }
    }
}

fn most(what: &str, least: u8) -> Value {
    query("limit", what, json!({"type": "integer", "minimum": least}))
}

fn offset() -> Value {
    query("offset", "How many to pass over", json!({"type": "integer", "minimum": 0}))
}

/// What these resources take beside a body, and the statuses by which they say that it is done.
fn taken(method: &str, path: &str) -> (Vec<Value>, &'static [&'static str]) {
    let header = |name: &str, what: &str| -> Value {
        json!({"name": name, "in": "header", "required": false, "description": what, "schema": {"type": "string"}})
    };
    let dry = || query("dry-run", "Checks, and keeps nothing: 204", json!({"type": "boolean", "default": false}));
    let strict = || header("Prefer", "handling=strict: also fields that a layer does not have are refused");
    let state = || header("If-Match", "The ETag of the state that is changed; 412 when it is another by now");
    match (method, path) {
        ("post", "/styles") => (vec![dry(), strict()], &["201", "204"]),
        ("put", "/styles/{style}") => (vec![dry(), strict(), state()], &["201", "204"]),
        ("delete", "/styles/{style}") | ("patch", "/styles/{style}/metadata") => (vec![state()], &["204"]),
        ("patch", _) => (vec![], &["204"]),
        ("post", "/processes/{process}/execution") => {
            (vec![header("Prefer", "respond-async: as a job, if the process can")], &["200", "201"])
        }
        ("get", path) => (asked(path), &["200"]),
        _ => (vec![], &["200"]),
    }
}

/// What these resources are asked by.
fn asked(path: &str) -> Vec<Value> {
    let seconds = |name: &str, what: &str| query(name, what, json!({"type": "number", "minimum": 0}));
    // A page of no records still has its facets.
    let least = u8::from(path != "/collections/catalogue/items");
    let pages = [most("The most entries of a page", least), offset()];
    let mut parameters: Vec<Value> = match path {
        "/collections/catalogue/items" => {
            let equal = ["department", "theme", "shareClass", "access", "geometryType"];
            let equal = equal.map(|name| query(name, "Records with this value", json!({"type": "string"})));
            let own = [
                names("q", "Records with any of these; words with blanks between them stand together"),
                names("type", "Records of these types"),
                names("ids", "Records with these ids"),
                names("externalIds", "Records with these ids elsewhere"),
                names("format", "Records of layers that are had in any of these formats"),
                shared("bbox"),
                shared("datetime"),
                shared("filter"),
                shared("filter-lang"),
                crs("filter-crs", "The CRS of coordinates in the filter", &[CRS84]),
                names("sortby", "Fields to sort by, -field for descending"),
                names("facets", "Facets to count by"),
            ];
            own.into_iter().chain(equal).collect()
        }
        "/jobs" => vec![
            names("processID", "Jobs of these processes"),
            names("type", "Jobs of these types"),
            names("status", "Jobs in these states"),
            shared("datetime"),
            seconds("minDuration", "Jobs that took at least so many seconds"),
            seconds("maxDuration", "Jobs that took at most so many seconds"),
        ],
        _ => vec![],
    };
    match path {
        "/processes" => parameters.extend(pages.into_iter().take(1)),
        _ if !parameters.is_empty() => parameters.extend(pages),
        _ => {}
    }
    parameters.push(shared("f"));
    parameters
}

/// What the JSON of a resource is called.
fn media(path: &str) -> &'static str {
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "schema" | "queryables" | "sortables" => schemas::MEDIA,
        _ if path.starts_with("/collections/catalogue/items") => GEOJSON,
        "{style}" => MBS,
        _ => "application/json",
    }
}

fn generic(paths: &mut Paths<'_>, route: &Route, tag: &str, path: &str) {
    let method = route.method.to_ascii_lowercase();
    // The same path may stand there already, with other names of its parameters.
    let blank = |p: &str| p.split('/').map(|s| if s.starts_with('{') { "{}" } else { s }).collect::<Vec<_>>().join("/");
    let known = paths.paths.keys().find(|known| blank(known) == blank(path)).cloned();
    let writes = method != "get";
    if known.as_deref().is_some_and(|known| paths.has(known, &method)) {
        return;
    }
    let path = known.as_deref().unwrap_or(path);
    let names = path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> =
        names.map(|n| json!({"name": n, "in": "path", "required": true, "schema": {"type": "string"}})).collect();
    let (own, done) = taken(&method, path);
    parameters.extend(own);
    let id = format!("{method}{}", path.replace(['/', '{', '}'], "."));
    let mut operation =
        operation(&id, tag, route.summary, &[(media(path), json!({"type": "object"})), html()], parameters);
    if matches!(method.as_str(), "post" | "put" | "patch") {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}});
    }
    if let Some(responses) = operation["responses"].as_object_mut().filter(|_| writes) {
        let answer = responses.remove("200").unwrap_or_default();
        for status in done {
            let said = match *status {
                "200" => answer.clone(),
                "201" => json!({"description": "Made; Location names it"}),
                _ => json!({"description": "Done"}),
            };
            responses.insert((*status).to_owned(), said);
        }
        for status in ["409", "412", "413", "415"] {
            responses.insert(status.into(), json!({"$ref": "#/components/responses/problem"}));
        }
    }
    paths.add(path, &method, operation);
}
