//! The words that names end with, and the words that stand for themselves.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::element::Element::{self, *};

/// A kind that a name may have by its end. Costs are in hundredths; a name of a usual kind costs about 100.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub element: Element,
    pub cost: i32,
}

/// All that an end says.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub len: usize,
    pub heads: Vec<Head>,
    /// What it costs a longer name to have such an end in its midst.
    pub inner: i32,
    /// The name goes on from a name before it: 紫金港校区, 城西分行.
    pub joins: bool,
}

/// Ends of names: element, cost, cost within a longer name, words.
const ENDINGS: &[(Element, i32, i32, &str)] = &[
    (Province, 60, 100, "省 自治区"),
    (City, 60, 80, "市 自治州 地区 盟"),
    (District, 60, 80, "县 自治县 旗"),
    (District, 110, 60, "区"),
    (Town, 20, 260, "街道 街道办事处 街道办 镇 苏木"),
    (Town, 40, 120, "乡 民族乡 回族乡 镇政府 办事处"),
    (Community, 10, 200, "村 行政村 自然村"),
    (Community, 0, 220, "社区 居委会 居民委员会 村委会 村民委员会 村委 居委 社区居委会 村村委会"),
    (Community, 80, 60, "屯 寨 嘎查 生产队"),
    (
        Community,
        150,
        20,
        "庄 宅 岙 埠 屿 埭 坪 坝 畈 浜 堡 岭 沟 坑 坡 垟 坦 塘 湾 头 洼 圩 埂 墩 湖 桥 溪 岗 冲 垸 店 营 家 里 下 口 山 洋 田 兜 圳 厝 窑 河 楼 庙 洞 树 浦 渡 泾 渎 荡 巷 舍 墅 桥头 溪头 塘下 河头",
    ),
    (VillageGroup, 40, 80, "组 村民小组 村民组 居民组 居民小组 小组"),
    (VillageGroup, 120, 40, "队 社 大队 分场"),
    (Road, 0, 260, "路 大道 大街 公路 快速路 环路 支路 胡同 国道 省道 县道 环城路 滨江路 高速公路 老街 步行街"),
    (Road, 20, 190, "街 巷 弄"),
    (Road, 50, 100, "道 高速 大路 小街 小路 高架 古街"),
    (Road, 110, 30, "线 环 坊 里 通道 街坊 堤"),
    (
        Devzone,
        0,
        150,
        "开发区 工业区 工业园 工业园区 产业园 产业园区 科技园 科技园区 高新区 高新园区 软件园 软件园区 物流园 物流园区 创意园 创业园 创意产业园 保税区 保税港区 出口加工区 产业基地 产业集聚区 集聚区 经济区 工业城 电商园 高教园区 经济园区 经济园 技术园区 高新技术区 工业小区 工贸区 工贸园区 文化园 创新园 生态园 农业园 示范园区 加工区 合作区 示范区 商务区 化工区 物流区 旅游区 度假区 风景区 名胜区 加工园 加工园区 孵化园 科创园 信息园 电子园 创新基地 工业基地 科学园",
    ),
    (Devzone, 40, 110, "新区 园区 科技城 工业 开发园 管委会 管理区 新城区 未来城"),
    (
        Poi,
        0,
        120,
        "公司 有限公司 集团 大厦 大楼 广场 小区 花园 花苑 公寓 市场 大学 学院 中学 小学 学校 幼儿园 医院 卫生院 中心 酒店 宾馆 饭店 银行 超市 商城 商场 商厦 家园 新村 别墅 山庄 名苑 工厂 仓库 宿舍 车站 加油站 派出所 法院 检察院 公安局 博物馆 图书馆 体育馆 雅苑 嘉园 嘉苑 名邸 公馆 新苑 佳苑 佳园 华庭 豪庭 名城 国际 大院 家属院 家属楼 宿舍楼 专卖店 便利店 火车站 汽车站 客运站 地铁站 公园 购物中心 百货 影城 书店 药店 药房 网吧 餐厅 饭庄 批发市场 农贸市场 服务部 营业部 营业厅 卖场 基地 事务所 研究院 研究所 设计院 税务局 工商局 国税局 地税局 供电局 教育局 国土局 邮局 俱乐部 会所 城市花园 商贸城 商务楼 写字楼 综合楼 办公楼 教学楼 图书城 服装城 汽配城 五金城 建材城 家具城 电脑城 电子城 轻纺城 小商品城 汽车城 世纪城 美食城 人家 名都 花城 国贸 庄园 大夏 机关 政府 市政府 区政府 县政府 服装厂 制衣厂 农场 林场 牧场 养殖场 码头 港口 机场 停车场 工地 教堂 寺 庙 服饰 物流 快递 修理厂 维修部 经营部 门市部 批发部 商行 商店 商铺 印刷厂 食品厂 鞋业 制衣 电器 科技 电子 机械 五金 家具 建材 装饰 广告 服务站 服务区 收费站 福利院 敬老院 养老院 老年公寓 社区服务中心 党校 技校 职校 职业学校 职业技术学院 实验学校 外国语学校 大酒店 度假村 招待所 旅馆 会馆 茶馆 茶楼 咖啡 酒吧 饭馆 菜馆 酒楼 食府 火锅 烧烤 面馆 浴场 浴室 影院 剧院 剧场 体育场 体育中心 健身 美容 美发 发廊 理发店 造型 养生 足浴 洗浴 水站 超市店 分店 总店 旗舰店 烟酒店 水果店 小店 服装店 文具店 眼镜店 手机店 鞋店 花店 蛋糕店 面包店 水产品市场 水果市场 菜场 菜市场 小商品市场 交易中心 服务中心 会展中心 文化中心 活动中心 国际中心 商务中心 金融中心 指挥部 总部 部队 法庭 监狱 看守所 拘留所 居住区 生活区 安置区 安置房 安置小区 廉租房 经济适用房 公租房 回迁房 回迁楼 住宅区 住宅小区 住宅楼 单身宿舍 员工宿舍 职工宿舍 宿舍区 家属区 大队部 支行 分行 分公司 分校 分院 校区 院区 厂区 库区 矿区 景区 小镇 仓储 配送站 配送中心 供销社 合作社 信用社 专柜 售楼处 售楼部 展厅 展示中心 大世界 世界 天地 公社 金座 银座",
    ),
    (
        Poi,
        40,
        60,
        "店 厂 院 局 馆 站 城 厦 苑 园 府 庭 寓 所 场 行 铺 吧 司 库 室 部 处 校 庵 祠 塔 港 居 湾 都 业 团 庄 舍 轩 阁 邸 台 墅 堂 会 社 舫 岸 座 寨 坊 里 郡 洲 堡 廊 殿 观 陵 坛",
    ),
    (Poi, 100, 20, "桥 山 楼 村 家 门 景 天 口 房 湖 江 海 峰 谷 溪 地 源 界 域 品 点 屋 亭 棚 林 岛"),
    (
        Subpoi,
        0,
        60,
        "东区 西区 南区 北区 中区 东苑 西苑 南苑 北苑 东门 西门 南门 北门 正门 后门 大门 前门 侧门 东大门 西大门 南大门 北大门 正大门 大门口 门口 前台 传达室 门卫 门卫室 保安室 保安亭 地下室 办公室 收发室 财务部 人事部 财务科 行政部 销售部 采购部 技术部 市场部 项目部 营销中心 行政楼 综合楼 住院部 住院楼 门诊部 门诊楼 门诊大楼 实验楼 科技楼 外科 内科 急诊科 办公区 一楼大厅 大厅 架空层 车库 地下车库 裙楼 专柜 丰巢 丰巢柜 快递柜 菜鸟驿站 驿站 物业 物业中心 物业管理处 食堂 值班室 教务处 监控室 服务台 教务科 检验科 放射科 药剂科",
    ),
    (
        Houseno,
        0,
        40,
        "东楼 西楼 南楼 北楼 主楼 中楼 前楼 后楼 副楼 附楼 东座 西座 南座 北座 右栋 左栋 东塔 西塔 南塔 北塔",
    ),
    (Floorno, 0, 60, "底商 地下室 底层 顶层 顶楼"),
];

