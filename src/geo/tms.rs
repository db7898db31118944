//! Tile matrix sets (OGC 17-083r4). A coordinate is checked where it comes in and trusted after.
//!
//! All three halve a square again and again, from a corner in the north-west: WebMercatorQuad the square of the projection, the two
//! geographic ones a square of 360° of which the lower half lies beyond the south pole. Counted from that square their tiles are
//! numbered alike; they differ in how the standard, or Tianditu, numbers the matrices.

use serde_json::{Value, json};

/// Half the side of the Web Mercator square, in metres: π × 6378137.
const HALF: f64 = 20_037_508.342_789_244;
/// Metres of a degree on the equator of WGS 84 and of CGCS2000, whose semi-major axes are the same.
const DEGREE: f64 = HALF / 180.0;
/// How often a square is halved at most: tiles of 2.4 m.
const DEEPEST: u8 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TileMatrixSet {
    /// EPSG:3857, also Tianditu's `w` grid.
    WebMercatorQuad,
    /// Longitude and latitude of WGS 84, two tiles at zoom 0.
    WorldCRS84Quad,
    /// EPSG:4490 in Tianditu's `c` grid. Its matrices are numbered as Tianditu numbers its levels: from 1, of two tiles.
    CGCS2000Quad,
}

/// A tile that exists in its tile matrix set. `z` is the number of its matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCoord {
    pub set: TileMatrixSet,
    pub z: u8,
    pub x: u32,
    pub y: u32,
}

use TileMatrixSet::{CGCS2000Quad, WebMercatorQuad, WorldCRS84Quad};

impl TileMatrixSet {
    pub const ALL: [TileMatrixSet; 3] = [WebMercatorQuad, WorldCRS84Quad, CGCS2000Quad];

