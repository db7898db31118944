//! The planes that maps are drawn on: what a CRS makes of longitude and latitude, and back. Coordinates are east and north, in this
//! order, whatever the axis order of the CRS.

use super::gauss::Gauss;
use super::tms::degrees;

/// Half the side of the Web Mercator square, in metres.
const HALF: f64 = 20_037_508.342_789_244;
/// Metres of a degree on the equator.
const DEGREE: f64 = HALF / 180.0;
/// Where the square of Web Mercator ends.
const NORTHMOST: f64 = 85.051_128_779_806_6;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plane {
    /// Longitude and latitude as they are.
    Degrees,
    Mercator,
    Gauss(Gauss),
}

impl Plane {
    pub fn of(srid: i32) -> Option<Plane> {
        match srid {
            4326 | 4490 => Some(Plane::Degrees),
            3857 => Some(Plane::Mercator),
            _ => Gauss::of(srid).map(Plane::Gauss),
        }
    }

    /// A place in degrees on the plane; none where the plane does not reach.
    pub fn forward(self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        match self {
            Plane::Degrees => Some((longitude, latitude)),
            Plane::Mercator => Some((longitude * DEGREE, mercator(latitude))),
            Plane::Gauss(zone) => zone.forward(longitude, latitude),
        }
    }

    /// Longitude and latitude of a point of the plane.
    pub fn inverse(self, x: f64, y: f64) -> Option<(f64, f64)> {
        match self {
            Plane::Degrees => Some((x, y)),
            Plane::Mercator => Some(degrees(x, y)),
            Plane::Gauss(zone) => zone.inverse(x, y),
        }
    }

    /// Metres of a unit, as scales reckon them.
    pub fn unit(self) -> f64 {
        if self == Plane::Degrees { DEGREE } else { 1.0 }
    }

    /// A box of degrees (west, south, east, north) on the plane: that of points along its edges. None where the plane does not reach.
    pub fn bbox(self, [west, south, east, north]: [f64; 4]) -> Option<[f64; 4]> {
        const PIECES: usize = 16;
        let mut all: Option<[f64; 4]> = None;
        for i in 0..=PIECES {
            let part = i as f64 / PIECES as f64;
            let (lon, lat) = (west + (east - west) * part, south + (north - south) * part);
            for (lon, lat) in [(lon, south), (lon, north), (west, lat), (east, lat)] {
                let (x, y) = self.forward(lon, lat)?;
                all = Some(all.map_or([x, y, x, y], |a| [a[0].min(x), a[1].min(y), a[2].max(x), a[3].max(y)]));
            }
        }
        all
    }
}

/// The northing of a latitude in Web Mercator, within its square.
fn mercator(latitude: f64) -> f64 {
    let latitude = latitude.clamp(-NORTHMOST, NORTHMOST).to_radians();
    latitude.tan().asinh() / std::f64::consts::PI * HALF
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::crs::Crs;

    #[test]
    fn there_and_back() {
        for srid in [4326, 4490, 3857, 4528, 4499] {
            let plane = Plane::of(srid).unwrap();
            let (x, y) = plane.forward(120.4, 36.1).unwrap();
            let (lon, lat) = plane.inverse(x, y).unwrap();
            assert!((lon - 120.4).abs() < 1e-9 && (lat - 36.1).abs() < 1e-9, "{srid}");
        }
        assert_eq!(Plane::of(32650), None);
        let (x, y) = Plane::Mercator.forward(120.4, 36.1).unwrap();
        // By PROJ 9.1.1.
        assert!((x - 13_402_866.691_5).abs() < 1e-3 && (y - 4_314_389.956_3).abs() < 1e-3, "{x} {y}");
        assert!((mercator(90.0) - HALF).abs() < 1e-3);
    }

    #[test]
    fn a_box_lies_on_the_plane_of_each_of_its_zones() {
        for crs in Crs::gauss_kruger(119.5, 121.0) {
            let bbox = Plane::of(crs.srid).and_then(|plane| plane.bbox([119.5, 35.5, 121.0, 37.0]));
            assert!(bbox.is_some(), "{crs:?}");
        }
        let [west, south, east, north] = Plane::of(4528).unwrap().bbox([119.5, 35.5, 121.0, 37.0]).unwrap();
        assert!(40_450_000.0 < west && west < east && east < 40_600_000.0 && north - south > 160_000.0);
    }
}
