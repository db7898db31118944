//! Geometries as PostGIS sends them (EWKB). Heights and measures are left out.

use geo::{Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

const DEEPEST: u8 = 16;

/// The geometry; none when the bytes are none that is made of points, lines and polygons.
pub fn read(bytes: &[u8]) -> Option<Geometry> {
    Reader { rest: bytes, little: true }.geometry(0)
}

struct Reader<'a> {
    rest: &'a [u8],
    little: bool,
}

struct Head {
    kind: u32,
    /// Numbers of a position.
    width: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.take()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn f64(&mut self) -> Option<f64> {
        let bytes = self.take()?;
        Some(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    fn head(&mut self) -> Option<Head> {
        self.little = self.take::<1>()?[0] == 1;
        let word = self.u32()?;
        if word & 0x2000_0000 != 0 {
            self.u32()?;
        }
        let width = 2 + usize::from(word & 0x8000_0000 != 0) + usize::from(word & 0x4000_0000 != 0);
        Some(Head { kind: word & 0x0fff_ffff, width })
    }

    fn geometry(&mut self, depth: u8) -> Option<Geometry> {
        if depth > DEEPEST {
            return None;
        }
        let head = self.head()?;
        Some(match head.kind {
            // The empty point is one of NaN, which is no finite shape.
            1 => Geometry::Point(self.position(head.width)?.into()),
            2 => Geometry::LineString(LineString(self.positions(head.width)?)),
            3 => Geometry::Polygon(self.polygon(head.width)?),
            4 => Geometry::MultiPoint(MultiPoint(
                self.several(|reader, head| reader.position(head.width).map(Point::from))?,
            )),
            5 => Geometry::MultiLineString(MultiLineString(
                self.several(|reader, head| reader.positions(head.width).map(LineString))?,
            )),
            6 => Geometry::MultiPolygon(MultiPolygon(self.several(|reader, head| reader.polygon(head.width))?)),
            7 => {
                let count = self.u32()?;
                let all = (0..count).map(|_| self.geometry(depth + 1)).collect::<Option<_>>()?;
                Geometry::GeometryCollection(GeometryCollection(all))
            }
            _ => return None,
        })
    }

    fn several<T>(&mut self, mut each: impl FnMut(&mut Self, &Head) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()?;
        (0..count)
            .map(|_| {
                let head = self.head()?;
                each(self, &head)
            })
            .collect()
    }

    fn polygon(&mut self, width: usize) -> Option<Polygon> {
        let count = self.u32()?;
        let rings = (0..count).map(|_| self.positions(width)).collect::<Option<Vec<_>>>()?;
        Some(crate::geojson::polygon(rings))
    }

    fn positions(&mut self, width: usize) -> Option<Vec<Coord>> {
        let count = self.u32()? as usize;
        // What the bytes do not hold is not allocated either.
        let mut all = Vec::with_capacity(count.min(self.rest.len() / 16));
        for _ in 0..count {
            all.push(self.position(width)?);
        }
        Some(all)
    }

    fn position(&mut self, width: usize) -> Option<Coord> {
        let (x, y) = (self.f64()?, self.f64()?);
        for _ in 2..width {
            self.f64()?;
        }
        Some(Coord { x, y })
    }
}
