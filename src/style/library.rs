//! The styles that onemap brings along, and the one it makes for a layer that nobody has styled.
//!
//! A style under `styles/` names layers by their ids in `source-layer`; its sources follow from them. When it is
//! served, what the reader may not see or the catalogue does not have is left out, and all the rest is still drawn.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Files, marks, palette, sprites};
use crate::error::{Error, Result, Said};

/// The face for labels; its glyphs come from [`super::glyphs`].
pub const FONT: &str = "Noto Sans CJK SC Regular";

/// What a layer's geometries are, as far as drawing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    Point,
    Line,
    Polygon,
    /// Several at once, or not known.
    Mixed,
}

impl Shape {
    /// From PostGIS's or GeoJSON's name of a geometry type, such as `MULTIPOLYGON` or `Point`.
    pub fn of(geometry_type: Option<&str>) -> Self {
        let name = geometry_type.unwrap_or_default().to_ascii_lowercase();
        let name = name.strip_prefix("st_").unwrap_or(&name);
        match name.strip_prefix("multi").unwrap_or(name).trim_end_matches(['z', 'm']) {
            "point" => Shape::Point,
            "linestring" | "curve" | "circularstring" | "compoundcurve" => Shape::Line,
            "polygon" | "surface" | "curvepolygon" => Shape::Polygon,
            _ => Shape::Mixed,
        }
    }
}

/// What a default style needs to know of a layer.
#[derive(Debug, Clone)]
pub struct Drawn<'a> {
    pub id: &'a str,
    pub title: &'a Said,
    pub shape: Shape,
    /// The field that labels a feature, if one does: [`label_field`] finds it.
    pub label_field: Option<&'a str>,
    /// West, south, east, north.
    pub bounds: Option<[f64; 4]>,
    /// Its features are marks, which say themselves how they look.
    pub marks: bool,
}

/// The names of the styles that onemap brings along.
pub fn names() -> Vec<String> {
    BROUGHT.keys().cloned().collect()
}

/// Those styles as their files have them, read once: the base map is asked for with every one of its tiles.
static BROUGHT: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let read = Files::iter().filter_map(|file| {
        let name = file.strip_suffix(".json")?;
        Some((name.to_owned(), serde_json::from_slice::<Value>(&Files::get(&file)?.data).ok()?))
    });
    read.collect()
});

/// A style that onemap brings along, with the layers that `shown` admits. `base_url` has no slash at its end; empty,
/// the style's addresses are paths.
pub fn embedded(name: &str, base_url: &str, shown: impl Fn(&str) -> bool) -> Result<Value> {
    let brought = BROUGHT.get(name).ok_or_else(|| Error::not_found("没有这个样式", "there is no such style"))?;
    let members = brought.as_object().into_iter().flatten().filter(|(member, _)| *member != "layers");
    let mut style: Value = members.map(|(member, value)| (member.clone(), value.clone())).collect();
    let layers = brought["layers"].as_array().into_iter().flatten();
    let mut layers: Vec<Value> = layers.filter(|l| l["source-layer"].as_str().is_none_or(&shown)).cloned().collect();
    let mut sources = serde_json::Map::new();
    for layer in &mut layers {
        let Some(id) = layer["source-layer"].as_str().map(str::to_owned) else { continue };
        sources.insert(id.clone(), source(&id, base_url));
        layer["source"] = json!(id);
    }
    style["sources"] = Value::Object(sources);
    style["layers"] = Value::Array(layers);
    style["glyphs"] = glyphs(base_url);
    style["sprite"] = sprite(base_url);
    Ok(style)
}

/// A whole style for one layer that nobody has styled.
pub fn style_for(layer: &Drawn, base_url: &str) -> Value {
    styles_for(std::slice::from_ref(layer), base_url)
}

