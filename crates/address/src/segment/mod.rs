//! The index of one source: immutable, checksummed, mapped from a file or held in memory.

mod build;
mod file;
pub(crate) mod forms;
mod junctions;
mod pool;
mod regular;
pub(crate) mod row;
pub(crate) mod table;
mod tables;

use std::ops::Range;
use std::path::Path;

use bytemuck::Pod;

pub use build::Builder;
use file::Bytes;
use forms::Form;
use row::{Area, Group, Junction, PART_KINDS, PartKind, Row, Span, Zone};
use table::{Item, Table};
pub(crate) use tables::{CELL, DELETES, cell, cell_number, sound};

use crate::record::Validity;
use crate::text::Unit;

/// Why an index could not be made or opened. The text may name paths: it is for the log.
#[derive(Debug)]
pub enum Error {
    Io(std::io::Error),
    /// Not such a file, of another version, cut short, or changed.
    Damaged(&'static str),
    /// More rows or text than an index holds.
    TooLarge,
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Error {
        Error::Io(e)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Io(e) => write!(f, "{e}"),
            Error::Damaged(what) => write!(f, "not a usable address index: {what}"),
            Error::TooLarge => f.write_str("more than an address index holds"),
        }
    }
}
impl std::error::Error for Error {}

/// The numbers of the sections, in the order in which `Builder` adds them.
mod section {
    pub const CELLS: usize = 0;
    pub const ROWS: usize = 3;
    pub const AREAS: usize = 4;
    pub const ZONES: usize = 5;
    pub const GROUPS: usize = 6;
    pub const SPANS: usize = 8;
    pub const KEYS: usize = 10;
    pub const PARTS: usize = 12;
    pub const NAMES: usize = PARTS + 3 * super::PART_KINDS;
    pub const TABLES: usize = NAMES + 5;
    pub const SPOKEN: usize = TABLES + 10;
    pub const JUNCTIONS: usize = SPOKEN + 3;
    pub const VALIDITY: usize = JUNCTIONS + 1;
}

/// An entry of the table of names: which name, in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub name: u32,
    pub form: Form,
}

/// An index, ready to be asked. Cheap to share, safe to read from many threads.
pub struct Segment {
    bytes: Bytes,
}

/// The numbers of one kind: their codes, and where the text of each ends.
type PartTable<'a> = (&'a [u64], &'a [u32], &'a [u8]);

/// The arrays of a segment, borrowed once for a question.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub rows: &'a [Row],
    pub areas: &'a [Area],
    pub zones: &'a [Zone],
    pub cells: (&'a [u64], &'a [u32], &'a [u32]),
    groups: (&'a [Group], &'a [u32]),
    spans: (&'a [Span], &'a [u32]),
    keys: (&'a [u32], &'a [u8]),
    parts: [PartTable<'a>; PART_KINDS],
    name_keys: (&'a [u32], &'a [Unit]),
    shown: (&'a [u32], &'a [u8]),
    roles: &'a [u16],
    pub exact: Table<'a>,
    pub heads: Table<'a>,
    pub deletes: Table<'a>,
    pub sounds: Table<'a>,
    pub grams: Table<'a>,
    spoken: (&'a [u32], &'a [u8], &'a [u32]),
    junctions: &'a [Junction],
    /// One for each row, or none at all.
    validity: &'a [Validity],
}

impl Segment {
    /// Maps a file; checks its header and the places of its sections, not its content: that is [`Segment::verify`].
    pub fn open(path: &Path) -> Result<Segment, Error> {
        Segment::of(Bytes::open(path)?)
    }

    pub(crate) fn of(bytes: Bytes) -> Result<Segment, Error> {
        let s = Segment { bytes };
        s.view()?;
        Ok(s)
    }

    /// Reads everything and compares the checksum.
    pub fn verify(&self) -> Result<(), Error> {
        self.bytes.verify()
    }
    pub fn stamp(&self) -> u64 {
        self.bytes.stamp()
    }
    pub fn rows(&self) -> u64 {
        self.bytes.section::<Row>(section::ROWS).map_or(0, |r| r.len() as u64)
    }
    pub fn bytes(&self) -> u64 {
        self.bytes.len()
    }

    pub(crate) fn view(&self) -> Result<View<'_>, Error> {
        let b = &self.bytes;
        fn s<T: Pod>(b: &Bytes, k: usize) -> Result<&[T], Error> {
            b.section(k)
        }
        let table = |k: usize| {
            let k = section::TABLES + 2 * k;
            Table::new(s(b, k)?, s::<Item>(b, k + 1)?).ok_or(Error::Damaged("a table that does not fit"))
        };
        let part = |k: usize| -> Result<PartTable<'_>, Error> {
            let k = section::PARTS + 3 * k;
            Ok((s(b, k)?, s(b, k + 1)?, s(b, k + 2)?))
        };
        Ok(View {
            rows: s(b, section::ROWS)?,
            areas: s(b, section::AREAS)?,
            zones: s(b, section::ZONES)?,
            cells: (s(b, section::CELLS)?, s(b, section::CELLS + 1)?, s(b, section::CELLS + 2)?),
            groups: (s(b, section::GROUPS)?, s(b, section::GROUPS + 1)?),
            spans: (s(b, section::SPANS)?, s(b, section::SPANS + 1)?),
            keys: (s(b, section::KEYS)?, s(b, section::KEYS + 1)?),
            parts: [part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, part(5)?],
            name_keys: (s(b, section::NAMES)?, s(b, section::NAMES + 1)?),
            shown: (s(b, section::NAMES + 2)?, s(b, section::NAMES + 3)?),
            roles: s(b, section::NAMES + 4)?,
            exact: table(0)?,
            heads: table(1)?,
            deletes: table(2)?,
            sounds: table(3)?,
            grams: table(4)?,
            spoken: (s(b, section::SPOKEN)?, s(b, section::SPOKEN + 1)?, s(b, section::SPOKEN + 2)?),
            junctions: s(b, section::JUNCTIONS)?,
            validity: s(b, section::VALIDITY)?,
        })
    }
}

