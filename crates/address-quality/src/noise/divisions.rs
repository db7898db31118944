//! Province, city, district, street, community: left off, shortened, doubled, old, wrong.

use super::{Noise, Set, list};
use crate::draft::Draft;
use crate::random::Random;
use crate::row::{Field, Kind};
use crate::world::{World, within_one};

pub(super) const ORDINARY: [Noise; 17] = list(
    Set::Ordinary,
    [
        ("std", std),
        ("full", full),
        ("add_street", add_street),
        ("add_community", add_community),
        ("wrong_community", wrong_community),
        ("drop_province", drop_province),
        ("drop_city", drop_city),
        ("drop_district", drop_district),
        ("short_divisions", short_divisions),
        ("short_one", short_one),
        ("double_divisions", double_divisions),
        ("double_short", double_short),
        ("double_district", double_district),
        ("country", country),
        ("village_no_street", village_no_street),
        ("village_group", village_group),
        ("village_committee", village_committee),
    ],
);

pub(super) const HARD: [Noise; 4] = list(
    Set::Hard,
    [
        ("wrong_district", wrong_district),
        ("wrong_street", wrong_street),
        ("old_division", old_division),
        ("only_road", only_road),
    ],
);

fn std(_: &mut Draft, _: &mut Random, _: &World) -> bool {
    true
}

fn full(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    add(draft, Field::Street) | add(draft, Field::Community)
}

/// Says a part that the standard form leaves off.
fn add(draft: &mut Draft, field: Field) -> bool {
    if draft.has(field) || !draft.row.has(field) {
        return false;
    }
    draft.write(field, draft.row.get(field).to_owned());
    draft.said |= field.bit();
    true
}

pub(super) fn add_street(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    add(draft, Field::Street)
}

pub(super) fn add_community(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    add(draft, Field::Community)
}

/// Another community than the road's: people name the one that they know.
fn wrong_community(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    if draft.row.kind == Kind::Village || !draft.row.has(Field::Community) {
        return false;
    }
    match random.pick_of(world.names(Field::Community)) {
        Some(name) if name.ends_with("社区") || name.ends_with('里') => {
            draft.falsify(Field::Community, *name);
            true
        }
        _ => false,
    }
}

pub(super) fn drop_province(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    draft.drop(Field::Province)
}

pub(super) fn drop_city(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    draft.drop(Field::Province);
    draft.has(Field::District) && draft.drop(Field::City)
}

pub(super) fn drop_district(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    if random.one_in(2) {
        draft.drop(Field::Province);
    }
    // A place that has nothing but its name needs its district.
    draft.row.has(Field::Number) && draft.has(Field::City) && draft.drop(Field::District)
}

fn only_road(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    for field in [Field::Province, Field::City, Field::District, Field::Street] {
        draft.drop(field);
    }
    draft.row.has(Field::Road) && draft.row.has(Field::Number)
}

/// The name without 省, 市, 区, 县; None for names that do without already or would be left with one character.
fn short(name: &str) -> Option<&str> {
    let short = ["特别行政区", "自治区", "新区", "省", "市", "区", "县", "區", "縣"]
        .iter()
        .find_map(|end| name.strip_suffix(end))?;
    (short.chars().count() >= 2).then_some(short)
}

pub(super) fn short_divisions(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    let mut changed = false;
    for field in [Field::Province, Field::City, Field::District] {
        if let Some(name) = short(draft.part(field)).map(str::to_owned) {
            draft.write(field, name);
            changed = true;
        }
    }
    changed
}

fn short_one(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let field = *random.pick(&[&Field::Province, &Field::City, &Field::District, &Field::Street]);
    let name = match field {
        Field::Street => draft.row.get(field).strip_suffix("街道").map(str::to_owned),
        _ => short(draft.part(field)).map(str::to_owned),
    };
    match name {
        Some(name) if name.chars().count() >= 2 => {
            draft.write(field, name);
            true
        }
        _ => false,
    }
}

fn divisions(draft: &Draft, shorten: bool) -> String {
    let name = |field| {
        let whole = draft.row.get(field);
        if shorten { short(whole).unwrap_or(whole) } else { whole }
    };
    [Field::Province, Field::City, Field::District].map(name).concat()
}

pub(super) fn double_divisions(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.before = divisions(draft, false) + random.pick(&["", " ", "", "-"]);
    true
}

fn double_short(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.before = divisions(draft, true) + random.pick(&["", " ", ""]);
    true
}

