//! A MapLibre style, read once: which layers there are, what they show, and what their properties say.

mod filter;
mod function;
mod property;
pub mod spec;

use std::collections::BTreeSet;

use serde_json::Value as Json;

pub use property::{Held, Property};

use crate::expr::{self, Context, Expr, Type, Value};
use crate::problem::{Problem, Result};
use spec::{Is, Spec};

/// No style has more layers, or is larger.
const MOST_LAYERS: usize = 1_000;
const MOST_NODES: usize = 400_000;

/// A style that can be drawn.
#[derive(Debug, Clone)]
pub struct Style {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    Background,
    Fill,
    Extrusion,
    Line,
    Circle,
    Heatmap,
    Symbol,
}

/// A layer of a style.
#[derive(Debug, Clone)]
pub struct Layer {
    pub id: String,
    pub kind: LayerKind,
    pub source: String,
    pub source_layer: String,
    pub minzoom: f64,
    pub maxzoom: f64,
    hidden: bool,
    filter: Option<Expr>,
    /// What the style says, by the places of the kind's properties.
    said: Vec<(usize, Expr)>,
}

impl Style {
    /// Reads a style. Layers of raster data are left out, whatever else cannot be drawn is a fault.
    pub fn parse(json: &Json) -> Result<Style> {
        let mut left = MOST_NODES;
        if !within_size(json, &mut left) {
            return Err(Problem::new("", "样式过大", "the style is too large"));
        }
        let Some(layers) = json["layers"].as_array() else {
            return Err(Problem::new("layers", "样式缺少 layers 数组", "the style lacks its array \"layers\""));
        };
        if layers.len() > MOST_LAYERS {
            let (zh, en) = (format!("图层超过 {MOST_LAYERS} 个"), format!("there are more than {MOST_LAYERS} layers"));
            return Err(Problem::new("layers", zh, en));
        }
        let read = |(i, layer)| Layer::parse(layer).map_err(|p: Problem| p.within(&format!("layers[{i}]")));
        let layers: Result<Vec<Option<Layer>>> = layers.iter().enumerate().map(read).collect();
        Ok(Style { layers: layers?.into_iter().flatten().collect() })
    }

    /// The sources that are seen at a zoom: no tiles of others are needed.
    pub fn sources_at(&self, zoom: f64) -> Vec<&str> {
        let seen = self.layers.iter().filter(|l| l.is_seen(zoom));
        let names: BTreeSet<&str> = seen.map(|l| &*l.source).filter(|s| !s.is_empty()).collect();
        names.into_iter().collect()
    }

    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

fn within_size(json: &Json, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match json {
        Json::Array(items) => items.iter().all(|i| within_size(i, left)),
        Json::Object(members) => members.values().all(|i| within_size(i, left)),
        _ => true,
    }
}

impl Layer {
    fn parse(json: &Json) -> Result<Option<Layer>> {
        let kind = match json["type"].as_str() {
            Some("background") => LayerKind::Background,
            Some("fill") => LayerKind::Fill,
            Some("fill-extrusion") => LayerKind::Extrusion,
            Some("line") => LayerKind::Line,
            Some("circle") => LayerKind::Circle,
            Some("heatmap") => LayerKind::Heatmap,
            Some("symbol") => LayerKind::Symbol,
            Some("raster" | "hillshade" | "color-relief" | "sky") => return Ok(None),
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                let (zh, en) = (format!("没有图层类型“{other}”"), format!("there is no layer type \"{other}\""));
                return Err(Problem::new("type", zh, en));
            }
            None => return Err(Problem::new("type", "图层缺少 type", "the layer lacks its \"type\"")),
        };
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        if kind != LayerKind::Background && !json["source"].is_string() {
            return Err(Problem::new("source", "图层缺少 source", "the layer lacks its \"source\""));
        }
        let zoom = |name: &str, default: f64| match &json[name] {
            Json::Null => Ok(default),
            n => {
                n.as_f64().ok_or_else(|| Problem::new(name, format!("{name} 应为数字"), format!("{name} is a number")))
            }
        };
        Ok(Some(Layer {
            id: text("id"),
            kind,
            source: text("source"),
            source_layer: text("source-layer"),
            minzoom: zoom("minzoom", 0.0)?,
            maxzoom: zoom("maxzoom", f64::INFINITY)?,
            hidden: json["layout"]["visibility"] == "none",
            filter: read_filter(&json["filter"]).map_err(|p| p.within("filter"))?,
            said: read_properties(json, kind)?,
        }))
    }

