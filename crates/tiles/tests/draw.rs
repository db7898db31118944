//! Tiles against the features they were made of.

mod support;

use std::collections::BTreeSet;

use onemap_tiles::area::Area;
use onemap_tiles::build::Options;
use onemap_tiles::delta::Delta;
use onemap_tiles::window::{BUFFER, EXTENT, Window};
use onemap_tiles::world::project;
use proptest::prelude::*;
use support::*;

/// A place in an area of 0.2° around 120.3 E, 36.1 N.
fn place() -> impl Strategy<Value = Place> {
    (0.0f64..0.2, 0.0f64..0.2).prop_map(|(x, y)| (120.2 + x, 36.0 + y))
}

fn shape() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        place().prop_map(point),
        prop::collection::vec(place(), 2..30).prop_map(|p| line(&p)),
        (place(), 1e-6f64..0.02).prop_map(|(p, side)| square(p, side)),
    ]
}

/// The tile of WebMercatorQuad that holds a place.
fn tile_at(z: u8, (lon, lat): Place) -> Window {
    let [x, y] = project(lon, lat);
    Window::mercator(z, x >> (32 - z), y >> (32 - z))
}

/// Whether the rectangle of a square or the point lies well inside a window, or well outside of it.
fn surely(window: &Window, low: Place, high: Place) -> Option<bool> {
    let corners = [project(low.0, high.1), project(high.0, low.1)].map(|v| window.tile_point(&v.map(i64::from)));
    let (min, max) = ([corners[0][0], corners[0][1]], [corners[1][0], corners[1][1]]);
    let meets = |slack: i32| (0..2).all(|a| min[a] <= EXTENT + BUFFER + slack && max[a] >= -BUFFER - slack);
    match (meets(-2), meets(2)) {
        (true, _) => Some(true),
        (_, false) => Some(false),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_feature_that_meets_a_tile_at_full_detail_is_in_it(
        squares in prop::collection::vec((place(), 1e-7f64..0.01), 1..120),
        at in place(),
        z in 14u8..18,
        geographic in any::<bool>(),
    ) {
        let shapes: Vec<Vec<u8>> = squares.iter().map(|&(p, side)| square(p, side)).collect();
        let (_folder, index, summary) = index_of(&shapes, Options::default());
        prop_assert!(summary.complete_from.is_some_and(|c| c <= 14));
        let window = match geographic {
            false => tile_at(z, at),
            true => {
                let n = 2f64.powi(i32::from(z)) / 180.0;
                Window::geographic(z, ((at.0 + 180.0) * n) as u32, ((90.0 - at.1) * n) as u32)
            }
        };
        let (drawn, features) = draw(&index, &request(&window));
        prop_assert!(!drawn.thinned);
        let ids: BTreeSet<u64> = features.iter().map(|f| f.id).collect();
        prop_assert_eq!(ids.len(), features.len());
        for (id, &((x, y), side)) in (1u64..).zip(&squares) {
            if let Some(there) = surely(&window, (x, y), (x + side, y + side)) {
                prop_assert_eq!(ids.contains(&id), there, "feature {} of side {}", id, side);
            }
        }
        for f in &features {
            let kind = format!("Text(\"kind {}\")", f.id % 5);
            prop_assert_eq!(&f.properties["kind"], &kind);
            prop_assert_eq!(&f.properties["number"], &format!("Integer({})", f.id));
            prop_assert!(f.area() > 0.0);
        }
    }

    #[test]
    fn any_shapes_make_tiles_that_decode(shapes in prop::collection::vec(shape(), 1..80), at in place(), z in 0u8..20) {
        let (_folder, index, _) = index_of(&shapes, Options::default());
        let (drawn, features) = draw(&index, &request(&tile_at(z.max(1), at)));
        prop_assert_eq!(drawn.features, features.len());
        for f in features {
            for p in f.parts.iter().flatten().flatten() {
                prop_assert!((-BUFFER as i64 - 1..=(EXTENT + BUFFER) as i64 + 1).contains(p), "{:?}", f);
            }
        }
    }

    #[test]
    fn an_area_shows_what_lies_in_it_and_cuts_the_rest(
        squares in prop::collection::vec((place(), 1e-5f64..0.01), 1..80),
        corner in place(),
        side in 0.01f64..0.1,
        z in 10u8..15,
    ) {
        let shapes: Vec<Vec<u8>> = squares.iter().map(|&(p, side)| square(p, side)).collect();
        let (_folder, index, _) = index_of(&shapes, Options::default());
        let area = Area::from_ewkb(&square(corner, side)).unwrap();
        let window = tile_at(z, corner);
        let open = draw(&index, &request(&window)).1;
        let limited = draw(&index, &onemap_tiles::draw::Request { area: Some(&area), ..request(&window) }).1;
        let edge = [(corner.0, corner.1 + side), (corner.0 + side, corner.1)]
            .map(|(x, y)| window.tile_point(&project(x, y).map(i64::from)).map(f64::from));
        for f in &open {
            let ring: &Vec<[i64; 2]> = &f.parts[0];
            let range = |axis: usize| {
                let values = ring.iter().map(|p| p[axis] as f64);
                (values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max))
            };
            let (x, y) = (range(0), range(1));
            let width = |(low, high): (f64, f64), axis: usize| high.min(edge[1][axis]) - low.max(edge[0][axis]);
            let (w, h) = (width(x, 0), width(y, 1));
            let seen: Vec<_> = limited.iter().filter(|l| l.id == f.id).collect();
            if w < -1.0 || h < -1.0 {
                prop_assert!(seen.is_empty());
            } else if w > 2.0 && h > 2.0 {
                prop_assert_eq!(seen.len(), 1);
                prop_assert!((seen[0].area() - w * h).abs() <= 2.0 * (w + h) + 4.0, "{} of {}", seen[0].area(), w * h);
            }
        }
    }
}

