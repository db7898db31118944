//! The properties of each kind of layer: their types and what holds where a style says nothing.

use super::LayerKind;
use crate::expr::{Type, Value};

#[derive(Debug, Clone, Copy)]
pub enum Is {
    Number(f64),
    Bool(bool),
    Color(&'static str),
    /// A text out of a list; the first is the default.
    Word(&'static [&'static str]),
    Image,
    Formatted,
    Pair([f64; 2]),
    Numbers,
    Words,
    Padding(f64),
    AnchorOffsets,
    /// A colour for each density of a heatmap.
    Ramp,
}

#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub name: &'static str,
    pub is: Is,
    /// Whether values between two stops of a legacy function are mixtures.
    pub interpolated: bool,
}

impl Is {
    pub fn kind(self) -> Type {
        match self {
            Is::Number(_) => Type::Number,
            Is::Bool(_) => Type::Boolean,
            Is::Color(_) | Is::Ramp => Type::Color,
            Is::Word(_) => Type::String,
            Is::Image => Type::Image,
            Is::Formatted => Type::Formatted,
            Is::Pair(_) => Type::Array(Box::new(Type::Number), Some(2)),
            Is::Numbers => Type::array(Type::Number),
            Is::Words => Type::array(Type::String),
            Is::Padding(_) => Type::Padding,
            Is::AnchorOffsets => Type::AnchorOffsets,
        }
    }

    pub fn default(self) -> Value {
        match self {
            Is::Number(n) => Value::Number(n),
            Is::Bool(b) => Value::Bool(b),
            Is::Color(text) => crate::Color::parse(text).map_or(Value::Null, Value::Color),
            Is::Word(words) => Value::from(words[0]),
            Is::Pair(pair) => Value::Array(pair.map(Value::Number).into()),
            Is::Padding(all) => Value::Padding([all; 4]),
            Is::Image | Is::Formatted | Is::Numbers | Is::Words | Is::AnchorOffsets | Is::Ramp => Value::Null,
        }
    }
}

const fn mixed(name: &'static str, is: Is) -> Spec {
    Spec { name, is, interpolated: true }
}

const fn fixed(name: &'static str, is: Is) -> Spec {
    Spec { name, is, interpolated: false }
}

