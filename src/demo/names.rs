//! Names that sound like the city's: roads, and the kinds of places that stand along them.

use std::collections::HashSet;

use super::rng::Rng;

/// Places that roads of Qingdao are named after: provinces, cities, counties, mountains, virtues.
const BASES: &[&str] = &[
    "香港",
    "东海",
    "延安",
    "江西",
    "福州",
    "南京",
    "宁夏",
    "闽江",
    "漳州",
    "云霄",
    "燕儿岛",
    "山东",
    "浙江",
    "安徽",
    "广西",
    "湖北",
    "河南",
    "河北",
    "泰安",
    "肥城",
    "济宁",
    "曲阜",
    "郯城",
    "蒙阴",
    "莒县",
    "沂水",
    "大沽",
    "保定",
    "天津",
    "北京",
    "上海",
    "武定",
    "吴淞",
    "无棣",
    "乐陵",
    "商河",
    "惠民",
    "甘肃",
    "陕西",
    "聊城",
    "高唐",
    "博兴",
    "临清",
    "馆陶",
    "胶州",
    "即墨",
    "李村",
    "潍县",
    "博山",
    "海泊",
    "芝罘",
    "四方",
    "黄岛",
    "平度",
    "高密",
    "莱州",
    "益都",
    "寿光",
    "临朐",
    "昌邑",
    "太平",
    "常州",
    "金口",
    "龙江",
    "龙口",
    "黄县",
    "鱼山",
    "莱阳",
    "文登",
    "荣成",
    "正阳关",
    "嘉峪关",
    "居庸关",
    "紫荆关",
    "韶关",
    "宁武关",
    "函谷关",
    "山海关",
    "黄海",
    "南海",
    "湛山",
    "太湖",
    "巢湖",
    "洞庭湖",
    "鄱阳湖",
    "洪泽湖",
    "镜泊湖",
    "抚顺",
    "鞍山",
    "本溪",
    "长春",
    "吉林",
    "哈尔滨",
    "佳木斯",
    "齐齐哈尔",
    "大庆",
    "辽阳",
    "锦州",
    "营口",
    "丹东",
    "通化",
    "重庆",
    "成都",
    "贵州",
    "昆明",
    "兰州",
    "西宁",
    "银川",
    "拉萨",
    "乌鲁木齐",
    "呼和浩特",
    "太原",
    "大同",
    "石家庄",
    "唐山",
    "长江",
    "黄河",
    "珠江",
    "嘉陵江",
    "漓江",
    "钱塘江",
    "富春江",
    "松花江",
    "鸭绿江",
    "井冈山",
    "武夷山",
    "太行山",
    "昆仑山",
    "峨眉山",
    "庐山",
    "衡山",
    "华山",
    "嵩山",
    "泰山",
    "天目山",
    "五台山",
    "阿里山",
    "长白山",
    "江山",
    "前湾港",
    "滨海",
    "海尔",
    "深圳",
    "苗岭",
    "仙霞岭",
    "秦岭",
    "大麦岛",
    "银川",
    "辽宁",
    "热河",
    "威海",
    "台东",
    "登州",
    "利津",
    "内蒙古",
    "包头",
    "振华",
    "永平",
    "兴城",
    "升平",
    "书院",
    "京口",
    "滨河",
    "九水",
    "金水",
    "青山",
    "万年泉",
    "夏庄",
    "春阳",
    "正阳",
    "明阳",
    "和阳",
    "顺城",
    "文阳",
    "崇阳",
    "长城",
    "民享",
    "国城",
    "鹤山",
    "墨城",
    "振武",
    "烟青",
    "蓝鳌",
    "鳌山",
    "扬州",
    "广州",
    "苏州",
    "常熟",
    "郑州",
    "徐州",
    "兰溪",
    "杭州",
    "福安",
    "厦门",
    "泉州",
    "红旗",
    "人民",
    "解放",
    "青年",
    "胜利",
    "建设",
    "和平",
    "团结",
    "文化",
    "新华",
    "康成",
    "天津",
    "杜鹃",
    "月季",
    "石岛",
    "烟台",
    "威州",
    "上海",
    "琴岛",
    "望海",
    "听涛",
];

const ENDINGS: &[&str] = &[
    "路", "东路", "西路", "中路", "南路", "北路", "街", "一路", "二路", "三路", "支路", "四路", "五路", "六路", "大道",
];

/// Roads that stand in these districts, so that a visitor finds what he knows (at another place: the grid is generated).
const KNOWN: &[(&str, &[&str])] = &[
    (
        "370202",
        &["香港中路", "东海西路", "延安三路", "南京路", "福州南路", "江西路", "中山路", "太平路", "莱阳路", "云霄路"],
    ),
    (
        "370203",
        &["即墨路", "辽宁路", "台东三路", "威海路", "延吉路", "黑龙江南路", "敦化路", "鞍山路", "重庆南路", "哈尔滨路"],
    ),
    ("370211", &["长江中路", "井冈山路", "香江路", "滨海大道", "江山中路", "前湾港路", "双珠路", "珠海路", "灵山湾路"]),
    ("370212", &["海尔路", "深圳路", "香港东路", "苗岭路", "银川东路", "同安路", "仙霞岭路", "松岭路"]),
    ("370213", &["书院路", "京口路", "夏庄路", "九水路", "黑龙江中路", "重庆中路", "金水路", "振华路", "四流中路"]),
    ("370214", &["正阳中路", "明阳路", "长城路", "春阳路", "兴阳路", "黑龙江中路", "重庆北路", "崇阳路"]),
];

