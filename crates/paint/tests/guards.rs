//! Whatever a style says, drawing it ends soon: with a picture, or with a fault that names its place.

mod common;

use common::*;
use onemap_paint::{Fonts, LARGEST, Picture, Style, Window, draw};
use proptest::prelude::*;
use serde_json::{Value, json};

fn fault(layer: Value) -> (String, String) {
    let problem = parse(json!([{ "id": "ok", "type": "background" }, layer])).expect_err("a fault");
    assert!(!problem.zh.is_empty());
    (problem.path, problem.en)
}

#[test]
fn faults_name_their_place() {
    for (layer, path) in [
        (json!({ "id": "a", "type": "lines" }), "layers[1].type"),
        (json!({ "id": "a" }), "layers[1].type"),
        (json!({ "id": "a", "type": "line", "paint": { "line-width": "wide" } }), "layers[1].paint.line-width"),
        (
            json!({ "id": "a", "type": "line", "paint": { "line-width": ["+", 1, ["nope"]] } }),
            "layers[1].paint.line-width[2][0]",
        ),
        (json!({ "id": "a", "type": "line", "paint": { "line-color": "no colour" } }), "layers[1].paint.line-color"),
        (json!({ "id": "a", "type": "line", "layout": { "line-cap": "pointed" } }), "layers[1].layout.line-cap"),
        (json!({ "id": "a", "type": "line", "filter": ["==", ["get", "a"], ["nope"]] }), "layers[1].filter[2][0]"),
        (json!({ "id": "a", "type": "line", "minzoom": "low" }), "layers[1].minzoom"),
        (
            json!({ "id": "a", "type": "fill", "paint": { "fill-color": { "stops": [] } } }),
            "layers[1].paint.fill-color",
        ),
        (
            json!({ "id": "a", "type": "line", "paint": { "line-width": ["interpolate", ["linear"], ["zoom"], 5, 1, 4, 2] } }),
            "layers[1].paint.line-width[5]",
        ),
        (
            json!({ "id": "a", "type": "line", "paint": { "line-width": ["*", 2, ["zoom"]] } }),
            "layers[1].paint.line-width",
        ),
    ] {
        let (found, en) = fault(layer);
        assert_eq!(found, path, "{en}");
        assert!(!en.is_empty());
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let many: Vec<Value> = (0..1_001).map(|n| json!({ "id": n.to_string(), "type": "background" })).collect();
    assert!(Style::parse(&json!({ "layers": many })).is_err());
    assert!(Style::parse(&json!({})).is_err());
    // Too deep.
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!(["+", 1, deep]);
    }
    assert!(fault(json!({ "id": "a", "type": "line", "paint": { "line-width": deep } })).1.contains("deeper"));
    // Short to write, endless to ask: each variable doubles the one before.
    let mut expression = json!(["var", "x30"]);
    for n in (0..30).rev() {
        let before = json!(["var", format!("x{n}")]);
        expression = json!(["let", format!("x{}", n + 1), ["+", before, before], expression]);
    }
    let expression = json!(["let", "x0", ["to-number", ["get", "n"]], expression]);
    assert!(fault(json!({ "id": "a", "type": "line", "paint": { "line-width": expression } })).1.contains("large"));
}

/// `["let", "b", ["concat", a × 1000], …]` over and over around a text.
fn thousandfold(levels: usize, text: Value) -> Value {
    let name = |n: usize| format!("x{n}");
    let many = |inner: Value| std::iter::once(json!("concat")).chain(vec![inner; 1_000]).collect::<Value>();
    let mut expression = json!(["var", name(levels)]);
    for n in (1..=levels).rev() {
        expression = json!(["let", name(n), many(json!(["var", name(n - 1)])), expression]);
    }
    json!(["let", name(0), text, expression])
}

#[test]
fn a_text_that_grows_beyond_memory_is_refused() {
    let label = |text: Value| json!({ "id": "a", "type": "symbol", "layout": { "text-field": text } });
    // Of literals it would be ten gigabytes while the style is read.
    assert!(fault(label(thousandfold(3, json!("0123456789")))).1.contains("large"));
    assert!(fault(label(thousandfold(1, json!("0123456789".repeat(10))))).1.contains("65536"));
    assert!(parse(json!([label(thousandfold(1, json!("0123456789")))])).is_ok());
    let list = std::iter::once(json!("literal")).chain([json!(vec!["0123456789"; 10_000])]).collect::<Value>();
    assert!(fault(label(json!(["join", list, ","]))).1.contains("65536"));
}

#[test]
fn variables_do_not_nest_deeper_than_asking_can_go() {
    // Each level is 40 deep over the one before.
    let mut expression = json!(["var", "x8"]);
    for n in (1..=8).rev() {
        let mut value = json!(["var", format!("x{}", n - 1)]);
        for _ in 0..40 {
            value = json!(["+", 1, value]);
        }
        expression = json!(["let", format!("x{n}"), value, expression]);
    }
    let expression = json!(["let", "x0", ["to-number", ["get", "n"]], expression]);
    assert!(fault(json!({ "id": "a", "type": "line", "paint": { "line-width": expression } })).1.contains("deeper"));
}

