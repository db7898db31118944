//! Asks the matcher and counts.

use std::time::{Duration, Instant};

use onemap_address::find::{AUTO, Candidate, Finder, Level, Query as Question, REJECT, Source};
use onemap_address::segment::{Builder, Error, Segment};

use crate::base::Base;
use crate::draft::Expect;
use crate::noise::{Query, Set};
use crate::row::Columns;

/// A place within so many metres of the true one is near enough to find the door.
pub const NEAR: f64 = 50.0;

pub struct Index {
    pub segment: Segment,
    pub built: Duration,
}

pub fn build(base: &Base, columns: Columns) -> Result<Index, Error> {
    let start = Instant::now();
    let mut builder = Builder::new();
    for (id, row) in base.rows.iter().enumerate() {
        builder.push(&row.address(id as u64, columns))?;
    }
    Ok(Index { segment: builder.finish()?, built: start.elapsed() })
}

/// What became of one query.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub right: bool,
    /// The best candidate as such is right, whatever its score; what a score has to tell the odds of.
    pub good: bool,
    /// Rows only: the answer lies near a true one.
    pub near: bool,
    /// The best candidate's score; None if there was none.
    pub score: Option<f32>,
    pub level: Level,
    pub label: String,
    pub parts: Vec<(&'static str, f32)>,
}

/// Whether an answer presents a certain place: a number, a building, a place with a name; and not a road, a division or a guess between numbers.
fn is_precise(candidate: &Candidate) -> bool {
    candidate.match_level > Level::Interpolated
}

fn judge(base: &Base, query: &Query, best: Option<&Candidate>) -> Outcome {
    let is_true = |id: u64| query.truth.iter().any(|&t| u64::from(t) == id);
    let usable = best.filter(|c| c.score >= REJECT);
    let right = match query.expect {
        // A row that a cautious score rejects is no answer any more.
        Expect::Row => best.and_then(|c| c.id).is_some_and(is_true),
        Expect::Coarse => !usable.is_some_and(is_precise),
        Expect::Nothing => usable.is_none(),
    };
    let near = query.expect == Expect::Row
        && best.is_some_and(|c| query.truth.iter().any(|&t| base.rows[t as usize].metres(c.lon, c.lat) <= NEAR));
    let good = match query.expect {
        Expect::Row => right,
        Expect::Coarse => best.is_some_and(|c| !is_precise(c)),
        Expect::Nothing => false,
    };
    Outcome {
        right,
        good,
        near: near || (right && query.expect == Expect::Row),
        score: best.map(|c| c.score),
        level: best.map_or(Level::None, |c| c.match_level),
        label: best.map(|c| c.label.clone()).unwrap_or_default(),
        parts: best.map(|c| c.parts.clone()).unwrap_or_default(),
    }
}

pub struct Run {
    pub outcomes: Vec<Outcome>,
    pub taken: Duration,
}

impl Run {
    pub fn per_second(&self) -> f64 {
        self.outcomes.len() as f64 / self.taken.as_secs_f64().max(1e-9)
    }
}

/// All queries one after the other in one thread. Only the searches are timed.
pub fn run(base: &Base, segment: &Segment, queries: &[Query]) -> Run {
    let sources = [Source { segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 0 }];
    let mut finder = Finder::new();
    let mut outcomes = Vec::with_capacity(queries.len());
    let mut taken = Duration::ZERO;
    for query in queries {
        let start = Instant::now();
        let answer = finder.search(&sources, &Question { text: &query.text, limit: 1, ..Question::default() });
        taken += start.elapsed();
        outcomes.push(judge(base, query, answer.candidates.first()));
    }
    Run { outcomes, taken }
}

/// The figures of a set of queries.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub count: usize,
    pub right: usize,
    pub near: usize,
    /// Answers that may be taken without a look, and how many of them are right.
    pub automatic: usize,
    pub automatic_right: usize,
}

impl Figures {
    pub fn of<'a>(outcomes: impl IntoIterator<Item = (&'a Query, &'a Outcome)>) -> Figures {
        let mut figures = Figures::default();
        for (_, outcome) in outcomes {
            figures.count += 1;
            figures.right += usize::from(outcome.right);
            figures.near += usize::from(outcome.near);
            if outcome.score.is_some_and(|s| s >= AUTO) {
                figures.automatic += 1;
                figures.automatic_right += usize::from(outcome.good);
            }
        }
        figures
    }
    pub fn share(self, of: usize) -> f64 {
        if self.count == 0 { 0.0 } else { of as f64 / self.count as f64 * 100.0 }
    }
    pub fn precision(self) -> f64 {
        if self.automatic == 0 { 100.0 } else { self.automatic_right as f64 / self.automatic as f64 * 100.0 }
    }
}

