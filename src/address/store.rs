//! The address indexes of this node: one of each source, where it lies on the disk, and how it is doing.
//!
//! A file is `<layer>-<revision>-<mapping>.idx`. Every node keeps its own and can throw it away at any time. A new revision or
//! mapping is built beside the old one, which serves until then, under the rights that count now.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use onemap_address::segment::{Error, Segment};
use roaring::RoaringTreemap;
use serde::Serialize;
use tokio::sync::Notify;

use super::mapping::Mapping;
use crate::error::Said;
use crate::layer::model::State;
use crate::tile::progress::{Progress, Shown};

/// A file that was whole is looked at again after this time: disks rot.
const PROVED_FOR: Duration = Duration::from_secs(3600);

/// An index that can be read.
pub struct Opened {
    pub segment: Segment,
    pub(super) path: PathBuf,
    file: File,
    length: u64,
}

impl Opened {
    /// Looks at the file's head only.
    pub fn open(path: &Path) -> Result<Opened, Error> {
        let segment = Segment::open(path)?;
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Opened { segment, path: path.to_owned(), file, length })
    }

    /// Whether the file is as long as when it was mapped: to read past the end of one that was cut short would end the process.
    pub fn is_whole(&self) -> bool {
        self.file.metadata().is_ok_and(|m| m.len() == self.length)
    }

    /// Compares the whole file's checksum.
    pub fn verify(&self) -> Result<(), String> {
        match self.is_whole() {
            true => self.segment.verify().map_err(|e| e.to_string()),
            false => Err("its length has changed".into()),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.length
    }
}

/// What a source's index ought to be made of.
#[derive(Clone)]
pub struct Wanted {
    pub layer: Arc<str>,
    pub department: Arc<str>,
    pub mapping: Arc<Mapping>,
    pub state: Arc<State>,
}

impl Wanted {
    pub(super) fn file(&self) -> String {
        format!("{}-{}-{:08x}.idx", self.layer, self.state.revision, self.mapping.digest())
    }
    pub fn revision(&self) -> i64 {
        self.state.revision
    }
}

/// What was edited since an index was built.
#[derive(Clone, Default)]
pub struct Delta {
    /// The number of the table's state that this leads to (`tile::edits`).
    pub number: u64,
    /// The rows that differ; in the index they are no longer to be seen.
    pub touched: Arc<[i64]>,
    pub hidden: Option<Arc<RoaringTreemap>>,
    /// The touched rows as they are now.
    pub segment: Option<Arc<Segment>>,
}

/// An index in service, with the edits since.
#[derive(Clone)]
pub struct Live {
    pub made_of: Wanted,
    pub opened: Arc<Opened>,
    pub delta: Delta,
}

/// What this node knows of one source's index.
pub(super) struct Slot {
    pub want: Wanted,
    pub live: Option<Arc<Live>>,
    /// When its checksum was last found right.
    pub proved: Option<Instant>,
    /// It serves, but the table was edited so much that a new one is due.
    pub stale: bool,
    pub building: Option<Arc<Progress>>,
    /// How long the last one took.
    pub seconds: Option<f64>,
    pub failures: u32,
    pub not_before: Option<Instant>,
    pub trouble: Option<Said>,
}

impl Slot {
    pub fn new(want: Wanted) -> Slot {
        Slot {
            want,
            live: None,
            proved: None,
            stale: false,
            building: None,
            seconds: None,
            failures: 0,
            not_before: None,
            trouble: None,
        }
    }

    fn is_due(&self) -> bool {
        let current = self.live.as_ref().is_some_and(|l| l.made_of.file() == self.want.file());
        let lacks = !current || self.stale;
        lacks && self.building.is_none() && self.not_before.is_none_or(|t| t <= Instant::now())
    }
}

/// What is to be done next.
pub(super) enum Task {
    Verify(Arc<Live>),
    Build(Wanted),
}

/// How an index is doing, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What building it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Rows edited since it was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Said>,
}

/// All indexes together, for the metrics and the terminal.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    pub ready: u64,
    pub building: u64,
    pub missing: u64,
    pub rows: u64,
    pub bytes: u64,
    pub layer: Option<Arc<str>>,
    pub progress: Option<Shown>,
}

pub struct Indexes {
    folder: PathBuf,
    slots: RwLock<BTreeMap<Arc<str>, Slot>>,
    /// Sources or layers may have changed.
    pub(super) look: Notify,
    /// There may be something to verify or to build.
    pub(super) work: Notify,
    /// Some index, or its delta, is another one now.
    pub(super) fresh: Notify,
}

