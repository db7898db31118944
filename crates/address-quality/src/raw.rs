//! Addresses as an office has printed them, floors and all, against all doors of a city at once: millions of rows, of which an index is
//! given nothing but the one text.

use std::io;
use std::path::Path;

use crate::base::{Base, Columns, open};
use crate::draft::Expect;
use crate::noise::{Query, Set};
use crate::random::Random;
use crate::row::{FIELDS, Kind, Row};
use crate::script;

/// Every row of these files; floors of a door stay.
pub fn read(name: &str, paths: &[&Path]) -> io::Result<Base> {
    let mut base = Base { name: name.to_owned(), ..Base::default() };
    for path in paths {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(open(path)?);
        let columns = Columns::of(reader.headers()?);
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            let get = |name| columns.get(&record, name);
            if let (Ok(lon), Ok(lat)) = (get("X").parse(), get("Y").parse()) {
                base.rows.extend(Row::new(Kind::Door, (lon, lat), [""; FIELDS], get("FULL_ADDR")));
            }
        }
    }
    Ok(base)
}

/// Texts of rows, as they are printed or as people copy them.
pub fn sample(base: &Base, seed: u64, count: usize, copied: bool) -> Vec<Query> {
    let mut random = Random::new(seed);
    let mut make = || {
        let at = random.below(base.rows.len());
        let text = base.rows[at].full();
        let text = if copied { copy(text, &mut random) } else { text.to_owned() };
        let kind = if copied { "raw_copied" } else { "raw" }.to_owned();
        Query { text, kind, set: Set::Ordinary, expect: Expect::Row, truth: vec![at as u32] }
    };
    if base.rows.is_empty() { Vec::new() } else { (0..count).map(|_| make()).collect() }
}

/// One to three of the liberties that people take.
fn copy(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..random.between(1, 3) {
        text = match random.below(6) {
            0 => without_neighbourhood(&text),
            1 => script::simplified(&text),
            2 => text.replace('之', "-"),
            3 => floor_in_digits(&text, random),
            4 => script::full_width(&text, false),
            _ => text.replacen('臺', "台", 1),
        };
    }
    text
}

/// Leaves off 里 and 鄰, which hardly anybody writes.
fn without_neighbourhood(text: &str) -> String {
    let district = text.find(['區', '区', '鄉', '鎮']).map(|at| at + "區".len());
    let group = text.find(['鄰', '邻']).map(|at| at + "鄰".len());
    match (district, group) {
        (Some(district), Some(group)) if group > district => format!("{}{}", &text[..district], &text[group..]),
        _ => text.to_owned(),
    }
}

/// 五樓 as 5樓 or 5F.
fn floor_in_digits(text: &str, random: &mut Random) -> String {
    let Some(hao) = text.rfind(['號', '号']).map(|at| at + "號".len()) else { return text.to_owned() };
    let (head, floor) = text.split_at(hao);
    let Some(end) = floor.find(['樓', '楼']) else { return text.to_owned() };
    let value = (1..=60).find(|&n| script::chinese_number(n) == floor[..end]);
    let word = if random.one_in(3) { "F" } else { &floor[end..end + "樓".len()] };
    value.map_or_else(|| text.to_owned(), |n| format!("{head}{n}{word}{}", &floor[end + "樓".len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn liberties_keep_the_door() {
        let text = "高雄市三民區德西里6鄰中華二路361號五樓之2";
        assert_eq!(without_neighbourhood(text), "高雄市三民區中華二路361號五樓之2");
        let floors: std::collections::BTreeSet<String> =
            (0..20).map(|seed| floor_in_digits(text, &mut Random::new(seed))).collect();
        let expected = ["高雄市三民區德西里6鄰中華二路361號5F之2", "高雄市三民區德西里6鄰中華二路361號5樓之2"];
        assert!(floors.iter().eq(expected.iter()), "{floors:?}");
    }
}
