//! Edits of published revisions, as this node knows them: the number of each revision's state, and what its tile index does not hold.
//!
//! The database's log (`onemap.edit`) is the truth. It is read from the last snapshot onwards, so that a transaction that began long ago
//! and commits late is not missed, and each edit counts once. Order for readers: first `of`, then the index. A delta goes back to
//! `since` at least, so an index that is newer than it loses nothing.

mod follow;
pub mod log;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use onemap_tiles::delta::Delta;
use tokio::sync::{Mutex, Notify};
use tokio_postgres::Client;

use self::log::{Changed, Changes, Seen};
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::model::State;

/// More changed features than this are a matter for a new index.
const MOST: usize = 50_000;
/// An index is made anew with this many changed features, or with a twentieth of its own.
const WORN: usize = 20_000;
/// A small table changes by a twentieth all the time.
const SMALL: usize = 1_000;
/// One reading of the log takes a few milliseconds; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A revision's edits at one moment.
#[derive(Clone, Default)]
pub struct Edited {
    /// Numbers the state of the revision's table: 0 as loaded, the same on every node, another one after every commit.
    pub number: u64,
    /// The rows of the table that differ from an index whose stamp is `since` or newer. None when nobody has opened an index, or
    /// when there is too much to tell.
    pub delta: Option<Arc<Delta>>,
    pub since: u64,
    /// The opened index is too old to be brought up to date: PostGIS serves until there is a new one.
    pub too_many: bool,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Edits(Arc<Inner>);

struct Inner {
    database: Database,
    revisions: ArcSwap<HashMap<i64, Revision>>,
    /// Who reads the log; one at a time, so that no older reading replaces a newer one.
    reader: Mutex<Reader>,
    /// Something was read that the catalogue does not count yet.
    uncounted: AtomicBool,
    /// Told after each reading that changed something.
    changed: Notify,
    /// Revisions whose index is being opened.
    opening: std::sync::Mutex<HashSet<i64>>,
}

#[derive(Clone, Default)]
struct Revision {
    edited: Edited,
    /// Of the layer whose index is open.
    state: Option<Arc<State>>,
    /// The rows could not be read (somebody holds the table, say): to be tried again.
    again: bool,
}

#[derive(Default)]
struct Reader {
    /// The one that listens, so that edits do not wait for a connection behind slow queries.
    own: Option<Client>,
    seen: Option<Seen>,
}

impl Edits {
    pub fn new(database: Database) -> Edits {
        Edits(Arc::new(Inner {
            database,
            revisions: ArcSwap::default(),
            reader: Mutex::default(),
            uncounted: AtomicBool::new(true),
            changed: Notify::new(),
            opening: std::sync::Mutex::default(),
        }))
    }

    /// What has been edited in a revision.
    pub fn of(&self, revision: i64) -> Edited {
        self.0.revisions.load().get(&revision).map(|r| r.edited.clone()).unwrap_or_default()
    }

    /// Waits for the next reading that changes something.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Says that an index of the revision is in use from now on, which holds every transaction below `stamp` (the `xmin` of the snapshot
    /// that it was built in). What came later is read from the log. To be called after the index has taken its place.
    pub async fn opened(&self, state: &Arc<State>, stamp: u64) -> Result<Edited> {
        // The long part before its turn, so that the edits of other layers do not wait for it.
        let client = self.0.database.app().await?;
        let seen = log::now(&client).await?;
        let delta = open(&client, state, stamp).await?;
        drop(client);
        let reader = self.0.reader.lock().await;
        let (_, changes) = patiently(self.with(&reader, async |client| log::since(client, &seen).await)).await?;
        let mut revisions = HashMap::clone(&self.0.revisions.load());
        let revision = revisions.entry(state.revision).or_default();
        revision.state = Some(state.clone());
        revision.take(Ok(delta), stamp);
        if let Some(changes) = changes.iter().find(|c| c.revision == state.revision) {
            self.follow_changes(&reader, revision, changes).await?;
        }
        let edited = revision.edited.clone();
        self.0.revisions.store(Arc::new(revisions));
        Ok(edited)
    }

    /// Has an index opened beside the request that found it not to be, once at a time.
    pub fn attend(&self, state: &State, stamp: u64) {
        let id = state.revision;
        if !self.opening().insert(id) {
            return;
        }
        let (edits, state) = (self.clone(), Arc::new(state.clone()));
        tokio::spawn(async move {
            if let Err(e) = edits.opened(&state, stamp).await {
                tracing::warn!("the edits of revision {id} could not be read: {e}");
            }
            edits.opening().remove(&id);
        });
    }

    fn opening(&self) -> std::sync::MutexGuard<'_, HashSet<i64>> {
        self.0.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision's index is no longer in use.
    pub async fn closed(&self, revision: i64) {
        let _reader = self.0.reader.lock().await;
        let mut revisions = HashMap::clone(&self.0.revisions.load());
        if let Some(r) = revisions.get_mut(&revision) {
            *r = Revision { edited: Edited { number: r.edited.number, ..Edited::default() }, ..Revision::default() };
        }
        self.0.revisions.store(Arc::new(revisions));
    }

