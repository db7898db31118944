//! From which zoom each vertex matters. Worked out once; at zoom `z` a reader keeps the vertices whose zoom is `z` or less.
//!
//! A vertex matters by its distance from the line that would replace it (Douglas and Peucker), never more than the vertex that first
//! split that line. What features share is simplified alike, bit for bit, because nothing that decides depends on the feature:
//! - `junctions`: the vertices at which the neighbours of a vertex differ from one feature to another, over the whole layer. They
//!   cut rings and lines into arcs. An arc's vertices are ranked by the arc alone, in a canonical direction (`chain`, `part`).
//! - A junction is ranked in each ring or line that it is part of, with the arcs' vertices as they are; then the smallest zoom that
//!   any feature gives it holds for all (`merge`). So a junction that only tiny parcels need is dropped from the outline of the
//!   road beside them at the zooms at which the road alone is drawn; and where both are drawn, both have it.
//!
//! How far a drawn outline may be from the true one, with ε for the tolerance: a dropped junction is within ε of the line that
//! replaces it, as far as its own feature goes; an arc's dropped vertex within ε of the arc's simplified course, so within 2ε of that
//! line; vertices that other features demand lie in the strip of ε around the line, and bend it by at most ε: 3ε, three quarters of a
//! pixel of 8 units. Between neighbours there is no gap where two meet, since their vertices are the same. Where three or more meet
//! in a dropped junction, a triangle may stay open, whose incircle is at most ε in radius because the junction is within ε of all
//! three sides: half a pixel wide.
//!
//! A ring keeps three vertices or more from the zoom on at which its area is `DRAWN` units: two opposite junctions are kept
//! from there, and an arc that bulges by as much keeps a vertex, however flat it is. That is well below the size at which a
//! polygon is drawn as a shape rather than a square. The ends of a line always stay.

mod chain;
mod junctions;
mod merge;
mod part;
#[cfg(test)]
mod tests;

use crate::shape::{Kind, Shapes};
use crate::world::UNIT_ZOOM;
use junctions::Bits;
use std::sync::atomic::{AtomicBool, Ordering};

/// Vertices nearer than this many units of a tile of 4096 to the line that replaces them are dropped: a quarter of a pixel at 512
/// pixels a tile.
pub const TOLERANCE: f64 = 2.0;
/// From this zoom on nothing is dropped.
pub const COMPLETE_ZOOM: u8 = 16;
/// The square units of a tile from which on a ring, or an arc's bulge, is kept from collapsing.
const DRAWN: f64 = 16.0;

/// Writes the zoom of each vertex, of lines and polygons; points matter from zoom 0. Returns false if `stop` made it stop.
pub fn rank(shapes: &Shapes<'_>, zooms: &mut [u8], stop: &dyn Fn() -> bool) -> bool {
    assert_eq!(zooms.len(), shapes.vertices.len(), "a zoom per vertex");
    zooms.fill(0);
    if shapes.kind == Kind::Point || shapes.is_empty() {
        return true;
    }
    let halt = Halt { stop, stopped: AtomicBool::new(false) };
    let mut junctions = junctions::find(shapes, &halt);
    rank_parts(shapes, &junctions, zooms, &halt);
    if shapes.kind == Kind::Line {
        clear_ends(shapes, &mut junctions);
    }
    merge::least(shapes.vertices, &junctions, zooms, &halt);
    !halt.now()
}

/// Ranks the features in two halves.
fn rank_parts(shapes: &Shapes<'_>, junctions: &Bits, zooms: &mut [u8], halt: &Halt) {
    let vertex = |part: u64| shapes.parts[part as usize] as usize;
    let (start, end) = (vertex(shapes.features[0]), vertex(shapes.features[shapes.len()]));
    let (first, last) = (shapes.features[0] as usize, shapes.features[shapes.len()] as usize);
    let half = shapes.parts.partition_point(|&v| (v as usize) < start + (end - start) / 2).clamp(first, last);
    let (front, back) = zooms.split_at_mut(shapes.parts[half] as usize);
    let work = |parts: std::ops::Range<usize>, zooms: &mut [u8], stopped: &dyn Fn() -> bool| {
        let mut ranker = part::Ranker::default();
        let offset = shapes.parts[parts.start] as usize;
        for part in parts {
            if part % 1024 == 0 && stopped() {
                return;
            }
            let range = shapes.part_range(part);
            let zooms = &mut zooms[range.start - offset..range.end - offset];
            ranker.rank(shapes.kind, &shapes.vertices[range.clone()], |i| junctions.get(range.start + i), zooms);
        }
    };
    let stopped = &halt.stopped;
    std::thread::scope(|scope| {
        scope.spawn(|| work(half..last, back, &|| stopped.load(Ordering::Relaxed)));
        work(first..half, &mut front[start..], &|| halt.now());
    });
}

/// A line's ends keep their zoom, 0, to themselves.
fn clear_ends(shapes: &Shapes<'_>, junctions: &mut Bits) {
    for part in 0..shapes.parts.len() - 1 {
        let range = shapes.part_range(part);
        if !range.is_empty() {
            junctions.clear(range.start);
            junctions.clear(range.end - 1);
        }
    }
}

/// Whether to stop: asked of the caller on the caller's thread, and passed on to the other.
struct Halt<'a> {
    stop: &'a dyn Fn() -> bool,
    stopped: AtomicBool,
}

impl Halt<'_> {
    fn now(&self) -> bool {
        if !self.stopped.load(Ordering::Relaxed) && (self.stop)() {
            self.stopped.store(true, Ordering::Relaxed);
        }
        self.stopped.load(Ordering::Relaxed)
    }
}

/// The square of the distance, in world units, at which a vertex matters from a zoom on.
const fn weight_at(zoom: u8) -> f64 {
    TOLERANCE * TOLERANCE * (1u64 << (2 * (UNIT_ZOOM - zoom))) as f64
}

/// Below this nothing is told apart.
const LEAST: f64 = weight_at(COMPLETE_ZOOM - 1);

fn zoom_of(weight: f64) -> u8 {
    // The exponent of the quotient is the logarithm that is asked for.
    let ratio = (weight / weight_at(UNIT_ZOOM)).max(1.0);
    let power = (ratio.to_bits() >> 52) as i32 - 1023;
    (UNIT_ZOOM as i32 - power / 2).clamp(0, COMPLETE_ZOOM as i32) as u8
}

/// The weight of something by its area, so that it matters from the zoom on at which the area is `DRAWN` units.
fn weight_of_area(area: f64) -> f64 {
    area / DRAWN * weight_at(UNIT_ZOOM)
}
