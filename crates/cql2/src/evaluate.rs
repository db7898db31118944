//! Whether a condition holds for a row, in three-valued logic: `None` is unknown.

use std::borrow::Cow;
use std::cmp::Ordering;

use geo::{Centroid, Geometry, Intersects, Relate};

use crate::arithmetic::{self, Number};
use crate::expr::{Comparison, Expr, Literal, Operand, Other, Spatial, SpatialOp, Subject};
use crate::functions::Function;
use crate::instant::Timestamp;
use crate::{Kind, Row, Value, instant, like, number};

/// A value that is there, ready to be compared.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(Number),
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
            Expr::IsNull(operand) => Some(is_null(operand, row)),
            Expr::Spatial(spatial) => spatial.evaluate(row),
            Expr::Relation { meaning, .. } => meaning.evaluate(row),
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
    match operand {
        // Also when it is of a type that was not promised.
        Operand::Field(field) => row.value(field.index) == Value::Null,
        Operand::Geometry(_) => row.bounds().is_none(),
        Operand::Shape(_) => false,
        other => scalar(other, row).is_none(),
    }
}

/// The operand's value, or nothing if it is missing or not of the type that was promised.
fn scalar<'a>(operand: &'a Operand, row: &'a dyn Row) -> Option<Scalar<'a>> {
    Some(match operand {
        Operand::Field(field) => match (row.value(field.index), field.kind) {
            (Value::Text(text), Kind::Date | Kind::Timestamp) => Scalar::Instant(instant::stored(text)?),
            (Value::Text(text), Kind::Text) => Scalar::Text(text.into()),
            (Value::Integer(value), Kind::Integer | Kind::Float) => Scalar::Number(Number::Integer(value)),
            (Value::Float(value), Kind::Integer | Kind::Float) => Scalar::Number(Number::Float(value)),
            (Value::Boolean(value), Kind::Boolean) => Scalar::Boolean(value),
            _ => return None,
        },
        Operand::Geometry(_) | Operand::Shape(_) => return None,
        Operand::Literal(literal) => match literal {
            Literal::Text(text) => Scalar::Text(text.as_str().into()),
            Literal::Integer(value) => Scalar::Number(Number::Integer(*value)),
            Literal::Float(value) => Scalar::Number(Number::Float(*value)),
            Literal::Boolean(value) => Scalar::Boolean(*value),
            Literal::Date(date) => Scalar::Instant(date.midnight().micros()),
            Literal::Timestamp(timestamp) => Scalar::Instant(timestamp.micros()),
        },
        Operand::Casei(inner) => Scalar::Text(like::fold(&text(inner, row)?).into()),
        Operand::Accenti(inner) => Scalar::Text(like::plain(&text(inner, row)?).into()),
        Operand::Arithmetic { op, left, right } => {
            Scalar::Number(arithmetic::apply(*op, numeric(left, row)?, numeric(right, row)?)?)
        }
        Operand::Call { function, arguments } => call(*function, arguments, row)?,
        Operand::Condition(expr) => Scalar::Boolean(expr.evaluate(row)?),
    })
}

fn text<'a>(operand: &'a Operand, row: &'a dyn Row) -> Option<Cow<'a, str>> {
    match scalar(operand, row)? {
        Scalar::Text(text) => Some(text),
        _ => None,
    }
}

/// A field of floats may come as an integer, and is a float all the same.
fn numeric(operand: &Operand, row: &dyn Row) -> Option<Number> {
    match (scalar(operand, row)?, operand.kind()?) {
        (Scalar::Number(Number::Float(value)), Kind::Integer) => match number::among_integers(value) {
            number::Place::At(value) => Some(Number::Integer(value)),
            _ => None,
        },
        (Scalar::Number(number), Kind::Float) => Some(Number::Float(number.float())),
        (Scalar::Number(number), _) => Some(number),
        _ => None,
    }
}

