//! What comes out of a repair is valid by a checker that knows nothing of how it was made, and covers what went in.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Ring = Vec<Point>;

fn repaired(rings: &[Ring]) -> Vec<Ring> {
    let (mut points, mut ends) = (vec![], vec![]);
    for ring in rings {
        points.extend_from_slice(ring);
        ends.push(points.len() as u32);
    }
    Repairer::default().repair(&mut points, &mut ends);
    let mut start = 0;
    let split = |end: u32| points[std::mem::replace(&mut start, end as usize)..end as usize].to_vec();
    ends.iter().copied().map(split).collect()
}

/// Where the row half way between `y` and `y + 1` crosses a ring, from west to east, and the direction of each crossing.
fn crossings(ring: &[Point], y: f64) -> Vec<(f64, i32)> {
    let mut found = vec![];
    for (i, &b) in ring.iter().enumerate() {
        let a = ring[(i + ring.len() - 1) % ring.len()];
        let (ay, by) = (a[1] as f64, b[1] as f64);
        if (ay < y) != (by < y) {
            let x = a[0] as f64 + (y - ay) / (by - ay) * (b[0] - a[0]) as f64;
            found.push((x, if by > ay { 1 } else { -1 }));
        }
    }
    found.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap());
    found
}

fn inside(ring: &[Point], p: (f64, f64)) -> bool {
    crossings(ring, p.1).iter().filter(|c| c.0 < p.0).count() % 2 == 1
}

/// A place inside a simple ring: in the widest gap on any row.
fn interior(ring: &[Point]) -> (f64, f64) {
    let rows = ring.iter().map(|p| p[1]).min().unwrap()..ring.iter().map(|p| p[1]).max().unwrap();
    let mut widest = (0.0, (0.0, 0.0));
    for y in rows {
        let y = y as f64 + 0.5;
        for pair in crossings(ring, y).chunks(2) {
            if pair[1].0 - pair[0].0 > widest.0 {
                widest = (pair[1].0 - pair[0].0, ((pair[0].0 + pair[1].0) / 2.0, y));
            }
        }
    }
    widest.1
}

/// What two segments have in common.
enum Common {
    Nothing,
    Touch(Point),
    More,
}

fn common(a: Point, b: Point, c: Point, d: Point) -> Common {
    let on = |p: Point, a: Point, b: Point| {
        cross(a, b, p) == 0 && (0..2).all(|k| a[k].min(b[k]) <= p[k] && p[k] <= a[k].max(b[k]))
    };
    let mut shared = BTreeSet::new();
    shared.extend([a, b].into_iter().filter(|&p| on(p, c, d)));
    shared.extend([c, d].into_iter().filter(|&p| on(p, a, b)));
    let apart = |a, b, c, d| cross(a, b, c).signum() * cross(a, b, d).signum() < 0;
    match shared.len() {
        0 if apart(a, b, c, d) && apart(c, d, a, b) => Common::More,
        0 => Common::Nothing,
        1 => Common::Touch(*shared.first().unwrap()),
        _ => Common::More,
    }
}

fn edges(ring: &[Point]) -> impl Iterator<Item = (usize, Point, Point)> {
    (0..ring.len()).map(|i| (i, ring[i], ring[(i + 1) % ring.len()]))
}

fn check_simple(ring: &[Point]) -> Result<(), String> {
    let n = ring.len();
    if n < 3 || twice_area(ring) == 0 {
        return Err(format!("no area: {ring:?}"));
    }
    for (i, a, b) in edges(ring) {
        for (j, c, d) in edges(ring).skip(i + 1) {
            let follows = j == i + 1 || (i == 0 && j == n - 1);
            match common(a, b, c, d) {
                Common::Nothing => {}
                Common::Touch(p) if follows && (p == b || p == a) && a != b && c != d => {}
                _ => return Err(format!("a ring meets itself: {a:?} {b:?}, {c:?} {d:?}")),
            }
        }
    }
    Ok(())
}

/// Where two rings touch.
fn touches(one: &[Point], other: &[Point]) -> Result<BTreeSet<Point>, String> {
    let mut found = BTreeSet::new();
    for (_, a, b) in edges(one) {
        for (_, c, d) in edges(other) {
            match common(a, b, c, d) {
                Common::Nothing => {}
                Common::Touch(p) => drop(found.insert(p)),
                Common::More => return Err(format!("two rings cross: {a:?} {b:?}, {c:?} {d:?}")),
            }
        }
    }
    Ok(found)
}

/// Whether `small` lies in `large`; the two do not cross.
fn within(small: &[Point], large: &[Point]) -> bool {
    twice_area(small).abs() <= twice_area(large).abs() && inside(large, interior(small))
}

