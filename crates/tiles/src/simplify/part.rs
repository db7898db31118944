//! The zooms of the vertices of one ring or line.

use super::chain::{FREE, Stack, apart, area, weigh};
use super::{weight_of_area, zoom_of};
use crate::shape::{Kind, Vertex};
use std::cmp::Reverse;

/// Ranks parts one after the other. One per thread, for its buffers.
#[derive(Default)]
pub struct Ranker {
    points: Vec<Vertex>,
    weights: Vec<f64>,
    /// Where the part is cut into arcs: its junctions, and both its ends.
    cuts: Vec<usize>,
    stack: Stack,
}

impl Ranker {
    pub fn rank(&mut self, kind: Kind, part: &[Vertex], is_junction: impl Fn(usize) -> bool, zooms: &mut [u8]) {
        if part.is_empty() {
            return;
        }
        let start = match kind {
            Kind::Polygon => self.rank_ring(part, is_junction),
            _ => self.rank_line(part, is_junction),
        };
        for (i, &weight) in self.weights[..part.len()].iter().enumerate() {
            zooms[(start + i) % part.len()] = zoom_of(weight);
        }
    }

    /// Weighs a ring from a canonical start on, which it returns: its first junction by coordinates, or the first of all.
    fn rank_ring(&mut self, ring: &[Vertex], is_junction: impl Fn(usize) -> bool) -> usize {
        let n = ring.len();
        let junction = (0..n).filter(|&i| is_junction(i)).min_by_key(|&i| ring[i]);
        let start = junction.or_else(|| (0..n).min_by_key(|&i| ring[i])).unwrap_or(0);
        self.points.clear();
        self.points.extend_from_slice(&ring[start..]);
        self.points.extend_from_slice(&ring[..=start]);
        self.set_cuts(n, |i| is_junction((start + i) % n));
        self.weigh_arcs(true);
        if junction.is_some() {
            let size = weight_of_area(area(&self.points));
            self.weights[0] = size;
            self.weights[n] = size;
            if self.cuts.len() > 2 {
                self.weigh_ring_junctions(size);
            }
        }
        start
    }

    /// Two junctions far apart matter as much as the ring does; the others are weighed on both ways from one to the other.
    fn weigh_ring_junctions(&mut self, size: f64) {
        let n = self.points.len() - 1;
        let distance = |&i: &usize| (apart(self.points[0], self.points[i]), Reverse(self.points[i]));
        let inner = &self.cuts[1..self.cuts.len() - 1];
        let far = inner.iter().copied().max_by_key(distance).unwrap_or(n);
        self.weights[far] = size;
        weigh(&self.points[..=far], &mut self.weights[..=far], size, 1, &mut self.stack);
        self.points[far..].reverse();
        self.weights[far..].reverse();
        weigh(&self.points[far..], &mut self.weights[far..], size, 1, &mut self.stack);
        self.weights[far..].reverse();
    }

    fn rank_line(&mut self, line: &[Vertex], is_junction: impl Fn(usize) -> bool) -> usize {
        let last = line.len() - 1;
        self.points.clear();
        self.points.extend_from_slice(line);
        self.set_cuts(last, is_junction);
        self.weigh_arcs(false);
        if self.cuts.len() > 2 {
            weigh_arc(&mut self.points, &mut self.weights, 0, &mut self.stack);
        }
        self.weights[0] = f64::INFINITY;
        self.weights[last] = f64::INFINITY;
        0
    }

    fn set_cuts(&mut self, last: usize, is_junction: impl Fn(usize) -> bool) {
        self.cuts.clear();
        self.cuts.push(0);
        self.cuts.extend((1..last).filter(|&i| is_junction(i)));
        self.cuts.push(last);
    }

    /// Weighs what lies between the cuts, and leaves the inner cuts free.
    fn weigh_arcs(&mut self, by_area: bool) {
        self.weights.clear();
        self.weights.resize(self.points.len(), FREE);
        for ends in self.cuts.windows(2) {
            let arc = ends[0]..ends[1] + 1;
            let (points, weights) = (&mut self.points[arc.clone()], &mut self.weights[arc]);
            // A closed arc is split by the vertex farthest from its start before there is a chord to bulge from.
            let levels = if !by_area { 0 } else { 1 + (points.first() == points.last()) as u8 };
            weigh_arc(points, weights, levels, &mut self.stack);
        }
        self.weights.iter_mut().for_each(|w| *w = w.max(0.0));
        let last = self.cuts.len() - 1;
        self.cuts[1..last.max(1)].iter().for_each(|&i| self.weights[i] = FREE);
        self.weights[0] = f64::INFINITY;
    }
}

/// Weighs an arc in its canonical direction: from the end on from which its vertices are the smaller ones.
fn weigh_arc(points: &mut [Vertex], weights: &mut [f64], by_area: u8, stack: &mut Stack) {
    if points.len() < 3 {
        return;
    }
    let forward = points.iter().le(points.iter().rev());
    if !forward {
        points.reverse();
        weights.reverse();
    }
    weigh(points, weights, f64::INFINITY, by_area, stack);
    if !forward {
        points.reverse();
        weights.reverse();
    }
}
