//! Addresses in, the places they may mean out.

use onemap_address::find::{LONGEST, Level};
use serde_json::{Value, json};

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, Seen};
use crate::access::grant::{Grant, Read};
use crate::address::answer::{Name, faults, properties};
use crate::address::search::Asked;
use crate::error::Result;

const MOST_TEXTS: usize = 1000;
const MOST_CANDIDATES: usize = 10;

pub struct AddressSearch(About);

impl AddressSearch {
    pub fn new() -> Self {
        let levels: Vec<&str> = Level::NAMES.iter().map(|(_, name)| *name).collect();
        AddressSearch(About {
            id: "address-search",
            version: "1.0.0",
            title: ("地址匹配", "Address search"),
            description: (
                "把若干条地址文本匹配到标准地址，返回候选位置、匹配级别和存疑之处。",
                "Matches texts of addresses: the places that each may mean, how far it matched, and what is doubtful.",
            ),
            keywords: &["地址", "geocoding"],
            mode: Mode::Either,
            inputs: vec![
                Input {
                    name: "texts",
                    title: ("地址", "Addresses"),
                    description: ("要匹配的地址文本", "the texts to match"),
                    required: true,
                    schema: json!({"type": "array", "minItems": 1, "maxItems": MOST_TEXTS,
                                   "items": {"type": "string", "maxLength": LONGEST}}),
                },
                Input {
                    name: "limit",
                    title: ("候选数", "Candidates"),
                    description: ("每条地址最多返回的候选", "of each text at most"),
                    required: false,
                    schema: json!({"type": "integer", "minimum": 1, "maximum": MOST_CANDIDATES, "default": 1}),
                },
                Input {
                    name: "division",
                    title: ("行政区划", "Division"),
                    description: ("只在此行政区划内查找", "only within this division"),
                    required: false,
                    schema: json!({"type": "string", "maxLength": 100}),
                },
                Input {
                    name: "level",
                    title: ("级别", "Level"),
                    description: ("只返回此级别", "only matches of this level"),
                    required: false,
                    schema: json!({"type": "string", "enum": levels}),
                },
                Input {
                    name: "sources",
                    title: ("地址源", "Sources"),
                    description: ("只在这些图层中查找", "only in these layers"),
                    required: false,
                    schema: json!({"type": "array", "maxItems": 50, "items": {"type": "string"}}),
                },
            ],
            outputs: vec![Output {
                name: "matches",
                title: ("匹配结果", "Matches"),
                description: ("与输入同序，每条一项", "one for each text, in their order"),
                schema: json!({"type": "array", "items": {"type": "object", "required": ["query", "match_level", "features"],
                    "properties": {"query": {"type": "string"}, "match_level": {"type": "string", "enum": levels},
                        "type": {"type": "string", "enum": ["FeatureCollection"]}, "features": {"type": "array", "items": {"type": "object"}},
                        "faults": {"type": "array", "items": {"type": "string"}}, "remainder": {"type": "string"}}}}),
            }],
        })
    }

    async fn search(call: Call<'_>) -> Result<Outcome> {
        let sources = call.texts("sources").filter(|sources| !sources.is_empty());
        let readable = call.parts.addresses.readable(call.by, sources.as_deref()).await?;
        let limit = call.integer("limit").unwrap_or(1) as usize;
        let level = call.text("level").and_then(Level::parse);
        let division = call.text("division").filter(|d| !d.trim().is_empty()).map(str::to_owned);
        let mut matches = vec![];
        for text in call.texts("texts").unwrap_or_default() {
            let asked = Asked { text: text.clone(), limit, near: None, division: division.clone(), level };
            let found = call.parts.addresses.search(&readable, asked).await?;
            let features = found.candidates.iter().map(|candidate| {
                let place = [candidate.lon, candidate.lat].map(|degrees| (degrees * 1e7).round() / 1e7);
                json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": place},
                       "properties": properties(candidate, readable.layer(candidate.source))})
            });
            let level = found.candidates.first().map_or(Level::None, |c| c.match_level);
            matches.push(json!({
                "query": text, "match_level": level.name(), "type": "FeatureCollection", "features": features.collect::<Vec<_>>(),
                "faults": faults(&found.faults), "remainder": found.remainder,
            }));
        }
        let grants = readable.layers().iter().filter_map(|layer| call.parts.gate.open(call.by, layer).ok());
        let seen = grants.map(|grant: Grant<Read>| Seen::of(&grant)).collect();
        let outputs = [("matches".to_owned(), Value::Array(matches))].into_iter().collect();
        Ok(Outcome::Done { outputs, seen })
    }
}

impl Process for AddressSearch {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::search(call))
    }
}
