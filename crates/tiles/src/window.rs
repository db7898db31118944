//! The part of the world that a tile shows, and the way from world units to the tile's own.

use crate::shape::{Bounds, Vertex};
use crate::world::{SIDE, UNIT_ZOOM, project, unproject};

/// Units along a tile's side.
pub const EXTENT: i32 = 4096;
/// What a tile shows beyond its edges, in its units, so that both neighbours draw lines and symbols that cross.
pub const BUFFER: i32 = 64;
/// Intervals of a tile's height between which latitudes are interpolated: rows are within a unit of the true ones at every zoom.
const STEPS: usize = 128;

#[derive(Debug, Clone)]
pub struct Window {
    /// The zoom of Web Mercator of the same scale: what shows when is worked out for these.
    zoom: u8,
    x: i64,
    y: i64,
    /// World units in a tile's unit are 2^shift; from zoom 20 on it is the other way round.
    shift: i32,
    clip: Clip,
    rows: Option<Rows>,
    /// The tile of Web Mercator in its middle.
    tile: [u32; 2],
}

/// A rectangle in world units that may reach beyond the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clip {
    pub min: [i64; 2],
    pub max: [i64; 2],
}

/// From a row in world units to one of a tile whose rows are degrees.
#[derive(Debug, Clone)]
struct Rows {
    start: f64,
    per_step: f64,
    units: Vec<f64>,
}

impl Window {
    /// A tile of WebMercatorQuad.
    pub fn mercator(z: u8, x: u32, y: u32) -> Window {
        let side = SIDE / 2f64.powi(i32::from(z));
        let origin = |n: u32| (f64::from(n) * side) as i64;
        let buffer = (side * f64::from(BUFFER) / f64::from(EXTENT)).ceil() as i64;
        let (x0, y0) = (origin(x), origin(y));
        let clip =
            Clip { min: [x0 - buffer, y0 - buffer], max: [x0 + side as i64 + buffer, y0 + side as i64 + buffer] };
        Window { zoom: z, x: x0, y: y0, shift: i32::from(UNIT_ZOOM) - i32::from(z), clip, rows: None, tile: [x, y] }
    }

    /// A tile of WorldCRS84Quad: two tiles at zoom 0, each of 180°.
    pub fn geographic(z: u8, x: u32, y: u32) -> Window {
        let span = 180.0 / 2f64.powi(i32::from(z));
        let zoom = z + 1;
        let side = SIDE / 2f64.powi(i32::from(zoom));
        let (north, unit) = (90.0 - f64::from(y) * span, span / f64::from(EXTENT));
        let row = |units: i32| f64::from(project(0.0, north - f64::from(units) * unit)[1]);
        let buffer = (side * f64::from(BUFFER) / f64::from(EXTENT)).ceil() as i64;
        let x0 = (f64::from(x) * side) as i64;
        let (top, bottom) = (row(-BUFFER), row(EXTENT + BUFFER));
        let per_step = ((bottom - top) / STEPS as f64).max(1.0);
        let units = (0..=STEPS + 1).map(|i| (north - unproject(0.0, top + i as f64 * per_step).1) / unit).collect();
        let middle = ((row(EXTENT / 2) / SIDE) * 2f64.powi(i32::from(zoom))) as u32;
        Window {
            zoom,
            x: x0,
            y: 0,
            shift: i32::from(UNIT_ZOOM) - i32::from(zoom),
            clip: Clip { min: [x0 - buffer, top as i64], max: [x0 + side as i64 + buffer, bottom as i64] },
            rows: Some(Rows { start: top, per_step, units }),
            tile: [x, middle.min(2u32.saturating_pow(u32::from(zoom)).saturating_sub(1))],
        }
    }

    pub fn zoom(&self) -> u8 {
        self.zoom
    }

    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// The window within the world.
    pub fn bounds(&self) -> Bounds {
        let within = |n: i64| n.clamp(0, i64::from(u32::MAX)) as u32;
        Bounds { min: self.clip.min.map(within), max: self.clip.max.map(within) }
    }

