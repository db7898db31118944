//! One character for one: what is written differently but means the same. Offsets stay as they are.

use crate::chars::simplify;

/// Full width to half width, small letters to capitals, dashes and separators to one of each, traditional characters to simplified ones.
#[inline]
pub(super) fn fold(c: char) -> char {
    match c {
        'A'..='Z' | '0'..='9' | '-' => c,
        'a'..='z' => c.to_ascii_uppercase(),
        '\u{0}'..='\u{7f}' => c,
        '\u{ff01}'..='\u{ff5e}' => fold(char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)),
        '\u{3000}' | '\u{a0}' | '\u{200b}' | '\u{feff}' => ' ',
        '—' | '–' | '―' | '‐' | '‑' | '‒' | '−' | '─' | '━' => '-',
        '【' | '〔' | '〖' | '「' | '『' | '《' | '〈' => '(',
        '】' | '〕' | '〗' | '」' | '』' | '》' | '〉' => ')',
        '、' | '。' | '·' | '•' => ',',
        '〇' | '○' => '零',
        '壹' => '一',
        '贰' | '貳' => '二',
        '叁' | '參' => '三',
        '肆' => '四',
        '伍' => '五',
        '陆' | '陸' => c,
        '①'..='⑨' => char::from_digit(u32::from(c) - 0x2460 + 1, 10).unwrap_or(c),
        '衖' => '弄',
        _ => simplify(c),
    }
}

pub(super) fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

pub(super) fn letter(c: char) -> bool {
    c.is_ascii_uppercase()
}

/// Chinese numerals of one character.
pub(super) fn numeral(c: char) -> bool {
    matches!(
        c,
        '零' | '一'
            | '二'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '十'
            | '百'
            | '千'
            | '两'
            | '廿'
            | '卅'
    )
}

/// What stands between elements and in none.
pub(super) fn separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | '\r'
            | '\n'
            | ','
            | ';'
            | ':'
            | '-'
            | '_'
            | '|'
            | '/'
            | '\\'
            | '+'
            | '*'
            | '.'
            | '='
            | '~'
            | '>'
            | '#'
            | '&'
            | '\''
            | '"'
            | '!'
            | '?'
    )
}

pub(super) fn opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '<')
}

pub(super) fn closing(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '>')
}
