//! Making an index: rows come in as a stream and go to the scratch folder's disk; `finish` works out what shows when and writes the
//! file. In memory are the dictionaries (8 MiB a column at most) and some 32 bytes for each feature.

pub mod column;
pub mod plan;
pub mod section;
pub mod spool;

use std::path::{Path, PathBuf};

use onemap_cql2::Value;

use self::column::ColumnSpool;
use self::section::{Section, SectionSpool};
use self::spool::Spool;
use crate::error::{Error, Result};
use crate::ewkb::Shape;
use crate::file::{FileWriter, Tag};
use crate::shape::Kind;
use crate::value::Column;

#[derive(Debug, Clone)]
pub struct Options {
    /// The column by which points are chosen: of a crowd the one with the highest value shows first.
    pub rank: Option<usize>,
    /// The most bytes that a tile may have, compressed by gzip.
    pub tile_limit: usize,
    /// What state of the table this is, in the caller's own terms.
    pub stamp: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { rank: None, tile_limit: 500_000, stamp: 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Which vertices and features show at which zoom.
    Generalise,
    Write,
}

#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub stage: Stage,
    pub done: u64,
    pub total: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct Summary {
    pub rows: u64,
    pub bytes: u64,
    pub complete_from: Option<u8>,
}

/// Told how far the work is; its answer is whether to go on.
pub type Report<'a> = &'a mut dyn FnMut(Progress) -> bool;

pub struct Builder {
    scratch: PathBuf,
    options: Options,
    columns: Vec<Column>,
    ids: Spool<i64>,
    /// The bytes that a row's attributes may take in a tile.
    costs: Spool<u16>,
    ranks: Option<Spool<f64>>,
    spools: Vec<ColumnSpool>,
    sections: Vec<SectionSpool>,
    shape: Shape,
    bad: u64,
}

impl Builder {
    pub fn create(scratch: &Path, columns: Vec<Column>, options: Options) -> Result<Builder> {
        let spools = columns.iter().map(|_| ColumnSpool::create(scratch)).collect::<Result<_>>()?;
        let sections = Kind::ALL.into_iter().map(|kind| SectionSpool::create(scratch, kind)).collect::<Result<_>>()?;
        Ok(Builder {
            scratch: scratch.to_owned(),
            ids: Spool::create(scratch)?,
            costs: Spool::create(scratch)?,
            ranks: options.rank.map(|_| Spool::create(scratch)).transpose()?,
            options,
            columns,
            spools,
            sections,
            shape: Shape::default(),
            bad: 0,
        })
    }

    /// Adds a row: its id, its geometry as EWKB in degrees, its values in the columns' order.
    pub fn push(&mut self, id: i64, ewkb: Option<&[u8]>, values: &[Value<'_>]) -> Result<()> {
        let row = u32::try_from(self.ids.len()).map_err(|_| Error::Geometry("more rows than an index holds"))?;
        match ewkb.map(|bytes| self.shape.read_into(bytes)) {
            Some(Ok(())) => {
                for section in &mut self.sections {
                    section.push(row, self.shape.parts(section.kind()))?;
                }
            }
            // Surfaces and curves: they are in the table, no map draws them.
            Some(Err(_)) => self.bad += 1,
            None => {}
        }
        self.ids.push(id)?;
        let mut cost = 0;
        for (spool, value) in self.spools.iter_mut().zip(values) {
            cost += spool.push(value)?;
        }
        self.costs.push(cost.min(usize::from(u16::MAX)) as u16)?;
        if let (Some(ranks), Some(column)) = (&mut self.ranks, self.options.rank) {
            ranks.push(match values.get(column) {
                Some(Value::Integer(n)) => *n as f64,
                Some(Value::Float(f)) => *f,
                _ => f64::NEG_INFINITY,
            })?;
        }
        Ok(())
    }

    /// Works everything out and writes the file, which takes the place of an older one when it is whole and on the disk.
    pub fn finish(self, target: &Path, report: Report<'_>) -> Result<Summary> {
        let ids = self.ids.finish()?;
        let costs = self.costs.finish()?;
        let ranks = self.ranks.map(Spool::finish).transpose()?;
        let columns = self.spools.into_iter().map(ColumnSpool::finish).collect::<Result<Vec<_>>>()?;
        let mut out = FileWriter::create(target)?;
        let mut complete = Some(0);
        for spool in self.sections {
            let Some(section) = spool.finish()? else { continue };
            let written = Section {
                scratch: &self.scratch,
                ids: &ids,
                costs: &costs,
                ranks: ranks.as_deref(),
                columns: &columns,
            }
            .write(section, self.options.tile_limit, &mut out, report)?;
            complete = complete.zip(written).map(|(a, b): (u8, u8)| a.max(b));
        }
        out.section(Tag::Meta, 0, 0)?;
        out.write(&meta(&self.columns, complete, ids.len() as u64))?;
        let bytes = out.finish(self.options.stamp)?;
        Ok(Summary { rows: ids.len() as u64, bytes, complete_from: complete })
    }
}

/// Rows, the zoom from which all is there (255: none), the columns: kind, length of the name, name.
fn meta(columns: &[Column], complete: Option<u8>, rows: u64) -> Vec<u8> {
    let mut bytes = rows.to_le_bytes().to_vec();
    bytes.push(complete.unwrap_or(u8::MAX));
    bytes.extend((columns.len() as u32).to_le_bytes());
    for column in columns {
        bytes.push(column.kind as u8);
        bytes.extend((column.name.len() as u32).to_le_bytes());
        bytes.extend(column.name.as_bytes());
    }
    bytes
}
