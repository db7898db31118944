//! What a web map loads: TileJSON, tiles, styles, sprites, glyphs, legends.

use std::io::Read;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Language};
use super::cache_policy::{Keep, keep, not_modified, weak_etag};
use super::ogc::json_response;
use crate::error::{Error, Result, Said};
use crate::geo::tms::TileMatrixSet;
use crate::layer::catalog::Published;
use crate::layer::model::FieldType;
use crate::layer::select::visible_fields;
use crate::style::{glyphs, legend as legends, library, sprites};
use crate::tile::render::Drawn;

const MVT: HeaderValue = HeaderValue::from_static("application/vnd.mapbox-vector-tile");
/// Tiles are made up to here; a client draws the deeper zooms from these.
const MAX_ZOOM: u8 = 16;

/// `/tiles/{layers}.json`: TileJSON 3.0.0 of one layer or several.
pub async fn tilejson(ask: Ask, Path(name): Path<String>) -> Answer {
    let ids = name.strip_suffix(".json").ok_or_else(|| {
        Error::not_found("没有这个地址", "there is nothing at this address")
            .hint("TileJSON 位于 /tiles/{图层}.json", "TileJSON is at /tiles/{layers}.json")
    })?;
    let drawn = ask.read_many(ids)?;
    ask.parameters.clone().finish()?;
    let version: Vec<String> = drawn.iter().map(|d| ask.app.edits.version(d.layer.state().revision)).collect();
    let tiles = format!("{}/tiles/{ids}/{{z}}/{{x}}/{{y}}?v={}", ask.base, version.join("."));
    let mut bounds: Option<[f64; 4]> = None;
    for bbox in drawn.iter().filter(|d| d.grant.scope().is_all()).filter_map(|d| d.layer.state().bbox) {
        bounds =
            Some(bounds.map_or(bbox, |b| [b[0].min(bbox[0]), b[1].min(bbox[1]), b[2].max(bbox[2]), b[3].max(bbox[3])]));
    }
    let mut document = json!({
        "tilejson": "3.0.0",
        "name": drawn.iter().map(|d| ask.language.pick(&d.layer.title)).collect::<Vec<_>>().join("、"),
        "scheme": "xyz",
        "tiles": [tiles],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "vector_layers": drawn.iter().map(|d| vector_layer(&ask, d)).collect::<Vec<_>>(),
    });
    if let Some(bounds) = bounds {
        document["bounds"] = json!(bounds);
        document["center"] = json!([(bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0, 10]);
    }
    let document = ask.carried.links(document);
    let etag = weak_etag(&[document.to_string().as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    Ok(keep(json_response("application/json", &document), Keep::Private, Some(&etag)))
}

fn vector_layer(ask: &Ask, drawn: &Drawn) -> Value {
    let fields: Map<String, Value> = visible_fields(drawn.layer.state(), drawn.grant.scope())
        .into_iter()
        .map(|f| {
            let kind = match f.kind {
                FieldType::Integer | FieldType::Float => "Number",
                FieldType::Boolean => "Boolean",
                _ => "String",
            };
            (f.name.clone(), kind.into())
        })
        .collect();
    json!({"id": drawn.layer.id, "description": ask.language.pick(&drawn.layer.title), "fields": fields,
           "minzoom": 0, "maxzoom": MAX_ZOOM})
}

/// `/tiles/{layers}/{z}/{x}/{y}`, also with `.mvt` or `.pbf`.
pub async fn tile(ask: Ask, Path((ids, z, x, y)): Path<(String, String, String, String)>) -> Answer {
    let drawn = ask.read_many(&ids)?;
    let y = y.strip_suffix(".mvt").or_else(|| y.strip_suffix(".pbf")).unwrap_or(&y).to_owned();
    answer_tile(ask, drawn, TileMatrixSet::WebMercatorQuad, [&z, &x, &y]).await
}

/// One tile of layers that may be read. `address` is zoom, column, row.
pub async fn answer_tile(mut ask: Ask, drawn: Vec<Drawn>, set: TileMatrixSet, address: [&str; 3]) -> Answer {
    let version = ask.parameters.take("v")?;
    let fields = ask.parameters.take("fields")?.map(|list| wanted_fields(&list, &drawn)).transpose()?;
    ask.parameters.clone().finish()?;
    let (z, x, y) = (tile_number(address[0], "z")?, tile_number(address[1], "x")?, tile_number(address[2], "y")?);
    let tile = set.tile(z, x, y).ok_or_else(|| {
        Error::not_found("瓦片超出矩阵范围", "the tile lies outside of the tile matrix set")
            .hint("z 为 0–24，x、y 小于 2^z", "z is 0 to 24, x and y are below 2^z")
    })?;
    let key = ask.app.tiles.key(&drawn, tile, fields.as_deref());
    let etag = key.as_ref().map(|k| k.etag());
    // A version in the address means these bytes for ever; only open layers may lie in shared caches.
    let current: Vec<String> = drawn.iter().map(|d| ask.app.edits.version(d.layer.state().revision)).collect();
    let policy = match ask.is_open_to_all(&drawn) {
        // A registered table has no version: it changes without telling.
        true if etag.is_some() && version.is_some_and(|v| v == current.join(".")) => Keep::Forever,
        true => Keep::Public,
        false => Keep::Private,
    };
    if let Some(response) = etag.as_deref().and_then(|e| not_modified(&ask.headers, e, policy)) {
        return Ok(response);
    }
    let bytes = ask.app.tiles.render(&drawn, tile, fields.as_deref()).await?;
    if bytes.is_empty() {
        return Ok(keep(StatusCode::NO_CONTENT.into_response(), policy, etag.as_deref()));
    }
    let mut response = match accepts_gzip(&ask) {
        true => ([(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))], bytes).into_response(),
        false => {
            let mut plain = Vec::with_capacity(bytes.len() * 3);
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
            plain.into_response()
        }
    };
    response.headers_mut().insert(header::CONTENT_TYPE, MVT);
    Ok(keep(response, policy, etag.as_deref()))
}

/// A number of a tile's address. One that no `u32` holds is a number all the same: its tile lies outside of every matrix.
fn tile_number(text: &str, name: &str) -> Result<u32> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(text.parse().unwrap_or(u32::MAX)),
        false => Err(Error::invalid(name, "瓦片坐标必须是非负整数", "a tile's coordinates are non-negative integers")),
    }
}

