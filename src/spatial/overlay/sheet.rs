//! The first sheet of an XLSX workbook: a header, then rows as in a csv. A workbook cannot be read as it comes; it is held in memory,
//! and what is larger than that allows is refused.

use std::io::{Cursor, Read, sink};

use calamine::{Data, Range, Reader, Xlsx};
use csv::StringRecord;

use super::delimited::At;
use super::input::{Given, Row, Source, unreadable};
use super::{Columns, Problem};
use crate::error::{Error, Result};

const MOST_BYTES: u64 = 24 << 20;
const MOST_UNPACKED: u64 = 128 << 20;

pub struct Sheet {
    range: Range<Data>,
    next: usize,
    header: StringRecord,
    at: At,
}

pub fn open(input: impl Read, columns: &Columns) -> Result<Sheet> {
    let mut bytes = vec![];
    input.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_big());
    }
    unpacks(&bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| no_workbook())?;
    let name = book.sheet_names().first().cloned().ok_or_else(no_workbook)?;
    let range = book.worksheet_range(&name).map_err(|_| no_workbook())?;
    let header: StringRecord = range.rows().next().map(record).unwrap_or_default();
    let at = At::of(&header, columns)?;
    Ok(Sheet { range, next: 1, header, at })
}

/// What a workbook says of its size need not be true: it is unpacked once to see.
fn unpacks(bytes: &[u8]) -> Result<()> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| no_workbook())?;
    let mut left = MOST_UNPACKED;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|_| no_workbook())?;
        let size = std::io::copy(&mut entry.take(left + 1), &mut sink()).map_err(|_| no_workbook())?;
        left = left.checked_sub(size).ok_or_else(too_big)?;
    }
    Ok(())
}

fn too_big() -> Error {
    Error::too_large(
        "工作簿过大，上限 24 MiB（解压后 128 MiB）",
        "the workbook is too big: 24 MiB at most, 128 MiB unpacked",
    )
    .hint("请另存为 CSV", "save it as csv")
}

fn no_workbook() -> Error {
    Error::invalid("body", "不是可读的 XLSX 工作簿", "it is no XLSX workbook that can be read")
}

fn record(row: &[Data]) -> StringRecord {
    row.iter().map(text).collect()
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => format!("{v:.0}"),
        Data::DateTime(serial) => moment(serial.as_f64()).unwrap_or_else(|| cell.to_string()),
        other => other.to_string(),
    }
}

/// Day 0 of a workbook is 1899-12-30; a whole number is a date.
fn moment(serial: f64) -> Option<String> {
    let seconds = (serial * 86_400.0).round();
    if !(0.0..3e11).contains(&seconds) {
        return None;
    }
    let at =
        jiff::civil::date(1899, 12, 30).at(0, 0, 0, 0).checked_add(jiff::Span::new().seconds(seconds as i64)).ok()?;
    Some(if serial.fract() == 0.0 { at.date().to_string() } else { at.to_string() })
}

impl Source for Sheet {
    fn header(&self) -> Option<&StringRecord> {
        Some(&self.header)
    }

    fn next(&mut self) -> Result<Option<Row>, Problem> {
        loop {
            if self.next >= self.range.height() {
                return Ok(None);
            }
            let cells = &self.range[self.next];
            self.next += 1;
            // Blank rows between and below the data are formatting.
            if cells.iter().all(|cell| matches!(cell, Data::Empty)) {
                continue;
            }
            let record = record(cells);
            let place = self.at.place(&record);
            return Ok(Some(Row { given: Given::Record(record), place }));
        }
    }
}

#[cfg(test)]
mod tests {
    use onemap_formats::{Sheets, Value};

    use super::super::input::Place;
    use super::*;

    #[test]
    fn the_first_sheet_is_read_row_by_row() {
        let mut sheets = Sheets::new("数据", ["名称", "经度", "纬度", "日期"].map(str::to_owned).to_vec()).unwrap();
        sheets.row([Value::Text("甲"), Value::Float(120.5), Value::Integer(36), Value::Date(18_000)]).unwrap();
        sheets.row([Value::Text("乙"), Value::Text("?"), Value::Integer(36), Value::Null]).unwrap();
        sheets.finish(&[]).unwrap();
        let mut bytes = vec![];
        sheets.drain(&mut bytes);
        let mut sheet = open(Cursor::new(bytes.clone()), &Columns::default()).unwrap();
        assert_eq!(sheet.header().unwrap(), vec!["名称", "经度", "纬度", "日期"]);
        let row = sheet.next().unwrap().unwrap();
        assert!(matches!(row.place, Ok(Place::Geometry(geo::Geometry::Point(p))) if p.x() == 120.5 && p.y() == 36.0));
        let Given::Record(record) = row.given else { panic!() };
        assert_eq!(record, vec!["甲", "120.5", "36", "2019-04-14"]);
        assert_eq!(sheet.next().unwrap().unwrap().place.err().unwrap().code, "not-a-number");
        assert!(sheet.next().unwrap().is_none());
        bytes.truncate(bytes.len() / 2);
        assert!(open(Cursor::new(bytes), &Columns::default()).is_err());
    }
}