#[test]
fn the_area_drawn_stays_at_every_zoom() {
    // 20,000 houses of 12 to 30 m in 0.2°.
    let mut lot = 7u64;
    let mut next = || {
        lot = onemap_tiles::build::plan::mix(lot);
        (lot >> 11) as f64 / (1u64 << 53) as f64
    };
    let houses: Vec<Vec<u8>> =
        (0..20_000).map(|_| square((120.2 + 0.2 * next(), 36.0 + 0.2 * next()), 0.000_15 + 0.000_2 * next())).collect();
    let (_folder, index, summary) = index_of(&houses, Options::default());
    assert!((12..=14).contains(&summary.complete_from.unwrap()), "{summary:?}");
    let area_at = |z: u8| {
        let [x0, y0] = project(120.15, 36.25).map(|v| v >> (32 - z));
        let [x1, y1] = project(120.45, 35.95).map(|v| v >> (32 - z));
        let mut sum = 0.0;
        for (x, y) in (x0..=x1).flat_map(|x| (y0..=y1).map(move |y| (x, y))) {
            for f in draw(&index, &request(&Window::mercator(z, x, y))).1 {
                // A tile's buffer is its neighbour's: of what is drawn twice, the tile of its middle counts.
                let middle =
                    [0, 1].map(|axis| f.parts[0].iter().map(|v| v[axis]).sum::<i64>() as f64 / f.parts[0].len() as f64);
                if middle.iter().all(|m| (0.0..4096.0).contains(m)) {
                    sum += f.area();
                }
            }
        }
        sum * 4f64.powi(14 - i32::from(z))
    };
    let exact = area_at(14);
    for z in 6..14 {
        let ratio = area_at(z) / exact;
        assert!((0.95..=1.05).contains(&ratio), "zoom {z}: {ratio}");
    }
}

#[test]
fn a_crowd_is_thinned_within_the_limit_and_a_filter_finds_what_is_hidden() {
    struct Fields;
    impl onemap_cql2::Schema for Fields {
        fn field(&self, name: &str) -> Option<(usize, onemap_cql2::Kind)> {
            match name {
                "kind" => Some((0, onemap_cql2::Kind::Text)),
                "number" => Some((1, onemap_cql2::Kind::Integer)),
                _ => None,
            }
        }
        fn is_geometry(&self, name: &str) -> bool {
            name == "geom"
        }
    }
    let mut lot = 1u64;
    let points: Vec<Vec<u8>> = (0..60_000)
        .map(|_| {
            lot = onemap_tiles::build::plan::mix(lot);
            point((120.2 + (lot >> 40) as f64 * 1e-8, 36.0 + (lot & 0xff_ffff) as f64 * 1e-8))
        })
        .collect();
    let options = Options { tile_limit: 50_000, ..Options::default() };
    let (_folder, index, summary) = index_of(&points, options);
    let window = tile_at(6, (120.3, 36.1));
    let open = onemap_tiles::draw::Request { limit: 50_000, ..request(&window) };
    let mut bytes = vec![];
    let drawn = index.draw(&open, &mut bytes);
    assert!(drawn.thinned && drawn.features > 500 && summary.complete_from.unwrap() > 6);
    assert!(onemap_tiles::compress::gzip_len(&bytes) <= 50_000);
    let filter = onemap_cql2::parse("number between 1001 and 1010 and kind <> 'kind 3'", &Fields).unwrap();
    let (_, found) = draw(&index, &onemap_tiles::draw::Request { filter: Some(&filter), ..open });
    let numbers: BTreeSet<u64> = found.iter().map(|f| f.id).collect();
    assert_eq!(numbers, BTreeSet::from([1001, 1002, 1004, 1005, 1006, 1007, 1009, 1010]));
    let rows = [(0, vec!["kind 2".to_owned()])];
    let (_, found) = draw(&index, &onemap_tiles::draw::Request { rows: &rows, ..open });
    assert!(!found.is_empty() && found.iter().all(|f| f.id % 5 == 2));
}

