//! Summaries of a layer whose small counts are protected: slices of one table, and what an attacker can make of all of them.

use std::collections::HashMap;

use onemap::layer::copy::{Value as Cell, begin_row, put};
use onemap::layer::model::{FieldType, ShareClass};
use reqwest::Method;
use serde_json::{Value, json};

use super::post;
use crate::themes::{OTHER, OWNER, layer, make, point, send, table, zones};
use crate::world::World;

const SUMMARY: &str = "/api/v1/summary";
const NAMES: [&str; 4] = ["市南区", "市北区", "李沧区", "崂山区"];
/// The table's columns: two years, and none.
const PARTS: [Option<&str>; 3] = [Some("2023"), Some("2024"), None];
/// Small ones beside large ones, in the column without a year too, and zones whose only other number is a zero.
const TRUTH: [[u64; 3]; 4] = [[12, 2, 0], [9, 30, 3], [7, 8, 0], [20, 6, 1]];
const K: u64 = 5;

/// Points in the zones, so many a zone and part.
async fn cases(world: &World) {
    let mut rows = vec![];
    let mut id = 0;
    for (zone, parts) in TRUTH.iter().enumerate() {
        for (part, count) in parts.iter().enumerate() {
            for _ in 0..*count {
                id += 1;
                begin_row(&mut rows, 4);
                put(&mut rows, &Cell::Integer(id));
                put(&mut rows, &PARTS[part].map_or(Cell::Null, Cell::Text));
                put(&mut rows, &Cell::Integer(id % 7));
                let at = point(120.0 + (zone % 2) as f64 * 0.05, 36.0 + (zone / 2) as f64 * 0.05);
                put(&mut rows, &Cell::Geometry(&at));
            }
        }
    }
    let fields = [("year", FieldType::Text), ("age", FieldType::Integer)];
    layer(world, "cases", ShareClass::Conditional, &fields, Some("Point"), rows).await;
}

/// With the rule, and a grant on all of it for the other department.
async fn protected(rule: Value) -> World {
    let world = World::new().await;
    zones(&world).await;
    cases(&world).await;
    let (status, answer) =
        send(&world, OWNER, Method::PATCH, "/api/v1/layers/cases", &json!({ "suppression": rule })).await;
    assert_eq!(status, 200, "{answer}");
    world
        .sql(
            "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by)
              values ('cases', 'health', 'test', 'test')",
        )
        .await;
    world.app.refresh().await.unwrap();
    world
}

fn rule() -> Value {
    json!({"k": K, "zones": "zones", "field": "year"})
}

/// What an attacker knows of the table: numbers of cells, of zones whole, of parts whole.
#[derive(Default)]
struct Known {
    cells: HashMap<(usize, usize), u64>,
    zones: HashMap<usize, u64>,
}

impl Known {
    fn zone(name: &Value) -> usize {
        NAMES.iter().position(|known| name == known).unwrap_or_else(|| panic!("{name}"))
    }

    fn part(year: Option<&str>) -> usize {
        PARTS.iter().position(|known| *known == year).unwrap()
    }

    /// What is told twice must be the same, and the truth.
    fn learn(&mut self, zone: usize, part: Option<usize>, count: u64) {
        let truth = part.map_or_else(|| TRUTH[zone].iter().sum(), |part| TRUTH[zone][part]);
        assert_eq!(count, truth, "{zone} {part:?}");
        match part {
            Some(part) => self.cells.insert((zone, part), count),
            None => self.zones.insert(zone, count),
        };
    }

