//! Where pages that are asked for by number began: the place before each, remembered for a while.
//!
//! Some clients page by a number (`startIndex=200000`), and counting off that many rows costs the more the further they read. They
//! read on from where they stopped, though: so the place after a page's last row is kept, and the next page begins there by key.
//! A number that is not known is counted off; that is slower, and gives the same rows.

use std::time::Duration;

use moka::sync::Cache;

use crate::layer::order::Place;

/// What identifies the rows that are paged through, in their order: nobody else's place must be taken for one's own.
pub type Rows = u128;

#[derive(Clone)]
pub struct Bookmarks(Cache<(Rows, i64), Place>);

impl Default for Bookmarks {
    fn default() -> Self {
        Bookmarks(Cache::builder().max_capacity(20_000).time_to_live(Duration::from_secs(1800)).build())
    }
}

impl Bookmarks {
    /// Says that so many rows come up to and with this place.
    pub fn put(&self, rows: Rows, before: i64, place: Place) {
        self.0.insert((rows, before), place);
    }

    /// The place that so many rows come up to.
    pub fn get(&self, rows: Rows, before: i64) -> Option<Place> {
        self.0.get(&(rows, before))
    }
}

/// The identity of rows, from whatever makes them what they are.
pub fn rows(parts: &[&[u8]]) -> Rows {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.digest128()
}
