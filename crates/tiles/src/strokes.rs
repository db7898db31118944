//! Lines chained to strokes: a street's segments, each a feature, follow one another as the eye follows them. Whoever must drop lines
//! drops the shortest strokes first, and the streets that remain stay unbroken.

use crate::shape::{Shapes, Vertex};
use std::f64::consts::{PI, TAU};

/// A line goes on in another if it need not turn by as much as this.
const TURN: f64 = PI / 3.0;
/// The direction of a line's end is that to its first vertex so many world units away: some nine metres.
const AHEAD: f64 = 1000.0;

/// The length, in world units, of the stroke that each feature is part of. The parts of a feature belong together.
///
/// At a vertex where two ends meet, one line goes on in the other. Where more meet, two do so if each is the other's straightest
/// continuation, and turns by less than 60°.
pub fn strokes(shapes: &Shapes<'_>) -> Vec<f64> {
    let mut groups = Groups((0..shapes.len() as u32).collect());
    let mut ends = ends(shapes);
    ends.sort_unstable();
    for node in ends.chunk_by(|a, b| a.place == b.place) {
        chain(shapes, node, &mut groups);
    }
    drop(ends);
    let length = |feature: usize| -> f64 { shapes.parts_of(feature).map(|p| length(shapes.part(p))).sum() };
    let mut own: Vec<(f64, u32)> = (0..shapes.len()).map(|f| (length(f), groups.root(f as u32))).collect();
    // Summed from the shortest on, so that the order of the features does not matter to the last bit.
    let mut order: Vec<u32> = (0..shapes.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| own[a as usize].0.total_cmp(&own[b as usize].0));
    let mut sums = vec![0.0; shapes.len()];
    for feature in order {
        let (length, root) = own[feature as usize];
        sums[root as usize] += length;
    }
    own.iter_mut().map(|(_, root)| sums[*root as usize]).collect()
}

/// An end of a part, by its place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    place: Vertex,
    feature: u32,
    /// Which part of the feature, times two, and one at the part's last vertex.
    which: u32,
}

fn ends(shapes: &Shapes<'_>) -> Vec<End> {
    let mut ends = vec![];
    for feature in 0..shapes.len() {
        let parts = shapes.parts_of(feature);
        for (i, part) in parts.map(|p| shapes.part(p)).enumerate() {
            if let [first, .., last] = part {
                let end = |place, at| End { place, feature: feature as u32, which: 2 * i as u32 + at };
                ends.extend([end(*first, 0), end(*last, 1)]);
            }
        }
    }
    ends
}

/// Chains the lines that end in one place.
fn chain(shapes: &Shapes<'_>, node: &[End], groups: &mut Groups) {
    match node {
        [] | [_] => {}
        [a, b] => groups.join(a.feature, b.feature),
        _ => {
            let mut leaving: Vec<(f64, u32)> = node.iter().map(|end| (bearing(shapes, end), end.feature)).collect();
            leaving.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let best: Vec<Option<usize>> = (0..leaving.len()).map(|i| straightest(&leaving, i)).collect();
            for (i, other) in best.iter().enumerate() {
                if let Some(j) = *other
                    && i < j
                    && best[j] == Some(i)
                {
                    groups.join(leaving[i].1, leaving[j].1);
                }
            }
        }
    }
}

/// The line that goes on straightest from where the given one arrives; the lines are in the order of their bearings.
fn straightest(leaving: &[(f64, u32)], from: usize) -> Option<usize> {
    let ahead = (leaving[from].0 + PI) % TAU;
    let n = leaving.len();
    let after = leaving.partition_point(|l| l.0 < ahead);
    let turn = |i: usize| {
        let turn = (leaving[i].0 - ahead).abs();
        turn.min(TAU - turn)
    };
    let near = [after % n, (after + n - 1) % n];
    // Of several with the same bearing, the first, whichever side it was met from.
    let first = |i: usize| leaving.partition_point(|l| l.0 < leaving[i].0);
    let near = near.into_iter().map(first).filter(|&i| i != from && turn(i) < TURN);
    near.min_by(|&a, &b| turn(a).total_cmp(&turn(b)).then(a.cmp(&b)))
}

/// The direction in which a line leaves its end, from 0 to 2π.
fn bearing(shapes: &Shapes<'_>, end: &End) -> f64 {
    let part = shapes.part(shapes.parts_of(end.feature as usize).start + (end.which / 2) as usize);
    let offset = |v: &Vertex| [0, 1].map(|k| v[k] as f64 - end.place[k] as f64);
    let far = |d: &[f64; 2]| d[0].hypot(d[1]) >= AHEAD;
    let (ahead, last) = match end.which % 2 {
        0 => (part.iter().map(offset).find(far), part.last()),
        _ => (part.iter().rev().map(offset).find(far), part.first()),
    };
    let d = ahead.or(last.map(offset)).unwrap_or_default();
    d[1].atan2(d[0]).rem_euclid(TAU)
}

