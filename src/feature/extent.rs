//! From when to when a layer's features are: its temporal extent, asked of the database once for each state of the layer.

use futures_util::StreamExt;
use moka::future::Cache;

use super::values;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::Result;
use crate::layer::catalog::Published;
use crate::layer::model::FieldType;
use crate::layer::select::{self, temporal_field};

/// The first and the last moment, RFC 3339.
pub type Span = (String, String);

/// Spans that are remembered.
const KNOWN: u64 = 2_000;

/// Cheap to clone.
#[derive(Clone)]
pub struct Extents {
    store: Datastore,
    /// By revision and number of edits.
    known: Cache<(i64, u64), Option<Span>>,
}

impl Extents {
    pub fn new(store: Datastore) -> Extents {
        Extents { store, known: Cache::new(KNOWN) }
    }

    /// The span of all features; none without a temporal field, without values, and for whoever sees a part of the layer only.
    pub async fn of(&self, layer: &Published, grant: &Grant<Read>, edits: u64) -> Result<Option<Span>> {
        let state = layer.state();
        if !grant.scope().is_all() || state.source.registered || state.archive.is_some() {
            return Ok(None);
        }
        // Once for all who wait for it.
        let reading = self.read(layer, grant);
        self.known.try_get_with((state.revision, edits), reading).await.map_err(|shared| shared.again())
    }

    async fn read(&self, layer: &Published, grant: &Grant<Read>) -> Result<Option<Span>> {
        let Some(field) = temporal_field(layer.state(), grant.scope()) else { return Ok(None) };
        let sql = select::span(layer, grant, field);
        let mut rows = self.store.read(grant).await?.rows(&sql).await?;
        let mut span = None;
        while let Some(row) = rows.next().await {
            let row = row?;
            let ends = (values::text(&row, 0, field.kind)?, values::text(&row, 1, field.kind)?);
            span = match ends {
                // A day lasts from its midnight to the next.
                (Some(from), Some(to)) if field.kind == FieldType::Date => {
                    Some((format!("{from}T00:00:00Z"), format!("{to}T23:59:59Z")))
                }
                (Some(from), Some(to)) => Some((from, to)),
                _ => None,
            };
        }
        Ok(span)
    }
}
