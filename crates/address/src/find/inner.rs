//! What stands inside of a place: building, unit, floor, room, however they are written.

use crate::code::units_code;
use crate::text::{Kind, Text, Unit};

/// Codes of the parts that a text names; None: it says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inside {
    pub building: Option<u64>,
    pub unit: Option<u64>,
    pub floor: Option<u64>,
    pub room: Option<u64>,
    /// The place of the first of them, and the one after the last.
    pub from: usize,
    pub end: usize,
    /// Where building, unit, floor and room end.
    pub ends: [usize; 4],
}

impl Inside {
    /// Notes where those end that were read last.
    fn mark(&mut self) {
        let said = [self.building, self.unit, self.floor, self.room];
        for (end, _) in self.ends.iter_mut().zip(said).filter(|(end, said)| said.is_some() && **end == 0) {
            *end = self.end;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.building.is_none() && self.unit.is_none() && self.floor.is_none() && self.room.is_none()
    }
}

fn at(t: &Text, i: usize, words: &[&str]) -> Option<usize> {
    words
        .iter()
        .find(|w| w.chars().enumerate().all(|(k, c)| t.units.get(i + k) == Some(&(c as Unit))))
        .map(|w| w.chars().count())
}

fn one(t: &Text, i: usize, set: &str) -> bool {
    t.units.get(i).is_some_and(|u| set.chars().any(|c| c as Unit == *u))
}

/// A number or a letter or both: 12, B, A3, 1207B, 东1.
fn token(t: &Text, i: usize) -> Option<usize> {
    let mut end = i;
    if one(t, end, "东西南北中") && t.kinds.get(end + 1).is_some_and(|k| k.is_digit() || *k == Kind::Letter) {
        end += 1;
    }
    if t.kinds.get(end) == Some(&Kind::Letter) && t.kinds.get(end + 1) != Some(&Kind::Letter) {
        end += 1;
    }
    let digits_from = end;
    while end < t.len()
        && t.kinds[end].is_digit()
        && end - digits_from < 6
        && (end == digits_from || (!t.gaps[end] && t.kinds[end] == t.kinds[end - 1]))
    {
        end += 1;
    }
    let storey = one(t, end, "F") && t.kinds.get(end + 1).is_none_or(|k| *k != Kind::Letter);
    if end > digits_from
        && !storey
        && t.kinds.get(end) == Some(&Kind::Letter)
        && t.kinds.get(end + 1) != Some(&Kind::Letter)
        && !t.gaps[end]
    {
        end += 1;
    }
    (end > i && (end > digits_from || t.kinds[i] == Kind::Letter)).then_some(end)
}

/// Reads what is inside from `i` on.
pub fn read(t: &Text, i: usize) -> Inside {
    let mut inside = Inside { from: i, end: i, ..Inside::default() };
    let mut p = i;
    while p < t.len() {
        if one(t, p, "第") || (p > i && one(t, p, "-")) {
            p += 1;
        }
        let Some(end) = token(t, p) else { break };
        let code = units_code(&t.units[p..end]);
        let digits = (p..end).filter(|k| t.kinds[*k].is_digit()).count();
        if let Some(chain) = chain(t, p, end, &mut inside) {
            p = chain;
            inside.end = p;
            inside.mark();
            continue;
        }
        let after = suffix(t, end, code, digits, &mut inside);
        match after {
            Some(next) => {
                p = next;
                inside.end = p;
                inside.mark();
                // 之3 of a floor: 二楼之3.
                if inside.floor.is_some() && inside.room.is_none() && one(t, p, "之-") {
                    p += 1;
                }
            }
            None => break,
        }
    }
    inside
}

/// 6-1-204, 6-204, 2-1801: building, unit and room in one chain.
fn chain(t: &Text, start: usize, first_end: usize, inside: &mut Inside) -> Option<usize> {
    let mut codes = vec![units_code(&t.units[start..first_end])];
    let mut end = first_end;
    while codes.len() < 5 {
        // 12 1 2601: gaps between numbers divide like dashes.
        let spaced = t.gaps.get(end) == Some(&true) && t.kinds[end] == Kind::Digit && t.kinds[end - 1] == Kind::Digit;
        let from = if one(t, end, "-") { end + 1 } else { end };
        if from == end && !spaced {
            break;
        }
        let Some(next) = token(t, from) else { break };
        codes.push(units_code(&t.units[from..next]));
        end = next;
    }
    if codes.len() < 2 {
        return None;
    }
    let mut slots: Vec<&mut Option<u64>> = Vec::with_capacity(4);
    let Inside { building, unit, floor, room, .. } = inside;
    match (codes.len(), building.is_some(), unit.is_some()) {
        (2, false, _) => slots.extend([building, room]),
        (2, true, false) => slots.extend([unit, room]),
        (2, true, true) => slots.extend([floor, room]),
        (3, false, _) => slots.extend([building, unit, room]),
        (3, true, _) => slots.extend([unit, floor, room]),
        (4, false, _) => slots.extend([building, unit, floor, room]),
        _ => return None,
    }
    slots.into_iter().zip(codes).for_each(|(s, c)| *s = Some(c));
    Some(end + at(t, end, &["号室", "室", "房", "户", "号"]).unwrap_or(0))
}

/// What the word after a number says the number is. Returns the place after it.
fn suffix(t: &Text, end: usize, code: u64, digits: usize, inside: &mut Inside) -> Option<usize> {
    let before_room = inside.room.is_none();
    if let Some(n) = at(t, end, &["号楼", "号栋", "#楼", "栋", "幢", "座"]) {
        if inside.building.is_none() && before_room {
            inside.building = Some(code);
            return Some(end + n);
        }
        return None;
    }
    if let Some(n) = at(t, end, &["单元", "门洞", "号门", "门", "单", "元", "梯"]) {
        if inside.unit.is_none() && before_room {
            inside.unit = Some(code);
            return Some(end + n);
        }
        return None;
    }
    if let Some(n) = at(t, end, &["层", "F", "楼"]) {
        // 3楼2单元: the 3 is a building; 3楼 after a building is a floor.
        let a_unit_follows = token(t, end + n).is_some_and(|e| at(t, e, &["单元", "门洞", "门", "单", "元"]).is_some());
        if a_unit_follows && inside.building.is_none() {
            inside.building = Some(code);
            return Some(end + n);
        }
        if inside.floor.is_none() && before_room {
            inside.floor = Some(code);
            return Some(end + n);
        }
        return None;
    }
    if let Some(n) = at(t, end, &["号室", "号房", "室", "房", "户", "铺"]) {
        if before_room {
            inside.room = Some(code);
            return Some(end + n);
        }
        return None;
    }
    if let Some(n) = at(t, end, &["号", "#"]) {
        return hash_sign(code, digits, end + n, inside);
    }
    // A bare number: a room, if it is long enough for one or a unit or building stands before.
    let free = t.kinds.get(end).is_none_or(|k| !k.is_digit() && *k != Kind::Letter);
    if free
        && before_room
        && (digits >= 3
            || (digits > 0 && (inside.unit.is_some() || inside.floor.is_some() || inside.building.is_some())))
    {
        inside.room = Some(code);
        return Some(end);
    }
    None
}

/// 4# and 202号: a building, or a room once there is one.
fn hash_sign(code: u64, digits: usize, end: usize, inside: &mut Inside) -> Option<usize> {
    let slot = if inside.building.is_none() && inside.unit.is_none() && inside.floor.is_none() && digits <= 3 {
        &mut inside.building
    } else if inside.room.is_none() {
        &mut inside.room
    } else {
        return None;
    };
    *slot = Some(code);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Option<u64>, Option<u64>, Option<u64>, Option<u64>) {
        let r = read(&Text::of(text), 0);
        (r.building, r.unit, r.floor, r.room)
    }

