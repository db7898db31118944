//! The tile indexes of this node: where they lie on its disk, which of them may be read, and how they are doing.
//!
//! A file is `<revision>.tix`; options of the layer that it was built by stand in the name, so that other options mean another
//! file. Every node keeps its own. They can be thrown away at any time: until they are there again, PostGIS makes the tiles.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use onemap_tiles::index::Index;
use serde::Serialize;
use tokio::sync::Notify;

use super::progress::{Progress, Shown};
use crate::config::Config;
use crate::error::Said;
use crate::layer::model::{Layer, State};

/// The default of `Options::tile_limit`.
pub const TILE_LIMIT: usize = 500_000;
/// A file that was whole is looked at again after this time: disks rot.
const PROVED_FOR: Duration = Duration::from_secs(3600);

/// An index that can be read.
pub struct Opened {
    pub index: Index,
    pub(super) path: PathBuf,
    file: File,
    length: u64,
    /// When a tile was last made from it, in Unix seconds.
    pub(super) used: AtomicU64,
}

impl Opened {
    /// Looks at the file's head only.
    pub(super) fn open(path: &Path) -> onemap_tiles::error::Result<Opened> {
        let index = Index::open(path)?;
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let used = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
        Ok(Opened { index, path: path.to_owned(), length: metadata.len(), file, used: used.into() })
    }

    /// Whether the file is as long as when it was mapped: to read past the end of one that was cut short would end the process.
    fn is_whole(&self) -> bool {
        self.file.metadata().is_ok_and(|m| m.len() == self.length)
    }

    /// Compares the whole file's checksum.
    pub(super) fn verify(&self) -> Result<(), String> {
        match self.is_whole() {
            true => self.index.verify().map_err(|e| e.to_string()),
            false => Err("its length has changed".into()),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.length
    }

    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path == path
    }
}

/// A published revision that ought to have an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub layer: Arc<str>,
    pub department: Arc<str>,
    pub revision: i64,
    pub rows: u64,
    /// The place among the layer's fields of the one that ranks its features.
    pub rank: Option<usize>,
    pub limit: usize,
}

impl Wanted {
    /// None for what has no index: registered tables, which change without telling, archives, and tables without geometry.
    pub fn of(layer: &Layer) -> Option<Wanted> {
        let drawn = |s: &&State| !s.source.registered && s.archive.is_none() && s.source.geometry.is_some();
        let state = layer.state.as_ref().filter(drawn)?;
        let rank = layer.thinning.rank.as_ref();
        Some(Wanted {
            layer: layer.id.clone(),
            department: layer.department.clone(),
            revision: state.revision,
            rows: state.feature_count.unwrap_or(0).max(0) as u64,
            rank: rank.and_then(|name| state.fields.iter().position(|f| f.name == *name)),
            limit: layer.thinning.limit.unwrap_or(TILE_LIMIT),
        })
    }

    pub(super) fn file(&self) -> String {
        let rank = self.rank.map(|r| format!("-r{r}")).unwrap_or_default();
        let limit = if self.limit == TILE_LIMIT { String::new() } else { format!("-l{}", self.limit) };
        format!("{}{rank}{limit}.tix", self.revision)
    }
}

/// What this node knows of one revision's index.
#[derive(Default)]
pub(super) struct Slot {
    /// None for an earlier revision, whose file is kept for a rollback.
    pub want: Option<Wanted>,
    /// Counts up with each publication that this process saw: what is new goes first.
    pub arrived: u64,
    pub opened: Option<Arc<Opened>>,
    /// When its checksum was last found right. Before, nothing is read from it.
    pub proved: Option<Instant>,
    /// It serves, but a better one is due: the table was edited much, or the layer's options changed.
    pub stale: bool,
    pub building: Option<Arc<Progress>>,
    /// What the last one took, if one was ever built.
    pub known_bytes: u64,
    pub failures: u32,
    pub not_before: Option<Instant>,
    pub trouble: Option<Said>,
    /// When a tile was last asked for that this index would have made, in Unix seconds.
    pub asked: AtomicU64,
}