/// The polygons of OGC Simple Features 6.1.11 and 6.1.14, wound and ordered as MVT 2.1 asks.
fn check(rings: &[Ring]) -> Result<(), String> {
    rings.iter().try_for_each(|ring| check_simple(ring))?;
    let mut polygons: Vec<&[Ring]> = vec![];
    let mut start = 0;
    for i in 1..=rings.len() {
        if i == rings.len() || twice_area(&rings[i]) > 0 {
            polygons.push(&rings[start..i]);
            start = i;
        }
    }
    if rings.is_empty() {
        return Ok(());
    }
    for (i, polygon) in polygons.iter().enumerate() {
        if twice_area(&polygon[0]) < 0 {
            return Err("a hole comes first".into());
        }
        check_polygon(polygon)?;
        for other in &polygons[..i] {
            check_apart(polygon, other)?;
        }
    }
    Ok(())
}

fn check_polygon(polygon: &[Ring]) -> Result<(), String> {
    // Rings that touch in a circle would cut the interior apart.
    let mut at: BTreeMap<Point, BTreeSet<usize>> = BTreeMap::new();
    for (i, one) in polygon.iter().enumerate() {
        if i > 0 && !within(one, &polygon[0]) {
            return Err(format!("a hole outside: {one:?}"));
        }
        for (j, other) in polygon.iter().enumerate().skip(i + 1) {
            if i > 0 && (within(one, other) || within(other, one)) {
                return Err("a hole in a hole".into());
            }
            for p in touches(one, other)? {
                at.entry(p).or_default().extend([i, j]);
            }
        }
    }
    let mut group: Vec<usize> = (0..polygon.len()).collect();
    for (p, rings) in at {
        let rings: Vec<usize> = rings.into_iter().collect();
        for pair in rings.windows(2) {
            let (a, b) = (group[pair[0]], group[pair[1]]);
            if a == b {
                return Err(format!("the interior is cut apart at {p:?}"));
            }
            group.iter_mut().filter(|g| **g == a).for_each(|g| *g = b);
        }
    }
    Ok(())
}

fn check_apart(one: &[Ring], other: &[Ring]) -> Result<(), String> {
    for a in one {
        for b in other {
            touches(a, b)?;
        }
    }
    for (a, b) in [(one, other), (other, one)] {
        if within(&a[0], &b[0]) && !b[1..].iter().any(|hole| within(&a[0], hole)) {
            return Err("polygons overlap".into());
        }
    }
    Ok(())
}

/// How much the rings cover by the rule of this module, on rows half a unit apart.
fn covered(rings: &[Ring]) -> f64 {
    let all = || rings.iter().flatten().map(|p| p[1]);
    let (Some(top), Some(bottom)) = (all().min(), all().max()) else { return 0.0 };
    let mut sum = 0.0;
    for row in 0..(bottom - top) * 2 {
        let y = top as f64 + (row as f64 + 0.5) / 2.0;
        let mut events = vec![];
        for (i, ring) in rings.iter().enumerate() {
            let sign = if i > 0 && twice_area(ring) < 0 { -1 } else { 1 };
            let mut winding = 0;
            for (x, step) in crossings(ring, y) {
                let before = winding != 0;
                winding += step;
                if before != (winding != 0) {
                    events.push((x, if before { -sign } else { sign }));
                }
            }
        }
        events.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap());
        let mut depth = 0;
        for pair in events.windows(2) {
            depth += pair[0].1;
            sum += if depth > 0 { pair[1].0 - pair[0].0 } else { 0.0 };
        }
    }
    sum / 2.0
}

fn length(rings: &[Ring]) -> f64 {
    let long = |a: Point, b: Point| ((b[0] - a[0]) as f64).hypot((b[1] - a[1]) as f64);
    rings.iter().flat_map(|ring| edges(ring).map(move |(_, a, b)| long(a, b))).sum()
}

fn assert_repaired(rings: &[Ring]) {
    let result = repaired(rings);
    check(&result).unwrap_or_else(|e| panic!("{e}\nfrom {rings:?}\nto {result:?}"));
    let (before, after) = (covered(rings), covered(&result));
    // A crossing moves to the grid, and the edges that meet in it with it.
    assert!((before - after).abs() <= 1.0 + length(rings), "{before} became {after}\nfrom {rings:?}\nto {result:?}");
}

