//! How well a row fits a reading of the text, as prices of what does not fit.

use super::alike;
use super::inner::{self, Inside};
use super::mention::{Division, Mention, Step, Why};
use super::{Level, Verdict};
use crate::element::Element;
use crate::gazetteer::{self, gazetteer};
use crate::segment::View;
use crate::segment::forms::{Form, role};
use crate::segment::row::{PartKind, Row};
use crate::text::{Kind, Text, Unit};

/// A text as all fits need it.
pub struct Asked<'a> {
    pub t: &'a Text,
    pub dull: &'a [bool],
    pub mentions: &'a [Mention],
    pub steps: &'a [Step],
    /// Whether a unit lies in brackets.
    pub bracketed: &'a [bool],
    /// Provinces, cities and districts of the country that it names.
    pub divisions: &'a [Division],
    /// Where 附近 or its like ends the text.
    pub beside: Option<usize>,
}

/// Prices by what they are for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prices {
    /// Divisions that contradict.
    pub division: f32,
    /// Text before the place that nothing explains.
    pub before: f32,
    /// The street's spelling.
    pub street: f32,
    /// The door and its lane.
    pub door: f32,
    /// Compound or point of interest.
    pub name: f32,
    /// Building, unit, floor, room.
    pub inside: f32,
    /// Text after the place that nothing explains.
    pub after: f32,
}

impl Prices {
    pub fn total(&self) -> f32 {
        self.division + self.before + self.street + self.door + self.name + self.inside + self.after
    }
}

/// What became of an element.
pub type Verdicts = Vec<(Element, Verdict)>;

/// How the text after the street fits a row.
#[derive(Debug, Clone)]
pub struct Tail {
    pub name: f32,
    pub inside: f32,
    pub after: f32,
    pub level: Option<Level>,
    pub verdicts: Verdicts,
    pub typo: bool,
    /// The places after the last name, and after all that was understood.
    pub named_end: usize,
    pub end: usize,
}

/// From this likeness on a name is taken to be meant.
const MEANT: f32 = 0.55;
/// A name in the row that the text does not have.
const UNNAMED: f32 = 0.45;
const LEFTOVER: f32 = 0.08;

/// The prices of the divisions that the text names before `to`, and of what it says there besides.
pub fn prefix(
    a: &Asked<'_>,
    view: &View<'_>,
    chain: [u32; 5],
    to: usize,
    street: bool,
    v: &mut Verdicts,
) -> (f32, f32) {
    let levels = [Element::Province, Element::City, Element::District, Element::Town, Element::Community];
    let weights = [6.0, 4.0, 1.5, 0.6, 0.35];
    let (mut agreed, mut against, mut foreign) = ([false; 5], [false; 5], [false; 3]);
    let (mut division, mut bare, mut adjacent) = (0.0f32, 0usize, 0usize);
    let mut at = to;
    while at > 0 {
        let s = &a.steps[at];
        if s.cost == f32::MAX {
            break;
        }
        match s.why {
            Why::Bare => {
                bare += 1;
                let touching = at + adjacent == to && !a.t.gaps.get(at).copied().unwrap_or(false);
                adjacent += usize::from(touching && a.t.kinds[at - 1] == Kind::Han);
            }
            Why::Filler => {}
            // The same level may be named twice; a foreign one counts only where the text has no better.
            Why::Foreign(k) => {
                let d = &a.divisions[k];
                let level = d.level as usize - Element::Province as usize;
                foreign[level] |= chain[level] != 0 || !holds(view, d.id, &chain[level..]);
            }
            Why::Mention(k) => {
                let span = a.mentions[k..].iter().take_while(|m| (m.from, m.to) == (s.from, at));
                match span.clone().find_map(|m| chain.iter().position(|n| *n != 0 && *n == m.name)) {
                    Some(level) => agreed[level] = true,
                    None => {
                        // The finest reading of the name decides what it contradicts.
                        let roles = span.fold(0, |r, m| r | m.roles);
                        let bits = [role::PROVINCE, role::CITY, role::DISTRICT, role::TOWN, role::COMMUNITY];
                        if let Some(level) = (0..5).rev().find(|l| roles & bits[*l] != 0 && chain[*l] != 0) {
                            against[level] = true;
                        }
                    }
                }
            }
        }
        at = s.from;
    }
    if bare > 0 {
        let mended = mend(a, view, &chain, to, &mut agreed);
        division += mended.1;
        bare -= mended.0.min(bare);
        adjacent = if mended.0 > 0 { 0 } else { adjacent };
    }
    let strange = (0..3).filter(|l| foreign[*l] && !agreed[*l]).map(|l| weights[l]).fold(0.0, f32::max);
    division += strange;
    for level in 0..5 {
        let verdict = match (agreed[level], against[level], chain[level] != 0) {
            (true, ..) => Verdict::Agree,
            (false, true, _) => {
                division += weights[level];
                Verdict::Conflict
            }
            (false, false, true) => Verdict::Absent,
            _ => continue,
        };
        v.push((levels[level], verdict));
    }
    // So that of two equal rows the one in the named division comes first.
    division += (0..5).filter(|l| chain[*l] != 0 && !agreed[*l]).count() as f32 * 0.004;
    let mut before = (bare as f32 * if street { 0.12 } else { 0.25 }).min(if street { 1.5 } else { 4.0 });
    if street && adjacent > 0 {
        before += if adjacent <= 3 { 1.3 } else { 0.5 };
    }
    (division, before)
}

