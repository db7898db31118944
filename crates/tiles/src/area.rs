//! The area to which a grant is limited: what lies outside is absent, lines and polygons are cut at its edge.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;

use crate::build::section::{LONG_PART, RUN};
use crate::clip::{self, Point};
use crate::error::{Error, Result};
use crate::ewkb::Shape;
use crate::shape::{Bounds, Vertex};
use crate::window::{Clip, Window};

/// Polygons in world units.
#[derive(Debug)]
pub struct Area {
    rings: Vec<(Vec<Vertex>, Vec<Bounds>)>,
    bounds: Bounds,
}

impl Area {
    /// Of EWKB in degrees; anything but polygons in it is passed over.
    pub fn from_ewkb(bytes: &[u8]) -> Result<Area> {
        let shape = Shape::read(bytes)?;
        if shape.polygons.is_empty() {
            return Err(Error::Geometry("an area without a polygon"));
        }
        let rings = shape
            .polygons
            .iter()
            .map(|ring| {
                let runs = if ring.len() > LONG_PART { ring.chunks(RUN).map(Bounds::of).collect() } else { vec![] };
                (ring.to_vec(), runs)
            })
            .collect();
        Ok(Area { rings, bounds: shape.polygons.bounds() })
    }

    /// What of the area a window sees.
    pub fn within(&self, window: &Window) -> AreaView {
        let clip = window.clip();
        let mut rings = vec![];
        let mut spare = vec![];
        if self.bounds.meets(&window.bounds()) {
            for (ring, runs) in &self.rings {
                let mut points = vec![];
                near_window(ring, runs, clip, |v| points.push(v.map(i64::from)));
                clip::ring(&mut points, &mut spare, clip);
                if points.len() >= 3 {
                    rings.push(points);
                }
            }
        }
        AreaView::new(rings, *clip)
    }
}

/// Gives the vertices of a part, but of each run that lies beside the window its ends alone: a tile sees no difference.
pub fn near_window(vertices: &[Vertex], runs: &[Bounds], clip: &Clip, mut each: impl FnMut(&Vertex)) {
    if runs.is_empty() {
        return vertices.iter().for_each(each);
    }
    for (run, bounds) in vertices.chunks(RUN).zip(runs) {
        match (clip.beside(bounds), run) {
            (true, [first, .., last]) => [first, last].into_iter().for_each(&mut each),
            _ => run.iter().for_each(&mut each),
        }
    }
}

/// Cells a side in which the window is sorted into inside, outside and edge.
const CELLS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Outside,
    Inside,
    Edge,
}

/// The part of an area in a window.
pub struct AreaView {
    rings: Vec<Vec<Point>>,
    clip: Clip,
    cell: [f64; 2],
    cells: Vec<Place>,
    whole: Option<Place>,
    /// The rings in the scale in which geometries are cut.
    cutter: Vec<Vec<IntPoint>>,
    scale: f64,
}

impl AreaView {
    fn new(rings: Vec<Vec<Point>>, clip: Clip) -> AreaView {
        let size = [0, 1].map(|axis| (clip.max[axis] - clip.min[axis]) as f64);
        // i_overlay counts in 32 bits: a window is 2^28 of its own units wide at most.
        let scale = (f64::from(1 << 28) / size[0].max(size[1])).min(1.0);
        let mut view = AreaView {
            cell: size.map(|s| s / CELLS as f64),
            cells: vec![],
            whole: rings.is_empty().then_some(Place::Outside),
            cutter: vec![],
            rings,
            clip,
            scale,
        };
        if view.whole.is_none() {
            view.sort_cells();
            let first = view.cells[0];
            if first != Place::Edge && view.cells.iter().all(|c| *c == first) {
                view.whole = Some(first);
            }
            view.cutter = view.rings.iter().map(|r| r.iter().map(|p| view.local(p)).collect()).collect();
        }
        view
    }

    /// Whether all of the window lies on one side.
    pub fn whole(&self) -> Option<Place> {
        self.whole
    }

