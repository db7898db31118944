//! A polygon or several, prepared for many questions: their edges in bands by latitude.
//!
//! A point is held against the edges of its band alone, by counting those that a ray to the east crosses. All rings count together, by
//! even and odd, which for valid multipolygons is their inside.

use geo::{Coord, LineString, MultiPolygon, Polygon};

use crate::{Bounds, bounds, segments_meet, side};

/// Where a position is with respect to an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    Outside,
    /// On a ring: it intersects, and is not within.
    Boundary,
    Inside,
}

/// A prepared area.
#[derive(Debug, Clone)]
pub struct Area {
    coords: Vec<Coord>,
    /// Where each ring ends in `coords`, and whether it is the outer one of a polygon.
    rings: Vec<(u32, bool)>,
    bounds: Bounds,
    /// Bands per degree.
    scale: f64,
    /// Where each band begins in `entries`.
    bands: Vec<u32>,
    /// Edges by the place of their first position.
    entries: Vec<u32>,
}

/// Edges of a band on average, where they are short.
const PER_BAND: usize = 2;

impl Area {
    /// None for what has no rings of three positions.
    pub fn new(polygons: &MultiPolygon) -> Option<Area> {
        let (mut coords, mut rings) = (vec![], vec![]);
        for polygon in polygons {
            let all = std::iter::once((polygon.exterior(), true)).chain(polygon.interiors().iter().map(|r| (r, false)));
            for (ring, outer) in all.filter(|(ring, _)| ring.0.len() >= 4) {
                coords.extend_from_slice(&ring.0);
                rings.push((coords.len() as u32, outer));
            }
        }
        // A hole without the ring that it is cut from is none.
        if !rings.first().is_some_and(|(_, outer)| *outer) {
            return None;
        }
        let bounds = bounds(coords.iter().copied())?;
        let mut area = Area { coords, rings, bounds, scale: 0.0, bands: vec![], entries: vec![] };
        area.index();
        Some(area)
    }

    fn index(&mut self) {
        let [_, south, _, north] = self.bounds;
        let edges: Vec<u32> = self.edge_starts().collect();
        let mut count = (edges.len() / PER_BAND).clamp(1, 1 << 20);
        let spans = |scale: f64| {
            let of = |i: &u32| {
                let (a, b) = self.edge(*i);
                let band = |y: f64| ((y - south) * scale) as usize;
                (band(a.y.min(b.y)), band(a.y.max(b.y)))
            };
            edges.iter().map(of).collect::<Vec<_>>()
        };
        let (scale, spans) = loop {
            let scale = if north > south { count as f64 / (north - south) } else { 0.0 };
            let spans = spans(scale);
            // Long edges stand in many bands: rather fewer bands than much memory.
            let entries: usize = spans.iter().map(|(low, high)| high - low + 1).sum();
            if count == 1 || entries <= edges.len() * 4 {
                break (scale, spans);
            }
            count /= 2;
        };
        // The northern edge is a band of its own, so that the topmost position needs no exception.
        let mut bands = vec![0u32; count + 2];
        for (low, high) in &spans {
            (*low..=*high).for_each(|band| bands[band + 1] += 1);
        }
        for i in 1..bands.len() {
            bands[i] += bands[i - 1];
        }
        let mut next = bands.clone();
        let mut entries = vec![0u32; *bands.last().unwrap_or(&0) as usize];
        for (edge, (low, high)) in edges.iter().zip(&spans) {
            for band in *low..=*high {
                entries[next[band] as usize] = *edge;
                next[band] += 1;
            }
        }
        (self.scale, self.bands, self.entries) = (scale, bands, entries);
    }