    fn of_summary(&mut self, answer: &Value, by_year: bool) {
        for row in answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}")) {
            assert_eq!(row["suppressed"] == true, row["count"].is_null(), "{row}");
            if let Some(count) = row["count"].as_u64() {
                let part = by_year.then(|| Known::part(row["category"].as_str()));
                self.learn(Known::zone(&row["label"]), part, count);
            }
        }
    }

    fn of_theme(&mut self, rows: &HashMap<String, Value>) {
        for row in rows.values() {
            if let Some(count) = row["count"].as_u64() {
                let part = row["period"].as_str().map(|year| Known::part(Some(year)));
                self.learn(Known::zone(&row["name"]), part, count);
            }
        }
    }

    /// For each cell the least and the greatest count that agree with all that is known and with how many rows there are.
    fn bounds(&self) -> HashMap<(usize, usize), (u64, u64)> {
        let total: u64 = TRUTH.iter().flatten().sum();
        let options: Vec<Vec<[u64; 3]>> = (0..4).map(|zone| self.options(zone)).collect();
        let mut found = HashMap::new();
        for zone in 0..4 {
            // What the other zones can add up to.
            let mut others = vec![true];
            for other in (0..4).filter(|other| *other != zone) {
                let mut next = vec![false; total as usize + 1];
                for sum in options[other].iter().map(|o| o.iter().sum::<u64>() as usize) {
                    for (before, _) in others.iter().enumerate().filter(|(_, reached)| **reached) {
                        if let Some(reached) = next.get_mut(before + sum) {
                            *reached = true;
                        }
                    }
                }
                others = next;
            }
            for option in &options[zone] {
                let rest = total.checked_sub(option.iter().sum());
                if rest.is_none_or(|rest| !others[rest as usize]) {
                    continue;
                }
                for (part, count) in option.iter().enumerate() {
                    let bound = found.entry((zone, part)).or_insert((*count, *count));
                    *bound = (bound.0.min(*count), bound.1.max(*count));
                }
            }
        }
        found
    }

    fn options(&self, zone: usize) -> Vec<[u64; 3]> {
        let values = |part: usize| match self.cells.get(&(zone, part)) {
            Some(count) => *count..=*count,
            None => 0..=45,
        };
        let mut all = vec![];
        for a in values(0) {
            for b in values(1) {
                all.extend(values(2).map(|c| [a, b, c]));
            }
        }
        all.retain(|option| self.zones.get(&zone).is_none_or(|whole| *whole == option.iter().sum::<u64>()));
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_told_together_leaves_every_withheld_count_open() {
    let world = protected(rule()).await;
    let mut known = Known::default();
    let zones = json!({"layer": "zones", "label": "name"});
    let some = json!({"layer": "zones", "label": "name", "filter": "people > 1500"});
    for (zones, by) in [(&zones, None), (&zones, Some("year")), (&some, None), (&some, Some("year"))] {
        let mut body = json!({"layer": "cases", "zones": zones});
        if let Some(by) = by {
            body["by"] = by.into();
        }
        let (status, answer) = post(&world, OTHER, SUMMARY, &body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(
            (&answer["suppression"], &answer["features"], &answer["outside"]),
            (&json!({"k": K}), &Value::Null, &Value::Null)
        );
        known.of_summary(&answer, by.is_some());
    }
    // Themes of the same layer, whose zones are written in another order, and those by year, which leave out rows without one.
    let theme = |code: &str| {
        json!({"data": {"layer": "cases"}, "zones": {"layer": "zones", "code": code, "name": "name"}, "join": {"by": "location"},
               "indicator": {"kind": "count"}, "method": "quantile", "classes": 2})
    };
    make(&world, "by-code", theme("code")).await;
    make(&world, "by-name", theme("name")).await;
    let mut by_year = theme("code");
    by_year["time"] = json!({"field": "year"});
    make(&world, "by-year", by_year).await;
    for theme in ["by-code", "by-name", "by-year"] {
        known.of_theme(&table(&world, theme).await);
    }
    let report = &world.json(OWNER, "/api/v1/themes/by-year").await["report"];
    assert_eq!(report["protected"], true, "keys without a zone are counts too: {report}");
    let bounds = known.bounds();
    let mut withheld = 0;
    for (zone, parts) in TRUTH.iter().enumerate() {
        for (part, count) in parts.iter().enumerate() {
            let told = known.cells.contains_key(&(zone, part));
            assert!(!told || *count == 0 || *count >= K, "{count} is told");
            let (least, greatest) = bounds[&(zone, part)];
            if !told {
                withheld += 1;
                assert!(greatest - least >= K - 1, "{} {part}: {least} to {greatest}", NAMES[zone]);
            }
        }
    }
    assert!((3..9).contains(&withheld), "as few are withheld as it takes: {withheld}");
    // In every form the same.
    let body = json!({"layer": "cases", "zones": zones, "by": "year"});
    let csv = world.by(OTHER, Method::POST, "/api/v1/summary?f=csv").await.json(&body).send().await.unwrap();
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("\u{feff}zone,label,category,count,suppressed\n"), "{csv}");
    assert_eq!(csv.matches(",,true").count(), withheld, "{csv}");
    let (_, geojson) = post(&world, OTHER, "/api/v1/summary?f=geojson", &body).await;
    let shown =
        geojson["features"].as_array().unwrap().iter().flat_map(|f| f["properties"]["categories"].as_array().unwrap());
    assert_eq!(shown.filter(|one| one["suppressed"] == true && one["count"].is_null()).count(), withheld);
    // The owner's own people count it as they like.
    let own = json!({"layer": "cases", "filter": "age = 3", "zones": {"grid": {"size_m": 1000}}, "statistics": ["count", {"mean": "age"}]});
    let (status, answer) = post(&world, OWNER, SUMMARY, &own).await;
    assert_eq!((status, &answer["suppression"]), (200, &Value::Null), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_slice_of_the_table_is_refused_with_the_way_there_is() {
    let world = protected(rule()).await;
    let square = json!({"type": "Polygon", "coordinates": [[[120.0, 36.0], [120.1, 36.0], [120.1, 36.1], [120.0, 36.1], [120.0, 36.0]]]});
    let base = json!({"layer": "cases", "zones": {"layer": "zones"}});
    for (name, value) in [
        ("zones", json!({"geometry": square})),
        ("zones", json!({"grid": {"size_m": 500}})),
        ("zones", json!({"h3": {"resolution": 7}})),
        ("zones", json!({"buffers": {"layer": "zones", "distances_m": [100]}})),
        ("zones", json!({"layer": "open"})),
        ("zones", json!({"divisions": "district"})),
        ("filter", json!("age = 3")),
        ("by", json!("age")),
        ("assign", json!("intersects")),
        ("assign", json!("share")),
        ("statistics", json!(["count", {"sum": "age"}])),
        ("statistics", json!([{"mean": "age"}])),
        ("statistics", json!([{"min": "age"}])),
        ("statistics", json!(["area"])),
    ] {
        let mut body = base.clone();
        body[name] = value;
        for path in [SUMMARY, "/api/v1/summary/jobs"] {
            let (status, problem) = post(&world, OTHER, path, &body).await;
            assert_eq!(status, 403, "{body}: {problem}");
            assert!(problem["hint"].as_str().unwrap().contains("/api/v1/themes"), "{problem}");
        }
        let inputs = json!({ "inputs": body });
        assert_eq!(post(&world, OTHER, "/ogc/processes/summary/execution", &inputs).await.0, 403, "{body}");
    }
    // Who reads a part of the rows, or of the zones, would have another table.
    world.sql("update onemap.access_grant set row_filter = '{\"year\": [\"2024\"]}' where layer_id = 'cases'").await;
    world.app.refresh().await.unwrap();
    let (status, problem) = post(&world, OTHER, SUMMARY, &base).await;
    assert_eq!((status, &problem["parameter"]), (400, &json!("data.layer")), "{problem}");
    world
        .sql(
            "update onemap.access_grant set row_filter = null where layer_id = 'cases';
             update onemap.layer set share_class = 'conditional' where id = 'zones';
             insert into onemap.access_grant (layer_id, department_id, purpose, granted_by, area)
                 values ('zones', 'health', 'test', 'test', st_multi(st_makeenvelope(119.9, 35.9, 120.02, 36.2, 4490)))",
        )
        .await;
    world.app.refresh().await.unwrap();
    let (status, problem) = post(&world, OTHER, SUMMARY, &base).await;
    assert_eq!((status, &problem["parameter"]), (400, &json!("zones.layer")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rows_that_are_sums_the_sum_alone_is_told() {
    let world = protected(json!({"k": 30, "zones": "zones", "count": "age"})).await;
    let zones = json!({"layer": "zones", "label": "name"});
    let body = json!({"layer": "cases", "zones": zones, "statistics": [{"sum": "age"}]});
    let (status, answer) = post(&world, OTHER, SUMMARY, &body).await;
    assert_eq!(status, 200, "{answer}");
    let whole = json!({"layer": "cases", "zones": {"layer": "zones", "label": "name"}, "statistics": [{"sum": "age"}]});
    let (_, truth) = post(&world, OWNER, SUMMARY, &whole).await;
    let told: Vec<&Value> = answer["rows"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 4);
    for (told, truth) in told.iter().zip(truth["rows"].as_array().unwrap()) {
        let sum = truth["sum_age"].as_f64().unwrap();
        assert!(told["suppressed"] == true || (told["sum_age"] == sum && sum >= 30.0), "{told} {truth}");
    }
    assert!(told.iter().any(|row| row["suppressed"] == false), "{answer}");
    for statistics in [json!(["count"]), json!([{"mean": "age"}])] {
        let body = json!({"layer": "cases", "zones": zones, "statistics": statistics});
        assert_eq!(post(&world, OTHER, SUMMARY, &body).await.0, 403);
    }
}
