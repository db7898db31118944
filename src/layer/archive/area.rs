//! The area of a grant, laid over a tile: what lies outside is absent, lines and polygons are cut at its edge.

use geo::{
    Area as _, BooleanOps, BoundingRect, Buffer, Contains, Intersects, LineString, MultiLineString, MultiPolygon,
    Polygon, Rect,
};

use super::mvt::{Parts, Place};
use crate::error::{Error, Result};

/// The pieces that a straight edge in degrees is bent into at most, and the degrees of one: straight is not straight in Mercator.
const MOST_PIECES: f64 = 512.0;
const PIECE: f64 = 0.01;

/// How far inside the area's edge one is cut, in units of the tile. A tile has its places in whole units, rounded one way or another: what
/// lies by so much within the area in the tile lies within it in truth. At the depth of 4096 it is less than a fifth of a pixel.
const CERTAIN: f64 = 1.5;

/// The area in a tile's own units: x to the east, y to the south, the tile from 0 to its extent.
pub struct Window {
    area: MultiPolygon<f64>,
    bounds: Rect<f64>,
    /// Whether the area covers the tile with its margins.
    pub covers: bool,
}

impl Window {
    /// None when nothing of the area lies near the tile.
    pub fn new(ewkb: &[u8], [z, x, y]: [u32; 3], extent: u32) -> Result<Option<Window>> {
        let degrees = multi_polygon(ewkb).ok_or_else(|| Error::internal("the area of a grant is no multi-polygon"))?;
        let (side, extent) = (2f64.powi(z as i32), f64::from(extent));
        let place = |(lon, lat): (f64, f64)| {
            let sine = lat.clamp(-85.06, 85.06).to_radians().sin();
            let north = 0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI);
            (((lon / 360.0 + 0.5) * side - f64::from(x)) * extent, (north * side - f64::from(y)) * extent)
        };
        let ring = |ring: &LineString<f64>| LineString::from_iter(bent(ring).into_iter().map(place));
        let area = MultiPolygon::from_iter(
            degrees.iter().map(|p| Polygon::new(ring(p.exterior()), p.interiors().iter().map(ring).collect())),
        );
        // Encoders draw some way beyond the tile's edge; none draws a whole tile.
        let tile = Rect::new((-extent, -extent), (2.0 * extent, 2.0 * extent));
        let around = Rect::new((-2.0 * extent, -2.0 * extent), (3.0 * extent, 3.0 * extent)).to_polygon();
        if area.bounding_rect().is_none_or(|b| !b.intersects(&tile)) {
            return Ok(None);
        }
        let area = area.intersection(&around).buffer(-CERTAIN);
        let covers = area.contains(&tile.to_polygon());
        Ok(area.bounding_rect().filter(|b| b.intersects(&tile)).map(|bounds| Window { area, bounds, covers }))
    }

    /// What of a geometry lies inside; nothing when it is empty.
    pub fn cut(&self, kind: u32, parts: Parts) -> Parts {
        match kind {
            1 => parts.into_iter().filter(|p| p.iter().all(|at| self.area.intersects(&point(*at)))).collect(),
            2 => self.cut_lines(parts),
            3 => self.cut_polygons(parts),
            // What kind it is nobody knows, so nobody can say what of it lies inside.
            _ => Parts::new(),
        }
    }

    fn cut_lines(&self, parts: Parts) -> Parts {
        let lines = MultiLineString::from_iter(parts.iter().filter(|p| p.len() > 1).map(|p| line(p)));
        if lines.bounding_rect().is_none_or(|b| !b.intersects(&self.bounds)) {
            return Parts::new();
        }
        let inside = self.area.clip(&lines, false);
        inside.iter().map(rounded).filter(|p| p.len() > 1).collect()
    }

    fn cut_polygons(&self, parts: Parts) -> Parts {
        let polygons = polygons(&parts);
        if polygons.bounding_rect().is_none_or(|b| !b.intersects(&self.bounds)) {
            return Parts::new();
        }
        let mut out = Parts::new();
        for polygon in self.area.intersection(&polygons).iter() {
            let Some(outer) = ring(polygon.exterior(), true) else { continue };
            out.push(outer);
            out.extend(polygon.interiors().iter().filter_map(|r| ring(r, false)));
        }
        out
    }
}

