//! Delimited text and WKT files, streamed.

use super::columns::{self, Place};
use super::encoding;
use super::files::{Dataset, read_head};
use super::source::{Cell, LayerHead, Next, Row, Rows, Source, SourceField};
use super::text::{Decoded, sniff};
use crate::error::{Error, Result};
use encoding_rs::{Encoding, UTF_8};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SAMPLE: usize = 256 << 10;
const MAX_COLUMNS: usize = 1500;

/// How the text is cut into cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dialect {
    delimiter: u8,
    quote: u8,
    backslash: bool,
    /// Blanks stand between a delimiter and a quote.
    padded: bool,
}

impl Dialect {
    pub(super) fn delimiter(self) -> u8 {
        self.delimiter
    }
}

pub struct CsvSource {
    path: PathBuf,
    encoding: &'static Encoding,
    dialect: Dialect,
    header: Vec<String>,
    place: Place,
    heads: Vec<LayerHead>,
}

/// Takes blanks out between a delimiter and what follows, outside quotes.
struct Unpadded<R> {
    inner: R,
    delimiter: u8,
    quote: u8,
    quoted: bool,
    fresh: bool,
}

impl<R: Read> Read for Unpadded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let n = self.inner.read(out)?;
            if n == 0 {
                return Ok(0);
            }
            let mut kept = 0;
            for i in 0..n {
                let b = out[i];
                if self.fresh && !self.quoted && (b == b' ' || b == b'\t' && self.delimiter != b'\t') {
                    continue;
                }
                if b == self.quote && (self.fresh || self.quoted) {
                    self.quoted = !self.quoted;
                }
                self.fresh = !self.quoted && (b == self.delimiter || b == b'\n' || b == b'\r');
                out[kept] = b;
                kept += 1;
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

pub(super) fn reader(input: impl Read + 'static, dialect: Dialect) -> csv::Reader<Box<dyn Read>> {
    let input: Box<dyn Read> = if dialect.padded {
        let (delimiter, quote) = (dialect.delimiter, dialect.quote);
        Box::new(Unpadded { inner: input, delimiter, quote, quoted: false, fresh: true })
    } else {
        Box::new(input)
    };
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .escape(dialect.backslash.then_some(b'\\'))
        .buffer_capacity(128 << 10)
        .from_reader(input)
}

/// The dialect under which the sample falls into the most rows as wide as its header.
pub(super) fn guess_dialect(sample: &str) -> Dialect {
    let backslash = sample.contains("\\\"") && !sample.contains("\"\"");
    let mut best = Dialect { delimiter: b',', quote: b'"', backslash, padded: false };
    let mut best_score = 0.0;
    for delimiter in [b',', b'\t', b';', b'|'] {
        for (quote, padded) in [(b'"', false), (b'"', true), (b'\'', false), (b'\'', true)] {
            let gap = format!("{} ", char::from(delimiter));
            if padded && !sample.contains(&gap) || quote == b'\'' && !sample.contains('\'') {
                continue;
            }
            let dialect = Dialect { delimiter, quote, backslash, padded };
            let score = score(sample, dialect);
            if score > best_score + 1e-6 {
                (best, best_score) = (dialect, score);
            }
        }
    }
    best
}

fn score(sample: &str, dialect: Dialect) -> f64 {
    let mut reader = reader(std::io::Cursor::new(sample.as_bytes().to_vec()), dialect);
    let mut records = reader.byte_records().take(200).filter_map(|r| r.ok());
    let Some(first) = records.next() else { return 0.0 };
    let names: Vec<String> = first.iter().map(|b| String::from_utf8_lossy(b).into_owned()).collect();
    let header = names.len();
    let widths = records.map(|r| r.len());
    let (mut rows, mut same) = (0.0f64, 0.0f64);
    for width in widths {
        rows += 1.0;
        same += f64::from(u8::from(width == header));
    }
    let fit = if rows > 0.0 { same / rows } else { 0.5 };
    // A one-column reading always fits; any real delimiter that fits as well is better.
    // A header that names coordinates has been cut right, even if the rows are ragged.
    let placed = if columns::find(&names, &[]).is_some() { 0.5 } else { 0.0 };
    placed + if header > 1 { fit } else { fit * 0.4 }
}

fn no_place(name: &str, header: &[String]) -> Error {
    let columns: String = header.join(", ").chars().take(200).collect();
    Error::invalid(
        "file",
        format!("{name} 中没有找到坐标列（经度/纬度、lon/lat、x/y）或几何列（WKT、GeoJSON）；表头为：{columns}"),
        format!("{name} has no coordinate columns (lon/lat, x/y) and no geometry column (WKT, GeoJSON); its header is: {columns}"),
    )
    .hint("请在首行写明列名", "name the columns in the first row")
}

/// The header row, checked; `records` are the rows after it.
pub(super) fn understand(name: &str, header: &[String], records: &[Vec<Cell>]) -> Result<Place> {
    let numbers = header.iter().filter(|h| h.trim().parse::<f64>().is_ok()).count();
    if header.is_empty() || numbers * 2 >= header.len() {
        return Err(Error::invalid(
            "file",
            format!("{name} 的首行不像表头（多为数字），无法得知各列含义"),
            format!("the first row of {name} is no header (it is mostly numbers), so the columns are unknown"),
        )
        .hint("请在首行写明列名", "name the columns in the first row"));
    }
    if header.len() > MAX_COLUMNS {
        let n = header.len();
        return Err(Error::invalid(
            "file",
            format!("{name} 有 {n} 列，超过上限 {MAX_COLUMNS}"),
            format!("{name} has {n} columns; the limit is {MAX_COLUMNS}"),
        ));
    }
    columns::find(header, records).ok_or_else(|| no_place(name, header))
}

/// Fields for a table's columns.
pub(super) fn fields(header: &[String], place: Place, original: &str) -> Vec<SourceField> {
    let mut fields: Vec<SourceField> = header
        .iter()
        .map(|name| SourceField { untyped: original == "CSV", ..SourceField::new(name.trim(), original) })
        .collect();
    if let Some(field) = place.text_column().and_then(|c| fields.get_mut(c)) {
        field.is_geometry = true;
    }
    fields
}

/// Rows wider than the header get columns of their own.
pub(super) fn widen(fields: &mut Vec<SourceField>, width: usize, original: &str) {
    while fields.len() < width.min(MAX_COLUMNS) {
        let name = format!("column_{}", fields.len() + 1);
        let mut field = SourceField { untyped: original == "CSV", ..SourceField::new(name, original) };
        field.notes.push(super::report::Note::new("表头中没有这一列", "this column is not in the header"));
        fields.push(field);
    }
}

impl CsvSource {
    pub fn open(dataset: &Dataset, encoding: Option<&'static Encoding>) -> Result<CsvSource> {
        let (found, mut reason) = sniff(&dataset.path)?;
        let encoding = encoding.unwrap_or(found);
        if encoding != found {
            reason = super::encoding::found(encoding, "由用户指定", "chosen by the user");
        }
        let head = read_head(&dataset.path, SAMPLE)?;
        let (sample, _) = encoding.decode_with_bom_removal(&head);
        let dialect = guess_dialect(&sample);
        let mut records = reader(std::io::Cursor::new(sample.into_owned().into_bytes()), dialect).into_byte_records();
        let texts = |r: &csv::ByteRecord| -> Vec<String> {
            r.iter().map(|b| String::from_utf8_lossy(b).into_owned()).collect()
        };
        let header = records.next().and_then(|r| r.ok()).map(|r| texts(&r)).unwrap_or_default();
        let samples: Vec<Vec<Cell>> =
            records.take(200).filter_map(|r| r.ok()).map(|r| texts(&r).into_iter().map(Cell::Text).collect()).collect();
        let place = understand(&dataset.name, &header, &samples)?;
        let name = dataset.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let hints = header.clone();
        let head = LayerHead { name, crs: None, encoding: reason, rows: None, notes: Vec::new(), hints };
        Ok(CsvSource { path: dataset.path.clone(), encoding, dialect, header, place, heads: vec![head] })
    }
}

impl Source for CsvSource {
    fn format(&self) -> &str {
        "CSV"
    }
    fn layers(&self) -> &[LayerHead] {
        &self.heads
    }
    fn rows(&mut self, _layer: usize) -> Result<Box<dyn Rows + '_>> {
        let input = Decoded::open(&self.path, self.encoding)?;
        let read = input.read.clone();
        let mut reader = reader(input, self.dialect);
        let mut record = csv::ByteRecord::new();
        let _header = reader.read_byte_record(&mut record);
        Ok(Box::new(CsvRows {
            reader,
            record,
            read,
            total: std::fs::metadata(&self.path)?.len(),
            fields: fields(&self.header, self.place, "CSV"),
            place: self.place,
            number: 0,
            wkb: Vec::new(),
        }))
    }
}

