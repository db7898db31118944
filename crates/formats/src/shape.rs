//! A geometry taken apart: positions in one list, with marks where lines, rings and polygons end.

use crate::error::{Error, Result};

const Z: u32 = 0x8000_0000;
const M: u32 = 0x4000_0000;
const SRID: u32 = 0x2000_0000;
/// Collections within collections, as deep as any real one.
const DEEPEST: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Point,
    Line,
    Polygon,
    MultiPoint,
    MultiLine,
    MultiPolygon,
    Collection,
}

impl Kind {
    fn of(code: u32) -> Option<Kind> {
        Some(match code {
            1 => Kind::Point,
            2 => Kind::Line,
            3 => Kind::Polygon,
            4 => Kind::MultiPoint,
            5 => Kind::MultiLine,
            6 => Kind::MultiPolygon,
            7 => Kind::Collection,
            _ => return None,
        })
    }

    /// The code in well-known binary.
    pub(crate) fn code(self) -> u32 {
        self as u32 + 1
    }

    /// The name of the simple features standard.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Point => "POINT",
            Kind::Line => "LINESTRING",
            Kind::Polygon => "POLYGON",
            Kind::MultiPoint => "MULTIPOINT",
            Kind::MultiLine => "MULTILINESTRING",
            Kind::MultiPolygon => "MULTIPOLYGON",
            Kind::Collection => "GEOMETRYCOLLECTION",
        }
    }

    /// The kind that holds several of this one.
    pub fn multi(self) -> Kind {
        match self {
            Kind::Point => Kind::MultiPoint,
            Kind::Line => Kind::MultiLine,
            Kind::Polygon => Kind::MultiPolygon,
            other => other,
        }
    }
}

/// One geometry. Its buffers are kept from feature to feature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    pub kind: Kind,
    /// Longitude or easting first. Empty for an empty geometry.
    pub positions: Vec<[f64; 2]>,
    /// Heights, one for each position or none at all.
    pub heights: Vec<f64>,
    /// Where each line or ring ends in `positions`.
    pub ends: Vec<usize>,
    /// Where each polygon ends in `ends`.
    pub polygons: Vec<usize>,
    /// What a collection holds.
    pub members: Vec<Shape>,
    /// Whether there were measures, which are left out.
    pub measured: bool,
}

impl Shape {
    /// Reads EWKB, as PostGIS sends it. Curves, triangles and surfaces of solids are no simple features: `Malformed`.
    pub fn read(&mut self, ewkb: &[u8]) -> Result<()> {
        self.clear();
        self.geometry(&mut Cursor { bytes: ewkb, little: true }, 0)
    }

    fn clear(&mut self) {
        self.positions.clear();
        self.heights.clear();
        self.ends.clear();
        self.polygons.clear();
        self.members.clear();
        self.measured = false;
    }

    pub fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.members.iter().all(Shape::is_empty)
    }

    pub fn has_z(&self) -> bool {
        !self.heights.is_empty() || self.members.iter().any(Shape::has_z)
    }

    pub fn drop_z(&mut self) {
        self.heights.clear();
        self.members.iter_mut().for_each(Shape::drop_z);
    }

    /// Makes a single geometry one of several, if it is not yet.
    pub fn promote(&mut self) {
        match self.kind {
            Kind::Polygon if self.polygons.is_empty() && !self.ends.is_empty() => self.polygons.push(self.ends.len()),
            Kind::Line if self.ends.is_empty() && !self.positions.is_empty() => self.ends.push(self.positions.len()),
            _ => {}
        }
        self.kind = self.kind.multi();
    }

    /// Moves every position.
    pub fn shift(&mut self, by: impl Fn(f64, f64) -> (f64, f64) + Copy) {
        for position in &mut self.positions {
            let (x, y) = by(position[0], position[1]);
            *position = [x, y];
        }
        self.members.iter_mut().for_each(|member| member.shift(by));
    }

    /// West, south, east, north.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let own = self.positions.iter().fold(None, |bounds: Option<[f64; 4]>, &[x, y]| {
            Some(bounds.map_or([x, y, x, y], |b| [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)]))
        });
        self.members.iter().filter_map(Shape::bounds).fold(own, |all, b| Some(all.map_or(b, |a| joined(a, b))))
    }

    /// The lines or rings, as ranges of positions.
    pub(crate) fn lines(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(self.ends.iter().copied()).map(|(begin, end)| begin..end)
    }

    /// The polygons, as ranges of rings.
    pub(crate) fn rings_of_polygons(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let one = if self.polygons.is_empty() && !self.ends.is_empty() { Some(0..self.ends.len()) } else { None };
        let begins = std::iter::once(0).chain(self.polygons.iter().copied());
        one.into_iter().chain(begins.zip(self.polygons.iter().copied()).map(|(begin, end)| begin..end))
    }

    /// The positions of line or ring number `i`.
    pub(crate) fn line(&self, i: usize) -> std::ops::Range<usize> {
        let begin = if i == 0 { 0 } else { self.ends[i - 1] };
        begin..self.ends[i]
    }

    fn geometry(&mut self, cursor: &mut Cursor<'_>, depth: u8) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::Malformed);
        }
        let head = cursor.head()?;
        self.kind = Kind::of(head.kind).ok_or(Error::Malformed)?;
        self.measured |= head.m;
        match self.kind {
            Kind::Point => self.point(cursor, &head),
            Kind::Line => self.positions(cursor, &head),
            Kind::Polygon => self.rings(cursor, &head),
            Kind::Collection => {
                for _ in 0..cursor.u32()? {
                    let mut member = Shape::default();
                    member.geometry(cursor, depth + 1)?;
                    self.measured |= member.measured;
                    self.members.push(member);
                }
                Ok(())
            }
            Kind::MultiPoint | Kind::MultiLine | Kind::MultiPolygon => {
                for _ in 0..cursor.u32()? {
                    self.part(cursor)?;
                }
                Ok(())
            }
        }
    }

    /// A member of a geometry of several alike. Empty ones are left out: there is nothing of them anywhere.
    fn part(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        let head = cursor.head()?;
        match (self.kind, head.kind) {
            (Kind::MultiPoint, 1) => self.point(cursor, &head),
            (Kind::MultiLine, 2) => {
                self.positions(cursor, &head)?;
                if self.ends.last().copied().unwrap_or(0) < self.positions.len() {
                    self.ends.push(self.positions.len());
                }
                Ok(())
            }
            (Kind::MultiPolygon, 3) => {
                self.rings(cursor, &head)?;
                if self.polygons.last().copied().unwrap_or(0) < self.ends.len() {
                    self.polygons.push(self.ends.len());
                }
                Ok(())
            }
            _ => Err(Error::Malformed),
        }
    }

    fn rings(&mut self, cursor: &mut Cursor<'_>, head: &Head) -> Result<()> {
        for _ in 0..cursor.u32()? {
            let begin = self.positions.len();
            self.positions(cursor, head)?;
            if self.positions.len() > begin {
                self.ends.push(self.positions.len());
            }
        }
        Ok(())
    }

    fn positions(&mut self, cursor: &mut Cursor<'_>, head: &Head) -> Result<()> {
        let count = cursor.u32()? as usize;
        let size = (2 + usize::from(head.z) + usize::from(head.m)) * 8;
        // A count that the bytes cannot hold must not reserve memory.
        self.positions.reserve(count.min(cursor.bytes.len() / size + 1));
        for _ in 0..count {
            self.point(cursor, head)?;
        }
        Ok(())
    }

    fn point(&mut self, cursor: &mut Cursor<'_>, head: &Head) -> Result<()> {
        let (x, y) = (cursor.f64()?, cursor.f64()?);
        let z = if head.z { Some(cursor.f64()?) } else { None };
        if head.m {
            cursor.f64()?;
        }
        // The empty point.
        if x.is_nan() || y.is_nan() {
            return Ok(());
        }
        self.positions.push([x, y]);
        self.heights.extend(z);
        Ok(())
    }
}

