//! OGC API Tiles and tile matrix sets: the same tiles as `/tiles`, under the standard's addresses.

use axum::extract::Path;
use serde_json::json;

use super::common::readable;
use super::html::{self, page};
use super::tileset::{self, SCHEME, named};
use super::{Format, format, link, self_links};
use crate::access::rights::Right;
use crate::error::Result;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::{Answer, Ask};
use crate::http::tile::{answer, names, set_named};
use crate::tile::render::Drawn;

pub async fn matrix_sets(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let sets = TileMatrixSet::ALL.map(|set| {
        let href = format!("{}/ogc/tileMatrixSets/{}", ask.base, set.id());
        let mut entry = json!({"id": set.id(), "title": set.title(), "crs": set.crs_uri(),
                               "links": [link(href, "self", "application/json", set.title())]});
        named(&ask, &mut entry, "uri", set);
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

/// The layers of a dataset tileset: `collections=a,b`, or the first readable ones.
fn dataset(ask: &mut Ask) -> Result<Vec<Drawn>> {
    match ask.parameters.take("collections")? {
        Some(ids) => ask.view_many(&ids),
        None => {
            let layers = readable(ask, Some(Right::View)).into_iter().filter(|(layer, _)| layer.state().has_tiles());
            let drawn = layers.map(|(layer, grant)| Drawn { layer, grant });
            // A layer whose tiles have a layer of a name that is taken already cannot be in the same tile.
            let mut taken: Vec<String> = vec![];
            let distinct = drawn.filter(|drawn| {
                let names = names(drawn);
                let free = names.iter().all(|name| !taken.iter().any(|t| t == name));
                if free {
                    taken.extend(names.into_iter().map(str::to_owned));
                }
                free
            });
            Ok(distinct.take(20).filter_map(|drawn| ask.view(&drawn.layer.id).ok()).collect())
        }
    }
}

pub async fn tilesets(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    Ok(list(&ask, "/ogc/tiles", "onemap", format))
}

pub async fn collection_tilesets(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.view(&id)?;
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
        named(ask, &mut entry, "tileMatrixSetURI", set);
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
    tileset::answer(ask, set, drawn, "/ogc/tiles", &query)
}

pub async fn collection_tileset(ask: Ask, Path((id, set)): Path<(String, String)>) -> Answer {
    let drawn = ask.view(&id)?;
    let set = set_named(&set)?;
    tileset::answer(ask, set, vec![drawn], &format!("/ogc/collections/{id}/tiles"), "")
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
    let drawn = ask.view(&id)?;
    let set = set_named(&set)?;
    answer(ask, vec![drawn], set, [&z, &column, &row]).await
}
