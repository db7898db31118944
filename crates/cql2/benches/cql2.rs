//! What a filter costs: to be read, and for each row. `cargo bench -p onemap-cql2`.

use divan::{Bencher, black_box};
use geo::{BoundingRect, Geometry, LineString, Polygon};
use onemap_cql2::{Filter, Kind, Row, Schema, Value, parse};

fn main() {
    divan::main();
}

struct Buildings;

impl Schema for Buildings {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        Some(match name {
            "floors" => (0, Kind::Integer),
            "名称" => (1, Kind::Text),
            "height" => (2, Kind::Float),
            _ => return None,
        })
    }
    fn is_geometry(&self, name: &str) -> bool {
        name == "geometry"
    }
}

struct Building(Geometry);

impl Row for Building {
    fn value(&self, field: usize) -> Value<'_> {
        [Value::Integer(18), Value::Text("青岛市市南区香港中路 12 号"), Value::Float(54.5)][field]
    }
    fn bounds(&self) -> Option<[f64; 4]> {
        let rect = self.0.bounding_rect()?;
        Some([rect.min().x, rect.min().y, rect.max().x, rect.max().y])
    }
    fn geometry(&self) -> Option<Geometry> {
        Some(self.0.clone())
    }
}

/// A regular polygon.
fn ring(x: f64, y: f64, radius: f64, corners: usize) -> Polygon {
    let corner = |i: usize| {
        let angle = (i % corners) as f64 / corners as f64 * std::f64::consts::TAU;
        (x + radius * angle.cos(), y + radius * angle.sin())
    };
    Polygon::new(LineString::from((0..=corners).map(corner).collect::<Vec<_>>()), vec![])
}

fn building() -> Building {
    Building(Geometry::Polygon(ring(120.4, 36.1, 0.0002, 8)))
}

fn district() -> String {
    let corners: Vec<String> =
        ring(120.4, 36.1, 0.05, 100).exterior().0.iter().map(|c| format!("{} {}", c.x, c.y)).collect();
    format!("S_INTERSECTS(geometry, POLYGON(({})))", corners.join(","))
}

fn read(text: &str) -> Filter {
    parse(text, &Buildings).expect("a filter")
}

const SHORT: &str = "floors >= 6 AND 名称 LIKE '青岛%' OR NOT height / floors > 4.5";

#[divan::bench]
fn parse_short() -> Filter {
    read(black_box(SHORT))
}

#[divan::bench]
fn parse_polygon_of_100_vertices(bencher: Bencher<'_, '_>) {
    let text = district();
    bencher.bench(|| read(black_box(&text)));
}

#[divan::bench]
fn canonical(bencher: Bencher<'_, '_>) {
    let filter = read(SHORT);
    bencher.bench(|| filter.canonical());
}

#[divan::bench(args = ["floors >= 6", "名称 LIKE '%香港中路%'", "CASEI(名称) = CASEI('Qingdao')", "height / floors > 4.5", "S_INTERSECTS(geometry, BBOX(120, 36, 121, 37))"])]
fn evaluate(bencher: Bencher<'_, '_>, text: &str) {
    let (filter, row) = (read(text), building());
    bencher.bench(|| filter.matches(black_box(&row)));
}

#[divan::bench]
fn evaluate_polygon_of_100_vertices(bencher: Bencher<'_, '_>) {
    let (filter, row) = (read(&district()), building());
    bencher.bench(|| filter.matches(black_box(&row)));
}

/// The boxes are apart.
#[divan::bench]
fn evaluate_polygon_far_away(bencher: Bencher<'_, '_>) {
    let (filter, row) = (read(&district()), Building(Geometry::Polygon(ring(121.0, 36.1, 0.0002, 8))));
    bencher.bench(|| filter.matches(black_box(&row)));
}
