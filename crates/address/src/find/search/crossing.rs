//! Two streets that meet: 香港中路与山东路交叉口.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::{Place, Scored, Search};
use crate::element::Element;
use crate::find::answer::metres;
use crate::find::fit::{self, Asked, Prices};
use crate::find::street::Street;
use crate::find::{Level, Verdict};
use crate::segment::row::{DEGREE, Group, Junction};
use crate::text::{Kind, Text, Words};

/// Vertices nearer to each other than this are one crossing: a wide road has two lines, a roundabout many.
const ONE: f64 = 120.0;
/// Doors of two streets that are further apart say nothing of where the streets meet.
const NEAR: f64 = 150.0;
/// Two streets beside each other, without a word that says they meet.
const UNSAID: f32 = 0.3;
/// A place between doors, before its distance is added.
const BY_DOORS: f32 = 0.2;
/// Rows of one street that are looked at, and doors among them.
const LOOKED_AT: usize = 20_000;
const DOORS: usize = 4000;

/// What stands between the two names.
static BETWEEN: LazyLock<Words> =
    LazyLock::new(|| Words::new(&["与", "和", "跟", "同", "及", "近", "靠近", "交", "到", "的"]));

/// What stands after them.
static AFTER: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "交叉路口",
        "交叉口",
        "交叉处",
        "交叉",
        "十字路口",
        "丁字路口",
        "三岔路口",
        "交汇处",
        "交汇口",
        "交会处",
        "相交处",
        "交界处",
        "交界口",
        "交接处",
        "交口",
        "路口",
        "拐角处",
        "拐角",
        "转角处",
        "转角",
        "口",
    ])
});

/// Where two streets may meet, in ten-millionths of a degree.
type At = (i32, i32);
/// A place on a street, and its row.
type Door = (At, u32);

/// Where they do, as far as is known.
struct Met {
    /// The row of the first street.
    row: u32,
    at: At,
    price: f32,
    stale: bool,
}

impl Search<'_, '_> {
    /// The crossings of neighbouring streets in the text, of those pairs that have a street from `new` on.
    pub(super) fn crossings(&mut self, a: &Asked<'_>, streets: &[Street], new: usize) {
        let alone = |(_, s): &(usize, &Street)| s.door.is_none() && s.lane.is_none();
        let all = || streets.iter().enumerate().filter(alone);
        for (i, one) in all() {
            let fits = |(k, o): &(usize, &Street)| i.max(*k) >= new && o.name != one.name && o.from >= one.end;
            for (_, other) in all().filter(fits) {
                if let Some(read) = meeting(a, one, other) {
                    self.crossing(a, one, other, read);
                }
            }
        }
    }

    fn crossing(&mut self, a: &Asked<'_>, one: &Street, other: &Street, (end, unsaid): (usize, f32)) {
        let mut places = self.vertices(one, other);
        let exact = !places.is_empty();
        if !exact {
            places = self.between_doors(one, other);
        }
        for Met { row, at: (lon, lat), price, stale } in places {
            let view = self.view;
            let mut chain = self.chain(&view.zone(&view.rows[row as usize]));
            // A crossing lies at the edge of towns.
            (chain[3], chain[4]) = (0, 0);
            let mut verdicts = Vec::new();
            let (division, before) = fit::prefix(a, &view, chain, one.from, true, &mut verdicts);
            let typo = one.typo || other.typo;
            verdicts.push((Element::Intersection, if typo { Verdict::Similar } else { Verdict::Agree }));
            let after = fit::leftover(a, end, &[]);
            let street = one.slip + other.slip;
            self.out.push(Scored {
                prices: Prices { division, before, street, door: unsaid + price, after, ..Prices::default() },
                verdicts,
                street: Some(*one),
                typo,
                stale,
                named_end: end,
                end,
                ..Scored::plain(
                    self.number,
                    Place::Crossing { row, other: other.name, lon, lat, exact },
                    Level::Intersection,
                    Prices::default(),
                )
            });
        }
    }

    /// The vertices that the lines of both have in common.
    fn vertices(&self, one: &Street, other: &Street) -> Vec<Met> {
        // That the points of both lines lie in an area does not say that they meet there.
        if self.source.by_area {
            return Vec::new();
        }
        let junctions = self.view.junctions(one.name, other.name).iter();
        let shown = junctions.filter(|j| j.rows.iter().all(|k| self.shown(*k)));
        let mut shown: Vec<(bool, &Junction)> = shown.map(|j| (!j.rows.iter().all(|k| self.holds(*k)), j)).collect();
        // What holds comes before what no longer does.
        shown.sort_by_key(|(stale, _)| *stale);
        let mut places: Vec<Met> = Vec::new();
        for (stale, j) in shown {
            let (row, at) = (j.rows[usize::from(j.streets[1] == one.name)], (j.lon, j.lat));
            if places.iter().all(|p| apart(p.at, at) > ONE) {
                places.push(Met { row, at, price: 0.0, stale });
            }
        }
        places
    }

