//! The divisions of the country: provinces, cities, districts and towns by their full, short and former names.
//!
//! The names lie in the program (`data/divisions/`, see its README) and are unfolded once. Names are in simplified characters, and so
//! must be what is looked up.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::element::Element;

#[path = "gazetteer_names.rs"]
mod names;
#[path = "gazetteer_villages.rs"]
pub(crate) mod villages;

const CURRENT: &str = include_str!("../data/divisions/current.txt");
const OLD: &str = include_str!("../data/divisions/old.txt");

/// A division's number in the [`Gazetteer`].
pub type Id = u32;

/// The characters that nearly all names are made of.
const COMMON: std::ops::Range<u32> = 0x4e00..0xa000;

const NONE: Id = Id::MAX;

/// A name found at a place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// How many characters of the text it covers.
    pub len: usize,
    /// Province, City, District or Town.
    pub level: Element,
    pub id: Id,
    /// A former name of it, or of what became part of it.
    pub old: bool,
    /// The name without its end: 青岛 for 青岛市.
    pub short: bool,
}

struct Division {
    level: Element,
    /// GB/T 2260 of 2, 4 or 6 digits, 9 digits for a town. Made up (71.., 81.., 82..) below the provinces that the list has no codes for.
    code: u32,
    parent: Id,
    name: &'static str,
    /// What the file's letter at the end of a town's name stands for.
    end: &'static str,
}

/// What a name may mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub id: Id,
    /// The codes of towns that lie in it, from and to: of two divisions one lies in the other if these overlap.
    towns: (u32, u32),
    pub level: Element,
    pub old: bool,
    pub short: bool,
}

impl Entry {
    /// Whether one of two divisions lies in the other, or they are the same.
    #[inline]
    pub(crate) fn related(&self, other: &Entry) -> bool {
        self.towns.0 < other.towns.1 && other.towns.0 < self.towns.1
    }
}

/// How many codes of towns there are for one of a level.
fn towns_of(level: Element) -> u32 {
    match level {
        Element::Province => 10_000_000,
        Element::City => 100_000,
        Element::District => 1_000,
        _ => 1,
    }
}

/// Names as a tree of characters: `steps` leads from a node by a character to the next, `found` says which entries end at a node.
pub struct Gazetteer {
    divisions: Vec<Division>,
    entries: Vec<Entry>,
    steps: FxHashMap<u64, u32>,
    /// The first step, by far the most frequent one, for the common characters: 0 where no name begins so.
    roots: Vec<u32>,
    found: Vec<(u32, u32)>,
    by_code: FxHashMap<u32, Id>,
}

/// The one gazetteer; made at its first use, in some hundredths of a second.
pub fn gazetteer() -> &'static Gazetteer {
    static ONE: OnceLock<Gazetteer> = OnceLock::new();
    ONE.get_or_init(Gazetteer::new)
}

impl Gazetteer {
    fn new() -> Gazetteer {
        let mut g = Gazetteer {
            divisions: Vec::new(),
            entries: Vec::new(),
            steps: FxHashMap::default(),
            roots: vec![0; COMMON.len()],
            found: Vec::new(),
            by_code: FxHashMap::default(),
        };
        read(&mut g);
        for id in 0..g.divisions.len() {
            g.by_code.entry(g.divisions[id].code).or_insert(id as Id);
        }
        let keys = g.keys();
        g.plant(keys);
        g
    }

    fn entry(&self, id: Id, old: bool, short: bool) -> Entry {
        let d = &self.divisions[id as usize];
        let each = towns_of(d.level);
        Entry { id, towns: (d.code * each, (d.code + 1) * each), level: d.level, old, short }
    }

    /// All names to be found, each with what it means.
    fn keys(&self) -> Vec<(String, Entry)> {
        let mut keys = Vec::new();
        for (id, d) in self.divisions.iter().enumerate() {
            let id = id as Id;
            let name = self.name(id);
            names::short_forms(&name, d.level, |short| keys.push((short.to_owned(), self.entry(id, false, true))));
            keys.push((name, self.entry(id, false, false)));
        }
        for line in OLD.lines() {
            let Some((name, code)) = line.split_once(' ') else { continue };
            let Some(id) = code
                .parse()
                .ok()
                .and_then(|code: u32| self.by_code(if code.is_multiple_of(100) { code / 100 } else { code }))
            else {
                continue;
            };
            names::short_forms(name, self.divisions[id as usize].level, |short| {
                keys.push((short.to_owned(), self.entry(id, true, true)))
            });
            keys.push((name.to_owned(), self.entry(id, true, false)));
        }
        keys.sort_by(|a, b| (&a.0, a.1.short, a.1.old, a.1.id).cmp(&(&b.0, b.1.short, b.1.old, b.1.id)));
        keys
    }

