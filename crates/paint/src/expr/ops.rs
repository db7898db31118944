//! The functions of the language whose arguments have fixed types: what they take, what they give, what they do.

use std::sync::Arc;

use super::{Context, Failure, Type, Uses, Value};
use crate::color::Color;

#[derive(Debug, Clone, Copy)]
pub enum Op {
    Error,
    TypeOf,
    ToRgba,
    Rgba,
    Get,
    Has,
    FeatureState,
    GlobalState,
    Properties,
    GeometryType,
    Id,
    Zoom,
    HeatmapDensity,
    Elevation,
    LineProgress,
    Accumulated,
    Sum,
    Product,
    Minus,
    Divide,
    Modulo,
    Power,
    Math(fn(f64) -> f64),
    Min,
    Max,
    All,
    Any,
    Not,
    IsSupportedScript,
    Upcase,
    Downcase,
    Concat,
    ResolvedLocale,
    Split,
    Join,
    At,
    In,
    IndexOf,
    Slice,
    Length,
    List,
}

/// What an overload takes.
pub enum Takes {
    These(&'static [Type]),
    Any(Type),
}

pub struct Signature {
    pub op: Op,
    pub gives: Type,
    pub takes: Vec<Takes>,
}

const N: Type = Type::Number;
const S: Type = Type::String;

fn fixed(op: Op, gives: Type, takes: &'static [Type]) -> Signature {
    Signature { op, gives, takes: vec![Takes::These(takes)] }
}

fn math(f: fn(f64) -> f64) -> Signature {
    fixed(Op::Math(f), N, &[N])
}

/// As JavaScript rounds: halves away from zero, as MapLibre has it for negative numbers too.
fn round(n: f64) -> f64 {
    if n < 0.0 { -(-n + 0.5).floor() } else { (n + 0.5).floor() }
}

/// The function of a name.
pub fn signature(name: &str) -> Option<Signature> {
    const COLOR: &[Type] = &[Type::Color];
    let overloads = |op, gives, takes: &[&'static [Type]]| Signature {
        op,
        gives,
        takes: takes.iter().map(|t| Takes::These(t)).collect(),
    };
    let any = |op, gives, of| Signature { op, gives, takes: vec![Takes::Any(of)] };
    Some(match name {
        "error" => fixed(Op::Error, Type::Error, &[S]),
        "typeof" => fixed(Op::TypeOf, S, &[Type::Value]),
        "to-rgba" => fixed(Op::ToRgba, Type::Array(Box::new(N), Some(4)), COLOR),
        "rgb" => fixed(Op::Rgba, Type::Color, &[N, N, N]),
        "rgba" => fixed(Op::Rgba, Type::Color, &[N, N, N, N]),
        "get" => overloads(Op::Get, Type::Value, &[&[S], &[S, Type::Object]]),
        "has" => overloads(Op::Has, Type::Boolean, &[&[S], &[S, Type::Object]]),
        "feature-state" => fixed(Op::FeatureState, Type::Value, &[S]),
        "properties" => fixed(Op::Properties, Type::Object, &[]),
        "geometry-type" => fixed(Op::GeometryType, S, &[]),
        "id" => fixed(Op::Id, Type::Value, &[]),
        "zoom" => fixed(Op::Zoom, N, &[]),
        "heatmap-density" => fixed(Op::HeatmapDensity, N, &[]),
        "elevation" => fixed(Op::Elevation, N, &[]),
        "line-progress" => fixed(Op::LineProgress, N, &[]),
        "accumulated" => fixed(Op::Accumulated, Type::Value, &[]),
        "+" => any(Op::Sum, N, N),
        "*" => any(Op::Product, N, N),
        "-" => overloads(Op::Minus, N, &[&[N, N], &[N]]),
        "/" => fixed(Op::Divide, N, &[N, N]),
        "%" => fixed(Op::Modulo, N, &[N, N]),
        "^" => fixed(Op::Power, N, &[N, N]),
        "sqrt" => math(f64::sqrt),
        "log10" => math(f64::log10),
        "ln" => math(f64::ln),
        "log2" => math(f64::log2),
        "sin" => math(f64::sin),
        "cos" => math(f64::cos),
        "tan" => math(f64::tan),
        "asin" => math(f64::asin),
        "acos" => math(f64::acos),
        "atan" => math(f64::atan),
        "abs" => math(f64::abs),
        "ceil" => math(f64::ceil),
        "floor" => math(f64::floor),
        "round" => math(round),
        "ln2" => fixed(Op::Math(|_| std::f64::consts::LN_2), N, &[]),
        "pi" => fixed(Op::Math(|_| std::f64::consts::PI), N, &[]),
        "e" => fixed(Op::Math(|_| std::f64::consts::E), N, &[]),
        "min" => any(Op::Min, N, N),
        "max" => any(Op::Max, N, N),
        "all" => any(Op::All, Type::Boolean, Type::Boolean),
        "any" => any(Op::Any, Type::Boolean, Type::Boolean),
        "!" => fixed(Op::Not, Type::Boolean, &[Type::Boolean]),
        "is-supported-script" => fixed(Op::IsSupportedScript, Type::Boolean, &[S]),
        "upcase" => fixed(Op::Upcase, S, &[S]),
        "downcase" => fixed(Op::Downcase, S, &[S]),
        "concat" => any(Op::Concat, S, Type::Value),
        "resolved-locale" => fixed(Op::ResolvedLocale, S, &[Type::Collator]),
        "split" => fixed(Op::Split, Type::array(S), &[S, S]),
        _ => return None,
    })
}

impl Op {
    pub fn uses(self, arguments: usize) -> Uses {
        let none = Uses::default();
        match self {
            Op::Get | Op::Has if arguments == 1 => Uses { feature: true, ..none },
            Op::Properties | Op::GeometryType | Op::Id => Uses { feature: true, ..none },
            Op::FeatureState => Uses { feature: true, other: true, ..none },
            Op::Zoom => Uses { zoom: true, ..none },
            Op::HeatmapDensity => Uses { density: true, ..none },
            Op::Error | Op::GlobalState | Op::Elevation | Op::LineProgress | Op::Accumulated => {
                Uses { other: true, ..none }
            }
            _ => none,
        }
    }

