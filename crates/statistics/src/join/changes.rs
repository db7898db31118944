//! Codes of earlier years.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A line for each code that is not in use today: the code, then those that took its place.
const CHANGES: &str = include_str!("../../data/code-changes.txt");

fn table() -> &'static HashMap<&'static str, Vec<&'static str>> {
    static TABLE: OnceLock<HashMap<&str, Vec<&str>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let lines = CHANGES.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(' ')).map(|(old, new)| (old, new.split(' ').collect())).collect()
    })
}

/// Every code that is not in use today, with those that took its place.
pub fn former() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    table().iter().map(|(old, now)| (*old, now.as_slice()))
}

/// The codes, as [`super::canonical`] writes them, of what a code of an earlier year is now. What lies below a district keeps its own digits: towns
/// mostly kept them when their district was given another code.
pub fn successors(code: &str) -> Vec<String> {
    let (head, tail) = code.split_at(code.len().min(6));
    let found = table().get(head).map_or(&[][..], Vec::as_slice);
    found.iter().map(|now| format!("{now}{tail}")).filter(|now| tail.is_empty() || now.len() >= 9).collect()
}
