//! Bounding boxes as OGC APIs write them.

use crate::error::{Error, Result};

/// West, south, east, north in the order x, y of a named CRS. `west > east` crosses the antimeridian (geographic CRS only).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bbox {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Bbox {
    /// Reads `bbox=`: four numbers, or six of which the heights are ignored (OGC 17-069r4, 7.15.3). `swapped` says that the CRS
    /// gives latitude (northing) first; `geographic` that longitudes and latitudes must be in their ranges.
    pub fn parse(text: &str, swapped: bool, geographic: bool) -> Result<Bbox> {
        let numbers: Vec<f64> = text
            .split(',')
            .map(|part| part.trim().parse::<f64>().ok().filter(|v| v.is_finite()))
            .collect::<Option<_>>()
            .ok_or_else(|| bad(text))?;
        let [a, b, c, d] = match numbers[..] {
            [a, b, c, d] => [a, b, c, d],
            [a, b, _, c, d, _] => [a, b, c, d],
            _ => return Err(bad(text)),
        };
        let [west, south, east, north] = if swapped { [b, a, d, c] } else { [a, b, c, d] };
        if south > north || (!geographic && west > east) {
            return Err(bad(text));
        }
        let degrees_ok = west.abs() <= 180.0 && east.abs() <= 180.0 && south >= -90.0 && north <= 90.0;
        if geographic && !degrees_ok {
            return Err(bad(text));
        }
        Ok(Bbox { west, south, east, north })
    }

    /// One box, or the two on either side of the antimeridian.
    pub fn parts(&self) -> Vec<Bbox> {
        if self.west <= self.east {
            return vec![*self];
        }
        vec![Bbox { east: 180.0, ..*self }, Bbox { west: -180.0, ..*self }]
    }

    pub fn to_array(self) -> [f64; 4] {
        [self.west, self.south, self.east, self.north]
    }
}

fn bad(text: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    Error::invalid("bbox", format!("bbox 不正确：{shown}"), format!("bbox is malformed: {shown}")).hint(
        "格式为 最小经度,最小纬度,最大经度,最大纬度（坐标顺序随 bbox-crs）",
        "give four numbers: west,south,east,north in degrees, or in the order and unit of bbox-crs",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_or_six_numbers() {
        let four = Bbox::parse("120,35.5,121,37", false, true).unwrap();
        assert_eq!(four.to_array(), [120.0, 35.5, 121.0, 37.0]);
        assert_eq!(Bbox::parse("120,35.5,0,121,37,99", false, true).unwrap(), four);
        assert_eq!(Bbox::parse("35.5,120,37,121", true, true).unwrap(), four);
    }

    #[test]
    fn the_antimeridian_splits_in_two() {
        let parts = Bbox::parse("170,-10,-170,10", false, true).unwrap().parts();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].east, parts[1].west), (180.0, -180.0));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "1,2,3", "1,2,3,x", "1,2,3,NaN", "0,10,1,5", "0,0,0,inf", "181,0,182,1", "1,2,3,4,5"] {
            assert!(Bbox::parse(text, false, true).is_err(), "{text}");
        }
        assert!(Bbox::parse("5,0,1,1", false, false).is_err());
    }
}