    /// Functions of values alone; those that look at the context are answered in `evaluate`.
    pub fn call(self, arguments: &[Value], context: &Context<'_>) -> Result<Value, Failure> {
        let number = |i: usize| arguments.get(i).and_then(Value::number).unwrap_or(f64::NAN);
        let numbers = || arguments.iter().filter_map(Value::number);
        let text = |i: usize| arguments.get(i).and_then(Value::text).unwrap_or_default();
        Ok(match self {
            Op::Error => return Err(Failure::new(text(0).to_owned())),
            Op::TypeOf => Value::from(Type::of(&arguments[0]).to_string()),
            Op::ToRgba => match &arguments[0] {
                Value::Color(c) => Value::Array([c.r * 255.0, c.g * 255.0, c.b * 255.0, c.a].map(Value::Number).into()),
                _ => Value::Null,
            },
            Op::Rgba => Value::Color(rgba(arguments)?),
            Op::Get => arguments[1].member(text(0)).cloned().unwrap_or(Value::Null),
            Op::Has => Value::Bool(arguments[1].member(text(0)).is_some()),
            Op::FeatureState | Op::LineProgress | Op::Accumulated => Value::Null,
            Op::GlobalState => {
                let state = context.global_state.and_then(|s| s.iter().find(|(k, _)| **k == *text(0)));
                state.map_or(Value::Null, |(_, v)| v.clone())
            }
            Op::Properties => {
                Value::Object(Arc::new(context.subject.map(super::Subject::properties).unwrap_or_default()))
            }
            Op::GeometryType => {
                context.subject.and_then(super::Subject::geometry_type).map_or(Value::Null, Value::from)
            }
            Op::Id => context.subject.map_or(Value::Null, super::Subject::id),
            Op::HeatmapDensity => Value::Number(context.heatmap_density),
            Op::Elevation => Value::Number(context.elevation),
            Op::Sum => Value::Number(numbers().sum()),
            Op::Product => Value::Number(numbers().product()),
            Op::Minus if arguments.len() == 1 => Value::Number(-number(0)),
            Op::Minus => Value::Number(number(0) - number(1)),
            Op::Divide => Value::Number(number(0) / number(1)),
            Op::Modulo => Value::Number(number(0) % number(1)),
            Op::Power => Value::Number(number(0).powf(number(1))),
            Op::Math(f) => Value::Number(f(number(0))),
            Op::Min => Value::Number(numbers().fold(f64::INFINITY, f64::min)),
            Op::Max => Value::Number(numbers().fold(f64::NEG_INFINITY, f64::max)),
            Op::Not => Value::Bool(arguments[0] != Value::Bool(true)),
            // Answered before their arguments are all known.
            Op::Zoom | Op::All | Op::Any => Value::Null,
            Op::IsSupportedScript => Value::Bool(true),
            Op::Upcase => Value::from(text(0).to_uppercase()),
            Op::Downcase => Value::from(text(0).to_lowercase()),
            Op::Concat => joined(arguments, "")?,
            Op::ResolvedLocale => match &arguments[0] {
                Value::Collator(c) => Value::from(c.locale()),
                _ => Value::Null,
            },
            Op::Split => split(text(0), text(1)),
            Op::Join => match &arguments[0] {
                Value::Array(items) => joined(items, text(1))?,
                _ => Value::Null,
            },
            Op::List => Value::Array(arguments.into()),
            Op::At => at(&arguments[0], &arguments[1])?,
            Op::In => Value::Bool(index_of(&arguments[0], &arguments[1], 0.0, "in")? >= 0),
            Op::IndexOf => {
                let from = if arguments.len() > 2 { number(2) } else { 0.0 };
                Value::Number(index_of(&arguments[0], &arguments[1], from, "index-of")? as f64)
            }
            Op::Slice => slice(&arguments[0], number(1), arguments.get(2).and_then(Value::number))?,
            Op::Length => match &arguments[0] {
                Value::String(s) => Value::Number(s.chars().count() as f64),
                Value::Array(items) => Value::Number(items.len() as f64),
                other => return Err(wrong("length takes a string or an array", other)),
            },
        })
    }
}

/// No text is put together that is longer, in bytes.
pub const LONGEST: usize = 64 * 1024;

pub fn too_long() -> Failure {
    Failure::new(format!("a text is no longer than {LONGEST} bytes"))
}

fn joined(values: &[Value], by: &str) -> Result<Value, Failure> {
    let mut whole = String::new();
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            whole.push_str(by);
        }
        match value {
            Value::String(text) => whole.push_str(text),
            other => whole.push_str(&other.to_text()),
        }
        if whole.len() > LONGEST {
            return Err(too_long());
        }
    }
    Ok(Value::from(whole))
}

