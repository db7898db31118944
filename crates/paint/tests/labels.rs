//! Labels: where they stand, how they break, who gives way. Skipped where no font is installed.

mod common;

use std::path::Path;

use common::*;
use onemap_paint::{Fonts, Picture, Pixmap, Placement, Sprites, Tile, Window, draw};
use serde_json::{Value, json};

const RED: [u8; 4] = [255, 0, 0, 255];

fn fonts() -> Option<Fonts> {
    let mut fonts = Fonts::none();
    let file = Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc");
    match fonts.add("Noto Sans CJK SC Regular", file, "Noto Sans CJK SC") {
        true => Some(fonts),
        false => {
            println!("skipped: the font is not installed");
            None
        }
    }
}

fn label(layout: Value) -> Value {
    let mut layout = layout;
    layout["text-font"] = json!(["Noto Sans CJK SC Regular"]);
    json!([{ "id": "label", "type": "symbol", "layout": layout, "paint": { "text-color": "red" } }])
}

/// Left, top, right, bottom of what is drawn, and how many pixels have ink.
fn ink(picture: &Pixmap) -> Option<([u32; 4], usize)> {
    let mut bounds = [u32::MAX, u32::MAX, 0, 0];
    let mut inked = 0;
    for y in 0..picture.height() {
        for x in 0..picture.width() {
            if pixel(picture, x, y)[3] > 60 {
                inked += 1;
                bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
            }
        }
    }
    (inked > 0).then_some((bounds, inked))
}

fn point(x: i64, y: i64, properties: Value) -> Feature<'static> {
    (Shape::Points, vec![vec![[x, y]]], properties)
}

#[test]
fn a_label_stands_around_its_point_and_has_the_right_size() {
    let Some(fonts) = fonts() else { return };
    let mvt = tile("l", &[point(2048, 2048, json!({ "name": "市南区" }))]);
    let style = style(label(json!({ "text-field": ["get", "name"], "text-size": 20 })));
    let picture = Scene::one(mvt, 200).draw_with(&style, &fonts, None);
    let ([left, top, right, bottom], _) = ink(&picture).expect("a label");
    // Three characters of 20 pixels, their ink a little less.
    assert!((52..=60).contains(&(right - left)), "{left} to {right}");
    assert!((left + right).abs_diff(200) <= 3, "centred: {left} to {right}");
    assert!((15..=22).contains(&(bottom - top)), "{top} to {bottom}");
    assert!((top + bottom).abs_diff(200) <= 6, "centred: {top} to {bottom}");
}

#[test]
fn anchors_and_offsets_move_it() {
    let Some(fonts) = fonts() else { return };
    let mvt = tile("l", &[point(2048, 2048, json!({ "name": "青岛" }))]);
    let scene = Scene::one(mvt, 200);
    let bounds = |layout: Value| {
        let mut layout = layout;
        layout["text-field"] = json!("{name}");
        ink(&scene.draw_with(&style(label(layout)), &fonts, None)).expect("a label").0
    };
    assert!(bounds(json!({ "text-anchor": "left" }))[0] >= 99);
    assert!(bounds(json!({ "text-anchor": "right" }))[2] <= 101);
    assert!(bounds(json!({ "text-anchor": "top" }))[1] >= 99);
    assert!(bounds(json!({ "text-anchor": "bottom" }))[3] <= 101);
    let (plain, moved) = (bounds(json!({})), bounds(json!({ "text-offset": [2, -1] })));
    assert_eq!((moved[0] - plain[0], plain[1] - moved[1]), (32, 16));
}

#[test]
fn long_names_break_into_even_lines_in_chinese_and_in_latin() {
    let Some(fonts) = fonts() else { return };
    let drawn = |name: &str, width: f64| {
        let mvt = tile("l", &[point(2048, 2048, json!({ "name": name }))]);
        let layout = json!({ "text-field": ["get", "name"], "text-size": 16, "text-max-width": width });
        ink(&Scene::one(mvt, 300).draw_with(&style(label(layout)), &fonts, None)).expect("a label").0
    };
    let [left, top, right, bottom] = drawn("青岛西海岸新区", 4.0);
    assert!(right - left <= 4 * 16, "four characters a line at most: {left} to {right}");
    assert!(bottom - top > 30, "two lines: {top} to {bottom}");
    let [left, top, right, bottom] = drawn("Qingdao Municipal People's Government", 10.0);
    assert!(right - left <= 12 * 16 && bottom - top > 30, "{left} to {right}, {top} to {bottom}");
    let [_, top, _, bottom] = drawn("青岛", 10.0);
    assert!(bottom - top < 20);
}

