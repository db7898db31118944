//! Archives of finished vector tiles (PMTiles, MBTiles): looked through tile by tile, and brought into the one form that is served.
//!
//! Runs in the reading child. What the server opens later is the PMTiles file that is written here, never a stranger's SQLite.

mod mbtiles;
mod report;
mod scan;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use ::pmtiles::{Compression as Packed, PmTilesStreamWriter, PmTilesWriter, TileCoord, TileId, TileType};
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use self::mbtiles::MbTiles;
use self::scan::Scan;
use super::files::{Dataset, Format};
use super::open::Progress;
use super::report::SourceLayer;
use crate::error::{Error, Result};
use crate::layer::archive::TileArchive;
use crate::layer::archive::pmtiles::{Compression, MOST_TILE, PmTiles, damaged};
use crate::layer::model::Field;

/// Tiles of one archive at most: each costs the reader some 150 bytes of its memory.
const MOST_TILES: u64 = 1_000_000;
/// The deepest zoom that onemap's tile matrix sets have.
const DEEPEST_ZOOM: u8 = 24;
/// How often progress is told.
const TOLD_EVERY: u64 = 512;

/// What packing an archive made.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct PackedTiles {
    pub archive: TileArchive,
    pub fields: Vec<Field>,
    /// West, south, east, north in degrees.
    pub bbox: Option<[f64; 4]>,
    /// The geometry of all its layers.
    pub geometry: String,
}

/// One tile on its way: its place, its bytes as they are stored, and unpacked.
struct Tile<'a> {
    coordinate: TileCoord,
    stored: &'a [u8],
    compression: Compression,
    plain: &'a [u8],
}

enum Opened {
    Pm(PmTiles),
    Mb(MbTiles),
}

/// What an archive says of itself; believed as far as its tiles bear it out.
struct Said {
    name: Option<String>,
    description: String,
    bounds: Option<[f64; 4]>,
    /// The `vector_layers` of its metadata.
    layers: Value,
}

impl Opened {
    fn of(dataset: &Dataset) -> Result<Opened> {
        match dataset.format {
            Format::MbTiles => MbTiles::open(&dataset.path).map(Opened::Mb),
            _ => PmTiles::open(&dataset.path).map(Opened::Pm),
        }
    }

    fn said(&self) -> Result<Said> {
        match self {
            Opened::Mb(archive) => archive.said(),
            Opened::Pm(archive) => {
                only_mvt(archive.header.kind)?;
                let metadata = archive.metadata()?;
                let text = |name: &str| metadata[name].as_str().map(str::to_owned);
                Ok(Said {
                    name: text("name"),
                    description: text("description").unwrap_or_default(),
                    bounds: believable(archive.header.bounds),
                    layers: metadata["vector_layers"].clone(),
                })
            }
        }
    }

