//! A text as the index reads it: simplified, half-width, in capitals, without separators, numerals as digits. Each character knows
//! where it stood in the given text.

use crate::chars::simplify;

/// What a character of a [`Text`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Han,
    /// Written as a digit.
    Digit,
    /// A digit that was written as a Chinese numeral.
    Numeral,
    Letter,
    /// `#`, `-`, brackets and other signs that may mean something.
    Sign,
}

impl Kind {
    pub fn is_digit(self) -> bool {
        matches!(self, Kind::Digit | Kind::Numeral)
    }
}

/// A code unit of normalised text. Characters beyond the basic plane, which addresses hardly have, fold into the private use area.
pub type Unit = u16;

/// A normalised text. Made to be used again: [`Text::read`] keeps the memory.
#[derive(Debug, Default, Clone)]
pub struct Text {
    pub units: Vec<Unit>,
    pub kinds: Vec<Kind>,
    /// Something that separates stood before this character: a space, a comma.
    pub gaps: Vec<bool>,
    /// Where in the given text, in characters: the first, and the one after the last.
    pub starts: Vec<u32>,
    pub ends: Vec<u32>,
    raw: Vec<char>,
}

/// What a separator becomes: nothing, but the next character knows of it.
const GAP: char = '\0';

impl Text {
    pub fn of(text: &str) -> Text {
        let mut t = Text::default();
        t.read(text);
        t
    }

    pub fn len(&self) -> usize {
        self.units.len()
    }

    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The simplified characters of the given text; `\0` where something only separates.
    pub fn folded(&self) -> &[char] {
        &self.raw
    }

    /// Normalises `text`.
    pub fn read(&mut self, text: &str) {
        self.units.clear();
        self.kinds.clear();
        self.gaps.clear();
        self.starts.clear();
        self.ends.clear();
        self.raw.clear();
        self.raw.extend(text.chars().map(fold));
        signs(&mut self.raw);
        let raw = std::mem::take(&mut self.raw);
        let mut gap = false;
        let mut i = 0;
        while i < raw.len() {
            let c = raw[i];
            if c == GAP {
                gap = true;
                i += 1;
                continue;
            }
            if numeral(c).is_some() {
                let run = raw[i..].iter().take_while(|c| numeral(**c).is_some()).count();
                // 陆家嘴, 伍家岗: alone they are names.
                if run == 1 && matches!(c, '陆' | '伍' | '玖' | '拾' | '柒' | '捌') {
                    self.add(c, Kind::Han, gap, i, i + 1);
                    i += 1;
                    gap = false;
                    continue;
                }
                i += self.numerals(&raw[i..i + run], i, gap);
            } else {
                let (c, kind) = classify(&raw, i);
                self.add(c, kind, gap, i, i + 1);
                i += 1;
            }
            gap = false;
        }
        self.raw = raw;
    }

    fn add(&mut self, c: char, kind: Kind, gap: bool, start: usize, end: usize) {
        self.units.push(unit(c));
        self.kinds.push(kind);
        self.gaps.push(gap);
        self.starts.push(start as u32);
        self.ends.push(end as u32);
    }

