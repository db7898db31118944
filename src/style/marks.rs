//! The style of an annotation layer: each mark looks as its own fields say (`layer::marks`), with the layer's colour where they do not.

use serde_json::{Value, json};

use super::library::{FONT, only, part};

/// The style layers: areas, lines, points, signs, and above all of them the texts.
pub fn layers(id: &str, colour: &str) -> Vec<Value> {
    let own = json!(["coalesce", ["get", "color"], colour]);
    let filled = json!(["coalesce", ["get", "fill"], ["get", "color"], colour]);
    let width = json!(["coalesce", ["get", "line_width"], 2.5]);
    let areas = vec![
        part(id, "fill", "fill", json!({ "fill-color": filled, "fill-opacity": 0.25 })),
        part(id, "outline", "line", json!({ "line-color": own, "line-width": width })),
    ];
    let mut line = part(id, "line", "line", json!({ "line-color": own, "line-width": width }));
    line["layout"] = json!({ "line-cap": "round", "line-join": "round" });
    let disc = json!({
        "circle-color": own,
        "circle-radius": ["/", ["coalesce", ["get", "size"], 12], 2],
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 1.5,
    });
    let mut discs = only("Point", vec![part(id, "circle", "circle", disc)]);
    let mut signs = only("Point", vec![sign(id)]);
    for (layer, condition) in
        [(&mut discs, json!(["!=", ["get", "kind"], "text"])), (&mut signs, json!(["has", "icon"]))]
    {
        let shape = layer[0]["filter"].take();
        layer[0]["filter"] = json!(["all", shape, condition]);
    }
    let texts = [
        only("Polygon", vec![text(id, "text-area", &own, json!({}))]),
        only("LineString", vec![text(id, "text-line", &own, json!({ "symbol-placement": "line-center" }))]),
        only("Point", vec![text(id, "text", &own, point_text())]),
    ];
    [only("Polygon", areas), only("LineString", vec![line]), discs, signs].into_iter().chain(texts).flatten().collect()
}

fn sign(id: &str) -> Value {
    let mut sign = part(id, "icon", "symbol", json!({}));
    sign["layout"] = json!({
        "icon-image": ["concat", ["get", "icon"], "-sign"],
        "icon-size": ["/", ["coalesce", ["get", "size"], 12], 30],
        "icon-allow-overlap": true,
    });
    sign
}

/// Beside a disc the text stands under it; a mark of text is the text alone, of the size that the mark says.
fn point_text() -> Value {
    let is_text = json!(["==", ["get", "kind"], "text"]);
    json!({
        "text-size": ["case", is_text, ["coalesce", ["get", "size"], 14], 13],
        "text-anchor": ["case", is_text, "center", "top"],
        "text-offset": ["case", is_text, ["literal", [0, 0]], ["literal", [0, 0.8]]],
    })
}

fn text(id: &str, name: &str, colour: &Value, more: Value) -> Value {
    let paint = json!({ "text-color": colour, "text-halo-color": "#ffffff", "text-halo-width": 1.4 });
    let mut text = part(id, name, "symbol", paint);
    text["layout"] = json!({
        "text-field": ["coalesce", ["get", "text"], ""],
        "text-font": [FONT],
        "text-size": 13,
        "text-max-width": 10,
    });
    if let (Some(layout), Value::Object(more)) = (text["layout"].as_object_mut(), more) {
        layout.extend(more);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_drawn_once_and_its_text_above() {
        let layers = layers("notes", "#a75091");
        let kinds: Vec<_> = layers.iter().map(|l| l["type"].as_str().unwrap_or_default()).collect();
        assert_eq!(kinds, ["fill", "line", "line", "circle", "symbol", "symbol", "symbol", "symbol"]);
        let mut ids: Vec<_> = layers.iter().map(|l| l["id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), layers.len());
        assert!(layers.iter().all(|l| l["filter"].is_array() && l["source-layer"] == "notes"));
    }
}