fn call<'a>(function: Function, arguments: &'a [Operand], row: &'a dyn Row) -> Option<Scalar<'a>> {
    if function.measures(arguments) {
        return None;
    }
    let argument = |i: usize| numeric(arguments.get(i)?, row);
    let whole = |i: usize| match argument(i)? {
        Number::Integer(value) => Some(value),
        Number::Float(_) => None,
    };
    let string = |i: usize| text(arguments.get(i)?, row);
    let joined = |text: String| Some(Scalar::Text(text.into()));
    let numbers = |greatest: bool| {
        let mut all = arguments.iter().map(|argument| numeric(argument, row));
        let first = all.next()??;
        all.try_fold(first, |extreme, next| Some(arithmetic::extreme(extreme, next?, greatest))).map(Scalar::Number)
    };
    match function {
        Function::Lower => joined(string(0)?.to_lowercase()),
        Function::Upper => joined(string(0)?.to_uppercase()),
        Function::Length => Some(Scalar::Number(Number::Integer(string(0)?.chars().count() as i64))),
        Function::Concat => {
            joined(arguments.iter().map(|argument| text(argument, row)).collect::<Option<Vec<_>>>()?.concat())
        }
        Function::Substring => {
            let count = if arguments.len() > 2 { Some(whole(2)?) } else { None };
            joined(substring(&string(0)?, whole(1)?, count)?)
        }
        Function::Trim => joined(string(0)?.trim_matches(WHITE).to_owned()),
        Function::Abs => arithmetic::abs(argument(0)?).map(Scalar::Number),
        Function::Ceil => Some(Scalar::Number(arithmetic::whole(argument(0)?, f64::ceil))),
        Function::Floor => Some(Scalar::Number(arithmetic::whole(argument(0)?, f64::floor))),
        Function::Round => Some(Scalar::Number(arithmetic::whole(argument(0)?, arithmetic::rounded))),
        Function::Sqrt => arithmetic::root(argument(0)?).map(Scalar::Number),
        Function::Min => numbers(false),
        Function::Max => numbers(true),
        Function::Year | Function::Month | Function::Day => {
            let Scalar::Instant(micros) = scalar(arguments.first()?, row)? else { return None };
            let (year, month, day) = Timestamp::civil(micros)?;
            Some(Scalar::Number(Number::Integer(match function {
                Function::Year => year,
                Function::Month => month,
                _ => day,
            })))
        }
        Function::Area | Function::Distance => None,
    }
}

/// What [`Function::Trim`] takes away: the ideographic space too.
pub(crate) const WHITE: [char; 5] = [' ', '\t', '\n', '\r', '\u{3000}'];
/// Texts are not so long; beyond it PostgreSQL's integers end.
const LONGEST: i64 = 1_000_000_000;

/// From the character at `start`, counted from 1; what lies before the first does not count back.
fn substring(text: &str, start: i64, count: Option<i64>) -> Option<String> {
    let start = start.clamp(-LONGEST, LONGEST);
    let end = match count {
        Some(count) if count < 0 => return None,
        Some(count) => start + count.min(LONGEST),
        None => i64::MAX,
    };
    let chars = text.chars().zip(1i64..);
    Some(chars.filter(|(_, place)| (start..end).contains(place)).map(|(c, _)| c).collect())
}

fn compare(left: &Scalar, op: Comparison, right: &Scalar) -> Option<bool> {
    let order = match (left, right) {
        (Scalar::Text(a), Scalar::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Scalar::Number(a), Scalar::Number(b)) => match (a, b) {
            (Number::Integer(a), Number::Integer(b)) => a.cmp(b),
            (Number::Integer(a), Number::Float(b)) => number::mixed(*a, *b),
            (Number::Float(a), Number::Integer(b)) => number::mixed(*b, *a).reverse(),
            (Number::Float(a), Number::Float(b)) => number::floats(*a, *b),
        },
        (Scalar::Boolean(a), Scalar::Boolean(b)) => a.cmp(b),
        (Scalar::Instant(a), Scalar::Instant(b)) => a.cmp(b),
        _ => return None,
    };
    Some(op.holds(order))
}

struct Nothing;

impl Row for Nothing {
    fn value(&self, _: usize) -> Value<'_> {
        Value::Null
    }
}

