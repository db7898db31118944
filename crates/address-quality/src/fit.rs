//! Fits the odds of an answer: a logistic model by Newton's method, then a monotone bend, printed as the table that the crate holds.

use onemap_address::find::odds::{FEATURES, GROUPS, PRICES, bend, features, group, is_against, raw};

use crate::evaluate::{Bin, Outcome};

/// The parts of an answer that are prices, in the order that the model takes them.
const PARTS: [&str; PRICES] = ["division", "before", "street", "door", "name", "inside", "after"];

/// One answer as the model sees it.
pub struct Sample {
    group: usize,
    features: [f32; FEATURES],
    right: bool,
}

impl Sample {
    /// None if there was no answer.
    pub fn of(outcome: &Outcome) -> Option<Sample> {
        outcome.score?;
        let part = |name: &str| outcome.parts.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        // A part is what its price leaves of 1.
        let prices = PARTS.map(|name| -part(name).unwrap_or(1.0).clamp(1e-6, 1.0).ln());
        let margin = part("margin").unwrap_or(9.0);
        Some(Sample {
            group: group(outcome.level),
            features: features(outcome.level, prices, margin),
            right: outcome.good,
        })
    }
}

pub struct Fit {
    pub weights: [[f32; FEATURES]; GROUPS],
    pub bends: [Vec<(f32, f32)>; GROUPS],
}

/// Holds the weights small where few answers tell.
const RIDGE: f64 = 1e-3;
const ROUNDS: usize = 30;

pub fn fit(samples: &[Sample]) -> Fit {
    let mut fit = Fit { weights: [[0.0; FEATURES]; GROUPS], bends: Default::default() };
    for group in 0..GROUPS {
        let own: Vec<&Sample> = samples.iter().filter(|s| s.group == group).collect();
        if own.is_empty() {
            continue;
        }
        fit.weights[group] = logistic(&own).map(|w| w as f32);
        let mut points: Vec<(f32, bool)> =
            own.iter().map(|s| (raw(group, &s.features, &fit.weights), s.right)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        fit.bends[group] = monotone(&points);
    }
    fit
}

/// The model in which nothing that is wrong raises the odds: weights that would are held at nothing, and the others fitted again.
fn logistic(samples: &[&Sample]) -> [f64; FEATURES] {
    let mut held = [false; FEATURES];
    loop {
        let weights = newton(samples, &held);
        let wrong: Vec<usize> = (0..FEATURES).filter(|&at| is_against(at) && weights[at] > 1e-9).collect();
        if wrong.is_empty() {
            return weights;
        }
        wrong.into_iter().for_each(|at| held[at] = true);
    }
}

fn newton(samples: &[&Sample], held: &[bool; FEATURES]) -> [f64; FEATURES] {
    let mut weights = [0.0; FEATURES];
    for _ in 0..ROUNDS {
        let mut gradient = [0.0; FEATURES];
        let mut curvature = [[0.0; FEATURES]; FEATURES];
        for sample in samples {
            let sum: f64 = weights.iter().zip(sample.features).map(|(w, f)| w * f64::from(f)).sum();
            let p = 1.0 / (1.0 + (-sum).exp());
            let (off, sure) = (p - f64::from(u8::from(sample.right)), p * (1.0 - p));
            for (i, x) in sample.features.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                gradient[i] += off * f64::from(*x);
                for (j, y) in sample.features.iter().enumerate() {
                    curvature[i][j] += sure * f64::from(*x) * f64::from(*y);
                }
            }
        }
        let count = samples.len() as f64;
        for i in 0..FEATURES {
            gradient[i] = gradient[i] / count + RIDGE * weights[i];
            curvature[i].iter_mut().for_each(|c| *c /= count);
            curvature[i][i] += RIDGE;
        }
        for at in (0..FEATURES).filter(|&at| held[at]) {
            gradient[at] = 0.0;
            curvature.iter_mut().for_each(|row| row[at] = 0.0);
            curvature[at] = [0.0; FEATURES];
            curvature[at][at] = 1.0;
        }
        let step = solve(curvature, gradient);
        for (w, s) in weights.iter_mut().zip(step) {
            *w -= s;
        }
    }
    weights
}

/// Gauss's elimination with the largest pivot.
fn solve(mut a: [[f64; FEATURES]; FEATURES], mut b: [f64; FEATURES]) -> [f64; FEATURES] {
    for at in 0..FEATURES {
        let pivot = (at..FEATURES).max_by(|&i, &j| a[i][at].abs().total_cmp(&a[j][at].abs())).unwrap_or(at);
        a.swap(at, pivot);
        b.swap(at, pivot);
        for row in at + 1..FEATURES {
            let factor = a[row][at] / a[at][at];
            let (above, below) = a.split_at_mut(row);
            below[0].iter_mut().zip(&above[at]).skip(at).for_each(|(x, y)| *x -= factor * y);
            b[row] -= factor * b[at];
        }
    }
    for at in (0..FEATURES).rev() {
        let known: f64 = (at + 1..FEATURES).map(|k| a[at][k] * b[k]).sum();
        b[at] = (b[at] - known) / a[at][at];
    }
    b
}

