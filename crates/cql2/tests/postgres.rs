//! SQL and evaluation agree, row by row, in PostGIS itself:
//! `CQL2_POSTGRES="host=… dbname=…" cargo test -p onemap-cql2 --test postgres`.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{FIELDS, House, Inline, Table, all_said, house, tree};
use onemap_cql2::{Expr, Kind, Value, parse_json};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn column(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "int8",
        Kind::Float => "float8",
        Kind::Boolean => "bool",
        Kind::Date => "date",
        Kind::Timestamp => "timestamptz",
    }
}

fn value(value: Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Integer(v) => format!("'{v}'"),
        Value::Float(v) => format!("'{v:?}'").replace("inf", "infinity"),
        Value::Boolean(v) => v.to_string(),
    }
}

/// As a filter writes it: well-known text.
fn wkt(geometry: &geo::Geometry) -> String {
    use geo::Geometry::*;
    let at = |c: &geo::Coord| format!("{:?} {:?}", c.x, c.y);
    let line = |l: &geo::LineString| format!("({})", l.0.iter().map(at).collect::<Vec<_>>().join(","));
    let rings = |p: &geo::Polygon| {
        let rings = std::iter::once(p.exterior()).chain(p.interiors());
        format!("({})", rings.map(line).collect::<Vec<_>>().join(","))
    };
    match geometry {
        Point(p) => format!("POINT({})", at(&p.0)),
        MultiPoint(p) => format!("MULTIPOINT({})", p.iter().map(|p| at(&p.0)).collect::<Vec<_>>().join(",")),
        LineString(l) => format!("LINESTRING{}", line(l)),
        MultiLineString(l) => format!("MULTILINESTRING({})", l.iter().map(line).collect::<Vec<_>>().join(",")),
        Polygon(p) => format!("POLYGON{}", rings(p)),
        MultiPolygon(p) => format!("MULTIPOLYGON({})", p.iter().map(rings).collect::<Vec<_>>().join(",")),
        _ => unreachable!("the generator makes no others"),
    }
}

fn script(rows: &[House], filters: &[Expr]) -> String {
    let columns: Vec<String> =
        FIELDS.iter().enumerate().map(|(i, (_, kind))| format!("f{i} {}", column(*kind))).collect();
    let mut script = format!(
        "set timezone = 'Asia/Shanghai'; create temp table t (id serial, {}, geom geometry(geometry, 4490));\n",
        columns.join(", ")
    );
    for row in rows {
        let values: Vec<String> = row.values.iter().map(|v| value(*v)).collect();
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
    let mut runner = TestRunner::default();
    let mut some = |n: usize| prop::collection::vec(house(), n).new_tree(&mut runner).unwrap().current();
    let rows = some(60);
    let mut filters: Vec<Expr> = prop::collection::vec(tree(), 800).new_tree(&mut runner).unwrap().current();
    let said = prop::collection::vec(all_said(), 2500).new_tree(&mut runner).unwrap().current();
    let before = filters.len();
    filters.extend(said.iter().filter_map(|json| Some(parse_json(&json.to_string(), &Table).ok()?.expr().clone())));
    assert!(filters.len() - before > 1500, "{} of what was said is understood", filters.len() - before);
    let mut psql = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &database])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql is there");
    let mut input = psql.stdin.take().unwrap();
    let script = script(&rows, &filters);
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = psql.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), filters.len());
    for (filter, answer) in filters.iter().zip(answers.lines()) {
        for (row, truth) in rows.iter().zip(answer.chars()) {
            let own = filter.evaluate(row).map_or('?', |truth| if truth { '1' } else { '0' });
            assert_eq!(own, truth, "{filter}\n{row:?}");
        }
    }
}
