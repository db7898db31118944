//! A polygon with holes in degrees, with the few questions the generator asks of it.

use super::rng::Rng;

/// Longitude and latitude (or, while divisions are cut, millionths of a degree).
pub type Point = [f64; 2];

/// Metres per degree of latitude, near enough for a generator.
pub const METRES: f64 = 111_130.0;

/// Metres per degree of longitude at a latitude.
pub fn metres_east(lat: f64) -> f64 {
    111_320.0 * lat.to_radians().cos()
}

/// Metres between two points in degrees, near enough over a city.
pub fn distance(a: Point, b: Point) -> f64 {
    let east = (b[0] - a[0]) * metres_east((a[1] + b[1]) / 2.0);
    let north = (b[1] - a[1]) * METRES;
    east.hypot(north)
}

/// To 7 decimals of a degree (1 cm): what is stored and what is compared are then the same number.
pub fn rounded(p: Point) -> Point {
    [(p[0] * 1e7).round() / 1e7, (p[1] * 1e7).round() / 1e7]
}

/// Twice the signed area of an open ring, positive when it runs counter-clockwise.
pub fn twice_signed(ring: &[Point]) -> f64 {
    // Relative to the first vertex: the products of large coordinates would otherwise cancel out the result.
    let Some(&o) = ring.first() else { return 0.0 };
    (0..ring.len())
        .map(|i| (ring[i], ring[(i + 1) % ring.len()]))
        .map(|(a, b)| (a[0] - o[0]) * (b[1] - o[1]) - (b[0] - o[0]) * (a[1] - o[1]))
        .sum()
}

/// One polygon: the shell counter-clockwise, holes clockwise, all rings open (the first vertex is not repeated).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Area {
    pub rings: Vec<Vec<Point>>,
}

impl Area {
    pub fn vertices(&self) -> impl Iterator<Item = Point> {
        self.rings.iter().flatten().copied()
    }

    /// West, south, east, north.
    pub fn bounds(&self) -> [f64; 4] {
        self.vertices().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |b, p| {
            [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])]
        })
    }

    pub fn contains(&self, p: Point) -> bool {
        let mut inside = false;
        for ring in &self.rings {
            let mut a = ring[ring.len() - 1];
            for &b in ring {
                if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
                    inside = !inside;
                }
                a = b;
            }
        }
        inside
    }

    /// Signed area in the square of the coordinates' unit.
    pub fn flat_area(&self) -> f64 {
        self.rings.iter().map(|r| twice_signed(r)).sum::<f64>() / 2.0
    }

    /// Square metres of an area in degrees.
    pub fn square_metres(&self) -> f64 {
        let [_, south, _, north] = self.bounds();
        self.flat_area() * METRES * metres_east((south + north) / 2.0)
    }

    /// A random point inside, or None for an area too thin to hit.
    pub fn random_point(&self, rng: &mut Rng) -> Option<Point> {
        let [west, south, east, north] = self.bounds();
        (0..2000).map(|_| rounded([rng.between(west, east), rng.between(south, north)])).find(|&p| self.contains(p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_outside() {
        let area = Area {
            rings: vec![
                vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]],
                vec![[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 1.0]],
            ],
        };
        assert!(area.contains([3.0, 3.0]) && !area.contains([1.5, 1.5]) && !area.contains([5.0, 1.0]));
        assert_eq!(area.flat_area(), 15.0);
        assert!(area.random_point(&mut Rng::new(1)).is_some_and(|p| area.contains(p)));
    }
}
