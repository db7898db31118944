//! Spatial queries: what is nearest, an overlay of a department's own rows with shared layers, summaries by place.
//!
//! The reckoning is the crate `onemap-spatial`. Here the layers are opened and read under the caller's grants; what a caller sends
//! is worked through in memory and kept nowhere.

pub mod grid;
pub mod held;
pub mod nearest;
pub mod overlay;
pub mod prepared;
pub mod read;
pub mod summary;
pub mod zones;

use std::sync::Arc;

use onemap_cql2::Filter;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::prepared::Prepared;
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::address::Addresses;
use crate::error::{Error, Result};
use crate::layer::catalog::{Catalog, Published};
use crate::layer::filter::{self, Given};
use crate::layer::model::Field;
use crate::layer::select::visible_fields;
use crate::theme::Themes;
use crate::tile::edits::Edits;

/// Queries over whole layers that run at once on a node.
const AT_ONCE: usize = 4;

/// What spatial queries stand on.
pub struct Parts {
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub edits: Edits,
    pub addresses: Addresses,
    pub themes: Themes,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Spatial(Arc<Inner>);

pub struct Inner {
    store: Datastore,
    gate: Gate,
    catalog: Catalog,
    edits: Edits,
    addresses: Addresses,
    themes: Themes,
    prepared: Prepared,
    turns: Arc<Semaphore>,
}

impl std::ops::Deref for Spatial {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// A layer that is asked, as callers name it: `"schools"`, or with the fields that are wanted and a filter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Named {
    Id(String),
    With(NamedWith),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedWith {
    pub layer: String,
    /// All that the grant shows, when none are named.
    pub fields: Option<Vec<String>>,
    /// CQL2 text.
    pub filter: Option<String>,
}

impl Named {
    fn parts(&self) -> (&str, Option<&[String]>, Option<&str>) {
        match self {
            Named::Id(layer) => (layer, None, None),
            Named::With(with) => (&with.layer, with.fields.as_deref(), with.filter.as_deref()),
        }
    }
}

/// A layer opened to a caller: its grant, the fields that are wanted of those it shows, a filter over them.
pub struct Opened {
    pub layer: Published,
    pub grant: Grant<Read>,
    pub fields: Vec<Field>,
    pub filter: Option<Filter>,
}

impl Opened {
    pub fn id(&self) -> &str {
        &self.layer.id
    }

    /// A field among those that are shown. One that is hidden is one that does not exist.
    pub fn field(&self, name: &str, parameter: &str) -> Result<Field> {
        let shown = visible_fields(self.layer.state(), self.grant.scope());
        shown.into_iter().find(|field| field.name == name).cloned().ok_or_else(|| {
            let said: String = name.chars().take(60).collect();
            let id = self.id();
            Error::invalid(
                parameter,
                format!("图层 {id} 没有字段 {said}"),
                format!("the layer {id} has no field {said}"),
            )
            .hint(format!("字段见 /api/v1/layers/{id}"), format!("its fields are listed at /api/v1/layers/{id}"))
        })
    }
}

impl Spatial {
    pub fn new(parts: Parts) -> Spatial {
        let Parts { store, gate, catalog, edits, addresses, themes } = parts;
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Spatial(Arc::new(Inner {
            store,
            gate,
            catalog,
            edits,
            addresses,
            themes,
            prepared: Prepared::default(),
            turns,
        }))
    }

    /// A layer with geometry that the principal may read. `parameter` is what a wrong field or filter is called by.
    pub fn open(&self, principal: &Principal, named: &Named) -> Result<Opened> {
        let (id, fields, filter) = named.parts();
        let grant = self.gate.open::<Read>(principal, id)?;
        let layer = self.catalog.published(&grant)?;
        layer.state().need_rows()?;
        if layer.state().source.geometry.is_none() {
            return Err(Error::invalid(
                "layers",
                format!("图层 {id} 没有几何"),
                format!("the layer {id} has no geometry"),
            ));
        }
        let filter = filter.map(|text| filter::parse(&Given::text(text), &layer, &grant)).transpose()?;
        let mut opened = Opened { layer, grant, fields: vec![], filter };
        opened.fields = match fields {
            Some(names) => names.iter().map(|name| opened.field(name, "fields")).collect::<Result<_>>()?,
            None => visible_fields(opened.layer.state(), opened.grant.scope()).into_iter().cloned().collect(),
        };
        Ok(opened)
    }

    /// Several; all are opened before the first is read, so that what is refused is refused at once.
    pub fn open_all(&self, principal: &Principal, named: &[Named]) -> Result<Vec<Opened>> {
        const MOST: usize = 20;
        match named.len() {
            0 => Err(Error::invalid("layers", "没有指定图层", "no layer is named")),
            n if n > MOST => Err(Error::invalid("layers", "一次最多 20 个图层", "at most 20 layers at once")),
            _ => named.iter().map(|one| self.open(principal, one)).collect(),
        }
    }

    /// One of the places of those who work through whole layers.
    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        turn.map_err(|_| {
            Error::busy("正在进行的空间查询过多", "too many spatial queries are under way")
                .hint("请稍后重试", "try again in a moment")
        })?
        .map_err(Error::internal)
    }
}
