//! Fills, lines and circles: pixels at places, and areas of colour.

mod common;

use common::*;
use serde_json::json;

const RED: [u8; 4] = [255, 0, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const NONE: [u8; 4] = [0, 0, 0, 0];

#[test]
fn a_polygon_with_a_hole_is_filled_around_it() {
    let tile =
        tile("l", &[(Shape::Polygons, vec![rectangle(0, 0, 2048, 2048), hole(512, 512, 1024, 1024)], json!({}))]);
    let picture =
        Scene::one(tile, 256).draw(&style(json!([{ "id": "a", "type": "fill", "paint": { "fill-color": "red" } }])));
    assert_eq!(count(&picture, RED), 128 * 128 - 32 * 32);
    assert_eq!(pixel(&picture, 48, 48), NONE);
    assert_eq!(pixel(&picture, 10, 10), RED);
    assert_eq!(pixel(&picture, 200, 10), NONE);
}

#[test]
fn layers_lie_upon_each_other_in_the_styles_order() {
    let mvt = tile("l", &[(Shape::Polygons, vec![rectangle(0, 0, 4096, 4096)], json!({}))]);
    let picture = Scene::one(mvt, 64).draw(&style(json!([
        { "id": "b", "type": "background", "paint": { "background-color": "white" } },
        { "id": "a", "type": "fill", "paint": { "fill-color": "red" } },
        { "id": "c", "type": "fill", "paint": { "fill-color": "blue", "fill-opacity": 0.5 } },
    ])));
    let [r, g, b, a] = pixel(&picture, 30, 30);
    assert!(r.abs_diff(127) < 2 && g == 0 && b.abs_diff(128) < 2 && a == 255, "{:?}", [r, g, b, a]);
}

#[test]
fn what_is_seen_through_has_no_seam_between_tiles() {
    // Each tile has the polygon with a margin of 128 units around it, as real tiles do.
    let whole = || tile("l", &[(Shape::Polygons, vec![rectangle(-128, -128, 4224, 4224)], json!({}))]);
    for offset in [0.0, 0.3, 0.5, 0.77] {
        let bounds = |x: f64, y: f64| {
            [x * 100.0 - offset, y * 100.0 - offset, x * 100.0 + 100.0 - offset, y * 100.0 + 100.0 - offset]
        };
        let tiles = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(x, y)| (whole(), bounds(x, y))).to_vec();
        let scene = Scene { tiles, size: 190, zoom: 12.0 };
        let picture = scene.draw(&style(json!([
            { "id": "a", "type": "fill", "paint": { "fill-color": "blue", "fill-opacity": 0.5 } }
        ])));
        assert_eq!(count(&picture, [0, 0, 255, 128]), 190 * 190, "a seam at offset {offset}");
    }
}

#[test]
fn a_tile_far_larger_than_the_picture_is_drawn_in_its_place() {
    // Its left half, and a line through its middle that falls by one pixel in two.
    let mvt = tile(
        "l",
        &[
            (Shape::Polygons, vec![rectangle(-64, -64, 2048, 4160)], json!({ "what": "half" })),
            (Shape::Lines, vec![vec![[0, 1024], [4096, 3072]]], json!({})),
        ],
    );
    let style = style(json!([
        { "id": "a", "type": "fill", "paint": { "fill-color": "red" } },
        { "id": "b", "type": "line", "filter": ["!", ["has", "what"]], "paint": { "line-color": "blue", "line-width": 5 } },
    ]));
    for levels in [6, 10, 14, 18, 21] {
        let half = 256.0 * 2f64.powi(levels) / 2.0;
        let bounds = [128.0 - half, 128.0 - half, 128.0 + half, 128.0 + half];
        let scene = Scene { tiles: vec![(mvt.clone(), bounds)], size: 256, zoom: 20.0 };
        let picture = scene.draw(&style);
        for (x, y, wanted) in [
            (28, 28, RED),
            (120, 250, RED),
            (136, 250, NONE),
            (228, 28, NONE),
            (128, 128, BLUE),
            (28, 78, BLUE),
            (228, 178, BLUE),
        ] {
            assert_eq!(pixel(&picture, x, y), wanted, "{x}, {y} of a tile {levels} levels larger");
        }
    }
}

