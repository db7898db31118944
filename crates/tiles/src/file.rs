//! The file of an index, version 1. All numbers little-endian; every section starts at a multiple of 64 bytes.
//!
//! ```text
//! 0   magic "ONEMAPTX"      24  length of the file      48  checksum of everything from byte 64 on
//! 8   version (u32), 0      32  offset of the contents  56  checksum of bytes 0..56 and of the contents
//! 16  the caller's stamp    40  length of the contents
//! 64  sections …, then the contents: per section tag, kind, number (u32 each), 0, offset, length (u64 each)
//! ```
//!
//! Checksums are XXH3-64. The contents' own is checked when the file is opened, the whole file's by [`Sections::verify`].

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use memmap2::Mmap;
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::{Error, Result};

pub const MAGIC: [u8; 8] = *b"ONEMAPTX";
/// A reader reads its own version only: an index is made anew faster than an old one is understood.
pub const VERSION: u32 = 1;
const ALIGNMENT: u64 = 64;

/// What a section holds. The kind of a section is a [`crate::shape::Kind`], its number that of a band or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Tag {
    /// Columns, names, the zoom from which all is there.
    Meta = 1,
    /// Per kind: what holds for all its features.
    Head = 2,
    /// `i64` per feature.
    Ids = 10,
    /// `Bounds` per feature; left out for single points, whose vertex it is.
    Boxes = 11,
    /// `u64` per feature and one: where its parts begin.
    Features = 12,
    /// `u64` per part and one: where its vertices begin.
    Parts = 13,
    /// `[u32; 2]` per vertex.
    Vertices = 14,
    /// `u8` per vertex: the zoom from which it matters.
    Zooms = 15,
    /// `f32` per polygon: its area in square world units.
    Areas = 16,
    /// `[u64; 2]` per long part: its number, and where its runs begin in `Runs`.
    LongParts = 17,
    /// `Bounds` per 64 vertices of a long part.
    Runs = 18,
    /// `Band` each: the features that show from one zoom on.
    Bands = 20,
    /// `Bounds` of the nodes of all bands' trees.
    Tree = 21,
    /// `Square` each, sorted: tiles whose polygons are thinned otherwise than their zoom's.
    Squares = 22,
    /// Per column, `u32` each: the bytes of a code (0: values are not coded), and whether values hardly ever repeat.
    Column = 30,
    /// `u8`, `u16` or `u32` per feature: its value's number; 0 is null.
    Codes = 31,
    /// `u32` per dictionary entry, or `u64` per feature: where its value ends.
    Ends = 32,
    /// The values, as MVT `Value` messages.
    Values = 33,
}

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    version: u32,
    zero: u32,
    stamp: u64,
    length: u64,
    contents: u64,
    contents_length: u64,
    body_sum: u64,
    head_sum: u64,
}

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    tag: u32,
    kind: u32,
    number: u32,
    zero: u32,
    offset: u64,
    length: u64,
}

/// Writes an index beside its place and moves it there when it is whole.
pub struct FileWriter {
    out: BufWriter<File>,
    temporary: PathBuf,
    target: PathBuf,
    at: u64,
    sum: Xxh3,
    entries: Vec<Entry>,
    done: bool,
}

impl FileWriter {
    pub fn create(target: &Path) -> Result<FileWriter> {
        let mut temporary = target.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
        out.write_all(bytemuck::bytes_of(&Header::zeroed()))?;
        let at = size_of::<Header>() as u64;
        Ok(FileWriter { out, temporary, target: target.to_owned(), at, sum: Xxh3::new(), entries: vec![], done: false })
    }

    /// Starts a section; what is written until the next one is in it.
    pub fn section(&mut self, tag: Tag, kind: u32, number: u32) -> Result<()> {
        self.align()?;
        self.entries.push(Entry { tag: tag as u32, kind, number, zero: 0, offset: self.at, length: 0 });
        Ok(())
    }

    pub fn write<T: Pod>(&mut self, values: &[T]) -> Result<()> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        self.bytes(bytes)?;
        if let Some(entry) = self.entries.last_mut() {
            entry.length += bytes.len() as u64;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.sum.update(bytes);
        self.at += bytes.len() as u64;
        Ok(self.out.write_all(bytes)?)
    }

    fn align(&mut self) -> Result<()> {
        let over = self.at % ALIGNMENT;
        match over {
            0 => Ok(()),
            _ => self.bytes(&[0u8; ALIGNMENT as usize][..(ALIGNMENT - over) as usize]),
        }
    }

