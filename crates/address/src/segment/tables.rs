//! What a segment is asked through: tables over its names, its numbers' texts, its rows by place.

use super::Error;
use super::file::Sections;
use super::forms::{Form, forms, role};
use super::pool::Name;
use super::row::{DEGREE, Row};
use super::table::{Hash, TableBuilder};
use crate::chars;
use crate::text::{Unit, character};

/// Names of this length may be found with one character too few, too many or wrong.
pub const DELETES: std::ops::RangeInclusive<usize> = 3..=10;
/// A pair of characters that more names have than this says nothing.
const COMMON: usize = 3000;
/// Bits of an entry that say the form; the rest is the name's id.
pub const FORM_SHIFT: u32 = 28;

fn texts<'a>(items: impl Iterator<Item = &'a str>, s: &mut Sections) {
    let mut bytes = Vec::new();
    let mut ends = vec![0u32];
    for t in items {
        bytes.extend_from_slice(t.as_bytes());
        ends.push(bytes.len() as u32);
    }
    s.add(ends);
    s.add(bytes);
}

pub fn parts(list: &[(u64, Box<str>)], s: &mut Sections) {
    s.add(list.iter().map(|p| p.0).collect());
    texts(list.iter().map(|p| &*p.1), s);
}

/// The rows' own keys, in the rows' order; nothing when no row has one.
pub fn keys(order: &[u32], ends: &[u32], bytes: &[u8], s: &mut Sections) {
    let (mut out, mut out_ends) = (Vec::with_capacity(bytes.len()), Vec::new());
    if !bytes.is_empty() {
        out_ends.push(0u32);
        for k in order.iter().map(|k| *k as usize) {
            let from = if k == 0 { 0 } else { ends[k - 1] as usize };
            out.extend_from_slice(&bytes[from..ends[k] as usize]);
            out_ends.push(out.len() as u32);
        }
    }
    s.add(out_ends);
    s.add(out);
}

/// The side of a cell in degrees: some 200 metres.
pub const CELL: f64 = 0.002;

pub fn cell(lon: f64, lat: f64) -> (u32, u32) {
    (((lon + 180.0) / CELL) as u32, ((lat + 90.0) / CELL) as u32)
}

pub fn cell_number((x, y): (u32, u32)) -> u64 {
    u64::from(y) << 32 | u64::from(x)
}

/// Rows by the cell they lie in.
pub fn cells(rows: &[Row], s: &mut Sections) {
    let of = |r: &Row| cell_number(cell(f64::from(r.lon) / DEGREE, f64::from(r.lat) / DEGREE));
    let mut by_cell: Vec<(u64, u32)> = rows.iter().enumerate().map(|(k, r)| (of(r), k as u32)).collect();
    by_cell.sort_unstable();
    let (mut cells, mut starts) = (Vec::new(), Vec::new());
    for (k, (c, _)) in by_cell.iter().enumerate() {
        if cells.last() != Some(c) {
            cells.push(*c);
            starts.push(k as u32);
        }
    }
    starts.push(by_cell.len() as u32);
    s.add(cells);
    s.add(starts);
    s.add(by_cell.into_iter().map(|c| c.1).collect());
}

/// The sound of a unit: its first reading, or itself.
pub fn sound(u: Unit) -> Unit {
    if let Some(sound) = crate::text::syllable(u) {
        return sound;
    }
    let c = match u {
        0x30..=0x39 => ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'][usize::from(u - 0x30)],
        _ => character(u),
    };
    match chars::syllables(c).first() {
        Some(s) => chars::sound_class(*s),
        None => 0x8000 | u,
    }
}

pub fn names(list: &[Name], s: &mut Sections) -> Result<(), Error> {
    let mut units: Vec<Unit> = Vec::new();
    let mut ends = vec![0u32, 0];
    for n in list {
        units.extend_from_slice(&n.key);
        ends.push(u32::try_from(units.len()).map_err(|_| Error::TooLarge)?);
    }
    s.add(ends);
    s.add(units);
    // The name number 0 is the empty one.
    texts(std::iter::once("").chain(list.iter().map(|n| &*n.shown)), s);
    s.add(std::iter::once(0).chain(list.iter().map(|n| n.roles)).collect());
    lookups(list, s);
    spoken(list, s);
    Ok(())
}

fn add_table(t: (Vec<u32>, Vec<super::table::Item>), s: &mut Sections) {
    s.add(t.0);
    s.add(t.1);
}

fn lookups(list: &[Name], s: &mut Sections) {
    let (mut exact, mut deletes) = (TableBuilder::default(), TableBuilder::default());
    let (mut sounds, mut grams) = (TableBuilder::default(), TableBuilder::default());
    let mut heads: rustc_hash::FxHashMap<u64, u32> = rustc_hash::FxHashMap::default();
    let mut written = Vec::new();
    for (k, name) in list.iter().enumerate() {
        let id = k as u32 + 1;
        forms(&name.key, name.roles, &mut written);
        for alias in &name.aliases {
            written.push((Form::Alias, alias.to_vec()));
        }
        for (form, f) in &written {
            exact.add(Hash::of(f).value(), id | (*form as u32) << FORM_SHIFT);
            *heads.entry(Hash::of(&f[..2]).value()).or_default() |= 1 << f.len().min(31);
        }
        if written.is_empty() {
            continue;
        }
        let short = name.roles & !role::POI != 0 || name.key.len() <= 6;
        if short && DELETES.contains(&name.key.len()) {
            (0..name.key.len()).for_each(|left_out| deletes.add(Hash::without(&name.key, left_out).value(), id));
        }
        if name.key.len() <= 12 {
            for (_, f) in written.iter().filter(|(form, _)| matches!(form, Form::Full | Form::Short)) {
                sounds.add(f.iter().fold(Hash::EMPTY, |h, u| h.with(sound(*u))).value(), id);
            }
        }
        name.key.windows(2).for_each(|pair| grams.add(Hash::of(pair).value(), id));
    }
    add_table(exact.finish(), s);
    let mut first_two = TableBuilder::default();
    heads.into_iter().for_each(|(h, lengths)| first_two.add(h, lengths));
    add_table(first_two.finish(), s);
    add_table(deletes.finish(), s);
    add_table(sounds.finish(), s);
    add_table(grams.finish_without(COMMON), s);
}

/// Pinyin and initials of the names, sorted, for completion.
fn spoken(list: &[Name], s: &mut Sections) {
    let mut all: Vec<(String, u32)> = Vec::new();
    for (k, name) in list.iter().enumerate().filter(|(_, n)| n.key.len() <= 24 && n.roles & !role::DIVISION != 0) {
        let (mut whole, mut initials) = (String::new(), String::new());
        for u in name.key.iter() {
            match chars::syllables(character(*u)).first() {
                Some(syllable) => {
                    let t = chars::syllable_text(*syllable);
                    whole.push_str(t);
                    initials.extend(t.chars().next());
                }
                None => {
                    let c = character(*u).to_ascii_lowercase();
                    whole.push(c);
                    initials.push(c);
                }
            }
        }
        all.push((whole, k as u32 + 1));
        all.push((initials, k as u32 + 1));
    }
    all.sort_unstable();
    all.dedup();
    texts(all.iter().map(|a| a.0.as_str()), s);
    s.add(all.iter().map(|a| a.1).collect());
}