/// Names that go on from a name before them.
const JOINS: &str = "校区 院区 分校 分院 分店 分公司 支行 分行 支公司 旗舰店 专卖店 营业部 营业厅 服务中心 市政府 区政府 县政府 政府 公安局 幼儿园 小学 中学 宿舍 宿舍楼 家属院 家属楼 家属区 生活区 办公楼 有限公司 公司 服务部 分部 总部 研究院 研究所 学院 居住区 住宅区 住宅小区 专柜 店 部 站 厂 派出所 卫生院 医院 法院 车站";

/// Words that stand for themselves: element, cost, words.
const WORDS: &[(Element, i32, &str)] = &[
    (
        Assist,
        0,
        "对面 斜对面 正对面 旁边 附近 后面 前面 隔壁 东侧 西侧 南侧 北侧 东北侧 西北侧 东南侧 西南侧 东面 西面 南面 北面 东边 西边 南边 北边 左边 右边 左侧 右侧 边上 里面 外面 中间 楼下 楼上 以东 以西 以南 以北 往东 往西 往南 往北 向东 向西 向南 向北 路东 路西 路南 路北 路边 院内 对过 东头 西头 南头 北头 村口 东首 西首 东段 西段 南段 北段 中段 东北角 西北角 东南角 西南角 转角处 拐角处 旁侧 周边 街上 桥下 桥头 进去 往里 路口往东 前行 直走 左转 右转 靠近 东北方向 西北方向 东南方向 西南方向 东行 西行 南行 北行 进口 出口 入口处 出口处 斜对过 河东 河西 后门 前门 对门 正门 马路对面 店面 后侧 前侧 旁 内侧 外侧 西北 东北 西南 东南",
    ),
    (Assist, 60, "北 南 东 西 内 外 后 前 侧 边 里 下 口 上 中 底 对 近 原 老 新 傍"),
    (
        Intersection,
        0,
        "交叉口 交汇处 交汇口 交口 交界处 交界口 交叉路口 十字路口 丁字路口 三岔路口 岔路口 交叉处 路口 交岔口 街口 红绿灯 红绿灯路口 交叉 交界 交汇 相交处 交接处 汇合处 转盘 交界路口",
    ),
    (Intersection, 60, "口"),
    (
        Redundant,
        0,
        "电联 请电联 电话联系 电话 联系电话 手机 到了联系 到了打电话 请打电话 来电 来前电话 送货前请联系 送货前电话 提前联系 提前电话 提前打电话 请提前联系 务必电联 先电联 先打电话 打电话 到付 自提 代收 签收 本人签收 收件人 寄件人 地址 收货地址 详细地址 家庭住址 现住 住址 户籍地址 通讯地址 工作日送货 周末送货 工作日 周末 上午派送 下午派送 中午派送 派送 请送货上门 送货上门 放门口 放家门口 请放门口 放快递柜 请放快递柜 放丰巢 放前台 勿放快递柜 谢谢 谢谢! 麻烦了 不要放快递柜 必须送货上门 到楼下打电话 到了请联系 到门口打电话 快到时打电话 货到付款 发顺丰 不接电话 短信联系 其它区 其他区 其它 其他 中国 中华人民共和国 邮编 邮政编码 备注",
    ),
];

