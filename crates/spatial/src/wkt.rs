//! Well-known text (OGC 06-103r4, 7.2.2). Heights and measures are read and left; an SRID before it is passed over.

use geo::{Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

/// Collections in collections deeper than this are refused.
const DEEPEST: u8 = 8;

/// The geometry that a text says; none when it says none.
pub fn read(text: &str) -> Option<Geometry> {
    let text = text.trim();
    let text = match text.get(..5) {
        Some(head) if head.eq_ignore_ascii_case("SRID=") => text.split_once(';')?.1,
        _ => text,
    };
    let mut reader = Reader { rest: text };
    let geometry = reader.geometry(0)?;
    reader.skip();
    reader.rest.is_empty().then_some(geometry)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn sign(&mut self, sign: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        self.skip();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let word = self.rest[..end].to_ascii_uppercase();
        self.rest = &self.rest[end..];
        word
    }

    fn geometry(&mut self, depth: u8) -> Option<Geometry> {
        let name = self.word();
        let before = self.rest;
        if !matches!(&self.word()[..], "Z" | "M" | "ZM") {
            self.rest = before;
        }
        let name = name.strip_suffix("ZM").or_else(|| name.strip_suffix('Z')).unwrap_or(&name);
        Some(match name {
            "POINT" => match self.positions()?[..] {
                [] => Geometry::MultiPoint(MultiPoint(vec![])),
                [one] => Geometry::Point(one.into()),
                _ => return None,
            },
            "LINESTRING" => Geometry::LineString(LineString(self.positions()?)),
            "POLYGON" => Geometry::Polygon(self.polygon()?),
            "MULTIPOINT" => Geometry::MultiPoint(MultiPoint(self.list(|reader| reader.point_of_several())?)),
            "MULTILINESTRING" => {
                Geometry::MultiLineString(MultiLineString(self.list(|reader| reader.positions().map(LineString))?))
            }
            "MULTIPOLYGON" => Geometry::MultiPolygon(MultiPolygon(self.list(Self::polygon)?)),
            "GEOMETRYCOLLECTION" if depth < DEEPEST => {
                Geometry::GeometryCollection(GeometryCollection(self.list(|reader| reader.geometry(depth + 1))?))
            }
            _ => return None,
        })
    }

    /// In brackets with commas between, or EMPTY.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        if !self.sign('(') {
            return (self.word() == "EMPTY").then(Vec::new);
        }
        let mut all = vec![one(self)?];
        while self.sign(',') {
            all.push(one(self)?);
        }
        self.sign(')').then_some(all)
    }

    fn positions(&mut self) -> Option<Vec<Coord>> {
        self.list(Self::position)
    }

    fn point_of_several(&mut self) -> Option<Point> {
        if !self.sign('(') {
            return self.position().map(Point::from);
        }
        let position = self.position()?;
        self.sign(')').then_some(position.into())
    }

    /// As it stands: `Polygon::new` would close an open ring without a word.
    fn polygon(&mut self) -> Option<Polygon> {
        let rings = self.list(Self::positions)?;
        Some(crate::geojson::polygon(rings))
    }

    fn position(&mut self) -> Option<Coord> {
        let (x, y) = (self.number()?, self.number()?);
        while self.number().is_some() {}
        Some(Coord { x, y })
    }

    fn number(&mut self) -> Option<f64> {
        self.skip();
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(self.rest.len());
        let value = self.rest[..end].parse().ok()?;
        self.rest = &self.rest[end..];
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_databases_write_them() {
        for (text, same) in [
            ("POINT(120.5 36)", "Point"),
            ("SRID=4490;POINT Z (120.5 36 7)", "Point"),
            ("PointZ(1 2 3)", "Point"),
            ("LINESTRING(1 2, 3 4.5e0)", "LineString"),
            ("POLYGON((0 0,1 0,1 1,0 0),(.1 .1,.2 .1,.2 .2,.1 .1))", "Polygon"),
            ("MULTIPOINT(1 2, 3 4)", "MultiPoint"),
            ("MULTIPOINT((1 2), (3 4))", "MultiPoint"),
            ("MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "MultiPolygon"),
            ("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))", "GeometryCollection"),
        ] {
            let geometry = read(text).unwrap_or_else(|| panic!("{text}"));
            assert!(format!("{geometry:?}").to_uppercase().starts_with(&same.to_uppercase()), "{text}: {geometry:?}");
        }
        for text in
            ["", "POINT", "POINT(1)", "POINT(1 2", "POINT(1 2) x", "CIRCLE(1 2)", "POINT(1 2, 3 4)", "POLYGON(0 0)"]
        {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&"GEOMETRYCOLLECTION(".repeat(100)).is_none());
    }
}
