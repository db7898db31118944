//! What relations, shares and the nearest come to, held against the definitions and against slower ways.

use geo::{Coord, Geometry, Relate};
use onemap_spatial::area::{Area, Position};
use onemap_spatial::shape::Shape;
use onemap_spatial::shapes::{Predicate, Shapes};
use onemap_spatial::zones::Zones;
use onemap_spatial::{relation, share, wkt};
use proptest::prelude::*;

mod city;

fn shape(text: &str) -> Shape {
    Shape::new(wkt::read(text).unwrap()).unwrap()
}

fn area(text: &str) -> Area {
    match shape(text) {
        Shape::Area(area) => *area,
        _ => panic!("{text}"),
    }
}

#[test]
fn the_edge_is_neither_in_nor_out() {
    let area = area("MULTIPOLYGON(((0 0, 8 0, 8 8, 0 8, 0 0), (2 2, 6 2, 6 6, 2 6, 2 2)), ((3 3, 5 3, 4 5, 3 3)))");
    for (x, y, expected) in [
        (1.0, 1.0, Position::Inside),
        (4.0, 2.5, Position::Outside),
        (4.0, 4.0, Position::Inside),
        (0.0, 0.0, Position::Boundary),
        (0.0, 3.0, Position::Boundary),
        (8.0, 8.0, Position::Boundary),
        (4.0, 2.0, Position::Boundary),
        (6.0, 6.0, Position::Boundary),
        (4.0, 5.0, Position::Boundary),
        (4.0, 3.0, Position::Boundary),
        (3.5, 4.0, Position::Boundary),
        (9.0, 4.0, Position::Outside),
        (4.0, 8.0, Position::Boundary),
        (-0.0, 9.0, Position::Outside),
        (f64::NAN, 1.0, Position::Outside),
    ] {
        let at = Coord { x, y };
        assert_eq!(area.locate(at), expected, "{x} {y}");
        let zones = Zones::new(vec![area.clone()]);
        let mut found = Position::Outside;
        zones.locate(at, |_, position| found = position);
        assert_eq!(found, expected, "{x} {y} by the grid");
    }
}

#[test]
fn the_grid_agrees_with_the_areas_on_a_city() {
    let areas: Vec<Area> = city::districts().iter().filter_map(Area::new).collect();
    assert_eq!(areas.len(), 161);
    assert!(areas.iter().all(|a| (4_300..4_500).contains(&a.coords().len())));
    let zones = Zones::new(areas.clone());
    let mut asked = city::points(5_000);
    // Vertices too, which neighbours share, and corners, which four do.
    asked.extend(areas.iter().flat_map(|a| a.coords().iter().step_by(97).copied()));
    for p in asked {
        let mut found = vec![];
        zones.locate(p, |number, position| found.push((number, position)));
        let expected: Vec<(u32, Position)> = areas
            .iter()
            .enumerate()
            .map(|(i, a)| (i as u32, a.locate(p)))
            .filter(|(_, position)| *position != Position::Outside)
            .collect();
        assert_eq!(found, expected, "{p:?}");
    }
}

#[test]
fn shares_add_up() {
    let whole = shape("POLYGON((120.1 36.1, 120.3 36.1, 120.3 36.3, 120.1 36.3, 120.1 36.1))");
    let left = area("POLYGON((120 36, 120.15 36, 120.15 36.4, 120 36.4, 120 36))");
    let right = area(
        "POLYGON((120.15 36, 121 36, 121 36.4, 120.15 36.4, 120.15 36), (120.2 36.15, 120.25 36.15, 120.25 36.2, 120.2 36.15))",
    );
    let hole = shape("POLYGON((120.2 36.15, 120.25 36.15, 120.25 36.2, 120.2 36.15))").measure();
    let (a, b) = (share::inside(&whole, &left), share::inside(&whole, &right));
    assert!(((a + b + hole) / whole.measure() - 1.0).abs() < 1e-5, "{a} {b} {hole} {}", whole.measure());
    let line = shape("LINESTRING(120.05 36.2, 120.25 36.2, 120.25 36.18, 120.15 36.18, 120.15 36.3)");
    let (a, b) = (share::inside(&line, &left), share::inside(&line, &right));
    let along_edge = shape("LINESTRING(120.15 36.18, 120.15 36.3)").measure();
    // What runs along the common edge counts on both sides; what runs through the hole on none.
    let outside = line.measure() + along_edge - a - b;
    assert!(outside > 0.0 && outside < 8_000.0, "{outside}");
}