    /// Reads from a run of numerals as much as is one number, at least one character; returns how much it was.
    fn numerals(&mut self, run: &[char], at: usize, gap: bool) -> usize {
        let n = |c: char| numeral(c).unwrap_or(Numeral::Digit(0));
        // 百花, 千山, 两河: names, not numbers.
        if matches!(n(run[0]), Numeral::Hundred | Numeral::Thousand) || (run[0] == '两' && run.len() == 1) {
            self.add(run[0], Kind::Han, gap, at, at + 1);
            return 1;
        }
        // 2〇号: the circle is a digit among digits.
        if run.len() == 1 && matches!(n(run[0]), Numeral::Digit(0)) && self.kinds.last() == Some(&Kind::Digit) && !gap {
            self.add('0', Kind::Digit, gap, at, at + 1);
            return 1;
        }
        let tens = run.iter().any(|c| !matches!(n(*c), Numeral::Digit(_)));
        let Some(value) = tens.then(|| value_of(run)).flatten() else {
            for (k, c) in run.iter().enumerate() {
                let gap = gap && k == 0;
                match n(*c) {
                    Numeral::Digit(d) => self.add((b'0' + d) as char, Kind::Numeral, gap, at + k, at + k + 1),
                    Numeral::Ten => {
                        self.add('1', Kind::Numeral, gap, at + k, at + k + 1);
                        self.add('0', Kind::Numeral, false, at + k, at + k + 1);
                    }
                    _ => self.add(*c, Kind::Han, gap, at + k, at + k + 1),
                }
            }
            return run.len();
        };
        let mut digits = [0u8; 6];
        let mut k = digits.len();
        let mut v = value;
        loop {
            k -= 1;
            digits[k] = (v % 10) as u8;
            v /= 10;
            if v == 0 || k == 0 {
                break;
            }
        }
        for (j, d) in digits[k..].iter().enumerate() {
            self.add((b'0' + d) as char, Kind::Numeral, gap && j == 0, at, at + run.len());
        }
        run.len()
    }
}

/// Units that stand for a syllable in pinyin; no character has them.
const SYLLABLES: std::ops::Range<Unit> = 0xD800..0xE000;

/// The sound that a unit stands for, if it is a syllable in pinyin.
pub fn syllable(u: Unit) -> Option<Unit> {
    SYLLABLES.contains(&u).then(|| u - SYLLABLES.start)
}

impl Text {
    /// The same text with its pinyin as syllables; None when there is none. What follows a number becomes its character: 53 hao.
    pub fn spoken(&self) -> Option<Text> {
        let mut out = Text { raw: self.raw.clone(), ..Text::default() };
        let (mut i, mut any) = (0, false);
        while i < self.len() {
            let run =
                (i..self.len()).take_while(|k| self.kinds[*k] == Kind::Letter && (*k == i || !self.gaps[*k])).count();
            match (run >= 2).then(|| syllables_of(&self.units[i..i + run])).flatten() {
                Some(cuts) => {
                    any = true;
                    for (from, to, sound) in cuts {
                        let number_before = out.kinds.last().is_some_and(|k| k.is_digit());
                        let (u, kind) = word_of_number(&self.units[i + from..i + to], number_before, out.units.last())
                            .map_or((SYLLABLES.start + sound, Kind::Han), |c| (unit(c), Kind::Han));
                        out.push_from(self, u, kind, i + from, i + to);
                    }
                    i += run;
                }
                None => {
                    out.push_from(self, self.units[i], self.kinds[i], i, i + 1);
                    i += 1;
                }
            }
        }
        any.then_some(out)
    }

    fn push_from(&mut self, of: &Text, u: Unit, kind: Kind, from: usize, to: usize) {
        self.units.push(u);
        self.kinds.push(kind);
        // A gap between syllables only divides syllables.
        self.gaps.push(of.gaps[from] && kind.is_digit());
        self.starts.push(of.starts[from]);
        self.ends.push(of.ends[to - 1]);
    }
}

fn word_of_number(letters: &[Unit], after_number: bool, before: Option<&Unit>) -> Option<char> {
    let word: String = letters.iter().map(|u| character(*u)).collect();
    match word.as_str() {
        "HAO" if after_number => Some('号'),
        "ZHI" if after_number => Some('之'),
        "XIANG" if after_number => Some('巷'),
        "NONG" if after_number => Some('弄'),
        "SHI" if after_number => Some('室'),
        "CENG" if after_number => Some('层'),
        "DAN" if after_number => Some('单'),
        "YUAN" if before == Some(&('单' as Unit)) => Some('元'),
        "LOU" if after_number || before == Some(&('号' as Unit)) => Some('楼'),
        _ => None,
    }
}

