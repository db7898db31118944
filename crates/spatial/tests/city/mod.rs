//! A city of districts whose borders wind as real ones do: 161 of about 4,400 vertices each, neighbours sharing every vertex.

use geo::{Coord, LineString, MultiPolygon, Polygon};

const COLUMNS: usize = 23;
const ROWS: usize = 7;
/// Segments of a border between two corners.
const STEPS: usize = 1100;
const WEST: f64 = 119.5;
const SOUTH: f64 = 35.5;
const SIZE: f64 = 0.07;

/// A number between 0 and 1 that follows from the seed alone.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// From corner to corner by halving, each middle moved sideways.
fn border(from: Coord, to: Coord, seed: u64) -> Vec<Coord> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let phases: Vec<f64> = (0..9).map(|_| random.next() * std::f64::consts::TAU).collect();
    (0..=STEPS)
        .map(|i| {
            let t = i as f64 / STEPS as f64;
            let fade = (t * (1.0 - t) * 4.0).min(1.0);
            let away: f64 = phases
                .iter()
                .enumerate()
                .map(|(k, phase)| ((f64::from(1 << k)) * t * 6.0 + phase).sin() / f64::from(1 << k))
                .sum::<f64>()
                * 0.06
                * fade;
            Coord { x: from.x + dx * t - dy * away, y: from.y + dy * t + dx * away }
        })
        .collect()
}

pub fn districts() -> Vec<MultiPolygon> {
    let corner = |c: usize, r: usize| Coord { x: WEST + c as f64 * SIZE, y: SOUTH + r as f64 * SIZE * 1.2 };
    let across = |c: usize, r: usize| border(corner(c, r), corner(c + 1, r), (c * 100 + r) as u64 * 2 + 1);
    let up = |c: usize, r: usize| border(corner(c, r), corner(c, r + 1), (c * 100 + r) as u64 * 2 + 2);
    let mut all = vec![];
    for r in 0..ROWS {
        for c in 0..COLUMNS {
            let mut ring = across(c, r);
            ring.extend(up(c + 1, r).into_iter().skip(1));
            ring.extend(across(c, r + 1).into_iter().rev().skip(1));
            ring.extend(up(c, r).into_iter().rev().skip(1));
            all.push(MultiPolygon(vec![Polygon::new(LineString(ring), vec![])]));
        }
    }
    all
}

pub fn points(count: usize) -> Vec<Coord> {
    let mut random = Random(7);
    (0..count)
        .map(|_| Coord {
            x: WEST - 0.02 + random.next() * (COLUMNS as f64 * SIZE + 0.04),
            y: SOUTH - 0.02 + random.next() * (ROWS as f64 * SIZE * 1.2 + 0.04),
        })
        .collect()
}
