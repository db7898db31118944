//! Well-known text (OGC 06-103r4) of a geometry.

use crate::shape::{Kind, Shape};

/// Appends the geometry's text with so many decimal places at most.
pub fn write(out: &mut Vec<u8>, shape: &Shape, decimals: usize) {
    out.extend_from_slice(shape.kind.name().as_bytes());
    if shape.has_z() {
        out.extend_from_slice(b" Z");
    }
    out.push(b' ');
    if shape.is_empty() {
        out.extend_from_slice(b"EMPTY");
        return;
    }
    let pen = Pen { shape, decimals };
    match shape.kind {
        Kind::Point => pen.positions(out, 0..1),
        Kind::Line => pen.positions(out, 0..shape.positions.len()),
        Kind::MultiPoint => list(out, 0..shape.positions.len(), |out, i| pen.positions(out, i..i + 1)),
        Kind::MultiLine | Kind::Polygon => list(out, shape.lines(), |out, line| pen.positions(out, line)),
        Kind::MultiPolygon => list(out, shape.rings_of_polygons(), |out, rings| {
            list(out, rings, |out, ring| pen.positions(out, shape.line(ring)));
        }),
        Kind::Collection => list(out, &shape.members, |out, member| write(out, member, decimals)),
    }
}

struct Pen<'a> {
    shape: &'a Shape,
    decimals: usize,
}

impl Pen<'_> {
    fn positions(&self, out: &mut Vec<u8>, range: std::ops::Range<usize>) {
        list(out, range, |out, i| {
            let [x, y] = self.shape.positions[i];
            number(out, x, self.decimals);
            out.push(b' ');
            number(out, y, self.decimals);
            if let Some(z) = self.shape.heights.get(i) {
                out.push(b' ');
                number(out, *z, 4);
            }
        });
    }
}

fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'(');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        each(out, item);
    }
    out.push(b')');
}

/// A coordinate, rounded.
pub fn number(out: &mut Vec<u8>, value: f64, decimals: usize) {
    let scale = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9][decimals.min(9)];
    let rounded = (value * scale).round() / scale;
    let value = if rounded.is_finite() { rounded } else { value };
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use geozero::{CoordDimensions, ToGeo, ToWkb, wkt::Wkt};

    use super::*;

    #[test]
    fn it_is_read_back_by_another() {
        for text in [
            "POINT(120.123456789 36)",
            "LINESTRING(0 0,1.5 2)",
            "POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,1 2,2 2,2 1,1 1))",
            "MULTIPOINT((0 0),(1 1))",
            "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))",
            "MULTIPOLYGON(((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1)),((9 9,10 9,10 10,9 9)))",
            "GEOMETRYCOLLECTION(POINT(1 2),POLYGON((0 0,4 0,4 4,0 0)))",
        ] {
            let geometry = Wkt(text).to_geo().unwrap();
            let mut shape = Shape::default();
            shape.read(&geometry.to_ewkb(CoordDimensions::xy(), None).unwrap()).unwrap();
            let mut out = vec![];
            write(&mut out, &shape, 9);
            let again = String::from_utf8(out).unwrap();
            assert_eq!(Wkt(&again).to_geo().unwrap(), geometry, "{again}");
        }
    }

    #[test]
    fn heights_and_nothing() {
        let mut out = vec![];
        let shape = Shape { positions: vec![[1.0, 2.0]], heights: vec![3.5], ..Shape::default() };
        write(&mut out, &shape, 9);
        out.push(b'|');
        write(&mut out, &Shape { kind: Kind::MultiPolygon, ..Shape::default() }, 9);
        assert_eq!(out, b"POINT Z (1 2 3.5)|MULTIPOLYGON EMPTY");
    }
}
