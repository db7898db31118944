//! The types of the expression language.

use std::fmt;

use super::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Null,
    Number,
    String,
    Boolean,
    Color,
    ProjectionDefinition,
    Object,
    Value,
    Array(Box<Type>, Option<usize>),
    Collator,
    Formatted,
    Padding,
    NumberArray,
    ColorArray,
    Image,
    AnchorOffsets,
    /// Of `["error"]`: fits wherever something is expected.
    Error,
}

impl Type {
    pub fn array(item: Type) -> Type {
        Type::Array(Box::new(item), None)
    }

    pub fn of(value: &Value) -> Type {
        match value {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Boolean,
            Value::Number(_) => Type::Number,
            Value::String(_) => Type::String,
            Value::Color(_) => Type::Color,
            Value::Projection(_) => Type::ProjectionDefinition,
            Value::Object(_) => Type::Object,
            Value::Collator(_) => Type::Collator,
            Value::Formatted(_) => Type::Formatted,
            Value::Padding(_) => Type::Padding,
            Value::Numbers(_) => Type::NumberArray,
            Value::Colors(_) => Type::ColorArray,
            Value::Image(_) => Type::Image,
            Value::AnchorOffsets(_) => Type::AnchorOffsets,
            Value::Array(items) => {
                let mut item: Option<Type> = None;
                for value in items.iter() {
                    let of = Type::of(value);
                    match &item {
                        None => item = Some(of),
                        Some(known) if *known == of => {}
                        Some(_) => {
                            item = Some(Type::Value);
                            break;
                        }
                    }
                }
                Type::Array(Box::new(item.unwrap_or(Type::Value)), Some(items.len()))
            }
        }
    }

    /// Whether a value of type `other` may stand where this one is expected.
    pub fn admits(&self, other: &Type) -> bool {
        if *other == Type::Error {
            return true;
        }
        match self {
            Type::Array(item, length) => match other {
                Type::Array(of, n) => {
                    ((*n == Some(0) && **of == Type::Value) || item.admits(of)) && (length.is_none() || length == n)
                }
                _ => false,
            },
            Type::Value => !matches!(other, Type::Error),
            _ => self == other,
        }
    }

    pub(crate) fn is_value_like(&self) -> bool {
        *self == Type::Value
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Type::Null => "null",
            Type::Number => "number",
            Type::String => "string",
            Type::Boolean => "boolean",
            Type::Color => "color",
            Type::ProjectionDefinition => "projectionDefinition",
            Type::Object => "object",
            Type::Value => "value",
            Type::Collator => "collator",
            Type::Formatted => "formatted",
            Type::Padding => "padding",
            Type::NumberArray => "numberArray",
            Type::ColorArray => "colorArray",
            Type::Image => "resolvedImage",
            Type::AnchorOffsets => "variableAnchorOffsetCollection",
            Type::Error => "error",
            Type::Array(item, Some(n)) => return write!(f, "array<{item}, {n}>"),
            Type::Array(item, None) if **item == Type::Value => "array",
            Type::Array(item, None) => return write!(f, "array<{item}>"),
        };
        f.write_str(name)
    }
}
