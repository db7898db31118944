//! Numbers, buildings, units and rooms as different people write them.

use super::{Noise, Set, list};
use crate::draft::Draft;
use crate::random::Random;
use crate::row::{Field, Kind};
use crate::script::{chinese_number, digits_for_numerals, full_width, map_numbers};
use crate::world::World;

pub(super) const HARD: [Noise; 1] = list(Set::Hard, [("number_word", number_word)]);

pub(super) const ORDINARY: [Noise; 16] = list(
    Set::Ordinary,
    [
        ("full_width", full_width_digits),
        ("full_width_all", full_width_all),
        ("chinese_number", chinese_numbers),
        ("chinese_building", chinese_building),
        ("road_numeral", road_numeral),
        ("hash", hash),
        ("drop_hao", drop_hao),
        ("spaced_number", spaced_number),
        ("sub_number", sub_number),
        ("dash_building_unit_room", dash_building_unit_room),
        ("dash_building_room", dash_building_room),
        ("building_form", building_form),
        ("unit_form", unit_form),
        ("room_form", room_form),
        ("room_floor", room_floor),
        ("door_floor", door_floor),
    ],
);

const NUMBERED: [Field; 5] = [Field::Lane, Field::Number, Field::Building, Field::Unit, Field::Room];

fn rewrite(draft: &mut Draft, fields: &[Field], write: &dyn Fn(&str) -> String) -> bool {
    let mut changed = false;
    for &field in fields {
        let text = write(draft.part(field));
        changed |= text != draft.part(field);
        draft.write(field, text);
    }
    changed
}

fn full_width_digits(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    rewrite(draft, &Field::ALL, &|text| full_width(text, false))
}

pub(super) fn full_width_all(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    rewrite(draft, &Field::ALL, &|text| full_width(text, true))
}

pub(super) fn chinese_numbers(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    // A dash between Chinese numerals is not written.
    if draft.part(Field::Number).contains('-') {
        return false;
    }
    let fields = if random.one_in(2) { &NUMBERED[..2] } else { &NUMBERED[..4] };
    rewrite(draft, fields, &|text| map_numbers(text, &chinese_number))
}

fn chinese_building(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    rewrite(draft, &[Field::Building, Field::Unit], &|text| map_numbers(text, &chinese_number))
}

pub(super) fn road_numeral(draft: &mut Draft, _: &mut Random, world: &World) -> bool {
    match digits_for_numerals(draft.part(Field::Road)) {
        Some(road) if !world.knows(Field::Road, &road) => {
            draft.write(Field::Road, road);
            true
        }
        _ => false,
    }
}

pub(super) fn hash(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let ends: &[&str] =
        if draft.has(Field::Building) && random.one_in(2) { &["号楼", "栋", "幢"] } else { &["号", "號"] };
    let field = if ends.len() == 3 { Field::Building } else { Field::Number };
    let mark = random.pick(&["#", "#", "＃"]);
    let Some(number) = ends.iter().find_map(|end| draft.part(field).strip_suffix(end)) else { return false };
    draft.write(field, format!("{number}{mark}"));
    true
}

/// The number alone. What follows must not begin with a digit, or the two would run together.
pub(super) fn drop_hao(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let Some(number) = draft.part(Field::Number).strip_suffix(['号', '號']).map(str::to_owned) else { return false };
    let last_is_digit = number.ends_with(|c: char| c.is_ascii_digit());
    let next = [Field::Compound, Field::Building, Field::Poi]
        .into_iter()
        .map(|f| draft.part(f))
        .find(|p| !p.is_empty())
        .unwrap_or("");
    let runs_on = next.starts_with(|c: char| c.is_alphanumeric() && !('\u{4E00}'..'\u{A000}').contains(&c));
    let unclear = next.starts_with(['楼', '栋', '号', '弄', '巷', '层', '室', '单', '街', '路', '大']);
    if !last_is_digit || unclear {
        return false;
    }
    let space = if runs_on || (!next.is_empty() && random.one_in(2)) { " " } else { "" };
    draft.write(Field::Number, format!("{number}{space}"));
    true
}

fn spaced_number(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let ways: [(&str, &str); 3] = [(" ", " "), (" ", ""), ("", " ")];
    let (before, after) = ways[random.below(3)];
    let number = draft.part(Field::Number);
    let Some(digits) = number.strip_suffix(['号', '號']) else { return false };
    draft.write(Field::Number, format!("{before}{digits}{after}{}", &number[digits.len()..]));
    true
}

/// 80-1号, 80之1號 in the other ways that they are written.
fn sub_number(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let number = draft.part(Field::Number);
    let Some(body) = number.strip_suffix(['号', '號']) else { return false };
    let hao = &number[body.len()..];
    let Some((main, sub)) = body.split_once(['-', '之']) else { return false };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // 345-351号 is a range, not a number with a second one.
    if !plain(main) || !plain(sub) || sub.len() > 2 || sub.parse::<u32>().ok() > main.parse().ok() {
        return false;
    }
    let ways = [
        format!("{main}{hao}之{sub}"),
        format!("{main}之{sub}{hao}"),
        format!("{main}{hao}-{sub}"),
        format!("{main}-{sub}{hao}"),
        format!("{main}{hao}附{sub}{hao}"),
        format!("{main}附{sub}{hao}"),
        format!("{main}-{sub}"),
        format!("{main}之{}{hao}", chinese_number(sub.parse().unwrap_or(1))),
    ];
    let allowed = if draft.is_traditional() { [0, 1, 2, 3, 7] } else { [0, 1, 2, 4, 5] };
    let way = ways[allowed[random.below(5)]].clone();
    let changed = way != number;
    draft.write(Field::Number, way);
    changed
}