#[test]
fn a_geometry_costs_what_it_holds() {
    let ring: Vec<[f64; 2]> = (0..15_000).map(|n| (f64::from(n) / 2_400.0).sin_cos()).map(|(x, y)| [x, y]).collect();
    let target = json!({ "type": "Polygon", "coordinates": [ring] });
    let any = |n: usize| std::iter::once(json!("any")).chain(vec![json!(["var", "w"]); n]).collect::<Value>();
    let layer = |n: usize| json!({ "id": "a", "type": "circle", "filter": ["let", "w", ["within", target], any(n)] });
    assert!(parse(json!([layer(2)])).is_ok());
    assert!(fault(layer(14)).1.contains("large"));
    // A line of 20,000 vertices beside the target's: the clock ends it, between two vertices too.
    let style = style(json!([{ "id": "a", "type": "line", "filter": ["<", ["distance", target], 1] }]));
    let line: Vec<[i64; 2]> = (0..20_000).map(|n| [n % 4_000, 2_000 + n / 4_000]).collect();
    let scene = Scene::one(tile("l", &[(Shape::Lines, vec![line], json!({}))]), 64);
    let asked = Picture { limit: Some(std::time::Duration::from_millis(200)), ..scene.picture() };
    let bounds = [1e6, 1e6, 1e6 + 64.0, 1e6 + 64.0];
    let tiles = [onemap_paint::Tile { source: "s", mvt: &scene.tiles[0].0, bounds }];
    let window = Window { bounds, width: 64, height: 64 };
    assert!(draw(&style, &tiles, &window, &asked, &Fonts::none(), None).is_err());
}

#[test]
fn a_picture_has_limits() {
    let style = style(json!([{ "id": "a", "type": "background" }]));
    let window = Window { bounds: [0.0, 0.0, 1.0, 1.0], width: 1, height: 1 };
    let ok = Picture { width: 1, height: 1, zoom: 1.0, pixel_ratio: 1.0, ..Picture::default() };
    assert!(draw(&style, &[], &window, &ok, &Fonts::none(), None).is_ok());
    for bad in [
        Picture { width: 0, ..ok },
        Picture { height: LARGEST + 1, ..ok },
        Picture { zoom: f64::NAN, ..ok },
        Picture { pixel_ratio: 0.0, ..ok },
        Picture { pixel_ratio: f32::NAN, ..ok },
        Picture { limit: Some(std::time::Duration::ZERO), ..ok },
    ] {
        assert!(draw(&style, &[], &window, &bad, &Fonts::none(), None).is_err());
    }
}

#[test]
fn a_damaged_tile_is_a_fault() {
    let good = tile("l", &[(Shape::Polygons, vec![rectangle(0, 0, 4096, 4096)], json!({ "a": 1 }))]);
    let style = style(json!([{ "id": "a", "type": "fill" }]));
    let picture = Picture { width: 8, height: 8, zoom: 1.0, pixel_ratio: 1.0, ..Picture::default() };
    let window = Window { bounds: [0.0, 0.0, 8.0, 8.0], width: 8, height: 8 };
    for cut in 1..good.len() {
        let tiles = [onemap_paint::Tile { source: "s", mvt: &good[..cut], bounds: [0.0, 0.0, 8.0, 8.0] }];
        let _ = draw(&style, &tiles, &window, &picture, &Fonts::none(), None);
    }
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let tiles = [onemap_paint::Tile { source: "s", mvt: &bad, bounds: [0.0, 0.0, 8.0, 8.0] }];
            let _ = draw(&style, &tiles, &window, &picture, &Fonts::none(), None);
        }
    }
}

#[test]
fn a_tile_of_endless_features_is_a_fault() {
    // Two bytes each, and some forty in memory.
    let of = |features: usize| {
        let mut layer = vec![0x0a, 1, b'l'];
        layer.extend([0x12, 0].repeat(features));
        let length = layer.len();
        let mut tile = vec![0x1a];
        tile.extend([0, 7, 14].map(|shift| (length >> shift) as u8 | 0x80));
        tile.push((length >> 21) as u8);
        tile.extend(layer);
        tile
    };
    let style = style(json!([{ "id": "a", "type": "fill" }]));
    let drawn = |mvt: Vec<u8>| {
        let scene = Scene::one(mvt, 8);
        let tiles = [onemap_paint::Tile { source: "s", mvt: &scene.tiles[0].0, bounds: scene.tiles[0].1 }];
        let window = Window { bounds: [0.0, 0.0, 8.0, 8.0], width: 8, height: 8 };
        draw(&style, &tiles, &window, &scene.picture(), &Fonts::none(), None).is_ok()
    };
    assert!(drawn(of(500_000)));
    assert!(!drawn(of(500_001)));
}

