//! A tile's place on the picture, and its shapes in pixels, cut to what is the tile's and what is seen.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::expr::Geometry;
use crate::mvt::Parts;
use crate::picture::{Grid, Picture, Projection, Tile};

pub type Point = [f32; 2];

/// What coordinates are made of: `f32` for pixels, `f64` for a tile's own units.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    const INFINITY: Self;

    fn least(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    fn most(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const INFINITY: f32 = f32::INFINITY;
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const INFINITY: f64 = f64::INFINITY;
}

/// Left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area<T = f32> {
    pub min: [T; 2],
    pub max: [T; 2],
}

impl Area {
    pub fn of_size(width: u32, height: u32) -> Area {
        Area { min: [0.0; 2], max: [width as f32, height as f32] }
    }

    pub fn grown(self, by: f32) -> Area {
        Area { min: self.min.map(|v| v - by), max: self.max.map(|v| v + by) }
    }

    pub fn holds(&self, p: Point) -> bool {
        (0..2).all(|i| p[i] >= self.min[i] && p[i] < self.max[i])
    }
}

impl<T: Real> Area<T> {
    pub fn around(points: impl IntoIterator<Item = [T; 2]>) -> Area<T> {
        let mut area = Area { min: [T::INFINITY; 2], max: [-T::INFINITY; 2] };
        for p in points {
            area.min = [area.min[0].least(p[0]), area.min[1].least(p[1])];
            area.max = [area.max[0].most(p[0]), area.max[1].most(p[1])];
        }
        area
    }

    pub fn meets(&self, other: &Area<T>) -> bool {
        (0..2).all(|i| self.min[i] < other.max[i] && other.min[i] < self.max[i])
    }

    fn within(&self, other: &Area<T>) -> bool {
        (0..2).all(|i| self.min[i] >= other.min[i] && self.max[i] <= other.max[i])
    }

    pub fn common(&self, other: &Area<T>) -> Area<T> {
        Area {
            min: [0, 1].map(|i| self.min[i].most(other.min[i])),
            max: [0, 1].map(|i| self.max[i].least(other.max[i])),
        }
    }
}

/// How a tile lies on the picture.
pub struct Frame<'a> {
    bounds: [f64; 4],
    projection: &'a dyn Projection,
    grid: Grid,
    /// The pixels that are this tile's alone; of a tile that lies askew, everything.
    pub own: Area,
    /// What shapes are cut to before they come to the picture, in shares of the tile's sides.
    cut: Option<Area<f64>>,
}

/// Pixels beyond the picture that nothing in it reaches over: neither a line's width nor a label.
const SURROUNDINGS: f32 = 20_000.0;
/// A tile that reaches farther is cut before it is projected: pixels are `f32`.
const FARTHEST: f64 = 100_000.0;

