//! Sees to this node's tile indexes: looks what the catalogue publishes, verifies what lies on the disk, builds what is missing, one
//! at a time, and lets go of what nobody needs. Requests never wait for it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::build::{self, Failure, Places};
use super::edits::Edits;
use super::progress::Progress;
use super::store::{Indexes, Opened, Slot, Task, Wanted, wait};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Kind, Result, Said};
use crate::layer::catalog::Catalog;
use crate::layer::registry;

/// The catalogue says when it changes; this is for files that somebody removed.
const LOOK: Duration = Duration::from_secs(30);
/// How soon something that had to wait is thought of.
const WORK: Duration = Duration::from_secs(1);
const DISK_FULL: Duration = Duration::from_secs(300);

pub struct Keeper {
    pub indexes: Indexes,
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub edits: Edits,
}

impl Keeper {
    /// Until told to stop. A build under way is given up; its half-made file has no name.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.keep() => {}
        }
        for slot in self.indexes.slots().values() {
            slot.building.iter().for_each(|p| p.stop());
        }
    }

    async fn keep(&self) {
        let (indexes, source) = (self.indexes.clone(), self.database.identity().await);
        let adopted = tokio::task::spawn_blocking(move || adopt(&indexes, &source)).await;
        if let Err(e) = adopted.map_err(Error::internal).flatten() {
            tracing::error!("tile indexes cannot be kept, PostGIS makes all tiles: {e}");
            return std::future::pending().await;
        }
        self.indexes.shrink();
        tokio::join!(self.look(), self.work());
    }

    async fn look(&self) {
        loop {
            self.indexes.find_cut();
            let wanted: Vec<Wanted> = self.catalog.snapshot().layers.values().filter_map(|l| Wanted::of(l)).collect();
            let gone = self.indexes.settle(wanted);
            if !gone.is_empty() {
                self.clear(gone).await;
            }
            self.indexes.say_work();
            tokio::select! {
                () = self.indexes.looked_for() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Removes the files of revisions that are not published, but for the one before: a rollback finds it ready.
    async fn clear(&self, gone: Vec<i64>) {
        match registry::previous(&self.database).await {
            Ok(previous) => {
                let previous: HashSet<i64> = previous.into_iter().collect();
                for revision in gone.into_iter().filter(|r| !previous.contains(r)) {
                    self.indexes.remove(revision);
                }
            }
            Err(e) => tracing::debug!("earlier revisions stay for now: {e}"),
        }
    }

    async fn work(&self) {
        loop {
            match self.indexes.next() {
                Some(Task::Verify(revision, opened)) => self.verify(revision, opened).await,
                Some(Task::Build(want)) => self.build(want).await,
                None => {
                    tokio::select! {
                        () = self.indexes.work_there() => {}
                        () = tokio::time::sleep(WORK) => {}
                    }
                }
            }
        }
    }

    async fn verify(&self, revision: i64, opened: Arc<Opened>) {
        let looked_at = opened.clone();
        let outcome = tokio::task::spawn_blocking(move || looked_at.verify()).await;
        match outcome.unwrap_or_else(|e| Err(e.to_string())) {
            Ok(()) => {
                self.indexes.proved(revision, &opened);
                self.join_edits(revision, opened.index.stamp()).await;
            }
            Err(why) => self.indexes.damaged(revision, &why),
        }
    }

    async fn build(&self, want: Wanted) {
        let progress = Arc::new(Progress::new(want.rows));
        self.indexes.begin(&want, &progress);
        let begun = Instant::now();
        let outcome = self.make(&want, &progress).await;
        let seconds = begun.elapsed().as_secs_f64();
        let ended = match &outcome {
            Ok(opened) => {
                let (layer, rows, bytes) = (&want.layer, opened.index.len(), opened.bytes());
                tracing::debug!(%layer, revision = want.revision, rows, bytes, seconds, "tile index built");
                "built"
            }
            Err(Failure::Stopped) => "stopped",
            Err(_) => "failed",
        };
        metrics::counter!("onemap_tile_index_builds_total", "outcome" => ended).increment(1);
        match outcome {
            Ok(opened) => {
                let stamp = opened.index.stamp();
                self.indexes.built(&want, opened);
                self.join_edits(want.revision, stamp).await;
            }
            Err(failure) => self.indexes.failed(&want, failure),
        }
    }

    /// An index draws from the moment on that the edits since are known. A request that comes before asks for them too.
    async fn join_edits(&self, revision: i64, stamp: u64) {
        let snapshot = self.catalog.snapshot();
        let mut states = snapshot.layers.values().filter_map(|l| l.state.clone());
        let Some(state) = states.find(|s| s.revision == revision) else { return };
        if let Err(e) = self.edits.opened(&Arc::new(state), stamp).await {
            tracing::warn!("the edits of revision {revision} could not be read: {e}");
        }
    }

    async fn make(&self, want: &Wanted, progress: &Arc<Progress>) -> Result<Opened, Failure> {
        // The index holds the whole layer, as its owner sees it; each tile applies the scope of who asks for it.
        let grant = self.gate.open(&Principal::operator(&want.department), &want.layer)?;
        let layer = self.catalog.published(&grant)?;
        if layer.state().revision != want.revision {
            return Err(Failure::Stopped);
        }
        let lease = self.store.whole(&grant).await.map_err(Failure::Database)?;
        let table = build::table_bytes(&lease, layer.state()).await.map_err(Failure::Database)?;
        let estimate = self.indexes.known_bytes(want.revision).unwrap_or(table);
        self.indexes.make_room_to_build(want, estimate)?;
        let (scratch, target) = (scratch(self.indexes.folder()), self.indexes.folder().join(want.file()));
        empty(&scratch)?;
        let places = Places { scratch: &scratch, target: &target };
        let built = build::build(lease, layer.state(), want, places, progress).await;
        let _ = std::fs::remove_dir_all(&scratch);
        built?;
        let opened = tokio::task::spawn_blocking(move || prove(&target)).await.map_err(Error::internal)??;
        self.indexes.learn_bytes(want.revision, opened.bytes());
        self.indexes.make_room(want, opened.bytes())?;
        Ok(opened)
    }
}

/// Opens a new file and reads it once over.
fn prove(path: &Path) -> Result<Opened, Failure> {
    let opened = Opened::open(path)?;
    opened.verify().map_err(Error::internal)?;
    Ok(opened)
}

fn scratch(folder: &Path) -> PathBuf {
    folder.join("building")
}

fn empty(folder: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|e| onemap_tiles::error::Error::from(e).into())
}

/// Says in the folder whose revisions its files are.
const SOURCE: &str = "database";

/// Takes the files over that an earlier process left, and removes what it did not complete.
fn adopt(indexes: &Indexes, source: &str) -> Result<()> {
    let said = indexes.folder().join(SOURCE);
    if std::fs::read_to_string(&said).ok().as_deref() != Some(source) {
        let _ = std::fs::remove_dir_all(indexes.folder());
    }
    std::fs::create_dir_all(indexes.folder())?;
    std::fs::write(&said, source)?;
    let mut slots = indexes.slots_mut();
    for entry in std::fs::read_dir(indexes.folder())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name == SOURCE {
            continue;
        }
        let revision = name.strip_suffix(".tix").and_then(|stem| stem.split('-').next()?.parse().ok());
        let Some(revision) = revision else {
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            continue;
        };
        match Opened::open(&path) {
            Ok(opened) => {
                let slot: &mut Slot = slots.entry(revision).or_default();
                if let Some(other) = slot.opened.replace(Arc::new(opened)) {
                    // By other options of the layer: killed between the new file and the removal of the old one.
                    let _ = std::fs::remove_file(&other.path);
                }
            }
            Err(e) => {
                tracing::warn!(revision, "a tile index cannot be read and is built anew: {e}");
                metrics::counter!("onemap_tile_index_damaged_total").increment(1);
                let _ = std::fs::remove_file(&path);
            }
        }
    }
    Ok(())
}