/// Splits letters into as few syllables as possible: where each begins and ends, and its sound.
fn syllables_of(letters: &[Unit]) -> Option<Vec<(usize, usize, Unit)>> {
    let n = letters.len();
    if n > 60 {
        return None;
    }
    let text: String = letters.iter().map(|u| character(*u).to_ascii_lowercase()).collect();
    let mut best: Vec<Option<(usize, usize, Unit)>> = vec![None; n + 1];
    best[0] = Some((0, 0, 0));
    for i in 0..n {
        let Some((count, ..)) = best[i] else { continue };
        for len in 1..=6.min(n - i) {
            let Some(id) = crate::chars::syllable_of(&text[i..i + len]) else { continue };
            if best[i + len].is_none_or(|b| b.0 > count + 1) {
                best[i + len] = Some((count + 1, i, crate::chars::sound_class(id)));
            }
        }
    }
    let mut cuts = Vec::new();
    let mut at = n;
    while at > 0 {
        let (_, from, sound) = best[at]?;
        cuts.push((from, at, sound));
        at = from;
    }
    cuts.reverse();
    Some(cuts)
}

/// The key of a name: the units of its normalised text.
pub fn key(name: &str) -> Vec<Unit> {
    Text::of(name).units
}

/// A list of words, ready to be looked for at a place of a text.
pub struct Words {
    words: Vec<Box<[Unit]>>,
    /// A bit for each first unit, by its lowest bits: most places begin no word.
    first: u64,
}

impl Words {
    pub fn new(words: &[&str]) -> Words {
        let words: Vec<Box<[Unit]>> = words.iter().map(|w| w.chars().map(unit).collect()).collect();
        let first = words.iter().fold(0, |bits, w| bits | 1 << (w[0] & 63));
        Words { words, first }
    }

    /// How long the word is that stands at `i`; the first of the list that does.
    #[inline]
    pub fn at(&self, units: &[Unit], i: usize) -> Option<usize> {
        let rest = units.get(i..)?;
        if self.first >> (rest.first()? & 63) & 1 == 0 {
            return None;
        }
        self.words.iter().find(|w| rest.starts_with(w)).map(|w| w.len())
    }
}

/// Units back into text, for what has no original.
pub fn show(units: &[Unit]) -> String {
    units.iter().filter_map(|u| char::from_u32(u32::from(*u))).collect()
}

pub fn unit(c: char) -> Unit {
    let c = c as u32;
    if c <= 0xFFFF { c as Unit } else { (0xE000 + c % 0x1900) as Unit }
}

pub fn character(u: Unit) -> char {
    char::from_u32(u32::from(u)).unwrap_or('\u{FFFD}')
}

/// One form for the many of a character; [`GAP`] for what only separates.
fn fold(c: char) -> char {
    let c = simplify(c);
    match c {
        'a'..='z' => c.to_ascii_uppercase(),
        '（' | '【' | '〔' | '［' | '[' | '「' | '『' | '〖' | '《' | '〈' | '<' | '{' => '(',
        '）' | '】' | '〕' | '］' | ']' | '」' | '』' | '〗' | '》' | '〉' | '>' | '}' => ')',
        '—' | '–' | '－' | '―' | '‐' | '‑' | '−' | '~' | '～' | '﹣' | '_' => '-',
        '＃' | '♯' | '№' => '#',
        '①'..='⑨' => char::from_u32(c as u32 - '①' as u32 + '1' as u32).unwrap_or(c),
        '衖' => '弄',
        _ if c.is_alphanumeric() => c,
        '(' | ')' | '-' | '#' | '&' | '+' | '*' | '?' | '|' | '/' => c,
        _ => GAP,
    }
}

