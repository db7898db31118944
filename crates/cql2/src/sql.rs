//! The tree as SQL that is true, false or null where the tree is true, false or unknown. Every value is bound.

use std::cmp::Ordering;

use crate::evaluate::of_literals;
use crate::expr::{Comparison, Expr, Field, Literal, Operand};
use crate::number::{Place, among_floats, among_integers};
use crate::{Kind, Sql};

impl Expr {
    /// Writes the condition, in parentheses where it needs them beside others.
    pub fn sql(&self, out: &mut dyn Sql) {
        match self {
            Expr::And(members) => joined(out, " and ", members, |out, member| member.sql(out)),
            Expr::Or(members) => joined(out, " or ", members, |out, member| member.sql(out)),
            Expr::Not(inner) => {
                out.text("(not ");
                inner.sql(out);
                out.text(")");
            }
            Expr::Truth(Operand::Literal(literal)) => constant(out, *literal == Literal::Boolean(true)),
            Expr::Truth(operand) => write(out, operand, Kind::Boolean),
            Expr::Compare { left, op, right } => compare(out, left, *op, right),
            Expr::Between { value, low, high } => {
                out.text("(");
                compare(out, value, Comparison::GreaterOrEqual, low);
                out.text(" and ");
                compare(out, value, Comparison::LessOrEqual, high);
                out.text(")");
            }
            Expr::In { value, list } => within(out, value, list),
            Expr::Like { value, pattern } => {
                out.text("(");
                write(out, value, Kind::Text);
                out.text(" like ");
                out.bind_text(pattern);
                out.text(")");
            }
            Expr::IsNull(operand) => is_null(out, operand),
            Expr::Intersects { bbox, .. } => {
                let parts: Vec<_> = bbox.parts().collect();
                joined(out, " or ", &parts, |out, part| intersects(out, *part));
            }
        }
    }
}

fn joined<T>(out: &mut dyn Sql, between: &'static str, members: &[T], each: impl Fn(&mut dyn Sql, &T)) {
    out.text("(");
    for (i, member) in members.iter().enumerate() {
        if i > 0 {
            out.text(between);
        }
        each(out, member);
    }
    out.text(")");
}

fn constant(out: &mut dyn Sql, truth: bool) {
    out.text(if truth { "true" } else { "false" });
}

/// The same truth for every value of the operand; null for null.
fn unless_null(out: &mut dyn Sql, operand: &Operand, kind: Kind, truth: bool) {
    out.text("(");
    write(out, operand, kind);
    out.text(if truth { " = " } else { " <> " });
    write(out, operand, kind);
    out.text(")");
}

/// An operand as a value of the kind; dates can be written as timestamps.
fn write(out: &mut dyn Sql, operand: &Operand, kind: Kind) {
    match operand {
        Operand::Field(Field { index, kind: Kind::Date, .. }) if kind == Kind::Timestamp => {
            out.text("(");
            out.field(*index);
            out.text("::timestamp at time zone 'UTC')");
        }
        Operand::Field(field) => out.field(field.index),
        Operand::Geometry(_) => out.geometry(),
        Operand::Literal(literal) => bind(out, literal, kind),
        // As `like::fold` does it.
        Operand::Casei(inner) => {
            out.text("replace(translate(lower(");
            write(out, inner, Kind::Text);
            out.text("), 'ςſ', 'σs'), 'ß', 'ss')");
        }
    }
}

fn bind(out: &mut dyn Sql, literal: &Literal, kind: Kind) {
    match literal {
        Literal::Text(text) => out.bind_text(text),
        Literal::Integer(value) => out.bind_int(*value),
        Literal::Float(value) => out.bind_float(*value),
        Literal::Boolean(value) => out.bind_bool(*value),
        Literal::Date(date) if kind == Kind::Timestamp => {
            out.bind_text(&date.midnight().to_string());
            out.text("::timestamptz");
        }
        Literal::Date(date) => {
            out.bind_text(&date.to_string());
            out.text("::date");
        }
        Literal::Timestamp(timestamp) => {
            out.bind_text(&timestamp.to_string());
            out.text("::timestamptz");
        }
    }
}

fn compare(out: &mut dyn Sql, left: &Operand, op: Comparison, right: &Operand) {
    match (left.field(), right.field()) {
        (None, None) => match of_literals(left, op, right) {
            Some(truth) => constant(out, truth),
            None => out.text("null::bool"),
        },
        (None, Some(_)) => compare(out, right, op.flipped(), left),
        (Some(_), _) => match (left.kind(), right.kind(), right) {
            (Some(Kind::Integer), _, Operand::Literal(Literal::Float(value))) => {
                placed(out, left, Kind::Integer, op, among_integers(*value), |out, value| out.bind_int(value));
            }
            (Some(Kind::Float), _, Operand::Literal(Literal::Integer(value))) => {
                placed(out, left, Kind::Float, op, among_floats(*value), |out, value| out.bind_float(value));
            }
            (Some(Kind::Integer), Some(Kind::Float), _) => mixed_fields(out, left, op, right),
            (Some(Kind::Float), Some(Kind::Integer), _) => mixed_fields(out, right, op.flipped(), left),
            (left_kind, right_kind, _) => {
                let kind = if right_kind == Some(Kind::Timestamp) { right_kind } else { left_kind };
                plain(out, left, op, right, kind.unwrap_or(Kind::Text));
            }
        },
    }
}

