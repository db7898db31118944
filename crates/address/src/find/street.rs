//! A street in the text with the lane and the door that follow it, and the rows of a segment that those are.

use std::ops::Range;

use super::alike;
use super::mention::{Mention, Step, Why, group};
use crate::code::{self, Door, Read};
use crate::segment::forms::{Form, ROAD_TYPES, road_core, role, without_section};
use crate::segment::row::{Group, PartKind, Row};
use crate::segment::table::Hash;
use crate::segment::{DELETES, View, sound};
use crate::text::{Kind, Text, Unit};

/// A reading of the text: this street, this lane, this door.
#[derive(Debug, Clone, Copy)]
pub struct Street {
    pub name: u32,
    pub from: usize,
    /// The place after the name.
    pub named: usize,
    pub lane: Option<u64>,
    pub door: Option<Read<Door>>,
    /// The place after all that was read.
    pub end: usize,
    /// The price of how the name is written.
    pub slip: f32,
    /// A slip of the pen, not a way of writing.
    pub typo: bool,
}

/// The price of a name without its kind, and of one with another kind.
const NO_TYPE: f32 = 0.35;
const OTHER_TYPE: f32 = 0.6;
const OTHER_KIND: f32 = 0.2;
const NO_SECTION: f32 = 0.7;
const SPOKEN: f32 = 0.3;

fn here(t: &Text, i: usize, w: &str) -> bool {
    w.chars().enumerate().all(|(k, c)| t.units.get(i + k) == Some(&(c as Unit)))
}

pub fn road_type(t: &Text, i: usize) -> Option<usize> {
    ROAD_TYPES.iter().find(|w| here(t, i, w)).map(|w| w.chars().count())
}

/// Reads a street from a mention of its name.
pub fn of_mention(view: &View<'_>, t: &Text, m: &Mention) -> Option<Street> {
    if m.roles & role::STREET == 0 {
        return None;
    }
    let (mut slip, mut at) = (0.0, m.to);
    match m.form {
        Form::Full | Form::Alias => {
            if here(t, at, "街道") || (m.roles & role::COMMUNITY == 0 && here(t, at, "社区")) {
                return None;
            }
        }
        Form::Spoken => slip = SPOKEN,
        Form::Core => match road_type(t, at) {
            Some(n) if !here(t, at, "街道") => {
                slip = OTHER_TYPE;
                at += n;
                section(view, t, m.name, &mut at, &mut slip);
            }
            Some(_) => return None,
            // 图强社区 for 图强村 is the same village.
            None if m.roles & role::COMMUNITY != 0 && ["社区", "居", "村", "庄"].iter().any(|w| here(t, at, w)) => {
                slip = OTHER_KIND
            }
            None => {
                slip = NO_TYPE;
                section(view, t, m.name, &mut at, &mut slip);
            }
        },
        Form::Sectionless => {
            if code::digits(t, at).is_some_and(|(_, end)| here(t, end, "段")) {
                return None;
            }
            slip = NO_SECTION;
        }
        Form::Short | Form::Plain => return None,
    }
    let s = read_on(view, t, m.name, m.from, at, slip, false);
    // A name without its kind is only a street if a number says so.
    (m.form != Form::Core || s.door.is_some() || s.lane.is_some() || slip == OTHER_TYPE).then_some(s)
}

/// The 2段 that the name has and its form has not: it must follow, or be missed.
fn section(view: &View<'_>, t: &Text, name: u32, at: &mut usize, slip: &mut f32) {
    let key = view.name_key(name);
    let Some(body) = without_section(key) else { return };
    let section = &key[body.len()..];
    if t.units[*at..].starts_with(section) {
        *at += section.len();
    } else {
        *slip += NO_SECTION;
    }
}