impl Slot {
    fn is_due(&self) -> bool {
        let lacks = self.opened.is_none() || self.stale;
        self.want.is_some() && lacks && self.building.is_none() && self.not_before.is_none_or(|t| t <= Instant::now())
    }
}

/// What is to be done next.
pub(super) enum Task {
    Verify(i64, Arc<Opened>),
    Build(Wanted),
}

/// How an index is doing, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Why it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Said>,
}

/// All indexes together, for the metrics and the terminal.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Totals {
    pub ready: u64,
    pub building: u64,
    pub missing: u64,
    pub bytes: u64,
    /// The layer whose index is being built.
    pub layer: Option<Arc<str>>,
    pub progress: Option<Shown>,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Indexes(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    /// Bytes of disk for all files.
    budget: u64,
    slots: RwLock<BTreeMap<i64, Slot>>,
    /// The catalogue may have changed.
    look: Notify,
    /// There may be something to verify or to build.
    work: Notify,
}

impl Indexes {
    pub fn new(config: &Config) -> Indexes {
        Indexes(Arc::new(Inner {
            folder: folder(config),
            budget: budget(config),
            slots: RwLock::default(),
            look: Notify::new(),
            work: Notify::new(),
        }))
    }

    /// The revision's index, if it serves now.
    pub fn get(&self, revision: i64) -> Option<Arc<Opened>> {
        let slots = self.slots();
        let slot = slots.get(&revision)?;
        slot.asked.store(now(), Ordering::Relaxed);
        slot.opened.clone().filter(|_| slot.proved.is_some())
    }

    /// The revision's index to draw from: looked at once more.
    pub fn to_draw(&self, revision: i64) -> Option<Arc<Opened>> {
        let opened = self.get(revision)?;
        if !opened.is_whole() {
            self.damaged(revision, "its length has changed");
            return None;
        }
        opened.used.store(now(), Ordering::Relaxed);
        Some(opened)
    }

    /// The index turned out to be wrong: nothing more is read from it, and it is built anew.
    pub fn damaged(&self, revision: i64, why: &str) {
        let mut slots = self.slots_mut();
        let Some(slot) = slots.get_mut(&revision) else { return };
        let Some(opened) = slot.opened.take() else { return };
        tracing::error!(revision, "a tile index is damaged, PostGIS serves until it is built again: {why}");
        metrics::counter!("onemap_tile_index_damaged_total").increment(1);
        slot.proved = None;
        slot.trouble = Some(Said::new("索引文件已损坏", "the file was damaged"));
        // Should the new one be no better, it waits longer each time.
        slot.not_before = wait(slot.failures);
        slot.failures += 1;
        let _ = std::fs::remove_file(&opened.path);
        drop(slots);
        self.0.work.notify_one();
    }

    /// Finds files that were cut short, also where the cache answers and nothing is drawn.
    pub(super) fn find_cut(&self) {
        let cut: Vec<i64> = {
            let slots = self.slots();
            let opened = slots.iter().filter_map(|(&revision, slot)| Some((revision, slot.opened.as_ref()?)));
            opened.filter(|(_, opened)| !opened.is_whole()).map(|(revision, _)| revision).collect()
        };
        cut.into_iter().for_each(|revision| self.damaged(revision, "its length has changed"));
    }

    /// The table has changed so much that a new index is worth while; the old one serves until then.
    pub fn rebuild(&self, revision: i64) {
        // Asked for at every tile while one is being built: that one it is.
        if let Some(slot) = self.slots_mut().get_mut(&revision).filter(|s| s.building.is_none() && !s.stale) {
            slot.stale = true;
            self.0.work.notify_one();
        }
    }

