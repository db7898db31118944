//! Rows of a table to divisions, by their codes or their names.
//!
//! - Codes are those of GB/T 2260 and of the statistical divisions behind it: 2 digits for a province, 4 for a city, 6 for a district, 9 for a
//!   town, 12 for a community, with or without the zeros that fill them up. A code that is no longer in use is led on to the one that took its
//!   place (`data/code-changes.txt`).
//! - Names are taken as they stand, then without 市, 区, 街道, 社区 and the like, then with the names of what lies above them in front. One that
//!   several divisions have is resolved by the parent that the row names, else it is ambiguous, and never guessed.

mod changes;
mod code;
mod name;

use std::collections::HashMap;

pub use self::changes::{former, successors};
pub use self::code::canonical;
pub use self::name::{stem, tidy};

/// A division that rows are joined to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    pub code: Option<String>,
    pub name: Option<String>,
    /// The name or code of what it lies in.
    pub parent: Option<String>,
}

/// How a row found its division.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Code,
    /// By a code of an earlier year.
    FormerCode,
    Name,
    /// Without the end of the name, or with its parent's in front.
    ShortName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    One(usize, How),
    /// Several it may be, by their numbers; none of them is taken.
    Several(Vec<usize>),
    None,
}

/// What a table is joined by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Code,
    Name,
}

/// Divisions by their codes and names.
pub struct Directory {
    zones: Vec<Zone>,
    by_code: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    by_stem: HashMap<String, Vec<usize>>,
    /// Names of parents, tidied and as stems.
    parents: Vec<String>,
}

impl Directory {
    pub fn new(zones: Vec<Zone>) -> Directory {
        let (mut by_code, mut by_name, mut by_stem) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut parents: Vec<String> = vec![];
        let put = |map: &mut HashMap<String, Vec<usize>>, key: String, at: usize| map.entry(key).or_default().push(at);
        for (at, zone) in zones.iter().enumerate() {
            if let Some(code) = zone.code.as_deref().and_then(canonical) {
                put(&mut by_code, code, at);
            }
            if let Some(name) = zone.name.as_deref().map(tidy).filter(|name| !name.is_empty()) {
                put(&mut by_stem, stem(&name).to_owned(), at);
                put(&mut by_name, name, at);
            }
            if let Some(parent) = zone.parent.as_deref().map(tidy).filter(|name| name.chars().count() > 1) {
                parents.extend([stem(&parent).to_owned(), parent]);
            }
        }
        parents.sort();
        parents.dedup();
        // The longest first: 市南区 before 市南.
        parents.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Directory { zones, by_code, by_name, by_stem, parents }
    }

    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The division of a code, now or under the code that took its place.
    pub fn code(&self, text: &str) -> Match {
        let Some(code) = canonical(text) else { return Match::None };
        if let Some(found) = self.by_code.get(&code) {
            return among(found, How::Code);
        }
        let mut found: Vec<usize> =
            successors(&code).iter().filter_map(|now| self.by_code.get(now)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        among(&found, How::FormerCode)
    }

    /// The division of a name; `parent` is the name or code of what it lies in.
    pub fn name(&self, text: &str, parent: Option<&str>) -> Match {
        let name = tidy(text);
        if name.is_empty() {
            return Match::None;
        }
        if let Some(found) = self.by_name.get(&name) {
            return self.within(found, parent, How::Name);
        }
        if let Some(found) = self.by_stem.get(stem(&name)) {
            return self.within(found, parent, How::ShortName);
        }
        // With a parent in front: 市南区香港中路街道.
        for ahead in self.parents.iter().filter(|p| name.len() > p.len() && name.starts_with(p.as_str())) {
            let rest = &name[ahead.len()..];
            let found = self.by_name.get(rest).or_else(|| self.by_stem.get(stem(rest)));
            match found.map(|found| self.within(found, Some(ahead), How::ShortName)) {
                Some(found @ Match::One(..)) => return found,
                _ => continue,
            }
        }
        Match::None
    }

    fn within(&self, found: &[usize], parent: Option<&str>, how: How) -> Match {
        let Some(parent) = parent.map(str::trim).filter(|p| !p.is_empty()) else { return among(found, how) };
        let (name, code) = (tidy(parent), canonical(parent));
        let lies_in = |zone: &Zone| {
            let named = zone.parent.as_deref().map(tidy);
            let by_name = named.as_deref().is_some_and(|own| own == name || stem(own) == stem(&name));
            let own = [zone.code.as_deref(), zone.parent.as_deref()].into_iter().flatten().filter_map(canonical);
            let by_code = code.as_deref().is_some_and(|code| own.into_iter().any(|own| own.starts_with(code)));
            by_name || by_code
        };
        let known = found.iter().any(|at| self.zones[*at].parent.is_some()) || code.is_some();
        let inside: Vec<usize> = found.iter().copied().filter(|at| lies_in(&self.zones[*at])).collect();
        match (inside.len(), known) {
            // Nothing is known of parents: the name has to do.
            (0, false) => among(found, how),
            _ => among(&inside, how),
        }
    }

    /// The divisions whose names or codes are most like a text that found none, the likest first.
    pub fn suggestions(&self, text: &str, by: By, most: usize) -> Vec<usize> {
        let wanted: Vec<char> = match by {
            By::Code => canonical(text).unwrap_or_else(|| tidy(text)).chars().collect(),
            By::Name => tidy(text).chars().collect(),
        };
        if wanted.is_empty() || wanted.len() > 60 {
            return vec![];
        }
        let mut near: Vec<(usize, usize)> = (self.zones.iter().enumerate())
            .filter_map(|(at, zone)| {
                let own = match by {
                    By::Code => zone.code.as_deref().and_then(canonical)?,
                    By::Name => tidy(zone.name.as_deref()?),
                };
                let own: Vec<char> = own.chars().collect();
                let distance = name::distance(&wanted, &own);
                // More than half of it must be right.
                (2 * distance < wanted.len().max(own.len())).then_some((distance, at))
            })
            .collect();
        near.sort_unstable();
        near.truncate(most);
        near.into_iter().map(|(_, at)| at).collect()
    }
}

fn among(found: &[usize], how: How) -> Match {
    match found {
        [] => Match::None,
        [one] => Match::One(*one, how),
        several => Match::Several(several.to_vec()),
    }
}

#[cfg(test)]
mod tests;
