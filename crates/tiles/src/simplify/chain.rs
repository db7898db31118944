//! The weights of a chain's vertices: squared distances in world units, after Douglas and Peucker.

use super::{LEAST, weight_of_area};
use crate::shape::Vertex;

/// The weight of a vertex that is to get one.
pub const FREE: f64 = -1.0;
/// Beyond so many splits a stretch is halved, lest an odd chain take quadratic time.
const DEPTH: u8 = 48;

struct Stretch {
    first: usize,
    last: usize,
    /// No vertex in it weighs more.
    most: f64,
    depth: u8,
}

/// Gives the free vertices between the chain's ends their weights; those that no zoom tells apart stay free. The others keep theirs
/// and take part as they are. At the topmost `by_area` levels a vertex weighs at least what the area of its stretch does.
pub fn weigh(points: &[Vertex], weights: &mut [f64], most: f64, by_area: u8, stack: &mut Stack) {
    stack.0.clear();
    stack.0.push(Stretch { first: 0, last: points.len().saturating_sub(1), most, depth: 0 });
    while let Some(stretch) = stack.0.pop() {
        let Stretch { first, last, most, depth } = stretch;
        if last < first + 2 {
            continue;
        }
        let (mut split, mut heaviest, free) = farthest(points, weights, first, last);
        if free == 0 {
            continue;
        }
        if depth < by_area && heaviest > 0.0 && weights[split] < 0.0 {
            heaviest = heaviest.max(weight_of_area(area(&points[first..=last])));
        }
        if heaviest < LEAST {
            continue;
        }
        if depth > DEPTH {
            let middle = (first + 1..last).filter(|&i| weights[i] < 0.0).nth(free / 2);
            split = middle.unwrap_or(split);
        }
        let most = most.min(heaviest);
        if weights[split] < 0.0 {
            weights[split] = most;
        }
        let depth = depth.saturating_add(1);
        stack.0.push(Stretch { first, last: split, most, depth });
        stack.0.push(Stretch { first: split, last, most, depth });
    }
}

#[derive(Default)]
pub struct Stack(Vec<Stretch>);

/// The first of the heaviest vertices of a stretch, its weight, and how many vertices are free.
fn farthest(points: &[Vertex], weights: &[f64], first: usize, last: usize) -> (usize, f64, usize) {
    let far = Distance::new(points[first], points[last]);
    let (mut split, mut heaviest, mut free) = (first + 1, -1.0, 0);
    for i in first + 1..last {
        let given = weights[i];
        let is_free = given < 0.0;
        let weight = if is_free { far.squared(points[i]) } else { given };
        free += is_free as usize;
        if weight > heaviest {
            (split, heaviest) = (i, weight);
        }
    }
    (split, heaviest, free)
}

/// The distance from a segment.
struct Distance {
    a: [f64; 2],
    d: [f64; 2],
    square: f64,
    inverse: f64,
}

impl Distance {
    fn new(a: Vertex, b: Vertex) -> Distance {
        let a = a.map(f64::from);
        let d = [f64::from(b[0]) - a[0], f64::from(b[1]) - a[1]];
        let square = d[0] * d[0] + d[1] * d[1];
        Distance { a, d, square, inverse: 1.0 / square }
    }

    #[inline]
    fn squared(&self, p: Vertex) -> f64 {
        let [x, y] = [f64::from(p[0]) - self.a[0], f64::from(p[1]) - self.a[1]];
        let along = x * self.d[0] + y * self.d[1];
        if along <= 0.0 {
            x * x + y * y
        } else if along >= self.square {
            (x - self.d[0]).powi(2) + (y - self.d[1]).powi(2)
        } else {
            (x * self.d[1] - y * self.d[0]).powi(2) * self.inverse
        }
    }
}

/// The square of the distance between two vertices, exactly.
pub fn apart(a: Vertex, b: Vertex) -> u128 {
    let square = |k: usize| (a[k].abs_diff(b[k]) as u128).pow(2);
    square(0) + square(1)
}

/// The area between a chain and the line from its start to its end, in square world units.
pub fn area(points: &[Vertex]) -> f64 {
    let Some(&origin) = points.first() else { return 0.0 };
    let from = |p: Vertex| [p[0] as i128 - origin[0] as i128, p[1] as i128 - origin[1] as i128];
    let twice: i128 = points
        .windows(2)
        .map(|w| {
            let (a, b) = (from(w[0]), from(w[1]));
            a[0] * b[1] - a[1] * b[0]
        })
        .sum();
    twice.unsigned_abs() as f64 / 2.0
}