    fn plant(&mut self, keys: Vec<(String, Entry)>) {
        self.found.push((0, 0));
        for c in keys.iter().filter_map(|(key, _)| key.chars().next()) {
            let fresh = self.found.len() as u32;
            if *self.steps.entry(step(0, c)).or_insert(fresh) == fresh {
                self.found.push((0, 0));
                if COMMON.contains(&u32::from(c)) {
                    self.roots[(u32::from(c) - COMMON.start) as usize] = fresh;
                }
            }
        }
        for (key, entry) in keys {
            let mut node = 0;
            for c in key.chars() {
                let fresh = self.found.len() as u32;
                let next = *self.steps.entry(step(node, c)).or_insert(fresh);
                if next == fresh {
                    self.found.push((0, 0));
                }
                node = next;
            }
            // Keys are sorted: the entries of one key follow each other.
            let range = &mut self.found[node as usize];
            if range.1 == 0 {
                range.0 = self.entries.len() as u32;
            }
            range.1 += 1;
            self.entries.push(entry);
        }
    }

    /// Calls `each` with the length of each name that `chars` begins with and all that it may mean; shorter ones first, of one name
    /// the divisions in full before those in short.
    #[inline]
    pub(crate) fn visit<'a>(&'a self, chars: &[char], mut each: impl FnMut(usize, &'a [Entry])) {
        let Some(&c) = chars.first() else { return };
        let mut node = match self.roots.get(u32::from(c).wrapping_sub(COMMON.start) as usize) {
            Some(0) => return,
            Some(&node) => node,
            None => match self.steps.get(&step(0, c)) {
                Some(&node) => node,
                None => return,
            },
        };
        for (i, &c) in chars.iter().enumerate().skip(1) {
            let Some(&next) = self.steps.get(&step(node, c)) else { return };
            node = next;
            let (first, count) = self.found[node as usize];
            if count > 0 {
                each(i + 1, &self.entries[first as usize..(first + count) as usize]);
            }
        }
    }

    /// The names that `chars` begins with, longest first.
    pub fn at(&self, chars: &[char]) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.visit(chars, |len, entries| {
            hits.extend(entries.iter().map(|e| Hit { len, level: e.level, id: e.id, old: e.old, short: e.short }));
        });
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.len));
        hits
    }

    /// The full present name.
    pub fn name(&self, id: Id) -> String {
        self.divisions.get(id as usize).map(|d| [d.name, d.end].concat()).unwrap_or_default()
    }

    pub fn level(&self, id: Id) -> Option<Element> {
        self.divisions.get(id as usize).map(|d| d.level)
    }

    /// GB/T 2260 (2, 4 or 6 digits, 9 for a town); None where there is none.
    pub fn code(&self, id: Id) -> Option<u32> {
        self.divisions.get(id as usize).map(|d| d.code).filter(|&code| code < 100 || !made_up(code))
    }

    pub fn by_code(&self, code: u32) -> Option<Id> {
        if code >= 100 && made_up(code) { None } else { self.by_code.get(&code).copied() }
    }

    pub fn parent(&self, id: Id) -> Option<Id> {
        self.divisions.get(id as usize).map(|d| d.parent).filter(|&p| p != NONE)
    }

    /// The division itself, its parent, and so on up to the province.
    pub fn chain(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        std::iter::successors(Some(id).filter(|&id| (id as usize) < self.divisions.len()), |&id| self.parent(id))
    }

    /// Whether `below` lies in `above`, or is it.
    pub fn within(&self, below: Id, above: Id) -> bool {
        self.chain(below).any(|id| id == above)
    }

    pub fn len(&self) -> usize {
        self.divisions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.divisions.is_empty()
    }
}

/// Whether a code below a province lies where the list has none.
fn made_up(code: u32) -> bool {
    let province = std::iter::successors(Some(code), |&c| (c >= 100).then_some(c / 10)).last().unwrap_or(0);
    matches!(province, 71 | 81 | 82)
}

#[inline]
fn step(node: u32, c: char) -> u64 {
    (u64::from(node) << 32) | u64::from(u32::from(c))
}

/// Reads the file of present divisions: a line each, parents before what is in them.
fn read(g: &mut Gazetteer) {
    let (mut province, mut city) = (NONE, NONE);
    for line in CURRENT.lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(mark), Some(name)) = (parts.next(), parts.next()) else { continue };
        let Some((level, code)) = mark.split_at_checked(1) else { continue };
        let code = code.parse().unwrap_or_else(|_| next_code(g, level, province, city));
        match level {
            "P" => province = add(g, Element::Province, code, NONE, name),
            // Placeholders of the code list: districts right below a province.
            "C" if names::placeholder(name) => city = province,
            "C" => city = add(g, Element::City, code, province, name),
            "D" => {
                // Cities without districts stand as their own district.
                let itself = g.divisions[city as usize].name == name;
                let district = if itself { city } else { add(g, Element::District, code, city, name) };
                towns(g, code, district, parts.next().unwrap_or(""));
            }
            _ => {}
        }
    }
}