struct CsvRows {
    reader: csv::Reader<Box<dyn Read>>,
    record: csv::ByteRecord,
    read: Arc<AtomicU64>,
    total: u64,
    fields: Vec<SourceField>,
    place: Place,
    number: u64,
    wkb: Vec<u8>,
}

impl Rows for CsvRows {
    fn next(&mut self, row: &mut Row) -> Result<Next> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return Ok(Next::End),
            Ok(true) => {}
            Err(e) => {
                return Err(Error::invalid(
                    "file",
                    format!("表格无法读取：{e}"),
                    format!("the table cannot be read: {e}"),
                ));
            }
        }
        self.number += 1;
        row.clear(self.number);
        if self.record.len() > MAX_COLUMNS {
            return Ok(Next::Failed(format!("a row of more than {MAX_COLUMNS} cells")));
        }
        widen(&mut self.fields, self.record.len(), "CSV");
        for bytes in self.record.iter() {
            row.cells.push(if bytes.is_empty() {
                Cell::Null
            } else {
                let (text, bad) = encoding::decode(bytes, UTF_8);
                row.bad_texts += u32::from(bad);
                Cell::Text(text.into_owned())
            });
        }
        columns::locate(self.place, row, &mut self.wkb);
        Ok(Next::Row)
    }
    fn fields(&self) -> &[SourceField] {
        &self.fields
    }
    fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.total)
    }
}

