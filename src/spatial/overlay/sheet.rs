//! The first sheet of an XLSX workbook: a header, then rows as in a csv. The file, which is packed, is held in memory, and so are the texts
//! that its cells share; of the sheet a few rows are. What is larger than that allows is refused.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use csv::StringRecord;

use super::delimited::{At, MOST_COLUMNS, at_place};
use super::input::{Given, Row, Source, unreadable};
use super::{Columns, Problem};
use crate::error::{Error, Result};
use crate::upload::workbook::{self, Cells, Fault};

const MOST_BYTES: u64 = 24 << 20;
/// What sheets may unpack to, and what else there is.
const MOST_UNPACKED: (u64, u64) = (256 << 20, 32 << 20);
/// Rows that wait.
const WAITING: usize = 64;

type Next = Result<StringRecord, Fault>;

pub struct Sheet {
    rows: Receiver<Next>,
    header: StringRecord,
    at: At,
    row: u64,
}

pub fn open(input: impl Read, columns: &Columns) -> Result<Sheet> {
    within(input, columns, MOST_UNPACKED)
}

fn within(input: impl Read, columns: &Columns, most: (u64, u64)) -> Result<Sheet> {
    let mut bytes = vec![];
    input.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_big());
    }
    let (send, rows) = sync_channel(WAITING);
    // It ends when nobody takes its rows any more.
    std::thread::Builder::new().name("workbook".into()).spawn(move || read(&bytes, most, &send))?;
    let header = match rows.recv() {
        Ok(Ok(header)) => header,
        Ok(Err(Fault::TooLarge)) => return Err(too_big()),
        _ => return Err(no_workbook()),
    };
    if header.len() > MOST_COLUMNS {
        return Err(Error::invalid("body", "工作表应有 1 到 1000 列", "a sheet has 1 to 1,000 columns"));
    }
    let at = At::of(&header, columns)?;
    Ok(Sheet { rows, header, at, row: 1 })
}

/// Sends the header, then rows: as wide as the header, or wider where there is more.
fn read(bytes: &[u8], most: (u64, u64), send: &SyncSender<Next>) {
    // The table begins where its header does.
    let mut begin: Option<(usize, usize)> = None;
    let each = |cells: Cells| {
        let last = cells.iter().map(|(column, _)| *column).max().unwrap_or_default();
        let first = cells.iter().map(|(column, _)| *column).min().unwrap_or_default();
        let (left, width) = *begin.get_or_insert((first, last + 1 - first));
        let width = width.max((last + 1).saturating_sub(left));
        let mut texts = vec![String::new(); width];
        for (column, data) in &cells {
            if let Some(text) = column.checked_sub(left).and_then(|at| texts.get_mut(at)) {
                *text = workbook::text(data);
            }
        }
        send.send(Ok(StringRecord::from(texts))).is_ok()
    };
    if let Err(fault) = workbook::each_row(bytes, most, each) {
        let _ = send.send(Err(fault));
    }
}

fn too_big() -> Error {
    Error::too_large(
        "工作簿过大，上限 24 MiB（解压后工作表 256 MiB、文本 32 MiB）",
        "the workbook is too big: 24 MiB at most, unpacked 256 MiB of sheets and 32 MiB of texts",
    )
    .hint("请另存为 CSV", "save it as csv")
}

fn no_workbook() -> Error {
    Error::invalid("body", "不是可读的 XLSX 工作簿", "it is no XLSX workbook that can be read")
}

impl Source for Sheet {
    fn header(&self) -> Option<&StringRecord> {
        Some(&self.header)
    }

    fn next(&mut self) -> Result<Option<Row>, Problem> {
        self.row += 1;
        match self.rows.recv() {
            Ok(Ok(record)) => {
                let place = at_place(self.at, &record, &self.header);
                Ok(Some(Row { given: Given::Record(record), place }))
            }
            Ok(Err(_)) => Err(Problem::new(
                "unreadable",
                format!("第 {} 行起无法读取：工作簿已损坏", self.row),
                format!("from row {} on it cannot be read: the workbook is damaged", self.row),
            )),
            Err(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

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

    /// A workbook of one sheet with these rows.
    fn workbook(rows: &str) -> Vec<u8> {
        const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let book = format!(
            "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{TYPES}\"><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
        );
        let relations = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{TYPES}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
        );
        let root = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{TYPES}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>");
        let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
        for (name, text) in [
            ("_rels/.rels", root.as_str()),
            ("xl/workbook.xml", book.as_str()),
            ("xl/_rels/workbook.xml.rels", relations.as_str()),
            ("xl/worksheets/sheet1.xml", sheet.as_str()),
        ] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_cell_far_away_costs_nothing_and_what_is_too_much_is_refused() {
        // Read as a rectangle these three rows would be seventeen thousand million cells.
        let text = |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let number = |at: &str, v: &str| format!("<c r=\"{at}\"><v>{v}</v></c>");
        let rows = format!(
            "<row r=\"3\">{}{}</row><row r=\"4\">{}{}</row><row r=\"1048576\">{}{}</row>",
            text("B3", "lon"),
            text("C3", "lat"),
            number("B4", "120.5"),
            number("C4", "36"),
            number("B1048576", "121"),
            number("XFD1048576", "1"),
        );
        let mut sheet = open(Cursor::new(workbook(&rows)), &Columns::default()).unwrap();
        assert_eq!(sheet.header().unwrap(), vec!["lon", "lat"]);
        assert!(sheet.next().unwrap().unwrap().place.is_ok());
        assert_eq!(sheet.next().unwrap().unwrap().place.err().unwrap().code, "ragged");
        assert!(sheet.next().unwrap().is_none());
        let big = format!("{rows}{}", " ".repeat(1 << 20));
        let refused = within(Cursor::new(workbook(&big)), &Columns::default(), (1 << 20, 1 << 20)).err().unwrap();
        assert_eq!(refused.kind, crate::error::Kind::TooLarge);
    }
}