/// Reads what follows a street's name.
fn read_on(view: &View<'_>, t: &Text, name: u32, from: usize, named: usize, slip: f32, typo: bool) -> Street {
    let mut at = named;
    for w in ["村民委员会", "居民委员会", "村委会", "居委会", "委会", "社区", "村", "庄", "居"] {
        if here(t, at, w) {
            at += w.chars().count();
            break;
        }
    }
    if let Some(n) = group(t, at) {
        at += n;
    }
    let mut s = Street { name, from, named, lane: None, door: None, end: named, slip, typo };
    if let Some(lanes) = code::lanes(t, at) {
        s.lane = Some(lanes.value);
        at = lanes.end;
        s.end = at;
    }
    if !code::door(t, at).is_some_and(|d| d.explicit)
        && let Some((code, end)) = named_lane(view, t, named)
    {
        s.lane = Some(code);
        s.end = end;
        at = end;
    }
    if let Some(door) = code::door(t, at) {
        let a_house =
            ["号楼", "#楼"].iter().any(|w| here(t, door.end.saturating_sub(1), w)) && !beside_a_house(t, door.end);
        let building = a_house || ["号楼", "栋", "幢", "座", "单元"].iter().any(|w| here(t, door.end, w));
        // 海伦1路: the number is part of another road's name.
        let of_a_name =
            !door.explicit && ["路", "街", "道", "弄", "巷", "段", "村", "里"].iter().any(|w| here(t, door.end, w));
        if !building && !of_a_name {
            s.end = door.end;
            s.door = Some(door);
        }
    }
    s
}

/// A lane that has a name, or an odd number: 豐營巷38弄, 457北巷, 33之1弄. The longest that the segment knows, before a number or the
/// end.
fn named_lane(view: &View<'_>, t: &Text, from: usize) -> Option<(u64, usize)> {
    let last = t.len().min(from + 16);
    (from + 2..=last).rev().find_map(|end| {
        let whole = end == t.len()
            || code::door(t, end).is_some() && (!t.kinds[end - 1].is_digit() || t.kinds[end] != t.kinds[end - 1]);
        let code = code::lane_word(t, from, end);
        (whole && !view.part_ids(PartKind::Lane, code).is_empty()).then_some((code, end))
    })
}

/// 57号楼下 says what is below 57号, not a building.
fn beside_a_house(t: &Text, i: usize) -> bool {
    ["楼下", "楼上", "楼旁", "楼前", "楼后"].iter().any(|w| here(t, i, w))
}

/// The places where a number begins that a street's name may stand before, and those after a road's word that a lane's name follows.
fn anchors(t: &Text) -> impl Iterator<Item = usize> + '_ {
    (2..t.len()).filter(|i| {
        let starts = t.kinds[*i].is_digit() && !t.kinds[i - 1].is_digit()
            || (t.kinds[*i].is_digit() && t.kinds[*i] != t.kinds[i - 1]);
        let a_lane_follows = "路街段道".chars().any(|c| c as Unit == t.units[i - 1]) && t.kinds[*i] == Kind::Han;
        starts || a_lane_follows || "临附特".chars().any(|c| c as Unit == t.units[*i])
    })
}

