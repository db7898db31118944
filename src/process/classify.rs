//! Class breaks of values or of a layer's field, with histogram, colours, legend and style.

use onemap_statistics::classify::{MOST_CLASSES, Method};
use onemap_statistics::palette::{Kind, Palette};
use serde_json::{Value, json};

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, Seen, wrong};
use crate::error::Result;
use crate::theme::classify::{MOST_VALUES, Request, classify};

pub struct Classify(About);

impl Classify {
    pub fn new() -> Self {
        let input = |name, title, description, schema| Input { name, title, description, required: false, schema };
        let methods: Vec<&str> = Method::ALL.map(Method::name).to_vec();
        let of_numbers = |p: &Palette| matches!(p.kind(), Kind::Sequential | Kind::Diverging);
        let palettes: Vec<&str> = Palette::ALL.iter().copied().filter(of_numbers).map(Palette::name).collect();
        Classify(About {
            id: "classify",
            version: "1.0.0",
            title: ("数值分级", "Classify"),
            description: (
                "把数值或图层的一个字段分级：断点、每级个数、直方图、配色、图例和地图样式来自同一次计算。",
                "Puts values, or a field of a layer, into classes: breaks, counts, histogram, colours, legend and map style of one computation.",
            ),
            keywords: &["分级", "专题图", "classify", "choropleth"],
            mode: Mode::Either,
            inputs: vec![
                input(
                    "values",
                    ("数值", "Values"),
                    ("或者给出图层和字段", "or give a layer and a field"),
                    json!({"type": "array", "minItems": 1, "maxItems": MOST_VALUES, "items": {"type": "number"}}),
                ),
                input("layer", ("图层", "Layer"), ("图层标识", "its id"), json!({"type": "string", "maxLength": 63})),
                input(
                    "field",
                    ("字段", "Field"),
                    ("数值字段", "a field of numbers"),
                    json!({"type": "string", "maxLength": 63}),
                ),
                input(
                    "filter",
                    ("过滤", "Filter"),
                    ("CQL2 文本", "CQL2 text"),
                    json!({"type": "string", "maxLength": 32768}),
                ),
                input(
                    "method",
                    ("分级方法", "Method"),
                    ("", ""),
                    json!({"type": "string", "enum": methods, "default": Method::NaturalBreaks.name()}),
                ),
                input(
                    "classes",
                    ("级数", "Classes"),
                    ("", ""),
                    json!({"type": "integer", "minimum": 2, "maximum": MOST_CLASSES, "default": 5}),
                ),
                input(
                    "breaks",
                    ("上限", "Breaks"),
                    ("仅用于 manual，递增", "of manual only, rising"),
                    json!({"type": "array", "minItems": 1, "maxItems": MOST_CLASSES, "items": {"type": "number"}}),
                ),
                input(
                    "palette",
                    ("配色", "Palette"),
                    ("对色觉障碍者可辨", "told apart by colour-blind readers"),
                    json!({"type": "string", "enum": palettes, "default": Palette::Blues.name()}),
                ),
                input("reverse", ("反转配色", "Reverse"), ("", ""), json!({"type": "boolean", "default": false})),
            ],
            outputs: vec![Output {
                name: "classification",
                title: ("分级结果", "The classification"),
                description: (
                    "断点、个数、直方图、配色、图例、样式",
                    "breaks, counts, histogram, colours, legend, style",
                ),
                schema: json!({"type": "object", "required": ["method", "classes", "breaks", "histogram", "legend", "style"]}),
            }],
        })
    }

    async fn run_now(call: Call<'_>) -> Result<Outcome> {
        let given = Value::Object(call.inputs.clone());
        let request: Request =
            serde_json::from_value(given).map_err(|e| wrong("values", e.to_string(), e.to_string()))?;
        request.check()?;
        let source = request.layer.as_deref().map(|layer| call.read(layer)).transpose()?;
        let classification = classify(&call.parts.store, request, source.as_ref(), "").await?;
        let seen = source.iter().map(|(_, grant)| Seen::of(grant)).collect();
        Ok(Outcome::Done { outputs: [("classification".to_owned(), classification)].into_iter().collect(), seen })
    }
}

impl Process for Classify {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::run_now(call))
    }
}
