//! Doors, lanes and streets: the rows of a reading, and the places between them.

use std::ops::Range;

use super::{Place, ROWS, Scored, Search};
use crate::element::Element;
use crate::find::fit::{self, Asked, Prices};
use crate::find::street::{self, Doors, Street};
use crate::find::{Level, Verdict, alike};
use crate::segment::row::{Group, PartKind, Row};
use crate::text::Unit;

/// Prices of what is not the door that was asked for.
const COVERED: f32 = 0.25;
const PARENT: f32 = 1.0;
const INTERPOLATED: f32 = 1.2;
const NO_NUMBER: f32 = 1.5;
const NO_LANE: f32 = 1.7;
const ROAD_ONLY: f32 = 0.5;
/// A door number elsewhere in the text.
const NUMBER_ELSEWHERE: f32 = 0.8;

impl Search<'_, '_> {
    /// All groups of a street reading.
    pub(super) fn street(&mut self, a: &Asked<'_>, s: &Street) {
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
    pub(super) fn narrow(&self, a: &Asked<'_>, rows: Range<u32>, from: usize) -> Vec<u32> {
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

    /// A place on a street that no row stands for, worked out from these rows.
    fn on_street(&mut self, a: &Asked<'_>, s: &Street, rows: &[u32], at: (i32, i32), level: Level, door: f32) {
        let view = self.view;
        let Some(&row) = rows.first() else { return };
        let zone = view.zone(&view.rows[row as usize]);
        let mut chain = self.chain(&zone);
        // A whole street lies in several towns.
        if level == Level::Road {
            (chain[3], chain[4]) = (0, 0);
        }
        let mut verdicts = Vec::new();
        let (division, before) = fit::prefix(a, &view, chain, s.from, true, &mut verdicts);
        verdicts.push((Element::Road, if s.typo { Verdict::Similar } else { Verdict::Agree }));
        if s.door.is_some() {
            verdicts.push((Element::Roadno, Verdict::Conflict));
        }
        let after = fit::leftover(a, s.end, &[]);
        let prices = Prices { division, before, street: s.slip, door, after, ..Prices::default() };
        let place = Place::Near { row, lon: at.0, lat: at.1 };
        let stale = !rows.iter().all(|k| self.holds(*k));
        self.out.push(Scored {
            source: self.number,
            place,
            level,
            prices,
            verdicts,
            street: Some(*s),
            typo: s.typo,
            stale,
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
        let rows: Vec<u32> = std::iter::once(low).chain(high).collect();
        self.on_street(a, s, &rows, at, Level::Interpolated, price);
    }

    fn road(&mut self, a: &Asked<'_>, s: &Street, group: &Group, end: Option<u32>, price: f32) {
        let end = end.filter(|k| self.shown(*k) && self.holds(*k));
        let Some(row) = end.or_else(|| self.first_shown(group.from..group.to)) else { return };
        let r = self.view.rows[row as usize];
        self.on_street(a, s, &[row], (r.lon, r.lat), Level::Road, price);
    }

    /// A street without a door: the street's own row if there is one, or its middle.
    fn all(&mut self, a: &Asked<'_>, s: &Street, group: &Group, rows: Range<u32>) {
        let own = |k: &u32| {
            let r = &self.view.rows[*k as usize];
            r.door | r.compound | r.poi | r.building == 0 && self.shown(*k)
        };
        let own = (rows.start..rows.end).take(4).filter(own).min_by_key(|k| !self.holds(*k));
        match own {
            Some(k) => self.row(a, k, s.from, s.end, Some(s), 0.0),
            None => {
                let Some(row) = self.first_shown(if rows.is_empty() { group.from..group.to } else { rows }) else {
                    return;
                };
                let r = self.view.rows[row as usize];
                // A door number elsewhere in the text belongs to another street than this.
                let price = ROAD_ONLY + if s.lane.is_none() && numbered(a, s) { NUMBER_ELSEWHERE } else { 0.0 };
                self.on_street(a, s, &[row], (r.lon, r.lat), Level::Road, price);
            }
        }
    }
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
