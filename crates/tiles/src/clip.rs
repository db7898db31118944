//! Cutting at the edges of a window, in world units: rings by Sutherland and Hodgman (1974), lines segment by segment (Liang and
//! Barsky 1984).

use crate::window::Clip;

pub type Point = [i64; 2];

/// Cuts a ring; what is left is in `ring`, maybe nothing. Paths outside come to run along the edges.
pub fn ring(ring: &mut Vec<Point>, spare: &mut Vec<Point>, clip: &Clip) {
    for axis in 0..2 {
        for upper in [false, true] {
            let edge = if upper { clip.max[axis] } else { clip.min[axis] };
            let inside = |p: &Point| if upper { p[axis] <= edge } else { p[axis] >= edge };
            if ring.iter().all(inside) {
                continue;
            }
            spare.clear();
            let Some(mut last) = ring.last().copied() else { return };
            let mut last_in = inside(&last);
            for &p in ring.iter() {
                let p_in = inside(&p);
                if p_in != last_in {
                    spare.push(crossing(last, p, axis, edge));
                }
                if p_in {
                    spare.push(p);
                }
                (last, last_in) = (p, p_in);
            }
            std::mem::swap(ring, spare);
        }
    }
}

/// Where a segment meets an edge. Always computed from the same end, so that both sides of a shared border come to the same place.
fn crossing(a: Point, b: Point, axis: usize, edge: i64) -> Point {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let t = (edge - a[axis]) as f64 / (b[axis] - a[axis]) as f64;
    let other = 1 - axis;
    let mut p = [edge; 2];
    p[other] = a[other] + (t * (b[other] - a[other]) as f64).round() as i64;
    p
}

/// The pieces of a line inside, each given to `piece`.
pub fn line(points: &[Point], clip: &Clip, buffer: &mut Vec<Point>, mut piece: impl FnMut(&[Point])) {
    buffer.clear();
    for w in points.windows(2) {
        let Some((from, to)) = segment(w[0], w[1], clip) else {
            flush(buffer, &mut piece);
            continue;
        };
        if buffer.last() != Some(&from) {
            flush(buffer, &mut piece);
            buffer.push(from);
        }
        buffer.push(to);
        if to != w[1] {
            flush(buffer, &mut piece);
        }
    }
    flush(buffer, &mut piece);
}

fn flush(buffer: &mut Vec<Point>, piece: &mut impl FnMut(&[Point])) {
    if buffer.len() > 1 {
        piece(buffer);
    }
    buffer.clear();
}

fn segment(a: Point, b: Point, clip: &Clip) -> Option<(Point, Point)> {
    let d = [(b[0] - a[0]) as f64, (b[1] - a[1]) as f64];
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        for (outward, room) in [(-d[axis], a[axis] - clip.min[axis]), (d[axis], clip.max[axis] - a[axis])] {
            if outward == 0.0 {
                if room < 0 {
                    return None;
                }
                continue;
            }
            let t = room as f64 / outward;
            if outward < 0.0 { enter = enter.max(t) } else { leave = leave.min(t) }
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| [a[0] + (d[0] * t).round() as i64, a[1] + (d[1] * t).round() as i64];
    Some((if enter > 0.0 { at(enter) } else { a }, if leave < 1.0 { at(leave) } else { b }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLIP: Clip = Clip { min: [0, 0], max: [100, 100] };

    fn area(ring: &[Point]) -> f64 {
        let n = ring.len();
        (0..n).map(|i| (ring[i], ring[(i + 1) % n])).map(|(a, b)| (a[0] * b[1] - b[0] * a[1]) as f64).sum::<f64>() / 2.0
    }

    #[test]
    fn a_triangle_around_the_window_becomes_the_window() {
        let mut points = vec![[-500, -500], [1000, -500], [-500, 1000]];
        ring(&mut points, &mut vec![], &CLIP);
        assert_eq!(area(&points), 10_000.0);
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_has_two_pieces() {
        let mut pieces = vec![];
        line(&[[50, 50], [50, 150], [80, 150], [80, 50]], &CLIP, &mut vec![], |p| pieces.push(p.to_vec()));
        assert_eq!(pieces, [vec![[50, 50], [50, 100]], vec![[80, 100], [80, 50]]]);
    }

    proptest! {
        #[test]
        fn what_is_cut_lies_inside(points in prop::collection::vec((-300i64..400, -300i64..400), 3..40)) {
            let points: Vec<Point> = points.into_iter().map(|(x, y)| [x, y]).collect();
            let within = |p: &Point| (0..=100).contains(&p[0]) && (0..=100).contains(&p[1]);
            let mut cut = points.clone();
            ring(&mut cut, &mut vec![], &CLIP);
            prop_assert!(cut.iter().all(within));
            let mut length = 0.0;
            line(&points, &CLIP, &mut vec![], |p| {
                assert!(p.iter().all(within));
                length += p.windows(2).map(|w| ((w[1][0] - w[0][0]) as f64).hypot((w[1][1] - w[0][1]) as f64)).sum::<f64>();
            });
            let whole: f64 =
                points.windows(2).map(|w| ((w[1][0] - w[0][0]) as f64).hypot((w[1][1] - w[0][1]) as f64)).sum();
            prop_assert!(length <= whole + 2.0 * points.len() as f64);
        }
    }
}
