//! Operands as values of a type.

use super::{constant, named, number, spatial};
use crate::evaluate::WHITE;
use crate::expr::{Field, Literal, Operand};
use crate::functions::Function;
use crate::like::{MARKS, STROKES};
use crate::{Kind, Sql};

/// An operand as a value of the kind; dates can be written as timestamps.
pub(super) fn write(out: &mut dyn Sql, operand: &Operand, kind: Kind) {
    match operand {
        Operand::Field(Field { index, kind: Kind::Date, .. }) if kind == Kind::Timestamp => {
            out.text("(");
            out.field(*index);
            out.text("::timestamp at time zone 'UTC')");
        }
        Operand::Field(field) => out.field(field.index),
        Operand::Geometry(subject) => spatial::subject(out, subject),
        Operand::Shape(shape) => spatial::bind(out, shape),
        Operand::Literal(literal) => bind(out, literal, kind),
        // As `like::fold` does it. ICU's letters are Unicode's, whatever the database's locale.
        Operand::Casei(inner) => {
            out.text("(replace(translate(lower(");
            write(out, inner, Kind::Text);
            out.text(" collate \"und-x-icu\"), 'ςſ', 'σs'), 'ß', 'ss') collate \"C\")");
        }
        // As `like::plain` does it.
        Operand::Accenti(inner) => {
            out.text("normalize(translate(regexp_replace(normalize(");
            write(out, inner, Kind::Text);
            for part in [", nfd), '", MARKS, "', '', 'g'), '", STROKES[0], "', '", STROKES[1], "'), nfc)"] {
                out.text(part);
            }
        }
        Operand::Arithmetic { op, left, right } => number::arithmetic(out, *op, left, right),
        Operand::Call { function, arguments } => call(out, *function, arguments),
        Operand::Condition(expr) => expr.sql(out),
    }
}

pub(super) fn bind(out: &mut dyn Sql, literal: &Literal, kind: Kind) {
    match literal {
        Literal::Text(text) => out.bind_text(text),
        // A number beside others takes their type.
        Literal::Integer(value) if kind == Kind::Float => out.bind_float(*value as f64),
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

pub(super) fn is_null(out: &mut dyn Sql, operand: &Operand) {
    if matches!(operand, Operand::Literal(_) | Operand::Shape(_)) {
        return constant(out, false);
    }
    out.text("(");
    write(out, operand, operand.kind().unwrap_or(Kind::Text));
    out.text(" is null)");
}

fn call(out: &mut dyn Sql, function: Function, arguments: &[Operand]) {
    let Some(first) = arguments.first() else { return out.text("null") };
    let between = |out: &mut dyn Sql, before: &'static str, kind: Kind, after: &'static str| {
        out.text(before);
        write(out, first, kind);
        out.text(after);
    };
    let returns = function.returns(arguments);
    match function {
        Function::Lower => between(out, "(lower(", Kind::Text, " collate \"und-x-icu\") collate \"C\")"),
        Function::Upper => between(out, "(upper(", Kind::Text, " collate \"und-x-icu\") collate \"C\")"),
        Function::Trim => {
            debug_assert_eq!(WHITE.len(), 5);
            between(out, "btrim(", Kind::Text, ", E' \\t\\n\\r\\u3000')");
        }
        Function::Length if first.kind().is_some() => between(out, "char_length(", Kind::Text, ")::int8"),
        Function::Length | Function::Area | Function::Distance => spatial::measure(out, function, arguments),
        Function::Concat => super::joined(out, " || ", arguments, |out, text| write(out, text, Kind::Text)),
        Function::Substring => substring(out, arguments),
        Function::Ceil | Function::Floor if returns == Kind::Integer => write(out, first, returns),
        Function::Ceil => between(out, "ceil(", Kind::Float, ")"),
        Function::Floor => between(out, "floor(", Kind::Float, ")"),
        Function::Min | Function::Max => number::extreme(out, function == Function::Max, arguments, returns),
        Function::Abs | Function::Round | Function::Sqrt => number::of_one(out, function, first, returns),
        Function::Year => part(out, "year", first),
        Function::Month => part(out, "month", first),
        Function::Day => part(out, "day", first),
    }
}

fn substring(out: &mut dyn Sql, arguments: &[Operand]) {
    let kinds = [Kind::Text, Kind::Integer, Kind::Integer];
    let operands: Vec<(&Operand, Kind)> = arguments.iter().zip(kinds).collect();
    let rule = match arguments.len() {
        2 => "case when b is not null then substring(a from greatest(least(b, 1000000000), -1000000000)::int4) end",
        _ => {
            "case when b is not null and c >= 0 then \
             substring(a from greatest(least(b, 1000000000), -1000000000)::int4 for least(c, 1000000000)::int4) end"
        }
    };
    named(out, &[rule], &operands);
}

fn part(out: &mut dyn Sql, part: &'static str, time: &Operand) {
    let rule = ["case when isfinite(a) then extract(", part, " from a at time zone 'UTC')::int8 end"];
    named(out, &rule, &[(time, Kind::Timestamp)]);
}