const MAP_OR_VIEWPORT: Is = Is::Word(&["map", "viewport"]);
const AUTO: Is = Is::Word(&["auto", "map", "viewport", "viewport-glyph"]);
const ANCHOR: Is =
    Is::Word(&["center", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right"]);
const OVERLAP: Is = Is::Word(&["", "never", "always", "cooperative"]);

const BACKGROUND: &[Spec] = &[
    mixed("background-color", Is::Color("#000000")),
    fixed("background-pattern", Is::Image),
    mixed("background-opacity", Is::Number(1.0)),
];

const FILL: &[Spec] = &[
    fixed("fill-sort-key", Is::Number(0.0)),
    fixed("fill-antialias", Is::Bool(true)),
    mixed("fill-opacity", Is::Number(1.0)),
    mixed("fill-color", Is::Color("#000000")),
    mixed("fill-outline-color", Is::Color("")),
    mixed("fill-translate", Is::Pair([0.0, 0.0])),
    fixed("fill-translate-anchor", MAP_OR_VIEWPORT),
    fixed("fill-pattern", Is::Image),
];

const EXTRUSION: &[Spec] = &[
    mixed("fill-extrusion-opacity", Is::Number(1.0)),
    mixed("fill-extrusion-color", Is::Color("#000000")),
    mixed("fill-extrusion-translate", Is::Pair([0.0, 0.0])),
    fixed("fill-extrusion-pattern", Is::Image),
];

const LINE: &[Spec] = &[
    fixed("line-cap", Is::Word(&["butt", "round", "square"])),
    fixed("line-join", Is::Word(&["miter", "bevel", "round"])),
    mixed("line-miter-limit", Is::Number(2.0)),
    fixed("line-sort-key", Is::Number(0.0)),
    mixed("line-opacity", Is::Number(1.0)),
    mixed("line-color", Is::Color("#000000")),
    mixed("line-translate", Is::Pair([0.0, 0.0])),
    mixed("line-width", Is::Number(1.0)),
    mixed("line-gap-width", Is::Number(0.0)),
    mixed("line-offset", Is::Number(0.0)),
    fixed("line-dasharray", Is::Numbers),
    fixed("line-pattern", Is::Image),
];

const CIRCLE: &[Spec] = &[
    fixed("circle-sort-key", Is::Number(0.0)),
    mixed("circle-radius", Is::Number(5.0)),
    mixed("circle-color", Is::Color("#000000")),
    mixed("circle-blur", Is::Number(0.0)),
    mixed("circle-opacity", Is::Number(1.0)),
    mixed("circle-translate", Is::Pair([0.0, 0.0])),
    mixed("circle-stroke-width", Is::Number(0.0)),
    mixed("circle-stroke-color", Is::Color("#000000")),
    mixed("circle-stroke-opacity", Is::Number(1.0)),
];

const HEATMAP: &[Spec] = &[
    mixed("heatmap-radius", Is::Number(30.0)),
    mixed("heatmap-weight", Is::Number(1.0)),
    mixed("heatmap-intensity", Is::Number(1.0)),
    mixed("heatmap-color", Is::Ramp),
    mixed("heatmap-opacity", Is::Number(1.0)),
];

const SYMBOL: &[Spec] = &[
    fixed("symbol-placement", Is::Word(&["point", "line", "line-center"])),
    mixed("symbol-spacing", Is::Number(250.0)),
    fixed("symbol-avoid-edges", Is::Bool(false)),
    fixed("symbol-sort-key", Is::Number(0.0)),
    fixed("symbol-z-order", Is::Word(&["auto", "viewport-y", "source"])),
    fixed("icon-allow-overlap", Is::Bool(false)),
    fixed("icon-overlap", OVERLAP),
    fixed("icon-ignore-placement", Is::Bool(false)),
    fixed("icon-optional", Is::Bool(false)),
    fixed("icon-rotation-alignment", AUTO),
    mixed("icon-size", Is::Number(1.0)),
    fixed("icon-text-fit", Is::Word(&["none", "width", "height", "both"])),
    mixed("icon-text-fit-padding", Is::Padding(0.0)),
    fixed("icon-image", Is::Image),
    mixed("icon-rotate", Is::Number(0.0)),
    mixed("icon-padding", Is::Padding(2.0)),
    fixed("icon-keep-upright", Is::Bool(false)),
    mixed("icon-offset", Is::Pair([0.0, 0.0])),
    fixed("icon-anchor", ANCHOR),
    fixed("text-rotation-alignment", AUTO),
    fixed("text-field", Is::Formatted),
    fixed("text-font", Is::Words),
    mixed("text-size", Is::Number(16.0)),
    mixed("text-max-width", Is::Number(10.0)),
    mixed("text-line-height", Is::Number(1.2)),
    mixed("text-letter-spacing", Is::Number(0.0)),
    fixed("text-justify", Is::Word(&["center", "auto", "left", "right"])),
    mixed("text-radial-offset", Is::Number(0.0)),
    fixed("text-variable-anchor", Is::Words),
    fixed("text-variable-anchor-offset", Is::AnchorOffsets),
    fixed("text-anchor", ANCHOR),
    mixed("text-max-angle", Is::Number(45.0)),
    mixed("text-rotate", Is::Number(0.0)),
    mixed("text-padding", Is::Number(2.0)),
    fixed("text-keep-upright", Is::Bool(true)),
    fixed("text-transform", Is::Word(&["none", "uppercase", "lowercase"])),
    mixed("text-offset", Is::Pair([0.0, 0.0])),
    fixed("text-allow-overlap", Is::Bool(false)),
    fixed("text-overlap", OVERLAP),
    fixed("text-ignore-placement", Is::Bool(false)),
    fixed("text-optional", Is::Bool(false)),
    mixed("icon-opacity", Is::Number(1.0)),
    mixed("icon-translate", Is::Pair([0.0, 0.0])),
    mixed("text-opacity", Is::Number(1.0)),
    mixed("text-color", Is::Color("#000000")),
    mixed("text-halo-color", Is::Color("rgba(0, 0, 0, 0)")),
    mixed("text-halo-width", Is::Number(0.0)),
    mixed("text-halo-blur", Is::Number(0.0)),
    mixed("text-translate", Is::Pair([0.0, 0.0])),
];

pub fn properties(kind: LayerKind) -> &'static [Spec] {
    match kind {
        LayerKind::Background => BACKGROUND,
        LayerKind::Fill => FILL,
        LayerKind::Extrusion => EXTRUSION,
        LayerKind::Line => LINE,
        LayerKind::Circle => CIRCLE,
        LayerKind::Heatmap => HEATMAP,
        LayerKind::Symbol => SYMBOL,
    }
}
