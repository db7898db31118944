//! All readings of a text as a lattice of spans, and the cheapest way through it.

use super::costs::{NEVER, START, STATES, Table, table};
use super::fold;
use super::numbers;
use super::words::{LINKS, Words, words};
use crate::element::Element::{self, *};
use crate::gazetteer::villages;
use crate::gazetteer::{Entry, Gazetteer, gazetteer};

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
    /// What it costs more where a division is still to be expected: it begins with the name of one.
    over: i32,
}

impl Candidate {
    fn new(end: usize, kind: Kind, cost: i32) -> Candidate {
        Candidate { end, kind, cost, over: 0 }
    }
    fn one(end: usize, element: Element, cost: i32) -> Candidate {
        Candidate::new(end, Kind::One(element), cost)
    }
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
const SLACK: i32 = 230;

const TAIWAN: u32 = 71;

/// A name that begins with the name of a division.
#[derive(Clone, Copy)]
struct Over {
    cost: i32,
    len: usize,
}

impl Over {
    /// What a name of `long` characters costs more: 杭州大厦 is one name, 杭州国际商贸城 hardly.
    fn cost(self, long: usize) -> i32 {
        match long.saturating_sub(self.len) {
            0..=2 => self.cost / 3,
            3 => self.cost * 2 / 3,
            _ => self.cost * 3 / 2,
        }
    }
}

/// What a name costs more that begins with the short name of a division.
const SHORT: i32 = 70;

/// What is kept between texts, to save the allocations.
pub(super) struct Lattice {
    words: &'static Words,
    gazetteer: &'static Gazetteer,
    table: &'static Table,
    /// The ending that ends at a position, plus one; 0: none.
    endings: Vec<u32>,
    /// Sums of what it costs to have this within a name: names of other things, and numbers.
    inner: Vec<i32>,
    /// The same of what a name may go on from: 大学, 医院.
    soft: Vec<i32>,
    /// Whether a name without a known ending may end here.
    stops: Vec<bool>,
    divisions: Vec<(usize, usize, &'static [Entry])>,
    mentioned: Vec<(usize, Entry)>,
    steps: Vec<[Step; STATES]>,
    /// The least cost at each position.
    reached: Vec<i32>,
    /// Whether the text names a place of Taiwan: 里 is a community there.
    taiwan: bool,
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
            soft: Vec::new(),
            stops: Vec::new(),
            divisions: Vec::new(),
            mentioned: Vec::new(),
            steps: Vec::new(),
            reached: Vec::new(),
            taiwan: false,
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
        self.reached.clear();
        self.reached.resize(chars.len() + 1, NEVER);
        self.reached[0] = 0;
        let mut candidates = std::mem::take(&mut self.candidates);
        let mut division = 0;
        for s in 0..chars.len() {
            while division < self.divisions.len() && self.divisions[division].0 < s {
                division += 1;
            }
            let here = self.reached[s];
            let ahead = self.reached[s + 1..(s + 8).min(chars.len() + 1)].iter().copied().min().unwrap_or(NEVER);
            if here >= NEVER || here > ahead.saturating_add(SLACK) {
                continue;
            }
            candidates.clear();
            let expected =
                (Province as usize..=Community as usize).chain([START]).map(|state| self.steps[s][state].cost).min();
            let placing = expected.is_some_and(|cost| cost < here + 200);
            self.gather(chars, s, (division, placing), &mut candidates);
            self.relax(s, &candidates);
        }
        self.candidates = candidates;
        self.trace(chars.len(), spans);
    }

