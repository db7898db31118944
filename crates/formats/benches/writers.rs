//! Features per second of each writer: 10,000 buildings of a city, as their rows come from a database.

use divan::Bencher;
use divan::counter::ItemsCount;
use onemap_formats::{
    Column, Crs, Csv, Encoding, FlatGeobuf, GeoPackage, Geometry, GeometryColumns, Kind, Row, Shape, Shapefile, Table,
    Type, Value, Workbook, Writer,
};

const ROWS: i64 = 10_000;

fn main() {
    divan::main();
}

fn table() -> Table {
    let column = |name: &str, kind| Column { name: name.into(), kind, title: name.into() };
    Table {
        id: "buildings".into(),
        title: "建筑物".into(),
        description: String::new(),
        columns: vec![
            column("name", Type::Text),
            column("kind", Type::Text),
            column("floors", Type::Integer),
            column("height", Type::Float),
            column("listed", Type::Boolean),
            column("built", Type::Date),
        ],
        geometry: Some(Geometry { kind: Some(Kind::MultiPolygon), z: Some(false) }),
        crs: Crs {
            epsg: Some(4490),
            name: "CGCS2000".into(),
            wkt: "GEOGCS[\"CGCS2000\"]".into(),
            esri: String::new(),
            geographic: true,
            shifted: None,
        },
    }
}

/// A house with two corners more than a square has.
fn house(i: i64) -> Shape {
    let (x, y) = (120.0 + (i % 100) as f64 * 1.234_567e-3, 36.0 + (i / 100) as f64 * 1.234_567e-3);
    let corners = [(0.0, 0.0), (3.0, 0.0), (3.0, 1.0), (2.0, 1.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)];
    Shape {
        kind: Kind::MultiPolygon,
        positions: corners.iter().map(|(dx, dy)| [x + dx * 1.111e-4, y + dy * 1.111e-4]).collect(),
        ends: vec![7],
        polygons: vec![1],
        ..Shape::default()
    }
}

fn write(mut writer: Box<dyn Writer>, shapes: &[Shape]) -> usize {
    let (mut out, mut bytes) = (Vec::with_capacity(1 << 20), 0);
    writer.begin(&mut out).unwrap();
    for (i, shape) in (0..).zip(shapes) {
        let values = [
            Value::Text("海天花园12号楼"),
            Value::Text(if i % 2 == 0 { "住宅" } else { "商业" }),
            Value::Integer(i % 30),
            Value::Float(i as f64 * 0.31),
            Value::Boolean(i % 3 == 0),
            Value::Date(18_000 + (i % 3000) as i32),
        ];
        writer.row(&Row { id: i + 1, shape: Some(shape), values: &values }, &mut out).unwrap();
        if out.len() > 64 << 10 {
            bytes += out.len();
            out.clear();
        }
    }
    while writer.end(&mut out).unwrap() {
        bytes += out.len();
        out.clear();
    }
    bytes + out.len()
}

fn run(bencher: Bencher<'_, '_>, make: impl Fn() -> Box<dyn Writer> + Sync) {
    let shapes: Vec<Shape> = (0..ROWS).map(house).collect();
    bencher.counter(ItemsCount::new(shapes.len())).bench(|| write(make(), &shapes));
}

#[divan::bench]
fn csv(bencher: Bencher<'_, '_>) {
    run(bencher, || Box::new(Csv::new(table(), GeometryColumns::Wkt)));
}

#[divan::bench]
fn flatgeobuf(bencher: Bencher<'_, '_>) {
    run(bencher, || Box::new(FlatGeobuf::new(table())));
}

#[divan::bench]
fn geopackage(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    run(bencher, || Box::new(GeoPackage::create(table(), &folder.path().join("spool")).unwrap()));
}

#[divan::bench]
fn shapefile_utf8(bencher: Bencher<'_, '_>) {
    run(bencher, || Box::new(Shapefile::new(table(), Encoding::Utf8, Box::new(tempfile::tempfile)).unwrap()));
}

#[divan::bench]
fn shapefile_gbk(bencher: Bencher<'_, '_>) {
    run(bencher, || Box::new(Shapefile::new(table(), Encoding::Gbk, Box::new(tempfile::tempfile)).unwrap()));
}

#[divan::bench]
fn workbook(bencher: Bencher<'_, '_>) {
    run(bencher, || Box::new(Workbook::new(table(), GeometryColumns::Wkt)));
}