    fn sort_cells(&mut self) {
        let mut cells = vec![Place::Outside; CELLS * CELLS];
        let at = |v: f64, axis: usize| ((v / self.cell[axis]).max(0.0) as usize).min(CELLS - 1);
        // Cells through whose middle row's crossings lie to the left an odd number of times are inside.
        for row in 0..CELLS {
            let y = self.clip.min[1] as f64 + (row as f64 + 0.5) * self.cell[1];
            let mut crossings: Vec<f64> = vec![];
            self.edges(|a, b| {
                if (a[1] as f64 <= y) != (b[1] as f64 <= y) {
                    let t = (y - a[1] as f64) / (b[1] - a[1]) as f64;
                    crossings.push(a[0] as f64 + t * (b[0] - a[0]) as f64);
                }
            });
            crossings.sort_by(f64::total_cmp);
            for column in 0..CELLS {
                let x = self.clip.min[0] as f64 + (column as f64 + 0.5) * self.cell[0];
                if crossings.partition_point(|c| *c < x) % 2 == 1 {
                    cells[row * CELLS + column] = Place::Inside;
                }
            }
        }
        self.edges(|a, b| {
            // The window's own edge is none of the area's.
            for axis in 0..2 {
                if a[axis] == b[axis] && (a[axis] == self.clip.min[axis] || a[axis] == self.clip.max[axis]) {
                    return;
                }
            }
            mark_segment(&self.clip, &self.cell, a, b, at, &mut cells);
        });
        self.cells = cells;
    }

    fn edges(&self, mut each: impl FnMut(&Point, &Point)) {
        for ring in &self.rings {
            let mut last = ring.last();
            for p in ring {
                if let Some(a) = last {
                    each(a, p);
                }
                last = Some(p);
            }
        }
    }

    /// Where a rectangle of the window lies.
    pub fn place(&self, bounds: &Bounds) -> Place {
        if let Some(whole) = self.whole {
            return whole;
        }
        let at = |v: u32, axis: usize| {
            let d = i64::from(v).clamp(self.clip.min[axis], self.clip.max[axis]) - self.clip.min[axis];
            ((d as f64 / self.cell[axis]) as usize).min(CELLS - 1)
        };
        let (x0, x1) = (at(bounds.min[0], 0), at(bounds.max[0], 0));
        let first = self.cells[at(bounds.min[1], 1) * CELLS + x0];
        for y in at(bounds.min[1], 1)..=at(bounds.max[1], 1) {
            if self.cells[y * CELLS + x0..=y * CELLS + x1].iter().any(|c| *c != first || *c == Place::Edge) {
                return Place::Edge;
            }
        }
        first
    }

    /// Whether a point lies in the area (even-odd rule; its edge belongs to it on two sides).
    pub fn holds(&self, p: &Vertex) -> bool {
        let (x, y) = (f64::from(p[0]), f64::from(p[1]));
        let mut inside = false;
        self.edges(|a, b| {
            if (a[1] as f64 > y) != (b[1] as f64 > y) {
                let t = (y - a[1] as f64) / (b[1] - a[1]) as f64;
                inside ^= x < a[0] as f64 + t * (b[0] - a[0]) as f64;
            }
        });
        inside
    }

    fn local(&self, p: &Point) -> IntPoint {
        let at = |axis: usize| ((p[axis] - self.clip.min[axis]) as f64 * self.scale).round() as i32;
        IntPoint::new(at(0), at(1))
    }

    fn world(&self, p: &IntPoint) -> Point {
        let at = |v: i32, axis: usize| self.clip.min[axis] + (f64::from(v) / self.scale).round() as i64;
        [at(p.x, 0), at(p.y, 1)]
    }

    /// Rings cut at the area's edge.
    pub fn cut_rings(&self, rings: &[Vec<Point>]) -> Vec<Vec<Point>> {
        let mut overlay = Overlay::new(64);
        for ring in rings {
            overlay.add_contour(&ring.iter().map(|p| self.local(p)).collect::<Vec<_>>(), ShapeType::Subject);
        }
        for ring in &self.cutter {
            overlay.add_contour(ring, ShapeType::Clip);
        }
        let shapes = overlay.overlay(OverlayRule::Intersect, FillRule::EvenOdd);
        let mut cut = vec![];
        for shape in shapes {
            for (i, contour) in shape.into_iter().enumerate() {
                let mut ring: Vec<Point> = contour.iter().map(|p| self.world(p)).collect();
                if (shoelace(&ring) < 0) == (i == 0) {
                    ring.reverse();
                }
                cut.push(ring);
            }
        }
        cut
    }

