//! The tree as text and as JSON: one text for each tree, with the fewest parentheses.

use std::fmt::{Display, Formatter, Result, Write};

use geo::{Coord, Geometry, Polygon};
use serde_json::{Value, json};

use crate::expr::{ArithmeticOp, Literal};
use crate::node::{Node, Op, Term};
use crate::text::Binding;

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.term {
            Term::Op(op, members) => operation(f, *op, members),
            Term::Function(function, members) => {
                f.write_str(function)?;
                listed(f, members)
            }
            Term::Property(property) => name(f, property),
            Term::Literal(literal) => literal.fmt(f),
            Term::Date(text) => write!(f, "DATE('{text}')"),
            Term::Timestamp(text) => write!(f, "TIMESTAMP('{text}')"),
            Term::Interval(ends) => {
                f.write_str("INTERVAL")?;
                listed(f, ends)
            }
            Term::Array(items) => listed(f, items),
            Term::Geometry(geometry) => well_known(f, geometry),
            Term::Bbox(numbers) => {
                f.write_str("BBOX")?;
                in_parentheses(f, numbers, |f, number| write!(f, "{number:?}"))
            }
        }
    }
}

fn binding(node: &Node) -> Option<Binding> {
    match &node.term {
        Term::Op(op, _) => match op {
            Op::Or => Some(Binding::Or),
            Op::And => Some(Binding::And),
            Op::Not => Some(Binding::Not),
            Op::Compare(_) | Op::Like | Op::Between | Op::In | Op::IsNull => Some(Binding::Predicate),
            Op::Arithmetic(op) => Some(match op {
                ArithmeticOp::Add | ArithmeticOp::Subtract => Binding::Sum,
                ArithmeticOp::Power => Binding::Power,
                _ => Binding::Product,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// In parentheses if it binds less strongly than is wanted.
fn within(f: &mut Formatter<'_>, node: &Node, least: Binding) -> Result {
    match binding(node).is_some_and(|own| own < least) {
        true => write!(f, "({node})"),
        false => node.fmt(f),
    }
}

fn operation(f: &mut Formatter<'_>, op: Op, members: &[Node]) -> Result {
    match (op, members) {
        (Op::And, _) => joined(f, members, " AND ", |f, member| within(f, member, Binding::Not)),
        (Op::Or, _) => joined(f, members, " OR ", |f, member| within(f, member, Binding::And)),
        (Op::Not, [inner]) => {
            f.write_str("NOT ")?;
            within(f, inner, Binding::Predicate)
        }
        (Op::Compare(op), [left, right]) => infix(f, left, op.name(), right),
        (Op::Like, [value, pattern]) => infix(f, value, "LIKE", pattern),
        (Op::In, [value, list]) => infix(f, value, "IN", list),
        (Op::Between, [value, low, high]) => {
            infix(f, value, "BETWEEN", low)?;
            f.write_str(" AND ")?;
            within(f, high, Binding::Sum)
        }
        (Op::IsNull, [value]) => {
            within(f, value, Binding::Sum)?;
            f.write_str(" IS NULL")
        }
        (Op::Arithmetic(op), [left, right]) => {
            let (own, tighter) = match op {
                ArithmeticOp::Add | ArithmeticOp::Subtract => (Binding::Sum, Binding::Product),
                // Of powers there is no row.
                ArithmeticOp::Power => (Binding::Power, Binding::Power),
                _ => (Binding::Product, Binding::Power),
            };
            let grouped = |f: &mut Formatter<'_>, node: &Node, least: Binding| match binding(node) {
                Some(Binding::Power) if own == Binding::Power => write!(f, "({node})"),
                _ => within(f, node, least),
            };
            grouped(f, left, own)?;
            write!(f, " {} ", op.name())?;
            grouped(f, right, tighter)
        }
        _ => {
            op.name().chars().try_for_each(|c| f.write_char(c.to_ascii_uppercase()))?;
            listed(f, members)
        }
    }
}

fn infix(f: &mut Formatter<'_>, left: &Node, sign: &str, right: &Node) -> Result {
    within(f, left, Binding::Sum)?;
    write!(f, " {sign} ")?;
    within(f, right, Binding::Sum)
}

fn listed(f: &mut Formatter<'_>, members: &[Node]) -> Result {
    in_parentheses(f, members, |f, member| member.fmt(f))
}

fn in_parentheses<T>(f: &mut Formatter<'_>, all: &[T], each: impl FnMut(&mut Formatter<'_>, &T) -> Result) -> Result {
    f.write_str("(")?;
    joined(f, all, ", ", each)?;
    f.write_str(")")
}

fn joined<T>(
    f: &mut Formatter<'_>,
    members: &[T],
    between: &str,
    mut each: impl FnMut(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    for (i, member) in members.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        each(f, member)?;
    }
    Ok(())
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Literal::Text(text) => quoted(f, text),
            Literal::Integer(value) => value.fmt(f),
            // With a point or an exponent, so that it is read as a float again.
            Literal::Float(value) => write!(f, "{value:?}"),
            Literal::Boolean(true) => f.write_str("TRUE"),
            Literal::Boolean(false) => f.write_str("FALSE"),
            Literal::Date(date) => write!(f, "DATE('{date}')"),
            Literal::Timestamp(timestamp) => write!(f, "TIMESTAMP('{timestamp}')"),
        }
    }
}

fn name(f: &mut Formatter<'_>, name: &str) -> Result {
    write!(f, "\"{}\"", name.replace('"', "\"\""))
}

/// Backslashes before a quote, the closing one too, are written twice: there alone they are escapes.
fn quoted(f: &mut Formatter<'_>, text: &str) -> Result {
    f.write_str("'")?;
    let mut parts = text.split('\'').peekable();
    while let Some(part) = parts.next() {
        f.write_str(part)?;
        f.write_str(&part[part.trim_end_matches('\\').len()..])?;
        if parts.peek().is_some() {
            f.write_str("''")?;
        }
    }
    f.write_str("'")
}

fn well_known(f: &mut Formatter<'_>, geometry: &Geometry) -> Result {
    let positions = |f: &mut Formatter<'_>, coords: &[Coord]| {
        in_parentheses(f, coords, |f, Coord { x, y }| write!(f, "{x:?} {y:?}"))
    };
    let rings = |f: &mut Formatter<'_>, polygon: &Polygon| {
        let rings: Vec<_> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
        in_parentheses(f, &rings, |f, ring| positions(f, &ring.0))
    };
    match geometry {
        Geometry::Point(point) => {
            f.write_str("POINT")?;
            positions(f, &[point.0])
        }
        Geometry::LineString(line) => {
            f.write_str("LINESTRING")?;
            positions(f, &line.0)
        }
        Geometry::Polygon(polygon) => {
            f.write_str("POLYGON")?;
            rings(f, polygon)
        }
        Geometry::MultiPoint(points) => {
            f.write_str("MULTIPOINT")?;
            in_parentheses(f, &points.0, |f, point| positions(f, &[point.0]))
        }
        Geometry::MultiLineString(lines) => {
            f.write_str("MULTILINESTRING")?;
            in_parentheses(f, &lines.0, |f, line| positions(f, &line.0))
        }
        Geometry::MultiPolygon(polygons) => {
            f.write_str("MULTIPOLYGON")?;
            in_parentheses(f, &polygons.0, rings)
        }
        Geometry::GeometryCollection(all) => {
            f.write_str("GEOMETRYCOLLECTION")?;
            in_parentheses(f, &all.0, well_known)
        }
        // The reader makes no others.
        _ => Ok(()),
    }
}

