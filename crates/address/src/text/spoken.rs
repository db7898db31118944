//! Pinyin in a text, as syllables that names are found by.

use super::{Kind, Text, Unit, character, unit};

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
