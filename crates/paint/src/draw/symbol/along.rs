//! Texts along lines: where on a line there is room for one, and where its characters stand.

use super::layout::{Block, is_ideographic};
use crate::draw::frame::Point;

/// A character in its place: the middle of its cell, and how far it is turned, in radians.
pub struct Stand {
    pub middle: Point,
    pub angle: f32,
}

/// A line with its length up to each vertex.
pub struct Way<'a> {
    line: &'a [Point],
    lengths: Vec<f32>,
}

impl<'a> Way<'a> {
    pub fn new(line: &'a [Point]) -> Way<'a> {
        let mut lengths = Vec::with_capacity(line.len());
        let mut sum = 0.0;
        for (i, p) in line.iter().enumerate() {
            if i > 0 {
                sum += (p[0] - line[i - 1][0]).hypot(p[1] - line[i - 1][1]);
            }
            lengths.push(sum);
        }
        Way { line, lengths }
    }

    pub fn length(&self) -> f32 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    /// The point after a way, and the direction there.
    pub fn at(&self, way: f32) -> Option<(Point, f32)> {
        if self.line.len() < 2 || !(0.0..=self.length()).contains(&way) {
            return None;
        }
        let next = self.lengths.partition_point(|l| *l < way).clamp(1, self.line.len() - 1);
        let (a, b) = (self.line[next - 1], self.line[next]);
        let piece = self.lengths[next] - self.lengths[next - 1];
        let t = if piece > 0.0 { (way - self.lengths[next - 1]) / piece } else { 0.0 };
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        Some(([a[0] + dx * t, a[1] + dy * t], dy.atan2(dx)))
    }

    /// Where the middles of labels of a length go: evenly along the line. A line that goes on beyond its tile (`goes_on`) keeps
    /// an even distance to its end, another begins with the label.
    pub fn places(&self, label: f32, size: f32, spacing: f32, goes_on: bool) -> Vec<f32> {
        let spacing = if spacing - label < spacing / 4.0 { label + spacing / 4.0 } else { spacing }.max(1.0);
        let first = match goes_on {
            true => (spacing / 2.0) % spacing,
            false => (label / 2.0 + size * 2.0) % spacing,
        };
        let fits = |way: f32| way - label / 2.0 >= 0.0 && way + label / 2.0 <= self.length();
        let mut places = vec![];
        let mut way = first;
        while way <= self.length() && places.len() < 1_000 {
            if fits(way) {
                places.push(way);
            }
            way += spacing;
        }
        if places.is_empty() && !goes_on && fits(self.length() / 2.0) {
            places.push(self.length() / 2.0);
        }
        places
    }

    /// Whether within a label's length the line turns more than `most` radians in any stretch of three characters.
    pub fn is_too_bent(&self, middle: f32, label: f32, stretch: f32, most: f32) -> bool {
        let (from, to) = (middle - label / 2.0, middle + label / 2.0);
        let first = self.lengths.partition_point(|l| *l <= from);
        let mut turns: Vec<(f32, f32)> = vec![];
        let mut sum = 0.0;
        for i in first.max(1)..self.line.len().saturating_sub(1) {
            if self.lengths[i] >= to {
                break;
            }
            let direction = |a: Point, b: Point| (b[1] - a[1]).atan2(b[0] - a[0]);
            let turn = direction(self.line[i], self.line[i + 1]) - direction(self.line[i - 1], self.line[i]);
            let turn = (turn + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU) - std::f32::consts::PI;
            turns.push((self.lengths[i], turn.abs()));
            sum += turn.abs();
            while let Some((at, turn)) = turns.first().copied() {
                if self.lengths[i] - at <= stretch {
                    break;
                }
                sum -= turn;
                turns.remove(0);
            }
            if sum > most {
                return true;
            }
        }
        false
    }

    /// The characters of a text of one line around a place, `size` pixels an em, `shift` pixels below the line. None where the line ends.
    pub fn stand(&self, block: &Block, middle: f32, size: f32, shift: f32, upright: bool) -> Option<Vec<Stand>> {
        let length = block.size[0] * size;
        let (from, to) = (self.at(middle - length / 2.0)?.0, self.at(middle + length / 2.0)?.0);
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        // Chinese runs down a steep line with its characters upright; whatever else is turned, and never upside down.
        let down = upright && dy.abs() > dx.abs() && block.text.chars().any(is_ideographic);
        let back = upright && if down { dy < 0.0 } else { dx < 0.0 };
        let mut stands = Vec::with_capacity(block.glyphs.len());
        for set in &block.glyphs {
            let half = set.glyph.advance * set.scale / 2.0;
            let along = (set.at[0] + half) * size - length / 2.0;
            let (point, angle) = self.at(if back { middle - along } else { middle + along })?;
            let angle = if back { angle + std::f32::consts::PI } else { angle };
            let (sin, cos) = angle.sin_cos();
            let own = if down && is_ideographic(set.character) { angle - std::f32::consts::FRAC_PI_2 } else { angle };
            stands.push(Stand { middle: [point[0] - sin * shift, point[1] + cos * shift], angle: own });
        }
        Some(stands)
    }
}

/// Lines that go on in each other, joined: labels then see the whole road, not its pieces. Each line comes with what it is called.
pub fn joined<K: Clone + Eq + std::hash::Hash>(lines: Vec<(K, Vec<Point>)>) -> Vec<(K, Vec<Point>)> {
    use rustc_hash::FxHashMap;
    let key = |p: Point| p.map(|v| (v * 8.0).round() as i64);
    let mut starts: FxHashMap<(K, [i64; 2]), usize> = FxHashMap::default();
    let mut ends: FxHashMap<(K, [i64; 2]), usize> = FxHashMap::default();
    let mut kept: Vec<Option<(K, Vec<Point>)>> = vec![];
    for (name, mut line) in lines {
        let (Some(&first), Some(&last)) = (line.first(), line.last()) else { continue };
        let before = ends.remove(&(name.clone(), key(first)));
        if let Some(earlier) = before.and_then(|at| kept[at].take()) {
            starts.remove(&(name.clone(), key(earlier.1[0])));
            line = [&earlier.1[..], &line[1..]].concat();
        }
        let after = starts.remove(&(name.clone(), key(last)));
        if let Some(later) = after.and_then(|at| kept[at].take()) {
            if let Some(end) = later.1.last() {
                ends.remove(&(name.clone(), key(*end)));
            }
            line.extend_from_slice(&later.1[1..]);
        }
        let at = kept.len();
        if let (Some(first), Some(last)) = (line.first(), line.last())
            && key(*first) != key(*last)
        {
            starts.insert((name.clone(), key(*first)), at);
            ends.insert((name.clone(), key(*last)), at);
        }
        kept.push(Some((name, line)));
    }
    kept.into_iter().flatten().collect()
}
