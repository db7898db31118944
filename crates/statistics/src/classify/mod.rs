//! Class breaks of values.
//!
//! A class holds what is above the upper bound of the one before it, up to and with its own (`(a, b]`); the first one holds its least
//! value too. That is the rule of Jenks (1977), of R's classInt and of Python's mapclassify, with whose documented results the tests
//! compare. Whoever draws must draw by the number of the class and not by the bounds: map styles put a value that equals a bound into
//! the class above it.

mod histogram;
mod natural;
mod rules;

use serde::{Deserialize, Serialize};

pub use self::histogram::Histogram;
use crate::Problem;

/// Classes at most: more colours than that nobody tells apart.
pub const MOST_CLASSES: usize = 12;

/// How values are put into classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Classes of equal width from the least to the greatest value.
    EqualInterval,
    /// Classes of equally many values; quantiles are interpolated linearly (Hyndman and Fan 1996, type 7).
    Quantile,
    /// The breaks with the least sum of squared deviations from the classes' means: Fisher (1958), Jenks (1977), found exactly.
    NaturalBreaks,
    /// Means of ever smaller heads, for values of which few are large: Jiang (2013). It finds the number of classes itself.
    HeadTail,
    /// Whole multiples of the standard deviation around the mean; the mean itself when the number of classes is even.
    StandardDeviation,
    /// Bounds in a geometric progression, for positive values.
    Geometric,
    /// Round bounds, by the rule of R's `pretty`; about as many classes as asked for.
    Pretty,
    /// The caller's own upper bounds.
    Manual,
}

impl Method {
    pub const ALL: [Method; 8] = [
        Method::EqualInterval,
        Method::Quantile,
        Method::NaturalBreaks,
        Method::HeadTail,
        Method::StandardDeviation,
        Method::Geometric,
        Method::Pretty,
        Method::Manual,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Method::EqualInterval => "equal_interval",
            Method::Quantile => "quantile",
            Method::NaturalBreaks => "natural_breaks",
            Method::HeadTail => "head_tail",
            Method::StandardDeviation => "standard_deviation",
            Method::Geometric => "geometric",
            Method::Pretty => "pretty",
            Method::Manual => "manual",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub method: Method,
    /// From 2 to [`MOST_CLASSES`].
    pub classes: usize,
    /// Of [`Method::Manual`]: the upper bounds, rising.
    pub breaks: Vec<f64>,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted { method: Method::NaturalBreaks, classes: 5, breaks: vec![] }
    }
}

impl Wanted {
    /// Refuses numbers of classes and breaks that make no classes.
    pub fn check(&self) -> Result<(), Problem> {
        if self.method == Method::Manual {
            let rising = self.breaks.windows(2).all(|pair| pair[0] < pair[1]);
            let fits = (1..=MOST_CLASSES).contains(&self.breaks.len());
            return match fits && rising && self.breaks.iter().all(|b| b.is_finite()) {
                true => Ok(()),
                false => Err(Problem::new(
                    "breaks",
                    format!("手工分级需要 1 到 {MOST_CLASSES} 个递增的上限"),
                    format!("manual classes need 1 to {MOST_CLASSES} rising upper bounds"),
                )),
            };
        }
        if !self.breaks.is_empty() {
            return Err(Problem::new(
                "breaks",
                "只有手工分级（manual）使用 breaks",
                "only the method manual takes breaks",
            ));
        }
        match (2..=MOST_CLASSES).contains(&self.classes) {
            true => Ok(()),
            false => Err(Problem::new(
                "classes",
                format!("级数应为 2 到 {MOST_CLASSES}"),
                format!("the number of classes is 2 to {MOST_CLASSES}"),
            )),
        }
    }
}

/// Values in classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classes {
    pub method: Method,
    /// Where the first class begins.
    pub least: f64,
    /// Where each class ends, rising.
    pub upper: Vec<f64>,
    /// The values in each class.
    pub counts: Vec<usize>,
    /// The share of the variance that lies between the classes (goodness of variance fit); 1 when each class holds one value.
    pub fit: f64,
    pub summary: Summary,
    pub histogram: Histogram,
}

/// What is said of all values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The values that are numbers.
    pub count: usize,
    /// The others: missing, not a number, infinite.
    pub missing: usize,
    /// Different values.
    pub distinct: usize,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub median: f64,
    /// Of a sample (n − 1); 0 of one value.
    pub standard_deviation: f64,
}

impl Classes {
    /// The class of a value, from 0; none of what is not a finite number. Beyond the ends it is the first or the last.
    pub fn of(&self, value: f64) -> Option<usize> {
        let last = self.upper.len().checked_sub(1)?;
        value.is_finite().then(|| self.upper.partition_point(|upper| *upper < value).min(last))
    }