/// A file of WKT geometries, over lines as they please.
pub struct WktSource {
    path: PathBuf,
    heads: Vec<LayerHead>,
}

impl WktSource {
    pub fn open(dataset: &Dataset) -> Result<WktSource> {
        let name = dataset.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let encoding = encoding::found(UTF_8, "WKT 均为 ASCII", "WKT is plain ASCII");
        let head = read_head(&dataset.path, 64)?;
        let text = String::from_utf8_lossy(&head);
        let srid = text.trim_start().to_ascii_uppercase().strip_prefix("SRID=").map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            format!("EPSG:{digits}")
        });
        let head = LayerHead { name, crs: srid, encoding, rows: None, notes: Vec::new(), hints: Vec::new() };
        Ok(WktSource { path: dataset.path.clone(), heads: vec![head] })
    }
}

impl Source for WktSource {
    fn format(&self) -> &str {
        "WKT"
    }
    fn layers(&self) -> &[LayerHead] {
        &self.heads
    }
    fn rows(&mut self, _layer: usize) -> Result<Box<dyn Rows + '_>> {
        let total = std::fs::metadata(&self.path)?.len();
        let input = BufReader::new(File::open(&self.path)?);
        Ok(Box::new(WktRows { input, total, done: 0, number: 0, wkb: Vec::new() }))
    }
}

struct WktRows {
    input: BufReader<File>,
    total: u64,
    done: u64,
    number: u64,
    wkb: Vec<u8>,
}

/// One geometry's text may not be larger.
const MAX_WKT: usize = 48 << 20;

impl Rows for WktRows {
    fn next(&mut self, row: &mut Row) -> Result<Next> {
        let (mut text, mut depth) = (Vec::new(), 0i64);
        loop {
            let start = text.len();
            let n = (&mut self.input).take(MAX_WKT as u64).read_until(b'\n', &mut text)?;
            self.done += n as u64;
            depth += text[start..].iter().map(|b| i64::from(*b == b'(') - i64::from(*b == b')')).sum::<i64>();
            if text.len() >= MAX_WKT {
                return Err(Error::too_large("有一个几何超过大小上限", "a geometry is larger than the limit"));
            }
            let blank = text.trim_ascii().is_empty();
            if n == 0 && blank {
                return Ok(Next::End);
            }
            if blank {
                text.clear();
            } else if n == 0 || depth <= 0 {
                break;
            }
        }
        self.number += 1;
        row.clear(self.number);
        let text = String::from_utf8_lossy(&text);
        columns::from_wkt(text.trim().trim_start_matches('\u{feff}').trim_end_matches([';', ',']), row, &mut self.wkb);
        Ok(Next::Row)
    }
    fn fields(&self) -> &[SourceField] {
        &[]
    }
    fn progress(&self) -> (u64, u64) {
        (self.done, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_the_one_that_fits() {
        let d = |s: &str| {
            let d = guess_dialect(s);
            (char::from(d.delimiter), char::from(d.quote), d.padded)
        };
        assert_eq!(d("x,y,n\n1,2,\"a,b\"\n"), (',', '"', false));
        assert_eq!(d("x;y\n1;2\n"), (';', '"', false));
        assert_eq!(d("i|wkt\n1|POINT(1 2)\n2|LINESTRING(1 2, 3 4)\n"), ('|', '"', false));
        assert_eq!(d("x,y,label\n0,0,'0,0'\n5,5,'5,5'\n"), (',', '\'', false));
        assert_eq!(d("t,g\na,   \"1,2\"\nb, \"3,4\"\n"), (',', '"', true));
    }
}