    fn edge_starts(&self) -> impl Iterator<Item = u32> + '_ {
        let mut start = 0;
        self.rings.iter().flat_map(move |(end, _)| {
            let from = std::mem::replace(&mut start, *end);
            from..*end - 1
        })
    }

    fn edge(&self, start: u32) -> (Coord, Coord) {
        (self.coords[start as usize], self.coords[start as usize + 1])
    }

    /// Every edge.
    pub fn edges(&self) -> impl Iterator<Item = [Coord; 2]> + '_ {
        self.edge_starts().map(|i| {
            let (a, b) = self.edge(i);
            [a, b]
        })
    }

    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub fn coords(&self) -> &[Coord] {
        &self.coords
    }

    /// The rings, and whether each is the outer one of a polygon; holes follow the ring that they are cut from.
    pub fn rings(&self) -> impl Iterator<Item = (&[Coord], bool)> + '_ {
        let mut start = 0;
        self.rings.iter().map(move |(end, outer)| {
            let from = std::mem::replace(&mut start, *end as usize);
            (&self.coords[from..*end as usize], *outer)
        })
    }

    /// The polygons again.
    pub fn polygons(&self) -> MultiPolygon {
        let mut all: Vec<(LineString, Vec<LineString>)> = vec![];
        for (ring, outer) in self.rings() {
            let ring = LineString(ring.to_vec());
            match all.last_mut() {
                Some((_, holes)) if !outer => holes.push(ring),
                _ => all.push((ring, vec![])),
            }
        }
        MultiPolygon(all.into_iter().map(|(outer, holes)| Polygon::new(outer, holes)).collect())
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        self.coords.len() * 16 + self.rings.len() * 8 + (self.bands.len() + self.entries.len()) * 4 + size_of::<Area>()
    }

    /// Edges that are near each other in latitude, band by band.
    pub(crate) fn bands(&self) -> impl Iterator<Item = &[u32]> + '_ {
        self.bands.windows(2).map(|pair| &self.entries[pair[0] as usize..pair[1] as usize])
    }

    /// The edge that begins at this place of `coords`.
    pub(crate) fn edge_at(&self, start: u32) -> [Coord; 2] {
        let (a, b) = self.edge(start);
        [a, b]
    }

    /// The band of a latitude within the bounds.
    fn band(&self, y: f64) -> usize {
        ((y - self.bounds[1]) * self.scale) as usize
    }

    /// Where a position is.
    pub fn locate(&self, p: Coord) -> Position {
        let [west, south, east, north] = self.bounds;
        // Written so that NaN is outside.
        if !(p.x >= west && p.x <= east && p.y >= south && p.y <= north) {
            return Position::Outside;
        }
        let band = self.band(p.y);
        let mut inside = false;
        for start in &self.entries[self.bands[band] as usize..self.bands[band + 1] as usize] {
            let (a, b) = self.edge(*start);
            if (a.y > p.y) == (b.y > p.y) {
                let flat = a.y == p.y && b.y == p.y && a.x.min(b.x) <= p.x && p.x <= a.x.max(b.x);
                if flat || a == p || b == p {
                    return Position::Boundary;
                }
                continue;
            }
            if p.x > a.x.max(b.x) {
                continue;
            }
            if p.x < a.x.min(b.x) {
                inside = !inside;
                continue;
            }
            let side = side(a, b, p);
            if side == 0.0 {
                return Position::Boundary;
            }
            inside ^= (side > 0.0) == (b.y > a.y);
        }
        if inside { Position::Inside } else { Position::Outside }
    }

    /// Calls `each` with every edge that may meet the box; with some of them more than once. Ends early on `true`, and returns it.
    pub fn edges_near(&self, [west, south, east, north]: Bounds, mut each: impl FnMut([Coord; 2]) -> bool) -> bool {
        let own = self.bounds;
        if west > own[2] || east < own[0] || south > own[3] || north < own[1] {
            return false;
        }
        let (low, high) = (self.band(south.max(own[1])), self.band(north.min(own[3])));
        self.entries[self.bands[low] as usize..self.bands[high + 1] as usize].iter().any(|start| {
            let (a, b) = self.edge(*start);
            a.x.min(b.x) <= east
                && a.x.max(b.x) >= west
                && a.y.min(b.y) <= north
                && a.y.max(b.y) >= south
                && each([a, b])
        })
    }

    /// Whether a segment meets an edge.
    pub fn edge_meets(&self, segment: [Coord; 2]) -> bool {
        let [a, b] = segment;
        let near = [a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y)];
        self.edges_near(near, |edge| segments_meet(edge, segment))
    }
}
