//! Fields: clean names, and the type that holds every value seen.

use super::report::Note;
use super::source::Cell;
use crate::layer::model::FieldType;
use std::collections::HashSet;

const MAX_NAME_BYTES: usize = 63;
const MAX_SAMPLES: usize = 5;
const SAMPLE_CHARS: usize = 60;

/// Days since 1970-01-01 of a date in the Gregorian calendar.
pub fn days(year: i64, month: u32, day: u32) -> Option<i32> {
    let date =
        jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    Some(date.duration_since(epoch).as_hours() as i32 / 24)
}

fn number(text: &str, at: &mut usize, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let rest = text.get(*at..)?;
    let n = rest.bytes().take(*digits.end()).take_while(u8::is_ascii_digit).count();
    if !digits.contains(&n) {
        return None;
    }
    *at += n;
    rest[..n].parse().ok()
}

fn skip(text: &str, at: &mut usize, any: &[&str]) -> Option<()> {
    let rest = text.get(*at..)?;
    let found = any.iter().find(|s| rest.starts_with(**s))?;
    *at += found.len();
    Some(())
}

/// A date at the start of a text, and where it ends.
fn date_at_start(text: &str) -> Option<(i32, usize)> {
    let mut at = 0;
    let year = number(text, &mut at, 4..=4)?;
    let separator = ["-", "/", ".", "年"].into_iter().find(|s| text[at..].starts_with(s))?;
    at += separator.len();
    let month = number(text, &mut at, 1..=2)?;
    skip(text, &mut at, &[if separator == "年" { "月" } else { separator }])?;
    let day = number(text, &mut at, 1..=2)?;
    if separator == "年" {
        skip(text, &mut at, &["日"])?;
    }
    Some((days(i64::from(year), month, day)?, at))
}

pub fn parse_date(text: &str) -> Option<i32> {
    let (days, end) = date_at_start(text)?;
    (end == text.len()).then_some(days)
}

/// Microseconds since the epoch; without a zone it is China's time.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let (days, mut at) = date_at_start(text)?;
    skip(text, &mut at, &["T", " "])?;
    let hour = number(text, &mut at, 1..=2)?;
    skip(text, &mut at, &[":"])?;
    let minute = number(text, &mut at, 2..=2)?;
    let mut micros = 0i64;
    if skip(text, &mut at, &[":"]).is_some() {
        let second = number(text, &mut at, 2..=2)?;
        micros = i64::from(second) * 1_000_000;
        if skip(text, &mut at, &[".", ","]).is_some() {
            let start = at;
            let fraction = number(text, &mut at, 1..=9)?;
            micros += (f64::from(fraction) * 10f64.powi(6 - (at - start) as i32)).round() as i64;
        }
        if second > 60 {
            return None;
        }
    }
    if hour > 24 || minute > 59 {
        return None;
    }
    let offset = zone(&text[at..])?;
    let seconds = i64::from(days) * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 - offset;
    Some(seconds * 1_000_000 + micros)
}

/// Seconds east of Greenwich of what follows a time.
fn zone(rest: &str) -> Option<i64> {
    let rest = rest.trim();
    match rest {
        "" => return Some(8 * 3600),
        "Z" | "z" | "UTC" => return Some(0),
        _ => {}
    }
    let sign = match rest.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut at = 1;
    let hours = number(rest, &mut at, 2..=2)?;
    let _ = skip(rest, &mut at, &[":"]);
    let minutes = if at == rest.len() { 0 } else { number(rest, &mut at, 2..=2)? };
    (at == rest.len()).then_some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// An integer that loses nothing by being one: no leading zeros (codes have them), no more than 18 digits.
pub fn parse_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    (plain && (digits.len() == 1 || !digits.starts_with('0'))).then(|| text.parse().ok()).flatten()
}

pub fn parse_float(text: &str) -> Option<f64> {
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.") && !digits.starts_with("0e");
    let long = digits.len() > 18 && digits.bytes().all(|b| b.is_ascii_digit());
    (numeric && !code && !long).then(|| text.parse().ok()).flatten().filter(|v: &f64| v.is_finite())
}