    pub fn status(&self, revision: i64) -> Status {
        let slots = self.slots();
        let slot = slots.get(&revision);
        let opened = slot.and_then(|s| s.opened.as_ref().filter(|_| s.proved.is_some()));
        let building = slot.and_then(|s| s.building.as_ref());
        let state = match (opened, building) {
            (Some(_), _) => "ready",
            (None, Some(_)) => "building",
            (None, None) => "missing",
        };
        Status {
            state,
            progress: building.map(|p| p.shown()),
            bytes: opened.map(|o| o.bytes()),
            trouble: slot.and_then(|s| s.trouble.clone()).filter(|_| state == "missing"),
        }
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for slot in self.slots().values() {
            totals.bytes += slot.opened.as_ref().map_or(0, |o| o.bytes());
            if let (Some(want), Some(progress)) = (&slot.want, &slot.building) {
                (totals.layer, totals.progress) = (Some(want.layer.clone()), Some(progress.shown()));
            }
            match (&slot.want, &slot.opened, &slot.building) {
                (None, ..) => {}
                (_, Some(_), _) if slot.proved.is_some() => totals.ready += 1,
                (_, _, Some(_)) => totals.building += 1,
                _ => totals.missing += 1,
            }
        }
        totals
    }

    /// Says that the catalogue was read anew.
    pub fn look_again(&self) {
        self.0.look.notify_one();
    }
}

/// For the keeper.
impl Indexes {
    pub(super) fn folder(&self) -> &Path {
        &self.0.folder
    }
    pub(super) fn budget(&self) -> u64 {
        self.0.budget
    }
    pub(super) fn slots(&self) -> RwLockReadGuard<'_, BTreeMap<i64, Slot>> {
        self.0.slots.read().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn slots_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<i64, Slot>> {
        self.0.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) async fn looked_for(&self) {
        self.0.look.notified().await;
    }
    pub(super) async fn work_there(&self) {
        self.0.work.notified().await;
    }
    pub(super) fn say_work(&self) {
        self.0.work.notify_one();
    }

    /// First what only needs a look before it serves, the smallest first; then what is missing, the newest publication and the
    /// smallest first; then what was not looked at for an hour.
    pub(super) fn next(&self) -> Option<Task> {
        let slots = self.slots();
        let opened = || slots.iter().filter_map(|(&revision, slot)| Some((revision, slot, slot.opened.clone()?)));
        let unproved = opened().filter(|(_, slot, _)| slot.proved.is_none());
        if let Some((revision, _, opened)) = unproved.min_by_key(|(.., opened)| opened.bytes()) {
            return Some(Task::Verify(revision, opened));
        }
        let builds = self.budget() > 0;
        let due = slots.values().filter(|s| builds && s.is_due()).filter_map(|s| Some((s.arrived, s.want.clone()?)));
        if let Some((_, wanted)) = due.min_by_key(|(arrived, want)| (std::cmp::Reverse(*arrived), want.rows)) {
            return Some(Task::Build(wanted));
        }
        let old = opened().filter(|(_, slot, _)| slot.proved.is_some_and(|t| t.elapsed() > PROVED_FOR));
        old.min_by_key(|(_, slot, _)| slot.proved).map(|(revision, _, opened)| Task::Verify(revision, opened))
    }
}

/// How long to wait after so many failures: not at all after the first, then a minute, two, four, up to an hour.
pub(super) fn wait(failures: u32) -> Option<Instant> {
    let minutes = failures.checked_sub(1).map(|n| 1u64 << n.min(6))?;
    Some(Instant::now() + Duration::from_secs(60 * minutes.min(60)))
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

pub fn folder(config: &Config) -> PathBuf {
    config.data.join("tiles")
}

/// Bytes of disk that indexes may take.
pub fn budget(config: &Config) -> u64 {
    const MOST: u64 = 32 << 30;
    let disk = nix::sys::statvfs::statvfs(&config.data).map_or(u64::MAX, |s| s.blocks() * s.fragment_size());
    config.tile_index_disk.map_or((disk / 5).min(MOST), |mebibytes| mebibytes.saturating_mul(1 << 20))
}
