//! Prints what was measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::evaluate::{Bin, Figures, Index, Outcome, Run, deviations, of_set};
use crate::noise::{Query, Set};

const SETS: [Set; 3] = [Set::Ordinary, Set::Hard, Set::Unanswerable];

pub fn heading(name: &str, rows: usize, index: &Index) -> String {
    let megabytes = index.segment.bytes() as f64 / 1e6;
    format!("## {name}: {rows} rows, index {megabytes:.1} MB, built in {:.2} s\n", index.built.as_secs_f64())
}

/// One line for each set of queries.
pub fn sets(queries: &[Query], run: &Run, speeds: &BTreeMap<Set, f64>) -> String {
    let mut out = String::from("set            queries   exact%  within50m%  precision%  automatic%  queries/s\n");
    for set in SETS {
        let figures = Figures::of(of_set(queries, run, set));
        if figures.count == 0 {
            continue;
        }
        // Of the unanswerable ones `exact` is the share that was rejected, and there is no place to be near to.
        let near = if set == Set::Unanswerable {
            "         –".to_owned()
        } else {
            format!("{:10.2}", figures.share(figures.near))
        };
        let _ = writeln!(
            out,
            "{:<13} {:8} {:8.2}  {near}  {:10.2}  {:10.1}  {:9.0}",
            set.name(),
            figures.count,
            figures.share(figures.right),
            figures.precision(),
            figures.share(figures.automatic),
            speeds.get(&set).copied().unwrap_or(0.0),
        );
    }
    out
}

pub fn bins(bins: &[Bin]) -> String {
    let (worst, mean) = deviations(bins);
    let mut out = String::from("score bin    answers    mean   right\n");
    for (at, bin) in bins.iter().enumerate().filter(|(_, b)| b.count > 0) {
        let (low, high) = (at as f64 / 10.0, (at + 1) as f64 / 10.0);
        let _ = writeln!(out, "{low:.1}–{high:.1} {:12} {:7.3} {:7.3}", bin.count, bin.mean(), bin.share());
    }
    let _ = writeln!(out, "worst bin {:.1} points off, mean {:.2}", worst * 100.0, mean * 100.0);
    out
}

/// Each kind with its figures and some of its failures.
pub fn kinds(queries: &[Query], run: &Run, truth: &dyn Fn(&Query) -> String, failures: usize) -> String {
    let mut by_kind: BTreeMap<(Set, &str), Vec<(&Query, &Outcome)>> = BTreeMap::new();
    for (query, outcome) in queries.iter().zip(&run.outcomes) {
        by_kind.entry((query.set, &query.kind)).or_default().push((query, outcome));
    }
    let mut out = String::new();
    for ((set, kind), outcomes) in by_kind {
        let figures = Figures::of(outcomes.iter().copied());
        let _ = writeln!(
            out,
            "{:<13} {kind:<24} {:6} exact {:6.2} within50m {:6.2} precision {:6.2}",
            set.name(),
            figures.count,
            figures.share(figures.right),
            figures.share(figures.near),
            figures.precision()
        );
        for (query, outcome) in outcomes.into_iter().filter(|(_, o)| !o.right).take(failures) {
            let score = outcome.score.map_or("no answer".to_owned(), |s| format!("{s:.2} {:?}", outcome.level));
            let _ = writeln!(
                out,
                "    {} → {} ({score}); right: {}",
                query.text.escape_debug(),
                outcome.label,
                truth(query)
            );
        }
    }
    out
}