/// Decides what signs mean by what stands beside them: 2/1/101 is 2-1-101, a dash between words only separates, lO号 is 10号.
fn signs(raw: &mut [char]) {
    digits_in_disguise(raw);
    for i in 0..raw.len() {
        let before = i.checked_sub(1).and_then(|k| raw.get(k)).copied().unwrap_or(GAP);
        let after = raw.get(i + 1).copied().unwrap_or(GAP);
        let number = |c: char| c.is_ascii_digit() || numeral(c).is_some();
        raw[i] = match raw[i] {
            '|' => GAP,
            '/' if number(before) && number(after) => '-',
            '/' => GAP,
            '-' if (before as u32) > 0x2E80
                && !number(before)
                && !matches!(before, '号' | '楼' | '栋' | '幢' | '座' | '元' | '层' | '室') =>
            {
                GAP
            }
            c => c,
        };
    }
}

/// Letters and signs in the place of a number: O and 〇 for 0, l, I and | for 1, where a number's word follows.
fn digits_in_disguise(raw: &mut [char]) {
    let disguised = |c: char| matches!(c, 'O' | 'I' | 'L' | '|' | '〇');
    let bars = raw.iter().filter(|c| **c == '|').count();
    let mut i = 0;
    while i < raw.len() {
        let run = raw[i..].iter().take_while(|c| c.is_ascii_digit() || disguised(**c)).count();
        let end = i + run;
        let unit = raw
            .get(end)
            .is_some_and(|c| matches!(c, '号' | '弄' | '巷' | '室' | '栋' | '幢' | '楼' | '单' | '之' | '#'));
        let alone = !i.checked_sub(1).is_some_and(|k| raw[k].is_ascii_alphabetic());
        let within = raw[i..end].iter().filter(|c| **c == '|').count();
        if (1..=6).contains(&run)
            && unit
            && alone
            && (within == 0 || within == bars)
            && raw[i..end].iter().any(|c| disguised(*c))
        {
            // 12L号 may be a door of its own; L2号 and lO号 may not.
            let lettered = raw.get(end) != Some(&'之')
                && raw[end - 1].is_ascii_alphabetic()
                && raw[end - 1] != 'O'
                && raw[i..end - 1].iter().all(char::is_ascii_digit)
                && run > 1;
            if !lettered {
                for c in &mut raw[i..end] {
                    *c = match *c {
                        'O' | '〇' => '0',
                        'I' | 'L' | '|' => '1',
                        c => c,
                    };
                }
            }
        }
        i = end.max(i + 1);
    }
}

enum Numeral {
    Digit(u8),
    Ten,
    Hundred,
    Thousand,
}

fn numeral(c: char) -> Option<Numeral> {
    Some(match c {
        '零' | '〇' => Numeral::Digit(0),
        '一' | '壹' | '弌' => Numeral::Digit(1),
        '二' | '贰' | '两' | '弍' => Numeral::Digit(2),
        '三' | '叁' | '弎' => Numeral::Digit(3),
        '四' | '肆' => Numeral::Digit(4),
        '五' | '伍' => Numeral::Digit(5),
        '六' | '陆' => Numeral::Digit(6),
        '七' | '柒' => Numeral::Digit(7),
        '八' | '捌' => Numeral::Digit(8),
        '九' | '玖' => Numeral::Digit(9),
        '十' | '拾' => Numeral::Ten,
        '百' | '佰' => Numeral::Hundred,
        '千' | '仟' => Numeral::Thousand,
        _ => return None,
    })
}

/// 二十八, 一百零三, 十二: the value of a run that is written as a number is.
fn value_of(run: &[char]) -> Option<u32> {
    let (mut total, mut digit, mut last) = (0u32, None, 10_000u32);
    for (k, c) in run.iter().enumerate() {
        let weight = match numeral(*c)? {
            Numeral::Digit(0) if digit.is_none() => continue,
            Numeral::Digit(d) => {
                if digit.is_some() {
                    return None;
                }
                digit = Some(u32::from(d));
                continue;
            }
            Numeral::Ten => 10,
            Numeral::Hundred => 100,
            Numeral::Thousand => 1000,
        };
        if weight >= last {
            return None;
        }
        let d = match digit.take() {
            Some(d) => d,
            None if weight == 10 && (k == 0 || total > 0) => 1,
            None => return None,
        };
        total += d * weight;
        last = weight;
    }
    Some(total + digit.unwrap_or(0))
}