/// A plane whose north is not up.
struct Leaning;

impl onemap_paint::Projection for Leaning {
    fn pixel(&self, x: f64, y: f64) -> [f64; 2] {
        [20.0 + x + 0.05 * y, 130.0 - y + 0.05 * x]
    }
}

#[test]
fn a_tile_that_lies_askew_shows_no_edge_of_its_margin() {
    // The area reaches beyond the tile on every side: its outline lies in the tile's margin alone.
    let mvt = tile("l", &[(Shape::Polygons, vec![rectangle(-128, -128, 4224, 4224)], json!({}))]);
    let line = style(json!([{ "id": "a", "type": "line", "paint": { "line-color": "red", "line-width": 2 } }]));
    let tiles = [onemap_paint::Tile { source: "s", mvt: &mvt, bounds: [0.0, 0.0, 100.0, 100.0] }];
    let picture = onemap_paint::Picture { width: 160, height: 160, zoom: 12.0, pixel_ratio: 1.0, ..Default::default() };
    let drawn = onemap_paint::draw(&line, &tiles, &Leaning, &picture, &onemap_paint::Fonts::none(), None).unwrap();
    assert!(drawn.pixels().iter().all(|p| p.alpha() == 0));
}

#[test]
fn a_line_is_as_wide_as_it_says_and_goes_on_in_the_next_tile() {
    let mvt = || tile("l", &[(Shape::Lines, vec![vec![[-100, 2048], [4196, 2048]]], json!({ "w": 6 }))]);
    let scene = Scene {
        tiles: vec![(mvt(), [0.0, 0.0, 100.0, 100.0]), (mvt(), [100.0, 0.0, 200.0, 100.0])],
        size: 200,
        zoom: 12.0,
    };
    let picture = scene.draw(&style(json!([
        { "id": "a", "type": "line", "paint": { "line-color": "red", "line-width": ["get", "w"] } }
    ])));
    // Pixels are counted from the top; the tiles lie in the lower half.
    let column = |x: u32| (100..200).filter(|y| pixel(&picture, x, *y) == RED).count();
    for x in [0, 50, 99, 100, 101, 150, 199] {
        assert_eq!(column(x), 6, "at {x}");
    }
}

#[test]
fn a_translucent_layer_of_lines_is_no_darker_where_they_cross() {
    let mvt = tile(
        "l",
        &[
            (Shape::Lines, vec![vec![[0, 2048], [4096, 2048]]], json!({})),
            (Shape::Lines, vec![vec![[2048, 0], [2048, 4096]]], json!({})),
        ],
    );
    let picture = Scene::one(mvt, 100).draw(&style(json!([
        { "id": "a", "type": "line", "paint": { "line-color": "red", "line-width": 10, "line-opacity": 0.5 } }
    ])));
    assert_eq!(pixel(&picture, 50, 50), pixel(&picture, 20, 50));
    assert_eq!(pixel(&picture, 20, 50)[3].abs_diff(128), 0);
}

#[test]
fn a_dashed_line_has_gaps_and_a_cased_one_a_middle() {
    let mvt = || tile("l", &[(Shape::Lines, vec![vec![[0, 2048], [4096, 2048]]], json!({}))]);
    let dashed = Scene::one(mvt(), 100).draw(&style(json!([
        { "id": "a", "type": "line", "paint": { "line-color": "red", "line-width": 4, "line-dasharray": [2, 2] } }
    ])));
    let drawn = (0..100).filter(|x| pixel(&dashed, *x, 50)[3] > 200).count();
    assert!((48..=56).contains(&drawn), "{drawn} of 100 pixels are dash");
    let cased = Scene::one(mvt(), 100).draw(&style(json!([
        { "id": "a", "type": "line", "paint": { "line-color": "red", "line-width": 4, "line-gap-width": 10 } }
    ])));
    assert_eq!(pixel(&cased, 50, 50), NONE);
    assert_eq!(pixel(&cased, 50, 50 - 7), RED);
    assert_eq!(pixel(&cased, 50, 50 + 6), RED);
}