/// A whole style for one source whose tiles hold several layers under names of their own.
pub fn style_of_tiles(source_id: &str, layers: &[Drawn], base_url: &str) -> Value {
    let mut style = styles_for(layers, base_url);
    for layer in style["layers"].as_array_mut().into_iter().flatten().filter(|l| l["source-layer"].is_string()) {
        layer["source"] = json!(source_id);
    }
    style["sources"] = json!({ source_id: source(source_id, base_url) });
    if let Some(title) = layers.first().map(|l| l.title) {
        style["name"] = json!(title.zh);
        style["metadata"] = json!({ "onemap:title": { "zh": title.zh, "en": title.en } });
    }
    style
}

/// A whole style for several layers, polygons below lines below points; no two share a colour while there are enough.
pub fn styles_for(layers: &[Drawn], base_url: &str) -> Value {
    let colours = palette::distinct(layers.iter().map(|l| l.id));
    let mut order: Vec<(&Drawn, String)> = layers.iter().zip(colours).collect();
    order.sort_by_key(|(l, _)| match l.shape {
        Shape::Polygon | Shape::Mixed => 0,
        Shape::Line => 1,
        Shape::Point => 2,
    });
    let sources: serde_json::Map<String, Value> =
        layers.iter().map(|l| (l.id.to_owned(), source(l.id, base_url))).collect();
    // All labels lie above all shapes.
    let (labels, shapes): (Vec<Value>, Vec<Value>) = order
        .iter()
        .flat_map(|(l, colour)| match l.marks {
            true => marks::layers(l.id, colour),
            false => coloured_layers(l.id, l.shape, l.label_field, colour),
        })
        .partition(|l| l["type"] == "symbol");
    let title = |of: fn(&Said) -> &str| layers.iter().map(|l| of(l.title)).collect::<Vec<_>>().join(" · ");
    let mut style = json!({
        "version": 8,
        "name": title(|t| &t.zh),
        "metadata": { "onemap:title": { "zh": title(|t| &t.zh), "en": title(|t| &t.en) } },
        "glyphs": glyphs(base_url),
        "sprite": sprite(base_url),
        "sources": sources,
        "layers": shapes.into_iter().chain(labels).collect::<Vec<_>>(),
    });
    if let Some([west, south, east, north]) = layers.iter().filter_map(|l| l.bounds).reduce(around) {
        style["center"] = json!([(west + east) / 2.0, (south + north) / 2.0]);
        style["zoom"] = json!(zoom_for((east - west).max(north - south)));
    }
    style
}

/// The style layers for a layer that nobody has styled, in the colour that its id gives.
pub fn default_layers(layer_id: &str, shape: Shape, label_field: Option<&str>) -> Vec<Value> {
    coloured_layers(layer_id, shape, label_field, &palette::colour(layer_id))
}

/// The field that best labels a feature, from the layer's field names in order.
pub fn label_field<'a>(fields: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    const NAMES: [&str; 10] =
        ["name", "name_zh", "名称", "mc", "title", "标题", "full_name", "label", "door_no", "address"];
    let exact = NAMES.iter().find_map(|n| fields.clone().into_iter().find(|f| f.eq_ignore_ascii_case(n)));
    exact.or_else(|| {
        fields
            .into_iter()
            .find(|f| f.to_ascii_lowercase().ends_with("_name") || f.ends_with("名称") || f.ends_with('名'))
    })
}

/// One source per layer: each is authorised, cached and published on its own.
pub(super) fn source(id: &str, base_url: &str) -> Value {
    json!({ "type": "vector", "url": format!("{base_url}/tiles/{id}.json") })
}

pub(super) fn glyphs(base_url: &str) -> Value {
    json!(format!("{base_url}/fonts/{{fontstack}}/{{range}}.pbf"))
}

pub(super) fn sprite(base_url: &str) -> Value {
    json!(format!("{base_url}/sprites/{}", sprites::NAME))
}

fn coloured_layers(id: &str, shape: Shape, label_field: Option<&str>, colour: &str) -> Vec<Value> {
    let mut layers = match shape {
        Shape::Polygon => polygons(id, colour),
        Shape::Line => vec![line(id, colour)],
        Shape::Point => points(id, colour),
        Shape::Mixed => [
            only("Polygon", polygons(id, colour)),
            only("LineString", vec![line(id, colour)]),
            only("Point", points(id, colour)),
        ]
        .concat(),
    };
    layers.extend(label_field.map(|field| label(id, shape, field)));
    layers
}

