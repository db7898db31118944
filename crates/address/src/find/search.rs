//! The search itself: readings of the text, cheap ones first, their rows, and what each costs.

mod coarse;
mod crossing;
mod named;
mod on_street;

use std::ops::Range;

use super::fit::{self, Asked, Prices, Verdicts};
use super::mention::{self, Division, Mention, Step};
use super::street::{self, Street};
use super::{Level, Source};
use crate::element::Element;
use crate::segment::View;
use crate::segment::row::{Area, Zone};
use crate::text::{Kind, Text};

/// Where a candidate is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A row of the segment.
    Row(u32),
    /// On a street, between two doors or somewhere: a row that lies there, and where exactly.
    Near {
        row: u32,
        lon: i32,
        lat: i32,
    },
    /// Where the street of the row meets another one: at a vertex of both (`exact`), or between the doors of both that are nearest to
    /// each other.
    Crossing {
        row: u32,
        other: u32,
        lon: i32,
        lat: i32,
        exact: bool,
    },
    Zone(u32),
    Area(u32),
}

/// A candidate with its prices.
#[derive(Debug, Clone)]
pub struct Scored {
    pub source: usize,
    pub place: Place,
    pub level: Level,
    pub prices: Prices,
    pub verdicts: Verdicts,
    pub street: Option<Street>,
    pub typo: bool,
    /// The row holds no more, or not yet.
    pub stale: bool,
    /// The place in the text after the name of the compound or the point of interest.
    pub named_end: usize,
    /// The place in the text after all that was understood.
    pub end: usize,
}

impl Scored {
    pub fn total(&self) -> f32 {
        self.prices.total() + if self.stale { STALE } else { 0.0 }
    }

    /// A place without a text that it was found by.
    pub fn plain(source: usize, place: Place, level: Level, prices: Prices) -> Scored {
        Scored {
            source,
            place,
            level,
            prices,
            verdicts: Vec::new(),
            street: None,
            typo: false,
            stale: false,
            named_end: 0,
            end: 0,
        }
    }
}

/// What is kept between texts: what one source makes of the text.
#[derive(Default)]
pub struct Scratch {
    pub mentions: Vec<Mention>,
    pub steps: Vec<Step>,
    streets: Vec<Street>,
    /// The street that the text names is there.
    known: bool,
}

/// Another road than the one that is there as it is written.
const KNOWN: f32 = 0.8;
/// A search that found something at most this dear looks no further.
const GOOD: f32 = 0.45;
pub const FAIR: f32 = 0.9;
/// How many readings, groups and rows are tried.
const READINGS: usize = 12;
const ROWS: usize = 96;
/// A row that holds no more comes behind one that does.
const STALE: f32 = 0.1;

pub struct Search<'a, 's> {
    pub view: View<'a>,
    pub source: &'s Source<'a>,
    pub number: usize,
    pub t: &'s Text,
    pub dull: &'s [bool],
    pub bracketed: &'s [bool],
    pub divisions: &'s [Division],
    /// The text holds syllables in pinyin.
    pub spoken: bool,
    /// The day on which rows have to hold.
    pub day: Option<i32>,
    pub out: &'s mut Vec<Scored>,
}

