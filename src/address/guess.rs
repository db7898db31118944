//! Which field is probably what, by names and titles: a proposal with its reasons, which the owner confirms or changes.

use onemap_address::element::Element;
use serde::Serialize;

use super::mapping::{Mapping, Target};
use crate::error::Said;
use crate::layer::model::{Layer, State};

/// A field as its source describes it. A file's column has a name alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Described<'a> {
    pub name: &'a str,
    pub zh: &'a str,
    pub en: &'a str,
}

/// What the rows are, as far as the source says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub title_zh: &'a str,
    /// Rows are areas.
    pub areas: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Guessed {
    pub element: &'static str,
    pub field: String,
    pub reason: Said,
}

#[derive(Debug, Clone, Default)]
pub struct Guess {
    pub mapping: Mapping,
    pub report: Vec<Guessed>,
}

/// What fields are called, without blanks, `_` and `-`, in lower case. Of several fields for one element the one called by the
/// earlier name is taken.
const NAMES: [(Target, &[&str]); 21] = {
    use Element::*;
    use Target::Element as E;
    [
        (
            Target::Full,
            &[
                "full",
                "fulladdress",
                "fulladdr",
                "标准地址",
                "完整地址",
                "详细地址",
                "地址全称",
                "门牌地址",
                "standardaddress",
                "formattedaddress",
                "address",
                "addr",
                "地址",
                "住址",
                "dizhi",
                "dz",
            ],
        ),
        (Target::Alias, &["alias", "aliases", "别名", "曾用名", "俗称", "简称", "othername", "oldname"]),
        (
            Target::Key,
            &[
                "标准地址编码",
                "地址编码",
                "地址代码",
                "门牌编码",
                "addresscode",
                "addressid",
                "doorid",
                "dzbm",
                "poiid",
                "buildingid",
                "id",
                "uuid",
                "编码",
                "行政区划代码",
            ],
        ),
        (
            Target::ValidFrom,
            &["validfrom", "生效日期", "启用日期", "有效期起", "有效期始", "设立日期", "命名日期", "startdate"],
        ),
        (
            Target::ValidTo,
            &[
                "validto",
                "validuntil",
                "失效日期",
                "废止日期",
                "注销日期",
                "停用日期",
                "有效期止",
                "有效期至",
                "enddate",
            ],
        ),
        (E(Province), &["province", "pname", "provname", "省", "省份", "省级", "sheng"]),
        (E(City), &["city", "cityname", "市", "地市", "城市", "地级市", "shi"]),
        (E(District), &["district", "county", "adname", "区县", "区市", "县区", "区市县", "区", "县", "quxian"]),
        (E(Devzone), &["devzone", "开发区", "功能区"]),
        (
            E(Town),
            &[
                "town",
                "township",
                "subdistrict",
                "street",
                "街道",
                "乡镇",
                "街道乡镇",
                "镇街",
                "街道镇",
                "镇",
                "jiedao",
            ],
        ),
        (E(Community), &["community", "village", "社区", "社区村", "村居", "村", "居委会", "村居委", "shequ"]),
        (E(VillageGroup), &["villagegroup", "group", "村民小组", "小组", "组"]),
        (E(Road), &["road", "roadname", "道路", "道路名称", "路名", "街路巷", "街路", "路", "streetname", "daolu"]),
        (E(Lane), &["lane", "巷弄", "弄巷", "里弄", "弄", "巷", "胡同"]),
        (
            E(Roadno),
            &["number", "roadno", "housenumber", "doornumber", "doorno", "门牌号", "门牌号码", "门牌", "路号", "mph"],
        ),
        (E(Compound), &["compound", "estate", "小区", "小区名称", "住宅小区", "院落", "xiaoqu"]),
        (E(Poi), &["poi", "poiname", "兴趣点", "单位名称", "机构名称", "企业名称"]),
        (
            E(Houseno),
            &["building", "buildingno", "houseno", "楼栋", "楼号", "楼栋号", "楼幢", "幢号", "栋号", "楼", "幢", "栋"],
        ),
        (E(Cellno), &["unit", "unitno", "cellno", "单元", "单元号"]),
        (E(Floorno), &["floor", "floorno", "楼层", "层", "所在楼层"]),
        (E(Roomno), &["room", "roomno", "室", "室号", "房号", "户室", "户号", "房间号", "房间"]),
    ]
};

/// A field that just names what its row is.
const NAME: [&str; 6] = ["name", "名称", "mc", "title", "namezh", "标题"];

