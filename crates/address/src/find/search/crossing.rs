//! Two streets that meet: 香港中路与山东路交叉口.

use std::sync::LazyLock;

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
/// Doors of one street that are looked at.
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

impl Search<'_, '_> {
    /// The crossings of neighbouring streets in the text.
    pub(super) fn crossings(&mut self, a: &Asked<'_>, streets: &[Street]) {
        let alone = |s: &&Street| s.door.is_none() && s.lane.is_none();
        for one in streets.iter().filter(alone) {
            for other in streets.iter().filter(alone).filter(|o| o.name != one.name && o.from >= one.end) {
                if let Some(read) = meeting(a, one, other) {
                    self.crossing(a, one, other, read);
                }
            }
        }
    }

    fn crossing(&mut self, a: &Asked<'_>, one: &Street, other: &Street, (end, unsaid): (usize, f32)) {
        let shown: Vec<&Junction> = self
            .view
            .junctions(one.name, other.name)
            .iter()
            .filter(|j| j.rows.iter().all(|row| self.shown(*row)))
            .collect();
        let mut places: Vec<(u32, (i32, i32), f32)> = Vec::new();
        for j in &shown {
            let at = (j.lon, j.lat);
            if places.iter().all(|p| apart(p.1, at) > ONE) {
                places.push((j.rows[usize::from(j.streets[1] == one.name)], at, 0.0));
            }
        }
        let exact = !places.is_empty();
        if !exact {
            places.extend(self.between_doors(one, other));
        }
        for (row, (lon, lat), price) in places {
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

    /// In each area the nearest two doors of both streets, and the middle between them, with its price.
    fn between_doors(&self, one: &Street, other: &Street) -> Vec<(u32, (i32, i32), f32)> {
        let mut out = Vec::new();
        for ours in self.view.groups(one.name) {
            for theirs in self.view.groups(other.name).iter().filter(|g| g.area == ours.area) {
                if let Some((distance, row, at)) = self.nearest_doors(ours, theirs).filter(|f| f.0 <= NEAR) {
                    out.push((row, at, BY_DOORS + distance as f32 / 500.0));
                }
            }
        }
        out
    }

    fn nearest_doors(&self, ours: &Group, theirs: &Group) -> Option<(f64, u32, (i32, i32))> {
        let rows = |g: &Group| {
            let step = ((g.to - g.from) as usize / DOORS).max(1);
            (g.from..g.to).step_by(step).filter(|k| self.shown(*k))
        };
        let at = |k: u32| (self.view.rows[k as usize].lon, self.view.rows[k as usize].lat);
        let mut by_lat: Vec<(i32, u32)> = rows(ours).map(|k| (at(k).1, k)).collect();
        by_lat.sort_unstable();
        let reach = (NEAR / 111_195.0 * DEGREE) as i32;
        let mut best: Option<(f64, u32, (i32, i32))> = None;
        for there in rows(theirs).map(at) {
            let from = by_lat.partition_point(|o| o.0 < there.1 - reach);
            for (_, k) in by_lat[from..].iter().take_while(|o| o.0 <= there.1 + reach) {
                let here = at(*k);
                let distance = apart(here, there);
                if best.is_none_or(|b| distance < b.0) {
                    best = Some((distance, *k, (here.0.midpoint(there.0), here.1.midpoint(there.1))));
                }
            }
        }
        best
    }
}

fn apart(a: (i32, i32), b: (i32, i32)) -> f64 {
    let degrees = |p: (i32, i32)| (f64::from(p.0) / DEGREE, f64::from(p.1) / DEGREE);
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
