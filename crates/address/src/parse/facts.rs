//! What is seen of a text at each of its positions before it is read.

use super::fold;
use super::numbers;
use super::words::{Ending, Words, words};
use crate::element::Element::*;
use crate::gazetteer::{Entry, Gazetteer, gazetteer};

const TAIWAN: u32 = 71;

/// The names of divisions that begin at a position: where, how long, what they may mean.
pub(super) type Found = (usize, usize, &'static [Entry]);

pub(super) struct Facts {
    pub words: &'static Words,
    gazetteer: &'static Gazetteer,
    /// The text, folded.
    pub chars: Vec<char>,
    /// The ending that ends at a position, plus one; 0: none.
    endings: Vec<u32>,
    /// Sums of what it costs to have this within a name: names of other things, and numbers.
    pub inner: Vec<i32>,
    /// The same of what a name may go on from: 大学, 医院.
    pub soft: Vec<i32>,
    /// Whether a name without a known ending may end here.
    pub stops: Vec<bool>,
    /// In the order of their places.
    pub divisions: Vec<Found>,
    /// The provinces, cities and districts that the text names, with their places.
    pub mentioned: Vec<(usize, Entry)>,
    /// Whether the text names a place of Taiwan: 里 is a community there.
    pub taiwan: bool,
}

impl Facts {
    pub(super) fn new() -> Facts {
        Facts {
            words: words(),
            gazetteer: gazetteer(),
            chars: Vec::new(),
            endings: Vec::new(),
            inner: Vec::new(),
            soft: Vec::new(),
            stops: Vec::new(),
            divisions: Vec::new(),
            mentioned: Vec::new(),
            taiwan: false,
        }
    }

    /// The character at a position, a blank behind the end.
    #[inline]
    pub(super) fn at(&self, i: usize) -> char {
        self.chars.get(i).copied().unwrap_or(' ')
    }

    #[inline]
    pub(super) fn ending(&self, e: usize) -> Option<&'static Ending> {
        match self.endings.get(e) {
            Some(&i) if i > 0 => Some(self.words.get(i - 1)),
            _ => None,
        }
    }

    /// Looks at each position once: which names end, which divisions begin, where a name must end.
    pub(super) fn look(&mut self, chars: &[char]) {
        let n = chars.len();
        self.chars.clear();
        self.chars.extend_from_slice(chars);
        self.endings.clear();
        self.stops.clear();
        self.divisions.clear();
        self.mentioned.clear();
        for sums in [&mut self.inner, &mut self.soft] {
            sums.clear();
            sums.resize(n + 1, 0);
        }
        self.ends(chars);
        (0..n).for_each(|s| self.beginnings(chars, s));
        self.stops.push(true);
        self.mention();
        for e in 1..=n {
            let taiwan = self.taiwan && chars[e - 1] == '里';
            self.inner[e] += self.inner[e - 1] + if taiwan { 200 } else { 0 };
            self.soft[e] += self.soft[e - 1];
        }
    }

    /// Which names end, and numbers.
    fn ends(&mut self, chars: &[char]) {
        self.endings.push(0);
        for e in 1..=chars.len() {
            let ending = self.words.ending(&chars[e.saturating_sub(8)..e]);
            if let Some(ending) = ending.map(|i| self.words.get(i)) {
                let soft = matches!(ending.heads[0].element, Poi | Subpoi);
                *if soft { &mut self.soft[e] } else { &mut self.inner[e] } += ending.inner;
            }
            if fold::digit(chars[e - 1]) && !chars.get(e).is_some_and(|&c| fold::digit(c)) {
                self.inner[e] += 120;
            }
            self.endings.push(ending.map_or(0, |i| i + 1));
        }
    }

    /// What begins at a position and ends a name before it, and the divisions there.
    fn beginnings(&mut self, chars: &[char], s: usize) {
        let (inner, divisions) = (&mut self.inner, &mut self.divisions);
        let mut stop = fold::separator(chars[s]) || fold::opening(chars[s]) || fold::closing(chars[s]);
        let (ends, unit) = numbers::stop(chars, s);
        stop |= ends;
        if let Some(end) = unit.filter(|_| s > 0) {
            inner[end] += if chars[end - 1] == '号' { 180 } else { 330 };
        }
        self.words.at(&chars[s..], |len, element, cost| {
            if len > 1 || chars[s] == '旁' {
                stop = true;
                inner[s + len] += if element == Redundant || cost == 0 { 330 } else { 120 };
            }
        });
        self.stops.push(stop);
        self.gazetteer.visit(&chars[s..], |len, entries| {
            let full = !entries[0].short && !entries[0].old && entries[0].level != Town;
            // Two divisions in full, one behind the other, are in no name.
            if full && divisions.iter().rev().take(6).any(|&(at, l, e)| at + l == s && !e[0].short) {
                inner[s + len] += 250;
            }
            divisions.push((s, len, entries));
        });
    }

    /// Which provinces, cities and districts the text names: others are measured by them. Short names count at the beginning and behind
    /// others.
    fn mention(&mut self) {
        self.taiwan = false;
        let mut ends = [usize::MAX; 2];
        for &(s, len, entries) in &self.divisions {
            let begins = s == 0 || ends.contains(&s);
            for entry in entries.iter().take(4).filter(|e| e.level != Town && (!e.short || begins)) {
                self.mentioned.push((s, *entry));
                self.taiwan |= self.gazetteer.chain(entry.id).any(|id| self.gazetteer.code(id) == Some(TAIWAN));
                if !ends.contains(&(s + len)) {
                    ends = [ends[1], s + len];
                }
            }
        }
    }
}
