//! What a picture shows: a box of a plane, drawn on so many pixels. Pure.

use crate::geo::plane::Plane;
use crate::geo::tms::{TileCoord, TileMatrixSet};

/// The circumference of Web Mercator's equator, in metres.
const AROUND: f64 = 40_075_016.685_578_49;
/// MapLibre's zooms are reckoned in tiles of this many pixels.
const TILE: f64 = 512.0;
/// Tiles of one layer under a picture at most. 4096 × 4096 pixels need 100; what needs more is squeezed, and drawn from a lower zoom.
const MOST_TILES: u64 = 160;
/// Pixels around a picture from which symbols and wide lines reach into it.
pub const MARGIN: f64 = 32.0;
/// Around a tile, so that its neighbours agree on the labels that cross their edges.
pub const NEIGHBOURHOOD: f64 = 128.0;
const DEEPEST: f64 = 24.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub plane: Plane,
    /// West, south, east, north on the plane.
    pub bbox: [f64; 4],
    pub width: u32,
    pub height: u32,
}

impl View {
    /// The extent of a tile of a tile matrix set, 256 pixels wide.
    pub fn of_tile(tile: TileCoord) -> View {
        let plane = if tile.set == TileMatrixSet::WebMercatorQuad { Plane::Mercator } else { Plane::Degrees };
        View { plane, bbox: tile.extent(), width: 256, height: 256 }
    }

    /// Units of the plane along a pixel's sides.
    fn resolution(&self) -> (f64, f64) {
        let [west, south, east, north] = self.bbox;
        ((east - west) / f64::from(self.width), (north - south) / f64::from(self.height))
    }

    /// Where a place lies on the picture, in pixels from its north-west corner.
    pub fn pixel(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        let (x, y) = self.plane.forward(longitude, latitude)?;
        let (dx, dy) = self.resolution();
        Some(((x - self.bbox[0]) / dx, (self.bbox[3] - y) / dy))
    }

