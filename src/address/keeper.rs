//! Sees to this node's address indexes: looks which sources there are, opens and verifies what lies on the disk, builds what is
//! missing, one at a time, and keeps each in step with the edits of its table. Searches never wait for it.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tokio::sync::watch;

use super::Addresses;
use super::build::{self, Failure, WORN};
use super::sources;
use super::store::{Delta, Live, Opened, Slot, Task, Wanted, wait};
use crate::access::principal::Principal;
use crate::error::{Error, Kind, Result, Said};
use crate::tile::progress::Progress;

/// The catalogue says when it changes; this is for files that somebody removed.
const LOOK: Duration = Duration::from_secs(30);
/// How soon something that had to wait is thought of.
const WORK: Duration = Duration::from_secs(1);
/// Edits say when they come; this is for a notice that went by while another was worked on.
const PULSE: Duration = Duration::from_millis(100);
/// How often the log says how far a build is.
const TELL: Duration = Duration::from_secs(5);
const DISK_FULL: Duration = Duration::from_secs(300);
/// Says in the folder whose revisions its files are.
const SOURCE: &str = "database";
/// Held by the one process that keeps the folder: an import beside a running server has the same one.
const LOCK: &str = "lock";

impl Addresses {
    /// Until told to stop. A build under way is given up; its half-made file is removed with the next start.
    pub async fn keep(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.keep_on() => {}
        }
        for slot in self.0.indexes.slots().values() {
            slot.building.iter().for_each(|p| p.stop());
        }
    }

    async fn keep_on(&self) {
        let source = self.0.database.identity().await;
        let _lock = loop {
            match lock(self.0.indexes.folder()) {
                Ok(Some(lock)) => break lock,
                Ok(None) => tokio::time::sleep(WORK).await,
                Err(e) => {
                    tracing::error!("address indexes cannot be kept: {e}");
                    return std::future::pending().await;
                }
            }
        };
        if let Err(e) = adopt(self.0.indexes.folder(), &source) {
            tracing::error!("address indexes cannot be kept: {e}");
            return std::future::pending().await;
        }
        forget_files(&self.0.files, self.0.begun);
        tokio::join!(self.look(), self.work(), self.follow());
    }

    async fn look(&self) {
        loop {
            self.settle();
            self.0.indexes.work.notify_one();
            tokio::select! {
                () = self.0.indexes.look.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Makes the slots fit the sources and the published revisions.
    fn settle(&self) {
        let wanted = self.wanted();
        let mut slots = self.0.indexes.slots_mut();
        let layers: HashSet<Arc<str>> = wanted.iter().map(|w| w.layer.clone()).collect();
        for want in wanted {
            match slots.get_mut(&want.layer) {
                None => {
                    slots.insert(want.layer.clone(), Slot::new(want));
                }
                Some(slot) => {
                    if slot.want.file() != want.file() {
                        slot.building.iter().for_each(|p| p.stop());
                        (slot.not_before, slot.failures) = (None, 0);
                    }
                    // A file that somebody removed is made again, for the next start.
                    slot.stale |=
                        slot.building.is_none() && slot.live.as_ref().is_some_and(|l| !l.opened.path.exists());
                    slot.want = want;
                }
            }
        }
        slots.retain(|layer, slot| {
            let stays = layers.contains(layer);
            if !stays {
                slot.building.iter().for_each(|p| p.stop());
            }
            stays
        });
        drop(slots);
        self.sweep();
    }

    fn wanted(&self) -> Vec<Wanted> {
        let (catalog, sources) = (self.0.catalog.snapshot(), self.0.sources.snapshot());
        let want = |source: &sources::AddressSource| {
            let layer = catalog.layers.get(&source.layer)?;
            let state = layer.state.as_ref().filter(|s| sources::check(s).is_ok())?;
            // A new revision may lack a field: what is left of the mapping serves, if it is enough to find anything by.
            let mut mapping = source.mapping.clone();
            let gone: Vec<_> = mapping.each().filter(|(_, f)| state.field(f).is_none()).map(|(t, _)| t).collect();
            if !gone.is_empty() {
                let whole = Arc::make_mut(&mut mapping);
                gone.into_iter().for_each(|target| whole.remove(target));
            }
            mapping.check(state.fields.iter().map(|f| f.name.as_str())).ok()?;
            Some(Wanted {
                layer: layer.id.clone(),
                department: layer.department.clone(),
                mapping,
                state: Arc::new(state.clone()),
            })
        };
        sources.values().filter_map(want).collect()
    }

    /// Removes the files that no source needs.
    fn sweep(&self) {
        let indexes = &self.0.indexes;
        let mut needed: HashSet<std::ffi::OsString> = HashSet::from([SOURCE.into(), LOCK.into()]);
        {
            let slots = indexes.slots();
            // The builder may have files of its own beside its target while it works.
            if slots.values().any(|s| s.building.is_some()) {
                return;
            }
            for slot in slots.values() {
                needed.insert(slot.want.file().into());
                needed.extend(slot.live.iter().filter_map(|l| Some(l.opened.path.file_name()?.to_owned())));
            }
        }
        for entry in std::fs::read_dir(indexes.folder()).into_iter().flatten().flatten() {
            if !needed.contains(&entry.file_name()) {
                let path = entry.path();
                let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            }
        }
    }

    async fn work(&self) {
        loop {
            match self.0.indexes.next() {
                Some(Task::Verify(live)) => self.verify(live).await,
                Some(Task::Build(want)) => self.build(want).await,
                None => {
                    tokio::select! {
                        () = self.0.indexes.work.notified() => {}
                        () = tokio::time::sleep(WORK) => {}
                    }
                }
            }
        }
    }

    async fn verify(&self, live: Arc<Live>) {
        let looked_at = live.opened.clone();
        let outcome = tokio::task::spawn_blocking(move || looked_at.verify()).await;
        match outcome.unwrap_or_else(|e| Err(e.to_string())) {
            Ok(()) => {
                if let Some(slot) = self.0.indexes.slots_mut().get_mut(&live.made_of.layer) {
                    slot.proved = Some(Instant::now());
                }
            }
            Err(why) => self.0.indexes.damaged(&live, &why),
        }
    }

    async fn build(&self, want: Wanted) {
        let progress = Arc::new(Progress::new(want.state.feature_count.unwrap_or(0).max(0) as u64));
        let rebuilt = {
            let mut slots = self.0.indexes.slots_mut();
            let Some(slot) = slots.get_mut(&want.layer) else { return };
            slot.building = Some(progress.clone());
            std::mem::take(&mut slot.stale)
        };
        let begun = Instant::now();
        let making = self.make(&want, &progress, rebuilt);
        tokio::pin!(making);
        let outcome = loop {
            tokio::select! {
                outcome = &mut making => break outcome,
                () = tokio::time::sleep(TELL) => {
                    let (layer, p) = (&want.layer, progress.shown());
                    tracing::info!(%layer, done = p.done, of = p.total, per_second = p.rows_per_second,
                        seconds_left = p.seconds_left, "address index under way");
                }
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        let ended = match &outcome {
            Ok((live, built)) => {
                let (rows, bytes) = (live.opened.segment.rows(), live.opened.bytes());
                let (layer, revision) = (&want.layer, want.revision());
                match built {
                    true => tracing::info!(%layer, revision, rows, bytes, seconds, "address index built"),
                    false => tracing::debug!(%layer, revision, rows, bytes, seconds, "address index opened"),
                }
                if *built { "built" } else { "opened" }
            }
            Err(Failure::Stopped) => "stopped",
            Err(_) => "failed",
        };
        metrics::counter!("onemap_address_index_builds_total", "outcome" => ended).increment(1);
        self.settle_build(&want, outcome, seconds, rebuilt);
        self.sweep();
        self.0.indexes.fresh.notify_waiters();
    }

    fn settle_build(&self, want: &Wanted, outcome: Result<(Live, bool), Failure>, seconds: f64, rebuilt: bool) {
        let mut slots = self.0.indexes.slots_mut();
        let Some(slot) = slots.get_mut(&want.layer) else { return };
        slot.building = None;
        match outcome {
            // Another one may be wanted by now; this is nearer to it than what was there before.
            Ok((live, built)) => {
                slot.live = Some(Arc::new(live));
                slot.proved = Some(Instant::now());
                (slot.failures, slot.not_before, slot.trouble) = (0, None, None);
                if built {
                    slot.seconds = Some(seconds);
                }
            }
            Err(failure) => {
                slot.stale |= rebuilt;
                failed(slot, failure);
            }
        }
    }

    /// The index from the disk if it is there and sound, else built. Says which.
    async fn make(&self, want: &Wanted, progress: &Arc<Progress>, rebuilt: bool) -> Result<(Live, bool), Failure> {
        let target = self.0.indexes.folder().join(want.file());
        if !rebuilt && target.exists() {
            let path = target.clone();
            let proved = tokio::task::spawn_blocking(move || prove(&path)).await.map_err(Error::internal)?;
            match proved {
                Ok(opened) => {
                    if let Some(live) = self.joined(want, opened).await? {
                        return Ok((live, false));
                    }
                }
                Err(e) => {
                    tracing::warn!(layer = %want.layer, "an address index cannot be read and is built anew: {e}");
                    metrics::counter!("onemap_address_index_damaged_total").increment(1);
                    let _ = std::fs::remove_file(&target);
                }
            }
        }
        // The index holds the whole layer, as its owner sees it; each search applies the scope of who asks.
        let grant = self.0.gate.open(&Principal::operator(&want.department), &want.layer)?;
        let lease = self.0.store.whole(&grant).await.map_err(Failure::Database)?;
        build::build(lease, want, &target, progress).await?;
        let opened = tokio::task::spawn_blocking(move || prove(&target)).await.map_err(Error::internal)?;
        match self.joined(want, opened.map_err(|e| Failure::Other(Error::internal(e)))?).await? {
            Some(live) => Ok((live, true)),
            // Changed wholly while it was built.
            None => Err(Failure::Database(Error::busy("编辑过多", "too many edits meanwhile"))),
        }
    }

    /// With the edits since. `None`: there are more than the log tells.
    async fn joined(&self, want: &Wanted, opened: Opened) -> Result<Option<Live>, Failure> {
        let mut live = Live { made_of: want.clone(), opened: Arc::new(opened), delta: Delta::default() };
        self.0.edits.catch_up().await.map_err(Failure::Database)?;
        let number = self.0.edits.of(want.revision()).number;
        let delta = build::delta(&self.0.database, &live, number).await.map_err(Failure::Database)?;
        Ok(delta.map(|delta| {
            live.delta = delta;
            live
        }))
    }

    /// Brings each index up to date with its table's edits.
    async fn follow(&self) {
        loop {
            for live in self.0.indexes.all_live() {
                let number = self.0.edits.of(live.made_of.revision()).number;
                if number == live.delta.number {
                    continue;
                }
                match build::delta(&self.0.database, &live, number).await {
                    Ok(Some(delta)) => {
                        if delta.touched.len() > WORN {
                            self.0.indexes.rebuild(&live.made_of.layer);
                        }
                        self.0.indexes.join(Live { delta, ..Live::clone(&live) });
                    }
                    Ok(None) => self.0.indexes.rebuild(&live.made_of.layer),
                    Err(e) => tracing::warn!(layer = %live.made_of.layer, "edited addresses could not be read: {e}"),
                }
            }
            tokio::select! {
                () = self.0.edits.changed() => {}
                () = tokio::time::sleep(PULSE) => {}
            }
        }
    }
}

/// Opens a file and reads it once over.
fn prove(path: &Path) -> Result<Opened, String> {
    let opened = Opened::open(path).map_err(|e| e.to_string())?;
    opened.verify()?;
    Ok(opened)
}

/// `None`: another process keeps the folder.
fn lock(folder: &Path) -> Result<Option<Flock<File>>> {
    std::fs::create_dir_all(folder)?;
    match Flock::lock(File::create(folder.join(LOCK))?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(Error::internal(errno)),
    }
}

/// Removes the files of requests that a killed process had under way.
fn forget_files(folder: &Path, begun: SystemTime) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.metadata().and_then(|m| m.modified()).is_ok_and(|t| t < begun) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes the folder this database's: revisions of another have the same numbers.
fn adopt(folder: &Path, source: &str) -> Result<()> {
    let said = folder.join(SOURCE);
    if std::fs::read_to_string(&said).ok().as_deref() == Some(source) {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)?.flatten().filter(|e| e.file_name() != LOCK) {
        let path = entry.path();
        let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    }
    Ok(std::fs::write(&said, source)?)
}

fn failed(slot: &mut Slot, failure: Failure) {
    let (layer, revision) = (&slot.want.layer, slot.want.revision());
    slot.trouble = match failure {
        Failure::Stopped => None,
        Failure::DiskFull => {
            tracing::error!(%layer, revision, "no address index: the disk is full; it is tried again later");
            slot.not_before = Some(Instant::now() + DISK_FULL);
            Some(Said::new("磁盘空间不足", "the disk is full"))
        }
        Failure::Database(e) => {
            tracing::warn!(%layer, revision, "the address index is built later, the database does not answer: {e}");
            slot.not_before = Some(Instant::now() + Duration::from_secs(1 << slot.failures.min(6)));
            slot.failures += 1;
            Some(Said::new("数据库暂时不可用", "the database is away"))
        }
        Failure::Other(e) => {
            if e.kind != Kind::NotFound {
                tracing::error!(%layer, revision, "the address index could not be built: {e}");
            }
            slot.failures += 1;
            slot.not_before = wait(slot.failures);
            Some(Said::new("构建失败，将重试", "the build failed and is tried again"))
        }
    };
}
