//! How alike two spellings are: an alignment that knows which characters are taken for each other.

use std::cell::RefCell;

use crate::chars::similar;
use crate::segment::sound;
use crate::text::{Unit, character, syllable};

/// A name found in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// 1: as it is written; 0: nothing of it.
    pub likeness: f32,
    pub from: usize,
    pub to: usize,
}

/// Leaving out a character of the name: people shorten names.
const LEFT_OUT: f32 = 0.7;
/// A character in between that the name does not have.
const PUT_IN: f32 = 0.8;
const LONGEST: usize = 48;

thread_local! {
    /// What was compared before: the same few characters come again and again, and looking up shapes takes a hundred times as long.
    static COMPARED: RefCell<Vec<(u32, f32)>> = RefCell::new(vec![(0, 0.0); 1 << 14]);
}

/// The cost of writing `b` where `a` is meant.
pub fn slip(a: Unit, b: Unit) -> f32 {
    if a == b {
        return 0.0;
    }
    let pair = u32::from(a) << 16 | u32::from(b);
    let slot = (pair.wrapping_mul(0x9E37_79B1) >> 18) as usize;
    COMPARED.with_borrow_mut(|c| {
        if c[slot].0 != pair {
            c[slot] = (pair, compare(a, b));
        }
        c[slot].1
    })
}

fn compare(a: Unit, b: Unit) -> f32 {
    if syllable(a).is_some() || syllable(b).is_some() {
        return if sound(a) == sound(b) { 0.1 } else { 1.0 };
    }
    match similar(spoken(a), spoken(b)) {
        s if s > 0.0 => 1.2 - s,
        _ => 1.0,
    }
}

/// A digit may have been a numeral, and those have sounds and shapes: 斯段 for 四段.
fn spoken(u: Unit) -> char {
    match u {
        0x30..=0x39 => ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'][usize::from(u - 0x30)],
        _ => character(u),
    }
}

/// Looks for `name` in `text`, anywhere, the earlier the better; the whole name must be accounted for. 5号厅 is not in 145号.
pub fn find(name: &[Unit], text: &[Unit]) -> Option<Found> {
    let digit = |u: Option<&Unit>| u.is_some_and(|u| (0x30..0x3A).contains(u));
    anywhere(name, text).filter(|f| {
        let cut_before = f.from > 0 && digit(text.get(f.from)) && digit(text.get(f.from - 1));
        !cut_before && !(digit(text.get(f.to.wrapping_sub(1))) && digit(text.get(f.to)))
    })
}

fn anywhere(name: &[Unit], text: &[Unit]) -> Option<Found> {
    if name.is_empty() || text.is_empty() {
        return None;
    }
    if text.starts_with(name) {
        return Some(Found { likeness: 1.0, from: 0, to: name.len() });
    }
    if let Some(at) = text.windows(name.len()).position(|w| w == name) {
        return Some(Found { likeness: 1.0, from: at, to: at + name.len() });
    }
    if !name.iter().any(|u| text.contains(u)) && !text.iter().any(|u| syllable(*u).is_some()) {
        return None;
    }
    let aligned = align(&name[..name.len().min(LONGEST)], &text[..text.len().min(LONGEST)]);
    match shortened(name, text) {
        Some(f) if aligned.is_none_or(|a| a.likeness < f.likeness) => Some(f),
        _ => aligned,
    }
}

/// Words at the end of a name that people leave out or take one for another.
const KINDS: &[&str] = &[
    "住宅小区",
    "家属院",
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
    "天苑",
    "丽苑",
    "小镇",
    "宿舍",
    "公馆",
    "山庄",
    "庄园",
    "中心",
    "大院",
    "名邸",
    "豪庭",
    "华庭",
    "雅居",
    "新居",
    "名都",
    "新城",
    "府邸",
    "国际",
    "苑",
    "府",
    "里",
    "居",
    "城",
    "园",
    "庭",
    "楼",
];

