//! The standard's own test data set gives the numbers of features that its Annex A wants, by evaluation and, where
//! CQL2_POSTGRES names a database with PostGIS, by SQL. The data is `ne110m4cql2.gpkg` of opengeospatial/ogcapi-features.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Inline, psql};
use geo::{BoundingRect, Coord, Geometry, LineString, MultiPolygon, Point, Polygon};
use onemap_cql2::{Kind, Row, Schema, Value, parse, parse_json};
use serde_json::Value as Json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/fixtures/cql2");

struct Layer {
    table: &'static str,
    fields: Vec<(String, Kind)>,
    rows: Vec<Feature>,
}

struct Feature {
    values: Vec<Json>,
    geometry: Geometry,
}

impl Schema for Layer {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        self.fields.iter().position(|(n, _)| n == name).map(|i| (i, self.fields[i].1))
    }
    fn is_geometry(&self, name: &str) -> bool {
        name == "geom"
    }
}

impl Row for Feature {
    fn value(&self, field: usize) -> Value<'_> {
        match &self.values[field] {
            Json::String(text) => Value::Text(text),
            Json::Bool(truth) => Value::Boolean(*truth),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Integer)
            }
            _ => Value::Null,
        }
    }
    fn bounds(&self) -> Option<[f64; 4]> {
        let rect = self.geometry.bounding_rect()?;
        Some([rect.min().x, rect.min().y, rect.max().x, rect.max().y])
    }
    fn geometry(&self) -> Option<Geometry> {
        Some(self.geometry.clone())
    }
}

fn coords(json: &Json) -> Vec<Coord> {
    let number = |json: &Json| json.as_f64().unwrap();
    json.as_array().unwrap().iter().map(|c| Coord { x: number(&c[0]), y: number(&c[1]) }).collect()
}

fn polygon(json: &Json) -> Polygon {
    let mut rings = json.as_array().unwrap().iter().map(|ring| LineString(coords(ring)));
    Polygon::new(rings.next().unwrap(), rings.collect())
}

fn geometry(json: &Json) -> Geometry {
    let written = &json["coordinates"];
    match json["type"].as_str().unwrap() {
        "Point" => Geometry::Point(Point(coords(&Json::Array(vec![written.clone()]))[0])),
        "LineString" => Geometry::LineString(LineString(coords(written))),
        "Polygon" => Geometry::Polygon(polygon(written)),
        "MultiPolygon" => {
            Geometry::MultiPolygon(MultiPolygon(written.as_array().unwrap().iter().map(polygon).collect()))
        }
        other => panic!("{other}"),
    }
}

fn layer(table: &'static str, kinds: &[(&str, Kind)]) -> Option<Layer> {
    let file = Path::new(FOLDER).join("ne110m4cql2.gpkg");
    let exact = ["-lco", "RFC7946=NO", "-lco", "SIGNIFICANT_FIGURES=17", "-lco", "COORDINATE_PRECISION=17"];
    let mut command = Command::new("ogr2ogr");
    command.args(["-f", "GeoJSONSeq", "/vsistdout/"]).arg(file).arg(table).args(exact);
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).unwrap();
    let features: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<String> = features[0]["properties"].as_object().unwrap().keys().cloned().collect();
    let kind = |name: &str| kinds.iter().find(|(n, _)| *n == name).map_or(Kind::Text, |(_, kind)| *kind);
    let rows = features.iter().map(|feature| Feature {
        values: names.iter().map(|name| instant(kind(name), &feature["properties"][name])).collect(),
        geometry: geometry(&feature["geometry"]),
    });
    Some(Layer { table, rows: rows.collect(), fields: names.iter().map(|name| (name.clone(), kind(name))).collect() })
}

/// GDAL writes dates with slashes where it likes to, and times without their zone.
fn instant(kind: Kind, value: &Json) -> Json {
    match (kind, value.as_str()) {
        (Kind::Date, Some(text)) => text.replace('/', "-").into(),
        (Kind::Timestamp, Some(text)) => {
            let text = text.replace('/', "-").replace(' ', "T");
            format!("{}Z", text.trim_end_matches('Z').trim_end_matches("+00")).into()
        }
        _ => value.clone(),
    }
}

fn layers() -> Option<[Layer; 3]> {
    let places = [
        ("pop_max", Kind::Integer),
        ("pop_min", Kind::Integer),
        ("pop_other", Kind::Integer),
        ("date", Kind::Date),
        ("start", Kind::Timestamp),
        ("end", Kind::Timestamp),
        ("boolean", Kind::Boolean),
    ];
    Some([
        layer("ne_110m_admin_0_countries", &[("POP_EST", Kind::Float)])?,
        layer("ne_110m_populated_places_simple", &places)?,
        layer("ne_110m_rivers_lake_centerlines", &[])?,
    ])
}

/// The layer, the number, the predicate.
fn wanted(layers: &[Layer; 3]) -> Vec<(&Layer, usize, &'static str)> {
    let lines = include_str!("counts.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, " | ").collect();
            let layer = &layers["cpr".find(parts[0]).unwrap()];
            (layer, parts[1].parse().unwrap(), parts[2])
        })
        .collect()
}

#[test]
fn evaluation_finds_what_the_standard_says() {
    let Some(layers) = layers() else {
        return println!("skipped: ogr2ogr or {FOLDER}/ne110m4cql2.gpkg is not there");
    };
    let mut wrong = vec![];
    for (layer, count, predicate) in wanted(&layers) {
        let filter = parse(predicate, layer).unwrap_or_else(|problem| panic!("{predicate}: {problem}"));
        assert_eq!(parse_json(&filter.json().to_string(), layer).unwrap(), filter, "{predicate}");
        let found = layer.rows.iter().filter(|row| filter.matches(*row)).count();
        if found != count {
            wrong.push(format!("{predicate}: {found}, not {count}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sql_finds_what_the_standard_says() {
    let (Some(layers), Ok(database)) = (layers(), std::env::var("CQL2_POSTGRES")) else {
        return println!("skipped: CQL2_POSTGRES names no database, or the data set is not there");
    };
    let mut script = String::new();
    for layer in &layers {
        script += &table(layer);
    }
    let wanted = wanted(&layers);
    for (layer, _, predicate) in &wanted {
        let mut sql = Inline::default();
        parse(predicate, *layer).unwrap().sql(&mut sql);
        script += &format!("select count(*) from {} where {};\n", layer.table, sql.0);
    }
    let answers = psql(&database, script);
    assert_eq!(answers.lines().count(), wanted.len());
    let wrong: Vec<String> = (wanted.iter().zip(answers.lines()))
        .filter(|((_, count, _), found)| found.parse() != Ok(*count))
        .map(|((_, count, predicate), found)| format!("{predicate}: {found}, not {count}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn table(layer: &Layer) -> String {
    let columns = layer.fields.iter().enumerate().map(|(i, (_, kind))| format!("f{i} {}", common::column(*kind)));
    let columns: Vec<String> = columns.collect();
    let mut script =
        format!("create temp table {} ({}, geom geometry(geometry, 4490));\n", layer.table, columns.join(", "));
    for row in &layer.rows {
        let values: Vec<String> = (0..row.values.len()).map(|i| common::sql_value(row.value(i))).collect();
        let shape = common::wkt(&row.geometry);
        script +=
            &format!("insert into {} values ({}, st_geomfromtext('{shape}', 4490));\n", layer.table, values.join(", "));
    }
    script
}
