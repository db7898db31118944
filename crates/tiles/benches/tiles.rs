//! The engine's hot parts over a made-up town: buildings on a grid of streets, and points among them. `cargo bench -p onemap-tiles`.

use std::path::Path;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::ItemsCount;
use onemap_cql2::{Filter, Kind as FieldKind, Schema, Value};
use onemap_tiles::build::{Builder, Options};
use onemap_tiles::clip::{self, Point};
use onemap_tiles::compress::gzip_len;
use onemap_tiles::draw::Request;
use onemap_tiles::index::Index;
use onemap_tiles::mvt::Layer;
use onemap_tiles::shape::{Kind, Shapes};
use onemap_tiles::simplify;
use onemap_tiles::strokes;
use onemap_tiles::value::{Column, ColumnKind};
use onemap_tiles::window::Window;
use onemap_tiles::world::project;

fn main() {
    divan::main();
}

/// Buildings on each side of the town.
const SIDE: usize = 250;
const POINTS: usize = 100_000;
/// Degrees from one building to the next: some forty metres.
const STEP: f64 = 0.0004;
const WEST: f64 = 120.3;
const SOUTH: f64 = 36.0;

/// Marsaglia's xorshift64: the same town every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn ewkb(kind: u32, rings: &[Vec<[f64; 2]>]) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend((kind | 0x2000_0000).to_le_bytes());
    bytes.extend(4490u32.to_le_bytes());
    if kind == 3 {
        bytes.extend((rings.len() as u32).to_le_bytes());
    }
    for ring in rings {
        if kind != 1 {
            bytes.extend((ring.len() as u32).to_le_bytes());
        }
        ring.iter().flatten().for_each(|n| bytes.extend(n.to_le_bytes()));
    }
    bytes
}

fn columns() -> Vec<Column> {
    [("name", ColumnKind::Text), ("kind", ColumnKind::Text), ("floors", ColumnKind::Integer)]
        .into_iter()
        .map(|(name, kind)| Column { name: name.into(), kind })
        .collect()
}

