//! `interpolate`: how far between two stops, and what lies there.

use std::sync::Arc;

use super::value::Projection;
use super::{Failure, Value};
use crate::color::Color;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    Exponential(f64),
    Bezier([f64; 4]),
}

/// Where colours are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    Rgb,
    Lab,
    Hcl,
}

impl Curve {
    /// How much of the way from one stop to the next the input has gone, after the curve.
    pub fn share(self, input: f64, from: f64, to: f64) -> f64 {
        let (way, whole) = (input - from, to - from);
        match self {
            _ if whole == 0.0 => 0.0,
            Curve::Exponential(1.0) => way / whole,
            Curve::Exponential(base) => {
                let share = (base.powf(way) - 1.0) / (base.powf(whole) - 1.0);
                if share.is_finite() { share } else { way / whole }
            }
            Curve::Bezier(points) => bezier(points, way / whole),
        }
    }
}

/// The height of a cubic curve from (0, 0) to (1, 1) at `x`, by halving: it rises steadily along x.
fn bezier([x1, y1, x2, y2]: [f64; 4], x: f64) -> f64 {
    let at = |a: f64, b: f64, t: f64| {
        let u = 1.0 - t;
        3.0 * u * u * t * a + 3.0 * u * t * t * b + t * t * t
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..48 {
        let middle = (low + high) / 2.0;
        if at(x1, x2, middle) < x { low = middle } else { high = middle }
    }
    at(y1, y2, (low + high) / 2.0)
}

impl Space {
    pub fn mix(self, a: Value, b: Value, t: f64) -> Result<Value, Failure> {
        let number = |a: f64, b: f64| a + (b - a) * t;
        Ok(match (a, b) {
            (Value::Number(a), Value::Number(b)) => Value::Number(number(a, b)),
            (Value::Color(a), Value::Color(b)) => Value::Color(self.color(a, b, t)),
            (Value::Colors(a), Value::Colors(b)) if a.len() == b.len() => {
                Value::Colors(a.iter().zip(b.iter()).map(|(a, b)| self.color(*a, *b, t)).collect())
            }
            (Value::Padding(a), Value::Padding(b)) => Value::Padding(std::array::from_fn(|i| number(a[i], b[i]))),
            (Value::Numbers(a), Value::Numbers(b)) if a.len() == b.len() => {
                Value::Numbers(a.iter().zip(b.iter()).map(|(a, b)| number(*a, *b)).collect())
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                let mixed: Result<Vec<Value>, Failure> =
                    a.iter().zip(b.iter()).map(|(a, b)| self.mix(a.clone(), b.clone(), t)).collect();
                Value::Array(mixed?.into())
            }
            (Value::AnchorOffsets(a), Value::AnchorOffsets(b)) => {
                let same = a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0);
                if !same {
                    return Err(Failure::new("anchors can be interpolated between lists of the same anchors only"));
                }
                let pairs = a.iter().zip(b.iter());
                Value::AnchorOffsets(
                    pairs.map(|((name, a), (_, b))| (name.clone(), [number(a[0], b[0]), number(a[1], b[1])])).collect(),
                )
            }
            (Value::Projection(a), Value::Projection(b)) => {
                Value::Projection(Arc::new(Projection { from: a.to.clone(), to: b.to.clone(), transition: t }))
            }
            _ => return Err(Failure::new("these two values have nothing between them")),
        })
    }

    fn color(self, a: Color, b: Color, t: f64) -> Color {
        match self {
            Space::Rgb => Color::mix(a, b, t),
            Space::Lab => Color::mix_lab(a, b, t),
            Space::Hcl => Color::mix_hcl(a, b, t),
        }
    }
}