pub fn guess(fields: &[Described<'_>], about: About<'_>) -> Guess {
    let mut guess = Guess::default();
    let mut taken = vec![false; fields.len()];
    // Taiwan's open door plates: the columns beside the address are codes of divisions and pieces of the road's name.
    let called = |name: &str| fields.iter().position(|f| plain(f.name) == name);
    if let (Some(full), Some(_), Some(_)) = (called("fulladdr"), called("neighborhood"), called("county")) {
        let reason =
            Said::new("台湾门牌开放数据：其余列为代码", "Taiwan's open door plates: the other columns are codes");
        guess.put(Target::Full, fields[full].name, reason);
        return guess;
    }
    for (target, names) in NAMES {
        // Names are surer than titles.
        let by_name =
            |n: &&str| Some((fields.iter().position(|f| plain(f.name) == **n)?, "字段名", "the field's name"));
        let by_title =
            |n: &&str| Some((fields.iter().position(|f| plain(f.zh) == **n)?, "字段标题", "the field's title"));
        let found = names.iter().find_map(by_name).or_else(|| names.iter().find_map(by_title));
        if let Some((at, zh, en)) = found.filter(|(at, ..)| !taken[*at]) {
            taken[at] = true;
            guess.put(target, fields[at].name, Said::new(zh, en));
        }
    }
    let name = NAME.iter().find_map(|n| fields.iter().position(|f| plain(f.name) == *n || plain(f.zh) == *n));
    if let Some(at) = name.filter(|at| !taken[*at]) {
        let element = named(about);
        if guess.mapping.get(Target::Element(element)).is_none() {
            let reason = match about.title_zh {
                "" => Said::new("名称字段", "the field of names"),
                title => Said::new(format!("名称字段，图层为“{title}”"), format!("the field of names of “{title}”")),
            };
            guess.put(Target::Element(element), fields[at].name, reason);
        }
    }
    guess
}

/// The guess for a layer of the catalogue.
pub fn guess_of_layer(layer: &Layer, state: &State) -> Guess {
    let fields: Vec<Described<'_>> =
        state.fields.iter().map(|f| Described { name: &f.name, zh: &f.title_zh, en: &f.title_en }).collect();
    let areas = state.geometry_type.as_deref().is_some_and(|t| t.contains("Polygon"));
    guess(&fields, About { title_zh: &layer.title.zh, areas })
}

impl Guess {
    fn put(&mut self, target: Target, field: &str, reason: Said) {
        self.mapping.put(target, field);
        self.report.push(Guessed { element: target.name(), field: field.to_owned(), reason });
    }
}

/// What rows of this title are named by.
fn named(about: About<'_>) -> Element {
    let title = plain(about.title_zh);
    let says = |words: &[&str]| words.iter().any(|w| title.contains(w));
    // The hospital of a community is no community: divisions are areas, and are called so.
    let divisions = about.areas && (says(&["界", "区划", "范围", "辖区"]) || title.chars().count() <= 3);
    match () {
        () if divisions && says(&["社区", "村", "居委"]) => Element::Community,
        () if divisions && says(&["街道", "乡", "镇"]) => Element::Town,
        () if divisions && says(&["区", "县"]) => Element::District,
        () if divisions && says(&["市"]) => Element::City,
        () if divisions && says(&["省"]) => Element::Province,
        () if says(&["道路", "路网", "街路", "街巷", "里弄"]) => Element::Road,
        () if says(&["小区", "住宅区", "家属院"]) => Element::Compound,
        () => Element::Poi,
    }
}

/// Without what people write in different ways: blanks, case, `_`, brackets and what they hold at the end.
fn plain(text: &str) -> String {
    let spaced = |c: char| c.is_whitespace() || matches!(c, '_' | '-' | '（' | '）' | '(' | ')' | '/' | '、');
    text.chars().filter(|c| !spaced(*c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_names(header: &str) -> Mapping {
        let fields: Vec<Described<'_>> =
            header.split(',').map(|name| Described { name, ..Described::default() }).collect();
        guess(&fields, About::default()).mapping
    }

    fn pairs(mapping: &Mapping) -> Vec<String> {
        mapping.each().map(|(t, f)| format!("{}={f}", t.name())).collect()
    }

    #[test]
    fn the_header_of_a_base_of_addresses() {
        let header = "id,kind,province,city,district,street,community,road,lane,number,compound,building,unit,room,poi,lon,lat,full";
        let mapping = of_names(header);
        for (target, field) in [
            ("key", "id"),
            ("town", "street"),
            ("community", "community"),
            ("road", "road"),
            ("lane", "lane"),
            ("roadno", "number"),
            ("compound", "compound"),
            ("houseno", "building"),
            ("cellno", "unit"),
            ("roomno", "room"),
            ("poi", "poi"),
            ("full", "full"),
        ] {
            assert_eq!(mapping.get(Target::parse(target).unwrap()), Some(field), "{target}");
        }
        assert_eq!(mapping.each().count(), 15);
    }

    #[test]
    fn taiwans_codes_are_left_alone() {
        let header = "FULL_ADDR,COUNTY,TOWN,VILLAGE,NEIGHBORHOOD,ROAD,SECTION,LANE,ALLEY,SUB_ALLEY,TONG,NUMBER,X,Y";
        assert_eq!(pairs(&of_names(header)), ["full=FULL_ADDR"]);
    }

    #[test]
    fn a_list_of_points_of_interest() {
        let mapping = of_names("name,address,adname,pname,type,lat,lon,source");
        assert_eq!(pairs(&mapping), ["province=pname", "district=adname", "poi=name", "full=address"]);
    }

    #[test]
    fn chinese_headers() {
        let mapping = of_names("省,市,区县,街道,社区,道路,门牌号,小区,楼,单元,室,名称");
        let expected = [
            "province=省",
            "city=市",
            "district=区县",
            "town=街道",
            "community=社区",
            "road=道路",
            "roadno=门牌号",
            "compound=小区",
            "poi=名称",
            "houseno=楼",
            "cellno=单元",
            "roomno=室",
        ];
        assert_eq!(pairs(&mapping), expected);
    }

    #[test]
    fn a_name_is_what_its_layer_is() {
        let name = [Described { name: "name", zh: "名称", en: "Name" }];
        let of = |title_zh, areas| pairs(&guess(&name, About { title_zh, areas }).mapping).concat();
        assert_eq!(of("社区（村）界", true), "community=name");
        assert_eq!(of("街道（镇）界", true), "town=name");
        assert_eq!(of("区市界", true), "district=name");
        assert_eq!(of("社区服务中心", false), "poi=name");
        assert_eq!(of("道路", false), "road=name");
        assert_eq!(of("老旧小区改造", true), "compound=name");
        let road = [Described { name: "name", zh: "道路名称", en: "Name" }];
        assert_eq!(pairs(&guess(&road, About::default()).mapping), ["road=name"]);
    }

    #[test]
    fn what_is_no_address_gives_nothing() {
        assert_eq!(of_names("a,b,value,date").each().count(), 0);
    }
}
