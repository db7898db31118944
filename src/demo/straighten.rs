//! Drops vertices that only cut a straight border in two, on both sides of the border alike.

use std::collections::HashMap;

use super::area::{Area, Point};

/// Degrees that a vertex may lie beside the line between its neighbours: rounding to 7 decimals moves it that far.
const SLACK: f64 = 1.5e-7;

type Key = [u64; 2];

fn key(p: Point) -> Key {
    p.map(f64::to_bits)
}

/// Both sides keep the same vertices, because a vertex goes only if it has the same two neighbours wherever it occurs.
pub fn straighten(areas: &mut [&mut Area]) {
    let mut neighbours: HashMap<Key, Option<[Key; 2]>> = HashMap::new();
    for ring in areas.iter().flat_map(|a| &a.rings) {
        for (i, &p) in ring.iter().enumerate() {
            let (before, after) = (ring[(i + ring.len() - 1) % ring.len()], ring[(i + 1) % ring.len()]);
            let mut pair = [key(before), key(after)];
            pair.sort_unstable();
            let wanted = straight(before, p, after).then_some(pair);
            neighbours
                .entry(key(p))
                .and_modify(|known| *known = known.filter(|k| Some(*k) == wanted))
                .or_insert(wanted);
        }
    }
    let goes = |p: &Point| neighbours.get(&key(*p)).is_some_and(Option::is_some);
    for ring in areas.iter_mut().flat_map(|a| &mut a.rings) {
        if ring.iter().filter(|p| !goes(p)).count() > 3 {
            ring.retain(|p| !goes(p));
        }
    }
}

/// Whether `p` lies on the way from `a` to `b`.
fn straight(a: Point, p: Point, b: Point) -> bool {
    let (along, to) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let length = along[0].hypot(along[1]);
    let beside = (along[0] * to[1] - along[1] * to[0]).abs();
    let onward = along[0] * to[0] + along[1] * to[1];
    beside <= SLACK * length && onward > 0.0 && onward < length * length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vertex_goes_on_both_sides_unless_a_third_area_meets_there() {
        let ring = |points: &[Point]| Area { rings: vec![points.to_vec()] };
        let mut left = ring(&[[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [2.0, 2.0], [2.0, 3.0], [0.0, 4.0]]);
        let mut upper = ring(&[[2.0, 2.0], [3.0, 2.0], [4.0, 4.0], [2.0, 3.0]]);
        let mut lower = ring(&[[2.0, 0.0], [3.0, 0.0], [3.0, 2.0], [2.0, 2.0], [2.0, 1.0]]);
        straighten(&mut [&mut left, &mut upper, &mut lower]);
        assert_eq!(left.rings[0], [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [2.0, 3.0], [0.0, 4.0]]);
        assert_eq!(lower.rings[0], [[2.0, 0.0], [3.0, 0.0], [3.0, 2.0], [2.0, 2.0]]);
        assert_eq!(upper.rings[0].len(), 4);
    }
}
