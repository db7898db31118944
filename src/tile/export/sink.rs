//! The file being written, on a thread of its own: an export that is dropped leaves nothing behind.

use std::fs::File;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pmtiles::{Compression, PmTilesWriter, TileCoord, TileType};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// What stands in the file's head, known when all tiles are.
pub struct Head {
    pub zooms: (u8, u8),
    /// West, south, east, north in degrees.
    pub bounds: Option<[f64; 4]>,
    pub metadata: Value,
}

enum Order {
    Tile(TileCoord, Bytes),
    Finish(Head),
}

pub struct Sink {
    orders: mpsc::Sender<Order>,
    thread: JoinHandle<Result<()>>,
}

impl Sink {
    pub fn create(target: &Path) -> Result<Sink> {
        let mut beside = target.as_os_str().to_owned();
        beside.push(".part");
        let part = Part(beside.into());
        let file = File::create(&part.0)?;
        // A few tiles on the way keep drawing and writing apart without piling up.
        let (orders, receive) = mpsc::channel(16);
        let target = target.to_owned();
        let thread = tokio::task::spawn_blocking(move || work(file, part, &target, receive));
        Ok(Sink { orders, thread })
    }

    /// Adds a tile, compressed by gzip.
    pub async fn add(&self, at: TileCoord, gzip: Bytes) -> Result<()> {
        self.order(Order::Tile(at, gzip)).await
    }

    pub async fn finish(self, head: Head) -> Result<()> {
        let told = self.order(Order::Finish(head)).await;
        // The thread's own word first: it knows why it takes no more orders.
        self.thread.await.map_err(Error::internal)??;
        told
    }

    async fn order(&self, order: Order) -> Result<()> {
        self.orders.send(order).await.map_err(|_| {
            Error::busy("导出文件无法写入，可能磁盘已满", "the export cannot be written; the disk may be full")
        })
    }
}

/// Removed unless it became the finished file.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn work(file: File, part: Part, target: &Path, mut orders: mpsc::Receiver<Order>) -> Result<()> {
    let disk = |e: pmtiles::PmtError| Error::internal(e);
    let whole = file.try_clone()?;
    let mut writer = PmTilesWriter::new(TileType::Mvt).precompressed(Compression::Gzip).create(file).map_err(disk)?;
    while let Some(order) = orders.blocking_recv() {
        match order {
            Order::Tile(at, bytes) => writer.add_tile(at, &bytes).map_err(disk)?,
            Order::Finish(head) => {
                writer.set_zoom_range(head.zooms.0, head.zooms.1);
                if let Some([w, s, e, n]) = head.bounds {
                    writer.set_bounds(w, s, e, n);
                    writer.set_center((w + e) / 2.0, (s + n) / 2.0, head.zooms.0);
                }
                writer.set_metadata(head.metadata.to_string());
                writer.finalize().map_err(disk)?;
                whole.sync_all()?;
                std::fs::rename(&part.0, target)?;
                return Ok(());
            }
        }
    }
    // Nobody waits for it any more.
    Ok(())
}
