//! Natural breaks, exactly: the partition of sorted values into classes with the least sum of squared deviations from the classes' means.
//!
//! Fisher, "On Grouping for Maximum Homogeneity" (1958), gave the dynamic programme over (values, classes); Jenks (1977) brought it to
//! maps. Equal values belong together, so it runs over distinct values with their numbers. The best place of the last break never moves
//! left when values are added (the cost is concave Monge), so each row of the table is filled by divide and conquer: k·m·log m steps for
//! m distinct values, not k·m².

/// Upper bounds of `k` classes; fewer when there are fewer distinct values.
pub fn breaks(sorted: &[f64], k: usize) -> Vec<f64> {
    let costs = Costs::new(sorted);
    let m = costs.values.len();
    if m <= k {
        return costs.values;
    }
    // cost[j]: of the best partition of the first j + 1 distinct values into as many classes as there were rows so far.
    let mut cost: Vec<f64> = (0..m).map(|j| costs.of(0, j)).collect();
    // starts[c][j]: where the last of c + 2 classes begins then.
    let mut starts: Vec<Vec<u32>> = Vec::with_capacity(k - 1);
    for classes in 2..=k {
        let mut row = Row { costs: &costs, before: &cost, now: vec![f64::INFINITY; m], start: vec![0; m] };
        row.fill((classes - 1, m - 1), (classes - 1, m - 1));
        let Row { now, start, .. } = row;
        cost = now;
        starts.push(start);
    }
    let mut upper = vec![costs.values[m - 1]];
    let mut end = m - 1;
    for start in starts.iter().rev() {
        let begins = start[end] as usize;
        end = begins.saturating_sub(1);
        upper.push(costs.values[end]);
    }
    upper.reverse();
    upper
}

/// Distinct values with running sums, from which the cost of any run of them follows.
struct Costs {
    values: Vec<f64>,
    /// Sums of weights, of values and of squares before each.
    sums: Vec<(f64, f64, f64)>,
}

impl Costs {
    fn new(sorted: &[f64]) -> Costs {
        let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
        // Moved to the middle and scaled: squares of large values that are close together would drown their differences.
        let middle = least / 2.0 + most / 2.0;
        let scale = (most / 2.0 - least / 2.0).max(f64::MIN_POSITIVE);
        let mut values: Vec<f64> = Vec::new();
        let mut sums = vec![(0.0, 0.0, 0.0)];
        let (mut n, mut s, mut q) = (0.0, 0.0, 0.0);
        for run in sorted.chunk_by(|a, b| a == b) {
            let (value, weight) = ((run[0] - middle) / scale, run.len() as f64);
            n += weight;
            s += weight * value;
            q += weight * value * value;
            values.push(run[0]);
            sums.push((n, s, q));
        }
        Costs { values, sums }
    }

    /// The squared deviations of the values from `from` to `to` (with it) from their mean.
    #[inline]
    fn of(&self, from: usize, to: usize) -> f64 {
        let (a, b) = (self.sums[from], self.sums[to + 1]);
        let (n, s, q) = (b.0 - a.0, b.1 - a.1, b.2 - a.2);
        (q - s * s / n).max(0.0)
    }
}

struct Row<'a> {
    costs: &'a Costs,
    before: &'a [f64],
    now: Vec<f64>,
    start: Vec<u32>,
}

impl Row<'_> {
    /// Fills the places from `low` to `high`, whose last class begins between `from` and `to`. It halves: its depth is log m.
    fn fill(&mut self, (low, high): (usize, usize), (from, to): (usize, usize)) {
        let middle = low + (high - low) / 2;
        let (mut best, mut at) = (f64::INFINITY, from);
        for begins in from..=to.min(middle) {
            let cost = self.before[begins - 1] + self.costs.of(begins, middle);
            if cost < best {
                (best, at) = (cost, begins);
            }
        }
        self.now[middle] = best;
        self.start[middle] = at as u32;
        if low < middle {
            self.fill((low, middle - 1), (from, at));
        }
        if middle < high {
            self.fill((middle + 1, high), (at, to));
        }
    }
}
