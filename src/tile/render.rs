//! One tile of one or more layers: the grants in, MVT bytes out. Each layer comes from its tile index; where there is none (yet), and
//! for tables of other people, PostGIS makes it; tile archives hold theirs.

use std::sync::Arc;

use bytes::Bytes;
use onemap_cql2::Filter;
use onemap_tiles::mlt;
use tokio::sync::Semaphore;

use super::cache::{Format, LayerKey, TileCache, TileKey, encode, version};
use super::draw::{Areas, Drawing};
use super::edits::Edits;
use super::encoding::Encoding;
use super::store::Indexes;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::geo::tms::{TileCoord, TileMatrixSet};
use crate::layer::archive::{Archives, scope};
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select;

/// The most features of one layer in a tile that PostGIS makes: it does not thin.
const MOST_FEATURES: i64 = 60_000;
/// From this zoom on (of WebMercatorQuad) a tile is drawn on the request's own thread: it takes 0.1 to 1 ms, and the way to another
/// thread and back a tenth of one.
const BRIEF: u8 = 14;
/// Areas of grants that are kept ready.
const AREAS: u64 = 200;
/// Spans of columns that are kept.
const SPANS: u64 = 10_000;

/// A layer and the right to read it.
#[derive(Clone)]
pub struct Drawn {
    pub layer: Published,
    pub grant: Grant<Read>,
}

/// What a tile is to show of its layers.
#[derive(Debug, Clone)]
pub struct Picture {
    pub tile: TileCoord,
    pub format: Format,
    /// Of the fields that are seen only these.
    pub fields: Option<Vec<String>>,
    /// One for each layer, or none.
    pub filters: Vec<Filter>,
}

impl Picture {
    /// Everything, as MVT.
    pub fn of(tile: TileCoord) -> Picture {
        Picture { tile, format: Format::Mvt, fields: None, filters: vec![] }
    }

    /// The fields of a layer that the tile carries.
    fn fields<'a>(&self, drawn: &'a Drawn) -> Vec<&'a Field> {
        let mut fields = select::visible_fields(drawn.layer.state(), drawn.grant.scope());
        fields.retain(|f| self.fields.as_ref().is_none_or(|names| names.contains(&f.name)));
        fields
    }
}

#[derive(Clone)]
pub struct Tiles {
    pub(super) store: Datastore,
    archives: Archives,
    pub(super) edits: Edits,
    cache: TileCache,
    pub(super) indexes: Indexes,
    areas: Areas,
    spans: moka::sync::Cache<(u64, usize), Option<(String, String)>>,
    /// Drawing is nothing but work: more at a time than there are cores would only make each take longer.
    cores: Arc<Semaphore>,
}

