//! Several layers with their styles as one style: what a picture is drawn from.

use onemap_cql2::Filter;
use serde_json::{Value, json};

use crate::tile::render::Drawn;

/// A layer under a picture, and which of its features.
#[derive(Clone)]
pub struct Source {
    pub drawn: Drawn,
    pub filter: Option<Filter>,
}

/// What of a style is drawn: Tianditu's base map and its labels are two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    All,
    Shapes,
    Labels,
}

impl Part {
    fn has(self, layer: &Value) -> bool {
        match self {
            Part::All => true,
            Part::Shapes => layer["type"] != "symbol",
            Part::Labels => layer["type"] == "symbol",
        }
    }
}

/// Style layers from bottom to top, and the sources that they name by their numbers.
#[derive(Default)]
pub struct Sheet {
    shapes: Vec<Value>,
    labels: Vec<Value>,
    pub sources: Vec<Source>,
}

impl Sheet {
    /// Lays a style on top. It names its sources by the ids of their layers; what has none of these is left out.
    pub fn add(&mut self, style: &Value, part: Part, sources: Vec<Source>) {
        let first = self.sources.len();
        let layers = style["layers"].as_array().map_or(&[][..], Vec::as_slice);
        for layer in layers.iter().filter(|layer| part.has(layer)) {
            let mut layer = layer.clone();
            if let Some(id) = layer["source"].as_str() {
                let Some(at) = sources.iter().position(|s| *s.drawn.layer.id == *id) else { continue };
                layer["source"] = json!((first + at).to_string());
            }
            let place = self.shapes.len() + self.labels.len();
            layer["id"] = json!(place.to_string());
            // Labels lie above all shapes, as in `style::library`.
            if layer["type"] == "symbol" { &mut self.labels } else { &mut self.shapes }.push(layer);
        }
        self.sources.extend(sources);
    }

    pub fn style(&self) -> Value {
        let sources: serde_json::Map<String, Value> =
            (0..self.sources.len()).map(|i| (i.to_string(), json!({"type": "vector"}))).collect();
        let layers: Vec<&Value> = self.shapes.iter().chain(&self.labels).collect();
        json!({"version": 8, "sources": sources, "layers": layers})
    }
}
