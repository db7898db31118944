//! Polygons as far as statistics need them: which of many holds a point, how large one is, places within it.

use geo::{Coord, GeodesicArea, LineString, Polygon as Area};

/// Polygons of one feature: rings of longitudes and latitudes, all parts together. A point is inside if it is inside an odd number of
/// rings, which suits outer rings, holes and parts alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rings {
    /// Each ring closed: its last position is its first.
    pub rings: Vec<Vec<[f64; 2]>>,
    /// Where each polygon ends among the rings.
    pub polygons: Vec<usize>,
}

/// Square metres on the ellipsoid of WGS 84 (that of CGCS2000 differs by 0.1 mm): Karney, "Algorithms for geodesics" (2013).
pub fn square_metres(shape: &Rings) -> f64 {
    // Each ring alone, whichever way it runs.
    let area = |ring: &Vec<[f64; 2]>| {
        let line = LineString::new(ring.iter().map(|p| Coord { x: p[0], y: p[1] }).collect());
        Area::new(line, vec![]).geodesic_area_signed().abs()
    };
    let mut start = 0;
    let mut sum = 0.0;
    for end in &shape.polygons {
        let rings = &shape.rings[start.min(*end)..*end];
        if let Some((outer, holes)) = rings.split_first() {
            sum += area(outer) - holes.iter().map(area).sum::<f64>();
        }
        start = *end;
    }
    sum
}

/// One polygon ready to be asked: its edges sorted into bands of latitude, so that a point meets few of them.
struct Prepared {
    bbox: [f64; 4],
    bands: Vec<Vec<[f64; 4]>>,
}

impl Prepared {
    fn new(shape: &Rings) -> Prepared {
        let mut bbox = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        let mut edges = Vec::new();
        for ring in &shape.rings {
            for p in ring {
                bbox = [bbox[0].min(p[0]), bbox[1].min(p[1]), bbox[2].max(p[0]), bbox[3].max(p[1])];
            }
            edges.extend(ring.windows(2).filter(|e| e[0][1] != e[1][1]).map(|e| [e[0][0], e[0][1], e[1][0], e[1][1]]));
        }
        let count = (edges.len() / 4).clamp(1, 4096);
        let mut prepared = Prepared { bbox, bands: vec![Vec::new(); count] };
        for edge in edges {
            let (low, high) = (edge[1].min(edge[3]), edge[1].max(edge[3]));
            for band in prepared.band(low)..=prepared.band(high) {
                prepared.bands[band].push(edge);
            }
        }
        prepared
    }

    fn band(&self, y: f64) -> usize {
        let share = (y - self.bbox[1]) / (self.bbox[3] - self.bbox[1]);
        ((share * self.bands.len() as f64) as usize).min(self.bands.len() - 1)
    }

    /// Whether a point is inside: an even or odd number of edges lies east of it. An edge holds its lower end and not its upper one, so
    /// that of two polygons side by side exactly one holds a point on the border between them.
    fn holds(&self, [x, y]: [f64; 2]) -> bool {
        let [west, south, east, north] = self.bbox;
        if !(x >= west && x <= east && y >= south && y <= north) {
            return false;
        }
        let mut inside = false;
        for &[ax, ay, bx, by] in &self.bands[self.band(y)] {
            // From the lower end to the upper one, whichever way the ring runs: neighbours must compute the same.
            let (ax, ay, bx, by) = if ay < by { (ax, ay, bx, by) } else { (bx, by, ax, ay) };
            if ay <= y && y < by && (x - ax) * (by - ay) < (bx - ax) * (y - ay) {
                inside = !inside;
            }
        }
        inside
    }
}

/// Which of many polygons holds a point.
pub struct Locator {
    shapes: Vec<Prepared>,
    grid: Grid,
}

/// Boxes over cells of equal size.
struct Grid {
    bbox: [f64; 4],
    columns: usize,
    rows: usize,
    cells: Vec<Vec<u32>>,
}

