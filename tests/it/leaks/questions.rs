//! What is asked of the server, and how its answer is held against what the model says.

use std::collections::{BTreeSet, HashSet};

use geozero::mvt::{Message, Tile};
use reqwest::Method;
use serde_json::{Value, json};

use super::Random;
use super::addresses::Address;
use super::model::{FIELDS, Layer, Row, Shown};
use super::places::Place;

const NEAR: f64 = 1e-6;

/// What is sent.
pub struct Request {
    pub method: Method,
    pub path: String,
    /// Its media type and its text.
    pub body: Option<(&'static str, String)>,
}

impl Request {
    pub fn get(path: String) -> Request {
        Request { method: Method::GET, path, body: None }
    }
    pub fn post(path: impl Into<String>, body: &Value) -> Request {
        Request { method: Method::POST, path: path.into(), body: Some(("application/json", body.to_string())) }
    }
}

/// An answer, read.
pub struct Asked {
    pub status: u16,
    request: String,
    /// Without what differs from one request to the next.
    headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Asked {
    pub async fn of(response: reqwest::Response) -> Asked {
        let status = response.status().as_u16();
        let request = response.headers()["x-request-id"].to_str().expect("text").to_owned();
        let own = ["date", "x-request-id", "content-length"];
        let headers = response.headers().iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
        let headers = headers.collect();
        let bytes = response.bytes().await.expect("a whole body").to_vec();
        assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&bytes));
        Asked { status, request, headers, bytes }
    }

    /// As if it had been answered: what comes out of a file.
    pub fn held(bytes: Vec<u8>) -> Asked {
        let status = if bytes.is_empty() { 204 } else { 200 };
        Asked { status, request: String::new(), headers: vec![], bytes }
    }

    /// What it says, headers and all, without the layer's name and the request's number.
    pub fn told(&self, layer: &str) -> (u16, Vec<(String, String)>, String) {
        let nameless = |text: &str| {
            // A layer is called "open", and so does a namespace begin.
            let text = text.replace("opengis", "OGC");
            match self.request.is_empty() {
                true => text.replace(layer, "LAYER"),
                false => text.replace(&self.request, "").replace(layer, "LAYER"),
            }
        };
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), nameless(value))).collect();
        (self.status, headers, nameless(&String::from_utf8_lossy(&self.bytes)))
    }

    /// Whether it names a layer, as a JSON text of its own. Layers of this world are called like classes of sharing, which it may name.
    pub fn names(&self, layer: &str) -> bool {
        let name = format!("\"{layer}\"");
        let text = String::from_utf8_lossy(&self.bytes);
        let class = ["share", "share_class", "shareClass"].map(|member| format!("\"{member}\":{name}"));
        class.iter().fold(text.into_owned(), |text, class| text.replace(class, "")).contains(&name)
    }

    pub fn has(&self, text: &str) -> bool {
        memchr::memmem::find(&self.bytes, text.as_bytes()).is_some()
    }

    pub fn json(&self, what: &str) -> Value {
        assert_eq!(self.status, 200, "{what}: {}", self.text());
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{what}: {e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).chars().take(2000).collect()
    }
}

