//! Layers prepared for being asked many times: every shape that a grant and a filter leave, with the values of some fields. Kept in memory
//! by revision, edits and scope, up to a weight; nothing is invalidated, what is old is asked for no more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use moka::sync::Cache;
use onemap_spatial::shapes::Shapes;
use serde_json::Value;

use super::{Opened, Spatial, read};
use crate::error::{Error, Result};

/// Bytes of all prepared layers, and of one.
const MOST_KEPT: u64 = 512 << 20;
const MOST_OF_ONE: usize = 256 << 20;
/// What nobody asks for so long goes.
const IDLE: Duration = Duration::from_secs(600);

pub struct Prepared {
    kept: Cache<Key, Arc<Reference>>,
    /// One is made at a time: two who ask for the same then share it, and memory has a bound.
    turn: tokio::sync::Mutex<()>,
}

impl Default for Prepared {
    fn default() -> Prepared {
        let weight = |_: &Key, one: &Arc<Reference>| (one.bytes / 1024).min(u32::MAX as usize) as u32;
        let kept = Cache::builder().weigher(weight).max_capacity(MOST_KEPT / 1024).time_to_idle(IDLE).build();
        Prepared { kept, turn: tokio::sync::Mutex::default() }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    layer: Arc<str>,
    revision: i64,
    edits: u64,
    scope: u64,
    filter: Option<String>,
    fields: Vec<String>,
}

/// A prepared layer.
pub struct Reference {
    pub shapes: Shapes,
    /// By number, as are the shapes.
    pub ids: Vec<i64>,
    /// The values of the opened fields, row by row.
    values: Vec<Value>,
    fields: usize,
    bytes: usize,
}

impl Reference {
    pub fn values(&self, number: u32) -> &[Value] {
        let from = number as usize * self.fields;
        &self.values[from..from + self.fields]
    }
}

impl Spatial {
    /// The layer with its opened fields, from memory or made now.
    pub async fn reference(&self, opened: &Opened) -> Result<Arc<Reference>> {
        let state = opened.layer.state();
        let depends_on_now = opened.filter.as_ref().is_some_and(|filter| filter.depends_on_now());
        // Nobody tells when other people's tables change.
        let keeps = !state.source.registered && !depends_on_now;
        let key = Key {
            layer: opened.layer.id.clone(),
            revision: state.revision,
            edits: self.edits.of(state.revision).number,
            scope: opened.grant.scope().fingerprint(),
            filter: opened.filter.as_ref().map(|filter| filter.canonical()),
            fields: opened.fields.iter().map(|field| field.name.clone()).collect(),
        };
        if let Some(kept) = self.prepared.kept.get(&key) {
            return Ok(kept);
        }
        let _turn = self.prepared.turn.lock().await;
        if let Some(kept) = self.prepared.kept.get(&key) {
            return Ok(kept);
        }
        let made = Arc::new(self.make(opened).await?);
        if keeps {
            self.prepared.kept.insert(key, made.clone());
        }
        Ok(made)
    }

    async fn make(&self, opened: &Opened) -> Result<Reference> {
        let mut rows = self.rows(opened, &opened.fields, None).await?;
        let (mut shapes, mut ids, mut values) = (vec![], vec![], vec![]);
        let mut bytes = 0;
        while let Some(row) = rows.next().await {
            let row = row?;
            let shape = read::shape(&row)?;
            bytes += shape.as_ref().map_or(0, |shape| shape.bytes()) + 64;
            shapes.push(shape);
            ids.push(row.try_get::<_, i64>(0)?);
            for (i, field) in opened.fields.iter().enumerate() {
                let value = read::value(&row, i + 2, field.kind)?;
                bytes += size_of::<Value>() + value.as_str().map_or(0, str::len);
                values.push(value);
            }
            if bytes > MOST_OF_ONE {
                return Err(too_large(opened.id()));
            }
        }
        let shapes = tokio::task::spawn_blocking(move || Shapes::new(shapes)).await.map_err(Error::internal)?;
        let bytes = bytes + shapes.bytes() / 4;
        Ok(Reference { shapes, ids, values, fields: opened.fields.len(), bytes })
    }
}

fn too_large(id: &str) -> Error {
    Error::too_large(
        format!("图层 {id} 过大，无法整体读入内存"),
        format!("the layer {id} is too large to be held in memory as a whole"),
    )
    .hint("请用过滤条件或更少的字段缩小范围", "narrow it by a filter, or ask for fewer fields")
}
