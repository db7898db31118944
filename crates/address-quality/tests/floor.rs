//! What address matching must be worth at least. These figures may only rise.

use std::path::PathBuf;

use onemap_address_quality::base::Base;
use onemap_address_quality::evaluate::{self, Figures, Outcome, Run};
use onemap_address_quality::noise::{self, Query, Set};
use onemap_address_quality::row::Columns;
use onemap_address_quality::world::World;
use onemap_address_quality::{city, labelled};

/// The lowest share in percent of each set that must be right, and of the answers at the automatic score.
struct Floor {
    ordinary: f64,
    hard: f64,
    rejected: f64,
    precision: f64,
}

const GENERATED: Floor = Floor { ordinary: 99.3, hard: 98.5, rejected: 99.0, precision: 99.3 };
const LABELLED: Floor = Floor { ordinary: 99.5, hard: 98.0, rejected: 99.0, precision: 99.5 };

fn hold(name: &str, queries: &[Query], run: &Run, floor: &Floor) {
    let all: Vec<(&Query, &Outcome)> = queries.iter().zip(&run.outcomes).collect();
    let share = |set| {
        let figures = Figures::of(all.iter().copied().filter(|(q, _)| q.set == set));
        figures.share(figures.right)
    };
    let found = Floor {
        ordinary: share(Set::Ordinary),
        hard: share(Set::Hard),
        rejected: share(Set::Unanswerable),
        precision: Figures::of(all.iter().copied()).precision(),
    };
    println!(
        "{name}: ordinary {:.2} hard {:.2} rejected {:.2} precision {:.2}",
        found.ordinary, found.hard, found.rejected, found.precision
    );
    let pairs = [
        ("ordinary", found.ordinary, floor.ordinary),
        ("hard", found.hard, floor.hard),
        ("rejected", found.rejected, floor.rejected),
        ("precision", found.precision, floor.precision),
    ];
    for (what, found, floor) in pairs {
        assert!(found >= floor, "{name}: {what} is {found:.2} %, must be {floor:.2} % at least");
    }
}

#[test]
fn a_generated_city_is_matched() {
    let base = city::mainland(11, 20_000);
    let index = evaluate::build(&base, Columns::Fields).unwrap();
    assert_eq!(index.segment.rows() as usize, base.rows.len(), "every row is in the index");
    let queries = noise::sample(&World::of(&base), 11, 30);
    let run = evaluate::run(&base, &index.segment, &queries);
    hold("generated city", &queries, &run, &GENERATED);
}

#[test]
fn labelled_queries_are_answered() {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/address-dev"));
    if !data.exists() {
        println!("skipped: {} is not there", data.display());
        return;
    }
    let (mut queries, mut outcomes) = (Vec::new(), Vec::new());
    for name in ["base-qingdao-sim", "base-shanghai-poi", "base-taipei-2districts"] {
        let path = data.join(format!("{name}.csv.gz"));
        let base = Base::read(name, &[&path], &|_| true).unwrap();
        let index = evaluate::build(&base, Columns::Fields).unwrap();
        let found = labelled::read(&data.join("queries.csv"), name, &base).unwrap();
        outcomes.extend(evaluate::run(&base, &index.segment, &found).outcomes);
        queries.extend(found);
    }
    let run = Run { outcomes, taken: std::time::Duration::ZERO };
    hold("labelled queries", &queries, &run, &LABELLED);
}
