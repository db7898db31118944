//! A tile's place on the picture, and its shapes in pixels, cut to what is the tile's and what is seen.

use crate::expr::Geometry;
use crate::mvt::Parts;
use crate::picture::{Grid, Projection, Tile};

pub type Point = [f32; 2];

/// Left, top, right, bottom in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub min: Point,
    pub max: Point,
}

impl Area {
    pub const NOWHERE: Area = Area { min: [f32::INFINITY; 2], max: [f32::NEG_INFINITY; 2] };

    pub fn of_size(width: u32, height: u32) -> Area {
        Area { min: [0.0; 2], max: [width as f32, height as f32] }
    }

    pub fn around(points: impl IntoIterator<Item = Point>) -> Area {
        let mut area = Area::NOWHERE;
        for p in points {
            area.min = [area.min[0].min(p[0]), area.min[1].min(p[1])];
            area.max = [area.max[0].max(p[0]), area.max[1].max(p[1])];
        }
        area
    }

    pub fn grown(self, by: f32) -> Area {
        Area { min: self.min.map(|v| v - by), max: self.max.map(|v| v + by) }
    }

    pub fn meets(&self, other: &Area) -> bool {
        (0..2).all(|i| self.min[i] < other.max[i] && other.min[i] < self.max[i])
    }

    pub fn holds(&self, p: Point) -> bool {
        (0..2).all(|i| p[i] >= self.min[i] && p[i] < self.max[i])
    }

    fn within(&self, other: &Area) -> bool {
        (0..2).all(|i| self.min[i] >= other.min[i] && self.max[i] <= other.max[i])
    }

    pub fn common(&self, other: &Area) -> Area {
        Area { min: [0, 1].map(|i| self.min[i].max(other.min[i])), max: [0, 1].map(|i| self.max[i].min(other.max[i])) }
    }
}

/// How a tile lies on the picture.
pub struct Frame<'a> {
    bounds: [f64; 4],
    projection: &'a dyn Projection,
    grid: Grid,
    /// The pixels that are this tile's alone; of a tile that lies askew, everything.
    pub own: Area,
    askew: bool,
}

impl<'a> Frame<'a> {
    /// None for a tile without extent.
    pub fn new(tile: &Tile<'_>, projection: &'a dyn Projection, grid: Grid) -> Option<Frame<'a>> {
        let [west, south, east, north] = tile.bounds;
        let corners = [(west, north), (east, north), (east, south), (west, south)].map(|(x, y)| projection.pixel(x, y));
        let finite = corners.iter().flatten().all(|v| v.is_finite() && v.abs() < 1e7);
        if !finite || west >= east || south >= north {
            return None;
        }
        let [a, b, c, d] = corners;
        let askew = [a[1] - b[1], d[1] - c[1], a[0] - d[0], b[0] - c[0]].iter().any(|v| v.abs() > 0.05);
        // Whole pixels: each belongs to one tile, and edges between tiles leave no seams.
        let whole = |p: [f64; 2]| p.map(|v| v.round() as f32);
        let own = if askew { Area { min: [-1e7; 2], max: [1e7; 2] } } else { Area { min: whole(a), max: whole(c) } };
        Some(Frame { bounds: tile.bounds, projection, grid, own, askew })
    }

    /// What the tile is known by, in each picture that it is on.
    pub fn identity(&self) -> [u64; 4] {
        self.bounds.map(f64::to_bits)
    }

    #[inline]
    fn place(&self, [x, y]: [f64; 2], extent: f64) -> [f64; 2] {
        let [west, south, east, north] = self.bounds;
        [west + x / extent * (east - west), north - y / extent * (north - south)]
    }

    #[inline]
    pub fn pixel(&self, p: [f64; 2], extent: f64) -> Point {
        let [x, y] = self.place(p, extent);
        self.projection.pixel(x, y).map(|v| if v.is_nan() { 1e6 } else { v.clamp(-1e6, 1e6) } as f32)
    }

    /// Whether a point is the tile's, not one of its neighbour's that it has in its margin.
    pub fn is_own(&self, [x, y]: [f64; 2], extent: f64) -> bool {
        (0.0..extent).contains(&x) && (0.0..extent).contains(&y)
    }

    pub fn shape(&self, parts: &Parts, extent: f64) -> Vec<Vec<Point>> {
        parts.iter().map(|part| part.iter().map(|p| self.pixel(*p, extent)).collect()).collect()
    }

    /// Of a tile that lies askew, whose own pixels are no box: its parts cut before they come to the picture.
    pub fn rings_own(&self, parts: Parts, extent: f64) -> Parts {
        if !self.askew {
            return parts;
        }
        let area = Area { min: [0.0; 2], max: [extent as f32; 2] };
        let cut = |ring: Vec<[f64; 2]>| {
            let ring: Vec<Point> = ring.iter().map(|p| p.map(|v| v as f32)).collect();
            ring_within(ring, &area).iter().map(|p| p.map(f64::from)).collect()
        };
        parts.into_iter().map(cut).collect()
    }

    /// The same of lines, among them the edges of areas: those that the tile's margin gave them are none of theirs.
    pub fn lines_own(&self, parts: Parts, extent: f64) -> Parts {
        if !self.askew {
            return parts;
        }
        let area = Area { min: [0.0; 2], max: [extent as f32; 2] };
        let mut own = vec![];
        for part in &parts {
            let line: Vec<Point> = part.iter().map(|p| p.map(|v| v as f32)).collect();
            line_within(&line, &area, |piece| own.push(piece.iter().map(|p| p.map(f64::from)).collect()));
        }
        own
    }

    pub fn geometry(&self, parts: &Parts, extent: f64, kind: crate::mvt::Kind) -> Geometry {
        let degrees = |p: &[f64; 2]| self.grid.degrees(self.place(*p, extent));
        let all: Vec<Vec<[f64; 2]>> = parts.iter().map(|part| part.iter().map(degrees).collect()).collect();
        match kind {
            crate::mvt::Kind::Point => Geometry { points: all.concat(), ..Geometry::default() },
            crate::mvt::Kind::Line => Geometry { lines: all, ..Geometry::default() },
            crate::mvt::Kind::Polygon => Geometry { polygons: grouped(all), ..Geometry::default() },
        }
    }
}

