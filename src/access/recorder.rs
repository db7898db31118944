//! Where records of accesses wait until they are written: buffers by thread, and whether the writer keeps up.
//!
//! A record waits for a quarter of a second at most, as a rule. What waits for longer than a second says that evidence cannot be kept; then no
//! data is given any more, which also bounds what can wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use onemap_evidence::{Record, Tile, TileList};
use tokio::sync::{Notify, watch};

use super::trace::Trace;
use crate::error::{Error, Result};
use crate::geo::tms::TileMatrixSet;

/// How long a record may wait before data is refused.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an export waits for its record.
const LONGEST: Duration = Duration::from_secs(3);
/// Records and tiles that may wait.
const MOST: usize = 400_000;
/// Buffers: threads hardly ever meet at one.
const SHARDS: usize = 16;

/// Cheap to clone.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    shards: [Mutex<Shard>; SHARDS],
    begun: Instant,
    waiting: AtomicUsize,
    /// Milliseconds since `begun`, and one: of the oldest that waits, and of the oldest that is being written. 0 is none.
    oldest: AtomicU64,
    writing: AtomicU64,
    /// The number of the batch that is filled now.
    batch: AtomicU64,
    /// The last batch that is written.
    written: watch::Sender<u64>,
    wake: Notify,
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct Shard {
    records: Vec<Record>,
    tiles: HashMap<TileGroup, Tiles>,
}

/// What tiles have in common that share a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TileGroup {
    pub who: Arc<str>,
    pub department: Option<Arc<str>>,
    pub address: Option<Arc<str>>,
    pub origin: Option<Arc<str>>,
    pub layer: Option<Arc<str>>,
    pub owner: Option<Arc<str>>,
    pub revision: Option<i32>,
    pub grant: Option<i64>,
    pub purpose: Option<Arc<str>>,
    pub set: &'static str,
    pub status: i16,
    pub filter: Option<Arc<str>>,
    pub fields: Option<Vec<String>>,
}

/// Tiles that share a record.
struct Tiles {
    /// The time and the id of the first request.
    at: i64,
    request: Option<Arc<str>>,
    list: TileList,
    bytes: u64,
}

/// A tile that was given.
pub struct GivenTile {
    /// Microseconds since 1970.
    pub at: i64,
    pub request: Option<Arc<str>>,
    pub zoom: u8,
    pub column: u32,
    pub row: u32,
    pub bytes: u64,
}

/// What was taken to be written.
pub struct Batch {
    pub number: u64,
    pub records: Vec<Record>,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder(Arc::new(Inner {
            shards: std::array::from_fn(|_| Mutex::default()),
            begun: Instant::now(),
            waiting: AtomicUsize::new(0),
            oldest: AtomicU64::new(0),
            writing: AtomicU64::new(0),
            batch: AtomicU64::new(1),
            written: watch::Sender::new(0),
            wake: Notify::new(),
            closed: watch::Sender::new(false),
        }))
    }
}

impl Recorder {
    /// Whether evidence is being kept: else no data may be given.
    pub fn check(&self) -> Result<()> {
        let inner = &self.0;
        let now = self.now();
        let late = |since: &AtomicU64| match since.load(Ordering::Relaxed) {
            0 => false,
            since => now.saturating_sub(since) > PATIENCE.as_millis() as u64,
        };
        match late(&inner.oldest) || late(&inner.writing) || inner.waiting.load(Ordering::Relaxed) > MOST {
            true => Err(not_kept()),
            false => Ok(()),
        }
    }

    pub fn put(&self, record: Record) {
        self.put_into(1, |shard| shard.records.push(record));
    }

    /// What a job opened, under its id. False when that is nothing.
    pub fn put_job(&self, trace: &Trace, id: uuid::Uuid, kind: &str, succeeded: bool) -> bool {
        let (who, department, opened) =
            trace.with(|seen| (seen.who.clone(), seen.department.clone(), std::mem::take(&mut seen.opened)));
        let any = !opened.is_empty();
        for opened in opened {
            let record = Record::from(opened);
            self.put(Record {
                at: now(),
                who: who.clone().unwrap_or_else(|| "operator".into()),
                department: department.clone(),
                operation: kind.into(),
                request: Some(id.to_string().into()),
                status: if succeeded { 200 } else { 500 },
                complete: succeeded,
                ..record
            });
        }
        any
    }

