//! `within` and `distance`: a feature against a geometry that the style brings along. Both in degrees.

use std::time::Instant;

use serde_json::Value as Json;

use super::{Context, Failure};

pub type Point = [f64; 2];
pub type Ring = Vec<Point>;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Geometry {
    pub points: Vec<Point>,
    pub lines: Vec<Ring>,
    pub polygons: Vec<Vec<Ring>>,
}

impl Geometry {
    /// From GeoJSON of any kind.
    pub fn of_json(json: &Json) -> Option<Geometry> {
        let mut geometry = Geometry::default();
        gather(json, &mut geometry, 0)?;
        Some(geometry)
    }
}

/// The style's geometry.
#[derive(Debug, Clone)]
pub struct Target {
    geometry: Geometry,
    points: usize,
}

/// No style needs more.
const MOST_POINTS: usize = 20_000;

impl Target {
    /// From GeoJSON of any kind. None when it is none, or too much.
    pub fn of_json(json: &Json) -> Option<Target> {
        let geometry = Geometry::of_json(json)?;
        let points = geometry.points.len()
            + geometry.lines.iter().chain(geometry.polygons.iter().flatten()).map(Vec::len).sum::<usize>();
        (points > 0 && points <= MOST_POINTS).then_some(Target { geometry, points })
    }

    pub fn points(&self) -> usize {
        self.points
    }

    pub fn has_polygons(&self) -> bool {
        !self.geometry.polygons.is_empty()
    }
}

fn gather(json: &Json, into: &mut Geometry, depth: usize) -> Option<()> {
    if depth > 8 {
        return None;
    }
    let coordinates = &json["coordinates"];
    match json["type"].as_str()? {
        "FeatureCollection" => json["features"].as_array()?.iter().try_for_each(|f| gather(f, into, depth + 1))?,
        "Feature" => gather(&json["geometry"], into, depth + 1)?,
        "GeometryCollection" => json["geometries"].as_array()?.iter().try_for_each(|g| gather(g, into, depth + 1))?,
        "Point" => into.points.push(point(coordinates)?),
        "MultiPoint" => into.points.extend(ring(coordinates)?),
        "LineString" => into.lines.push(ring(coordinates)?),
        "MultiLineString" => into.lines.extend(rings(coordinates)?),
        "Polygon" => into.polygons.push(rings(coordinates)?),
        "MultiPolygon" => {
            let polygons: Option<Vec<_>> = coordinates.as_array()?.iter().map(rings).collect();
            into.polygons.extend(polygons?);
        }
        _ => return None,
    }
    Some(())
}

fn point(json: &Json) -> Option<Point> {
    Some([json.get(0)?.as_f64()?, json.get(1)?.as_f64()?])
}

fn ring(json: &Json) -> Option<Ring> {
    json.as_array()?.iter().map(point).collect()
}

fn rings(json: &Json) -> Option<Vec<Ring>> {
    json.as_array()?.iter().map(ring).collect()
}

const TURNS: [f64; 3] = [0.0, 360.0, -360.0];

/// Looks at the clock now and then: the vertices of a feature times those of a target may be a billion.
struct Watch {
    until: Option<Instant>,
    steps: usize,
}

impl Watch {
    fn of(context: &Context<'_>) -> Watch {
        Watch { until: context.until, steps: 0 }
    }

    fn add(&mut self, steps: usize) -> Result<(), Failure> {
        self.steps += steps;
        if self.steps < 100_000 {
            return Ok(());
        }
        self.steps = 0;
        match self.until.is_some_and(|until| Instant::now() > until) {
            true => Err(Failure::new("it took too long")),
            false => Ok(()),
        }
    }
}

