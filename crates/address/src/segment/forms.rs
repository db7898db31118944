//! The forms in which people write a name: whole, without its kind, short.

use crate::text::Unit;

/// What a name is the name of. A name may have several roles: 黄岛 is a district and a town.
pub mod role {
    pub const PROVINCE: u16 = 1;
    pub const CITY: u16 = 2;
    pub const DISTRICT: u16 = 4;
    pub const TOWN: u16 = 8;
    pub const COMMUNITY: u16 = 16;
    /// What a door number may follow: a road, or a village without roads.
    pub const STREET: u16 = 32;
    pub const COMPOUND: u16 = 64;
    pub const POI: u16 = 128;
    pub const DIVISION: u16 = PROVINCE | CITY | DISTRICT | TOWN | COMMUNITY;
}

/// How a form stands to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Form {
    Full = 0,
    /// Another name of the same.
    Alias = 1,
    /// A division without 省, 市, 区, 街道.
    Short = 2,
    /// Without what stands in brackets.
    Plain = 3,
    /// A road without 路, a compound without 小区, a village without 村.
    Core = 4,
    /// A road without its 段.
    Sectionless = 5,
    /// By its sound, in pinyin. Found, never filed.
    Spoken = 6,
}

impl Form {
    pub fn of(n: u32) -> Form {
        match n {
            0 => Form::Full,
            1 => Form::Alias,
            2 => Form::Short,
            3 => Form::Plain,
            4 => Form::Core,
            _ => Form::Sectionless,
        }
    }
}

pub const ROAD_TYPES: &[&str] = &["大道", "大街", "公路", "胡同", "支路", "路", "街", "道", "巷", "弄", "线"];

const PROVINCES: &[(&str, &str)] = &[
    ("内蒙古自治区", "内蒙古"),
    ("广西壮族自治区", "广西"),
    ("西藏自治区", "西藏"),
    ("宁夏回族自治区", "宁夏"),
    ("新疆维吾尔自治区", "新疆"),
    ("香港特别行政区", "香港"),
    ("澳门特别行政区", "澳门"),
];

const TOWN: &[&str] = &["街道办事处", "街道办", "办事处", "街道", "镇", "乡"];
const COMMUNITY: &[&str] =
    &["社区居民委员会", "社区居委会", "居民委员会", "村民委员会", "居委会", "村委会", "社区", "村", "里"];
const COMPOUND: &[&str] = &[
    "住宅小区",
    "小区",
    "花园",
    "家园",
    "花苑",
    "公寓",
    "新村",
    "大厦",
    "广场",
    "别墅",
    "新苑",
    "嘉园",
    "佳苑",
    "嘉苑",
    "雅苑",
    "名苑",
    "小镇",
    "宿舍",
    "公馆",
    "山庄",
    "中心",
    "家属院",
    "大院",
    "社区",
];

fn ends(units: &[Unit], word: &str) -> Option<usize> {
    let n = word.chars().count();
    let at = units.len().checked_sub(n)?;
    word.chars().zip(&units[at..]).all(|(c, u)| c as Unit == *u).then_some(at)
}

fn strip<'a>(units: &'a [Unit], words: &[&str], least: usize) -> Option<&'a [Unit]> {
    words.iter().find_map(|w| ends(units, w)).filter(|at| *at >= least).map(|at| &units[..at])
}

fn digit(u: Unit) -> bool {
    (u16::from(b'0')..=u16::from(b'9')).contains(&u)
}

/// How much of `units` is a road's type at its end, and whether it ends in one.
pub fn road_core(units: &[Unit]) -> Option<&[Unit]> {
    strip(units, ROAD_TYPES, 2).filter(|core| !core.iter().all(|u| digit(*u)))
}

/// 安和路1段 without 1段.
pub fn without_section(units: &[Unit]) -> Option<&[Unit]> {
    let body = strip(units, &["段"], 3)?;
    let digits = body.iter().rev().take_while(|u| digit(**u)).count();
    (1..=2).contains(&digits).then(|| &body[..body.len() - digits])
}

/// 漕宝路店 in (…) left out.
fn without_brackets(units: &[Unit]) -> Option<Vec<Unit>> {
    let open = units.iter().position(|u| *u == u16::from(b'('))?;
    let rest: Vec<Unit> = match units[open..].iter().position(|u| *u == u16::from(b')')) {
        Some(close) => units[..open].iter().chain(&units[open + close + 1..]).copied().collect(),
        None => units[..open].to_vec(),
    };
    (rest.len() >= 2).then_some(rest)
}

/// All forms of a name in its roles, the whole one first.
pub fn forms(units: &[Unit], roles: u16, out: &mut Vec<(Form, Vec<Unit>)>) {
    out.clear();
    if units.len() < 2 {
        return;
    }
    out.push((Form::Full, units.to_vec()));
    let mut add = |form: Form, f: Option<&[Unit]>| {
        if let Some(f) = f
            && f.len() >= 2
            && !out.iter().any(|(_, o)| o == f)
        {
            out.push((form, f.to_vec()));
        }
    };
    if roles & role::PROVINCE != 0 {
        let whole =
            PROVINCES.iter().find(|(long, _)| crate::text::key(long) == units).map(|(_, s)| crate::text::key(s));
        add(Form::Short, whole.as_deref().or(strip(units, &["省", "市"], 2)));
    }
    if roles & role::CITY != 0 {
        add(Form::Short, strip(units, &["自治州", "地区", "市", "盟", "县"], 2));
    }
    if roles & role::DISTRICT != 0 {
        add(Form::Short, strip(units, &["区", "县", "市", "旗"], 2));
        add(Form::Short, strip(units, &["新区", "自治县"], 2));
    }
    if roles & role::TOWN != 0 {
        add(Form::Short, strip(units, TOWN, 2));
    }
    if roles & role::COMMUNITY != 0 {
        add(Form::Core, strip(units, COMMUNITY, 2));
    }
    if roles & role::STREET != 0 {
        add(Form::Core, road_core(units));
        add(Form::Sectionless, without_section(units));
        add(Form::Core, without_section(units).and_then(road_core));
    }
    if roles & role::COMPOUND != 0 {
        add(Form::Core, strip(units, COMPOUND, 2));
    }
    if roles & (role::COMPOUND | role::POI) != 0 {
        let plain = without_brackets(units);
        add(Form::Plain, plain.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{key, show};

    fn of(name: &str, roles: u16) -> Vec<String> {
        let mut out = Vec::new();
        forms(&key(name), roles, &mut out);
        out.iter().map(|(_, f)| show(f)).collect()
    }

    #[test]
    fn names_as_people_shorten_them() {
        assert_eq!(of("山东省", role::PROVINCE), ["山东省", "山东"]);
        assert_eq!(of("内蒙古自治区", role::PROVINCE), ["内蒙古自治区", "内蒙古"]);
        assert_eq!(of("浦东新区", role::DISTRICT), ["浦东新区", "浦东新", "浦东"]);
        assert_eq!(of("香港西路", role::STREET), ["香港西路", "香港西"]);
        assert_eq!(of("安和路一段", role::STREET), ["安和路1段", "安和路", "安和"]);
        assert_eq!(of("稻花村", role::COMMUNITY | role::STREET), ["稻花村", "稻花"]);
        assert_eq!(of("五芳面馆(东昌店)", role::POI), ["5芳面馆(东昌店)", "5芳面馆"]);
        assert_eq!(of("八一路", role::STREET), ["81路"]);
        assert_eq!(of("万家人利家园", role::COMPOUND), ["万家人利家园", "万家人利"]);
    }
}