#[test]
fn an_offset_line_lies_to_the_right_of_its_way() {
    let mvt = tile("l", &[(Shape::Lines, vec![vec![[0, 2048], [4096, 2048]]], json!({}))]);
    let picture = Scene::one(mvt, 100).draw(&style(json!([
        { "id": "a", "type": "line", "paint": { "line-color": "red", "line-width": 4, "line-offset": 20 } }
    ])));
    assert_eq!(pixel(&picture, 50, 70), RED);
    assert_eq!(pixel(&picture, 50, 50), NONE);
}

#[test]
fn circles_are_round_have_strokes_and_are_drawn_once() {
    // The second point lies in the margin: it is the neighbour's.
    let mvt = tile(
        "l",
        &[(Shape::Points, vec![vec![[2048, 2048]]], json!({})), (Shape::Points, vec![vec![[4100, 2048]]], json!({}))],
    );
    let picture = Scene::one(mvt, 100).draw(&style(json!([{ "id": "a", "type": "circle", "paint": {
        "circle-color": "red", "circle-radius": 10, "circle-stroke-width": 5, "circle-stroke-color": "blue"
    } }])));
    let inner = count(&picture, RED) as f64;
    assert!((inner / (std::f64::consts::PI * 100.0) - 1.0).abs() < 0.15, "{inner} pixels");
    assert_eq!(pixel(&picture, 50, 50 - 12), BLUE);
    assert_eq!(pixel(&picture, 50, 50 - 16), NONE);
    assert_eq!(pixel(&picture, 99, 50), NONE);
}

#[test]
fn a_filter_a_zoom_range_and_visibility_hide() {
    let mvt = || {
        tile(
            "l",
            &[
                (Shape::Polygons, vec![rectangle(0, 0, 2048, 4096)], json!({ "kind": "a" })),
                (Shape::Polygons, vec![rectangle(2048, 0, 4096, 4096)], json!({ "kind": "b" })),
            ],
        )
    };
    let drawn = |layer: serde_json::Value| {
        let mut layer = layer;
        layer["paint"] = json!({ "fill-color": "red" });
        count(&Scene::one(mvt(), 64).draw(&style(json!([layer]))), RED)
    };
    assert_eq!(drawn(json!({ "id": "x", "type": "fill" })), 64 * 64);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "filter": ["==", "kind", "a"] })), 32 * 64);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "filter": ["==", ["get", "kind"], "b"] })), 32 * 64);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "filter": ["!in", "kind", "a", "b"] })), 0);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "filter": ["==", "$type", "Point"] })), 0);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "minzoom": 12.5 })), 0);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "maxzoom": 12 })), 0);
    assert_eq!(drawn(json!({ "id": "x", "type": "fill", "layout": { "visibility": "none" } })), 0);
}

#[test]
fn old_functions_still_say_what_they_said() {
    let mvt = tile("l", &[(Shape::Polygons, vec![rectangle(0, 0, 4096, 4096)], json!({ "n": 5 }))]);
    let scene = Scene::one(mvt, 8);
    let colored = |value: serde_json::Value| {
        let style = style(json!([{ "id": "a", "type": "fill", "paint": { "fill-color": value } }]));
        pixel(&scene.draw(&style), 4, 4)
    };
    assert_eq!(colored(json!({ "stops": [[10, "#000000"], [14, "#ffffff"]] })), [128, 128, 128, 255]);
    assert_eq!(colored(json!({ "property": "n", "stops": [[0, "#000000"], [10, "#ffffff"]] })), [128, 128, 128, 255]);
    assert_eq!(colored(json!({ "property": "n", "type": "categorical", "stops": [[5, "red"], [6, "blue"]] })), RED);
    assert_eq!(colored(json!({ "property": "n", "type": "interval", "stops": [[0, "red"], [5, "blue"]] })), BLUE);
    assert_eq!(colored(json!({ "property": "m", "default": "blue", "stops": [[0, "red"]] })), BLUE);
}