/// Streets whose name is not in the text as it is, but nearly: before a number, or at the end of the text.
pub fn misspelt(view: &View<'_>, t: &Text, steps: &[Step], mentions: &[Mention], out: &mut Vec<Street>) {
    // 城阳区 is no slip for 城阳路.
    let within = |start: usize| {
        mentions.iter().any(|m| m.form == Form::Full && m.division() && m.len() >= 3 && (m.from..m.to).contains(&start))
    };
    let from = 0;
    // What it costs that a name begins within what nothing explains.
    let before = |start: usize| if steps[start].why == Why::Bare && start > 0 { 1.4 } else { 0.0 };
    let first = out.len();
    let ends: Vec<usize> = anchors(t).chain(std::iter::once(t.len())).take(12).collect();
    for &end in &ends {
        let earliest = end.saturating_sub(11).max(from.min(end));
        for start in earliest..end.saturating_sub(1) {
            if within(start) {
                continue;
            }
            let written = &t.units[start..end];
            each_near(view, written, |name| {
                if view.role(name) & role::STREET == 0 {
                    return;
                }
                let Some(cost) = price(view.name_key(name), written) else { return };
                match out[first..].iter_mut().find(|s| s.name == name && s.named == end) {
                    Some(s) if s.slip + before(s.from) <= cost + before(start) => {}
                    Some(s) => *s = read_on(view, t, name, start, end, cost, true),
                    None => out.push(read_on(view, t, name, start, end, cost, true)),
                }
            });
        }
    }
    if out.len() == first {
        by_pairs(view, t, &ends, out);
    }
    // A number without 号 is no door where another number has one.
    let signed = (1..t.len()).any(|i| t.units[i] == '号' as Unit && t.kinds[i - 1].is_digit());
    for s in out[first..].iter_mut().filter(|s| signed && s.door.is_some_and(|d| !d.explicit)) {
        s.slip += 1.5;
    }
    out[first..].sort_by(|a, b| (a.slip + before(a.from)).total_cmp(&(b.slip + before(b.from))));
    out.truncate(first + 24);
}

/// Streets with two slips in their name: those that share pairs of characters with what stands before a number.
fn by_pairs(view: &View<'_>, t: &Text, ends: &[usize], out: &mut Vec<Street>) {
    for &end in ends {
        let from = end.saturating_sub(8);
        let mut shared: Vec<(u32, u32)> = Vec::new();
        for pair in t.units[from..end].windows(2) {
            for name in view.grams.get(Hash::of(pair).value()).filter(|n| view.role(*n) & role::STREET != 0).take(400) {
                match shared.iter_mut().find(|s| s.0 == name) {
                    Some(s) => s.1 += 1,
                    None => shared.push((name, 1)),
                }
            }
        }
        shared.sort_by_key(|s| (u32::MAX - s.1, s.0));
        for (name, _) in shared.into_iter().take(24) {
            let key = view.name_key(name);
            let core = road_core(key).map_or(key.len(), <[Unit]>::len);
            let lengths = key.len().saturating_sub(1).max(2)..=key.len() + 1;
            let best = lengths
                .filter_map(|len| end.checked_sub(len))
                .filter_map(|start| Some((alike::slips(key, &t.units[start..end], 1.6)?, start)))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((slips, start)) = best.filter(|b| core >= 3 && b.0 > 0.0) {
                out.push(read_on(view, t, name, start, end, 0.5 + slips * 3.0 / core as f32, true));
            }
        }
    }
}

/// The price of a misspelt name: the more of a short name is other than it should be, the less it is that name.
pub fn price(name: &[Unit], written: &[Unit]) -> Option<f32> {
    let core = road_core(name).map_or(name.len(), <[Unit]>::len);
    let most = if core <= 2 { 1.05 } else { 2.05 };
    let slips = alike::slips(name, written, most)?;
    // 金椿路 for 金岭路: half of so short a name being other is another name.
    if core <= 2 && slips > 0.9 && name.len() == written.len() {
        return None;
    }
    (slips > 0.0).then(|| 0.3 + slips * 3.0 / core as f32)
}

/// Names that the text may stand for: one character more, fewer or other, or the same sound.
pub fn each_near(view: &View<'_>, written: &[Unit], mut found: impl FnMut(u32)) {
    let n = written.len();
    let near = DELETES.start() - 1..=DELETES.end() + 1;
    if near.contains(&n) {
        view.deletes.get(Hash::of(written).value()).for_each(&mut found);
        for k in 0..n {
            let shorter = Hash::without(written, k).value();
            view.deletes.get(shorter).for_each(&mut found);
            view.exact.get(shorter).map(View::named).filter(|n| n.form == Form::Full).for_each(|n| found(n.name));
        }
    }
    let heard = written.iter().fold(Hash::EMPTY, |h, u| h.with(sound(*u)));
    view.sounds.get(heard.value()).for_each(&mut found);
}

