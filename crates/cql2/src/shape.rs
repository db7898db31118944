//! A geometry or box that was written: as it was said, and as it is reckoned with.

use geo::{
    BoundingRect, Coord, Geometry, GeometryCollection, LineString, MakeValid, MapCoords, MultiLineString, MultiPoint,
    MultiPolygon, Point, Polygon, Rect, Validation,
};

/// A box in degrees; where west is above east it crosses the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bbox {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Bbox {
    /// West, south, east, north: one box, or the two on either side of the antimeridian.
    pub fn parts(&self) -> impl Iterator<Item = [f64; 4]> + use<> {
        let Bbox { west, south, east, north } = *self;
        let (first, second) = match west <= east {
            true => ([west, south, east, north], None),
            false => ([west, south, 180.0, north], Some([-180.0, south, east, north])),
        };
        std::iter::once(first).chain(second)
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    Bbox(Bbox),
    Geometry(Geometry),
}

/// A geometry in degrees (EPSG:4490, longitude first).
#[derive(Debug, Clone)]
pub struct Shape {
    written: Written,
    parts: Vec<Geometry>,
}

/// What was written is what counts; the parts follow from it.
impl PartialEq for Shape {
    fn eq(&self, other: &Shape) -> bool {
        self.written == other.written
    }
}

impl Shape {
    /// `None` when a polygon cannot be understood.
    pub fn new(written: Written) -> Option<Shape> {
        let parts = match &written {
            Written::Bbox(bbox) => vec![joined(bbox.parts().map(rectangle).collect())],
            Written::Geometry(geometry) => {
                let mut sorted = Sorted::default();
                sorted.add(geometry)?;
                sorted.parts()
            }
        };
        Some(Shape { written, parts })
    }

    pub fn written(&self) -> &Written {
        &self.written
    }

    /// What it covers: points, lines, areas, one geometry of each that there is. Rings that cross themselves are sorted out.
    pub fn parts(&self) -> &[Geometry] {
        &self.parts
    }

    /// One of the parts as a shape of its own; a shape that has no other is the same.
    pub(crate) fn of_part(&self, part: usize) -> Shape {
        match self.parts.len() {
            1 => self.clone(),
            _ => Shape { written: Written::Geometry(self.parts[part].clone()), parts: vec![self.parts[part].clone()] },
        }
    }

    /// The geometry, when it is of one part.
    pub fn geometry(&self) -> &Geometry {
        const NOTHING: &Geometry = &Geometry::GeometryCollection(GeometryCollection(Vec::new()));
        self.parts.first().unwrap_or(NOTHING)
    }

    pub fn bbox(&self) -> Option<Bbox> {
        match self.written {
            Written::Bbox(bbox) => Some(bbox),
            Written::Geometry(_) => None,
        }
    }

    /// West, south, east, north of all of it; nothing when there is nothing of it.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let rects = self.parts.iter().filter_map(|part| part.bounding_rect());
        rects.map(sides).reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
    }

    /// The shape with each of its places moved a little. A box stays: rows say themselves whether they meet one.
    pub(crate) fn moved(&self, place: &dyn Fn([f64; 2]) -> [f64; 2]) -> Shape {
        let coord = |c: Coord| {
            let [x, y] = place([c.x, c.y]);
            Coord { x, y }
        };
        match &self.written {
            Written::Bbox(_) => self.clone(),
            Written::Geometry(geometry) => Shape {
                written: Written::Geometry(geometry.map_coords(coord)),
                parts: self.parts.iter().map(|part| part.map_coords(coord)).collect(),
            },
        }
    }
}

pub(crate) fn sides(rect: Rect) -> [f64; 4] {
    [rect.min().x, rect.min().y, rect.max().x, rect.max().y]
}

/// A box without width or height is a line or a point.
fn rectangle([west, south, east, north]: [f64; 4]) -> Geometry {
    let (low, high) = (Coord { x: west, y: south }, Coord { x: east, y: north });
    match (west == east, south == north) {
        (true, true) => Geometry::Point(low.into()),
        (false, false) => Geometry::Polygon(Rect::new(low, high).to_polygon()),
        _ => Geometry::LineString(LineString(vec![low, high])),
    }
}

fn joined(mut geometries: Vec<Geometry>) -> Geometry {
    if geometries.len() == 1 {
        return geometries.remove(0);
    }
    let mut sorted = Sorted::default();
    geometries.into_iter().for_each(|geometry| sorted.take(geometry));
    sorted.parts().into_iter().next_back().unwrap_or(Geometry::GeometryCollection(GeometryCollection(vec![])))
}

/// Geometries by what they are made of.
#[derive(Default)]
struct Sorted {
    points: Vec<Point>,
    lines: Vec<LineString>,
    areas: Vec<Polygon>,
}

impl Sorted {
    /// Adds a geometry that was written, made valid.
    fn add(&mut self, geometry: &Geometry) -> Option<()> {
        match geometry {
            Geometry::Polygon(_) | Geometry::MultiPolygon(_) if !geometry.is_valid() => {
                self.areas.extend(repaired(geometry)?);
            }
            Geometry::GeometryCollection(all) => all.iter().try_for_each(|one| self.add(one))?,
            other => self.take(other.clone()),
        }
        Some(())
    }

