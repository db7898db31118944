//! Slips of the pen, the keyboard and the scanner in names.

use onemap_address::chars;

use super::{Noise, Set, list};
use crate::draft::Draft;
use crate::random::Random;
use crate::row::{Field, Kind};
use crate::script;
use crate::world::{World, split_road, within_one};

pub(super) const HARD: [Noise; 9] = list(
    Set::Hard,
    [
        ("typo_homophone", homophone),
        ("typo_near_sound", near_sound),
        ("typo_shape", shape),
        ("typo_drop", dropped),
        ("typo_insert", inserted),
        ("typo_swap", swapped),
        ("typo_two", two),
        ("typo_division", division),
        ("digit_look_alike", digit_look_alike),
    ],
);

/// The field that a slip goes into, and where in it the name lies without its type, as numbers of characters.
fn name_in(draft: &Draft, random: &mut Random) -> Option<(Field, Vec<char>, usize)> {
    let fields = [Field::Road, Field::Road, Field::Compound, Field::Poi, Field::Community];
    let field = *random.pick_of(&fields)?;
    if !draft.has(field) || (field == Field::Community && draft.row.kind != Kind::Village) {
        return None;
    }
    // A name alone, with nothing beside it, is what makes a wrong name unanswerable rather than hard; names of places are long enough.
    let text = draft.part(field);
    let length = match field {
        Field::Road => split_road(text)?.0.chars().count(),
        Field::Community => text.trim_end_matches('村').chars().count(),
        _ => text.chars().count(),
    };
    (length >= 2).then(|| (field, text.chars().collect(), length))
}

/// Whether a name that a slip made is one that the base has, or might as well be meant for another address.
fn is_taken(draft: &Draft, world: &World, field: Field, name: &str) -> bool {
    if world.knows(field, name) {
        return true;
    }
    if field != Field::Road || draft.row.has(Field::Compound) || draft.row.has(Field::Poi) {
        return false;
    }
    let own = draft.row.get(Field::Road);
    let others = world.roads_of(draft.row.get(Field::District)).iter().filter(|r| **r != own && within_one(r, name));
    others.into_iter().any(|road| world.truth.has_on_road(world.base, draft.row, road, draft.said))
}

fn put(draft: &mut Draft, world: &World, field: Field, chars: &[char]) -> bool {
    let name: String = chars.iter().collect();
    if name == draft.part(field) || is_taken(draft, world, field, &name) {
        return false;
    }
    draft.write(field, name);
    true
}

/// Replaces one character of a name by one that `others` gives for it.
fn replace(draft: &mut Draft, random: &mut Random, world: &World, others: &dyn Fn(char) -> Vec<char>) -> bool {
    let Some((field, mut chars, length)) = name_in(draft, random) else { return false };
    let at = random.below(length);
    let traditional = draft.is_traditional();
    let fits = |c: &char| chars::simplify(*c) == *c || traditional;
    let found: Vec<char> = others(chars[at]).into_iter().filter(fits).collect();
    // The first ones are the common ones; people rarely hit upon a rare character.
    let Some(&other) = random.pick_of(&found[..found.len().min(12)]) else { return false };
    chars[at] =
        if traditional { script::traditional(&other.to_string()).chars().next().unwrap_or(other) } else { other };
    put(draft, world, field, &chars)
}

pub(super) fn homophone(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    replace(draft, random, world, &|c| chars::homophones(c).collect())
}

fn near_sound(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    replace(draft, random, world, &|c| chars::near_homophones(c).collect())
}

pub(super) fn shape(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    replace(draft, random, world, &|c| chars::look_alikes(c).take(4).collect())
}

pub(super) fn dropped(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let Some((field, mut chars, length)) = name_in(draft, random) else { return false };
    chars.remove(random.below(length));
    put(draft, world, field, &chars)
}

pub(super) fn inserted(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let Some((field, mut chars, length)) = name_in(draft, random) else { return false };
    let at = random.below(length);
    let other = match random.below(3) {
        // A key struck twice.
        0 | 1 => chars[at],
        _ => random.pick_of(&['的', '大', '新', '一', '小', '中', '老', '东']).copied().unwrap_or('大'),
    };
    chars.insert(at, other);
    put(draft, world, field, &chars)
}

pub(super) fn swapped(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let Some((field, mut chars, length)) = name_in(draft, random) else { return false };
    let at = random.below(length - 1);
    chars.swap(at, at + 1);
    put(draft, world, field, &chars)
}

/// Two slips, each of its own kind. A name of two characters would be another name after both.
fn two(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let slips: [fn(&mut Draft, &mut Random, &World) -> bool; 4] = [homophone, shape, dropped, near_sound];
    let before = draft.parts.clone();
    if !slips[random.below(4)](draft, random, world) || !slips[random.below(4)](draft, random, world) {
        return false;
    }
    let changed: Vec<Field> = Field::ALL.into_iter().filter(|&f| draft.part(f) != before[f as usize]).collect();
    let length = |field: Field| {
        let name = &before[field as usize];
        if field == Field::Road {
            split_road(name).map_or(0, |(stem, _, _)| stem.chars().count())
        } else {
            name.chars().count()
        }
    };
    changed.len() == 2 || (changed.len() == 1 && length(changed[0]) >= 4)
}

/// A slip in the name of the district, street or city.
fn division(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let field = *random.pick(&[&Field::City, &Field::District, &Field::District, &Field::Street]);
    let mut chars: Vec<char> = draft.part(field).chars().collect();
    if chars.len() < 3 || !draft.row.has(Field::Number) {
        return false;
    }
    let at = random.below(chars.len() - 1);
    let others: Vec<char> =
        chars::homophones(chars[at]).take(12).chain(chars::look_alikes(chars[at]).take(3)).collect();
    let Some(&other) = random.pick_of(&others) else { return false };
    chars[at] = if draft.is_traditional() {
        script::traditional(&other.to_string()).chars().next().unwrap_or(other)
    } else {
        other
    };
    let name: String = chars.iter().collect();
    // 市南 written as 市北 is no slip but another district.
    if name == draft.part(field) || world.knows(field, &name) {
        return false;
    }
    draft.write(field, name);
    true
}

/// l and I for 1, O, o and 〇 for 0: from scanners and old registers.
fn digit_look_alike(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let field = *random.pick(&[&Field::Number, &Field::Number, &Field::Room, &Field::Building]);
    let text = draft.part(field);
    let way = random.below(4);
    let write = |c: char| match (c, way) {
        ('1', 0) => 'l',
        ('1', 1) => 'I',
        ('0', 0 | 1) => 'O',
        ('0', 2) => 'o',
        ('0', _) => '〇',
        ('1', _) => 'l',
        _ => c,
    };
    let new: String = text.chars().map(write).collect();
    let changed = new != text;
    draft.write(field, new);
    changed
}
