//! A file under way: rows come from the database, bytes go to whoever takes them, on a thread of its own because writing compresses
//! and waits for disks.
//!
//! A download that fails is broken off, so that nobody takes a part for the whole: the connection ends without its last chunk. For
//! the first moments an error can still be an answer of its own; after that the answer begins, with what the file begins with whatever
//! its rows are.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::Output;
use super::order::Plan;
use crate::access::datastore::{RowStream, Watch};
use crate::error::{Error, Result};
use crate::feature::geojson::Body;

/// Bytes gathered before they are sent.
const PIECE: usize = 64 << 10;
/// Pieces that wait for their reader.
const WAITING: usize = 4;
/// Rows taken over at once: few, because each may be a large polygon.
const ROWS: usize = 64;
/// Until then an error is an answer, and a short file whole.
const PATIENCE: Duration = Duration::from_millis(700);
/// A reader that takes nothing for this long is gone.
const STALL: Duration = Duration::from_secs(120);
/// A whole layer takes as long as its reader does, but not for ever.
pub const LONGEST: Duration = Duration::from_secs(2 * 3600);
/// Downloads of a page's size that spool at once.
const SMALL: usize = 16;
/// Bytes that one download may spool, and what must stay free of the disk.
const MOST_SPOOLED: u64 = 32 << 30;
const SPARE: u64 = 1 << 30;
/// A spool that still has its name after so long was left behind.
const LEFT: Duration = Duration::from_secs(60);
/// Bytes spooled between two looks at the disk.
const BETWEEN: u64 = 32 << 20;

/// Where downloads spool, and how many may be under way. Cheap to clone.
#[derive(Clone)]
pub struct Downloads {
    folder: PathBuf,
    slots: Arc<Semaphore>,
    small: Arc<Semaphore>,
}

impl Downloads {
    /// Of a node with so many database connections.
    pub fn new(data: &Path, connections: usize) -> Self {
        let folder = data.join("downloads");
        sweep(&folder);
        let slots = Arc::new(Semaphore::new((connections / 2).clamp(2, 8)));
        Downloads { folder, slots, small: Arc::new(Semaphore::new(SMALL)) }
    }

    /// A place among the downloads; each has a database connection for as long as its rows come.
    pub fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().map_err(|_| {
            Error::busy("同时进行的整层下载过多", "too many downloads of whole layers at once").hint(
                "请稍后重试，或用 bbox、filter、limit 缩小范围",
                "try again soon, or ask for less by bbox, filter or limit",
            )
        })
    }

    /// A place among those that spool no more than a page.
    pub(super) fn small_place(&self) -> Result<OwnedSemaphorePermit> {
        self.small.clone().try_acquire_owned().map_err(|_| {
            Error::busy("同时进行的下载过多", "too many downloads at once")
                .hint("请稍后重试，或换用 CSV、FlatGeobuf", "try again soon, or take CSV or FlatGeobuf")
        })
    }

    /// Begins a download.
    pub(super) async fn start(
        &self,
        rows: RowStream,
        plan: Plan,
        (place, watch): (Option<OwnedSemaphorePermit>, Watch),
    ) -> Result<Body> {
        let (send, receive) = mpsc::channel(WAITING);
        let (runtime, folder) = (Handle::current(), self.folder.clone());
        tokio::task::spawn_blocking(move || {
            let pipe = Pipe { runtime, send, until: Instant::now() + LONGEST };
            match work(&pipe, rows, plan, &folder) {
                Ok(()) => _ = pipe.send(Piece::Done),
                Err(Ended::Reader) => metrics::counter!("onemap_downloads_left_total").increment(1),
                Err(Ended::Fault(e)) => _ = pipe.send(Piece::Failed(e)),
            }
            drop(place);
        });
        begun(receive, watch).await
    }
}

enum Piece {
    Bytes(Bytes),
    Failed(Error),
    /// Only with this is the file whole.
    Done,
}

/// Why no more is written.
enum Ended {
    /// Nobody takes it any more.
    Reader,
    Fault(Error),
}

impl<E: Into<Error>> From<E> for Ended {
    fn from(e: E) -> Self {
        Ended::Fault(e.into())
    }
}

/// The way to the reader.
struct Pipe {
    runtime: Handle,
    send: Sender<Piece>,
    /// Nobody waits longer for its reader.
    until: Instant,
}

impl Pipe {
    /// False when nobody takes it.
    fn send(&self, piece: Piece) -> bool {
        let deadline = self.until.min(Instant::now() + STALL);
        let sent = self.runtime.block_on(async { timeout_at(deadline, self.send.send(piece)).await });
        matches!(sent, Ok(Ok(())))
    }

    /// Hands over what was gathered, at the reader's pace.
    fn pass(&self, out: &mut Vec<u8>) -> Result<(), Ended> {
        if out.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(std::mem::replace(out, Vec::with_capacity(PIECE + 4096)));
        if self.send(Piece::Bytes(bytes)) { Ok(()) } else { Err(Ended::Reader) }
    }
}

