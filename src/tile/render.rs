//! One tile of one or more layers: the grants in, MVT bytes out.

use bytes::Bytes;
use onemap_cql2::Filter;

use super::cache::{Format, LayerKey, TileCache, TileKey, encode, version};
use super::edits::Edits;
use super::encoding::Encoding;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::geo::tms::{TileCoord, TileMatrixSet};
use crate::layer::archive::{Archives, scope};
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select;

/// The most features of one layer in one tile: a bound for tiles of whole cities, until the tile index thins them properly.
const MOST_FEATURES: i64 = 60_000;

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

    fn shows(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|names| names.iter().any(|n| n == field))
    }
}

#[derive(Clone)]
pub struct Tiles {
    store: Datastore,
    archives: Archives,
    edits: Edits,
    cache: TileCache,
}

impl Tiles {
    pub fn new(store: Datastore, archives: Archives, edits: Edits, cache_mebibytes: u64) -> Self {
        Tiles { store, archives, edits, cache: TileCache::new(cache_mebibytes) }
    }

    /// What the tile's bytes depend on. None when a layer is a registered table, which changes without telling.
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
        (!state.source.registered).then(|| LayerKey {
            layer: drawn.layer.id.clone(),
            revision: state.revision,
            edits: self.edits.of(state.revision).number,
            scope: drawn.grant.scope().fingerprint(),
            filter: filter.map(|f| f.canonical().into()),
        })
    }

    /// Whether tiles can be had in a format.
    pub fn offers(&self, format: Format) -> bool {
        format == Format::Mvt
    }

    /// From which zoom of WebMercatorQuad on nothing of a layer is left out. None when that is not known.
    pub fn complete_from(&self, _drawn: &Drawn) -> Option<u8> {
        None
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

    /// The tile's plain bytes.
    async fn make(&self, drawn: &[Drawn], picture: &Picture) -> Result<Vec<u8>> {
        let mut bytes: Vec<u8> = Vec::new();
        for (i, d) in drawn.iter().enumerate() {
            if d.layer.state().archive.is_some() {
                bytes.extend(self.archived(d, picture.tile, picture.fields.as_deref()).await?);
                continue;
            }
            let mut wanted: Vec<&Field> = select::visible_fields(d.layer.state(), d.grant.scope());
            wanted.retain(|f| picture.shows(&f.name));
            let Some(sql) =
                select::tile(&d.layer, &d.grant, &wanted, picture.filters.get(i), picture.tile, MOST_FEATURES)
            else {
                continue;
            };
            // The layers of a tile stand one after the other: protobuf's repeated field.
            bytes.extend(self.store.read(&d.grant).await?.one::<Vec<u8>>(&sql).await?);
        }
        Ok(bytes)
    }

    /// The tile of a layer that is an archive: as it lies there, or what the grant shows of it.
    async fn archived(&self, drawn: &Drawn, tile: TileCoord, fields: Option<&[String]>) -> Result<Vec<u8>> {
        if tile.set != TileMatrixSet::WebMercatorQuad {
            return Err(Error::not_found(
                "该图层是瓦片归档，只有 WebMercatorQuad 的瓦片",
                "this layer is a tile archive: it has tiles of WebMercatorQuad only",
            )
            .hint("请改用 WebMercatorQuad", "ask for WebMercatorQuad"));
        }
        let (archives, drawn, fields) = (self.archives.clone(), drawn.clone(), fields.map(<[String]>::to_vec));
        let work = move || {
            let stored = archives.tile(drawn.layer.state().revision, tile.z, tile.x, tile.y)?.unwrap_or_default();
            let at = [u32::from(tile.z), tile.x, tile.y];
            scope::apply(stored, drawn.grant.scope(), fields.as_deref(), at)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}
