//! `==`, `<` and the like.

use std::cmp::Ordering;

use super::{Failure, Type, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Comparison {
    pub fn of(name: &str) -> Option<Comparison> {
        Some(match name {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            ">" => Comparison::Greater,
            "<=" => Comparison::LessOrEqual,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    pub fn orders(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }

    /// Whether values of a type can be compared so.
    pub fn takes(self, kind: &Type) -> bool {
        match kind {
            Type::String | Type::Number | Type::Value => true,
            Type::Boolean | Type::Null => !self.orders(),
            _ => false,
        }
    }

    pub fn holds(self, a: &Value, b: &Value, collator: Option<&Value>) -> Result<Value, Failure> {
        let order = match (a, b, collator) {
            (Value::String(a), Value::String(b), Some(Value::Collator(c))) => Some(c.compare(a, b)),
            (Value::String(a), Value::String(b), _) if self.orders() => Some(utf16(a, b)),
            (Value::Number(a), Value::Number(b), _) if self.orders() => a.partial_cmp(b),
            _ if self.orders() => {
                let (a, b) = (Type::of(a), Type::of(b));
                return Err(Failure::new(format!("two strings or two numbers can be ordered, not {a} and {b}")));
            }
            _ => (a == b).then_some(Ordering::Equal),
        };
        Ok(Value::Bool(match self {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }))
    }
}

/// The order of browsers, which compare the units of UTF-16.
fn utf16(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}
