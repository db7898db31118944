//! A layer's tiles as one PMTiles file: the tiles that are served to whoever asked, zoom by zoom, streamed to disk.

pub mod job;
pub mod kept;
mod sink;
mod walk;

use std::path::Path;

use serde_json::{Map, Value, json};

use self::sink::Sink;
use self::walk::{Tell, Walk};
use super::render::{Drawn, Tiles};
use crate::access::datastore::Datastore;
use crate::error::{Error, Result};
use crate::layer::select::visible_fields;

/// The zooms exported unless others are asked for.
pub const ZOOMS: (u8, u8) = (0, 14);
/// The deepest zoom that is made; a client draws deeper ones from its tiles.
pub const DEEPEST: u8 = 16;

/// What an export made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exported {
    pub tiles: u64,
    pub bytes: u64,
}

/// Where an export stands: the zoom, its tiles done, its tiles in all, bytes written so far.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub zoom: u8,
    pub done: u64,
    pub total: u64,
    pub bytes: u64,
}

/// The zooms asked for, or why not.
pub fn zooms(minzoom: Option<i64>, maxzoom: Option<i64>) -> Result<(u8, u8)> {
    let (low, high) = (minzoom.unwrap_or(ZOOMS.0.into()), maxzoom.unwrap_or(ZOOMS.1.into()));
    match 0 <= low && low <= high && high <= DEEPEST.into() {
        true => Ok((low as u8, high as u8)),
        false => Err(Error::invalid(
            "maxzoom",
            format!("级别应满足 0 ≤ minzoom ≤ maxzoom ≤ {DEEPEST}"),
            format!("zooms must be 0 ≤ minzoom ≤ maxzoom ≤ {DEEPEST}"),
        )),
    }
}

/// Writes the granted layer's tiles to `target`, which is there when this returns well and only then. `tell` hears of the progress
/// and ends the export by an error.
pub async fn write(
    (tiles, store): (&Tiles, &Datastore),
    drawn: &Drawn,
    (minzoom, maxzoom): (u8, u8),
    target: &Path,
    tell: Tell<'_>,
) -> Result<Exported> {
    if !drawn.layer.state().has_tiles() {
        return Err(Error::conflict("该图层没有几何，不能切片", "this layer has no geometry, so there are no tiles"));
    }
    let sink = Sink::create(target)?;
    let walk = Walk { tiles, store, drawn, sink: &sink };
    let walked = walk.zooms(minzoom, maxzoom, tell).await?;
    if walked.exported.tiles == 0 {
        return Err(Error::conflict(
            "在所选级别和授权范围内没有任何瓦片",
            "within these zooms and what you may see there is not a single tile",
        )
        .hint("请提高最大级别", "raise the highest zoom"));
    }
    // How far the whole layer reaches is only for those who may see the whole.
    let whole = drawn.layer.state().bbox.filter(|_| drawn.grant.scope().is_all());
    let bounds = whole.or(walked.bounds());
    let metadata = metadata(drawn, (minzoom, maxzoom));
    sink.finish(sink::Head { zooms: (minzoom, maxzoom), bounds, metadata }).await?;
    Ok(walked.exported)
}

/// Name and layers, as far as the grant shows them.
fn metadata(drawn: &Drawn, (minzoom, maxzoom): (u8, u8)) -> Value {
    let state = drawn.layer.state();
    let visible = visible_fields(state, drawn.grant.scope());
    let types = |wanted: &dyn Fn(&str) -> bool| -> Map<String, Value> {
        visible.iter().filter(|f| wanted(&f.name)).map(|f| (f.name.clone(), f.kind.tilejson().into())).collect()
    };
    let layers: Vec<Value> = match &state.archive {
        None => vec![json!({"id": drawn.layer.id, "description": drawn.layer.title.zh, "fields": types(&|_| true),
                            "minzoom": minzoom, "maxzoom": maxzoom})],
        Some(archive) => archive
            .layers
            .iter()
            .map(|l| {
                json!({"id": l.id, "description": l.description, "minzoom": l.minzoom, "maxzoom": l.maxzoom,
                       "fields": types(&|name| l.fields.iter().any(|f| f == name))})
            })
            .collect(),
    };
    json!({"name": drawn.layer.title.zh, "description": drawn.layer.description.zh, "vector_layers": layers})
}
