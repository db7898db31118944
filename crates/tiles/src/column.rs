//! An attribute column in an index.

use crate::error::{Error, Result};
use crate::file::{Sections, Slice, Tag};

pub struct IndexColumn {
    codes: Codes,
    unique: bool,
    ends: Slice<u32>,
    plain_ends: Slice<u64>,
    values: Slice<u8>,
}

enum Codes {
    Plain,
    Byte(Slice<u8>),
    Short(Slice<u16>),
    Word(Slice<u32>),
}

impl IndexColumn {
    pub fn open(file: &Sections, kind: u32, number: u32, features: usize) -> Result<IndexColumn> {
        let form = file.slice::<u32>(Tag::Column, kind, number)?;
        let codes = match form.first() {
            Some(0) => Codes::Plain,
            Some(1) => Codes::Byte(file.slice(Tag::Codes, kind, number)?),
            Some(2) => Codes::Short(file.slice(Tag::Codes, kind, number)?),
            Some(4) => Codes::Word(file.slice(Tag::Codes, kind, number)?),
            _ => return Err(Error::Damaged("a column of no known form")),
        };
        let plain = matches!(codes, Codes::Plain);
        let column = IndexColumn {
            unique: form.get(1) == Some(&1),
            ends: if plain { file.slice(Tag::Column, u32::MAX, 0)? } else { file.slice(Tag::Ends, kind, number)? },
            plain_ends: if plain {
                file.slice(Tag::Ends, kind, number)?
            } else {
                file.slice(Tag::Column, u32::MAX, 0)?
            },
            values: file.slice(Tag::Values, kind, number)?,
            codes,
        };
        let count = match &column.codes {
            Codes::Plain => column.plain_ends.len().wrapping_sub(1),
            Codes::Byte(c) => c.len(),
            Codes::Short(c) => c.len(),
            Codes::Word(c) => c.len(),
        };
        if count == features { Ok(column) } else { Err(Error::Damaged("a column's length")) }
    }

    pub fn view(&self) -> ColumnView<'_> {
        ColumnView {
            unique: self.unique,
            codes: match &self.codes {
                Codes::Plain => CodesView::Plain,
                Codes::Byte(c) => CodesView::Byte(c),
                Codes::Short(c) => CodesView::Short(c),
                Codes::Word(c) => CodesView::Word(c),
            },
            ends: &self.ends,
            plain_ends: &self.plain_ends,
            values: &self.values,
        }
    }
}

/// A column as plain slices, for the length of one drawing.
#[derive(Clone, Copy)]
pub struct ColumnView<'a> {
    codes: CodesView<'a>,
    unique: bool,
    ends: &'a [u32],
    plain_ends: &'a [u64],
    values: &'a [u8],
}

#[derive(Clone, Copy)]
enum CodesView<'a> {
    Plain,
    Byte(&'a [u8]),
    Short(&'a [u16]),
    Word(&'a [u32]),
}

impl<'a> ColumnView<'a> {
    /// Whether hardly two features share a value.
    pub fn is_unique(&self) -> bool {
        self.unique
    }

    /// How many entries the dictionary has, null among them; none when the column has no dictionary.
    pub fn entries(&self) -> Option<usize> {
        (!matches!(self.codes, CodesView::Plain)).then_some(self.ends.len())
    }

    /// The number of a feature's value in the dictionary; 0 is null.
    #[inline]
    pub fn code(&self, feature: usize) -> u32 {
        match self.codes {
            CodesView::Plain => 0,
            CodesView::Byte(c) => u32::from(c[feature]),
            CodesView::Short(c) => u32::from(c[feature]),
            CodesView::Word(c) => c[feature],
        }
    }

    /// The encoded value of a dictionary's entry.
    #[inline]
    pub fn entry(&self, code: u32) -> &'a [u8] {
        match code as usize {
            0 => &[],
            code => &self.values[self.ends[code - 1] as usize..self.ends[code] as usize],
        }
    }

    /// The encoded value of a feature; empty for null.
    #[inline]
    pub fn bytes(&self, feature: usize) -> &'a [u8] {
        match self.codes {
            CodesView::Plain => &self.values[self.plain_ends[feature] as usize..self.plain_ends[feature + 1] as usize],
            _ => self.entry(self.code(feature)),
        }
    }
}
