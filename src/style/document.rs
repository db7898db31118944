//! A MapLibre style as a department hands it in: checked with a pointed error, cut down to what is ours, and written out for a reader.
//!
//! A kept style's sources are vector sources over layers of the platform; nothing of another origin is in it, so that looking at a
//! map tells nobody else who looks. What a reader may not see is left out when it is served, and all the rest is still drawn.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::library::{glyphs, source, sprite};
use crate::error::{Error, Result};

/// Bytes of a style at most.
pub const MOST_BYTES: usize = 512 << 10;
const MOST_LAYERS: usize = 400;
const MOST_SOURCES: usize = 40;
/// Layers of the platform in one source, as in one tile.
const MOST_IN_SOURCE: usize = 20;
const MOST_DEPTH: usize = 60;
const MEMBERS: [&str; 14] = [
    "version",
    "id",
    "name",
    "metadata",
    "center",
    "zoom",
    "bearing",
    "pitch",
    "light",
    "sources",
    "sprite",
    "glyphs",
    "transition",
    "layers",
];
const TYPES: [&str; 7] = ["background", "fill", "line", "symbol", "circle", "heatmap", "fill-extrusion"];

/// A style that may be kept.
#[derive(Debug, Clone)]
pub struct Checked {
    pub document: Value,
    /// The layers of the platform that it draws, each once, sorted.
    pub layers: Vec<String>,
}

/// Reads a style. `base` is the platform's own address: sources say `{base}/tiles/{layers}.json` or only the path.
pub fn check(style: Value, base: &str) -> Result<Checked> {
    let Value::Object(mut members) = style else {
        return Err(wrong("style", "应为 JSON 对象", "it must be a JSON object"));
    };
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let shown = short(unknown);
        return Err(wrong(&shown, "样式中没有这一项", "a style has no such member"));
    }
    if members.get("version") != Some(&json!(8)) {
        return Err(wrong("version", "应为 8（MapLibre 样式规范）", "it must be 8 (the MapLibre style specification)"));
    }
    if members.values().any(|value| depth(value) > MOST_DEPTH) {
        return Err(wrong("style", "嵌套过深", "it is nested too deeply"));
    }
    for (name, path) in [("glyphs", "/fonts/"), ("sprite", "/sprites/")] {
        let ours = |url: &str| ours(url, base).is_some_and(|rest| rest.starts_with(path));
        if members.remove(name).is_some_and(|given| !given.as_str().is_some_and(ours)) {
            let hint = format!("{base}{path}…");
            return Err(wrong(
                name,
                "只能使用本平台的资源，可省略",
                "only the platform's own can be used; leave it out",
            )
            .hint(hint.clone(), hint));
        }
    }
    let sources = sources(members.get("sources").unwrap_or(&Value::Null), base)?;
    let Some(Value::Array(layers)) = members.get("layers") else {
        return Err(wrong("layers", "应为数组", "it must be an array"));
    };
    if layers.len() > MOST_LAYERS {
        return Err(wrong("layers", format!("最多 {MOST_LAYERS} 层"), format!("at most {MOST_LAYERS} of them")));
    }
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (i, layer) in layers.iter().enumerate() {
        let drawn = check_layer(layer, &format!("layers[{i}]"), &sources)?;
        used.extend(drawn);
        if !ids.insert(layer["id"].as_str().unwrap_or_default()) {
            return Err(wrong(&format!("layers[{i}].id"), "标识重复", "there is a layer of this id already"));
        }
    }
    // The same reader draws the pictures of WMS and WMTS: what it takes, every map draws.
    let whole = json!({ "layers": layers });
    onemap_paint::Style::parse(&whole).map_err(|problem| {
        let at = if problem.path.is_empty() { "style" } else { &problem.path };
        wrong(at, problem.zh.clone(), problem.en.clone())
    })?;
    let kept: Map<String, Value> =
        sources.iter().map(|(name, layers)| (name.clone(), source(&layers.join(","), ""))).collect();
    let layers = used.into_iter().collect();
    members.insert("sources".into(), Value::Object(kept));
    Ok(Checked { document: Value::Object(members), layers })
}

