//! CQL2 text (OGC 21-065r2): parsed and typed once, then evaluated over rows or written as SQL with bound values.
//!
//! ```
//! use onemap_cql2::{Kind, Row, Schema, Value, parse};
//!
//! struct Houses;
//! impl Schema for Houses {
//!     fn field(&self, name: &str) -> Option<(usize, Kind)> {
//!         (name == "楼层").then_some((0, Kind::Integer))
//!     }
//!     fn is_geometry(&self, _: &str) -> bool {
//!         false
//!     }
//! }
//! struct House(i64);
//! impl Row for House {
//!     fn value(&self, _: usize) -> Value<'_> {
//!         Value::Integer(self.0)
//!     }
//! }
//!
//! let tall = parse("楼层 > 6.5 and not (楼层 = 13)", &Houses).unwrap();
//! assert!(tall.matches(&House(7)));
//! assert!(!tall.matches(&House(13)));
//! assert_eq!(tall.canonical(), r#""楼层" > 6.5 AND NOT "楼层" = 13"#);
//! assert_eq!(parse("層 = 1", &Houses).unwrap_err().at, 0);
//! ```
//!
//! Offered is all of the standard: comparisons, `LIKE`, `BETWEEN`, `IN`, `CASEI`, `ACCENTI`, arithmetic, the spatial,
//! temporal and array functions, property beside property, and the functions of [`FUNCTIONS`]; as text and as JSON.
//!
//! What a filter means is the same in [`Filter::matches`] and in [`Filter::sql`]:
//! - Logic has three values. A comparison with a missing value is unknown, and only what is true matches.
//! - Texts compare by their bytes; [`Expr::Like`] counts characters.
//! - Whole and floating numbers compare by their exact values; NaN equals itself and is above every number.
//! - Dates and timestamps compare as instants, a date being the beginning of its day in UTC.
//! - What arithmetic has no result for (a division by zero, a number too large) is unknown, and so is what comes of it.
//! - Accents are left out by canonical decomposition, letters with a stroke (ø, ł) counting as those without.
//! - Geometries are related in degrees, as a plane. A literal of several kinds of geometry is taken kind by kind.
//! - An interval has both its ends in it; `..` is an open one.
//! - A quote within a text is `''` or `\'`. Before a quote, the closing one too, `\\` stands for one backslash;
//!   elsewhere backslashes are themselves.

mod arithmetic;
mod check;
mod evaluate;
mod expr;
mod functions;
mod instant;
mod json;
mod lexer;
mod like;
mod node;
mod number;
mod problem;
mod said;
mod shape;
mod sql;
mod text;
mod wkt;
mod write;

use std::collections::BTreeSet;

pub use expr::{
    ArithmeticOp, ArrayOp, Comparison, Expr, Field, Item, Literal, Operand, Other, Period, Place, Relation, Spatial,
    SpatialOp, Subject, TemporalOp,
};
pub use functions::{Argument, FUNCTIONS, Function, Signature};
pub use instant::{Date, Timestamp};
pub use problem::Problem;
pub use shape::{Bbox, Shape, Written};

/// The longest text that is read.
pub const MAX_BYTES: usize = 32 * 1024;
/// The most parentheses within parentheses, or operations within operations.
pub const MAX_DEPTH: usize = 100;

/// Reads a filter in CQL2 text over the schema's fields.
pub fn parse(text: &str, schema: &dyn Schema) -> Result<Filter, Problem> {
    Syntax::read(text).and_then(|syntax| check::check(&syntax.0, schema))
}

/// Reads a filter in CQL2 JSON over the schema's fields.
pub fn parse_json(text: &str, schema: &dyn Schema) -> Result<Filter, Problem> {
    not_too_long(text)?;
    json::read(text, |node| check::check(&node, schema))
}

fn not_too_long(text: &str) -> Result<(), Problem> {
    if text.len() > MAX_BYTES {
        let (zh, en) = ("过滤条件过长，最多 32 KiB", "the filter is too long: at most 32 KiB are read");
        return Err(Problem::new(MAX_BYTES, zh, en));
    }
    Ok(())
}

/// A filter as it was written: no name in it has been looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Syntax(node::Node);

impl Syntax {
    /// Reads CQL2 text.
    pub fn read(text: &str) -> Result<Syntax, Problem> {
        not_too_long(text)?;
        text::read(text).map(Syntax)
    }

    /// Reads CQL2 JSON.
    pub fn read_json(text: &str) -> Result<Syntax, Problem> {
        not_too_long(text)?;
        json::read(text, Ok).map(Syntax)
    }

