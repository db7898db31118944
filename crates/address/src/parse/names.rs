//! Names that may begin at a position: by their endings, or up to where something else begins.

use super::facts::Facts;
use super::fold;
use super::gather::{Over, SHORT};
use super::lattice::{Candidate, Kind};
use super::lengths::length_cost;
use super::numbers;
use super::words::{Ending, words};
use crate::element::Element::{self, *};
use crate::gazetteer::villages;

/// The longest name that is looked for.
const LONGEST: usize = 24;

/// What stands within a name may cost so much, not more.
const MOST: i32 = 900;

impl Facts {
    pub(super) fn names(&self, s: usize, over: Over, placing: bool, out: &mut Vec<Candidate>) {
        let mut village = villages::Name::new();
        let unit = self.unlikely(s);
        for e in s + 1..=(s + LONGEST).min(self.chars.len()) {
            let last = self.chars[e - 1];
            if fold::separator(last) || fold::opening(last) || fold::closing(last) {
                break;
            }
            if placing && e - s <= 4 {
                village.push(last);
                if e - s >= 2 && !self.named(e) && village.known() {
                    let cost = unit + self.village(s, e);
                    out.push(Candidate { over: over.cost(e - s), ..Candidate::one(e, Community, cost) });
                }
            }
            if e > s + 2 && self.inner[e - 1] - self.inner[s + 1] > MOST {
                break;
            }
            if let Some(ending) = self.ending(e) {
                self.headed(s, e, ending, (over, unit), out);
            }
            if self.stops[e] && e - s >= 2 {
                self.headless(s, e, (over, unit), out);
            }
        }
    }

    /// What a name costs more that begins with what no name begins with.
    fn unlikely(&self, s: usize) -> i32 {
        match self.chars[s] {
            // The unit of the number before it.
            _ if s > 0 && fold::digit(self.chars[s - 1]) && numbers::unit_at(&self.chars, s) => 200,
            // What links two names.
            '与' | '及' | '跟' => 120,
            _ => 0,
        }
    }

    /// What a known village costs by its name alone.
    fn village(&self, s: usize, e: usize) -> i32 {
        let goes_on = matches!(
            self.at(e),
            '路' | '街' | '道' | '巷' | '村' | '弄' | '里' | '桥' | '镇' | '乡' | '县' | '区' | '市' | '社'
        );
        let road = matches!(self.chars[e - 1], '路' | '街' | '道');
        let length = match e - s {
            2 => 230,
            3 => 190,
            _ => 210,
        };
        length + if goes_on || road { 180 } else { 0 }
    }

    /// A name without any ending that is known.
    fn headless(&self, s: usize, e: usize, (over, unit): (Over, i32), out: &mut Vec<Candidate>) {
        let long = (e - s) as i32;
        let inner = self.inner[e] - self.inner[s + 1] + self.soft[e] - self.soft[s + 1];
        let cost = unit + 300 + 30 * (long - 4).max(0) + inner;
        let over = over.cost(e - s);
        out.push(Candidate { over, ..Candidate::one(self.bracketed(e), Poi, cost) });
        if long <= 4 {
            out.push(Candidate { over, ..Candidate::one(e, Community, unit + 330 + inner) });
        }
    }

    /// A name with an ending: all kinds that end so.
    fn headed(&self, s: usize, e: usize, ending: &Ending, (over, unit): (Over, i32), out: &mut Vec<Candidate>) {
        if ending.len > e - s {
            return;
        }
        let stem = e - s - ending.len;
        if stem >= 2 && self.inner[e - ending.len] - self.inner[s + 1] > MOST {
            return;
        }
        let twice = self.chars[e - 1] == '村' && self.at(e) == '村';
        let longer = if twice || self.goes_on(e, ending.len) { 110 } else { 0 };
        for head in &ending.heads {
            let Some(length) = length_cost(head.element, stem, ending.len) else { continue };
            let taiwan = self.taiwan && head.element == Community && self.chars[e - 1] == '里';
            let own = if taiwan { -60 } else { head.cost };
            let cost = own + length + self.within(s, stem, ending, head.element) + longer + unit;
            let end = if head.element == Poi { self.bracketed(e) } else { e };
            // 余杭经济开发区, but 永康 花川工业区.
            let its_own = head.element == Devzone && over.cost <= SHORT && stem == over.len;
            let over = if its_own { 0 } else { over.cost(e - s) };
            let kind = if head.element == Redundant { Kind::Note } else { Kind::One(head.element) };
            out.push(Candidate { over, ..Candidate::new(end, kind, cost) });
        }
    }

    /// What it costs that other names and numbers stand within a name.
    fn within(&self, s: usize, stem: usize, ending: &Ending, element: Element) -> i32 {
        if stem < 2 {
            return if element == Subpoi && stem > 0 && ending.len > 1 { 100 } else { 0 };
        }
        let e = s + stem;
        let inner = self.inner[e] - self.inner[s + 1];
        let soft = self.soft[e] - self.soft[s + 1];
        // What stands right before the ending.
        let before = self.inner[e] - self.inner[e - 1];
        match element {
            Road => {
                let number = fold::digit(self.chars[s]) || fold::letter(self.chars[s]);
                let soft = if stem >= 3 { 2 * (self.soft[e - 1] - self.soft[s + 1]) } else { 0 };
                (inner - if number { 120 } else { 0 }).max(0) + soft
            }
            Poi if self.counted(e) => inner + soft + 200,
            Poi if ending.joins => inner + soft * 2 / 5,
            // 掌起镇工业区, 宋家村工业园: the zone of what stands before.
            Devzone if matches!(self.chars[e - 1], '镇' | '乡' | '村') => inner + soft - before * 3 / 4,
            // 共和新路街道
            Town => inner + soft - before,
            // 石堰南区: the compound has a name of its own.
            Subpoi if ending.len > 1 => inner + soft + 100,
            _ => inner + soft,
        }
    }

    /// Whether the ending at `e` is the unit of a number before it: 六楼 is a floor.
    fn counted(&self, e: usize) -> bool {
        let before = self.chars[e - 1];
        (fold::digit(before) || fold::numeral(before)) && numbers::unit_at(&self.chars, e)
    }

    /// Whether what ends at `e` ends as points of interest do: 万达广场 is no village, though a community has its name.
    fn named(&self, e: usize) -> bool {
        self.ending(e).is_some_and(|ending| {
            let head = ending.heads[0];
            matches!(head.element, Poi | Town | Road | Devzone) && head.cost <= 40
        })
    }

    /// Whether a longer ending goes on behind the one of `len` characters that ends at `e`: 工业园 of 工业园区.
    fn goes_on(&self, e: usize, len: usize) -> bool {
        (1..=3).any(|more| self.ending(e + more).is_some_and(|ending| ending.len >= len + more))
    }

    /// A name goes on over a bracket that says which branch is meant: 东阳木线(富阳店).
    fn bracketed(&self, e: usize) -> usize {
        if !fold::opening(self.at(e)) {
            return e;
        }
        match self.chars[e..].iter().take(LONGEST).position(|&c| fold::closing(c)) {
            Some(len) if len > 1 && "店区部站厂馆院司楼铺校园期城座".contains(self.at(e + len - 1)) => {
                e + len + 1
            }
            _ => e,
        }
    }
}

/// Whether a name ends as points of interest do.
pub(super) fn kind_named(name: &[char]) -> bool {
    let ending = words().ending(name).map(|i| words().get(i));
    ending.is_some_and(|e| e.heads.iter().any(|h| matches!(h.element, Poi | Devzone) && h.cost <= 40))
}
