//! What people write beside the address: for the courier, about themselves, about the neighbourhood; and signs between the parts.

use super::{Noise, Set, list};
use crate::draft::Draft;
use crate::random::Random;
use crate::row::{Field, Kind};
use crate::script;
use crate::world::World;

pub(super) const ORDINARY: [Noise; 14] = list(
    Set::Ordinary,
    [
        ("phone", phone),
        ("junk", junk),
        ("name_before", name_before),
        ("word_before", word_before),
        ("bracket_poi", bracket_poi),
        ("bracket_address", bracket_address),
        ("near", near),
        ("insert_poi", insert_poi),
        ("gate", gate),
        ("spaces", spaces),
        ("inner_space", inner_space),
        ("end_sign", end_sign),
        ("other_script", other_script),
        ("invisible", invisible),
    ],
);

const SURNAMES: [&str; 12] = ["王", "李", "张", "刘", "陈", "赵", "周", "孙", "于", "宋", "欧阳", "隋"];
const TITLES: [&str; 6] = ["先生", "女士", "小姐", "老师", "收", "经理"];

fn number(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("0532-8{:07}", random.below(10_000_000)),
        1 => format!(
            "1{}{}-{:04}-{:04}",
            random.between(3, 9),
            random.below(10),
            random.below(10_000),
            random.below(10_000)
        ),
        _ => format!("1{}{:09}", random.between(3, 9), random.below(1_000_000_000)),
    }
}

pub(super) fn phone(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let who = format!("{}{}", random.pick(&SURNAMES), random.pick(&TITLES));
    let number = number(random);
    let note = match random.below(7) {
        0 => format!("，{number}"),
        1 => format!(" {number} {who}"),
        2 => format!(" {who}{number}"),
        3 => format!("（{who} {number}）"),
        4 => format!("电话{number}"),
        5 => format!(" 联系电话：{number}"),
        _ => format!("{who}{number}"),
    };
    draft.after.push_str(&note);
    true
}

const NOTES: [&str; 22] = [
    "（请送货上门）",
    " 到楼下打电话",
    "，放门口就行",
    "（周末不送）",
    "【勿放快递柜】",
    " 送到物业",
    "，谢谢",
    " 尽量下午送",
    "(请提前联系)",
    "；放驿站",
    "（工作日收货",
    " 麻烦快一点",
    "，不要放驿站！",
    "（有狗，小心）",
    " 加急",
    "，门铃坏了请敲门",
    "（货到付款）",
    "（本人签收）",
    " 送前请电联",
    "……",
    "（自提）",
    "~~~",
];

pub(super) fn junk(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.after.push_str(random.pick(&NOTES));
    true
}

fn name_before(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let who = format!("{}{}", random.pick(&SURNAMES), random.pick(&["先生", "女士", "小明", "建国", "丽华"]));
    let number = number(random);
    let (a, b) = (random.pick(&["，", " ", ",", "\t"]), random.pick(&["，", " ", "\n"]));
    draft.before = if random.one_in(2) {
        format!("{who}{a}{number}{b}{}", draft.before)
    } else {
        format!("{who}{b}{}", draft.before)
    };
    true
}

fn word_before(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let words = [
        "地址：",
        "收货地址:",
        "现住",
        "家庭住址：",
        "户籍地址：",
        "住址 ",
        "本人住在",
        "送到",
        "位于",
        "注册地址：",
        "地址为",
        "常住地：",
    ];
    draft.before = format!("{}{}", random.pick(&words), draft.before);
    true
}

/// The name of some place of the base; of none, a shop that is everywhere.
fn some_place(draft: &Draft, random: &mut Random, world: &World) -> String {
    let from = if random.one_in(3) { Field::Compound } else { Field::Poi };
    let known = random.pick_of(world.names(from)).copied().filter(|name| *name != draft.row.get(from));
    let shops = [
        "便利店",
        "邮政储蓄所",
        "菜鸟驿站",
        "加油站",
        "农贸市场",
        "幼儿园",
        "公交站",
        "工商银行",
        "老年活动中心",
        "大药房",
        "小学",
    ];
    known.map_or_else(|| draft.in_script(random.pick(&shops)), str::to_owned)
}

fn bracket_poi(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let place = some_place(draft, random, world);
    let side = random.pick(&["", "", "附近", "对面", "旁", "院内"]);
    let (open, close) = [("（", "）"), ("(", ")"), ("【", "】"), ("[", "]")][random.below(4)];
    draft.after = format!("{open}{place}{side}{close}{}", draft.after);
    true
}

/// The whole of it once more in brackets, as systems do that put two columns into one.
fn bracket_address(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let tail: String =
        [Field::Compound, Field::Building, Field::Unit, Field::Room].into_iter().map(|f| draft.part(f)).collect();
    let head: String = [Field::Road, Field::Lane, Field::Number].into_iter().map(|f| draft.part(f)).collect();
    if head.is_empty() {
        return false;
    }
    let (open, close) = [("（", "）"), ("【", "】")][random.below(2)];
    draft.after = if tail.is_empty() { format!("{open}{head}{close}") } else { format!("{open}{tail}{close}") };
    if !tail.is_empty() {
        for field in [Field::Compound, Field::Building, Field::Unit, Field::Room] {
            draft.write(field, "");
        }
    }
    draft.row.kind != Kind::Village
}

pub(super) fn near(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let ways = ["附近", "对面", "旁边", "旁", "东侧", "斜对面", "隔壁", "楼下", "往北50米", "后身"];
    let place = if random.one_in(3) { String::new() } else { some_place(draft, random, world) };
    draft.after = format!("{}{}", place + random.pick(&ways), draft.after);
    true
}

/// A place between the number and the rest, which says nothing.
fn insert_poi(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let place = some_place(draft, random, world);
    if !draft.row.has(Field::Number) || place.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    draft.write(Field::Number, format!("{}{place}", draft.part(Field::Number)));
    true
}

fn gate(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.after = random.pick(&["门口", "大门口", "东门", "南门岗", "门卫", "传达室", "院内", "内"]).to_owned();
    draft.row.has(Field::Number) && draft.row.kind != Kind::Room
}

pub(super) fn spaces(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.between = random.pick(&[" ", "  ", ",", "，", "/", "、", "|", "\t", "-", "　", "·"]);
    // A dash between building, unit and room would say something else.
    !(draft.between == "-" && draft.has(Field::Building))
}

fn inner_space(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let text: Vec<char> = draft.text().chars().collect();
    let at = random.between(1, text.len().max(2) - 1);
    // Two numbers that a space would make of one are another address.
    let splits = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if splits(text.get(at - 1)) && splits(text.get(at)) {
        return false;
    }
    draft.whole = Some(text.iter().take(at).chain([&' ']).chain(text.iter().skip(at)).collect());
    true
}

fn end_sign(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.after.push_str(random.pick(&["。", ".", ";", "，", "\r\n", " ", "\"", "！", "、"]));
    true
}

pub(super) fn other_script(draft: &mut Draft, _: &mut Random, _: &World) -> bool {
    let before = draft.text();
    if draft.is_traditional() {
        draft.map(&script::simplified)
    } else {
        draft.map(&script::traditional)
    }
    before != draft.text()
}

/// Characters that nobody sees: from copied web pages and spreadsheets.
fn invisible(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let sign = random.pick(&["\u{200B}", "\u{FEFF}", "\u{A0}", "\u{200E}", "\u{3000}"]);
    match random.below(3) {
        0 => draft.before = sign.to_owned(),
        1 => draft.after.push_str(sign),
        _ => draft.write(Field::Road, draft.part(Field::Road).to_owned() + sign),
    }
    true
}
