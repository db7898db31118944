//! From scored places to an answer: the best first, their probability, their text.

use super::odds::odds;
use super::search::{Place, Scored};
use super::{AUTO, Answer, Candidate, Fault, Level, Named, Query, Source, Verdict};
use crate::element::Element;
use crate::record::Validity;
use crate::segment::View;
use crate::segment::row::{DEGREE, PartKind, Row};
use crate::text::{Kind, Text, key};

/// Two places further apart than this are two places.
const APART: f64 = 60.0;
/// Two candidates whose prices differ by less fit equally well.
const EQUAL: f32 = 0.06;

/// The price of a city that is not the candidate's; a candidate that dear is none.
const ELSEWHERE: f32 = 3.5;
/// A total price from which on a candidate is none.
const HOPELESS: f32 = 3.6;

/// What a division alone costs before anything is wrong with it.
fn coarseness(level: Level) -> f32 {
    if level <= Level::Village { 2.4 } else { 0.0 }
}

pub fn make(
    sources: &[Source<'_>],
    query: &Query<'_>,
    t: &Text,
    dull: &[bool],
    strange: bool,
    found: &mut Vec<Scored>,
) -> Answer {
    let views: Vec<Option<View<'_>>> = sources.iter().map(|s| s.segment.view().ok()).collect();
    let mut ranked: Vec<(f32, Candidate, usize)> = Vec::new();
    found.sort_by(|a, b| {
        let p = |s: &Scored| sources[s.source].priority;
        (a.total() + f32::from(p(a)) * 1e-4).total_cmp(&(b.total() + f32::from(p(b)) * 1e-4))
    });
    found.dedup_by(|b, a| a.source == b.source && a.place == b.place);
    let limit = query.limit.max(1);
    for (k, s) in found.iter().enumerate() {
        if ranked.len() >= limit.max(4) {
            break;
        }
        let Some(view) = &views[s.source] else { continue };
        if ranked.iter().any(|(_, c, other)| found[*other].place == s.place && c.source == sources[s.source].tag) {
            continue;
        }
        if query.level.is_some_and(|l| s.level < l) {
            continue;
        }
        let c = candidate(view, sources[s.source].tag, s);
        if query.division.is_some_and(|d| !in_division(&c, d)) {
            continue;
        }
        ranked.push((s.total(), c, k));
    }
    if let Some(near) = query.near {
        let best = ranked.first().map_or(0.0, |r| r.0);
        let equal = ranked.iter().take_while(|r| r.0 - best < EQUAL).count();
        ranked[..equal].sort_by(|a, b| metres(near, (a.1.lon, a.1.lat)).total_cmp(&metres(near, (b.1.lon, b.1.lat))));
    }
    rate(&mut ranked, found);
    let faults = faults(&ranked, found);
    let end = ranked.first().map_or(0, |r| found[r.2].end);
    let remainder = (end..t.len())
        .filter(|k| !dull[*k] && t.kinds[*k] != Kind::Sign)
        .map(|k| crate::text::character(t.units[k]))
        .collect();
    // Another city, or nothing that the text and the place have in common.
    ranked.retain(|r| {
        let p = &found[r.2].prices;
        // Another road in another district shares nothing but a number.
        let other_road = p.division > 1.0 && p.street > 1.0;
        p.division < ELSEWHERE && !other_road && r.0 < HOPELESS + coarseness(r.1.match_level)
    });
    let faults = match ranked.is_empty() {
        true if strange || found.first().is_some_and(|s| s.prices.division >= ELSEWHERE) => vec![Fault::OtherPlace],
        true => vec![Fault::NotAnAddress],
        false => faults,
    };
    ranked.truncate(limit);
    Answer { candidates: ranked.into_iter().map(|r| r.1).collect(), faults, remainder }
}

/// Gives each its probability.
fn rate(ranked: &mut [(f32, Candidate, usize)], found: &[Scored]) {
    let rivals: Vec<f32> = (0..ranked.len())
        .map(|k| {
            let (price, c, _) = &ranked[k];
            let other = |o: &&(f32, Candidate, usize)| {
                metres((c.lon, c.lat), (o.1.lon, o.1.lat)) > APART
                    || o.1.match_level > Level::Interpolated && o.1.id != c.id
            };
            ranked
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != k)
                .map(|(_, o)| o)
                .filter(other)
                .map(|o| o.0 - price)
                .fold(9.0, f32::min)
        })
        .collect();
    for (r, margin) in ranked.iter_mut().zip(rivals) {
        let (p, stale) = (&found[r.2].prices, found[r.2].stale);
        let prices = [p.division, p.before, p.street, p.door, p.name, p.inside, p.after];
        r.1.score = odds(r.1.match_level, prices, margin);
        // The place that it was is right, but somebody should know. A crossing between doors is somewhere near.
        let near = matches!(found[r.2].place, Place::Crossing { exact: false, .. });
        if stale || near {
            r.1.score = r.1.score.min(AUTO - 0.01);
        }
        r.1.parts.push(("margin", margin.clamp(0.0, 1.0)));
    }
}

