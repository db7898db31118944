//! Numbers and the unit behind them.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::fold::{digit, letter, numeral};
use crate::element::Element::{self, *};

/// What a number with its unit can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered {
    pub end: usize,
    pub element: Element,
    pub cost: i32,
}

/// Units: word, element, cost. Several elements for one unit: what stands before decides.
const UNITS: &[(&str, &[(Element, i32)])] = &[
    ("号楼", &[(Houseno, 0)]),
    ("号栋", &[(Houseno, 0)]),
    ("号院", &[(Poi, 60), (Roadno, 120)]),
    ("号大院", &[(Poi, 60)]),
    ("号门", &[(Subpoi, 20), (Cellno, 60)]),
    ("号馆", &[(Poi, 60), (Subpoi, 20)]),
    ("号库", &[(Subpoi, 20)]),
    ("号店", &[(Roomno, 20)]),
    ("号铺", &[(Roomno, 20)]),
    ("号商铺", &[(Roomno, 20)]),
    ("号店面", &[(Roomno, 20)]),
    ("号厂房", &[(Houseno, 20)]),
    ("号", &[(Roadno, 0), (Houseno, 30), (Cellno, 40), (Roomno, 60)]),
    ("栋", &[(Houseno, 0)]),
    ("幢", &[(Houseno, 0)]),
    ("座", &[(Houseno, 0)]),
    ("橦", &[(Houseno, 20)]),
    ("撞", &[(Houseno, 40)]),
    ("懂", &[(Houseno, 40)]),
    ("排", &[(Houseno, 40)]),
    ("墅", &[(Houseno, 40)]),
    ("单元", &[(Cellno, 0)]),
    ("门", &[(Cellno, 40), (Subpoi, 40)]),
    ("梯", &[(Cellno, 0)]),
    ("楼", &[(Floorno, 0)]),
    ("搂", &[(Floorno, 40)]),
    ("层", &[(Floorno, 0)]),
    ("层楼", &[(Floorno, 20)]),
    ("F", &[(Floorno, 0)]),
    ("室", &[(Roomno, 0)]),
    ("房", &[(Roomno, 0)]),
    ("房间", &[(Roomno, 0)]),
    ("户", &[(Roomno, 0)]),
    ("弄", &[(Lane, 0)]),
    ("巷", &[(Lane, 20), (Road, 20)]),
    ("组", &[(VillageGroup, 0)]),
    ("队", &[(VillageGroup, 0)]),
    ("社", &[(VillageGroup, 20)]),
    ("村民组", &[(VillageGroup, 0)]),
    ("村民小组", &[(VillageGroup, 0)]),
    ("小组", &[(VillageGroup, 0)]),
    ("生产队", &[(VillageGroup, 0)]),
    ("邻", &[(VillageGroup, 0)]),
    ("米", &[(Distance, 0)]),
    ("米处", &[(Distance, 0)]),
    ("公里", &[(Distance, 0)]),
    ("公里处", &[(Distance, 0)]),
    ("千米", &[(Distance, 0)]),
    ("期", &[(Subpoi, 0)]),
    ("区", &[(Subpoi, 0)]),
    ("区块", &[(Subpoi, 0)]),
    ("组团", &[(Subpoi, 0)]),
    ("标段", &[(Subpoi, 20)]),
    ("街", &[(Road, 20)]),
    ("大街", &[(Road, 0)]),
    ("号大街", &[(Road, 0)]),
    ("路", &[(Road, 40)]),
    ("号路", &[(Road, 0)]),
    ("号街", &[(Road, 0)]),
    ("村", &[(Community, 80)]),
    ("店", &[(Roomno, 60)]),
    ("铺", &[(Roomno, 60)]),
];

/// Where the plain number that begins at `s` ends: digits, or Chinese numerals; with letters before or behind it.
pub(super) fn plain(chars: &[char], s: usize) -> Option<usize> {
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let mut i = s;
    while i < s + 3 && letter(at(i)) {
        i += 1;
    }
    let letters = i;
    while digit(at(i)) {
        i += 1;
    }
    if i > letters {
        // A letter belongs to it, but not the F of a floor.
        if letter(at(i)) && !digit(at(i + 1)) && !letter(at(i + 1)) && at(i) != 'F' {
            i += 1;
        }
        return Some(i);
    }
    if letters > s {
        return if letter(at(letters)) { None } else { Some(letters) };
    }
    while numeral(at(i)) {
        i += 1;
    }
    if i > s { Some(i) } else { None }
}

/// Whether a number, with what stands before numbers, can begin at `s`: no digit before digits, no numeral before numerals.
fn begins(chars: &[char], s: usize) -> bool {
    let Some(&c) = chars.get(s) else { return false };
    let before = if s == 0 { ' ' } else { chars[s - 1] };
    if digit(c) {
        !digit(before) && !letter(before)
    } else if letter(c) {
        !letter(before)
    } else {
        true
    }
}

pub(super) fn prefix(c: char) -> bool {
    matches!(c, '第' | '甲' | '乙' | '丙' | '丁' | '临' | '附' | '负')
}

/// One number may follow another: 3-1, 12之1, 183-185, 5号之2.
fn join(c: char) -> bool {
    matches!(c, '-' | '之' | '~' | '/' | '、' | '附' | '一' | '与' | ',' | '至' | '.')
}

