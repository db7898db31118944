//! The features nearest to places.

use serde_json::{Map, Value, json};

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, Seen, parsed};
use crate::error::Result;
use crate::spatial::nearest::Wanted;

pub struct Nearest(About);

/// A layer as spatial queries name it: its id, or an object with fields and a filter.
pub(super) fn layers() -> Input {
    Input {
        name: "layers",
        title: ("图层", "Layers"),
        description: (
            "图层标识，或 {\"layer\", \"fields\", \"filter\"}",
            "the layers' ids, or {\"layer\", \"fields\", \"filter\"} with the fields that are wanted and CQL2 text",
        ),
        required: true,
        schema: json!({"type": "array", "minItems": 1, "maxItems": 20, "items": {}}),
    }
}

impl Nearest {
    pub fn new() -> Self {
        let input = |name, title, description, schema| Input { name, title, description, required: false, schema };
        Nearest(About {
            id: "nearest",
            version: "1.0.0",
            title: ("最近要素", "Nearest"),
            description: (
                "离给定的点或几何最近的要素及椭球面距离。",
                "The features nearest to points or a geometry, with their distances on the ellipsoid.",
            ),
            keywords: &["查询", "距离", "nearest", "distance"],
            // What is sent is kept nowhere, and a job keeps its inputs.
            mode: Mode::Sync,
            inputs: vec![
                layers(),
                input(
                    "points",
                    ("点", "Points"),
                    ("经度、纬度", "longitudes and latitudes"),
                    json!({"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}}),
                ),
                input(
                    "geometry",
                    ("几何", "Geometry"),
                    ("GeoJSON 几何", "a GeoJSON geometry"),
                    json!({"type": "object"}),
                ),
                input(
                    "k",
                    ("个数", "How many"),
                    ("每个图层", "of each layer"),
                    json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 1}),
                ),
                input(
                    "max_distance",
                    ("最远距离", "Farthest"),
                    ("米", "in metres"),
                    json!({"type": "number", "minimum": 0, "maximum": 100_000, "default": 10_000}),
                ),
            ],
            outputs: vec![Output {
                name: "results",
                title: ("最近的要素", "The nearest features"),
                description: ("每个点一项，与 points 同序", "an item for each point, in the order of `points`"),
                schema: json!({"type": "array", "items": {"type": "object"}}),
            }],
        })
    }

    async fn look(call: Call<'_>) -> Result<Outcome> {
        let wanted: Wanted = parsed(call.inputs)?;
        let (found, opened) = call.parts.spatial.nearest(call.by, &wanted).await?;
        let mut document: Map<String, Value> = serde_json::from_slice(&found)?;
        let seen = opened.iter().map(|layer| Seen::of(&layer.grant)).collect();
        let results = document.remove("results").unwrap_or_default();
        Ok(Outcome::Done { outputs: [("results".to_owned(), results)].into_iter().collect(), seen })
    }
}

impl Process for Nearest {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::look(call))
    }
}
