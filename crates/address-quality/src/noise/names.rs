//! Names that are shortened, ended otherwise, left off, or spelled in Latin letters.

use super::{Noise, Set, list};
use crate::draft::Draft;
use crate::random::Random;
use crate::row::{Field, Kind};
use crate::script;
use crate::world::{World, split_road};

pub(super) const HARD: [Noise; 12] = list(
    Set::Hard,
    [
        ("no_road_type", no_road_type),
        ("wrong_road_type", wrong_road_type),
        ("compound_suffix", compound_suffix),
        ("compound_short", compound_short),
        ("poi_short", poi_short),
        ("poi_no_address", poi_no_address),
        ("only_compound", only_compound),
        ("only_name", only_name),
        ("bare_name", bare_name),
        ("pinyin_road", pinyin_road),
        ("pinyin_all", pinyin_all),
        ("no_number_type", no_number_type),
    ],
);

pub(super) fn no_road_type(draft: &mut Draft, _: &mut Random, world: &World) -> bool {
    let road = draft.part(Field::Road).to_owned();
    let Some((stem, _, section)) = split_road(&road) else { return false };
    // 江西三 before 7号 would be read as 江西 37号; 山 before 东 as 山东.
    let ends_in_numeral = stem.ends_with(|c: char| "一二三四五六七八九十0123456789".contains(c));
    if stem.chars().count() < 2 || ends_in_numeral || !world.is_only_stem(stem) || !draft.row.has(Field::Number) {
        return false;
    }
    draft.write(Field::Road, format!("{stem}{section}"));
    true
}

pub(super) fn wrong_road_type(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let road = draft.part(Field::Road).to_owned();
    let Some((stem, now, section)) = split_road(&road) else { return false };
    let other = random.pick(&["路", "街", "大道", "大街", "道"]);
    if other == now || stem.ends_with('支') || !world.is_only_stem(stem) || !draft.row.has(Field::Number) {
        return false;
    }
    draft.write(Field::Road, format!("{stem}{other}{section}"));
    true
}

/// What compounds are called by, and may be called by instead.
const SUFFIXES: [&str; 22] = [
    "小区", "花园", "家园", "公寓", "新村", "大厦", "广场", "苑", "新苑", "别墅", "花苑", "新城", "庄园", "嘉园", "府",
    "里", "社区", "公馆", "名邸", "宿舍", "大院", "佳苑",
];

fn split_compound(name: &str) -> Option<(&str, &str)> {
    let end = SUFFIXES.iter().filter(|s| name.ends_with(**s)).max_by_key(|s| s.len())?;
    let stem = name.strip_suffix(end)?;
    (stem.chars().count() >= 2).then_some((stem, end))
}

pub(super) fn compound_suffix(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let name = draft.part(Field::Compound).to_owned();
    let Some((stem, end)) = split_compound(&name) else { return false };
    let other = random.pick(&SUFFIXES);
    let new = format!("{stem}{other}");
    if other == end || world.knows(Field::Compound, &new) {
        return false;
    }
    draft.write(Field::Compound, new);
    true
}

fn compound_short(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let name = draft.part(Field::Compound).to_owned();
    let chars: Vec<char> = name.chars().collect();
    let new: String = match split_compound(&name) {
        Some((stem, _)) => stem.to_owned(),
        None if chars.len() >= 5 && random.one_in(2) => chars[2..].iter().collect(),
        None if chars.len() >= 4 => chars[..chars.len() - 1].iter().collect(),
        None => return false,
    };
    if world.knows(Field::Compound, &new) {
        return false;
    }
    draft.write(Field::Compound, new);
    draft.row.has(Field::Number)
}