    /// Completes the file: contents, header, fsync, and the move to its place. Until then the old file stands.
    pub fn finish(mut self, stamp: u64) -> Result<u64> {
        self.align()?;
        let contents = self.at;
        let entries = std::mem::take(&mut self.entries);
        let table: &[u8] = bytemuck::cast_slice(&entries);
        self.bytes(table)?;
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            zero: 0,
            stamp,
            length: self.at,
            contents,
            contents_length: table.len() as u64,
            body_sum: self.sum.digest(),
            head_sum: 0,
        };
        header.head_sum = head_sum(&header, table);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(bytemuck::bytes_of(&header))?;
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        std::fs::rename(&self.temporary, &self.target)?;
        self.done = true;
        if let Some(folder) = self.target.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(self.at)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

fn head_sum(header: &Header, contents: &[u8]) -> u64 {
    let mut sum = Xxh3::new();
    sum.update(&bytemuck::bytes_of(header)[..size_of::<Header>() - 8]);
    sum.update(contents);
    sum.digest()
}

/// An opened file: its sections by tag, kind and number.
pub struct Sections {
    map: Arc<Mmap>,
    header: Header,
    entries: FxHashMap<(u32, u32, u32), (usize, usize)>,
}

impl Sections {
    /// Maps the file and checks its header, its contents and its length; not yet its sections' bytes.
    pub fn open(path: &Path) -> Result<Sections> {
        let file = File::open(path)?;
        // SAFETY: index files are never written in place: a new one is moved over the old one, which stays as it is while mapped.
        let map = unsafe { Mmap::map(&file)? };
        let head = map.get(..size_of::<Header>()).ok_or(Error::Damaged("it is shorter than its header"))?;
        let header: Header = bytemuck::pod_read_unaligned(head);
        if header.magic != MAGIC {
            return Err(Error::Damaged("it is no index"));
        }
        if header.version != VERSION {
            return Err(Error::Damaged("it is of another version"));
        }
        if header.length != map.len() as u64 {
            return Err(Error::Damaged("its length is not what it was"));
        }
        let range = span(header.contents, header.contents_length, map.len())?;
        let table = &map[range.0..range.0 + range.1];
        if head_sum(&header, table) != header.head_sum {
            return Err(Error::Damaged("the checksum of its contents"));
        }
        let mut entries = FxHashMap::default();
        for chunk in table.chunks_exact(size_of::<Entry>()) {
            let e: Entry = bytemuck::pod_read_unaligned(chunk);
            entries.insert((e.tag, e.kind, e.number), span(e.offset, e.length, map.len())?);
        }
        Ok(Sections { map: Arc::new(map), header, entries })
    }

    /// Reads the whole file and compares its checksum.
    pub fn verify(&self) -> Result<()> {
        match xxh3_64(&self.map[size_of::<Header>()..]) == self.header.body_sum {
            true => Ok(()),
            false => Err(Error::Damaged("its checksum")),
        }
    }

    pub fn stamp(&self) -> u64 {
        self.header.stamp
    }

    pub fn bytes(&self) -> u64 {
        self.header.length
    }

    /// A section's values; none when the file has no such section.
    pub fn slice<T: Pod>(&self, tag: Tag, kind: u32, number: u32) -> Result<Slice<T>> {
        let (offset, length) = self.entries.get(&(tag as u32, kind, number)).copied().unwrap_or((0, 0));
        if length % size_of::<T>() != 0 || !offset.is_multiple_of(align_of::<T>()) {
            return Err(Error::Damaged("a section's length"));
        }
        Ok(Slice { map: self.map.clone(), offset, length, holds: std::marker::PhantomData })
    }
}

fn span(offset: u64, length: u64, whole: usize) -> Result<(usize, usize)> {
    match offset.checked_add(length) {
        Some(end) if end <= whole as u64 => Ok((offset as usize, length as usize)),
        _ => Err(Error::Damaged("a section beyond its end")),
    }
}

/// Values that lie in the mapped file.
#[derive(Clone)]
pub struct Slice<T> {
    map: Arc<Mmap>,
    offset: usize,
    length: usize,
    holds: std::marker::PhantomData<T>,
}

impl<T: Pod> std::ops::Deref for Slice<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map[self.offset..self.offset + self.length])
    }
}
