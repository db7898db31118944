//! Buffers in metres.
//!
//! A geometry is laid on the azimuthal equidistant plane about its centre, widened there, and laid back. Distances from the centre are
//! true on that plane; across, they are stretched by d²/6R², which is 4 parts in 100,000 at 100 km. Circles have 64 sides.

use geo::algorithm::buffer::{BufferStyle, LineCap, LineJoin};
use geo::{Buffer, Coord, Destination, Geodesic, LineString, MapCoords, MultiPolygon, Point, Polygon};

use crate::ellipsoid;
use crate::shape::Shape;

const SIDES: usize = 64;
/// What reaches farther, with its buffer, has no such plane.
pub const WIDEST: f64 = 500_000.0;

/// Everything within some metres of a shape. None for what is too wide, or when there is no such area.
pub fn buffer(shape: &Shape, metres: f64) -> Option<MultiPolygon> {
    let [west, south, east, north] = shape.bounds();
    let wide = ellipsoid::distance(Coord { x: west, y: south }, Coord { x: east, y: north });
    if !metres.is_finite() || metres <= 0.0 || wide + metres > WIDEST {
        return None;
    }
    if let Shape::Points(points) = shape
        && let [one] = points[..]
    {
        return Some(MultiPolygon(vec![circle(one, metres)]));
    }
    let plane = Azimuthal { centre: Point::new((west + east) / 2.0, (south + north) / 2.0) };
    let flat = shape.geometry().map_coords(|c| plane.place(c));
    let angle = std::f64::consts::TAU / SIDES as f64;
    let round = match &flat {
        geo::Geometry::MultiPoint(points) => {
            geo::unary_union(&points.iter().map(|p| flat_circle(p.0, metres)).collect::<Vec<_>>())
        }
        other => {
            let style = BufferStyle::new(metres).line_join(LineJoin::Round(angle)).line_cap(LineCap::Round(angle));
            other.buffer_with_style(style)
        }
    };
    (!round.0.is_empty()).then(|| round.map_coords(|c| plane.back(c)))
}

/// The ring of places at a distance from one.
pub fn circle(centre: Coord, metres: f64) -> Polygon {
    let at = |i: usize| Geodesic.destination(Point(centre), i as f64 * 360.0 / SIDES as f64, metres).0;
    let ring: Vec<Coord> = (0..SIDES).rev().map(at).collect();
    Polygon::new(LineString(ring), vec![])
}

fn flat_circle(centre: Coord, metres: f64) -> Polygon {
    let at = |i: usize| {
        let (sin, cos) = (i as f64 * std::f64::consts::TAU / SIDES as f64).sin_cos();
        Coord { x: centre.x + metres * cos, y: centre.y + metres * sin }
    };
    Polygon::new(LineString((0..SIDES).map(at).collect()), vec![])
}

/// The plane on which every place has its true distance and direction from the centre.
struct Azimuthal {
    centre: Point,
}

impl Azimuthal {
    fn place(&self, c: Coord) -> Coord {
        use geo::{Bearing, Distance};
        if c == self.centre.0 {
            return Coord { x: 0.0, y: 0.0 };
        }
        let metres = Geodesic.distance(self.centre, Point(c));
        let (sin, cos) = Geodesic.bearing(self.centre, Point(c)).to_radians().sin_cos();
        Coord { x: metres * sin, y: metres * cos }
    }

    fn back(&self, c: Coord) -> Coord {
        Geodesic.destination(self.centre, c.x.atan2(c.y).to_degrees(), c.x.hypot(c.y)).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(wkt: &str) -> Shape {
        Shape::new(crate::wkt::read(wkt).unwrap()).unwrap()
    }

    #[test]
    fn a_buffer_reaches_as_far_as_it_says() {
        for wkt in [
            "POINT(120.3 36.1)",
            "MULTIPOINT(120.3 36.1, 120.302 36.1, 120.4 36.2)",
            "LINESTRING(120.3 36.1, 120.4 36.1, 120.4 36.2)",
            "POLYGON((120.3 36.1, 120.4 36.1, 120.4 36.2, 120.3 36.1))",
        ] {
            let inner = shape(wkt);
            let around = buffer(&inner, 500.0).unwrap();
            let edge = around.iter().flat_map(|p| p.exterior().0.clone());
            for c in edge {
                let metres = crate::relation::distance(&Shape::Points(vec![c]), &inner, 1e6).unwrap();
                assert!((metres - 500.0).abs() < 1.5, "{wkt}: {metres}");
            }
        }
        assert!(buffer(&shape("LINESTRING(100 30, 120 30)"), 10.0).is_none());
        assert!(buffer(&shape("POINT(1 1)"), f64::NAN).is_none());
    }
}
