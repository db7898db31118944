//! One character for one: what is written differently but means the same. Offsets stay as they are.

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
        _ => simplify(c),
    }
}

/// The few traditional characters that the words of an address are made of.
fn simplify(c: char) -> char {
    match c {
        '號' => '号',
        '樓' => '楼',
        '區' => '区',
        '縣' => '县',
        '鄉' => '乡',
        '鎮' => '镇',
        '鄰' => '邻',
        '衖' => '弄',
        '臺' => '台',
        '灣' => '湾',
        '臨' => '临',
        '東' => '东',
        '層' => '层',
        '單' => '单',
        '棟' => '栋',
        '園' => '园',
        '場' => '场',
        '廣' => '广',
        '廈' => '厦',
        '對' => '对',
        '門' => '门',
        '開' => '开',
        '業' => '业',
        '興' => '兴',
        '華' => '华',
        '國' => '国',
        '學' => '学',
        '醫' => '医',
        '館' => '馆',
        '莊' => '庄',
        '灘' => '滩',
        '島' => '岛',
        '雲' => '云',
        '龍' => '龙',
        '義' => '义',
        '禮' => '礼',
        '萬' => '万',
        '蘆' => '芦',
        '橋' => '桥',
        '裡' | '裏' => '里',
        '戶' => '户',
        '組' => '组',
        '隊' => '队',
        '幾' => '几',
        '後' => '后',
        '邊' => '边',
        _ => c,
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
