//! A packed tree of boxes: built once, by the Hilbert curve, sixteen to a node.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ellipsoid::at_least;
use crate::{Bounds, overlap};

const WIDTH: usize = 16;

/// Boxes by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Level by level from the leaves up; the last is the root.
    boxes: Vec<Bounds>,
    /// Where each level begins.
    levels: Vec<usize>,
    /// The number of each leaf.
    numbers: Vec<u32>,
}

/// A distance in a heap: metres are never NaN here.
#[derive(PartialEq)]
struct Metres(f64);
impl Eq for Metres {}
impl PartialOrd for Metres {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Metres {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Tree {
    /// `numbers` are what the boxes are called by.
    pub fn renumbered(boxes: &[Bounds], numbers: &[u32]) -> Tree {
        let Some(all) = boxes.iter().copied().reduce(join) else { return Tree::default() };
        let place =
            |low: f64, high: f64, v: f64| if high > low { ((v - low) / (high - low) * 65_535.0) as u32 } else { 0 };
        let mut order: Vec<(u32, u32)> = boxes
            .iter()
            .enumerate()
            .map(|(i, b)| {
                let (x, y) = (place(all[0], all[2], (b[0] + b[2]) / 2.0), place(all[1], all[3], (b[1] + b[3]) / 2.0));
                (hilbert(x, y), i as u32)
            })
            .collect();
        order.sort_unstable();
        let sorted: Vec<Bounds> = order.iter().map(|(_, i)| boxes[*i as usize]).collect();
        let numbers = order.iter().map(|(_, i)| numbers[*i as usize]).collect();
        let mut tree = Tree { boxes: sorted, levels: vec![0], numbers };
        let (mut from, mut to) = (0, tree.boxes.len());
        while to - from > 1 {
            tree.levels.push(to);
            let above: Vec<Bounds> =
                tree.boxes[from..to].chunks(WIDTH).filter_map(|chunk| chunk.iter().copied().reduce(join)).collect();
            tree.boxes.extend(above);
            (from, to) = (to, tree.boxes.len());
        }
        tree
    }

    /// The root's box.
    pub fn bounds(&self) -> Option<Bounds> {
        self.boxes.last().copied()
    }

    pub fn bytes(&self) -> usize {
        self.boxes.len() * 32 + self.numbers.len() * 4
    }

    fn level(&self, level: usize) -> std::ops::Range<usize> {
        self.levels[level]..self.levels.get(level + 1).copied().unwrap_or(self.boxes.len())
    }

    /// Calls `found` with the number of each box that meets this one.
    pub fn search(&self, bounds: &Bounds, mut found: impl FnMut(u32)) {
        let Some(top) = self.levels.len().checked_sub(1) else { return };
        let mut open: Vec<(usize, usize)> = self.level(top).map(|at| (top, at)).collect();
        while let Some((level, at)) = open.pop() {
            if !overlap(&self.boxes[at], bounds) {
                continue;
            }
            match level {
                0 => found(self.numbers[at]),
                _ => open.extend(self.below(level, at).map(|child| (level - 1, child))),
            }
        }
    }

    fn below(&self, level: usize, at: usize) -> std::ops::Range<usize> {
        let (here, below) = (self.level(level), self.level(level - 1));
        let first = below.start + (at - here.start) * WIDTH;
        first..(first + WIDTH).min(below.end)
    }

    /// The `k` nearest by `distance`, which gets a number and the most metres that still matter, within `most` metres; by metres, then
    /// by number.
    pub fn nearest(
        &self,
        to: &Bounds,
        k: usize,
        most: f64,
        mut distance: impl FnMut(u32, f64) -> Option<f64>,
    ) -> Vec<(u32, f64)> {
        let Some(top) = self.levels.len().checked_sub(1) else { return vec![] };
        let mut best: BinaryHeap<(Metres, u32)> = BinaryHeap::new();
        let mut open: BinaryHeap<Reverse<(Metres, usize, usize)>> = BinaryHeap::new();
        let push = |open: &mut BinaryHeap<_>, level: usize, at: usize| {
            open.push(Reverse((Metres(at_least(to, &self.boxes[at])), level, at)));
        };
        self.level(top).for_each(|at| push(&mut open, top, at));
        while let Some(Reverse((Metres(bound), level, at))) = open.pop() {
            let limit = if best.len() == k { best.peek().map_or(most, |(m, _)| m.0) } else { most };
            if bound > limit {
                break;
            }
            if level > 0 {
                self.below(level, at).for_each(|child| push(&mut open, level - 1, child));
                continue;
            }
            let number = self.numbers[at];
            if let Some(metres) = distance(number, limit) {
                best.push((Metres(metres), number));
                if best.len() > k {
                    best.pop();
                }
            }
        }
        best.into_sorted_vec().into_iter().map(|(metres, number)| (number, metres.0)).collect()
    }
}

fn join(a: Bounds, b: Bounds) -> Bounds {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

/// How far along the curve of order 16 a cell lies.
fn hilbert(mut x: u32, mut y: u32) -> u32 {
    let mut along = 0;
    let mut s = 1 << 15;
    while s > 0 {
        let (rx, ry) = (u32::from(x & s > 0), u32::from(y & s > 0));
        along += s * s * ((3 * rx) ^ ry);
        if ry == 0 {
            if rx == 1 {
                (x, y) = (65_535 - x, 65_535 - y);
            }
            std::mem::swap(&mut x, &mut y);
        }
        s >>= 1;
    }
    along
}