    /// Longitude and latitude of a point of the picture.
    pub fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (dx, dy) = self.resolution();
        self.plane.inverse(self.bbox[0] + x * dx, self.bbox[3] - y * dy)
    }

    fn middle(&self) -> Option<(f64, f64)> {
        self.place(f64::from(self.width) / 2.0, f64::from(self.height) / 2.0)
    }

    /// Metres of a pixel on the ground, in the picture's middle: the mean of both sides.
    pub fn metres(&self) -> f64 {
        let latitude = self.middle().map_or(0.0, |(_, latitude)| latitude.clamp(-89.0, 89.0));
        let (dx, dy) = self.resolution();
        let along = latitude.to_radians().cos();
        let shrunk = match self.plane {
            Plane::Degrees => along.sqrt(),
            Plane::Mercator => along,
            Plane::Gauss(_) => 1.0,
        };
        (dx * dy).sqrt() * self.plane.unit() * shrunk
    }

    /// The zoom of a web map of this scale, as MapLibre numbers it.
    pub fn zoom(&self) -> f64 {
        let latitude = self.middle().map_or(0.0, |(_, latitude)| latitude.clamp(-85.0, 85.0));
        let mercator = self.metres() / latitude.to_radians().cos();
        (AROUND / (TILE * mercator)).log2().clamp(0.0, DEEPEST)
    }

    /// The picture's surroundings in degrees: west, south, east, north. None where it shows no place at all.
    pub fn degrees(&self, margin: f64) -> Option<[f64; 4]> {
        const PIECES: u32 = 12;
        let (w, h) = (f64::from(self.width) + 2.0 * margin, f64::from(self.height) + 2.0 * margin);
        let mut all: Option<[f64; 4]> = None;
        for i in 0..=PIECES {
            for j in 0..=PIECES {
                let part = |n: u32, side: f64| f64::from(n) / f64::from(PIECES) * side - margin;
                let Some((lon, lat)) = self.place(part(i, w), part(j, h)) else { continue };
                if !lon.is_finite() || !lat.is_finite() {
                    continue;
                }
                all =
                    Some(all.map_or([lon, lat, lon, lat], |a| {
                        [a[0].min(lon), a[1].min(lat), a[2].max(lon), a[3].max(lat)]
                    }));
            }
        }
        all
    }

    /// The tiles of WebMercatorQuad that lie under the picture and around it, at the zoom whose scale is nearest below, at most `deepest`.
    pub fn tiles(&self, deepest: u8, margin: f64) -> Vec<TileCoord> {
        let Some([west, south, east, north]) = self.degrees(margin) else { return vec![] };
        let mut zoom = (self.zoom().floor() as u8).min(deepest);
        loop {
            let side = f64::from(1u32 << zoom);
            let column = |lon: f64| ((lon + 180.0) / 360.0 * side).floor().clamp(0.0, side - 1.0) as u32;
            let row = |lat: f64| {
                let (_, y) = Plane::Mercator.forward(0.0, lat).unwrap_or_default();
                ((0.5 - y / AROUND) * side).floor().clamp(0.0, side - 1.0) as u32
            };
            let (columns, rows) = (column(west)..=column(east), row(north)..=row(south));
            if west > 180.0 || east < -180.0 {
                return vec![];
            }
            let count = u64::from(columns.end() - columns.start() + 1) * u64::from(rows.end() - rows.start() + 1);
            if count > MOST_TILES && zoom > 0 {
                zoom -= 1;
                continue;
            }
            let set = TileMatrixSet::WebMercatorQuad;
            let all = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
            return all.filter_map(|(x, y)| set.tile(u32::from(zoom), x, y)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(srid: i32, bbox: [f64; 4], width: u32, height: u32) -> View {
        View { plane: Plane::of(srid).unwrap(), bbox, width, height }
    }

    #[test]
    fn a_tile_of_the_web_is_drawn_from_the_tile_that_it_is_a_quarter_of() {
        let tile = TileMatrixSet::WebMercatorQuad.tile(12, 3414, 1606).unwrap();
        let view = View::of_tile(tile);
        assert!((view.zoom() - 11.0).abs() < 1e-9);
        assert!(view.tiles(24, MARGIN).iter().any(|t| (t.z, t.x, t.y) == (11, 1707, 803)));
        // The neighbours' symbols may reach in.
        assert_eq!(view.tiles(24, MARGIN).len(), 4);
        assert_eq!(view.tiles(7, MARGIN)[0].z, 7);
    }

    #[test]
    fn the_same_place_is_at_its_pixel_in_every_plane() {
        let degrees = [119.9, 35.9, 120.3, 36.3];
        for srid in [4490, 3857, 4528, 4499] {
            let bbox = Plane::of(srid).unwrap().bbox(degrees).unwrap();
            let view = view(srid, bbox, 400, 500);
            let (x, y) = view.pixel(120.1, 36.1).unwrap();
            let (lon, lat) = view.place(x, y).unwrap();
            assert!((lon - 120.1).abs() < 1e-9 && (lat - 36.1).abs() < 1e-9, "{srid}");
            assert!((x - 200.0).abs() < 12.0 && (y - 250.0).abs() < 12.0, "{srid}: {x} {y}");
            // 0.4° × 0.4° at 36° north: 36 km on 400 pixels by 44 km on 500.
            assert!((80.0..100.0).contains(&view.metres()), "{srid}: {}", view.metres());
            assert!((9.3..9.7).contains(&view.zoom()), "{srid}: {}", view.zoom());
        }
    }

    #[test]
    fn however_squeezed_a_picture_is_its_tiles_are_few() {
        for (bbox, width, height) in [
            ([-180.0, -90.0, 180.0, 90.0], 4096, 4096),
            ([100.0, 20.0, 130.0, 50.0], 4096, 1),
            ([120.0, 36.0, 120.000_001, 50.0], 1, 4096),
            ([-1e9, -1e9, 1e9, 1e9], 10, 10),
            ([1e8, 1e8, 1e9, 1e9], 10, 10),
        ] {
            assert!(view(4490, bbox, width, height).tiles(24, MARGIN).len() as u64 <= MOST_TILES, "{bbox:?}");
        }
        assert!(view(4528, [-1e9, -1e9, 1e9, 1e9], 256, 256).tiles(24, MARGIN).len() as u64 <= MOST_TILES);
        assert_eq!(view(4528, [1e12, 1e12, 2e12, 2e12], 256, 256).tiles(24, MARGIN), vec![]);
    }
}
