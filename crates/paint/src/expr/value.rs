//! What an expression is worth.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::Value as Json;

use super::collator::Collator;
use crate::color::Color;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(Arc<str>),
    Color(Color),
    Array(Arc<[Value]>),
    Object(Arc<Object>),
    Collator(Arc<Collator>),
    Formatted(Arc<Formatted>),
    Image(Arc<Image>),
    /// Top, right, bottom, left.
    Padding([f64; 4]),
    Numbers(Arc<[f64]>),
    Colors(Arc<[Color]>),
    AnchorOffsets(Arc<[(Arc<str>, [f64; 2])]>),
    Projection(Arc<Projection>),
}

/// Members in the order they were written.
pub type Object = Vec<(Arc<str>, Value)>;

/// A text of parts that look different.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Formatted {
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    pub text: Arc<str>,
    pub image: Option<Arc<Image>>,
    pub scale: Option<f64>,
    pub font_stack: Option<Arc<str>>,
    pub color: Option<Color>,
    pub vertical_align: Option<Arc<str>>,
}

/// The name of a picture of the sprite.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Image {
    pub name: Arc<str>,
    pub available: bool,
}

/// A way between two map projections. Pictures know one projection at a time; the value exists for the language's sake.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    pub from: Arc<str>,
    pub to: Arc<str>,
    pub transition: f64,
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Value {
        Value::Number(n)
    }
}

impl Formatted {
    pub fn plain(text: impl Into<Arc<str>>) -> Formatted {
        Formatted { sections: vec![Section { text: text.into(), ..Section::default() }] }
    }

    pub fn text(&self) -> String {
        self.sections.iter().map(|s| &*s.text).collect()
    }
}

impl Value {
    pub fn of_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(n.as_f64().unwrap_or(f64::NAN)),
            Json::String(s) => Value::from(s.as_str()),
            Json::Array(items) => Value::Array(items.iter().map(Value::of_json).collect()),
            Json::Object(members) => {
                Value::Object(Arc::new(members.iter().map(|(k, v)| (k.as_str().into(), Value::of_json(v))).collect()))
            }
        }
    }

    /// As JSON; what JSON does not know becomes its text.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(n) => number_to_json(*n),
            Value::String(s) => Json::String(s.to_string()),
            Value::Array(items) => items.iter().map(Value::to_json).collect(),
            Value::Object(members) => Json::Object(members.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect()),
            Value::Padding(sides) => sides.iter().copied().map(number_to_json).collect(),
            Value::Numbers(numbers) => numbers.iter().copied().map(number_to_json).collect(),
            other => Json::String(other.to_text()),
        }
    }

    /// How much there is to it: its values, and its texts by their length.
    pub(super) fn size(&self) -> u32 {
        let text = |s: &str| u32::try_from(s.len() / 16).unwrap_or(u32::MAX);
        let many = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let inner = match self {
            Value::String(s) => text(s),
            Value::Image(image) => text(&image.name),
            Value::Array(items) => items.iter().map(Value::size).fold(0, u32::saturating_add),
            Value::Object(members) => {
                members.iter().map(|(k, v)| text(k).saturating_add(v.size())).fold(0, u32::saturating_add)
            }
            Value::Formatted(f) => f.sections.iter().map(|s| 1 + text(&s.text)).fold(0, u32::saturating_add),
            Value::Numbers(numbers) => many(numbers.len()),
            Value::Colors(colors) => many(colors.len()),
            Value::AnchorOffsets(all) => many(all.len()),
            _ => 0,
        };
        inner.saturating_add(1)
    }

    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(k, _)| &**k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// What `to-string` makes of it.
    pub fn to_text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(b) => b.to_string(),
            Value::Number(n) => number_to_text(*n),
            Value::String(s) => s.to_string(),
            Value::Color(c) => css(*c),
            Value::Formatted(f) => f.text(),
            Value::Image(i) => i.name.to_string(),
            Value::Array(_) | Value::Object(_) => self.json_text(),
            Value::Padding(sides) => json_list(sides.iter().map(|n| number_to_text(*n))),
            Value::Numbers(numbers) => json_list(numbers.iter().map(|n| number_to_text(*n))),
            Value::Colors(colors) => json_list(colors.iter().map(|c| format!("\"{}\"", css(*c)))),
            Value::AnchorOffsets(all) => json_list(
                all.iter().map(|(a, [x, y])| format!("\"{a}\",[{},{}]", number_to_text(*x), number_to_text(*y))),
            ),
            Value::Projection(p) if p.from == p.to => format!("\"{}\"", p.from),
            Value::Projection(p) => format!("[\"{}\",\"{}\",{}]", p.from, p.to, number_to_text(p.transition)),
            Value::Collator(_) => String::new(),
        }
    }

    /// Compact JSON, with members in their own order.
    fn json_text(&self) -> String {
        match self {
            Value::Array(items) => json_list(items.iter().map(Value::json_text)),
            Value::Object(members) => {
                let member = |(k, v): &(Arc<str>, Value)| format!("{}:{}", Json::from(&**k), v.json_text());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
            Value::Null => "null".to_owned(),
            Value::Number(n) if !n.is_finite() => "null".to_owned(),
            Value::Number(n) => number_to_text(*n),
            other => other.to_json().to_string(),
        }
    }
}

fn json_list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn css(c: Color) -> String {
    let [r, g, b] = [c.r, c.g, c.b].map(|v| (v * 255.0).round());
    format!("rgba({r},{g},{b},{})", number_to_text(c.a))
}

fn number_to_json(n: f64) -> Json {
    match n.fract() == 0.0 && n.abs() < 9e15 {
        true => Json::from(n as i64),
        false => serde_json::Number::from_f64(n).map_or(Json::Null, Json::Number),
    }
}

/// A number as JavaScript writes it.
pub fn number_to_text(n: f64) -> String {
    if n.is_nan() {
        return "NaN".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if n == 0.0 {
        return "0".to_owned();
    }
    let size = n.abs();
    if (1e-6..1e21).contains(&size) {
        return n.to_string();
    }
    let mut text = String::new();
    let _ = write!(text, "{n:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}