/// Hands out the road names of one district, none twice.
pub struct RoadNames {
    ready: Vec<String>,
    given: usize,
}

impl RoadNames {
    pub fn new(district: &str, rng: &mut Rng) -> RoadNames {
        let known = KNOWN.iter().find(|k| k.0 == district).map_or(&[][..], |k| k.1);
        let mut bases = BASES.to_vec();
        for i in (1..bases.len()).rev() {
            bases.swap(i, rng.below(i + 1));
        }
        let built = ENDINGS.iter().flat_map(|e| bases.iter().map(move |b| format!("{b}{e}")));
        let mut seen = HashSet::new();
        let all = known.iter().map(|s| (*s).to_owned()).chain(built);
        RoadNames { ready: all.filter(|name| seen.insert(name.clone())).collect(), given: 0 }
    }

    pub fn next(&mut self) -> String {
        self.given += 1;
        match self.ready.get(self.given - 1) {
            Some(name) => name.clone(),
            None => format!("规划{}号路", self.given - self.ready.len()),
        }
    }
}

/// A lane of a village, by its place in the village's grid.
pub fn lane(village: &str, along: bool, line: usize) -> String {
    const DIGITS: &[&str] = &["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let number = line + 1;
    let tens = if number < 10 { "" } else { "十" };
    let many = if number < 20 { "" } else { DIGITS[number / 10 % 10] };
    let ones = DIGITS[number % 10];
    let village = plain(village);
    format!("{village}{many}{tens}{ones}{}", if along { "街" } else { "巷" })
}

/// The road that leads to a village.
pub fn village_road(village: &str) -> String {
    let village = plain(village);
    if village.ends_with('路') { village.to_owned() } else { format!("{village}路") }
}

fn plain(village: &str) -> &str {
    let name = village.trim_end_matches('村').trim_end_matches("社区").trim_end_matches('村');
    if name.is_empty() { village } else { name }
}

/// Kinds of points of interest: class in Chinese and English, weight, and what their names end in.
pub struct PoiKind {
    pub zh: &'static str,
    pub en: &'static str,
    pub weight: u32,
    pub endings: &'static [&'static str],
}

const fn poi(zh: &'static str, en: &'static str, weight: u32, endings: &'static [&'static str]) -> PoiKind {
    PoiKind { zh, en, weight, endings }
}

pub const POI_KINDS: &[PoiKind] = &[
    poi(
        "餐饮",
        "food",
        22,
        &["海鲜楼", "饺子馆", "家常菜馆", "鲁菜馆", "烧烤店", "咖啡馆", "面馆", "火锅店", "小吃店"],
    ),
    poi("购物", "shopping", 24, &["便利店", "超市", "商场", "水果店", "文具店", "服装店", "五金店", "花店", "书店"]),
    poi("生活服务", "services", 16, &["理发店", "洗衣店", "快递驿站", "家政服务部", "维修部", "照相馆", "营业厅"]),
    poi("公司企业", "companies", 12, &["贸易有限公司", "科技有限公司", "机械厂", "食品有限公司", "物流公司", "设计院"]),
    poi("住宿", "lodging", 4, &["宾馆", "酒店", "旅馆", "民宿"]),
    poi("金融", "finance", 3, &["银行支行", "储蓄所", "保险营业部", "自助银行"]),
    poi("医疗", "health", 4, &["药店", "口腔门诊", "诊所", "中医馆"]),
    poi("教育", "education", 4, &["幼儿园", "培训学校", "驾校", "图书室"]),
    poi("交通设施", "transport", 5, &["停车场", "加油站", "充电站", "公交站"]),
    poi("公共设施", "public", 3, &["公共厕所", "警务室", "社区服务站", "邮政所"]),
    poi("休闲娱乐", "leisure", 3, &["健身房", "影院", "棋牌室", "口袋公园"]),
];

/// What housing estates are called: one of these, and an ending.
pub const ESTATES: &[&str] = &[
    "金水", "御景", "翠湖", "银都", "锦绣", "福林", "海逸", "丽都", "康宁", "阳光", "书香", "东城", "海韵", "天泰",
    "蓝湾", "枫林", "嘉和", "瑞源", "紫荆", "绿洲", "怡海", "广厦", "安泰", "龙泽", "望海", "水岸", "中央", "凤凰",
    "鲁信", "和达",
];
pub const ESTATE_ENDINGS: &[&str] = &["花园", "小区", "家园", "苑", "新村", "名城", "公寓", "嘉园", "国际城", "雅居"];

/// First words of shop and company names.
pub const BRANDS: &[&str] = &[
    "海之韵",
    "金海岸",
    "岛城",
    "琴屿",
    "汇泉",
    "浮山",
    "老城",
    "益民",
    "福满",
    "和顺",
    "东方",
    "鑫源",
    "安居",
    "利群里",
    "新世界",
    "蓝湾",
    "海天",
    "康乐",
    "瑞丰",
    "宏达",
    "天成",
    "永盛",
    "家家乐",
    "四季",
    "华联",
    "百姓",
    "阳光",
    "鲁海",
    "胶东",
    "银海",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_district_gives_no_road_name_twice() {
        let mut names = RoadNames::new("370203", &mut Rng::new(5));
        let all: Vec<String> = (0..4000).map(|_| names.next()).collect();
        assert_eq!(all[0], "即墨路");
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
