//! How much of a shape lies in an area.

use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon};

use crate::area::{Area, Position};
use crate::ellipsoid;
use crate::shape::Shape;
use crate::{Bounds, side};

/// The part of a shape that lies in an area: square metres, metres of lines, or points.
pub fn inside(shape: &Shape, area: &Area) -> f64 {
    match shape {
        Shape::Points(points) => points.iter().filter(|p| area.locate(**p) != Position::Outside).count() as f64,
        Shape::Lines(lines) => lines.iter().map(|line| length_inside(&line.0, area)).sum(),
        Shape::Area(own) => overlay(own, area).iter().map(ellipsoid::polygon_area).sum(),
    }
}

/// What two areas have in common. Each is cut to the other's box first, so that a large one costs by what of it is near.
pub fn overlay(a: &Area, b: &Area) -> MultiPolygon {
    let near = |area: &Area, other: &Area| MultiPolygon(cut(area, *other.bounds()));
    near(a, b).intersection(&near(b, a))
}

/// An area's polygons cut to a box (Sutherland and Hodgman's way, ring by ring). Where a ring falls apart its pieces stay joined along
/// the box's edge, which has no area.
fn cut(area: &Area, [west, south, east, north]: Bounds) -> Vec<Polygon> {
    // Beyond the box's edges, so that what lies upon them is not touched.
    let (dx, dy) = ((east - west) * 0.01 + 1e-9, (north - south) * 0.01 + 1e-9);
    let [own_west, own_south, own_east, own_north] = *area.bounds();
    let (west, south, east, north) = (west - dx, south - dy, east + dx, north + dy);
    if own_west >= west && own_south >= south && own_east <= east && own_north <= north {
        return area.polygons().0;
    }
    let mut all: Vec<Polygon> = vec![];
    let mut skipped = false;
    for (ring, outer) in area.rings() {
        let mut ring = ring.to_vec();
        for (horizontal, limit, keep_above) in
            [(true, west, true), (true, east, false), (false, south, true), (false, north, false)]
        {
            ring = half(&ring, horizontal, limit, keep_above);
        }
        if outer {
            skipped = ring.len() < 4;
        }
        if ring.len() < 4 || skipped {
            continue;
        }
        match all.last_mut() {
            Some(polygon) if !outer => polygon.interiors_push(LineString(ring)),
            _ => all.push(Polygon::new(LineString(ring), vec![])),
        }
    }
    all
}

fn half(ring: &[Coord], horizontal: bool, limit: f64, keep_above: bool) -> Vec<Coord> {
    let value = |c: Coord| if horizontal { c.x } else { c.y };
    let kept = |c: Coord| if keep_above { value(c) >= limit } else { value(c) <= limit };
    let mut out = Vec::with_capacity(ring.len());
    for pair in ring.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if kept(a) != kept(b) {
            let along = (limit - value(a)) / (value(b) - value(a));
            let crossing = ellipsoid::between(a, b, along);
            out.push(if horizontal { Coord { x: limit, y: crossing.y } } else { Coord { x: crossing.x, y: limit } });
        }
        if kept(b) {
            out.push(b);
        }
    }
    if let Some(first) = out.first().copied()
        && out.last() != Some(&first)
    {
        out.push(first);
    }
    out
}

/// Metres of a line in an area. What runs along its edge counts.
fn length_inside(line: &[Coord], area: &Area) -> f64 {
    let mut metres = 0.0;
    let mut cuts: Vec<f64> = vec![];
    for pair in line.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        cuts.clear();
        cuts.extend([0.0, 1.0]);
        let near = [a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y)];
        area.edges_near(near, |edge| {
            crossings([a, b], edge, &mut cuts);
            false
        });
        cuts.sort_by(f64::total_cmp);
        for part in cuts.windows(2).filter(|part| part[1] - part[0] > 1e-12) {
            let middle = ellipsoid::between(a, b, (part[0] + part[1]) / 2.0);
            if area.locate(middle) != Position::Outside || along_edge(middle, [a, b], area) {
                metres += ellipsoid::distance(ellipsoid::between(a, b, part[0]), ellipsoid::between(a, b, part[1]));
            }
        }
    }
    metres
}

/// Where along a segment an edge crosses or touches it.
fn crossings([a, b]: [Coord; 2], [c, d]: [Coord; 2], cuts: &mut Vec<f64>) {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    let mut along = |p: Coord| {
        let at = if dx.abs() > dy.abs() { (p.x - a.x) / dx } else { (p.y - a.y) / dy };
        if at > 0.0 && at < 1.0 {
            cuts.push(at);
        }
    };
    if c_side == 0.0 {
        along(c);
    }
    if d_side == 0.0 {
        along(d);
    }
    if c_side * d_side < 0.0 {
        along(ellipsoid::between(c, d, c_side / (c_side - d_side)));
    }
}

/// Whether a segment lies on an edge where `middle` is: rounding may put the middle itself beside the edge.
fn along_edge(middle: Coord, [a, b]: [Coord; 2], area: &Area) -> bool {
    let near = [middle.x - 1e-12, middle.y - 1e-12, middle.x + 1e-12, middle.y + 1e-12];
    area.edges_near(near, |[c, d]| side(a, b, c) == 0.0 && side(a, b, d) == 0.0)
}
