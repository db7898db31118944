//! What stands on a side of a comparison: a property, a value without a type, a function, a sum.

use onemap_cql2::{FUNCTIONS, Kind};
use roxmltree::Node;
use serde_json::{Value, json};

use crate::Property;
use crate::fault::{Fault, Result, shorten};
use crate::filter::Reading;
use crate::geometry::geometry;
use crate::moment;
use crate::xml::{children, text};

pub enum Operand {
    /// A field, or what is made of fields; its type where it is known.
    Typed(Value, Option<Kind>),
    Geometry(Value),
    /// A value as it was written.
    Literal(String),
    /// A `gml:TimeInstant` or `gml:TimePeriod`.
    Time(Value),
}

impl Operand {
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Operand::Typed(_, kind) => *kind,
            Operand::Time(_) => Some(Kind::Timestamp),
            Operand::Geometry(_) | Operand::Literal(_) => None,
        }
    }

    /// The operand as a value beside something of this type.
    pub fn value(self, beside: Option<Kind>, node: Node<'_, '_>) -> Result<Value> {
        match self {
            Operand::Typed(value, _) | Operand::Geometry(value) | Operand::Time(value) => Ok(value),
            Operand::Literal(text) => literal(&text, beside, node),
        }
    }
}

/// Reads an expression.
pub fn expression(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Operand> {
    match node.tag_name().name() {
        "ValueReference" | "PropertyName" => property(node, reading),
        "Literal" => match children(node).next() {
            None => Ok(Operand::Literal(text(node))),
            Some(inner) if matches!(inner.tag_name().name(), "TimeInstant" | "TimePeriod") => {
                Ok(Operand::Time(moment::temporal(inner)?))
            }
            Some(inner) => Ok(Operand::Geometry(geometry(inner, reading)?)),
        },
        "TimeInstant" | "TimePeriod" => Ok(Operand::Time(moment::temporal(node)?)),
        "Function" => function(node, reading),
        "Add" => arithmetic("+", node, reading),
        "Sub" => arithmetic("-", node, reading),
        "Mul" => arithmetic("*", node, reading),
        "Div" => arithmetic("/", node, reading),
        _ => Ok(Operand::Geometry(geometry(node, reading)?)),
    }
}

fn property(node: Node<'_, '_>, reading: &Reading<'_>) -> Result<Operand> {
    match resolve(node, reading)? {
        Property::Field(name, kind) => Ok(Operand::Typed(json!({ "property": name }), Some(kind))),
        Property::Geometry(name) => Ok(Operand::Geometry(json!({ "property": name }))),
    }
}

/// The property that a reference names: `name`, `prefix:name`, or a path of which the last step is the property.
pub fn resolve(node: Node<'_, '_>, reading: &Reading<'_>) -> Result<Property> {
    let path = text(node);
    let path = path.trim();
    let step = path.rsplit('/').next().unwrap_or_default();
    let name = step.rsplit(':').next().unwrap_or_default();
    if path.ends_with("gml:boundedBy")
        && let Some(geometry) = reading.layer.geometry()
    {
        return Ok(Property::Geometry(geometry));
    }
    reading.layer.property(name).ok_or_else(|| {
        let shown = shorten(path);
        Fault::at(node, format!("没有属性 {shown}"), format!("there is no property {shown}"))
    })
}

fn function(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Operand> {
    let name = node.attribute("name").unwrap_or_default().trim();
    let known = FUNCTIONS.iter().find(|known| known.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let shown = shorten(name);
        Fault::at(node, format!("没有函数 {shown}"), format!("there is no function {shown}"))
    })?;
    let mut arguments = vec![];
    for (place, argument) in children(node).enumerate() {
        // The last argument of some may be given again and again.
        let types = known.arguments.get(place).or(known.arguments.last()).map(|argument| argument.types);
        let beside = kind_of(types.unwrap_or_default());
        arguments.push(expression(argument, reading)?.value(beside, argument)?);
    }
    let value = json!({ "op": known.name, "args": arguments });
    Ok(match known.returns {
        ["geometry"] => Operand::Geometry(value),
        returns => Operand::Typed(value, kind_of(returns)),
    })
}

/// What a literal is read as beside one of these types; nothing is known of several that differ.
fn kind_of(types: &[&str]) -> Option<Kind> {
    match types {
        ["string"] => Some(Kind::Text),
        ["number" | "integer", ..] => Some(Kind::Float),
        ["boolean"] => Some(Kind::Boolean),
        ["datetime"] => Some(Kind::Timestamp),
        _ => None,
    }
}

fn arithmetic(operator: &str, node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Operand> {
    let [left, right] = two(node)?;
    let mut side = |node| expression(node, reading)?.value(Some(Kind::Float), node);
    let (left, right) = (side(left)?, side(right)?);
    Ok(Operand::Typed(json!({ "op": operator, "args": [left, right] }), Some(Kind::Float)))
}

/// The two expressions of an operator.
pub fn two<'a, 'i>(node: Node<'a, 'i>) -> Result<[Node<'a, 'i>; 2]> {
    let mut found = children(node);
    match (found.next(), found.next(), found.next()) {
        (Some(left), Some(right), None) => Ok([left, right]),
        _ => {
            let name = node.tag_name().name();
            Err(Fault::at(node, format!("{name} 需要两个表达式"), format!("{name} takes two expressions")))
        }
    }
}

/// A literal as a value of a type. Beside something whose type is not known, what looks like a number is one.
fn literal(text: &str, kind: Option<Kind>, node: Node<'_, '_>) -> Result<Value> {
    let wrong = |zh: &str, en: &str| {
        let shown = shorten(text);
        Fault::at(node, format!("“{shown}”不是{zh}"), format!("\"{shown}\" is not {en}"))
    };
    match kind {
        Some(Kind::Text) => Ok(text.into()),
        Some(Kind::Integer | Kind::Float) => number(text).ok_or_else(|| wrong("数字", "a number")),
        Some(Kind::Boolean) => match text.trim() {
            "true" | "1" => Ok(true.into()),
            "false" | "0" => Ok(false.into()),
            _ => Err(wrong(" true 或 false", "true or false")),
        },
        Some(Kind::Date | Kind::Timestamp) => moment::moment(text)
            .map(|moment| moment.json())
            .ok_or_else(|| wrong("日期或时间，例如 2024-05-01", "a date or a time such as 2024-05-01")),
        None => Ok(number(text).unwrap_or_else(|| match text {
            "true" | "false" => (text == "true").into(),
            _ => text.into(),
        })),
    }
}

fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::from),
    }
}