/// Expressions put together at random, right and wrong ones.
fn expressions() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "get",
        "has",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "interpolate",
        "step",
        "case",
        "match",
        "coalesce",
        "let",
        "var",
        "literal",
        "zoom",
        "to-color",
        "to-number",
        "to-string",
        "rgb",
        "rgba",
        "concat",
        "format",
        "image",
        "number-format",
        "in",
        "at",
        "slice",
        "index-of",
        "length",
        "==",
        "<",
        "all",
        "any",
        "!",
        "within",
        "distance",
        "array",
        "collator",
        "split",
        "join",
        "heatmap-density",
        "typeof",
        "min",
        "max",
        "sqrt",
        "round",
        "geometry-type",
        "id",
        "properties",
        "interpolate-hcl",
    ]);
    let plain = prop_oneof![
        any::<f64>().prop_map(|n| json!(n)),
        (-3i64..20).prop_map(|n| json!(n)),
        any::<bool>().prop_map(|b| json!(b)),
        "[a-z#{}0-9 ]{0,6}".prop_map(|s| json!(s)),
        Just(json!(null)),
        Just(json!(["linear"])),
        Just(json!(["get", "n"])),
        Just(json!(["zoom"])),
        Just(json!("red")),
        Just(json!({ "stops": [[0, 1], [10, 5]] })),
        Just(json!({ "property": "n", "stops": [[0, "red"], [10, "blue"]] })),
    ];
    plain.prop_recursive(5, 40, 6, move |inner| {
        (names.clone(), prop::collection::vec(inner, 0..6))
            .prop_map(|(name, rest)| std::iter::once(json!(name)).chain(rest).collect())
    })
}

const PROPERTIES: [(&str, &str, &str); 40] = [
    ("line", "paint", "line-width"),
    ("line", "paint", "line-color"),
    ("line", "paint", "line-dasharray"),
    ("line", "paint", "line-offset"),
    ("line", "paint", "line-gap-width"),
    ("line", "paint", "line-opacity"),
    ("line", "paint", "line-translate"),
    ("line", "layout", "line-cap"),
    ("line", "layout", "line-miter-limit"),
    ("fill", "paint", "fill-color"),
    ("fill", "paint", "fill-opacity"),
    ("fill", "paint", "fill-outline-color"),
    ("fill", "paint", "fill-pattern"),
    ("fill", "paint", "fill-translate"),
    ("fill", "paint", "fill-antialias"),
    ("circle", "paint", "circle-radius"),
    ("circle", "paint", "circle-color"),
    ("circle", "paint", "circle-blur"),
    ("circle", "paint", "circle-stroke-width"),
    ("circle", "paint", "circle-translate"),
    ("heatmap", "paint", "heatmap-radius"),
    ("heatmap", "paint", "heatmap-color"),
    ("heatmap", "paint", "heatmap-weight"),
    ("heatmap", "paint", "heatmap-intensity"),
    ("symbol", "layout", "text-field"),
    ("symbol", "layout", "text-size"),
    ("symbol", "layout", "text-max-width"),
    ("symbol", "layout", "text-line-height"),
    ("symbol", "layout", "text-letter-spacing"),
    ("symbol", "layout", "text-offset"),
    ("symbol", "layout", "text-anchor"),
    ("symbol", "layout", "text-variable-anchor"),
    ("symbol", "layout", "text-variable-anchor-offset"),
    ("symbol", "layout", "text-rotate"),
    ("symbol", "layout", "symbol-spacing"),
    ("symbol", "layout", "symbol-sort-key"),
    ("symbol", "layout", "icon-image"),
    ("symbol", "layout", "icon-size"),
    ("symbol", "layout", "icon-padding"),
    ("background", "paint", "background-color"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn random_styles_never_panic(
        value in expressions(),
        second in expressions(),
        filter in prop_oneof![Just(Value::Null), expressions()],
        which in 0..PROPERTIES.len(),
        along in any::<bool>(),
    ) {
        let (kind, group, name) = PROPERTIES[which];
        let mut layer = json!({ "id": "x", "type": kind, "filter": filter, "layout": {}, "paint": {} });
        if kind == "symbol" {
            layer["layout"]["text-field"] = json!("江西路 {n}");
            if along {
                layer["layout"]["symbol-placement"] = json!("line");
            }
        }
        layer[group][name] = value;
        let same = PROPERTIES.iter().filter(|(k, ..)| *k == kind).nth(which % 3);
        if let Some((_, group, name)) = same {
            layer[group][name] = second;
        }
        let mvt = tile("l", &[
            (Shape::Polygons, vec![rectangle(0, 0, 3000, 3000)], json!({ "n": 3, "a": "b" })),
            (Shape::Lines, vec![vec![[-50, 10], [4000, 2000], [4200, 2000]]], json!({ "n": "text" })),
            (Shape::Points, vec![vec![[2000, 2000]]], json!({ "n": true })),
        ]);
        if let Ok(style) = parse(json!([layer])) {
            let picture = Scene::one(mvt, 64);
            let mut asked = picture.picture();
            asked.limit = Some(std::time::Duration::from_secs(20));
            picture.draw_as(&style, &asked, &Fonts::none(), None);
        }
    }
}