fn slice<'a, T>(ends: &[u32], items: &'a [T], k: usize) -> &'a [T] {
    match (ends.get(k), ends.get(k + 1)) {
        (Some(from), Some(to)) => items.get(*from as usize..*to as usize).unwrap_or(&[]),
        _ => &[],
    }
}

fn text<'a>(ends: &[u32], bytes: &'a [u8], k: usize) -> &'a str {
    std::str::from_utf8(slice(ends, bytes, k)).unwrap_or("")
}

impl<'a> View<'a> {
    pub fn named(entry: u32) -> Named {
        Named { name: entry & ((1 << tables::FORM_SHIFT) - 1), form: Form::of(entry >> tables::FORM_SHIFT) }
    }
    pub fn groups(&self, street: u32) -> &'a [Group] {
        slice(self.groups.1, self.groups.0, street as usize)
    }
    pub fn spans(&self, name: u32) -> &'a [Span] {
        slice(self.spans.1, self.spans.0, name as usize)
    }
    pub fn name_key(&self, name: u32) -> &'a [Unit] {
        slice(self.name_keys.0, self.name_keys.1, name as usize)
    }
    pub fn shown(&self, name: u32) -> &'a str {
        text(self.shown.0, self.shown.1, name as usize)
    }
    pub fn role(&self, name: u32) -> u16 {
        self.roles.get(name as usize).copied().unwrap_or(0)
    }
    pub fn validity(&self, row: u32) -> Validity {
        self.validity.get(row as usize).copied().unwrap_or(Validity::ALWAYS)
    }
    /// Where two streets meet.
    pub fn junctions(&self, one: u32, other: u32) -> &'a [Junction] {
        let pair = [one.min(other), one.max(other)];
        let from = self.junctions.partition_point(|j| j.streets < pair);
        let to = from + self.junctions[from..].partition_point(|j| j.streets == pair);
        &self.junctions[from..to]
    }
    pub fn names(&self) -> u32 {
        self.roles.len() as u32
    }
    pub fn key(&self, row: u32) -> &'a str {
        text(self.keys.0, self.keys.1, row as usize)
    }
    /// The ids of a code: none, one, or several that are written differently.
    pub fn part_ids(&self, kind: PartKind, code: u64) -> Range<u32> {
        let codes = self.parts[kind as usize].0;
        let from = codes.partition_point(|c| *c < code);
        let to = from + codes[from..].iter().take_while(|c| **c == code).count();
        from as u32 + 1..to as u32 + 1
    }
    pub fn part_code(&self, kind: PartKind, id: u32) -> u64 {
        id.checked_sub(1).and_then(|k| self.parts[kind as usize].0.get(k as usize)).copied().unwrap_or(0)
    }
    pub fn part_shown(&self, kind: PartKind, id: u32) -> &'a str {
        let (_, ends, bytes) = self.parts[kind as usize];
        id.checked_sub(1).map_or("", |k| text(ends, bytes, k as usize))
    }
    pub fn zone(&self, row: &Row) -> Zone {
        self.zones.get(row.zone as usize).copied().unwrap_or_default()
    }
    pub fn area(&self, area: u32) -> Area {
        self.areas.get(area as usize).copied().unwrap_or_default()
    }
    /// The first name whose key is not before `units`.
    pub fn first_name(&self, units: &[Unit]) -> u32 {
        let (mut lo, mut hi) = (1, self.names());
        while lo < hi {
            let mid = lo.midpoint(hi);
            if self.name_key(mid) < units { lo = mid + 1 } else { hi = mid }
        }
        lo
    }
    /// The names whose pinyin or initials begin with `letters`, with the whole of what was spoken.
    pub fn spoken<'q>(&self, letters: &'q str) -> impl Iterator<Item = (&'a str, u32)> + use<'a, 'q> {
        let (ends, bytes, names) = self.spoken;
        let at = |k: usize| text(ends, bytes, k);
        let (mut lo, mut hi) = (0, names.len());
        while lo < hi {
            let mid = lo.midpoint(hi);
            if at(mid) < letters { lo = mid + 1 } else { hi = mid }
        }
        (lo..names.len()).map(move |k| (at(k), names[k])).take_while(move |(t, _)| t.starts_with(letters))
    }
}