/// Whether what a source says of finer divisions lies in a division of the country, for a source that does not name this level.
fn holds(view: &View<'_>, id: gazetteer::Id, finer: &[u32]) -> bool {
    let g = gazetteer();
    let mut named = finer.iter().filter(|n| **n != 0).peekable();
    named.peek().is_none()
        || named.any(|n| {
            let name: Vec<char> = view.shown(*n).chars().map(crate::chars::simplify).collect();
            let mut inside = false;
            g.visit(&name, |len, entries| inside |= len == name.len() && entries.iter().any(|e| g.within(e.id, id)));
            inside
        })
}

/// Divisions that are misspelt before `to`: 橋骰區 for 橋頭區. Gives how many characters they explain, and their price.
fn mend(a: &Asked<'_>, view: &View<'_>, chain: &[u32; 5], to: usize, agreed: &mut [bool; 5]) -> (usize, f32) {
    let (mut explained, mut price) = (0, 0.0);
    // Where what nothing explains begins, or a character before.
    let bare = |k: usize| a.steps[k].why == Why::Bare;
    let ends_as_one = |k: usize| {
        bare(k)
            && (k..=(k + 1).min(to)).any(|e| e > 0 && "区县市镇乡道省".chars().any(|c| c as Unit == a.t.units[e - 1]))
    };
    let starts: Vec<usize> = (0..to)
        .filter(|f| bare(f + 1) && (*f == 0 || !bare(*f)))
        .flat_map(|f| [f, f.saturating_sub(1)])
        .take(6)
        .collect();
    if starts.is_empty() || !(1..=to).any(ends_as_one) {
        return (0, 0.0);
    }
    for (level, name) in chain.iter().enumerate().filter(|(_, n)| **n != 0) {
        if agreed[level] {
            continue;
        }
        let key = view.name_key(*name);
        let best = starts
            .iter()
            .flat_map(|from| [key.len() - 1, key.len(), key.len() + 1].map(|len| (*from, from + len)))
            .filter(|(from, end)| *end <= to && (*from + 1..=*end).any(|k| a.steps[k].why == Why::Bare))
            .filter_map(|(from, end)| {
                Some((alike::slips(key, &a.t.units[from..end], if key.len() > 2 { 1.0 } else { 0.4 })?, from, end))
            })
            .min_by(|x, y| x.0.total_cmp(&y.0));
        if let Some((slips, from, end)) = best {
            agreed[level] = true;
            explained += (from + 1..=end).filter(|k| a.steps[*k].why == Why::Bare).count();
            price += 0.15 + slips * 0.2;
        }
    }
    (explained, price)
}

fn here(t: &Text, i: usize, w: &str) -> bool {
    w.chars().enumerate().all(|(k, c)| t.units.get(i + k) == Some(&(c as Unit)))
}

/// The place of the first thing inside of a building from `from` on, and what it is.
pub fn first_inside(a: &Asked<'_>, from: usize) -> Inside {
    let mut at = from;
    while at < a.t.len() {
        let free = !a.dull[at] && (at == from || !a.t.kinds[at - 1].is_digit());
        if free
            && (a.t.kinds[at].is_digit() || a.t.kinds[at] == Kind::Letter || here(a.t, at, "东") || here(a.t, at, "西"))
        {
            let inside = inner::read(a.t, at);
            let said =
                inside.building.is_some() || inside.unit.is_some() || inside.room.is_some() || inside.floor.is_some();
            // In brackets only what they begin with: (广西八路76号) says nothing of a building.
            if said && (at == from || !a.bracketed[at] || (at > 0 && a.t.units[at - 1] == 0x28)) {
                return inside;
            }
        }
        at += 1;
    }
    Inside { end: from, ..Inside::default() }
}

