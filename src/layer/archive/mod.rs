//! Layers whose revisions are finished vector tiles: a PMTiles file in the data directory instead of a table.

pub mod area;
pub mod mvt;
pub mod pmtiles;
pub mod scope;
pub mod stage;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use self::pmtiles::PmTiles;
use crate::error::{Error, Result};

/// What is known of an archive: kept with its revision.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TileArchive {
    pub minzoom: u8,
    pub maxzoom: u8,
    pub tiles: u64,
    /// Of the file.
    pub bytes: u64,
    pub layers: Vec<VectorLayer>,
}

/// One layer inside the tiles, under the name it has there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VectorLayer {
    pub id: String,
    #[serde(default)]
    pub description: String,
    pub minzoom: u8,
    pub maxzoom: u8,
    /// Point, LineString or Polygon; Geometry when mixed.
    pub geometry: String,
    pub fields: Vec<String>,
}

/// Open archives at most: each holds a file and its directories.
const MOST_OPEN: u64 = 64;
/// A file without a revision is only removed when it is surely not one that is just being staged.
const ORPHAN_AFTER: Duration = Duration::from_secs(3600);

/// The archives of this data directory, by revision. Cheap to clone.
#[derive(Clone)]
pub struct Archives {
    folder: PathBuf,
    open: Cache<i64, Arc<PmTiles>>,
}

impl Archives {
    pub fn new(data: &Path) -> Self {
        Archives { folder: data.join("archives"), open: Cache::new(MOST_OPEN) }
    }

    fn path(&self, revision: i64) -> PathBuf {
        self.folder.join(format!("{revision}.pmtiles"))
    }

    /// Takes a finished file in as a revision's own: on disk for good when this returns.
    pub fn take_in(&self, packed: &Path, revision: i64) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        File::open(packed)?.sync_all()?;
        fs::rename(packed, self.path(revision))?;
        File::open(&self.folder)?.sync_all()?;
        Ok(())
    }

    /// Removes the file of a revision that is no more. What cannot be removed is only lost space.
    pub fn remove(&self, revision: i64) {
        self.open.invalidate(&revision);
        if let Err(e) = fs::remove_file(self.path(revision)) {
            tracing::warn!(revision, "an archive stays: {e}");
        }
    }

    /// Removes files that a killed process left without a revision. `known` says which revisions there are.
    pub fn sweep(&self, known: impl Fn(i64) -> bool) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let revision = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
            let age = entry.metadata().and_then(|m| m.modified()).ok();
            let old = age.and_then(|t| SystemTime::now().duration_since(t).ok()).is_some_and(|d| d > ORPHAN_AFTER);
            if revision.is_some_and(|r| !known(r)) && old {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// A tile's MVT bytes, unpacked. None where the archive has no tile. It blocks: not for a thread of the runtime.
    pub fn tile(&self, revision: i64, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>> {
        let open = || PmTiles::open(&self.path(revision)).map(Arc::new);
        let archive = self.open.try_get_with(revision, open).map_err(|e| gone(revision, &e.to_string()))?;
        archive.tile(z, x, y).map_err(|e| gone(revision, &e.to_string()))
    }
}

fn gone(revision: i64, why: &str) -> Error {
    tracing::error!(revision, "an archive cannot be read: {why}");
    Error::busy(
        "该图层的瓦片归档文件缺失或已损坏",
        "the tile archive of this layer is missing from the server's data directory or damaged",
    )
    .hint("请回退到其他版本，或重新载入该归档", "roll back to another revision, or load the archive again")
}
