//! `cargo bench -p onemap-tiles`: a made-up city of houses and points with seven attributes each. `CITY=757000` sets how many.

use std::path::Path;
use std::sync::OnceLock;

use divan::Bencher;
use onemap_cql2::Value;
use onemap_tiles::area::Area;
use onemap_tiles::build::plan::mix;
use onemap_tiles::build::{Builder, Options};
use onemap_tiles::clip;
use onemap_tiles::draw::Request;
use onemap_tiles::index::Index;
use onemap_tiles::value::{Column, ColumnKind};
use onemap_tiles::window::{Clip, Window};
use onemap_tiles::world::project;

fn main() {
    divan::main();
}

fn count() -> u64 {
    std::env::var("CITY").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

struct City {
    _folder: tempfile::TempDir,
    index: Index,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layer {
    Houses,
    Points,
}

/// A number in 0..1 that belongs to `n`.
fn lot(n: u64) -> f64 {
    (mix(n) >> 11) as f64 / (1u64 << 53) as f64
}

/// Six tenths of the features lie in a tenth of the city's half a degree.
fn place(n: u64) -> (f64, f64) {
    let spread = if n % 10 < 6 { 0.16 } else { 0.5 };
    (120.3 + spread * (lot(n) - 0.5), 36.1 + spread * (lot(n + 7_777_777_777) - 0.5))
}

fn geometry(layer: Layer, n: u64) -> Vec<u8> {
    let (x, y) = place(n);
    let mut bytes = vec![1, 1, 0, 0, 0];
    let places = match layer {
        Layer::Points => vec![(x, y)],
        Layer::Houses => {
            let (w, h) = (0.0001 + 0.0002 * lot(n + 1), 0.0001 + 0.0001 * lot(n + 2));
            bytes = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0];
            vec![(x, y), (x + w, y), (x + w, y + h), (x + w / 2.0, y + h), (x + w / 2.0, y + h / 2.0), (x, y + h / 2.0), (x, y)]
        }
    };
    for (x, y) in places {
        bytes.extend(f64::to_le_bytes(x));
        bytes.extend(f64::to_le_bytes(y));
    }
    bytes
}

fn build(layer: Layer, folder: &Path) -> Index {
    let columns = [
        ("name", ColumnKind::Text),
        ("kind", ColumnKind::Text),
        ("floors", ColumnKind::Integer),
        ("height", ColumnKind::Float),
        ("year", ColumnKind::Integer),
        ("address", ColumnKind::Text),
        ("district", ColumnKind::Text),
    ];
    let columns = columns.map(|(name, kind)| Column { name: name.into(), kind }).to_vec();
    let mut builder = Builder::create(folder, columns, Options::default()).unwrap();
    for n in 0..count() {
        let floors = (lot(n + 3) * 30.0) as i64;
        let (name, kind) = (format!("第{n}号楼"), format!("类别{}", n % 24));
        let (address, district) = (format!("某某路{}号", n % 9000), format!("区{}", n % 10));
        let values = [
            Value::Text(&name),
            Value::Text(&kind),
            Value::Integer(floors),
            Value::Float(floors as f64 * 3.1),
            Value::Integer(1950 + (n % 75) as i64),
            Value::Text(&address),
            Value::Text(&district),
        ];
        builder.push(n as i64, Some(&geometry(layer, n)), &values).unwrap();
    }
    let path = folder.join(format!("{layer:?}.tix"));
    builder.finish(&path, &mut |_| true).unwrap();
    Index::open(&path).unwrap()
}

fn city(layer: Layer) -> &'static Index {
    static HOUSES: OnceLock<City> = OnceLock::new();
    static POINTS: OnceLock<City> = OnceLock::new();
    let cell = if layer == Layer::Houses { &HOUSES } else { &POINTS };
    &cell
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let index = build(layer, folder.path());
            println!("{layer:?}: {} rows, {} bytes, all from zoom {:?}", index.len(), index.bytes(), index.complete_from());
            City { _folder: folder, index }
        })
        .index
}

