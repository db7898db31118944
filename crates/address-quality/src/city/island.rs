//! A city as Taiwan has them: traditional script, sections, lanes and alleys, numbers with 之, no streets or compounds.

use super::{EAST, NORTH, unlike};
use crate::base::Base;
use crate::random::Random;
use crate::row::{FIELDS, Field, Kind, Row};

const DISTRICTS: [&str; 12] =
    ["東區", "南區", "北區", "中西區", "安南區", "安平區", "永康區", "仁德區", "歸仁區", "新營區", "善化區", "佳里區"];
const STEMS: &str = "中山 中正 中華 民生 民權 民族 成功 公園 健康 青年 大同 光明 和平 博愛 忠孝 仁愛 信義 復興 建國 建業 文化 文賢 海安 府前 西門 東門 北門 南門 金華 崇德 崇善 林森 長榮 \
    勝利 東寧 東和 裕農 裕信 小東 大林 永華 安和 安中 怡安 海佃 本田 國安 郡安 府安 育平 平豐 慶平 華平 國平 永大 永平 正南 正強 中興 中央 尚頂 復國 勝學 大灣 太子 土庫 仁和";
const VILLAGES: &str = "東興 德光 崇明 大學 成大 和平 仁厚 光復 開山 永福 郡王 赤嵌 文正 安富 鹽田 天妃 國聖 海南 幸福 新東 溪東 鹿耳 學東 東和 中興 勝利 大灣 西灣 復興 烏竹 網寮 塩洲 太子 土庫 一甲 二行";
const LANES: &str = "保安 信義 自強 光復 成功 新興 中厝 東 西 忠孝 和平 德安 福安 頂寮 下寮 後壁 溪尾 埔頭 南勢 北勢";

fn words(list: &'static str) -> Vec<&'static str> {
    list.split_ascii_whitespace().collect()
}

/// 12巷, 12巷3弄, 12之3巷, 保安巷, 保安二巷5弄.
fn lane(random: &mut Random, lanes: &[&'static str]) -> String {
    let number = random.between(2, 300);
    let first = match random.below(12) {
        0 => format!("{}巷", random.pick(lanes)),
        1 => format!("{}{}巷", random.pick(lanes), random.pick(&["一", "二", "三"])),
        2 => format!("{number}之{}巷", random.between(1, 9)),
        _ => format!("{number}巷"),
    };
    if random.one_in(3) { format!("{first}{}弄", random.between(1, 40)) } else { first }
}

/// At least `rows` doors.
pub fn island(seed: u64, rows: usize) -> Base {
    let mut random = Random::new(seed ^ 0x15_1A4D);
    let (stems, villages, lanes) = (words(STEMS), words(VILLAGES), words(LANES));
    let mut out = Vec::new();
    while out.len() < rows {
        let district = random.pick(&DISTRICTS);
        let kind = random.pick(&["路", "路", "街", "一路", "二路", "一街", "二街", "三街", "東路", "西路", "北路"]);
        let section = if random.one_in(3) { random.pick(&["一段", "二段", "三段"]) } else { "" };
        let road = format!("{}{kind}{section}", random.pick(&stems));
        let start = (120.1 + random.share() * 0.3, 22.9 + random.share() * 0.3);
        for _ in 0..random.between(1, 6) {
            let community = format!("{}里", random.pick(&villages));
            let lane = if random.one_in(3) { String::new() } else { lane(&mut random, &lanes) };
            let aside = random.share() * 200.0;
            for number in 1..=random.between(5, 60) {
                if random.one_in(4) {
                    continue;
                }
                let door = match random.below(9) {
                    0 => format!("{number}之{}號", random.between(1, 12)),
                    _ => format!("{number}號"),
                };
                let at = (start.0 + number as f64 * 9.0 * EAST, start.1 + (aside + (number % 2) as f64 * 15.0) * NORTH);
                let mut parts = [""; FIELDS];
                let set = [
                    (Field::City, "臺南市"),
                    (Field::District, district),
                    (Field::Community, &community),
                    (Field::Road, &road),
                    (Field::Lane, &lane),
                    (Field::Number, &door),
                ];
                set.into_iter().for_each(|(field, text)| parts[field as usize] = text);
                out.extend(Row::new(Kind::Door, at, parts, &parts.concat()));
            }
        }
    }
    unlike(&mut out);
    Base { name: format!("generated island, seed {seed}"), rows: out, ..Base::default() }
}
