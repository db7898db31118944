//! EWKB in degrees (EPSG:4490, 4326, CRS84) to shapes in world units. Z and M are passed over; collections fall apart into their
//! points, lines and polygons.

use crate::error::{Error, Result};
use crate::shape::{Kind, Parts, Vertex};
use crate::world::project;

const Z: u32 = 0x8000_0000;
const M: u32 = 0x4000_0000;
const SRID: u32 = 0x2000_0000;
/// Collections within collections, as deep as any real one.
const DEEPEST: u8 = 16;

/// One feature's geometry, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    pub points: Parts,
    pub lines: Parts,
    pub polygons: Parts,
}

impl Shape {
    pub fn read(ewkb: &[u8]) -> Result<Shape> {
        let mut shape = Shape::default();
        shape.read_into(ewkb)?;
        Ok(shape)
    }

    /// Reads into the shape's own buffers: for those who read many.
    pub fn read_into(&mut self, ewkb: &[u8]) -> Result<()> {
        for kind in Kind::ALL {
            self.parts_mut(kind).clear();
        }
        Reader { bytes: ewkb, at: 0 }.geometry(self, 0)
    }

    pub fn parts(&self, kind: Kind) -> &Parts {
        match kind {
            Kind::Point => &self.points,
            Kind::Line => &self.lines,
            Kind::Polygon => &self.polygons,
        }
    }

    fn parts_mut(&mut self, kind: Kind) -> &mut Parts {
        match kind {
            Kind::Point => &mut self.points,
            Kind::Line => &mut self.lines,
            Kind::Polygon => &mut self.polygons,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let end = self.at + N;
        let bytes = self.bytes.get(self.at..end).ok_or(Error::Geometry("it ends early"))?;
        self.at = end;
        Ok(bytes.try_into().expect("N bytes"))
    }

    fn number(&mut self, little: bool) -> Result<u32> {
        let bytes = self.take::<4>()?;
        Ok(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn coordinate(&mut self, little: bool) -> Result<f64> {
        let bytes = self.take::<8>()?;
        Ok(if little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    fn geometry(&mut self, shape: &mut Shape, depth: u8) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::Geometry("collections within collections"));
        }
        let little = self.take::<1>()?[0] == 1;
        let code = self.number(little)?;
        if code & SRID != 0 {
            self.number(little)?;
        }
        let iso = (code & 0xffff) / 1000;
        let extra = usize::from(code & Z != 0 || iso == 1 || iso == 3) + usize::from(code & M != 0 || iso >= 2);
        match (code & 0xffff) % 1000 {
            1 => {
                // An empty point is one of NaN.
                if let Some(v) = self.vertex(little, extra)? {
                    shape.points.vertices.push(v);
                    shape.points.end_part();
                }
            }
            2 => {
                self.vertices(little, extra, &mut shape.lines.vertices)?;
                // A line of one place is a line all the same: it is drawn where nothing is left out.
                shape.lines.end_part();
            }
            3 => self.polygon(little, extra, &mut shape.polygons)?,
            4..=7 => {
                for _ in 0..self.number(little)? {
                    self.geometry(shape, depth + 1)?;
                }
            }
            _ => return Err(Error::Geometry("a kind that maps do not know")),
        }
        Ok(())
    }

    fn vertex(&mut self, little: bool, extra: usize) -> Result<Option<Vertex>> {
        let (lon, lat) = (self.coordinate(little)?, self.coordinate(little)?);
        for _ in 0..extra {
            self.take::<8>()?;
        }
        Ok((lon.is_finite() && lat.is_finite()).then(|| project(lon, lat)))
    }

    fn vertices(&mut self, little: bool, extra: usize, into: &mut Vec<Vertex>) -> Result<()> {
        let start = into.len();
        for _ in 0..self.number(little)? {
            if let Some(v) = self.vertex(little, extra)?
                && (into.len() == start || into.last() != Some(&v))
            {
                into.push(v);
            }
        }
        Ok(())
    }

    fn polygon(&mut self, little: bool, extra: usize, into: &mut Parts) -> Result<()> {
        for ring in 0..self.number(little)? {
            let start = into.vertices.len();
            self.vertices(little, extra, &mut into.vertices)?;
            let vertices = &mut into.vertices;
            if vertices.len() > start + 1 && vertices.last() == Some(&vertices[start]) {
                vertices.pop();
            }
            let outer = ring == 0;
            // A hole of no extent is no hole; an outer ring of none is still a feature.
            if !outer && vertices.len() < start + 3 {
                vertices.truncate(start);
                continue;
            }
            let area = shoelace(&vertices[start..]);
            if (area < 0) == outer && area != 0 {
                vertices[start..].reverse();
            }
            into.end_part();
        }
        Ok(())
    }
}

/// Twice the area of a ring, positive when it runs clockwise on the map (y down): an outer ring.
pub fn shoelace(ring: &[Vertex]) -> i128 {
    let Some(&[x0, y0]) = ring.first() else { return 0 };
    let relative = |v: &Vertex| (i64::from(v[0]) - i64::from(x0), i64::from(v[1]) - i64::from(y0));
    let mut sum = 0i128;
    let mut last = (0, 0);
    for v in &ring[1..] {
        let next = relative(v);
        sum += i128::from(last.0) * i128::from(next.1) - i128::from(next.0) * i128::from(last.1);
        last = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ewkb_square(clockwise: bool) -> Vec<u8> {
        let mut ring = vec![(120.0, 36.0), (120.0, 36.1), (120.1, 36.1), (120.1, 36.0), (120.0, 36.0)];
        if !clockwise {
            ring.reverse();
        }
        let mut bytes = vec![1];
        bytes.extend((3u32 | SRID).to_le_bytes());
        bytes.extend(4490u32.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend((ring.len() as u32).to_le_bytes());
        for (x, y) in ring {
            bytes.extend(f64::to_le_bytes(x));
            bytes.extend(f64::to_le_bytes(y));
        }
        bytes
    }

    #[test]
    fn outer_rings_run_clockwise_whatever_came() {
        for clockwise in [true, false] {
            let shape = Shape::read(&ewkb_square(clockwise)).unwrap();
            assert_eq!(shape.polygons.ends, [4]);
            assert!(shoelace(&shape.polygons.vertices) > 0);
        }
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let whole = ewkb_square(true);
        for n in 0..whole.len() {
            assert!(Shape::read(&whole[..n]).is_err());
        }
    }
}