impl Grid {
    fn new(boxes: &[[f64; 4]]) -> Grid {
        let mut bbox = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for b in boxes.iter().filter(|b| b[0] <= b[2]) {
            bbox = [bbox[0].min(b[0]), bbox[1].min(b[1]), bbox[2].max(b[2]), bbox[3].max(b[3])];
        }
        let side = ((boxes.len() as f64).sqrt() as usize * 2).clamp(1, 512);
        let mut grid = Grid { bbox, columns: side, rows: side, cells: vec![Vec::new(); side * side] };
        for (at, b) in boxes.iter().enumerate().filter(|(_, b)| b[0] <= b[2]) {
            let (from, to) = (grid.cell([b[0], b[1]]), grid.cell([b[2], b[3]]));
            for row in from.1..=to.1 {
                for column in from.0..=to.0 {
                    grid.cells[row * side + column].push(at as u32);
                }
            }
        }
        grid
    }

    fn cell(&self, [x, y]: [f64; 2]) -> (usize, usize) {
        let [west, south, east, north] = self.bbox;
        let place = |share: f64, count: usize| ((share * count as f64) as usize).min(count - 1);
        (place((x - west) / (east - west), self.columns), place((y - south) / (north - south), self.rows))
    }
}

impl Locator {
    pub fn new<'a>(shapes: impl IntoIterator<Item = &'a Rings>) -> Locator {
        let shapes: Vec<Prepared> = shapes.into_iter().map(Prepared::new).collect();
        let boxes: Vec<[f64; 4]> = shapes.iter().map(|s| s.bbox).collect();
        Locator { grid: Grid::new(&boxes), shapes }
    }

    /// The number of the first polygon that holds the point.
    pub fn find(&self, point: [f64; 2]) -> Option<usize> {
        let [west, south, east, north] = self.grid.bbox;
        if !(point[0] >= west && point[0] <= east && point[1] >= south && point[1] <= north) {
            return None;
        }
        let (column, row) = self.grid.cell(point);
        let near = &self.grid.cells[row * self.grid.columns + column];
        near.iter().map(|at| *at as usize).find(|at| self.shapes[*at].holds(point))
    }
}

/// `count` places within a polygon, the same ones for the same seed. None are given for a polygon so thin that hardly any place of its
/// box lies in it.
pub fn places(shape: &Rings, count: usize, seed: u64) -> Vec<[f64; 2]> {
    let prepared = Prepared::new(shape);
    let [west, south, east, north] = prepared.bbox;
    let mut places = Vec::with_capacity(count.min(1 << 16));
    if !(west < east && south < north) {
        return places;
    }
    // Steps of the plastic number's inverse and its square fill a square evenly (Roberts 2018); the seed says where they begin.
    let start =
        |shift: u32| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(shift) >> 11) as f64 / (1u64 << 53) as f64;
    let (mut u, mut v) = (start(0), start(29));
    for _ in 0..count.saturating_mul(64).saturating_add(4096) {
        if places.len() == count {
            break;
        }
        (u, v) = ((u + 0.754_877_666_246_692_8).fract(), (v + 0.569_840_290_998_053_3).fract());
        let point = [west + (east - west) * u, south + (north - south) * v];
        if prepared.holds(point) {
            places.push(point);
        }
    }
    places
}

