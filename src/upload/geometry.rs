//! A geometry as flat coordinate columns, so that a whole layer passes through one buffer: read from WKB, mended, shifted, written as EWKB.

use super::report::{GeometryTarget, TargetKind};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    #[default]
    Point = 1,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    Collection,
}

impl Kind {
    pub fn from_code(code: u32) -> Option<Kind> {
        Some(match code {
            1 => Kind::Point,
            2 => Kind::LineString,
            3 => Kind::Polygon,
            4 => Kind::MultiPoint,
            5 => Kind::MultiLineString,
            6 => Kind::MultiPolygon,
            7 => Kind::Collection,
            _ => return None,
        })
    }
    pub fn name(self) -> &'static str {
        match self {
            Kind::Point => "Point",
            Kind::LineString => "LineString",
            Kind::Polygon => "Polygon",
            Kind::MultiPoint => "MultiPoint",
            Kind::MultiLineString => "MultiLineString",
            Kind::MultiPolygon => "MultiPolygon",
            Kind::Collection => "GeometryCollection",
        }
    }
    /// 0 points, 1 lines, 2 areas; a collection has none of its own.
    pub fn dimension(self) -> Option<u8> {
        match self {
            Kind::Point | Kind::MultiPoint => Some(0),
            Kind::LineString | Kind::MultiLineString => Some(1),
            Kind::Polygon | Kind::MultiPolygon => Some(2),
            Kind::Collection => None,
        }
    }
    fn single(self) -> Kind {
        match self {
            Kind::MultiPoint => Kind::Point,
            Kind::MultiLineString => Kind::LineString,
            Kind::MultiPolygon => Kind::Polygon,
            other => other,
        }
    }
}

/// One geometry. `parts` holds the end of each point run (a line, a ring); `polygons` the end, in parts, of each
/// polygon. Points and multipoints have coordinates only. `z` and `m` are empty or as long as `x`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Geometry {
    pub kind: Kind,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub z: Vec<f64>,
    pub m: Vec<f64>,
    pub has_z: bool,
    pub has_m: bool,
    pub parts: Vec<u32>,
    pub polygons: Vec<u32>,
    pub children: Vec<Geometry>,
}

/// Nesting deeper than this is an attack, not a map.
const MAX_DEPTH: usize = 32;

impl Geometry {
    /// Empties it for the next row and keeps its memory.
    pub fn clear(&mut self, kind: Kind) {
        self.kind = kind;
        self.has_z = false;
        self.has_m = false;
        for v in [&mut self.x, &mut self.y, &mut self.z, &mut self.m] {
            v.clear();
        }
        self.parts.clear();
        self.polygons.clear();
        self.children.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.x.is_empty() && self.children.iter().all(Geometry::is_empty)
    }

    pub fn is_finite(&self) -> bool {
        [&self.x, &self.y, &self.z, &self.m].iter().all(|v| v.iter().all(|c| c.is_finite()))
            && self.children.iter().all(Geometry::is_finite)
    }

