//! The place within a polygon that is farthest from its edges: there a label has most room.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How many squares are looked at, at most: after that the best so far is good enough.
const MOST_SQUARES: usize = 300;

struct Square {
    middle: [f64; 2],
    half: f64,
    distance: f64,
}

impl Square {
    fn new(middle: [f64; 2], half: f64, rings: &[Vec<[f64; 2]>]) -> Square {
        Square { middle, half, distance: distance(middle, rings) }
    }
    /// No place in it is farther from the edges.
    fn most(&self) -> f64 {
        self.distance + self.half * std::f64::consts::SQRT_2
    }
}

impl PartialEq for Square {
    fn eq(&self, other: &Square) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Square {}
impl PartialOrd for Square {
    fn partial_cmp(&self, other: &Square) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Square {
    fn cmp(&self, other: &Square) -> Ordering {
        self.most().total_cmp(&other.most())
    }
}

/// By quartering squares, the most promising first (as Mapbox's polylabel does it), to within `precision`.
pub fn middle(rings: &[Vec<[f64; 2]>], precision: f64) -> Option<[f64; 2]> {
    let outer = rings.first().filter(|r| r.len() > 2)?;
    let fold = |f: fn(f64, f64) -> f64, start: f64, i: usize| outer.iter().map(|p| p[i]).fold(start, f);
    let min = [0, 1].map(|i| fold(f64::min, f64::INFINITY, i));
    let max = [0, 1].map(|i| fold(f64::max, f64::NEG_INFINITY, i));
    let side = (max[0] - min[0]).min(max[1] - min[1]);
    if side <= 0.0 {
        return Some(min);
    }
    let mut squares = BinaryHeap::new();
    // A long thin polygon would need any number of squares.
    let half = (side / 2.0).max((max[0] - min[0]).max(max[1] - min[1]) / 32.0);
    let mut y = min[1];
    while y < max[1] {
        let mut x = min[0];
        while x < max[0] {
            squares.push(Square::new([x + half, y + half], half, rings));
            x += 2.0 * half;
        }
        y += 2.0 * half;
    }
    let mut best = Square::new(centroid(outer), 0.0, rings);
    for _ in 0..MOST_SQUARES {
        let Some(square) = squares.pop() else { break };
        if square.most() - best.distance <= precision {
            break;
        }
        let half = square.half / 2.0;
        for (dx, dy) in [(-half, -half), (half, -half), (-half, half), (half, half)] {
            squares.push(Square::new([square.middle[0] + dx, square.middle[1] + dy], half, rings));
        }
        if square.distance > best.distance {
            best = square;
        }
    }
    Some(best.middle)
}

fn centroid(ring: &[[f64; 2]]) -> [f64; 2] {
    let (mut x, mut y, mut area) = (0.0, 0.0, 0.0);
    for w in ring.windows(2) {
        let cross = w[0][0] * w[1][1] - w[1][0] * w[0][1];
        x += (w[0][0] + w[1][0]) * cross;
        y += (w[0][1] + w[1][1]) * cross;
        area += cross * 3.0;
    }
    if area == 0.0 { ring[0] } else { [x / area, y / area] }
}

/// To the nearest edge; negative outside.
fn distance(p: [f64; 2], rings: &[Vec<[f64; 2]>]) -> f64 {
    let mut inside = false;
    let mut least = f64::INFINITY;
    for ring in rings {
        for w in ring.windows(2) {
            let (a, b) = (w[0], w[1]);
            if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
                inside = !inside;
            }
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let square = dx * dx + dy * dy;
            let t = match square > 0.0 {
                true => (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square).clamp(0.0, 1.0),
                false => 0.0,
            };
            let (ex, ey) = (p[0] - a[0] - dx * t, p[1] - a[1] - dy * t);
            least = least.min(ex * ex + ey * ey);
        }
    }
    if inside { least.sqrt() } else { -least.sqrt() }
}
