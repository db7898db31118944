//! One shapefile of the archive: what it spools while rows come, and how it is packed afterwards.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use super::dbf::{self, Width};
use super::report::Report;
use super::shp::{self, Extent};
use super::{Encoding, Group};
use crate::shape::Shape;
use crate::table::{Table, Type};
use crate::zipped::Zipped;
use crate::{Error, PIECE, Result, Scratch, Value};

/// Bytes of a `.shp` or `.dbf` file: some readers count in 32 bits with a sign.
pub const MOST: u64 = i32::MAX as u64;

/// The shapefile of one kind of geometry: one volume, and further ones when that is full.
pub struct Part {
    pub group: Group,
    pub z: bool,
    stem: String,
    kinds: Vec<Type>,
    full: Vec<Volume>,
    open: Option<Volume>,
    buffer: Vec<u8>,
    /// The cells of a row, and the widths that they need.
    cells: Vec<u8>,
    widths: Vec<Width>,
}

/// Files of at most 2 GiB.
pub struct Volume {
    stem: String,
    pub number: usize,
    group: Group,
    z: bool,
    shp: BufWriter<File>,
    shx: BufWriter<File>,
    rows: BufWriter<File>,
    shp_bytes: u64,
    row_bytes: u64,
    records: u32,
    extent: Extent,
    widths: Vec<Width>,
}

impl Part {
    pub fn new(stem: String, group: Group, z: bool, table: &Table) -> Self {
        let kinds = std::iter::once(Type::Integer).chain(table.columns.iter().map(|c| c.kind)).collect();
        Part { group, z, stem, kinds, full: vec![], open: None, buffer: vec![], cells: vec![], widths: vec![] }
    }

    /// Adds a feature; a volume has `most` bytes.
    pub fn put(
        &mut self,
        shape: Option<&Shape>,
        cells: &[Value<'_>],
        (encoding, most): (Encoding, u64),
        (scratch, report): (&mut Scratch, &mut Report),
    ) -> Result<()> {
        let number = self.open.as_ref().map_or(1, |v| v.records as i32 + 1);
        self.buffer.clear();
        shp::record(&mut self.buffer, number, self.group, self.z, shape);
        self.cells.clear();
        self.widths.clear();
        self.widths.extend(self.kinds.iter().map(|&kind| Width::new(kind)));
        let id = if let Some(Value::Integer(id)) = cells.first() { *id } else { 0 };
        for (i, (cell, width)) in cells.iter().zip(&mut self.widths).enumerate() {
            dbf::spool(&mut self.cells, cell, (id, i), width, encoding, report);
        }
        if self.open.as_ref().is_some_and(|v| v.is_full(self.buffer.len(), &self.widths, most)) {
            self.full.extend(self.open.take());
            self.buffer[..4].copy_from_slice(&1i32.to_be_bytes());
        }
        let volume = match &mut self.open {
            Some(volume) => volume,
            None => self.open.insert(self.volume(scratch)?),
        };
        volume.put(shape, &self.buffer)?;
        volume.widths.iter_mut().zip(&self.widths).for_each(|(all, own)| all.join(own));
        volume.row_bytes += self.cells.len() as u64;
        Ok(volume.rows.write_all(&self.cells)?)
    }

    fn volume(&self, scratch: &mut Scratch) -> Result<Volume> {
        let number = self.full.len() + 1;
        let stem = if number == 1 { self.stem.clone() } else { format!("{}_{number}", self.stem) };
        let mut file = || scratch().map(|file| BufWriter::with_capacity(64 << 10, file));
        Ok(Volume {
            stem,
            number,
            group: self.group,
            z: self.z,
            shp: file()?,
            shx: file()?,
            rows: file()?,
            shp_bytes: 100,
            row_bytes: 0,
            records: 0,
            extent: Extent::default(),
            widths: self.kinds.iter().map(|&kind| Width::new(kind)).collect(),
        })
    }

    pub fn spooled(&self) -> u64 {
        self.full.iter().chain(&self.open).map(|v| v.shp_bytes + v.row_bytes + u64::from(v.records) * 8).sum()
    }

    /// Every volume, an empty one if nothing has come.
    pub fn volumes(mut self, scratch: &mut Scratch) -> Result<Vec<Volume>> {
        if self.open.is_none() {
            self.open = Some(self.volume(scratch)?);
        }
        self.full.extend(self.open.take());
        Ok(self.full)
    }
}

impl Volume {
    /// Whether a record of `more` bytes and a row of these widths are too much.
    fn is_full(&self, more: usize, row: &[Width], most: u64) -> bool {
        // A row that is wider than all before widens them too.
        let columns = self.widths.iter().zip(row).map(|(all, own)| all.bytes().max(own.bytes()));
        self.shp_bytes + more as u64 > most || dbf::length(columns, self.records + 1) > most
    }

