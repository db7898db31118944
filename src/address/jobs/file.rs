//! The rows of a job, as they were given: UTF-8 CSV that was checked when it was written, read from any row on by its place.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use csv::ByteRecord;

use crate::error::{Error, Result};

pub struct RowsFile {
    reader: csv::Reader<File>,
    /// Where the reader's own counting begins in the file.
    base: u64,
    record: ByteRecord,
}

fn reader(file: File, buffer: usize) -> csv::Reader<File> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(buffer).from_reader(file)
}

fn damaged(e: impl std::fmt::Display) -> Error {
    Error::internal(format!("the rows of an address job cannot be read: {e}"))
}

impl RowsFile {
    /// At the first row, below the header.
    pub fn open(path: &Path) -> Result<RowsFile> {
        let mut file = RowsFile { reader: reader(File::open(path)?, 256 << 10), base: 0, record: ByteRecord::new() };
        file.next()?;
        Ok(file)
    }

    /// At the row that begins at `place`; 0 is the first row.
    pub fn open_at(path: &Path, place: u64) -> Result<RowsFile> {
        let mut file = RowsFile::open(path)?;
        if place > 0 {
            file.go_to(place)?;
        }
        Ok(file)
    }

    /// Where the next row begins.
    pub fn place(&self) -> u64 {
        self.base + self.reader.position().byte()
    }

    pub fn go_to(&mut self, place: u64) -> Result<()> {
        if self.place() != place {
            let mut file = self.reader.get_ref().try_clone()?;
            file.seek(SeekFrom::Start(place))?;
            self.reader = reader(file, 64 << 10);
            self.base = place;
        }
        Ok(())
    }

    /// The next row; its place was [`RowsFile::place`].
    pub fn next(&mut self) -> Result<Option<&ByteRecord>> {
        let more = self.reader.read_byte_record(&mut self.record).map_err(damaged)?;
        Ok(more.then_some(&self.record))
    }
}

/// A cell as text.
pub fn cell(record: &ByteRecord, column: usize) -> Result<&str> {
    std::str::from_utf8(record.get(column).unwrap_or_default()).map_err(damaged)
}

/// The address of a row: its columns in the order chosen. Where two would run together into one number or word, a blank is put
/// between; Chinese needs none.
pub fn join(record: &ByteRecord, columns: &[usize], text: &mut String) -> Result<()> {
    text.clear();
    for column in columns {
        let more = cell(record, *column)?.trim();
        let runs = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if runs(text.chars().next_back()) && runs(more.chars().next()) {
            text.push(' ');
        }
        text.push_str(more);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_again_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, "编号,地址\n1,\"甲\n乙\"\n2,丙\n3,丁\n").unwrap();
        let mut file = RowsFile::open(&path).unwrap();
        let mut seen = vec![];
        loop {
            let place = file.place();
            let Some(record) = file.next().unwrap() else { break };
            seen.push((place, cell(record, 1).unwrap().to_owned()));
        }
        assert_eq!(seen.iter().map(|(_, t)| t.as_str()).collect::<Vec<_>>(), ["甲\n乙", "丙", "丁"]);
        for (place, text) in seen.iter().rev() {
            let mut again = RowsFile::open_at(&path, *place).unwrap();
            assert_eq!(cell(again.next().unwrap().unwrap(), 1).unwrap(), text);
            file.go_to(*place).unwrap();
            assert_eq!((file.place(), cell(file.next().unwrap().unwrap(), 1).unwrap()), (*place, text.as_str()));
        }
    }

    #[test]
    fn columns_are_joined_without_running_together() {
        let mut text = String::new();
        join(&ByteRecord::from(vec!["市南区", " 香港中路 ", "3", "2", "301室"]), &[0, 1, 2, 3, 4], &mut text).unwrap();
        assert_eq!(text, "市南区香港中路3 2 301室");
    }
}
