//! Which names of a segment stand in a text, and how the text before a place is explained by divisions.

use std::sync::LazyLock;

use crate::element::Element;
use crate::gazetteer::{self, gazetteer};
use crate::segment::forms::{Form, role};
use crate::segment::table::Hash;
use crate::segment::{View, sound};
use crate::text::{Kind, Text, Unit, Words, key, syllable};

/// A name that stands in the text as it is.
#[derive(Debug, Clone, Copy)]
pub struct Mention {
    pub from: usize,
    pub to: usize,
    pub name: u32,
    pub form: Form,
    pub roles: u16,
}

/// The longest form that is looked for beyond those that the table of heads tells apart.
const LONGEST: usize = 60;

/// Finds all names in the text, ordered by their beginning, then by their end.
pub fn scan(view: &View<'_>, t: &Text, out: &mut Vec<Mention>) {
    out.clear();
    let units = &t.units[..];
    for i in 0..units.len().saturating_sub(1) {
        let head = Hash::of(&units[i..i + 2]);
        let Some(lengths) = view.heads.get(head.value()).next() else { continue };
        let mut hash = head;
        let last = if lengths >> 31 != 0 { LONGEST } else { 31 - lengths.leading_zeros() as usize };
        for len in 2..=last.min(units.len() - i) {
            if len > 2 {
                hash = hash.with(units[i + len - 1]);
            }
            if lengths >> len.min(31) & 1 == 0 {
                continue;
            }
            for entry in view.exact.get(hash.value()) {
                let n = View::named(entry);
                out.push(Mention { from: i, to: i + len, name: n.name, form: n.form, roles: view.role(n.name) });
            }
        }
    }
}

/// Finds names by their sound where the text has syllables in pinyin, and files them among the others.
pub fn scan_spoken(view: &View<'_>, t: &Text, out: &mut Vec<Mention>) {
    let spoken = |i: usize| syllable(t.units[i]).is_some();
    for i in 0..t.len() {
        let mut hash = Hash::EMPTY;
        for len in 1..=12.min(t.len() - i) {
            hash = hash.with(sound(t.units[i + len - 1]));
            if len < 2 || !(i..i + len).any(spoken) {
                continue;
            }
            for name in view.sounds.get(hash.value()) {
                out.push(Mention { from: i, to: i + len, name, form: Form::Spoken, roles: view.role(name) });
            }
        }
    }
    out.sort_by_key(|m| (m.from, m.to));
}

impl Mention {
    /// Whether the mention can be one of a division.
    pub fn division(&self) -> bool {
        self.roles & role::DIVISION != 0
            && match self.form {
                Form::Full | Form::Alias | Form::Short | Form::Spoken => true,
                Form::Core => self.roles & role::COMMUNITY != 0,
                Form::Plain | Form::Sectionless => false,
            }
    }
    pub fn len(&self) -> usize {
        self.to - self.from
    }
}

/// What explains a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// Nothing.
    Bare,
    /// A word without meaning of its own.
    Filler,
    /// A division of the segment: the first mention of its span.
    Mention(usize),
    /// A division that the segment does not have: which of those that the text names.
    Foreign(usize),
}

/// One step of the cheapest explanation of the text up to a place.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub cost: f32,
    pub from: usize,
    pub why: Why,
}

/// A division of the country that the text names.
#[derive(Debug, Clone, Copy)]
pub struct Division {
    pub from: usize,
    pub to: usize,
    pub level: Element,
    pub id: gazetteer::Id,
    pub old: bool,
    pub short: bool,
}

/// Finds the provinces, cities and districts of the country that the text names.
pub fn divisions(t: &Text, out: &mut Vec<Division>) {
    out.clear();
    let g = gazetteer();
    let raw = t.folded();
    for from in 0..t.len() {
        let at = t.starts[from];
        // 四方区 begins with what is read as a digit.
        let han = matches!(t.kinds[from], Kind::Han | Kind::Numeral);
        if !han || (from > 0 && t.starts[from - 1] == at) {
            continue;
        }
        g.visit(&raw[at as usize..], |len, entries| {
            let end = at + len as u32;
            let Some(to) = (from..t.len()).take(24).find(|k| t.ends[*k] == end).map(|k| k + 1) else { return };
            for e in entries {
                let Some(level) = g.level(e.id).filter(|l| *l <= Element::District) else { continue };
                out.push(Division { from, to, level, id: e.id, old: e.old, short: e.short });
            }
        });
    }
}

