//! How likely an answer is right, by what was found wrong with it: a logistic model, fitted to spoilt addresses whose truth is known.
//!
//! The weights in `weights.rs` are printed by the quality crate (`--fit`); they are to be fitted anew when prices change.

mod weights;

use super::Level;
use weights::{BEND, WEIGHTS};

/// The prices of an answer, in the order of the parts: division, before, street, door, name, inside, after.
pub const PRICES: usize = 7;
/// Levels that there are, with [`Level::None`].
const LEVELS: usize = Level::Room as usize + 1;
/// What is said of all prices together: their sum, what of it is much and very much, whether two and three of them count.
const SUMS: usize = 5;
/// A constant, each price and whether it counts at all, the rival's distance in four ways, the prices together, the level.
pub const FEATURES: usize = 1 + 2 * PRICES + 4 + SUMS + LEVELS;
/// How many groups of answers have weights of their own: certain places, and roads, divisions and guesses between numbers.
pub const GROUPS: usize = 2;

/// A price from which on something is wrong rather than a little uneven.
const COUNTS: f32 = 0.15;

/// Which weights are for an answer of this level. A crossing is a certain place.
pub fn group(level: Level) -> usize {
    usize::from(level <= Level::Interpolated && level != Level::Intersection)
}

/// What the odds are made of. `margin` is by how much the next best answer costs more.
pub fn features(level: Level, prices: [f32; PRICES], margin: f32) -> [f32; FEATURES] {
    let mut all = [0.0; FEATURES];
    all[0] = 1.0;
    for (at, price) in prices.into_iter().enumerate() {
        all[1 + at] = price.clamp(0.0, 6.0);
        all[1 + PRICES + at] = f32::from(u8::from(price > COUNTS));
    }
    let rival = 1 + 2 * PRICES;
    all[rival] = margin.clamp(-1.0, 2.0);
    for (at, limit) in [0.0, 0.06, 0.5].into_iter().enumerate() {
        all[rival + 1 + at] = f32::from(u8::from(margin < limit));
    }
    let sum = prices.iter().sum::<f32>().clamp(0.0, 12.0);
    let count = prices.iter().filter(|p| **p > COUNTS).count();
    let sums = [
        sum,
        (sum - 1.0).max(0.0),
        (sum - 2.0).max(0.0),
        f32::from(u8::from(count >= 2)),
        f32::from(u8::from(count >= 3)),
    ];
    all[rival + 4..rival + 4 + SUMS].copy_from_slice(&sums);
    all[rival + 4 + SUMS + level as usize] = 1.0;
    all
}

/// The probability that an answer is right, before it is bent.
pub fn raw(group: usize, features: &[f32; FEATURES], weights: &[[f32; FEATURES]; GROUPS]) -> f32 {
    let sum: f32 = weights[group].iter().zip(features).map(|(w, f)| w * f).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// Whether a feature says that something is wrong: more of it must never raise the odds.
pub fn is_against(feature: usize) -> bool {
    (1..=2 * PRICES).contains(&feature) || (1 + 2 * PRICES + 4..1 + 2 * PRICES + 4 + SUMS).contains(&feature)
}

/// Follows straight lines between points of (raw, measured) probability, from nothing at nothing.
pub fn bend(p: f32, points: &[(f32, f32)]) -> f32 {
    if let Some(&(x, y)) = points.first().filter(|(x, _)| p < *x) {
        return p / x * y;
    }
    let after = points.partition_point(|(x, _)| *x < p);
    match (after.checked_sub(1).and_then(|at| points.get(at)), points.get(after)) {
        (Some(&(x0, y0)), Some(&(x1, y1))) if x1 > x0 => y0 + (p - x0) / (x1 - x0) * (y1 - y0),
        (_, Some(&(_, y))) | (Some(&(_, y)), None) => y,
        (None, None) => p,
    }
}

/// The probability that an answer is right.
pub fn odds(level: Level, prices: [f32; PRICES], margin: f32) -> f32 {
    let group = group(level);
    bend(raw(group, &features(level, prices, margin), &WEIGHTS), BEND[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: [f32; PRICES] = [0.0; PRICES];

    #[test]
    fn nothing_wrong_is_nearly_certain() {
        assert!(odds(Level::Number, CLEAN, 9.0) > 0.95);
    }

    #[test]
    fn what_is_wrong_lowers_the_odds() {
        for at in 0..PRICES {
            let mut prices = CLEAN;
            prices[at] = 2.5;
            assert!(odds(Level::Number, prices, 9.0) <= odds(Level::Number, CLEAN, 9.0), "{at}");
        }
        assert!(odds(Level::Number, CLEAN, 0.0) < odds(Level::Number, CLEAN, 9.0), "an equal rival");
    }

    #[test]
    fn odds_are_probabilities_whatever_comes_in() {
        for price in [0.0, 0.1, 1.0, 9.0, 1e9, f32::INFINITY] {
            for margin in [-9.0, 0.0, 9.0] {
                let p = odds(Level::Road, [price; PRICES], margin);
                assert!((0.0..=1.0).contains(&p), "{price} {margin}: {p}");
            }
        }
    }

    #[test]
    fn bending_follows_its_points() {
        let points = [(0.2, 0.1), (0.6, 0.9)];
        assert_eq!((bend(0.0, &points), bend(1.0, &points), bend(0.5, &[])), (0.0, 0.9, 0.5));
        assert!((bend(0.4, &points) - 0.5).abs() < 1e-6);
    }
}
