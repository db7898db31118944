//! The file that an index lies in. All numbers little-endian.
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `OMADDR` and the version as two digits |
//! | 8 | 8 | the caller's stamp |
//! | 16 | 8 | length of the whole file |
//! | 24 | 8 | XXH3 of everything from byte 64 on |
//! | 32 | 8 | number of sections |
//! | 40 | 24 | zero |
//! | 64 | 16 each | where each section begins, and its length, in bytes |
//! | … | | the sections, each at a multiple of 16 |

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use bytemuck::Pod;
use memmap2::Mmap;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::Error;

const MAGIC: &[u8; 8] = b"OMADDR02";
const HEAD: usize = 64;
const ALIGN: usize = 16;

/// An array of plain numbers, whatever their type.
trait Array {
    fn bytes(&self) -> &[u8];
}

impl<T: Pod> Array for Vec<T> {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }
}

/// Collects sections and writes them one after the other.
#[derive(Default)]
pub struct Sections {
    parts: Vec<Box<dyn Array>>,
}

impl Sections {
    /// Adds a section. Sections are read back by the order in which they were added.
    pub fn add<T: Pod>(&mut self, items: Vec<T>) {
        self.parts.push(Box::new(items));
    }

    fn head(&self) -> (Vec<u8>, usize) {
        let mut table = Vec::with_capacity(self.parts.len() * 16);
        let mut at = align(HEAD + self.parts.len() * 16);
        for p in &self.parts {
            table.extend((at as u64).to_le_bytes());
            table.extend((p.bytes().len() as u64).to_le_bytes());
            at = align(at + p.bytes().len());
        }
        (table, at)
    }

    fn pour(&self, stamp: u64, out: &mut (impl Write + Seek)) -> Result<(), Error> {
        let (table, length) = self.head();
        let mut sum = Xxh3::new();
        let mut write = |out: &mut dyn Write, bytes: &[u8]| -> Result<(), Error> {
            sum.update(bytes);
            out.write_all(bytes)?;
            Ok(())
        };
        out.write_all(&[0; HEAD])?;
        write(out, &table)?;
        let mut at = HEAD + table.len();
        for p in &self.parts {
            let from = align(at);
            write(out, &[0; ALIGN][..from - at])?;
            write(out, p.bytes())?;
            at = from + p.bytes().len();
        }
        write(out, &[0; ALIGN][..length - at])?;
        let sum = sum.digest();
        out.seek(SeekFrom::Start(0))?;
        out.write_all(MAGIC)?;
        for n in [stamp, length as u64, sum, self.parts.len() as u64] {
            out.write_all(&n.to_le_bytes())?;
        }
        Ok(())
    }

    /// Writes beside `path`, then puts the file in its place: it is there whole or not at all.
    pub fn write(&self, path: &Path, stamp: u64) -> Result<(), Error> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let made = self.write_part(&part, stamp).and_then(|()| Ok(std::fs::rename(&part, path)?));
        if made.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        made?;
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn write_part(&self, part: &Path, stamp: u64) -> Result<(), Error> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(part)?);
        self.pour(stamp, &mut out)?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(())
    }

    pub fn in_memory(&self, stamp: u64) -> Result<Bytes, Error> {
        let mut out = std::io::Cursor::new(Vec::new());
        self.pour(stamp, &mut out)?;
        Bytes::new(Holder::Memory(aligned(out.get_ref())))
    }
}

fn align(n: usize) -> usize {
    n.div_ceil(ALIGN) * ALIGN
}

/// Sections are cast to numbers of up to 8 bytes, so the memory must begin at a multiple of 8.
fn aligned(bytes: &[u8]) -> Vec<u64> {
    let mut v = vec![0u64; bytes.len().div_ceil(8)];
    bytemuck::cast_slice_mut(&mut v)[..bytes.len()].copy_from_slice(bytes);
    v
}

enum Holder {
    Mapped(Mmap),
    Memory(Vec<u64>),
}

impl Holder {
    fn bytes(&self) -> &[u8] {
        match self {
            Holder::Mapped(m) => m,
            Holder::Memory(v) => bytemuck::cast_slice(v),
        }
    }
}

/// An index's bytes, with the places of their sections checked.
pub struct Bytes {
    holder: Holder,
    sections: Vec<Range<usize>>,
    stamp: u64,
}

impl Bytes {
    pub fn open(path: &Path) -> Result<Bytes, Error> {
        let file = File::open(path)?;
        if file.metadata()?.len() < HEAD as u64 {
            return Err(Error::Damaged("too short"));
        }
        // SAFETY: the file is made by rename and never written again; whoever changes it under the server breaks more than this.
        let map = unsafe { Mmap::map(&file)? };
        Bytes::new(Holder::Mapped(map))
    }

    fn new(holder: Holder) -> Result<Bytes, Error> {
        let b = holder.bytes();
        let number = |at: usize| b.get(at..at + 8).map(|n| u64::from_le_bytes(n.try_into().unwrap_or_default()));
        if b.get(..8) != Some(&MAGIC[..]) {
            return Err(Error::Damaged("another format or version"));
        }
        let (stamp, length, count) =
            (number(8).unwrap_or(0), number(16).unwrap_or(0) as usize, number(32).unwrap_or(0) as usize);
        if length > b.len() || b.len() - length >= ALIGN || count > 1000 {
            return Err(Error::Damaged("cut short"));
        }
        let mut sections = Vec::with_capacity(count);
        for k in 0..count {
            let (Some(from), Some(len)) = (number(HEAD + 16 * k), number(HEAD + 16 * k + 8)) else {
                return Err(Error::Damaged("no table of sections"));
            };
            let (from, len) = (from as usize, len as usize);
            let end = from.checked_add(len).filter(|e| *e <= length && from % ALIGN == 0);
            sections.push(from..end.ok_or(Error::Damaged("a section outside of the file"))?);
        }
        Ok(Bytes { holder, sections, stamp })
    }

    pub fn stamp(&self) -> u64 {
        self.stamp
    }
    pub fn len(&self) -> u64 {
        self.holder.bytes().len() as u64
    }

    /// One section as numbers.
    pub fn section<T: Pod>(&self, k: usize) -> Result<&[T], Error> {
        let range = self.sections.get(k).ok_or(Error::Damaged("a section is missing"))?;
        bytemuck::try_cast_slice(&self.holder.bytes()[range.clone()])
            .map_err(|_| Error::Damaged("a section of odd length"))
    }

    /// Whether the content is what was written.
    pub fn verify(&self) -> Result<(), Error> {
        let b = self.holder.bytes();
        let number = |at: usize| u64::from_le_bytes(b[at..at + 8].try_into().unwrap_or_default());
        let length = number(16) as usize;
        if xxh3_64(&b[HEAD..length]) == number(24) { Ok(()) } else { Err(Error::Damaged("the checksum differs")) }
    }
}