fn point([x, y]: Place) -> geo::Point<f64> {
    geo::Point::new(f64::from(x), f64::from(y))
}

fn line(part: &[Place]) -> LineString<f64> {
    LineString::from_iter(part.iter().map(|p| point(*p)))
}

/// Polygons from rings: one that turns the way the first does is an outer ring, the others are holes of the one before.
fn polygons(parts: &Parts) -> MultiPolygon<f64> {
    let mut found: Vec<Polygon<f64>> = Vec::new();
    let mut outer_sign = 0.0;
    for part in parts.iter().filter(|p| p.len() > 2) {
        let mut ring = line(part);
        ring.close();
        let sign = Polygon::new(ring.clone(), vec![]).signed_area().signum();
        match found.last_mut() {
            Some(polygon) if sign != outer_sign => polygon.interiors_push(ring),
            _ => {
                outer_sign = sign;
                found.push(Polygon::new(ring, vec![]));
            }
        }
    }
    MultiPolygon(found)
}

fn rounded(line: &LineString<f64>) -> Vec<Place> {
    let mut places: Vec<Place> = line.coords().map(|c| [c.x.round() as i32, c.y.round() as i32]).collect();
    places.dedup();
    places
}

/// A ring in whole units, turned as MVT 2.1 asks (an outer ring has a positive area with y down); none when nothing is left of it.
fn ring(line: &LineString<f64>, outer: bool) -> Option<Vec<Place>> {
    let mut places = rounded(line);
    if places.len() > 1 && places.first() == places.last() {
        places.pop();
    }
    let twice: i64 = (0..places.len())
        .map(|i| {
            let ([ax, ay], [bx, by]) = (places[i], places[(i + 1) % places.len()]);
            i64::from(ax) * i64::from(by) - i64::from(bx) * i64::from(ay)
        })
        .sum();
    if (twice > 0) != outer {
        places.reverse();
    }
    (twice != 0).then_some(places)
}

/// A ring with its slanting edges in short pieces.
fn bent(ring: &LineString<f64>) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = ring.coords().take(1).map(|c| (c.x, c.y)).collect();
    for edge in ring.lines() {
        let (dx, dy) = (edge.dx(), edge.dy());
        let slants = dx != 0.0 && dy != 0.0;
        let pieces = if slants { (dx.abs().max(dy.abs()) / PIECE).ceil().clamp(1.0, MOST_PIECES) } else { 1.0 };
        out.extend((1..=pieces as u32).map(|i| {
            let part = f64::from(i) / pieces;
            (edge.start.x + dx * part, edge.start.y + dy * part)
        }));
    }
    out
}

/// A polygon or multi-polygon from EWKB, its heights left out.
fn multi_polygon(ewkb: &[u8]) -> Option<MultiPolygon<f64>> {
    let mut reader = Ewkb { bytes: ewkb, little: true, dimensions: 2 };
    match reader.head()? {
        3 => Some(MultiPolygon(vec![reader.polygon()?])),
        6 => {
            let count = reader.count(9)?;
            let polygons = (0..count).map(|_| (reader.head()? == 3).then(|| reader.polygon())?);
            polygons.collect::<Option<Vec<_>>>().map(MultiPolygon)
        }
        _ => None,
    }
}

struct Ewkb<'a> {
    bytes: &'a [u8],
    little: bool,
    dimensions: usize,
}

