//! What is asked by place: nearest, overlay, summary, at once and as processes; and what is drawn at one place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tiny_skia::Pixmap;

use super::Random;
use super::model::{Layer, Row, Shown};
use super::questions::{Asked, Request, at, inner, same_features};

#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Nearest(Row),
    /// Every row's place goes through; the relation that is asked for.
    Overlay(&'static str),
    /// Figures of all in zones of a kind.
    Figures(&'static str),
    /// Figures by a field.
    By(&'static str),
    /// The layer's areas as zones, called by their names.
    Zones,
    /// What is withheld of a layer is not measured.
    Area,
    IdentifyProcess(Row),
    NearestProcess(Row),
    SummaryProcess,
    /// Whether anything is drawn where a row lies.
    Ink(Row),
}

/// A box around all rows, as GeoJSON.
fn everywhere() -> Value {
    json!({"type": "Polygon", "coordinates": [[[119.5, 35.5], [120.5, 35.5], [120.5, 36.5], [119.5, 36.5], [119.5, 35.5]]]})
}

impl Place {
    pub fn any(random: &mut Random) -> Place {
        let row = Row(random.below(100) as i64);
        match random.below(12) {
            0 => Place::Nearest(row),
            1 | 2 => Place::Overlay(random.of(&["intersects", "nearest&max_distance=100"])),
            3 => Place::Figures(random.of(&["geometry", "grid", "h3"])),
            4 => Place::By(random.of(&["kind", "floors", "listed"])),
            5 => Place::Zones,
            6 => Place::Area,
            7 => Place::IdentifyProcess(row),
            8 => Place::NearestProcess(row),
            9 => Place::SummaryProcess,
            _ => Place::Ink(row),
        }
    }

    pub fn right(&self) -> Option<&'static str> {
        Some(if matches!(self, Place::Ink(_)) { "view" } else { "query" })
    }

    pub fn request(&self, layer: Layer) -> Request {
        let id = layer.id;
        let nearest = |row: Row| {
            let (x, y) = inner(row, layer);
            json!({"points": [[x, y]], "layers": [id], "k": 100, "max_distance": 100_000})
        };
        let summary = |more: Value| {
            let mut body = json!({"layer": id, "zones": {"geometry": everywhere()}});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let process = |name: &str, inputs: Value| {
            Request::post(format!("/ogc/processes/{name}/execution"), &json!({ "inputs": inputs }))
        };
        match self {
            Place::Nearest(row) => Request::post("/api/v1/nearest", &nearest(*row)),
            Place::NearestProcess(row) => process("nearest", nearest(*row)),
            Place::IdentifyProcess(row) => {
                let (lon, lat) = inner(*row, layer);
                process("identify", json!({"lon": lon, "lat": lat, "tolerance": 5, "layers": [id]}))
            }
            Place::Overlay(predicate) => {
                let mut rows = String::from("lon,lat\n");
                for row in Row::all() {
                    let (x, y) = inner(row, layer);
                    rows += &format!("{x},{y}\n");
                }
                let mut request =
                    Request::post(format!("/api/v1/overlay?layers={id}&predicate={predicate}"), &Value::Null);
                request.body = Some(("text/csv", rows));
                request
            }
            Place::Figures(kind) => {
                let zones = match *kind {
                    "grid" => json!({"grid": {"size_m": 2500}}),
                    "h3" => json!({"h3": {"resolution": 6}}),
                    _ => json!({"geometry": everywhere()}),
                };
                Request::post(
                    "/api/v1/summary",
                    &summary(json!({"zones": zones, "statistics": ["count", {"sum": "floors"}]})),
                )
            }
            Place::SummaryProcess => process("summary", summary(json!({"statistics": ["count"]}))),
            Place::By(field) => Request::post("/api/v1/summary", &summary(json!({"by": field}))),
            Place::Area => Request::post("/api/v1/summary", &summary(json!({"statistics": ["area"]}))),
            Place::Zones => {
                let zones = json!({"layer": id, "label": "name"});
                Request::post("/api/v1/summary", &json!({"layer": "open", "zones": zones, "statistics": ["count"]}))
            }
            Place::Ink(row) => {
                let [w, s, e, n] = window(*row, layer);
                Request::get(format!(
                    "/ogc/wms?service=WMS&request=GetMap&version=1.3.0&styles=&crs=CRS:84&format=image/png&transparent=true\
                     &width=64&height=64&bbox={w},{s},{e},{n}&layers={id}"
                ))
            }
        }
    }

    pub fn check(&self, got: &Asked, layer: Layer, seen: &Shown, what: &str) {
        let (rows, fields) = (seen.rows(layer.squares), seen.fields());
        let needed = match self {
            Place::Figures(_) => Some("floors"),
            Place::By(field) => Some(*field),
            Place::Zones if layer.squares => Some("name"),
            _ => None,
        };
        if let Some(hidden) = needed.filter(|field| !fields.contains(field)) {
            assert_eq!(got.status, 400, "{what}: {hidden} is hidden and answers: {}", got.text());
            return;
        }
        match self {
            Place::Nearest(row) => nearest(&got.json(what)["results"], layer, *row, seen, what),
            Place::NearestProcess(row) => nearest(&got.json(what), layer, *row, seen, what),
            Place::IdentifyProcess(row) => {
                let found = at(&rows, *row, layer);
                same_features(&got.json(what)[0]["features"], layer, &found, &fields, what);
            }
            Place::Overlay(_) => overlaid(got, layer, &rows, &fields, what),
            Place::Figures(_) => {
                let found = got.json(what);
                assert_eq!(summed(&found, "count"), rows.len() as f64, "{what}: {found}");
                let floors: i64 = rows.iter().map(|(row, _)| row.floors()).sum();
                assert_eq!(summed(&found, "sum_floors"), floors as f64, "{what}: {found}");
            }
            Place::SummaryProcess => {
                assert_eq!(got.status, 200, "{what}: {}", got.text());
                let found = got.json(what);
                assert_eq!(summed(&found, "count"), rows.len() as f64, "{what}: {found}");
            }
            Place::By(field) => by(&got.json(what), field, &rows, what),
            Place::Area => {
                let found = summed(&got.json(what), "area_m2");
                let expected: f64 = rows.iter().map(|(_, place)| square_metres(place)).sum();
                assert!((found - expected).abs() <= 1.0 + expected * 1e-3, "{what}: {found} m², not {expected}");
            }
            Place::Zones if layer.squares => zones(&got.json(what), layer, &rows, what),
            // Points are no zones.
            Place::Zones => assert!(got.status < 500, "{what}"),
            Place::Ink(row) => inked(got, *row, layer, seen, what),
        }
    }
}

fn nearest(results: &Value, layer: Layer, row: Row, seen: &Shown, what: &str) {
    let rows = seen.rows(layer.squares);
    let found = &results[0]["layers"][0]["features"];
    same_features(found, layer, &rows, &seen.fields(), what);
    let there: BTreeSet<i64> = at(&rows, row, layer).iter().map(|(row, _)| row.id()).collect();
    let near = found.as_array().unwrap().iter().filter(|f| f["distance"] == 0.0);
    assert_eq!(near.map(|f| f["id"].as_i64().unwrap()).collect::<BTreeSet<_>>(), there, "{what}");
}

/// Each line tells of the row at its place, or of nothing.
fn overlaid(got: &Asked, layer: Layer, rows: &[(Row, [f64; 4])], fields: &BTreeSet<&str>, what: &str) {
    assert_eq!(got.status, 200, "{what}: {}", got.text());
    let text = String::from_utf8_lossy(&got.bytes).trim_start_matches('\u{feff}').to_owned();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let columns = table.headers().unwrap().clone();
    let own = |name: &str| columns.iter().position(|c| c == format!("{}.{name}", layer.id));
    for field in super::model::FIELDS {
        assert_eq!(own(field).is_some(), fields.contains(field), "{what}: {field}");
    }
    let lines: Vec<csv::StringRecord> = table.records().map(|line| line.expect(what)).collect();
    assert_eq!(lines.len(), 100, "{what}: {text}");
    for (row, line) in Row::all().zip(&lines) {
        let there = at(rows, row, layer).first().map(|(row, _)| *row);
        let cell = |name: &str| own(name).map(|i| line[i].to_owned());
        assert_eq!(cell("id"), Some(there.map_or(String::new(), |row| row.id().to_string())), "{what}: {line:?}");
        let name = there.map_or(String::new(), |row| layer.name(row));
        assert_eq!(cell("name"), fields.contains("name").then_some(name), "{what}: {line:?}");
    }
}

/// A figure over all zones and categories.
fn summed(found: &Value, figure: &str) -> f64 {
    let rows = found["rows"].as_array().unwrap_or_else(|| panic!("no rows: {found}"));
    // Of nothing there is no sum.
    let some = rows.iter().filter(|row| row["count"] != 0);
    some.map(|row| row[figure].as_f64().unwrap_or_else(|| panic!("no {figure}: {row}"))).sum()
}

fn by(found: &Value, field: &str, rows: &[(Row, [f64; 4])], what: &str) {
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for (row, _) in rows {
        let category = match field {
            "kind" => row.kind().to_owned(),
            "floors" => row.floors().to_string(),
            _ => row.listed().to_string(),
        };
        *expected.entry(category).or_default() += 1;
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let told = found["rows"].as_array().expect(what).iter();
    let told = told.map(|row| (text(&row["category"]), row["count"].as_u64().unwrap())).filter(|(_, count)| *count > 0);
    assert_eq!(told.collect::<BTreeMap<_, _>>(), expected, "{what}");
}

/// The points of the open layer lie at the squares' corners.
fn zones(found: &Value, layer: Layer, rows: &[(Row, [f64; 4])], what: &str) {
    let corner = |(row, place): &(Row, [f64; 4])| {
        let (x, y) = row.corner();
        u64::from(place[0] <= x && place[1] <= y)
    };
    let expected: BTreeMap<String, u64> = rows.iter().map(|one| (layer.name(one.0), corner(one))).collect();
    let told = found["rows"].as_array().expect(what).iter();
    let told: BTreeMap<String, u64> =
        told.map(|row| (row["label"].as_str().expect(what).to_owned(), row["count"].as_u64().unwrap())).collect();
    assert_eq!(told, expected, "{what}");
}

/// On the ellipsoid, by the lengths of a degree in the middle.
fn square_metres([w, s, e, n]: &[f64; 4]) -> f64 {
    let lat = f64::midpoint(*s, *n).to_radians();
    let northwards = 111_132.954 - 559.822 * (2.0 * lat).cos() + 1.175 * (4.0 * lat).cos();
    let eastwards = 111_412.84 * lat.cos() - 93.5 * (3.0 * lat).cos() + 0.118 * (5.0 * lat).cos();
    (e - w) * eastwards * (n - s) * northwards
}

/// Where a row and no other is drawn.
fn window(row: Row, layer: Layer) -> [f64; 4] {
    let (x, y) = row.corner();
    if layer.squares {
        [x + 0.001, y + 0.001, x + 0.003, y + 0.003]
    } else {
        [x - 0.002, y - 0.002, x + 0.002, y + 0.002]
    }
}

fn inked(got: &Asked, row: Row, layer: Layer, seen: &Shown, what: &str) {
    assert_eq!(got.status, 200, "{what}: {}", got.text());
    let picture = Pixmap::decode_png(&got.bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    let drawn = picture.pixels().iter().any(|p| p.alpha() > 0);
    let [w, s, e, n] = window(row, layer);
    match seen.place(row, layer.squares) {
        None => assert!(!drawn, "{what}: something is drawn where nothing is seen"),
        Some(p) if !layer.squares || (p[0] <= w && p[1] <= s && p[2] >= e && p[3] >= n) => {
            assert!(drawn, "{what}: nothing is drawn where something is seen");
        }
        // Only a part of the window is seen.
        Some(_) => {}
    }
}
