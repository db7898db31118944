//! Which rows of a source a grant shows, when it shows a part: the ids, asked of the database once and kept.
//!
//! Two sets. One is of the index: it holds for as long as the index does, because rows that were edited since are hidden there. The
//! other is of the edited rows, a few, anew with each edit. Each remembers the number of the table's state that it was read at, or
//! after: upon an index with fewer edits it would show what a row held before, so such a search waits for the index to catch up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use moka::future::Cache;
use roaring::RoaringTreemap;

use super::Addresses;
use super::store::{Live, Opened};
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::layer::points;

/// Bytes of all sets together.
const ROOM: u64 = 256 << 20;
/// How long an index may be behind its table before a search gives up. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a set is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    revision: i64,
    /// The index's stamp, or the number of the edits.
    of: (bool, u64),
    scope: u64,
}

#[derive(Clone)]
struct Set {
    ids: Arc<RoaringTreemap>,
    /// The number of the table's state that was known when it was read; the set is of that state or a later one.
    upto: u64,
}

pub struct Rights(Cache<Key, Set>);

impl Default for Rights {
    fn default() -> Rights {
        let bytes = |_: &Key, set: &Set| set.ids.serialized_size().try_into().unwrap_or(u32::MAX).max(64);
        Rights(Cache::builder().max_capacity(ROOM).weigher(bytes).time_to_idle(Duration::from_secs(3600)).build())
    }
}

/// An index with what a grant shows of it.
pub(super) struct ShownOf {
    pub live: Arc<Live>,
    pub base: Arc<RoaringTreemap>,
    pub delta: Arc<RoaringTreemap>,
}

impl Addresses {
    pub(super) async fn shown(&self, grant: &Grant<Read>, mut live: Arc<Live>) -> Result<ShownOf> {
        let begun = Instant::now();
        loop {
            let fresh = self.0.indexes.fresh.notified();
            let base = self.set(grant, &live, None).await?;
            let delta = self.set(grant, &live, Some(&live.delta.touched)).await?;
            let upto = base.upto.max(delta.upto);
            if live.delta.number >= upto {
                return Ok(ShownOf { live, base: base.ids, delta: delta.ids });
            }
            if begun.elapsed() > PATIENCE {
                return Err(Error::busy("地址索引正在跟进修改", "the address index is catching up with edits"));
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), fresh).await;
            live = self
                .0
                .indexes
                .live(grant.layer())
                .ok_or_else(|| Error::busy("地址索引正在建立", "the address index is being built"))?;
        }
    }

    /// The set from the cache, else read: once for all who wait.
    async fn set(&self, grant: &Grant<Read>, live: &Arc<Live>, among: Option<&[i64]>) -> Result<Set> {
        if among.is_some_and(<[i64]>::is_empty) {
            return Ok(Set { ids: Arc::default(), upto: 0 });
        }
        let opened: &Opened = &live.opened;
        let of = (among.is_some(), if among.is_some() { live.delta.number } else { opened.segment.stamp() });
        let key = Key { revision: live.made_of.revision(), of, scope: grant.scope().fingerprint() };
        let read = self.0.rights.0.try_get_with(key, self.read_set(grant, live, among)).await;
        read.map_err(|e| {
            tracing::warn!("what a grant shows of an address source could not be read: {e}");
            Error::busy("暂时无法确定可查询的范围", "what you may search cannot be told for the moment")
        })
    }

    async fn read_set(&self, grant: &Grant<Read>, live: &Live, among: Option<&[i64]>) -> Result<Set> {
        let sql = points::visible(&live.made_of.state, grant, among);
        let mut rows = self.0.store.read(grant).await?.rows(&sql).await?;
        let mut ids = RoaringTreemap::new();
        while let Some(row) = rows.next().await {
            ids.insert(row?.try_get::<_, i64>(0)? as u64);
        }
        // Everything that the reading has seen is in the log by now.
        self.0.edits.catch_up().await?;
        let upto = self.0.edits.of(live.made_of.revision()).number;
        Ok(Set { ids: Arc::new(ids), upto })
    }
}