impl Indexes {
    pub fn new(folder: PathBuf) -> Indexes {
        Indexes { folder, slots: RwLock::default(), look: Notify::new(), work: Notify::new(), fresh: Notify::new() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The source's index, if it serves now.
    pub fn live(&self, layer: &str) -> Option<Arc<Live>> {
        let live = self.slots().get(layer)?.live.clone()?;
        if !live.opened.is_whole() {
            self.damaged(&live, "its length has changed");
            return None;
        }
        Some(live)
    }

    pub fn all_live(&self) -> Vec<Arc<Live>> {
        self.slots().values().filter_map(|s| s.live.clone()).collect()
    }

    /// The index turned out to be wrong: nothing more is read from it, and it is built anew.
    pub fn damaged(&self, live: &Live, why: &str) {
        let layer = &live.made_of.layer;
        let mut slots = self.slots_mut();
        let Some(slot) = slots.get_mut(layer) else { return };
        if !slot.live.as_ref().is_some_and(|l| Arc::ptr_eq(&l.opened, &live.opened)) {
            return;
        }
        tracing::error!(%layer, "an address index is damaged and is built again: {why}");
        metrics::counter!("onemap_address_index_damaged_total").increment(1);
        slot.live = None;
        slot.trouble = Some(Said::new("索引文件已损坏", "the file was damaged"));
        // Should the new one be no better, it waits longer each time.
        slot.not_before = wait(slot.failures);
        slot.failures += 1;
        let _ = std::fs::remove_file(&live.opened.path);
        drop(slots);
        self.work.notify_one();
    }

    /// Puts another delta upon the index, unless that is no longer the one that serves.
    pub(super) fn join(&self, live: Live) {
        let mut slots = self.slots_mut();
        if let Some(slot) = slots.get_mut(&live.made_of.layer)
            && slot.live.as_ref().is_some_and(|l| Arc::ptr_eq(&l.opened, &live.opened))
        {
            slot.live = Some(Arc::new(live));
        }
        drop(slots);
        self.fresh.notify_waiters();
    }

    pub(super) fn rebuild(&self, layer: &str) {
        if let Some(slot) = self.slots_mut().get_mut(layer).filter(|s| s.building.is_none() && !s.stale) {
            slot.stale = true;
            self.work.notify_one();
        }
    }

    pub fn status(&self, layer: &str) -> Status {
        let slots = self.slots();
        let slot = slots.get(layer);
        let live = slot.and_then(|s| s.live.as_ref());
        let building = slot.and_then(|s| s.building.as_ref());
        let state = match (live, building) {
            (Some(_), _) => "ready",
            (None, Some(_)) => "building",
            (None, None) => "missing",
        };
        Status {
            state,
            progress: building.map(|p| p.shown()),
            rows: live.map(|l| l.opened.segment.rows()),
            bytes: live.map(|l| l.opened.bytes()),
            seconds: slot.and_then(|s| s.seconds),
            edited: live.map(|l| l.delta.touched.len() as u64),
            trouble: slot.and_then(|s| s.trouble.clone()).filter(|_| state == "missing"),
        }
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for slot in self.slots().values() {
            if let Some(live) = &slot.live {
                totals.bytes += live.opened.bytes();
                totals.rows += live.opened.segment.rows();
            }
            if let Some(progress) = &slot.building {
                (totals.layer, totals.progress) = (Some(slot.want.layer.clone()), Some(progress.shown()));
            }
            match (&slot.live, &slot.building) {
                (Some(_), _) => totals.ready += 1,
                (_, Some(_)) => totals.building += 1,
                _ => totals.missing += 1,
            }
        }
        totals
    }
}

/// For the keeper.
impl Indexes {
    pub(super) fn slots(&self) -> RwLockReadGuard<'_, BTreeMap<Arc<str>, Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn slots_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<Arc<str>, Slot>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// First what is missing altogether, the smallest first, then what serves and ought to be another, then what was not looked at
    /// for an hour.
    pub(super) fn next(&self) -> Option<Task> {
        let slots = self.slots();
        let rows = |s: &Slot| s.want.state.feature_count.unwrap_or(0);
        if let Some(slot) = slots.values().filter(|s| s.is_due()).min_by_key(|s| (s.live.is_some(), rows(s))) {
            return Some(Task::Build(slot.want.clone()));
        }
        let old = slots.values().filter(|s| s.proved.is_some_and(|t| t.elapsed() > PROVED_FOR));
        old.min_by_key(|s| s.proved).and_then(|s| s.live.clone()).map(Task::Verify)
    }
}

/// How long to wait after so many failures: not at all after the first, then a minute, two, four, up to an hour.
pub(super) fn wait(failures: u32) -> Option<Instant> {
    let minutes = failures.checked_sub(1).map(|n| 1u64 << n.min(6))?;
    Some(Instant::now() + Duration::from_secs(60 * minutes.min(60)))
}