fn ring() -> impl Strategy<Value = Ring> {
    let tangle = prop::collection::vec(prop::array::uniform2(-6..40i32), 0..14);
    let wide = prop::collection::vec(prop::array::uniform2(-64..4160i32), 3..40);
    let star = (prop::collection::vec(1..300i32, 3..90), prop::array::uniform2(0..4096i32), any::<bool>());
    let star = star.prop_map(|(radii, [x, y], hole)| {
        let turn = |i: usize| i as f64 * std::f64::consts::TAU / radii.len() as f64;
        let at = |(i, r): (usize, &i32)| {
            [x + (turn(i).cos() * *r as f64).round() as i32, y + (turn(i).sin() * *r as f64).round() as i32]
        };
        let mut ring: Ring = radii.iter().enumerate().map(at).collect();
        if hole {
            ring.reverse();
        }
        ring
    });
    let boxes = (prop::array::uniform2(0..30i32), prop::array::uniform2(0..20i32), any::<bool>());
    let boxes = boxes.prop_map(|([x, y], [w, h], hole)| {
        let mut ring = vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
        if hole {
            ring.reverse();
        }
        ring
    });
    prop_oneof![tangle, wide, star, boxes]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn anything_becomes_valid_and_covers_what_it_covered(rings in prop::collection::vec(ring(), 1..8)) {
        assert_repaired(&rings);
    }

    #[test]
    fn what_is_valid_stays_as_it_is(rings in prop::collection::vec(ring(), 1..8)) {
        let valid = repaired(&rings);
        prop_assert_eq!(repaired(&valid).len(), valid.len());
        prop_assert_eq!(covered(&repaired(&valid)), covered(&valid));
    }
}

fn square(x: i32, y: i32, side: i32) -> Ring {
    vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
}

fn hole(x: i32, y: i32, side: i32) -> Ring {
    let mut ring = square(x, y, side);
    ring.reverse();
    ring
}

#[test]
fn valid_polygons_pass_untouched() {
    let l = vec![[0, 0], [10, 0], [10, 4], [4, 4], [4, 10], [0, 10]];
    for rings in [
        vec![square(0, 0, 9)],
        vec![l],
        vec![square(0, 0, 30), hole(2, 2, 5), hole(10, 10, 15), square(12, 12, 10), hole(14, 14, 2), square(40, 0, 9)],
        vec![square(12, 12, 10), hole(14, 14, 2), square(0, 0, 30), hole(2, 2, 5), hole(10, 10, 15)],
    ] {
        check(&rings).unwrap();
        assert_eq!(repaired(&rings), rings);
    }
}

#[test]
fn spikes_and_repeated_points_go() {
    let spiky = vec![[5, 0], [5, -9], [5, 0], [9, 0], [9, 0], [9, 9], [0, 9], [0, 0], [3, 0], [5, 0]];
    let rings = repaired(&[spiky]);
    check(&rings).unwrap();
    assert_eq!(twice_area(&rings[0]), 162);
    assert!(repaired(&[vec![[0, 0], [9, 9], [4, 4]]]).is_empty());
    assert!(repaired(&[vec![[0, 0], [9, 9]], vec![], vec![[1, 1]]]).is_empty());
}

#[test]
fn both_halves_of_a_bow_tie_stay() {
    let rings = repaired(&[vec![[0, 0], [10, 10], [10, 0], [0, 10]]]);
    assert_eq!(rings.len(), 2);
    check(&rings).unwrap();
    assert_eq!(rings.iter().map(|r| twice_area(r)).sum::<i64>(), 100);
}

#[test]
fn an_outer_ring_turned_inside_out_is_turned_back() {
    let rings = repaired(&[hole(0, 0, 10)]);
    assert_eq!(rings.iter().map(|r| twice_area(r)).sum::<i64>(), 200);
}

#[test]
fn holes_that_overlap_or_stick_out_add_nothing() {
    let rings = vec![square(0, 0, 30), hole(2, 2, 10), hole(5, 5, 10), hole(25, 25, 9)];
    assert_repaired(&rings);
    assert_eq!(covered(&repaired(&rings)), 900.0 - (100.0 + 100.0 - 49.0) - 25.0);
}

#[test]
fn holes_that_cut_the_interior_apart_cut_the_polygon() {
    let rings = vec![square(0, 0, 30), vec![[0, 15], [15, 20], [30, 15], [15, 10]]];
    assert_repaired(&rings);
    assert_eq!(repaired(&rings).len(), 2);
}

#[test]
fn parts_that_overlap_or_share_an_edge_are_joined() {
    let rings = repaired(&[square(0, 0, 10), square(10, 0, 10), square(5, 5, 10)]);
    check(&rings).unwrap();
    assert_eq!(rings.len(), 1);
    assert_eq!(covered(&rings), 250.0);
}

#[test]
fn a_comb_of_long_teeth_is_seen_through() {
    let mut comb: Ring = vec![];
    for i in 0..2000 {
        comb.extend(if i % 2 == 0 { [[0, 2 * i], [4000, 2 * i]] } else { [[4000, 2 * i], [1, 2 * i]] });
    }
    comb.push([-1, 3998]);
    comb.push([-1, 0]);
    let rings = repaired(&[comb]);
    check_simple(&rings[0]).unwrap();
}