impl<'a, 's> Search<'a, 's> {
    /// What the text says as it stands: its streets, then its names.
    pub fn as_written(&mut self, scratch: &mut Scratch) {
        let first = self.out.len();
        mention::scan(&self.view, self.t, &mut scratch.mentions);
        if self.spoken {
            mention::scan_spoken(&self.view, self.t, &mut scratch.mentions);
        }
        mention::renamed(&self.view, self.divisions, &mut scratch.mentions);
        mention::cover(self.t, self.dull, &scratch.mentions, self.divisions, &mut scratch.steps);
        let asked = self.asked(&scratch.mentions, &scratch.steps);
        let streets = &mut scratch.streets;
        streets.clear();
        streets.extend(asked.mentions.iter().filter_map(|m| street::of_mention(&self.view, self.t, m)));
        streets.sort_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal));
        streets.truncate(READINGS);
        streets.iter().filter(|s| s.slip == 0.0).for_each(|s| self.street(&asked, s));
        // Where the road as it is written is there, another one is hardly meant.
        scratch.known =
            self.out[first..].iter().any(|s| s.street.is_some() && s.prices.division < 0.3 && s.prices.before < 1.0);
        for s in streets.iter_mut().filter(|s| s.slip > 0.0) {
            s.slip += if scratch.known { KNOWN } else { 0.0 };
            self.street(&asked, s);
        }
        self.crossings(&asked, streets, 0);
        if self.best(first) > GOOD {
            self.names(&asked, streets);
        }
    }

    /// What the text may have meant, if nothing fits as it stands: misspelt streets and names, then the division alone.
    pub fn as_meant(&mut self, scratch: &mut Scratch) {
        let first = self.out.len();
        let asked = self.asked(&scratch.mentions, &scratch.steps);
        let streets = &mut scratch.streets;
        let written = streets.len();
        street::misspelt(&self.view, self.t, asked.steps, asked.mentions, streets);
        for s in &mut streets[written..] {
            s.slip += if scratch.known { KNOWN } else { 0.0 };
            self.street(&asked, s);
        }
        self.crossings(&asked, streets, written);
        // A road that is there and nothing but a number after it: no name is meant.
        let rest = streets[..written].iter().filter(|s| s.door.is_some() && s.slip == 0.0).map(|s| s.end).min();
        let han = |end: usize| (end..self.t.len()).filter(|i| self.t.kinds[*i] == Kind::Han && !self.dull[*i]).count();
        if !scratch.known || rest.is_none_or(|end| han(end) >= 2) {
            self.misspelt_names(&asked, &streets[..written]);
        }
        if self.best(first) > FAIR {
            self.named_divisions(&asked);
        }
    }

    fn asked<'q>(&self, mentions: &'q [Mention], steps: &'q [Step]) -> Asked<'q>
    where
        's: 'q,
    {
        let (t, dull, bracketed, divisions) = (self.t, self.dull, self.bracketed, self.divisions);
        Asked { t, dull, mentions, steps, bracketed, divisions, beside: super::dull::beside(t, bracketed) }
    }

    fn best(&self, first: usize) -> f32 {
        self.out[first..].iter().map(Scored::total).fold(f32::MAX, f32::min)
    }

    fn shown(&self, row: u32) -> bool {
        let id = self.view.rows.get(row as usize).map_or(0, |r| u64::from(r.id));
        self.source.shows(id)
    }

    /// Whether a row holds on the day that is asked for.
    fn holds(&self, row: u32) -> bool {
        self.day.is_none_or(|day| self.view.validity(row).holds(day))
    }

    /// A row that holds if there is one.
    fn first_shown(&self, rows: Range<u32>) -> Option<u32> {
        let middle = rows.start.midpoint(rows.end);
        let mut shown = (middle..rows.end).chain(rows.start..middle).take(10_000).filter(|k| self.shown(*k)).peekable();
        let first = shown.peek().copied();
        shown.find(|k| self.holds(*k)).or(first)
    }

    fn chain(&self, zone: &Zone) -> [u32; 5] {
        let Area { province, city, district } = self.view.area(zone.area);
        [province, city, district, zone.town, zone.community]
    }

    /// One row, with the text before `from` and the text after `to`.
    fn row(&mut self, a: &Asked<'_>, k: u32, from: usize, to: usize, s: Option<&Street>, door: f32) {
        let view = self.view;
        let row = &view.rows[k as usize];
        let mut verdicts = Vec::new();
        let (division, before) = fit::prefix(a, &view, self.chain(&view.zone(row)), from, s.is_some(), &mut verdicts);
        if let Some(s) = s {
            verdicts.push((Element::Road, if s.typo { super::Verdict::Similar } else { super::Verdict::Agree }));
            if s.door.is_some() {
                verdicts.push((Element::Roadno, super::Verdict::Agree));
            }
        }
        let tail = fit::tail(a, &view, row, from, to);
        verdicts.extend(tail.verdicts);
        let level = tail.level.unwrap_or(match (s, row.door) {
            (Some(s), d) if d != 0 && s.door.is_some() => Level::Number,
            (Some(_), _) => Level::Road,
            (None, _) => Level::Poi,
        });
        let stale = !self.holds(k);
        let prices = Prices {
            division,
            before,
            street: s.map_or(0.0, |s| s.slip),
            door,
            name: tail.name,
            inside: tail.inside,
            after: tail.after,
        };
        self.out.push(Scored {
            source: self.number,
            place: Place::Row(k),
            level,
            prices,
            verdicts,
            street: s.copied(),
            typo: tail.typo || s.is_some_and(|s| s.typo),
            stale,
            named_end: tail.named_end,
            end: tail.end,
        });
    }
}

/// Readings with a door before those without, well written ones before others, longer ones before shorter ones.
fn rank(s: &Street) -> (bool, f32, usize) {
    (s.door.is_none() && s.lane.is_none(), s.slip, usize::MAX - (s.named - s.from))
}
