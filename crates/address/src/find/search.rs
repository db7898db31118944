//! The search itself: readings of the text, cheap ones first, their rows, and what each costs.

use std::ops::Range;

use super::fit::{self, Asked, Prices, Verdicts};
use super::mention::{self, Division, Mention, Step, Why};
use super::street::{self, Doors, Street};
use super::{Level, Source, alike};
use crate::code;
use crate::element::Element;
use crate::segment::View;
use crate::segment::forms::{Form, role};
use crate::segment::row::{Area, Group, PartKind, Row, Zone};
use crate::segment::table::Hash;
use crate::text::{Kind, Text, Unit};

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
    /// The place in the text after the name of the compound or the point of interest.
    pub named_end: usize,
    /// The place in the text after all that was understood.
    pub end: usize,
}

impl Scored {
    pub fn total(&self) -> f32 {
        self.prices.total()
    }

    /// A place without a text that it was found by.
    pub fn plain(source: usize, place: Place, level: Level, prices: Prices) -> Scored {
        Scored { source, place, level, prices, verdicts: Vec::new(), street: None, typo: false, named_end: 0, end: 0 }
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

/// Prices of what is not the door that was asked for.
const COVERED: f32 = 0.25;
const PARENT: f32 = 1.0;
const INTERPOLATED: f32 = 1.2;
const NO_NUMBER: f32 = 1.5;
const NO_LANE: f32 = 1.7;
const ROAD_ONLY: f32 = 0.5;
const OTHER_DOOR: f32 = 1.6;
/// A door was asked for, and only its division is answered.
const UNANSWERED: f32 = 1.5;
/// Another road than the one that is there as it is written.
const KNOWN: f32 = 0.8;
/// A name that goes on as a road: 红宝石路726号 is not the shop 红宝石.
const A_ROAD: f32 = 1.5;
/// A division alone, where more was asked for.
const COARSE: f32 = 2.4;
/// A search that found something at most this dear looks no further.
const GOOD: f32 = 0.45;
pub const FAIR: f32 = 0.9;
/// How many readings, groups and rows are tried.
const READINGS: usize = 12;
const ROWS: usize = 96;

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

    fn first_shown(&self, rows: Range<u32>) -> Option<u32> {
        let middle = rows.start.midpoint(rows.end);
        (middle..rows.end).chain(rows.start..middle).take(10_000).find(|k| self.shown(*k))
    }

    fn chain(&self, zone: &Zone) -> [u32; 5] {
        let Area { province, city, district } = self.view.area(zone.area);
        [province, city, district, zone.town, zone.community]
    }

    /// All groups of a street reading.
    fn street(&mut self, a: &Asked<'_>, s: &Street) {
        for group in self.view.groups(s.name) {
            match street::doors(&self.view, group, s) {
                Doors::Rows(rows) => self.rows(a, s, rows, 0.0),
                Doors::Covering(rows) => self.rows(a, s, rows, COVERED),
                Doors::Parent(rows) => self.near(a, s, rows.start, None, PARENT),
                Doors::Between(Some(low), Some(high)) => self.near(a, s, low, Some(high), INTERPOLATED),
                Doors::Between(Some(one), None) | Doors::Between(None, Some(one)) => {
                    self.road(a, s, group, Some(one), NO_NUMBER)
                }
                Doors::Between(None, None) => self.road(a, s, group, None, NO_NUMBER),
                Doors::NoLane => self.road(a, s, group, None, NO_LANE),
                Doors::All(rows) => self.all(a, s, group, rows),
            }
        }
    }

    /// The rows of one door: those among them that fit the rest of the text.
    fn rows(&mut self, a: &Asked<'_>, s: &Street, rows: Range<u32>, door: f32) {
        let chosen: Vec<u32> = if rows.len() <= 8 { rows.collect() } else { self.narrow(a, rows, s.end) };
        for k in chosen.into_iter().filter(|k| self.shown(*k)).collect::<Vec<_>>() {
            self.row(a, k, s.from, s.end, Some(s), door);
        }
    }

    /// Of many rows of one place those that may be meant: by compound, then by building and unit.
    fn narrow(&self, a: &Asked<'_>, rows: Range<u32>, from: usize) -> Vec<u32> {
        let view = &self.view;
        let mut chosen = Vec::new();
        let mut at = rows.start;
        let text = &a.t.units[from..];
        let named = |name: u32| name != 0 && a.mentions.iter().any(|m| m.name == name && m.from >= from);
        while at < rows.end && chosen.len() < ROWS {
            let compound = view.rows[at as usize].compound;
            let end = at + view.rows[at as usize..rows.end as usize].partition_point(|r| r.compound == compound) as u32;
            let start = match alike::find(view.name_key(compound), text) {
                Some(f) if f.likeness > 0.5 => from + f.to,
                _ => from,
            };
            let inside = fit::first_inside(a, start);
            let mut run = at..end;
            for (kind, code, of) in [
                (PartKind::Building, inside.building.or(inside.floor), (|r: &Row| r.building) as fn(&Row) -> u32),
                (PartKind::Unit, inside.unit, |r: &Row| r.unit),
            ] {
                let Some(code) = code else { break };
                let sub = street::part(view.rows, &run, &view.part_ids(kind, code), of);
                if sub.is_empty() {
                    break;
                }
                run = sub;
            }
            chosen.push(at);
            let rooms = inside.room.map(|code| view.part_ids(PartKind::Room, code));
            let fits = |k: &u32| rooms.as_ref().is_none_or(|ids| ids.contains(&view.rows[*k as usize].room));
            chosen.extend(run.clone().take(4000).filter(fits).take(ROWS / 2));
            chosen.extend(run.clone().take(2));
            chosen.extend(run.take(4000).filter(|k| named(view.rows[*k as usize].poi)).take(8));
            at = end;
        }
        chosen.sort_unstable();
        chosen.dedup();
        chosen
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
            named_end: tail.named_end,
            end: tail.end,
        });
    }

    /// A place on a street that no row stands for.
    fn on_street(
        &mut self,
        a: &Asked<'_>,
        s: &Street,
        row: u32,
        at: (i32, i32),
        level: Level,
        door: f32,
        whole_street: bool,
    ) {
        let view = self.view;
        let zone = view.zone(&view.rows[row as usize]);
        let mut chain = self.chain(&zone);
        if whole_street {
            (chain[3], chain[4]) = (0, 0);
        }
        let mut verdicts = Vec::new();
        let (division, before) = fit::prefix(a, &view, chain, s.from, true, &mut verdicts);
        verdicts.push((Element::Road, if s.typo { super::Verdict::Similar } else { super::Verdict::Agree }));
        if s.door.is_some() {
            verdicts.push((Element::Roadno, super::Verdict::Conflict));
        }
        let after = fit::leftover(a, s.end, &[]);
        let prices = Prices { division, before, street: s.slip, door, after, ..Prices::default() };
        let place = Place::Near { row, lon: at.0, lat: at.1 };
        self.out.push(Scored {
            source: self.number,
            place,
            level,
            prices,
            verdicts,
            street: Some(*s),
            typo: s.typo,
            named_end: s.end,
            end: s.end,
        });
    }

    /// Between two doors, in proportion; or at the one.
    fn near(&mut self, a: &Asked<'_>, s: &Street, low: u32, high: Option<u32>, price: f32) {
        if !self.shown(low) || high.is_some_and(|h| !self.shown(h)) {
            return;
        }
        let view = self.view;
        let main = |k: u32| (view.part_code(PartKind::Door, view.rows[k as usize].door) >> 32) as f64;
        let l = view.rows[low as usize];
        let mut at = (l.lon, l.lat);
        if let (Some(h), Some(door)) = (high, s.door) {
            let (from, to) = (main(low), main(h));
            let h = view.rows[h as usize];
            let share = if to > from { (f64::from(door.value.main) - from) / (to - from) } else { 0.0 };
            let between = |a: i32, b: i32| a + (f64::from(b - a) * share.clamp(0.0, 1.0)) as i32;
            at = (between(l.lon, h.lon), between(l.lat, h.lat));
        }
        self.on_street(a, s, low, at, Level::Interpolated, price, false);
    }

    fn road(&mut self, a: &Asked<'_>, s: &Street, group: &Group, end: Option<u32>, price: f32) {
        let Some(row) = end.filter(|k| self.shown(*k)).or_else(|| self.first_shown(group.from..group.to)) else {
            return;
        };
        let r = self.view.rows[row as usize];
        self.on_street(a, s, row, (r.lon, r.lat), Level::Road, price, true);
    }

    /// A street without a door: the street's own row if there is one, or its middle.
    fn all(&mut self, a: &Asked<'_>, s: &Street, group: &Group, rows: Range<u32>) {
        let own = (rows.start..rows.end).take(4).find(|k| {
            let r = &self.view.rows[*k as usize];
            r.door | r.compound | r.poi | r.building == 0 && self.shown(*k)
        });
        match own {
            Some(k) => self.row(a, k, s.from, s.end, Some(s), 0.0),
            None => {
                let Some(row) = self.first_shown(if rows.is_empty() { group.from..group.to } else { rows }) else {
                    return;
                };
                let r = self.view.rows[row as usize];
                // A door number elsewhere in the text belongs to another street than this.
                let price = ROAD_ONLY + if s.lane.is_none() && numbered(a, s) { 0.8 } else { 0.0 };
                self.on_street(a, s, row, (r.lon, r.lat), Level::Road, price, true);
            }
        }
    }

    /// Compounds and points of interest that the text names.
    fn names(&mut self, a: &Asked<'_>, streets: &[Street]) {
        // 四川北路(地铁站) is not meant where the road itself, or a division, is.
        let only_plain = |m: &Mention| {
            let same = a.mentions.iter().filter(|o| (o.from, o.to) == (m.from, m.to));
            m.form == Form::Plain && same.into_iter().any(|o| o.roles & (role::STREET | role::DIVISION) != 0)
        };
        let wanted = |m: &&Mention| m.roles & (role::COMPOUND | role::POI) != 0 && !only_plain(m);
        let mut named: Vec<&Mention> = a.mentions.iter().filter(wanted).collect();
        named.sort_by_key(|m| (m.form != Form::Full, usize::MAX - m.len()));
        named.truncate(READINGS);
        for m in named {
            self.named(a, m.name, m.from, streets);
        }
    }

    /// The rows of a compound or a point of interest, its name being somewhere from `from` on.
    fn named(&mut self, a: &Asked<'_>, name: u32, from: usize, streets: &[Street]) {
        let view = self.view;
        let spans = view.spans(name);
        let door = road_door(a.t);
        for span in spans.iter().take(64) {
            let rows = span.from..span.to;
            let chosen: Vec<u32> = if rows.len() <= 8 { rows.collect() } else { self.narrow(a, rows, from) };
            for k in chosen.into_iter().filter(|k| self.shown(*k)).collect::<Vec<_>>() {
                let row = view.rows[k as usize];
                let on = streets.iter().find(|s| s.name == row.street && s.end <= from);
                match on {
                    Some(s) => {
                        let door = match s.door {
                            Some(d) if view.part_code(PartKind::Door, row.door) != d.value.code() => OTHER_DOOR,
                            Some(_) => 0.0,
                            None => 0.05,
                        };
                        self.row(a, k, s.from, s.end, Some(s), door);
                    }
                    None => {
                        let first = self.out.len();
                        self.row(a, k, from, from, None, 0.1);
                        for s in self.out[first..].iter_mut() {
                            let on = street::road_type(a.t, s.named_end)
                                .is_some_and(|n| a.t.kinds.get(s.named_end + n).is_some_and(|k| k.is_digit()));
                            let elsewhere = door.is_some_and(|d| d != view.part_code(PartKind::Door, row.door));
                            s.prices.name += if on { A_ROAD } else { 0.0 } + if elsewhere { OTHER_DOOR } else { 0.0 };
                        }
                    }
                }
            }
        }
    }

    /// Names that the text nearly has: by the pairs of characters that they share with what no division explains.
    fn misspelt_names(&mut self, a: &Asked<'_>, streets: &[Street]) {
        let from = after_divisions(a);
        let units = &a.t.units[from..];
        let mut shared: rustc_hash::FxHashMap<u32, f32> = rustc_hash::FxHashMap::default();
        for (k, pair) in units.windows(2).enumerate() {
            if a.dull[from + k] || a.dull[from + k + 1] {
                continue;
            }
            let hash = Hash::of(pair).value();
            let count = self.view.grams.get(hash).count();
            if count > 0 {
                let weight = 1.0 / (count as f32).sqrt();
                self.view.grams.get(hash).for_each(|name| *shared.entry(name).or_default() += weight);
            }
        }
        let mut best: Vec<(u32, f32)> =
            shared.into_iter().filter(|(name, _)| self.view.role(*name) & (role::COMPOUND | role::POI) != 0).collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(READINGS);
        self.swapped(a, from, &mut best);
        for (name, _) in best {
            let key = self.own_part(self.view.name_key(name));
            if key.iter().take_while(|u| **u != 0x28).filter(|u| **u >= 0x80).count() < 2 {
                continue;
            }
            let words = |f: &alike::Found| {
                (f.from..f.to)
                    .filter(|i| a.t.kinds[from + i] != Kind::Digit && a.t.kinds[from + i] != Kind::Numeral)
                    .count()
            };
            let Some(f) = alike::find(key, units).filter(|f| f.likeness >= 0.6 && words(f) >= 2) else { continue };
            // 槿鸟卫生室 has only its kind in common with other 卫生室.
            let core = self.without_kind(key);
            if alike::find(core, units).is_none_or(|f| f.likeness < 0.6) {
                continue;
            }
            let first = self.out.len();
            self.named(a, name, from + f.from, streets);
            // Without a street a name must say all by itself.
            let share = ((f.to - f.from) as f32 / key.len() as f32).min(1.0);
            for s in self.out[first..].iter_mut().filter(|s| s.street.is_none()) {
                s.prices.name += (1.0 - f.likeness) * 2.0 + (1.0 - share);
            }
        }
    }

    /// Short names that share no pair with the text, for two characters are in each other's place or one is another: the whole rest of
    /// the text, or what stands before its first number or sign.
    fn swapped(&self, a: &Asked<'_>, from: usize, names: &mut Vec<(u32, f32)>) {
        let t = a.t;
        let part = (from..t.len())
            .find(|i| t.kinds[*i].is_digit() || t.kinds[*i] == Kind::Sign || a.dull[*i] || (*i > from && t.gaps[*i]));
        for end in [part.unwrap_or(t.len()), t.len()] {
            let written = &t.units[from.min(end)..end];
            if (3..=11).contains(&written.len()) {
                street::each_near(&self.view, written, |name| {
                    if self.view.role(name) & (role::COMPOUND | role::POI) != 0
                        && names.len() < 40
                        && !names.iter().any(|n| n.0 == name)
                    {
                        names.push((name, 0.0));
                    }
                });
            }
        }
    }

    /// A name without the end that it shares with many others.
    fn without_kind(&self, key: &'a [Unit]) -> &'a [Unit] {
        let many = (self.view.names() / 1000).max(8) as usize;
        let mut end = key.len();
        while end > 3 {
            let hash = Hash::of(&key[end - 2..end]).value();
            let count = self.view.grams.get(hash).take(many + 1).count();
            // None at all: so common that it was left out.
            if count > 0 && count <= many {
                break;
            }
            end -= 1;
        }
        if end < key.len() { &key[..end.saturating_sub(1).max(2)] } else { key }
    }

    /// A name without the divisions that it begins with: all schools of a district begin alike.
    fn own_part(&self, key: &'a [Unit]) -> &'a [Unit] {
        let mut rest = key;
        while let Some(n) = (2..=rest.len().saturating_sub(2).min(8)).rev().find(|n| {
            let named = self.view.exact.get(Hash::of(&rest[..*n]).value()).map(View::named);
            named
                .into_iter()
                .any(|n| self.view.role(n.name) & (role::CITY | role::DISTRICT | role::TOWN | role::PROVINCE) != 0)
        }) {
            rest = &rest[n..];
        }
        rest
    }

    /// The finest division that the text names.
    fn named_divisions(&mut self, a: &Asked<'_>) {
        let view = self.view;
        let mut named: Vec<u32> = Vec::new();
        let (mut at, mut bare) = (a.t.len(), 0);
        while at > 0 && a.steps[at].cost < f32::MAX {
            let s = a.steps[at];
            match s.why {
                Why::Mention(k) => {
                    named.extend(a.mentions[k..].iter().take_while(|m| (m.from, m.to) == (s.from, at)).map(|m| m.name))
                }
                // Another province or city is not to be answered by a district of the same name.
                Why::Foreign(k) if a.divisions[k].level <= Element::City => return,
                Why::Bare => bare += 1,
                Why::Filler | Why::Foreign(_) => {}
            }
            at = s.from;
        }
        if named.is_empty() {
            return;
        }
        let asked_for_more = (0..a.t.len()).any(|i| a.t.kinds[i].is_digit() && !a.dull[i]) && bare > 0;
        let price = COARSE + (bare as f32 * 0.05).min(1.0) + if asked_for_more { UNANSWERED } else { 0.0 };
        let agreed = |z: &Zone| self.chain(z).map(|n| n != 0 && named.contains(&n));
        let count = |z: &Zone| agreed(z).iter().filter(|x| **x).count();
        let Some(most) = view.zones.iter().filter(|z| z.rows > 0).map(count).max().filter(|n| *n > 0) else { return };
        let mut best: Vec<(u32, Zone)> = view
            .zones
            .iter()
            .enumerate()
            .filter(|(_, z)| z.rows > 0 && count(z) == most)
            .map(|(k, z)| (k as u32, *z))
            .collect();
        best.sort_by_key(|(_, z)| (!agreed(z)[4], !agreed(z)[3], z.own == 0, u32::MAX - z.rows));
        let Some((k, z)) = best.into_iter().find(|(k, _)| self.zone_shown(*k)) else { return };
        let levels = agreed(&z);
        let (level, place) = match (levels[4], levels[3]) {
            (true, _) => (Level::Village, z.own.checked_sub(1).map_or(Place::Zone(k), Place::Row)),
            (_, true) => (Level::Street, Place::Zone(k)),
            _ => (Level::District, Place::Area(z.area)),
        };
        let mut verdicts = Vec::new();
        let (division, _) = fit::prefix(a, &view, self.chain(&z), a.t.len(), false, &mut verdicts);
        let prices = Prices { division, before: price, ..Prices::default() };
        self.out.push(Scored {
            source: self.number,
            place,
            level,
            prices,
            verdicts,
            street: None,
            typo: false,
            named_end: a.t.len(),
            end: a.t.len(),
        });
    }

    /// Whether a caller who sees only some rows may know of a zone: with a limited view no zone is answered.
    fn zone_shown(&self, _zone: u32) -> bool {
        self.source.visible.is_none()
    }
}

/// Readings with a door before those without, well written ones before others, longer ones before shorter ones.
fn rank(s: &Street) -> (bool, f32, usize) {
    (s.door.is_none() && s.lane.is_none(), s.slip, usize::MAX - (s.named - s.from))
}

/// The place after the divisions that the text begins with.
fn after_divisions(a: &Asked<'_>) -> usize {
    let mut ends: Vec<(usize, bool)> = Vec::new();
    let mut at = a.t.len();
    while at > 0 && a.steps[at].cost < f32::MAX {
        ends.push((at, matches!(a.steps[at].why, Why::Bare)));
        at = a.steps[at].from;
    }
    ends.iter().rev().take_while(|e| !e.1).map(|e| e.0).last().unwrap_or(0)
}

/// Whether a door number stands in the text that the street does not have.
fn numbered(a: &Asked<'_>, s: &Street) -> bool {
    (1..a.t.len()).any(|i| {
        let apart = i < s.from || i >= s.end;
        apart
            && !a.dull[i]
            && a.t.kinds[i - 1].is_digit()
            && a.t.units[i] == '号' as Unit
            && a.t.units.get(i + 1) != Some(&('楼' as Unit))
    })
}

/// The door that stands behind a road's word: 某某路172号.
fn road_door(t: &Text) -> Option<u64> {
    (2..t.len())
        .filter(|i| t.kinds[*i].is_digit() && "路街道巷弄段".chars().any(|c| c as Unit == t.units[i - 1]))
        .find_map(|i| {
            let at = code::lanes(t, i).map_or(i, |l| l.end);
            code::door(t, at).filter(|d| d.explicit).map(|d| d.value.code())
        })
}