/// The sources by their names: the layers in each.
fn sources(given: &Value, base: &str) -> Result<Vec<(String, Vec<String>)>> {
    let Value::Object(given) = given else {
        return Err(wrong("sources", "应为 JSON 对象", "it must be a JSON object"));
    };
    if given.len() > MOST_SOURCES {
        return Err(wrong("sources", format!("最多 {MOST_SOURCES} 个"), format!("at most {MOST_SOURCES} of them")));
    }
    given
        .iter()
        .map(|(name, source)| {
            let at = format!("sources.{}", short(name));
            if source["type"] != "vector" {
                return Err(wrong(&format!("{at}.type"), "只支持 vector 数据源", "only vector sources can be used"));
            }
            let url =
                source["url"].as_str().and_then(|url| ours(url, base)).and_then(|path| path.strip_prefix("/tiles/"));
            let ids: Option<Vec<String>> =
                url.and_then(|url| url.strip_suffix(".json")).map(|ids| ids.split(',').map(str::to_owned).collect());
            let hint = format!("{base}/tiles/{{layer}}.json");
            let ids =
                ids.filter(|ids| ids.len() <= MOST_IN_SOURCE && ids.iter().all(|id| is_id(id))).ok_or_else(|| {
                    wrong(
                        &format!("{at}.url"),
                        "应为本平台图层的 TileJSON 地址",
                        "it must be a TileJSON address of the platform's layers",
                    )
                    .hint(hint.clone(), hint)
                })?;
            Ok((name.clone(), ids))
        })
        .collect()
}

