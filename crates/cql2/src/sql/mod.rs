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
use crate::expr::{Comparison, Expr, Operand};

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
            Expr::Between { value, low, high } => {
                out.text("(");
                compare::compare(out, value, Comparison::GreaterOrEqual, low);
                out.text(" and ");
                compare::compare(out, value, Comparison::LessOrEqual, high);
                out.text(")");
            }
            Expr::In { value, list } => compare::within(out, value, list),
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
        out.text("(");
        operand::write(out, operand, *kind);
        out.text(match kind {
            Kind::Text => ")::text",
            Kind::Integer => ")::int8",
            Kind::Float => ")::float8",
            Kind::Boolean => ")::bool",
            Kind::Date => ")::date",
            Kind::Timestamp => ")::timestamptz",
        });
        out.text(NAMES[i]);
    }
    out.text(" offset 0) v)");
}