    /// Where each class begins and ends.
    pub fn bounds(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        std::iter::once(self.least).chain(self.upper.iter().copied()).zip(self.upper.iter().copied())
    }
}

/// Classes of the values; what is not a finite number is counted as missing. Fewer different values than classes give fewer classes, and
/// no class has two equal bounds.
pub fn classify(values: &[f64], wanted: &Wanted) -> Result<Classes, Problem> {
    wanted.check()?;
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).map(|v| v + 0.0).collect();
    if sorted.is_empty() {
        return Err(Problem::new("values", "没有可分级的数值", "there are no numbers to put into classes"));
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let summary = summary(&sorted, values.len() - sorted.len());
    let upper = upper(&sorted, &summary, wanted)?;
    let mut classes = Classes {
        method: wanted.method,
        least: summary.min.min(upper.first().copied().unwrap_or(summary.min)),
        counts: counts(&sorted, &upper),
        fit: 1.0,
        histogram: histogram::histogram(&sorted),
        upper,
        summary,
    };
    classes.fit = fit(&sorted, &classes);
    Ok(classes)
}

fn upper(sorted: &[f64], summary: &Summary, wanted: &Wanted) -> Result<Vec<f64>, Problem> {
    let (min, max, k) = (summary.min, summary.max, wanted.classes);
    if wanted.method == Method::Manual {
        let mut upper = wanted.breaks.clone();
        if upper.last().is_some_and(|last| *last < max) {
            upper.push(max);
        }
        // Values above the last bound make one more class.
        if upper.len() > MOST_CLASSES {
            return Err(Problem::new(
                "breaks",
                format!("最后一个上限小于最大值，超过 {MOST_CLASSES} 级"),
                format!("there are values above the last bound, which would make more than {MOST_CLASSES} classes"),
            ));
        }
        return Ok(upper);
    }
    if min == max {
        return Ok(vec![max]);
    }
    let mut upper = match wanted.method {
        Method::EqualInterval => rules::equal_interval(min, max, k),
        Method::Quantile => rules::quantile(sorted, k),
        Method::NaturalBreaks => natural::breaks(sorted, k),
        Method::HeadTail => rules::head_tail(sorted, k),
        Method::StandardDeviation => rules::standard_deviation(summary, k),
        Method::Geometric if min <= 0.0 => {
            let en = "geometric classes need positive values";
            return Err(Problem::new("method", "几何间隔要求所有数值大于 0", en));
        }
        Method::Geometric => rules::geometric(min, max, k),
        // Round steps may come to more classes than were asked for.
        Method::Pretty => {
            let fitting = (1..=k).rev().map(|k| rules::pretty(min, max, k)).find(|upper| upper.len() <= MOST_CLASSES);
            fitting.unwrap_or_default()
        }
        Method::Manual => Vec::new(),
    };
    // Where floating point rounds a bound away from the greatest value, the greatest value is meant.
    if wanted.method != Method::Pretty {
        upper.retain(|bound| *bound >= min && *bound < max);
        upper.push(max);
    }
    upper.dedup();
    // A class that nothing can lie in: its upper bound is the least value's lower end.
    let first = upper.iter().position(|bound| *bound >= min).unwrap_or(0);
    upper.drain(..first);
    Ok(upper)
}

fn counts(sorted: &[f64], upper: &[f64]) -> Vec<usize> {
    let mut before = 0;
    let ends = upper.iter().map(|bound| sorted.partition_point(|v| v <= bound));
    ends.map(|end| end - std::mem::replace(&mut before, end)).collect()
}

fn summary(sorted: &[f64], missing: usize) -> Summary {
    let n = sorted.len();
    let (min, max) = (sorted[0], sorted[n - 1]);
    // Halved before they are added: two large values must not become infinite.
    let mean = sorted.iter().map(|v| v / n as f64).sum::<f64>().clamp(min, max);
    let squares: f64 = sorted.iter().map(|v| (v - mean) * (v - mean)).sum();
    Summary {
        count: n,
        missing,
        distinct: 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count(),
        min,
        max,
        mean,
        median: rules::at_share(sorted, 0.5),
        standard_deviation: if n > 1 { (squares / (n - 1) as f64).sqrt() } else { 0.0 },
    }
}

/// The goodness of variance fit: 1 − (squared deviations from the classes' means) / (squared deviations from the mean).
fn fit(sorted: &[f64], classes: &Classes) -> f64 {
    let squares = |part: &[f64], mean: f64| part.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    let whole = squares(sorted, classes.summary.mean);
    let mut start = 0;
    let mut within = 0.0;
    for count in &classes.counts {
        let part = &sorted[start..start + count];
        let mean = part.iter().map(|v| v / part.len() as f64).sum::<f64>();
        within += squares(part, mean);
        start += count;
    }
    if whole > 0.0 && whole.is_finite() { (1.0 - within / whole).clamp(0.0, 1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests;