/// The address's path, when it is ours; without its query, which holds no more than a key.
fn ours<'a>(url: &'a str, base: &str) -> Option<&'a str> {
    let path = url.strip_prefix(base).unwrap_or(url);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    (path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

fn is_id(id: &str) -> bool {
    (1..=63).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Checks a style layer; the layers of the platform that it may draw.
fn check_layer(layer: &Value, at: &str, sources: &[(String, Vec<String>)]) -> Result<Vec<String>> {
    if !layer.is_object() {
        return Err(wrong(at, "应为 JSON 对象", "it must be a JSON object"));
    }
    match layer["id"].as_str() {
        Some(id) if !id.is_empty() && id.len() <= 200 => {}
        _ => return Err(wrong(&format!("{at}.id"), "缺少标识", "it must have an id")),
    }
    let Some(kind) = layer["type"].as_str().filter(|kind| TYPES.contains(kind)) else {
        return Err(wrong(&format!("{at}.type"), "没有这种样式层", "there is no such type of layer")
            .hint(format!("可用：{}", TYPES.join("、")), format!("choose from {}", TYPES.join(", "))));
    };
    for name in ["paint", "layout"] {
        if !matches!(layer.get(name), None | Some(Value::Object(_))) {
            return Err(wrong(&format!("{at}.{name}"), "应为 JSON 对象", "it must be a JSON object"));
        }
    }
    if !matches!(layer.get("filter"), None | Some(Value::Array(_) | Value::Bool(_))) {
        return Err(wrong(&format!("{at}.filter"), "应为表达式（数组）", "it must be an expression, an array"));
    }
    for name in ["minzoom", "maxzoom"] {
        let fits = |zoom: &Value| zoom.as_f64().is_some_and(|zoom| (0.0..=24.0).contains(&zoom));
        if !layer.get(name).is_none_or(fits) {
            return Err(wrong(&format!("{at}.{name}"), "应为 0 到 24 之间的数", "it must be a number from 0 to 24"));
        }
    }
    if kind == "background" {
        return Ok(vec![]);
    }
    let named = layer["source"].as_str().and_then(|name| sources.iter().find(|(n, _)| n == name));
    let Some((_, ids)) = named else {
        return Err(wrong(
            &format!("{at}.source"),
            "sources 中没有这个数据源",
            "there is no such source among `sources`",
        ));
    };
    match (layer["source-layer"].as_str(), &ids[..]) {
        (Some(_), [one]) => Ok(vec![one.clone()]),
        (Some(name), ids) if ids.iter().any(|id| id == name) => Ok(vec![name.to_owned()]),
        (None, _) => Err(wrong(&format!("{at}.source-layer"), "缺少 source-layer", "it must have a source-layer")),
        (Some(_), ids) => {
            Err(wrong(&format!("{at}.source-layer"), "数据源中没有这个图层", "the source has no such layer")
                .hint(format!("可用：{}", ids.join("、")), format!("choose from {}", ids.join(", "))))
        }
    }
}

/// What a reader sees of one layer; by default the whole.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The names of fields that a grant leaves out.
    pub hidden: Vec<String>,
    /// Whether a grant leaves out anything, be it features.
    pub part: bool,
}

/// Members of a style that may say where its layers lie and what is in them.
const OF_THE_WHOLE: [&str; 5] = ["metadata", "center", "zoom", "bearing", "pitch"];

/// Whether a reader sees something that a kept style draws, of the one layer if one is named: what [`served`] would leave.
pub fn draws(kept: &Value, layer: Option<&str>, mut see: impl FnMut(&str) -> Option<Sight>) -> bool {
    let named = layers_of_sources(kept);
    kept["layers"].as_array().into_iter().flatten().any(|drawn| {
        let Some(id) = drawn_layer(drawn, &named).filter(|id| layer.is_none_or(|layer| layer == id)) else {
            return false;
        };
        see(&id).is_some_and(|sight| !is_concealed(drawn, &sight.hidden))
    })
}

/// A kept style for a reader. `see` says what is seen of a layer, and nothing of one that may not be read. None when the style
/// draws layers and the reader sees none of them.
pub fn served(kept: &Value, base: &str, mut see: impl FnMut(&str) -> Option<Sight>) -> Option<Value> {
    let mut style = kept.clone();
    let mut seen: Vec<(String, Sight)> = vec![];
    let mut whole = true;
    let mut sources = Map::new();
    // Of what a style layer draws all of its source decides: what is left of a source must not take another's place.
    let named = layers_of_sources(kept);
    for (name, ids) in named.clone() {
        let visible: Vec<String> = ids
            .into_iter()
            .filter(|id| {
                let sight = see(id);
                let found = sight.is_some();
                whole &= sight.as_ref().is_some_and(|sight| !sight.part && sight.hidden.is_empty());
                seen.extend(sight.map(|sight| (id.clone(), sight)));
                found
            })
            .collect();
        if !visible.is_empty() {
            sources.insert(name, source(&visible.join(","), base));
        }
    }
    let layers = style["layers"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let drew = layers.iter().any(|layer| layer["source"].is_string());
    let layers: Vec<Value> = layers
        .into_iter()
        .filter_map(|layer| {
            if !layer["source"].is_string() {
                return Some(layer);
            }
            let id = drawn_layer(&layer, &named)?;
            let sight = &seen.iter().find(|(seen, _)| *seen == id)?.1;
            conceal(layer, &sight.hidden)
        })
        .collect();
    if drew && !layers.iter().any(|layer| layer["source"].is_string()) {
        return None;
    }
    if let Some(members) = style.as_object_mut().filter(|_| !whole) {
        members.retain(|name, _| !OF_THE_WHOLE.contains(&name.as_str()));
    }
    style["layers"] = Value::Array(layers);
    style["sources"] = Value::Object(sources);
    style["glyphs"] = glyphs(base);
    style["sprite"] = sprite(base);
    Some(style)
}

/// Of a served style what draws one layer, as a style of its own whose source is called as the layer is.
pub fn of_layer(served: &Value, layer: &str, base: &str) -> Option<Value> {
    let named = layers_of_sources(served);
    let mut layers = served["layers"].as_array().cloned().unwrap_or_default();
    layers.retain(|l| drawn_layer(l, &named).is_some_and(|id| id == layer));
    if layers.is_empty() {
        return None;
    }
    for one in &mut layers {
        one["source"] = json!(layer);
    }
    let mut style = served.clone();
    style["sources"] = json!({ layer: source(layer, base) });
    style["layers"] = Value::Array(layers);
    Some(style)
}

/// The layers that a style draws, each once, in the order of the drawing, with their shapes as the standard names them.
pub fn drawn(style: &Value) -> Vec<(String, &'static str)> {
    let named = layers_of_sources(style);
    let mut drawn: Vec<(String, &'static str)> = vec![];
    for layer in style["layers"].as_array().into_iter().flatten() {
        let Some(id) = drawn_layer(layer, &named) else { continue };
        let shape = match layer["type"].as_str() {
            Some("fill" | "fill-extrusion") => "polygon",
            Some("line") => "line",
            Some("circle" | "heatmap") => "point",
            _ => "geometry",
        };
        match drawn.iter_mut().find(|(known, _)| *known == id) {
            // A polygon's outline is a line, its label has any shape.
            Some((_, known)) if *known == "geometry" || shape == "polygon" => *known = shape,
            Some(_) => {}
            None => drawn.push((id, shape)),
        }
    }
    drawn
}

fn layers_of_sources(style: &Value) -> Vec<(String, Vec<String>)> {
    let ids = |source: &Value| -> Option<Vec<String>> {
        let (_, ids) = source["url"].as_str()?.rsplit_once("/tiles/")?;
        Some(ids.strip_suffix(".json")?.split(',').map(str::to_owned).collect())
    };
    let sources = style["sources"].as_object().into_iter().flatten();
    sources.filter_map(|(name, source)| Some((name.clone(), ids(source)?))).collect()
}

/// The layer of the platform that a style layer draws: its source's only one, else the one that `source-layer` names.
fn drawn_layer(layer: &Value, sources: &[(String, Vec<String>)]) -> Option<String> {
    let name = layer["source"].as_str()?;
    let (_, ids) = sources.iter().find(|(n, _)| n == name)?;
    let inner = layer["source-layer"].as_str()?;
    ids.iter().find(|id| *id == inner).or(ids.first().filter(|_| ids.len() == 1)).cloned()
}

/// A style layer without a word of hidden fields: a property that names one falls back to its default, and without its filter a
/// layer would draw what it should not, so it goes.
fn conceal(mut layer: Value, hidden: &[String]) -> Option<Value> {
    if hidden.is_empty() {
        return Some(layer);
    }
    if is_concealed(&layer, hidden) {
        return None;
    }
    for part in ["paint", "layout"] {
        if let Some(properties) = layer[part].as_object_mut() {
            properties.retain(|_, value| !names(value, hidden));
        }
    }
    if let Some(members) = layer.as_object_mut() {
        members.retain(|name, value| name != "metadata" || !names(value, hidden));
    }
    Some(layer)
}

fn is_concealed(layer: &Value, hidden: &[String]) -> bool {
    layer.get("filter").is_some_and(|filter| names(filter, hidden))
}

/// Whether a field's name stands anywhere in it: as a text, as a member's name, or in braces within a text.
fn names(value: &Value, hidden: &[String]) -> bool {
    let is = |text: &str| hidden.iter().any(|h| h == text || text.contains(&format!("{{{h}}}")));
    match value {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(|item| names(item, hidden)),
        Value::Object(members) => members.iter().any(|(name, value)| is(name) || names(value, hidden)),
        _ => false,
    }
}

/// The fields that an expression gets: `["get", name]`, `["has", name]`, and names in braces within texts.
pub fn fields(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            if let [Value::String(operator), Value::String(name)] = &items[..]
                && (operator == "get" || operator == "has")
            {
                found.push(name.clone());
            }
            items.iter().for_each(|item| fields(item, found));
        }
        Value::Object(members) => members.values().for_each(|value| fields(value, found)),
        Value::String(text) => {
            let tokens = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
            found.extend(tokens.map(|(name, _)| name.to_owned()));
        }
        _ => {}
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn wrong(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Error {
    let (zh, en) = (zh.into(), en.into());
    Error::invalid(at, format!("样式有误，{at}：{zh}"), format!("the style is wrong at {at}: {en}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    const BASE: &str = "http://here";

    fn style() -> Value {
        json!({
            "version": 8, "name": "夜间",
            "sources": {
                "a": {"type": "vector", "url": "http://here/tiles/roads.json?key=om_x"},
                "b": {"type": "vector", "url": "/tiles/homes,shops.json"},
            },
            "layers": [
                {"id": "ground", "type": "background"},
                {"id": "r", "type": "line", "source": "a", "source-layer": "roads", "paint": {"line-width": ["get", "lanes"]}},
                {"id": "h", "type": "fill", "source": "b", "source-layer": "homes", "filter": ["==", ["get", "kind"], "x"]},
                {"id": "s", "type": "circle", "source": "b", "source-layer": "shops", "layout": {}},
                {"id": "t", "type": "symbol", "source": "b", "source-layer": "shops", "layout": {"text-field": "{owner}号"}},
            ],
        })
    }

    fn place(change: impl FnOnce(&mut Value)) -> String {
        let mut style = style();
        change(&mut style);
        match check(style, BASE).unwrap_err().kind.clone() {
            Kind::Invalid { parameter } => parameter,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_style_is_kept_with_our_own_addresses() {
        let checked = check(style(), BASE).unwrap();
        assert_eq!(checked.layers, ["homes", "roads", "shops"]);
        assert_eq!(checked.document["sources"]["a"]["url"], "/tiles/roads.json", "no origin, no key");
        assert_eq!(
            drawn(&checked.document),
            [("roads".into(), "line"), ("homes".into(), "polygon"), ("shops".into(), "point")]
        );
    }

    #[test]
    fn an_error_names_the_place() {
        assert_eq!(place(|s| s["version"] = json!(7)), "version");
        assert_eq!(place(|s| s["sprites"] = json!("x")), "sprites");
        assert_eq!(place(|s| s["sprite"] = json!("https://elsewhere/sprites/x")), "sprite");
        assert_eq!(place(|s| s["sources"]["a"]["type"] = json!("raster")), "sources.a.type");
        for url in [
            "https://elsewhere/tiles/roads.json",
            "//elsewhere/tiles/roads.json",
            "/tiles/ro ads.json",
            "/tiles/.json",
            "/x",
        ] {
            assert_eq!(place(|s| s["sources"]["a"]["url"] = json!(url)), "sources.a.url", "{url}");
        }
        assert_eq!(place(|s| s["layers"] = json!({})), "layers");
        assert_eq!(place(|s| s["layers"][1]["id"] = json!("ground")), "layers[1].id");
        assert_eq!(place(|s| s["layers"][1]["type"] = json!("raster")), "layers[1].type");
        assert_eq!(place(|s| s["layers"][1]["source"] = json!("c")), "layers[1].source");
        assert_eq!(place(|s| s["layers"][2]["source-layer"] = json!("roads")), "layers[2].source-layer");
        assert_eq!(place(|s| s["layers"][2]["filter"] = json!("x")), "layers[2].filter");
        assert_eq!(place(|s| s["layers"][2]["minzoom"] = json!(25)), "layers[2].minzoom");
        assert_eq!(place(|s| s["layers"][2]["paint"] = json!([])), "layers[2].paint");
        let at = place(|s| s["layers"][1]["paint"]["line-width"] = json!(["gett", "lanes"]));
        assert!(at.starts_with("layers[1].paint.line-width"), "{at}");
    }

    #[test]
    fn a_reader_gets_the_layers_and_fields_that_a_grant_shows() {
        let kept = check(style(), BASE).unwrap().document;
        let ids = |style: &Value| -> Vec<String> {
            style["layers"].as_array().unwrap().iter().map(|l| l["id"].as_str().unwrap().to_owned()).collect()
        };
        let whole = served(&kept, BASE, |_| Some(Sight::default())).unwrap();
        assert_eq!(ids(&whole), ["ground", "r", "h", "s", "t"]);
        assert_eq!(whole["sources"]["b"]["url"], "http://here/tiles/homes,shops.json");
        let part = served(&kept, BASE, |id| (id == "shops").then(Sight::default)).unwrap();
        assert_eq!(ids(&part), ["ground", "s", "t"]);
        assert_eq!(part["sources"], json!({"b": {"type": "vector", "url": "http://here/tiles/shops.json"}}));
        assert!(!part.to_string().contains("roads") && !part.to_string().contains("homes"));
        assert!(served(&kept, BASE, |_| None).is_none());
        // Hidden fields: a filter takes its layer along, a property goes by itself.
        let hidden = ["kind", "lanes", "owner"].map(str::to_owned).to_vec();
        let sight = || Some(Sight { hidden: hidden.clone(), part: false });
        let part = served(&kept, BASE, |_| sight()).unwrap();
        assert_eq!(ids(&part), ["ground", "r", "s", "t"]);
        for name in &hidden {
            assert!(!part.to_string().contains(name.as_str()), "{part}");
        }
        assert!(draws(&kept, None, |_| sight()) && draws(&kept, Some("shops"), |_| sight()));
        assert!(!draws(&kept, Some("homes"), |_| sight()), "its only style layer goes with its filter");
        assert!(!draws(&kept, None, |_| None) && !draws(&kept, Some("schools"), |_| Some(Sight::default())));
    }

    #[test]
    fn where_a_style_looks_is_for_those_who_see_all_of_it() {
        let mut style = style();
        style["metadata"] = json!({"note": "schools near 120.3"});
        style["center"] = json!([120.3, 36.1]);
        style["zoom"] = json!(12);
        let kept = check(style, BASE).unwrap().document;
        let has = |style: &Value| OF_THE_WHOLE.iter().any(|name| style.get(*name).is_some());
        assert!(has(&served(&kept, BASE, |_| Some(Sight::default())).unwrap()));
        let part = |id: &str| Sight { part: id == "homes", ..Sight::default() };
        assert!(!has(&served(&kept, BASE, |id| Some(part(id))).unwrap()), "a part of one layer");
        assert!(!has(&served(&kept, BASE, |id| (id != "roads").then(Sight::default)).unwrap()), "a layer is hidden");
        let hidden = || Some(Sight { hidden: vec!["lanes".into()], part: false });
        assert!(!has(&served(&kept, BASE, |_| hidden()).unwrap()), "a field is hidden");
    }

    #[test]
    fn one_layer_of_a_style_is_a_style() {
        let kept = check(style(), BASE).unwrap().document;
        let whole = served(&kept, BASE, |_| Some(Sight::default())).unwrap();
        let shops = of_layer(&whole, "shops", BASE).unwrap();
        assert_eq!(shops["sources"], json!({"shops": {"type": "vector", "url": "http://here/tiles/shops.json"}}));
        assert!(shops["layers"].as_array().unwrap().iter().all(|l| l["source"] == "shops"));
        assert!(of_layer(&whole, "schools", BASE).is_none());
    }
}
