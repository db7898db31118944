//! Numbers of an address (lane, door, building, unit, floor, room) as codes that compare alike however they are written:
//! 之10 and -10, 号楼 and 栋, 二 and 2.

use xxhash_rust::xxh3::xxh3_64;

use crate::text::{Kind, Text, Unit};

/// Codes of what is no plain number: a hash, apart from all numbers by the highest bit.
const WORD: u64 = 1 << 63;

/// A door number: 40之22號 is main 40, sub 22; 臨40 and 40甲 carry a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Door {
    pub main: u32,
    pub sub: u16,
    pub mark: u16,
}

impl Door {
    pub fn code(self) -> u64 {
        u64::from(self.main & 0x7FFF_FFFF) << 32 | u64::from(self.sub) << 16 | u64::from(self.mark)
    }
    pub fn of_code(code: u64) -> Option<Door> {
        (code & WORD == 0).then_some(Door { main: (code >> 32) as u32, sub: (code >> 16) as u16, mark: code as u16 })
    }
    /// 345-351号 stands for all the numbers of one side between the two.
    pub fn covers(self, other: Door) -> bool {
        let (from, to) = (self.main, u32::from(self.sub));
        let one_side = from % 2 == to % 2 && from % 2 == other.main % 2;
        to > from && to - from <= 200 && one_side && other.sub == 0 && (from..=to).contains(&other.main)
    }
}

/// What stands at a place of a text where a number may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read<T> {
    pub value: T,
    /// The place after it.
    pub end: usize,
    /// It said what it is: 号, not only digits.
    pub explicit: bool,
}

fn is(t: &Text, i: usize, c: char) -> bool {
    t.units.get(i) == Some(&(c as Unit))
}

fn one_of(t: &Text, i: usize, set: &str) -> bool {
    t.units.get(i).is_some_and(|u| set.chars().any(|c| c as Unit == *u))
}

fn words(t: &Text, i: usize, word: &str) -> bool {
    word.chars().enumerate().all(|(k, c)| is(t, i + k, c))
}

/// Digits from `i` on: their value and the place after them. A gap ends them, and so does a change from numerals to digits.
pub fn digits(t: &Text, i: usize) -> Option<(u32, usize)> {
    let kind = *t.kinds.get(i)?;
    if !kind.is_digit() {
        return None;
    }
    let mut end = i;
    let mut value = 0u32;
    while end < t.len() && t.kinds[end] == kind && (end == i || !t.gaps[end]) {
        value = value.checked_mul(10)?.checked_add(u32::from(t.units[end]) - u32::from(b'0'))?;
        end += 1;
    }
    (end - i <= 7).then_some((value, end))
}

const STEMS: &str = "甲乙丙丁戊己庚辛";
const PREFIXES: &str = "临附特增";

/// Reads a door number at `i`.
pub fn door(t: &Text, i: usize) -> Option<Read<Door>> {
    let mut at = i;
    let mut door = Door::default();
    let said = ["门牌号码", "门牌号", "门牌", "号码", "NO"].iter().find(|w| words(t, at, w));
    at += said.map_or(0, |w| w.chars().count());
    if is(t, at, '第') || is(t, at, '新') && t.kinds.get(at + 1).is_some_and(|k| k.is_digit()) {
        at += 1;
    }
    if one_of(t, at, PREFIXES) || one_of(t, at, STEMS) {
        door.mark = t.units[at];
        at += 1;
        if is(t, at, '之') {
            at += 1;
        }
    }
    let (main, end) = digits(t, at)?;
    door.main = main;
    at = tail(t, end, &mut door);
    let sign = one_of(t, at, "号#");
    if sign {
        at += 1;
        if !words(t, at, "院") {
            at = tail(t, at, &mut door);
            if is(t, at, '号') {
                at += 1;
            }
        }
        if is(t, at, '院') && !one_of(t, at + 1, "内外里") {
            at += 1;
        }
    }
    Some(Read { value: door, end: at, explicit: sign || said.is_some() })
}

/// What may follow the digits of a door number: -2, 之2, 附2, 甲, A.
fn tail(t: &Text, i: usize, door: &mut Door) -> usize {
    let mut at = i;
    if (is(t, at, '-') || is(t, at, '之') || is(t, at, '附'))
        && door.sub == 0
        && let Some((sub, end)) = digits(t, at + 1)
        && sub <= u32::from(u16::MAX)
    {
        door.sub = sub as u16;
        at = end;
        // 3-1-2: the third is kept apart from 3-1, whatever it is.
        if (is(t, at, '-') || is(t, at, '之'))
            && let Some((third, end)) = digits(t, at + 1)
            && third < 2000
        {
            door.mark = door.mark.wrapping_add(1000 + third as u16);
            at = end;
        }
    }
    let letter = t.kinds.get(at) == Some(&Kind::Letter) && t.kinds.get(at + 1) != Some(&Kind::Letter) && !t.gaps[at];
    if door.mark == 0 && ((letter && !one_of(t, at + 1, "座栋幢区")) || (one_of(t, at, STEMS) && !t.gaps[at])) {
        door.mark = t.units[at];
        at += 1;
    }
    at
}

/// Reads lanes at `i`: 279巷3弄. The value is their code.
pub fn lanes(t: &Text, i: usize) -> Option<Read<u64>> {
    let (mut at, mut code, mut count) = (i, 0u64, 0);
    while count < 3 {
        let Some((n, end)) = digits(t, at) else { break };
        let unit = if words(t, end, "支弄") || words(t, end, "胡同") {
            2
        } else if one_of(t, end, "巷弄") {
            1
        } else {
            break;
        };
        code |= u64::from(n & 0xF_FFFF) << (40 - 20 * count);
        at = end + unit;
        count += 1;
    }
    (count > 0).then_some(Read { value: code, end: at, explicit: true })
}