fn length(part: &[Vertex]) -> f64 {
    part.windows(2).map(|w| (w[1][0] as f64 - w[0][0] as f64).hypot(w[1][1] as f64 - w[0][1] as f64)).sum()
}

/// Features joined to groups: each names another of its group, or itself.
struct Groups(Vec<u32>);

impl Groups {
    fn root(&mut self, mut feature: u32) -> u32 {
        while self.0[feature as usize] != feature {
            let next = self.0[self.0[feature as usize] as usize];
            self.0[feature as usize] = next;
            feature = next;
        }
        feature
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Kind;

    fn of(lines: &[Vec<Vertex>]) -> Vec<f64> {
        let features: Vec<u64> = (0..=lines.len() as u64).collect();
        of_features(lines, &features)
    }

    fn of_features(lines: &[Vec<Vertex>], features: &[u64]) -> Vec<f64> {
        let mut parts = vec![0];
        parts.extend(lines.iter().scan(0, |sum, line| {
            *sum += line.len() as u64;
            Some(*sum)
        }));
        strokes(&Shapes { kind: Kind::Line, vertices: &lines.concat(), parts: &parts, features })
    }

    fn line(from: [u32; 2], to: [u32; 2]) -> Vec<Vertex> {
        vec![from.map(|k| k * 10_000), to.map(|k| k * 10_000)]
    }

    #[test]
    fn a_street_goes_straight_over_its_crossings() {
        let lines = [
            line([0, 10], [10, 10]),
            line([20, 11], [10, 10]),
            line([10, 10], [11, 0]),
            line([10, 10], [10, 30]),
            line([20, 11], [20, 60]),
        ];
        let lengths: Vec<f64> = lines.iter().map(|l| length(l)).collect();
        let street = lengths[0] + lengths[1] + lengths[4];
        let across = lengths[2] + lengths[3];
        let expected = [street, street, across, across, street];
        for (is, should) in of(&lines).iter().zip(expected) {
            assert!((is - should).abs() < 1e-6 * should, "{is} for {should}");
        }
    }

    #[test]
    fn a_sharp_turn_ends_a_stroke_where_three_meet_but_not_where_two_do() {
        let two = [line([0, 10], [10, 10]), line([10, 10], [1, 12])];
        assert_eq!(of(&two)[0], of(&two)[1]);
        let three = [line([0, 10], [10, 10]), line([10, 10], [1, 12]), line([10, 10], [1, 14])];
        assert_eq!(of(&three), three.iter().map(|l| length(l)).collect::<Vec<_>>());
    }

    #[test]
    fn only_mutual_continuations_are_followed() {
        // The side road's straightest way on is the street, the street's is the street.
        let lines = [line([0, 10], [10, 10]), line([10, 10], [20, 10]), line([0, 13], [10, 10])];
        assert_eq!(of(&lines), [200_000.0, 200_000.0, length(&lines[2])]);
    }

    #[test]
    fn the_parts_of_a_feature_belong_together() {
        let lines = [line([0, 0], [10, 0]), line([50, 0], [60, 0]), line([60, 0], [65, 0]), line([80, 0], [81, 0])];
        assert_eq!(of_features(&lines, &[0, 2, 3, 4]), [250_000.0, 250_000.0, 10_000.0]);
    }

    #[test]
    fn the_order_and_direction_of_lines_do_not_matter() {
        let n = 30;
        let mut lines = vec![];
        for i in 0..n {
            for j in 0..n {
                let at = |i: u32, j: u32| [i * 10 + (i * 7 + j * 3) % 5, j * 10 + (i * 5 + j * 11) % 6];
                lines.push(line(at(i, j), at(i + 1, j)));
                if (i * j) % 3 > 0 {
                    lines.push(line(at(i, j), at(i, j + 1)));
                }
            }
        }
        let before = of(&lines);
        assert!(before.iter().any(|&l| l > 2_000_000.0));
        let half = lines.len() / 2;
        lines.reverse();
        lines[..half].iter_mut().for_each(|l| l.reverse());
        let mut after = of(&lines);
        after.reverse();
        assert_eq!(before, after);
    }

    #[test]
    fn odd_lines_are_no_trouble() {
        let ring = vec![[0, 0], [9, 0], [9, 9], [0, 0]];
        let star: Vec<Vec<Vertex>> = (0..20_000).map(|i| vec![[50, 50], [i, 90_000]]).collect();
        assert_eq!(of(&[vec![], vec![[1, 1]], ring.clone(), vec![[3, 3], [3, 3]]]), [0.0, 0.0, length(&ring), 0.0]);
        assert_eq!(of(&star).len(), star.len());
    }
}