    /// Goes on from all states at `s` by all candidates.
    fn relax(&mut self, s: usize, candidates: &[Candidate]) {
        let mut live = [(0u8, 0i32); STATES];
        let mut count = 0;
        for (state, step) in self.steps[s].iter().enumerate() {
            if step.cost < self.reached[s] + SLACK {
                live[count] = (state as u8, step.cost);
                count += 1;
            }
        }
        let live = &live[..count];
        for candidate in candidates {
            let there = &mut self.steps[candidate.end];
            let least = &mut self.reached[candidate.end];
            let mut take = |next: usize, state: u8, cost: i32| {
                if cost < there[next].cost {
                    there[next] = Step { cost, from: s as u32, state, kind: candidate.kind };
                    *least = (*least).min(cost);
                }
            };
            match (candidate.kind.first(), candidate.kind.last()) {
                (Some(first), Some(last)) => {
                    // All lead to one state: only the cheapest counts.
                    let costs = &self.table[first as usize];
                    let best = live.iter().map(|&(state, cost)| {
                        let over = if EXPECTING[usize::from(state)] { candidate.over } else { 0 };
                        (cost + costs[usize::from(state)] + over, state)
                    });
                    if let Some((cost, state)) = best.min() {
                        take(last as usize, state, cost + candidate.cost);
                    }
                }
                _ => live.iter().for_each(|&(state, cost)| {
                    let next = usize::from(state);
                    take(next, state, cost + candidate.cost + aside(next, candidate.kind));
                }),
            }
        }
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
        self.soft.clear();
        self.stops.clear();
        self.divisions.clear();
        self.endings.push(0);
        self.inner.resize(n + 1, 0);
        self.soft.resize(n + 1, 0);
        for e in 1..=n {
            let ending = self.words.ending(&chars[e.saturating_sub(8)..e]);
            if let Some(ending) = ending.map(|i| self.words.get(i)) {
                let soft = matches!(ending.heads[0].element, Poi | Subpoi);
                *if soft { &mut self.soft[e] } else { &mut self.inner[e] } += ending.inner;
            }
            if fold::digit(chars[e - 1]) && !chars.get(e).is_some_and(|&c| fold::digit(c)) {
                self.inner[e] += 120;
            }
            self.endings.push(ending.map_or(0, |i| i + 1));
        }
        for s in 0..n {
            let mut stop = fold::separator(chars[s]) || fold::opening(chars[s]) || fold::closing(chars[s]);
            let (ends, unit) = numbers::stop(chars, s);
            stop |= ends;
            if let Some(end) = unit.filter(|_| s > 0) {
                self.inner[end] += if chars[end - 1] == '号' { 180 } else { 330 };
            }
            let inner = &mut self.inner;
            self.words.at(&chars[s..], |len, element, cost| {
                if len > 1 || chars[s] == '旁' {
                    stop = true;
                    inner[s + len] += if element == Redundant || cost == 0 { 250 } else { 120 };
                }
            });
            self.stops.push(stop);
            self.gazetteer.visit(&chars[s..], |len, entries| {
                let full = !entries[0].short && !entries[0].old && entries[0].level != Town;
                // Two divisions in full, one behind the other, are in no name.
                if full && self.divisions.iter().rev().take(6).any(|&(at, l, e)| at + l == s && !e[0].short) {
                    inner[s + len] += 250;
                }
                self.divisions.push((s, len, entries));
            });
        }
        self.stops.push(true);
        self.mention();
        for e in 1..=n {
            let taiwan = self.taiwan && chars[e - 1] == '里';
            self.inner[e] += self.inner[e - 1] + if taiwan { 200 } else { 0 };
            self.soft[e] += self.soft[e - 1];
        }
    }

    /// Which provinces, cities and districts the text names: others are measured by them.
    fn mention(&mut self) {
        self.mentioned.clear();
        self.taiwan = false;
        let mut ends = [usize::MAX; 2];
        for &(s, len, entries) in &self.divisions {
            let begins = s == 0 || ends.contains(&s);
            for entry in entries.iter().take(4).filter(|e| e.level != Town && (!e.short || begins)) {
                self.mentioned.push((s, *entry));
                self.taiwan |= self.gazetteer.chain(entry.id).any(|id| self.gazetteer.code(id) == Some(TAIWAN));
                if !ends.contains(&(s + len)) {
                    ends = [ends[1], s + len];
                }
            }
        }
    }

