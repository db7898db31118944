//! How names of divisions are shortened in use.

use crate::element::Element;

/// Names that the code list has only to be complete.
pub(super) fn placeholder(name: &str) -> bool {
    matches!(name, "市辖区" | "县" | "省直辖县级行政区划" | "自治区直辖县级行政区划")
}

/// The peoples in the names of autonomous divisions.
const PEOPLES: &[&str] = &[
    "蒙古族",
    "回族",
    "藏族",
    "维吾尔族",
    "苗族",
    "彝族",
    "壮族",
    "布依族",
    "朝鲜族",
    "满族",
    "侗族",
    "瑶族",
    "白族",
    "土家族",
    "哈尼族",
    "哈萨克族",
    "傣族",
    "黎族",
    "傈僳族",
    "佤族",
    "畲族",
    "高山族",
    "拉祜族",
    "水族",
    "东乡族",
    "纳西族",
    "景颇族",
    "柯尔克孜族",
    "土族",
    "达斡尔族",
    "仫佬族",
    "羌族",
    "布朗族",
    "撒拉族",
    "毛南族",
    "仡佬族",
    "锡伯族",
    "阿昌族",
    "普米族",
    "塔吉克族",
    "怒族",
    "乌孜别克族",
    "俄罗斯族",
    "鄂温克族",
    "德昂族",
    "保安族",
    "裕固族",
    "京族",
    "塔塔尔族",
    "独龙族",
    "鄂伦春族",
    "赫哲族",
    "门巴族",
    "珞巴族",
    "基诺族",
    "各族",
    "民族",
    "蒙古",
    "哈萨克",
    "柯尔克孜",
    "维吾尔",
];

/// Whole names in use that follow no rule.
const OWN: &[(&str, &[&str])] = &[
    ("内蒙古自治区", &["内蒙古", "内蒙"]),
    ("广西壮族自治区", &["广西"]),
    ("西藏自治区", &["西藏"]),
    ("宁夏回族自治区", &["宁夏"]),
    ("新疆维吾尔自治区", &["新疆", "新疆自治区"]),
    ("香港特别行政区", &["香港"]),
    ("澳门特别行政区", &["澳门"]),
    ("黑龙江省", &["黑龙江"]),
];

/// Ends that are left off, longest first.
fn ends(level: Element) -> &'static [&'static str] {
    match level {
        Element::Province => &["省", "市"],
        Element::City => &["自治州", "地区", "市", "盟"],
        Element::District => &["自治县", "自治旗", "林区", "特区", "新区", "市", "县", "区", "旗"],
        _ => &["民族乡", "街道", "地区", "镇", "乡"],
    }
}

/// Calls `each` with the short forms of a name: without its end, without the peoples in it.
pub(super) fn short_forms(name: &str, level: Element, mut each: impl FnMut(&str)) {
    if let Some((_, own)) = OWN.iter().find(|(n, _)| *n == name) {
        own.iter().for_each(|short| each(short));
        return;
    }
    let Some((stem, end)) = ends(level).iter().find_map(|end| name.strip_suffix(end).map(|stem| (stem, *end))) else {
        return;
    };
    let mut bare = stem;
    while let Some(shorter) = PEOPLES.iter().find_map(|people| bare.strip_suffix(people)) {
        if shorter.chars().count() < 2 {
            break;
        }
        bare = shorter;
    }
    if bare.chars().count() < 2 || general(bare) {
        return;
    }
    each(bare);
    match end {
        "自治州" => each(&[bare, "州"].concat()),
        "自治县" => each(&[bare, "县"].concat()),
        "自治旗" => each(&[bare, "旗"].concat()),
        "民族乡" | "乡" if bare != stem => each(&[bare, "乡"].concat()),
        _ => {}
    }
}

/// Stems that mean something else far more often than the division.
fn general(stem: &str) -> bool {
    matches!(
        stem,
        "城关"
            | "城区"
            | "新城"
            | "新华"
            | "和平"
            | "城东"
            | "城西"
            | "城南"
            | "城北"
            | "新兴"
            | "解放"
            | "人民"
            | "建设"
            | "胜利"
            | "向阳"
            | "东风"
            | "中山"
            | "市中"
            | "光明"
            | "红旗"
            | "长安"
            | "城中"
            | "矿区"
            | "郊区"
            | "高新"
            | "开发"
            | "经济"
            | "新区"
            | "友谊"
            | "工农"
    )
}
