//! Arithmetic that has a result or none. What has none (a division by zero, what a number type cannot hold) is unknown.
//!
//! Floats have a range that both back ends keep to, well within their own: what is nearer to zero than 10^-300 or beyond
//! 10^300 is reckoned with by neither, so that no machine's way with the last numbers is seen.

use std::cmp::Ordering;

use crate::expr::ArithmeticOp;
use crate::number;

const MOST: f64 = 1e300;
const LEAST: f64 = 1e-300;

/// A number that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    pub fn float(self) -> f64 {
        match self {
            Number::Integer(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

/// In range, or zero.
fn usable(value: f64) -> bool {
    value == 0.0 || (LEAST..=MOST).contains(&value.abs())
}

pub(crate) fn apply(op: ArithmeticOp, a: Number, b: Number) -> Option<Number> {
    use ArithmeticOp::{Add, Divide, Multiply, Power, Remainder, Subtract, Whole};
    match (op, a, b) {
        (Divide | Power, ..) => floats(op, a.float(), b.float()).map(Number::Float),
        (_, Number::Integer(a), Number::Integer(b)) => match op {
            Add => a.checked_add(b),
            Subtract => a.checked_sub(b),
            Multiply => a.checked_mul(b),
            Whole => a.checked_div(b),
            // Of the least number by -1 nothing remains, though the quotient is too large.
            Remainder => {
                if b == 0 {
                    None
                } else {
                    Some(a.wrapping_rem(b))
                }
            }
            Divide | Power => None,
        }
        .map(Number::Integer),
        _ => floats(op, a.float(), b.float()).map(Number::Float),
    }
}

fn floats(op: ArithmeticOp, a: f64, b: f64) -> Option<f64> {
    if !usable(a) || !usable(b) {
        return None;
    }
    let result = match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Subtract => a - b,
        ArithmeticOp::Multiply if a == 0.0 || b == 0.0 => 0.0,
        ArithmeticOp::Multiply => within(a.abs().log10() + b.abs().log10(), a * b)?,
        ArithmeticOp::Divide => quotient(a, b)?,
        ArithmeticOp::Whole => quotient(a, b)?.trunc(),
        ArithmeticOp::Remainder => a - b * quotient(a, b)?.trunc(),
        ArithmeticOp::Power => power(a, b)?,
    };
    Some(result + 0.0)
}

/// The result, if it is of an order of magnitude that can be held.
fn within(order: f64, result: f64) -> Option<f64> {
    (order.abs() < 300.0).then_some(result)
}

fn quotient(a: f64, b: f64) -> Option<f64> {
    match (a, b) {
        (_, 0.0) => None,
        (0.0, _) => Some(0.0),
        _ => within(a.abs().log10() - b.abs().log10(), a / b),
    }
}

fn power(a: f64, b: f64) -> Option<f64> {
    match a {
        0.0 => match b.partial_cmp(&0.0)? {
            Ordering::Greater => Some(0.0),
            Ordering::Equal => Some(1.0),
            Ordering::Less => None,
        },
        _ if a < 0.0 && b != b.floor() => None,
        _ => within(b * a.abs().log10(), a.powf(b)),
    }
}

pub(crate) fn abs(a: Number) -> Option<Number> {
    match a {
        Number::Integer(value) => value.checked_abs().map(Number::Integer),
        Number::Float(value) => Some(Number::Float(value.abs())),
    }
}

/// Of floats only; integers are whole.
pub(crate) fn whole(a: Number, way: fn(f64) -> f64) -> Number {
    match a {
        Number::Integer(_) => a,
        Number::Float(value) => Number::Float(way(value) + 0.0),
    }
}

/// Halves go away from zero.
pub(crate) fn rounded(value: f64) -> f64 {
    if value.abs() > 1e15 { value } else { (value.abs() + 0.5).floor().copysign(value) }
}

pub(crate) fn root(a: Number) -> Option<Number> {
    let value = a.float();
    (value >= 0.0).then(|| Number::Float(value.sqrt()))
}

/// The least or the greatest of numbers, NaN above all.
pub(crate) fn extreme(a: Number, b: Number, greatest: bool) -> Number {
    let order = match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
        _ => number::floats(a.float(), b.float()),
    };
    let (a, b) = match (a, b) {
        (Number::Integer(_), Number::Integer(_)) => (a, b),
        _ => (Number::Float(a.float()), Number::Float(b.float())),
    };
    if (order == Ordering::Less) == greatest { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ArithmeticOp::*;
    use Number::{Float, Integer};

    #[test]
    fn what_has_a_result_and_what_has_none() {
        for (a, op, b, result) in [
            (Integer(7), Divide, Integer(2), Some(Float(3.5))),
            (Integer(7), Whole, Integer(2), Some(Integer(3))),
            (Integer(-7), Whole, Integer(2), Some(Integer(-3))),
            (Integer(-7), Remainder, Integer(2), Some(Integer(-1))),
            (Integer(i64::MIN), Remainder, Integer(-1), Some(Integer(0))),
            (Integer(i64::MIN), Whole, Integer(-1), None),
            (Integer(i64::MAX), Add, Integer(1), None),
            (Integer(1), Divide, Integer(0), None),
            (Integer(1), Whole, Integer(0), None),
            (Float(1.0), Remainder, Integer(0), None),
            (Float(7.5), Remainder, Integer(2), Some(Float(1.5))),
            (Float(-7.5), Whole, Integer(2), Some(Float(-3.0))),
            (Integer(2), Power, Integer(3), Some(Float(8.0))),
            (Integer(0), Power, Integer(0), Some(Float(1.0))),
            (Integer(0), Power, Integer(-1), None),
            (Integer(-8), Power, Float(0.5), None),
            (Integer(10), Power, Integer(400), None),
            (Float(1e200), Multiply, Float(1e200), None),
            (Float(1e-200), Multiply, Float(1e-200), None),
            (Float(f64::NAN), Add, Integer(1), None),
            (Float(f64::INFINITY), Subtract, Float(f64::INFINITY), None),
        ] {
            assert_eq!(apply(op, a, b), result, "{a:?} {} {b:?}", op.name());
        }
        assert_eq!(rounded(-2.5), -3.0);
        assert_eq!(extreme(Integer(2), Float(f64::NAN), false), Float(2.0));
    }
}