pub fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "TRUE" | "True" | "是" => Some(true),
        "false" | "FALSE" | "False" | "否" => Some(false),
        _ => None,
    }
}

/// What spreadsheets and database exports write for "no value".
pub fn is_null_word(text: &str) -> bool {
    text.is_empty() || matches!(text, "NULL" | "null" | "\\N" | "<Null>" | "<空>")
}

/// What was seen of one field.
#[derive(Debug, Default)]
pub struct Seen {
    pub values: u64,
    bools: u64,
    integers: u64,
    floats: u64,
    dates: u64,
    timestamps: u64,
    texts: u64,
    /// Texts of an untyped source that only fit as text.
    words: u64,
    pub samples: Vec<String>,
    longest: usize,
}

impl Seen {
    pub fn see(&mut self, cell: &Cell, untyped: bool) {
        match cell {
            Cell::Null => return,
            Cell::Bool(_) => self.bools += 1,
            Cell::Int(_) => self.integers += 1,
            Cell::Float(_) => self.floats += 1,
            Cell::Date(_) => self.dates += 1,
            Cell::Timestamp(_) => self.timestamps += 1,
            Cell::Text(t) => {
                self.longest = self.longest.max(t.len());
                self.see_text(t, untyped);
            }
        }
        self.values += 1;
        if self.samples.len() < MAX_SAMPLES {
            let shown: String = show(cell).chars().take(SAMPLE_CHARS).collect();
            if !shown.is_empty() && !self.samples.contains(&shown) {
                self.samples.push(shown);
            }
        }
    }

    fn see_text(&mut self, text: &str, untyped: bool) {
        if !untyped || self.words > 0 {
            self.texts += 1;
            return;
        }
        let text = text.trim();
        if is_null_word(text) {
        } else if parse_integer(text).is_some() {
            self.integers += 1;
        } else if parse_float(text).is_some() {
            self.floats += 1;
        } else if parse_date(text).is_some() {
            self.dates += 1;
        } else if parse_timestamp(text).is_some() {
            self.timestamps += 1;
        } else if parse_boolean(text).is_some() {
            self.bools += 1;
        } else {
            self.words += 1;
        }
    }

    /// The type that holds all values, with a word on what was widened.
    pub fn decide(&self, declared: Option<FieldType>, name: &str) -> (FieldType, Vec<Note>) {
        let mut notes = Vec::new();
        if let Some(kind) = declared {
            return (kind, notes);
        }
        let kinds = [self.bools, self.integers + self.floats, self.dates + self.timestamps, self.texts + self.words];
        let several = kinds.iter().filter(|n| **n > 0).count() > 1;
        if several {
            notes.push(Note::new("混有多种类型的值，按文本保存", "values of several types; kept as text"));
            return (FieldType::Text, notes);
        }
        let kind = if self.texts + self.words > 0 || self.values == 0 {
            FieldType::Text
        } else if self.bools > 0 {
            FieldType::Boolean
        } else if self.floats > 0 {
            FieldType::Float
        } else if self.integers > 0 {
            FieldType::Integer
        } else if self.timestamps > 0 {
            FieldType::Timestamp
        } else if self.dates > 0 {
            FieldType::Date
        } else {
            FieldType::Text
        };
        if kind == FieldType::Integer && is_code(name) {
            notes.push(Note::new("编码类字段按文本保存", "a code is kept as text"));
            return (FieldType::Text, notes);
        }
        if kind == FieldType::Float && self.integers > 0 {
            notes.push(Note::new("整数与小数混用，按小数保存", "integers and decimals; kept as decimals"));
        }
        (kind, notes)
    }

    pub fn longest(&self) -> usize {
        self.longest
    }
}

/// Names of fields that hold codes: digits that are not a quantity.
fn is_code(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["代码", "编码", "编号", "电话", "手机", "邮编", "身份证"].iter().any(|w| lower.contains(w))
        || ["adcode", "zipcode", "postcode", "phone", "tel", "mobile"].contains(&lower.as_str())
}

