//! What is wrong with a geometry that somebody sends: said before it is asked anything, because figures of a polygon that crosses itself
//! mean nothing.

use geo::{Coord, Geometry, Polygon};

use crate::area::{Area, Position};
use crate::shape::Shape;
use crate::side;

/// A fault, by a name for programs and words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Empty,
    NotFinite,
    OutOfRange,
    TooManyVertices,
    RingTooShort,
    RingOpen,
    SelfCrossing,
    HoleOutside,
    TooComplex,
}

/// Pairs of edges that are compared at most.
const MOST_PAIRS: usize = 20_000_000;

impl Fault {
    pub fn name(self) -> &'static str {
        match self {
            Fault::Empty => "empty",
            Fault::NotFinite => "not-finite",
            Fault::OutOfRange => "out-of-range",
            Fault::TooManyVertices => "too-many-vertices",
            Fault::RingTooShort => "ring-too-short",
            Fault::RingOpen => "ring-open",
            Fault::SelfCrossing => "self-crossing",
            Fault::HoleOutside => "hole-outside",
            Fault::TooComplex => "too-complex",
        }
    }

    /// Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Fault::Empty => ("没有几何", "it has no geometry"),
            Fault::NotFinite => ("坐标不是数字", "a coordinate is no finite number"),
            Fault::OutOfRange => (
                "坐标超出经纬度范围，请检查坐标系 crs 与坐标顺序",
                "coordinates are out of range: check crs and the order of the axes",
            ),
            Fault::TooManyVertices => ("顶点过多", "it has too many vertices"),
            Fault::RingTooShort => ("多边形的环不足四个点", "a polygon's ring has fewer than four positions"),
            Fault::RingOpen => ("多边形的环没有闭合", "a polygon's ring is not closed"),
            Fault::SelfCrossing => ("多边形自相交", "the polygon crosses itself"),
            Fault::HoleOutside => ("多边形的孔在外环之外", "a hole lies outside of its polygon"),
            Fault::TooComplex => ("多边形过于复杂，无法检查", "the polygon is too complex to be checked"),
        }
    }
}

/// The shape of a geometry in degrees, or what is wrong with it. Rings that touch themselves or each other at a point pass.
pub fn checked(geometry: Geometry, most_vertices: usize) -> Result<Shape, Fault> {
    let mut count = 0;
    look(&geometry, &mut |c: Coord| {
        count += 1;
        match c {
            _ if count > most_vertices => Err(Fault::TooManyVertices),
            c if !c.x.is_finite() || !c.y.is_finite() => Err(Fault::NotFinite),
            c if c.x.abs() > 180.0 || c.y.abs() > 90.0 => Err(Fault::OutOfRange),
            _ => Ok(()),
        }
    })?;
    let shape = Shape::new(geometry).ok_or(Fault::Empty)?;
    if let Shape::Area(area) = &shape {
        crossing_free(area)?;
        holes_inside(area)?;
    }
    Ok(shape)
}

fn look(geometry: &Geometry, each: &mut impl FnMut(Coord) -> Result<(), Fault>) -> Result<(), Fault> {
    let polygon = |polygon: &Polygon, each: &mut dyn FnMut(Coord) -> Result<(), Fault>| {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).try_for_each(|ring| {
            ring.0.iter().try_for_each(|c| each(*c))?;
            match ring.0.len() {
                0 => Ok(()),
                1..4 => Err(Fault::RingTooShort),
                _ => {
                    if ring.is_closed() {
                        Ok(())
                    } else {
                        Err(Fault::RingOpen)
                    }
                }
            }
        })
    };
    match geometry {
        Geometry::Polygon(one) => polygon(one, each),
        Geometry::MultiPolygon(all) => all.iter().try_for_each(|one| polygon(one, each)),
        Geometry::GeometryCollection(all) => all.iter().try_for_each(|one| look(one, each)),
        other => geo::CoordsIter::coords_iter(other).try_for_each(each),
    }
}

fn crossing_free(area: &Area) -> Result<(), Fault> {
    let mut pairs = 0usize;
    for band in area.bands() {
        pairs += band.len() * band.len() / 2;
        if pairs > MOST_PAIRS {
            return Err(Fault::TooComplex);
        }
        for (i, first) in band.iter().enumerate() {
            let first = area.edge_at(*first);
            if band[i + 1..].iter().any(|second| cross(first, area.edge_at(*second))) {
                return Err(Fault::SelfCrossing);
            }
        }
    }
    Ok(())
}

/// Whether two edges cross in their middles, or run along each other.
fn cross([a, b]: [Coord; 2], [c, d]: [Coord; 2]) -> bool {
    if a.x.max(b.x) < c.x.min(d.x)
        || c.x.max(d.x) < a.x.min(b.x)
        || a.y.max(b.y) < c.y.min(d.y)
        || c.y.max(d.y) < a.y.min(b.y)
    {
        return false;
    }
    if a == b || c == d {
        return false;
    }
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    if c_side == 0.0 && d_side == 0.0 {
        let key = |p: Coord| if (b.x - a.x).abs() > (b.y - a.y).abs() { p.x } else { p.y };
        let low = key(a).min(key(b)).max(key(c).min(key(d)));
        return low < key(a).max(key(b)).min(key(c).max(key(d)));
    }
    let opposite = |u: f64, v: f64| (u > 0.0 && v < 0.0) || (u < 0.0 && v > 0.0);
    opposite(c_side, d_side) && opposite(side(c, d, a), side(c, d, b))
}

/// Edges do not cross: a hole that has one vertex outside lies outside.
fn holes_inside(area: &Area) -> Result<(), Fault> {
    for polygon in area.polygons() {
        if polygon.interiors().is_empty() {
            continue;
        }
        let shell = geo::MultiPolygon(vec![Polygon::new(polygon.exterior().clone(), vec![])]);
        let Some(shell) = Area::new(&shell) else { continue };
        let out = |hole: &geo::LineString| hole.0.iter().any(|p| shell.locate(*p) == Position::Outside);
        if polygon.interiors().iter().any(out) {
            return Err(Fault::HoleOutside);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(wkt: &str) -> Option<&'static str> {
        checked(crate::wkt::read(wkt).unwrap(), 100).err().map(Fault::name)
    }

    #[test]
    fn faults_have_names() {
        assert_eq!(fault("POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))"), None);
        assert_eq!(fault("POLYGON((0 0, 2 2, 2 0, 0 2, 0 0))"), Some("self-crossing"));
        assert_eq!(fault("POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 5 1, 5 3, 1 3, 1 1))"), Some("self-crossing"));
        assert_eq!(fault("POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (5 5, 6 5, 6 6, 5 6, 5 5))"), Some("hole-outside"));
        // A hole that touches the ring at a point.
        assert_eq!(fault("POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (0 2, 1 1, 1 3, 0 2))"), None);
        assert_eq!(fault("POLYGON((0 0, 4 0, 4 4, 0 4, 0 1))"), Some("ring-open"));
        assert_eq!(fault("POLYGON((0 0, 4 0, 0 0))"), Some("ring-too-short"));
        assert_eq!(fault("MULTIPOLYGON(((0 0, 4 0, 4 4, 0 4, 0 0)), ((1 0, 9 0, 9 4, 1 0)))"), Some("self-crossing"));
        assert_eq!(fault("POINT(40500000 3985000)"), Some("out-of-range"));
        assert_eq!(fault("POINT EMPTY"), Some("empty"));
        let many: Vec<String> = (0..200).map(|i| format!("{i} 1")).collect();
        assert_eq!(fault(&format!("LINESTRING({})", many.join(","))), Some("too-many-vertices"));
    }
}
