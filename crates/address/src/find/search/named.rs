//! Compounds and points of interest: as they are written, and as they may have been meant.

use super::{READINGS, Search};
use crate::code;
use crate::find::alike;
use crate::find::fit::Asked;
use crate::find::mention::{Mention, Why};
use crate::find::street::{self, Street};
use crate::segment::View;
use crate::segment::forms::{Form, role};
use crate::segment::row::PartKind;
use crate::segment::table::Hash;
use crate::text::{Kind, Text, Unit};

/// The door of the row is another than that of the text.
const OTHER_DOOR: f32 = 1.6;
/// A name that goes on as a road: 红宝石路726号 is not the shop 红宝石.
const A_ROAD: f32 = 1.5;

impl<'a> Search<'a, '_> {
    /// Compounds and points of interest that the text names.
    pub(super) fn names(&mut self, a: &Asked<'_>, streets: &[Street]) {
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
        let said = after_divisions(a);
        let words = (said..a.t.len()).filter(|i| !a.dull[*i] && !a.bracketed[*i] && a.t.kinds[*i] == Kind::Han).count();
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
                            // A name that is a small part of what was said was hardly meant.
                            let share = s.named_end.saturating_sub(from) as f32 / words.max(1) as f32;
                            s.prices.name += if share < 0.5 { 1.5 * (1.0 - share) } else { 0.0 };
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
    pub(super) fn misspelt_names(&mut self, a: &Asked<'_>, streets: &[Street]) {
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

/// The door that stands behind a road's word: 某某路172号.
fn road_door(t: &Text) -> Option<u64> {
    (2..t.len())
        .filter(|i| t.kinds[*i].is_digit() && "路街道巷弄段".chars().any(|c| c as Unit == t.units[i - 1]))
        .find_map(|i| {
            let at = code::lanes(t, i).map_or(i, |l| l.end);
            code::door(t, at).filter(|d| d.explicit).map(|d| d.value.code())
        })
}
