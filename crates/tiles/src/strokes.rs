//! stub
use crate::shape::Shapes;
pub fn strokes(shapes: &Shapes<'_>) -> Vec<f64> { (0..shapes.len()).map(|f| shapes.parts_of(f).map(|p| shapes.part(p).windows(2).map(|w| (w[1][0] as f64 - w[0][0] as f64).hypot(w[1][1] as f64 - w[0][1] as f64)).sum::<f64>()).sum()).collect() }
