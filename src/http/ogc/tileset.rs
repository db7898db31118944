//! What is said of a tileset (OGC 20-057, 9; 17-083r4, 8): its layers with their fields, where its tiles are, how to ask for them.

use serde_json::{Map, Value, json};

use super::html::{self, page};
use super::styles::STYLES;
use super::{Format, format, link, self_links};
use crate::geo::crs::CRS84;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::{Answer, Ask, Language};
use crate::http::map::{describe_tiles, zooms};
use crate::http::negotiation::{MLT, MVT};
use crate::layer::model::Field;
use crate::layer::select::visible_fields;
use crate::tile::render::Drawn;

pub const SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";
/// What `f=` calls TileJSON: its name, and the media type that some know it by.
const TILEJSON: [&str; 2] = ["tilejson", "application/vnd.mapbox.tile+json"];

/// The set's name in OGC's register, else the address of its definition here.
pub fn named(ask: &Ask, document: &mut Value, member: &str, set: TileMatrixSet) {
    let ours = || format!("{}/ogc/tileMatrixSets/{}", ask.base, set.id());
    document[member] = set.uri().map_or_else(ours, str::to_owned).into();
}

/// `path` is that of the tilesets, `query` what chooses the layers.
pub fn answer(mut ask: Ask, set: TileMatrixSet, drawn: Vec<Drawn>, path: &str, query: &str) -> Answer {
    let asked = ask.parameters.clone().take("f")?;
    if asked.is_some_and(|f| TILEJSON.contains(&f.as_str())) {
        ask.parameters.take("f")?;
        return describe_tiles(ask, drawn, set);
    }
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    if format == Format::Html {
        let scheme = html::link(&ask, &format!("/ogc/tileMatrixSets/{}", set.id()), set.id());
        let layers = html::list(drawn.iter().map(|d| &*d.layer.id));
        return Ok(page(&ask, "Tileset", &format!("<p>{scheme} · {}</p>{layers}", set.crs_uri())));
    }
    let bounds = bounds(&drawn);
    let titles: Vec<&str> = drawn.iter().map(|d| ask.language.pick(&d.layer.title)).collect();
    let mut document = json!({
        "title": titles.join("、"),
        "dataType": "vector",
        "crs": set.crs_uri(),
        "mediaTypes": [MVT, MLT],
        "layers": drawn.iter().flat_map(|d| layers(&ask, d, set)).collect::<Vec<_>>(),
        "links": links(&ask, set, &drawn, path, query),
    });
    named(&ask, &mut document, "tileMatrixSetURI", set);
    if let Some(bounds) = bounds {
        located(&mut document, set, bounds);
    }
    if let Some(updated) = drawn.iter().map(|d| &d.layer.updated).max() {
        document["updated"] = updated.clone().into();
    }
    Ok(ask.json("application/json", document))
}

/// Where all layers together are; only when the caller sees the whole of each.
fn bounds(drawn: &[Drawn]) -> Option<[f64; 4]> {
    let whole = |d: &Drawn| d.layer.state().bbox.filter(|_| d.grant.scope().is_all());
    let all: Option<Vec<[f64; 4]>> = drawn.iter().map(whole).collect();
    all?.into_iter().reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
}

fn located(document: &mut Value, set: TileMatrixSet, bounds: [f64; 4]) {
    let [west, south, east, north] = bounds;
    document["boundingBox"] = boxed(bounds);
    document["centerPoint"] = json!({
        "coordinates": [(west + east) / 2.0, (south + north) / 2.0], "crs": CRS84.uri(),
        "tileMatrix": set.zoom_like_mercator(10).to_string(),
    });
    let limits = set.zooms().map(|zoom| {
        let [first_row, last_row, first_column, last_column] = set.limits(zoom, bounds);
        json!({"tileMatrix": zoom.to_string(), "minTileRow": first_row, "maxTileRow": last_row,
               "minTileCol": first_column, "maxTileCol": last_column})
    });
    document["tileMatrixSetLimits"] = limits.collect();
}

