//! Divisions that stand in a text twice: 浙江省杭州市浙江省杭州市西湖区, 杭州杭州市.

use super::Piece;
use crate::element::Element;

fn division(element: Element) -> bool {
    matches!(element, Element::Province | Element::City | Element::District | Element::Town)
}

/// Marks as redundant what says again what other divisions right beside it say. Of two runs the one that says more stays, of equal ones
/// the first.
pub(super) fn mark(chars: &[char], pieces: &mut [Piece]) {
    let mut from = 0;
    while from < pieces.len() {
        if !division(pieces[from].element) {
            from += 1;
            continue;
        }
        let mut to = from;
        let mut last = from;
        while to < pieces.len() && (division(pieces[to].element) || pieces[to].element == Element::Redundant) {
            if division(pieces[to].element) {
                last = to;
            }
            to += 1;
        }
        mark_run(chars, &mut pieces[from..=last]);
        from = last + 1;
    }
}

/// One run of divisions: it falls into chains, a new one wherever the level does not go down.
fn mark_run(chars: &[char], run: &mut [Piece]) {
    let mut chains: Vec<(usize, usize)> = Vec::new();
    let mut level = None;
    for (i, piece) in run.iter().enumerate() {
        if !division(piece.element) {
            continue;
        }
        if level.is_some_and(|l| piece.element > l) {
            if let Some(chain) = chains.last_mut() {
                chain.1 = i + 1;
            }
        } else {
            chains.push((i, i + 1));
        }
        level = Some(piece.element);
    }
    if chains.len() < 2 {
        return;
    }
    let said =
        |&(from, to): &(usize, usize), run: &[Piece]| run[from..to].iter().filter(|p| division(p.element)).count();
    // A chain within one that follows: 杭州 杭州市, 东阳市 东阳市.
    let mut keep = 0;
    for i in 1..chains.len() {
        let (now, then) = (said(&chains[i], run), said(&chains[keep], run));
        let fuller = now == then && longer(chars, &run[chains[i].0..chains[i].1], &run[chains[keep].0..chains[keep].1]);
        if !repeats(chars, &run[chains[keep].0..chains[keep].1], &run[chains[i].0..chains[i].1]) {
            // It says something else: it goes on from the one before, unless it is a whole new chain.
            if now < then || run[chains[i].0].element == Element::Town {
                continue;
            }
        }
        let lost = if now > then || fuller { std::mem::replace(&mut keep, i) } else { i };
        for piece in &mut run[chains[lost].0..chains[lost].1] {
            piece.element = Element::Redundant;
        }
    }
}

/// Whether two chains name the same at some level: the shorter name is the beginning of the longer.
fn repeats(chars: &[char], a: &[Piece], b: &[Piece]) -> bool {
    a.iter().filter(|p| division(p.element)).any(|p| {
        b.iter().any(|q| {
            let (x, y) = (&chars[p.start..p.end], &chars[q.start..q.end]);
            division(q.element) && (x.starts_with(y) || y.starts_with(x))
        })
    })
}

fn longer(_chars: &[char], a: &[Piece], b: &[Piece]) -> bool {
    let len = |chain: &[Piece]| chain.iter().filter(|p| division(p.element)).map(|p| p.end - p.start).sum::<usize>();
    len(a) > len(b)
}