/// The number that begins at `s`, with what is joined to it. Gives the ends of the first and of the whole.
pub(super) fn number(chars: &[char], s: usize) -> Option<(usize, usize)> {
    if !begins(chars, s) {
        return None;
    }
    let first = plain(chars, s).or_else(|| {
        let c = *chars.get(s)?;
        if prefix(c) { plain(chars, s + 1) } else { None }
    })?;
    let mut end = first;
    while let Some(&c) = chars.get(end) {
        if !join(c) {
            break;
        }
        let mut next = end + 1;
        while next < chars.len() && next < end + 3 && chars[next] == '-' {
            next += 1;
        }
        let digits = chars.get(next).is_some_and(|&c| digit(c) || letter(c) || (c != '一' && numeral(c)));
        match plain(chars, next).filter(|_| digits) {
            Some(e) => end = e,
            None => break,
        }
    }
    Some((first, end))
}

/// All readings of the number at `s` together with the unit behind it.
pub(super) fn numbered(chars: &[char], s: usize, mut each: impl FnMut(Numbered)) {
    let Some((first, whole)) = number(chars, s) else { return };
    let bare_prefix = prefix(chars[s]) && first == s + 1;
    for end in [Some(whole), Some(first).filter(|&f| f != whole)].into_iter().flatten() {
        units(&chars[end..], |unit, element, cost| {
            let odd = if bare_prefix && element != Houseno { 150 } else { 0 };
            let stop = more(chars, end + unit, element);
            each(Numbered { end: stop, element, cost: cost + odd + excess(chars, s, end, element) });
        });
    }
}

/// What belongs to a number behind its unit: 28号之1, 3楼之2, 28号甲. Gives where it ends.
fn more(chars: &[char], stop: usize, element: Element) -> usize {
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let door = matches!(element, Roadno | Houseno | Floorno | Cellno | Roomno | Lane);
    match at(stop) {
        '之' | '附' if door => match plain(chars, stop + 1) {
            Some(end) => end + usize::from(at(end) == '号'),
            None => stop,
        },
        '甲' | '乙' | '丙' | '丁' if element == Roadno => {
            let next = at(stop + 1);
            stop + usize::from(!matches!(next, '\u{4e00}'..='\u{9fff}') || numeral(next))
        }
        _ => stop,
    }
}

/// Numbers too large or of a wrong kind for their unit.
fn excess(chars: &[char], s: usize, end: usize, element: Element) -> i32 {
    let letters = chars[s..end].iter().all(|&c| letter(c));
    match element {
        Roadno | Cellno if letters => 80,
        VillageGroup | Distance | Road if letters => 200,
        _ => 0,
    }
}

/// A unit, and what a number with it may be.
type Unit = (Vec<char>, &'static [(Element, i32)]);

/// The units that begin with a character, longest first.
fn by_first(c: char) -> &'static [Unit] {
    static TABLE: OnceLock<FxHashMap<char, Vec<Unit>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: FxHashMap<char, Vec<Unit>> = FxHashMap::default();
        for &(word, elements) in UNITS {
            let word: Vec<char> = word.chars().collect();
            table.entry(word[0]).or_default().push((word, elements));
        }
        table.values_mut().for_each(|units| units.sort_by_key(|(word, _)| std::cmp::Reverse(word.len())));
        table
    });
    table.get(&c).map_or(&[], Vec::as_slice)
}

fn units(chars: &[char], mut each: impl FnMut(usize, Element, i32)) {
    let Some(&c) = chars.first() else { return };
    // A letter F is a floor only where no word goes on.
    if c == 'F' && chars.get(1).is_some_and(|&c| letter(c) || digit(c)) {
        return;
    }
    if let Some((word, elements)) = by_first(c).iter().find(|(word, _)| chars.starts_with(word)) {
        elements.iter().for_each(|&(element, cost)| each(word.len(), element, cost));
        // 235号 楼上, 162号 桥头: what follows the number may be a word of its own.
        if c == '号' && word.len() > 1 {
            each(1, Roadno, 120);
        }
    }
}

/// Whether a unit begins at `at`.
pub(super) fn unit_at(chars: &[char], at: usize) -> bool {
    chars.get(at).is_some_and(|&c| by_first(c).iter().any(|(word, _)| chars[at..].starts_with(word)))
}

/// What ends a name before it: a number, a number with its unit, 三区 and 二期 too. Gives whether it does, and where its unit ends if
/// it is one that no name has within it.
pub(super) fn stop(chars: &[char], s: usize) -> (bool, Option<usize>) {
    let c = chars[s];
    if !(digit(c) || letter(c) || numeral(c) || prefix(c)) {
        return (false, None);
    }
    let mut is = digit(c) && (s == 0 || !(digit(chars[s - 1]) || letter(chars[s - 1])));
    let mut end = None;
    numbered(chars, s, |n| {
        let within = matches!(n.element, Houseno | Cellno | Floorno | Roomno | Roadno | Lane | Distance | VillageGroup);
        if within {
            end = end.max(Some(n.end));
        }
        is |= within || n.element == Subpoi;
    });
    (is, end)
}

/// Numbers without units, joined by dashes: the ends of up to three.
pub(super) fn dashed(chars: &[char], s: usize) -> ([usize; 3], usize) {
    let mut ends = [s; 3];
    let mut count = 0;
    let mut i = s;
    while count < 3 {
        let Some(end) = plain(chars, i).filter(|_| digit(chars[i]) || (letter(chars[i]))) else { break };
        ends[count] = end;
        count += 1;
        if !chars.get(end).is_some_and(|&c| matches!(c, '-' | '/' | '_')) {
            break;
        }
        i = end + 1;
        while chars.get(i) == Some(&'-') {
            i += 1;
        }
    }
    (ends, count)
}
