//! A file of addresses as a table: csv or tsv in UTF-8 or GBK, read over once before anything is done with it, so that what is
//! wrong is said with its row, and not in the middle of an answer.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::error::{Error, Result};
use crate::upload::encoding;
use crate::upload::text::{Decoded, sniff};

/// A row's text at most: what is longer is no address, and no row.
const LONGEST_ROW: usize = 64 << 10;
const MOST_COLUMNS: usize = 500;

#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    pub encoding: &'static Encoding,
    /// Whether the file began with a byte order mark.
    pub bom: bool,
    pub delimiter: u8,
    pub header: Vec<String>,
    pub rows: u64,
}

impl Table {
    /// Reads the whole file: its encoding, its header, and whether every row is as wide.
    pub fn open(path: &Path, named: Option<&str>, delimiter: Option<u8>) -> Result<Table> {
        let mut head = [0u8; 4];
        let length = std::fs::metadata(path)?.len();
        {
            use std::io::Read;
            let _ = std::fs::File::open(path)?.read(&mut head)?;
        }
        if length == 0 {
            return Err(wrong("文件是空的", "the file is empty"));
        }
        if head.starts_with(b"PK\x03\x04") || head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(wrong("这是 Excel 文件，不是 csv", "this is an Excel file, not csv")
                .hint("Excel 文件请用 POST /address/jobs，或另存为 csv", "use POST /address/jobs, or save it as csv"));
        }
        let bom = Encoding::for_bom(&head).is_some();
        let encoding = match named {
            None => sniff(path)?.0,
            Some(name) => encoding::by_name(name).ok_or_else(|| {
                let shown: String = name.chars().take(40).collect();
                Error::invalid("encoding", format!("没有编码 {shown}"), format!("there is no encoding {shown}"))
                    .hint("可用：utf-8、gbk", "say utf-8 or gbk")
            })?,
        };
        let mut table = Table { path: path.to_owned(), encoding, bom, delimiter: b',', header: vec![], rows: 0 };
        table.delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => table.guess_delimiter()?,
        };
        table.look_over()?;
        Ok(table)
    }

    /// The delimiter that the first line has most of.
    fn guess_delimiter(&self) -> Result<u8> {
        use std::io::{BufRead, Read};
        let mut line = vec![];
        let mut input = std::io::BufReader::new(Decoded::open(&self.path, self.encoding)?.take(LONGEST_ROW as u64));
        input.read_until(b'\n', &mut line).map_err(|e| unreadable(&e))?;
        let count = |d: u8| line.iter().filter(|b| **b == d).count();
        Ok([b',', b'\t', b';', b'|'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b','))
    }

    fn look_over(&mut self) -> Result<()> {
        let mut records = self.records()?;
        self.header = records.headers().map_err(|e| self.told(&e))?.iter().map(|h| h.trim().to_owned()).collect();
        self.check_header()?;
        let mut record = StringRecord::new();
        loop {
            match records.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(e) => return Err(self.told(&e)),
            }
            self.rows += 1;
            let line = || record.position().map_or(0, csv::Position::line);
            if record.as_slice().len() > LONGEST_ROW {
                let line = line();
                return Err(wrong(
                    format!("第 {line} 行过长：引号可能没有成对"),
                    format!("line {line} is too long: a quotation mark may be missing"),
                ));
            }
            // What the decoder could not read. Text that really holds the replacement character is as unreadable.
            if let Some(column) = record.iter().position(|v| v.contains('\u{fffd}')) {
                let (line, name) = (line(), self.header[column].as_str());
                return Err(wrong(
                    format!("第 {line} 行“{name}”列含有无法按 {} 解码的字符", self.encoding.name()),
                    format!("line {line}, column “{name}”: characters that are not {}", self.encoding.name()),
                )
                .hint(
                    "请另存为 UTF-8，或用 encoding 指明编码",
                    "save it as UTF-8, or say its encoding by `encoding`",
                ));
            }
        }
        Ok(())
    }

    fn check_header(&self) -> Result<()> {
        let header = &self.header;
        if header.iter().all(String::is_empty) {
            return Err(wrong("缺少表头：第一行应为列名", "there is no header: the first line names the columns"));
        }
        if header.len() > MOST_COLUMNS {
            return Err(wrong(format!("超过 {MOST_COLUMNS} 列"), format!("more than {MOST_COLUMNS} columns")));
        }
        if header.iter().any(|h| h.contains('\u{fffd}') || h.contains('\0')) {
            return Err(wrong(
                "第 1 行：表头无法解码，文件可能不是文本",
                "line 1: the header cannot be decoded; this may be no text",
            ));
        }
        if let Some(twice) = (1..header.len()).find(|&i| !header[i].is_empty() && header[..i].contains(&header[i])) {
            let name = &header[twice];
            return Err(wrong(
                format!("第 1 行：列名“{name}”重复"),
                format!("line 1: the column “{name}” is there twice"),
            ));
        }
        Ok(())
    }

    /// The rows from the first on, after the header.
    pub fn records(&self) -> Result<csv::Reader<Decoded>> {
        Ok(csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .buffer_capacity(128 << 10)
            .from_reader(Decoded::open(&self.path, self.encoding)?))
    }

    /// Where the named columns are.
    pub fn columns(&self, names: &[String], parameter: &str) -> Result<Vec<usize>> {
        names.iter().map(|name| self.column(name, parameter)).collect()
    }

    fn column(&self, name: &str, parameter: &str) -> Result<usize> {
        self.header.iter().position(|h| h == name.trim()).ok_or_else(|| {
            let shown: String = name.chars().take(60).collect();
            let all: Vec<&str> = self.header.iter().take(40).map(String::as_str).collect();
            Error::invalid(parameter, format!("没有列“{shown}”"), format!("there is no column “{shown}”"))
                .hint(format!("文件中的列：{}", all.join("、")), format!("the file has {}", all.join(", ")))
        })
    }

    /// Whether a spreadsheet needs a byte order mark to read the answer as it read the question.
    pub fn wants_bom(&self) -> bool {
        self.bom || self.encoding == GB18030
    }

    /// A fault of csv in the caller's words.
    pub fn told(&self, e: &csv::Error) -> Error {
        let line = |pos: &Option<csv::Position>| pos.as_ref().map_or(0, csv::Position::line);
        match e.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = line(pos);
                wrong(
                    format!("第 {line} 行有 {len} 列，表头有 {expected_len} 列"),
                    format!("line {line} has {len} columns, the header has {expected_len}"),
                )
                .hint("值中的逗号需要引号", "values with commas need quotation marks")
            }
            csv::ErrorKind::Utf8 { pos, .. } => {
                let line = line(pos);
                wrong(format!("第 {line} 行不是 {}", UTF_8.name()), format!("line {line} is not {}", UTF_8.name()))
                    .hint("请用 encoding 指明编码，如 gbk", "say its encoding by `encoding`, such as gbk")
            }
            _ => wrong("文件无法读取", "the file cannot be read").because(e.to_string()),
        }
    }
}

