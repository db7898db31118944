//! One row on its way: what is known of it, its values, and its bytes.

use std::fmt::Write;

use super::area::{Area, Point};
use super::divisions::Divisions;
use super::ewkb;
use super::names::{BRANDS, POI_KINDS};
use super::rng::Rng;
use super::spec::{Column, Make};
use super::town::RoadClass;
use crate::layer::copy::{Value, begin_row, put};

pub enum Shape<'a> {
    Point(Point),
    Line(&'a [Point]),
    Polygon(&'a Area),
    MultiPolygon(&'a [Area]),
    /// A polygon without holes, counter-clockwise, open.
    Ring(&'a [Point]),
}

/// A row before its fields are made. `community` is where it lies.
pub struct Row<'a> {
    pub serial: u64,
    pub rng: Rng,
    pub unit: (&'a str, &'a str),
    pub community: usize,
    pub road: &'a str,
    pub number: i64,
    pub class: Option<RoadClass>,
    pub shape: Shape<'a>,
    pub population: i64,
    pub square_metres: f64,
    pub length: f64,
    pub levels: i64,
    /// Index in `POI_KINDS`.
    pub kind: usize,
    /// Running number of the household in its community, and of the person in the household.
    pub household: u64,
    pub member: usize,
    pub home: Option<Home<'a>>,
    /// What `Make::Of` takes parts of, and what they left of it.
    whole: i64,
    left: i64,
}

/// A home in a housing estate.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    pub estate: &'a str,
    pub building: usize,
    pub unit: usize,
    pub room: usize,
}

const MICROS_A_DAY: i64 = 86_400_000_000;

impl<'a> Row<'a> {
    pub fn at(serial: u64, rng: Rng, community: usize, shape: Shape<'a>) -> Row<'a> {
        Row {
            serial,
            rng,
            unit: ("", ""),
            community,
            road: "",
            number: 0,
            class: None,
            shape,
            population: 0,
            square_metres: 0.0,
            length: 0.0,
            levels: 1,
            kind: 0,
            household: 0,
            member: 0,
            home: None,
            whole: 0,
            left: 0,
        }
    }

    /// Appends the row's bytes: fid, fields, geometry.
    pub fn encode(&mut self, divisions: &Divisions, columns: &[Column], text: &mut String, out: &mut Vec<u8>) {
        (self.whole, self.left) = (self.population, self.population);
        begin_row(out, columns.len() + 2);
        put(out, &Value::Integer(self.serial as i64));
        for column in columns {
            text.clear();
            let value = self.value(divisions, &column.make, text);
            debug_assert!(value.fits(column.make.kind()), "{}", column.name);
            put(out, &value);
        }
        ewkb::put_shape(out, &self.shape);
    }

    fn value<'t>(&mut self, all: &Divisions, make: &Make, text: &'t mut String) -> Value<'t> {
        match *make {
            Make::Maybe(probability, inner) => {
                if self.rng.chance(probability) {
                    return Value::Null;
                }
                self.value(all, inner, text)
            }
            Make::Number => Value::Integer(self.number),
            Make::Levels => Value::Integer(self.levels),
            Make::BirthYear => Value::Integer(self.birth_year()),
            Make::Int(low, high) => Value::Integer(self.rng.whole(low, high)),
            Make::Population => Value::Integer(self.population),
            Make::Households => Value::Integer((self.population as f64 / self.rng.between(2.4, 2.8)) as i64),
            Make::Share(low, high) => {
                self.whole = (self.population as f64 * self.rng.between(low, high)) as i64;
                self.left = self.whole;
                Value::Integer(self.whole)
            }
            Make::Of(low, high) => {
                let part = (self.whole as f64 * self.rng.between(low, high)) as i64;
                self.left -= part;
                Value::Integer(part)
            }
            Make::Rest => Value::Integer(self.left.max(0)),
            Make::Float(low, high, decimals) => Value::Float(decimal(self.rng.between(low, high), decimals)),
            Make::Metres => Value::Float(decimal(self.length, 1)),
            Make::SquareMetres => Value::Float(decimal(self.square_metres, 1)),
            Make::SquareKilometres => Value::Float(decimal(self.square_metres / 1e6, 4)),
            Make::Density => Value::Float(decimal(self.population as f64 / (self.square_metres / 1e6).max(0.001), 1)),
            Make::Bool(probability) => Value::Boolean(self.rng.chance(probability)),
            Make::Date(from, to) => Value::Date(self.day(from, to) as i32),
            Make::Time(from, to) => {
                let second = self.rng.whole(0, 86_399);
                Value::Timestamp(self.day(from, to) * MICROS_A_DAY + second * 1_000_000)
            }
            _ => {
                self.write_text(all, make, text);
                Value::Text(text)
            }
        }
    }

    fn write_text(&mut self, all: &Divisions, make: &Make, text: &mut String) {
        let place = &all.communities[self.community];
        let street = &all.streets[place.street];
        let district = &all.districts[street.district];
        match *make {
            Make::Serial(prefix) => {
                // Writing to a String cannot fail.
                let _ = write!(text, "{prefix}{:07}", self.serial);
            }
            Make::UnitCode => text.push_str(self.unit.0),
            Make::UnitName => text.push_str(self.unit.1),
            Make::DistrictCode => text.push_str(&district.code),
            Make::Province => text.push_str("山东省"),
            Make::City => text.push_str(&all.city_name),
            Make::District => text.push_str(&district.name),
            Make::Street => text.push_str(&street.name),
            Make::Community => text.push_str(&place.name),
            Make::CommunityCode => text.push_str(&place.code),
            Make::Road => text.push_str(self.road),
            Make::Address => {
                text.push_str("山东省");
                for part in [&all.city_name, &district.name, &street.name, &place.short] {
                    text.push_str(part);
                }
                self.write_door(text);
            }
            Make::HomeAddress => {
                text.push_str("山东省");
                for part in [&all.city_name, &district.name, &street.name] {
                    text.push_str(part);
                }
                self.write_door(text);
                for part in [Make::Estate, Make::Building, Make::Unit, Make::Room] {
                    self.write_home(&part, text);
                }
            }
            Make::Estate | Make::Building | Make::Unit | Make::Room => self.write_home(make, text),
            Make::Titled(endings) => {
                text.push_str(&place.short);
                text.push_str(self.rng.pick(endings).unwrap_or(&""));
            }
            Make::RoadClass => text.push_str(self.class.map_or("", RoadClass::zh)),
            Make::PoiName => {
                text.push_str(self.rng.pick(BRANDS).unwrap_or(&""));
                text.push_str(self.rng.pick(POI_KINDS[self.kind].endings).unwrap_or(&""));
                if !self.road.is_empty() {
                    let _ = write!(text, "（{}店）", self.road);
                }
            }
            Make::PoiClass => text.push_str(POI_KINDS[self.kind].zh),
            Make::PoiClassEn => text.push_str(POI_KINDS[self.kind].en),
            Make::Household => {
                let _ = write!(text, "{}-{:06}", place.code, self.household);
            }
            Make::Relation => text.push_str(RELATIONS[self.member.min(RELATIONS.len() - 1)]),
            Make::Sex => {
                // Partners differ; who heads a household does not.
                let man = match self.member {
                    0 | 1 => self.household.is_multiple_of(3) != (self.member == 0),
                    _ => self.rng.chance(0.51),
                };
                text.push_str(if man { "男" } else { "女" });
            }
            Make::Pick(list) => text.push_str(self.rng.pick(list).unwrap_or(&"")),
            _ => {}
        }
    }

    fn write_door(&self, text: &mut String) {
        text.push_str(self.road);
        if self.number > 0 {
            let _ = write!(text, "{}号", self.number);
        }
    }

    fn write_home(&self, part: &Make, text: &mut String) {
        let Some(home) = self.home else { return };
        let _ = match part {
            Make::Estate => write!(text, "{}", home.estate),
            Make::Building => write!(text, "{}号楼", home.building),
            Make::Unit => write!(text, "{}单元", home.unit),
            _ => write!(text, "{}室", home.room),
        };
    }

    /// The head of a household and a partner of about the same age, then children, then a parent.
    fn birth_year(&mut self) -> i64 {
        // The same for all members, so that generations are apart.
        let head = 1945 + (self.household.wrapping_mul(0x9e37_79b9) >> 8) as i64 % 55;
        let year = match self.member {
            0 => head,
            1 => head + self.rng.whole(-4, 5),
            2 | 3 => head + self.rng.whole(23, (2025 - head).clamp(24, 36)),
            _ => head - self.rng.whole(22, 34),
        };
        year.clamp(1923, 2025)
    }

    /// Days since 1970-01-01 of a random day from the first of January of `from` until that of `to`.
    fn day(&mut self, from: i64, to: i64) -> i64 {
        let first = |year: i64| {
            let y = year - 1;
            y * 365 + y / 4 - y / 100 + y / 400 - 719_162
        };
        self.rng.whole(first(from), first(to) - 1)
    }
}

const RELATIONS: &[&str] = &["户主", "配偶", "子女", "子女", "父母"];

fn decimal(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_epoch() {
        let mut row = Row::at(1, Rng::new(1), 0, Shape::Point([0.0, 0.0]));
        for _ in 0..50 {
            // 2024-01-01 and 2024-12-31.
            assert!((19_723..=20_088).contains(&row.day(2024, 2025)));
        }
    }
}