/// Rings as polygons: one that turns the first one's way begins a polygon, the others are holes of the one before.
pub fn grouped<T: Copy + Into<f64>>(rings: Vec<Vec<[T; 2]>>) -> Vec<Vec<Vec<[T; 2]>>> {
    let mut polygons: Vec<Vec<Vec<[T; 2]>>> = vec![];
    let mut outer = 0.0;
    for ring in rings {
        let area = twice_area(&ring);
        if outer == 0.0 {
            outer = area;
        }
        match polygons.last_mut() {
            Some(polygon) if area * outer < 0.0 => polygon.push(ring),
            _ => polygons.push(vec![ring]),
        }
    }
    polygons
}

pub fn twice_area<T: Copy + Into<f64>>(ring: &[[T; 2]]) -> f64 {
    ring.windows(2).map(|w| w[0][0].into() * w[1][1].into() - w[1][0].into() * w[0][1].into()).sum()
}

/// What of a ring lies within an area: cut at one side after the other.
pub fn ring_within(mut ring: Vec<Point>, area: &Area) -> Vec<Point> {
    let bounds = Area::around(ring.iter().copied());
    if bounds.within(area) {
        return ring;
    }
    if !bounds.meets(area) {
        return vec![];
    }
    for (axis, limit, keep_less) in
        [(0, area.min[0], false), (0, area.max[0], true), (1, area.min[1], false), (1, area.max[1], true)]
    {
        let inside = |p: &Point| if keep_less { p[axis] <= limit } else { p[axis] >= limit };
        if ring.iter().all(inside) {
            continue;
        }
        let mut cut = Vec::with_capacity(ring.len() + 4);
        let Some(mut from) = ring.last().copied() else { break };
        for &to in &ring {
            if inside(&from) != inside(&to) {
                let t = (limit - from[axis]) / (to[axis] - from[axis]);
                let mut p = [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
                p[axis] = limit;
                cut.push(p);
            }
            if inside(&to) {
                cut.push(to);
            }
            from = to;
        }
        ring = cut;
    }
    ring
}

/// The pieces of a line that lie within an area.
pub fn line_within(line: &[Point], area: &Area, mut each: impl FnMut(&[Point])) {
    let bounds = Area::around(line.iter().copied());
    if bounds.within(area) {
        return each(line);
    }
    if bounds.min[0] > area.max[0]
        || bounds.max[0] < area.min[0]
        || bounds.min[1] > area.max[1]
        || bounds.max[1] < area.min[1]
    {
        return;
    }
    let mut piece: Vec<Point> = vec![];
    for w in line.windows(2) {
        let Some((from, to)) = segment_within(w[0], w[1], area) else {
            flush(&mut piece, &mut each);
            continue;
        };
        if piece.last() != Some(&from) {
            flush(&mut piece, &mut each);
            piece.push(from);
        }
        piece.push(to);
        if to != w[1] {
            flush(&mut piece, &mut each);
        }
    }
    flush(&mut piece, &mut each);
}

fn flush(piece: &mut Vec<Point>, each: &mut impl FnMut(&[Point])) {
    if piece.len() > 1 {
        each(piece);
    }
    piece.clear();
}

/// Liang and Barsky's cut of a segment.
fn segment_within(a: Point, b: Point, area: &Area) -> Option<(Point, Point)> {
    let d = [b[0] - a[0], b[1] - a[1]];
    let (mut t0, mut t1) = (0.0f32, 1.0f32);
    for i in 0..2 {
        for (p, q) in [(-d[i], a[i] - area.min[i]), (d[i], area.max[i] - a[i])] {
            if p == 0.0 {
                if q < 0.0 {
                    return None;
                }
            } else if p < 0.0 {
                t0 = t0.max(q / p);
            } else {
                t1 = t1.min(q / p);
            }
        }
    }
    let at = |t: f32| [a[0] + d[0] * t, a[1] + d[1] * t];
    (t0 <= t1).then(|| (if t0 == 0.0 { a } else { at(t0) }, if t1 == 1.0 { b } else { at(t1) }))
}