    pub fn put_tile(&self, group: TileGroup, given: GivenTile) {
        let GivenTile { at, request, zoom, column, row, bytes } = given;
        self.put_into(1, |shard| {
            let tiles = match shard.tiles.entry(group) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Tiles { at, request, list: TileList::default(), bytes: 0 }),
            };
            let after = ((at - tiles.at).max(0) / 1000).try_into().unwrap_or(u32::MAX);
            tiles.list.push(Tile { after, zoom, column, row, bytes: bytes.try_into().unwrap_or(u32::MAX) });
            tiles.bytes += bytes;
        });
    }

    fn put_into(&self, count: usize, put: impl FnOnce(&mut Shard)) {
        let inner = &self.0;
        put(&mut inner.shards[own_shard()].lock().unwrap_or_else(PoisonError::into_inner));
        inner.waiting.fetch_add(count, Ordering::Relaxed);
        if inner.oldest.load(Ordering::Relaxed) == 0 {
            let _ = inner.oldest.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Waits until all that was put before is written.
    pub async fn durable(&self) -> Result<()> {
        let mut written = self.0.written.subscribe();
        // Whoever takes this batch or a later one finds what was put.
        let batch = self.0.batch.load(Ordering::SeqCst);
        self.0.wake.notify_one();
        let kept = tokio::time::timeout(LONGEST, written.wait_for(|written| *written >= batch)).await;
        match kept {
            Ok(Ok(_)) => Ok(()),
            _ => Err(not_kept()),
        }
    }

    /// Nobody puts anything any more: the writer may end when all is written.
    pub fn close(&self) {
        self.0.closed.send_replace(true);
        self.0.wake.notify_one();
    }

    pub fn is_closed(&self) -> bool {
        *self.0.closed.borrow()
    }

    /// Until somebody waits for a record, for the writer.
    pub async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Takes what waits, for the writer. It belongs to it until it says `written`.
    pub fn take(&self) -> Batch {
        let inner = &self.0;
        let number = inner.batch.fetch_add(1, Ordering::SeqCst);
        let oldest = inner.oldest.swap(0, Ordering::Relaxed);
        if oldest != 0 {
            inner.writing.store(oldest, Ordering::Relaxed);
        }
        let mut records = vec![];
        let mut taken = 0;
        for shard in &inner.shards {
            let shard = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            taken += shard.records.len();
            records.extend(shard.records);
            for (group, tiles) in shard.tiles {
                taken += tiles.list.len() as usize;
                records.push(of_tiles(group, tiles));
            }
        }
        inner.waiting.fetch_sub(taken, Ordering::Relaxed);
        records.sort_by_key(|record| record.at);
        Batch { number, records }
    }

    /// Says that a batch, and with it all before, is written.
    pub fn written(&self, number: u64) {
        self.0.writing.store(0, Ordering::Relaxed);
        self.0.written.send_replace(number);
    }

    fn now(&self) -> u64 {
        self.0.begun.elapsed().as_millis() as u64 + 1
    }
}

/// The record of tiles that belong together.
fn of_tiles(group: TileGroup, Tiles { at, request, list, bytes }: Tiles) -> Record {
    let (requests, extent) = (list.len(), TileMatrixSet::parse(group.set));
    let tiles = list.into_bytes();
    let extent = extent.and_then(|set| reach(set, &tiles));
    Record {
        at,
        department: group.department,
        who: group.who,
        address: group.address,
        origin: group.origin,
        operation: "tile".into(),
        layer: group.layer,
        owner: group.owner,
        revision: group.revision,
        grant: group.grant,
        purpose: group.purpose,
        request,
        status: group.status,
        complete: true,
        requests: requests.try_into().unwrap_or(i32::MAX),
        bytes: bytes as i64,
        extent,
        filter: group.filter,
        fields: group.fields,
        detail: Some(group.set.into()),
        tiles: Some(tiles),
        ..Record::default()
    }
}

/// The box of tiles, in degrees.
fn reach(set: TileMatrixSet, tiles: &[u8]) -> Option<[f64; 4]> {
    let mut zooms: HashMap<u8, [u32; 4]> = HashMap::new();
    for Tile { zoom, column, row, .. } in TileList::read(tiles) {
        let r = zooms.entry(zoom).or_insert([column, row, column, row]);
        *r = [r[0].min(column), r[1].min(row), r[2].max(column), r[3].max(row)];
    }
    let corners = zooms.into_iter().flat_map(|(zoom, [w, n, e, s])| [(zoom, w, n), (zoom, e, s)]);
    let boxes = corners.filter_map(|(zoom, x, y)| Some(set.tile(zoom.into(), x, y)?.degrees(0.0)));
    boxes.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
}

/// Microseconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}

fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    OWN.with(|own| *own)
}

