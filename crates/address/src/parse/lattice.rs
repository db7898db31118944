//! All readings of a text as a lattice of spans, and the cheapest way through it.

use super::costs::{NEVER, START, STATES, Table, table};
use super::facts::Facts;
use crate::element::Element::{self, *};

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
pub(super) struct Candidate {
    pub end: usize,
    pub kind: Kind,
    pub cost: i32,
    /// What it costs more where a division is still to be expected: it begins with the name of one.
    pub over: i32,
}

impl Candidate {
    pub(super) fn new(end: usize, kind: Kind, cost: i32) -> Candidate {
        Candidate { end, kind, cost, over: 0 }
    }
    pub(super) fn one(end: usize, element: Element, cost: i32) -> Candidate {
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

/// What is kept between texts, to save the allocations.
pub(super) struct Lattice {
    table: &'static Table,
    facts: Facts,
    steps: Vec<[Step; STATES]>,
    /// The least cost at each position.
    reached: Vec<i32>,
    candidates: Vec<Candidate>,
}

impl Lattice {
    pub(super) fn new() -> Lattice {
        Lattice { table: table(), facts: Facts::new(), steps: Vec::new(), reached: Vec::new(), candidates: Vec::new() }
    }

    /// The cheapest reading of folded characters, in order and without gaps.
    pub(super) fn read(&mut self, chars: &[char], spans: &mut Vec<Span>) {
        spans.clear();
        if chars.is_empty() {
            return;
        }
        self.facts.look(chars);
        self.steps.clear();
        self.steps.resize(chars.len() + 1, [UNREACHED; STATES]);
        self.steps[0][START].cost = 0;
        self.reached.clear();
        self.reached.resize(chars.len() + 1, NEVER);
        self.reached[0] = 0;
        let mut candidates = std::mem::take(&mut self.candidates);
        for s in 0..chars.len() {
            let here = self.reached[s];
            let ahead = self.reached[s + 1..(s + 8).min(chars.len() + 1)].iter().copied().min().unwrap_or(NEVER);
            if here >= NEVER || here > ahead.saturating_add(SLACK) {
                continue;
            }
            candidates.clear();
            let placing = PLACING.iter().any(|&state| self.steps[s][state].cost < here + 200);
            self.facts.gather(s, placing, &mut candidates);
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

/// The states in which a place without any ending to its name may follow.
const PLACING: [usize; 7] =
    [START, Province as usize, City as usize, District as usize, Devzone as usize, Town as usize, Community as usize];

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
