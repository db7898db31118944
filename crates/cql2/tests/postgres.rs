//! SQL and evaluation agree, row by row, in PostGIS itself:
//! `CQL2_POSTGRES="host=… dbname=…" cargo test -p onemap-cql2 --test postgres`.

mod common;

use common::{FIELDS, House, Inline, Table, all_said, column, house, psql, sql_value, tree, wkt};
use onemap_cql2::{Expr, parse_json};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn script(rows: &[House], filters: &[Expr]) -> String {
    let columns: Vec<String> =
        FIELDS.iter().enumerate().map(|(i, (_, kind))| format!("f{i} {}", column(*kind))).collect();
    let mut script = format!(
        "set timezone = 'Asia/Shanghai'; create temp table t (id serial, {}, geom geometry(geometry, 4490));\n",
        columns.join(", ")
    );
    for row in rows {
        let values: Vec<String> = row.values.iter().map(|v| sql_value(*v)).collect();
        let shape =
            row.shape.as_ref().map_or("null".into(), |shape| format!("st_geomfromtext('{}', 4490)", wkt(shape)));
        script += &format!("insert into t values (default, {}, {shape});\n", values.join(", "));
    }
    for filter in filters {
        let mut sql = Inline::default();
        filter.sql(&mut sql);
        script += &format!("select string_agg(coalesce(({})::int::text, '?'), '' order by id) from t;\n", sql.0);
    }
    script
}

#[test]
fn sql_means_what_evaluation_means() {
    let Ok(database) = std::env::var("CQL2_POSTGRES") else {
        return println!("skipped: CQL2_POSTGRES names no database with PostGIS");
    };
    common::with_room(move || compare(&database));
}

fn compare(database: &str) {
    let mut runner = TestRunner::default();
    let mut some = |n: usize| prop::collection::vec(house(), n).new_tree(&mut runner).unwrap().current();
    let rows = some(60);
    let mut filters: Vec<Expr> = prop::collection::vec(tree(), 800).new_tree(&mut runner).unwrap().current();
    let said = prop::collection::vec(all_said(), 2500).new_tree(&mut runner).unwrap().current();
    let before = filters.len();
    filters.extend(said.iter().filter_map(|json| Some(parse_json(&json.to_string(), &Table).ok()?.expr().clone())));
    assert!(filters.len() - before > 1500, "{} of what was said is understood", filters.len() - before);
    let answers = psql(database, script(&rows, &filters));
    assert_eq!(answers.lines().count(), filters.len());
    for (filter, answer) in filters.iter().zip(answers.lines()) {
        for (row, truth) in rows.iter().zip(answer.chars()) {
            let own = filter.evaluate(row).map_or('?', |truth| if truth { '1' } else { '0' });
            assert_eq!(own, truth, "{filter}\n{row:?}");
        }
    }
}
