//! How long pictures take: generated buildings, roads and points, labelled.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::*;
use onemap_paint::{Fonts, Pixmap, Placement, Style, png};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

/// Numbers that follow no order and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as i64
    }
}

fn city(buildings: usize, roads: usize, points: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut features: Vec<Feature<'_>> = vec![];
    for _ in 0..buildings {
        let (x, y) = (random.below(4096), random.below(4096));
        features.push((Shape::Polygons, vec![rectangle(x, y, x + 30, y + 20)], json!({ "kind": "building" })));
    }
    for n in 0..roads {
        let mut at = [random.below(4096), random.below(4096)];
        let line = (0..12)
            .map(|_| {
                at = [at[0] + random.below(300) - 100, at[1] + random.below(300) - 150];
                at
            })
            .collect();
        features.push((Shape::Lines, vec![line], json!({ "kind": "road", "name": format!("第{n}大道") })));
    }
    for n in 0..points {
        let at = [random.below(4096), random.below(4096)];
        features.push((Shape::Points, vec![vec![at]], json!({ "kind": "point", "name": format!("社区{n}") })));
    }
    tile("l", &features)
}

fn city_style() -> Style {
    let font = json!(["Noto Sans CJK SC Regular"]);
    let halo = json!({ "text-color": "#333333", "text-halo-color": "#ffffff", "text-halo-width": 1.2 });
    style(json!([
        { "id": "b", "type": "background", "paint": { "background-color": "#f7f5f0" } },
        { "id": "building", "type": "fill", "filter": ["==", ["get", "kind"], "building"],
          "paint": { "fill-color": "#e4dfd6", "fill-outline-color": "#cfc8bb" } },
        { "id": "casing", "type": "line", "filter": ["==", ["get", "kind"], "road"],
          "layout": { "line-cap": "round", "line-join": "round" }, "paint": { "line-color": "#d9d2c4", "line-width": 5 } },
        { "id": "road", "type": "line", "filter": ["==", ["get", "kind"], "road"],
          "layout": { "line-cap": "round", "line-join": "round" }, "paint": { "line-color": "#ffffff", "line-width": 3.5 } },
        { "id": "point", "type": "circle", "filter": ["==", ["get", "kind"], "point"],
          "paint": { "circle-color": "#a75091", "circle-radius": 3.2, "circle-stroke-color": "#ffffff", "circle-stroke-width": 0.8 } },
        { "id": "road-name", "type": "symbol", "filter": ["==", ["get", "kind"], "road"], "paint": halo,
          "layout": { "symbol-placement": "line", "text-field": ["get", "name"], "text-size": 12, "text-font": font } },
        { "id": "name", "type": "symbol", "filter": ["==", ["get", "kind"], "point"], "paint": halo,
          "layout": { "text-field": ["get", "name"], "text-size": 11, "text-font": font, "text-offset": [0, 1] } },
    ]))
}

fn fonts() -> Fonts {
    let mut fonts = Fonts::none();
    let file = Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc");
    fonts.add("Noto Sans CJK SC Regular", file, "Noto Sans CJK SC");
    fonts
}

/// The tiles of a square, `beside` of them around it, as wide as the tile of one picture.
fn scene(size: u32, across: i64, beside: i64, [buildings, roads, points]: [usize; 3]) -> Scene {
    let side = f64::from(size) / across as f64;
    let mut tiles = vec![];
    for y in -beside..across + beside {
        for x in -beside..across + beside {
            let mvt = city(buildings, roads, points, (x * 31 + y * 7 + 1_000) as u64);
            let (west, south) = (x as f64 * side, y as f64 * side);
            tiles.push((mvt, [west, south, west + side, south + side]));
        }
    }
    Scene { tiles, size, zoom: 14.0 }
}

const Z12: [usize; 3] = [0, 120, 40];
const Z14: [usize; 3] = [700, 60, 60];

fn tiled(bencher: divan::Bencher<'_, '_>, what: [usize; 3]) {
    let (scene, style, fonts) = (scene(256, 1, 1, what), city_style(), fonts());
    let picture = onemap_paint::Picture { placement: Placement::Tiled, ..scene.picture() };
    bencher.bench_local(|| scene.draw_as(&style, &picture, &fonts, None));
}

#[divan::bench]
fn a_tile_of_roads_with_its_neighbours(bencher: divan::Bencher<'_, '_>) {
    tiled(bencher, Z12);
}

#[divan::bench]
fn a_tile_of_buildings_with_its_neighbours(bencher: divan::Bencher<'_, '_>) {
    tiled(bencher, Z14);
}

#[divan::bench]
fn a_picture_of_1024_pixels(bencher: divan::Bencher<'_, '_>) {
    let (scene, style, fonts) = (scene(1024, 3, 0, Z14), city_style(), fonts());
    bencher.bench_local(|| scene.draw_with(&style, &fonts, None));
}

#[divan::bench]
fn a_png_of_256_pixels(bencher: divan::Bencher<'_, '_>) {
    let picture: Pixmap = scene(256, 1, 0, Z14).draw_with(&city_style(), &fonts(), None);
    bencher.bench_local(|| png(&picture));
}

#[divan::bench]
fn a_style_is_read(bencher: divan::Bencher<'_, '_>) {
    let style: Value = json!({ "layers": [{ "id": "a", "type": "line", "source": "s", "paint": { "line-width":
        ["interpolate", ["exponential", 1.5], ["zoom"], 10, ["match", ["get", "class"], "a", 1.2, "b", 0.7, 0.15], 18, 9] } }] });
    bencher.bench_local(|| Style::parse(&style));
}