/// Both sides are of one type.
fn plain(out: &mut dyn Sql, left: &Operand, op: Comparison, right: &Operand, kind: Kind) {
    out.text("(");
    write(out, left, kind);
    // Whether texts are equal is not for their collation to say, unless two columns' differ; so an index serves.
    let equality = matches!(op, Comparison::Equal | Comparison::NotEqual) && right.field().is_none();
    if kind == Kind::Text && !equality {
        out.text(" collate \"C\"");
    }
    out.text(" ");
    out.text(op.sign());
    out.text(" ");
    write(out, right, kind);
    out.text(")");
}

/// A number field beside a literal of the other type, compared within the field's own type: no digit
/// is lost, and its index serves.
fn placed<T>(
    out: &mut dyn Sql,
    field: &Operand,
    kind: Kind,
    op: Comparison,
    place: Place<T>,
    bind: fn(&mut dyn Sql, T),
) {
    let (op, value) = match (place, op) {
        (Place::At(value), op) => (op, value),
        (Place::After(_), Comparison::Equal | Comparison::NotEqual) => {
            return unless_null(out, field, kind, op == Comparison::NotEqual);
        }
        (Place::After(value), Comparison::Less | Comparison::LessOrEqual) => (Comparison::LessOrEqual, value),
        (Place::After(value), Comparison::Greater | Comparison::GreaterOrEqual) => (Comparison::Greater, value),
        (Place::BelowAll, op) => return unless_null(out, field, kind, op.holds(Ordering::Greater)),
        (Place::AboveAll, op) => return unless_null(out, field, kind, op.holds(Ordering::Less)),
    };
    out.text("(");
    write(out, field, kind);
    out.text(" ");
    out.text(op.sign());
    out.text(" ");
    bind(out, value);
    out.text(")");
}

/// An integer column beside a float column. PostgreSQL would round the integers to floats.
fn mixed_fields(out: &mut dyn Sql, integer: &Operand, op: Comparison, float: &Operand) {
    // 2^63 and above, NaN too, is beyond every integer; what remains has a floor that is one.
    let template = "(case when {i} is null or {f} is null then null when {f} >= 9223372036854775808 then -1 \
        when {f} < -9223372036854775808 then 1 when {i} < floor({f})::int8 then -1 when {i} > floor({f})::int8 then 1 \
        when {f} > floor({f}) then -1 else 0 end ";
    for part in template.split_inclusive('}') {
        let (words, operand, kind) = match (part.strip_suffix("{i}"), part.strip_suffix("{f}")) {
            (Some(words), _) => (words, integer, Kind::Integer),
            (_, Some(words)) => (words, float, Kind::Float),
            _ => {
                out.text(part);
                continue;
            }
        };
        out.text(words);
        write(out, operand, kind);
    }
    out.text(op.sign());
    out.text(" 0)");
}

/// One `in` for the literals of the operand's own type, and a comparison for each other item.
fn within(out: &mut dyn Sql, value: &Operand, list: &[Operand]) {
    let kind = value.field().and(value.kind());
    let (mut listed, mut others) = (Vec::new(), Vec::new());
    for item in list {
        match (kind, item) {
            (Some(kind), Operand::Literal(literal)) => match fitting(kind, literal) {
                Some(literal) => listed.push(literal),
                None => others.push(item),
            },
            _ => others.push(item),
        }
    }
    out.text("(");
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
    }
    for (i, item) in others.into_iter().enumerate() {
        if i > 0 || !listed.is_empty() {
            out.text(" or ");
        }
        compare(out, value, Comparison::Equal, item);
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

fn is_null(out: &mut dyn Sql, operand: &Operand) {
    match operand {
        Operand::Literal(_) => constant(out, false),
        Operand::Geometry(_) => {
            out.text("(");
            out.geometry();
            out.text(" is null)");
        }
        Operand::Field(field) => {
            out.text("(");
            out.field(field.index);
            out.text(" is null)");
        }
        Operand::Casei(inner) => is_null(out, inner),
    }
}

/// A box without width or height is a line or a point: as a polygon it would be invalid.
fn intersects(out: &mut dyn Sql, [west, south, east, north]: [f64; 4]) {
    out.text("st_intersects(");
    out.geometry();
    let numbers = |out: &mut dyn Sql, numbers: &[f64]| {
        for (i, number) in numbers.iter().enumerate() {
            if i > 0 {
                out.text(", ");
            }
            out.bind_float(*number);
        }
    };
    match (west == east, south == north) {
        (false, false) => {
            out.text(", st_makeenvelope(");
            numbers(out, &[west, south, east, north]);
            out.text(", 4490))");
        }
        (true, true) => {
            out.text(", st_setsrid(st_makepoint(");
            numbers(out, &[west, south]);
            out.text("), 4490))");
        }
        _ => {
            out.text(", st_setsrid(st_makeline(st_makepoint(");
            numbers(out, &[west, south]);
            out.text("), st_makepoint(");
            numbers(out, &[east, north]);
            out.text(")), 4490))");
        }
    }
}