fn windows(z: u8) -> Vec<Window> {
    let [x, y] = project(120.3, 36.1).map(|v| v >> (32 - z));
    let around = if z < 8 { 0..1 } else { 0..4 };
    around.clone().flat_map(|dx| around.clone().map(move |dy| Window::mercator(z, x + dx - 1, y + dy - 1))).collect()
}

fn request<'a>(window: &'a Window, columns: &'a [usize]) -> Request<'a> {
    Request { window, layer: "city", columns, filter: None, rows: &[], area: None, delta: None, limit: 500_000 }
}

#[divan::bench(args = [Layer::Houses, Layer::Points], sample_count = 1, sample_size = 1)]
fn index_build(bencher: Bencher, layer: Layer) {
    bencher.bench(|| {
        let folder = tempfile::tempdir().unwrap();
        build(layer, folder.path()).len()
    });
}

#[divan::bench(args = [(Layer::Houses, 0), (Layer::Houses, 6), (Layer::Houses, 10), (Layer::Houses, 12), (Layer::Houses, 14),
    (Layer::Houses, 16), (Layer::Points, 6), (Layer::Points, 10), (Layer::Points, 12), (Layer::Points, 14), (Layer::Points, 16)])]
fn tile(bencher: Bencher, (layer, z): (Layer, u8)) {
    let (index, windows) = (city(layer), windows(z));
    let mut next = windows.iter().cycle();
    let mut out = vec![];
    bencher.bench_local(|| {
        out.clear();
        index.draw(&request(next.next().unwrap(), &[0, 1, 2, 3, 4, 5, 6]), &mut out);
        out.len()
    });
}

/// The same tiles with fields hidden and the area limited, as a grant does.
#[divan::bench(args = [(Layer::Houses, 12), (Layer::Houses, 14), (Layer::Houses, 16), (Layer::Points, 14), (Layer::Points, 16)])]
fn tile_of_a_grant(bencher: Bencher, (layer, z): (Layer, u8)) {
    let (index, windows) = (city(layer), windows(z));
    let mut circle = vec![1, 3, 0, 0, 0, 1, 0, 0, 0];
    circle.extend(2001u32.to_le_bytes());
    for i in 0..=2000 {
        let angle = f64::from(i % 2000) / 2000.0 * std::f64::consts::TAU;
        circle.extend(f64::to_le_bytes(120.3 + 0.05 * angle.cos()));
        circle.extend(f64::to_le_bytes(36.1 + 0.05 * angle.sin()));
    }
    let area = Area::from_ewkb(&circle).unwrap();
    let mut next = windows.iter().cycle();
    let mut out = vec![];
    bencher.bench_local(|| {
        out.clear();
        let open = request(next.next().unwrap(), &[1, 2, 3, 4, 6]);
        index.draw(&Request { area: Some(&area), ..open }, &mut out);
        out.len()
    });
}

#[divan::bench]
fn clip_a_ring_of_1000(bencher: Bencher) {
    let ring: Vec<clip::Point> = (0..1000)
        .map(|i| {
            let angle = f64::from(i) / 1000.0 * std::f64::consts::TAU;
            [(angle.cos() * 6000.0) as i64 + 2048, (angle.sin() * (3000.0 + f64::from(i % 7) * 100.0)) as i64 + 2048]
        })
        .collect();
    let clip = Clip { min: [-64, -64], max: [4160, 4160] };
    let (mut points, mut spare) = (vec![], vec![]);
    bencher.bench_local(|| {
        points.clone_from(&ring);
        clip::ring(&mut points, &mut spare, &clip);
        points.len()
    });
}

#[divan::bench(args = [Layer::Houses, Layer::Points])]
fn gzip_of_a_tile(bencher: Bencher, layer: Layer) {
    let mut out = vec![];
    city(layer).draw(&request(&windows(14)[5], &[0, 1, 2, 3, 4, 5, 6]), &mut out);
    bencher.bench_local(|| onemap_tiles::compress::gzip_len(&out));
}
