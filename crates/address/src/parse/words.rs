//! The words that names end with, and the words that stand for themselves.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::element::Element;

/// A kind that a name may have by its end. Costs are in hundredths; a name of a usual kind costs about 100.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub element: Element,
    pub cost: i32,
}

/// All that an end says.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub len: usize,
    pub heads: Vec<Head>,
    /// What it costs a longer name to have such an end in its midst.
    pub inner: i32,
    /// The name goes on from a name before it: 紫金港校区, 城西分行.
    pub joins: bool,
}

/// Made of general knowledge; says itself how it is written.
const FILE: &str = include_str!("../../data/words.txt");

/// What has no place in an address but often stands between its elements.
pub(super) const LINKS: &str = "与和及跟同的在位于至到从即是为";

pub(super) struct Words {
    /// Ends, by up to four characters from the end backwards.
    endings: Vec<Ending>,
    by_end: FxHashMap<u128, u32>,
    /// Words standing for themselves, by their characters.
    by_word: FxHashMap<u128, (Element, i32)>,
    last: FxHashMap<char, u8>,
    first: FxHashMap<char, u8>,
}

/// The longest word that is looked up, in characters: as many as a key holds.
const LONGEST: usize = 6;

fn key(chars: impl Iterator<Item = char>) -> u128 {
    chars.fold(0, |key, c| (key << 21) | u128::from(u32::from(c)))
}

pub(super) fn words() -> &'static Words {
    static ONE: OnceLock<Words> = OnceLock::new();
    ONE.get_or_init(Words::new)
}

impl Words {
    fn new() -> Words {
        let mut w = Words {
            endings: Vec::new(),
            by_end: FxHashMap::default(),
            by_word: FxHashMap::default(),
            last: FxHashMap::default(),
            first: FxHashMap::default(),
        };
        for line in FILE.lines() {
            let mut parts = line.split(' ');
            match parts.next() {
                Some("end") => w.endings_of(parts),
                Some("word") => w.words_of(parts),
                Some("joins") => w.joins_of(parts),
                _ => {}
            }
        }
        w
    }

    fn endings_of<'a>(&mut self, mut parts: impl Iterator<Item = &'a str>) {
        let element = parts.next().and_then(Element::of_name);
        let mut number = || parts.next().and_then(|n| n.parse().ok());
        if let (Some(element), Some(cost), Some(inner)) = (element, number(), number()) {
            let fitting = parts.filter(|word| word.chars().count() <= LONGEST);
            fitting.for_each(|word| self.add_ending(word, Head { element, cost }, inner));
        }
    }

    fn words_of<'a>(&mut self, mut parts: impl Iterator<Item = &'a str>) {
        let element = parts.next().and_then(Element::of_name);
        let Some((element, cost)) = element.zip(parts.next().and_then(|n| n.parse().ok())) else { return };
        for word in parts {
            let len = word.chars().count();
            if len <= LONGEST {
                self.by_word.entry(key(word.chars())).or_insert((element, cost));
                let longest = self.first.entry(word.chars().next().unwrap_or(' ')).or_insert(0);
                *longest = (*longest).max(len as u8);
            }
        }
    }

    fn joins_of<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        for word in parts {
            if let Some(&i) = self.by_end.get(&key(word.chars().rev())) {
                self.endings[i as usize].joins = true;
            }
        }
    }

    fn add_ending(&mut self, word: &str, head: Head, inner: i32) {
        let len = word.chars().count();
        let fresh = self.endings.len() as u32;
        let i = *self.by_end.entry(key(word.chars().rev())).or_insert(fresh);
        if i == fresh {
            self.endings.push(Ending { len, heads: Vec::new(), inner, joins: false });
            let longest = self.last.entry(word.chars().next_back().unwrap_or(' ')).or_insert(0);
            *longest = (*longest).max(len as u8);
        }
        let ending = &mut self.endings[i as usize];
        if ending.heads.iter().all(|h| h.element != head.element) {
            ending.heads.push(head);
        }
        ending.inner = ending.inner.max(inner);
    }

    /// The longest end of a name that `chars` ends with, as its number.
    pub(super) fn ending(&self, chars: &[char]) -> Option<u32> {
        let &last = chars.last()?;
        let longest = usize::from(*self.last.get(&last)?).min(chars.len());
        let mut found = None;
        let mut key = 0u128;
        for &c in chars.iter().rev().take(longest) {
            key = (key << 21) | u128::from(u32::from(c));
            if let Some(&i) = self.by_end.get(&key) {
                found = Some(i);
            }
        }
        found
    }

    pub(super) fn get(&'static self, ending: u32) -> &'static Ending {
        &self.endings[ending as usize]
    }

    /// The words that `chars` begins with.
    pub(super) fn at(&self, chars: &[char], mut each: impl FnMut(usize, Element, i32)) {
        let Some(&longest) = chars.first().and_then(|c| self.first.get(c)) else { return };
        let mut key = 0u128;
        for (i, &c) in chars.iter().take(usize::from(longest)).enumerate() {
            key = (key << 21) | u128::from(u32::from(c));
            if let Some(&(element, cost)) = self.by_word.get(&key) {
                each(i + 1, element, cost);
            }
        }
    }
}