/// What has no place in an address but often stands between its elements.
pub(super) const LINKS: &str = "与和及跟同的在位于至到从即是为";

pub(super) struct Words {
    /// Ends, by up to four characters from the end backwards.
    endings: Vec<Ending>,
    by_end: FxHashMap<u128, u32>,
    /// Words standing for themselves, by their characters.
    by_word: FxHashMap<u128, (Element, i32)>,
    last: FxHashMap<char, u8>,
    first: FxHashMap<char, u8>,
}

/// The longest word that is looked up, in characters: as many as a key holds.
const LONGEST: usize = 6;

fn key(chars: impl Iterator<Item = char>) -> u128 {
    chars.fold(0, |key, c| (key << 21) | u128::from(u32::from(c)))
}

pub(super) fn words() -> &'static Words {
    static ONE: OnceLock<Words> = OnceLock::new();
    ONE.get_or_init(Words::new)
}

impl Words {
    fn new() -> Words {
        let mut w = Words {
            endings: Vec::new(),
            by_end: FxHashMap::default(),
            by_word: FxHashMap::default(),
            last: FxHashMap::default(),
            first: FxHashMap::default(),
        };
        for &(element, cost, inner, list) in ENDINGS {
            for word in list.split(' ').filter(|w| w.chars().count() <= LONGEST) {
                w.add_ending(word, Head { element, cost }, inner);
            }
        }
        for word in JOINS.split(' ') {
            if let Some(&i) = w.by_end.get(&key(word.chars().rev())) {
                w.endings[i as usize].joins = true;
            }
        }
        for &(element, cost, list) in WORDS {
            for word in list.split(' ').filter(|w| w.chars().count() <= LONGEST) {
                w.by_word.entry(key(word.chars())).or_insert((element, cost));
                let longest = w.first.entry(word.chars().next().unwrap_or(' ')).or_insert(0);
                *longest = (*longest).max(word.chars().count() as u8);
            }
        }
        w
    }

    fn add_ending(&mut self, word: &str, head: Head, inner: i32) {
        let len = word.chars().count();
        let fresh = self.endings.len() as u32;
        let i = *self.by_end.entry(key(word.chars().rev())).or_insert(fresh);
        if i == fresh {
            self.endings.push(Ending { len, heads: Vec::new(), inner, joins: false });
            let longest = self.last.entry(word.chars().next_back().unwrap_or(' ')).or_insert(0);
            *longest = (*longest).max(len as u8);
        }
        let ending = &mut self.endings[i as usize];
        if ending.heads.iter().all(|h| h.element != head.element) {
            ending.heads.push(head);
        }
        ending.inner = ending.inner.max(inner);
    }

    /// The longest end of a name that `chars` ends with, as its number.
    pub(super) fn ending(&self, chars: &[char]) -> Option<u32> {
        let &last = chars.last()?;
        let longest = usize::from(*self.last.get(&last)?).min(chars.len());
        let mut found = None;
        let mut key = 0u128;
        for &c in chars.iter().rev().take(longest) {
            key = (key << 21) | u128::from(u32::from(c));
            if let Some(&i) = self.by_end.get(&key) {
                found = Some(i);
            }
        }
        found
    }

    pub(super) fn get(&self, ending: u32) -> &Ending {
        &self.endings[ending as usize]
    }

    /// The words that `chars` begins with.
    pub(super) fn at(&self, chars: &[char], mut each: impl FnMut(usize, Element, i32)) {
        let Some(&longest) = chars.first().and_then(|c| self.first.get(c)) else { return };
        let mut key = 0u128;
        for (i, &c) in chars.iter().take(usize::from(longest)).enumerate() {
            key = (key << 21) | u128::from(u32::from(c));
            if let Some(&(element, cost)) = self.by_word.get(&key) {
                each(i + 1, element, cost);
            }
        }
    }
}
