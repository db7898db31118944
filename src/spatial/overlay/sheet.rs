//! The first sheet of an XLSX workbook: a header, then rows as in a csv. A workbook cannot be read as it comes; it is held in memory,
//! and what is larger than that allows is refused.

use std::io::Read;

use calamine::{Data, Range};
use csv::StringRecord;

use super::delimited::At;
use super::input::{Given, Row, Source, unreadable};
use super::{Columns, Problem};
use crate::error::{Error, Result};
use crate::upload::workbook;

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
    let range = workbook::first_sheet(&bytes, MOST_UNPACKED).map_err(|fault| match fault {
        workbook::Fault::Unreadable => no_workbook(),
        workbook::Fault::TooLarge => too_big(),
    })?;
    let header: StringRecord = range.rows().next().map(record).unwrap_or_default();
    let at = At::of(&header, columns)?;
    Ok(Sheet { range, next: 1, header, at })
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
    row.iter().map(workbook::text).collect()
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
    use std::io::Cursor;

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