fn buildings(mut each: impl FnMut(i64, &[u8], &[Value<'_>])) {
    let mut dice = Dice(7);
    for i in 0..SIDE * SIDE {
        let (x, y) = (WEST + (i % SIDE) as f64 * STEP, SOUTH + (i / SIDE) as f64 * STEP);
        let (w, h) = (STEP * (0.3 + 0.4 * dice.roll()), STEP * (0.3 + 0.4 * dice.roll()));
        // An L: six corners and the first again.
        let ring = [[0., 0.], [1., 0.], [1., 0.5], [0.5, 0.5], [0.5, 1.], [0., 1.], [0., 0.]];
        let ring = ring.map(|[a, b]| [x + a * w, y + b * h]).to_vec();
        let floors = (dice.roll() * 30.0) as i64;
        let kind = ["dwelling", "shop", "office", "school"][(dice.roll() * 4.0) as usize];
        let values = [Value::Text(&format!("No. {i}")), Value::Text(kind), Value::Integer(floors)];
        each(i as i64 + 1, &ewkb(3, &[ring]), &values);
    }
}

fn points(mut each: impl FnMut(i64, &[u8], &[Value<'_>])) {
    let mut dice = Dice(11);
    let side = SIDE as f64 * STEP;
    for i in 0..POINTS {
        let at = [WEST + side * dice.roll(), SOUTH + side * dice.roll()];
        let values =
            [Value::Text(&format!("shop {i}")), Value::Text("shop"), Value::Integer((dice.roll() * 30.0) as i64)];
        each(i as i64 + 1, &ewkb(1, &[vec![at]]), &values);
    }
}

fn built(folder: &Path, name: &str, rows: impl FnOnce(&mut dyn FnMut(i64, &[u8], &[Value<'_>]))) -> Index {
    let mut builder = Builder::create(folder, columns(), Options::default()).unwrap();
    rows(&mut |id, geometry, values| builder.push(id, Some(geometry), values).unwrap());
    let path = folder.join(name);
    builder.finish(&path, &mut |_| true).unwrap();
    Index::open(&path).unwrap()
}

struct Town {
    buildings: Index,
    points: Index,
}

static TOWN: LazyLock<Town> = LazyLock::new(|| {
    // Left behind when the process ends: the index stays mapped until then.
    let folder = tempfile::tempdir().unwrap().keep();
    Town {
        buildings: built(&folder, "buildings.tix", |each| buildings(each)),
        points: built(&folder, "points.tix", |each| points(each)),
    }
});

/// The tile in the middle of the town.
fn middle(zoom: u8) -> Window {
    let half = SIDE as f64 * STEP / 2.0;
    let [x, y] = project(WEST + half, SOUTH + half);
    Window::mercator(zoom, x >> (32 - zoom), y >> (32 - zoom))
}

fn request<'a>(window: &'a Window, filter: Option<&'a Filter>) -> Request<'a> {
    Request { window, layer: "town", columns: &[0, 1, 2], filter, rows: &[], area: None, delta: None, limit: 500_000 }
}

const ZOOMS: [u8; 4] = [8, 12, 14, 16];

#[divan::bench(args = ZOOMS)]
fn query_and_encode_buildings(bencher: Bencher<'_, '_>, zoom: u8) {
    let (window, mut out) = (middle(zoom), vec![]);
    bencher.bench_local(|| {
        out.clear();
        TOWN.buildings.draw(&request(&window, None), &mut out)
    });
}

#[divan::bench(args = ZOOMS)]
fn query_and_encode_points(bencher: Bencher<'_, '_>, zoom: u8) {
    let (window, mut out) = (middle(zoom), vec![]);
    bencher.bench_local(|| {
        out.clear();
        TOWN.points.draw(&request(&window, None), &mut out)
    });
}

struct Fields;

impl Schema for Fields {
    fn field(&self, name: &str) -> Option<(usize, FieldKind)> {
        (name == "floors").then_some((2, FieldKind::Integer))
    }
    fn is_geometry(&self, _: &str) -> bool {
        false
    }
}

/// `floors >= 0` keeps all: what is more than the open tile is the filter's cost.
#[divan::bench(args = ["floors >= 0", "floors > 28"])]
fn query_with_filter(bencher: Bencher<'_, '_>, filter: &str) {
    let (window, mut out) = (middle(14), vec![]);
    let filter = onemap_cql2::parse(filter, &Fields).unwrap();
    bencher.bench_local(|| {
        out.clear();
        TOWN.buildings.draw(&request(&window, Some(&filter)), &mut out)
    });
}

#[divan::bench]
fn compress(bencher: Bencher<'_, '_>) {
    let mut tile = vec![];
    TOWN.buildings.draw(&request(&middle(14), None), &mut tile);
    bencher.counter(divan::counter::BytesCount::new(tile.len())).bench(|| gzip_len(divan::black_box(&tile)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn index_of_buildings(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    bencher
        .counter(ItemsCount::new(SIDE * SIDE))
        .bench_local(|| built(folder.path(), "bench.tix", |each| buildings(each)).bytes());
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn index_of_points(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    bencher
        .counter(ItemsCount::new(POINTS))
        .bench_local(|| built(folder.path(), "bench.tix", |each| points(each)).bytes());
}

/// A coast: an angle in so many steps, its distance from the middle a walk.
fn coast(corners: usize) -> Vec<[u32; 2]> {
    let (mut dice, mut far) = (Dice(3), 1.0);
    (0..corners)
        .map(|i| {
            far += (dice.roll() - 0.5) * 0.01;
            let turn = i as f64 / corners as f64 * std::f64::consts::TAU;
            project(WEST + 0.2 * far * turn.cos(), SOUTH + 0.2 * far * turn.sin())
        })
        .collect()
}

const CORNERS: [usize; 2] = [5_000, 50_000];

#[divan::bench(args = CORNERS)]
fn clip_a_ring(bencher: Bencher<'_, '_>, corners: usize) {
    let ring: Vec<Point> = coast(corners).iter().map(|v| v.map(i64::from)).collect();
    let [x, y] = project(WEST + 0.2, SOUTH);
    let window = Window::mercator(11, x >> 21, y >> 21);
    let (mut left, mut spare) = (vec![], vec![]);
    bencher.counter(ItemsCount::new(corners)).bench_local(|| {
        left.clear();
        left.extend_from_slice(&ring);
        clip::ring(&mut left, &mut spare, window.clip());
        left.len()
    });
}

#[divan::bench(args = CORNERS)]
fn simplify_a_ring(bencher: Bencher<'_, '_>, corners: usize) {
    let (ring, mut zooms) = (coast(corners), vec![0; corners]);
    let (parts, features) = ([0, corners as u64], [0, 1]);
    let shapes = Shapes { kind: Kind::Polygon, vertices: &ring, parts: &parts, features: &features };
    bencher.counter(ItemsCount::new(corners)).bench_local(|| simplify::rank(&shapes, &mut zooms, &|| false));
}

#[divan::bench(args = CORNERS)]
fn chain_streets(bencher: Bencher<'_, '_>, segments: usize) {
    // Streets of the coast's pieces: each ends where the next begins.
    let vertices: Vec<[u32; 2]> = coast(segments).windows(2).flatten().copied().collect();
    let parts: Vec<u64> = (0..=vertices.len() as u64 / 2).map(|n| n * 2).collect();
    let features: Vec<u64> = (0..parts.len() as u64).collect();
    let shapes = Shapes { kind: Kind::Line, vertices: &vertices, parts: &parts, features: &features };
    bencher.counter(ItemsCount::new(segments)).bench(|| strokes::strokes(&shapes));
}

#[divan::bench]
fn encode_ten_thousand_rings(bencher: Bencher<'_, '_>) {
    let ring = [[10, 10], [60, 10], [60, 35], [35, 35], [35, 60], [10, 60]];
    let mut out = vec![];
    bencher.counter(ItemsCount::new(10_000usize)).bench_local(|| {
        let mut layer = Layer::new(vec![]);
        for i in 0..10_000 {
            layer.ring(&ring.map(|[x, y]| [x + i % 4000, y + i / 4]));
            layer.end_feature(i64::from(i), Kind::Polygon);
        }
        out.clear();
        layer.finish("rings", &mut out);
        out.len()
    });
}
