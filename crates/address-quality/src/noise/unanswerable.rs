//! Texts that no row answers: numbers and roads that do not exist, other cities, and what is no address at all.

use onemap_address::chars;

use super::{Noise, Set, list};
use crate::draft::{Draft, Expect};
use crate::random::Random;
use crate::row::Field;
use crate::script;
use crate::world::{World, split_road, within_one};

pub(super) const UNANSWERABLE: [Noise; 10] = list(
    Set::Unanswerable,
    [
        ("none_number", none_number),
        ("none_gap", none_gap),
        ("none_road", none_road),
        ("none_road_bare", none_road_bare),
        ("none_lane", none_lane),
        ("none_name", none_name),
        ("none_other", none_other),
        ("none_other_same_road", none_other_same_road),
        ("none_junk", none_junk),
        ("none_text", none_text),
    ],
);

/// Keeps the divisions and writes this road and number.
fn door(draft: &mut Draft, road: &str, number: &str) {
    for field in Field::ALL.into_iter().skip(Field::Street as usize) {
        draft.drop(field);
    }
    draft.write(Field::Road, road);
    draft.write(Field::Number, number);
    draft.expect = Expect::Coarse;
}

fn hao(draft: &Draft) -> &'static str {
    if draft.is_traditional() { "號" } else { "号" }
}

/// Far beyond the last number of the road.
fn none_number(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let (district, road) = (draft.row.get(Field::District).to_owned(), draft.row.get(Field::Road).to_owned());
    let Some(last) = world.numbers(&district, &road).and_then(|n| n.last().copied()) else { return false };
    let number = last as usize + random.between(150, 2500);
    let number = format!("{number}{}", hao(draft));
    door(draft, &road, &number);
    true
}

/// Between two numbers that exist.
fn none_gap(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let (district, road) = (draft.row.get(Field::District).to_owned(), draft.row.get(Field::Road).to_owned());
    let Some(numbers) = world.numbers(&district, &road) else { return false };
    let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else { return false };
    let missing: Vec<u32> = (first..=last).filter(|n| !numbers.contains(n)).take(3000).collect();
    let Some(&number) = random.pick_of(&missing) else { return false };
    // The district may have left the number to a neighbour: a road that goes on there has it after all.
    if world.names(Field::District).iter().any(|d| world.numbers(d, &road).is_some_and(|n| n.contains(&number))) {
        return false;
    }
    let number = format!("{number}{}", hao(draft));
    door(draft, &road, &number);
    true
}

const SYLLABLES: &str = "玺珂骁翊霁邶缙祺铎岫弘煜烨瑾渌澹棠楠椿槿筠笙箬篱茗荻菀萱葳蓓蕙薇藜蘅骐骥鹭鸢鸾麒黛鼐璟琮琰瑭昶晟暄曦泓浥淏湜湉滢澍濂";

/// Whether a name may be a slip of another: a character more, less or changed for one that sounds or looks like it. Any other character makes
/// it another name.
fn is_slip(name: &str, of: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), of.chars().collect());
    if a.len() != b.len() {
        return within_one(name, of);
    }
    let swapped = a.len() > 1
        && (1..a.len())
            .any(|k| a[..k - 1] == b[..k - 1] && a[k] == b[k - 1] && a[k - 1] == b[k] && a[k + 1..] == b[k + 1..]);
    swapped || a.iter().zip(&b).all(|(x, y)| chars::similar(*x, *y) > 0.0)
}

/// The name of a road that is not there, nor anything that it could be a slip of.
fn invented_road(draft: &Draft, random: &mut Random, world: &World) -> Option<String> {
    let from: Vec<char> = SYLLABLES.chars().collect();
    let common: Vec<char> = "红东新永和兴建福安华胜利明光文化大平阳清江海山水石金银铁鸟白青黄".chars().collect();
    let count = random.between(2, 3);
    let mut stem = String::new();
    for _ in 0..count {
        let from = if random.one_in(2) { &from } else { &common };
        stem.extend(random.pick_of(from));
    }
    let stem = draft.in_script(&stem);
    let road = format!("{stem}{}", random.pick(&["路", "路", "街", "大街"]));
    let near = |other: &&str| is_slip(split_road(other).map_or(other, |(stem, _, _)| stem), &stem);
    (!world.names(Field::Road).iter().any(near)).then_some(road)
}

fn none_road(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let Some(road) = invented_road(draft, random, world) else { return false };
    let number = format!("{}{}", random.between(1, 400), hao(draft));
    door(draft, &road, &number);
    true
}

fn none_road_bare(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let made = none_road(draft, random, world);
    for field in [Field::Province, Field::City, Field::District] {
        draft.drop(field);
    }
    made
}

/// A lane that the road does not have.
fn none_lane(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let (district, road, lane) =
        (draft.row.get(Field::District), draft.row.get(Field::Road).to_owned(), draft.row.get(Field::Lane));
    let Some(kind) = lane.chars().find(|c| matches!(c, '巷' | '弄')) else { return false };
    let Some(last) = world.numbers(district, &road).and_then(|n| n.last().copied()) else { return false };
    let number = format!("{}{kind}{}{}", last as usize + random.between(60, 900), random.between(1, 60), hao(draft));
    door(draft, &road, &number);
    true
}

/// A place that is not there, in a district that is.
fn none_name(draft: &mut Draft, random: &mut Random, world: &World) -> bool {
    let Some(road) = invented_road(draft, random, world) else { return false };
    let stem = road.trim_end_matches(['路', '街', '大']);
    let name = format!(
        "{stem}{}",
        draft.in_script(random.pick(&["花园", "小区", "大厦", "幼儿园", "大酒店", "卫生室", "村56号"]))
    );
    for field in Field::ALL.into_iter().skip(Field::Street as usize) {
        draft.drop(field);
    }
    draft.write(Field::Poi, name);
    draft.expect = Expect::Coarse;
    true
}

