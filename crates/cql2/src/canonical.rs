//! The tree as CQL2 text: one text for each tree, with the fewest parentheses.

use std::fmt::{Display, Formatter, Result};

use crate::expr::{Bbox, Expr, Literal, Operand};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Expr::And(members) => joined(f, members, " AND ", |f, member| match member {
                Expr::Or(_) => write!(f, "({member})"),
                _ => member.fmt(f),
            }),
            Expr::Or(members) => joined(f, members, " OR ", |f, member| member.fmt(f)),
            Expr::Not(inner) => match **inner {
                Expr::And(_) | Expr::Or(_) => write!(f, "NOT ({inner})"),
                _ => write!(f, "NOT {inner}"),
            },
            Expr::Truth(operand) => operand.fmt(f),
            Expr::Compare { left, op, right } => write!(f, "{left} {} {right}", op.sign()),
            Expr::Between { value, low, high } => write!(f, "{value} BETWEEN {low} AND {high}"),
            Expr::In { value, list } => {
                write!(f, "{value} IN (")?;
                joined(f, list, ", ", |f, item| item.fmt(f))?;
                f.write_str(")")
            }
            Expr::Like { value, pattern } => {
                write!(f, "{value} LIKE ")?;
                quoted(f, pattern)
            }
            Expr::IsNull(operand) => write!(f, "{operand} IS NULL"),
            Expr::Intersects { geometry, bbox: Bbox { west, south, east, north } } => {
                f.write_str("S_INTERSECTS(")?;
                name(f, geometry)?;
                write!(f, ", BBOX({west:?}, {south:?}, {east:?}, {north:?}))")
            }
        }
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Operand::Field(field) => name(f, &field.name),
            Operand::Geometry(geometry) => name(f, geometry),
            Operand::Literal(literal) => literal.fmt(f),
            Operand::Casei(inner) => write!(f, "CASEI({inner})"),
        }
    }
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