/// What a character is; letters that stand for digits between digits become those.
fn classify(raw: &[char], i: usize) -> (char, Kind) {
    let c = raw[i];
    if c.is_ascii_digit() {
        return (c, Kind::Digit);
    }
    if c.is_ascii_alphabetic() {
        let before = i > 0 && raw[i - 1].is_ascii_digit();
        let after = raw.get(i + 1).is_some_and(char::is_ascii_digit);
        let unit_after = raw.get(i + 1).is_some_and(|c| matches!(c, '号' | '弄' | '巷' | '室' | '栋' | '幢' | '单'));
        let word = i > 0 && raw[i - 1].is_ascii_alphabetic() || raw.get(i + 1).is_some_and(char::is_ascii_alphabetic);
        return match c {
            'O' if before && (after || unit_after) => ('0', Kind::Digit),
            'L' | 'I' if !word && ((before && (after || unit_after)) || (after && unit_ends(raw, i + 1))) => {
                ('1', Kind::Digit)
            }
            _ => (c, Kind::Letter),
        };
    }
    if c.is_alphanumeric() { (c, Kind::Han) } else { (c, Kind::Sign) }
}

/// Whether the digits at `i` are followed by 号 or 弄: l2号.
fn unit_ends(raw: &[char], i: usize) -> bool {
    let rest = raw[i..].iter().skip_while(|c| c.is_ascii_digit()).next();
    matches!(rest, Some('号' | '弄' | '巷'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        show(&Text::of(text).units)
    }

    #[test]
    fn one_form_for_the_many() {
        assert_eq!(normal("臺北市 大安區，通化街３０號"), "台北市大安区通化街30号");
        assert_eq!(normal("B座（二期）"), "B座(2期)");
        assert_eq!(normal("1O号、l2号"), "10号12号");
    }

    #[test]
    fn numerals_are_numbers() {
        assert_eq!(normal("八十二号楼一单元"), "82号楼1单元");
        assert_eq!(normal("一百零三号"), "103号");
        assert_eq!(normal("二〇五室"), "205室");
        assert_eq!(normal("漳州三路"), normal("漳州3路"));
        assert_eq!(normal("八一路"), normal("八1路"));
        assert_eq!(normal("千山路百花苑两河"), "千山路百花苑两河");
        assert_eq!(normal("十里堡"), "10里堡");
    }

    #[test]
    fn pinyin_is_heard() {
        let heard = |text: &str| {
            Text::of(text).spoken().map(|t| t.units.iter().map(|u| crate::segment::sound(*u)).collect::<Vec<_>>())
        };
        let said =
            |text: &str| Some(Text::of(text).units.iter().map(|u| crate::segment::sound(*u)).collect::<Vec<_>>());
        assert_eq!(heard("mian yang zhong lu 53-3 hao"), said("绵阳中路53-3号"));
        assert_eq!(heard("市北区LIAOYUANZHONGLU90号"), said("市北区辽源中路90号"));
        assert_eq!(heard("B座12室"), None);
    }

    #[test]
    fn letters_in_the_place_of_digits() {
        assert_eq!(normal("南奉公路66oo号"), "南奉公路6600号");
        assert_eq!(normal("长宁路|〇|8号"), "长宁路1018号");
        assert_eq!(normal("广西路lO号楼"), "广西路10号楼");
        assert_eq!(normal("和平新村||号"), "和平新村11号");
        assert_eq!(normal("山东省|青岛市|30号"), "山东省青岛市30号");
        assert_eq!(normal("2/1/101室"), "2-1-101室");
    }

    #[test]
    fn each_character_knows_its_place() {
        let t = Text::of("通化街 二十八號");
        assert_eq!(show(&t.units), "通化街28号");
        assert_eq!((t.starts[3], t.ends[3], t.starts[4], t.ends[4]), (4, 7, 4, 7));
        assert!(t.gaps[3] && !t.gaps[4]);
        assert_eq!(t.starts[5], 7);
    }
}
