//! Questions of place, pure: which polygons a point lies in, what lies within what and with which share, what is nearest and how far,
//! buffers, grids, and the tallies that a summary is made of. Neither database nor HTTP.
//!
//! Coordinates are longitude and latitude in degrees. Edges are straight in degrees, as they are drawn and as PostGIS's `geometry` has
//! them; areas, lengths and distances are those of the ellipsoid, in square metres and metres.
//!
//! Relations are decided exactly, by adaptive predicates, with the meanings of OGC 06-103r4 (Simple Features): a point on a polygon's
//! edge intersects it and is not within it. What crosses the antimeridian is out of scope.

pub mod area;
pub mod buffer;
pub mod cells;
pub mod ellipsoid;
pub mod ewkb;
pub mod fault;
pub mod geojson;
pub mod relation;
pub mod shape;
pub mod shapes;
pub mod share;
pub mod tally;
mod tree;
pub mod within;
pub mod wkt;
pub mod zones;

/// West, south, east, north.
pub type Bounds = [f64; 4];

/// The smallest box round some positions; none without any.
pub fn bounds(positions: impl IntoIterator<Item = geo::Coord>) -> Option<Bounds> {
    positions.into_iter().fold(None, |all: Option<Bounds>, c| {
        Some(all.map_or([c.x, c.y, c.x, c.y], |[w, s, e, n]| [w.min(c.x), s.min(c.y), e.max(c.x), n.max(c.y)]))
    })
}

/// Whether two boxes have a place in common.
pub fn overlap(a: &Bounds, b: &Bounds) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

/// On which side of the line from `a` to `b` a position is: left above zero, right below, on it zero. Exact.
fn side(a: geo::Coord, b: geo::Coord, p: geo::Coord) -> f64 {
    let coord = |c: geo::Coord| robust::Coord { x: c.x, y: c.y };
    robust::orient2d(coord(a), coord(b), coord(p))
}

/// Whether a position lies on a segment, ends included. Exact.
fn on_segment(a: geo::Coord, b: geo::Coord, p: geo::Coord) -> bool {
    let between = |u: f64, v: f64, w: f64| u.min(v) <= w && w <= u.max(v);
    between(a.x, b.x, p.x) && between(a.y, b.y, p.y) && side(a, b, p) == 0.0
}

/// Whether two segments have a place in common. Exact.
fn segments_meet([a, b]: [geo::Coord; 2], [c, d]: [geo::Coord; 2]) -> bool {
    if a.x.max(b.x) < c.x.min(d.x)
        || c.x.max(d.x) < a.x.min(b.x)
        || a.y.max(b.y) < c.y.min(d.y)
        || c.y.max(d.y) < a.y.min(b.y)
    {
        return false;
    }
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    if (c_side > 0.0 && d_side > 0.0) || (c_side < 0.0 && d_side < 0.0) {
        return false;
    }
    let (a_side, b_side) = (side(c, d, a), side(c, d, b));
    // All four on one line: their boxes meet, so do they.
    !((a_side > 0.0 && b_side > 0.0) || (a_side < 0.0 && b_side < 0.0))
}
