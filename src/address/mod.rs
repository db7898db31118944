//! Addresses of this deployment: which layers are sources, their indexes on this node, and what each caller may search of them.
//!
//! The matching itself is the crate `onemap-address`, which knows neither database nor rules.

pub mod aliases;
pub mod answer;
pub mod build;
pub mod days;
pub mod finders;
pub mod guess;
pub mod jobs;
mod keeper;
pub mod mapping;
pub mod rights;
pub mod rows;
pub mod search;
pub mod sources;
pub mod store;
pub mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use onemap_address::find::Source;
use onemap_address::segment::Segment;
use roaring::RoaringTreemap;

use self::finders::Finders;
use self::rights::Rights;
use self::sources::Sources;
use self::store::{Indexes, Live};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Grant, Read};
use crate::access::policy::Scope;
use crate::access::principal::Principal;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::catalog::Catalog;
use crate::tile::edits::Edits;

/// What the address service stands on.
pub struct Parts {
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub edits: Edits,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Addresses(Arc<Inner>);

struct Inner {
    database: Database,
    store: Datastore,
    gate: Gate,
    catalog: Catalog,
    edits: Edits,
    sources: Sources,
    indexes: Indexes,
    rights: Rights,
    finders: Finders,
    /// Where the files of requests under way lie.
    files: PathBuf,
    begun: SystemTime,
}

impl Addresses {
    pub fn new(parts: Parts, config: &Config) -> Addresses {
        let Parts { database, store, gate, catalog, edits } = parts;
        Addresses(Arc::new(Inner {
            database,
            store,
            gate,
            catalog,
            edits,
            sources: Sources::default(),
            indexes: Indexes::new(config.data.join("address")),
            rights: Rights::default(),
            finders: Finders::default(),
            files: config.data.join("address-csv"),
            begun: SystemTime::now(),
        }))
    }

    /// Reads anew which layers are sources.
    pub async fn reload(&self) -> Result<()> {
        self.0.sources.reload(&self.0.database).await?;
        self.0.indexes.look.notify_one();
        Ok(())
    }

    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    pub fn indexes(&self) -> &Indexes {
        &self.0.indexes
    }

    pub fn finders(&self) -> &Finders {
        &self.0.finders
    }

    /// The folder for the files of requests under way.
    pub fn files(&self) -> &Path {
        &self.0.files
    }

    /// What the principal may search: every source that it reads with all its mapped fields, or of those only the named layers.
    /// Without SQL, unless a grant opens a part of a layer and nobody with that grant has asked since the layer was last changed.
    pub async fn readable(&self, principal: &Principal, only: Option<&[String]>) -> Result<Readable> {
        let sources = self.0.sources.snapshot();
        let mut inner = Inside::default();
        let mut not_ready = vec![];
        for source in sources.values() {
            if only.is_some_and(|only| !only.iter().any(|id| **id == *source.layer)) {
                continue;
            }
            let Ok(grant) = self.0.gate.open::<Read>(principal, &source.layer) else { continue };
            if !sees(grant.scope(), source.mapping.fields().into_iter()) {
                continue;
            }
            match self.pieces(&grant, source.priority, inner.layers.len() as u32).await? {
                Some(pieces) => {
                    inner.layers.push(source.layer.clone());
                    inner.scopes.push(grant.scope().fingerprint());
                    inner.pieces.extend(pieces);
                }
                None => not_ready.push(source.layer.clone()),
            }
        }
        if let Some(only) = only {
            let known = |id: &String| inner.layers.iter().chain(&not_ready).any(|layer| **layer == **id);
            if let Some(id) = only.iter().find(|id| !known(id)) {
                return Err(unknown(id));
            }
        }
        if inner.pieces.is_empty() && !not_ready.is_empty() {
            return Err(Error::busy("地址索引正在建立", "the address index is being built").hint(
                "请稍后重试；进度见 /api/v1/address-sources",
                "try again; progress is at /api/v1/address-sources",
            ));
        }
        inner.not_ready = not_ready;
        Ok(Readable(Arc::new(inner)))
    }