impl Tiles {
    pub fn new(store: Datastore, archives: Archives, edits: Edits, config: &Config) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
        Tiles {
            store,
            archives,
            edits,
            cache: TileCache::new(config.tile_cache),
            indexes: Indexes::new(config),
            areas: Areas::new(AREAS),
            spans: moka::sync::Cache::new(SPANS),
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The turns for work that is nothing but reckoning.
    pub fn cores(&self) -> Arc<Semaphore> {
        self.cores.clone()
    }

    pub fn indexes(&self) -> &Indexes {
        &self.indexes
    }

    /// What the tile's bytes depend on. None when that changes without telling: with a registered table, or a filter that asks for the
    /// time.
    pub fn key(&self, drawn: &[Drawn], picture: &Picture) -> Option<TileKey> {
        let filtered = drawn.iter().enumerate().map(|(i, d)| self.layer(d, picture.filters.get(i)));
        let layers = filtered.collect::<Option<_>>()?;
        Some(TileKey::new(layers, picture.tile, picture.format, picture.fields.clone()))
    }

    /// The state of the layers, for addresses that mean it for ever: another one after each publication and each edit.
    pub fn version(&self, drawn: &[Drawn]) -> Option<String> {
        drawn.iter().map(|d| self.layer(d, None)).collect::<Option<Vec<_>>>().map(|layers| version(&layers))
    }

    fn layer(&self, drawn: &Drawn, filter: Option<&Filter>) -> Option<LayerKey> {
        let state = drawn.layer.state();
        let edited = self.edits.of(state.revision);
        // An index that lacks edits does not draw: PostGIS does, and thins otherwise.
        let draws = |stamp: &u64| edited.upon(*stamp).is_some();
        let changes = state.source.registered || filter.is_some_and(Filter::depends_on_now);
        (!changes).then(|| LayerKey {
            layer: drawn.layer.id.clone(),
            revision: state.revision,
            edits: edited.number,
            index: self.indexes.get(state.revision).map(|o| o.index.stamp()).filter(draws),
            limit: drawn.layer.thinning.limit,
            scope: drawn.grant.scope().fingerprint(),
            filter: filter.map(|f| f.canonical().into()),
        })
    }

    /// From which zoom of WebMercatorQuad on nothing of a layer is left out. None where that is not known: without an index.
    pub fn complete_from(&self, drawn: &Drawn) -> Option<u8> {
        self.indexes.get(drawn.layer.state().revision)?.index.complete_from()
    }

    /// The first and the last of a field's dates or times, as the index has them; edits since are not looked at. None where a part of
    /// the layer is granted: what lies outside of it must not be told.
    pub fn span(&self, drawn: &Drawn, field: &Field) -> Option<(String, String)> {
        let state = drawn.layer.state();
        let column = state.fields.iter().position(|f| f.name == field.name)?;
        let opened = self.indexes.to_draw(state.revision).filter(|_| drawn.grant.scope().is_all())?;
        opened.index.columns().get(column).filter(|c| c.name == field.name)?;
        self.spans.get_with((opened.index.stamp(), column), || opened.index.span(column))
    }

    /// The tile in a coding; empty when nothing is in it. `key` is the one that belongs to it: with none it is drawn each time.
    pub async fn render(
        &self,
        drawn: &[Drawn],
        picture: &Picture,
        key: Option<&TileKey>,
        encoding: Encoding,
    ) -> Result<Bytes> {
        match key {
            Some(key) => self.cache.get_or_make(key, encoding, self.make(drawn, picture)).await,
            None => encode(encoding, self.make(drawn, picture).await?).await,
        }
    }

    /// The tile in gzip.
    pub async fn gzip(&self, drawn: &[Drawn], picture: &Picture) -> Result<Bytes> {
        self.render(drawn, picture, self.key(drawn, picture).as_ref(), Encoding::Gzip).await
    }

    /// The tile's plain bytes. Its layers stand one after the other: protobuf's repeated field.
    async fn make(&self, drawn: &[Drawn], picture: &Picture) -> Result<Vec<u8>> {
        let drawings = drawn.iter().enumerate().map(|(i, d)| self.drawing(d, picture, i)).collect();
        let mut parts = self.draw(drawings, picture.tile).await?;
        for (i, (part, d)) in parts.iter_mut().zip(drawn).enumerate() {
            if part.is_none() {
                *part = Some(match d.layer.state().archive {
                    Some(_) => self.archived(d, picture).await?,
                    None => self.ask_postgis(d, picture, picture.filters.get(i)).await?,
                });
            }
        }
        let tile = match parts.len() {
            1 => parts.swap_remove(0).unwrap_or_default(),
            _ => parts.into_iter().flatten().flatten().collect(),
        };
        match picture.format {
            Format::Mvt => Ok(tile),
            Format::Mlt => {
                let core = self.cores.clone().acquire_owned().await.map_err(Error::internal)?;
                let work = move || {
                    let _core = core;
                    mlt::from_mvt(&tile)
                };
                tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
            }
        }
    }

    /// How a layer is drawn from its index, if it can be: together with the edits since, which are looked up first, for an index that
    /// is opened in between holds them already.
    fn drawing(&self, drawn: &Drawn, picture: &Picture, layer: usize) -> Option<Drawing> {
        let state = drawn.layer.state();
        let edited = self.edits.of(state.revision);
        let opened = self.indexes.to_draw(state.revision)?;
        let stamp = opened.index.stamp();
        if edited.since != stamp {
            // Another index than the edits are counted from: a new one would be taken for worn by what it holds already.
            self.edits.attend(state, stamp);
        } else if edited.worn(opened.index.len()) {
            self.indexes.rebuild(state.revision);
        }
        let delta = edited.upon(stamp)?;
        let delta = (!delta.is_empty()).then(|| delta.clone());
        let filter = picture.filters.get(layer).cloned();
        Drawing::of(opened, delta, drawn, &picture.fields(drawn), filter, &self.areas)
    }

    /// Draws what has an index.
    async fn draw(&self, drawings: Vec<Option<Drawing>>, tile: TileCoord) -> Result<Vec<Option<Vec<u8>>>> {
        if drawings.iter().all(Option::is_none) {
            return Ok(drawings.iter().map(|_| None).collect());
        }
        let core = self.cores.clone().acquire_owned().await.map_err(Error::internal)?;
        let indexes = self.indexes.clone();
        let work = move || {
            // Held by the work: it goes on when the caller has left.
            let _core = core;
            drawings.iter().map(|d| drawn_part(d.as_ref()?, tile, &indexes)).collect()
        };
        match tile.quad_zoom() >= BRIEF {
            true => Ok(work()),
            false => tokio::task::spawn_blocking(work).await.map_err(Error::internal),
        }
    }

    async fn ask_postgis(&self, drawn: &Drawn, picture: &Picture, filter: Option<&Filter>) -> Result<Vec<u8>> {
        let fields = picture.fields(drawn);
        let Some(sql) = select::tile(&drawn.layer, &drawn.grant, &fields, filter, picture.tile, MOST_FEATURES) else {
            return Ok(Vec::new());
        };
        metrics::counter!("onemap_tile_layers_total", "by" => "postgis").increment(1);
        self.store.read(&drawn.grant).await?.one::<Vec<u8>>(&sql).await
    }

    /// The tile of a layer that is an archive: as it lies there, or what the grant shows of it.
    async fn archived(&self, drawn: &Drawn, picture: &Picture) -> Result<Vec<u8>> {
        let tile = picture.tile;
        if tile.set != TileMatrixSet::WebMercatorQuad {
            return Err(Error::not_found(
                "该图层是瓦片归档，只有 WebMercatorQuad 的瓦片",
                "this layer is a tile archive: it has tiles of WebMercatorQuad only",
            )
            .hint("请改用 WebMercatorQuad", "ask for WebMercatorQuad"));
        }
        let (archives, drawn, fields) = (self.archives.clone(), drawn.clone(), picture.fields.clone());
        let work = move || {
            let stored = archives.tile(drawn.layer.state().revision, tile.z, tile.x, tile.y)?.unwrap_or_default();
            let at = [u32::from(tile.z), tile.x, tile.y];
            scope::apply(stored, drawn.layer.state(), drawn.grant.scope(), fields.as_deref(), at)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
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
