//! The reference systems of the interfaces: their URIs, axis order and what is taken as the same.
//!
//! CGCS2000 (EPSG:4490), WGS 84 (EPSG:4326) and CRS84 differ by centimetres and are taken as identical (the null
//! transformation EPSG:15918 area aside, PROJ does the same); so data stored in 4490 goes out as CRS84 without a change.

/// A reference system as a caller may name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crs {
    /// The EPSG code; CRS84 is 4326 with longitude first.
    pub srid: i32,
    /// Whether the authority gives latitude or northing first.
    pub swapped: bool,
}

pub const CRS84: Crs = Crs { srid: 4326, swapped: false };
const CRS84_URI: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
/// The CRS of everything onemap stores itself.
pub const STORAGE_SRID: i32 = 4490;

impl Crs {
    pub fn epsg(srid: i32) -> Crs {
        Crs { srid, swapped: northing_first(srid) }
    }

    /// Reads a CRS URI, its safe CURIE `[EPSG:4490]`, or `EPSG:4490`.
    pub fn parse(text: &str) -> Option<Crs> {
        if text == CRS84_URI || text == "[OGC:CRS84]" || text == "OGC:CRS84" || text == "urn:ogc:def:crs:OGC:1.3:CRS84"
        {
            return Some(CRS84);
        }
        let code = text
            .strip_prefix("http://www.opengis.net/def/crs/EPSG/0/")
            .or_else(|| text.strip_prefix("https://www.opengis.net/def/crs/EPSG/0/"))
            .or_else(|| text.strip_prefix("urn:ogc:def:crs:EPSG::"))
            .or_else(|| text.strip_prefix("[EPSG:").and_then(|t| t.strip_suffix(']')))
            .or_else(|| text.strip_prefix("EPSG:"))?;
        code.parse().ok().filter(|srid| (1024..=32_767).contains(srid)).map(Crs::epsg)
    }

    pub fn uri(self) -> String {
        if self == CRS84 {
            return CRS84_URI.into();
        }
        format!("http://www.opengis.net/def/crs/EPSG/0/{}", self.srid)
    }

    /// As people call it.
    pub fn name(self) -> String {
        if self == CRS84 { "CRS84".into() } else { format!("EPSG:{}", self.srid) }
    }

    pub fn is_geographic(self) -> bool {
        matches!(self.srid, 4326 | 4490 | 4610 | 4214 | 4555)
    }

    /// The systems every collection is offered in, its storage CRS last.
    pub fn offered(storage_srid: i32) -> Vec<Crs> {
        let mut offered = vec![CRS84, Crs::epsg(4326), Crs::epsg(4490), Crs::epsg(3857)];
        let storage = Crs::epsg(storage_srid);
        if !offered.contains(&storage) {
            offered.push(storage);
        }
        offered
    }

    /// The Gauss-Krüger zones of CGCS2000 that a place lies in, given by its western and eastern end: of 3 and of 6 degrees, with the
    /// zone's number before the easting and without. None for a place wider than two zones of 6 degrees: far from its meridian a zone is
    /// no plane any more, and further still it has no coordinates.
    pub fn gauss_kruger(west: f64, east: f64) -> Vec<Crs> {
        const WIDEST: f64 = 12.0;
        if east - west > WIDEST {
            return vec![];
        }
        // The first of each row is the zone about 75° E; its number and its meridian have codes of their own.
        let rows = [(3.0, 21, 4513), (3.0, 21, 4534), (6.0, 11, 4491), (6.0, 11, 4502)];
        let zones = rows.into_iter().flat_map(|(width, count, first)| {
            (0..count).filter_map(move |k| {
                let middle = 75.0 + width * f64::from(k);
                let within = east >= middle - width / 2.0 && west <= middle + width / 2.0;
                within.then(|| Crs::epsg(first + k))
            })
        });
        zones.collect()
    }
}

/// Whether two codes have the same coordinates for our purpose.
pub fn same_coordinates(a: i32, b: i32) -> bool {
    let geographic = |s| matches!(s, 4326 | 4490);
    a == b || (geographic(a) && geographic(b))
}

/// EPSG's axis order. Geographic systems give latitude first; the Chinese Gauss-Krüger systems give northing (X) first.
fn northing_first(srid: i32) -> bool {
    matches!(
        srid,
        4326 | 4490 | 4610 | 4214 | 4555 | 4491..=4554 | 2327..=2390 | 2401..=2442 | 21_413..=21_423 | 21_453..=21_463
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_place() {
        let codes = |west, east| Crs::gauss_kruger(west, east).iter().map(|c| c.srid).collect::<Vec<_>>();
        // Beijing: the zones about 117° E, of 3 degrees number 39, of 6 number 20.
        assert_eq!(codes(115.7, 117.4), [4527, 4548, 4498, 4509]);
        assert_eq!(codes(119.5, 121.0), [4528, 4549, 4498, 4499, 4509, 4510]);
        assert_eq!(codes(-10.0, 10.0), [0i32; 0]);
        // A province of two zones of 6 degrees and three of 3.
        assert_eq!(codes(116.0, 121.0).len(), 2 * 2 + 2 * 2);
        assert_eq!(codes(70.0, 140.0), [0i32; 0], "the whole country");
    }

    #[test]
    fn uris_round_trip() {
        for crs in Crs::offered(4528) {
            assert_eq!(Crs::parse(&crs.uri()), Some(crs));
        }
        assert_eq!(Crs::parse("[EPSG:4490]"), Some(Crs::epsg(4490)));
        assert_eq!(Crs::parse("EPSG:4490; drop table x"), None);
        assert!(Crs::epsg(4528).swapped && !CRS84.swapped && !Crs::epsg(3857).swapped);
    }
}