    fn put(&mut self, shape: Option<&Shape>, record: &[u8]) -> Result<()> {
        if self.group != Group::None {
            self.shx.write_all(&((self.shp_bytes / 2) as i32).to_be_bytes())?;
            self.shx.write_all(&record[4..8])?;
            self.shp.write_all(record)?;
            self.shp_bytes += record.len() as u64;
        }
        self.records += 1;
        shape.into_iter().for_each(|shape| self.extent.add(shape));
        Ok(())
    }

    pub fn pack(self, table: &Table, encoding: Encoding, names: &[String], report: &mut Report) -> Result<Packing> {
        let mut entries = VecDeque::new();
        let stem = self.stem;
        let reader = |file: BufWriter<File>| -> Result<BufReader<File>> {
            let mut file = file.into_inner().map_err(|e| Error::Io(e.into_error()))?;
            file.rewind()?;
            Ok(BufReader::with_capacity(64 << 10, file))
        };
        for (i, width) in self.widths.iter().enumerate().filter(|(_, w)| w.is_long_integer()) {
            report.long_integer(i, width.bytes());
        }
        if self.group != Group::None {
            let code = shp::code(self.group, self.z);
            let index = 100 + u64::from(self.records) * 8;
            entries.push_back(Entry {
                name: format!("{stem}.shp"),
                head: shp::header(code, self.shp_bytes, &self.extent),
                body: Body::File(reader(self.shp)?),
            });
            entries.push_back(Entry {
                name: format!("{stem}.shx"),
                head: shp::header(code, index, &self.extent),
                body: Body::File(reader(self.shx)?),
            });
            let head = table.crs.esri.clone().into_bytes();
            entries.push_back(Entry { name: format!("{stem}.prj"), head, body: Body::Nothing });
        }
        let head = encoding.cpg().as_bytes().to_vec();
        entries.push_back(Entry { name: format!("{stem}.cpg"), head, body: Body::Nothing });
        let head = dbf::header(names, &self.widths, self.records, encoding);
        let body = Body::Rows { file: reader(self.rows)?, widths: self.widths, held: vec![] };
        entries.push_back(Entry { name: format!("{stem}.dbf"), head, body });
        Ok(Packing { entries, current: None, buffer: vec![] })
    }
}

/// A volume on its way into the archive.
pub struct Packing {
    entries: VecDeque<Entry>,
    current: Option<Body>,
    buffer: Vec<u8>,
}

struct Entry {
    name: String,
    head: Vec<u8>,
    body: Body,
}

enum Body {
    Nothing,
    File(BufReader<File>),
    /// Rows that are padded on their way.
    Rows {
        file: BufReader<File>,
        widths: Vec<Width>,
        held: Vec<u8>,
    },
}

impl Packing {
    /// Packs a piece; false when the volume is packed.
    pub fn step(&mut self, zip: &mut Zipped) -> Result<bool> {
        let Some(body) = &mut self.current else {
            let Some(entry) = self.entries.pop_front() else { return Ok(false) };
            zip.entry(&entry.name)?;
            zip.write(&entry.head)?;
            self.current = Some(entry.body);
            return Ok(true);
        };
        self.buffer.clear();
        let over = match body {
            Body::Nothing => true,
            Body::File(file) => file.by_ref().take(PIECE as u64).read_to_end(&mut self.buffer)? == 0,
            Body::Rows { file, widths, held } => {
                let over = file.by_ref().take(PIECE as u64).read_to_end(held)? == 0;
                let mut rest = &held[..];
                let mut settled = 0;
                while !rest.is_empty() {
                    match dbf::record(&mut self.buffer, rest, widths) {
                        Some(after) => (rest, settled) = (after, self.buffer.len()),
                        // The rest of it has not been read yet.
                        None => break,
                    }
                }
                self.buffer.truncate(settled);
                let used = held.len() - rest.len();
                held.drain(..used);
                if over {
                    self.buffer.push(0x1a);
                }
                over
            }
        };
        zip.write(&self.buffer)?;
        if over {
            self.current = None;
        }
        Ok(true)
    }
}
