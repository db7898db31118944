//! Encoded tiles in memory. A key holds everything the bytes depend on, so there is nothing to invalidate: a new revision, an
//! edit or a changed grant is a new key, and old ones age out.

use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use moka::future::Cache;
use moka::ops::compute::Op;
use xxhash_rust::xxh3::xxh3_128;

use super::encoding::Encoding;
use crate::error::{Error, Result};
use crate::geo::tms::TileCoord;

/// Tiles below this many bytes are compressed where they are: to hand them to another thread takes as long.
const SMALL: usize = 96 << 10;

/// How features are written in a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Mvt,
    Mlt,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileKey {
    layers: Vec<LayerKey>,
    tile: TileCoord,
    format: Format,
    /// The asked-for fields, when not all.
    fields: Option<Vec<String>>,
    /// Of all of the above: the same on every node.
    digest: u128,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerKey {
    pub layer: Arc<str>,
    pub revision: i64,
    /// The number of the revision's state: edits make a new one.
    pub edits: u64,
    /// The stamp of the index that draws it; none when PostGIS does, which thins otherwise.
    pub index: Option<u64>,
    /// Bytes of a tile at most, when the layer says so.
    pub limit: Option<usize>,
    pub scope: u64,
    /// The filter's canonical text.
    pub filter: Option<Box<str>>,
}

impl TileKey {
    pub fn new(layers: Vec<LayerKey>, tile: TileCoord, format: Format, fields: Option<Vec<String>>) -> TileKey {
        let mut parts = Vec::with_capacity(128);
        let mut part = |bytes: &[u8]| {
            parts.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            parts.extend_from_slice(bytes);
        };
        part(tile.set.id().as_bytes());
        part(&[tile.z, format as u8, layers.len() as u8, u8::from(fields.is_some())]);
        part(&[tile.x.to_le_bytes(), tile.y.to_le_bytes()].concat());
        for l in &layers {
            part(l.layer.as_bytes());
            part(&[l.revision.to_le_bytes(), l.edits.to_le_bytes(), l.scope.to_le_bytes()].concat());
            let (stamp, limit) = (l.index.map_or(0, |s| s + 1), l.limit.map_or(0, |n| n as u64));
            part(&[stamp.to_le_bytes(), limit.to_le_bytes()].concat());
            part(l.filter.as_deref().unwrap_or_default().as_bytes());
        }
        fields.iter().flatten().for_each(|name| part(name.as_bytes()));
        TileKey { digest: xxh3_128(&parts), layers, tile, format, fields }
    }

    /// A validator of one coding of the tile. Weak, because what follows from a key is the picture: PostGIS may give its features in
    /// another order the next time.
    pub fn etag(&self, encoding: Encoding) -> String {
        format!("W/\"{:032x}-{}\"", self.digest, encoding.name())
    }

    pub fn version(&self) -> String {
        version(&self.layers)
    }

    fn weight(&self) -> usize {
        let filters = self.layers.iter().map(|l| 96 + l.filter.as_ref().map_or(0, |f| f.len()));
        200 + filters.sum::<usize>() + self.fields.iter().flatten().map(|f| 24 + f.len()).sum::<usize>()
    }
}

/// What of layers changes with their data: revisions and edits.
pub fn version(layers: &[LayerKey]) -> String {
    let mut version = String::new();
    for l in layers {
        let dash = if version.is_empty() { "" } else { "-" };
        // A tile that PostGIS makes until the index is there is thinned otherwise.
        let made = if l.index.is_some() { "" } else { "p" };
        let _ = write!(version, "{dash}{}.{}{made}", l.revision, l.edits);
    }
    version
}

impl Hash for TileKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// A tile in the codings that were asked for so far. An empty tile is empty in all of them.
#[derive(Clone)]
struct Encoded([Option<Bytes>; Encoding::ALL.len()]);

impl Encoded {
    async fn new(encoding: Encoding, plain: Vec<u8>) -> Result<Encoded> {
        let mut encoded = Encoded(Default::default());
        match plain.is_empty() {
            true => encoded.0 = std::array::from_fn(|_| Some(Bytes::new())),
            false => encoded.0[encoding as usize] = Some(encode(encoding, plain).await?),
        }
        Ok(encoded)
    }

    fn get(&self, encoding: Encoding) -> Option<Bytes> {
        self.0[encoding as usize].clone()
    }

    /// With one coding more, made of one that is there.
    async fn with(mut self, encoding: Encoding) -> Result<Encoded> {
        let held = Encoding::ALL.into_iter().find_map(|e| Some((e, self.get(e)?)));
        let (from, bytes) = held.ok_or_else(|| Error::internal("a tile in no coding"))?;
        self.0[encoding as usize] = Some(encode(encoding, from.decode(&bytes)?).await?);
        Ok(self)
    }

    fn weight(&self) -> usize {
        self.0.iter().flatten().map(Bytes::len).sum()
    }
}

/// A tile in a coding.
pub async fn encode(encoding: Encoding, plain: Vec<u8>) -> Result<Bytes> {
    if encoding == Encoding::Identity || plain.is_empty() {
        return Ok(plain.into());
    }
    let bytes = match plain.len() < SMALL {
        true => encoding.encode(&plain),
        false => tokio::task::spawn_blocking(move || encoding.encode(&plain)).await.map_err(Error::internal)?,
    };
    Ok(bytes?.into())
}

/// Tiles, each compressed once for each coding that somebody asked for.
#[derive(Clone)]
pub struct TileCache {
    cache: Cache<TileKey, Encoded>,
}

impl TileCache {
    pub fn new(mebibytes: u64) -> Self {
        let weigh = |key: &TileKey, tile: &Encoded| u32::try_from(key.weight() + tile.weight()).unwrap_or(u32::MAX);
        TileCache { cache: Cache::builder().max_capacity(mebibytes << 20).weigher(weigh).build() }
    }

    /// The tile in a coding. `make` draws it, at most once at a time whoever asks, and in whatever coding.
    pub async fn get_or_make<F>(&self, key: &TileKey, encoding: Encoding, make: F) -> Result<Bytes>
    where
        F: Future<Output = Result<Vec<u8>>>,
    {
        let held = match self.cache.get(key).await {
            Some(held) => {
                metrics::counter!("onemap_tile_cache_hits_total").increment(1);
                held
            }
            None => {
                metrics::counter!("onemap_tile_cache_misses_total").increment(1);
                let draw = async { Encoded::new(encoding, make.await?).await };
                self.cache.try_get_with_by_ref(key, draw).await.map_err(|shared| shared.again())?
            }
        };
        match held.get(encoding) {
            Some(bytes) => Ok(bytes),
            None => self.add(key, held, encoding).await,
        }
    }

    /// Adds a coding to a tile, likewise once for all who wait.
    async fn add(&self, key: &TileKey, held: Encoded, encoding: Encoding) -> Result<Bytes> {
        let add = |entry: Option<moka::Entry<TileKey, Encoded>>| async move {
            let held = entry.map_or(held, moka::Entry::into_value);
            Ok::<_, Error>(match held.get(encoding) {
                Some(_) => Op::Nop,
                None => Op::Put(held.with(encoding).await?),
            })
        };
        let done = self.cache.entry_by_ref(key).and_try_compute_with(add).await?;
        let bytes = done.into_entry().and_then(|entry| entry.into_value().get(encoding));
        bytes.ok_or_else(|| Error::internal("a coding that was just added is not there"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::geo::tms::TileMatrixSet;

    fn layer() -> LayerKey {
        LayerKey { layer: "roads".into(), revision: 1, edits: 0, index: None, limit: None, scope: 0, filter: None }
    }
    fn key(layers: Vec<LayerKey>, fields: Option<&[&str]>) -> TileKey {
        let tile = TileMatrixSet::WebMercatorQuad.tile(8, 213, 100).unwrap();
        TileKey::new(layers, tile, Format::Mvt, fields.map(|f| f.iter().map(|s| (*s).to_owned()).collect()))
    }

    #[test]
    fn whatever_the_bytes_depend_on_makes_another_validator() {
        let l = layer;
        let other_set = TileMatrixSet::CGCS2000Quad.tile(8, 213, 100).unwrap();
        let keys = [
            key(vec![l()], None),
            key(vec![l()], Some(&[])),
            key(vec![l()], Some(&["ab", "c"])),
            key(vec![l()], Some(&["a", "bc"])),
            key(vec![l(), l()], None),
            key(vec![LayerKey { revision: 2, ..l() }], None),
            key(vec![LayerKey { edits: 1, ..l() }], None),
            key(vec![LayerKey { index: Some(0), ..l() }], None),
            key(vec![LayerKey { limit: Some(9), ..l() }], None),
            key(vec![LayerKey { scope: 1, ..l() }], None),
            key(vec![LayerKey { filter: Some("a = 1".into()), ..l() }], None),
            TileKey::new(vec![l()], other_set, Format::Mvt, None),
            TileKey::new(vec![l()], other_set, Format::Mlt, None),
        ];
        let mut tags: Vec<String> = keys.iter().flat_map(|k| Encoding::ALL.map(|encoding| k.etag(encoding))).collect();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), keys.len() * 4);
        assert_eq!(key(vec![l(), LayerKey { revision: 7, edits: 3, ..l() }], None).version(), "1.0p-7.3p");
        // Not a matter of the process: every node gives the same.
        assert_eq!(keys[0].etag(Encoding::Gzip), key(vec![l()], None).etag(Encoding::Gzip));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_tile_is_drawn_once_whatever_the_codings() {
        let (cache, drawn) = (TileCache::new(1), AtomicUsize::new(0));
        let plain: Vec<u8> = (0..50_000u32).flat_map(|i| (i / 5).to_le_bytes()).collect();
        let ask = |encoding: Encoding| {
            let (cache, drawn, plain) = (cache.clone(), &drawn, plain.clone());
            async move {
                let draw = async {
                    drawn.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    Ok(plain)
                };
                let bytes = cache.get_or_make(&key(vec![layer()], None), encoding, draw).await.unwrap();
                encoding.decode(&bytes).unwrap()
            }
        };
        let all = futures_util::future::join_all((0..16).map(|i| ask(Encoding::ALL[i % 4]))).await;
        assert!(all.iter().all(|bytes| *bytes == plain));
        assert_eq!(drawn.load(Ordering::Relaxed), 1);
        // All four lie in the cache and are weighed.
        cache.cache.run_pending_tasks().await;
        assert!(cache.cache.weighted_size() > plain.len() as u64);
        assert_eq!(cache.cache.entry_count(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_an_empty_tile_is() {
        let cache = TileCache::new(1);
        let key = key(vec![layer()], None);
        let failed = cache.get_or_make(&key, Encoding::Gzip, async { Err(Error::busy("忙", "busy")) }).await;
        assert_eq!(failed.unwrap_err().kind, crate::error::Kind::Busy);
        assert!(cache.get_or_make(&key, Encoding::Gzip, async { Ok(vec![]) }).await.unwrap().is_empty());
        let again = cache.get_or_make(&key, Encoding::Zstd, async { Err(Error::internal("drawn twice")) }).await;
        assert!(again.unwrap().is_empty());
    }
}