fn ring() -> impl Strategy<Value = String> {
    // A star about a centre on a grid of halves: valid by construction, and often touching others exactly.
    (0i32..12, 0i32..12, proptest::collection::vec(1i32..6, 4..9)).prop_map(|(x, y, radii)| {
        let n = radii.len();
        let mut ring: Vec<String> = radii
            .iter()
            .enumerate()
            .map(|(i, r)| {
                let angle = i as f64 * std::f64::consts::TAU / n as f64;
                let at = |v: f64| (v * f64::from(*r) * 2.0).round() / 4.0;
                format!("{} {}", f64::from(x) + at(angle.cos()), f64::from(y) + at(angle.sin()))
            })
            .collect();
        ring.push(ring[0].clone());
        format!("POLYGON(({}))", ring.join(","))
    })
}

fn valid(text: &str) -> Option<(Shape, Geometry)> {
    use geo::Validation;
    let geometry = wkt::read(text)?;
    geometry.is_valid().then(|| Shape::new(geometry.clone()).map(|shape| (shape, geometry))).flatten()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn relations_are_those_of_the_matrix(a in ring(), b in ring()) {
        if let (Some((a, ga)), Some((b, gb))) = (valid(&a), valid(&b)) {
            let matrix = ga.relate(&gb);
            prop_assert_eq!(relation::intersects(&a, &b), matrix.is_intersects(), "intersects {:?} {:?}", ga, gb);
            prop_assert_eq!(relation::within(&a, &b), matrix.is_within(), "within {:?} {:?}", ga, gb);
            let all = Shapes::new([None, Some(b)]);
            prop_assert_eq!(all.find(&a, Predicate::Intersects).contains(&1), matrix.is_intersects());
            prop_assert_eq!(all.find(&a, Predicate::Within).contains(&1), matrix.is_within());
        }
    }

    #[test]
    fn lines_and_points_too(a in ring(), xs in proptest::collection::vec((0i32..48, 0i32..48), 2..5)) {
        if let Some((area, polygon)) = valid(&a) {
            let coords: Vec<Coord> = xs.iter().map(|(x, y)| Coord { x: f64::from(*x) / 4.0, y: f64::from(*y) / 4.0 }).collect();
            let point = Geometry::Point(coords[0].into());
            let line = Geometry::LineString(geo::LineString(vec![coords[0], coords[1]]));
            for other in [point, line] {
                if coords[0] == coords[1] { continue; }
                let matrix = other.relate(&polygon);
                let shape = Shape::new(other).unwrap();
                prop_assert_eq!(relation::intersects(&shape, &area), matrix.is_intersects());
                prop_assert_eq!(relation::within(&shape, &area), matrix.is_within());
            }
        }
    }

    #[test]
    fn the_nearest_are_those_of_asking_all(seed in 0u64..1000) {
        let mut random = city::Random(seed);
        let mut place = || Coord { x: 120.0 + random.next(), y: 36.0 + random.next() };
        let shapes: Vec<Shape> = (0..60).map(|i| {
            let at = place();
            match i % 3 {
                0 => Shape::Points(vec![at]),
                1 => Shape::Lines(vec![geo::LineString(vec![at, Coord { x: at.x + 0.05, y: at.y + 0.02 }])]),
                _ => Shape::new(geo::Rect::new(at, Coord { x: at.x + 0.03, y: at.y + 0.02 }).to_polygon().into()).unwrap(),
            }
        }).collect();
        let from = Shape::Points(vec![place()]);
        let mut expected: Vec<(u32, f64)> = shapes.iter().enumerate()
            .filter_map(|(i, s)| Some((i as u32, relation::distance(&from, s, 20_000.0)?))).collect();
        expected.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        expected.truncate(5);
        let all = Shapes::new(shapes.into_iter().map(Some));
        prop_assert_eq!(all.nearest(&from, 5, 20_000.0), expected);
    }
}
