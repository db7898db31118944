//! Geometries in CQL2 text: well-known text, `BBOX` and `ENVELOPE`. Heights are read and left.

use geo::{Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use crate::expr::Literal;
use crate::lexer::Lexeme;
use crate::node::{Node, Term};
use crate::problem::{Problem, Result};
use crate::shape::{line, polygon};
use crate::text::Parser;

const TYPES: [&str; 7] =
    ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"];

impl Parser<'_> {
    /// Whether a geometry's name is followed by its `Z`.
    pub(crate) fn at_geometry(&self) -> bool {
        let after = self.after();
        TYPES.iter().any(|name| self.peek().is_word(name)) && ["Z", "M", "ZM", "EMPTY"].iter().any(|z| after.is_word(z))
    }

    /// The geometry that begins here, if one does.
    pub(crate) fn geometry(&mut self) -> Result<Option<Node>> {
        let at = self.peek().at;
        if self.peek().is_word("BBOX") || self.peek().is_word("ENVELOPE") {
            self.advance();
            self.open()?;
            let mut numbers = vec![self.signed_float()?];
            while self.take_sign(",") {
                numbers.push(self.signed_float()?);
            }
            self.close()?;
            return Ok(Some(Node::leaf(at, Term::Bbox(numbers))));
        }
        if !TYPES.iter().any(|name| self.peek().is_word(name)) {
            return Ok(None);
        }
        let geometry = self.tagged()?;
        Ok(Some(Node::leaf(at, Term::Geometry(Box::new(geometry)))))
    }

    fn tagged(&mut self) -> Result<Geometry> {
        let Some(name) = TYPES.into_iter().find(|name| self.peek().is_word(name)) else {
            return Err(self.unexpected("几何，例如 POINT(116.4 39.9)", "a geometry, such as POINT(116.4 39.9)"));
        };
        self.advance();
        self.take_word("Z");
        Ok(match name {
            "POINT" => Geometry::Point(self.point_text()?),
            "LINESTRING" => Geometry::LineString(self.line_text()?),
            "POLYGON" => Geometry::Polygon(self.polygon_text()?),
            "MULTIPOINT" => Geometry::MultiPoint(MultiPoint(self.several(Self::point_of_several)?)),
            "MULTILINESTRING" => Geometry::MultiLineString(MultiLineString(self.several(Self::line_text)?)),
            "MULTIPOLYGON" => Geometry::MultiPolygon(MultiPolygon(self.several(Self::polygon_text)?)),
            _ => Geometry::GeometryCollection(GeometryCollection(self.several(Self::tagged)?)),
        })
    }

    /// In parentheses, with commas between.
    fn several<T>(&mut self, one: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.open()?;
        let mut all = vec![one(self)?];
        while self.take_sign(",") {
            all.push(one(self)?);
        }
        self.close()?;
        Ok(all)
    }

    fn point_text(&mut self) -> Result<Point> {
        self.open()?;
        let position = self.position()?;
        self.close()?;
        Ok(position.into())
    }

    /// `MULTIPOINT((1 2), (3 4))`, and as many write it: `MULTIPOINT(1 2, 3 4)`.
    fn point_of_several(&mut self) -> Result<Point> {
        if self.peek().is_sign("(") { self.point_text() } else { self.position().map(Point::from) }
    }

    fn line_text(&mut self) -> Result<LineString> {
        let at = self.peek().at;
        line(self.several(Self::position)?).ok_or_else(|| too_few(at))
    }

    fn polygon_text(&mut self) -> Result<Polygon> {
        let at = self.peek().at;
        let rings = self.several(|parser| parser.several(Self::position))?;
        polygon(rings).ok_or_else(|| not_closed(at))
    }

    fn position(&mut self) -> Result<Coord> {
        let (x, y) = (self.signed_float()?, self.signed_float()?);
        if self.peek().lexeme == Lexeme::Number || self.peek().is_sign("-") || self.peek().is_sign("+") {
            self.signed_float()?;
        }
        Ok(Coord { x, y })
    }

    fn signed_float(&mut self) -> Result<f64> {
        let negative = self.take_sign("-");
        if !negative {
            self.take_sign("+");
        }
        Ok(match self.number(negative)? {
            Literal::Integer(value) => value as f64,
            Literal::Float(value) => value,
            _ => f64::NAN,
        })
    }
}

pub(crate) fn too_few(at: usize) -> Problem {
    Problem::new(at, "线至少要有两个点", "a line has two points at least")
}

pub(crate) fn not_closed(at: usize) -> Problem {
    let (zh, en) =
        ("多边形的环至少要有四个点，且首尾相同", "a polygon's ring has four points at least, the last like the first");
    Problem::new(at, zh, en)
}