/// What the keeper changes.
impl Indexes {
    /// Makes the slots fit the published revisions. Gives the revisions with a file that are no longer published.
    fn settle(&self, wanted: Vec<Wanted>) -> Vec<i64> {
        let mut slots = self.slots_mut();
        let first = slots.values().all(|s| s.want.is_none());
        let newest = slots.values().map(|s| s.arrived).max().unwrap_or(0);
        let published: HashSet<i64> = wanted.iter().map(|w| w.revision).collect();
        for want in wanted {
            let slot = slots.entry(want.revision).or_default();
            if slot.want.is_none() && !first {
                slot.arrived = newest + 1;
            }
            // What is being built now may be just what is missed.
            if let (Some(opened), None) = (&slot.opened, &slot.building) {
                let path = self.folder().join(want.file());
                slot.stale |= !opened.is_at(&path) || !path.exists();
            }
            if slot.want.as_ref().is_some_and(|old| old.file() != want.file()) {
                slot.building.iter().for_each(|p| p.stop());
                slot.not_before = None;
            }
            slot.want = Some(want);
        }
        let mut gone = vec![];
        slots.retain(|revision, slot| {
            if published.contains(revision) {
                return true;
            }
            slot.want = None;
            slot.building.iter().for_each(|p| p.stop());
            if slot.opened.is_some() {
                gone.push(*revision);
            }
            slot.opened.is_some() || slot.building.is_some()
        });
        gone
    }

