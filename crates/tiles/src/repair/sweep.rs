//! Are these rings valid? A line sweeps over them from west to east; each edge is compared with those that the line crosses when it
//! comes upon it. Answers no where the answer is dear or delicate (rings that touch at a point), which costs a repair, not the truth.

use super::{Point, cross, doubles_back, twice_area};

/// How many edges an edge may be compared with on average; beyond it repairing is cheaper than asking.
const COMPARISONS: usize = 128;

#[derive(Clone, Copy)]
struct Edge {
    /// The western end, the northern one of a meridional edge; and the other.
    lo: Point,
    hi: Point,
    ring: u32,
    /// The vertices it leads from and to.
    from: u32,
    to: u32,
}

impl Edge {
    fn leads_east(&self, points: &[Point]) -> bool {
        points[self.from as usize] == self.lo
    }

    /// Whether the two have a point in common beyond the vertex at which one follows the other.
    fn meets(&self, other: &Edge, points: &[Point]) -> bool {
        if self.lo[1].min(self.hi[1]) > other.lo[1].max(other.hi[1])
            || other.lo[1].min(other.hi[1]) > self.lo[1].max(self.hi[1])
        {
            return false;
        }
        let at = |vertex: u32| points[vertex as usize];
        if self.to == other.from {
            return doubles_back(at(self.from), at(self.to), at(other.to));
        }
        if other.to == self.from {
            return doubles_back(at(other.from), at(self.from), at(self.to));
        }
        let sides = |e: &Edge, f: &Edge| cross(e.lo, e.hi, f.lo).signum() * cross(e.lo, e.hi, f.hi).signum();
        sides(self, other) <= 0 && sides(other, self) <= 0
    }

    /// Where the meridian of `v` cuts the edge, and how steeply it leads south; none if it does not, or south of `v`.
    fn north_of(&self, v: Point) -> Option<[f64; 2]> {
        if v[0] < self.lo[0] || v[0] >= self.hi[0] {
            return None;
        }
        let slope = (self.hi[1] - self.lo[1]) as f64 / (self.hi[0] - self.lo[0]) as f64;
        let y = self.lo[1] as f64 + slope * (v[0] - self.lo[0]) as f64;
        (y < v[1] as f64).then_some([y, slope])
    }
}

#[derive(Default)]
pub struct Sweep {
    edges: Vec<Edge>,
    active: Vec<Edge>,
    /// Of each ring, the outer ring of its polygon; its own number for an outer ring.
    outer: Vec<u32>,
    met: Vec<bool>,
}

impl Sweep {
    /// Whether the rings are valid as they are. They must have three points or more each, and none twice in a row.
    pub fn is_valid(&mut self, points: &[Point], ends: &[u32]) -> bool {
        self.outer.clear();
        let (mut start, mut outer) = (0, None);
        for (r, &end) in ends.iter().enumerate() {
            match twice_area(&points[start..end as usize]) {
                0 => return false,
                1.. => outer = Some(r as u32),
                _ => {}
            }
            let Some(outer) = outer else { return false };
            self.outer.push(outer);
            start = end as usize;
        }
        self.sweep(points, ends)
    }

    /// Whether the ring nowhere meets itself.
    pub fn is_simple(&mut self, ring: &[Point]) -> bool {
        self.outer.clear();
        self.outer.push(0);
        self.sweep(ring, &[ring.len() as u32])
    }

    fn sweep(&mut self, points: &[Point], ends: &[u32]) -> bool {
        self.set_edges(points, ends);
        self.active.clear();
        self.met.clear();
        self.met.resize(ends.len(), ends.len() == 1);
        let mut left = self.edges.len() * COMPARISONS;
        for edge in &self.edges {
            let mut i = 0;
            while i < self.active.len() {
                let other = &self.active[i];
                if other.hi[0] < edge.lo[0] {
                    self.active.swap_remove(i);
                } else if edge.meets(other, points) {
                    return false;
                } else {
                    i += 1;
                }
            }
            let met = &mut self.met[edge.ring as usize];
            if !std::mem::replace(met, true) && !self.lies_well(edge, points) {
                return false;
            }
            self.active.push(*edge);
            match left.checked_sub(self.active.len()) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        true
    }

    fn set_edges(&mut self, points: &[Point], ends: &[u32]) {
        self.edges.clear();
        let mut start = 0;
        for (ring, &end) in ends.iter().enumerate() {
            let mut from = end - 1;
            for to in start..end {
                let (a, b) = (points[from as usize], points[to as usize]);
                let (lo, hi) = if a < b { (a, b) } else { (b, a) };
                self.edges.push(Edge { lo, hi, ring: ring as u32, from, to });
                from = to;
            }
            start = end;
        }
        self.edges.sort_unstable_by_key(|e| ((e.lo[0] as i64) << 32) + e.lo[1] as i64);
    }

    /// Whether the ring that begins with this edge, its westernmost, lies where it may: a hole in what its outer ring covers, an
    /// outer ring in nothing. The nearest edge to the north tells: outer rings and holes alike have what they cover on the right.
    fn lies_well(&self, edge: &Edge, points: &[Point]) -> bool {
        let outer = self.outer[edge.ring as usize];
        let nearest = self.active.iter().filter_map(|e| Some((e.north_of(edge.lo)?, e)));
        let nearest = nearest.max_by(|a, b| a.0.partial_cmp(&b.0).expect("numbers")).map(|(_, e)| e);
        let cover = nearest.filter(|e| e.leads_east(points)).map(|e| self.outer[e.ring as usize]);
        cover == (outer != edge.ring).then_some(outer)
    }
}