    /// In each area the nearest two doors of both streets, and the middle between them, with its price.
    fn between_doors(&self, one: &Street, other: &Street) -> Vec<Met> {
        let mut out = Vec::new();
        for ours in self.view.groups(one.name) {
            for theirs in self.view.groups(other.name).iter().filter(|g| g.area == ours.area) {
                out.extend(self.nearest_doors(ours, theirs));
            }
        }
        out
    }

    fn nearest_doors(&self, ours: &Group, theirs: &Group) -> Option<Met> {
        let (ours, theirs) = (self.doors(ours), self.doors(theirs));
        // By cells as wide as is near, so that each door is held against those around it alone.
        let lat = f64::from(theirs.first()?.0.1) / DEGREE;
        let high = degrees_of(NEAR);
        let wide = (f64::from(high) * 1.1 / lat.to_radians().cos().max(0.05)) as i32;
        let cell = |at: At| (at.0.div_euclid(wide), at.1.div_euclid(high));
        let mut cells: FxHashMap<(i32, i32), Vec<Door>> = FxHashMap::default();
        ours.iter().for_each(|door| cells.entry(cell(door.0)).or_default().push(*door));
        let mut best: Option<(f64, Door, Door)> = None;
        let mut reach = high;
        for (there, other) in theirs {
            let (x, y) = cell(there);
            let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
            for (here, row) in around.filter_map(|c| cells.get(&c)).flatten() {
                if (here.1 - there.1).abs() > reach {
                    continue;
                }
                let distance = apart(*here, there);
                if distance <= NEAR && best.is_none_or(|(least, ..)| distance < least) {
                    best = Some((distance, (*here, *row), (there, other)));
                    reach = degrees_of(distance);
                }
            }
        }
        let (distance, (here, row), (there, other)) = best?;
        Some(Met {
            row,
            at: (here.0.midpoint(there.0), here.1.midpoint(there.1)),
            price: BY_DOORS + distance as f32 / 500.0,
            stale: !(self.holds(row) && self.holds(other)),
        })
    }

    /// The shown doors of a street, one for each place; those that hold, unless none does.
    fn doors(&self, group: &Group) -> Vec<Door> {
        let step = ((group.to - group.from) as usize).div_ceil(LOOKED_AT).max(1);
        let place = |k: u32| (self.view.rows[k as usize].lon, self.view.rows[k as usize].lat);
        let rows = || (group.from..group.to).step_by(step).filter(|k| self.shown(*k));
        let mut doors: Vec<Door> = rows().filter(|k| self.holds(*k)).map(|k| (place(k), k)).collect();
        if doors.is_empty() {
            doors = rows().map(|k| (place(k), k)).collect();
        }
        doors.sort_unstable();
        doors.dedup_by_key(|door| door.0);
        let step = doors.len().div_ceil(DOORS).max(1);
        doors.into_iter().step_by(step).collect()
    }
}

/// So many metres of latitude, rounded up.
fn degrees_of(metres: f64) -> i32 {
    (metres / 111_195.0 * DEGREE) as i32 + 1
}

fn apart(a: At, b: At) -> f64 {
    let degrees = |p: At| (f64::from(p.0) / DEGREE, f64::from(p.1) / DEGREE);
    metres(degrees(a), degrees(b))
}

/// Whether the text says that the two meet: the place after it, and the price if it does not quite say so.
fn meeting(a: &Asked<'_>, one: &Street, other: &Street) -> Option<(usize, f32)> {
    let between = joined(a.t, one.end, other.from)?;
    match AFTER.at(&a.t.units, other.end) {
        Some(len) => Some((other.end + len, 0.0)),
        None if between => Some((other.end, UNSAID)),
        None => None,
    }
}

/// Whether nothing but a word that joins, or a sign, stands from `from` to `to`; true if there is a word or a sign.
fn joined(t: &Text, from: usize, to: usize) -> Option<bool> {
    let mut at = from;
    while at < to {
        match BETWEEN.at(&t.units, at).filter(|len| at + len <= to) {
            Some(len) => at += len,
            None if t.kinds[at] == Kind::Sign => at += 1,
            None => return None,
        }
    }
    Some(to > from)
}
