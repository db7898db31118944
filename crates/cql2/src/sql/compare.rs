//! Comparisons. The column stays bare, and the literal takes the column's type, so that an index on the column serves.

use std::cmp::Ordering;

use super::operand::{bind, write};
use super::{constant, named};
use crate::evaluate::of_literals;
use crate::expr::{Comparison, Literal, Operand};
use crate::number::{Place, among_floats, among_integers};
use crate::{Kind, Sql};

fn is_literal(operand: &Operand) -> bool {
    matches!(operand, Operand::Literal(_))
}

pub(super) fn compare(out: &mut dyn Sql, left: &Operand, op: Comparison, right: &Operand) {
    match (is_literal(left), is_literal(right)) {
        (true, true) => match of_literals(left, op, right) {
            Some(truth) => constant(out, truth),
            None => out.text("null::bool"),
        },
        (true, false) => compare(out, right, op.flipped(), left),
        _ => match (left.kind(), right.kind(), right) {
            (Some(Kind::Integer), _, Operand::Literal(Literal::Float(value))) => {
                placed(out, left, Kind::Integer, op, among_integers(*value), |out, value| out.bind_int(value));
            }
            (Some(Kind::Float), _, Operand::Literal(Literal::Integer(value))) => {
                placed(out, left, Kind::Float, op, among_floats(*value), |out, value| out.bind_float(value));
            }
            (Some(Kind::Integer), Some(Kind::Float), _) => mixed(out, left, op, right),
            (Some(Kind::Float), Some(Kind::Integer), _) => mixed(out, right, op.flipped(), left),
            (left_kind, right_kind, _) => {
                let kind = if right_kind == Some(Kind::Timestamp) { right_kind } else { left_kind };
                plain(out, left, op, right, kind.unwrap_or(Kind::Text));
            }
        },
    }
}

/// The same truth for every value of the operand; null for null.
fn unless_null(out: &mut dyn Sql, operand: &Operand, kind: Kind, truth: bool) {
    out.text("(");
    write(out, operand, kind);
    out.text(if truth { " is not null or null)" } else { " is null and null)" });
}

/// Both sides are of one type.
fn plain(out: &mut dyn Sql, left: &Operand, op: Comparison, right: &Operand, kind: Kind) {
    out.text("(");
    write(out, left, kind);
    // Whether texts are equal is not for their collation to say, unless two columns' differ; so an index serves.
    let equality = matches!(op, Comparison::Equal | Comparison::NotEqual) && is_literal(right);
    if kind == Kind::Text && !equality {
        out.text(" collate \"C\"");
    }
    out.text(" ");
    out.text(op.name());
    out.text(" ");
    write(out, right, kind);
    out.text(")");
}

/// A number beside a literal of the other type, compared within its own type: no digit is lost, and an index serves.
fn placed<T>(
    out: &mut dyn Sql,
    operand: &Operand,
    kind: Kind,
    op: Comparison,
    place: Place<T>,
    bind: fn(&mut dyn Sql, T),
) {
    let (op, value) = match (place, op) {
        (Place::At(value), op) => (op, value),
        (Place::After(_), Comparison::Equal | Comparison::NotEqual) => {
            return unless_null(out, operand, kind, op == Comparison::NotEqual);
        }
        (Place::After(value), Comparison::Less | Comparison::LessOrEqual) => (Comparison::LessOrEqual, value),
        (Place::After(value), Comparison::Greater | Comparison::GreaterOrEqual) => (Comparison::Greater, value),
        (Place::BelowAll, op) => return unless_null(out, operand, kind, op.holds(Ordering::Greater)),
        (Place::AboveAll, op) => return unless_null(out, operand, kind, op.holds(Ordering::Less)),
    };
    out.text("(");
    write(out, operand, kind);
    out.text(" ");
    out.text(op.name());
    out.text(" ");
    bind(out, value);
    out.text(")");
}

/// An integer beside a float. PostgreSQL would round the integers to floats. 2^63 and above, NaN too, is beyond every
/// integer; what remains has a floor that is one.
fn mixed(out: &mut dyn Sql, integer: &Operand, op: Comparison, float: &Operand) {
    let order = "case when a is null or b is null then null when b >= 9223372036854775808 then -1 \
        when b < -9223372036854775808 then 1 when a < floor(b)::int8 then -1 when a > floor(b)::int8 then 1 \
        when b > floor(b) then -1 else 0 end ";
    named(out, &[order, op.name(), " 0"], &[(integer, Kind::Integer), (float, Kind::Float)]);
}

/// One `in` for the literals of the operand's own type, one answer for those that it never is, a comparison for each other item.
pub(super) fn within(out: &mut dyn Sql, value: &Operand, list: &[&Operand]) {
    let kind = if is_literal(value) { None } else { value.kind() };
    let (mut listed, mut others, mut never) = (Vec::new(), Vec::new(), false);
    for &item in list {
        match (kind, item) {
            (Some(kind), Operand::Literal(literal)) => match fitting(kind, literal) {
                Some(literal) => listed.push(literal),
                None if matches!(kind, Kind::Integer | Kind::Float) => never = true,
                None => others.push(item),
            },
            _ => others.push(item),
        }
    }
    out.text("(");
    let mut between = "";
    if let (Some(kind), false) = (kind, listed.is_empty()) {
        write(out, value, kind);
        out.text(" in (");
        for (i, literal) in listed.iter().enumerate() {
            if i > 0 {
                out.text(", ");
            }
            bind(out, literal, kind);
        }
        out.text(")");
        between = " or ";
    }
    if let (Some(kind), true, true) = (kind, never, listed.is_empty()) {
        unless_null(out, value, kind, false);
        between = " or ";
    }
    for item in others {
        out.text(between);
        compare(out, value, Comparison::Equal, item);
        between = " or ";
    }
    out.text(")");
}

/// The literal as one of a column's type, if that holds it exactly.
fn fitting(kind: Kind, literal: &Literal) -> Option<Literal> {
    match (kind, literal) {
        (Kind::Integer, Literal::Float(value)) => match among_integers(*value) {
            Place::At(value) => Some(Literal::Integer(value)),
            _ => None,
        },
        (Kind::Float, Literal::Integer(value)) => match among_floats(*value) {
            Place::At(value) => Some(Literal::Float(value)),
            _ => None,
        },
        (Kind::Timestamp, Literal::Date(_)) => Some(literal.clone()),
        _ => (literal.kind() == kind).then(|| literal.clone()),
    }
}