/// How much of the text from `from` on says something that is not explained: characters, but for notes; little where it stands in
/// brackets or before 附近 and its like; a door number that belongs to nothing is much.
pub fn leftover(a: &Asked<'_>, from: usize, explained: &[(usize, usize)]) -> f32 {
    let t = a.t;
    let beside = a.beside.is_some_and(|i| i >= from);
    let mut weight = 0.0f32;
    for i in (from..t.len()).filter(|i| !a.dull[*i] && !explained.iter().any(|(f, e)| (f..e).contains(&i))) {
        let faint = if beside || a.bracketed[i] { 0.3 } else { 1.0 };
        weight += faint
            * match t.kinds[i] {
                Kind::Han | Kind::Letter => 1.0,
                _ => 0.15,
            };
        if here(t, i, "号") && i > from && t.kinds[i - 1].is_digit() && faint == 1.0 {
            weight += 6.0;
        }
    }
    (weight.min(8.0) * LEFTOVER) + (weight - 8.0).clamp(0.0, 30.0) * LEFTOVER / 4.0
}

/// How the text from `from` on fits what the row has beyond its door.
pub fn tail(a: &Asked<'_>, view: &View<'_>, row: &Row, place_from: usize, from: usize) -> Tail {
    let text = &a.t.units[from..];
    let mut out = Tail {
        name: 0.0,
        inside: 0.0,
        after: 0.0,
        level: None,
        verdicts: Vec::new(),
        typo: false,
        named_end: from,
        end: from,
    };
    let mut explained: Vec<(usize, usize)> = Vec::new();
    for (name, element, level) in
        [(row.compound, Element::Compound, Level::Compound), (row.poi, Element::Poi, Level::Poi)]
    {
        if name == 0 {
            continue;
        }
        let start = out.end - from;
        let key = view.name_key(name);
        let found = alike::find(key, &text[start..]).filter(|f| f.likeness >= MEANT);
        match found {
            Some(f) => {
                out.name += (1.0 - f.likeness) * 0.7 + (f.from.min(6) as f32) * 0.01;
                out.level = Some(level);
                out.typo |= f.likeness < 1.0;
                out.verdicts.push((element, if f.likeness == 1.0 { Verdict::Agree } else { Verdict::Similar }));
                explained.push((from + start + f.from, from + start + f.to));
                out.end = from + start + f.to;
            }
            None => match a.mentions.iter().find(|m| m.name == name && m.to <= place_from && m.form == Form::Full) {
                // 银河庄园，山东省…57号: the name stands before its address.
                Some(m) => {
                    out.name += 0.05 - (m.len() as f32 * 0.12).min(1.5);
                    out.level = Some(level);
                    out.verdicts.push((element, Verdict::Agree));
                }
                None => {
                    out.name += UNNAMED;
                    out.verdicts.push((element, Verdict::Absent));
                }
            },
        }
    }
    out.named_end = out.end;
    let inside = first_inside(a, out.end);
    let has_inside = row.building | row.unit | row.floor | row.room != 0;
    if has_inside || !inside.is_empty() {
        inside_fit(view, row, &inside, &mut out);
    }
    if !inside.is_empty() {
        explained.push((inside.from, inside.end));
        out.end = inside.end.max(out.end);
    }
    out.after = leftover(a, from, &explained);
    out
}

fn inside_fit(view: &View<'_>, row: &Row, inside: &Inside, out: &mut Tail) {
    // 7楼 where there are no floors is a building.
    let mut inside = *inside;
    if inside.building.is_none()
        && row.floor == 0
        && inside.floor.is_some_and(|f| view.part_code(PartKind::Building, row.building) == f)
    {
        (inside.building, inside.floor) = (inside.floor, None);
    }
    // (agree is free; text and row differ; only in the text; only in the row)
    let parts = [
        (PartKind::Building, row.building, inside.building, Element::Houseno, Level::Building, [2.0, 0.7, 0.6]),
        (PartKind::Unit, row.unit, inside.unit, Element::Cellno, Level::Unit, [1.2, 0.5, 0.15]),
        (PartKind::Floor, row.floor, inside.floor, Element::Floorno, Level::Unit, [0.9, 0.25, 0.5]),
        (PartKind::Room, row.room, inside.room, Element::Roomno, Level::Room, [1.5, 0.5, 0.8]),
    ];
    for (kind, id, asked, element, level, [differ, only_text, only_row]) in parts {
        let verdict = match (asked, id) {
            (None, 0) => continue,
            (Some(code), id) if id != 0 && view.part_code(kind, id) == code => {
                out.level = Some(level);
                Verdict::Agree
            }
            (Some(_), 0) => {
                out.inside += only_text;
                continue;
            }
            (Some(_), _) => {
                out.inside += differ;
                Verdict::Conflict
            }
            (None, _) => {
                out.inside += only_row;
                Verdict::Absent
            }
        };
        out.verdicts.push((element, verdict));
    }
}
