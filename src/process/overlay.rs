//! Features with what shared layers say of their places.

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::nearest::layers;
use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, Seen, wrong};
use crate::error::{Error, Result};
use crate::geo::crs::CRS84;
use crate::spatial::overlay::input::Format;
use crate::spatial::overlay::{Columns, Predicate, System, Wanted, job, output};

/// Bytes of an answer.
const MOST: usize = 16 << 20;

pub struct Overlay(About);

impl Overlay {
    pub fn new() -> Self {
        let input = |name, title, description, schema| Input { name, title, description, required: false, schema };
        Overlay(About {
            id: "overlay",
            version: "1.0.0",
            title: ("叠加查询", "Overlay"),
            description: (
                "给要素附上所在（相交、最近）图层要素的属性；数据不保留。大量数据请用 /api/v1/overlay 流式提交。",
                "Features with the attributes of what they intersect, lie within or are nearest to; nothing of them is kept. Stream large sets to /api/v1/overlay.",
            ),
            keywords: &["叠加", "overlay", "within", "intersects"],
            // What is sent is kept nowhere, and a job keeps its inputs.
            mode: Mode::Sync,
            inputs: vec![
                Input {
                    name: "features",
                    title: ("要素", "Features"),
                    description: ("GeoJSON FeatureCollection，经纬度", "a GeoJSON FeatureCollection, in degrees"),
                    required: true,
                    schema: json!({"type": "object", "contentMediaType": "application/geo+json"}),
                },
                layers(),
                input(
                    "predicate",
                    ("关系", "Relation"),
                    ("相交、在内或最近", "intersects, within or nearest"),
                    json!({"type": "string", "enum": ["intersects", "within", "nearest"], "default": "intersects"}),
                ),
                input(
                    "max_distance",
                    ("最远距离", "Farthest"),
                    ("米，用于最近", "in metres, for the nearest"),
                    json!({"type": "number", "minimum": 0, "maximum": 100_000, "default": 10_000}),
                ),
                input(
                    "k",
                    ("个数", "How many"),
                    ("用于最近：每个图层几个", "for the nearest: how many of each layer"),
                    json!({"type": "integer", "minimum": 1, "maximum": 20, "default": 1}),
                ),
            ],
            outputs: vec![Output {
                name: "features",
                title: ("要素", "The features"),
                description: (
                    "原要素，附 onemap 成员：各图层的匹配，或该行的问题",
                    "as they were, with a member `onemap`: what was found in each layer, or what is wrong with it",
                ),
                schema: json!({"type": "object", "contentMediaType": "application/geo+json"}),
            }],
        })
    }

    async fn work(call: Call<'_>) -> Result<Outcome> {
        let layers = serde_json::from_value(call.inputs.get("layers").cloned().unwrap_or_default())
            .map_err(|_| wrong("layers", "图层格式不正确", "the layers are not as described"))?;
        let predicate = match call.text("predicate") {
            Some("within") => Predicate::Within,
            Some("nearest") => Predicate::Nearest {
                k: call.integer("k").unwrap_or(1) as usize,
                most: call.number("max_distance").unwrap_or(10_000.0),
            },
            _ => Predicate::Intersects,
        };
        let wanted = Wanted {
            layers,
            predicate,
            all_matches: false,
            format: Format::GeoJson,
            output: output::Format::GeoJson,
            system: System::Crs(CRS84),
            columns: Columns::default(),
            english: false,
        };
        let spatial = &call.parts.spatial;
        let plan = spatial.plan(call.by, wanted).await?;
        let seen = plan.opened().iter().map(|layer| Seen::of(&layer.grant)).collect();
        let sent = Bytes::from(serde_json::to_vec(call.inputs.get("features").unwrap_or(&Value::Null))?);
        let mut body = spatial.overlay(plan, job::pieces(sent)).await?;
        let mut out = vec![];
        while let Some(piece) = body.next().await {
            out.extend_from_slice(&piece?);
            if out.len() > MOST {
                return Err(Error::too_large("结果超过 16 MiB", "the answer is more than 16 MiB")
                    .hint("请用 /api/v1/overlay", "use /api/v1/overlay"));
            }
        }
        let features: Value = serde_json::from_slice(&out)?;
        Ok(Outcome::Done { outputs: [("features".to_owned(), features)].into_iter().collect(), seen })
    }
}

impl Process for Overlay {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::work(call))
    }
}