    pub fn text(&self) -> String {
        self.0.to_string()
    }

    pub fn json(&self) -> serde_json::Value {
        self.0.json()
    }
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    Integer,
    Float,
    Boolean,
    Date,
    Timestamp,
}

/// The fields that a filter may speak of. What is not in it does not exist.
pub trait Schema {
    /// The index by which a [`Row`] is asked, and the type.
    fn field(&self, name: &str) -> Option<(usize, Kind)>;
    fn is_geometry(&self, name: &str) -> bool;
    /// The fields' names, to suggest one that is close to a name that is unknown.
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
    /// Longitude and latitude in degrees of a place as the filter writes it.
    fn position(&self, written: [f64; 2]) -> Option<[f64; 2]> {
        Some(written)
    }
    /// Whether a box of the filter's reference system is one in degrees too.
    fn keeps_boxes(&self) -> bool {
        true
    }
    /// What `now()` stands for.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A row's value. Dates are ISO 8601 text (`2024-05-01`), and so are timestamps, in UTC (`2024-05-01T08:30:00Z`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

/// What a filter is asked about.
pub trait Row {
    fn value(&self, field: usize) -> Value<'_>;
    /// West, south, east, north of the geometry in degrees. A row without one is related to nothing, nor not related.
    fn bounds(&self) -> Option<[f64; 4]> {
        None
    }
    /// In degrees.
    fn geometry(&self) -> Option<geo::Geometry> {
        None
    }
    /// Whether the geometry meets the box: west, south, east, north in degrees, west not above east.
    fn intersects(&self, bbox: [f64; 4]) -> bool {
        evaluate::meets_box(self, bbox)
    }
}

/// Where a filter is written as SQL. The text that comes here is made of constants; values come as binds only.
pub trait Sql {
    fn text(&mut self, sql: &'static str);
    /// The column, of type text, int8 (or narrower), float8, bool, date or timestamptz as the field's kind says.
    fn field(&mut self, index: usize);
    /// The geometry that the row shows, in EPSG:4490.
    fn geometry(&mut self);
    /// Whether the box of the stored geometry meets this one (west, south, east, north), in a way that its index serves.
    fn meets(&mut self, bounds: [f64; 4]);
    /// A placeholder of type bytea.
    fn bind_bytes(&mut self, value: &[u8]);
    /// A placeholder of type text, with its cast if one is needed to say so. The others likewise: int8, float8, bool.
    fn bind_text(&mut self, value: &str);
    fn bind_int(&mut self, value: i64);
    fn bind_float(&mut self, value: f64);
    fn bind_bool(&mut self, value: bool);
}

/// A filter whose every name and type has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    expr: Expr,
    now: bool,
}

impl Filter {
    /// The tree, for back ends that go through it themselves.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// True for the row: neither false nor unknown.
    pub fn matches(&self, row: &dyn Row) -> bool {
        self.expr.evaluate(row) == Some(true)
    }

    /// CQL2 text that is equal for equal trees and parses to the same tree. Its coordinates are degrees, longitude first.
    pub fn canonical(&self) -> String {
        self.expr.to_string()
    }

    /// The same as CQL2 JSON.
    pub fn json(&self) -> serde_json::Value {
        self.expr.said().json()
    }

    /// The fields it looks at.
    pub fn fields(&self) -> BTreeSet<usize> {
        self.expr.fields()
    }

    /// Whether the time of the request is in it: the same text will mean another filter.
    pub fn depends_on_now(&self) -> bool {
        self.now
    }

    /// Whether [`Filter::matches`] says the same of a geometry that is true to a centimetre as of the geometry itself, but
    /// for that centimetre. It does not for measures, nor where edges have to meet exactly.
    pub fn is_robust(&self) -> bool {
        self.expr.is_robust()
    }

    /// The filter with each place of its geometries moved, for rows whose own places are.
    pub fn moved(&self, place: &dyn Fn([f64; 2]) -> [f64; 2]) -> Filter {
        let mut expr = self.expr.clone();
        expr.each_shape(&mut |shape| *shape = std::sync::Arc::new(shape.moved(place)));
        Filter { expr, now: self.now }
    }

    /// Both at once. They must speak of the same fields by the same numbers.
    pub fn and(self, other: Filter) -> Filter {
        Filter { expr: Expr::and(vec![self.expr, other.expr]), now: self.now || other.now }
    }

    /// Writes the filter as one SQL condition in parentheses.
    pub fn sql(&self, out: &mut dyn Sql) {
        self.expr.sql(out);
    }
}

impl std::fmt::Display for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.said().fmt(f)
    }
}