    /// Calls `f` with the coordinate columns of this geometry and of all within it.
    pub fn each_column<E>(
        &mut self,
        f: &mut impl FnMut(&mut [f64], &mut [f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.x.is_empty() {
            f(&mut self.x, &mut self.y, &mut self.z)?;
        }
        for child in &mut self.children {
            child.each_column(f)?;
        }
        Ok(())
    }

    /// Widens `bbox` (min x, min y, max x, max y) by this geometry.
    pub fn widen(&self, bbox: &mut Option<[f64; 4]>) {
        if !self.x.is_empty() {
            let b = bbox.get_or_insert([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY]);
            for (&x, &y) in self.x.iter().zip(&self.y) {
                b[0] = b[0].min(x);
                b[1] = b[1].min(y);
                b[2] = b[2].max(x);
                b[3] = b[3].max(y);
            }
        }
        for child in &self.children {
            child.widen(bbox);
        }
    }

    pub fn swap_axes(&mut self) {
        std::mem::swap(&mut self.x, &mut self.y);
        for child in &mut self.children {
            child.swap_axes();
        }
    }

    /// The dimensions that occur in it, as bits.
    pub fn dimensions(&self) -> u8 {
        match self.kind.dimension() {
            Some(d) => 1 << d,
            None => self.children.iter().fold(0, |bits, c| bits | c.dimensions()),
        }
    }

    pub fn any_z(&self) -> bool {
        self.has_z || self.children.iter().any(Geometry::any_z)
    }
    pub fn any_m(&self) -> bool {
        self.has_m || self.children.iter().any(Geometry::any_m)
    }

    /// Appends the position at `i` of another geometry.
    fn push_from(&mut self, other: &Geometry, i: usize) {
        self.x.push(other.x[i]);
        self.y.push(other.y[i]);
        if other.has_z {
            self.z.push(other.z[i]);
        }
        if other.has_m {
            self.m.push(other.m[i]);
        }
    }

    /// Brings it to what PostGIS accepts: closes rings, drops lines under two points and rings under four.
    /// True when something was dropped or closed; what remains may be empty.
    pub fn close_and_prune(&mut self) -> bool {
        let mut changed = false;
        for child in &mut self.children {
            changed |= child.close_and_prune();
        }
        if self.children.iter().any(Geometry::is_empty) {
            self.children.retain(|c| !c.is_empty());
            changed = true;
        }
        let areal = matches!(self.kind, Kind::Polygon | Kind::MultiPolygon);
        if self.parts.is_empty() || self.parts_are_sound(areal) {
            return changed;
        }
        self.rebuild_parts(areal);
        true
    }

    fn parts_are_sound(&self, areal: bool) -> bool {
        let mut start = 0usize;
        self.parts.iter().all(|&end| {
            let end = end as usize;
            let n = end - start;
            let sound = if areal {
                n >= 4 && self.x[start] == self.x[end - 1] && self.y[start] == self.y[end - 1]
            } else {
                n >= 2
            };
            start = end;
            sound
        })
    }

    fn rebuild_parts(&mut self, areal: bool) {
        let mut out = Geometry { kind: self.kind, has_z: self.has_z, has_m: self.has_m, ..Geometry::default() };
        let (mut start, mut polygon) = (0usize, 0usize);
        let (mut shell_dropped, mut first_of_polygon) = (false, true);
        for (part, &end) in self.parts.iter().enumerate() {
            let end = end as usize;
            let mut n = end - start;
            let open = areal && n > 0 && (self.x[start] != self.x[end - 1] || self.y[start] != self.y[end - 1]);
            n += usize::from(open);
            let sound = if areal { n >= 4 } else { n >= 2 };
            if areal && first_of_polygon {
                shell_dropped = !sound;
            }
            // A hole without its shell would become a shell.
            if sound && !(areal && shell_dropped) {
                for i in start..end {
                    out.push_from(self, i);
                }
                if open {
                    out.push_from(self, start);
                }
                out.parts.push(out.x.len() as u32);
            }
            start = end;
            first_of_polygon = false;
            if areal && self.polygons.get(polygon).is_some_and(|&e| e as usize == part + 1) {
                polygon += 1;
                first_of_polygon = true;
                if out.polygons.last().copied().unwrap_or(0) != out.parts.len() as u32 {
                    out.polygons.push(out.parts.len() as u32);
                }
            }
        }
        *self = out;
    }

    /// Keeps of a collection only what has this dimension, as one multi geometry.
    pub fn extract(&self, dimension: u8) -> Geometry {
        let kind = [Kind::MultiPoint, Kind::MultiLineString, Kind::MultiPolygon][usize::from(dimension.min(2))];
        let mut out = Geometry { kind, has_z: self.any_z(), has_m: self.any_m(), ..Geometry::default() };
        self.extract_into(dimension, &mut out);
        out
    }

    fn extract_into(&self, dimension: u8, out: &mut Geometry) {
        for child in &self.children {
            child.extract_into(dimension, out);
        }
        if self.kind.dimension() != Some(dimension) {
            return;
        }
        let (coords, parts) = (out.x.len() as u32, out.parts.len() as u32);
        out.x.extend_from_slice(&self.x);
        out.y.extend_from_slice(&self.y);
        if out.has_z {
            pad_extend(&mut out.z, &self.z, self.x.len());
        }
        if out.has_m {
            pad_extend(&mut out.m, &self.m, self.x.len());
        }
        out.parts.extend(self.parts.iter().map(|e| e + coords));
        out.polygons.extend(self.polygons.iter().map(|e| e + parts));
    }

    /// How many single geometries a multi one holds.
    fn count(&self) -> usize {
        match self.kind {
            Kind::Point | Kind::MultiPoint => self.x.len(),
            Kind::LineString | Kind::MultiLineString => self.parts.len(),
            Kind::Polygon | Kind::MultiPolygon => self.polygons.len(),
            Kind::Collection => self.children.len(),
        }
    }

    /// Writes it as EWKB of the target's type: singles are promoted, missing Z or M become 0, a Z or M that the target lacks is left out.
    /// False, with nothing written, when the types do not go together.
    pub fn write_ewkb(&self, target: GeometryTarget, srid: u32, out: &mut Vec<u8>) -> bool {
        let dims = (target.z, target.m);
        let wanted = match target.kind {
            TargetKind::Geometry => self.kind,
            TargetKind::Point => Kind::Point,
            TargetKind::LineString => Kind::LineString,
            TargetKind::Polygon => Kind::Polygon,
            TargetKind::MultiPoint => Kind::MultiPoint,
            TargetKind::MultiLineString => Kind::MultiLineString,
            TargetKind::MultiPolygon => Kind::MultiPolygon,
        };
        if wanted != self.kind && wanted.single() != self.kind && (wanted != self.kind.single() || self.count() != 1) {
            return false;
        }
        self.write_as(wanted, dims, Some(srid), out);
        true
    }

    /// As plain EWKB without SRID, in its own type and dimensions.
    pub fn write_wkb(&self, out: &mut Vec<u8>) {
        self.write_as(self.kind, (self.any_z(), self.any_m()), None, out);
    }

    fn write_as(&self, kind: Kind, dims: (bool, bool), srid: Option<u32>, out: &mut Vec<u8>) {
        head(kind, dims, srid, out);
        match kind {
            Kind::Point => self.put_points(0, self.x.len().min(1), dims, out),
            Kind::LineString => self.put_run(0, self.x.len(), dims, out),
            Kind::Polygon => self.put_polygon(0, self.parts.len(), dims, out),
            Kind::MultiPoint => {
                put_u32(self.x.len(), out);
                for i in 0..self.x.len() {
                    head(Kind::Point, dims, None, out);
                    self.put_points(i, i + 1, dims, out);
                }
            }
            Kind::MultiLineString => {
                put_u32(self.parts.len(), out);
                let mut start = 0;
                for &end in &self.parts {
                    head(Kind::LineString, dims, None, out);
                    self.put_run(start, end as usize, dims, out);
                    start = end as usize;
                }
            }
            Kind::MultiPolygon => {
                put_u32(self.polygons.len(), out);
                let mut first = 0;
                for &end in &self.polygons {
                    head(Kind::Polygon, dims, None, out);
                    self.put_polygon(first, end as usize, dims, out);
                    first = end as usize;
                }
            }
            Kind::Collection => {
                put_u32(self.children.len(), out);
                for child in &self.children {
                    child.write_as(child.kind, dims, None, out);
                }
            }
        }
    }

    fn put_polygon(&self, first: usize, end: usize, dims: (bool, bool), out: &mut Vec<u8>) {
        put_u32(end - first, out);
        for part in first..end {
            let start = if part == 0 { 0 } else { self.parts[part - 1] as usize };
            self.put_run(start, self.parts[part] as usize, dims, out);
        }
    }

    fn put_run(&self, start: usize, end: usize, dims: (bool, bool), out: &mut Vec<u8>) {
        put_u32(end - start, out);
        self.put_points(start, end, dims, out);
    }

    fn put_points(&self, start: usize, end: usize, dims: (bool, bool), out: &mut Vec<u8>) {
        for i in start..end {
            out.extend_from_slice(&self.x[i].to_le_bytes());
            out.extend_from_slice(&self.y[i].to_le_bytes());
            if dims.0 {
                out.extend_from_slice(&self.z.get(i).copied().unwrap_or(0.0).to_le_bytes());
            }
            if dims.1 {
                out.extend_from_slice(&self.m.get(i).copied().unwrap_or(0.0).to_le_bytes());
            }
        }
    }

    /// Reads WKB, ISO or extended. Curves and surfaces must have been made plain before.
    pub fn read_wkb(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let mut cursor = Cursor { bytes, at: 0 };
        self.clear(Kind::Point);
        cursor.geometry(self, 0)
    }
}

fn pad_extend(to: &mut Vec<f64>, from: &[f64], n: usize) {
    to.extend_from_slice(from);
    to.extend(std::iter::repeat_n(0.0, n - from.len().min(n)));
}

fn put_u32(n: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(n as u32).to_le_bytes());
}

fn head(kind: Kind, dims: (bool, bool), srid: Option<u32>, out: &mut Vec<u8>) {
    let mut code = kind as u32;
    if dims.0 {
        code |= 0x8000_0000;
    }
    if dims.1 {
        code |= 0x4000_0000;
    }
    if srid.is_some() {
        code |= 0x2000_0000;
    }
    out.push(1);
    out.extend_from_slice(&code.to_le_bytes());
    if let Some(srid) = srid {
        out.extend_from_slice(&srid.to_le_bytes());
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

const CUT: &str = "the geometry's bytes end too early";

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let slice = self.bytes.get(self.at..self.at + N).ok_or(CUT)?;
        self.at += N;
        slice.try_into().map_err(|_| CUT)
    }
    fn u32(&mut self, little: bool) -> Result<u32, &'static str> {
        let b = self.take::<4>()?;
        Ok(if little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) })
    }
    fn f64(&mut self, little: bool) -> Result<f64, &'static str> {
        let b = self.take::<8>()?;
        Ok(if little { f64::from_le_bytes(b) } else { f64::from_be_bytes(b) })
    }

    fn head(&mut self) -> Result<(bool, Kind, bool, bool), &'static str> {
        let little = self.take::<1>()?[0] == 1;
        let code = self.u32(little)?;
        if code & 0x2000_0000 != 0 {
            self.u32(little)?;
        }
        let iso = code & 0x0fff_ffff;
        let z = code & 0x8000_0000 != 0 || matches!(iso / 1000, 1 | 3);
        let m = code & 0x4000_0000 != 0 || matches!(iso / 1000, 2 | 3);
        let kind = Kind::from_code(iso % 1000).ok_or("a geometry type that is not a simple feature")?;
        Ok((little, kind, z, m))
    }

    fn positions(&mut self, n: usize, little: bool, z: bool, m: bool, to: &mut Geometry) -> Result<(), &'static str> {
        let width = 8 * (2 + usize::from(z) + usize::from(m));
        // Checked before anything is reserved: a count may lie.
        if n.checked_mul(width).is_none_or(|need| self.bytes.len() - self.at < need) {
            return Err(CUT);
        }
        for _ in 0..n {
            to.x.push(self.f64(little)?);
            to.y.push(self.f64(little)?);
            if z {
                to.z.push(self.f64(little)?);
            }
            if m {
                to.m.push(self.f64(little)?);
            }
        }
        Ok(())
    }

    fn run(&mut self, little: bool, z: bool, m: bool, to: &mut Geometry) -> Result<(), &'static str> {
        let n = self.u32(little)? as usize;
        self.positions(n, little, z, m, to)?;
        to.parts.push(to.x.len() as u32);
        Ok(())
    }

    fn rings(&mut self, little: bool, z: bool, m: bool, to: &mut Geometry) -> Result<(), &'static str> {
        for _ in 0..self.u32(little)? {
            self.run(little, z, m, to)?;
        }
        if to.polygons.last().copied().unwrap_or(0) != to.parts.len() as u32 {
            to.polygons.push(to.parts.len() as u32);
        }
        Ok(())
    }

    fn geometry(&mut self, to: &mut Geometry, depth: usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("geometry collections nest too deeply");
        }
        let (little, kind, z, m) = self.head()?;
        (to.kind, to.has_z, to.has_m) = (kind, z, m);
        match kind {
            Kind::Point => {
                self.positions(1, little, z, m, to)?;
                if to.x[0].is_nan() && to.y[0].is_nan() {
                    to.clear(Kind::Point);
                }
            }
            Kind::LineString => {
                self.run(little, z, m, to)?;
                if to.x.is_empty() {
                    to.parts.clear();
                }
            }
            Kind::Polygon => self.rings(little, z, m, to)?,
            Kind::Collection => {
                for _ in 0..self.u32(little)? {
                    let mut child = Geometry::default();
                    self.geometry(&mut child, depth + 1)?;
                    to.children.push(child);
                }
            }
            _ => {
                for _ in 0..self.u32(little)? {
                    let (little, part, z, m) = self.head()?;
                    if part != kind.single() || (z, m) != (to.has_z, to.has_m) {
                        return Err("a multi geometry with parts of another type");
                    }
                    match kind {
                        Kind::MultiPoint => self.positions(1, little, z, m, to)?,
                        Kind::MultiLineString => self.run(little, z, m, to)?,
                        _ => self.rings(little, z, m, to)?,
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(f64, f64)]) -> Geometry {
        let mut g = Geometry { kind: Kind::Polygon, ..Geometry::default() };
        for &(x, y) in points {
            g.x.push(x);
            g.y.push(y);
        }
        g.parts.push(points.len() as u32);
        g.polygons.push(1);
        g
    }

    #[test]
    fn ewkb_comes_back_as_it_went() {
        let g = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]);
        let target = GeometryTarget { kind: TargetKind::MultiPolygon, z: true, m: false };
        let mut bytes = Vec::new();
        assert!(g.write_ewkb(target, 4490, &mut bytes));
        assert_eq!(&bytes[..9], &[1, 6, 0, 0, 0xa0, 0x8a, 0x11, 0, 0]);
        let mut back = Geometry::default();
        back.read_wkb(&bytes).unwrap();
        assert_eq!(back.kind, Kind::MultiPolygon);
        assert_eq!((back.x, back.z), (g.x, vec![0.0; 4]));
    }

    #[test]
    fn an_open_ring_is_closed_and_a_sliver_dropped() {
        let mut g = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        g.x.extend([0.1, 0.2]);
        g.y.extend([0.1, 0.1]);
        g.parts.push(5);
        g.polygons[0] = 2;
        assert!(g.close_and_prune());
        assert_eq!(g.x, [0.0, 1.0, 1.0, 0.0]);
        assert_eq!((g.parts.as_slice(), g.polygons.as_slice()), (&[4][..], &[1][..]));
        let mut point_line =
            Geometry { kind: Kind::LineString, x: vec![1.0], y: vec![1.0], parts: vec![1], ..Geometry::default() };
        assert!(point_line.close_and_prune());
        assert!(point_line.is_empty());
    }

    #[test]
    fn a_lying_count_is_refused() {
        let mut bytes = vec![1, 2, 0, 0, 0];
        bytes.extend(u32::MAX.to_le_bytes());
        assert!(Geometry::default().read_wkb(&bytes).is_err());
    }

    #[test]
    fn types_that_do_not_go_together_write_nothing() {
        let g = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]);
        let mut out = Vec::new();
        assert!(!g.write_ewkb(GeometryTarget { kind: TargetKind::MultiPoint, z: false, m: false }, 4490, &mut out));
        assert!(out.is_empty());
    }
}