    pub fn id(self) -> &'static str {
        match self {
            WebMercatorQuad => "WebMercatorQuad",
            WorldCRS84Quad => "WorldCRS84Quad",
            CGCS2000Quad => "CGCS2000Quad",
        }
    }
    pub fn title(self) -> &'static str {
        match self {
            WebMercatorQuad => "Google Maps Compatible for the World",
            WorldCRS84Quad => "CRS84 for the World",
            CGCS2000Quad => "CGCS2000 for the World (Tianditu c)",
        }
    }
    /// Its name in OGC's register; CGCS2000Quad is not in it.
    pub fn uri(self) -> Option<&'static str> {
        match self {
            WebMercatorQuad => Some("http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"),
            WorldCRS84Quad => Some("http://www.opengis.net/def/tilematrixset/OGC/1.0/WorldCRS84Quad"),
            CGCS2000Quad => None,
        }
    }
    pub fn crs_uri(self) -> &'static str {
        match self {
            WebMercatorQuad => "http://www.opengis.net/def/crs/EPSG/0/3857",
            WorldCRS84Quad => "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            CGCS2000Quad => "http://www.opengis.net/def/crs/EPSG/0/4490",
        }
    }
    /// The SRID of extents, whose order is longitude (or easting) first whatever the CRS says.
    pub fn srid(self) -> i32 {
        match self {
            WebMercatorQuad => 3857,
            WorldCRS84Quad => 4326,
            CGCS2000Quad => 4490,
        }
    }
    pub fn parse(id: &str) -> Option<TileMatrixSet> {
        Self::ALL.into_iter().find(|s| s.id() == id)
    }

    /// The zooms that there are, as the set numbers them.
    pub fn zooms(self) -> std::ops::RangeInclusive<u8> {
        match self {
            WebMercatorQuad => 0..=DEEPEST,
            WorldCRS84Quad => 0..=DEEPEST - 1,
            CGCS2000Quad => 1..=DEEPEST,
        }
    }
    /// The zoom whose tiles are, along the equator, as wide as those of WebMercatorQuad's `zoom`.
    pub fn zoom_like_mercator(self, zoom: u8) -> u8 {
        let own = if self == WorldCRS84Quad { zoom.saturating_sub(1) } else { zoom };
        own.clamp(*self.zooms().start(), *self.zooms().end())
    }
    /// How often the square is halved for the tiles of a zoom.
    fn halvings(self, zoom: u8) -> u8 {
        if self == WorldCRS84Quad { zoom + 1 } else { zoom }
    }
    /// Columns and rows of a zoom.
    pub fn matrix(self, zoom: u8) -> (u32, u32) {
        let columns = 1 << self.halvings(zoom);
        (columns, if self == WebMercatorQuad { columns } else { columns / 2 })
    }

    /// The tile, if the matrix has it.
    pub fn tile(self, z: u32, x: u32, y: u32) -> Option<TileCoord> {
        let z = u8::try_from(z).ok().filter(|z| self.zooms().contains(z))?;
        let (columns, rows) = self.matrix(z);
        (x < columns && y < rows).then_some(TileCoord { set: self, z, x, y })
    }

    /// The tiles of a matrix that a box of degrees meets: first and last row, first and last column.
    pub fn limits(self, zoom: u8, [west, south, east, north]: [f64; 4]) -> [u32; 4] {
        let (columns, rows) = self.matrix(zoom);
        let (left, top, side) = self.square();
        let side = side / f64::from(columns);
        let ((west, south), (east, north)) = match self {
            WebMercatorQuad => (metres(west, south), metres(east, north)),
            WorldCRS84Quad | CGCS2000Quad => ((west, south), (east, north)),
        };
        // A box that ends at an edge does not meet the tile behind it.
        let within = |tile: f64, most: u32| tile.clamp(0.0, f64::from(most - 1)) as u32;
        let at = |from: f64, most: u32| within((from / side).floor(), most);
        let before = |from: f64, least: u32, most: u32| within((from / side).ceil() - 1.0, most).max(least);
        let (first_row, first_column) = (at(top - north, rows), at(west - left, columns));
        [first_row, before(top - south, first_row, rows), first_column, before(east - left, first_column, columns)]
    }

    /// West, north and the side of the square, in units of the CRS.
    fn square(self) -> (f64, f64, f64) {
        match self {
            WebMercatorQuad => (-HALF, HALF, 2.0 * HALF),
            WorldCRS84Quad | CGCS2000Quad => (-180.0, 90.0, 360.0),
        }
    }

    /// The definition document (17-083r4, 7.1), coordinates in the order of the CRS: EPSG:4490 has latitude first.
    pub fn definition(self) -> Value {
        let (west, north, side) = self.square();
        let (axes, origin, metres) = match self {
            WebMercatorQuad => (["X", "Y"], [west, north], 1.0),
            WorldCRS84Quad => (["Lon", "Lat"], [west, north], DEGREE),
            CGCS2000Quad => (["Lat", "Lon"], [north, west], DEGREE),
        };
        let matrices = self.zooms().map(|z| {
            let (columns, rows) = self.matrix(z);
            let cell = side / (256.0 * f64::from(columns));
            json!({
                "id": z.to_string(),
                // 0.28 mm: the standard's pixel.
                "scaleDenominator": cell * metres / 0.000_28, "cellSize": cell,
                "cornerOfOrigin": "topLeft", "pointOfOrigin": origin,
                "tileWidth": 256, "tileHeight": 256, "matrixWidth": columns, "matrixHeight": rows,
            })
        });
        let mut document = json!({
            "id": self.id(), "title": self.title(), "crs": self.crs_uri(), "orderedAxes": axes,
            "tileMatrices": matrices.collect::<Vec<_>>(),
        });
        if let Some(uri) = self.uri() {
            document["uri"] = uri.into();
        }
        // A scale set is one of a certain CRS: there is none of EPSG:4490.
        let scales = match self {
            WebMercatorQuad => "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
            WorldCRS84Quad => "http://www.opengis.net/def/wkss/OGC/1.0/GoogleCRS84Quad",
            CGCS2000Quad => return document,
        };
        document["wellKnownScaleSet"] = scales.into();
        document
    }
}

impl TileCoord {
    /// Its zoom in WorldCRS84Quad, where a tile of CGCS2000Quad has the same column and row. Of WebMercatorQuad it is its own zoom.
    pub fn quad_zoom(self) -> u8 {
        if self.set == CGCS2000Quad { self.z - 1 } else { self.z }
    }

    /// The tile's extent in the set's CRS: west, south, east, north.
    pub fn extent(self) -> [f64; 4] {
        let (west, north, side) = self.set.square();
        // Halving is exact: neighbours have the same edge.
        let side = side / f64::from(1u32 << self.set.halvings(self.z));
        let at = |x: u32, y: u32| (west + f64::from(x) * side, north - f64::from(y) * side);
        let ((west, north), (east, south)) = (at(self.x, self.y), at(self.x + 1, self.y + 1));
        [west, south, east, north]
    }

