//! A geometry ready to be asked: of points, of lines, or an area.

use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon};

use crate::area::Area;
use crate::ellipsoid;
use crate::{Bounds, bounds};

/// A geometry by its dimension. Of a collection what has the highest one counts.
#[derive(Debug, Clone)]
pub enum Shape {
    Points(Vec<Coord>),
    Lines(Vec<LineString>),
    Area(Box<Area>),
}

impl Shape {
    /// None for what is empty, or not finite.
    pub fn new(geometry: Geometry) -> Option<Shape> {
        let mut parts = Parts { points: vec![], lines: vec![], polygons: MultiPolygon(vec![]) };
        parts.add(geometry);
        if !parts.polygons.0.is_empty() {
            let finite = parts
                .polygons
                .iter()
                .all(|p| p.exterior().0.iter().chain(p.interiors().iter().flat_map(|r| &r.0)).all(is_finite));
            return if finite { Area::new(&parts.polygons).map(|area| Shape::Area(Box::new(area))) } else { None };
        }
        if !parts.lines.is_empty() {
            return parts.lines.iter().flat_map(|line| &line.0).all(is_finite).then_some(Shape::Lines(parts.lines));
        }
        (!parts.points.is_empty() && parts.points.iter().all(is_finite)).then_some(Shape::Points(parts.points))
    }

    pub fn dimension(&self) -> u8 {
        match self {
            Shape::Points(_) => 0,
            Shape::Lines(_) => 1,
            Shape::Area(_) => 2,
        }
    }

    pub fn coords(&self) -> Box<dyn Iterator<Item = Coord> + '_> {
        match self {
            Shape::Points(points) => Box::new(points.iter().copied()),
            Shape::Lines(lines) => Box::new(lines.iter().flat_map(|line| line.0.iter().copied())),
            Shape::Area(area) => Box::new(area.coords().iter().copied()),
        }
    }

    /// Segments of lines, edges of areas; none of points.
    pub fn segments(&self) -> Box<dyn Iterator<Item = [Coord; 2]> + '_> {
        match self {
            Shape::Points(_) => Box::new(std::iter::empty()),
            Shape::Lines(lines) => {
                Box::new(lines.iter().flat_map(|line| line.0.windows(2).map(|pair| [pair[0], pair[1]])))
            }
            Shape::Area(area) => Box::new(area.edges()),
        }
    }

    pub fn bounds(&self) -> Bounds {
        match self {
            Shape::Area(area) => *area.bounds(),
            // One of points or lines has some.
            other => bounds(other.coords()).unwrap_or_default(),
        }
    }

    pub fn geometry(&self) -> Geometry {
        match self {
            Shape::Points(points) => match points[..] {
                [one] => Geometry::Point(one.into()),
                _ => Geometry::MultiPoint(MultiPoint(points.iter().map(|c| (*c).into()).collect())),
            },
            Shape::Lines(lines) => match &lines[..] {
                [one] => Geometry::LineString(one.clone()),
                _ => Geometry::MultiLineString(MultiLineString(lines.clone())),
            },
            Shape::Area(area) => {
                let mut polygons = area.polygons();
                match polygons.0.len() {
                    1 => Geometry::Polygon(polygons.0.remove(0)),
                    _ => Geometry::MultiPolygon(polygons),
                }
            }
        }
    }

    /// Square metres of an area, metres of lines, how many points.
    pub fn measure(&self) -> f64 {
        match self {
            Shape::Points(points) => points.len() as f64,
            Shape::Lines(lines) => lines.iter().map(|line| ellipsoid::length(&line.0)).sum(),
            Shape::Area(area) => area
                .rings()
                .map(|(ring, outer)| ellipsoid::ring_area(ring) * if outer { 1.0 } else { -1.0 })
                .sum::<f64>()
                .max(0.0),
        }
    }

    /// The centroid, as ST_Centroid has it.
    pub fn centre(&self) -> Coord {
        if let Shape::Points(points) = self
            && let [one] = points[..]
        {
            return one;
        }
        let [west, south, east, north] = self.bounds();
        geo::Centroid::centroid(&self.geometry())
            .map_or(Coord { x: (west + east) / 2.0, y: (south + north) / 2.0 }, Coord::from)
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Shape::Points(points) => points.len() * 16 + 32,
            Shape::Lines(lines) => lines.iter().map(|line| line.0.len() * 16 + 24).sum::<usize>() + 32,
            Shape::Area(area) => area.bytes() + 16,
        }
    }
}

fn is_finite(c: &Coord) -> bool {
    c.x.is_finite() && c.y.is_finite()
}

struct Parts {
    points: Vec<Coord>,
    lines: Vec<LineString>,
    polygons: MultiPolygon,
}

impl Parts {
    fn add(&mut self, geometry: Geometry) {
        match geometry {
            Geometry::Point(point) => self.points.push(point.0),
            Geometry::MultiPoint(points) => self.points.extend(points.into_iter().map(|p| p.0)),
            Geometry::Line(line) => self.lines.push(LineString(vec![line.start, line.end])),
            Geometry::LineString(line) => self.lines.extend((line.0.len() > 1).then_some(line)),
            Geometry::MultiLineString(lines) => self.lines.extend(lines.into_iter().filter(|line| line.0.len() > 1)),
            Geometry::Polygon(polygon) => self.polygons.0.extend((!polygon.exterior().0.is_empty()).then_some(polygon)),
            Geometry::MultiPolygon(polygons) => {
                self.polygons.0.extend(polygons.into_iter().filter(|p| !p.exterior().0.is_empty()));
            }
            Geometry::GeometryCollection(all) => all.into_iter().for_each(|one| self.add(one)),
            Geometry::Rect(rect) => self.polygons.0.push(rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygons.0.push(triangle.to_polygon()),
        }
    }
}
