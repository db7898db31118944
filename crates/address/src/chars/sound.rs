//! How characters sound: syllables of pinyin without their tone.

use std::sync::LazyLock;

use super::table::words;

/// The number of a syllable; [`syllable_text`] spells it.
pub type Syllable = u16;

static READINGS: [u16; include_bytes!("../../data/chars/readings.bin").len() / 2] =
    words(include_bytes!("../../data/chars/readings.bin"));
static LISTS: [u16; include_bytes!("../../data/chars/reading-lists.bin").len() / 2] =
    words(include_bytes!("../../data/chars/reading-lists.bin"));
static CLASSES: [u16; include_bytes!("../../data/chars/sound-classes.bin").len() / 2] =
    words(include_bytes!("../../data/chars/sound-classes.bin"));
static HEARD: [u16; include_bytes!("../../data/chars/homophones.bin").len() / 2] =
    words(include_bytes!("../../data/chars/homophones.bin"));
static NAMES: &str = include_str!("../../data/chars/syllables.txt");

/// In the order of the alphabet.
static TEXTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| NAMES.lines().collect());

/// The first character with a reading.
const FIRST: u32 = 0x4E00;

/// The readings of a character, the most common first; none for what is no Chinese character.
pub fn syllables(c: char) -> &'static [Syllable] {
    // The zero of house numbers lies apart from the other characters; it reads as 零.
    let c = if c == '〇' { '零' } else { c };
    let Some(&entry) = (c as u32).checked_sub(FIRST).and_then(|at| READINGS.get(at as usize)) else { return &[] };
    let (start, count) = ((entry >> 3) as usize, (entry & 7) as usize);
    &LISTS[start..start + count]
}

/// The letters of a syllable, ü as v; empty for a number that is none.
pub fn syllable_text(id: Syllable) -> &'static str {
    TEXTS.get(id as usize).copied().unwrap_or("")
}

/// The syllable of these letters, in lower case.
pub fn syllable_of(text: &str) -> Option<Syllable> {
    TEXTS.binary_search(&text).ok().map(|at| at as Syllable)
}

/// The first letter of a syllable; a space for a number that is none.
pub fn initial(id: Syllable) -> u8 {
    syllable_text(id).as_bytes().first().copied().unwrap_or(b' ')
}

/// The same for syllables that careless speech and typing do not keep apart: zh and z, ch and c, sh and s, n and l, f and h, -n and -ng.
pub fn sound_class(id: Syllable) -> u16 {
    CLASSES.get(id as usize).copied().unwrap_or(u16::MAX)
}

/// Whether two characters have a reading in common.
pub fn same_sound(a: char, b: char) -> bool {
    let other = syllables(b);
    syllables(a).iter().any(|s| other.contains(s))
}

/// Whether some readings of them are easily taken for each other; only the first two readings count, since more would make too many alike.
pub fn near_sound(a: char, b: char) -> bool {
    let first = |c| syllables(c).iter().take(2).map(|&s| sound_class(s));
    first(a).any(|s| first(b).any(|t| s == t))
}

/// The common characters that are read like this one, without itself.
pub fn homophones(c: char) -> impl Iterator<Item = char> {
    syllables(c).iter().flat_map(|&s| heard(s)).filter(move |&other| other != c)
}

/// The common characters that are read nearly like this one.
pub fn near_homophones(c: char) -> impl Iterator<Item = char> {
    let class = syllables(c).first().map(|&s| sound_class(s));
    let all = if class.is_some() { 0..CLASSES.len() } else { 0..0 };
    all.filter(move |&s| Some(CLASSES[s]) == class && !syllables(c).contains(&(s as Syllable)))
        .flat_map(|s| heard(s as Syllable))
        .filter(move |&other| other != c)
}

fn heard(id: Syllable) -> impl Iterator<Item = char> {
    let starts = CLASSES.len() + 1;
    let at = id as usize;
    let range = if at < CLASSES.len() { HEARD[at] as usize..HEARD[at + 1] as usize } else { 0..0 };
    HEARD[starts + range.start..starts + range.end].iter().filter_map(|&code| char::from_u32(u32::from(code)))
}
