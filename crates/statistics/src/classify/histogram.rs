//! A histogram of the values that are put into classes.

use serde::{Deserialize, Serialize};

use super::rules::at_share;

/// Bars of equal width. A bar holds what is above its lower edge, up to and with its upper one; the first one its lower edge too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// One more than there are bars.
    pub edges: Vec<f64>,
    pub counts: Vec<usize>,
}

/// Bars as wide as Freedman and Diaconis (1981) say, 2·IQR·n^(−1/3), from 5 to 60 of them; one when all values are equal.
pub fn histogram(sorted: &[f64]) -> Histogram {
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    if min == max {
        return Histogram { edges: vec![min, max], counts: vec![sorted.len()] };
    }
    let width = 2.0 * (at_share(sorted, 0.75) - at_share(sorted, 0.25)) / (sorted.len() as f64).cbrt();
    let wanted = if width > 0.0 { (max / width - min / width).ceil() } else { 0.0 };
    let bars = if wanted.is_finite() { wanted.clamp(5.0, 60.0) as usize } else { 60 };
    let edges: Vec<f64> = (0..=bars)
        .map(|i| i as f64 / bars as f64)
        .map(|share| if share == 1.0 { max } else { min * (1.0 - share) + max * share })
        .collect();
    let mut before = 0;
    let ends = edges[1..].iter().map(|edge| sorted.partition_point(|v| v <= edge));
    let counts = ends.map(|end| end - std::mem::replace(&mut before, end)).collect();
    Histogram { edges, counts }
}