    /// Every tile, unpacked.
    fn each(&self, visit: &mut dyn FnMut(Tile<'_>) -> Result<()>) -> Result<()> {
        match self {
            Opened::Mb(archive) => archive.each(&mut |coordinate, stored| {
                let compression = told_by_bytes(stored);
                visit(Tile { coordinate, stored, compression, plain: &compression.expand(stored, MOST_TILE)? })
            }),
            Opened::Pm(archive) => {
                let mut count = 0u64;
                let compression = archive.header.tiles;
                archive.each(&mut |entry| {
                    count += u64::from(entry.run);
                    if count > MOST_TILES {
                        return Err(too_many());
                    }
                    let stored = archive.packed(entry)?;
                    let plain = compression.expand(&stored, MOST_TILE)?;
                    for id in entry.id..entry.id + u64::from(entry.run) {
                        let id = TileId::new(id).map_err(Error::internal)?;
                        visit(Tile { coordinate: id.into(), stored: &stored, compression, plain: &plain })?;
                    }
                    Ok(())
                })
            }
        }
    }
}

fn too_many() -> Error {
    Error::too_large(
        format!("归档中的瓦片超过 {MOST_TILES} 个"),
        format!("the archive holds more than {MOST_TILES} tiles"),
    )
    .hint("请缩小范围或降低最大级别后重新生成", "make it again for a smaller area or fewer zooms")
}

/// Pictures and other formats are refused: a layer has features, even where one only draws them.
fn only_mvt(kind: u8) -> Result<()> {
    let name = match kind {
        1 => return Ok(()),
        2 => "PNG",
        3 => "JPEG",
        4 => "WebP",
        5 => "AVIF",
        6 => "MLT",
        _ => "?",
    };
    Err(not_mvt(name))
}

fn not_mvt(name: &str) -> Error {
    Error::unsupported(
        format!("归档中的瓦片是 {name}，只支持矢量瓦片（MVT）"),
        format!("the archive's tiles are {name}; only vector tiles (MVT) can become a layer"),
    )
    .hint("请上传矢量瓦片归档或原始数据", "upload an archive of vector tiles, or the source data")
}

/// MBTiles do not say how their tiles are packed: the first bytes tell. Brotli has none of its own.
fn told_by_bytes(bytes: &[u8]) -> Compression {
    match bytes {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        // The tag of a tile's first layer.
        [0x1a, ..] | [] => Compression::None,
        _ => Compression::Brotli,
    }
}

/// A box in degrees that can be one.
fn believable(b: [f64; 4]) -> Option<[f64; 4]> {
    let inside = b.iter().all(|v| v.is_finite()) && b[0] >= -180.0 && b[2] <= 180.0 && b[1] >= -90.0 && b[3] <= 90.0;
    (inside && b[0] < b[2] && b[1] < b[3]).then_some(b)
}

/// Looks through an archive: what it holds, or why it is refused.
pub fn inspect(dataset: &Dataset, progress: &mut dyn FnMut(Progress)) -> Result<SourceLayer> {
    let opened = Opened::of(dataset)?;
    let said = opened.said()?;
    let scan = look_through(&opened, &said, progress, &mut |_| Ok(()))?;
    Ok(report::layer(dataset, &said, &scan))
}

/// Writes an archive anew as the PMTiles file that is served: every tile checked, packed by gzip, none twice.
pub fn pack(dataset: &Dataset, target: &Path, progress: &mut dyn FnMut(Progress)) -> Result<PackedTiles> {
    let opened = Opened::of(dataset)?;
    let said = opened.said()?;
    let file = File::create(target)?;
    let mut writer =
        PmTilesWriter::new(TileType::Mvt).precompressed(Packed::Gzip).create(file).map_err(Error::internal)?;
    let scan = look_through(&opened, &said, progress, &mut |tile| {
        // What is gzip already goes in as it is: it was unpacked to its end a moment ago.
        match tile.compression {
            Compression::Gzip => writer.add_tile(tile.coordinate, tile.stored),
            _ => writer.add_tile(tile.coordinate, &gzip(tile.plain)?),
        }
        .map_err(Error::internal)
    })?;
    finish(writer, &said, &scan)?;
    let bytes = std::fs::metadata(target)?.len();
    Ok(PackedTiles {
        archive: TileArchive { bytes, ..scan.archive() },
        fields: scan.fields(),
        bbox: scan.bounds(&said),
        geometry: scan.geometry(),
    })
}

fn look_through(
    opened: &Opened,
    said: &Said,
    progress: &mut dyn FnMut(Progress),
    keep: &mut dyn FnMut(&Tile<'_>) -> Result<()>,
) -> Result<Scan> {
    let mut scan = Scan::new(said);
    opened.each(&mut |tile| {
        if tile.coordinate.z() > DEEPEST_ZOOM {
            return Err(damaged("瓦片级别超出范围", "it has tiles beyond zoom 24"));
        }
        if scan.see(&tile)? {
            keep(&tile)?;
        }
        if scan.tiles.is_multiple_of(TOLD_EVERY) {
            progress(Progress { stage: "tiles".into(), done: scan.tiles, total: 0 });
        }
        Ok(())
    })?;
    match scan.tiles {
        0 => Err(Error::invalid("file", "归档中没有瓦片", "the archive holds no tiles")),
        _ => Ok(scan),
    }
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), flate2::Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn finish(mut writer: PmTilesStreamWriter<File>, said: &Said, scan: &Scan) -> Result<()> {
    let archive = scan.archive();
    writer.set_zoom_range(archive.minzoom, archive.maxzoom);
    if let Some([w, s, e, n]) = scan.bounds(said) {
        writer.set_bounds(w, s, e, n);
        writer.set_center((w + e) / 2.0, (s + n) / 2.0, archive.minzoom);
    }
    writer.set_metadata(json!({"name": said.name, "vector_layers": scan.vector_layers()}).to_string());
    writer.finalize().map_err(Error::internal)
}

/// Where a packed archive waits until its revision takes it.
pub fn waiting(work: &Path) -> PathBuf {
    work.join("packed.pmtiles")
}