    /// All spans that may begin at `s`.
    fn gather(&self, chars: &[char], s: usize, (division, placing): (usize, bool), out: &mut Vec<Candidate>) {
        let c = chars[s];
        if fold::separator(c) || fold::opening(c) || fold::closing(c) {
            self.punctuation(chars, s, out);
            return;
        }
        let mut over = Over { cost: 0, len: 0 };
        for &(at, len, entries) in &self.divisions[division..] {
            if at > s {
                break;
            }
            let cost = self.division(chars, s, len, entries, out);
            if cost >= over.cost {
                over = Over { cost, len };
            }
        }
        self.words.at(&chars[s..], |len, element, cost| {
            let kind = if element == Redundant { Kind::Note } else { Kind::One(element) };
            out.push(Candidate::new(s + len, kind, cost + if len == 1 { 90 } else { 70 - 5 * len as i32 }));
        });
        let country = chars[s..].starts_with(&['中', '国']);
        if country && self.divisions[division..].iter().any(|&(at, ..)| at == s + 2) {
            out.push(Candidate::new(s + 2, Kind::Note, 20));
        }
        numeric(chars, s, out);
        self.names(chars, s, (over, placing), out);
        if LINKS.contains(c) {
            out.push(Candidate::new(s + 1, Kind::Link, 20));
        }
        out.push(Candidate::new(s + 1, Kind::Unknown, 320));
    }

    fn punctuation(&self, chars: &[char], s: usize, out: &mut Vec<Candidate>) {
        let c = chars[s];
        if fold::opening(c) {
            if let Some(len) = chars[s..].iter().take(60).position(|&c| fold::closing(c)) {
                out.push(Candidate::new(s + len + 1, Kind::Note, 60));
            }
        }
        let bracket = fold::opening(c) || fold::closing(c);
        let mut end = s + 1;
        while !bracket && end < chars.len() && fold::separator(chars[end]) {
            end += 1;
        }
        out.push(Candidate::new(end, Kind::Separator, if bracket { 60 } else { 0 }));
    }

    /// Readings as a division; gives what a name that begins with one costs more.
    fn division(
        &self,
        chars: &[char],
        s: usize,
        len: usize,
        entries: &'static [Entry],
        out: &mut Vec<Candidate>,
    ) -> i32 {
        let alone = self.mentioned.iter().all(|&(at, _)| at == s);
        let mut best = [NEVER; 4];
        let levels = [Province, City, District, Town];
        let next = chars.get(s + len).copied().unwrap_or(' ');
        let mut over = 0;
        for entry in entries.iter().take(300) {
            let level = entry.level;
            let near = self.mentioned.iter().any(|(at, other)| *at != s && entry.related(other));
            let mut cost = division_cost(level, entry, len, near, alone);
            let turned = matches!(next, '东' | '西' | '南' | '北' | '中')
                && chars.get(s + len + 1).is_some_and(|&c| matches!(c, '路' | '街'));
            if entry.short
                && (turned
                    || matches!(
                        next,
                        '路' | '街' | '道' | '巷' | '村' | '弄' | '里' | '桥' | '镇' | '乡' | '县' | '区' | '市'
                    ))
            {
                cost += 150;
            }
            if entry.short && level == Town && matches!(chars[s + len - 1], '路' | '街' | '道') {
                cost += 150;
            }
            if let Some(i) = levels.iter().position(|&l| l == level) {
                best[i] = best[i].min(cost);
            }
            let surely = if level == Town { near } else { near || !entry.short };
            over = over.max(if !surely {
                0
            } else if entry.short {
                SHORT
            } else {
                150
            });
            // Its end is there, but another one than today.
            let end = match (level, next) {
                (Town, '镇' | '乡') | (District, '县' | '市' | '区') if entry.short => 1,
                (Town, '街') if entry.short && chars.get(s + len + 1) == Some(&'道') => 2,
                _ => continue,
            };
            let cost = if near { 40 } else { 110 };
            out.push(Candidate::one(s + len + end, level, cost));
            out.dedup_by(|a, b| (a.end, a.kind, a.cost) == (b.end, b.kind, b.cost));
        }
        for (level, cost) in levels.into_iter().zip(best) {
            if cost < NEVER {
                let zone = level == Town && chars[s..s + len].ends_with(&['区']);
                out.push(Candidate::one(s + len, if zone { Devzone } else { level }, cost));
            }
        }
        over
    }

