//! Which rows a text may mean: all that agree with everything it still says.

use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

use crate::base::Base;
use crate::row::{FIELDS, Field, Kind, Row};

/// Rows by the parts that tell most, to be found without looking at all of them.
pub struct Truth {
    by_door: Vec<(u64, u32)>,
    by_compound: Vec<(u64, u32)>,
    by_poi: Vec<(u64, u32)>,
    by_village: Vec<(u64, u32)>,
}

fn hash(parts: &[&str]) -> u64 {
    let mut hasher = FxHasher::default();
    parts.hash(&mut hasher);
    hasher.finish()
}

fn door(row: &Row) -> u64 {
    hash(&[row.get(Field::Road), row.get(Field::Lane), row.get(Field::Number)])
}

fn village(row: &Row) -> u64 {
    hash(&[row.get(Field::Community), row.get(Field::Number)])
}

fn compound(row: &Row) -> u64 {
    hash(&[row.get(Field::Compound)])
}

fn poi(row: &Row) -> u64 {
    hash(&[row.get(Field::Poi)])
}

impl Truth {
    pub fn of(base: &Base) -> Truth {
        let index = |take: &dyn Fn(&Row) -> bool, key: &dyn Fn(&Row) -> u64| {
            let rows = base.rows.iter().enumerate().filter(|(_, row)| take(row));
            let mut entries: Vec<(u64, u32)> = rows.map(|(at, row)| (key(row), at as u32)).collect();
            entries.sort_unstable();
            entries
        };
        Truth {
            by_door: index(&|row| row.has(Field::Road), &door),
            by_compound: index(&|row| row.has(Field::Compound), &compound),
            by_poi: index(&|row| row.has(Field::Poi), &poi),
            by_village: index(&|row| row.kind == Kind::Village, &village),
        }
    }

    /// The rows of the same kind that are the same as `row` in the parts of `said` (bits by [`Field::bit`]).
    pub fn rows(&self, base: &Base, row: &Row, said: u32) -> Vec<u32> {
        let says = |field: Field| said & field.bit() != 0;
        let (entries, key) = match row.kind {
            Kind::Village => (&self.by_village, village(row)),
            Kind::Poi if says(Field::Poi) => (&self.by_poi, poi(row)),
            Kind::Compound | Kind::Building | Kind::Room if says(Field::Compound) && row.has(Field::Compound) => {
                (&self.by_compound, compound(row))
            }
            _ => (&self.by_door, door(row)),
        };
        let start = entries.partition_point(|e| e.0 < key);
        let same = entries[start..].iter().take_while(|e| e.0 == key).map(|e| e.1);
        same.filter(|&at| agrees(&base.rows[at as usize], row, said)).collect()
    }

    /// Whether there is a row of this kind with these parts but another road.
    pub fn has_on_road(&self, base: &Base, row: &Row, road: &str, said: u32) -> bool {
        let key = hash(&[road, row.get(Field::Lane), row.get(Field::Number)]);
        let start = self.by_door.partition_point(|e| e.0 < key);
        let said = said & !Field::Road.bit();
        self.by_door[start..].iter().take_while(|e| e.0 == key).any(|e| {
            let other = &base.rows[e.1 as usize];
            other.get(Field::Road) == road && agrees(other, row, said)
        })
    }
}

fn agrees(other: &Row, row: &Row, said: u32) -> bool {
    other.kind == row.kind
        && (0..FIELDS).filter(|at| said >> at & 1 == 1).all(|at| other.get(Field::ALL[at]) == row.get(Field::ALL[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(district: &str, number: &str, room: &str) -> Row {
        let mut parts = [""; FIELDS];
        parts[Field::District as usize] = district;
        parts[Field::Road as usize] = "江西路";
        parts[Field::Number as usize] = number;
        parts[Field::Room as usize] = room;
        Row::new(if room.is_empty() { Kind::Door } else { Kind::Room }, (0.0, 0.0), parts, "").unwrap()
    }

    #[test]
    fn all_rows_that_agree_are_true() {
        let rows = vec![
            row("市南区", "7号", ""),
            row("市北区", "7号", ""),
            row("市南区", "9号", ""),
            row("市南区", "7号", "101室"),
        ];
        let base = Base { rows, ..Base::default() };
        let truth = Truth::of(&base);
        let all = u32::MAX;
        assert_eq!(truth.rows(&base, &base.rows[0], all), [0]);
        assert_eq!(truth.rows(&base, &base.rows[0], all & !Field::District.bit()), [0, 1], "the district was not said");
        assert!(truth.has_on_road(&base, &base.rows[0], "江西路", all));
        assert!(!truth.has_on_road(&base, &base.rows[0], "江东路", all));
    }
}
