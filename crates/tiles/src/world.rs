//! World coordinates: Web Mercator (EPSG:3857) as 32-bit integers, x from 180° W eastwards, y from the north edge (85.05° N)
//! southwards. One unit is a 4096th of a tile at zoom 20, about 9 mm at the equator, so that a zoom is a shift.

use std::f64::consts::PI;

/// Half the side of the Web Mercator square in metres: π × 6378137.
pub const HALF_SIDE: f64 = 20_037_508.342_789_244;
/// World units along a side.
pub const SIDE: f64 = 4_294_967_296.0;
/// The zoom at which one world unit is one unit of a tile of 4096.
pub const UNIT_ZOOM: u8 = 20;
/// The latitude of the square's edge.
pub const MAX_LATITUDE: f64 = 85.051_128_779_806_59;

/// The world coordinates of a longitude and latitude in degrees; what lies beyond the square comes to its edge.
/// Spherical Mercator, EPSG method 1024.
pub fn project(lon: f64, lat: f64) -> [u32; 2] {
    let x = (lon + 180.0) / 360.0 * SIDE;
    let s = lat.clamp(-MAX_LATITUDE, MAX_LATITUDE).to_radians().sin();
    let y = (0.5 - ((1.0 + s) / (1.0 - s)).ln() / (4.0 * PI)) * SIDE;
    // A float beyond the range saturates.
    [x.round() as u32, y.round() as u32]
}

/// Longitude and latitude in degrees of a place in world units.
pub fn unproject(x: f64, y: f64) -> (f64, f64) {
    let lat = (PI * (1.0 - 2.0 * y / SIDE)).sinh().atan().to_degrees();
    (x / SIDE * 360.0 - 180.0, lat)
}