    /// Names: by their endings, or up to where something else begins.
    fn names(&self, chars: &[char], s: usize, (over, placing): (Over, bool), out: &mut Vec<Candidate>) {
        let most = (s + 24).min(chars.len());
        let mut village = villages::Name::new();
        // Behind a number its unit is no beginning of a name.
        let unit = match chars[s] {
            _ if s > 0 && fold::digit(chars[s - 1]) && numbers::unit_at(chars, s) => 200,
            // Nor is what links two of them.
            '与' | '及' | '跟' => 120,
            _ => 0,
        };
        for e in s + 1..=most {
            let last = chars[e - 1];
            if fold::separator(last) || fold::opening(last) || fold::closing(last) {
                break;
            }
            if placing && e - s <= 4 {
                village.push(last);
                if e - s >= 2 && !self.named(e) && village.known() {
                    let follows = chars.get(e).is_some_and(|&c| {
                        matches!(
                            c,
                            '路' | '街'
                                | '道'
                                | '巷'
                                | '村'
                                | '弄'
                                | '里'
                                | '桥'
                                | '镇'
                                | '乡'
                                | '县'
                                | '区'
                                | '市'
                                | '社'
                        )
                    });
                    let cost = [230, 190, 210][e - s - 2]
                        + unit
                        + if follows || matches!(last, '路' | '街' | '道') { 180 } else { 0 };
                    out.push(Candidate { over: over.cost(e - s), ..Candidate::one(e, Community, cost) });
                }
            }
            if e > s + 2 && self.inner[e - 1] - self.inner[s + 1] > 900 {
                break;
            }
            if self.endings[e] > 0 {
                self.headed(chars, s, e, (over, unit), out);
            }
            if self.stops[e] && e - s >= 2 {
                let long = (e - s) as i32;
                let from = (s + 1).min(e);
                let inner = self.inner[e] - self.inner[from] + self.soft[e] - self.soft[from];
                let cost = unit + 300 + if long > 4 { 30 * (long - 4) } else { 0 } + inner;
                let over = over.cost(e - s);
                out.push(Candidate { over, ..Candidate::one(self.bracketed(chars, e), Poi, cost) });
                if long <= 4 {
                    out.push(Candidate { over, ..Candidate::one(e, Community, unit + 330 + inner) });
                }
            }
        }
    }

    fn headed(&self, chars: &[char], s: usize, e: usize, (over, unit): (Over, i32), out: &mut Vec<Candidate>) {
        let ending = self.words.get(self.endings[e] - 1);
        if ending.len > e - s {
            return;
        }
        let stem = e - s - ending.len;
        let sum = |of: &[i32]| if stem >= 2 { of[e - ending.len] - of[s + 1] } else { 0 };
        let (inner, soft) = (sum(&self.inner), sum(&self.soft));
        if inner > 900 {
            return;
        }
        let numbered = if fold::digit(chars[s]) || fold::letter(chars[s]) { 120 } else { 0 };
        let twice = chars[e - 1] == '村' && chars.get(e) == Some(&'村');
        let longer = if twice || self.goes_on(e, ending.len) { 110 } else { 0 };
        for head in &ending.heads {
            let Some(length) = length_cost(head.element, stem, ending.len) else { continue };
            let inner = match head.element {
                Road if stem >= 3 => (inner - numbered).max(0) + 2 * (self.soft[e - ending.len - 1] - self.soft[s + 1]),
                Road => (inner - numbered).max(0),
                // 石堰南区: the compound has a name of its own.
                Subpoi if stem > 0 && matches!(chars[e - 1], '区' | '门') && ending.len > 1 => inner + soft + 100,
                Poi if ending.joins => inner + soft * 2 / 5,
                // 掌起镇工业区, 宋家村工业园: the zone of what stands before.
                Devzone if stem >= 2 => {
                    inner + soft - (self.inner[e - ending.len] - self.inner[e - ending.len - 1]) * 3 / 4
                }
                // 共和新路街道
                Town if stem >= 2 => inner + soft - (self.inner[e - ending.len] - self.inner[e - ending.len - 1]),
                _ => inner + soft,
            };
            let taiwan = self.taiwan && head.element == Community && chars[e - 1] == '里';
            let own = if taiwan { -60 } else { head.cost };
            let cost = own + length + inner + longer + unit;
            let end = if head.element == Poi { self.bracketed(chars, e) } else { e };
            // 余杭经济开发区, but 永康 花川工业区.
            let own = head.element == Devzone && over.cost <= SHORT && stem == over.len;
            let over = if own { 0 } else { over.cost(e - s) };
            out.push(Candidate { over, ..Candidate::one(end, head.element, cost) });
        }
    }