/// Which tile of a layer is asked for: all of the points lie in theirs, and squares are more than specks in theirs.
pub fn tile(layer: Layer) -> (u32, u32, u32) {
    if layer.squares { (10, 853, 401) } else { (8, 213, 100) }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    Items,
    Box([f64; 4]),
    /// A field and a bound: floors that are not above it, or a filter on another field.
    Filtered(&'static str),
    Sorted(&'static str),
    Item(Row),
    File(&'static str),
    Tile(&'static str),
    OgcTile,
    TileJson,
    Style,
    Legend,
    Schema(&'static str),
    Collection,
    Catalogue,
    Identify(Row),
    Wfs(&'static str),
    WfsHits,
    FeatureInfo(Row),
    Map,
    Wmts,
    /// A tile of the dataset, with this layer.
    DatasetTile,
    /// The page that people read.
    Page,
    /// The record of the catalogue.
    Record,
    Styles,
    LegendGraphic,
    /// The values of one field, by WFS.
    Values(&'static str),
    /// A change that is based on a state that there never was: it is refused at last by that, or before by the rules.
    Change(Row),
    /// What the owner's publishers look at.
    Owners(&'static str),
    Place(Place),
    Address(Address),
}

const FILES: [&str; 6] = ["csv", "fgb", "gpkg", "shp", "xlsx", "geojsonseq"];

impl Question {
    pub fn any(random: &mut Random) -> Question {
        let row = Row(random.below(100) as i64);
        if random.one_in(3) {
            return Question::Place(Place::any(random));
        }
        match random.below(32) {
            0..3 => Question::Items,
            3 => {
                let (w, s) = (random.below(9) as f64, random.below(9) as f64);
                Question::Box([120.002 + w * 0.01, 36.002 + s * 0.01, 120.036 + w * 0.01, 36.036 + s * 0.01])
            }
            4 => Question::Filtered(random.of(&FIELDS)),
            5 => Question::Sorted(random.of(&FIELDS)),
            6..8 => Question::Item(row),
            8..11 => Question::File(random.of(&FILES)),
            11..13 => Question::Tile(random.of(&["", ".mvt", ".mlt"])),
            13 => Question::OgcTile,
            14 => Question::TileJson,
            15 => random.of(&[Question::Style, Question::Legend]),
            16 => Question::Schema(random.of(&["schema", "queryables", "sortables"])),
            17 => Question::Collection,
            18 => Question::Catalogue,
            19 => Question::Identify(row),
            20 => Question::Wfs(random.of(&["application/json", "csv", ""])),
            21 => Question::WfsHits,
            22 => Question::FeatureInfo(row),
            23 => Question::DatasetTile,
            24 => Question::Page,
            25 => Question::Record,
            26 => random.of(&[Question::Styles, Question::LegendGraphic]),
            27 => Question::Values(random.of(&FIELDS)),
            28..30 => Question::Change(row),
            30 => Question::Owners(random.of(&["revisions", "revisions/1/preview"])),
            _ => random.of(&[Question::Map, Question::Wmts]),
        }
    }

    pub fn of_addresses(random: &mut Random) -> Question {
        Question::Address(Address::any(random))
    }

    /// Whether the answer may hold a name that was not read: it repeats the question.
    pub fn says_names(&self, layer: Layer) -> bool {
        layer.road.is_some() && matches!(self, Question::Address(_))
    }

    /// What may be asked by a signed address.
    pub fn signed(random: &mut Random) -> Question {
        let all = [Question::Tile(""), Question::Tile(".mvt"), Question::TileJson, Question::Style, Question::Wmts];
        random.of(&all)
    }

    /// The right that it takes; none where any will do.
    pub fn right(&self) -> Option<&'static str> {
        match self {
            Question::File(_) | Question::Wfs("csv") => Some("export"),
            Question::Tile(_)
            | Question::OgcTile
            | Question::TileJson
            | Question::Style
            | Question::Legend
            | Question::Map
            | Question::DatasetTile
            | Question::Styles
            | Question::LegendGraphic
            | Question::Wmts => Some("view"),
            Question::Place(place) => place.right(),
            Question::Address(_) => Some("query"),
            Question::Change(_) => Some("write"),
            Question::Owners(_) => Some("own"),
            Question::Schema(_) | Question::Collection | Question::Catalogue | Question::Record => None,
            _ => Some("query"),
        }
    }

    pub fn request(&self, layer: Layer) -> Request {
        match self {
            Question::Place(place) => place.request(layer),
            Question::Address(address) => address.request(layer),
            Question::Change(_) => {
                let body = Some(("application/merge-patch+json", json!({"properties": {}}).to_string()));
                Request { method: Method::PATCH, path: self.path(layer), body }
            }
            _ => Request::get(self.path(layer)),
        }
    }

    fn path(&self, layer: Layer) -> String {
        let id = layer.id;
        let (z, x, y) = tile(layer);
        let items = format!("/ogc/collections/{id}/items");
        let wms = format!(
            "/ogc/wms?version=1.3.0&styles=&crs=CRS:84&bbox=119.95,35.95,120.15,36.15&width=800&height=800&layers={id}"
        );
        match self {
            Question::Items => format!("{items}?limit=1000"),
            Question::Box([w, s, e, n]) => format!("{items}?limit=1000&bbox={w},{s},{e},{n}"),
            Question::Filtered("floors") => format!("{items}?limit=1000&filter=floors%20%3C%3D%2015"),
            Question::Filtered(field) => format!("{items}?limit=1000&filter={field}%20IS%20NOT%20NULL"),
            Question::Sorted(field) => format!("{items}?limit=1000&sortby=-{field}"),
            Question::Item(row) => format!("{items}/{}", row.id()),
            Question::File(format) => format!("{items}?f={format}"),
            Question::Tile(end) => format!("/tiles/{id}/{z}/{x}/{y}{end}"),
            Question::OgcTile => format!("/ogc/collections/{id}/tiles/WebMercatorQuad/{z}/{y}/{x}"),
            Question::TileJson => format!("/tiles/{id}.json"),
            Question::Style => format!("/styles/{id}.json"),
            Question::Legend => format!("/api/v1/layers/{id}/legend"),
            Question::Schema(name) => format!("/ogc/collections/{id}/{name}?f=json"),
            Question::Collection => format!("/ogc/collections/{id}?f=json"),
            Question::Catalogue => format!("/api/v1/layers/{id}"),
            Question::Identify(row) => {
                let (x, y) = inner(*row, layer);
                format!("/api/v1/identify?lon={x}&lat={y}&tolerance=5&layers={id}")
            }
            Question::Wfs(format) => {
                let format = if format.is_empty() { String::new() } else { format!("&outputFormat={format}") };
                format!("/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames={id}&count=1000{format}")
            }
            Question::WfsHits => {
                format!("/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames={id}&resultType=hits")
            }
            Question::FeatureInfo(row) => {
                let (x, y) = inner(*row, layer);
                let (i, j) = (((x - 119.95) / 0.00025) as u32, ((36.15 - y) / 0.00025) as u32);
                format!(
                    "{wms}&service=WMS&request=GetFeatureInfo&query_layers={id}&info_format=application/json&tolerance=3&i={i}&j={j}"
                )
            }
            Question::Map => format!("{wms}&service=WMS&request=GetMap&format=image/png"),
            Question::Wmts => format!("/ogc/wmts/1.0.0/{id}/default/WebMercatorQuad/{z}/{y}/{x}.png"),
            Question::DatasetTile => format!("/ogc/tiles/WebMercatorQuad/{z}/{y}/{x}?collections={id}"),
            Question::Page => format!("{items}?f=html&limit=1000"),
            Question::Record => format!("/ogc/collections/catalogue/items/{id}?f=json"),
            Question::Styles => format!("/ogc/collections/{id}/styles?f=json"),
            Question::LegendGraphic => {
                format!("/ogc/wms?service=WMS&version=1.3.0&request=GetLegendGraphic&layer={id}&format=image/png")
            }
            Question::Values(field) => format!(
                "/ogc/wfs?service=WFS&version=2.0.0&request=GetPropertyValue&typeNames={id}&count=1000&valueReference={field}"
            ),
            Question::Change(row) => format!("{items}/{}", row.id()),
            Question::Owners(what) => format!("/api/v1/layers/{id}/{what}"),
            Question::Place(_) | Question::Address(_) => String::new(),
        }
    }

    pub fn check_refusal(&self, got: &Asked, layer: Layer, what: &str) {
        match self {
            // What may be requested is described.
            Question::Catalogue => {
                let layer = got.json(what);
                assert!(layer["feature_count"].is_null() && layer["bbox"].is_null(), "{what}");
                for field in layer["fields"].as_array().unwrap() {
                    assert_eq!(field["readable"], false, "{what}");
                }
            }
            Question::Record => assert!(got.json(what)["geometry"].is_null(), "{what}: how far it reaches is told"),
            // Nobody is told to sign in, who has not.
            Question::Change(_) | Question::Owners(_) => {
                assert!(matches!(got.status, 401 | 403), "{what}: {}", got.text())
            }
            Question::Address(address) => address.check(got, layer, None, what),
            _ => assert_eq!(got.status, 403, "{what}: {}", got.text()),
        }
    }

    pub fn check(&self, got: &Asked, layer: Layer, seen: &Shown, what: &str) {
        let rows = seen.rows(layer.squares);
        let fields = seen.fields();
        match self {
            Question::Place(place) => place.check(got, layer, seen, what),
            Question::Address(address) => address.check(got, layer, Some(seen), what),
            Question::DatasetTile => check_tile(got, layer, seen, what),
            Question::Page => {
                assert_eq!(got.status, 200, "{what}: {}", got.text());
                for (row, _) in &rows {
                    assert_eq!(got.has(&layer.name(*row)), fields.contains("name"), "{what}: row {}", row.id());
                }
            }
            Question::Record => {
                let told = !got.json(what)["geometry"].is_null();
                assert!(!told || seen.is_all(), "{what}: how far the whole reaches");
            }
            Question::Values(field) if !fields.contains(field) => {
                assert_eq!(got.status, 400, "{what}: a hidden field answers: {}", got.text());
            }
            Question::Values(_) => {
                assert_eq!(got.status, 200, "{what}: {}", got.text());
                assert!(got.has(&format!("numberReturned=\"{}\"", rows.len())), "{what}: {}", got.text());
            }
            Question::Change(_) if layer.table => assert!(got.status >= 400, "{what}: {}", got.text()),
            Question::Change(row) => {
                let shown = rows.iter().any(|(r, _)| r.0 == row.0);
                assert_eq!(got.status, if shown { 412 } else { 404 }, "{what}: {}", got.text());
            }
            // A table that is shared as it stands has none.
            Question::Owners(_) => assert!(got.status == 200 || layer.table, "{what}: {}", got.text()),
            Question::Items => same_features(&got.json(what)["features"], layer, &rows, &fields, what),
            Question::Wfs("application/json") => {
                same_features(&got.json(what)["features"], layer, &rows, &fields, what)
            }
            Question::Box([w, s, e, n]) => {
                let meets = |p: &[f64; 4]| p[0] <= *e && p[2] >= *w && p[1] <= *n && p[3] >= *s;
                let rows: Vec<_> = rows.into_iter().filter(|(_, place)| meets(place)).collect();
                same_features(&got.json(what)["features"], layer, &rows, &fields, what);
            }
            Question::Filtered(field) | Question::Sorted(field) if !fields.contains(field) => {
                assert_eq!(got.status, 400, "{what}: a hidden field answers: {}", got.text());
            }
            Question::Filtered("floors") => {
                let rows: Vec<_> = rows.into_iter().filter(|(row, _)| row.floors() <= 15).collect();
                same_features(&got.json(what)["features"], layer, &rows, &fields, what);
            }
            Question::Filtered(_) | Question::Sorted(_) => {
                same_features(&got.json(what)["features"], layer, &rows, &fields, what)
            }
            Question::Item(row) => match rows.iter().find(|(r, _)| r.0 == row.0) {
                Some(one) => same_feature(&got.json(what), layer, one, &fields, what),
                None => assert_eq!(got.status, 404, "{what}: {}", got.text()),
            },
            Question::File(format) => check_file(format, got, layer, &rows, &fields, what),
            Question::Wfs("csv") => check_file("csv", got, layer, &rows, &fields, what),
            Question::Wfs(_) => {
                assert_eq!(got.status, 200, "{what}: {}", got.text());
                let members = memchr::memmem::find_iter(&got.bytes, b"<wfs:member>").count();
                assert_eq!(members, rows.len(), "{what}: {}", got.text());
                for hidden in FIELDS.iter().filter(|f| !fields.contains(*f)) {
                    assert!(!got.has(&format!(":{hidden}>")), "{what}: {hidden}");
                }
            }
            Question::WfsHits => {
                assert!(got.has(&format!("numberMatched=\"{}\"", rows.len())), "{what}: {}", got.text())
            }
            Question::Tile(".mlt") => assert!(matches!(got.status, 200 | 204), "{what}: {}", got.text()),
            Question::Tile(_) | Question::OgcTile => check_tile(got, layer, seen, what),
            Question::TileJson => {
                let document = got.json(what);
                let named = keys(&document["vector_layers"][0]["fields"]);
                assert_eq!(named, fields.iter().map(|f| (*f).to_owned()).collect(), "{what}");
                let told = document.get("bounds").is_some_and(|b| !b.is_null());
                assert!(!told || seen.is_all(), "{what}: bounds of the whole");
            }
            Question::Schema(_) => {
                let mut named = keys(&got.json(what)["properties"]);
                named.retain(|name| !matches!(name.as_str(), "fid" | "nr" | "geometry" | "id"));
                assert_eq!(named, fields.iter().map(|f| (*f).to_owned()).collect(), "{what}");
            }
            Question::Collection => {
                let whole = got.json(what)["extent"].is_object();
                assert!(!whole || seen.is_all(), "{what}: the extent of the whole");
            }
            Question::Catalogue => {
                let document = got.json(what);
                let told = !document["feature_count"].is_null() || !document["bbox"].is_null();
                assert!(!told || seen.is_all(), "{what}: figures of the whole");
                for field in document["fields"].as_array().unwrap() {
                    let readable = fields.contains(field["name"].as_str().unwrap());
                    assert_eq!(field["readable"], readable, "{what}: {field}");
                }
            }
            Question::Identify(row) => {
                let found = got.json(what)["results"][0]["features"].clone();
                same_features(&found, layer, &at(&rows, *row, layer), &fields, what);
            }
            Question::FeatureInfo(row) => {
                let document = got.json(what);
                let found: HashSet<i64> = document["features"].as_array().expect(what).iter().map(id_of).collect();
                let expected: HashSet<i64> = at(&rows, *row, layer).iter().map(|(row, _)| row.id()).collect();
                // One is answered unless more are asked for.
                assert_eq!(found, expected, "{what}: {}", got.text());
            }
            Question::Style
            | Question::Legend
            | Question::Map
            | Question::Wmts
            | Question::Styles
            | Question::LegendGraphic => {
                assert_eq!(got.status, 200, "{what}: {}", got.text());
            }
        }
    }
}

/// A place within the row's, and within every part of it that a grant's area may leave.
pub fn inner(row: Row, layer: Layer) -> (f64, f64) {
    let (x, y) = row.corner();
    if layer.squares { (x + 0.002, y + 0.002) } else { (x, y) }
}

/// What is at the inner place of a row.
pub fn at(rows: &[(Row, [f64; 4])], row: Row, layer: Layer) -> Vec<(Row, [f64; 4])> {
    let (x, y) = inner(row, layer);
    let holds = |p: &[f64; 4]| p[0] <= x && x <= p[2] && p[1] <= y && y <= p[3];
    rows.iter().filter(|(_, place)| holds(place)).cloned().collect()
}

pub fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
}

/// The number at the end of a feature's id: WFS has the layer's name before it.
fn id_of(feature: &Value) -> i64 {
    match &feature["id"] {
        Value::String(text) => text.rsplit('.').next().and_then(|n| n.parse().ok()).expect("a number"),
        other => other.as_i64().expect("a number"),
    }
}

pub fn same_features(found: &Value, layer: Layer, rows: &[(Row, [f64; 4])], fields: &BTreeSet<&str>, what: &str) {
    let found = found.as_array().unwrap_or_else(|| panic!("{what}: no features"));
    let mut ids: Vec<i64> = found.iter().map(id_of).collect();
    ids.sort_unstable();
    assert_eq!(ids, rows.iter().map(|(row, _)| row.id()).collect::<Vec<_>>(), "{what}");
    for feature in found {
        let one = rows.iter().find(|(row, _)| row.id() == id_of(feature)).expect("it is one of them");
        same_feature(feature, layer, one, fields, what);
    }
}

fn same_feature(feature: &Value, layer: Layer, (row, place): &(Row, [f64; 4]), fields: &BTreeSet<&str>, what: &str) {
    let properties = &feature["properties"];
    assert_eq!(keys(properties), fields.iter().map(|f| (*f).to_owned()).collect(), "{what}");
    for (field, value) in properties.as_object().unwrap() {
        match field.as_str() {
            "name" => assert_eq!(*value, layer.name(*row), "{what}"),
            "kind" => assert_eq!(*value, row.kind(), "{what}"),
            "floors" => assert_eq!(*value, row.floors(), "{what}"),
            "listed" => assert_eq!(*value, row.listed(), "{what}"),
            _ => assert!(!value.is_null(), "{what}"),
        }
    }
    let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    stretch(&feature["geometry"]["coordinates"], &mut bounds);
    let near = bounds.iter().zip(place).all(|(a, b)| (a - b).abs() < NEAR);
    assert!(near, "{what}: row {} is seen at {bounds:?}, not {place:?}", row.id());
}

fn stretch(coordinates: &Value, bounds: &mut [f64; 4]) {
    let list = coordinates.as_array().expect("coordinates");
    if let (Some(x), Some(y)) = (list[0].as_f64(), list.get(1).and_then(Value::as_f64)) {
        *bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
        return;
    }
    list.iter().for_each(|inner| stretch(inner, bounds));
}

fn check_file(format: &str, got: &Asked, layer: Layer, rows: &[(Row, [f64; 4])], fields: &BTreeSet<&str>, what: &str) {
    assert_eq!(got.status, 200, "{what}: {}", got.text());
    match format {
        "geojsonseq" => {
            let text = String::from_utf8_lossy(&got.bytes).into_owned();
            let lines = text.split('\u{1e}').map(str::trim).filter(|line| !line.is_empty());
            let found: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect(what)).collect();
            same_features(&Value::Array(found), layer, rows, fields, what);
        }
        "csv" => {
            let text = String::from_utf8_lossy(&got.bytes).into_owned();
            let mut lines = text.trim_start_matches('\u{feff}').lines();
            let header: Vec<&str> = lines.next().expect(what).split(',').collect();
            assert_eq!(lines.count(), rows.len(), "{what}");
            for field in FIELDS {
                assert_eq!(header.contains(&field), fields.contains(field), "{what}: {header:?}");
            }
        }
        // What is packed is opened elsewhere (`downloads`); here it is enough that what lies open in it is searched.
        _ => {}
    }
}

/// A tile holds the rows that are seen, with the fields that are seen, and nothing of their shapes beyond the area.
pub fn check_tile(got: &Asked, layer: Layer, seen: &Shown, what: &str) {
    let mut rows = seen.rows(layer.squares);
    let (z, x, y) = tile(layer);
    // With the margin that neighbours have in common.
    let (west, north) = degrees((z, x, y), -64, -64);
    let (east, south) = degrees((z, x, y), 4160, 4160);
    rows.retain(|(_, p)| p[0] <= east && p[2] >= west && p[1] <= north && p[3] >= south);
    if rows.is_empty() {
        assert!(got.status == 204 || got.bytes.is_empty(), "{what}: {}", got.status);
        return;
    }
    assert_eq!(got.status, 200, "{what}: {}", got.text());
    let decoded = Tile::decode(&got.bytes[..]).expect(what);
    let one = decoded.layers.iter().find(|l| l.name == layer.id).expect(what);
    let mut ids: Vec<i64> = one.features.iter().map(|f| f.id.expect("an id") as i64).collect();
    ids.sort_unstable();
    assert_eq!(ids, rows.iter().map(|(row, _)| row.id()).collect::<Vec<_>>(), "{what}");
    let named: BTreeSet<&str> = one.keys.iter().map(String::as_str).collect();
    assert_eq!(named, seen.fields(), "{what}");
    for feature in &one.features {
        let (_, place) = rows.iter().find(|(row, _)| Some(row.id() as u64) == feature.id).expect("it is one of them");
        for (px, py) in positions(&feature.geometry) {
            let (lon, lat) = degrees((z, x, y), px, py);
            // A unit of the grid is a 4096th of the tile; shapes are rounded to it.
            let slack = 2.0 * 360.0 / f64::from(1u32 << z) / 4096.0;
            let inside =
                lon > place[0] - slack && lon < place[2] + slack && lat > place[1] - slack && lat < place[3] + slack;
            assert!(inside, "{what}: {:?} is drawn at {lon}, {lat}, outside of {place:?}", feature.id);
        }
    }
}

/// The positions of a feature, from the commands of its geometry.
fn positions(commands: &[u32]) -> Vec<(i32, i32)> {
    let (mut at, mut found, mut i) = ((0i32, 0i32), vec![], 0);
    while i < commands.len() {
        let (command, count) = (commands[i] & 7, commands[i] >> 3);
        i += 1;
        if command == 7 {
            continue;
        }
        for _ in 0..count {
            let zigzag = |n: u32| (n >> 1) as i32 ^ -((n & 1) as i32);
            at = (at.0 + zigzag(commands[i]), at.1 + zigzag(commands[i + 1]));
            found.push(at);
            i += 2;
        }
    }
    found
}

fn degrees((z, x, y): (u32, u32, u32), px: i32, py: i32) -> (f64, f64) {
    let tiles = f64::from(1u32 << z);
    let lon = (f64::from(x) + f64::from(px) / 4096.0) / tiles * 360.0 - 180.0;
    let n = std::f64::consts::PI * (1.0 - 2.0 * (f64::from(y) + f64::from(py) / 4096.0) / tiles);
    (lon, n.sinh().atan().to_degrees())
}

/// No name of a row that is not shown stands anywhere in the answer, packed or not as it comes.
pub fn no_trace(got: &Asked, layer: Layer, seen: Option<&Shown>, what: &str) {
    let named = seen.is_some_and(|seen| seen.fields().contains("name"));
    for row in Row::all() {
        let shown = named && seen.is_some_and(|seen| seen.place(row, layer.squares).is_some());
        assert!(shown || !got.has(&layer.name(row)), "{what}: there is a trace of row {}", row.id());
    }
}
