//! The spans that may begin at a position, each with its cost: divisions, words, punctuation.

use super::costs::NEVER;
use super::facts::Facts;
use super::fold;
use super::lattice::{Candidate, Kind};
use super::lengths::division_cost;
use super::numeric::numeric;
use super::words::LINKS;
use crate::element::Element::*;
use crate::gazetteer::Entry;

/// A name that begins with the name of a division.
#[derive(Clone, Copy)]
pub(super) struct Over {
    pub cost: i32,
    pub len: usize,
}

impl Over {
    /// What a name of `long` characters costs more: 杭州大厦 is one name, 杭州国际商贸城 hardly.
    pub(super) fn cost(self, long: usize) -> i32 {
        match long.saturating_sub(self.len) {
            0..=2 => self.cost / 3,
            3 => self.cost * 2 / 3,
            _ => self.cost * 3 / 2,
        }
    }
}

/// What a name costs more that begins with the short name of a division.
pub(super) const SHORT: i32 = 70;

/// What goes on from the short name of a division, which is then none: 青岛路, 运河镇.
fn goes_on(next: char) -> bool {
    matches!(next, '路' | '街' | '道' | '巷' | '村' | '弄' | '里' | '桥' | '镇' | '乡' | '县' | '区' | '市' | '省')
}

impl Facts {
    /// All spans that may begin at `s`. `placing`: a place without any ending to its name may follow.
    pub(super) fn gather(&self, s: usize, placing: bool, out: &mut Vec<Candidate>) {
        let c = self.chars[s];
        if fold::separator(c) || fold::opening(c) || fold::closing(c) {
            self.punctuation(s, out);
            return;
        }
        let over = self.divisions(s, out);
        self.words.at(&self.chars[s..], |len, element, cost| {
            let kind = if element == Redundant { Kind::Note } else { Kind::One(element) };
            out.push(Candidate::new(s + len, kind, cost + if len == 1 { 90 } else { 70 - 5 * len as i32 }));
        });
        if self.chars[s..].starts_with(&['中', '国']) && !self.found(s + 2).is_empty() {
            out.push(Candidate::new(s + 2, Kind::Note, 20));
        }
        numeric(&self.chars, s, out);
        self.names(s, over, placing, out);
        if LINKS.contains(c) {
            out.push(Candidate::new(s + 1, Kind::Link, 20));
        }
        out.push(Candidate::new(s + 1, Kind::Unknown, 320));
    }

    fn punctuation(&self, s: usize, out: &mut Vec<Candidate>) {
        let c = self.chars[s];
        let close = self.chars[s..].iter().take(60).position(|&c| fold::closing(c));
        if fold::opening(c) {
            // One that nobody closed goes on to the end.
            let end = close.map_or(self.chars.len(), |len| s + len + 1);
            out.push(Candidate::new(end, Kind::Note, if close.is_some() { 60 } else { 80 }));
        }
        let bracket = fold::opening(c) || fold::closing(c);
        let mut end = s + 1;
        while !bracket && end < self.chars.len() && fold::separator(self.chars[end]) {
            end += 1;
        }
        out.push(Candidate::new(end, Kind::Separator, if bracket { 60 } else { 0 }));
    }

    /// The divisions whose names begin at `s`.
    fn found(&self, s: usize) -> &[super::facts::Found] {
        let from = self.divisions.partition_point(|&(at, ..)| at < s);
        let to = from + self.divisions[from..].iter().take_while(|&&(at, ..)| at == s).count();
        &self.divisions[from..to]
    }

    /// Readings as divisions; gives the one that a longer name most likely has at its beginning by mistake.
    fn divisions(&self, s: usize, out: &mut Vec<Candidate>) -> Over {
        let mut over = Over { cost: 0, len: 0 };
        for &(_, len, entries) in self.found(s) {
            let cost = self.division(s, len, entries, out);
            if cost >= over.cost {
                over = Over { cost, len };
            }
        }
        over
    }

    fn division(&self, s: usize, len: usize, entries: &[Entry], out: &mut Vec<Candidate>) -> i32 {
        let alone = self.mentioned.iter().all(|&(at, _)| at == s);
        let mut best = [NEVER; Town as usize + 1];
        let (mut over, mut renamed) = (0, NEVER);
        let end = self.other_end(s + len);
        for entry in entries.iter().take(300) {
            let near = self.mentioned.iter().any(|(at, other)| *at != s && entry.related(other));
            let cost = division_cost(entry, len, near, alone) + self.doubt(s, len, entry);
            let slot = &mut best[entry.level as usize];
            *slot = (*slot).min(cost);
            // 单县路 is a road, whatever it is named after.
            let road = matches!(self.at(s + len), '路' | '街');
            let surely = !road && (near || entry.level != Town && !entry.short);
            over = over.max(match entry.short {
                _ if !surely => 0,
                true => SHORT,
                false => 150,
            });
            if entry.short && end.is_some_and(|(level, _)| level == entry.level) {
                renamed = renamed.min(if near { 40 } else { 110 });
            }
        }
        for level in [Province, City, District, Town].into_iter().filter(|&l| best[l as usize] < NEVER) {
            let zone = level == Town && self.at(s + len - 1) == '区';
            out.push(Candidate::one(s + len, if zone { Devzone } else { level }, best[level as usize]));
        }
        let whole = |more: usize| self.found(s).iter().any(|&(_, l, e)| l == len + more && !e[0].short);
        if let Some((level, more)) = end.filter(|&(_, more)| renamed < NEVER && !whole(more)) {
            out.push(Candidate::one(s + len + more, level, renamed));
        }
        over
    }

    /// The end of a division's name that stands at `at`, though today's name has another: its level and length.
    fn other_end(&self, at: usize) -> Option<(crate::element::Element, usize)> {
        match (self.at(at), self.at(at + 1)) {
            ('镇' | '乡', _) => Some((Town, 1)),
            ('县' | '市' | '区', _) => Some((District, 1)),
            ('街', '道') => Some((Town, 2)),
            _ => None,
        }
    }

    /// What speaks against a division: its short name goes on as the name of something else.
    fn doubt(&self, s: usize, len: usize, entry: &Entry) -> i32 {
        let (next, after) = (self.at(s + len), self.at(s + len + 1));
        if !entry.short {
            return if entry.level == City && self.shared(s + len - 1, entry) { 130 } else { 0 };
        }
        let turned = matches!(next, '东' | '西' | '南' | '北' | '中') && matches!(after, '路' | '街');
        let on = turned || goes_on(next) && !(next == '市' && self.shared(s + len, entry));
        let road = entry.level == Town && matches!(self.at(s + len - 1), '路' | '街' | '道');
        // 高桥花园, 杭州大厦
        let word = self.ending(s + len + 2).is_some_and(|e| e.len == 2 && e.heads[0].element == Poi);
        i32::from(on) * 150 + i32::from(road) * 150 + i32::from(word) * 120
    }

    /// Whether the 市 at `at` may begin the name of a district of the city before it: 青岛市南 is 青岛 市南.
    fn shared(&self, at: usize, city: &Entry) -> bool {
        let entries = self.found(at).iter().flat_map(|(_, _, entries)| entries.iter().take(4));
        self.at(at) == '市' && entries.into_iter().any(|e| e.level == District && e.related(city))
    }
}
