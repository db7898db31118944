//! The tree as SQL that is true, false or null where the tree is true, false or unknown. Every value is bound.
//!
//! No expression is written more often than a handful of times, whatever it is made of: where a rule needs an operand in
//! several places, a sub-select gives it a name. `offset 0` keeps the planner from putting the operand back in its places,
//! and from working out beforehand what a `case` is there to prevent.

mod compare;
mod number;
mod operand;
mod spatial;

use crate::Kind;
use crate::Sql;
use crate::expr::{Comparison, Expr, Field, Operand};

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
            Expr::Truth(Operand::Literal(literal)) => {
                constant(out, *literal == crate::expr::Literal::Boolean(true));
            }
            Expr::Truth(operand) => operand::write(out, operand, Kind::Boolean),
            Expr::Compare { left, op, right } => compare::compare(out, left, *op, right),
            Expr::Between { value, low, high } => once(out, &[value, low, high], |out, all| {
                out.text("(");
                compare::compare(out, all[0], Comparison::GreaterOrEqual, all[1]);
                out.text(" and ");
                compare::compare(out, all[0], Comparison::LessOrEqual, all[2]);
                out.text(")");
            }),
            Expr::In { value, list } => {
                let all: Vec<&Operand> = std::iter::once(value).chain(list).collect();
                // Beside literals the value stands in one place.
                match list.iter().all(|item| matches!(item, Operand::Literal(_))) {
                    true => compare::within(out, value, &all[1..]),
                    false => once(out, &all, |out, all| compare::within(out, all[0], &all[1..])),
                }
            }
            Expr::Like { value, pattern } => {
                out.text("(");
                operand::write(out, value, Kind::Text);
                out.text(" like ");
                out.bind_text(pattern);
                out.text(")");
            }
            Expr::IsNull(operand) => operand::is_null(out, operand),
            Expr::Spatial(spatial) => spatial::relation(out, spatial),
            Expr::Relation { meaning, .. } => meaning.sql(out),
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

/// A rule over operands that are named `a`, `b`, …: written once each.
fn named(out: &mut dyn Sql, rule: &[&'static str], operands: &[(&Operand, Kind)]) {
    const NAMES: [&str; 3] = [" as a", " as b", " as c"];
    out.text("(select ");
    rule.iter().for_each(|part| out.text(part));
    out.text(" from (select ");
    for (i, (operand, kind)) in operands.iter().enumerate() {
        if i > 0 {
            out.text(", ");
        }
        cast(out, operand, *kind);
        out.text(NAMES[i]);
    }
    out.text(" offset 0) v)");
}

fn cast(out: &mut dyn Sql, operand: &Operand, kind: Kind) {
    out.text("(");
    operand::write(out, operand, kind);
    out.text(match kind {
        Kind::Text => ")::text",
        Kind::Integer => ")::int8",
        Kind::Float => ")::float8",
        Kind::Boolean => ")::bool",
        Kind::Date => ")::date",
        Kind::Timestamp => ")::timestamptz",
    });
}

/// A condition that has the first operand in several places. Unless that is a field or a literal, it and the others that are
/// no literals get names.
fn once(out: &mut dyn Sql, operands: &[&Operand], condition: impl Fn(&mut dyn Sql, &[&Operand])) {
    if matches!(operands[0], Operand::Field(_) | Operand::Literal(_)) {
        return condition(out, operands);
    }
    let mut written: Vec<(&Operand, Kind)> = vec![];
    let mut known: Vec<Operand> = Vec::with_capacity(operands.len());
    for &operand in operands {
        known.push(match operand {
            Operand::Literal(literal) => Operand::Literal(literal.clone()),
            _ => {
                let kind = operand.kind().unwrap_or(Kind::Text);
                written.push((operand, kind));
                Operand::Field(Field { index: written.len() - 1, name: String::new(), kind })
            }
        });
    }
    out.text("(select ");
    condition(&mut Names(&mut *out), &known.iter().collect::<Vec<_>>());
    out.text(" from (select ");
    for (i, (operand, kind)) in written.into_iter().enumerate() {
        if i > 0 {
            out.text(", ");
        }
        cast(out, operand, kind);
        out.text(" as ");
        name(out, i);
    }
    out.text(" offset 0) v)");
}

/// A name of two digits: there are few operands that need one.
fn name(out: &mut dyn Sql, index: usize) {
    const DIGITS: &str = "0123456789";
    for text in ["n", &DIGITS[index / 10..=index / 10], &DIGITS[index % 10..=index % 10]] {
        out.text(text);
    }
}

/// Where fields stand for names.
struct Names<'a>(&'a mut dyn Sql);

impl Sql for Names<'_> {
    fn text(&mut self, sql: &'static str) {
        self.0.text(sql);
    }
    fn field(&mut self, index: usize) {
        name(self.0, index);
    }
    fn geometry(&mut self) {
        self.0.geometry();
    }
    fn meets(&mut self, bounds: [f64; 4]) {
        self.0.meets(bounds);
    }
    fn bind_bytes(&mut self, value: &[u8]) {
        self.0.bind_bytes(value);
    }
    fn bind_text(&mut self, value: &str) {
        self.0.bind_text(value);
    }
    fn bind_int(&mut self, value: i64) {
        self.0.bind_int(value);
    }
    fn bind_float(&mut self, value: f64) {
        self.0.bind_float(value);
    }
    fn bind_bool(&mut self, value: bool) {
        self.0.bind_bool(value);
    }
}

/// How many values the condition binds; what a geometry or a box may need for itself is reckoned in.
pub(crate) fn values(expr: &Expr) -> usize {
    let mut values = Values(0);
    expr.sql(&mut values);
    values.0
}

struct Values(usize);

impl Sql for Values {
    fn text(&mut self, _: &'static str) {}
    fn field(&mut self, _: usize) {}
    fn geometry(&mut self) {
        self.0 += 2;
    }
    fn meets(&mut self, _: [f64; 4]) {
        self.0 += 5;
    }
    fn bind_bytes(&mut self, _: &[u8]) {
        self.0 += 1;
    }
    fn bind_text(&mut self, _: &str) {
        self.0 += 1;
    }
    fn bind_int(&mut self, _: i64) {
        self.0 += 1;
    }
    fn bind_float(&mut self, _: f64) {
        self.0 += 1;
    }
    fn bind_bool(&mut self, _: bool) {
        self.0 += 1;
    }
}
