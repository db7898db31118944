//! Cuts an area into connected parts without gaps: the areas of streets in a district, of communities in a street.
//!
//! The area is filled with points and triangulated. Every point is given to the seed that reaches it first along the
//! triangles' edges, and every triangle is shared out among its three corners through its centre. Parts are therefore
//! connected, they share each vertex of their border with the neighbour, and the border is crooked as real ones are.
//! Coordinates are millionths of a degree on a binary grid, so that halving an edge is exact: what lies beyond the edge
//! finds the same vertices.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use spade::handles::{FixedFaceHandle, InnerTag};
use spade::{ConstrainedDelaunayTriangulation, HasPosition, Point2, Triangulation};

use super::area::{Area, Point, twice_signed};
use super::rng::Rng;
use crate::error::{Error, Result};

/// Metres per millionth of a degree, north and (at Qingdao's latitude) east.
const NORTH: f64 = 0.11113;
const EAST: f64 = 0.0896;

/// Metres between two points on the grid.
pub fn metres(a: Point, b: Point) -> f64 {
    ((b[0] - a[0]) * EAST).hypot((b[1] - a[1]) * NORTH)
}

/// Halves every edge until none is longer than `longest` metres. Depends on the edge alone, not on its direction.
fn densify(area: &Area, longest: f64) -> Area {
    let rings = area.rings.iter().map(|ring| {
        let mut out = Vec::with_capacity(ring.len() * 2);
        for (i, &a) in ring.iter().enumerate() {
            split(a, ring[(i + 1) % ring.len()], longest, &mut out);
        }
        out
    });
    Area { rings: rings.collect() }
}

fn split(a: Point, b: Point, longest: f64, out: &mut Vec<Point>) {
    if metres(a, b) <= longest {
        return out.push(a);
    }
    let middle = halfway(a, b);
    split(a, middle, longest, out);
    split(middle, b, longest, out);
}

fn halfway(a: Point, b: Point) -> Point {
    [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]
}

/// To 1/1024 of a millionth of a degree: 0.1 mm, and enough binary digits left to halve edges many times.
pub fn on_grid(v: f64) -> f64 {
    (v * 1024.0).round() / 1024.0
}

/// Where the parts grow from.
pub enum Seeds<'a> {
    /// Near these points, one part each.
    At(&'a [Point]),
    /// At so many points spread evenly.
    Spread(usize),
}

/// A part and the point it grew from.
pub struct Part {
    pub area: Area,
    pub seed: Point,
}

/// Cuts `area` into one part per seed. Edges of its border longer than `longest` metres are halved first.
pub fn partition(
    area: &Area,
    longest: f64,
    points_per_part: usize,
    seeds: Seeds<'_>,
    rng: &mut Rng,
) -> Result<Vec<Part>> {
    let parts = match &seeds {
        Seeds::At(list) => list.len(),
        Seeds::Spread(count) => *count,
    };
    let inner = fill(area, parts * points_per_part + 30, parts, rng);
    let mesh = Mesh::new(&densify(area, longest), inner)?;
    let starts = match seeds {
        Seeds::At(list) => mesh.nearest(list),
        Seeds::Spread(count) => mesh.spread(count, rng),
    };
    let owner = mesh.grow(&starts, rng);
    let rings = mesh.borders(&owner, parts)?;
    let seeds = starts.iter().map(|&s| mesh.points[s]);
    Ok(rings.into_iter().zip(seeds).map(|(rings, seed)| Part { area: Area { rings }, seed }).collect())
}

/// About `wanted` points inside the area, evenly but not regularly, none close to its border, and at least three a part.
fn fill(area: &Area, wanted: usize, parts: usize, rng: &mut Rng) -> Vec<Point> {
    let [west, south, east, north] = area.bounds();
    let mut step = (area.flat_area().abs() * EAST * NORTH / wanted as f64).sqrt();
    loop {
        let mut points = Vec::new();
        let (dx, dy) = (step / EAST, step / NORTH);
        let (columns, rows) = (((east - west) / dx) as usize + 1, ((north - south) / dy) as usize + 1);
        for row in 0..rows {
            for column in 0..columns {
                let x = west + (column as f64 + 0.5 + rng.between(-0.36, 0.36)) * dx;
                let y = south + (row as f64 + 0.5 + rng.between(-0.36, 0.36)) * dy;
                let p = [on_grid(x), on_grid(y)];
                if area.contains(p) && clear_of_border(area, p, step * 0.3) {
                    points.push(p);
                }
            }
        }
        if points.len() >= parts * 3 {
            return points;
        }
        step *= 0.8;
    }
}

