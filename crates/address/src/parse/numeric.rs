//! Spans that begin with a number.

use super::fold;
use super::lattice::{Candidate, Kind};
use super::numbers;
use crate::element::Element::*;

/// All readings of a number that begins at `s`.
pub(super) fn numeric(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    let c = chars[s];
    if !(fold::digit(c) || fold::letter(c) || fold::numeral(c) || numbers::prefix(c)) {
        return;
    }
    numbers::numbered(chars, s, |n| {
        // 三村村 is one name.
        if n.element == Community && chars.get(n.end) == Some(&'村') {
            return;
        }
        out.push(Candidate::one(n.end, n.element, 70 + n.cost));
    });
    section(chars, s, out);
    phone(chars, s, out);
    unitless(chars, s, out);
    dashed(chars, s, out);
}

/// Without a unit: by what stands before.
fn unitless(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    let Some((first, whole)) = numbers::number(chars, s) else { return };
    let odd = if fold::numeral(chars[s]) || numbers::prefix(chars[s]) { 150 } else { 0 };
    for end in [Some(whole), Some(first).filter(|&f| f != whole)].into_iter().flatten() {
        if numbers::unit_at(chars, end) {
            continue;
        }
        // More than 12-3 is no door of a road.
        let joins = chars[s..end].iter().filter(|&&c| c == '-').count().saturating_sub(1) as i32;
        for (element, cost) in [(Roadno, 120 + 80 * joins), (Roomno, 110), (Houseno, 260)] {
            out.push(Candidate::one(end, element, cost + odd));
        }
    }
}

/// 3-2-401, 3-401室.
fn dashed(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    let (ends, count) = numbers::dashed(chars, s);
    let room = |end: usize| end + usize::from(chars.get(end).is_some_and(|&c| matches!(c, '室' | '户' | '房')));
    if count >= 3 {
        out.push(Candidate::new(room(ends[2]), Kind::HouseCellRoom, 60));
    }
    if count >= 2 {
        let end = room(ends[1]);
        // 10-687室 has no other reading behind a name.
        let cost = if end > ends[1] { 60 } else { 90 };
        out.push(Candidate::new(end, Kind::HouseRoom, cost));
        out.push(Candidate::new(end, Kind::CellRoom, cost + 10));
    }
}

/// 六段, 3段.
fn section(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    if let Some(end) = numbers::plain(chars, s).filter(|&end| chars.get(end) == Some(&'段')) {
        out.push(Candidate::new(end + 1, Kind::Section, 20));
    }
}

/// Mobile numbers, and fixed ones with their area code.
fn phone(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    let digits = chars[s..].iter().take_while(|&&c| fold::digit(c)).count();
    let mobile = digits == 11 && chars[s] == '1';
    if mobile {
        out.push(Candidate::new(s + digits, Kind::Note, 20));
    }
    if (3..=4).contains(&digits) && chars[s] == '0' && chars.get(s + digits) == Some(&'-') {
        let more = chars[s + digits + 1..].iter().take_while(|&&c| fold::digit(c)).count();
        if (7..=8).contains(&more) {
            out.push(Candidate::new(s + digits + 1 + more, Kind::Note, 20));
        }
    }
}