    /// The tile's extent in degrees, widened by a part of its side on each side, on the globe.
    pub fn degrees(self, margin: f64) -> [f64; 4] {
        let [west, south, east, north] = self.extent();
        let margin = (east - west) * margin;
        let (low, high) = ((west - margin, south - margin), (east + margin, north + margin));
        let ((west, south), (east, north)) = match self.set {
            WebMercatorQuad => (degrees(low.0, low.1), degrees(high.0, high.1)),
            WorldCRS84Quad | CGCS2000Quad => (low, high),
        };
        [west.max(-180.0), south.max(-90.0), east.min(180.0), north.min(90.0)]
    }
}

/// Longitude and latitude in degrees of a point of EPSG:3857 (spherical inverse Mercator, EPSG method 1024).
pub fn degrees(x: f64, y: f64) -> (f64, f64) {
    let lon = x / HALF * 180.0;
    let lat = (y / HALF * std::f64::consts::PI).sinh().atan().to_degrees();
    (lon, lat)
}

/// A point in degrees in EPSG:3857; what lies beyond its square lies at the square's edge.
fn metres(lon: f64, lat: f64) -> (f64, f64) {
    let y = lat.clamp(-89.9, 89.9).to_radians().tan().asinh() / std::f64::consts::PI * HALF;
    (lon / 180.0 * HALF, y.clamp(-HALF, HALF))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_tiles_that_a_box_meets() {
        let city = [119.5, 35.6, 121.0, 37.1];
        for set in TileMatrixSet::ALL {
            for zoom in set.zooms().filter(|zoom| *zoom < 14) {
                let [top, bottom, left, right] = set.limits(zoom, city);
                let meets = |x: u32, y: u32| {
                    let [w, s, e, n] = set.tile(zoom.into(), x, y).unwrap().degrees(0.0);
                    w < city[2] && e > city[0] && s < city[3] && n > city[1]
                };
                assert!(meets(left, top) && meets(right, bottom), "{set:?} {zoom}");
                let (columns, rows) = set.matrix(zoom);
                assert!(left == 0 || !meets(left - 1, top), "{set:?} {zoom}");
                assert!(right + 1 == columns || !meets(right + 1, top), "{set:?} {zoom}");
                assert!(top == 0 || !meets(left, top - 1), "{set:?} {zoom}");
                assert!(bottom + 1 == rows || !meets(left, bottom + 1), "{set:?} {zoom}");
            }
        }
        assert_eq!(WebMercatorQuad.limits(3, [-180.0, -90.0, 180.0, 90.0]), [0, 7, 0, 7]);
        assert_eq!(WorldCRS84Quad.limits(1, [0.0, 0.0, 90.0, 90.0]), [0, 0, 2, 2], "an edge is no tile more");
        assert_eq!(WorldCRS84Quad.limits(1, [90.0, 0.0, 90.0, 0.0]), [1, 1, 3, 3], "a point is in one tile");
    }

    #[test]
    fn tiles_outside_do_not_exist() {
        let has = |set: TileMatrixSet, z, x, y| set.tile(z, x, y).is_some();
        assert!(has(WebMercatorQuad, 0, 0, 0) && !has(WebMercatorQuad, 0, 1, 0) && !has(WebMercatorQuad, 25, 0, 0));
        assert!(has(WebMercatorQuad, 24, (1 << 24) - 1, 0) && !has(WebMercatorQuad, 24, 1 << 24, 0));
        assert!(has(WorldCRS84Quad, 0, 1, 0) && !has(WorldCRS84Quad, 0, 2, 0) && !has(WorldCRS84Quad, 0, 0, 1));
        assert!(has(WorldCRS84Quad, 23, (1 << 24) - 1, (1 << 23) - 1) && !has(WorldCRS84Quad, 24, 0, 0));
        assert!(!has(CGCS2000Quad, 0, 0, 0) && has(CGCS2000Quad, 1, 1, 0) && !has(CGCS2000Quad, 1, 0, 1));
        assert!(has(CGCS2000Quad, 24, (1 << 24) - 1, (1 << 23) - 1) && !has(CGCS2000Quad, 24, 0, 1 << 23));
        assert!(TileMatrixSet::ALL.iter().all(|set| set.tile(u32::MAX, 0, 0).is_none()));
    }

    #[test]
    fn qingdao_is_where_it_should_be() {
        // 120.38 E, 36.07 N lies in 10/854/401 (slippy map formula of the OpenStreetMap wiki); on the geographic grid of 0.3515625°
        // in column ⌊300.38 / 0.3515625⌋ = 854 and row ⌊53.93 / 0.3515625⌋ = 153.
        for (set, z, y) in [(WebMercatorQuad, 10, 401), (WorldCRS84Quad, 9, 153), (CGCS2000Quad, 10, 153)] {
            let tile = set.tile(z, 854, y).unwrap();
            let [west, south, east, north] = tile.degrees(0.0);
            assert!(west < 120.38 && 120.38 < east && south < 36.07 && 36.07 < north, "{}", set.id());
            assert_eq!(tile.quad_zoom(), if set == WebMercatorQuad { 10 } else { 9 });
        }
    }

    #[test]
    fn neighbours_share_their_edge_and_the_first_matrix_is_the_world() {
        for set in TileMatrixSet::ALL {
            let [deep, first] = [*set.zooms().end(), *set.zooms().start()].map(u32::from);
            let (a, b) = (set.tile(deep, 9_999_999, 777).unwrap(), set.tile(deep, 10_000_000, 778).unwrap());
            assert_eq!((a.extent()[2], a.extent()[1]), (b.extent()[0], b.extent()[3]));
            let (columns, rows) = set.matrix(first as u8);
            let ([west, _, _, north], [_, south, east, _]) =
                (set.tile(first, 0, 0).unwrap().extent(), set.tile(first, columns - 1, rows - 1).unwrap().extent());
            let world = if set == WebMercatorQuad { [-HALF, -HALF, HALF, HALF] } else { [-180.0, -90.0, 180.0, 90.0] };
            assert_eq!([west, south, east, north], world);
        }
    }

    /// The numbers of OGC's register (2D-Tile-Matrix-Set, registry/json), and of Tianditu's capabilities for `c`.
    #[test]
    fn definitions_are_the_registers() {
        let close = |a: &Value, b: f64| (a.as_f64().unwrap() / b - 1.0).abs() < 1e-13;
        for (set, first, scale, cell, last, last_scale) in [
            (WebMercatorQuad, "0", 559_082_264.028_717_8, 156_543.033_928_041, "24", 33.323_899_747_652_8),
            (WorldCRS84Quad, "0", 279_541_132.014_358_9, 0.703_125, "23", 33.323_899_747_652_8),
            (CGCS2000Quad, "1", 279_541_132.014_358_9, 0.703_125, "24", 33.323_899_747_652_8),
        ] {
            let document = set.definition();
            let matrices = document["tileMatrices"].as_array().unwrap();
            assert_eq!((&matrices[0]["id"], &matrices.last().unwrap()["id"]), (&json!(first), &json!(last)));
            assert!(close(&matrices[0]["scaleDenominator"], scale), "{}", matrices[0]);
            assert!(close(&matrices[0]["cellSize"], cell), "{}", matrices[0]);
            assert!(close(&matrices.last().unwrap()["scaleDenominator"], last_scale));
        }
        let member = |set: TileMatrixSet, path: &str| set.definition().pointer(path).cloned().unwrap_or_default();
        assert_eq!(member(WebMercatorQuad, "/orderedAxes"), json!(["X", "Y"]));
        assert_eq!(member(WorldCRS84Quad, "/orderedAxes"), json!(["Lon", "Lat"]));
        assert_eq!(member(WorldCRS84Quad, "/tileMatrices/0/pointOfOrigin"), json!([-180.0, 90.0]));
        assert_eq!(member(WorldCRS84Quad, "/tileMatrices/17/matrixWidth"), 262_144);
        assert_eq!(member(WorldCRS84Quad, "/tileMatrices/17/matrixHeight"), 131_072);
        assert_eq!(member(CGCS2000Quad, "/orderedAxes"), json!(["Lat", "Lon"]));
        assert_eq!(member(CGCS2000Quad, "/tileMatrices/0/pointOfOrigin"), json!([90.0, -180.0]));
        assert_eq!(member(CGCS2000Quad, "/tileMatrices/0/matrixWidth"), 2);
        assert_eq!(member(CGCS2000Quad, "/uri"), Value::Null);
    }

    #[test]
    fn zooms_of_the_same_width() {
        let like = |zoom| TileMatrixSet::ALL.map(|set| set.zoom_like_mercator(zoom));
        assert_eq!(like(16), [16, 15, 16]);
        assert_eq!(like(0), [0, 0, 1]);
        assert_eq!(like(24), [24, 23, 24]);
    }
}
