//! One attribute column on its way into an index: a dictionary while its values repeat, plain values when there are too many.

use std::path::Path;

use onemap_cql2::Value;
use rustc_hash::FxHashMap;

use super::spool::{Mapped, Spool};
use crate::error::Result;
use crate::file::{FileWriter, Tag};
use crate::value::{encode, varint_len};

/// A dictionary of more entries, or of more bytes, is none. When it is full after hardly more rows than it has entries, the values are
/// names of single features: a tile need not look for equal ones.
const MOST_ENTRIES: usize = 65_535;
const MOST_BYTES: usize = 8 << 20;

pub struct ColumnSpool {
    dictionary: FxHashMap<Box<[u8]>, u32>,
    /// The dictionary's values, one after the other, and where each ends.
    values: Vec<u8>,
    ends: Vec<u32>,
    codes: Spool<u32>,
    /// Where the values lie that came after the dictionary was full.
    plain_ends: Spool<u64>,
    plain: Spool<u8>,
    buffer: Vec<u8>,
    unique: bool,
}

impl ColumnSpool {
    pub fn create(folder: &Path) -> Result<ColumnSpool> {
        Ok(ColumnSpool {
            dictionary: FxHashMap::default(),
            values: vec![],
            ends: vec![0],
            codes: Spool::create(folder)?,
            plain_ends: Spool::create(folder)?,
            plain: Spool::create(folder)?,
            buffer: vec![],
            unique: false,
        })
    }

    /// Adds a row's value and tells how many bytes it may take in a tile.
    pub fn push(&mut self, value: &Value<'_>) -> Result<usize> {
        self.buffer.clear();
        encode(value, &mut self.buffer);
        if !self.plain_ends.is_empty() {
            self.plain.extend(&self.buffer)?;
            self.plain_ends.push(self.plain.len() as u64)?;
            return Ok(self.buffer.len() + 6);
        }
        if self.buffer.is_empty() {
            self.codes.push(0)?;
            return Ok(0);
        }
        if let Some(&code) = self.dictionary.get(&self.buffer[..]) {
            self.codes.push(code)?;
            return Ok(2 + varint_len(u64::from(code)));
        }
        if self.ends.len() > MOST_ENTRIES || self.values.len() + self.buffer.len() > MOST_BYTES {
            self.dictionary = FxHashMap::default();
            self.unique = self.codes.len() < self.ends.len() + self.ends.len() / 8;
            self.plain.extend(&self.buffer)?;
            self.plain_ends.push(self.plain.len() as u64)?;
            return Ok(self.buffer.len() + 6);
        }
        let code = self.ends.len() as u32;
        self.values.extend_from_slice(&self.buffer);
        self.ends.push(self.values.len() as u32);
        self.dictionary.insert(self.buffer.as_slice().into(), code);
        self.codes.push(code)?;
        Ok(self.buffer.len() + 4)
    }

    pub fn finish(self) -> Result<SpooledColumn> {
        Ok(SpooledColumn {
            values: self.values,
            unique: self.unique,
            ends: self.ends,
            codes: self.codes.finish()?,
            plain_ends: self.plain_ends.finish()?,
            plain: self.plain.finish()?,
        })
    }
}

/// A column of all rows, in the order in which they came.
pub struct SpooledColumn {
    values: Vec<u8>,
    unique: bool,
    ends: Vec<u32>,
    codes: Mapped<u32>,
    plain_ends: Mapped<u64>,
    plain: Mapped<u8>,
}

impl SpooledColumn {
    fn is_dictionary(&self) -> bool {
        self.plain_ends.is_empty()
    }

    /// The encoded value of a row, however it is kept.
    fn bytes(&self, row: usize) -> &[u8] {
        if let Some(&code) = self.codes.get(row) {
            let code = code as usize;
            return match code {
                0 => &[],
                _ => &self.values[self.ends[code - 1] as usize..self.ends[code] as usize],
            };
        }
        let i = row - self.codes.len();
        let start = if i == 0 { 0 } else { self.plain_ends[i - 1] };
        &self.plain[start as usize..self.plain_ends[i] as usize]
    }

    /// Writes the column of the given rows, in their order.
    pub fn write(&self, out: &mut FileWriter, kind: u32, number: u32, rows: &[u32]) -> Result<()> {
        let width = match self.is_dictionary() {
            false => 0u32,
            true if self.ends.len() <= 0x100 => 1,
            true if self.ends.len() <= 0x1_0000 => 2,
            true => 4,
        };
        out.section(Tag::Column, kind, number)?;
        out.write(&[width, u32::from(self.unique)])?;
        match width {
            0 => return self.write_plain(out, kind, number, rows),
            1 => self.write_codes(out, kind, number, rows, |c| c as u8)?,
            2 => self.write_codes(out, kind, number, rows, |c| c as u16)?,
            _ => self.write_codes(out, kind, number, rows, |c| c)?,
        }
        out.section(Tag::Ends, kind, number)?;
        out.write(&self.ends)?;
        out.section(Tag::Values, kind, number)?;
        out.write(&self.values)
    }

    fn write_codes<T: bytemuck::Pod>(
        &self,
        out: &mut FileWriter,
        kind: u32,
        number: u32,
        rows: &[u32],
        narrow: impl Fn(u32) -> T,
    ) -> Result<()> {
        out.section(Tag::Codes, kind, number)?;
        for &row in rows {
            out.write(&[narrow(self.codes[row as usize])])?;
        }
        Ok(())
    }

    fn write_plain(&self, out: &mut FileWriter, kind: u32, number: u32, rows: &[u32]) -> Result<()> {
        out.section(Tag::Ends, kind, number)?;
        let mut end = 0u64;
        out.write(&[end])?;
        for &row in rows {
            end += self.bytes(row as usize).len() as u64;
            out.write(&[end])?;
        }
        out.section(Tag::Values, kind, number)?;
        for &row in rows {
            out.write(self.bytes(row as usize))?;
        }
        Ok(())
    }
}