    #[test]
    fn buildings_units_rooms_however_written() {
        let whole = (Some(2), Some(1), None, Some(1002));
        for same in [
            "2号楼1单元1002室",
            "2栋1单元1002",
            "2幢一单元1002户",
            "2#1单元1002室",
            "2-1-1002",
            "2#楼1门1002房",
            "2－1－1002室",
            "2/1/1002",
            "2 1 1002",
            "2号楼-1-1002",
            "2号楼1门洞1002室",
            "二号楼一单元1002号",
        ] {
            assert_eq!(of(same), whole, "{same}");
        }
        assert_eq!(of("2-1801"), (Some(2), None, None, Some(1801)));
        assert_eq!(of("3单元902"), (None, Some(3), None, Some(902)));
        assert_eq!(of("6号楼2单元604房"), (Some(6), Some(2), None, Some(604)));
        assert_eq!(of("三樓"), (None, None, Some(3), None));
        assert_eq!(of("3楼2单元201"), (Some(3), Some(2), None, Some(201)));
        assert_eq!(of("1802室"), (None, None, None, Some(1802)));
        assert_eq!(of("2单元18F1801"), (None, Some(2), Some(18), Some(1801)));
        assert_eq!(of("14号楼"), (Some(14), None, None, None));
        assert_eq!(of("到了联系"), (None, None, None, None));
    }
}