/// Whether the feature, points or lines, lies within the polygons. On the edge is not within.
pub fn within(context: &Context<'_>, target: &Target) -> Result<bool, Failure> {
    let Some(geometry) = context.subject.and_then(super::Subject::geometry) else { return Ok(false) };
    let polygons = &target.geometry.polygons;
    let mut watch = Watch::of(context);
    // What the date line has put on the other side of the world is there too.
    let turned = |p: &Point, turn: f64| [p[0] + turn, p[1]];
    for p in &geometry.points {
        watch.add(target.points)?;
        if !TURNS.iter().any(|turn| polygons.iter().any(|polygon| strictly_inside(turned(p, *turn), polygon))) {
            return Ok(false);
        }
    }
    for line in &geometry.lines {
        let mut found = false;
        for turn in TURNS {
            let line: Ring = line.iter().map(|p| turned(p, turn)).collect();
            for polygon in polygons {
                found = found || line_inside(&line, polygon, &mut watch)?;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(!geometry.points.is_empty() || !geometry.lines.is_empty())
}

fn strictly_inside(p: Point, polygon: &[Ring]) -> bool {
    !polygon.iter().flat_map(|r| segments(r)).any(|(a, b)| on_segment(p, a, b)) && inside(p, polygon)
}

fn line_inside(line: &[Point], polygon: &[Ring], watch: &mut Watch) -> Result<bool, Failure> {
    let edges: usize = polygon.iter().map(Vec::len).sum();
    for p in line {
        watch.add(edges)?;
        if !strictly_inside(*p, polygon) {
            return Ok(false);
        }
    }
    for (a, b) in segments(line) {
        watch.add(edges)?;
        if polygon.iter().flat_map(|r| segments(r)).any(|(c, d)| crosses(a, b, c, d)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn segments(line: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    line.windows(2).map(|w| (w[0], w[1]))
}

fn side(a: Point, b: Point, p: Point) -> f64 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}

fn on_segment(p: Point, a: Point, b: Point) -> bool {
    let between = |i: usize| p[i] >= a[i].min(b[i]) && p[i] <= a[i].max(b[i]);
    side(a, b, p).abs() < 1e-12 && between(0) && between(1)
}

fn crosses(a: Point, b: Point, c: Point, d: Point) -> bool {
    let (s, t) = (side(a, b, c) * side(a, b, d), side(c, d, a) * side(c, d, b));
    s < 0.0 && t < 0.0
}

/// By the number of edges to the right of the point.
fn inside(p: Point, polygon: &[Ring]) -> bool {
    let mut inside = false;
    for (a, b) in polygon.iter().flat_map(|r| segments(r)) {
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            inside = !inside;
        }
    }
    inside
}

/// The shortest distance in metres, on a plane that fits the earth at the feature's latitude.
pub fn distance(context: &Context<'_>, target: &Target) -> Result<f64, Failure> {
    let Some(geometry) = context.subject.and_then(super::Subject::geometry) else { return Ok(f64::NAN) };
    let first = geometry.points.first().or_else(|| geometry.lines.first()?.first());
    let Some(first) = first.or_else(|| geometry.polygons.first()?.first()?.first()) else { return Ok(f64::NAN) };
    let plane = Plane::at(first[1]);
    let (a, b) = (plane.lay(&geometry), plane.lay(&target.geometry));
    apart(&a, &b, &mut Watch::of(context))
}

struct Plane {
    metres: [f64; 2],
}

impl Plane {
    /// Metres of a degree of longitude and of latitude on the WGS 84 ellipsoid.
    fn at(latitude: f64) -> Plane {
        let (radius, flattening) = (6_378_137.0, 1.0 / 298.257_223_563);
        let eccentricity = flattening * (2.0 - flattening);
        let cos = latitude.to_radians().cos();
        let w2 = 1.0 / (1.0 - eccentricity * (1.0 - cos * cos));
        let w = w2.sqrt();
        let degree = std::f64::consts::PI / 180.0 * radius;
        Plane { metres: [degree * w * cos, degree * w * w2 * (1.0 - eccentricity)] }
    }

    fn lay(&self, g: &Geometry) -> Geometry {
        let point = |p: &Point| [p[0] * self.metres[0], p[1] * self.metres[1]];
        let ring = |r: &Ring| r.iter().map(point).collect::<Ring>();
        Geometry {
            points: g.points.iter().map(point).collect(),
            lines: g.lines.iter().map(ring).collect(),
            polygons: g.polygons.iter().map(|p| p.iter().map(ring).collect()).collect(),
        }
    }
}

fn apart(a: &Geometry, b: &Geometry, watch: &mut Watch) -> Result<f64, Failure> {
    let vertices = |g: &Geometry| -> Vec<Point> {
        let lines = g.lines.iter().chain(g.polygons.iter().flatten()).flatten();
        g.points.iter().chain(lines).copied().collect()
    };
    let edges = |g: &Geometry| -> Vec<(Point, Point)> {
        let points = g.points.iter().map(|p| (*p, *p));
        points.chain(g.lines.iter().chain(g.polygons.iter().flatten()).flat_map(|l| segments(l))).collect()
    };
    for (of, other) in [(a, b), (b, a)] {
        let points = vertices(other);
        for polygon in &of.polygons {
            let edges: usize = polygon.iter().map(Vec::len).sum();
            for p in &points {
                watch.add(edges)?;
                if inside(*p, polygon) {
                    return Ok(0.0);
                }
            }
        }
    }
    let (a, b) = (edges(a), edges(b));
    let mut least = f64::INFINITY;
    for &(p, q) in &a {
        watch.add(b.len())?;
        for &(r, s) in &b {
            if crosses(p, q, r, s) {
                return Ok(0.0);
            }
            let pairs = [to_segment(p, r, s), to_segment(q, r, s), to_segment(r, p, q), to_segment(s, p, q)];
            least = pairs.into_iter().fold(least, f64::min);
        }
    }
    Ok(least)
}

fn to_segment(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let t = if length == 0.0 { 0.0 } else { (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length).clamp(0.0, 1.0) };
    (p[0] - a[0] - t * dx).hypot(p[1] - a[1] - t * dy)
}
