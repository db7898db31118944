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
//!     fn intersects(&self, _: [f64; 4]) -> bool {
//!         false
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
//! Offered: comparisons, `AND`, `OR`, `NOT`, `IN`, `BETWEEN`, `LIKE` (`%`, `_`, escaped by `\`), `IS NULL`, `CASEI`,
//! `DATE`, `TIMESTAMP` and `S_INTERSECTS` with a `BBOX`. Arithmetic, other functions and geometry literals are
//! refused by name.
//!
//! What a filter means is the same in [`Filter::matches`] and in [`Filter::sql`]:
//! - Logic has three values. A comparison with a missing value is unknown, and only what is true matches.
//! - Texts compare by their bytes; [`Expr::Like`] counts characters.
//! - Whole and floating numbers compare by their exact values; NaN equals itself and is above every number.
//! - Dates and timestamps compare as instants, a date being the beginning of its day in UTC.
//! - A quote within a text is `''` or `\'`. Before a quote, the closing one too, `\\` stands for one backslash;
//!   elsewhere backslashes are themselves.

mod canonical;
mod check;
mod evaluate;
mod expr;
mod functions;
mod instant;
mod lexer;
mod like;
mod number;
mod parse;
mod problem;
mod sql;

use std::collections::BTreeSet;

pub use expr::{Bbox, Comparison, Expr, Field, Literal, Operand};
pub use instant::{Date, Timestamp};
pub use parse::{MAX_BYTES, MAX_DEPTH, parse, parse_json};
pub use problem::Problem;

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
    /// Whether the geometry meets the box: west, south, east, north in degrees, west not above east.
    fn intersects(&self, bbox: [f64; 4]) -> bool;
    /// A row without a geometry neither meets a box nor lies apart from it: that is unknown.
    fn has_geometry(&self) -> bool {
        true
    }
}

/// Where a filter is written as SQL. The text that comes here is made of constants; values come as binds only.
pub trait Sql {
    fn text(&mut self, sql: &'static str);
    /// The column, of type text, int8 (or narrower), float8, bool, date or timestamptz as the field's kind says.
    fn field(&mut self, index: usize);
    /// The geometry column, in EPSG:4490.
    fn geometry(&mut self);
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

    /// CQL2 text that is equal for equal trees and parses to the same tree.
    pub fn canonical(&self) -> String {
        self.expr.to_string()
    }

    /// The fields it looks at.
    pub fn fields(&self) -> BTreeSet<usize> {
        self.expr.fields()
    }

    /// Writes the filter as one SQL condition in parentheses.
    pub fn sql(&self, out: &mut dyn Sql) {
        self.expr.sql(out);
    }
}
