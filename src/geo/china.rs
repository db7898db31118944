//! China's shifted coordinates: GCJ-02 (高德, 腾讯) and BD-09 (百度), to and from WGS 84 / CGCS2000, which agree here to decimetres.
//!
//! GCJ-02 has no published definition; the formula is the one in common use since 2010, which agrees with the map
//! providers to well under a metre. It has no closed inverse, so the inverse is iterated. All in degrees, longitude first.

use std::f64::consts::PI;

/// Semi-major axis and squared eccentricity of Krassowsky 1940, which the shift is scaled by.
const A: f64 = 6_378_245.0;
const EE: f64 = 0.006_693_421_622_965_943;
/// BD-09's twist: the frequency of its wobble, in radians per degree.
const BD: f64 = PI * 3000.0 / 180.0;
/// Iteration stops below this many degrees (about 0.01 mm).
const TOLERANCE: f64 = 1e-10;
const MAX_ROUNDS: usize = 30;

/// Whether a place lies in the rectangle in which GCJ-02 is applied. Outside, GCJ-02 equals WGS 84.
pub fn is_shifted_area(lon: f64, lat: f64) -> bool {
    (72.004..=137.8347).contains(&lon) && (0.8293..=55.8271).contains(&lat)
}

/// The three short waves that both components share.
fn waves(v: f64) -> f64 {
    (20.0 * (v * PI).sin() + 40.0 * (v / 3.0 * PI).sin()) * 2.0 / 3.0
}

/// The shift in degrees at a WGS 84 place.
fn shift(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = (lon - 105.0, lat - 35.0);
    let common = (20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin()) * 2.0 / 3.0;
    let root = x.abs().sqrt();
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + common
        + waves(y)
        + (160.0 * (y / 12.0 * PI).sin() + 320.0 * (y * PI / 30.0).sin()) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + common
        + waves(x)
        + (150.0 * (x / 12.0 * PI).sin() + 300.0 * (x / 30.0 * PI).sin()) * 2.0 / 3.0;
    let phi = lat.to_radians();
    let w2 = 1.0 - EE * phi.sin().powi(2);
    let w = w2.sqrt();
    let dlat = north * 180.0 / (A * (1.0 - EE) / (w2 * w) * PI);
    let dlon = east * 180.0 / (A / w * phi.cos() * PI);
    (dlon, dlat)
}

/// WGS 84 / CGCS2000 to GCJ-02.
pub fn wgs84_to_gcj02(lon: f64, lat: f64) -> (f64, f64) {
    if !is_shifted_area(lon, lat) {
        return (lon, lat);
    }
    let (dx, dy) = shift(lon, lat);
    (lon + dx, lat + dy)
}

/// GCJ-02 to WGS 84 / CGCS2000, iterated to about a nanodegree.
pub fn gcj02_to_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    if !is_shifted_area(lon, lat) {
        return (lon, lat);
    }
    let (mut x, mut y) = (lon, lat);
    for _ in 0..MAX_ROUNDS {
        // The shift changes by about 1e-4 per degree, so each round wins about four digits.
        let (dx, dy) = shift(x, y);
        let (ex, ey) = (lon - dx - x, lat - dy - y);
        x += ex;
        y += ey;
        if ex.abs() < TOLERANCE && ey.abs() < TOLERANCE {
            break;
        }
    }
    (x, y)
}

/// GCJ-02 to BD-09.
pub fn gcj02_to_bd09(lon: f64, lat: f64) -> (f64, f64) {
    let r = lon.hypot(lat) + 0.00002 * (lat * BD).sin();
    let theta = lat.atan2(lon) + 0.000003 * (lon * BD).cos();
    (r * theta.cos() + 0.0065, r * theta.sin() + 0.006)
}

/// BD-09 to GCJ-02, iterated: the commonly printed inverse is off by up to a metre.
pub fn bd09_to_gcj02(lon: f64, lat: f64) -> (f64, f64) {
    let (mut x, mut y) = (lon - 0.0065, lat - 0.006);
    for _ in 0..MAX_ROUNDS {
        let (bx, by) = gcj02_to_bd09(x, y);
        let (ex, ey) = (lon - bx, lat - by);
        x += ex;
        y += ey;
        if ex.abs() < TOLERANCE && ey.abs() < TOLERANCE {
            break;
        }
    }
    (x, y)
}

/// WGS 84 / CGCS2000 to BD-09.
pub fn wgs84_to_bd09(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = wgs84_to_gcj02(lon, lat);
    gcj02_to_bd09(x, y)
}

/// BD-09 to WGS 84 / CGCS2000.
pub fn bd09_to_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = bd09_to_gcj02(lon, lat);
    gcj02_to_wgs84(x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: (f64, f64), b: (f64, f64), tolerance: f64) {
        assert!((a.0 - b.0).abs() < tolerance && (a.1 - b.1).abs() < tolerance, "{a:?} is not {b:?}");
    }

    #[test]
    fn published_pairs_agree() {
        for (wgs, gcj) in [
            ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
            ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
            ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ] {
            near(wgs84_to_gcj02(wgs.0, wgs.1), gcj, 1e-9);
            near(gcj02_to_wgs84(gcj.0, gcj.1), wgs, 1e-9);
        }
        near(gcj02_to_bd09(116.404, 39.915), (116.41036949371029, 39.92133699351021), 1e-9);
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        let mut lon = 73.5;
        while lon < 135.0 {
            let mut lat = 18.2;
            while lat < 53.5 {
                let (x, y) = wgs84_to_gcj02(lon, lat);
                near(gcj02_to_wgs84(x, y), (lon, lat), 1e-9);
                let (x, y) = wgs84_to_bd09(lon, lat);
                near(bd09_to_wgs84(x, y), (lon, lat), 1e-9);
                lat += 1.37;
            }
            lon += 1.73;
        }
    }

    #[test]
    fn abroad_nothing_moves() {
        assert_eq!(wgs84_to_gcj02(-74.0, 40.7), (-74.0, 40.7));
        assert_eq!(gcj02_to_wgs84(2.35, 48.85), (2.35, 48.85));
    }
}
