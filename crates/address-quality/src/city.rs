//! A city of the mainland that is made up, for measuring where no real base is at hand: districts, streets and communities are called as in
//! Qingdao; roads, numbers, compounds, rooms, villages, places and all coordinates are dealt by chance.

mod names;

use crate::base::Base;
use crate::random::Random;
use crate::row::{FIELDS, Field, Kind, Row};
use names::Names;

/// A metre in degrees of latitude; the city is small enough that longitude is taken at one parallel.
const NORTH: f64 = 1.0 / 111_195.0;
const EAST: f64 = NORTH / 0.807;

struct Street {
    district: &'static str,
    name: &'static str,
    communities: Vec<&'static str>,
    at: (f64, f64),
}

fn lines(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    list.lines().skip(1).filter_map(|line| line.split_once(','))
}

/// The list says by whom a community is run: 张舍村村民委员会. People say 张舍村.
fn place(name: &'static str) -> &'static str {
    ["居民委员会", "居委会", "民委员会", "村委会", "委会"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .map_or(name, |village| village.strip_suffix("村村").map_or(village, |stem| &name[..stem.len() + "村".len()]))
}

fn streets(random: &mut Random) -> Vec<Street> {
    let mut found = Vec::new();
    for (number, (district_code, district)) in lines(names::DISTRICTS).enumerate() {
        for (code, name) in lines(names::STREETS).filter(|(code, _)| code.starts_with(district_code)) {
            let communities =
                lines(names::COMMUNITIES).filter(|(c, _)| c.starts_with(code)).map(|(_, name)| place(name)).collect();
            let at = (
                120.0 + (number % 5) as f64 * 0.25 + random.share() * 0.2,
                36.0 + (number / 5) as f64 * 0.4 + random.share() * 0.3,
            );
            if name.ends_with("街道") || name.ends_with('镇') {
                found.push(Street { district, name, communities, at });
            }
        }
    }
    found
}

struct City {
    random: Random,
    names: Names,
    rows: Vec<Row>,
}

impl City {
    fn push(&mut self, kind: Kind, at: (f64, f64), street: &Street, parts: &[(Field, &str)]) {
        let mut all = [""; FIELDS];
        (all[0], all[1], all[2], all[3]) = ("山东省", "青岛市", street.district, street.name);
        for (field, text) in parts {
            all[*field as usize] = text;
        }
        let mut full = all;
        if kind != Kind::Village {
            full[Field::Community as usize] = "";
        }
        self.rows.extend(Row::new(kind, at, all, &full.concat()));
    }

    /// A road with its numbers: odd ones on one side, even ones on the other, some missing.
    fn road(&mut self, street: &Street) {
        let road = self.names.road(&mut self.random);
        let community = self.random.pick_of(&street.communities).copied().unwrap_or("");
        let start =
            (street.at.0 + (self.random.share() - 0.5) * 0.03, street.at.1 + (self.random.share() - 0.5) * 0.03);
        let angle = self.random.share() * std::f64::consts::TAU;
        let last = self.random.between(20, 160);
        for number in 1..=last {
            if self.random.one_in(4) {
                continue;
            }
            let along = number as f64 * 9.0;
            let aside = if number % 2 == 0 { 12.0 } else { -12.0 };
            let at = (
                start.0 + (along * angle.cos() - aside * angle.sin()) * EAST,
                start.1 + (along * angle.sin() + aside * angle.cos()) * NORTH,
            );
            let door = match self.random.below(40) {
                0 => format!("{number}-{}号", self.random.between(1, 4)),
                1 => format!("{number}号甲"),
                _ => format!("{number}号"),
            };
            let lane =
                if self.random.one_in(60) { format!("{}巷", self.random.between(1, 40)) } else { String::new() };
            let parts =
                [(Field::Community, community), (Field::Road, &road), (Field::Lane, &lane), (Field::Number, &door)];
            self.push(Kind::Door, at, street, &parts);
            match self.random.below(30) {
                0 => self.compound(at, street, &parts),
                1 => {
                    let name = self.names.place(&mut self.random, &road);
                    self.push(Kind::Poi, at, street, &[&parts[..], &[(Field::Poi, &name)]].concat());
                }
                _ => {}
            }
        }
    }

    fn compound(&mut self, at: (f64, f64), street: &Street, door: &[(Field, &str)]) {
        let name = self.names.compound(&mut self.random);
        let parts = [door, &[(Field::Compound, name.as_str())]].concat();
        self.push(Kind::Compound, at, street, &parts);
        let units = self.random.between(1, 4);
        for building in 1..=self.random.between(1, 12) {
            let place = (at.0 + building as f64 * 25.0 * EAST, at.1 + (building % 3) as f64 * 60.0 * NORTH);
            let text = format!("{building}号楼");
            let parts = [&parts[..], &[(Field::Building, text.as_str())]].concat();
            self.push(Kind::Building, place, street, &parts);
            if self.random.one_in(3) {
                self.rooms(place, street, &parts, units);
            }
        }
    }

    fn rooms(&mut self, at: (f64, f64), street: &Street, building: &[(Field, &str)], units: usize) {
        for unit in 1..=units {
            for floor in [1, self.random.between(2, 30)] {
                for door in 1..=2 {
                    let (unit, room) = (format!("{unit}单元"), format!("{floor}{door:02}室"));
                    let parts = [building, &[(Field::Unit, unit.as_str()), (Field::Room, room.as_str())]].concat();
                    self.push(Kind::Room, at, street, &parts);
                }
            }
        }
    }

    fn village(&mut self, street: &Street, village: &'static str) {
        let centre =
            (street.at.0 + (self.random.share() - 0.5) * 0.05, street.at.1 + (self.random.share() - 0.5) * 0.05);
        for number in 1..=self.random.between(10, 120) {
            if self.random.one_in(3) {
                continue;
            }
            let at = (centre.0 + (number % 12) as f64 * 18.0 * EAST, centre.1 + (number / 12) as f64 * 20.0 * NORTH);
            self.push(
                Kind::Village,
                at,
                street,
                &[(Field::Community, village), (Field::Number, &format!("{number}号"))],
            );
        }
    }
}

/// At least `rows` addresses, the same for the same seed.
pub fn mainland(seed: u64, rows: usize) -> Base {
    let mut random = Random::new(seed);
    let streets = streets(&mut random);
    let mut city = City { random, names: Names::new(), rows: Vec::new() };
    while city.rows.len() < rows {
        let at = city.random.below(streets.len());
        let street = &streets[at];
        city.road(street);
        let villages: Vec<&'static str> = street.communities.iter().copied().filter(|c| c.ends_with('村')).collect();
        if let Some(&village) = city.random.pick_of(&villages) {
            // A village has its numbers once.
            if !city.rows.iter().rev().any(|row| row.kind == Kind::Village && row.get(Field::Community) == village) {
                city.village(street, village);
            }
        }
    }
    unlike(&mut city.rows);
    Base { name: format!("generated city, seed {seed}"), rows: city.rows, ..Base::default() }
}

/// Keeps the first of rows that say the same: a road may have been dealt to a street twice.
fn unlike(rows: &mut Vec<Row>) {
    let mut seen = rustc_hash::FxHashSet::default();
    rows.retain(|row| seen.insert((row.kind, row.full().to_owned())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn communities_are_called_as_people_call_them() {
        assert_eq!(place("张舍村村民委员会"), "张舍村");
        assert_eq!(place("寨里村村委会"), "寨里村");
        assert_eq!(place("云霄路社区居民委员会"), "云霄路社区");
        assert_eq!(place("香港路社区"), "香港路社区");
    }

    #[test]
    fn a_city_has_all_kinds_and_no_row_twice() {
        let base = mainland(9, 5_000);
        for kind in [Kind::Door, Kind::Compound, Kind::Building, Kind::Room, Kind::Village, Kind::Poi] {
            assert!(base.rows.iter().filter(|r| r.kind == kind).count() > 10, "{kind:?}");
        }
        let texts: std::collections::HashSet<(Kind, &str)> = base.rows.iter().map(|r| (r.kind, r.full())).collect();
        assert_eq!(texts.len(), base.rows.len());
        assert_eq!(mainland(9, 5_000).rows[77].full(), base.rows[77].full());
    }
}
