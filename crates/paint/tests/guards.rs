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