/// For a layer of several shapes: each style layer draws its own. Tiles tell single from multiple only in some encoders.
pub(super) fn only(shape: &str, mut layers: Vec<Value>) -> Vec<Value> {
    for layer in &mut layers {
        layer["filter"] = json!(["in", ["geometry-type"], ["literal", [shape, format!("Multi{shape}")]]]);
    }
    layers
}

pub(super) fn part(id: &str, name: &str, kind: &str, paint: Value) -> Value {
    json!({ "id": format!("{id}-{name}"), "type": kind, "source": id, "source-layer": id, "paint": paint })
}

fn polygons(id: &str, colour: &str) -> Vec<Value> {
    let width = json!(["interpolate", ["linear"], ["zoom"], 8, 0.4, 14, 1.0, 18, 2.0]);
    vec![
        part(id, "fill", "fill", json!({ "fill-color": colour, "fill-opacity": 0.35 })),
        part(id, "outline", "line", json!({ "line-color": colour, "line-width": width })),
    ]
}

fn line(id: &str, colour: &str) -> Value {
    let width = json!(["interpolate", ["exponential", 1.4], ["zoom"], 8, 0.6, 14, 2.0, 18, 6.0]);
    let mut line = part(id, "line", "line", json!({ "line-color": colour, "line-width": width }));
    line["layout"] = json!({ "line-cap": "round", "line-join": "round" });
    line
}

/// Discs that grow with the zoom, small enough that a city's door plates still show its streets; where they are large enough, the sign of what they are on top.
fn points(id: &str, colour: &str) -> Vec<Value> {
    let radius = json!(["interpolate", ["linear"], ["zoom"], 8, 1.5, 12, 2.2, 14, 3.2, 15.5, 6.0, 17, 10.0]);
    let edge = json!(["interpolate", ["linear"], ["zoom"], 13, 0.0, 15, 0.8, 17, 1.5]);
    let paint = json!({
        "circle-color": colour,
        "circle-radius": radius,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": edge,
    });
    let mut layers = vec![part(id, "circle", "circle", paint)];
    if let Some(icon) = sprites::icon_for(id) {
        let mut sign = part(id, "icon", "symbol", json!({}));
        sign["minzoom"] = json!(15);
        sign["layout"] = json!({
            "icon-image": format!("{icon}-sign"),
            "icon-size": ["interpolate", ["linear"], ["zoom"], 15, 0.4, 17, 0.65],
            "icon-allow-overlap": true,
        });
        layers.push(sign);
    }
    layers
}

fn label(id: &str, shape: Shape, field: &str) -> Value {
    let mut layout = json!({
        "text-field": ["to-string", ["get", field]],
        "text-font": [FONT],
        "text-size": ["interpolate", ["linear"], ["zoom"], 12, 11, 18, 14],
        "text-max-width": 8,
    });
    let minzoom = match shape {
        Shape::Point => 15,
        Shape::Line => 14,
        Shape::Polygon | Shape::Mixed => 12,
    };
    match shape {
        Shape::Line => layout["symbol-placement"] = json!("line"),
        Shape::Point => {
            layout["text-anchor"] = json!("top");
            layout["text-offset"] = json!([0, 0.9]);
        }
        Shape::Polygon | Shape::Mixed => {}
    }
    let paint = json!({ "text-color": "#2b3440", "text-halo-color": "#ffffff", "text-halo-width": 1.2 });
    let mut label = part(id, "label", "symbol", paint);
    label["minzoom"] = json!(minzoom);
    label["layout"] = layout;
    label
}

fn around(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

/// The zoom at which that many degrees fill about 800 pixels of a map whose tiles are 512 wide.
fn zoom_for(degrees: f64) -> f64 {
    let zoom = (360.0 / degrees.max(1e-4) * 800.0 / 512.0).log2();
    (zoom.clamp(1.0, 17.0) * 10.0).round() / 10.0
}

#[cfg(test)]
#[path = "library_test.rs"]
mod tests;
