//! A packed R-tree over features that are sorted along the Hilbert curve: per level one rectangle for every 16 below. It is nothing
//! but rectangles; where a node's children are follows from its number.

use std::ops::Range;

use crate::shape::Bounds;

const FAN: usize = 16;

/// The nodes over `count` leaves, level by level from the leaves upwards. A single node, or none, has no level above it.
pub fn pack(count: usize, leaf: impl Fn(usize) -> Bounds) -> Vec<Bounds> {
    let mut nodes: Vec<Bounds> = vec![];
    let mut below = count;
    let mut first = 0;
    while below > 1 {
        let level = nodes.len();
        for start in (0..below).step_by(FAN) {
            let mut bounds = Bounds::EMPTY;
            for i in start..(start + FAN).min(below) {
                bounds.join(&if level == 0 { leaf(i) } else { nodes[first + i] });
            }
            nodes.push(bounds);
        }
        below = nodes.len() - level;
        first = level;
    }
    nodes
}

/// How many nodes [`pack`] makes.
pub fn node_count(count: usize) -> usize {
    let (mut total, mut below) = (0, count);
    while below > 1 {
        below = below.div_ceil(FAN);
        total += below;
    }
    total
}

/// Calls `found` with the leaves that meet `window`, as ranges; nodes that lie wholly in it are not looked into.
pub fn search(
    nodes: &[Bounds],
    count: usize,
    leaf: impl Fn(usize) -> Bounds,
    window: &Bounds,
    mut found: impl FnMut(Range<usize>),
) {
    if count == 0 {
        return;
    }
    // Where each level begins, and how many leaves one of its nodes covers.
    let mut levels: Vec<(usize, usize)> = vec![];
    let (mut start, mut below, mut covers) = (0, count, 1);
    while below > 1 {
        below = below.div_ceil(FAN);
        covers *= FAN;
        levels.push((start, covers));
        start += below;
    }
    let mut stack: Vec<(usize, usize)> = vec![(levels.len(), 0)];
    while let Some((level, node)) = stack.pop() {
        if level == 0 {
            if leaf(node).meets(window) {
                found(node..node + 1);
            }
            continue;
        }
        let (start, covers) = levels[level - 1];
        let Some(bounds) = nodes.get(start + node) else { continue };
        if !bounds.meets(window) {
            continue;
        }
        let leaves = node * covers..((node + 1) * covers).min(count);
        if window.holds(bounds) {
            found(leaves);
        } else if level == 1 {
            for i in leaves {
                if leaf(i).meets(window) {
                    found(i..i + 1);
                }
            }
        } else {
            let children = count.div_ceil(covers / FAN);
            // Last first onto the stack, so that the leaves come in their order.
            let range = node * FAN..((node + 1) * FAN).min(children);
            stack.extend(range.rev().map(|child| (level - 1, child)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_scan_finds(
            points in prop::collection::vec((0u32..1000, 0u32..1000, 0u32..50), 0..700),
            window in (0u32..1000, 0u32..1000, 0u32..600, 0u32..600),
        ) {
            let boxes: Vec<Bounds> =
                points.iter().map(|&(x, y, s)| Bounds { min: [x, y], max: [x + s, y + s] }).collect();
            let window = Bounds { min: [window.0, window.1], max: [window.0 + window.2, window.1 + window.3] };
            let nodes = pack(boxes.len(), |i| boxes[i]);
            prop_assert_eq!(nodes.len(), node_count(boxes.len()));
            let mut found = vec![];
            search(&nodes, boxes.len(), |i| boxes[i], &window, |r| found.extend(r));
            let scanned: Vec<usize> = (0..boxes.len()).filter(|&i| boxes[i].meets(&window)).collect();
            prop_assert_eq!(found, scanned);
        }
    }
}
