//! Counts, sums and the like of a layer's features by zone and category.

use serde_json::{Map, Value, json};

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, Seen, parsed, wrong};
use crate::error::Result;
use crate::spatial::summary::Wanted;

pub struct Summary(About);

impl Summary {
    pub fn new() -> Self {
        let input = |name, title, description, required, schema| Input { name, title, description, required, schema };
        Summary(About {
            id: "summary",
            version: "1.0.0",
            title: ("分区统计", "Summary by zones"),
            description: (
                "按分区（图层、行政区划、缓冲区、方格或六边形）和类别统计要素的个数、总和、均值、面积与长度。",
                "Counts, sums, means, areas and lengths of features by zones (a layer's areas, divisions, buffers, squares, hexagons) and category.",
            ),
            keywords: &["统计", "summary", "statistics"],
            mode: Mode::Either,
            inputs: vec![
                input(
                    "layer",
                    ("图层", "Layer"),
                    ("图层标识", "the layer's id"),
                    true,
                    json!({"type": "string", "maxLength": 100}),
                ),
                input(
                    "zones",
                    ("分区", "Zones"),
                    (
                        "以下之一：{\"layer\"}、{\"divisions\"}、{\"geometry\"}、{\"buffers\"}、{\"grid\": {\"size_m\"}}、{\"h3\": {\"resolution\"}}",
                        "one of {\"layer\"}, {\"divisions\"}, {\"geometry\"}, {\"buffers\"}, {\"grid\": {\"size_m\"}}, {\"h3\": {\"resolution\"}}",
                    ),
                    true,
                    json!({"type": "object"}),
                ),
                input(
                    "statistics",
                    ("统计量", "Statistics"),
                    (
                        "count、area、length，或 {\"sum\": 字段}，sum、mean、min、max 之一",
                        "count, area, length, or {\"sum\": field} with one of sum, mean, min, max",
                    ),
                    false,
                    json!({"type": "array", "minItems": 1, "maxItems": 20, "items": {}, "default": ["count"]}),
                ),
                input(
                    "by",
                    ("类别字段", "Category"),
                    ("字段名", "a field"),
                    false,
                    json!({"type": "string", "maxLength": 100}),
                ),
                input(
                    "filter",
                    ("过滤", "Filter"),
                    ("CQL2 文本", "CQL2 text"),
                    false,
                    json!({"type": "string", "maxLength": 32_768}),
                ),
                input(
                    "assign",
                    ("跨界归属", "Across edges"),
                    (
                        "跨越分区边界的要素：按中心、相交即计、按份额",
                        "features across edges count by their centre, wherever they intersect, or by share",
                    ),
                    false,
                    json!({"type": "string", "enum": ["centre", "intersects", "share"], "default": "centre"}),
                ),
            ],
            outputs: vec![Output {
                name: "summary",
                title: ("统计结果", "The summary"),
                description: ("每个分区和类别一行", "a row for each zone and category"),
                schema: json!({"type": "object", "required": ["layer", "rows"]}),
            }],
        })
    }

    async fn work(call: Call<'_>) -> Result<Outcome> {
        let wanted: Wanted = parsed(call.inputs)?;
        let progress = |done, total| call.progress.set("summary", done, total);
        let summary = call.parts.spatial.summary(call.by, wanted, &progress).await?;
        let seen =
            std::iter::once(&summary.opened).chain(&summary.others).map(|layer| Seen::of(&layer.grant)).collect();
        Ok(Outcome::Done { outputs: [("summary".to_owned(), summary.document())].into_iter().collect(), seen })
    }
}

impl Process for Summary {
    fn about(&self) -> &About {
        &self.0
    }

    /// A zone of the caller's own is not to lie in a table.
    fn keeps(&self, inputs: &Map<String, Value>) -> Result<()> {
        let wanted: Wanted = parsed(inputs)?;
        match wanted.zones.brings_geometry() {
            false => Ok(()),
            true => Err(wrong(
                "zones",
                "自带几何的分区只能同步执行：任务会保留其输入",
                "zones of your own run at once only: a job keeps its inputs",
            )),
        }
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::work(call))
    }
}
