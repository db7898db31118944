//! OGC API Tiles and tile matrix sets: the same tiles as `/tiles`, under the standard's addresses.

use axum::extract::Path;
use serde_json::{Value, json};

use super::common::readable;
use super::html::{self, page};
use super::{Format, format, link, self_links};
use crate::error::Result;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::{Answer, Ask};
use crate::http::negotiation::MVT;
use crate::http::tile::{answer, set_named};
use crate::tile::render::Drawn;

const SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";

pub async fn matrix_sets(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let sets = TileMatrixSet::ALL.map(|set| {
        let href = format!("{}/ogc/tileMatrixSets/{}", ask.base, set.id());
        let mut entry = json!({"id": set.id(), "title": set.title(), "crs": set.crs_uri(),
                               "links": [link(href, "self", "application/json", set.title())]});
        named(&mut entry, "uri", set);
        entry
    });
    Ok(match format {
        Format::Json => {
            let links = self_links(&ask, "/ogc/tileMatrixSets", format, "application/json");
            ask.json("application/json", json!({ "tileMatrixSets": sets, "links": links }))
        }
        Format::Html => page(&ask, "Tile matrix sets", &html::matrix_sets(&ask, "/ogc/tileMatrixSets")),
    })
}

pub async fn matrix_set(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let set = set_named(&id)?;
    Ok(match format {
        Format::Json => ask.json("application/json", set.definition()),
        Format::Html => page(&ask, set.id(), &html::matrix_set(&ask, set)),
    })
}

/// The set's name in OGC's register, if it is there; the definition is linked in any case.
fn named(document: &mut Value, member: &str, set: TileMatrixSet) {
    if let Some(uri) = set.uri() {
        document[member] = uri.into();
    }
}

/// The layers of a dataset tileset: `collections=a,b`, or the first readable ones.
fn dataset(ask: &mut Ask) -> Result<Vec<Drawn>> {
    match ask.parameters.take("collections")? {
        Some(ids) => ask.read_many(&ids),
        None => {
            let layers = readable(ask).into_iter().filter(|(layer, _)| layer.state().has_tiles());
            Ok(layers.take(20).map(|(layer, grant)| Drawn { layer, grant }).collect())
        }
    }
}

pub async fn tilesets(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    Ok(list(&ask, "/ogc/tiles", "onemap", format))
}

pub async fn collection_tilesets(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.read(&id)?;
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let title = ask.language.pick(&drawn.layer.title).to_owned();
    Ok(list(&ask, &format!("/ogc/collections/{id}/tiles"), &title, format))
}

fn list(ask: &Ask, path: &str, title: &str, format: Format) -> axum::response::Response {
    let tilesets = TileMatrixSet::ALL.map(|set| {
        let mut entry = json!({
            "title": title, "dataType": "vector", "crs": set.crs_uri(),
            "links": [
                link(format!("{}{path}/{}", ask.base, set.id()), "self", "application/json", set.title()),
                link(format!("{}/ogc/tileMatrixSets/{}", ask.base, set.id()), SCHEME, "application/json", set.title()),
            ],
        });
        named(&mut entry, "tileMatrixSetURI", set);
        entry
    });
    match format {
        Format::Json => {
            let links = self_links(ask, path, format, "application/json");
            ask.json("application/json", json!({"tilesets": tilesets, "links": links}))
        }
        Format::Html => page(ask, title, &html::matrix_sets(ask, path)),
    }
}

pub async fn tileset(mut ask: Ask, Path(set): Path<String>) -> Answer {
    let set = set_named(&set)?;
    let drawn = dataset(&mut ask)?;
    let query = match drawn.is_empty() {
        true => String::new(),
        false => format!("?collections={}", drawn.iter().map(|d| d.layer.id.to_string()).collect::<Vec<_>>().join(",")),
    };
    metadata(ask, set, &drawn, "/ogc/tiles", &query)
}

pub async fn collection_tileset(ask: Ask, Path((id, set)): Path<(String, String)>) -> Answer {
    let drawn = ask.read(&id)?;
    let set = set_named(&set)?;
    metadata(ask, set, &[drawn], &format!("/ogc/collections/{id}/tiles"), "")
}

/// A tileset's metadata (OGC 20-057, 9; 17-083r4, 8).
fn metadata(mut ask: Ask, set: TileMatrixSet, drawn: &[Drawn], path: &str, query: &str) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let template = format!("{}{path}/{}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}{query}", ask.base, set.id());
    let mut links = self_links(&ask, &format!("{path}/{}", set.id()), format, "application/json");
    links.push(link(format!("{}/ogc/tileMatrixSets/{}", ask.base, set.id()), SCHEME, "application/json", set.title()));
    let mut item = link(template, "item", MVT, "Tiles");
    item["templated"] = true.into();
    links.push(item);
    let layers: Vec<Value> = drawn
        .iter()
        .flat_map(|d| {
            let state = d.layer.state();
            match &state.archive {
                None => vec![(d, &*d.layer.id, state.geometry_type.as_deref().unwrap_or_default())],
                // Under the names that they have in the tiles.
                Some(archive) => archive.layers.iter().map(|l| (d, l.id.as_str(), l.geometry.as_str())).collect(),
            }
        })
        .map(|(d, id, kind)| {
            let dimension = match kind.trim_start_matches("Multi") {
                k if k.starts_with("Point") => Some(0),
                k if k.starts_with("Line") => Some(1),
                k if k.starts_with("Polygon") => Some(2),
                _ => None,
            };
            let mut layer = json!({"id": id, "dataType": "vector", "title": ask.language.pick(&d.layer.title)});
            if let Some(dimension) = dimension {
                layer["geometryDimension"] = dimension.into();
            }
            layer
        })
        .collect();
    let mut document = json!({
        "title": drawn.iter().map(|d| ask.language.pick(&d.layer.title)).collect::<Vec<_>>().join("、"),
        "dataType": "vector", "crs": set.crs_uri(), "layers": layers, "links": links,
    });
    named(&mut document, "tileMatrixSetURI", set);
    Ok(match format {
        Format::Json => ask.json("application/json", document),
        Format::Html => {
            let scheme = html::link(&ask, &format!("/ogc/tileMatrixSets/{}", set.id()), set.id());
            let layers = html::list(drawn.iter().map(|d| &*d.layer.id));
            page(&ask, "Tileset", &format!("<p>{scheme} · {}</p>{layers}", set.crs_uri()))
        }
    })
}

pub async fn tile(mut ask: Ask, Path((set, z, row, column)): Path<(String, String, String, String)>) -> Answer {
    let set = set_named(&set)?;
    let drawn = dataset(&mut ask)?;
    answer(ask, drawn, set, [&z, &column, &row]).await
}

pub async fn collection_tile(
    ask: Ask,
    Path((id, set, z, row, column)): Path<(String, String, String, String, String)>,
) -> Answer {
    let drawn = ask.read(&id)?;
    let set = set_named(&set)?;
    answer(ask, vec![drawn], set, [&z, &column, &row]).await
}