#[test]
fn a_heatmap_is_hottest_where_points_are_thickest() {
    let at = |x: i64, y: i64| (Shape::Points, vec![vec![[x, y]]], json!({}));
    let mvt = tile("l", &[at(1000, 1000), at(1000, 1000), at(1000, 1000), at(3000, 3000)]);
    let picture = Scene::one(mvt, 128).draw(&style(json!([{ "id": "h", "type": "heatmap", "paint": {
        "heatmap-radius": 20,
        "heatmap-color": ["interpolate", ["linear"], ["heatmap-density"], 0, "rgba(255,0,0,0)", 1, "rgba(255,0,0,1)"]
    } }])));
    let (thick, thin, none) = (pixel(&picture, 31, 31)[3], pixel(&picture, 93, 93)[3], pixel(&picture, 31, 93)[3]);
    assert!(thick > 240 && (80..130).contains(&thin) && none == 0, "{thick}, {thin}, {none}");
}

#[test]
fn a_pattern_fills_and_repeats() {
    let mut sheet = onemap_paint::Pixmap::new(4, 4).unwrap();
    for y in 0..4 {
        for x in 0..2 {
            sheet.pixels_mut()[y * 4 + x] = tiny_skia::ColorU8::from_rgba(255, 0, 0, 255).premultiply();
        }
    }
    let index = json!({ "p": { "x": 0, "y": 0, "width": 4, "height": 4, "pixelRatio": 1 } });
    let sprites = onemap_paint::Sprites::parse(&index, &onemap_paint::png(&sheet).unwrap()).unwrap();
    let mvt = tile("l", &[(Shape::Polygons, vec![rectangle(0, 0, 4096, 4096)], json!({}))]);
    let style = style(json!([{ "id": "a", "type": "fill", "paint": { "fill-pattern": "p" } }]));
    let picture = Scene::one(mvt, 64).draw_with(&style, &onemap_paint::Fonts::none(), Some(&sprites));
    assert_eq!(count(&picture, RED), 64 * 32);
    assert_eq!(pixel(&picture, 40, 7), RED);
    assert_eq!(pixel(&picture, 42, 7), NONE);
}

#[test]
fn pictures_become_files() {
    let mvt = tile("l", &[(Shape::Polygons, vec![rectangle(0, 0, 2048, 4096)], json!({}))]);
    let style = style(json!([{ "id": "a", "type": "fill", "paint": { "fill-color": "red" } }]));
    let picture = Scene::one(mvt, 64).draw(&style);
    let read = onemap_paint::Pixmap::decode_png(&onemap_paint::png(&picture).unwrap()).unwrap();
    assert_eq!(read.data(), picture.data());
    let jpeg = onemap_paint::jpeg(&picture, 90).unwrap();
    assert_eq!(&jpeg[..3], &[0xff, 0xd8, 0xff]);
    let decoded = image::load_from_memory(&jpeg).unwrap().to_rgb8();
    let [r, g, b] = decoded.get_pixel(10, 10).0;
    assert!(r > 245 && g < 10 && b < 10, "red stays");
    assert!(decoded.get_pixel(60, 10).0.iter().all(|c| *c > 245), "white below");
}

/// A projection that turns everything by a right angle: tiles lie askew, and what they hold is still drawn once.
struct Turned;

impl onemap_paint::Projection for Turned {
    fn pixel(&self, x: f64, y: f64) -> [f64; 2] {
        [(x + y) * 0.5, (y - x) * 0.5 + 50.0]
    }
}

#[test]
fn a_picture_may_be_in_another_projection() {
    let mvt = tile("l", &[(Shape::Polygons, vec![rectangle(-100, -100, 4196, 4196)], json!({}))]);
    let style = style(json!([{ "id": "a", "type": "fill", "paint": { "fill-color": "blue" } }]));
    let tiles = [onemap_paint::Tile { source: "s", mvt: &mvt, bounds: [0.0, 0.0, 100.0, 100.0] }];
    let scene = Scene::one(vec![], 100);
    let picture =
        onemap_paint::draw(&style, &tiles, &Turned, &scene.picture(), &onemap_paint::Fonts::none(), None).unwrap();
    // A square of 100 on its corner, half as large: cut at the tile's edge, not at its margin's.
    let blue = count(&picture, BLUE);
    assert!(blue.abs_diff(5_000) < 200, "{blue} pixels");
    assert_eq!(pixel(&picture, 50, 50), BLUE);
    assert_eq!(pixel(&picture, 5, 5), NONE);
}