fn not_kept() -> Error {
    Error::busy(
        "访问存证暂时无法写入，因此暂停提供数据",
        "evidence of accesses cannot be kept at the moment, so no data is given",
    )
    .hint(
        "请稍后重试；如持续出现，请告知平台管理员",
        "try again in a moment; if it lasts, tell the platform's administrator",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(who: &str) -> TileGroup {
        TileGroup {
            who: who.into(),
            department: None,
            address: None,
            origin: None,
            layer: Some("open".into()),
            owner: None,
            revision: Some(1),
            grant: None,
            purpose: None,
            set: "WebMercatorQuad",
            status: 200,
            filter: None,
            fields: None,
        }
    }

    #[test]
    fn tiles_of_one_asker_share_a_record() {
        let recorder = Recorder::default();
        let tile = |at: i64, request: &str, column: u32| GivenTile {
            at,
            request: Some(request.into()),
            zoom: 8,
            column,
            row: 100,
            bytes: 50,
        };
        for column in 0..10 {
            let at = 1_000_000 + i64::from(column) * 3000;
            recorder.put_tile(group("a"), tile(at, &format!("r{column}"), 213 + column));
        }
        recorder.put_tile(group("b"), tile(0, "other", 213));
        let batch = recorder.take();
        let [b, a] = &batch.records[..] else { panic!("{}", batch.records.len()) };
        assert_eq!((a.requests, a.bytes, b.requests), (10, 500, 1));
        assert_eq!((a.request.as_deref(), b.request.as_deref()), (Some("r0"), Some("other")), "the first's id");
        let tiles: Vec<Tile> = TileList::read(a.tiles.as_deref().unwrap()).collect();
        assert_eq!((tiles[9].after, tiles[9].column), (27, 222));
        let [west, _, east, _] = a.extent.unwrap();
        assert!((west - 119.53).abs() < 0.01 && (east - 133.59).abs() < 0.01, "{west} {east}");
    }

    #[tokio::test]
    async fn what_is_not_written_within_a_second_refuses_data_until_it_is() {
        let recorder = Recorder::default();
        assert!(recorder.check().is_ok());
        recorder.put(Record::default());
        assert!(recorder.check().is_ok());
        let batch = recorder.take();
        tokio::time::sleep(PATIENCE + Duration::from_millis(60)).await;
        assert!(recorder.check().is_err(), "it is being written for too long");
        recorder.written(batch.number);
        assert!(recorder.check().is_ok());
    }

    #[tokio::test]
    async fn an_export_waits_for_the_batch_that_holds_its_record() {
        let recorder = Recorder::default();
        let before = recorder.take();
        recorder.put(Record::default());
        recorder.written(before.number);
        let waits = tokio::spawn({
            let recorder = recorder.clone();
            async move { recorder.durable().await }
        });
        recorder.woken().await;
        assert!(!waits.is_finished(), "what was taken before does not hold it");
        let batch = recorder.take();
        assert_eq!(batch.records.len(), 1);
        recorder.written(batch.number);
        assert!(waits.await.unwrap().is_ok());
    }
}
