//! Which features may lie in a box: by their ids, a page at a time, without drawing anything.

use onemap_cql2::Value;

use crate::delta::Delta;
use crate::index::Index;
use crate::shape::Bounds;
use crate::value::decode;
use crate::world::project;

/// The lowest ids of a box beyond some id, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// With whether the feature lies in the box for certain: its rectangle does, wholly. Of the others only the rectangle meets the box.
    pub ids: Vec<(i64, bool)>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// Vertices are rounded to world units: this far from its true place one may stand.
const ROUNDED: u32 = 2;

/// A box of the map as world units, once with all that may lie in it, once with what certainly does.
struct Window {
    wide: Bounds,
    /// None for a box that is narrower than what is rounded.
    narrow: Option<Bounds>,
}

impl Window {
    /// Of west, south, east, north in degrees.
    fn new([west, south, east, north]: [f64; 4]) -> Window {
        let ([left, top], [right, bottom]) = (project(west, north), project(east, south));
        let wide = Bounds {
            min: [left, top].map(|v| v.saturating_sub(ROUNDED)),
            max: [right, bottom].map(|v| v.saturating_add(ROUNDED)),
        };
        let min = [left, top].map(|v| v.saturating_add(ROUNDED));
        let max = [right, bottom].map(|v| v.saturating_sub(ROUNDED));
        // At the edge of the square stands what lies beyond it, too.
        let inside = min[0] <= max[0] && min[1] <= max[1];
        Window { wide, narrow: inside.then_some(Bounds { min, max }) }
    }

    fn certain(&self, bounds: &Bounds) -> bool {
        self.narrow.is_some_and(|narrow| narrow.holds(bounds))
    }
}

impl Index {
    /// Whether every row stands in it, and as one kind of geometry. Rows without a geometry do not, nor do shapes that are nothing on a
    /// grid of centimetres; a collection may stand in it as points and as lines, so that a sum says nothing.
    pub fn is_complete(&self) -> bool {
        self.views().any(|view| view.ids.len() as u64 == self.len())
    }

    /// The values that a column has, if its dictionaries name at most so many.
    pub fn choices(&self, column: usize, most: usize) -> Option<Vec<Value<'_>>> {
        let mut found: Vec<Value<'_>> = vec![];
        for view in self.views() {
            let column = *view.columns.get(column)?;
            // The first entry is that of rows without a value.
            let entries = column.entries().filter(|entries| *entries <= most + 1)?;
            for code in 1..entries as u32 {
                let value = decode(column.entry(code));
                if !found.contains(&value) {
                    found.push(value);
                }
            }
        }
        (found.len() <= most).then_some(found)
    }

    /// The `count` lowest ids above `after` among the features that may lie in a box (west, south, east, north in degrees). What was
    /// edited since is taken as `delta` has it.
    pub fn ids_in(&self, bbox: [f64; 4], after: Option<i64>, count: usize, delta: Option<&Delta>) -> Found {
        let window = Window::new(bbox);
        let mut lowest = Lowest::new(after, count);
        for view in self.views() {
            for band in view.bands {
                view.search(band, &window.wide, |range| {
                    for feature in range {
                        let id = view.ids[feature];
                        if lowest.wants(id) && delta.is_none_or(|d| !d.hides(id)) {
                            lowest.add(id, window.certain(&view.bounds(feature)));
                        }
                    }
                });
            }
        }
        for (id, edited) in delta.into_iter().flat_map(Delta::iter) {
            let met = edited.bounds.iter().any(|b| !b.is_empty() && b.meets(&window.wide));
            if met && lowest.wants(id) {
                // The row may have been edited again: the database has the last word.
                lowest.add(id, false);
            }
        }
        lowest.finish()
    }
}

/// Keeps the lowest of many ids.
struct Lowest {
    after: i64,
    /// Nothing at or above it is among the lowest.
    bound: i64,
    count: usize,
    kept: Vec<(i64, bool)>,
    cut: bool,
}

impl Lowest {
    fn new(after: Option<i64>, count: usize) -> Lowest {
        Lowest {
            after: after.unwrap_or(i64::MIN),
            bound: i64::MAX,
            count,
            kept: Vec::with_capacity(2 * count + 1),
            cut: false,
        }
    }

    #[inline]
    fn wants(&mut self, id: i64) -> bool {
        let above = id > self.after;
        self.cut |= above && id >= self.bound;
        above && id < self.bound
    }

    fn add(&mut self, id: i64, certain: bool) {
        self.kept.push((id, certain));
        if self.kept.len() > 2 * self.count {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.kept.sort_unstable();
        self.kept.dedup_by_key(|(id, _)| *id);
        if self.kept.len() > self.count {
            self.bound = self.kept[self.count].0;
            self.kept.truncate(self.count);
            self.cut = true;
        }
    }

    fn finish(mut self) -> Found {
        self.settle();
        Found { ids: self.kept, more: self.cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_lowest_are_those_that_sorting_finds(
            ids in prop::collection::vec(-50i64..500, 0..300),
            after in prop::option::of(-60i64..500),
            count in 1usize..40,
        ) {
            let mut lowest = Lowest::new(after, count);
            for &id in &ids {
                if lowest.wants(id) {
                    lowest.add(id, id % 2 == 0);
                }
            }
            let found = lowest.finish();
            let mut expected: Vec<i64> = ids.into_iter().filter(|id| after.is_none_or(|a| *id > a)).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(found.more, expected.len() > count);
            expected.truncate(count);
            prop_assert_eq!(found.ids.iter().map(|(id, _)| *id).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_is_certain_lies_inside_and_what_is_left_out_lies_outside() {
        let window = Window::new([120.0, 36.0, 120.1, 36.1]);
        let at = |lon: f64, lat: f64| {
            let v = project(lon, lat);
            Bounds { min: v, max: v }
        };
        assert!(window.certain(&at(120.05, 36.05)) && !window.certain(&at(120.0, 36.05)));
        assert!(window.wide.meets(&at(120.0, 36.0)) && window.wide.meets(&at(120.1, 36.1)));
        assert!(!window.wide.meets(&at(120.100_001, 36.05)));
        assert!(Window::new([120.0, 36.0, 120.0, 36.0]).narrow.is_none());
    }
}