/// Answers that a block of the bend holds at least, and the span of raw probability from which on so few do.
const BLOCK: usize = 30;
const SPAN: f32 = 0.03;
/// However narrow it is, a block ends with so many answers.
const LARGE: usize = 2000;
/// What the model says counts for so many answers in each block: no finite count makes anything certain.
const FAITH: f64 = 6.0;

#[derive(Clone, Copy, Default)]
struct Block {
    sum: f64,
    right: f64,
    count: f64,
}

impl Block {
    fn raw(self) -> f64 {
        self.sum / self.count
    }
    fn measured(self) -> f64 {
        (self.right + self.raw() * FAITH) / (self.count + FAITH)
    }
}

/// Blocks of answers in order, joined until their shares rise: a point for each block.
fn monotone(sorted: &[(f32, bool)]) -> Vec<(f32, f32)> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut start = 0;
    for at in 1..=sorted.len() {
        let wide = at - start >= BLOCK && sorted[at - 1].0 - sorted[start].0 >= SPAN;
        if !(wide || at - start >= LARGE || at == sorted.len()) {
            continue;
        }
        let block = sorted[start..at].iter().fold(Block::default(), |b, (p, right)| Block {
            sum: b.sum + f64::from(*p),
            right: b.right + f64::from(u8::from(*right)),
            count: b.count + 1.0,
        });
        blocks.push(block);
        start = at;
        while let [.., a, b] = blocks[..] {
            if a.measured() < b.measured() {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push(Block { sum: a.sum + b.sum, right: a.right + b.right, count: a.count + b.count });
        }
    }
    blocks.iter().map(|b| (b.raw() as f32, b.measured() as f32)).collect()
}

impl Fit {
    pub fn odds(&self, sample: &Sample) -> f32 {
        bend(raw(sample.group, &sample.features, &self.weights), &self.bends[sample.group])
    }

    /// The source text of the table.
    pub fn table(&self) -> String {
        let weights: Vec<String> =
            self.weights.iter().map(|w| format!("    {:?},", w.map(|x| (x * 1000.0).round() / 1000.0))).collect();
        let bends: Vec<String> = self
            .bends
            .iter()
            .map(|points| {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("({x:.4}, {y:.4})")).collect();
                format!("    &[{}],", points.join(", "))
            })
            .collect();
        format!(
            "//! Printed by the quality crate with `--fit`; not written by hand.\n\nuse super::{{FEATURES, GROUPS}};\n\n\
             #[rustfmt::skip]\n#[allow(clippy::approx_constant)] // a weight may be near a constant\npub(super) const WEIGHTS: [[f32; FEATURES]; GROUPS] = [\n{}\n];\n\n\
             /// Raw and measured probability.\n#[rustfmt::skip]\n#[allow(clippy::approx_constant)] // a weight may be near a constant\npub(super) const BEND: [&[(f32, f32)]; GROUPS] = [\n{}\n];\n",
            weights.join("\n"),
            bends.join("\n")
        )
    }
}

/// What these odds are worth on these samples, bin by bin.
pub fn bins(samples: &[Sample], odds: impl Fn(&Sample) -> f32) -> [Bin; 10] {
    let mut bins = [Bin::default(); 10];
    for sample in samples {
        let score = odds(sample);
        let bin = &mut bins[((score * 10.0) as usize).min(9)];
        bin.count += 1;
        bin.sum += f64::from(score);
        bin.right += usize::from(sample.right);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use onemap_address::find::Level;

    use crate::evaluate::deviations;
    use crate::random::Random;

    /// Answers that are right with a known probability, which rises with one price.
    fn made(count: usize, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        (0..count)
            .map(|_| {
                let price = random.share() as f32 * 2.0;
                let truth = 1.0 / (1.0 + f64::from(3.0 * price - 3.0).exp());
                let mut prices = [0.0; PRICES];
                prices[4] = price;
                let right = random.share() < truth;
                Sample { group: 0, features: features(Level::Number, prices, 9.0), right }
            })
            .collect()
    }

    #[test]
    fn a_known_probability_is_found_again() {
        let fitted = fit(&made(20_000, 1));
        let fresh = made(20_000, 2);
        let (worst, mean) = deviations(&bins(&fresh, |s| fitted.odds(s)));
        assert!(worst < 0.06 && mean < 0.03, "{worst} {mean}");
        assert!(fitted.table().contains("WEIGHTS") && fitted.bends[0].is_sorted_by(|a, b| a.1 <= b.1));
    }

    #[test]
    fn equations_are_solved() {
        let mut a = [[0.0; FEATURES]; FEATURES];
        let mut b = [0.0; FEATURES];
        for i in 0..FEATURES {
            a[i][i] = 2.0;
            a[i][(i + 1) % FEATURES] = 1.0;
            b[i] = 3.0;
        }
        assert!(solve(a, b).iter().all(|x| (x - 1.0).abs() < 1e-9));
    }
}