/// Where the divisions begin that stand behind their street: 仁愛路122號 高雄市阿蓮區.
pub fn behind(t: &Text, divisions: &[Division]) -> Option<usize> {
    let door = (1..t.len()).find(|i| t.units[*i] == '号' as Unit && t.kinds[i - 1].is_digit())?;
    let before = divisions.iter().any(|d| d.from < door && !d.short);
    let start = divisions
        .iter()
        .filter(|d| !d.short && d.from > door && (t.gaps[d.from] || t.kinds[d.from - 1] == Kind::Sign))
        .map(|d| d.from)
        .min()?;
    (!before && !t.kinds[start..].iter().any(|k| k.is_digit())).then_some(start)
}

/// Marks a person's name that the text begins with: two to four characters, a gap, and then the address.
pub fn addressee(t: &Text, divisions: &[Division], dull: &mut [bool]) {
    let Some(end) = (1..t.len().min(6)).find(|i| t.gaps[*i]) else { return };
    let address = (end..t.len()).find(|i| !dull[*i]);
    let begins = divisions.iter().any(|d| Some(d.from) == address && (!d.short || d.level < Element::District));
    let han = t.kinds[..end].iter().all(|k| *k == Kind::Han) && !divisions.iter().any(|d| d.from == 0);
    if (2..=4).contains(&end) && begins && han {
        dull[..end].fill(true);
    }
}

/// Marks a second address in the text, which begins with divisions or after 或 once a door was named; the first is answered.
pub fn second_address(t: &Text, divisions: &[Division], dull: &mut [bool]) -> bool {
    let door = (1..t.len()).find(|i| t.units[*i] == '号' as Unit && t.kinds[i - 1].is_digit());
    let Some(door) = door else { return false };
    let depth = |i: usize| {
        t.units[..i].iter().filter(|u| **u == 0x28).count() > t.units[..i].iter().filter(|u| **u == 0x29).count()
    };
    let divided = divisions.iter().filter(|d| !d.short && d.from > door && !depth(d.from)).map(|d| d.from);
    let start = divided.filter(|k| t.gaps[*k] || "或者和及转到至换".chars().any(|c| c as Unit == t.units[k - 1])).min();
    // 健行路718號 and, on another line, 三榮路二段65號.
    let road = |k: usize| {
        let number = (k..t.len()).find(|i| {
            t.units[*i] == '号' as Unit && t.kinds[i - 1].is_digit() && t.units.get(i + 1) != Some(&('楼' as Unit))
        });
        t.gaps[k]
            && t.kinds[k] == Kind::Han
            && number.is_some_and(|n| t.units[k..n].iter().any(|u| "路街村".chars().any(|c| c as Unit == *u)))
    };
    let Some(start) = start.or_else(|| (door + 1..t.len()).find(|k| road(*k) && !depth(*k))) else { return false };
    if !(start..t.len()).any(|i| t.kinds[i].is_digit() && !dull[i]) {
        return false;
    }
    dull[start..].fill(true);
    true
}

/// Adds what the segment has under the present names of divisions that the text names by former ones; tells whether it added any.
pub fn renamed(view: &View<'_>, divisions: &[Division], mentions: &mut Vec<Mention>) {
    let before = mentions.len();
    for d in divisions.iter().filter(|d| d.old) {
        let present = key(&gazetteer().name(d.id));
        for n in view.exact.get(Hash::of(&present).value()).map(View::named).filter(|n| n.form == Form::Full) {
            let roles = view.role(n.name);
            if roles & role::DIVISION != 0 {
                mentions.push(Mention { from: d.from, to: d.to, name: n.name, form: Form::Alias, roles });
            }
        }
    }
    if mentions.len() > before {
        mentions.sort_by_key(|m| (m.from, m.to));
    }
}

/// The price of a character that nothing explains.
pub const BARE: f32 = 0.2;