fn faults(ranked: &[(f32, Candidate, usize)], found: &[Scored]) -> Vec<Fault> {
    let Some((price, best, k)) = ranked.first() else { return vec![Fault::NotAnAddress] };
    let s = &found[*k];
    let mut faults = Vec::new();
    if ranked.get(1).is_some_and(|o| o.0 - price < EQUAL && metres((best.lon, best.lat), (o.1.lon, o.1.lat)) > APART) {
        faults.push(Fault::Ambiguous);
    }
    if matches!(s.level, Level::Interpolated | Level::Road) && s.street.is_some_and(|s| s.door.is_some()) {
        faults.push(Fault::NumberNotFound);
    }
    if s.prices.division > 0.3 {
        faults.push(Fault::DivisionConflict);
    }
    if s.typo {
        faults.push(Fault::Typo);
    }
    if s.stale {
        faults.push(Fault::Expired);
    }
    if s.street.is_none() && s.level <= Level::Village {
        faults.push(Fault::RoadNotFound);
    }
    faults
}

fn in_division(c: &Candidate, division: &str) -> bool {
    let wanted = key(division);
    c.elements.iter().any(|e| e.element <= Element::Community && key(&e.text).starts_with(&wanted))
}

/// The distance on a sphere, near enough for short ways.
pub fn metres(a: (f64, f64), b: (f64, f64)) -> f64 {
    const DEGREE_METRES: f64 = 111_195.0;
    let x = (a.0 - b.0) * a.1.midpoint(b.1).to_radians().cos();
    x.hypot(a.1 - b.1) * DEGREE_METRES
}

/// Writes a door number or a part of a building with the word that says what it is.
fn with_kind(text: &str, words: &[&str], default: &str) -> String {
    let plain = text.chars().last().is_some_and(|c| c.is_ascii_alphanumeric());
    if plain && !words.iter().any(|w| text.ends_with(w)) { format!("{text}{default}") } else { text.to_owned() }
}

/// The elements of a row, as its source writes them.
pub fn elements(view: &View<'_>, r: &Row) -> Vec<(Element, String)> {
    let zone = view.zone(r);
    let area = view.area(zone.area);
    let mut all = Vec::new();
    let mut add = |element, text: &str| {
        if !text.is_empty() {
            all.push((element, text.to_owned()));
        }
    };
    add(Element::Province, view.shown(area.province));
    add(Element::City, view.shown(area.city));
    add(Element::District, view.shown(area.district));
    add(Element::Town, view.shown(zone.town));
    add(Element::Community, view.shown(zone.community));
    if r.street != zone.community && r.street != r.compound {
        add(Element::Road, view.shown(r.street));
    }
    add(Element::Lane, view.part_shown(PartKind::Lane, r.lane));
    add(Element::Roadno, &with_kind(view.part_shown(PartKind::Door, r.door), &["号", "號"], "号"));
    add(Element::Compound, view.shown(r.compound));
    add(Element::Houseno, &with_kind(view.part_shown(PartKind::Building, r.building), &[], "号楼"));
    add(Element::Cellno, &with_kind(view.part_shown(PartKind::Unit, r.unit), &[], "单元"));
    add(Element::Floorno, &with_kind(view.part_shown(PartKind::Floor, r.floor), &["F"], "层"));
    add(Element::Roomno, &with_kind(view.part_shown(PartKind::Room, r.room), &[], "室"));
    add(Element::Poi, view.shown(r.poi));
    all
}

fn label(elements: &[Named]) -> String {
    use Element::{Compound, Intersection, Poi, Road};
    let village = !elements.iter().any(|e| matches!(e.element, Road | Intersection | Poi | Compound));
    let said = |e: &&Named| e.element != Element::Community || village;
    elements.iter().filter(said).map(|e| e.text.as_str()).collect()
}

