//! The crate's answers beside PostGIS's, on random shapes whose vertices and edges often meet exactly.

use geo::Geometry;
use onemap_spatial::shape::Shape;
use onemap_spatial::{buffer, relation, share, wkt};

use super::Random;
use crate::world::World;

/// Shapes on a grid of 64ths of a degree, which floating point has exactly: corners fall on corners and on edges.
fn shapes(count: usize) -> Vec<String> {
    let mut random = Random(11);
    let mut at = move |n: f64| (random.next() * n).floor();
    let mut all = vec![];
    while all.len() < count {
        let (x, y, kind) = (at(14.0), at(14.0), at(7.0) as u8);
        let place = |dx: f64, dy: f64| format!("{} {}", 120.0 + (x + dx) / 64.0, 36.0 + (y + dy) / 64.0);
        let square = |x0: f64, y0: f64, x1: f64, y1: f64| {
            format!("({},{},{},{},{})", place(x0, y0), place(x1, y0), place(x1, y1), place(x0, y1), place(x0, y0))
        };
        let (w, h) = (2.0 + at(5.0), 2.0 + at(5.0));
        all.push(match kind {
            0 => format!("POINT({})", place(0.0, 0.0)),
            1 => format!("LINESTRING({},{},{})", place(0.0, 0.0), place(w, h), place(w, 0.0)),
            2 => format!("POLYGON({})", square(0.0, 0.0, w, h)),
            3 => format!("POLYGON(({},{},{},{}))", place(0.0, 0.0), place(w, 1.0), place(1.0, h), place(0.0, 0.0)),
            4 => format!("POLYGON({},{})", square(0.0, 0.0, w + 2.0, h + 2.0), square(1.0, 1.0, w, h)),
            5 => format!("MULTIPOLYGON(({}),({}))", square(0.0, 0.0, w, h), square(w + 1.0, h, w + 3.0, h + 2.0)),
            _ => format!(
                "MULTILINESTRING(({},{}),({},{}))",
                place(0.0, 0.0),
                place(w, 0.0),
                place(1.0, 1.0),
                place(1.0, h)
            ),
        });
    }
    all
}

fn shape(text: &str) -> Shape {
    Shape::new(wkt::read(text).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn relations_shares_and_distances_are_those_of_postgis() {
    let world = World::new().await;
    let client = world.app.database.app().await.unwrap();
    let texts = shapes(160);
    let ours: Vec<Shape> = texts.iter().map(|text| shape(text)).collect();
    let sql = "with g as (select n, st_geomfromtext(t, 4326) g from unnest($1::text[]) with ordinality u(t, n))
        select a.n, b.n, st_intersects(a.g, b.g), st_within(a.g, b.g),
               st_area(st_intersection(a.g, b.g)::geography), st_length(st_collectionextract(st_intersection(a.g, b.g), 2)::geography),
               st_distance(a.g::geography, b.g::geography)
        from g a, g b where a.n <> b.n";
    let rows = client.query(sql, &[&texts]).await.unwrap();
    assert_eq!(rows.len(), 160 * 159);
    let (mut met, mut inside) = (0, 0);
    for row in rows {
        let (i, j) = (row.get::<_, i64>(0) as usize - 1, row.get::<_, i64>(1) as usize - 1);
        let (a, b) = (&ours[i], &ours[j]);
        let what = format!("{} | {}", texts[i], texts[j]);
        let (intersects, within): (bool, bool) = (row.get(2), row.get(3));
        assert_eq!(relation::intersects(a, b), intersects, "intersects {what}");
        assert_eq!(relation::within(a, b), within, "within {what}");
        met += usize::from(intersects);
        inside += usize::from(within);
        if let (Shape::Area(area), 1..) = (b, a.dimension()) {
            let theirs: f64 = row.get(if a.dimension() == 2 { 4 } else { 5 });
            let ours = share::inside(a, area);
            // The edges of what is in common are geodesics: one that PostGIS ends where a hole touches it has less of a bow than our whole one.
            assert!((ours - theirs).abs() <= 1.0 + theirs * 1e-3, "share {what}: {ours} {theirs}");
        }
        let (ours, theirs) = (relation::distance(a, b, 1e7).unwrap(), row.get::<_, f64>(6));
        // Their edges are geodesics: some 2 m from the straight line of ours in the middle of 12 km, as the longest here are.
        assert!((ours - theirs).abs() <= 4.0 + theirs * 2e-4, "distance {what}: {ours} {theirs}");
    }
    assert!(met > 2000 && inside > 100, "{met} {inside}");
}

#[tokio::test(flavor = "multi_thread")]
async fn areas_lengths_and_buffers_are_those_of_postgis() {
    let world = World::new().await;
    let client = world.app.database.app().await.unwrap();
    let texts = shapes(60);
    let sql = "select st_area(g), st_length(g), st_area(st_buffer(g, 700, 'quad_segs=16')), st_x(c), st_y(c) from
        (select st_geomfromtext(t, 4326)::geography g, st_centroid(st_geomfromtext(t, 4326)) c
         from unnest($1::text[]) with ordinality u(t, n) order by n) s";
    for (text, row) in texts.iter().zip(client.query(sql, &[&texts]).await.unwrap()) {
        let shape = shape(text);
        let near = |ours: f64, theirs: f64, part: f64| {
            assert!((ours - theirs).abs() <= 1e-6 + theirs * part, "{text}: {ours} {theirs}")
        };
        match shape.dimension() {
            2 => near(shape.measure(), row.get(0), 1e-9),
            1 => near(shape.measure(), row.get(1), 1e-9),
            _ => {}
        }
        let around = buffer::buffer(&shape, 700.0).unwrap();
        let area = Shape::new(Geometry::MultiPolygon(around)).unwrap();
        // PostGIS buffers on the best of a few planes, which stretches by a few thousandths.
        near(area.measure(), row.get(2), 5e-3);
        let centre = shape.centre();
        near(centre.x, row.get(3), 1e-12);
        near(centre.y, row.get(4), 1e-12);
    }
}