/// How far the scores of a bin are from the share that is right.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bin {
    pub count: usize,
    pub right: usize,
    pub sum: f64,
}

impl Bin {
    pub fn mean(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }
    pub fn share(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.right as f64 / self.count as f64 }
    }
    pub fn deviation(self) -> f64 {
        (self.mean() - self.share()).abs()
    }
}

/// Ten bins of the score of answers.
pub fn reliability(outcomes: &[(&Query, &Outcome)]) -> [Bin; 10] {
    let mut bins = [Bin::default(); 10];
    for (_, outcome) in outcomes {
        let Some(score) = outcome.score else { continue };
        let bin = &mut bins[((score * 10.0) as usize).min(9)];
        bin.count += 1;
        bin.sum += f64::from(score);
        bin.right += usize::from(outcome.good);
    }
    bins
}

/// A bin with fewer answers tells nothing by itself.
const TELLING: usize = 50;

/// The worst bin that has answers enough to tell, and the mean over all answers.
pub fn deviations(bins: &[Bin]) -> (f64, f64) {
    let all: usize = bins.iter().map(|b| b.count).sum();
    let worst = bins
        .iter()
        .filter(|b| b.count > 0 && b.count >= TELLING.min(all / 10))
        .map(|b| b.deviation())
        .fold(0.0, f64::max);
    let mean = bins.iter().map(|b| b.deviation() * b.count as f64).sum::<f64>() / (all.max(1)) as f64;
    (worst, mean)
}

/// The outcomes of one set.
pub fn of_set<'a>(queries: &'a [Query], run: &'a Run, set: Set) -> Vec<(&'a Query, &'a Outcome)> {
    queries.iter().zip(&run.outcomes).filter(|(q, _)| q.set == set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city;

    fn query(expect: Expect, truth: Vec<u32>) -> Query {
        Query { text: String::new(), kind: String::new(), set: Set::Ordinary, expect, truth }
    }

    fn candidate(id: Option<u64>, level: Level, score: f32) -> Candidate {
        let (key, label) = (None, String::new());
        Candidate {
            source: 0,
            id,
            key,
            label,
            lon: 0.0,
            lat: 0.0,
            score,
            match_level: level,
            coordinate_level: level,
            elements: vec![],
            valid: onemap_address::record::Validity::ALWAYS,
            parts: vec![],
        }
    }

    #[test]
    fn answers_are_judged_by_what_was_asked() {
        let base = city::mainland(1, 500);
        let right = |expect, truth, best: Option<Candidate>| judge(&base, &query(expect, truth), best.as_ref()).right;
        assert!(right(Expect::Row, vec![3], Some(candidate(Some(3), Level::Number, 0.9))));
        assert!(!right(Expect::Row, vec![3], Some(candidate(Some(4), Level::Number, 0.9))));
        assert!(!right(Expect::Row, vec![3], None));
        assert!(right(Expect::Coarse, vec![], Some(candidate(None, Level::Interpolated, 0.9))));
        assert!(right(Expect::Coarse, vec![], None));
        assert!(!right(Expect::Coarse, vec![], Some(candidate(Some(4), Level::Number, 0.9))));
        assert!(right(Expect::Coarse, vec![], Some(candidate(Some(4), Level::Number, 0.1))), "rejected by its score");
        assert!(right(Expect::Nothing, vec![], None));
        assert!(!right(Expect::Nothing, vec![], Some(candidate(None, Level::Road, 0.5))));
    }

    #[test]
    fn a_place_nearby_is_counted_apart() {
        let base = city::mainland(1, 500);
        let mut best = candidate(Some(4), Level::Number, 0.9);
        (best.lon, best.lat) = (base.rows[3].lon, base.rows[3].lat + 0.0003);
        let outcome = judge(&base, &query(Expect::Row, vec![3]), Some(&best));
        assert!(outcome.near && !outcome.right);
    }

    #[test]
    fn reliability_compares_scores_with_what_was_right() {
        let asked = query(Expect::Row, vec![]);
        let outcome = |score, right| Outcome {
            right,
            good: right,
            near: right,
            score: Some(score),
            level: Level::Number,
            label: String::new(),
            parts: vec![],
        };
        let outcomes = [outcome(0.95, true), outcome(0.95, false), outcome(1.0, true), outcome(0.32, false)];
        let bins = reliability(&outcomes.iter().map(|o| (&asked, o)).collect::<Vec<_>>());
        assert_eq!((bins[9].count, bins[9].right, bins[3].count), (3, 2, 1));
        let (worst, mean) = deviations(&bins);
        assert!((worst - 0.32).abs() < 1e-6 && mean > 0.2 && mean < worst);
    }
}