fn boxed([west, south, east, north]: [f64; 4]) -> Value {
    json!({"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84.uri(), "orderedAxes": ["Lon", "Lat"]})
}

fn links(ask: &Ask, set: TileMatrixSet, drawn: &[Drawn], path: &str, query: &str) -> Vec<Value> {
    let url = |rest: &str| format!("{}{rest}", ask.base);
    let own = format!("{path}/{}", set.id());
    let with = |parameter: &str| format!("{query}{}{parameter}", if query.is_empty() { '?' } else { '&' });
    // `self` keeps the choice of layers.
    let mut links = self_links(ask, &own, Format::Json, "application/json");
    if !query.is_empty() {
        for (one, f) in links.iter_mut().zip(["f=json", "f=html"]) {
            one["href"] = url(&format!("{own}{}", with(f))).into();
        }
    }
    links.push(link(url(&format!("{own}{}", with("f=tilejson"))), "describedby", "application/json", "TileJSON"));
    links.push(link(url(&format!("/ogc/tileMatrixSets/{}", set.id())), SCHEME, "application/json", set.title()));
    for (media, name) in [(MVT, "mvt"), (MLT, "mlt")] {
        let tile = format!("{own}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}{}", with(&format!("f={name}")));
        let mut item = link(url(&tile), "item", media, "Tiles");
        item["templated"] = true.into();
        links.push(item);
    }
    for d in drawn {
        let collection = format!("/ogc/collections/{}", d.layer.id);
        links.push(link(
            url(&collection),
            "http://www.opengis.net/def/rel/ogc/1.0/geodata",
            "application/json",
            &d.layer.id,
        ));
        links.push(link(url(&format!("{collection}/styles")), STYLES, "application/json", "Styles"));
    }
    links
}

/// The layers that a layer has in its tiles: itself; of an archive those that stand there, under the names that they have in the tiles.
fn layers(ask: &Ask, drawn: &Drawn, set: TileMatrixSet) -> Vec<Value> {
    let state = drawn.layer.state();
    let fields = visible_fields(state, drawn.grant.scope());
    let (minzoom, maxzoom) = zooms(ask, drawn, set);
    let own = |id: &str, kind: &str, fields: &[&&Field], (minzoom, maxzoom): (u8, u8)| {
        let mut layer = json!({
            "id": id, "dataType": "vector", "title": ask.language.pick(&drawn.layer.title),
            "minTileMatrix": minzoom.to_string(), "maxTileMatrix": maxzoom.to_string(),
            "propertiesSchema": schema(ask.language, fields),
        });
        let description = ask.language.pick(&drawn.layer.description);
        if !description.is_empty() {
            layer["description"] = description.into();
        }
        if let Some(dimension) = dimension(kind) {
            layer["geometryDimension"] = dimension.into();
        }
        if let Some(bbox) = state.bbox.filter(|_| drawn.grant.scope().is_all()) {
            layer["boundingBox"] = boxed(bbox);
        }
        layer
    };
    match &state.archive {
        None => {
            let kind = state.geometry_type.as_deref().unwrap_or_default();
            vec![own(&drawn.layer.id, kind, &fields.iter().collect::<Vec<_>>(), (minzoom, maxzoom))]
        }
        Some(archive) => archive
            .layers
            .iter()
            .map(|l| {
                let fields: Vec<&&Field> = fields.iter().filter(|f| l.fields.contains(&f.name)).collect();
                own(&l.id, &l.geometry, &fields, (l.minzoom, l.maxzoom))
            })
            .collect(),
    }
}

fn schema(language: Language, fields: &[&&Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let (kind, format) = field.kind.json_schema();
            let title = language.word(&field.title_zh, &field.title_en);
            let mut schema = json!({"type": kind, "title": title});
            if let Some(format) = format {
                schema["format"] = format.into();
            }
            (field.name.clone(), schema)
        })
        .collect();
    json!({"type": "object", "properties": properties})
}

fn dimension(kind: &str) -> Option<u8> {
    match kind.trim_start_matches("Multi") {
        k if k.starts_with("Point") => Some(0),
        k if k.starts_with("Line") => Some(1),
        k if k.starts_with("Polygon") => Some(2),
        _ => None,
    }
}
