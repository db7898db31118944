//! Names to deal out. Those of districts, streets and communities are Qingdao's; roads, compounds and places are put together here.

use crate::random::Random;

pub const DISTRICTS: &str = include_str!("../../../../data/qingdao/districts.csv");
pub const STREETS: &str = include_str!("../../../../data/qingdao/streets.csv");
pub const COMMUNITIES: &str = include_str!("../../../../data/qingdao/communities.csv");

/// Cities, rivers, hills and wishes, as roads are named after.
const ROADS: &str = "江西 江苏 浙江 福建 广东 广西 湖南 湖北 河南 河北 山西 陕西 云南 贵州 四川 辽宁 吉林 安徽 宁夏 新疆 西藏 青海 甘肃 台湾 海南 北京 天津 上海 重庆 \
    南京 杭州 苏州 无锡 扬州 徐州 镇江 宁波 温州 嘉兴 绍兴 金华 台州 福州 厦门 泉州 漳州 莆田 南平 三明 龙岩 广州 深圳 珠海 汕头 佛山 湛江 肇庆 桂林 柳州 长沙 岳阳 \
    武汉 黄石 宜昌 荆州 襄阳 郑州 洛阳 开封 安阳 太原 大同 西安 宝鸡 延安 成都 绵阳 昆明 大理 贵阳 遵义 兰州 西宁 银川 沈阳 大连 鞍山 抚顺 丹东 锦州 长春 延吉 \
    哈尔滨 大庆 济南 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 莱芜 临沂 德州 聊城 滨州 菏泽 胶州 平度 即墨 崂山 单县 曹县 高密 诸城 寿光 昌邑 莱阳 招远 文登 荣成 \
    长江 黄河 淮河 珠江 嘉陵江 松花江 鸭绿江 钱塘江 闽江 漓江 湘江 赣江 泰山 华山 衡山 恒山 嵩山 黄山 庐山 峨眉山 武夷山 井冈山 天山 昆仑山 祁连山 阿里山 玉龙山 \
    人民 解放 建设 和平 胜利 光明 团结 友谊 新华 中山 文化 教育 科技 创业 工业 振兴 富强 民主 文明 和谐 幸福 安康 永安 长安 兴隆 兴业 繁荣 太平 同兴 瑞昌 \
    海滨 海尔 海口 港湾 滨河 滨海 春阳 正阳 朝阳 夏庄 秋阳 东海 南海 北海 渤海 黄海 银川 金水 金岭 银海 翠岭 松岭 梅岭 桃源 杏林 槐树 柳林 杨家 李家 王家 赵家 \
    劲松 错埠岭 浮山后 太平角 八大关 鱼山 龙江 龙口 观海 观象 信号山 齐东 大学 莱芜二 登州 威海卫 热河 辽源 康宁 标山 嘉定 洛川 郑家庄 开平 吴家村 宜阳 商丘 周口";

const COMPOUND_HEADS: &str = "阳光 海韵 丽景 翠湖 金色 银河 绿城 锦绣 东方 香榭 紫薇 天泰 百合 枫林 碧海 蓝湾 龙湖 凤凰 御景 水岸 半岛 鑫源 瑞海 福临 祥和 康居 怡和 馨雅 雅荷 君悦 \
    伴山 听涛 观澜 逸景 盛世 华府 名城 中南 万科 保利 海信 青建 天一 佳源 嘉禾 恒通 书香 学府 春晓 秋实 向阳 长城 泰和 麦岛 浮山 湖光 山水 田园 江南 塞纳 维多利亚 世纪 时代 未来 \
    红旗 铁路 纺织 港务 机械 化工 轮胎 供电 邮电 教师 部队 烟草 电业 建材 粮食";
const COMPOUND_MIDDLES: &str =
    "国际 名都 新天 之星 一品 丽都 尚品 雅筑 印象 观邸 壹号 春天 港湾 豪庭 逸墅 华庭 水韵 花语 年华 明珠";
const COMPOUND_ENDS: &str = "小区 花园 家园 公寓 新村 苑 大厦 广场 花苑 嘉园 名邸 宿舍 佳苑 庄园 新城 公馆";

const PLACE_HEADS: &str = "百姓 康乐 福兴 聚源 德馨 仁和 益民 海润 鑫盛 永丰 老船长 家乐 春华 明月 一品 四季 新时代 好邻居 金孔雀 小蜜蜂 大树 蓝天 北极星 同心 如意 顺达 嘉德 宏图 \
    万佳 三和 东升 南苑 西湖 龙门 凤鸣 麒麟 玉兰 牡丹 芙蓉 海棠 白鹭 青松 红枫 云海 天成 地利 人和 金玉 满堂 吉祥";
const PLACE_ENDS: &str = "大药房 超市 便利店 幼儿园 小学 中学 宾馆 酒店 火锅 面馆 书店 眼镜店 诊所 卫生室 快递站 理发店 菜市场 健身中心 茶楼 烘焙坊 五金店 洗衣店 口腔门诊 汽修厂 建材商行";

fn words(list: &'static str) -> Vec<&'static str> {
    list.split_ascii_whitespace().collect()
}

pub struct Names {
    roads: Vec<&'static str>,
    heads: Vec<&'static str>,
    middles: Vec<&'static str>,
    ends: Vec<&'static str>,
    places: Vec<&'static str>,
    shops: Vec<&'static str>,
}

impl Names {
    pub fn new() -> Names {
        Names {
            roads: words(ROADS),
            heads: words(COMPOUND_HEADS),
            middles: words(COMPOUND_MIDDLES),
            ends: words(COMPOUND_ENDS),
            places: words(PLACE_HEADS),
            shops: words(PLACE_ENDS),
        }
    }

    pub fn road(&self, random: &mut Random) -> String {
        let stem = random.pick(&self.roads);
        match random.below(10) {
            0 | 1 => format!("{stem}{}路", random.pick(&["东", "西", "南", "北", "中"])),
            2 | 3 => format!("{stem}{}路", random.pick(&["一", "二", "三", "四", "五", "六", "七", "八", "支"])),
            4 => format!("{stem}{}", random.pick(&["街", "大街", "大道"])),
            _ => format!("{stem}路"),
        }
    }

    pub fn compound(&self, random: &mut Random) -> String {
        let head = random.pick(&self.heads);
        let end = random.pick(&self.ends);
        match random.below(6) {
            0 => format!("{head}{end}"),
            1 => format!("{head}{}", random.pick(&self.middles)),
            2 => format!(
                "{head}{}{end}{}",
                random.pick(&self.middles),
                random.pick(&["A区", "B区", "一期", "二期", "东区", "西区"])
            ),
            _ => format!("{head}{}{end}", random.pick(&self.middles)),
        }
    }

    pub fn place(&self, random: &mut Random, road: &str) -> String {
        let (head, end) = (random.pick(&self.places), random.pick(&self.shops));
        if random.one_in(3) {
            format!("{head}{end}({road}店)")
        } else {
            format!("{head}{}{end}", random.pick(&self.places))
        }
    }
}

impl Default for Names {
    fn default() -> Names {
        Names::new()
    }
}
