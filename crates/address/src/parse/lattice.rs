//! All readings of a text as a lattice of spans, and the cheapest way through it.

use super::costs::{NEVER, START, STATES, Table, table};
use super::fold;
use super::numbers;
use super::words::{LINKS, Words, words};
use crate::element::Element::{self, *};
use crate::gazetteer::{Entry, Gazetteer, Id, gazetteer};

/// What a span is: an element, or one of those that are none or more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    One(Element),
    /// 六段: goes to the road before it.
    Section,
    /// 3-2-401 and its parts; the numbers' ends are found again.
    HouseCellRoom,
    HouseRoom,
    CellRoom,
    /// Punctuation.
    Separator,
    /// A note, a phone number, something in brackets.
    Note,
    /// 与, 在: belongs to no element.
    Link,
    /// Explained by nothing.
    Unknown,
}

impl Kind {
    /// What comes first in it, if it takes part in the order of elements.
    fn first(self) -> Option<Element> {
        match self {
            Kind::One(e) => Some(e),
            Kind::HouseCellRoom | Kind::HouseRoom => Some(Houseno),
            Kind::CellRoom => Some(Cellno),
            _ => None,
        }
    }
    fn last(self) -> Option<Element> {
        match self {
            Kind::One(e) => Some(e),
            Kind::HouseCellRoom | Kind::HouseRoom | Kind::CellRoom => Some(Roomno),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}

#[derive(Clone, Copy)]
struct Candidate {
    end: usize,
    kind: Kind,
    cost: i32,
}

#[derive(Clone, Copy)]
struct Step {
    cost: i32,
    from: u32,
    state: u8,
    kind: Kind,
}

const UNREACHED: Step = Step { cost: NEVER, from: 0, state: 0, kind: Kind::Unknown };

/// A way that costs so much more than another that got farther is given up.
const SLACK: i32 = 700;

/// What is kept between texts, to save the allocations.
pub(super) struct Lattice {
    words: &'static Words,
    gazetteer: &'static Gazetteer,
    table: &'static Table,
    /// The ending that ends at a position, plus one; 0: none.
    endings: Vec<u32>,
    /// Sums of what ends within a name cost.
    inner: Vec<i32>,
    /// Whether a name without a known ending may end here.
    stops: Vec<bool>,
    divisions: Vec<(usize, usize, &'static [Entry])>,
    mentioned: Vec<(usize, Id)>,
    steps: Vec<[Step; STATES]>,
    candidates: Vec<Candidate>,
}

impl Lattice {
    pub(super) fn new() -> Lattice {
        Lattice {
            words: words(),
            gazetteer: gazetteer(),
            table: table(),
            endings: Vec::new(),
            inner: Vec::new(),
            stops: Vec::new(),
            divisions: Vec::new(),
            mentioned: Vec::new(),
            steps: Vec::new(),
            candidates: Vec::new(),
        }
    }

    /// The cheapest reading of folded characters, in order and without gaps.
    pub(super) fn read(&mut self, chars: &[char], spans: &mut Vec<Span>) {
        spans.clear();
        if chars.is_empty() {
            return;
        }
        self.prepare(chars);
        self.steps.clear();
        self.steps.resize(chars.len() + 1, [UNREACHED; STATES]);
        self.steps[0][START].cost = 0;
        let mut farthest = vec![];
        std::mem::swap(&mut farthest, &mut self.candidates);
        let mut division = 0;
        // The cheapest that was reached at or behind a position: kept up to date as the way goes on.
        for s in 0..chars.len() {
            let here = self.steps[s].iter().map(|step| step.cost).min().unwrap_or(NEVER);
            while division < self.divisions.len() && self.divisions[division].0 < s {
                division += 1;
            }
            let ahead = self.steps[s + 1..(s + 8).min(chars.len() + 1)]
                .iter()
                .flat_map(|steps| steps.iter().map(|step| step.cost))
                .min()
                .unwrap_or(NEVER);
            if here >= NEVER || here > ahead.saturating_add(SLACK) {
                continue;
            }
            farthest.clear();
            self.gather(chars, s, division, &mut farthest);
            for candidate in &farthest {
                relax(&mut self.steps, self.table, s, candidate);
            }
        }
        std::mem::swap(&mut farthest, &mut self.candidates);
        self.trace(chars.len(), spans);
    }

    fn trace(&self, end: usize, spans: &mut Vec<Span>) {
        let best = (0..STATES).min_by_key(|&state| self.steps[end][state].cost + closing(state)).unwrap_or(START);
        let (mut at, mut state) = (end, best);
        while at > 0 {
            let step = self.steps[at][state];
            spans.push(Span { start: step.from as usize, end: at, kind: step.kind });
            (at, state) = (step.from as usize, usize::from(step.state));
        }
        spans.reverse();
    }

    /// Looks at each position once: which names end, which divisions begin, where a name must end.
    fn prepare(&mut self, chars: &[char]) {
        let n = chars.len();
        self.endings.clear();
        self.inner.clear();
        self.stops.clear();
        self.divisions.clear();
        self.endings.push(0);
        self.inner.resize(n + 1, 0);
        for e in 1..=n {
            let ending = self.words.ending(&chars[e.saturating_sub(8)..e]);
            self.inner[e] += ending.map_or(0, |i| self.words.get(i).inner);
            if fold::digit(chars[e - 1]) && !chars.get(e).is_some_and(|&c| fold::digit(c)) {
                self.inner[e] += 120;
            }
            self.endings.push(ending.map_or(0, |i| i + 1));
        }
        for s in 0..n {
            let mut stop = fold::separator(chars[s]) || fold::opening(chars[s]) || fold::closing(chars[s]);
            if let Some(end) = numbers::unit_end(chars, s).filter(|_| s > 0) {
                self.inner[end] += 150;
                stop = true;
            }
            stop = stop || numbers::ends_name(chars, s);
            let inner = &mut self.inner;
            self.words.at(&chars[s..], |len, element, _| {
                if len > 1 {
                    stop = true;
                    inner[s + len] += if element == Redundant { 200 } else { 120 };
                }
            });
            self.stops.push(stop);
            self.gazetteer.visit(&chars[s..], |len, entries| self.divisions.push((s, len, entries)));
        }
        for e in 1..=n {
            self.inner[e] += self.inner[e - 1];
        }
        self.stops.push(true);
        self.mention();
    }

    /// Which provinces, cities and districts the text names: others are measured by them.
    fn mention(&mut self) {
        self.mentioned.clear();
        let mut ends = [usize::MAX; 2];
        for &(s, len, entries) in &self.divisions {
            for entry in entries.iter().take(4) {
                let level = self.gazetteer.level_of(entry.id);
                let begins = s == 0 || ends.contains(&s);
                if level != Town && (!entry.short || begins) {
                    self.mentioned.push((s, entry.id));
                    if !ends.contains(&(s + len)) {
                        ends = [ends[1], s + len];
                    }
                }
            }
        }
    }

    /// All spans that may begin at `s`.
    fn gather(&self, chars: &[char], s: usize, division: usize, out: &mut Vec<Candidate>) {
        let c = chars[s];
        if fold::separator(c) || fold::opening(c) || fold::closing(c) {
            self.punctuation(chars, s, out);
            return;
        }
        let mut over = 0;
        for &(at, len, entries) in &self.divisions[division..] {
            if at > s {
                break;
            }
            over = over.max(self.division(chars, s, len, entries, out));
        }
        self.words.at(&chars[s..], |len, element, cost| {
            let kind = if element == Redundant { Kind::Note } else { Kind::One(element) };
            out.push(Candidate { end: s + len, kind, cost: cost + if len == 1 { 120 } else { 70 - 5 * len as i32 } });
        });
        numeric(chars, s, out);
        self.names(chars, s, over, out);
        if LINKS.contains(c) {
            out.push(Candidate { end: s + 1, kind: Kind::Link, cost: 20 });
        }
        out.push(Candidate { end: s + 1, kind: Kind::Unknown, cost: 320 });
    }

    fn punctuation(&self, chars: &[char], s: usize, out: &mut Vec<Candidate>) {
        let c = chars[s];
        if fold::opening(c) {
            if let Some(len) = chars[s..].iter().take(60).position(|&c| fold::closing(c)) {
                out.push(Candidate { end: s + len + 1, kind: Kind::Note, cost: 60 });
            }
        }
        let bracket = fold::opening(c) || fold::closing(c);
        let mut end = s + 1;
        while !bracket && end < chars.len() && fold::separator(chars[end]) {
            end += 1;
        }
        out.push(Candidate { end, kind: Kind::Separator, cost: if bracket { 60 } else { 0 } });
    }

    /// Readings as a division; gives what a name that begins with one costs more.
    fn division(&self, chars: &[char], s: usize, len: usize, entries: &'static [Entry], out: &mut Vec<Candidate>) -> i32 {
        let g = self.gazetteer;
        let mut best = [NEVER; 4];
        let levels = [Province, City, District, Town];
        let next = chars.get(s + len).copied().unwrap_or(' ');
        let mut over = 0;
        for entry in entries.iter().take(300) {
            let level = g.level_of(entry.id);
            let near = self.mentioned.iter().any(|&(at, id)| at != s && (g.within(entry.id, id) || g.within(id, entry.id)));
            let alone = self.mentioned.iter().all(|&(at, _)| at == s);
            let mut cost = division_cost(level, entry, len, near, alone);
            if entry.short && "路街道巷村弄里桥镇乡县区市".contains(next) {
                cost += 150;
            }
            if let Some(i) = levels.iter().position(|&l| l == level) {
                best[i] = best[i].min(cost);
            }
            let surely = if level == Town { near } else { near || !entry.short };
            over = over.max(if !surely { 0 } else if entry.short { 70 } else { 150 });
            // Its end is there, but another one than today.
            let end = match (level, next) {
                (Town, '镇' | '乡') | (District, '县' | '市' | '区') if entry.short => 1,
                (Town, '街') if entry.short && chars.get(s + len + 1) == Some(&'道') => 2,
                _ => continue,
            };
            let cost = if near { 40 } else { 110 };
            out.push(Candidate { end: s + len + end, kind: Kind::One(level), cost });
            out.dedup_by(|a, b| (a.end, a.kind, a.cost) == (b.end, b.kind, b.cost));
        }
        for (level, cost) in levels.into_iter().zip(best) {
            if cost < NEVER {
                let zone = level == Town && chars[s..s + len].ends_with(&['区']);
                out.push(Candidate { end: s + len, kind: Kind::One(if zone { Devzone } else { level }), cost });
            }
        }
        over
    }

    /// Names: by their endings, or up to where something else begins.
    fn names(&self, chars: &[char], s: usize, over: i32, out: &mut Vec<Candidate>) {
        let most = (s + 24).min(chars.len());
        for e in s + 1..=most {
            let last = chars[e - 1];
            if fold::separator(last) || fold::opening(last) || fold::closing(last) {
                break;
            }
            if self.endings[e] > 0 {
                self.headed(chars, s, e, over, out);
            }
            if self.stops[e] && e - s >= 2 {
                let long = (e - s) as i32;
                let inner = self.inner[e] - self.inner[(s + 1).min(e)];
                let cost = 300 + if long > 4 { 30 * (long - 4) } else { 0 } + inner * 3 / 4 + over;
                out.push(Candidate { end: self.bracketed(chars, e), kind: Kind::One(Poi), cost });
                if long <= 4 {
                    out.push(Candidate { end: e, kind: Kind::One(Community), cost: 330 + inner });
                }
            }
        }
    }

    fn headed(&self, chars: &[char], s: usize, e: usize, over: i32, out: &mut Vec<Candidate>) {
        let ending = self.words.get(self.endings[e] - 1);
        if ending.len > e - s {
            return;
        }
        let stem = e - s - ending.len;
        let inner = if stem >= 2 { self.inner[e - ending.len] - self.inner[s + 1] } else { 0 };
        if inner > 900 {
            return;
        }
        let numbered = if fold::digit(chars[s]) || fold::letter(chars[s]) { 120 } else { 0 };
        for head in &ending.heads {
            let inner = if head.element == Road { (inner - numbered).max(0) } else { inner };
            let inner = if ending.joins && head.element == Poi { inner * 2 / 5 } else { inner };
            let Some(length) = length_cost(head.element, stem, ending.len) else { continue };
            let cost = head.cost + length + inner + if e > s + 3 { over } else { over / 3 };
            let end = if head.element == Poi { self.bracketed(chars, e) } else { e };
            out.push(Candidate { end, kind: Kind::One(head.element), cost });
        }
    }

    /// A name goes on over a bracket that says which branch is meant: 东阳木线(富阳店).
    fn bracketed(&self, chars: &[char], e: usize) -> usize {
        if !chars.get(e).is_some_and(|&c| fold::opening(c)) {
            return e;
        }
        match chars[e..].iter().take(24).position(|&c| fold::closing(c)) {
            Some(len) if len > 1 && "店区部站厂馆院司楼铺校园期城座".contains(chars[e + len - 1]) => {
                e + len + 1
            }
            _ => e,
        }
    }
}

const ROAD: usize = Road as usize;
const LANE: usize = Lane as usize;
const POI: usize = Poi as usize;

/// What it costs to end in a state.
fn closing(state: usize) -> i32 {
    if state == Lane as usize { 20 } else { 0 }
}

fn relax(steps: &mut [[Step; STATES]], table: &Table, s: usize, candidate: &Candidate) {
    let here = steps[s];
    let there = &mut steps[candidate.end];
    for (state, step) in here.iter().enumerate().filter(|(_, step)| step.cost < NEVER) {
        let (link, next) = match candidate.kind {
            Kind::Section if state == Road as usize => (0, state),
            Kind::Section => continue,
            Kind::Link if matches!(state, ROAD | LANE | POI) => (0, state),
            Kind::Link => (110, state),
            kind => match (kind.first(), kind.last()) {
                (Some(first), Some(last)) => (table[state][first as usize], last as usize),
                _ => (0, state),
            },
        };
        let cost = step.cost + candidate.cost + link;
        if link < NEVER && cost < there[next].cost {
            there[next] = Step { cost, from: s as u32, state: state as u8, kind: candidate.kind };
        }
    }
}

fn division_cost(level: Element, entry: &Entry, len: usize, near: bool, alone: bool) -> i32 {
    let base = match (level, entry.short) {
        (Province, false) => 30,
        (City, false) => 30,
        (District, false) => 40,
        (_, false) => 50,
        (Province, true) => 50,
        (City, true) => 80,
        (District, true) => 90,
        (_, true) => 230,
    };
    let fit = match (near, alone, entry.short) {
        (true, _, false) => -20,
        (true, _, true) if level == Town => -90,
        (true, _, true) => -30,
        (false, true, _) => 0,
        (false, false, false) => 50,
        (false, false, true) => 120,
    };
    base + fit + i32::from(entry.old) * 20 - if len > 3 { 10 } else { 0 }
}

/// What the length of a name costs: None where it cannot be.
fn length_cost(element: Element, stem: usize, head: usize) -> Option<i32> {
    let over = |from: usize, each: i32| if stem > from { (stem - from) as i32 * each } else { 0 };
    Some(match element {
        Road => match stem {
            0 if head >= 2 => 230,
            0 => return None,
            1 => 170,
            2 => 110,
            3 => 115,
            _ => 115 + over(3, 70),
        },
        Town => match stem {
            0 => return None,
            1 => 170,
            2 => 130,
            _ => 140 + over(3, 90),
        },
        Community => match stem {
            0 if head >= 3 => 240,
            0 => return None,
            1 => 170,
            2 => 130,
            3 => 145,
            _ => 145 + over(3, 75),
        },
        VillageGroup => match stem {
            0 => return None,
            1 => 170,
            2 | 3 => 140,
            _ => 140 + over(3, 80),
        },
        Devzone => match stem {
            0 => 150,
            1 => 160,
            _ => 130 + over(6, 30),
        },
        Poi => match stem {
            0 if head >= 2 => 240,
            0 => return None,
            1 => 210,
            _ => 160 + over(6, 12),
        },
        Subpoi => match stem {
            0 => 150,
            _ => 190 + over(1, 20),
        },
        Province | City | District => match stem {
            0 => return None,
            1 => 250,
            2 => 170,
            3 => 200,
            _ => 200 + over(3, 120),
        },
        Houseno | Floorno => match stem {
            0 => 140,
            _ => return None,
        },
        _ => return None,
    })
}

fn numeric(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    let c = chars[s];
    if !(fold::digit(c) || fold::letter(c) || fold::numeral(c) || numbers::prefix(c)) {
        return;
    }
    numbers::numbered(chars, s, |n| {
        out.push(Candidate { end: n.end, kind: Kind::One(n.element), cost: 70 + n.cost });
    });
    section(chars, s, out);
    phone(chars, s, out);
    let Some((first, whole)) = numbers::number(chars, s) else { return };
    // Without a unit: by what stands before.
    let numerals = fold::numeral(c);
    let odd = if numerals || numbers::prefix(c) { 150 } else { 0 };
    for end in if first == whole { [whole, 0] } else { [first, whole] } {
        if end > 0 {
            for (element, cost) in [(Roadno, 120), (Roomno, 110), (Houseno, 170)] {
                out.push(Candidate { end, kind: Kind::One(element), cost: cost + odd });
            }
        }
    }
    let (ends, count) = numbers::dashed(chars, s);
    if count >= 3 {
        out.push(Candidate { end: ends[2], kind: Kind::HouseCellRoom, cost: 60 });
    }
    if count >= 2 {
        out.push(Candidate { end: ends[1], kind: Kind::HouseRoom, cost: 90 });
        out.push(Candidate { end: ends[1], kind: Kind::CellRoom, cost: 100 });
    }
}

/// 六段, 3段.
fn section(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    if let Some(end) = numbers::plain(chars, s).filter(|&end| chars.get(end) == Some(&'段')) {
        out.push(Candidate { end: end + 1, kind: Kind::Section, cost: 20 });
    }
}

/// Mobile numbers, and fixed ones with their area code.
fn phone(chars: &[char], s: usize, out: &mut Vec<Candidate>) {
    let digits = chars[s..].iter().take_while(|&&c| fold::digit(c)).count();
    let mobile = digits == 11 && chars[s] == '1';
    if mobile {
        out.push(Candidate { end: s + digits, kind: Kind::Note, cost: 20 });
    }
    if (3..=4).contains(&digits) && chars[s] == '0' && chars.get(s + digits) == Some(&'-') {
        let more = chars[s + digits + 1..].iter().take_while(|&&c| fold::digit(c)).count();
        if (7..=8).contains(&more) {
            out.push(Candidate { end: s + digits + 1 + more, kind: Kind::Note, cost: 20 });
        }
    }
}
