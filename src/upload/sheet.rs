//! Excel and OpenDocument sheets: each sheet with a header and coordinate columns is a layer.

use super::columns::{self, Place};
use super::encoding;
use super::files::Dataset;
use super::report::Note;
use super::source::{Cell, LayerHead, Next, Row, Rows, Source, SourceField};
use super::table;
use crate::error::{Error, Result};
use calamine::{Data, DataType, Range, Reader, Sheets};
use std::fs::File;
use std::io::BufReader;

/// Sheets are held in memory as a whole: above this (unpacked), the memory limit would be broken.
const MAX_UNPACKED: u64 = 64 << 20;
const MAX_XLS: u64 = 24 << 20;

pub struct SheetSource {
    heads: Vec<LayerHead>,
    sheets: Vec<(String, Place)>,
    book: Sheets<BufReader<File>>,
}

fn too_big() -> Error {
    Error::too_large("表格过大，无法在内存限制内读取", "the workbook is too big to be read within the memory limit")
        .hint("请另存为 CSV 后上传", "save it as CSV and upload that")
}

fn unreadable(e: impl std::fmt::Display) -> Error {
    Error::invalid("file", format!("工作簿无法读取：{e}"), format!("the workbook cannot be read: {e}"))
}

fn check_size(dataset: &Dataset) -> Result<()> {
    let file = File::open(&dataset.path)?;
    let length = file.metadata()?.len();
    let Ok(mut zip) = zip::ZipArchive::new(BufReader::new(file)) else {
        return if length > MAX_XLS { Err(too_big()) } else { Ok(()) };
    };
    let mut unpacked = 0u64;
    for i in 0..zip.len() {
        unpacked += zip.by_index_raw(i).map_err(unreadable)?.size();
    }
    if unpacked > MAX_UNPACKED { Err(too_big()) } else { Ok(()) }
}

impl SheetSource {
    pub fn open(dataset: &Dataset) -> Result<SheetSource> {
        check_size(dataset)?;
        let mut book = calamine::open_workbook_auto(&dataset.path).map_err(unreadable)?;
        let (mut heads, mut sheets, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
        for name in book.sheet_names() {
            let range = book.worksheet_range(&name).map_err(unreadable)?;
            if range.is_empty() {
                continue;
            }
            let (header, _) = header(&range);
            let samples: Vec<Vec<Cell>> =
                range.rows().skip(1).take(200).map(|r| r.iter().map(cell).collect()).collect();
            match table::understand(&format!("{}/{name}", dataset.name), &header, &samples) {
                Ok(place) => {
                    heads.push(LayerHead {
                        name: name.clone(),
                        crs: None,
                        encoding: encoding::found(
                            encoding_rs::UTF_8,
                            "工作簿自带 Unicode 文字",
                            "workbooks hold Unicode text",
                        ),
                        rows: Some(range.height() as u64 - 1),
                        notes: Vec::new(),
                        hints: header,
                    });
                    sheets.push((name, place));
                }
                Err(e) => refusals.push(e),
            }
        }
        if heads.is_empty() {
            return Err(refusals
                .into_iter()
                .next()
                .unwrap_or_else(|| Error::invalid("file", "工作簿中没有任何内容", "the workbook has no content")));
        }
        for e in refusals {
            heads[0].notes.push(Note::from(e.detail.clone()));
        }
        Ok(SheetSource { heads, sheets, book })
    }
}

/// The first row, and the number of rows it takes.
fn header(range: &Range<Data>) -> (Vec<String>, usize) {
    (range.rows().next().map(|r| r.iter().map(|c| c.to_string()).collect()).unwrap_or_default(), 1)
}

fn cell(data: &Data) -> Cell {
    match data {
        Data::Empty | Data::Error(_) => Cell::Null,
        Data::Int(i) => Cell::Int(*i),
        // Sheets know one number type only: whole ones are meant as integers.
        Data::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => Cell::Int(*f as i64),
        Data::Float(f) => Cell::Float(*f),
        Data::Bool(b) => Cell::Bool(*b),
        Data::String(s) if s.is_empty() => Cell::Null,
        Data::String(s) => Cell::Text(s.replace('\0', "")),
        Data::DateTimeIso(s) | Data::DurationIso(s) => Cell::Text(s.clone()),
        other => other
            .as_f64()
            .map(|serial| {
                // Excel's day 25569 is 1970-01-01; a whole number is a date, the rest is China's time of day.
                let micros = ((serial - 25_569.0) * 86_400_000.0).round() as i64 * 1000;
                if serial.fract() == 0.0 {
                    Cell::Date((serial - 25_569.0) as i32)
                } else {
                    Cell::Timestamp(micros - 8 * 3_600_000_000)
                }
            })
            .unwrap_or_else(|| Cell::Text(other.to_string())),
    }
}

impl Source for SheetSource {
    fn format(&self) -> &str {
        "Excel"
    }
    fn layers(&self) -> &[LayerHead] {
        &self.heads
    }
    fn rows(&mut self, layer: usize) -> Result<Box<dyn Rows + '_>> {
        let (name, place) = self
            .sheets
            .get(layer)
            .cloned()
            .ok_or_else(|| Error::invalid("index", "没有这个工作表", "there is no such sheet"))?;
        let range = self.book.worksheet_range(&name).map_err(unreadable)?;
        let (header, used) = header(&range);
        let fields = table::fields(&header, place, "Excel");
        Ok(Box::new(SheetRows { range, at: used, fields, place, wkb: Vec::new(), number: 0 }))
    }
}

struct SheetRows {
    range: Range<Data>,
    at: usize,
    fields: Vec<SourceField>,
    place: Place,
    wkb: Vec<u8>,
    number: u64,
}

impl Rows for SheetRows {
    fn next(&mut self, row: &mut Row) -> Result<Next> {
        loop {
            if self.at >= self.range.height() {
                return Ok(Next::End);
            }
            let (start_row, start_column) = self.range.start().unwrap_or_default();
            let line = start_row + self.at as u32;
            self.at += 1;
            row.clear(self.number + 1);
            for column in 0..self.range.width() as u32 {
                row.cells.push(self.range.get_value((line, start_column + column)).map_or(Cell::Null, cell));
            }
            // Blank rows between and below the data are formatting, not features.
            if row.cells.iter().all(|c| *c == Cell::Null) {
                continue;
            }
            self.number += 1;
            columns::locate(self.place, row, &mut self.wkb);
            return Ok(Next::Row);
        }
    }
    fn fields(&self) -> &[SourceField] {
        &self.fields
    }
    fn progress(&self) -> (u64, u64) {
        (self.at as u64, self.range.height() as u64)
    }
}