/// A value as text.
pub fn show(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(b) => b.to_string(),
        Cell::Int(i) => i.to_string(),
        Cell::Float(f) => f.to_string(),
        Cell::Text(t) => t.clone(),
        Cell::Date(d) => show_date(*d),
        Cell::Timestamp(t) => {
            jiff::Timestamp::from_microsecond(*t).map(|t| t.to_string()).unwrap_or_else(|_| t.to_string())
        }
    }
}

fn show_date(days: i32) -> String {
    use jiff::ToSpan;
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    epoch.checked_add(i64::from(days).days()).map(|d| d.to_string()).unwrap_or_else(|_| days.to_string())
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '〇')
}

fn cut(name: &str, bytes: usize) -> &str {
    let mut end = bytes.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// Column names for source names: clean, unique, at most 63 bytes, each with a word on what was changed and why.
pub fn clean_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, Vec<Note>)> {
    let mut taken: HashSet<String> = ["fid", "geom"].map(str::to_owned).into();
    let mut out = Vec::new();
    for (i, source) in names.enumerate() {
        let mut notes = Vec::new();
        let mut base = String::new();
        for c in source.trim().chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() || c == '_' || is_han(c) {
                base.push(c);
            } else if !base.is_empty() && !base.ends_with('_') {
                base.push('_');
            }
        }
        let trimmed = base.trim_end_matches('_').len();
        base.truncate(trimmed);
        if base.is_empty() {
            base = format!("field_{}", i + 1);
        } else if base.starts_with(|c: char| c.is_ascii_digit()) {
            base.insert_str(0, "f_");
        }
        if base.len() > MAX_NAME_BYTES {
            base = cut(&base, MAX_NAME_BYTES).to_owned();
            notes.push(Note::new("名称过长，已截短", "the name was too long and was cut"));
        }
        let mut name = base.clone();
        let mut n = 2;
        while !taken.insert(name.clone()) {
            let suffix = format!("_{n}");
            name = format!("{}{suffix}", cut(&base, MAX_NAME_BYTES - suffix.len()));
            n += 1;
        }
        if name != base {
            notes.push(Note::new("名称重复或为保留名，已加编号", "the name was taken and got a number"));
        } else if notes.is_empty() && name != source.to_lowercase() {
            notes.push(Note::new(format!("由“{source}”改名"), format!("renamed from \"{source}\"")));
        }
        out.push((name, notes));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_clean_unique_and_short() {
        let long = "很".repeat(40);
        let names = ["NAME", "name", "小区 名称(全)", "1st", "", "geom", "a.b", &long, &long];
        let got: Vec<String> = clean_names(names.into_iter()).into_iter().map(|n| n.0).collect();
        assert_eq!(&got[..7], ["name", "name_2", "小区_名称_全", "f_1st", "field_5", "geom_2", "a_b"]);
        assert!(got[7].len() <= 63 && got[8].len() <= 63 && got[7] != got[8]);
    }

    #[test]
    fn types_are_the_narrowest_that_lose_nothing() {
        let kind = |texts: &[&str]| {
            let mut seen = Seen::default();
            texts.iter().for_each(|t| seen.see(&Cell::Text((*t).to_owned()), true));
            seen.decide(None, "v").0
        };
        assert_eq!(kind(&["1", "-20"]), FieldType::Integer);
        assert_eq!(kind(&["1", "2.5", "NULL"]), FieldType::Float);
        assert_eq!(kind(&["007", "12"]), FieldType::Text);
        assert_eq!(kind(&["370202199001011234"]), FieldType::Integer);
        assert_eq!(kind(&["3702021990010112345"]), FieldType::Text);
        assert_eq!(kind(&["2024-02-29", "2024年3月1日"]), FieldType::Date);
        assert_eq!(kind(&["2024-02-30"]), FieldType::Text);
        assert_eq!(kind(&["是", "否"]), FieldType::Boolean);
        assert_eq!(kind(&["1", "一"]), FieldType::Text);
    }

    #[test]
    fn times_without_a_zone_are_chinas() {
        assert_eq!(parse_timestamp("1970-01-01 08:00:00"), Some(0));
        assert_eq!(parse_timestamp("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(parse_timestamp("1970-01-01T00:00+00:30"), Some(-1_800_000_000));
        assert_eq!(parse_timestamp("1970-01-01"), None);
    }
}