fn digits(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit()).collect()
}

/// Only building numbers that are nothing but a number can be written so.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

pub(super) fn dash_building_unit_room(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let (b, u, r) = (draft.part(Field::Building), draft.part(Field::Unit), draft.part(Field::Room));
    if !(is_plain(b) && is_plain(u) && is_plain(r)) {
        return false;
    }
    let dash = random.pick(&["-", "-", "-", "—", "－", "–", "/", "~"]);
    let end = random.pick(&["", "", "室"]);
    let text = format!("{}{dash}{}{dash}{}{end}", digits(b), digits(u), digits(r));
    draft.write(Field::Building, text);
    draft.write(Field::Unit, "");
    draft.write(Field::Room, "");
    // A compound that ends in a digit would run into the number.
    !draft.part(Field::Compound).ends_with(|c: char| c.is_ascii_digit())
}

pub(super) fn dash_building_room(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let (b, r) = (draft.part(Field::Building), draft.part(Field::Room));
    if !(is_plain(b) && is_plain(r)) {
        return false;
    }
    let dash = random.pick(&["-", "-", "—", "－", "号楼-"]);
    let text = format!("{}{dash}{}", digits(b), digits(r));
    draft.write(Field::Building, text);
    draft.drop(Field::Unit);
    draft.write(Field::Room, "");
    !draft.part(Field::Compound).ends_with(|c: char| c.is_ascii_digit())
}

pub(super) fn building_form(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let text = draft.part(Field::Building);
    if !is_plain(text) {
        return false;
    }
    let number = digits(text);
    let way = match random.below(8) {
        0 => format!("{number}栋"),
        1 => format!("{number}幢"),
        2 => format!("{number}座"),
        3 => format!("{number}#楼"),
        4 => format!("第{number}栋"),
        5 => format!("{number}楼"),
        6 => format!("{number}号"),
        _ => format!("{}号楼", chinese_number(number.parse().unwrap_or(1))),
    };
    draft.write(Field::Building, way);
    true
}

pub(super) fn unit_form(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let text = draft.part(Field::Unit);
    if !is_plain(text) {
        return false;
    }
    let number = digits(text);
    let way = match random.below(6) {
        0 => format!("{number}门"),
        1 => format!("{number}元"),
        2 => format!("{number}单"),
        3 => format!("{number}门洞"),
        4 => format!("第{}单元", chinese_number(number.parse().unwrap_or(1))),
        _ => format!("{}单元", chinese_number(number.parse().unwrap_or(1))),
    };
    draft.write(Field::Unit, way);
    true
}

pub(super) fn room_form(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let text = draft.part(Field::Room);
    if !is_plain(text) {
        return false;
    }
    draft.write(Field::Room, digits(text) + random.pick(&["房", "户", "号", "", "号房", "房间"]));
    true
}

/// 18层1803室.
fn room_floor(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let number = digits(draft.part(Field::Room));
    if number.len() < 3 {
        return false;
    }
    let floor = &number[..number.len() - 2];
    draft.write(
        Field::Room,
        format!("{floor}{}{number}{}", random.pick(&["层", "楼", "F"]), random.pick(&["室", "", "房"])),
    );
    true
}

/// A floor or room of a door that the base knows only as a whole.
fn door_floor(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    // Where the base has rooms, a room that it does not have would be another question.
    if draft.row.kind != Kind::Door || world.kinds.iter().any(|(kind, _)| *kind == Kind::Room) {
        return false;
    }
    let floor = random.between(2, 12);
    let chinese = chinese_number(floor as u32);
    draft.after = if draft.is_traditional() {
        match random.below(5) {
            0 => format!("{chinese}樓"),
            1 => format!("{floor}樓"),
            2 => format!("{chinese}樓之{}", random.between(1, 9)),
            3 => format!("{floor}樓之{}", random.between(1, 9)),
            _ => format!("{floor}F"),
        }
    } else {
        match random.below(5) {
            0 => format!("{floor}楼"),
            1 => format!("{floor}层"),
            2 => format!("{floor}F"),
            3 => format!("{floor}{:02}室", random.between(1, 8)),
            _ => format!("{chinese}楼"),
        }
    };
    true
}

/// 第7号, 门牌7号, №7.
fn number_word(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let number = draft.part(Field::Number).to_owned();
    if !is_plain(&number) || draft.row.kind == Kind::Village {
        return false;
    }
    let plain = number.trim_end_matches(['号', '號']);
    let way = match random.below(4) {
        0 => format!("门牌{number}"),
        1 => format!("第{number}"),
        2 => format!("门牌号{plain}"),
        _ => format!("No.{plain} "),
    };
    draft.write(Field::Number, way);
    true
}