#[test]
fn of_two_labels_in_one_place_the_more_important_one_shows() {
    let Some(fonts) = fonts() else { return };
    let mvt = || {
        tile(
            "l",
            &[
                point(2048, 2048, json!({ "name": "一一一一一一", "rank": 2 })),
                point(2080, 2048, json!({ "name": "丨", "rank": 1 })),
            ],
        )
    };
    let inked = |layout: Value| {
        let mut layout = layout;
        layout["text-field"] = json!(["get", "name"]);
        ink(&Scene::one(mvt(), 200).draw_with(&style(label(layout)), &fonts, None)).map_or(0, |(b, _)| b[2] - b[0])
    };
    assert!(inked(json!({})) > 60, "the first shows");
    assert!(inked(json!({ "symbol-sort-key": ["get", "rank"] })) < 20, "the one with the smaller key shows");
    let both = ink(&Scene::one(mvt(), 200).draw_with(
        &style(label(json!({ "text-field": ["get", "name"], "text-allow-overlap": true }))),
        &fonts,
        None,
    ));
    assert!(both.unwrap().0[3] - both.unwrap().0[1] > 10, "both show");
}

#[test]
fn the_upper_layer_has_the_first_choice() {
    let Some(fonts) = fonts() else { return };
    let mvt = tile("l", &[point(2048, 2048, json!({ "name": "市南区" }))]);
    let layout = json!({ "text-field": ["get", "name"], "text-font": ["Noto Sans CJK SC Regular"] });
    let style = style(json!([
        { "id": "below", "type": "symbol", "layout": layout, "paint": { "text-color": "blue" } },
        { "id": "above", "type": "symbol", "layout": layout, "paint": { "text-color": "red" } },
    ]));
    let picture = Scene::one(mvt, 100).draw_with(&style, &fonts, None);
    assert!(count(&picture, RED) > 20 && count(&picture, [0, 0, 255, 255]) == 0);
}

#[test]
fn a_halo_surrounds_the_letters() {
    let Some(fonts) = fonts() else { return };
    let mvt = tile("l", &[point(2048, 2048, json!({ "name": "一" }))]);
    let style = style(json!([{ "id": "l", "type": "symbol",
        "layout": { "text-field": "{name}", "text-size": 40, "text-font": ["Noto Sans CJK SC Regular"] },
        "paint": { "text-color": "red", "text-halo-color": "blue", "text-halo-width": 4 } }]));
    let picture = Scene::one(mvt, 100).draw_with(&style, &fonts, None);
    let (red, blue) = (count(&picture, RED), count(&picture, [0, 0, 255, 255]));
    assert!(red > 60 && blue > 2 * red, "{red} red, {blue} blue");
}

#[test]
fn a_name_follows_its_road_and_reads_from_the_left() {
    let Some(fonts) = fonts() else { return };
    // From the lower right to the upper left: the name is turned around.
    let mvt = tile("l", &[(Shape::Lines, vec![vec![[4000, 3000], [100, 1000]]], json!({ "name": "江西路" }))]);
    let layout = json!({ "text-field": ["get", "name"], "symbol-placement": "line", "text-size": 20 });
    let picture = Scene::one(mvt, 300).draw_with(&style(label(layout)), &fonts, None);
    let ([left, top, right, bottom], _) = ink(&picture).expect("a label");
    let (width, height) = (right - left, bottom - top);
    assert!(width > height, "it follows the line: {width} by {height}");
    assert!((35..=60).contains(&height), "it is turned: {height}");
    // A name that is longer than its road is left out.
    let short = tile("l", &[(Shape::Lines, vec![vec![[2000, 2000], [2300, 2000]]], json!({ "name": "江西路" }))]);
    let layout = json!({ "text-field": ["get", "name"], "symbol-placement": "line", "text-size": 20 });
    assert!(ink(&Scene::one(short, 300).draw_with(&style(label(layout)), &fonts, None)).is_none());
}

#[test]
fn pieces_of_a_road_are_labelled_as_one() {
    let Some(fonts) = fonts() else { return };
    let piece =
        |from: i64, to: i64| (Shape::Lines, vec![vec![[from, 2048], [to, 2048]]], json!({ "name": "香港中路" }));
    // No piece is long enough by itself.
    let mvt = tile("l", &[piece(1200, 1700), piece(1700, 2200), piece(2200, 2700)]);
    let layout = json!({ "text-field": ["get", "name"], "symbol-placement": "line", "text-size": 16 });
    assert!(ink(&Scene::one(mvt, 300).draw_with(&style(label(layout)), &fonts, None)).is_some());
}

#[test]
fn parts_of_a_formatted_text_have_their_own_look() {
    let Some(fonts) = fonts() else { return };
    let mvt = tile("l", &[point(2048, 2048, json!({}))]);
    let field = json!(["format", "大", { "font-scale": 2 }, "小", { "text-color": "blue" }]);
    let picture = Scene::one(mvt, 100).draw_with(&style(label(json!({ "text-field": field }))), &fonts, None);
    let (red, blue) = (count(&picture, RED), count(&picture, [0, 0, 255, 255]));
    assert!(red > blue && blue > 0, "{red} red, {blue} blue");
}

