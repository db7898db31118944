//! Other ways to write the same characters: full-width, traditional script, Chinese numerals, pinyin.

use std::sync::LazyLock;

use onemap_address::chars;
use rustc_hash::FxHashMap;

/// Digits, or all ASCII characters, in their full width.
pub fn full_width(text: &str, all: bool) -> String {
    let wide = |c: char| match c {
        ' ' if all => '\u{3000}',
        '!'..='~' if all || c.is_ascii_digit() || c == '-' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(wide).collect()
}

/// The common traditional form of each simplified character that has another one.
static TRADITIONAL: LazyLock<FxHashMap<char, char>> = LazyLock::new(|| {
    let mut forms = FxHashMap::default();
    for form in '\u{4E00}'..='\u{9FFF}' {
        let simple = chars::simplify(form);
        if simple != form && common_in_big5(form) && !common_in_big5(simple) {
            forms.entry(simple).or_insert(form);
        }
    }
    // Characters that are both a traditional character and the simplified form of another; names mean the other one.
    forms.extend(
        "后後 云雲 台臺 丰豐 万萬 与與 广廣 厂廠 发發 钟鐘 复復 汇匯 卢盧 历歷 儿兒 虫蟲 党黨".split(' ').filter_map(
            |pair| {
                let mut pair = pair.chars();
                Some((pair.next()?, pair.next()?))
            },
        ),
    );
    forms
});

/// Whether a character is in the first plane of Big5, the 5401 common ones.
fn common_in_big5(c: char) -> bool {
    let mut text = [0; 4];
    let (bytes, _, failed) = encoding_rs::BIG5.encode(c.encode_utf8(&mut text));
    !failed && bytes.len() == 2 && (0xA4..=0xC6).contains(&bytes[0])
}

pub fn traditional(text: &str) -> String {
    text.chars().map(|c| TRADITIONAL.get(&c).copied().unwrap_or(c)).collect()
}

pub fn simplified(text: &str) -> String {
    text.chars().map(chars::simplify).collect()
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// 78 as 七十八, 105 as 一百零五; numbers of four and more digits one by one: 1803 as 一八〇三.
pub fn chinese_number(value: u32) -> String {
    let digit = |n: u32| DIGITS[(n % 10) as usize];
    match value {
        0..=9 => digit(value).to_string(),
        10..=99 => {
            let tens = if value < 20 { String::new() } else { digit(value / 10).to_string() };
            let ones = if value.is_multiple_of(10) { String::new() } else { digit(value).to_string() };
            format!("{tens}十{ones}")
        }
        100..=999 => {
            let rest = match value % 100 {
                0 => String::new(),
                n @ 1..=9 => format!("零{}", digit(n)),
                n @ 10..=19 => format!("一{}", chinese_number(n)),
                n => chinese_number(n),
            };
            format!("{}百{rest}", digit(value / 100))
        }
        _ => value.to_string().bytes().map(|b| if b == b'0' { '〇' } else { DIGITS[(b - b'0') as usize] }).collect(),
    }
}

/// Each run of digits through `write`, the rest as it is.
pub fn map_numbers(text: &str, write: &dyn Fn(u32) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| start + at);
        out.push_str(&rest[..start]);
        match rest[start..end].parse() {
            Ok(value) => out.push_str(&write(value)),
            Err(_) => out.push_str(&rest[start..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// 一二三…九 as digits where they stand alone: 江西三路 as 江西3路. None if there is none.
pub fn digits_for_numerals(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let value = |c: char| DIGITS.iter().position(|&d| d == c).filter(|&v| v > 0);
    let alone = |at: usize| {
        let beside = |c: Option<&char>| c.is_none_or(|&c| value(c).is_none() && !"十百千〇两".contains(c));
        value(chars[at]).is_some() && beside(at.checked_sub(1).and_then(|b| chars.get(b))) && beside(chars.get(at + 1))
    };
    let out: String = (0..chars.len())
        .map(|at| match value(chars[at]) {
            Some(v) if alone(at) => char::from_digit(v as u32, 10).unwrap_or(chars[at]),
            _ => chars[at],
        })
        .collect();
    (out != text).then_some(out)
}

/// The most common reading of each character, one after the other; what has none stays.
pub fn pinyin(text: &str, between: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match chars::syllables(c).first() {
            Some(&s) => {
                if !out.is_empty() {
                    out.push_str(between);
                }
                out.push_str(chars::syllable_text(s));
            }
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let expected = [
            (7, "七"),
            (10, "十"),
            (15, "十五"),
            (78, "七十八"),
            (80, "八十"),
            (105, "一百零五"),
            (112, "一百一十二"),
            (200, "二百"),
            (1803, "一八〇三"),
        ];
        for (value, text) in expected {
            assert_eq!(chinese_number(value), text);
        }
        assert_eq!(map_numbers("17巷28弄3號", &chinese_number), "十七巷二十八弄三號");
    }

    #[test]
    fn numerals_in_names_become_digits_only_where_they_stand_alone() {
        assert_eq!(digits_for_numerals("珠海二路").as_deref(), Some("珠海2路"));
        assert_eq!(digits_for_numerals("三十六中路"), None);
        assert_eq!(digits_for_numerals("江西路"), None);
    }

    #[test]
    fn scripts_are_changed_back_and_forth() {
        assert_eq!(traditional("青岛市莱西市干休所后海路"), "青島市萊西市干休所後海路");
        assert_eq!(simplified("臺北市士林區"), "台北市士林区");
        assert_eq!(full_width("7号a-1", false), "７号a－１");
        assert_eq!(full_width("7号a-1", true), "７号ａ－１");
        assert_eq!(pinyin("江西路7号", " "), "jiang xi lu7 hao");
    }
}
