//! EWKB as PostGIS sends it, written as GeoJSON coordinates while it is read.

/// How coordinates are written.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Latitude (northing) first.
    pub swapped: bool,
    /// Decimal places: 9 of a degree are 0.1 mm, as are 4 of a metre.
    pub decimals: i32,
}

/// What is wrong with bytes that should be EWKB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Collections in collections deeper than this are refused.
pub(super) const DEEPEST: u8 = 16;

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, little: true }
    }
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(Malformed)?;
        self.bytes = rest;
        Ok(*head)
    }
    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        let b = self.take::<4>()?;
        Ok(if self.little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) })
    }
    pub(super) fn f64(&mut self) -> Result<f64, Malformed> {
        let b = self.take::<8>()?;
        Ok(if self.little { f64::from_le_bytes(b) } else { f64::from_be_bytes(b) })
    }
}

/// Appends the geometry as a GeoJSON object (RFC 7946). An empty point becomes `null`; M values are left out.
pub fn write_geojson(out: &mut Vec<u8>, ewkb: &[u8], layout: Layout) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(ewkb);
    geometry(out, &mut cursor, layout, 0)
}

pub(super) struct Head {
    pub kind: u32,
    pub z: bool,
    pub m: bool,
}

pub(super) fn head(cursor: &mut Cursor<'_>) -> Result<Head, Malformed> {
    cursor.little = cursor.take::<1>()?[0] == 1;
    let word = cursor.u32()?;
    if word & 0x2000_0000 != 0 {
        cursor.u32()?;
    }
    Ok(Head { kind: word & 0x0fff_ffff, z: word & 0x8000_0000 != 0, m: word & 0x4000_0000 != 0 })
}

fn geometry(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, layout: Layout, depth: u8) -> Result<(), Malformed> {
    if depth > DEEPEST {
        return Err(Malformed);
    }
    let head = head(cursor)?;
    let name = match head.kind {
        1 => "Point",
        2 => "LineString",
        3 => "Polygon",
        4 => "MultiPoint",
        5 => "MultiLineString",
        6 => "MultiPolygon",
        7 => "GeometryCollection",
        _ => return Err(Malformed),
    };
    let start = out.len();
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(if head.kind == 7 { b"\",\"geometries\":" } else { b"\",\"coordinates\":" });
    match head.kind {
        1 => {
            if !position(out, cursor, &head, layout)? {
                out.truncate(start);
                out.extend_from_slice(b"null");
                return Ok(());
            }
        }
        2 => positions(out, cursor, &head, layout)?,
        3 => rings(out, cursor, &head, layout)?,
        7 => list(out, cursor, |out, cursor| geometry(out, cursor, layout, depth + 1))?,
        _ => list(out, cursor, |out, cursor| {
            let inner = self::head(cursor)?;
            match inner.kind {
                1 => position(out, cursor, &inner, layout).map(drop),
                2 => positions(out, cursor, &inner, layout),
                3 => rings(out, cursor, &inner, layout),
                _ => Err(Malformed),
            }
        })?,
    }
    out.push(b'}');
    Ok(())
}

fn list<F>(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, mut each: F) -> Result<(), Malformed>
where
    F: FnMut(&mut Vec<u8>, &mut Cursor<'_>) -> Result<(), Malformed>,
{
    let count = cursor.u32()?;
    out.push(b'[');
    for i in 0..count {
        if i > 0 {
            out.push(b',');
        }
        each(out, cursor)?;
    }
    out.push(b']');
    Ok(())
}

fn rings(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, head: &Head, layout: Layout) -> Result<(), Malformed> {
    list(out, cursor, |out, cursor| positions(out, cursor, head, layout))
}

fn positions(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, head: &Head, layout: Layout) -> Result<(), Malformed> {
    list(out, cursor, |out, cursor| position(out, cursor, head, layout).map(drop))
}

/// One position; false for the empty point (all NaN).
fn position(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, head: &Head, layout: Layout) -> Result<bool, Malformed> {
    let (mut x, mut y) = (cursor.f64()?, cursor.f64()?);
    let z = if head.z { Some(cursor.f64()?) } else { None };
    if head.m {
        cursor.f64()?;
    }
    if x.is_nan() || y.is_nan() {
        return Ok(false);
    }
    if layout.swapped {
        std::mem::swap(&mut x, &mut y);
    }
    out.push(b'[');
    number(out, x, layout.decimals);
    out.push(b',');
    number(out, y, layout.decimals);
    if let Some(z) = z {
        out.push(b',');
        number(out, z, 4);
    }
    out.push(b']');
    Ok(true)
}

pub(super) fn number(out: &mut Vec<u8>, value: f64, decimals: i32) {
    let scale = 10f64.powi(decimals);
    let rounded = (value * scale).round() / scale;
    let value = if rounded.is_finite() { rounded } else { 0.0 };
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    // Whole numbers without their ".0": shorter, and as good in JSON.
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use geozero::{CoordDimensions, ToWkb};
    use proptest::prelude::*;

    const LAYOUT: Layout = Layout { swapped: false, decimals: 9 };

    fn json(ewkb: &[u8]) -> serde_json::Value {
        let mut out = Vec::new();
        write_geojson(&mut out, ewkb, LAYOUT).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_multipolygon_with_srid() {
        let square = geo::MultiPolygon(vec![geo::Rect::new((120.0, 36.0), (121.0, 37.0)).to_polygon()]);
        let bytes = geo::Geometry::from(square).to_ewkb(CoordDimensions::xy(), Some(4490)).unwrap();
        let value = json(&bytes);
        assert_eq!(value["type"], "MultiPolygon");
        assert_eq!(value["coordinates"][0][0].as_array().unwrap().len(), 5);
    }

    #[test]
    fn truncated_or_foreign_bytes_are_refused() {
        let point = geo::Geometry::from(geo::Point::new(1.5, -2.0)).to_ewkb(CoordDimensions::xy(), Some(4490)).unwrap();
        for end in 0..point.len() {
            assert!(write_geojson(&mut Vec::new(), &point[..end], LAYOUT).is_err());
        }
        assert!(write_geojson(&mut Vec::new(), &[1, 99, 0, 0, 0], LAYOUT).is_err());
    }

    proptest! {
        #[test]
        fn coordinates_survive(x in -180.0..180.0f64, y in -90.0..90.0f64) {
            let bytes = geo::Geometry::from(geo::Point::new(x, y)).to_ewkb(CoordDimensions::xy(), None).unwrap();
            let value = json(&bytes);
            let got = (value["coordinates"][0].as_f64().unwrap(), value["coordinates"][1].as_f64().unwrap());
            prop_assert!((got.0 - x).abs() < 1e-9 && (got.1 - y).abs() < 1e-9);
        }
    }
}