impl<'a> Frame<'a> {
    /// None for a tile without extent.
    pub fn new(tile: &Tile<'_>, projection: &'a dyn Projection, picture: &Picture) -> Option<Frame<'a>> {
        let [west, south, east, north] = tile.bounds;
        let corners = [(west, north), (east, north), (east, south), (west, south)].map(|(x, y)| projection.pixel(x, y));
        // A tile of the world under a picture of a house, and nothing beyond.
        let finite = corners.iter().flatten().all(|v| v.abs() < 1e11);
        if !finite || west >= east || south >= north {
            return None;
        }
        let [a, b, c, d] = corners;
        let askew = [a[1] - b[1], d[1] - c[1], a[0] - d[0], b[0] - c[0]].iter().any(|v| v.abs() > 0.05);
        // Whole pixels: each belongs to one tile, and edges between tiles leave no seams.
        let whole = |p: [f64; 2]| p.map(|v| v.round() as f32);
        let own = if askew { Area { min: [-1e7; 2], max: [1e7; 2] } } else { Area { min: whole(a), max: whole(c) } };
        let mut frame = Frame { bounds: tile.bounds, projection, grid: picture.grid, own, cut: None };
        let near = corners.iter().flatten().any(|v| v.abs() > FARTHEST).then(|| {
            let picture = Area::of_size(picture.width, picture.height).grown(SURROUNDINGS);
            frame.part_near(&picture)
        });
        // Its own pixels are no box: it is cut to its own units.
        let whole = askew.then_some(Area { min: [0.0; 2], max: [1.0; 2] });
        frame.cut = match (near, whole) {
            (Some(near), Some(whole)) => Some(near.common(&whole)),
            (near, whole) => near.or(whole),
        };
        Some(frame)
    }

    /// The part of the tile that lies near a picture far smaller than it, in shares of its sides: narrowed down by squares, as a
    /// projection knows no way back.
    fn part_near(&self, picture: &Area) -> Area<f64> {
        const SIDES: usize = 8;
        let picture = Area { min: picture.min.map(f64::from), max: picture.max.map(f64::from) };
        let mut part = Area { min: [-0.1; 2], max: [1.1; 2] };
        for _ in 0..16 {
            let side = [0, 1].map(|i| (part.max[i] - part.min[i]) / SIDES as f64);
            let corner = |x: usize, y: usize| [part.min[0] + side[0] * x as f64, part.min[1] + side[1] * y as f64];
            let near = |x: usize, y: usize| {
                let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)].map(|(x, y)| {
                    let [x, y] = self.place(corner(x, y), 1.0);
                    self.projection.pixel(x, y)
                });
                // Grown, as its sides may be curves.
                let area: Area<f64> = Area::around(corners);
                let by = [0, 1].map(|i| (area.max[i] - area.min[i]) / 2.0);
                let min = [area.min[0] - by[0], area.min[1] - by[1]];
                Area { min, max: [area.max[0] + by[0], area.max[1] + by[1]] }.meets(&picture)
            };
            let squares = (0..SIDES).flat_map(|y| (0..SIDES).map(move |x| (x, y)));
            let ends = |(x, y): (usize, usize)| [corner(x, y), corner(x + 1, y + 1)];
            let found: Area<f64> = Area::around(squares.filter(|(x, y)| near(*x, *y)).flat_map(ends));
            let halved = (0..2).any(|i| found.max[i] - found.min[i] <= side[i] * SIDES as f64 / 2.0);
            part = found;
            if !halved {
                break;
            }
        }
        part
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

    fn cut(&self, extent: f64) -> Option<Area<f64>> {
        self.cut.map(|part| Area { min: part.min.map(|v| v * extent), max: part.max.map(|v| v * extent) })
    }

    /// The parts of areas, of a tile that lies askew or reaches far beyond the picture cut before they come to it.
    pub fn rings_own(&self, parts: Parts, extent: f64) -> Parts {
        match self.cut(extent) {
            None => parts,
            Some(area) => parts.into_iter().map(|ring| ring_within(ring, &area)).collect(),
        }
    }

    /// The same of lines, among them the edges of areas: those that the tile's margin gave them are none of theirs.
    pub fn lines_own(&self, parts: Parts, extent: f64) -> Parts {
        let Some(area) = self.cut(extent) else { return parts };
        let mut own = vec![];
        for part in &parts {
            line_within(part, &area, |piece| own.push(piece.to_vec()));
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
pub fn ring_within<T: Real>(mut ring: Vec<[T; 2]>, area: &Area<T>) -> Vec<[T; 2]> {
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
        let inside = |p: &[T; 2]| if keep_less { p[axis] <= limit } else { p[axis] >= limit };
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
pub fn line_within<T: Real>(line: &[[T; 2]], area: &Area<T>, mut each: impl FnMut(&[[T; 2]])) {
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
    let mut piece: Vec<[T; 2]> = vec![];
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

fn flush<T>(piece: &mut Vec<[T; 2]>, each: &mut impl FnMut(&[[T; 2]])) {
    if piece.len() > 1 {
        each(piece);
    }
    piece.clear();
}

/// Liang and Barsky's cut of a segment.
fn segment_within<T: Real>(a: [T; 2], b: [T; 2], area: &Area<T>) -> Option<([T; 2], [T; 2])> {
    let d = [b[0] - a[0], b[1] - a[1]];
    let (mut t0, mut t1) = (T::ZERO, T::ONE);
    for i in 0..2 {
        for (p, q) in [(-d[i], a[i] - area.min[i]), (d[i], area.max[i] - a[i])] {
            if p == T::ZERO {
                if q < T::ZERO {
                    return None;
                }
            } else if p < T::ZERO {
                t0 = t0.most(q / p);
            } else {
                t1 = t1.least(q / p);
            }
        }
    }
    let at = |t: T| [a[0] + d[0] * t, a[1] + d[1] * t];
    (t0 <= t1).then(|| (if t0 == T::ZERO { a } else { at(t0) }, if t1 == T::ONE { b } else { at(t1) }))
}
