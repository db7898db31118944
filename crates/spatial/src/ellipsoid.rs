//! Areas, lengths and distances on the ellipsoid of CGCS2000, which for these purposes is that of WGS 84: their flattenings differ in the
//! eleventh digit, a tenth of a millimetre of the earth's radius.
//!
//! Geodesics are Karney's (Algorithms for geodesics, J. Geodesy 87, 2013), to nanometres; the distance of a place from an edge is that of
//! the edge's nearest position, which is sought on a plane about the place and found to one part in ten thousand up to 100 km.

use geo::{Coord, Distance, Geodesic, GeodesicArea, LineString, Point, Polygon};

use crate::Bounds;

/// Equatorial radius and squared eccentricity.
const A: f64 = 6_378_137.0;
const E2: f64 = 0.006_694_379_990_14;
/// The least radius of curvature: a sphere of it has no distance that is longer than the ellipsoid's between the same latitudes and
/// longitudes, because the ellipsoid's radii M and N are nowhere less.
const LEAST: f64 = A * (1.0 - E2);

/// Metres between two positions.
pub fn distance(a: Coord, b: Coord) -> f64 {
    if a == b { 0.0 } else { Geodesic.distance(Point(a), Point(b)) }
}

/// Metres along a line, each of its segments a geodesic.
pub fn length(coords: &[Coord]) -> f64 {
    coords.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

/// Square metres that a ring encloses.
pub fn ring_area(ring: &[Coord]) -> f64 {
    if ring.len() < 4 {
        return 0.0;
    }
    Polygon::new(LineString(ring.to_vec()), vec![]).geodesic_area_signed().abs()
}

/// Square metres of a polygon without its holes.
pub fn polygon_area(polygon: &Polygon) -> f64 {
    let holes: f64 = polygon.interiors().iter().map(|hole| ring_area(&hole.0)).sum();
    (ring_area(&polygon.exterior().0) - holes).max(0.0)
}

/// A plane about a place, on which what is near has its true distance from it.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    at: Coord,
}

impl Plane {
    pub fn about(at: Coord) -> Plane {
        Plane { at }
    }

    /// Metres east and north, by the radii of curvature at the middle latitude.
    pub fn place(&self, p: Coord) -> Coord {
        let middle = ((self.at.y + p.y) / 2.0).to_radians();
        let (sin, cos) = middle.sin_cos();
        let w2 = 1.0 - E2 * sin * sin;
        let (n, m) = (A / w2.sqrt(), LEAST / (w2 * w2.sqrt()));
        Coord { x: (p.x - self.at.x).to_radians() * n * cos, y: (p.y - self.at.y).to_radians() * m }
    }

    /// The square of the distance of the place from a segment on the plane, and how far along it the nearest position is (0 to 1).
    pub fn nearest(a: Coord, b: Coord) -> (f64, f64) {
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let square = dx * dx + dy * dy;
        let along = if square > 0.0 { (-(a.x * dx + a.y * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
        let (x, y) = (a.x + dx * along, a.y + dy * along);
        (x * x + y * y, along)
    }
}

/// A position on a segment.
pub fn between(a: Coord, b: Coord, along: f64) -> Coord {
    Coord { x: a.x + (b.x - a.x) * along, y: a.y + (b.y - a.y) * along }
}

/// Metres that nothing of one box is nearer to something of the other than.
///
/// On a sphere a place of latitude φ is asin(cos φ · sin Δλ) from a meridian, and Δφ from a parallel; the ellipsoid's distances are no
/// shorter than those on the sphere of its least radius.
pub fn at_least(a: &Bounds, b: &Bounds) -> f64 {
    let gap = |low: f64, high: f64| (low - high).max(0.0).to_radians();
    let north = gap(b[1], a[3]).max(gap(a[1], b[3]));
    let across = gap(b[0], a[2]).max(gap(a[0], b[2])).min(std::f64::consts::FRAC_PI_2);
    let latitude = a[1].abs().max(a[3].abs()).to_radians();
    let east = (latitude.cos().max(0.0) * across.sin()).asin();
    LEAST * north.max(east)
}

/// A box that holds everything within some metres of another.
pub fn widened([west, south, east, north]: Bounds, metres: f64) -> Bounds {
    let up = (metres / LEAST).to_degrees();
    let (south, north) = ((south - up).max(-90.0), (north + up).min(90.0));
    let latitude = south.abs().max(north.abs()).min(89.9).to_radians();
    let across = ((metres / LEAST).sin() / latitude.cos()).clamp(0.0, 1.0).asin().to_degrees();
    [west - across, south, east + across, north]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(x: f64, y: f64) -> Coord {
        Coord { x, y }
    }

    /// The quadrant of the meridian and the surface of WGS 84, as the literature has them.
    #[test]
    fn figures_are_those_of_the_ellipsoid() {
        assert!((distance(c(0.0, 0.0), c(0.0, 90.0)) - 10_001_965.729_3).abs() < 1e-3);
        assert!((distance(c(120.0, 0.0), c(120.0 + 1.0 / 60.0, 0.0)) - 1_855.324_8).abs() < 1e-3);
        let octant = [c(0.0, 0.0), c(90.0, 0.0), c(0.0, 90.0), c(0.0, 0.0)];
        assert!((ring_area(&octant) / (510_065_621_724_088.4 / 8.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_plane_keeps_distances_within_a_ten_thousandth() {
        for (x, y) in [(0.3, 0.2), (-0.8, 0.4), (0.01, -0.01), (0.0, 0.5), (0.9, 0.0)] {
            let (a, b) = (c(120.0, 36.0), c(120.0 + x, 36.0 + y));
            let plane = Plane::about(a).place(b);
            let (near, true_one) = (plane.x.hypot(plane.y), distance(a, b));
            assert!((near / true_one - 1.0).abs() < 1e-4, "{near} {true_one}");
        }
    }

    #[test]
    fn a_bound_is_never_above_the_distance() {
        let mut random = 1u64;
        let mut next = |low: f64, high: f64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            low + (high - low) * ((random >> 11) as f64 / (1u64 << 53) as f64)
        };
        for _ in 0..20_000 {
            let a = c(next(60.0, 140.0), next(-80.0, 80.0));
            let (w, s) = (next(60.0, 140.0), next(-80.0, 80.0));
            let b = [w, s, w + next(0.0, 3.0), s + next(0.0, 3.0)];
            let inside = c(next(b[0], b[2]), next(b[1], b[3]));
            let (bound, real) = (at_least(&[a.x, a.y, a.x, a.y], &b), distance(a, inside));
            assert!(bound <= real + 1e-6, "{bound} {real}");
            let wide = widened([a.x, a.y, a.x, a.y], 5_000.0);
            let near = c(a.x + next(-0.1, 0.1), (a.y + next(-0.05, 0.05)).clamp(-89.0, 89.0));
            if distance(a, near) <= 5_000.0 {
                assert!(wide[0] <= near.x && near.x <= wide[2] && wide[1] <= near.y && near.y <= wide[3]);
            }
        }
    }
}