    /// Whether what ends at `e` ends as points of interest do: 万达广场 is no village, though a community has its name.
    fn named(&self, e: usize) -> bool {
        self.endings[e] > 0 && {
            let head = self.words.get(self.endings[e] - 1).heads[0];
            head.element == Poi && head.cost <= 40
        }
    }

    /// Whether a longer ending goes on behind the one of `len` characters that ends at `e`: 工业园 of 工业园区.
    fn goes_on(&self, e: usize, len: usize) -> bool {
        (1..=3).any(|more| match self.endings.get(e + more) {
            Some(&ending) if ending > 0 => self.words.get(ending - 1).len >= len + more,
            _ => false,
        })
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

/// The states in which divisions follow.
const EXPECTING: [bool; STATES] = {
    let mut expecting = [false; STATES];
    expecting[START] = true;
    let mut state = Province as usize;
    while state <= Town as usize {
        expecting[state] = true;
        state += 1;
    }
    expecting
};

/// What it costs to have something in a state that is no element.
#[inline]
fn aside(state: usize, kind: Kind) -> i32 {
    match kind {
        Kind::Section if state != ROAD => NEVER,
        Kind::Link if !matches!(state, ROAD | LANE | POI) => 110,
        _ => 0,
    }
}

const ROAD: usize = Road as usize;
const LANE: usize = Lane as usize;
const POI: usize = Poi as usize;

/// What it costs to end in a state.
fn closing(state: usize) -> i32 {
    if state == Lane as usize { 20 } else { 0 }
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
        (true, _, true) if level == Town => -125,
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
            4 => 180,
            _ => 180 + over(4, 110),
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
        // 三村村 is one name.
        if n.element == Community && chars.get(n.end) == Some(&'村') {
            return;
        }
        out.push(Candidate::one(n.end, n.element, 70 + n.cost));
    });
    section(chars, s, out);
    phone(chars, s, out);
    let Some((first, whole)) = numbers::number(chars, s) else { return };
    // Without a unit: by what stands before.
    let numerals = fold::numeral(c);
    let odd = if numerals || numbers::prefix(c) { 150 } else { 0 };
    for end in if first == whole { [whole, 0] } else { [first, whole] } {
        if end > 0 && !numbers::unit_at(chars, end) {
            // More than 12-3 is no door of a road.
            let joins = chars[s..end].iter().filter(|&&c| c == '-').count().saturating_sub(1) as i32;
            for (element, cost) in [(Roadno, 120 + 80 * joins), (Roomno, 110), (Houseno, 260)] {
                out.push(Candidate::one(end, element, cost + odd));
            }
        }
    }
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

/// Whether a name ends as points of interest do.
pub(super) fn kind_named(name: &[char]) -> bool {
    let words = words();
    words
        .ending(name)
        .is_some_and(|i| words.get(i).heads.iter().any(|h| matches!(h.element, Poi | Devzone) && h.cost <= 40))
}
