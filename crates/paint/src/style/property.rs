//! A property's value for a picture and for a feature.

use std::sync::Arc;

use crate::Color;
use crate::expr::{Context, Expr, Formatted, Image, Value};

/// A type that a value may hold.
pub trait Held: Sized + Clone + Default {
    fn held(value: Value) -> Option<Self>;
}

/// A property in one picture: known for all features, or to be asked for each.
pub enum Property<'a, T> {
    Known(T),
    Asked(&'a Expr, T),
}

impl<T: Held> Property<'_, T> {
    #[inline]
    pub fn of(&self, context: &Context<'_>) -> T {
        match self {
            Property::Known(value) => value.clone(),
            Property::Asked(expr, default) => {
                expr.evaluate(context).ok().and_then(T::held).unwrap_or_else(|| default.clone())
            }
        }
    }

    pub fn known(&self) -> Option<&T> {
        match self {
            Property::Known(value) => Some(value),
            Property::Asked(..) => None,
        }
    }
}

impl Held for f64 {
    fn held(value: Value) -> Option<f64> {
        value.number().filter(|n| n.is_finite())
    }
}

impl Held for bool {
    fn held(value: Value) -> Option<bool> {
        if let Value::Bool(b) = value { Some(b) } else { None }
    }
}

impl Held for Color {
    fn held(value: Value) -> Option<Color> {
        if let Value::Color(c) = value { Some(c) } else { None }
    }
}

impl Held for Arc<str> {
    fn held(value: Value) -> Option<Arc<str>> {
        if let Value::String(s) = value { Some(s) } else { None }
    }
}

impl Held for [f64; 2] {
    fn held(value: Value) -> Option<[f64; 2]> {
        let numbers = Vec::<f64>::held(value)?;
        numbers.try_into().ok()
    }
}

impl Held for [f64; 4] {
    fn held(value: Value) -> Option<[f64; 4]> {
        if let Value::Padding(p) = value { Some(p).filter(|p| p.iter().all(|n| n.is_finite())) } else { None }
    }
}

impl Held for Vec<f64> {
    fn held(value: Value) -> Option<Vec<f64>> {
        let Value::Array(items) = value else { return None };
        items.iter().map(|n| n.number().filter(|n| n.is_finite())).collect()
    }
}

impl Held for Vec<Arc<str>> {
    fn held(value: Value) -> Option<Vec<Arc<str>>> {
        let Value::Array(items) = value else { return None };
        items.iter().map(|s| Arc::<str>::held(s.clone())).collect()
    }
}

impl Held for Vec<(Arc<str>, [f64; 2])> {
    fn held(value: Value) -> Option<Self> {
        if let Value::AnchorOffsets(all) = value { Some(all.to_vec()) } else { None }
    }
}

impl Held for Arc<Formatted> {
    fn held(value: Value) -> Option<Self> {
        if let Value::Formatted(f) = value { Some(f) } else { None }
    }
}

impl Held for Arc<Image> {
    fn held(value: Value) -> Option<Self> {
        if let Value::Image(i) = value { Some(i) } else { None }
    }
}

impl<T: Held> Held for Option<T> {
    fn held(value: Value) -> Option<Self> {
        Some(T::held(value))
    }
}