fn clear_of_border(area: &Area, p: Point, least: f64) -> bool {
    let to_metres = |q: Point| [(q[0] - p[0]) * EAST, (q[1] - p[1]) * NORTH];
    area.rings.iter().all(|ring| {
        let mut a = to_metres(ring[ring.len() - 1]);
        ring.iter().all(|&q| {
            let b = to_metres(q);
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let t = (-(a[0] * dx + a[1] * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
            let clear = (a[0] + t * dx).hypot(a[1] + t * dy) >= least;
            a = b;
            clear
        })
    })
}

struct Corner {
    position: Point2<f64>,
}

impl HasPosition for Corner {
    type Scalar = f64;
    fn position(&self) -> Point2<f64> {
        self.position
    }
}

struct Mesh {
    points: Vec<Point>,
    /// The first points are the border's, in the order of its rings.
    border: usize,
    /// Corners counter-clockwise, and for each edge that starts at the corner: its number, and whether it is the border.
    triangles: Vec<[(usize, usize, bool); 3]>,
    /// Neighbours of each point along edges inside the area or on its border.
    links: Vec<Vec<usize>>,
    edges: usize,
}

impl Mesh {
    fn new(area: &Area, inner: Vec<Point>) -> Result<Mesh> {
        let mut points: Vec<Point> = Vec::new();
        let mut fixed: Vec<[usize; 2]> = Vec::new();
        for ring in &area.rings {
            let first = points.len();
            points.extend(ring);
            fixed.extend((0..ring.len()).map(|i| [first + i, first + (i + 1) % ring.len()]));
        }
        let border = points.len();
        points.extend(inner);
        let corners = points.iter().map(|p| Corner { position: Point2::new(p[0], p[1]) }).collect();
        type Net = ConstrainedDelaunayTriangulation<Corner>;
        let mut crossed = 0;
        let net = Net::try_bulk_load_cdt(corners, fixed.clone(), |_| crossed += 1)
            .map_err(|e| Error::internal(format!("a division cannot be triangulated: {e}")))?;
        if crossed > 0 || net.num_vertices() != points.len() {
            return Err(Error::internal("a division's border crosses or touches itself"));
        }
        let faces = inner_faces(&net, &fixed);
        let mut links = vec![Vec::new(); points.len()];
        let mut triangles = Vec::with_capacity(faces.len());
        for face in faces {
            let edges = net.face(face).adjacent_edges();
            triangles.push(edges.map(|e| {
                let (from, to) = (e.from().fix().index(), e.to().fix().index());
                links[from].push(to);
                links[to].push(from);
                (from, e.as_undirected().fix().index(), e.is_constraint_edge())
            }));
        }
        for list in &mut links {
            list.sort_unstable();
            list.dedup();
        }
        Ok(Mesh { points, border, triangles, links, edges: net.num_undirected_edges() })
    }

    /// The point nearest to each place, none used twice.
    fn nearest(&self, places: &[Point]) -> Vec<usize> {
        let mut taken = vec![false; self.points.len()];
        let mut out = Vec::with_capacity(places.len());
        for &place in places {
            let free = (self.border..self.points.len()).filter(|&i| !taken[i]);
            if let Some(best) =
                free.min_by(|&a, &b| metres(self.points[a], place).total_cmp(&metres(self.points[b], place)))
            {
                taken[best] = true;
                out.push(best);
            }
        }
        out
    }

    /// Points far from each other: each is the best of a few random candidates.
    fn spread(&self, count: usize, rng: &mut Rng) -> Vec<usize> {
        let mut free: Vec<usize> = (self.border..self.points.len()).collect();
        let mut out: Vec<usize> = Vec::with_capacity(count);
        while out.len() < count && !free.is_empty() {
            let gap = |i: usize| out.iter().map(|&o| metres(self.points[o], self.points[i])).fold(f64::MAX, f64::min);
            let best = (0..8)
                .map(|_| rng.below(free.len()))
                .max_by(|&a, &b| gap(free[a]).total_cmp(&gap(free[b])))
                .unwrap_or(0);
            out.push(free.swap_remove(best));
        }
        out
    }

    /// Shortest paths from all starts at once, over edges of slightly random length: who reaches a point first owns it.
    fn grow(&self, starts: &[usize], rng: &mut Rng) -> Vec<usize> {
        let rough: Vec<f64> = (0..self.points.len()).map(|_| rng.between(0.7, 1.5)).collect();
        let mut owner = vec![usize::MAX; self.points.len()];
        let mut best = vec![f64::MAX; self.points.len()];
        let mut queue = BinaryHeap::new();
        for (part, &start) in starts.iter().enumerate() {
            best[start] = 0.0;
            owner[start] = part;
            queue.push(Reverse((Cost(0.0), start)));
        }
        while let Some(Reverse((Cost(cost), at))) = queue.pop() {
            if cost > best[at] {
                continue;
            }
            for &next in &self.links[at] {
                let there = cost + metres(self.points[at], self.points[next]) * (rough[at] + rough[next]) / 2.0;
                if there < best[next] {
                    best[next] = there;
                    owner[next] = owner[at];
                    queue.push(Reverse((Cost(there), next)));
                }
            }
        }
        owner
    }

    /// The rings of each part: the shell first, then holes.
    fn borders(&self, owner: &[usize], parts: usize) -> Result<Vec<Vec<Vec<Point>>>> {
        // Nodes are numbered: the mesh's points, then the middles of edges, then the centres of triangles.
        let (middles, centres) = (self.points.len(), self.points.len() + self.edges);
        let mut at: Vec<Point> = self.points.clone();
        at.resize(centres + self.triangles.len(), [0.0; 2]);
        let mut steps: Vec<Vec<(usize, usize)>> = vec![Vec::new(); parts];
        for (t, triangle) in self.triangles.iter().enumerate() {
            let [a, b, c] = triangle.map(|(i, _, _)| self.points[i]);
            let centre = centres + t;
            at[centre] = [on_grid((a[0] + b[0] + c[0]) / 3.0), on_grid((a[1] + b[1] + c[1]) / 3.0)];
            for side in 0..3 {
                let (from, edge, outer) = triangle[side];
                let to = triangle[(side + 1) % 3].0;
                let middle = middles + edge;
                at[middle] = halfway(self.points[from], self.points[to]);
                if owner[from] != owner[to] {
                    steps[owner[from]].push((middle, centre));
                    steps[owner[to]].push((centre, middle));
                }
                if outer {
                    steps[owner[from]].push((from, middle));
                    steps[owner[to]].push((middle, to));
                }
            }
        }
        steps.into_iter().map(|s| chain(s, &at)).collect()
    }
}

/// Joins directed steps to rings. Every node has one way out, so the walk cannot choose wrongly.
fn chain(mut steps: Vec<(usize, usize)>, at: &[Point]) -> Result<Vec<Vec<Point>>> {
    steps.sort_unstable();
    let mut used = vec![false; steps.len()];
    let mut rings: Vec<Vec<Point>> = Vec::new();
    for start in 0..steps.len() {
        let (mut ring, mut i) = (Vec::new(), start);
        while !used[i] {
            used[i] = true;
            ring.push(at[steps[i].0]);
            i = steps
                .binary_search_by_key(&steps[i].1, |s| s.0)
                .map_err(|_| Error::internal("a division's border has a gap"))?;
        }
        if !ring.is_empty() {
            rings.push(ring);
        }
    }
    rings.sort_by(|a, b| twice_signed(b).total_cmp(&twice_signed(a)));
    Ok(rings)
}

/// The faces on the left of the directed border, and all that are reached from them without crossing it.
fn inner_faces(
    net: &ConstrainedDelaunayTriangulation<Corner>,
    border: &[[usize; 2]],
) -> Vec<FixedFaceHandle<InnerTag>> {
    let mut seen = vec![false; net.num_all_faces()];
    let mut queue = Vec::new();
    for &[from, to] in border {
        let ends = [from, to].map(spade::handles::FixedVertexHandle::from_index);
        if let Some(edge) = net.get_edge_from_neighbors(ends[0], ends[1])
            && let Some(face) = edge.face().as_inner()
            && !std::mem::replace(&mut seen[face.fix().index()], true)
        {
            queue.push(face.fix());
        }
    }
    let mut next = 0;
    while next < queue.len() {
        for edge in net.face(queue[next]).adjacent_edges() {
            if !edge.is_constraint_edge()
                && let Some(face) = edge.rev().face().as_inner()
                && !std::mem::replace(&mut seen[face.fix().index()], true)
            {
                queue.push(face.fix());
            }
        }
        next += 1;
    }
    queue
}

/// A finite length with a total order.
#[derive(PartialEq)]
struct Cost(f64);
impl Eq for Cost {}
impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_area_and_share_their_vertices() {
        let whole = Area { rings: vec![vec![[0.0, 0.0], [40_000.0, 0.0], [40_000.0, 30_000.0], [9_000.0, 9_000.0]]] };
        let parts = partition(&whole, 500.0, 14, Seeds::Spread(9), &mut Rng::new(3)).unwrap();
        assert_eq!(parts.len(), 9);
        let sum: f64 = parts.iter().map(|p| p.area.flat_area()).sum();
        assert!((sum / whole.flat_area() - 1.0).abs() < 1e-9);
        // Each directed edge is met by its reverse in a neighbour, or lies on the border of the whole.
        let mut edges = std::collections::HashMap::new();
        for part in &parts {
            assert!(part.area.contains(part.seed));
            for ring in &part.area.rings {
                for (i, a) in ring.iter().enumerate() {
                    let b = ring[(i + 1) % ring.len()];
                    let key = |p: &Point| [p[0].to_bits(), p[1].to_bits()];
                    assert!(edges.insert((key(a), key(&b)), ()).is_none());
                }
            }
        }
        let alone = edges.keys().filter(|(a, b)| !edges.contains_key(&(*b, *a))).count();
        assert_eq!(alone, densify(&whole, 500.0).rings[0].len() * 2);
    }
}
