//! Divisions that stand in a text twice: 浙江省杭州市浙江省杭州市西湖区, 杭州杭州市.

use super::Piece;
use crate::element::Element;
use crate::gazetteer::gazetteer;

fn division(element: Element) -> bool {
    matches!(element, Element::Province | Element::City | Element::District | Element::Town)
}

/// Marks as redundant what says again what other divisions right beside it say. Of two runs the one that says more stays, of equal ones
/// the first.
pub(super) fn mark(chars: &[char], pieces: &mut [Piece]) {
    let mut from = 0;
    let mut first: Option<(usize, usize)> = None;
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
        match first {
            // Behind a road or a name: all of it said before.
            Some((a, b))
                if pieces[from..=last].iter().all(|p| {
                    !division(p.element) || pieces[a..b].iter().any(|q| p.element == q.element && same(chars, p, q))
                }) =>
            {
                blank(&mut pieces[from..=last], |_| true)
            }
            Some(_) => {}
            None => first = Some((from, last + 1)),
        }
        from = last + 1;
    }
}

/// One run of divisions: it falls into chains, a new one wherever the level does not go down.
fn mark_run(chars: &[char], run: &mut [Piece]) {
    for i in 1..run.len() {
        let (a, b) = (run[i - 1], run[i]);
        if a.element == Element::District && b.element == Element::District && succeeded(chars, &a, &b) {
            run[i - 1].element = Element::Redundant;
        }
    }
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
    let mut keep = 0;
    for i in 1..chains.len() {
        let (from, to) = chains[i];
        let (kept, new) = (chains[keep], chains[i]);
        let (now, then) = (said(&new, run), said(&kept, run));
        let again = repeats(chars, &run[kept.0..kept.1], &run[new.0..new.1]);
        let whole = run[from].element <= run[kept.0].element;
        let fuller = now > then || now == then && length(&run[new.0..new.1]) > length(&run[kept.0..kept.1]);
        if whole && fuller && (again || run[from].element == Element::Province) {
            blank(&mut run[kept.0..kept.1], |_| true);
            keep = i;
        } else if again {
            // What it says beyond the other stays.
            let (said, new) = run[..to].split_at_mut(from);
            let said = &said[kept.0..kept.1];
            blank(new, |p| said.iter().any(|q| same(chars, p, q)));
        }
    }
}

/// 市辖区 before a district, and a district that another one's old name is: 绍兴县柯桥区.
fn succeeded(chars: &[char], a: &Piece, b: &Piece) -> bool {
    let (old, new) = (&chars[a.start..a.end], &chars[b.start..b.end]);
    let (before, now) = (gazetteer().at(old), gazetteer().at(new));
    let all = |hit: &&crate::gazetteer::Hit, len: usize| hit.len == len;
    old == ['市', '辖', '区']
        || before
            .iter()
            .filter(|h| all(h, old.len()) && h.old)
            .any(|h| now.iter().any(|n| all(&n, new.len()) && n.id == h.id))
}

fn blank(chain: &mut [Piece], which: impl Fn(&Piece) -> bool) {
    for piece in chain.iter_mut().filter(|p| which(p)) {
        piece.element = Element::Redundant;
    }
}

fn same(chars: &[char], a: &Piece, b: &Piece) -> bool {
    let (x, y) = (&chars[a.start..a.end], &chars[b.start..b.end]);
    division(a.element) && division(b.element) && (x.starts_with(y) || y.starts_with(x))
}

/// How many characters a chain's names have.
fn length(chain: &[Piece]) -> usize {
    chain.iter().filter(|p| division(p.element)).map(|p| p.end - p.start).sum()
}

/// Whether two chains name the same at some level: the shorter name is the beginning of the longer.
fn repeats(chars: &[char], a: &[Piece], b: &[Piece]) -> bool {
    a.iter().any(|p| b.iter().any(|q| same(chars, p, q)))
}
