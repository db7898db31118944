//! Layers whose rows are addresses, and what is asked of them: search, suggest, reverse, the process. What is not shown is not found, and the
//! words that only it holds mean nothing.

use serde_json::{Value, json};

use super::model::{Class, Layer, Row, Shown};
use super::questions::{Asked, Request};
use super::{Random, layer};
use crate::address::{make_source, ready};
use crate::world::World;

/// Each has a road of its own, with all the rows' numbers.
pub const DOORS: [Layer; 3] = [
    Layer { road: Some("朝霞路"), ..layer("doors", Class::Conditional, false, false) },
    Layer { road: Some("晚钟路"), ..layer("hidden-doors", Class::NotShared, false, false) },
    Layer { road: Some("青石路"), ..layer("open-doors", Class::Unconditional, false, false) },
];

const NO_ROAD: &str = "虚无路";

/// Makes them and waits until they are searched.
pub async fn make(world: &World) {
    for layer in DOORS {
        super::make_rows(world, layer).await;
        make_source(world, layer.id, json!({"mapping": {"full": "name"}})).await;
        ready(world, layer.id).await;
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Address {
    /// Everywhere that the caller may search.
    Search(Row),
    Suggest,
    Reverse(Row),
    Process(Row),
    /// In the one layer.
    Named(Row),
}

impl Address {
    pub fn any(random: &mut Random) -> Address {
        let row = Row(random.below(100) as i64);
        match random.below(8) {
            0..3 => Address::Search(row),
            3 => Address::Suggest,
            4 | 5 => Address::Reverse(row),
            6 => Address::Process(row),
            _ => Address::Named(row),
        }
    }

    /// Whether it asks for all that the caller reads, and not for the layer by its name.
    pub fn is_of_all(&self) -> bool {
        !matches!(self, Address::Named(_))
    }

    pub fn request(&self, layer: Layer) -> Request {
        // The road of a layer that does not exist is no road.
        let road = if layer.id == "nowhere" { NO_ROAD } else { layer.road.unwrap_or_default() };
        let text = |row: &Row| format!("市南区{road}{}号", row.id());
        let encoded = |text: String| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        match self {
            Address::Search(row) => Request::get(format!("/address/search?limit=50&q={}", encoded(text(row)))),
            Address::Suggest => Request::get(format!("/address/suggest?limit=50&q={}", encoded(road.to_owned()))),
            Address::Reverse(row) => {
                let (lon, lat) = row.corner();
                Request::get(format!("/address/reverse?lon={lon}&lat={lat}&radius=50&limit=50"))
            }
            Address::Process(row) => {
                let inputs = json!({"inputs": {"texts": [text(row)], "limit": 10}});
                Request::post("/ogc/processes/address-search/execution", &inputs)
            }
            Address::Named(row) => {
                Request::get(format!("/address/search?source={}&q={}", layer.id, encoded(text(row))))
            }
        }
    }

    /// A road that only a hidden layer knows is as one that there is not.
    pub fn same(&self, got: &Asked, nowhere: &Asked, layer: Layer, what: &str) {
        let said = |asked: &Asked, road: &str| {
            let answer = asked.json(what);
            answer.to_string().replace(road, NO_ROAD)
        };
        assert_eq!(said(got, layer.road.unwrap_or_default()), said(nowhere, NO_ROAD), "{what}");
    }

    /// `seen` is what the caller reads of the layer, if anything.
    pub fn check(&self, got: &Asked, layer: Layer, seen: Option<&Shown>, what: &str) {
        // An address is found by a field that is not shown no more than by a row that is not.
        let seen = seen.filter(|seen| seen.fields().contains("name"));
        if matches!(self, Address::Named(_)) && seen.is_none() {
            assert!(got.status >= 400, "{what}: {}", got.text());
            return;
        }
        let answer = got.json(what);
        let answer = if matches!(self, Address::Process(_)) { &answer[0] } else { &answer };
        let found: Vec<&Value> = answer["features"].as_array().expect(what).iter().map(|f| &f["properties"]).collect();
        let place = |row: &Row| seen.and_then(|seen| seen.place(*row, false));
        for one in &found {
            let says = one["label"].as_str().expect(what).contains(layer.road.unwrap_or_default());
            assert!(seen.is_some() || !says, "{what}: {one}");
            if one["source"] != layer.id {
                continue;
            }
            // A road, or a number between two, is of no row; without rows there is neither.
            match one["feature"].as_i64() {
                Some(id) => assert!(place(&Row(id - 1)).is_some(), "{what}: {one}"),
                None => assert!(seen.is_some_and(|seen| !seen.rows(false).is_empty()), "{what}: {one}"),
            }
        }
        let asked = match self {
            Address::Search(row) | Address::Process(row) | Address::Named(row) | Address::Reverse(row) => row,
            Address::Suggest => return,
        };
        let there = found.iter().any(|one| one["source"] == layer.id && one["feature"] == asked.id());
        assert_eq!(there, place(asked).is_some(), "{what}: {answer}");
    }
}
