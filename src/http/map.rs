//! What a web map loads beside tiles: TileJSON, styles, sprites, glyphs, legends.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Language};
use super::cache_policy::{Keep, keep, not_modified, weak_etag};
use super::ogc::json_response;
use super::style;
use super::tile::{Wanted, distinct_names, set_named};
use crate::error::{Error, Result, Said};
use crate::geo::tms::TileMatrixSet;
use crate::layer::select::visible_fields;
use crate::style::{glyphs, legend as legends, sprites};
use crate::tile::render::Drawn;

/// TileJSON names tiles up to here, in WebMercatorQuad's zooms; a client draws the deeper ones from these.
const MAX_ZOOM: u8 = 16;

/// `/tiles/{layers}.json`: TileJSON 3.0.0 of one layer or several.
pub async fn tilejson(ask: Ask, Path(name): Path<String>) -> Answer {
    // Permission first, as everywhere; what has no `.json` at its end names no layers.
    let drawn = name.strip_suffix(".json").map(|ids| ask.view_many(ids)).ok_or_else(no_tilejson)??;
    describe_tiles(ask, drawn, TileMatrixSet::WebMercatorQuad)
}

/// `/tiles/{layers}/{set}.json`: the same for another tile matrix set.
pub async fn tilejson_of_set(ask: Ask, Path((ids, name)): Path<(String, String)>) -> Answer {
    let drawn = ask.view_many(&ids)?;
    let set = set_named(name.strip_suffix(".json").ok_or_else(no_tilejson)?)?;
    describe_tiles(ask, drawn, set)
}

fn no_tilejson() -> Error {
    Error::not_found("没有这个地址", "there is nothing at this address").hint(
        "TileJSON 位于 /tiles/{图层}.json 和 /tiles/{图层}/{矩阵集}.json",
        "TileJSON is at /tiles/{layers}.json and /tiles/{layers}/{set}.json",
    )
}

