//! What is at a point, over several layers.

use serde_json::{Value, json};

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, Seen};
use crate::error::Result;
use crate::feature::identify;

pub struct Identify(About);

impl Identify {
    pub fn new() -> Self {
        let degrees = |name, title, most: u32| Input {
            name,
            title,
            description: ("度，CGCS2000", "in degrees, CGCS2000"),
            required: true,
            schema: json!({"type": "number", "minimum": -f64::from(most), "maximum": most}),
        };
        Identify(About {
            id: "identify",
            version: "1.0.0",
            title: ("点查询", "Identify"),
            description: (
                "一点附近各图层的要素，由近及远。",
                "The features of several layers near a point, the nearest first.",
            ),
            keywords: &["查询", "identify"],
            mode: Mode::Either,
            inputs: vec![
                degrees("lon", ("经度", "Longitude"), 180),
                degrees("lat", ("纬度", "Latitude"), 90),
                Input {
                    name: "layers",
                    title: ("图层", "Layers"),
                    description: ("图层标识", "the layers' ids"),
                    required: true,
                    schema: json!({"type": "array", "minItems": 1, "maxItems": 20, "items": {"type": "string"}}),
                },
                Input {
                    name: "tolerance",
                    title: ("容差", "Tolerance"),
                    description: ("米", "in metres"),
                    required: false,
                    schema: json!({"type": "integer", "minimum": 0, "maximum": 10_000, "default": 10}),
                },
            ],
            outputs: vec![Output {
                name: "results",
                title: ("各图层的要素", "The features of each layer"),
                description: ("与 layers 同序", "in the order of `layers`"),
                schema: json!({"type": "array", "items": {"type": "object", "required": ["layer", "features"], "properties": {
                    "layer": {"type": "string"}, "features": {"type": "array", "items": {"type": "object"}}}}}),
            }],
        })
    }

    async fn look(call: Call<'_>) -> Result<Outcome> {
        let point = (call.number("lon").unwrap_or_default(), call.number("lat").unwrap_or_default());
        let tolerance = call.integer("tolerance").unwrap_or(10) as f64;
        // All of them before the first is read: what is refused is refused at once.
        let layers = call.texts("layers").unwrap_or_default();
        let opened = layers.iter().map(|layer| call.read(layer)).collect::<Result<Vec<_>>>()?;
        let mut out = b"[".to_vec();
        for (layer, grant) in &opened {
            identify::at(&call.parts.store, layer, grant, (point, tolerance), &mut out).await?;
        }
        out.push(b']');
        let results: Value = serde_json::from_slice(&out)?;
        let seen = opened.iter().map(|(_, grant)| Seen::of(grant)).collect();
        Ok(Outcome::Done { outputs: [("results".to_owned(), results)].into_iter().collect(), seen })
    }
}

impl Process for Identify {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::look(call))
    }
}