    fn take(&mut self, geometry: Geometry) {
        match geometry {
            Geometry::Point(point) => self.points.push(point),
            Geometry::MultiPoint(points) => self.points.extend(points),
            Geometry::LineString(line) => self.line(line),
            Geometry::MultiLineString(lines) => lines.into_iter().for_each(|line| self.line(line)),
            Geometry::Polygon(polygon) => self.areas.push(polygon),
            Geometry::MultiPolygon(polygons) => self.areas.extend(polygons),
            _ => {}
        }
    }

    /// A line that does not leave its place is a point.
    fn line(&mut self, line: LineString) {
        match line.0.first() {
            Some(first) if line.0.iter().all(|c| c == first) => self.points.push((*first).into()),
            _ => self.lines.push(line),
        }
    }

    fn parts(self) -> Vec<Geometry> {
        let mut parts = vec![];
        match self.points.len() {
            0 => {}
            1 => parts.push(Geometry::Point(self.points[0])),
            _ => parts.push(Geometry::MultiPoint(MultiPoint(self.points))),
        }
        match self.lines.len() {
            0 => {}
            1 => parts.extend(self.lines.into_iter().map(Geometry::LineString)),
            _ => parts.push(Geometry::MultiLineString(MultiLineString(self.lines))),
        }
        match self.areas.len() {
            0 => {}
            1 => parts.extend(self.areas.into_iter().map(Geometry::Polygon)),
            _ => parts.push(areas(self.areas)),
        }
        parts
    }
}

/// Polygons of a collection may lie upon each other; those of a multi-polygon may not.
fn areas(polygons: Vec<Polygon>) -> Geometry {
    let all = Geometry::MultiPolygon(MultiPolygon(polygons));
    if all.is_valid() {
        return all;
    }
    let Geometry::MultiPolygon(MultiPolygon(polygons)) = all else { return all };
    Geometry::MultiPolygon(geo::unary_union(&polygons))
}

/// Rings that cross themselves, sorted out by the even-odd rule. Strangers' polygons may break the library's assumptions.
fn repaired(geometry: &Geometry) -> Option<MultiPolygon> {
    let repair = || match geometry {
        Geometry::Polygon(polygon) => polygon.make_valid().ok(),
        Geometry::MultiPolygon(polygons) => polygons.make_valid().ok(),
        _ => None,
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(repair)).ok()?
}

/// A line of two points at least.
pub(crate) fn line(positions: Vec<Coord>) -> Option<LineString> {
    if positions.len() > 1 { Some(LineString(positions)) } else { None }
}

/// A polygon of closed rings.
pub(crate) fn polygon(rings: Vec<Vec<Coord>>) -> Option<Polygon> {
    let closed = |ring: &Vec<Coord>| ring.len() > 3 && ring.first() == ring.last();
    if !rings.iter().all(closed) {
        return None;
    }
    let mut rings = rings.into_iter().map(LineString);
    Some(Polygon::new(rings.next()?, rings.collect()))
}

/// As EWKB of EPSG:4490.
pub(crate) fn ewkb(geometry: &Geometry) -> Vec<u8> {
    let mut out = Vec::new();
    write(geometry, Some(4490), &mut out);
    out
}

fn write(geometry: &Geometry, srid: Option<u32>, out: &mut Vec<u8>) {
    let head = |kind: u32, out: &mut Vec<u8>| {
        out.push(1);
        out.extend((kind | if srid.is_some() { 0x2000_0000 } else { 0 }).to_le_bytes());
        out.extend(srid.into_iter().flat_map(u32::to_le_bytes));
    };
    let count = |n: usize, out: &mut Vec<u8>| out.extend((n as u32).to_le_bytes());
    let coords = |coords: &[Coord], out: &mut Vec<u8>| coords.iter().for_each(|c| coord(*c, out));
    match geometry {
        Geometry::Point(point) => {
            head(1, out);
            coord(point.0, out);
        }
        Geometry::LineString(line) => {
            head(2, out);
            count(line.0.len(), out);
            coords(&line.0, out);
        }
        Geometry::Polygon(polygon) => {
            head(3, out);
            count(1 + polygon.interiors().len(), out);
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                count(ring.0.len(), out);
                coords(&ring.0, out);
            }
        }
        Geometry::MultiPoint(points) => {
            head(4, out);
            count(points.0.len(), out);
            points.iter().for_each(|one| write(&Geometry::Point(*one), None, out));
        }
        Geometry::MultiLineString(lines) => {
            head(5, out);
            count(lines.0.len(), out);
            lines.iter().for_each(|one| write(&Geometry::LineString(one.clone()), None, out));
        }
        Geometry::MultiPolygon(polygons) => {
            head(6, out);
            count(polygons.0.len(), out);
            polygons.iter().for_each(|one| write(&Geometry::Polygon(one.clone()), None, out));
        }
        Geometry::GeometryCollection(all) => {
            head(7, out);
            count(all.0.len(), out);
            all.iter().for_each(|one| write(one, None, out));
        }
        // Neither text nor JSON has others.
        _ => {
            head(7, out);
            count(0, out);
        }
    }
}

fn coord(c: Coord, out: &mut Vec<u8>) {
    out.extend(c.x.to_le_bytes());
    out.extend(c.y.to_le_bytes());
}