    /// Reads what was committed since the last reading. A writer calls it before it answers, to read its own writes.
    pub async fn catch_up(&self) -> Result<()> {
        let mut reader = self.0.reader.lock().await;
        let Some(seen) = reader.seen.clone() else { return self.read_all(&mut reader).await };
        let (now, changes) = patiently(self.with(&reader, async |client| log::since(client, &seen).await)).await?;
        let mut revisions = HashMap::clone(&self.0.revisions.load());
        for changes in &changes {
            let revision = revisions.entry(changes.revision).or_default();
            // The log has forgotten something before it was read here: this node was away for long.
            let gap = revision.edited.number + changes.edits != changes.number;
            revision.edited.number = changes.number;
            match gap {
                true => revision.again = true,
                false => self.follow_changes(&reader, revision, changes).await?,
            }
        }
        self.read_again(&reader, &mut revisions).await?;
        self.publish(revisions, !changes.is_empty());
        reader.seen = Some(now);
        Ok(())
    }

    /// Reads the whole state, at the start.
    pub async fn sync(&self) -> Result<()> {
        log::mend(&*self.0.database.app().await?).await?;
        self.read_all(&mut *self.0.reader.lock().await).await
    }

    async fn read_all(&self, reader: &mut Reader) -> Result<()> {
        let (now, numbers) = patiently(self.with(reader, async |client| log::numbers(client).await)).await?;
        let mut revisions = HashMap::clone(&self.0.revisions.load());
        for (id, number) in numbers {
            let revision = revisions.entry(id).or_default();
            revision.edited.number = number;
        }
        for revision in revisions.values_mut() {
            revision.again = revision.state.is_some();
        }
        self.read_again(reader, &mut revisions).await?;
        self.publish(revisions, true);
        reader.seen = Some(now);
        Ok(())
    }

    /// Brings a revision's delta up to date; without an open index there is none.
    async fn follow_changes(&self, reader: &Reader, revision: &mut Revision, changes: &Changes) -> Result<()> {
        let (Some(state), Some(delta)) = (revision.state.clone(), revision.edited.delta.clone()) else { return Ok(()) };
        let ids = match &changes.changed {
            Changed::Features(ids) => ids,
            Changed::Many => {
                revision.edited.delta = None;
                revision.edited.too_many = true;
                return Ok(());
            }
        };
        let fresh = patiently(
            self.with(reader, async |client| Ok(log::apply(client, &state, Delta::clone(&delta), ids).await)),
        )
        .await?;
        match fresh {
            Ok(delta) => revision.edited.hold(delta),
            Err(e) => revision.fail(&e),
        }
        Ok(())
    }

    /// Starts over from the index for those revisions of which the last reading was not whole.
    async fn read_again(&self, reader: &Reader, revisions: &mut HashMap<i64, Revision>) -> Result<()> {
        for revision in revisions.values_mut().filter(|r| r.again) {
            let Some(state) = revision.state.clone() else {
                revision.again = false;
                continue;
            };
            let since = revision.edited.since;
            let opened = patiently(self.with(reader, async |client| Ok(open(client, &state, since).await))).await?;
            revision.take(opened, since);
        }
        Ok(())
    }

    fn publish(&self, revisions: HashMap<i64, Revision>, changed: bool) {
        self.0.revisions.store(Arc::new(revisions));
        if changed {
            self.0.uncounted.store(true, Ordering::Relaxed);
            self.0.changed.notify_waiters();
        }
    }

    /// On the listening connection, or before there is one on any.
    async fn with<T>(&self, reader: &Reader, read: impl AsyncFnOnce(&Client) -> Result<T>) -> Result<T> {
        match reader.own.as_ref().filter(|own| !own.is_closed()) {
            Some(own) => read(own).await,
            None => read(&*self.0.database.app().await?).await,
        }
    }
}

impl Edited {
    /// What makes an index of this stamp the table of this moment. None: only the table itself is, and PostGIS serves.
    pub fn upon(&self, stamp: u64) -> Option<&Arc<Delta>> {
        self.delta.as_ref().filter(|_| self.since <= stamp)
    }

    /// Whether a new index would be better than this one of `rows` features.
    pub fn worn(&self, rows: u64) -> bool {
        let most = (rows as usize / 20).clamp(SMALL, WORN);
        self.too_many || self.delta.as_ref().is_some_and(|delta| delta.len() > most)
    }

    fn hold(&mut self, delta: Delta) {
        self.too_many = delta.len() > MOST;
        self.delta = (!self.too_many).then(|| Arc::new(delta));
    }
}

impl Revision {
    /// What came of opening an index. `Ok(None)`: the log does not reach back to it.
    fn take(&mut self, opened: Result<Option<Delta>>, since: u64) {
        self.edited.since = since;
        self.again = false;
        match opened {
            Ok(Some(delta)) => self.edited.hold(delta),
            Ok(None) => (self.edited.delta, self.edited.too_many) = (None, true),
            Err(e) => self.fail(&e),
        }
    }

    /// Without its rows a revision is served by PostGIS; the next reading tries again.
    fn fail(&mut self, e: &Error) {
        tracing::warn!("edited features could not be read: {e}");
        (self.edited.delta, self.edited.too_many, self.again) = (None, true, true);
    }
}

/// The delta from an index of this stamp to the table.
async fn open(client: &Client, state: &State, stamp: u64) -> Result<Option<Delta>> {
    match log::after(client, state.revision, stamp).await? {
        Changed::Features(ids) if ids.len() <= MOST => {
            log::apply(client, state, Delta::new(state.fields.len()), &ids).await.map(Some)
        }
        _ => Ok(None),
    }
}

async fn patiently<T>(reading: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, reading).await.map_err(Error::internal)?
}