/// The text begins with the name but for its kind: 御景 for 御景佳苑, 山水大厦 for 山水嘉园.
fn shortened(name: &[Unit], text: &[Unit]) -> Option<Found> {
    let common = name.iter().zip(text).take_while(|(a, b)| a == b).count();
    if common < 2 {
        return None;
    }
    let rest = &name[common..];
    let kind = |units: &[Unit]| {
        KINDS.iter().find(|w| units.len() >= w.chars().count() && w.chars().zip(units).all(|(c, u)| c as Unit == *u))
    };
    let whole_kind = kind(rest).is_some_and(|w| w.chars().count() == rest.len());
    if rest.first() == Some(&0x28) {
        return Some(Found { likeness: 0.92, from: 0, to: common });
    }
    let ends = text.get(common).is_none_or(|u| *u < 0x80);
    match (ends, kind(&text[common..])) {
        (true, _) if rest.len() <= common + 2 => {
            Some(Found { likeness: if whole_kind { 0.9 } else { 0.8 }, from: 0, to: common })
        }
        (false, Some(w)) if whole_kind => Some(Found { likeness: 0.8, from: 0, to: common + w.chars().count() }),
        _ => None,
    }
}

/// The cheapest alignment of the whole name with some part of the text.
fn align(name: &[Unit], text: &[Unit]) -> Option<Found> {
    // For each place of the text: the cost so far and where the name began.
    let mut row: [(f32, usize); LONGEST + 1] = std::array::from_fn(|j| (0.0, j));
    for &n in name {
        let mut left = (row[0].0 + LEFT_OUT, row[0].1);
        let mut diagonal = row[0];
        row[0] = left;
        for (j, &t) in text.iter().enumerate() {
            let swap = (diagonal.0 + slip(n, t), diagonal.1);
            let out = (row[j + 1].0 + LEFT_OUT, row[j + 1].1);
            let put = (left.0 + PUT_IN, left.1);
            let best = [swap, out, put].into_iter().fold(swap, |a, b| if b.0 < a.0 { b } else { a });
            diagonal = row[j + 1];
            row[j + 1] = best;
            left = best;
        }
    }
    let (to, best) =
        (1..=text.len()).map(|j| (j, row[j])).fold((0, (f32::MAX, 0)), |a, b| if b.1.0 < a.1.0 { b } else { a });
    (best.1 < to).then(|| Found { likeness: (1.0 - best.0 / name.len() as f32).max(0.0), from: best.1, to })
}

/// The cost of `written` standing for the whole of `name`: slips of the pen, at most `most`; None when it is more.
pub fn slips(name: &[Unit], written: &[Unit], most: f32) -> Option<f32> {
    let (n, w) = (name.len(), written.len());
    if n.abs_diff(w) as f32 * LEFT_OUT > most + 0.01 || n > 24 || w > 24 {
        return None;
    }
    let mut two_back: [f32; 25];
    let mut row: [f32; 25] = std::array::from_fn(|j| j as f32 * PUT_IN);
    let mut before = row;
    for i in 1..=n {
        two_back = before;
        before = row;
        row[0] = i as f32 * LEFT_OUT;
        for j in 1..=w {
            let mut best = before[j - 1] + slip(name[i - 1], written[j - 1]);
            best = best.min(before[j] + LEFT_OUT).min(row[j - 1] + PUT_IN);
            if i > 1 && j > 1 && name[i - 1] == written[j - 2] && name[i - 2] == written[j - 1] {
                best = best.min(two_back[j - 2] + 0.5);
            }
            row[j] = best;
        }
    }
    (row[w] <= most).then_some(row[w])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::key;

    fn like(name: &str, text: &str) -> f32 {
        find(&key(name), &key(text)).map_or(0.0, |f| f.likeness)
    }

    #[test]
    fn names_are_found_within_texts() {
        assert_eq!(find(&key("丽沙花都"), &key("丽沙花都22号楼")), Some(Found { likeness: 1.0, from: 0, to: 4 }));
        assert_eq!(find(&key("丽沙花都"), &key("近丽沙花都22号楼")).unwrap().from, 1);
        assert!(like("万家人利家园", "万家人利大厦7号楼") > 0.6);
        assert!(like("时尚大丸小铺", "时尚大丸") > 0.7);
        assert!(like("丽沙花都", "立沙花都") > 0.9);
        assert!(like("丽沙花都", "天泰奥园") < 0.3);
    }

    #[test]
    fn slips_of_the_pen_cost_less_than_other_characters() {
        let cost = |a: &str, b: &str| slips(&key(a), &key(b), 3.0).unwrap();
        assert!(cost("山城路", "珊城路") < 0.4);
        assert!(cost("建圩路", "健圩路") < 0.5);
        assert_eq!(cost("明水路", "明小路"), 1.0);
        assert!(cost("科苑纬一路", "苑纬一路") < 0.8);
        assert!(cost("香港路", "港香路") <= 0.5);
        assert_eq!(slips(&key("香港路"), &key("北京东路"), 1.0), None);
    }
}
