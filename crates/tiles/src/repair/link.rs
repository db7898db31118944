//! Edges linked to rings, and rings ordered as polygons. The edges bound an area that lies on their left where y points north (on
//! their right on the map); they meet at vertices only. (i_overlay finds such edges; the rings that it makes of them are invalid at
//! times where they touch.)

use super::{Point, cross, twice_area};

type Ring = Vec<Point>;

/// The polygons that the edges bound: each outer ring followed by its holes.
pub fn polygons(mut edges: Vec<[Point; 2]>) -> impl Iterator<Item = Ring> {
    edges.sort_unstable();
    let mut used = vec![false; edges.len()];
    let mut rings = vec![];
    for start in 0..edges.len() {
        walk(start, &edges, &mut used, &mut rings);
    }
    nest(rings)
}

/// Follows the edges around a piece of the area. Where the way comes by a vertex again, it has gone around a ring.
fn walk(start: usize, edges: &[[Point; 2]], used: &mut [bool], rings: &mut Vec<Ring>) {
    let mut way: Vec<Point> = vec![];
    let mut at = start;
    while !std::mem::replace(&mut used[at], true) {
        let [from, to] = edges[at];
        way.push(from);
        let next = edges.partition_point(|e| e[0] < to);
        let forks = edges[next..].iter().take_while(|e| e[0] == to).count();
        if (forks > 1 || next == start)
            && let Some(first) = way.iter().position(|&p| p == to)
        {
            rings.extend(Some(way.drain(first..).collect::<Ring>()).filter(|ring| ring.len() > 2));
        }
        // The next edge of the same piece is the first that one meets turning clockwise, where y points north.
        let turn = |&a: &usize, &b: &usize| clockwise(to, from, edges[a][1], edges[b][1]);
        match (next..next + forks).min_by(turn) {
            Some(edge) => at = edge,
            None => return,
        }
    }
}

/// Which of `a` and `b` comes first, turning clockwise around `center` from `from`.
fn clockwise(center: Point, from: Point, a: Point, b: Point) -> std::cmp::Ordering {
    let half = |p| cross(center, from, p).signum();
    half(a).cmp(&half(b)).then_with(|| cross(center, a, b).cmp(&0))
}

/// Puts each hole after its outer ring.
fn nest(rings: Vec<Ring>) -> impl Iterator<Item = Ring> {
    let (mut outers, holes): (Vec<_>, Vec<_>) =
        rings.into_iter().map(|ring| (twice_area(&ring), ring)).partition(|(area, _)| *area > 0);
    // The smallest outer ring around a hole is its own.
    outers.sort_by_key(|(area, _)| *area);
    let mut polygons: Vec<Vec<Ring>> = outers.into_iter().map(|(_, ring)| vec![ring]).collect();
    for (_, hole) in holes {
        if let Some(polygon) = polygons.iter_mut().find(|polygon| surrounds(&polygon[0], &hole)) {
            polygon.push(hole);
        }
    }
    polygons.into_iter().flatten()
}

/// Whether a ring that does not cross `outer` lies in it. A vertex or the middle of an edge that is not on `outer` tells.
fn surrounds(outer: &[Point], ring: &[Point]) -> bool {
    let middles = ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| [a[0] + b[0], a[1] + b[1]]);
    let mut probes = ring.iter().map(|p| [2 * p[0], 2 * p[1]]).chain(middles);
    probes.find_map(|p| contains(outer, p)).unwrap_or(false)
}

/// Whether a ring contains the point at half of `p`; none if it is on an edge.
fn contains(ring: &[Point], p: Point) -> Option<bool> {
    let double = |p: Point| [2 * p[0], 2 * p[1]];
    let mut inside = false;
    let mut a = double(*ring.last()?);
    for &b in ring {
        let b = double(b);
        let side = cross(a, b, p);
        if side == 0 && (0..2).all(|k| a[k].min(b[k]) <= p[k] && p[k] <= a[k].max(b[k])) {
            return None;
        }
        if (a[1] <= p[1]) != (b[1] <= p[1]) && (side > 0) == (b[1] > a[1]) {
            inside = !inside;
        }
        a = b;
    }
    Some(inside)
}