    /// A source's index and its edits, as the grant shows them. `None`: there is no index yet.
    async fn pieces(&self, grant: &Grant<Read>, priority: u8, tag: u32) -> Result<Option<Vec<Piece>>> {
        let Some(live) = self.0.indexes.live(grant.layer()) else { return Ok(None) };
        // An index of an older mapping may hold fields that the newer one has no more.
        if !sees(grant.scope(), live.made_of.mapping.fields().into_iter()) {
            return Ok(None);
        }
        let scope = grant.scope();
        let (live, base, delta) = match scope.has_all_rows() {
            true => (live, None, None),
            false => {
                let shown = self.shown(grant, live).await?;
                (shown.live, Some(shown.base), Some(shown.delta))
            }
        };
        let by_area = scope.area.is_some();
        let mut pieces = vec![];
        if let Some(segment) = live.delta.segment.clone() {
            pieces.push(Piece { held: Held::Delta(segment), visible: delta, by_area, priority, tag });
        }
        pieces.push(Piece { held: Held::Base(live), visible: base, by_area, priority, tag });
        Ok(Some(pieces))
    }
}

fn sees<'a>(scope: &Scope, mut fields: impl Iterator<Item = &'a str>) -> bool {
    fields.all(|field| scope.sees_field(field))
}

/// Also said of a source that the caller may not search.
fn unknown(id: &str) -> Error {
    let shown: String = id.chars().take(60).collect();
    Error::invalid("source", format!("没有地址源 {shown}"), format!("there is no address source {shown}"))
        .hint("可用的地址源见 /api/v1/address-sources", "the sources are listed at /api/v1/address-sources")
}

/// What one caller may search, held for as long as it searches: a new index, an edit or a lost right counts from the next
/// `readable` on. Cheap to clone, good for any thread.
#[derive(Clone)]
pub struct Readable(Arc<Inside>);

#[derive(Default)]
struct Inside {
    layers: Vec<Arc<str>>,
    /// Beside the layers, the fingerprints of the scopes that they are searched under.
    scopes: Vec<u64>,
    pieces: Vec<Piece>,
    not_ready: Vec<Arc<str>>,
}

struct Piece {
    held: Held,
    visible: Option<Arc<RoaringTreemap>>,
    by_area: bool,
    priority: u8,
    tag: u32,
}

enum Held {
    Base(Arc<Live>),
    Delta(Arc<Segment>),
}

impl Readable {
    /// For `Finder`; what it finds has the tag of its layer.
    pub fn sources(&self) -> Vec<Source<'_>> {
        self.0.pieces.iter().map(Piece::source).collect()
    }

    /// The layer of a source.
    pub fn layer(&self, tag: u32) -> &str {
        self.0.layers.get(tag as usize).map_or("", |layer| layer)
    }

    /// The fingerprint of the scope that a source is searched under.
    pub fn scope(&self, tag: u32) -> u64 {
        self.0.scopes.get(tag as usize).copied().unwrap_or_default()
    }

    /// The same of a layer; nothing of one that is not searched.
    pub fn scope_of(&self, layer: &str) -> Option<u64> {
        let at = self.0.layers.iter().position(|l| **l == *layer)?;
        self.0.scopes.get(at).copied()
    }

    pub fn layers(&self) -> &[Arc<str>] {
        &self.0.layers
    }

    /// Sources that are not searched yet: their index is being built.
    pub fn not_ready(&self) -> &[Arc<str>] {
        &self.0.not_ready
    }
}

impl Piece {
    fn source(&self) -> Source<'_> {
        let (segment, hidden) = match &self.held {
            Held::Base(live) => (&live.opened.segment, live.delta.hidden.as_deref()),
            Held::Delta(segment) => (&**segment, None),
        };
        let Piece { by_area, priority, tag, .. } = *self;
        Source { segment, hidden, visible: self.visible.as_deref(), by_area, priority, tag }
    }
}
