//! What in a text is no address: phone numbers, notes to the courier, what is said of the neighbourhood.

use std::sync::LazyLock;

use crate::text::{Kind, Text, Unit, Words};

/// Where notes begin. They run to the end of their bracket or of the text.
static NOTES: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "到了联系",
        "到了打",
        "请放",
        "请送",
        "请勿",
        "请联系",
        "请电联",
        "请提前",
        "请打",
        "麻烦",
        "尽快发",
        "尽快送",
        "送货",
        "派送",
        "备用",
        "电话",
        "手机",
        "联系",
        "务必",
        "谢谢",
        "放门口",
        "放快递",
        "丰巢",
        "快递柜",
        "不要放",
        "别放",
        "收件",
        "收货人",
        "签收",
        "电联",
        "勿折",
        "门铃",
        "敲门",
        "有狗",
        "自提",
        "放驿站",
        "工作日收",
        "周末收",
        "送前请",
        "轻拿",
        "易碎",
    ])
});

/// Words that say where a place lies beside what was named before them.
static BESIDE: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "附近",
        "对面",
        "旁边",
        "斜对面",
        "隔壁",
        "东侧",
        "西侧",
        "南侧",
        "北侧",
        "路东",
        "路西",
        "路南",
        "路北",
        "楼下",
        "楼上",
        "后面",
        "前面",
        "门口",
        "旁",
        "里面",
        "院内",
        "东面",
        "西面",
        "南面",
        "北面",
        "对过",
        "以东",
        "以西",
        "以南",
        "以北",
    ])
});

/// The last place where such a word ends the text.
pub fn beside(t: &Text, bracketed: &[bool]) -> Option<usize> {
    let from = t.len().saturating_sub(6);
    (from..t.len()).rev().find(|i| !bracketed[*i] && BESIDE.at(&t.units, *i).is_some_and(|n| i + n + 1 >= t.len()))
}

fn here(t: &Text, i: usize, w: &str) -> bool {
    w.chars().enumerate().all(|(k, c)| t.units.get(i + k) == Some(&(c as Unit)))
}

/// Marks what is no address.
pub fn mark(t: &Text, dull: &mut Vec<bool>) {
    dull.clear();
    dull.resize(t.len(), false);
    phones(t, dull);
    for i in 3..t.len() {
        if !dull[i] && NOTES.at(&t.units, i).is_some() && !part_of_a_name(t, i) {
            let bracketed = t.units[..i].iter().rev().find_map(|u| match *u {
                0x28 => Some(true),
                0x29 => Some(false),
                _ => None,
            });
            let end = match bracketed {
                Some(true) => i + t.units[i..].iter().take_while(|u| **u != 0x29).count(),
                _ => t.len(),
            };
            dull[i..end].fill(true);
        }
    }
}

/// What people write where they have no address to give.
static NO_ADDRESS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "不详",
        "不清楚",
        "不知道",
        "无固定",
        "暂无",
        "没有",
        "未知",
        "未填",
        "同上",
        "如上",
        "户籍地",
        "见身份证",
        "家里",
        "老地方",
        "老家",
        "原地址",
        "在外地",
        "无地址",
        "身份证地址",
    ])
});

/// Whether the text only says that there is no address.
pub fn no_address(t: &Text) -> bool {
    let said = NO_ADDRESS.at(&t.units, 0);
    let place = |u: &Unit| "路街巷弄号村镇区市店".chars().any(|c| c as Unit == *u);
    said.is_some_and(|n| t.len() <= n + 4 && !t.units[n..].iter().any(place) && !t.kinds.iter().any(|k| k.is_digit()))
}

/// 电话局, 联系站: a name, not a note.
fn part_of_a_name(t: &Text, i: usize) -> bool {
    ["电话局", "手机店", "手机城", "手机专", "手机维", "手机卖", "丰巢大", "快递柜厂"].iter().any(|w| here(t, i, w))
}

/// Runs of seven digits and more, and who is to be called there.
fn phones(t: &Text, dull: &mut [bool]) {
    let mut i = 0;
    while i < t.len() {
        let run = (i..t.len()).take_while(|k| t.kinds[*k] == Kind::Digit || (t.units[*k] == 0x2D && *k > i)).count();
        let digits = t.kinds[i..i + run].iter().filter(|k| **k == Kind::Digit).count();
        let longest = t.units[i..i + run].split(|u| *u == 0x2D).map(<[Unit]>::len).max().unwrap_or(0);
        // 18 2 1002 is a room, 138 1234 5678 is not.
        let spaced = (i + 1..i + run).any(|k| t.gaps[k]);
        if digits >= 10 || (longest >= 7 && !spaced) {
            dull[i..i + run].fill(true);
            let back = (i.saturating_sub(4)..i)
                .rev()
                .take_while(|k| t.kinds[*k] == Kind::Han && (k + 1 == i || !t.gaps[k + 1]))
                .last();
            for title in ["先生", "女士", "小姐", "师傅", "老师", "经理"] {
                if i >= 3 && here(t, i - 2, title) {
                    dull[i - 3..i].fill(true);
                }
            }
            // A name of two or three characters that a gap divides from the address.
            if let Some(from) = back.filter(|from| t.gaps[*from] && i - from <= 4) {
                dull[from..i].fill(true);
            }
        }
        i += run.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::show;

    fn left(text: &str) -> String {
        let t = Text::of(text);
        let mut dull = Vec::new();
        mark(&t, &mut dull);
        show(&t.units.iter().zip(&dull).filter(|(_, d)| !**d).map(|(u, _)| *u).collect::<Vec<_>>())
    }

    #[test]
    fn phones_and_notes_are_no_address() {
        assert_eq!(left("青岛路24巷2号王先生18770299965"), "青岛路24巷2号");
        assert_eq!(left("振兴路162号 李梅 13969372062"), "振兴路162号");
        assert_eq!(left("合肥路40号（麻烦放快递柜）3单元"), "合肥路40号()3单元");
        assert_eq!(left("银城中路488号，备用13812345678"), "银城中路488号");
        assert_eq!(left("夏庄路47号电话局宿舍"), "夏庄路47号电话局宿舍");
    }
}
