//! Edits since an index was built: features that are hidden in it, and what stands in their place.

use onemap_cql2::Value;
use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::ewkb::Shape;
use crate::shape::{Bounds, Kind};
use crate::value::encode;

/// The current state of every feature that was touched. Shared while it is read; who changes it changes a copy.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    columns: usize,
    features: FxHashMap<i64, Option<std::sync::Arc<Edited>>>,
}

/// A feature as it is now.
#[derive(Debug)]
pub struct Edited {
    pub shape: Shape,
    pub bounds: [Bounds; 3],
    /// Encoded, one for each column; empty for null.
    pub values: Vec<Vec<u8>>,
}

impl Delta {
    /// For an index of this many columns.
    pub fn new(columns: usize) -> Delta {
        Delta { columns, features: FxHashMap::default() }
    }

    /// A feature as it is now, new or changed.
    pub fn put(&mut self, id: i64, ewkb: Option<&[u8]>, values: &[Value<'_>]) -> Result<()> {
        let shape = ewkb.map(Shape::read).transpose()?.unwrap_or_default();
        let mut encoded: Vec<Vec<u8>> = values
            .iter()
            .map(|v| {
                let mut bytes = vec![];
                encode(v, &mut bytes);
                bytes
            })
            .collect();
        encoded.resize(self.columns, vec![]);
        let bounds = Kind::ALL.map(|kind| shape.parts(kind).bounds());
        self.features.insert(id, Some(std::sync::Arc::new(Edited { shape, bounds, values: encoded })));
        Ok(())
    }

    /// A feature that is no more.
    pub fn remove(&mut self, id: i64) {
        self.features.insert(id, None);
    }

    /// How many features it speaks of.
    pub fn len(&self) -> usize {
        self.features.len()
    }

    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Whether the index's own state of a feature is past.
    #[inline]
    pub fn hides(&self, id: i64) -> bool {
        self.features.contains_key(&id)
    }

    /// The features that are there now.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Edited)> {
        self.features.iter().filter_map(|(id, edited)| Some((*id, edited.as_deref()?)))
    }
}
