//! Breaks by a rule: each function gives upper bounds, the last of which need not be the greatest value.

use super::Summary;

pub fn equal_interval(min: f64, max: f64, k: usize) -> Vec<f64> {
    // By shares, so that the width of a range over most of what floating point has does not become infinite.
    (1..=k).map(|i| i as f64 / k as f64).map(|share| min * (1.0 - share) + max * share).collect()
}

pub fn quantile(sorted: &[f64], k: usize) -> Vec<f64> {
    (1..=k).map(|i| at_share(sorted, i as f64 / k as f64)).collect()
}

/// The quantile at a share, linear between the two values around it (type 7 of Hyndman and Fan, "Sample Quantiles in Statistical
/// Packages", 1996; what R and NumPy do unless told otherwise).
pub fn at_share(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let part = place - below as f64;
    sorted[below] * (1.0 - part) + sorted[above] * part
}

/// Jiang, "Head/tail breaks: a new classification scheme for data with a heavy-tailed distribution" (2013): cut at the mean, go on with
/// what is above it, as long as that is a minority (at most 40 %).
pub fn head_tail(sorted: &[f64], most: usize) -> Vec<f64> {
    let mut head = sorted;
    let mut upper = Vec::new();
    while upper.len() + 1 < most && head.len() > 1 {
        let mean = head.iter().map(|v| v / head.len() as f64).sum::<f64>();
        let rest = &head[head.partition_point(|v| *v <= mean)..];
        let minority = rest.len() as f64 <= 0.4 * head.len() as f64;
        // The first cut is made in any case: else values that are spread evenly would be one class.
        if rest.is_empty() || (!minority && !upper.is_empty()) {
            break;
        }
        upper.push(mean);
        head = rest;
        if !minority {
            break;
        }
    }
    upper
}

/// Mean ± 1, 2, … standard deviations, and the mean itself when the number of classes is even.
pub fn standard_deviation(summary: &Summary, k: usize) -> Vec<f64> {
    let each_side = ((k - 1) / 2) as i32;
    let multiples = (-each_side..=each_side).filter(|m| *m != 0 || k.is_multiple_of(2));
    multiples.map(|m| summary.mean + f64::from(m) * summary.standard_deviation).collect()
}

pub fn geometric(min: f64, max: f64, k: usize) -> Vec<f64> {
    let ratio = max / min;
    (1..=k).map(|i| min * ratio.powf(i as f64 / k as f64)).collect()
}

/// R's rule (`pretty.default`): a step of 1, 2 or 5 times a power of ten, the next larger one when that is nearer by its weights.
pub fn pretty(min: f64, max: f64, k: usize) -> Vec<f64> {
    let (weight, weight_of_five) = (1.5, 2.75);
    let cell = (max / k as f64) - (min / k as f64);
    let base = 10f64.powi(cell.log10().floor() as i32);
    let mut step = base;
    for (times, weight) in [(2.0, weight), (5.0, weight_of_five), (10.0, weight)] {
        if times * base - cell < weight * (cell - step) {
            step = times * base;
        } else {
            break;
        }
    }
    let first = (min / step + 1e-7).floor() as i64;
    let last = (max / step - 1e-7).ceil() as i64;
    // A bound is a whole number of steps, so that 0.3 is written 0.3: divided by the inverse where that is the whole number.
    let inverse = (1.0 / step).round();
    let bound = |i: i64| if step < 1.0 { i as f64 / inverse } else { i as f64 * step };
    (first + 1..=last).map(bound).collect()
}