pub fn candidate(view: &View<'_>, tag: u32, s: &Scored) -> Candidate {
    let (row, at, id) = match s.place {
        Place::Row(k) => {
            let r = view.rows[k as usize];
            (r, (r.lon, r.lat), Some(k))
        }
        Place::Near { row, lon, lat } => {
            let r = view.rows[row as usize];
            let kept = if s.level == Level::Interpolated { r.zone } else { zone_of_area(view, &r) };
            let lane = if s.street.is_some_and(|s| s.lane.is_some()) { r.lane } else { 0 };
            (Row { street: r.street, lane, zone: kept, ..Row::default() }, (lon, lat), None)
        }
        Place::Crossing { row, lon, lat, .. } => {
            let r = view.rows[row as usize];
            (Row { zone: zone_of_area(view, &r), ..Row::default() }, (lon, lat), None)
        }
        Place::Zone(k) => {
            let z = view.zones[k as usize];
            (Row { zone: k, ..Row::default() }, (z.lon, z.lat), None)
        }
        Place::Area(k) => {
            let zone = view.zones.iter().position(|z| z.area == k).unwrap_or(0) as u32;
            (Row { zone, ..Row::default() }, middle(view, k), None)
        }
    };
    let mut said = elements(view, &row);
    if s.level <= Level::District {
        said.retain(|e| e.0 <= Element::District);
    } else if s.level == Level::Street {
        said.retain(|e| e.0 <= Element::Town);
    }
    if let Place::Crossing { row, other, .. } = s.place {
        let street = view.shown(view.rows[row as usize].street);
        said.push((Element::Intersection, format!("{street}与{}交叉口", view.shown(other))));
    }
    let verdict = |element| s.verdicts.iter().rev().find(|v| v.0 == element).map_or(Verdict::Absent, |v| v.1);
    let elements: Vec<Named> =
        said.into_iter().map(|(element, text)| Named { element, text, verdict: verdict(element) }).collect();
    let part = |name, price: f32| (name, 1.0 / (1.0 + price));
    let p = &s.prices;
    Candidate {
        source: tag,
        id: id.map(|_| u64::from(row.id)),
        key: id.map(|k| view.key(k)).filter(|k| !k.is_empty()).map(str::to_owned),
        label: label(&elements),
        lon: f64::from(at.0) / DEGREE,
        lat: f64::from(at.1) / DEGREE,
        score: 0.0,
        match_level: s.level,
        coordinate_level: match s.place {
            Place::Crossing { exact: false, .. } => Level::Interpolated,
            _ => coordinate_level(&row, s.level),
        },
        elements,
        valid: id.map_or(Validity::ALWAYS, |k| view.validity(k)),
        parts: vec![
            part("division", p.division),
            part("before", p.before),
            part("street", p.street),
            part("door", p.door),
            part("name", p.name),
            part("inside", p.inside),
            part("after", p.after),
        ],
    }
}

fn zone_of_area(view: &View<'_>, r: &Row) -> u32 {
    let area = view.zone(r).area;
    view.zones.iter().position(|z| z.area == area && z.town == 0 && z.community == 0).map_or(r.zone, |k| k as u32)
}

fn middle(view: &View<'_>, area: u32) -> (i32, i32) {
    let (mut lon, mut lat, mut rows) = (0i64, 0i64, 0i64);
    for z in view.zones.iter().filter(|z| z.area == area) {
        lon += i64::from(z.lon) * i64::from(z.rows);
        lat += i64::from(z.lat) * i64::from(z.rows);
        rows += i64::from(z.rows);
    }
    let rows = rows.max(1);
    ((lon / rows) as i32, (lat / rows) as i32)
}

fn coordinate_level(row: &Row, level: Level) -> Level {
    match level {
        Level::None | Level::District | Level::Street | Level::Village | Level::Interpolated | Level::Intersection => {
            level
        }
        _ if row.room != 0 => Level::Room,
        _ if row.unit != 0 => Level::Unit,
        _ if row.building != 0 => Level::Building,
        _ if row.poi != 0 => Level::Poi,
        _ if row.compound != 0 => Level::Compound,
        _ if row.door != 0 => Level::Number,
        _ => level,
    }
}
