//! Whether shapes intersect, whether one is within the other, how far they are apart: as ST_Intersects, ST_Within and ST_Distance of
//! `geography` have it.

use geo::{Coord, Relate};

use crate::area::{Area, Position};
use crate::ellipsoid::{self, Plane};
use crate::shape::Shape;
use crate::{Bounds, on_segment, overlap, segments_meet};

/// Whether two shapes have a place in common.
pub fn intersects(a: &Shape, b: &Shape) -> bool {
    if !overlap(&a.bounds(), &b.bounds()) {
        return false;
    }
    match (a, b) {
        (_, Shape::Area(area)) => intersects_area(a, area),
        (Shape::Area(area), _) => intersects_area(b, area),
        (Shape::Points(a), Shape::Points(b)) => a.iter().any(|p| b.contains(p)),
        (Shape::Points(points), _) => points.iter().any(|p| b.segments().any(|[u, v]| on_segment(u, v, *p))),
        (_, Shape::Points(points)) => points.iter().any(|p| a.segments().any(|[u, v]| on_segment(u, v, *p))),
        _ => a.segments().any(|s| b.segments().any(|t| segments_meet(s, t))),
    }
}

/// The same for an area.
pub fn intersects_area(shape: &Shape, area: &Area) -> bool {
    match shape {
        Shape::Points(points) => points.iter().any(|p| area.locate(*p) != Position::Outside),
        Shape::Lines(lines) => {
            let mut begins = lines.iter().filter_map(|line| line.0.first());
            begins.any(|p| area.locate(*p) != Position::Outside) || shape.segments().any(|s| area.edge_meets(s))
        }
        Shape::Area(own) => {
            let (few, many) = if own.coords().len() < area.coords().len() { (&**own, area) } else { (area, &**own) };
            few.edges().any(|edge| many.edge_meets(edge)) || begins_in(few, many) || begins_in(many, few)
        }
    }
}

/// Whether a ring of `a` begins in `b`: where no edges meet, the whole ring is there.
fn begins_in(a: &Area, b: &Area) -> bool {
    a.rings().any(|(ring, _)| ring.first().is_some_and(|p| b.locate(*p) != Position::Outside))
}

/// Whether all of `a` lies in `b` and something of it in its interior.
pub fn within(a: &Shape, b: &Shape) -> bool {
    match b {
        Shape::Area(area) => within_area(a, area),
        _ => {
            a.dimension() <= b.dimension()
                && fits(&a.bounds(), &b.bounds())
                && a.geometry().relate(&b.geometry()).is_within()
        }
    }
}

fn fits(inner: &Bounds, outer: &Bounds) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

/// The same for an area.
pub fn within_area(shape: &Shape, area: &Area) -> bool {
    if !fits(&shape.bounds(), area.bounds()) {
        return false;
    }
    let (mut on_edge, mut inside) = (false, false);
    for p in shape.coords() {
        match area.locate(p) {
            Position::Outside => return false,
            Position::Boundary => on_edge = true,
            Position::Inside => inside = true,
        }
    }
    match shape {
        Shape::Points(_) => inside,
        _ if on_edge || shape.segments().any(|s| area.edge_meets(s)) => {
            shape.geometry().relate(&geo::Geometry::MultiPolygon(area.polygons())).is_within()
        }
        Shape::Lines(_) => true,
        // No edges meet: it is within unless a hole is in it.
        Shape::Area(own) => !area.rings().any(|(ring, _)| own.locate(ring[0]) == Position::Inside),
    }
}

/// Metres between two shapes, none when that is more than `most`.
pub fn distance(a: &Shape, b: &Shape, most: f64) -> Option<f64> {
    if let Shape::Area(area) = b {
        return distance_to_area(a, area, most);
    }
    if ellipsoid::at_least(&a.bounds(), &b.bounds()) > most {
        return None;
    }
    if intersects(a, b) {
        return Some(0.0);
    }
    // What does not meet is nearest at a vertex of one of them.
    let metres = least(a.coords().filter_map(|p| from_place(p, b)));
    let metres =
        if a.dimension() == 0 { metres } else { metres.min(least(b.coords().filter_map(|p| from_place(p, a)))) };
    (metres <= most).then_some(metres)
}

/// The same to an area.
pub fn distance_to_area(a: &Shape, area: &Area, most: f64) -> Option<f64> {
    if ellipsoid::at_least(&a.bounds(), area.bounds()) > most {
        return None;
    }
    if intersects_area(a, area) {
        return Some(0.0);
    }
    let metres = least(a.coords().filter_map(|p| from_segments(p, area.edges())));
    let metres = if a.dimension() == 0 {
        metres
    } else {
        metres.min(least(area.coords().iter().filter_map(|p| from_place(*p, a))))
    };
    (metres <= most).then_some(metres)
}

fn least(metres: impl Iterator<Item = f64>) -> f64 {
    metres.fold(f64::INFINITY, f64::min)
}

/// Metres from a place to the points, lines or edges of a shape.
fn from_place(p: Coord, shape: &Shape) -> Option<f64> {
    match shape {
        Shape::Points(points) => from_segments(p, points.iter().map(|at| [*at, *at])),
        other => from_segments(p, other.segments()),
    }
}

fn from_segments(p: Coord, segments: impl Iterator<Item = [Coord; 2]>) -> Option<f64> {
    let plane = Plane::about(p);
    let mut best: Option<(f64, Coord)> = None;
    for [a, b] in segments {
        let (square, along) = Plane::nearest(plane.place(a), plane.place(b));
        if best.is_none_or(|(least, _)| square < least) {
            best = Some((square, ellipsoid::between(a, b, along)));
        }
    }
    best.map(|(_, at)| ellipsoid::distance(p, at))
}