pub(crate) fn joined(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

struct Head {
    kind: u32,
    z: bool,
    m: bool,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(Error::Malformed)?;
        self.bytes = rest;
        Ok(*head)
    }
    fn u32(&mut self) -> Result<u32> {
        let bytes = self.take()?;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
    fn f64(&mut self) -> Result<f64> {
        let bytes = self.take()?;
        Ok(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }
    fn head(&mut self) -> Result<Head> {
        self.little = self.take::<1>()?[0] == 1;
        let word = self.u32()?;
        if word & SRID != 0 {
            self.u32()?;
        }
        Ok(Head { kind: word & !(Z | M | SRID), z: word & Z != 0, m: word & M != 0 })
    }
}

#[cfg(test)]
mod tests {
    use geozero::{CoordDimensions, ToWkb};
    use proptest::prelude::*;

    use super::*;

    fn read(geometry: geo::Geometry) -> Shape {
        let mut shape = Shape::default();
        shape.read(&geometry.to_ewkb(CoordDimensions::xy(), Some(4490)).unwrap()).unwrap();
        shape
    }

    #[test]
    fn rings_and_polygons_end_where_they_should() {
        let square = |x: f64| geo::Rect::new((x, 0.0), (x + 1.0, 1.0)).to_polygon();
        let shape = read(geo::MultiPolygon(vec![square(0.0), square(5.0)]).into());
        assert_eq!((shape.kind, &shape.ends[..], &shape.polygons[..]), (Kind::MultiPolygon, &[5, 10][..], &[1, 2][..]));
        assert_eq!(shape.bounds(), Some([0.0, 0.0, 6.0, 1.0]));
        let mut one = read(square(0.0).into());
        assert_eq!(one.rings_of_polygons().collect::<Vec<_>>(), std::slice::from_ref(&(0..1)));
        one.promote();
        assert_eq!((one.kind, &one.polygons[..]), (Kind::MultiPolygon, &[1][..]));
        let mut line = read(geo::LineString::from(vec![(0.0, 0.0), (1.0, 1.0)]).into());
        line.promote();
        assert_eq!((line.kind, &line.ends[..]), (Kind::MultiLine, &[2][..]));
    }

    #[test]
    fn a_shape_is_read_over_the_one_before() {
        let mut shape = read(geo::Rect::new((0.0, 0.0), (1.0, 1.0)).to_polygon().into());
        shape
            .read(&geo::Geometry::from(geo::Point::new(1.0, 2.0)).to_ewkb(CoordDimensions::xy(), None).unwrap())
            .unwrap();
        assert_eq!(shape, Shape { kind: Kind::Point, positions: vec![[1.0, 2.0]], ..Shape::default() });
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_allocate_without_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut shape = Shape::default();
            let _ = shape.read(&bytes);
            prop_assert!(shape.positions.capacity() < 10_000);
        }

        #[test]
        fn every_beginning_of_a_geometry_is_refused(end in 0usize..93) {
            let square: geo::Geometry = geo::Rect::new((0.0, 0.0), (1.0, 1.0)).to_polygon().into();
            let bytes = square.to_ewkb(CoordDimensions::xy(), None).unwrap();
            prop_assert!(end >= bytes.len() || Shape::default().read(&bytes[..end]).is_err());
        }
    }
}