/// The code of what stands between `from` and `to`, were it a lane's name.
pub fn lane_word(t: &Text, from: usize, to: usize) -> u64 {
    word(&t.units[from..to])
}

/// The code of a lane as a source writes it.
pub fn lane_code(raw: &str) -> u64 {
    let t = Text::of(raw);
    match lanes(&t, 0) {
        Some(r) if r.end == t.len() => r.value,
        _ => word(&t.units),
    }
}

/// The code of a door number as a source writes it.
pub fn door_code(raw: &str) -> u64 {
    let t = Text::of(raw);
    match door(&t, 0) {
        Some(r) if r.end == t.len() => r.value.code(),
        _ => word(&t.units),
    }
}

/// Words that only say what kind of number it is.
const BUILDING: &[&str] = &["号楼", "号栋", "#楼", "号", "楼", "栋", "幢", "座", "#", "斋", "阁"];
const UNIT: &[&str] = &["单元", "号门", "门", "单", "元", "梯"];
const FLOOR: &[&str] = &["层", "楼", "F"];
const ROOM: &[&str] = &["号室", "号房", "室", "房", "户", "号", "铺", "#"];

/// Which part of a building a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    Building,
    Unit,
    Floor,
    Room,
}

/// The code of a building, unit, floor or room as a source writes it.
pub fn inner_code(kind: Inner, raw: &str) -> u64 {
    let t = Text::of(raw);
    let mut units = &t.units[..];
    let suffixes = match kind {
        Inner::Building => BUILDING,
        Inner::Unit => UNIT,
        Inner::Floor => FLOOR,
        Inner::Room => ROOM,
    };
    for s in suffixes {
        let n = s.chars().count();
        if units.len() > n && s.chars().zip(&units[units.len() - n..]).all(|(c, u)| c as Unit == *u) {
            units = &units[..units.len() - n];
            break;
        }
    }
    if units.first() == Some(&('第' as Unit)) {
        units = &units[1..];
    }
    units_code(units)
}

/// The code of digits is their value; of anything else a hash.
pub fn units_code(units: &[Unit]) -> u64 {
    let digit = |u: &Unit| (u16::from(b'0')..=u16::from(b'9')).contains(u);
    if !units.is_empty() && units.len() <= 12 && units.iter().all(digit) {
        return units.iter().fold(0, |v, u| v * 10 + u64::from(*u - u16::from(b'0')));
    }
    // 二樓之3 and 2-3 are the same.
    let plain: Vec<Unit> = units
        .iter()
        .map(|u| if *u == '之' as Unit { u16::from(b'-') } else { *u })
        .filter(|u| *u != '楼' as Unit)
        .collect();
    word(&plain)
}

fn word(units: &[Unit]) -> u64 {
    if units.is_empty() { 0 } else { WORD | (xxh3_64(bytemuck::cast_slice(units)) >> 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u32, u16, usize, bool) {
        let r = door(&Text::of(text), 0).unwrap();
        (r.value.main, r.value.sub, r.end, r.explicit)
    }

    #[test]
    fn door_numbers_however_written() {
        for same in ["3-1号", "3之1號", "3号之1", "3号附1号", "3號-1", "３－１号", "三之一号", "3附1号"]
        {
            assert_eq!(door_code(same), door_code("3-1号"), "{same}");
        }
        assert_eq!(door_code("82号"), door_code("八十二号"));
        assert_eq!(door_code("82#"), door_code("82"));
        assert_ne!(door_code("臨40號"), door_code("40號"));
        assert_ne!(door_code("12甲号"), door_code("12号"));
        assert_ne!(door_code("3-1号"), door_code("3号"));
        assert_eq!(read("345-351号上海"), (345, 351, 8, true));
        assert_eq!(read("138玩美"), (138, 0, 3, false));
        assert_eq!(read("12号院3号楼"), (12, 0, 4, true));
        assert!(Door { main: 345, sub: 351, mark: 0 }.covers(Door { main: 347, sub: 0, mark: 0 }));
        assert!(!Door { main: 3, sub: 1, mark: 0 }.covers(Door { main: 3, sub: 0, mark: 0 }));
    }

    #[test]
    fn lanes_however_written() {
        assert_eq!(lane_code("279巷3弄"), lane_code("二百七十九巷三衖"));
        assert_ne!(lane_code("279巷"), lane_code("279巷3弄"));
        assert!(lane_code("平安巷") & WORD != 0);
    }

    #[test]
    fn parts_of_buildings_however_written() {
        for same in ["2号楼", "2栋", "2幢", "2#楼", "2#", "二号楼", "2座", "2"] {
            assert_eq!(inner_code(Inner::Building, same), 2, "{same}");
        }
        assert_eq!(inner_code(Inner::Building, "B座"), inner_code(Inner::Building, "b栋"));
        assert_eq!(inner_code(Inner::Unit, "3单元"), inner_code(Inner::Unit, "3门"));
        assert_eq!(inner_code(Inner::Room, "1801室"), inner_code(Inner::Room, "1801户"));
        assert_eq!(inner_code(Inner::Floor, "二樓之3"), inner_code(Inner::Floor, "2楼-3"));
    }
}
