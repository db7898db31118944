//! Tiles for tests: a small writer of vector tiles.
#![allow(dead_code)]

use onemap_paint::{Fonts, Picture, Pixmap, Problem, Sprites, Style, Tile, Window, draw};
use serde_json::{Value, json};

pub const EXTENT: i64 = 4096;

#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    Points = 1,
    Lines = 2,
    Polygons = 3,
}

pub type Feature<'a> = (Shape, Vec<Vec<[i64; 2]>>, Value);

/// A tile of one layer.
pub fn tile(name: &str, features: &[Feature<'_>]) -> Vec<u8> {
    let mut keys: Vec<String> = vec![];
    let mut values = vec![];
    let mut count = 0;
    let mut layer = vec![];
    bytes(&mut layer, 1, name.as_bytes());
    for (id, (shape, parts, properties)) in features.iter().enumerate() {
        let mut tags = vec![];
        for (key, value) in properties.as_object().into_iter().flatten() {
            let at = keys.iter().position(|k| k == key).unwrap_or_else(|| {
                keys.push(key.clone());
                keys.len() - 1
            });
            varint(&mut tags, at as u64);
            varint(&mut tags, count);
            count += 1;
            bytes(&mut values, 4, &encoded(value));
        }
        let mut feature = vec![];
        number(&mut feature, 1, id as u64 + 1);
        bytes(&mut feature, 2, &tags);
        number(&mut feature, 3, *shape as u64);
        bytes(&mut feature, 4, &geometry(*shape, parts));
        bytes(&mut layer, 2, &feature);
    }
    for key in &keys {
        bytes(&mut layer, 3, key.as_bytes());
    }
    layer.extend(values);
    number(&mut layer, 5, EXTENT as u64);
    number(&mut layer, 15, 2);
    let mut tile = vec![];
    bytes(&mut tile, 3, &layer);
    tile
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = vec![];
    match value {
        Value::String(s) => bytes(&mut out, 1, s.as_bytes()),
        Value::Bool(b) => number(&mut out, 7, u64::from(*b)),
        other => {
            varint(&mut out, 3 << 3 | 1);
            out.extend(other.as_f64().unwrap_or_default().to_le_bytes());
        }
    }
    out
}

fn geometry(shape: Shape, parts: &[Vec<[i64; 2]>]) -> Vec<u8> {
    let mut out = vec![];
    let mut at = [0i64, 0];
    let mut point = |out: &mut Vec<u8>, p: &[i64; 2]| {
        for i in 0..2 {
            let d = p[i] - at[i];
            varint(out, ((d << 1) ^ (d >> 63)) as u64);
        }
        at = *p;
    };
    for part in parts {
        varint(&mut out, 1 << 3 | 1);
        point(&mut out, &part[0]);
        if part.len() > 1 {
            varint(&mut out, (part.len() as u64 - 1) << 3 | 2);
            part[1..].iter().for_each(|p| point(&mut out, p));
        }
        if shape == Shape::Polygons {
            varint(&mut out, 1 << 3 | 7);
        }
    }
    out
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 128 {
        out.push(n as u8 | 128);
        n >>= 7;
    }
    out.push(n as u8);
}

fn number(out: &mut Vec<u8>, field: u64, n: u64) {
    varint(out, field << 3);
    varint(out, n);
}

fn bytes(out: &mut Vec<u8>, field: u64, content: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, content.len() as u64);
    out.extend(content);
}

pub fn rectangle(x0: i64, y0: i64, x1: i64, y1: i64) -> Vec<[i64; 2]> {
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

pub fn hole(x0: i64, y0: i64, x1: i64, y1: i64) -> Vec<[i64; 2]> {
    vec![[x0, y0], [x0, y1], [x1, y1], [x1, y0]]
}

pub fn style(layers: Value) -> Style {
    parse(layers).unwrap_or_else(|p| panic!("{p}"))
}

pub fn parse(layers: Value) -> Result<Style, Problem> {
    let mut layers = layers;
    for layer in layers.as_array_mut().into_iter().flatten() {
        if layer["source"].is_null() && layer["type"] != "background" {
            layer["source"] = json!("s");
            layer["source-layer"] = json!("l");
        }
    }
    Style::parse(&json!({ "version": 8, "layers": layers }))
}

/// Tiles that lie side by side in a picture whose coordinates are its pixels, y upwards.
pub struct Scene {
    pub tiles: Vec<(Vec<u8>, [f64; 4])>,
    pub size: u32,
    pub zoom: f64,
}

impl Scene {
    /// One tile that fills a picture.
    pub fn one(mvt: Vec<u8>, size: u32) -> Scene {
        Scene { tiles: vec![(mvt, [0.0, 0.0, f64::from(size), f64::from(size)])], size, zoom: 12.0 }
    }

    pub fn draw(&self, style: &Style) -> Pixmap {
        self.draw_with(style, &Fonts::none(), None)
    }

    pub fn picture(&self) -> Picture {
        Picture { width: self.size, height: self.size, zoom: self.zoom, pixel_ratio: 1.0, ..Picture::default() }
    }

    pub fn draw_with(&self, style: &Style, fonts: &Fonts, sprites: Option<&Sprites>) -> Pixmap {
        self.draw_as(style, &self.picture(), fonts, sprites)
    }

    pub fn draw_as(&self, style: &Style, picture: &Picture, fonts: &Fonts, sprites: Option<&Sprites>) -> Pixmap {
        let tiles: Vec<Tile<'_>> =
            self.tiles.iter().map(|(mvt, bounds)| Tile { source: "s", mvt, bounds: *bounds }).collect();
        let size = f64::from(self.size);
        let window = Window { bounds: [0.0, 0.0, size, size], width: picture.width, height: picture.height };
        draw(style, &tiles, &window, picture, fonts, sprites).unwrap_or_else(|p| panic!("{p}"))
    }
}

/// Red, green, blue and opacity, not premultiplied.
pub fn pixel(picture: &Pixmap, x: u32, y: u32) -> [u8; 4] {
    let c = picture.pixel(x, y).expect("within the picture").demultiply();
    [c.red(), c.green(), c.blue(), c.alpha()]
}

/// How many pixels are of about that colour.
pub fn count(picture: &Pixmap, color: [u8; 4]) -> usize {
    let near = |a: u8, b: u8| a.abs_diff(b) <= 3;
    let all = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
    all.filter(|(x, y)| pixel(picture, *x, *y).iter().zip(color).all(|(a, b)| near(*a, b))).count()
}