    /// What asking all it says about one feature may take, in an expression's nodes.
    pub(crate) fn cost(&self) -> u32 {
        self.filter.iter().chain(self.said.iter().map(|(_, expr)| expr)).map(Expr::cost).fold(0, u32::saturating_add)
    }

    pub fn is_seen(&self, zoom: f64) -> bool {
        !self.hidden && zoom >= self.minzoom && zoom < self.maxzoom
    }

    /// Whether a feature passes the layer's filter.
    pub fn admits(&self, context: &Context<'_>) -> bool {
        self.filter.as_ref().is_none_or(|f| f.evaluate(context) == Ok(Value::Bool(true)))
    }

    /// A property for a picture. Panics in tests when the layer's kind has none of that name.
    pub fn property<T: Held>(&self, name: &str, context: &Context<'_>) -> Property<'_, T> {
        let specs = spec::properties(self.kind);
        let place = specs.iter().position(|s| s.name == name);
        debug_assert!(place.is_some(), "{name} is no property of {:?}", self.kind);
        let default = || place.and_then(|at| T::held(specs[at].is.default())).unwrap_or_default();
        match self.said(name) {
            None => Property::Known(default()),
            Some(expr) if expr.uses().feature => Property::Asked(expr, default()),
            Some(expr) => Property::Known(expr.evaluate(context).ok().and_then(T::held).unwrap_or_else(default)),
        }
    }

    /// What the style says about a property, if anything.
    pub fn said(&self, name: &str) -> Option<&Expr> {
        let at = spec::properties(self.kind).iter().position(|s| s.name == name)?;
        self.said.iter().find(|(place, _)| *place == at).map(|(_, expr)| expr)
    }
}

fn read_filter(json: &Json) -> Result<Option<Expr>> {
    if json.is_null() {
        return Ok(None);
    }
    match filter::is_expression(json) {
        true => expr::parse_as(json, &Type::Boolean).map(Some),
        false => expr::parse_as(&filter::to_expression(json)?, &Type::Boolean).map(Some),
    }
}

fn read_properties(layer: &Json, kind: LayerKind) -> Result<Vec<(usize, Expr)>> {
    let mut said = vec![];
    for (at, spec) in spec::properties(kind).iter().enumerate() {
        for group in ["layout", "paint"] {
            let value = &layer[group][spec.name];
            if !value.is_null() {
                let place = |p: Problem| p.within(&format!("{group}.{}", spec.name));
                said.push((at, read_property(value, spec).map_err(place)?));
            }
        }
    }
    Ok(said)
}

fn read_property(value: &Json, spec: &Spec) -> Result<Expr> {
    let kind = spec.is.kind();
    let listed = matches!(kind, Type::Array(..) | Type::Padding | Type::AnchorOffsets);
    match value {
        Json::Object(_) if function::is_function(value) => {
            expr::parse_as(&function::to_expression(value, spec)?, &kind)
        }
        Json::String(text) => expr::parse_as(&function::tokens(text, spec), &kind).and_then(|e| known_word(e, spec)),
        // An array of plain values is a value, not an expression.
        Json::Array(items) if listed && !begins_with_operator(items) => {
            expr::parse_as(&serde_json::json!(["literal", value]), &kind)
        }
        _ => expr::parse_as(value, &kind),
    }
    .and_then(|expr| match expr.is_interpolated() && !spec.interpolated {
        true => Err(Problem::new("", "此属性不能插值，请用 step", "it cannot be interpolated; use \"step\"")),
        false => Ok(expr),
    })
}

/// A word that stands in the style itself must be one that there is.
fn known_word(expr: Expr, spec: &Spec) -> Result<Expr> {
    if let (Is::Word(words), Some(Value::String(word))) = (spec.is, expr.as_literal())
        && !words.contains(&&**word)
    {
        let listed = words.iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>();
        let (zh, en) = (format!("可选值：{}", listed.join("、")), format!("it is one of: {}", listed.join(", ")));
        return Err(Problem::new("", zh, en));
    }
    Ok(expr)
}

fn begins_with_operator(items: &[Json]) -> bool {
    items.first().and_then(Json::as_str).is_some_and(expr::is_operator)
}

#[cfg(test)]
#[path = "language_test.rs"]
mod language_test;