#[test]
fn what_stands_in_it_twice_does_not_make_up_for_what_does_not() {
    let mut both = vec![1, 7, 0, 0, 0, 2, 0, 0, 0];
    both.extend(point((120.3, 36.1)));
    both.extend(line(&[(120.3, 36.1), (120.31, 36.1)]));
    let complete = |all: &[Vec<u8>]| {
        let (_folder, index, _) = index_of(all, Options::default());
        index.is_complete()
    };
    assert!(complete(&[point((120.3, 36.1)), point((120.31, 36.1))]));
    assert!(!complete(&[both, line(&[])]));
}

#[test]
fn edits_take_the_place_of_what_was() {
    let (_folder, index, _) =
        index_of(&[point((120.3, 36.1)), point((120.31, 36.1)), point((120.32, 36.1))], Options::default());
    let mut delta = Delta::new(2);
    delta.remove(1);
    let moved = point((120.315, 36.1));
    delta.put(2, Some(&moved), &[onemap_cql2::Value::Text("new"), onemap_cql2::Value::Null]).unwrap();
    delta.put(9, Some(&moved), &[onemap_cql2::Value::Null, onemap_cql2::Value::Integer(9)]).unwrap();
    let window = tile_at(10, (120.31, 36.1));
    let (_, features) = draw(&index, &onemap_tiles::draw::Request { delta: Some(&delta), ..request(&window) });
    let ids: BTreeSet<u64> = features.iter().map(|f| f.id).collect();
    assert_eq!(ids, BTreeSet::from([2, 3, 9]));
    assert_eq!(features.iter().find(|f| f.id == 2).unwrap().properties["kind"], "Text(\"new\")");
}

#[test]
fn a_damaged_file_is_noticed() {
    let (folder, index, _) = index_of(&[square((120.3, 36.1), 0.01)], Options::default());
    drop(index);
    let path = folder.path().join("layer.tix");
    let whole = std::fs::read(&path).unwrap();
    let opens = |bytes: &[u8]| {
        let copy = folder.path().join("copy.tix");
        std::fs::write(&copy, bytes).unwrap();
        onemap_tiles::index::Index::open(&copy).and_then(|i| i.verify())
    };
    assert!(opens(&whole).is_ok());
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(opens(&bytes).is_err(), "byte {at}");
    }
    assert!(opens(&whole[..whole.len() - 1]).is_err() && opens(&[]).is_err());
}

#[test]
fn mlt_holds_what_mvt_does() {
    let shapes: Vec<Vec<u8>> = (0..200)
        .map(|i| (120.3 + f64::from(i % 20) * 0.001, 36.1 + f64::from(i / 20) * 0.001))
        .map(|p| if p.0 < 120.31 { square(p, 0.0006) } else { line(&[p, (p.0 + 0.0007, p.1), (p.0, p.1 + 0.0004)]) })
        .collect();
    let (_folder, index, _) = index_of(&shapes, Options::default());
    let mut mvt = vec![];
    index.draw(&request(&tile_at(14, (120.31, 36.105))), &mut mvt);
    let mlt = onemap_tiles::mlt::from_mvt(&mvt).unwrap();
    assert!(mlt.len() < mvt.len());
    let layers = mlt_core::Parser::default().parse_layers(&mlt).unwrap();
    let mut decoder = mlt_core::Decoder::default();
    let layers = layers.into_iter().map(|l| match l {
        mlt_core::Layer::Tag01(layer) => layer.into_tile(&mut decoder).unwrap(),
        _ => panic!("another kind of layer"),
    });
    let back = mlt_core::mvt::tile_layers_to_mvt(layers.collect()).unwrap();
    let by_id = |bytes: &[u8]| {
        let mut features = tile(bytes);
        features.sort_by_key(|f| f.id);
        features.into_iter().map(|f| (f.id, f.kind, f.parts, f.properties)).collect::<Vec<_>>()
    };
    let (before, after) = (by_id(&mvt), by_id(&back));
    assert!(before.len() > 50);
    for (b, a) in before.iter().zip(&after) {
        assert_eq!((b.0, b.1, &b.2), (a.0, a.1, &a.2));
        assert_eq!(b.3["kind"], a.3["kind"]);
    }
    assert_eq!(before.len(), after.len());
    assert!(onemap_tiles::mlt::from_mvt(&[]).unwrap().is_empty());
}
