//! Tile matrix sets (OGC 17-083r4). For now WebMercatorQuad; a coordinate is checked where it comes in and trusted after.

use serde_json::{Value, json};

/// Half the side of the Web Mercator square, in metres: π × 6378137.
const HALF: f64 = 20_037_508.342_789_244;
const MAX_ZOOM: u8 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TileMatrixSet {
    WebMercatorQuad,
}

/// A tile that exists in its tile matrix set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCoord {
    pub set: TileMatrixSet,
    pub z: u8,
    pub x: u32,
    pub y: u32,
}

impl TileMatrixSet {
    pub const ALL: [TileMatrixSet; 1] = [TileMatrixSet::WebMercatorQuad];

    pub fn id(self) -> &'static str {
        "WebMercatorQuad"
    }
    pub fn title(self) -> &'static str {
        "Google Maps Compatible for the World"
    }
    pub fn uri(self) -> &'static str {
        "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    }
    pub fn crs_uri(self) -> &'static str {
        "http://www.opengis.net/def/crs/EPSG/0/3857"
    }
    pub fn parse(id: &str) -> Option<TileMatrixSet> {
        Self::ALL.into_iter().find(|s| s.id() == id)
    }
    pub fn max_zoom(self) -> u8 {
        MAX_ZOOM
    }

    /// The tile, if the matrix has it.
    pub fn tile(self, z: u32, x: u32, y: u32) -> Option<TileCoord> {
        if z > u32::from(MAX_ZOOM) || x >= 1 << z || y >= 1 << z {
            return None;
        }
        Some(TileCoord { set: self, z: z as u8, x, y })
    }

    /// The definition document (OGC 17-083r4, 7.1).
    pub fn definition(self) -> Value {
        let matrices: Vec<Value> = (0..=MAX_ZOOM)
            .map(|z| {
                let cell = 2.0 * HALF / (256.0 * f64::from(1u32 << z));
                json!({
                    "id": z.to_string(),
                    // 0.28 mm: the standard's pixel.
                    "scaleDenominator": cell / 0.000_28,
                    "cellSize": cell,
                    "cornerOfOrigin": "topLeft",
                    "pointOfOrigin": [-HALF, HALF],
                    "tileWidth": 256, "tileHeight": 256,
                    "matrixWidth": 1u32 << z, "matrixHeight": 1u32 << z
                })
            })
            .collect();
        json!({
            "id": self.id(), "title": self.title(), "uri": self.uri(),
            "crs": self.crs_uri(), "orderedAxes": ["E", "N"],
            "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
            "tileMatrices": matrices
        })
    }
}

impl TileCoord {
    /// The tile's extent in metres of EPSG:3857: west, south, east, north.
    pub fn extent(self) -> [f64; 4] {
        let side = 2.0 * HALF / f64::from(1u32 << self.z);
        let west = -HALF + f64::from(self.x) * side;
        let north = HALF - f64::from(self.y) * side;
        [west, north - side, west + side, north]
    }
}

/// Longitude and latitude in degrees of a point of EPSG:3857 (spherical inverse Mercator, EPSG method 1024).
pub fn degrees(x: f64, y: f64) -> (f64, f64) {
    let lon = x / HALF * 180.0;
    let lat = (y / HALF * std::f64::consts::PI).sinh().atan().to_degrees();
    (lon, lat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_outside_do_not_exist() {
        let set = TileMatrixSet::WebMercatorQuad;
        assert!(set.tile(0, 0, 0).is_some() && set.tile(0, 1, 0).is_none() && set.tile(25, 0, 0).is_none());
        assert!(set.tile(24, (1 << 24) - 1, 0).is_some() && set.tile(24, 1 << 24, 0).is_none());
    }

    #[test]
    fn qingdao_is_where_it_should_be() {
        // 120.38 E, 36.07 N lies in 10/854/401 (slippy map formula of the OpenStreetMap wiki).
        let [w, s, e, n] = TileMatrixSet::WebMercatorQuad.tile(10, 854, 401).unwrap().extent();
        let ((west, south), (east, north)) = (degrees(w, s), degrees(e, n));
        assert!(west < 120.38 && 120.38 < east && south < 36.07 && 36.07 < north);
    }
}