/// 沙县小吃(天宝路店) as 沙县小吃; 上海市静安区… without the city in front; the last word left off.
fn poi_short(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let name = draft.part(Field::Poi).to_owned();
    let city = draft.row.get(Field::City).trim_end_matches('市').to_owned();
    let without_branch = name.find(['(', '（']).filter(|at| *at > 3).map(|at| name[..at].to_owned());
    let without_city =
        name.strip_prefix(&format!("{city}市")).or_else(|| name.strip_prefix(&city)).filter(|_| !city.is_empty());
    let chars: Vec<char> = name.chars().collect();
    let new = match (without_branch, without_city) {
        (Some(new), _) => new,
        (None, Some(new)) => new.to_owned(),
        _ if chars.len() >= 6 && random.one_in(2) => chars[2..].iter().collect(),
        _ if chars.len() >= 5 => chars[..chars.len() - 1].iter().collect(),
        _ => return false,
    };
    if world.knows(Field::Poi, &new) || new.chars().count() < 2 {
        return false;
    }
    draft.write(Field::Poi, new);
    draft.row.has(Field::Number)
}

/// The district and the place: 市南区某某书店.
fn poi_no_address(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    for field in [Field::Road, Field::Lane, Field::Number, Field::Street] {
        draft.drop(field);
    }
    if random.one_in(2) {
        draft.drop(Field::City);
    }
    draft.drop(Field::Province);
    draft.row.kind == Kind::Poi && draft.has(Field::Poi) && draft.row.has(Field::Number)
}

fn only_compound(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    for field in [Field::Province, Field::Road, Field::Lane, Field::Number] {
        draft.drop(field);
    }
    if random.one_in(3) {
        draft.drop(Field::City);
    }
    draft.has(Field::Compound)
}

fn only_name(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    for field in [Field::Province, Field::Road, Field::Lane, Field::Number, Field::Street] {
        draft.drop(field);
    }
    if random.one_in(2) {
        draft.drop(Field::District);
    }
    draft.has(Field::Poi)
}

/// Nothing but the name of a place.
fn bare_name(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    for field in Field::ALL {
        if !matches!(field, Field::Poi | Field::Compound | Field::Building | Field::Unit | Field::Room) {
            draft.drop(field);
        }
    }
    let name = if draft.has(Field::Poi) { Field::Poi } else { Field::Compound };
    draft.part(name).chars().count() >= 4
}

/// Whether another road is spelled in the same way.
fn sounds_like_another(road: &str, draft: &Draft, world: &World) -> bool {
    let own = script::pinyin(road, "");
    world.roads_of(draft.row.get(Field::District)).iter().any(|r| *r != road && script::pinyin(r, "") == own)
}

fn pinyin_road(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let road = draft.part(Field::Road).to_owned();
    let Some((stem, kind, section)) = split_road(&road) else { return false };
    if sounds_like_another(&road, draft, world) || !draft.row.has(Field::Number) {
        return false;
    }
    let between = random.pick(&["", "", " "]);
    let spelled = script::pinyin(stem, between);
    let new = if random.one_in(2) {
        format!("{spelled}{kind}{section}")
    } else {
        spelled + between + &script::pinyin(&format!("{kind}{section}"), between)
    };
    draft.write(Field::Road, new);
    true
}

/// All of it in Latin letters, as foreigners and some forms have it; without province and city half of the time.
fn pinyin_all(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let road = draft.part(Field::Road).to_owned();
    if road.is_empty()
        || sounds_like_another(&road, draft, world)
        || draft.has(Field::Poi)
        || draft.has(Field::Compound)
    {
        return false;
    }
    draft.drop(Field::Province);
    if random.one_in(2) {
        draft.drop(Field::City);
    }
    let (within, between) = [("", " "), (" ", " "), ("", "")][random.below(3)];
    let parts = Field::ALL.map(|f| script::pinyin(draft.part(f), within));
    let text = parts.iter().filter(|p| !p.is_empty()).map(String::as_str).collect::<Vec<_>>().join(between);
    draft.whole = Some(if random.one_in(3) { text.to_uppercase() } else { text });
    draft.row.has(Field::Number)
}

/// 7号楼1单元 without any word: 江西路7 花园 3 1 201.
fn no_number_type(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    if !draft.has(Field::Room) || !draft.has(Field::Building) {
        return false;
    }
    for field in [Field::Building, Field::Unit, Field::Room] {
        let digits: String = draft.part(field).chars().filter(char::is_ascii_digit).collect();
        draft.write(field, format!(" {digits}"));
    }
    !draft.part(Field::Building).trim().is_empty() && draft.has(Field::Unit)
}