fn wrong(what: &str, found: &Value) -> Failure {
    Failure::new(format!("{what}; this is of type {}", Type::of(found)))
}

/// Channels to 255, opacity to 1.
pub fn rgba(values: &[Value]) -> Result<Color, Failure> {
    let n: Vec<f64> = values.iter().filter_map(Value::number).collect();
    let alpha = n.get(3).copied().unwrap_or(1.0);
    match n[..] {
        [r, g, b, ..]
            if n.len() == values.len()
                && n.len() <= 4
                && [r, g, b].iter().all(|c| (0.0..=255.0).contains(c))
                && (0.0..=1.0).contains(&alpha) =>
        {
            Ok(Color { r: r / 255.0, g: g / 255.0, b: b / 255.0, a: alpha })
        }
        _ => Err(Failure::new("a colour is three numbers from 0 to 255 and, if need be, an opacity from 0 to 1")),
    }
}

fn split(text: &str, by: &str) -> Value {
    match by.is_empty() {
        true => Value::Array(text.chars().map(|c| Value::from(c.to_string())).collect()),
        false => Value::Array(text.split(by).map(Value::from).collect()),
    }
}

fn at(index: &Value, array: &Value) -> Result<Value, Failure> {
    let (Value::Number(index), Value::Array(items)) = (index, array) else {
        return Err(wrong("at takes a number and an array", array));
    };
    if index.fract() != 0.0 {
        return Err(Failure::new(format!("the place {index} in an array is no whole number")));
    }
    match (*index >= 0.0).then(|| items.get(*index as usize)).flatten() {
        Some(item) => Ok(item.clone()),
        None => Err(Failure::new(format!("an array of {} has no place {index}", items.len()))),
    }
}

fn index_of(needle: &Value, hay: &Value, from: f64, name: &str) -> Result<i64, Failure> {
    // In nothing there is nothing.
    if name == "in" && (matches!(hay, Value::Null | Value::Bool(false)) || hay.text() == Some("")) {
        return Ok(-1);
    }
    if !matches!(needle, Value::Bool(_) | Value::String(_) | Value::Number(_) | Value::Null) {
        return Err(wrong(&format!("{name} looks for a boolean, string, number or null"), needle));
    }
    match hay {
        Value::String(text) => {
            let start = from.max(0.0) as usize;
            let Some(begin) = text.char_indices().map(|(i, _)| i).chain([text.len()]).nth(start) else {
                return Ok(-1);
            };
            let needle = if *needle == Value::Null { "null".to_owned() } else { needle.to_text() };
            let found = text[begin..].find(&needle);
            Ok(found.map_or(-1, |at| (start + text[begin..begin + at].chars().count()) as i64))
        }
        Value::Array(items) => {
            let start = if from < 0.0 { (items.len() as f64 + from).max(0.0) } else { from } as usize;
            let found = items.iter().skip(start).position(|item| item == needle);
            Ok(found.map_or(-1, |at| (start + at) as i64))
        }
        other => Err(wrong(&format!("{name} looks in a string or an array"), other)),
    }
}

fn slice(of: &Value, from: f64, to: Option<f64>) -> Result<Value, Failure> {
    let cut = |length: usize| {
        let place = |n: f64| if n < 0.0 { (length as f64 + n).max(0.0) } else { n.min(length as f64) } as usize;
        let from = place(from);
        (from, to.map_or(length, place).max(from))
    };
    match of {
        Value::String(text) => {
            let (from, to) = cut(text.chars().count());
            Ok(Value::from(text.chars().skip(from).take(to - from).collect::<String>()))
        }
        Value::Array(items) => {
            let (from, to) = cut(items.len());
            Ok(Value::Array(items[from..to].into()))
        }
        other => Err(wrong("slice takes a string or an array", other)),
    }
}
