//! What is wrong with a filter, and where.

use std::fmt;

/// Why a text is no filter, in the portal's two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The byte of the text at which it shows.
    pub at: usize,
    /// In CQL2 JSON that could be read: the JSON pointer of the value.
    pub pointer: Option<String>,
    pub zh: String,
    pub en: String,
}

pub(crate) type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub(crate) fn new(at: usize, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Problem { at, pointer: None, zh: zh.into(), en: en.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pointer {
            Some(pointer) => write!(f, "{} (at \"{pointer}\")", self.en),
            None => write!(f, "{} (at byte {})", self.en, self.at),
        }
    }
}

impl std::error::Error for Problem {}

/// The field is unknown; names that are close to it are told.
pub(crate) fn unknown_field(at: usize, name: &str, known: &[&str]) -> Problem {
    let shown = shorten(name);
    let (zh, en) = (format!("没有字段“{shown}”"), format!("there is no field \"{shown}\""));
    with_close_names(at, zh, en, name, known)
}

/// The function is unknown; likewise.
pub(crate) fn unknown_function(at: usize, name: &str, known: &[&str]) -> Problem {
    let shown = shorten(name);
    with_close_names(at, format!("没有函数 {shown}"), format!("there is no function {shown}"), name, known)
}

fn with_close_names(at: usize, mut zh: String, mut en: String, name: &str, known: &[&str]) -> Problem {
    let close = close_names(name, known);
    if !close.is_empty() {
        zh += &format!("；是否指 {}？", close.join("、"));
        en += &format!("; did you mean {}?", close.join(", "));
    }
    Problem::new(at, zh, en)
}

/// At most 40 characters of what the caller wrote.
pub(crate) fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Up to three names, the closest first: the same but for case, few letters apart, or one within the other.
fn close_names<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let mut close: Vec<(usize, &str)> = known
        .iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().take(64).collect();
            let distance = edits(&wanted, &other);
            let part = wanted.len() > 1 && other.len() > 1 && (holds(&wanted, &other) || holds(&other, &wanted));
            let near = distance <= wanted.len().min(other.len()).div_ceil(3).min(2) && distance < wanted.len();
            (near || part).then_some((distance, *candidate))
        })
        .collect();
    close.sort();
    close.into_iter().take(3).map(|(_, name)| name).collect()
}

fn holds(whole: &[char], part: &[char]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// Levenshtein's distance.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_close() {
        let known = ["name", "height", "建筑高度", "高度", "year_built", "x"];
        assert_eq!(close_names("Name", &known), ["name"]);
        assert_eq!(close_names("heigth", &known), ["height"]);
        assert_eq!(close_names("高度", &known), ["高度", "建筑高度"]);
        assert_eq!(close_names("year", &known), ["year_built"]);
        assert!(close_names("z", &known).is_empty());
        assert!(unknown_field(3, "Name", &known).en.ends_with("did you mean name?"));
    }
}
