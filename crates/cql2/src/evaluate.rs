//! Whether a condition holds for a row, in three-valued logic: `None` is unknown.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::expr::{Comparison, Expr, Literal, Operand};
use crate::{Kind, Row, Value, instant, like, number};

/// A value that is there, ready to be compared.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Microseconds since 1970.
    Instant(i64),
}

impl Expr {
    /// True, false, or unknown.
    pub fn evaluate(&self, row: &dyn Row) -> Option<bool> {
        match self {
            Expr::And(members) => all(members.iter().map(|member| member.evaluate(row))),
            Expr::Or(members) => either(members.iter().map(|member| member.evaluate(row))),
            Expr::Not(inner) => inner.evaluate(row).map(|truth| !truth),
            Expr::Truth(operand) => match scalar(operand, row)? {
                Scalar::Boolean(truth) => Some(truth),
                _ => None,
            },
            Expr::Compare { left, op, right } => compare(&scalar(left, row)?, *op, &scalar(right, row)?),
            Expr::Between { value, low, high } => {
                let value = scalar(value, row)?;
                let against = |bound, op| scalar(bound, row).and_then(|bound| compare(&value, op, &bound));
                all([against(low, Comparison::GreaterOrEqual), against(high, Comparison::LessOrEqual)].into_iter())
            }
            Expr::In { value, list } => {
                let value = scalar(value, row)?;
                either(list.iter().map(|item| compare(&value, Comparison::Equal, &scalar(item, row)?)))
            }
            Expr::Like { value, pattern } => match scalar(value, row)? {
                Scalar::Text(text) => Some(like::like(&text, pattern)),
                _ => None,
            },
            Expr::IsNull(Operand::Geometry(_)) => Some(!row.has_geometry()),
            Expr::IsNull(operand) => Some(is_null(operand, row)),
            Expr::Intersects { bbox, .. } => row.has_geometry().then(|| bbox.parts().any(|part| row.intersects(part))),
        }
    }
}

/// One that is false makes it false; otherwise one that is unknown makes it unknown.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for truth in truths {
        match truth {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

/// One that is true makes it true; otherwise one that is unknown makes it unknown.
fn either(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(truths.map(|truth| truth.map(|truth| !truth))).map(|truth| !truth)
}

fn is_null(operand: &Operand, row: &dyn Row) -> bool {
    operand.field().is_some_and(|field| row.value(field.index) == Value::Null)
}

/// The operand's value, or nothing if it is missing or not of the type that was promised.
fn scalar<'a>(operand: &'a Operand, row: &'a dyn Row) -> Option<Scalar<'a>> {
    Some(match operand {
        Operand::Field(field) => match (row.value(field.index), field.kind) {
            (Value::Text(text), Kind::Date | Kind::Timestamp) => Scalar::Instant(instant::stored(text)?),
            (Value::Text(text), Kind::Text) => Scalar::Text(text.into()),
            (Value::Integer(value), Kind::Integer | Kind::Float) => Scalar::Integer(value),
            (Value::Float(value), Kind::Integer | Kind::Float) => Scalar::Float(value),
            (Value::Boolean(value), Kind::Boolean) => Scalar::Boolean(value),
            _ => return None,
        },
        Operand::Geometry(_) => return None,
        Operand::Literal(literal) => match literal {
            Literal::Text(text) => Scalar::Text(text.as_str().into()),
            Literal::Integer(value) => Scalar::Integer(*value),
            Literal::Float(value) => Scalar::Float(*value),
            Literal::Boolean(value) => Scalar::Boolean(*value),
            Literal::Date(date) => Scalar::Instant(date.midnight().micros()),
            Literal::Timestamp(timestamp) => Scalar::Instant(timestamp.micros()),
        },
        Operand::Casei(inner) => match scalar(inner, row)? {
            Scalar::Text(text) => Scalar::Text(like::fold(&text).into()),
            _ => return None,
        },
    })
}

fn compare(left: &Scalar, op: Comparison, right: &Scalar) -> Option<bool> {
    let order = match (left, right) {
        (Scalar::Text(a), Scalar::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Scalar::Integer(a), Scalar::Integer(b)) => a.cmp(b),
        (Scalar::Integer(a), Scalar::Float(b)) => number::mixed(*a, *b),
        (Scalar::Float(a), Scalar::Integer(b)) => number::mixed(*b, *a).reverse(),
        (Scalar::Float(a), Scalar::Float(b)) => number::floats(*a, *b),
        (Scalar::Boolean(a), Scalar::Boolean(b)) => a.cmp(b),
        (Scalar::Instant(a), Scalar::Instant(b)) => a.cmp(b),
        _ => return None,
    };
    Some(op.holds(order))
}

/// A comparison that no row has a say in.
pub(crate) fn of_literals(left: &Operand, op: Comparison, right: &Operand) -> Option<bool> {
    struct Nothing;
    impl Row for Nothing {
        fn value(&self, _: usize) -> Value<'_> {
            Value::Null
        }
        fn intersects(&self, _: [f64; 4]) -> bool {
            false
        }
    }
    compare(&scalar(left, &Nothing)?, op, &scalar(right, &Nothing)?)
}

impl Comparison {
    /// Whether it is true of two values in this order.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}