/// What a group holds for a lane and a door.
#[derive(Debug, Clone)]
pub enum Doors {
    /// These rows are at that door.
    Rows(Range<u32>),
    /// A row that covers several numbers, this one among them: 345-351号.
    Covering(Range<u32>),
    /// The door is there without its 之1, 甲, 临, or the other way round.
    Parent(Range<u32>),
    /// The number is not there; these rows lie to both sides of it, the same side of the road first.
    Between(Option<u32>, Option<u32>),
    /// The lane is not there.
    NoLane,
    /// No door was asked for: all the street's rows, or the lane's.
    All(Range<u32>),
}

pub fn part<'a>(rows: &'a [Row], range: &Range<u32>, ids: &Range<u32>, of: impl Fn(&Row) -> u32) -> Range<u32> {
    let slice: &'a [Row] = rows.get(range.start as usize..range.end as usize).unwrap_or(&[]);
    let from = slice.partition_point(|r| of(r) < ids.start);
    let to = from + slice[from..].partition_point(|r| of(r) < ids.end);
    range.start + from as u32..range.start + to as u32
}

/// The rows of a group by lane: those without one, or those of this one.
fn in_lane(view: &View<'_>, group: &Group, lane: Option<u64>) -> Range<u32> {
    let ids = match lane {
        None => 0..1,
        Some(code) => view.part_ids(PartKind::Lane, code),
    };
    part(view.rows, &(group.from..group.to), &ids, |r| r.lane)
}

pub fn doors(view: &View<'_>, group: &Group, s: &Street) -> Doors {
    let rows = in_lane(view, group, s.lane);
    let Some(door) = s.door.map(|d| d.value) else {
        return match s.lane {
            Some(_) if rows.is_empty() => Doors::NoLane,
            Some(_) => Doors::All(rows),
            None => Doors::All(group.from..group.to),
        };
    };
    if rows.is_empty() && s.lane.is_some() {
        return Doors::NoLane;
    }
    let at = part(view.rows, &rows, &view.part_ids(PartKind::Door, door.code()), |r| r.door);
    if !at.is_empty() {
        return Doors::Rows(at);
    }
    nearby(view, &rows, door)
}

/// What there is of a door that is not there.
fn nearby(view: &View<'_>, rows: &Range<u32>, door: Door) -> Doors {
    let slice = view.rows.get(rows.start as usize..rows.end as usize).unwrap_or(&[]);
    let of = |k: usize| Door::of_code(view.part_code(PartKind::Door, slice[k].door));
    let code = |r: &Row| view.part_code(PartKind::Door, r.door);
    let place = slice.partition_point(|r| code(r) < door.code());
    let run = |k: usize| {
        let id = slice[k].door;
        part(view.rows, rows, &(id..id + 1), |r| r.door)
    };
    for k in (place.saturating_sub(24)..place).rev() {
        // 22之31號 is one door of 22號; 345-351号 are four.
        let range = !view.part_shown(PartKind::Door, slice[k].door).contains('之');
        if range && of(k).is_some_and(|d| d.covers(door)) {
            return Doors::Covering(run(k));
        }
    }
    let bare = Door { main: door.main, ..Door::default() };
    if bare != door {
        let at = part(view.rows, rows, &view.part_ids(PartKind::Door, bare.code()), |r| r.door);
        if !at.is_empty() {
            return Doors::Parent(at);
        }
    } else if slice.get(place).is_some() && of(place).is_some_and(|d| d.main == door.main) {
        return Doors::Parent(run(place));
    }
    let same_side = |d: &Door| d.main % 2 == door.main % 2;
    let below = (0..place).rev().take(64).find(|k| of(*k).is_some_and(|d| d.main > 0 && same_side(&d)));
    let above = (place..slice.len()).take(64).find(|k| of(*k).is_some_and(|d| same_side(&d)));
    let row = |k: usize| rows.start + k as u32;
    Doors::Between(below.map(row), above.map(row))
}