/// Explains the text from its beginning to each place, by divisions and by words that say nothing.
pub fn cover(t: &Text, dull: &[bool], mentions: &[Mention], divisions: &[Division], steps: &mut Vec<Step>) {
    steps.clear();
    steps.resize(t.len() + 1, Step { cost: f32::MAX, from: 0, why: Why::Bare });
    steps[0].cost = 0.0;
    let mut next = 0;
    for i in 0..t.len() {
        let here = steps[i].cost;
        // 威海环翠区: without 市 a city is one at the beginning, or after another division.
        let opening = i == 0 || matches!(steps[i].why, Why::Mention(_) | Why::Foreign(_) | Why::Filler);
        let mut offer = |to: usize, cost: f32, why: Why| {
            if here + cost < steps[to].cost {
                steps[to] = Step { cost: here + cost, from: i, why };
            }
        };
        match (dull[i], t.kinds[i] == Kind::Sign) {
            (true, _) => offer(i + 1, 0.01, Why::Filler),
            (_, true) => offer(i + 1, 0.03, Why::Filler),
            _ => offer(i + 1, BARE, Why::Bare),
        }
        if let Some(len) = filler(t, i) {
            offer(i + len, 0.04, Why::Filler);
        }
        if let Some(len) = unknown_community(t, i) {
            offer(i + len, 0.12, Why::Filler);
        }
        for (k, d) in divisions.iter().enumerate().filter(|(_, d)| d.from == i) {
            // What the segment has under this name is cheaper.
            let cost =
                0.06 + if d.short && !opening {
                    0.4
                } else if d.short {
                    0.15
                } else {
                    0.0
                } + if d.level == Element::District { 0.05 } else { 0.0 };
            offer(d.to, cost, Why::Foreign(k));
        }
        while next < mentions.len() && mentions[next].from < i {
            next += 1;
        }
        let mut k = next;
        while k < mentions.len() && mentions[k].from == i {
            let m = &mentions[k];
            // A span's mentions follow each other: the first of them stands for all.
            let first = k == next || mentions[k - 1].to != m.to;
            if first && mentions[k..].iter().take_while(|o| o.from == i && o.to == m.to).any(Mention::division) {
                offer(m.to, if m.form == Form::Full { 0.02 } else { 0.05 }, Why::Mention(k));
            }
            k += 1;
        }
    }
}

static FILLERS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "中国",
        "中华人民共和国",
        "地址",
        "住址",
        "住在",
        "位于",
        "户籍",
        "现住",
        "收货",
        "省",
        "市",
        "区",
        "县",
        "镇",
        "乡",
        "街道办事处",
        "街道办",
        "街道",
        "办事处",
        "社区",
        "居委会",
        "村委会",
        "委会",
        "附近",
        "近",
        "的",
    ])
});

/// Words without a meaning of their own, and neighbourhoods (5鄰, 3组) that stand before a road.
fn filler(t: &Text, i: usize) -> Option<usize> {
    if let Some(len) = FILLERS.at(&t.units, i) {
        return Some(len);
    }
    group(t, i)
}

/// 大连路社区, where the segment has no such community: it says nothing against anything.
fn unknown_community(t: &Text, i: usize) -> Option<usize> {
    static KINDS: LazyLock<Words> =
        LazyLock::new(|| Words::new(&["社区居委会", "社区", "居委会", "村委会", "街道", "镇"]));
    (2..=6)
        .take_while(|n| t.kinds.get(i + n - 1) == Some(&Kind::Han))
        .find_map(|n| KINDS.at(&t.units, i + n).map(|len| n + len))
}

/// 5鄰, 3组, 2队, 第4社: how long it is.
pub fn group(t: &Text, i: usize) -> Option<usize> {
    let from = i + usize::from(t.units.get(i) == Some(&('第' as Unit)));
    let (_, end) = crate::code::digits(t, from)?;
    let after = *t.units.get(end)?;
    let longer = t.units.get(end + 1).is_some_and(|u| "村民生产".chars().any(|c| c as Unit == *u));
    let kinds = "邻组队社甲";
    if kinds.chars().any(|c| c as Unit == after)
        && !(after == '社' as Unit && t.units.get(end + 1) == Some(&('区' as Unit)))
    {
        return Some(end + 1 - i);
    }
    if longer || "村民生产".chars().any(|c| c as Unit == after) {
        for w in ["村民小组", "生产队", "小组", "村组"] {
            if w.chars().enumerate().all(|(k, c)| t.units.get(end + k) == Some(&(c as Unit))) {
                return Some(end + w.chars().count() - i);
            }
        }
    }
    None
}