fn sprites() -> Sprites {
    let mut sheet = Pixmap::new(20, 10).unwrap();
    sheet.fill(tiny_skia::Color::from_rgba8(0, 255, 0, 255));
    let index = json!({ "sign": { "x": 0, "y": 0, "width": 10, "height": 10, "pixelRatio": 1 } });
    Sprites::parse(&index, &onemap_paint::png(&sheet).unwrap()).unwrap()
}

#[test]
fn signs_are_drawn_scaled_and_give_way() {
    let sprites = sprites();
    let lime = [0, 255, 0, 255];
    let drawn = |layout: Value, features: &[Feature<'_>]| {
        let style = style(json!([{ "id": "s", "type": "symbol", "layout": layout }]));
        count(&Scene::one(tile("l", features), 100).draw_with(&style, &Fonts::none(), Some(&sprites)), lime)
    };
    let one = [point(2048, 2048, json!({}))];
    assert_eq!(drawn(json!({ "icon-image": "sign" }), &one), 100);
    assert!(drawn(json!({ "icon-image": "sign", "icon-size": 2 }), &one).abs_diff(400) < 50);
    assert_eq!(drawn(json!({ "icon-image": "no such sign" }), &one), 0);
    let close = [point(2048, 2048, json!({})), point(2300, 2048, json!({}))];
    assert_eq!(drawn(json!({ "icon-image": "sign" }), &close), 100);
    assert!(drawn(json!({ "icon-image": "sign", "icon-allow-overlap": true }), &close) > 140);
}

#[test]
fn neighbouring_pictures_agree_on_what_crosses_their_edge() {
    let Some(fonts) = fonts() else { return };
    // A grid of 5 x 5 tiles, 256 pixels each, thick with names at places that follow no order.
    const TILES: i64 = 5;
    let mut state = 12_345u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let names = ["江西路", "市南区", "香港中路街道", "五四广场", "8", "石老人村", "12号"];
    let mut tiles = vec![];
    for ty in 0..TILES {
        for tx in 0..TILES {
            let features: Vec<Feature<'_>> = (0..120)
                .map(|_| point(random(4096) as i64, random(4096) as i64, json!({ "name": names[random(7) as usize] })))
                .collect();
            let (x, y) = ((tx * 256) as f64, ((TILES - 1 - ty) * 256) as f64);
            tiles.push(((tx, ty), tile("l", &features), [x, y, x + 256.0, y + 256.0]));
        }
    }
    let style = style(label(json!({ "text-field": ["get", "name"], "text-size": 13 })));
    // From tile `from` on, `across` tiles to the right, drawn with the tiles around them.
    let drawn = |(tx, ty): (i64, i64), across: i64, placement: Placement| {
        let near: Vec<Tile<'_>> = tiles
            .iter()
            .filter(|((x, y), ..)| (tx - 1..=tx + across).contains(x) && (y - ty).abs() <= 1)
            .map(|(_, mvt, bounds)| Tile { source: "s", mvt, bounds: *bounds })
            .collect();
        let (x, y) = ((tx * 256) as f64, ((TILES - 1 - ty) * 256) as f64);
        let width = across as u32 * 256;
        let window = Window { bounds: [x, y, x + f64::from(width), y + 256.0], width, height: 256 };
        let picture = Picture { width, height: 256, zoom: 14.0, pixel_ratio: 1.0, placement, ..Picture::default() };
        draw(&style, &near, &window, &picture, &fonts, None).unwrap()
    };
    let (mut crossing, mut near, mut torn, mut inked, mut inked_whole) = (0, 0, 0, 0, 0);
    for ty in 1..TILES - 1 {
        for tx in 1..TILES - 2 {
            let (left, right) = (drawn((tx, ty), 1, Placement::Tiled), drawn((tx + 1, ty), 1, Placement::Tiled));
            let both = drawn((tx, ty), 2, Placement::Tiled);
            inked += ink(&both).map_or(0, |(_, n)| n);
            inked_whole += ink(&drawn((tx, ty), 2, Placement::Whole)).map_or(0, |(_, n)| n);
            for y in 0..256u32 {
                crossing += usize::from(pixel(&both, 255, y)[3] > 60 && pixel(&both, 256, y)[3] > 60);
                for x in 0..60 {
                    let sides = [(&left, 255 - x, 255 - x), (&right, x, 256 + x)];
                    for (alone, at, in_both) in sides {
                        near += usize::from(pixel(&both, in_both, y)[3] > 60);
                        torn += usize::from(pixel(alone, at, y)[3].abs_diff(pixel(&both, in_both, y)[3]) > 60);
                    }
                }
            }
        }
    }
    assert!(crossing > 10, "only {crossing} rows of ink cross an edge");
    // Each alone shows what the picture of both shows.
    assert!(torn * 100 <= near, "{torn} of {near} pixels of ink near an edge differ");
    // Agreement costs some labels, not most.
    assert!(inked * 10 > inked_whole * 6, "{inked} pixels of ink, {inked_whole} without neighbours");
}
