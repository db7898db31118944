//! Turning values into others: `to-number`, `to-color` and what a property's type asks for.

use std::sync::Arc;

use super::value::Projection;
use super::{Context, Expr, Failure, Formatted, Type, Value, ops};
use crate::color::Color;

/// The first of the expressions whose value can be turned into the type.
pub fn first(kind: &Type, all: &[Expr], context: &Context<'_>) -> Result<Value, Failure> {
    let mut failure = None;
    for one in all {
        let value = one.evaluate(context)?;
        if *kind == Type::Image && !matches!(value, Value::Image(_)) {
            return Ok(super::evaluate::image(&value.to_text(), context));
        }
        match to(kind, &value) {
            Ok(value) => return Ok(value),
            Err(f) => failure = Some(f),
        }
    }
    Err(failure.unwrap_or_else(|| Failure::new("there is nothing to convert")))
}

pub fn to(kind: &Type, value: &Value) -> Result<Value, Failure> {
    if Type::of(value) == *kind {
        return Ok(value.clone());
    }
    let turned = match kind {
        Type::Boolean => Some(Value::Bool(is_true(value))),
        Type::Number => number(value).map(Value::Number),
        Type::String => Some(Value::from(value.to_text())),
        Type::Color => return color(value).map(Value::Color),
        Type::Formatted => Some(Value::Formatted(Arc::new(Formatted::plain(value.to_text())))),
        Type::Padding => padding(value).map(Value::Padding),
        Type::NumberArray => numbers(value).map(|n| Value::Numbers(n.into())),
        Type::ColorArray => colors(value).map(|c| Value::Colors(c.into())),
        Type::AnchorOffsets => anchor_offsets(value),
        Type::ProjectionDefinition => projection(value),
        _ => None,
    };
    turned.ok_or_else(|| Failure::new(format!("{} cannot be read as {kind}", shown(value))))
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(s) => format!("\"{s}\""),
        other => other.to_text(),
    };
    text.chars().take(60).collect()
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => *n != 0.0 && !n.is_nan(),
        Value::String(s) => !s.is_empty(),
        _ => true,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Number(n) => Some(*n),
        Value::String(s) => match s.trim() {
            "" => Some(0.0),
            "Infinity" | "+Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => text.parse().ok(),
            text => text.strip_prefix("0x").and_then(|hex| i64::from_str_radix(hex, 16).ok()).map(|n| n as f64),
        },
        _ => None,
    }
}

fn color(value: &Value) -> Result<Color, Failure> {
    match value {
        Value::Color(c) => Ok(*c),
        Value::Array(items) if matches!(items.len(), 3 | 4) => ops::rgba(items),
        Value::String(s) => {
            Color::parse(s).ok_or_else(|| Failure::new(format!("{} is not a CSS colour", shown(value))))
        }
        _ => Err(Failure::new(format!("{} is not a colour", shown(value)))),
    }
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Number(n) => Some(vec![*n]),
        Value::Numbers(n) => Some(n.to_vec()),
        Value::Array(items) => items.iter().map(Value::number).collect(),
        _ => None,
    }
}

/// As CSS writes paddings: one to four numbers.
fn padding(value: &Value) -> Option<[f64; 4]> {
    match numbers(value)?[..] {
        [all] => Some([all; 4]),
        [y, x] => Some([y, x, y, x]),
        [top, x, bottom] => Some([top, x, bottom, x]),
        [top, right, bottom, left] => Some([top, right, bottom, left]),
        _ => None,
    }
}

fn colors(value: &Value) -> Option<Vec<Color>> {
    match value {
        Value::Colors(c) => Some(c.to_vec()),
        Value::Array(items) => items.iter().map(|c| color(c).ok()).collect(),
        one => Some(vec![color(one).ok()?]),
    }
}

fn anchor_offsets(value: &Value) -> Option<Value> {
    let Value::Array(items) = value else { return None };
    let (pairs, []) = items.as_chunks::<2>() else { return None };
    if pairs.is_empty() {
        return None;
    }
    let pair = |[anchor, offset]: &[Value; 2]| {
        let Value::String(anchor) = anchor else { return None };
        let known = ANCHORS.contains(&&**anchor);
        match numbers(offset)?[..] {
            [x, y] if known => Some((anchor.clone(), [x, y])),
            _ => None,
        }
    };
    Some(Value::AnchorOffsets(pairs.iter().map(pair).collect::<Option<Vec<_>>>()?.into()))
}

pub const ANCHORS: [&str; 9] =
    ["center", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right"];

fn projection(value: &Value) -> Option<Value> {
    let (from, to, transition) = match value {
        Value::String(one) => (one.clone(), one.clone(), 1.0),
        Value::Array(items) => match &items[..] {
            [Value::String(from), Value::String(to), Value::Number(t)] => (from.clone(), to.clone(), *t),
            _ => return None,
        },
        _ => return None,
    };
    Some(Value::Projection(Arc::new(Projection { from, to, transition })))
}