/// A comparison that no row has a say in.
pub(crate) fn of_literals(left: &Operand, op: Comparison, right: &Operand) -> Option<bool> {
    compare(&scalar(left, &Nothing)?, op, &scalar(right, &Nothing)?)
}

/// The operand's value, if it is the same for all rows and there.
pub(crate) fn folded(operand: Operand) -> Operand {
    let literals = match &operand {
        Operand::Arithmetic { left, right, .. } => {
            [left, right].iter().all(|side| matches!(***side, Operand::Literal(_)))
        }
        Operand::Call { arguments, .. } => arguments.iter().all(|argument| matches!(argument, Operand::Literal(_))),
        _ => false,
    };
    if !literals {
        return operand;
    }
    match scalar(&operand, &Nothing) {
        Some(Scalar::Text(text)) => Operand::Literal(Literal::Text(text.into_owned())),
        Some(Scalar::Number(Number::Integer(value))) => Operand::Literal(Literal::Integer(value)),
        Some(Scalar::Number(Number::Float(value))) => Operand::Literal(Literal::Float(value + 0.0)),
        _ => operand,
    }
}

impl Spatial {
    fn evaluate(&self, row: &dyn Row) -> Option<bool> {
        let bounds = row.bounds()?;
        let Other::Shape(shape) = &self.other else {
            return Some(matches!(
                self.op,
                SpatialOp::Intersects | SpatialOp::Equals | SpatialOp::Within | SpatialOp::Contains
            ));
        };
        // Every relation that is left wants the boxes to meet.
        let meet = |[west, south, east, north]: [f64; 4]| {
            west <= bounds[2] && bounds[0] <= east && south <= bounds[3] && bounds[1] <= north
        };
        match (self.op, &self.subject, shape.bbox()) {
            (SpatialOp::Intersects, Subject::Stored(_), Some(bbox)) => {
                return Some(bbox.parts().any(|part| row.intersects(part)));
            }
            _ if !shape.bounds().is_some_and(meet) => return Some(false),
            _ => {}
        }
        let geometry = row.geometry()?;
        match &self.subject {
            Subject::Stored(_) => relates(self.op, &geometry, shape.geometry()),
            Subject::Centroid(_) => {
                let centroid = geometry.centroid()?;
                relates(self.op, &Geometry::Point(centroid), shape.geometry())
            }
        }
    }
}

/// Of a stored collection only whether it meets something is known.
fn relates(op: SpatialOp, a: &Geometry, b: &Geometry) -> Option<bool> {
    match (op, a) {
        (SpatialOp::Intersects, _) => Some(a.intersects(b)),
        (_, Geometry::GeometryCollection(_)) => None,
        _ => Some(related(op, a, b)),
    }
}

/// By the nine intersections of interiors, boundaries and exteriors.
pub(crate) fn related(op: SpatialOp, a: &Geometry, b: &Geometry) -> bool {
    let matrix = || a.relate(b);
    match op {
        SpatialOp::Intersects => a.intersects(b),
        SpatialOp::Disjoint => !a.intersects(b),
        SpatialOp::Equals => matrix().is_equal_topo(),
        SpatialOp::Touches => matrix().is_touches(),
        SpatialOp::Within => matrix().is_within(),
        SpatialOp::Contains => matrix().is_contains(),
        SpatialOp::Overlaps => matrix().is_overlaps(),
        SpatialOp::Crosses => matrix().is_crosses(),
    }
}

/// What [`Row::intersects`] does unless a row knows better.
pub(crate) fn meets_box(row: &(impl Row + ?Sized), [west, south, east, north]: [f64; 4]) -> bool {
    let Some([w, s, e, n]) = row.bounds() else { return false };
    let apart = e < west || east < w || n < south || north < s;
    let held = west <= w && e <= east && south <= s && n <= north;
    let (low, high) = (geo::Coord { x: west, y: south }, geo::Coord { x: east, y: north });
    held || (!apart && row.geometry().is_some_and(|geometry| geometry.intersects(&geo::Rect::new(low, high))))
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
