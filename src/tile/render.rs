//! One tile of one or more layers: the grants in, MVT bytes out. Each layer comes from its tile index; where there is none (yet), and
//! for tables of other people, PostGIS makes it.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;

use super::cache::{LayerKey, TileCache, TileKey};
use super::draw::{Areas, Drawing};
use super::store::Indexes;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::geo::tms::TileCoord;
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select;

/// The most features of one layer in one tile that PostGIS makes: a bound for tiles of whole cities.
const MOST_FEATURES: i64 = 60_000;
/// Areas of grants that are kept as the engine reads them.
const AREAS: u64 = 1_000;

/// A layer and the right to read it.
#[derive(Clone)]
pub struct Drawn {
    pub layer: Published,
    pub grant: Grant<Read>,
}

#[derive(Clone)]
pub struct Tiles {
    store: Datastore,
    cache: TileCache,
    indexes: Indexes,
    areas: Areas,
    /// Drawing is nothing but work: more at a time than there are cores would only make each take longer.
    cores: Arc<Semaphore>,
}

impl Tiles {
    pub fn new(store: Datastore, config: &Config) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
        Tiles {
            store,
            cache: TileCache::new(config.tile_cache),
            indexes: Indexes::new(config),
            areas: Areas::new(AREAS),
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    pub fn indexes(&self) -> &Indexes {
        &self.indexes
    }

    /// What the tile's bytes depend on. None when a layer is a registered table, which changes without telling.
    pub fn key(&self, drawn: &[Drawn], tile: TileCoord, fields: Option<&[String]>) -> Option<TileKey> {
        let layers = drawn.iter().map(|d| self.layer_key(d)).collect::<Option<_>>()?;
        Some(TileKey { layers, tile, fields: fields.map(<[String]>::to_vec) })
    }

    fn layer_key(&self, drawn: &Drawn) -> Option<LayerKey> {
        let state = drawn.layer.state();
        (!state.source.registered).then(|| LayerKey {
            layer: drawn.layer.id.clone(),
            revision: state.revision,
            index: self.indexes.get(state.revision).map(|o| o.index.stamp()),
            limit: drawn.layer.thinning.limit,
            scope: drawn.grant.scope().fingerprint(),
        })
    }

    /// The version for a tile's address: these bytes for ever. A tile that PostGIS makes until the index is there has another, for
    /// it is not thinned alike.
    pub fn version(&self, drawn: &[Drawn]) -> String {
        let of = |d: &Drawn| {
            let revision = d.layer.state().revision;
            let ready = d.layer.state().source.registered || self.indexes.get(revision).is_some();
            format!("{revision}{}", if ready { "" } else { "p" })
        };
        drawn.iter().map(of).collect::<Vec<_>>().join(".")
    }

    /// The zoom from which on every feature of all the layers is in their tiles. None where that is not known: without an index.
    pub fn complete_from(&self, drawn: &[Drawn]) -> Option<u8> {
        let of = |d: &Drawn| self.indexes.get(d.layer.state().revision)?.index.complete_from();
        drawn.iter().map(of).try_fold(0, |most, zoom| Some(most.max(zoom?)))
    }

    /// The tile, gzip-compressed; empty when nothing is in it.
    pub async fn render(&self, drawn: &[Drawn], tile: TileCoord, fields: Option<&[String]>) -> Result<Bytes> {
        match self.key(drawn, tile, fields) {
            Some(key) => self.cache.get_or_make(key, self.make(drawn, tile, fields)).await,
            None => self.make(drawn, tile, fields).await,
        }
    }

    /// The layers of a tile stand one after the other: protobuf's repeated field.
    async fn make(&self, drawn: &[Drawn], tile: TileCoord, fields: Option<&[String]>) -> Result<Bytes> {
        let wanted: Vec<Vec<&Field>> = drawn.iter().map(|d| wanted_fields(d, fields)).collect();
        let drawings = drawn.iter().zip(&wanted).map(|(d, fields)| self.drawing(d, fields)).collect();
        let mut parts = match self.draw(drawings, tile).await? {
            Sheet::Whole(compressed) => return Ok(compressed),
            Sheet::Parts(parts) => parts,
        };
        for ((part, d), fields) in parts.iter_mut().zip(drawn).zip(&wanted) {
            if part.is_none() {
                *part = Some(self.ask_postgis(d, tile, fields).await?);
            }
        }
        let bytes: Vec<u8> = parts.into_iter().flatten().flatten().collect();
        tokio::task::spawn_blocking(move || compress(&bytes)).await.map_err(Error::internal)?
    }

    /// How the layer is drawn from its index, if it can be.
    fn drawing(&self, drawn: &Drawn, fields: &[&Field]) -> Option<Drawing> {
        let opened = self.indexes.to_draw(drawn.layer.state().revision)?;
        Drawing::of(opened, drawn, fields, &self.areas)
    }

    /// Draws what has an index, in one go with the compression when all have.
    async fn draw(&self, drawings: Vec<Option<Drawing>>, tile: TileCoord) -> Result<Sheet> {
        if drawings.iter().all(Option::is_none) {
            return Ok(Sheet::Parts(drawings.iter().map(|_| None).collect()));
        }
        let _core = self.cores.acquire().await.map_err(Error::internal)?;
        let indexes = self.indexes.clone();
        let work = move || {
            let parts: Vec<_> = drawings.iter().map(|d| drawn_part(d.as_ref()?, tile, &indexes)).collect();
            match parts.iter().all(Option::is_some) {
                true => compress(&parts.into_iter().flatten().flatten().collect::<Vec<u8>>()).map(Sheet::Whole),
                false => Ok(Sheet::Parts(parts)),
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }

    async fn ask_postgis(&self, drawn: &Drawn, tile: TileCoord, fields: &[&Field]) -> Result<Vec<u8>> {
        let Some(sql) = select::tile(&drawn.layer, &drawn.grant, fields, tile, MOST_FEATURES) else {
            return Ok(Vec::new());
        };
        metrics::counter!("onemap_tile_layers_total", "by" => "postgis").increment(1);
        self.store.read(&drawn.grant).await?.one::<Vec<u8>>(&sql).await
    }
}

/// A tile as far as the indexes make it: compressed, or its layers, of which PostGIS has to make those that are missing.
enum Sheet {
    Whole(Bytes),
    Parts(Vec<Option<Vec<u8>>>),
}

/// The layer's bytes; none when the index proves wrong.
fn drawn_part(drawing: &Drawing, tile: TileCoord, indexes: &Indexes) -> Option<Vec<u8>> {
    let bytes = drawing.draw(tile);
    match bytes {
        Some(_) => metrics::counter!("onemap_tile_layers_total", "by" => "index").increment(1),
        None => {
            tracing::error!(?tile, "the engine panicked");
            indexes.damaged(drawing.revision, "the engine panicked");
        }
    }
    bytes
}

fn wanted_fields<'a>(drawn: &'a Drawn, fields: Option<&[String]>) -> Vec<&'a Field> {
    select::visible_fields(drawn.layer.state(), drawn.grant.scope())
        .into_iter()
        .filter(|f| fields.is_none_or(|names| names.contains(&f.name)))
        .collect()
}

fn compress(bytes: &[u8]) -> Result<Bytes> {
    if bytes.is_empty() {
        return Ok(Bytes::new());
    }
    let mut gzip = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?.into())
}
