//! The functions: instants, texts without case, and the one spatial predicate.

use crate::check::{self, Placed};
use crate::expr::{Bbox, Expr, Literal, Operand};
use crate::lexer::{Lexeme, Token};
use crate::parse::{Node, Parser, operand};
use crate::problem::{Problem, Result, shorten};

const GEOMETRIES: [&str; 7] =
    ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"];

impl Parser<'_> {
    /// A name before a parenthesis.
    pub(crate) fn function(&mut self, token: &Token) -> Result<Node> {
        let name = token.text.to_ascii_uppercase();
        let at = token.at;
        let operand = match name.as_str() {
            "DATE" => Operand::Literal(self.instant(check::date)?),
            "TIMESTAMP" => Operand::Literal(self.instant(check::timestamp)?),
            "CASEI" => {
                self.advance();
                self.open()?;
                let value = operand(self.operand()?)?;
                self.close()?;
                check::casei(value)?
            }
            "S_INTERSECTS" => return Ok(Node::Condition(at, Box::new(self.intersects()?))),
            "ACCENTI" | "INTERVAL" | "BBOX" | "ENVELOPE" => return Err(Problem::unsupported(at, &name)),
            _ if GEOMETRIES.contains(&name.as_str()) => return Err(Problem::unsupported(at, &name)),
            _ if ["S_", "T_", "A_"].iter().any(|kind| name.starts_with(kind)) => {
                return Err(Problem::unsupported(at, &shorten(&name)));
            }
            _ => {
                let shown = shorten(token.text);
                return Err(Problem::new(at, format!("没有函数 {shown}"), format!("there is no function {shown}")));
            }
        };
        Ok(Node::Operand(Placed { at, operand }))
    }

    /// `DATE('…')` or `TIMESTAMP('…')`.
    fn instant(&mut self, read: fn(usize, &str) -> Result<Literal>) -> Result<Literal> {
        self.advance();
        self.open()?;
        let Token { at, lexeme, .. } = self.peek().clone();
        let Lexeme::Text(text) = lexeme else {
            return Err(self.unexpected("单引号中的日期", "a date in quotes"));
        };
        self.advance();
        let literal = read(at, &text)?;
        self.close()?;
        Ok(literal)
    }

    /// `S_INTERSECTS(geometry, BBOX(…))`, either way round.
    fn intersects(&mut self) -> Result<Expr> {
        self.advance();
        self.open()?;
        let (geometry, bbox);
        if self.at_bbox() {
            bbox = self.bbox()?;
            self.expect_sign(",")?;
            geometry = self.geometry()?;
        } else {
            geometry = self.geometry()?;
            self.expect_sign(",")?;
            bbox = self.bbox()?;
        }
        self.close()?;
        Ok(Expr::Intersects { geometry, bbox })
    }

    fn at_bbox(&self) -> bool {
        (self.peek().is_word("BBOX") || self.peek().is_word("ENVELOPE")) && self.after().is_sign("(")
    }

    fn geometry(&mut self) -> Result<String> {
        let Placed { at, operand } = operand(self.operand()?)?;
        match operand {
            Operand::Geometry(name) => Ok(name),
            _ => Err(Problem::new(at, "S_INTERSECTS 需要几何字段", "S_INTERSECTS wants a geometry field here")),
        }
    }

    /// Four numbers, or six of which the heights are ignored.
    fn bbox(&mut self) -> Result<Bbox> {
        let Token { at, text, .. } = self.peek().clone();
        if GEOMETRIES.iter().any(|name| self.peek().is_word(name)) {
            return Err(Problem::unsupported(at, &text.to_ascii_uppercase()));
        }
        if !self.at_bbox() {
            return Err(self.unexpected("BBOX(西,南,东,北)", "BBOX(west,south,east,north)"));
        }
        self.advance();
        self.open()?;
        let mut numbers = Vec::new();
        while numbers.is_empty() || self.take_sign(",") {
            numbers.push(match self.signed_number()? {
                Literal::Integer(value) => value as f64,
                Literal::Float(value) => value,
                _ => f64::NAN,
            });
        }
        self.close()?;
        let (west, south, east, north) = match numbers[..] {
            [west, south, east, north] | [west, south, _, east, north, _] => (west, south, east, north),
            _ => return Err(Problem::new(at, "BBOX 需要 4 或 6 个数字", "BBOX takes four or six numbers")),
        };
        let inside = west.abs() <= 180.0 && east.abs() <= 180.0 && south >= -90.0 && north <= 90.0;
        if !inside || south > north {
            let (zh, en) = ("BBOX 应为 西,南,东,北，单位为度", "BBOX takes west,south,east,north in degrees");
            return Err(Problem::new(at, zh, en));
        }
        Ok(Bbox { west, south, east, north })
    }
}
