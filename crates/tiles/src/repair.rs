//! Polygons of a tile made valid. Rounding to the tile's grid, simplification and the cut at the tile's edge leave spikes, crossings
//! and rings without area now and then; MVT 2.1 and the OGC allow none of them. Most polygons are valid as they are, so the question
//! whether they are is made cheap (see `sweep`), and only the others are worked over.
//!
//! What an invalid polygon covers: each ring covers all that it winds around (both halves of a bow-tie); the feature covers the places
//! that more outer rings than holes cover. So holes that overlap, or that reach past their outer ring, do no harm.

mod link;
mod sweep;
#[cfg(test)]
mod tests;

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{Overlay, ShapeType};
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::vector::edge::{SUBJ_LEFT, SUBJ_RIGHT, VectorEdge};
use std::ops::Range;
use sweep::Sweep;

/// A point in tile units, y southwards.
pub type Point = [i32; 2];

/// Makes polygons valid. One is kept per thread, for its buffers.
pub struct Repairer {
    sweep: Sweep,
    overlay: Overlay,
    points: Vec<Point>,
    ends: Vec<u32>,
}

impl Default for Repairer {
    fn default() -> Self {
        Repairer { sweep: Sweep::default(), overlay: Overlay::new(0), points: vec![], ends: vec![] }
    }
}

impl Repairer {
    /// Makes the rings of one feature valid in place: `ends` says where each ring ends in `points`, rings are open, outer rings
    /// have a positive shoelace sum and precede their holes. Nothing may be left. Coordinates must lie within ±2^20.
    pub fn repair(&mut self, points: &mut Vec<Point>, ends: &mut Vec<u32>) {
        let first_kept = tidy(points, ends);
        if self.sweep.is_valid(points, ends) {
            return;
        }
        self.points.clear();
        self.ends.clear();
        let changed = self.mend_each(points, ends, first_kept);
        std::mem::swap(points, &mut self.points);
        std::mem::swap(ends, &mut self.ends);
        if !(changed && self.sweep.is_valid(points, ends)) {
            self.overlay.clear();
            each_ring(ends, |ring| self.overlay.add_path_iter(path(&points[ring]), ShapeType::Subject));
            points.clear();
            ends.clear();
            self.extract(FillRule::Positive, false, points, ends);
        }
    }

    /// Takes each ring by itself: what it winds around, wound as its part asks. Says whether any ring changed. The first ring is
    /// an outer one, even if rounding turned it inside out.
    fn mend_each(&mut self, points: &[Point], ends: &[u32], first_is_outer: bool) -> bool {
        let (mut mended, mut mended_ends) = (std::mem::take(&mut self.points), std::mem::take(&mut self.ends));
        let mut changed = false;
        each_ring(ends, |ring| {
            let surely_outer = first_is_outer && ring.start == 0;
            let ring = &points[ring];
            let area = twice_area(ring);
            if area != 0 && self.sweep.is_simple(ring) {
                mended.extend_from_slice(ring);
                mended_ends.push(mended.len() as u32);
                if area < 0 && surely_outer {
                    mended.reverse();
                    changed = true;
                }
                return;
            }
            changed = true;
            self.overlay.clear();
            self.overlay.add_path_iter(path(ring), ShapeType::Subject);
            self.extract(FillRule::NonZero, area < 0 && !surely_outer, &mut mended, &mut mended_ends);
        });
        (self.points, self.ends) = (mended, mended_ends);
        changed
    }

    /// Appends what the overlay's paths cover, or with `hole` the same turned inside out.
    fn extract(&mut self, rule: FillRule, hole: bool, points: &mut Vec<Point>, ends: &mut Vec<u32>) {
        let bounding = |edge: VectorEdge| {
            let (a, b) = ([edge.a.x, edge.a.y], [edge.b.x, edge.b.y]);
            match edge.fill {
                SUBJ_LEFT => Some([a, b]),
                SUBJ_RIGHT => Some([b, a]),
                _ => None,
            }
        };
        let edges = self.overlay.build_separate_vectors(rule).into_iter().filter_map(bounding);
        for mut ring in link::polygons(edges.collect()) {
            if hole {
                ring.reverse();
            }
            points.extend_from_slice(&ring);
            ends.push(points.len() as u32);
        }
    }
}

fn path(ring: &[Point]) -> impl Iterator<Item = IntPoint> {
    ring.iter().map(|p| IntPoint::new(p[0], p[1]))
}

fn each_ring(ends: &[u32], mut look: impl FnMut(Range<usize>)) {
    let mut start = 0;
    for &end in ends {
        look(start..end as usize);
        start = end as usize;
    }
}

/// Twice the area, positive for an outer ring.
pub fn twice_area(ring: &[Point]) -> i64 {
    let Some(&last) = ring.last() else { return 0 };
    let mut before = last;
    let mut sum = 0;
    for &p in ring {
        sum += before[0] as i64 * p[1] as i64 - p[0] as i64 * before[1] as i64;
        before = p;
    }
    sum
}

/// Twice the area of the triangle `a b c`.
#[inline]
fn cross(a: Point, b: Point, c: Point) -> i64 {
    (b[0] - a[0]) as i64 * (c[1] - a[1]) as i64 - (b[1] - a[1]) as i64 * (c[0] - a[0]) as i64
}

/// Whether `p` and `q` lie in the same direction from `s`, so that the way `p s q` covers itself.
#[inline]
fn doubles_back(p: Point, s: Point, q: Point) -> bool {
    let dot = || (p[0] - s[0]) as i64 * (q[0] - s[0]) as i64 + (p[1] - s[1]) as i64 * (q[1] - s[1]) as i64;
    cross(s, p, q) == 0 && dot() > 0
}

/// Takes out repeated points and spikes, and the rings of which fewer than three points are left. Says whether the first is left.
fn tidy(points: &mut Vec<Point>, ends: &mut Vec<u32>) -> bool {
    let (mut start, mut write, mut rings) = (0, 0, 0);
    let mut first_kept = false;
    for r in 0..ends.len() {
        let (first, end) = (write, ends[r] as usize);
        for read in start..end {
            let p = points[read];
            while write - first >= 2 && doubles_back(points[write - 2], points[write - 1], p) {
                write -= 1;
            }
            if write == first || points[write - 1] != p {
                points[write] = p;
                write += 1;
            }
        }
        write = first + close(&mut points[first..write]);
        if write - first >= 3 {
            ends[rings] = write as u32;
            rings += 1;
            first_kept |= r == 0;
        } else {
            write = first;
        }
        start = end;
    }
    points.truncate(write);
    ends.truncate(rings);
    first_kept
}

/// `tidy` where a ring's end meets its start: how many of its points remain.
fn close(ring: &mut [Point]) -> usize {
    let mut n = ring.len();
    while n >= 3 {
        if ring[n - 1] == ring[0] || doubles_back(ring[n - 2], ring[n - 1], ring[0]) {
            n -= 1;
        } else if doubles_back(ring[n - 1], ring[0], ring[1]) {
            ring[0] = ring[n - 1];
            n -= 1;
        } else {
            break;
        }
    }
    n
}