/// Cities with a district of theirs; their roads are named after anything.
const OTHERS: [(&str, &str, &str); 30] = [
    ("辽宁省", "大连市", "中山区"),
    ("江苏省", "苏州市", "姑苏区"),
    ("广东省", "广州市", "天河区"),
    ("湖北省", "武汉市", "江岸区"),
    ("四川省", "成都市", "锦江区"),
    ("陕西省", "西安市", "雁塔区"),
    ("山东省", "烟台市", "莱山区"),
    ("山东省", "济南市", "槐荫区"),
    ("山东省", "潍坊市", "奎文区"),
    ("山东省", "威海市", "环翠区"),
    ("福建省", "厦门市", "思明区"),
    ("云南省", "昆明市", "五华区"),
    ("湖南省", "长沙市", "岳麓区"),
    ("河南省", "郑州市", "金水区"),
    ("河北省", "石家庄市", "裕华区"),
    ("吉林省", "长春市", "朝阳区"),
    ("安徽省", "合肥市", "蜀山区"),
    ("浙江省", "宁波市", "鄞州区"),
    ("浙江省", "温州市", "鹿城区"),
    ("江西省", "南昌市", "东湖区"),
    ("贵州省", "贵阳市", "云岩区"),
    ("甘肃省", "兰州市", "城关区"),
    ("海南省", "海口市", "龙华区"),
    ("山西省", "太原市", "小店区"),
    ("广西壮族自治区", "南宁市", "青秀区"),
    ("内蒙古自治区", "包头市", "昆都仑区"),
    ("新疆维吾尔自治区", "乌鲁木齐市", "天山区"),
    ("", "北京市", "海淀区"),
    ("", "天津市", "和平区"),
    ("", "重庆市", "渝中区"),
];

fn other_city(draft: &Draft, random: &mut Random) -> Option<String> {
    let (province, city, district) = *random.pick_of(&OTHERS)?;
    let own = script::simplified(draft.row.get(Field::City));
    let divisions = match random.below(4) {
        0 => format!("{city}{district}"),
        1 => format!("{}{district}", city.trim_end_matches('市')),
        _ => format!("{province}{city}{district}"),
    };
    (own != city).then_some(divisions)
}

fn none_other(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let Some(divisions) = other_city(draft, random) else { return false };
    let road = random.pick(&[
        "人民路",
        "解放路",
        "建设大街",
        "和平里三区",
        "友谊大道",
        "学府路",
        "科技二路",
        "滨河东路",
        "天府三街",
        "光明村",
    ]);
    let end = random.pick(&["号", "号", "号院", "号2单元301室"]);
    draft.whole = Some(format!("{divisions}{road}{}{end}", random.between(1, 900)));
    draft.expect = Expect::Nothing;
    true
}

/// Another city, and a road and number that this one has too.
fn none_other_same_road(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let Some(divisions) = other_city(draft, random) else { return false };
    if !draft.row.has(Field::Road) || !draft.row.has(Field::Number) {
        return false;
    }
    let rest: String = [Field::Road, Field::Lane, Field::Number].into_iter().map(|f| draft.part(f)).collect();
    draft.whole = Some(divisions + &rest);
    draft.expect = Expect::Nothing;
    true
}

const JUNK: [&str; 39] = [
    "",
    " ",
    "无",
    "不知道",
    "同上",
    "见附件",
    "未填",
    "待补充",
    "暂缺",
    "保密",
    "N/A",
    "null",
    "-",
    "--",
    "。",
    "？？？",
    "0",
    "000000",
    "99999",
    "asdf",
    "test",
    "abc123",
    "13800000000",
    "0532-80000000",
    "370202199001011234",
    "家里",
    "老地方",
    "本人自取",
    "居无定所",
    "流动人口",
    "空挂户",
    "寄存",
    "到付",
    "请打电话",
    "没有地址",
    "😀😀",
    "\u{0}\u{1}",
    "地址不详",
    "号",
];

fn none_junk(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    draft.whole = Some(random.pick(&JUNK).to_owned());
    draft.expect = Expect::Nothing;
    true
}

/// Sentences; with numbers and words that addresses have as well.
fn none_text(draft: &mut Draft, random: &mut Random, _: &World) -> bool {
    let sentences = [
        "今天下午三点在会议室开会",
        "请于本月15号之前提交材料",
        "他的身份证号码已经过期了",
        "一路平安，多谢关照",
        "这件衣服我要红色的两件",
        "客户要求改天再送",
        "你好请问什么时候发货",
        "满100元减20元的优惠券",
        "共3页第2页",
        "姓名：张某，性别：女，民族：汉",
        "lorem ipsum dolor sit amet",
        "SELECT * FROM t WHERE 1=1",
        "https://example.org/a/b?c=1",
        "明天有雨，注意保暖",
        "以上信息真实有效",
        "第二次接种疫苗的时间",
        "项目编号2024-0031",
        "微信号wx_88990",
    ];
    draft.whole = Some(random.pick(&sentences).to_owned());
    draft.expect = Expect::Nothing;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_names() {
        assert!(
            is_slip("江西", "江酉")
                && is_slip("江西", "江")
                && is_slip("江西", "西江")
                && is_slip("江西", "姜西")
                && is_slip("江西", "江西")
        );
        assert!(!is_slip("南宁", "顿宁") && !is_slip("江西", "江海") && !is_slip("城阳", "七杆"));
    }
}