fn unreadable(e: &std::io::Error) -> Error {
    wrong("文件无法读取", "the file cannot be read").because(e.to_string())
}

fn wrong(zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::invalid("data", zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> Result<Table> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Table::open(file.path(), None, None)
    }

    #[test]
    fn gbk_utf8_with_a_mark_and_tabs_are_read() {
        let text = "编号,地址\n1,青岛市市南区香港中路12号\n2,胶州市上合大道八十九号\n";
        let (gbk, ..) = GB18030.encode(text);
        let table = open(&gbk).unwrap();
        assert_eq!((table.encoding, table.rows, table.header[1].as_str()), (GB18030, 2, "地址"));
        let marked = open(format!("\u{feff}{text}").as_bytes()).unwrap();
        assert_eq!((marked.header[0].as_str(), marked.wants_bom()), ("编号", true));
        assert_eq!(open(text.replace(',', "\t").as_bytes()).unwrap().delimiter, b'\t');
        let one = open("地址\n香港中路12号\n".as_bytes()).unwrap();
        assert_eq!((one.rows, one.delimiter), (1, b','));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_row() {
        let says = |bytes: &[u8], part: &str| {
            let e = open(bytes).unwrap_err();
            assert!(e.detail.en.contains(part), "{e}");
        };
        says(b"", "empty");
        says("a,b\n1,2\n3\n".as_bytes(), "line 3 has 1 columns, the header has 2");
        says("a,a\n1,2\n".as_bytes(), "twice");
        says(",\n1,2\n".as_bytes(), "no header");
        says(b"PK\x03\x04rest", "Excel");
        let mut broken = "编号,地址\n1,青岛市\n".repeat(3).into_bytes();
        broken.extend_from_slice(b"2,\xff\xfe\xff\n");
        assert!(open(&broken).is_err());
    }
}
