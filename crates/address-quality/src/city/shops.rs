//! A city of shops, schools and surgeries, as a map service lists them: many without a number, many branches of one name.

use super::names::Names;
use super::{EAST, NORTH, unlike};
use crate::base::Base;
use crate::random::Random;
use crate::row::{FIELDS, Field, Kind, Row};

const DISTRICTS: [&str; 8] = ["海曙区", "江北区", "北仑区", "镇海区", "鄞州区", "奉化区", "余姚市", "慈溪市"];

/// The name of a branch, of a ward, of a gate, of a stop: what names of places end in.
fn place(random: &mut Random, names: &Names, road: &str, district: &str) -> String {
    let name = names.place(random, road);
    let short = district.trim_end_matches(['区', '市']);
    match random.below(10) {
        0 => format!(
            "宁波市{district}{}医院{}",
            random.pick(&["第一", "第二", "中心", "妇幼", "中医"]),
            random.pick(&["", "门诊部", "急诊部", "住院楼"])
        ),
        1 => format!(
            "{short}{}小学{}",
            random.pick(&["实验", "中心", "第三", "东城", "新城"]),
            random.pick(&["", "东校区", "西校区", "南门"])
        ),
        2 => format!("{road}{}", random.pick(&["(公交站)", "(地铁站)", "菜市场", "小学", "幼儿园"])),
        3 => format!(
            "{}{}大厦{}座",
            random.pick(&["环球", "财富", "世纪", "中心", "金融"]),
            random.pick(&["国际", "商务", ""]),
            random.pick(&["A", "B", "C"])
        ),
        _ => name,
    }
}

/// At least `rows` places and doors.
pub fn shops(seed: u64, rows: usize) -> Base {
    let mut random = Random::new(seed ^ 0x0005_0A95);
    let names = Names::new();
    let mut out = Vec::new();
    while out.len() < rows {
        let district = random.pick(&DISTRICTS);
        let road = names.road(&mut random);
        let start = (121.3 + random.share() * 0.5, 29.7 + random.share() * 0.4);
        for number in 1..=random.between(30, 400) {
            if !random.one_in(5) {
                continue;
            }
            let lane = if random.one_in(6) { format!("{}弄", random.between(2, 900)) } else { String::new() };
            let door = match random.below(14) {
                0 => format!("{number}-{}号", number + 2 * random.between(1, 6)),
                1 => format!("{number}-{}号", random.between(1, 9)),
                _ => format!("{number}号"),
            };
            let at = (start.0 + number as f64 * 6.0 * EAST, start.1 + (number % 2) as f64 * 25.0 * NORTH);
            let mut parts = [""; FIELDS];
            (parts[Field::City as usize], parts[Field::District as usize]) = ("宁波市", district);
            let name = place(&mut random, &names, &road, district);
            if random.one_in(4) {
                // Nothing but its name is known.
                parts[Field::Poi as usize] = &name;
                out.extend(Row::new(Kind::Poi, at, parts, &parts.concat()));
                continue;
            }
            for (field, text) in [(Field::Road, &road), (Field::Lane, &lane), (Field::Number, &door)] {
                parts[field as usize] = text;
            }
            out.extend(Row::new(Kind::Door, at, parts, &parts.concat()));
            parts[Field::Poi as usize] = &name;
            out.extend(Row::new(Kind::Poi, at, parts, &parts.concat()));
        }
    }
    unlike(&mut out);
    Base { name: format!("generated shops, seed {seed}"), rows: out, ..Base::default() }
}
