//! A feature's geometry in a tile: the vertices of its zoom, cut at the window and at the area, in the tile's units, made valid.

use crate::area::{AreaView, Place, near_window};
use crate::build::section::RUN;
use crate::clip::{self, Point};
use crate::index::PartView;
use crate::mvt::Layer;
use crate::repair::Repairer;
use crate::shape::{Bounds, Kind, Vertex};
use crate::window::{Clip, Window};

/// A feature to paint.
pub trait Source {
    fn kind(&self) -> Kind;
    fn bounds(&self) -> Bounds;
    /// Of a polygon, in square world units.
    fn area(&self) -> f64;
    fn points(&self) -> &[Vertex];
    fn parts(&self, each: impl FnMut(PartView<'_>));
}

pub struct Painter<'a> {
    window: &'a Window,
    area: Option<AreaView>,
    smallest: Option<f64>,
    /// Whether a feature too small for the grid is drawn as the smallest thing there is.
    keep_all: bool,
    /// Whether small polygons pay their area into a common purse, of which the next one is drawn when it is full.
    purse: Option<f64>,
    repairer: Repairer,
    points: Vec<Point>,
    spare: Vec<Point>,
    rings: Vec<Vec<Point>>,
    tile: Vec<[i32; 2]>,
    ends: Vec<u32>,
}

impl<'a> Painter<'a> {
    pub fn new(window: &'a Window, area: Option<AreaView>) -> Painter<'a> {
        Painter {
            window,
            area: area.filter(|a| a.whole() != Some(Place::Inside)),
            smallest: None,
            keep_all: true,
            purse: None,
            repairer: Repairer::default(),
            points: vec![],
            spare: vec![],
            rings: vec![],
            tile: vec![],
            ends: vec![],
        }
    }

    pub fn area(&self) -> Option<&AreaView> {
        self.area.as_ref()
    }

    /// How the features to come are thinned.
    pub fn thin(&mut self, smallest: Option<f64>, keep_all: bool, purse: bool) {
        (self.smallest, self.keep_all, self.purse) = (smallest, keep_all, purse.then_some(0.0));
    }

    /// Adds the geometry of a feature to the layer, if anything of it is to be seen.
    #[inline]
    pub fn paint(&mut self, source: &impl Source, layer: &mut Layer<'_>) {
        let bounds = source.bounds();
        let place = self.area.as_ref().map_or(Place::Inside, |a| a.place(&bounds));
        if place == Place::Outside {
            return;
        }
        match source.kind() {
            Kind::Point => self.paint_points(source.points(), place, layer),
            Kind::Line => self.paint_line(source, &bounds, place, layer),
            Kind::Polygon => match self.smallest {
                Some(smallest) if source.area() < smallest => {
                    self.paint_small(&bounds, source.area(), smallest, layer);
                }
                _ => self.paint_polygon(source, &bounds, place, layer),
            },
        }
    }

    fn paint_points(&mut self, points: &[Vertex], place: Place, layer: &mut Layer<'_>) {
        self.tile.clear();
        for v in points.iter().filter(|v| self.window.clip().has(v)) {
            if place == Place::Inside || self.area.as_ref().is_none_or(|a| a.holds(v)) {
                self.tile.push(self.window.tile_point(&v.map(i64::from)));
            }
        }
        layer.points(&self.tile);
    }

    /// The polygon stands for `smallest` world units of area: a square of that size in its place.
    fn paint_small(&mut self, bounds: &Bounds, area: f64, smallest: f64, layer: &mut Layer<'_>) {
        if let Some(purse) = &mut self.purse {
            *purse += area;
            if *purse < smallest {
                return;
            }
            *purse -= smallest;
        }
        self.paint_square(bounds, smallest, layer);
    }

    /// A square of an area in world units at the middle of the bounds.
    fn paint_square(&mut self, bounds: &Bounds, area: f64, layer: &mut Layer<'_>) {
        let middle = bounds.middle();
        if !self.window.clip().has(&middle) || self.area.as_ref().is_some_and(|a| !a.holds(&middle)) {
            return;
        }
        let side = area.sqrt() / 2.0;
        let corner = |sign: f64| self.window.tile_point(&middle.map(|v| (f64::from(v) + sign * side).round() as i64));
        let ([x0, y0], [x1, y1]) = (corner(-1.0), corner(1.0));
        let (x1, y1) = (x1.max(x0 + 1), y1.max(y0 + 1));
        layer.ring(&[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]);
    }

    fn paint_line(&mut self, source: &impl Source, bounds: &Bounds, place: Place, layer: &mut Layer<'_>) {
        let (window, keep_all) = (self.window, self.keep_all);
        let clip = window.clip();
        let inside = clip.holds(bounds);
        let (points, spare, tile, area) = (&mut self.points, &mut self.spare, &mut self.tile, &self.area);
        source.parts(|part| {
            points.clear();
            shown(&part, window.zoom(), clip, |v| points.push(v.map(i64::from)));
            let mut draw = |piece: &[Point]| {
                to_tile(window, piece, tile);
                if tile.len() == 1 && keep_all {
                    tile.push([tile[0][0] + 1, tile[0][1]]);
                }
                layer.line(tile);
            };
            let mut placed = |piece: &[Point]| match (place, area) {
                (Place::Edge, Some(area)) => area.cut_line(piece, &mut draw),
                _ => draw(piece),
            };
            match inside {
                true => placed(points),
                false => clip::line(points, clip, spare, placed),
            }
        });
    }

    fn paint_polygon(&mut self, source: &impl Source, bounds: &Bounds, place: Place, layer: &mut Layer<'_>) {
        let window = self.window;
        let clip = window.clip();
        let inside = clip.holds(bounds);
        self.tile.clear();
        self.ends.clear();
        self.rings.clear();
        let cut = place == Place::Edge && self.area.is_some();
        // The place of a polygon of which nothing is left on the grid.
        let mut mark = None;
        let (points, spare, rings, tile, ends) =
            (&mut self.points, &mut self.spare, &mut self.rings, &mut self.tile, &mut self.ends);
        source.parts(|part| {
            points.clear();
            shown(&part, window.zoom(), clip, |v| points.push(v.map(i64::from)));
            if !inside {
                clip::ring(points, spare, clip);
            }
            if cut {
                rings.push(points.clone());
                return;
            }
            mark = mark.or(points.first().copied());
            add_ring(window, points, tile, ends);
        });
        if cut && let Some(area) = &self.area {
            for ring in area.cut_rings(&self.rings) {
                mark = mark.or(ring.first().copied());
                add_ring(window, &ring, &mut self.tile, &mut self.ends);
            }
        }
        if !self.ends.is_empty() {
            self.repairer.repair(&mut self.tile, &mut self.ends);
        }
        if self.ends.is_empty() {
            if let (false, true, false) = (self.keep_all, inside, cut) {
                // Too thin for the grid: its area in a square.
                let square = source.area().max(window.unit() * window.unit());
                return self.paint_square(bounds, square, layer);
            }
            if let (true, Some(mark)) = (self.keep_all, mark) {
                let [x, y] = window.tile_point(&mark);
                layer.ring(&[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]]);
            }
            return;
        }
        let mut start = 0;
        for &end in &self.ends {
            layer.ring(&self.tile[start..end as usize]);
            start = end as usize;
        }
    }
}

/// The vertices of a part that matter at a zoom; of runs beside the window their ends.
#[inline]
fn shown(part: &PartView<'_>, zoom: u8, clip: &Clip, mut each: impl FnMut(&Vertex)) {
    if part.zooms.is_empty() {
        return near_window(part.vertices, part.runs, clip, each);
    }
    if part.runs.is_empty() {
        return part.vertices.iter().zip(part.zooms).filter(|(_, z)| **z <= zoom).for_each(|(v, _)| each(v));
    }
    for ((run, zooms), bounds) in part.vertices.chunks(RUN).zip(part.zooms.chunks(RUN)).zip(part.runs) {
        match (clip.beside(bounds), run) {
            (true, [first, .., last]) => [first, last].into_iter().for_each(&mut each),
            _ => run.iter().zip(zooms).filter(|(_, z)| **z <= zoom).for_each(|(v, _)| each(v)),
        }
    }
}

/// The points in tile units, without repetitions.
#[inline]
fn to_tile(window: &Window, points: &[Point], tile: &mut Vec<[i32; 2]>) {
    tile.clear();
    for p in points {
        let p = window.tile_point(p);
        if tile.last() != Some(&p) {
            tile.push(p);
        }
    }
}

#[inline]
fn add_ring(window: &Window, points: &[Point], tile: &mut Vec<[i32; 2]>, ends: &mut Vec<u32>) {
    let start = tile.len();
    for p in points {
        let p = window.tile_point(p);
        if tile.len() == start || tile.last() != Some(&p) {
            tile.push(p);
        }
    }
    if tile.len() > start {
        ends.push(tile.len() as u32);
    }
}
