//! One tile of one or more layers: the grants in, MVT bytes out.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::cache::{LayerKey, TileCache, TileKey};
use super::edits::Edits;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::Result;
use crate::geo::tms::TileCoord;
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

#[derive(Clone)]
pub struct Tiles {
    store: Datastore,
    edits: Edits,
    cache: TileCache,
}

impl Tiles {
    pub fn new(store: Datastore, edits: Edits, cache_mebibytes: u64) -> Self {
        Tiles { store, edits, cache: TileCache::new(cache_mebibytes) }
    }

    /// What the tile's bytes depend on. None when a layer is a registered table, which changes without telling.
    pub fn key(&self, drawn: &[Drawn], tile: TileCoord, fields: Option<&[String]>) -> Option<TileKey> {
        let layers = drawn
            .iter()
            .map(|d| {
                let state = d.layer.state();
                (!state.source.registered).then(|| LayerKey {
                    layer: d.layer.id.clone(),
                    revision: state.revision,
                    edits: self.edits.of(state.revision).number,
                    scope: d.grant.scope().fingerprint(),
                })
            })
            .collect::<Option<_>>()?;
        Some(TileKey { layers, tile, fields: fields.map(<[String]>::to_vec) })
    }

    /// The tile, gzip-compressed; empty when nothing is in it.
    pub async fn render(&self, drawn: &[Drawn], tile: TileCoord, fields: Option<&[String]>) -> Result<Bytes> {
        match self.key(drawn, tile, fields) {
            Some(key) => self.cache.get_or_make(key, self.make(drawn, tile, fields)).await,
            None => self.make(drawn, tile, fields).await,
        }
    }

    async fn make(&self, drawn: &[Drawn], tile: TileCoord, fields: Option<&[String]>) -> Result<Bytes> {
        let mut bytes: Vec<u8> = Vec::new();
        for d in drawn {
            let wanted: Vec<&Field> = select::visible_fields(d.layer.state(), d.grant.scope())
                .into_iter()
                .filter(|f| fields.is_none_or(|names| names.contains(&f.name)))
                .collect();
            let Some(sql) = select::tile(&d.layer, &d.grant, &wanted, tile, MOST_FEATURES) else { continue };
            // The layers of a tile stand one after the other: protobuf's repeated field.
            bytes.extend(self.store.read(&d.grant).await?.one::<Vec<u8>>(&sql).await?);
        }
        if bytes.is_empty() {
            return Ok(Bytes::new());
        }
        let compressed = tokio::task::spawn_blocking(move || {
            let mut gzip = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
            gzip.write_all(&bytes)?;
            gzip.finish()
        })
        .await
        .map_err(crate::error::Error::internal)??;
        Ok(compressed.into())
    }
}