    /// The pieces of a line in the area, each given to `piece`.
    pub fn cut_line(&self, points: &[Point], mut piece: impl FnMut(&[Point])) {
        let mut current: Vec<Point> = vec![];
        for w in points.windows(2) {
            let d = [(w[1][0] - w[0][0]) as f64, (w[1][1] - w[0][1]) as f64];
            let at = |t: f64| [w[0][0] + (d[0] * t).round() as i64, w[0][1] + (d[1] * t).round() as i64];
            let mut cuts = vec![0.0, 1.0];
            self.edges(|a, b| cuts.extend(crossing(&w[0], &d, a, b)));
            cuts.sort_by(f64::total_cmp);
            for pair in cuts.windows(2).filter(|pair| pair[1] > pair[0]) {
                let (from, to, middle) = (at(pair[0]), at(pair[1]), at((pair[0] + pair[1]) / 2.0));
                if !self.holds(&middle.map(|v| v.clamp(0, i64::from(u32::MAX)) as u32)) {
                    continue;
                }
                if current.last() != Some(&from) {
                    if current.len() > 1 {
                        piece(&current);
                    }
                    current.clear();
                    current.push(from);
                }
                current.push(to);
            }
        }
        if current.len() > 1 {
            piece(&current);
        }
    }
}

/// Where a segment from `start` by `d` meets another, as a share of its length.
fn crossing(start: &Point, d: &[f64; 2], a: &Point, b: &Point) -> Option<f64> {
    let e = [(b[0] - a[0]) as f64, (b[1] - a[1]) as f64];
    let denominator = d[0] * e[1] - d[1] * e[0];
    if denominator == 0.0 {
        return None;
    }
    let (ox, oy) = ((a[0] - start[0]) as f64, (a[1] - start[1]) as f64);
    let t = (ox * e[1] - oy * e[0]) / denominator;
    let u = (ox * d[1] - oy * d[0]) / denominator;
    ((0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u)).then_some(t)
}

/// Marks the cells that a segment may touch: of each column of cells those between its heights there, and their neighbours.
fn mark_segment(
    clip: &Clip,
    cell: &[f64; 2],
    a: &Point,
    b: &Point,
    at: impl Fn(f64, usize) -> usize,
    cells: &mut [Place],
) {
    let (a, b) = if a[0] <= b[0] { (a, b) } else { (b, a) };
    let local = |p: &Point| [0, 1].map(|axis| (p[axis] - clip.min[axis]) as f64);
    let (a, b) = (local(a), local(b));
    for column in at(a[0] - 1.0, 0)..=at(b[0] + 1.0, 0) {
        let (left, right) = (column as f64 * cell[0] - 1.0, (column + 1) as f64 * cell[0] + 1.0);
        let y_at = |x: f64| match b[0] > a[0] {
            true => a[1] + (b[1] - a[1]) * ((x - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0),
            false => a[1],
        };
        let (mut y0, mut y1) = (y_at(left), y_at(right));
        if b[0] <= a[0] {
            (y0, y1) = (a[1], b[1]);
        }
        for row in at(y0.min(y1) - 1.0, 1)..=at(y0.max(y1) + 1.0, 1) {
            cells[row * CELLS + column] = Place::Edge;
        }
    }
}

/// Twice the area of a ring, positive for outer ones.
pub fn shoelace(ring: &[Point]) -> i128 {
    let n = ring.len();
    (0..n)
        .map(|i| {
            let (a, b) = (ring[i], ring[(i + 1) % n]);
            i128::from(a[0]) * i128::from(b[1]) - i128::from(b[0]) * i128::from(a[1])
        })
        .sum()
}
