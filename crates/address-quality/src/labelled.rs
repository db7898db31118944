//! Queries that others have labelled: `qid,base,q,kind,level,truth_ids,lon,lat,expect`.

use std::io;
use std::path::Path;

use crate::base::{Base, Columns, open};
use crate::draft::Expect;
use crate::noise::{Query, Set};

/// Kinds of theirs that are slips or wrong and missing parts.
const HARD: [&str; 14] = [
    "typo_homophone",
    "typo_shape",
    "typo_drop",
    "no_road_type",
    "wrong_road_type",
    "wrong_district",
    "wrong_street",
    "comp_suffix_swap",
    "comp_abbrev",
    "only_road",
    "only_compound",
    "name_only",
    "old_name",
    "poi_insert",
];

/// The queries of a file that are about the base of this name.
pub fn read(path: &Path, about: &str, base: &Base) -> io::Result<Vec<Query>> {
    let mut reader = csv::Reader::from_reader(open(path)?);
    let columns = Columns::of(reader.headers()?);
    let mut queries = Vec::new();
    for record in reader.records() {
        let record = record?;
        let get = |name| columns.get(&record, name);
        if get("base") != about {
            continue;
        }
        let expect = match get("expect") {
            "exact" => Expect::Row,
            "coarse" => Expect::Coarse,
            _ => Expect::Nothing,
        };
        let set = match expect {
            Expect::Row if HARD.contains(&get("kind")) => Set::Hard,
            Expect::Row => Set::Ordinary,
            _ => Set::Unanswerable,
        };
        let truth = get("truth_ids").split('|').filter_map(|id| base.keys.get(id).copied()).collect();
        queries.push(Query { text: get("q").to_owned(), kind: get("kind").to_owned(), set, expect, truth });
    }
    Ok(queries)
}