fn accepts_gzip(ask: &Ask) -> bool {
    let accepted = ask.headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        matches!(parts.next(), Some("gzip" | "*"))
            && !parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// `fields=a,b`: each must be one that the caller sees in one of the layers.
fn wanted_fields(list: &str, drawn: &[Drawn]) -> Result<Vec<String>> {
    let mut names: Vec<String> = list.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    for name in &names {
        let seen =
            drawn.iter().any(|d| visible_fields(d.layer.state(), d.grant.scope()).iter().any(|f| f.name == *name));
        if !seen {
            let shown: String = name.chars().take(60).collect();
            return Err(Error::invalid("fields", format!("没有字段 {shown}"), format!("there is no field {shown}")));
        }
    }
    Ok(names)
}

/// `/styles/{id}.json`: a style of `styles/`, or the one of a layer.
pub async fn style(ask: Ask, Path(name): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let id = name.strip_suffix(".json").ok_or_else(|| Error::not_found("没有这个样式", "there is no such style"))?;
    let document = match library::names().iter().any(|n| n == id) {
        true => library::embedded(id, &ask.base, |layer| ask.read(layer).is_ok())?,
        false => {
            let drawn = ask.read(id)?;
            let title = said(&drawn.layer);
            library::style_for(&described(&drawn, &title), &ask.base)
        }
    };
    let document = ask.carried.links(document);
    let etag = weak_etag(&[document.to_string().as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    Ok(keep(json_response("application/json", &document), Keep::Private, Some(&etag)))
}

fn said(layer: &Published) -> Said {
    Said::new(&layer.title.zh, &layer.title.en)
}

fn described<'a>(drawn: &'a Drawn, title: &'a Said) -> library::Drawn<'a> {
    let state = drawn.layer.state();
    let scope = drawn.grant.scope();
    library::Drawn {
        id: &drawn.layer.id,
        title,
        shape: library::Shape::of(state.geometry_type.as_deref()),
        label_field: state.label_field().filter(|name| scope.sees_field(name)),
        bounds: state.bbox.filter(|_| scope.is_all()),
    }
}

/// `/api/v1/layers/{id}/legend`: JSON, or a picture with `f=png` (`f=png@2x` for dense screens).
pub async fn legend(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.read(&id)?;
    let format = ask.parameters.take("f")?;
    ask.parameters.clone().finish()?;
    let title = said(&drawn.layer);
    let style = library::style_for(&described(&drawn, &title), &ask.base);
    let layers = style["layers"].as_array().cloned().unwrap_or_default();
    let entries = legends::entries(&layers, &title);
    let double = match format.as_deref() {
        None | Some("json") => return Ok(json_response("application/json", &legends::to_json(&entries))),
        Some("png") => false,
        Some("png@2x") => true,
        Some(_) => {
            return Err(Error::invalid("f", "图例格式为 json、png 或 png@2x", "a legend is json, png or png@2x").into());
        }
    };
    let english = ask.language == Language::English;
    let fonts = std::path::Path::new(glyphs::DEBIAN_FONTS);
    let picture = tokio::task::spawn_blocking(move || legends::picture(&entries, english, double, fonts))
        .await
        .map_err(Error::internal)??;
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