/// A place within a polygon where a symbol can stand: the middle of the widest stretch on one of a few lines across it.
pub fn middle(shape: &Rings) -> Option<[f64; 2]> {
    let prepared = Prepared::new(shape);
    let [_, south, _, north] = prepared.bbox;
    if prepared.bbox[0] > prepared.bbox[2] {
        return None;
    }
    let mut best: Option<(f64, [f64; 2])> = None;
    for share in [0.5, 0.45, 0.55, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85] {
        let y = south + (north - south) * share;
        let mut crossings: Vec<f64> = prepared.bands[prepared.band(y)]
            .iter()
            .filter(|e| e[1].min(e[3]) <= y && y < e[1].max(e[3]))
            .map(|e| e[0] + (e[2] - e[0]) * (y - e[1]) / (e[3] - e[1]))
            .collect();
        crossings.sort_unstable_by(f64::total_cmp);
        // Nearer to the middle counts for a little: symbols of neighbours should not all sit at an edge.
        let weight = 1.0 - (share - 0.5).abs();
        for pair in crossings.as_chunks::<2>().0 {
            let width = (pair[1] - pair[0]) * weight;
            if best.is_none_or(|(widest, _)| width > widest) {
                best = Some((width, [pair[0] / 2.0 + pair[1] / 2.0, y]));
            }
        }
    }
    best.map(|(_, place)| place).or_else(|| shape.rings.first().and_then(|ring| ring.first().copied()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn square(x: f64, y: f64, side: f64) -> Vec<[f64; 2]> {
        vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    }

    fn one(rings: Vec<Vec<[f64; 2]>>) -> Rings {
        let polygons = vec![rings.len()];
        Rings { rings, polygons }
    }

    #[test]
    fn holes_parts_and_borders() {
        let ring = one(vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 2.0)]);
        let parts = Rings { rings: vec![square(1.0, 1.0, 2.0), square(10.0, 0.0, 1.0)], polygons: vec![1, 2] };
        let locator = Locator::new([&ring, &parts]);
        assert_eq!(locator.find([0.5, 0.5]), Some(0));
        assert_eq!(locator.find([2.0, 2.0]), Some(1));
        assert_eq!(locator.find([10.5, 0.5]), Some(1));
        assert_eq!(locator.find([7.0, 2.0]), None);
        assert_eq!(locator.find([f64::NAN, 2.0]), None);
        assert_eq!(Locator::new([]).find([0.0, 0.0]), None);
        // Of what tiles the plane, each point on a border is in exactly one.
        let tiles: Vec<Rings> = (0..9).map(|i| one(vec![square(f64::from(i % 3), f64::from(i / 3), 1.0)])).collect();
        let held = |p| tiles.iter().filter(|t| Prepared::new(t).holds(p)).count();
        for p in [[1.0, 1.0], [1.0, 0.5], [0.5, 1.0], [2.0, 2.0], [1.0, 2.0]] {
            assert_eq!(held(p), 1, "{p:?}");
        }
    }

    #[test]
    fn areas_are_those_of_the_ellipsoid() {
        // A degree square at the equator is 12,308.8 km² on WGS 84, one at 60° N 6,181.2 km² (GeographicLib's planimeter).
        let equator = square_metres(&one(vec![square(0.0, 0.0, 1.0)]));
        assert!((equator / 1e6 - 12_308.778).abs() < 0.1, "{equator}");
        let hole = square_metres(&one(vec![square(0.0, 0.0, 1.0), square(0.25, 0.25, 0.5)]));
        assert!((hole / equator - 0.75).abs() < 1e-4, "{hole}");
        assert_eq!(square_metres(&Rings::default()), 0.0);
    }

    #[test]
    fn dots_lie_inside_and_come_back_the_same() {
        let ring = one(vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 2.0)]);
        let dots = places(&ring, 500, 7);
        assert_eq!(dots.len(), 500);
        assert!(dots.iter().all(|p| Prepared::new(&ring).holds(*p)));
        assert_eq!(dots, places(&ring, 500, 7));
        assert_ne!(dots, places(&ring, 500, 8));
        assert!(places(&Rings::default(), 5, 1).is_empty());
    }

    proptest! {
        #[test]
        fn found_is_what_holds_it(seeds in prop::collection::vec((0.0f64..9.0, 0.0f64..9.0, 0.1f64..3.0), 1..20), x in -1.0f64..12.0, y in -1.0f64..12.0) {
            // Diamonds, so that edges are slanted.
            let shapes: Vec<Rings> = seeds.iter().map(|(x, y, r)| {
                one(vec![vec![[*x, y - r], [x + r, *y], [*x, y + r], [x - r, *y], [*x, y - r]]])
            }).collect();
            let expected = seeds.iter().position(|(cx, cy, r)| (x - cx).abs() + (y - cy).abs() < *r);
            let edge = seeds.iter().any(|(cx, cy, r)| ((x - cx).abs() + (y - cy).abs() - r).abs() < 1e-9);
            prop_assume!(!edge);
            prop_assert_eq!(Locator::new(&shapes).find([x, y]), expected);
            for shape in &shapes {
                let place = middle(shape).unwrap();
                prop_assert!(Prepared::new(shape).holds(place));
            }
        }
    }
}