    /// World units in a tile's unit.
    pub fn unit(&self) -> f64 {
        2f64.powi(self.shift)
    }

    /// The tile's prefix of the Hilbert curve at its zoom.
    pub fn prefix(&self) -> u64 {
        match u32::from(self.zoom) {
            0 => 0,
            z if z <= 32 => crate::build::plan::prefix(
                fast_hilbert::xy2h(self.tile[0] << (32 - z), self.tile[1] << (32 - z), 32),
                self.zoom,
            ),
            _ => 0,
        }
    }

    #[inline]
    pub fn tile_point(&self, v: &[i64; 2]) -> [i32; 2] {
        let x = self.scale(v[0] - self.x);
        let y = match &self.rows {
            None => self.scale(v[1] - self.y),
            Some(rows) => rows.unit(v[1]),
        };
        [x, y]
    }

    #[inline]
    fn scale(&self, d: i64) -> i32 {
        match self.shift {
            s @ 1.. => ((d + (1 << (s - 1))) >> s) as i32,
            s => (d << -s) as i32,
        }
    }
}

impl Rows {
    fn unit(&self, y: i64) -> i32 {
        let at = ((y as f64 - self.start) / self.per_step).max(0.0);
        let step = (at as usize).min(self.units.len() - 2);
        let (a, b) = (self.units[step], self.units[step + 1]);
        (a + (b - a) * (at - step as f64)).round() as i32
    }
}

impl Clip {
    #[inline]
    pub fn holds(&self, b: &Bounds) -> bool {
        self.min[0] <= i64::from(b.min[0])
            && i64::from(b.max[0]) <= self.max[0]
            && self.min[1] <= i64::from(b.min[1])
            && i64::from(b.max[1]) <= self.max[1]
    }

    #[inline]
    pub fn has(&self, v: &Vertex) -> bool {
        let [x, y] = v.map(i64::from);
        self.min[0] <= x && x <= self.max[0] && self.min[1] <= y && y <= self.max[1]
    }

    /// Whether a rectangle lies wholly on the outer side of one of the edges: a path within it adds nothing to what is inside.
    #[inline]
    pub fn beside(&self, b: &Bounds) -> bool {
        i64::from(b.max[0]) < self.min[0]
            || i64::from(b.min[0]) > self.max[0]
            || i64::from(b.max[1]) < self.min[1]
            || i64::from(b.min[1]) > self.max[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_to_its_unit() {
        // 120.38 E, 36.07 N: tile 10/854/401 by the slippy map formula.
        let place = project(120.38, 36.07).map(i64::from);
        let [x, y] = Window::mercator(10, 854, 401).tile_point(&place);
        assert!((0..EXTENT).contains(&x) && (0..EXTENT).contains(&y));
        // At WorldCRS84Quad zoom 9 a tile is 0.3515625° wide: column 854, row 153.
        let [x, y] = Window::geographic(9, 854, 153).tile_point(&place);
        let expected = |degrees: f64| (degrees / 0.351_562_5).fract() * 4096.0;
        assert!((f64::from(x) - expected(120.38 + 180.0)).abs() <= 1.0);
        assert!((f64::from(y) - expected(90.0 - 36.07)).abs() <= 1.0);
    }

    #[test]
    fn rows_of_degrees_are_within_a_unit_at_every_zoom() {
        for z in 0..=18u8 {
            let n = 2f64.powi(i32::from(z));
            let (x, y) = ((300.38 / 180.0 * n) as u32, (53.93 / 180.0 * n) as u32);
            let window = Window::geographic(z, x, y);
            let (north, unit) = (90.0 - f64::from(y) * 180.0 / n, 180.0 / n / 4096.0);
            for step in 0..=40 {
                let lat = north - 180.0 / n * f64::from(step) / 40.0;
                if lat.abs() > 85.0 {
                    continue;
                }
                let [_, row] = window.tile_point(&project(120.38, lat).map(i64::from));
                let exact = (north - lat) / unit;
                assert!((f64::from(row) - exact).abs() <= 1.0 + 0.02 / unit.max(1e-7) * 1e-7, "z{z}: {row} {exact}");
            }
        }
    }
}
