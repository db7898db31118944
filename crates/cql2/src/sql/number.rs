//! Arithmetic as `arithmetic.rs` has it: a result, or null; never an error.

use super::named;
use super::operand::write;
use crate::expr::{ArithmeticOp, Operand};
use crate::functions::Function;
use crate::{Kind, Sql};

const USABLE: &str = "case when (a = 0 or abs(a) between float8 '1e-300' and float8 '1e300') \
    and (b = 0 or abs(b) between float8 '1e-300' and float8 '1e300') then ";
const QUOTIENT: &str =
    "case when b = 0 then null when a = 0 then 0 when abs(log(abs(a)) - log(abs(b))) < 300 then a / b end";

pub(super) fn arithmetic(out: &mut dyn Sql, op: ArithmeticOp, left: &Operand, right: &Operand) {
    let whole = |operand: &Operand| operand.kind() == Some(Kind::Integer);
    if whole(left) && whole(right) && !matches!(op, ArithmeticOp::Divide | ArithmeticOp::Power) {
        return integers(out, op, left, right);
    }
    let rule: &[&str] = match op {
        ArithmeticOp::Add => &["a + b"],
        ArithmeticOp::Subtract => &["a - b"],
        ArithmeticOp::Multiply => {
            &["case when a = 0 or b = 0 then 0 when abs(log(abs(a)) + log(abs(b))) < 300 then a * b end"]
        }
        ArithmeticOp::Divide => &[QUOTIENT],
        ArithmeticOp::Whole => &["trunc(", QUOTIENT, ")"],
        ArithmeticOp::Remainder => &["a - b * trunc(", QUOTIENT, ")"],
        ArithmeticOp::Power => &[
            "case when a = 0 then case when b > 0 then 0 when b = 0 then 1 end when a < 0 and b <> floor(b) then null \
             when abs(b * log(abs(a))) < 300 then power(a, b) end",
        ],
    };
    let rule = [&[USABLE], rule, &[" end"]].concat();
    named(out, &rule, &[(left, Kind::Float), (right, Kind::Float)]);
}

fn integers(out: &mut dyn Sql, op: ArithmeticOp, left: &Operand, right: &Operand) {
    // In numbers of any length, and back if it fits.
    let fits = "case when a::numeric ";
    let rule: &[&str] = match op {
        ArithmeticOp::Whole => &["case when b = 0 or (b = -1 and a = -9223372036854775808) then null else a / b end"],
        ArithmeticOp::Remainder => &["case when b = 0 then null when b = -1 then a - a else a % b end"],
        op => {
            &[fits, op.name(), " b between -9223372036854775808 and 9223372036854775807 then a ", op.name(), " b end"]
        }
    };
    named(out, rule, &[(left, Kind::Integer), (right, Kind::Integer)]);
}

pub(super) fn of_one(out: &mut dyn Sql, function: Function, operand: &Operand, kind: Kind) {
    match (function, kind) {
        (Function::Abs, Kind::Integer) => {
            named(out, &["case when a > -9223372036854775808 then abs(a) end"], &[(operand, kind)]);
        }
        (Function::Abs, _) => {
            out.text("abs(");
            write(out, operand, kind);
            out.text(")");
        }
        (Function::Sqrt, _) => {
            // NaN is above all.
            named(out, &["case when a >= 0 and a <= float8 'infinity' then sqrt(a) end"], &[(operand, Kind::Float)]);
        }
        (_, Kind::Integer) => write(out, operand, kind),
        _ => {
            let rule = "case when abs(a) > 1e15 then a else sign(a) * floor(abs(a) + 0.5) end";
            named(out, &[rule], &[(operand, Kind::Float)]);
        }
    }
}

/// Null if one of them is: `least` and `greatest` would look at the others.
pub(super) fn extreme(out: &mut dyn Sql, greatest: bool, operands: &[Operand], kind: Kind) {
    let (function, cast) =
        (if greatest { "max" } else { "min" }, if kind == Kind::Integer { "::int8" } else { "::float8" });
    for part in ["(select case when count(*) = count(x) then ", function, "(x) end from (values "] {
        out.text(part);
    }
    for (i, operand) in operands.iter().enumerate() {
        out.text(if i > 0 { ", ((" } else { "((" });
        write(out, operand, kind);
        out.text(")");
        out.text(cast);
        out.text(")");
    }
    out.text(") v(x))");
}