pub fn describe_tiles(mut ask: Ask, drawn: Vec<Drawn>, set: TileMatrixSet) -> Answer {
    let wanted = Wanted::take(&mut ask.parameters, &drawn)?;
    ask.parameters.clone().finish()?;
    distinct_names(&drawn)?;
    let ids = drawn.iter().map(|d| &*d.layer.id).collect::<Vec<_>>().join(",");
    let path = if set == TileMatrixSet::WebMercatorQuad { ids } else { format!("{ids}/{}", set.id()) };
    let query = wanted.query(ask.app.tiles.version(&drawn));
    let mut bounds: Option<[f64; 4]> = None;
    for bbox in drawn.iter().filter(|d| d.grant.scope().is_all()).filter_map(|d| d.layer.state().bbox) {
        bounds =
            Some(bounds.map_or(bbox, |b| [b[0].min(bbox[0]), b[1].min(bbox[1]), b[2].max(bbox[2]), b[3].max(bbox[3])]));
    }
    let complete: Option<Vec<u8>> = drawn.iter().map(|d| complete_from(&ask, d, set)).collect();
    let mut document = json!({
        "tilejson": "3.0.0",
        "name": drawn.iter().map(|d| ask.language.pick(&d.layer.title)).collect::<Vec<_>>().join("、"),
        "scheme": "xyz",
        "tiles": [format!("{}/tiles/{path}/{{z}}/{{x}}/{{y}}{query}", ask.base)],
        "minzoom": drawn.iter().map(|d| zooms(&ask, d, set).0).min(),
        "maxzoom": drawn.iter().map(|d| zooms(&ask, d, set).1).max(),
        "complete_from": complete.and_then(|zooms| zooms.into_iter().max()),
        "tile_matrix_set": set.id(),
        "crs": set.crs_uri(),
        "vector_layers": drawn.iter().flat_map(|d| vector_layers(&ask, d, set)).collect::<Vec<_>>(),
    });
    if let Some(bounds) = bounds {
        let zoom = set.zoom_like_mercator(10);
        document["bounds"] = json!(bounds);
        document["center"] = json!([(bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0, zoom]);
    }
    let document = ask.carried.links(document);
    let etag = weak_etag(&[document.to_string().as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    Ok(keep(json_response("application/json", &document), Keep::Private, Some(&etag)))
}

/// From which zoom of the set on nothing of a layer is left out, if that is known.
fn complete_from(ask: &Ask, drawn: &Drawn, set: TileMatrixSet) -> Option<u8> {
    ask.app.tiles.complete_from(drawn).map(|zoom| set.zoom_like_mercator(zoom))
}

/// The zooms that a layer has tiles of: the last is one that shows everything, because clients draw the deeper ones from it.
pub fn zooms(ask: &Ask, drawn: &Drawn, set: TileMatrixSet) -> (u8, u8) {
    match &drawn.layer.state().archive {
        Some(archive) => (archive.minzoom, archive.maxzoom),
        None => {
            let last = set.zoom_like_mercator(MAX_ZOOM);
            (*set.zooms().start(), complete_from(ask, drawn, set).map_or(last, |zoom| zoom.max(last)))
        }
    }
}

fn vector_layers(ask: &Ask, drawn: &Drawn, set: TileMatrixSet) -> Vec<Value> {
    let Some(archive) = &drawn.layer.state().archive else { return vec![vector_layer(ask, drawn, set)] };
    let all = field_types(drawn);
    let layers = archive.layers.iter().map(|layer| {
        let fields: Map<String, Value> =
            layer.fields.iter().filter_map(|name| Some((name.clone(), all.get(name)?.clone()))).collect();
        json!({"id": layer.id, "description": layer.description, "fields": fields,
               "minzoom": layer.minzoom, "maxzoom": layer.maxzoom, "complete_from": null})
    });
    layers.collect()
}

fn vector_layer(ask: &Ask, drawn: &Drawn, set: TileMatrixSet) -> Value {
    let (minzoom, maxzoom) = zooms(ask, drawn, set);
    json!({"id": drawn.layer.id, "description": ask.language.pick(&drawn.layer.title), "fields": field_types(drawn),
           "minzoom": minzoom, "maxzoom": maxzoom, "complete_from": complete_from(ask, drawn, set)})
}

fn field_types(drawn: &Drawn) -> Map<String, Value> {
    visible_fields(drawn.layer.state(), drawn.grant.scope())
        .into_iter()
        .map(|f| (f.name.clone(), f.kind.tilejson().into()))
        .collect()
}

/// `/styles/{id}.json`: a style of `styles/`, the one of a layer, or one that a department keeps.
pub async fn style(ask: Ask, Path(name): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let id = name.strip_suffix(".json").ok_or_else(|| Error::not_found("没有这个样式", "there is no such style"))?;
    let document = style::by_id(&ask, id)?.style;
    let document = ask.carried.links(document);
    let etag = weak_etag(&[document.to_string().as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    Ok(keep(json_response("application/json", &document), Keep::Private, Some(&etag)))
}

/// `/api/v1/layers/{id}/legend`: JSON, or a picture with `f=png` (`f=png@2x` for dense screens).
pub async fn legend(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.view(&id)?;
    let format = ask.parameters.take("f")?;
    ask.parameters.clone().finish()?;
    let picture = match format.as_deref() {
        None | Some("json") => None,
        Some("png") => Some(false),
        Some("png@2x") => Some(true),
        Some(_) => {
            return Err(Error::invalid("f", "图例格式为 json、png 或 png@2x", "a legend is json, png or png@2x").into());
        }
    };
    Ok(legend_of(&ask, &style::of_layer(&ask, &drawn), &style::said(&drawn.layer), picture).await?)
}

/// The legend of a style: as JSON, or as a picture, which may be one of double size.
pub async fn legend_of(ask: &Ask, style: &Value, title: &Said, picture: Option<bool>) -> Result<Response> {
    let entries = legends::entries(style["layers"].as_array().map_or(&[][..], Vec::as_slice), title);
    let Some(double) = picture else { return Ok(json_response("application/json", &legends::to_json(&entries))) };
    let picture = ask.app.pictures.legend(entries, ask.language == Language::English, double).await?;
    Ok(keep(([(header::CONTENT_TYPE, "image/png")], picture).into_response(), Keep::Private, None))
}

/// `/sprites/onemap[@2x].{json,png}`: the same for everybody.
pub async fn sprite(ask: Ask, Path(name): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let (kind, bytes) = sprites::file(&name)?;
    Ok(unchanging(&ask, ([(header::CONTENT_TYPE, kind)], bytes.clone()).into_response(), &bytes))
}

/// `/fonts/{stack}/{start}-{end}.pbf`. Of a stack `a,b` the first font that there is.
pub async fn glyphs(ask: Ask, Path((stack, range)): Path<(String, String)>) -> Answer {
    ask.parameters.clone().finish()?;
    let range = range.strip_suffix(".pbf").unwrap_or(&range);
    let start = glyphs::parse_range(range)?;
    let known = |name: &&str| glyphs::STACKS.iter().any(|(known, _)| known == name);
    let font = stack.split(',').map(str::trim).find(known).unwrap_or(&stack).to_owned();
    let app = ask.app.clone();
    let bytes =
        tokio::task::spawn_blocking(move || app.glyphs.range(&font, start)).await.map_err(Error::internal)??;
    Ok(unchanging(&ask, ([(header::CONTENT_TYPE, "application/x-protobuf")], bytes.clone()).into_response(), &bytes))
}

fn unchanging(ask: &Ask, response: Response, bytes: &[u8]) -> Response {
    let etag = weak_etag(&[bytes]);
    not_modified(&ask.headers, &etag, Keep::Public).unwrap_or_else(|| keep(response, Keep::Public, Some(&etag)))
}
