//! Several things at once, in the order in which people do them: the divisions, the numbers, the notes, the signs.

use super::{Noise, Set, Spoil, divisions, list, names, notes, numbers, typos};
use crate::draft::Draft;
use crate::random::Random;
use crate::row::{Field, Kind};
use crate::world::World;

pub(super) const ORDINARY: [Noise; 2] = list(Set::Ordinary, [("mixed_two", mixed_two), ("mixed_four", mixed_four)]);

pub(super) const HARD: [Noise; 6] = list(
    Set::Hard,
    [
        ("mixed_typo", mixed_typo),
        ("mixed_typo_only_road", mixed_typo_only_road),
        ("mixed_name", mixed_name),
        ("several_addresses", several_addresses),
        ("place_first", place_first),
        ("rural_order", rural_order),
    ],
);

const DIVISIONS: [Spoil; 7] = [
    divisions::drop_province,
    divisions::drop_city,
    divisions::drop_district,
    divisions::short_divisions,
    divisions::double_divisions,
    divisions::add_street,
    divisions::add_community,
];
const NUMBERS: [Spoil; 9] = [
    numbers::chinese_numbers,
    numbers::road_numeral,
    numbers::hash,
    numbers::drop_hao,
    numbers::dash_building_unit_room,
    numbers::dash_building_room,
    numbers::building_form,
    numbers::unit_form,
    numbers::room_form,
];
const NOTES: [Spoil; 3] = [notes::phone, notes::junk, notes::near];
const SIGNS: [Spoil; 3] = [notes::spaces, notes::other_script, numbers::full_width_all];
const TYPOS: [Spoil; 5] = [typos::homophone, typos::shape, typos::dropped, typos::swapped, typos::inserted];
const NAMES: [Spoil; 3] = [names::no_road_type, names::wrong_road_type, names::compound_suffix];

fn one_of(from: &[Spoil], draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    from[random.below(from.len())](draft, random, world)
}

/// Two groups out of four.
fn mixed_two(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let groups: [&[Spoil]; 4] = [&DIVISIONS, &NUMBERS, &NOTES, &SIGNS];
    let first = random.below(3);
    let second = first + 1 + random.below(3 - first);
    one_of(groups[first], draft, random, world) && one_of(groups[second], draft, random, world)
}

fn mixed_four(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    [&DIVISIONS[..], &NUMBERS, &NOTES, &SIGNS].iter().all(|group| one_of(group, draft, random, world))
}

fn mixed_typo(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    one_of(&TYPOS, draft, random, world)
        && one_of(&DIVISIONS, draft, random, world)
        && one_of(&[&NUMBERS[..], &NOTES].concat(), draft, random, world)
}

/// A slip, and no city or district to help. The name must be long enough that it still says which road it is.
fn mixed_typo_only_road(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    if draft.row.get(Field::Road).chars().count() < 4 || !draft.row.has(Field::Number) {
        return false;
    }
    for field in [Field::Province, Field::City, Field::Street] {
        draft.drop(field);
    }
    one_of(&TYPOS, draft, random, world)
}

fn mixed_name(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    one_of(&NAMES, draft, random, world)
        && one_of(&DIVISIONS, draft, random, world)
        && one_of(&NOTES, draft, random, world)
}

/// The address, then another one: the first is asked for.
fn several_addresses(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let Some((_, rows)) = random.pick_of(&world.kinds) else { return false };
    let Some(&other) = random.pick_of(rows) else { return false };
    let other = Draft::of(&world.base.rows[other as usize]);
    let second = if random.one_in(2) { other.text() } else { other.parts[Field::Road as usize..].concat() };
    let between = random.pick(&["；", ";", " 或 ", "，或者", "/", " 和 ", "（新地址：", "，备用地址：", "\n"]);
    draft.after = format!("{between}{second}{}", if between.starts_with('（') { "）" } else { "" });
    draft.row.has(Field::Number) && !second.is_empty() && second != draft.text()
}

/// 大光明影城，上海市静安区南京西路216号.
fn place_first(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let field = if draft.has(Field::Poi) { Field::Poi } else { Field::Compound };
    let name = draft.part(field).to_owned();
    if name.is_empty() || draft.row.kind == Kind::Room || draft.row.kind == Kind::Building {
        return false;
    }
    draft.write(field, "");
    draft.before = format!("{name}{}", random.pick(&["，", " ", ",", "（"]));
    if draft.before.ends_with('（') {
        draft.after.push('）');
    }
    draft.row.has(Field::Number)
}

/// Road and number first, then where that is: 江西路7号（青岛市市南区）.
fn rural_order(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let divisions: String =
        [Field::Province, Field::City, Field::District].into_iter().map(|f| draft.part(f)).collect();
    for field in [Field::Province, Field::City, Field::District] {
        draft.write(field, "");
    }
    let (open, close) = [("（", "）"), ("，", ""), (" ", "")][random.below(3)];
    draft.after = format!("{open}{divisions}{close}");
    draft.row.has(Field::Number) && !divisions.is_empty()
}