fn work(pipe: &Pipe, rows: RowStream, plan: Plan, folder: &Path) -> Result<(), Ended> {
    std::fs::create_dir_all(folder)?;
    let mut output = plan.open(folder)?;
    let mut out = Vec::with_capacity(PIECE + 4096);
    output.begin(&mut out)?;
    // Also when it is nothing: what follows is told from it.
    let begin = Bytes::from(std::mem::take(&mut out));
    if !pipe.send(Piece::Bytes(begin)) {
        return Err(Ended::Reader);
    }
    take(pipe, rows, &mut *output, (folder, &mut out))?;
    loop {
        let more = output.end(&mut out)?;
        if out.len() >= PIECE || !more {
            pipe.pass(&mut out)?;
        }
        if !more {
            return Ok(());
        }
    }
}

/// Every row, until the database has no more: then its connection is given back, whatever is left to be done.
fn take(
    pipe: &Pipe,
    rows: RowStream,
    output: &mut dyn Output,
    (folder, out): (&Path, &mut Vec<u8>),
) -> Result<(), Ended> {
    let mut rows = rows.ready_chunks(ROWS);
    let mut looked = 0;
    loop {
        let next = pipe.runtime.block_on(async {
            tokio::select! {
                rows = rows.next() => Ok(rows),
                () = pipe.send.closed() => Err(Ended::Reader),
            }
        })?;
        let Some(chunk) = next else { return Ok(()) };
        for row in chunk {
            output.row(&row?, out)?;
            if out.len() >= PIECE {
                pipe.pass(out)?;
            }
        }
        let spooled = output.spooled();
        if spooled >= looked + BETWEEN {
            check_disk(spooled, folder)?;
            looked = spooled;
        }
    }
}

fn check_disk(spooled: u64, folder: &Path) -> Result<()> {
    if spooled > MOST_SPOOLED {
        return Err(Error::too_large("导出的文件过大", "the file gets too large").hint(
            "请用 bbox 或 filter 分批下载，或换用 CSV、FlatGeobuf",
            "take it in parts by bbox or filter, or as CSV or FlatGeobuf",
        ));
    }
    let free = nix::sys::statvfs::statvfs(folder).map(|s| s.blocks_available() * s.fragment_size());
    if free.is_ok_and(|free| free < SPARE) {
        return Err(Error::busy("服务器磁盘空间不足", "the server is short of disk space")
            .hint("请稍后重试，或换用 CSV、FlatGeobuf", "try again later, or take CSV or FlatGeobuf"));
    }
    Ok(())
}

/// The body, once it is known how it begins: an error within the first moments is an answer of its own, not a broken connection.
async fn begun(mut receive: Receiver<Piece>, watch: Watch) -> Result<Body> {
    let begin = match receive.recv().await {
        Some(Piece::Bytes(bytes)) => bytes,
        Some(Piece::Failed(e)) => return Err(e),
        Some(Piece::Done) | None => return Err(broken()),
    };
    let mut first = vec![Ok(begin)];
    let whole = match tokio::time::timeout(PATIENCE, receive.recv()).await {
        Err(_) => false,
        Ok(Some(Piece::Bytes(bytes))) => {
            first.push(Ok(bytes));
            false
        }
        Ok(Some(Piece::Done)) => true,
        Ok(Some(Piece::Failed(e))) => return Err(e),
        Ok(None) => return Err(broken()),
    };
    let first = futures_util::stream::iter(first);
    if whole {
        return Ok(Box::pin(first));
    }
    let rest = futures_util::stream::try_unfold((receive, watch), |(mut receive, mut watch)| async move {
        let piece = receive.recv().await;
        // Rows may have been read, and spooled, long before their reader takes them.
        watch.look_now_and_then()?;
        match piece {
            Some(Piece::Bytes(bytes)) => Ok(Some((bytes, (receive, watch)))),
            Some(Piece::Done) => Ok(None),
            Some(Piece::Failed(e)) => {
                tracing::error!("a download was broken off: {e}");
                Err(e)
            }
            None => Err(broken()),
        }
    });
    Ok(Box::pin(first.chain(rest)))
}

fn broken() -> Error {
    Error::internal("a download ended without its end")
}

/// Spools lose their names as soon as they have one; what is there was left by a kill in the moment between.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let made = entry.metadata().and_then(|meta| meta.modified());
        if made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > LEFT)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A path that nothing lies at.
pub(super) fn fresh(folder: &Path) -> PathBuf {
    folder.join(Uuid::now_v7().simple().to_string())
}

/// A file that goes with the last who holds it.
pub(super) fn nameless(folder: &Path) -> std::io::Result<File> {
    let path = fresh(folder);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