impl Node {
    pub(crate) fn json(&self) -> Value {
        let all = |members: &[Node]| members.iter().map(Node::json).collect::<Vec<_>>();
        match &self.term {
            Term::Op(op, members) => json!({"op": op.name(), "args": all(members)}),
            Term::Function(function, members) => json!({"op": function, "args": all(members)}),
            Term::Property(property) => json!({"property": property}),
            Term::Literal(literal) => match literal {
                Literal::Text(text) => json!(text),
                Literal::Integer(value) => json!(value),
                Literal::Float(value) => json!(value),
                Literal::Boolean(value) => json!(value),
                Literal::Date(date) => json!({"date": date.to_string()}),
                Literal::Timestamp(timestamp) => json!({"timestamp": timestamp.to_string()}),
            },
            Term::Date(text) => json!({"date": text}),
            Term::Timestamp(text) => json!({"timestamp": text}),
            Term::Interval(ends) => json!({"interval": all(ends)}),
            Term::Array(items) => json!(all(items)),
            Term::Geometry(geometry) => geojson(geometry),
            Term::Bbox(numbers) => json!({"bbox": numbers}),
        }
    }
}

fn geojson(geometry: &Geometry) -> Value {
    let positions = |coords: &[Coord]| coords.iter().map(|c| json!([c.x, c.y])).collect::<Vec<_>>();
    let rings = |polygon: &Polygon| {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        rings.map(|ring| json!(positions(&ring.0))).collect::<Vec<_>>()
    };
    match geometry {
        Geometry::Point(point) => json!({"type": "Point", "coordinates": [point.x(), point.y()]}),
        Geometry::LineString(line) => json!({"type": "LineString", "coordinates": positions(&line.0)}),
        Geometry::Polygon(polygon) => json!({"type": "Polygon", "coordinates": rings(polygon)}),
        Geometry::MultiPoint(points) => {
            let all: Vec<_> = points.iter().map(|p| json!([p.x(), p.y()])).collect();
            json!({"type": "MultiPoint", "coordinates": all})
        }
        Geometry::MultiLineString(lines) => {
            let all: Vec<_> = lines.iter().map(|line| positions(&line.0)).collect();
            json!({"type": "MultiLineString", "coordinates": all})
        }
        Geometry::MultiPolygon(polygons) => {
            let all: Vec<_> = polygons.iter().map(rings).collect();
            json!({"type": "MultiPolygon", "coordinates": all})
        }
        Geometry::GeometryCollection(all) => {
            json!({"type": "GeometryCollection", "geometries": all.iter().map(geojson).collect::<Vec<_>>()})
        }
        _ => Value::Null,
    }
}