fn double_district(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    let district = draft.row.get(Field::District);
    draft.before = format!("{}{district}", draft.row.get(Field::City));
    draft.drop(Field::Province);
    !district.is_empty()
}

fn country(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.before = random.pick(&["中国", "中国 ", "中华人民共和国", "CN "]).to_owned();
    !draft.is_traditional()
}

fn village_no_street(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    if random.one_in(2) {
        draft.drop(Field::Province);
    }
    draft.row.kind == Kind::Village && draft.drop(Field::Street)
}

fn village_group(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let number = random.between(1, 9);
    let number = if random.one_in(2) { number.to_string() } else { crate::script::chinese_number(number as u32) };
    let group = format!("{number}{}", random.pick(&["组", "队", "社", "村民小组"]));
    draft.write(Field::Community, draft.part(Field::Community).to_owned() + &group);
    draft.row.kind == Kind::Village
}

fn village_committee(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let name = draft.row.get(Field::Community);
    let Some(stem) = name.strip_suffix('村').filter(|_| draft.row.kind == Kind::Village) else { return false };
    // A name of one character without 村 is none.
    let ways: &[&str] = if stem.chars().count() < 2 {
        &["村委会", "村民委员会"]
    } else {
        &["村委会", "村民委员会", "社区", ""]
    };
    draft.write(Field::Community, format!("{stem}{}", random.pick(ways)));
    true
}

fn wrong_district(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let others = world.names(Field::District);
    match random.pick_of(others) {
        Some(other) if *other != draft.row.get(Field::District) && draft.row.has(Field::Number) => {
            // In the district that is said there must be no such road or village, which would be the one that is meant.
            let road = draft.row.get(Field::Road);
            let has = if road.is_empty() {
                let said = draft.said & !Field::District.bit() & !Field::Street.bit();
                let same = world.truth.rows(world.base, draft.row, said);
                same.iter().any(|&at| world.base.rows[at as usize].get(Field::District) == *other)
            } else {
                // One that is but a slip away is as likely to be meant.
                world.roads_of(other).iter().any(|r| within_one(r, road))
            };
            if has {
                return false;
            }
            draft.falsify(Field::District, *other);
            // A street or village of the right district would belie the wrong one.
            if draft.row.kind != Kind::Village {
                draft.drop(Field::Street);
            }
            true
        }
        _ => false,
    }
}

fn wrong_street(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    match random.pick_of(world.names(Field::Street)) {
        Some(other)
            if *other != draft.row.get(Field::Street)
                && draft.row.has(Field::Street)
                && draft.row.has(Field::Number) =>
        {
            let said = draft.said & !Field::Street.bit();
            if world
                .truth
                .rows(world.base, draft.row, said)
                .iter()
                .any(|&at| world.base.rows[at as usize].get(Field::Street) == *other)
            {
                return false;
            }
            draft.falsify(Field::Street, *other);
            true
        }
        _ => false,
    }
}

/// Names that divisions had until some time in the last forty years, from general knowledge.
const OLD: &[(&str, &str)] = &[
    ("市北区", "四方区"),
    ("黄岛区", "胶南市"),
    ("黄岛区", "胶南县"),
    ("即墨区", "即墨市"),
    ("即墨区", "即墨县"),
    ("胶州市", "胶县"),
    ("平度市", "平度县"),
    ("莱西市", "莱西县"),
    ("城阳区", "崂山县"),
    ("静安区", "闸北区"),
    ("黄浦区", "卢湾区"),
    ("黄浦区", "南市区"),
    ("浦东新区", "南汇区"),
    ("浦东新区", "川沙县"),
    ("松江区", "松江县"),
    ("青浦区", "青浦县"),
    ("奉贤区", "奉贤县"),
    ("崇明区", "崇明县"),
    ("嘉定区", "嘉定县"),
    ("金山区", "金山县"),
    ("宝山区", "宝山县"),
    ("大安區", "古亭區"),
    ("中正區", "城中區"),
    ("萬華區", "龍山區"),
    ("大同區", "延平區"),
];

fn old_division(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let now = draft.row.get(Field::District);
    let old: Vec<&str> = OLD.iter().filter(|(new, _)| *new == now).map(|(_, old)| *old).collect();
    match random.pick_of(&old) {
        Some(name) if !world.knows(Field::District, name) && draft.row.has(Field::Number) => {
            draft.write(Field::District, *name);
            true
        }
        _ => false,
    }
}