/// Numbers through what has no code: the cities of a province, the districts of a city.
fn next_code(g: &Gazetteer, level: &str, province: Id, city: Id) -> u32 {
    let above = if level == "C" { province } else { city };
    let below = g.divisions.iter().filter(|d| d.parent == above).count() as u32;
    g.divisions.get(above as usize).map_or(0, |d| d.code * 100 + below + 1)
}

fn towns(g: &mut Gazetteer, district_code: u32, district: Id, list: &'static str) {
    let mut number = 0;
    for town in list.split(';').filter(|t| !t.is_empty()) {
        let digits = town.bytes().take_while(u8::is_ascii_digit).count();
        let (given, name) = town.split_at(digits);
        number = given.parse().unwrap_or(number + 1);
        let (name, end) = match name.as_bytes().last() {
            Some(b'd') => (&name[..name.len() - 1], "街道"),
            Some(b'z') => (&name[..name.len() - 1], "镇"),
            Some(b'x') => (&name[..name.len() - 1], "乡"),
            _ => (name, ""),
        };
        let id = add(g, Element::Town, district_code * 1000 + number, district, name);
        g.divisions[id as usize].end = end;
    }
}

fn add(g: &mut Gazetteer, level: Element, code: u32, parent: Id, name: &'static str) -> Id {
    g.divisions.push(Division { level, code, parent, name, end: "" });
    (g.divisions.len() - 1) as Id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(text: &str) -> Vec<(String, Hit)> {
        let chars: Vec<char> = text.chars().collect();
        gazetteer().at(&chars).into_iter().map(|h| (gazetteer().name(h.id), h)).collect()
    }

    fn is(text: &str, name: &str, level: Element) -> bool {
        longest(text).iter().any(|(n, h)| n == name && h.level == level)
    }

    #[test]
    fn full_and_short_names_are_found() {
        assert!(is("山东省青岛市", "山东省", Element::Province));
        assert!(is("山东青岛", "山东省", Element::Province));
        assert!(is("内蒙赤峰", "内蒙古自治区", Element::Province));
        assert!(is("青岛市南", "青岛市", Element::City));
        assert!(is("市南单县路", "市南区", Element::District));
        assert!(is("红河州元阳县", "红河哈尼族彝族自治州", Element::City));
        assert!(is("连山", "连山壮族瑶族自治县", Element::District));
        assert!(is("惜福镇街道", "惜福镇街道", Element::Town));
        assert!(is("大安区", "大安区", Element::District));
        assert!(is("台北市", "台北市", Element::City));
        assert!(is("中山市石岐", "中山市", Element::City));
        assert!(is("北京东城", "北京市", Element::Province));
    }

    #[test]
    fn longer_names_come_first() {
        let hits = longest("山东省青岛市");
        assert_eq!(hits[0].1.len, 3);
        assert!(!hits[0].1.short);
        assert!(hits.windows(2).all(|w| w[0].1.len >= w[1].1.len));
    }

    #[test]
    fn former_names_lead_to_what_is_there_now() {
        for (old, now) in [
            ("四方区", "市北区"),
            ("即墨市", "即墨区"),
            ("胶南市", "黄岛区"),
            ("崇文区", "东城区"),
            ("卢湾区", "黄浦区"),
            ("绍兴县", "柯桥区"),
        ] {
            assert!(longest(old).iter().any(|(n, h)| n == now && h.old && !h.short), "{old}");
        }
        assert!(longest("胶南").iter().any(|(n, h)| n == "黄岛区" && h.old && h.short));
    }

    #[test]
    fn codes_and_parents() {
        let g = gazetteer();
        let shinan = g.by_code(370202).unwrap();
        assert_eq!(g.name(shinan), "市南区");
        let chain: Vec<String> = g.chain(shinan).map(|id| g.name(id)).collect();
        assert_eq!(chain, ["市南区", "青岛市", "山东省"]);
        assert!(g.within(shinan, g.by_code(37).unwrap()));
        assert!(!g.within(shinan, g.by_code(33).unwrap()));
        let town = g.at(&"八大峡街道".chars().collect::<Vec<_>>())[0];
        assert_eq!(g.code(town.id).map(|c| c / 1000), Some(370202));
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert!(longest("").is_empty());
        assert!(longest("🙂").is_empty());
        assert!(gazetteer().by_code(0).is_none());
    }
}
