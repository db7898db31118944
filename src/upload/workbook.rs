//! Small workbooks that come whole in a request: the first sheet of an XLSX file, held in memory within bounds. Workbooks of any size are
//! read by [`super::flat`], in a child process.

use std::io::{Cursor, Read, sink};

use calamine::{Data, Range, Reader, Xlsx};

/// Why there is no sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Unreadable,
    /// It unpacks to more than it may.
    TooLarge,
}

/// The first sheet of a workbook that unpacks to so many bytes at most.
pub fn first_sheet(bytes: &[u8], unpacked: u64) -> Result<Range<Data>, Fault> {
    unpacks(bytes, unpacked)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| Fault::Unreadable)?;
    book.worksheet_range_at(0).ok_or(Fault::Unreadable)?.map_err(|_| Fault::Unreadable)
}

/// What an archive says of its sizes need not be true: it is unpacked once, into nothing.
fn unpacks(bytes: &[u8], most: u64) -> Result<(), Fault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::Unreadable)?;
    let mut left = most;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|_| Fault::Unreadable)?;
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