    fn remove(&self, revision: i64) {
        let mut slots = self.slots_mut();
        // It may have been published again in the meantime.
        if slots.get(&revision).is_some_and(|s| s.want.is_none() && s.building.is_none())
            && let Some(opened) = slots.remove(&revision).and_then(|s| s.opened)
        {
            let _ = std::fs::remove_file(&opened.path);
        }
    }

    fn proved(&self, revision: i64, opened: &Arc<Opened>) {
        if let Some(slot) = self.slots_mut().get_mut(&revision)
            && slot.opened.as_ref().is_some_and(|o| Arc::ptr_eq(o, opened))
        {
            slot.proved = Some(Instant::now());
        }
    }

    /// What an index of the revision took, when there was one.
    fn known_bytes(&self, revision: i64) -> Option<u64> {
        self.slots().get(&revision).map(|s| s.known_bytes).filter(|&bytes| bytes > 0)
    }

    fn learn_bytes(&self, revision: i64, bytes: u64) {
        if let Some(slot) = self.slots_mut().get_mut(&revision) {
            slot.known_bytes = bytes;
        }
    }

    fn begin(&self, want: &Wanted, progress: &Arc<Progress>) {
        if let Some(slot) = self.slots_mut().get_mut(&want.revision) {
            slot.building = Some(progress.clone());
            // Whatever makes it stale from now on is not in what is built now.
            slot.stale = false;
        }
    }

    fn built(&self, want: &Wanted, opened: Opened) {
        let mut slots = self.slots_mut();
        let Some(slot) = slots.get_mut(&want.revision) else { return };
        slot.building = None;
        (slot.failures, slot.not_before, slot.trouble) = (0, None, None);
        slot.proved = Some(Instant::now());
        if let Some(old) = slot.opened.replace(Arc::new(opened))
            && !old.is_at(&self.folder().join(want.file()))
        {
            let _ = std::fs::remove_file(&old.path);
        }
    }

    fn failed(&self, want: &Wanted, failure: Failure) {
        let mut slots = self.slots_mut();
        let Some(slot) = slots.get_mut(&want.revision) else { return };
        slot.building = None;
        slot.stale |= slot.opened.is_some();
        let (layer, revision) = (&want.layer, want.revision);
        let later = |wait: Duration| Some(Instant::now() + wait);
        let said = match failure {
            Failure::Stopped => None,
            Failure::DiskFull => {
                tracing::error!(%layer, revision, "no tile index: the disk is full; PostGIS serves, it is tried again later");
                slot.not_before = later(DISK_FULL);
                Some(Said::new("磁盘空间不足", "the disk is full"))
            }
            Failure::OverBudget => {
                if slot.trouble.is_none() {
                    tracing::warn!(%layer, revision, "no tile index: tile_index_disk is used up; PostGIS serves");
                }
                slot.not_before = later(DISK_FULL);
                Some(Said::new("超出 tile_index_disk 配额", "tile_index_disk is used up"))
            }
            Failure::Database(e) => {
                tracing::warn!(%layer, revision, "the tile index is built later, the database does not answer: {e}");
                slot.not_before = later(Duration::from_secs(1 << slot.failures.min(6)));
                slot.failures += 1;
                Some(Said::new("数据库暂时不可用", "the database is away"))
            }
            Failure::Other(e) => {
                if e.kind != Kind::NotFound {
                    tracing::error!(%layer, revision, "the tile index could not be built: {e}");
                }
                slot.failures += 1;
                slot.not_before = wait(slot.failures);
                Some(Said::new("构建失败，将重试", "the build failed and is tried again"))
            }
        };
        slot.trouble = said;
    }
}
