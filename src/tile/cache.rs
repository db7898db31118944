//! Encoded tiles in memory. A key holds everything the bytes depend on, so there is nothing to invalidate: a new revision, an
//! edit or a changed grant is a new key, and old ones age out.

use std::sync::Arc;

use bytes::Bytes;
use moka::future::Cache;

use crate::geo::tms::TileCoord;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TileKey {
    pub layers: Vec<LayerKey>,
    pub tile: TileCoord,
    /// The asked-for fields, when not all.
    pub fields: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LayerKey {
    pub layer: Arc<str>,
    pub revision: i64,
    /// The number of the revision's state: edits make a new one.
    pub edits: u64,
    pub scope: u64,
}

impl TileKey {
    /// A weak validator: the tile follows from the key, but it goes out compressed or not.
    pub fn etag(&self) -> String {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(format!("{self:?}").as_bytes());
        format!("W/\"{}\"", hex::encode(&digest[..12]))
    }
}

/// A tile, compressed once (gzip). Empty bytes are the empty tile.
#[derive(Clone)]
pub struct TileCache {
    cache: Cache<TileKey, Bytes>,
}

impl TileCache {
    pub fn new(mebibytes: u64) -> Self {
        let weigh = |key: &TileKey, bytes: &Bytes| (bytes.len() + 200 + key.layers.len() * 64) as u32;
        TileCache { cache: Cache::builder().max_capacity(mebibytes << 20).weigher(weigh).build() }
    }

    /// The tile, made at most once at a time whoever asks.
    pub async fn get_or_make<F>(&self, key: TileKey, make: F) -> crate::error::Result<Bytes>
    where
        F: Future<Output = crate::error::Result<Bytes>>,
    {
        if let Some(bytes) = self.cache.get(&key).await {
            metrics::counter!("onemap_tile_cache_hits_total").increment(1);
            return Ok(bytes);
        }
        metrics::counter!("onemap_tile_cache_misses_total").increment(1);
        self.cache.try_get_with(key, make).await.map_err(|shared: Arc<crate::error::Error>| {
            // The error is shared by all who waited; each gets its own copy.
            let mut error = crate::error::Error::new(shared.kind.clone(), &shared.detail.zh, &shared.detail.en);
            error.hint = shared.hint.clone();
            error.because(shared.to_string())
        })
    }
}