impl Ewkb<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*head)
    }
    fn u32(&mut self) -> Option<u32> {
        let bytes = self.take::<4>()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
    fn f64(&mut self) -> Option<f64> {
        let bytes = self.take::<8>()?;
        Some(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }
    /// A number of things, each of so many bytes at least.
    fn count(&mut self, least: usize) -> Option<usize> {
        let count = self.u32()? as usize;
        (count <= self.bytes.len() / least).then_some(count)
    }
    /// The kind of the geometry that follows.
    fn head(&mut self) -> Option<u32> {
        self.little = self.take::<1>()?[0] == 1;
        let word = self.u32()?;
        if word & 0x2000_0000 != 0 {
            self.u32()?;
        }
        self.dimensions = 2 + usize::from(word & 0x8000_0000 != 0) + usize::from(word & 0x4000_0000 != 0);
        Some(word & 0x0fff_ffff)
    }
    fn polygon(&mut self) -> Option<Polygon<f64>> {
        let rings = self.count(4)?;
        let mut rings = (0..rings).map(|_| self.ring()).collect::<Option<Vec<_>>>()?.into_iter();
        Some(Polygon::new(rings.next().unwrap_or(LineString(vec![])), rings.collect()))
    }
    fn ring(&mut self) -> Option<LineString<f64>> {
        let count = self.count(8 * self.dimensions)?;
        let places = (0..count).map(|_| {
            let (x, y) = (self.f64()?, self.f64()?);
            for _ in 2..self.dimensions {
                self.f64()?;
            }
            Some((x, y))
        });
        places.collect::<Option<Vec<_>>>().map(LineString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geozero::{CoordDimensions, ToWkb};

    /// The western half of tile 0/0/0, down to the equator and 45° south.
    fn window() -> Window {
        let area = MultiPolygon(vec![Rect::new((-90.0, -45.0), (0.0, 45.0)).to_polygon()]);
        let ewkb = geo::Geometry::from(area).to_ewkb(CoordDimensions::xy(), Some(4490)).unwrap();
        Window::new(&ewkb, [0, 0, 0], 4096).unwrap().unwrap()
    }

    #[test]
    fn points_lines_and_polygons_end_at_the_edge() {
        let window = window();
        assert!(!window.covers);
        assert_eq!(window.cut(1, vec![vec![[1500, 2048]], vec![[100, 2048]]]), [[[1500, 2048]]]);
        let line = window.cut(2, vec![vec![[0, 1900], [4096, 1900]]]);
        assert!(
            line.len() == 1 && [1025, 1026].contains(&line[0][0][0]) && [2046, 2047].contains(&line[0][1][0]),
            "{line:?}"
        );
        assert!(
            window.cut(1, vec![vec![[1024, 1900]], vec![[2048, 1900]]]).is_empty(),
            "on the edge is not certainly inside"
        );
        let square = vec![vec![[0, 2000], [1500, 2000], [1500, 2100], [0, 2100]]];
        let cut = window.cut(3, square);
        assert_eq!(cut.len(), 1);
        assert!(cut[0].iter().all(|[x, _]| (1025..=1500).contains(x)), "{cut:?}");
        assert!(ring(&super::line(&cut[0]), true).unwrap() == cut[0], "an outer ring turns as MVT asks");
        assert!(window.cut(3, vec![vec![[2049, 0], [4000, 0], [4000, 4000]]]).is_empty());
        assert!(window.cut(0, vec![vec![[1500, 2048]]]).is_empty());
    }

    #[test]
    fn holes_stay_holes() {
        let rings = vec![
            vec![[1100, 1900], [1600, 1900], [1600, 2300], [1100, 2300]],
            vec![[1200, 2000], [1200, 2100], [1300, 2100], [1300, 2000]],
        ];
        let cut = window().cut(3, rings.clone());
        let covered = |parts: &Parts| polygons(parts).unsigned_area();
        assert_eq!((cut.len(), covered(&cut)), (2, covered(&rings)));
    }

    #[test]
    fn an_area_far_away_shows_nothing_and_one_all_around_everything() {
        let ewkb = |w, s, e, n| {
            let area = MultiPolygon(vec![Rect::new((w, s), (e, n)).to_polygon()]);
            geo::Geometry::from(area).to_ewkb(CoordDimensions::xy(), Some(4490)).unwrap()
        };
        assert!(Window::new(&ewkb(119.0, 35.0, 122.0, 38.0), [10, 10, 10], 4096).unwrap().is_none());
        assert!(Window::new(&ewkb(100.0, 20.0, 130.0, 50.0), [10, 853, 401], 4096).unwrap().unwrap().covers);
        assert!(Window::new(b"\x01\x01\0\0\0", [0, 0, 0], 4096).is_err());
    }
}
