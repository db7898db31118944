//! Workbooks that come whole in a request: the first sheet of an XLSX file, held in memory within bounds or read row by row. Workbooks of
//! any size are read by [`super::flat`], in a child process.

use std::io::{Cursor, Read, sink};

use calamine::{Data, Range, Reader, Xlsx};

/// Why there is no sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Unreadable,
    /// It unpacks to more than it may.
    TooLarge,
}

/// Cells of a row, as many as Excel has columns.
const MOST_CELLS: usize = 16_384;

/// A row's cells, each with its column from 0. Cells that are empty may be missing.
pub type Cells = Vec<(usize, Data)>;

/// Hands the rows of the first sheet to `take`, until it has enough: of the sheet one row is held at a time, beside the workbook's texts. Its sheets
/// may unpack to `sheets` bytes, everything else in it, the texts, to `texts`.
pub fn each_row(bytes: &[u8], (sheets, texts): (u64, u64), mut take: impl FnMut(Cells) -> bool) -> Result<(), Fault> {
    let is_sheet = |name: &str| name.trim_start_matches('/').starts_with("xl/worksheets/");
    unpacks(bytes, sheets, is_sheet)?;
    unpacks(bytes, texts, |name| !is_sheet(name))?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| Fault::Unreadable)?;
    let name = book.sheet_names().into_iter().next().ok_or(Fault::Unreadable)?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(|_| Fault::Unreadable)?;
    let (mut now, mut row) = (0, Cells::new());
    while let Some(cell) = cells.next_cell().map_err(|_| Fault::Unreadable)? {
        let (at, column) = cell.get_position();
        if at != now && !row.is_empty() && !take(std::mem::take(&mut row)) {
            return Ok(());
        }
        now = at;
        if row.len() >= MOST_CELLS {
            return Err(Fault::Unreadable);
        }
        match Data::from(cell.get_value().clone()) {
            Data::Empty => {}
            data => row.push((column as usize, data)),
        }
    }
    if !row.is_empty() {
        take(row);
    }
    Ok(())
}

/// The first sheet of a workbook that unpacks to so many bytes at most.
pub fn first_sheet(bytes: &[u8], unpacked: u64) -> Result<Range<Data>, Fault> {
    unpacks(bytes, unpacked, |_| true)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| Fault::Unreadable)?;
    book.worksheet_range_at(0).ok_or(Fault::Unreadable)?.map_err(|_| Fault::Unreadable)
}

/// What an archive says of its sizes need not be true: the entries that count are unpacked once, into nothing.
fn unpacks(bytes: &[u8], most: u64, counts: impl Fn(&str) -> bool) -> Result<(), Fault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::Unreadable)?;
    let mut left = most;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|_| Fault::Unreadable)?;
        if !counts(&entry.name().map_err(|_| Fault::Unreadable)?) {
            continue;
        }
        let size = std::io::copy(&mut entry.take(left + 1), &mut sink()).map_err(|_| Fault::Unreadable)?;
        left = left.checked_sub(size).ok_or(Fault::TooLarge)?;
    }
    Ok(())
}

/// A cell as a person reads it: whole numbers without a fraction, days and times after ISO 8601.
pub fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => format!("{v:.0}"),
        Data::DateTime(serial) => moment(serial.as_f64()).unwrap_or_else(|| cell.to_string()),
        other => other.to_string().replace('\0', ""),
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
