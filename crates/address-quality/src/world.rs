//! What else a base holds: the names that a spoilt text could hit by accident, and the numbers that its roads have.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Base;
use crate::row::{Field, Kind};
use crate::truth::Truth;

pub struct World<'a> {
    pub base: &'a Base,
    pub truth: Truth,
    /// Row numbers by kind, for those kinds that there are.
    pub kinds: Vec<(Kind, Vec<u32>)>,
    /// The different texts of each field, in the order of their first row.
    names: Vec<Vec<&'a str>>,
    known: Vec<FxHashSet<&'a str>>,
    /// The numbers of each district's roads that exist, without those in lanes.
    numbers: FxHashMap<&'a str, FxHashMap<&'a str, BTreeSet<u32>>>,
    /// How many different roads begin with a name and go on with a type.
    stems: FxHashMap<&'a str, u32>,
    roads_of_district: FxHashMap<&'a str, Vec<&'a str>>,
}

/// What ends the name of a road, longest first.
pub const ROAD_TYPES: [&str; 10] = ["大道", "大街", "公路", "胡同", "路", "街", "道", "巷", "线", "弄"];

/// Name, type and section of a road: 大安 路 一段. None if it ends in no known type.
pub fn split_road(road: &str) -> Option<(&str, &str, &str)> {
    let (rest, section) = match road.strip_suffix('段') {
        Some(head) => {
            let number = head.chars().next_back()?;
            road.split_at(head.len() - number.len_utf8())
        }
        None => (road, ""),
    };
    ROAD_TYPES.iter().find_map(|t| {
        let stem = rest.strip_suffix(t)?;
        (!stem.is_empty()).then_some((stem, &rest[stem.len()..], section))
    })
}

/// The numbers that a door number covers: 32之3 is 32, 345-351 all from 345 to 351.
fn covered(number: &str) -> (u32, u32) {
    let mut runs =
        number.split(|c: char| !c.is_ascii_digit()).filter(|r| !r.is_empty()).map(|r| r.parse().unwrap_or(0));
    let first = runs.next().unwrap_or(0);
    match runs.next() {
        Some(last) if last > first && last - first < 100 && !number.contains('之') => (first, last),
        _ => (first, first),
    }
}

impl<'a> World<'a> {
    pub fn of(base: &'a Base) -> World<'a> {
        let mut world = World {
            base,
            truth: Truth::of(base),
            kinds: Vec::new(),
            names: vec![Vec::new(); Field::ALL.len()],
            known: vec![FxHashSet::default(); Field::ALL.len()],
            numbers: FxHashMap::default(),
            stems: FxHashMap::default(),
            roads_of_district: FxHashMap::default(),
        };
        for (at, row) in base.rows.iter().enumerate() {
            match world.kinds.iter_mut().find(|(kind, _)| *kind == row.kind) {
                Some((_, rows)) => rows.push(at as u32),
                None => world.kinds.push((row.kind, vec![at as u32])),
            }
            world.learn(row);
        }
        world
    }

    fn learn(&mut self, row: &'a crate::row::Row) {
        for field in Field::ALL {
            let name = row.get(field);
            if !name.is_empty() && self.known[field as usize].insert(name) {
                self.names[field as usize].push(name);
                if field == Field::Road {
                    let stem = split_road(name).map_or(name, |(stem, _, _)| stem);
                    *self.stems.entry(stem).or_default() += 1;
                }
            }
        }
        let (district, road) = (row.get(Field::District), row.get(Field::Road));
        if road.is_empty() {
            return;
        }
        let roads = self.numbers.entry(district).or_default();
        if !roads.contains_key(road) {
            self.roads_of_district.entry(district).or_default().push(road);
        }
        let numbers = roads.entry(road).or_default();
        let (first, last) = covered(row.get(if row.has(Field::Lane) { Field::Lane } else { Field::Number }));
        numbers.extend(first..=last);
    }

    pub fn names(&self, field: Field) -> &[&'a str] {
        &self.names[field as usize]
    }

    pub fn knows(&self, field: Field, name: &str) -> bool {
        self.known[field as usize].contains(name)
    }

    /// The numbers of a road in a district.
    pub fn numbers(&self, district: &str, road: &str) -> Option<&BTreeSet<u32>> {
        self.numbers.get(district)?.get(road)
    }

    /// Whether a name without its type can only mean one road.
    pub fn is_only_stem(&self, stem: &str) -> bool {
        self.stems.get(stem).copied().unwrap_or(0) == 1 && !self.knows(Field::Road, stem)
    }

    pub fn roads_of(&self, district: &str) -> &[&'a str] {
        self.roads_of_district.get(district).map_or(&[], Vec::as_slice)
    }
}

/// Whether two texts differ by at most one character: another one, one more or one less.
pub fn within_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    a.len().max(b.len()) - head - tail <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roads_are_split() {
        assert_eq!(split_road("大安路一段"), Some(("大安", "路", "一段")));
        assert_eq!(split_road("站前大道"), Some(("站前", "大道", "")));
        assert_eq!(split_road("港东公路"), Some(("港东", "公路", "")));
        assert_eq!(split_road("五四广场"), None);
        assert_eq!(split_road("路"), None);
    }

    #[test]
    fn numbers_cover_what_they_say() {
        assert_eq!(covered("345-351号"), (345, 351));
        assert_eq!(covered("32之3號"), (32, 32));
        assert_eq!(covered("11号"), (11, 11));
    }

    #[test]
    fn one_slip_is_told_from_two() {
        assert!(
            within_one("江西路", "江酉路")
                && within_one("江西路", "江路")
                && within_one("江西路", "江江西路")
                && within_one("a", "a")
        );
        assert!(!within_one("江西路", "西江路") && !within_one("江西路", "河东路") && !within_one("江西路", "路"));
    }
}
