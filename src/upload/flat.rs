//! A table as plain rows: any encoding, delimiter or workbook in, UTF-8 CSV out. For what reads a table many times and goes to its
//! rows by their place in the file.
//!
//! Nothing is guessed over: a row that does not fit the header, a text that is no text in the file's encoding, a first row that is
//! data are refused with the row and the cause.

use std::cell::Cell as Counter;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::rc::Rc;

use calamine::{DataRef, DataType, Reader, Xlsx};
use encoding_rs::{Encoding, UTF_8};
use serde::{Deserialize, Serialize};

use super::files::read_head;
use super::open::Progress;
use super::table::{guess_dialect, reader};
use super::text::{Decoded, sniff};
use crate::error::{Error, Result};

/// Values shown of each column.
const SAMPLES: usize = 5;
const MAX_COLUMNS: usize = 500;
/// The longest row, in bytes. A quote that is never closed makes the rest of the file one row.
const MAX_ROW: u64 = 1 << 20;
/// The bytes of a workbook's largest part, unpacked: its texts are held in memory.
const MAX_TEXTS: u64 = 120 << 20;

/// What was in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flat {
    pub format: String,
    pub encoding: String,
    pub rows: u64,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// The first values that are not empty and not there yet.
    pub sample: Vec<String>,
}

/// Takes rows, the header first, and writes them.
pub struct Flattener<W: Write> {
    out: csv::Writer<W>,
    columns: Vec<Column>,
    rows: u64,
}

fn refuse(zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::invalid("data", zh, en)
}

impl<W: Write> Flattener<W> {
    pub fn new(out: W) -> Self {
        Flattener { out: csv::Writer::from_writer(out), columns: vec![], rows: 0 }
    }

    /// The names of the columns.
    pub fn header(&mut self, names: &[String]) -> Result<()> {
        self.columns = header(names)?;
        self.out.write_record(self.columns.iter().map(|c| c.name.as_str())).map_err(broken)
    }

    /// One row. `line` is where it stands in its file, for what is said of it.
    pub fn row(&mut self, cells: &[String], line: u64) -> Result<()> {
        let (width, found) = (self.columns.len(), cells.len());
        if found != width {
            return Err(refuse(
                format!("第 {line} 行有 {found} 列，表头有 {width} 列"),
                format!("line {line} has {found} cells, the header has {width}"),
            )
            .hint(
                "含有分隔符的内容要用双引号括起来；缺少的列请补上空值",
                "put values that hold the delimiter into double quotes; fill missing cells up as empty ones",
            ));
        }
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            if column.sample.len() < SAMPLES && !cell.trim().is_empty() && !column.sample.contains(cell) {
                column.sample.push(cell.chars().take(200).collect());
            }
        }
        self.out.write_record(cells).map_err(broken)
    }

    /// What was written. A table without rows is an error.
    pub fn finish(mut self, format: &str, encoding: &str) -> Result<Flat> {
        self.out.flush()?;
        if self.rows == 0 {
            return Err(refuse("文件中没有数据行", "the file has no rows below its header"));
        }
        Ok(Flat { format: format.into(), encoding: encoding.into(), rows: self.rows, columns: self.columns })
    }
}

fn broken(e: csv::Error) -> Error {
    match e.into_kind() {
        csv::ErrorKind::Io(e) => e.into(),
        e => Error::internal(format!("a row cannot be written: {e:?}")),
    }
}

/// Rewrites the file at `path` into `out`.
pub fn flatten(
    path: &Path,
    encoding: Option<&'static Encoding>,
    out: &mut File,
    progress: &mut dyn FnMut(Progress),
) -> Result<Flat> {
    let head = read_head(path, 8)?;
    if head.is_empty() {
        return Err(refuse("文件是空的", "the file is empty"));
    }
    let out = BufWriter::with_capacity(256 << 10, out);
    if head.starts_with(b"PK\x03\x04") {
        return workbook(path, Flattener::new(out), progress);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Error::unsupported("不支持旧版 xls", "the old xls format is not read here")
            .hint("请另存为 xlsx 或 CSV", "save it as xlsx or CSV"));
    }
    text(path, encoding, Flattener::new(out), progress)
}

/// Bytes since the last row; more than a row may have is an error, not memory.
struct Metered<R> {
    inner: R,
    since: Rc<Counter<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.since.get() > MAX_ROW {
            return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        }
        let n = self.inner.read(out)?;
        self.since.set(self.since.get() + n as u64);
        Ok(n)
    }
}

fn text(
    path: &Path,
    encoding: Option<&'static Encoding>,
    mut flat: Flattener<impl Write>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Flat> {
    let (found, _) = sniff(path)?;
    let encoding = encoding.unwrap_or(found);
    let total = std::fs::metadata(path)?.len();
    let sample = {
        let head = read_head(path, 256 << 10)?;
        let (text, _) = encoding.decode_with_bom_removal(&head);
        text.into_owned()
    };
    let dialect = guess_dialect(&sample);
    let input = Decoded::open(path, encoding)?;
    let (read, since) = (input.read.clone(), Rc::new(Counter::new(0)));
    let mut rows = reader(Metered { inner: input, since: since.clone() }, dialect);
    let (mut record, mut cells, mut first) = (csv::ByteRecord::new(), Vec::new(), true);
    let mut last = 0;
    loop {
        since.set(0);
        match rows.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) => return Err(unreadable(e, last + 1)),
        }
        let line = record.position().map_or(last + 1, csv::Position::line);
        last = line;
        decode(&record, line, encoding, &mut cells)?;
        match std::mem::take(&mut first) {
            true => flat.header(&cells)?,
            false => flat.row(&cells, line)?,
        }
        if flat.rows.is_multiple_of(20_000) {
            progress(Progress { stage: "read".into(), done: read.load(std::sync::atomic::Ordering::Relaxed), total });
        }
    }
    let format = if dialect.delimiter() == b'\t' { "TSV" } else { "CSV" };
    flat.finish(format, encoding.name())
}

fn unreadable(e: csv::Error, line: u64) -> Error {
    match e.into_kind() {
        csv::ErrorKind::Io(e) if e.kind() == std::io::ErrorKind::FileTooLarge => refuse(
            format!("从第 {line} 行起的一行超过 1 MiB，可能有双引号没有闭合"),
            format!("the row that begins at line {line} is longer than 1 MiB: a quote may not be closed"),
        ),
        csv::ErrorKind::Io(e) => e.into(),
        e => refuse(format!("第 {line} 行起无法读取：{e:?}"), format!("it cannot be read from line {line} on: {e:?}")),
    }
}

/// The cells of a record as texts. What the encoding could not say is refused, with its line.
fn decode(record: &csv::ByteRecord, line: u64, encoding: &'static Encoding, cells: &mut Vec<String>) -> Result<()> {
    cells.clear();
    for (i, bytes) in record.iter().enumerate() {
        let text = std::str::from_utf8(bytes).map_err(|_| no_text(line, i, encoding))?;
        // In a file of UTF-8 the replacement character is somebody else's loss; elsewhere it is ours, made while decoding.
        if text.contains('\0') || encoding != UTF_8 && text.contains('\u{fffd}') {
            return Err(no_text(line, i, encoding));
        }
        cells.push(text.to_owned());
    }
    Ok(())
}

fn no_text(line: u64, cell: usize, encoding: &'static Encoding) -> Error {
    let (name, column) = (encoding.name(), cell + 1);
    refuse(
        format!("第 {line} 行第 {column} 列不是合法的 {name} 文字"),
        format!("line {line}, cell {column} is no text in {name}"),
    )
    .hint(
        "请另存为 UTF-8 编码的 CSV，或用 encoding 指明编码",
        "save it as CSV in UTF-8, or name its encoding by `encoding`",
    )
}

/// The header, checked.
fn header(names: &[String]) -> Result<Vec<Column>> {
    if names.len() > MAX_COLUMNS {
        let n = names.len();
        return Err(refuse(
            format!("文件有 {n} 列，超过上限 {MAX_COLUMNS}"),
            format!("the file has {n} columns; the limit is {MAX_COLUMNS}"),
        ));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let name = name.trim();
        if looks_like_data(name) {
            let shown: String = name.chars().take(40).collect();
            return Err(refuse(
                format!("第 1 行不像表头：第 {} 列是“{shown}”", i + 1),
                format!("line 1 is no header: cell {} is “{shown}”", i + 1),
            )
            .hint("请在首行写明列名", "name the columns in the first row"));
        }
        let name = if name.is_empty() { format!("column_{}", i + 1) } else { name.to_owned() };
        if columns.iter().any(|c| c.name == name) {
            return Err(refuse(
                format!("第 1 行的列名“{name}”重复"),
                format!("line 1 names the column “{name}” more than once"),
            ));
        }
        columns.push(Column { name, sample: vec![] });
    }
    if names.iter().all(|n| n.trim().is_empty()) {
        return Err(refuse("第 1 行是空的，应为列名", "line 1 is empty; it should name the columns"));
    }
    Ok(columns)
}

/// A number, a long text, or what reads like an address: not the name of a column.
fn looks_like_data(name: &str) -> bool {
    let number = name.len() > 3 && name.parse::<f64>().is_ok();
    let digit = name.chars().any(|c| c.is_ascii_digit() || ('０'..='９').contains(&c));
    let addressed =
        digit && name.chars().count() >= 5 && name.contains(['号', '路', '街', '巷', '弄', '室', '栋', '楼']);
    number || addressed || name.chars().count() > 60
}

fn workbook(path: &Path, mut flat: Flattener<impl Write>, progress: &mut dyn FnMut(Progress)) -> Result<Flat> {
    check_texts(path)?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(File::open(path)?)).map_err(no_workbook)?;
    for name in book.sheet_names() {
        let mut cells = book.worksheet_cells_reader(&name).map_err(no_workbook)?;
        let mut sheet = Sheet { flat: &mut flat, row: vec![], at: None, width: 0, total: 0 };
        sheet.total = u64::from(cells.dimensions().end.0) + 1;
        while let Some(cell) = cells.next_cell().map_err(no_workbook)? {
            let (row, column) = cell.get_position();
            if sheet.at != Some(row) {
                sheet.end_row(progress)?;
                sheet.at = Some(row);
            }
            let column = column as usize;
            if column >= MAX_COLUMNS {
                let line = row + 1;
                return Err(refuse(
                    format!("第 {line} 行超过 {MAX_COLUMNS} 列"),
                    format!("row {line} has more than {MAX_COLUMNS} cells"),
                ));
            }
            if sheet.row.len() <= column {
                sheet.row.resize(column + 1, String::new());
            }
            sheet.row[column] = cell_text(cell.get_value());
        }
        sheet.end_row(progress)?;
        if !flat.columns.is_empty() {
            return flat.finish("XLSX", "UTF-8");
        }
    }
    Err(refuse("工作簿中没有任何内容", "the workbook has no content"))
}

fn no_workbook(e: calamine::XlsxError) -> Error {
    refuse(format!("工作簿无法读取：{e}"), format!("the workbook cannot be read: {e}"))
}

/// A workbook's texts are held in memory, all at once: too many would break the reader's limit.
fn check_texts(path: &Path) -> Result<()> {
    let mut zip = zip::ZipArchive::new(BufReader::new(File::open(path)?))
        .map_err(|e| refuse(format!("工作簿无法读取：{e}"), format!("the workbook cannot be read: {e}")))?;
    for i in 0..zip.len() {
        let Ok(part) = zip.by_index_raw(i) else { continue };
        let sheet = part.name().is_ok_and(|name| name.starts_with("xl/worksheets/"));
        if !sheet && part.size() > MAX_TEXTS {
            return Err(Error::too_large(
                "表格过大，无法在内存限制内读取",
                "the workbook is too big to be read within the memory limit",
            )
            .hint("请另存为 CSV 后上传", "save it as CSV and upload that"));
        }
    }
    Ok(())
}

/// A sheet on its way: the row that is being put together.
struct Sheet<'a, W: Write> {
    flat: &'a mut Flattener<W>,
    row: Vec<String>,
    at: Option<u32>,
    width: usize,
    total: u64,
}

impl<W: Write> Sheet<'_, W> {
    /// Rows end at their last cell that holds something; blank rows are formatting.
    fn end_row(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        while self.row.last().is_some_and(|c| c.trim().is_empty()) {
            self.row.pop();
        }
        let (Some(at), false) = (self.at, self.row.is_empty()) else { return Ok(()) };
        let line = u64::from(at) + 1;
        if self.width == 0 {
            self.width = self.row.len();
            self.flat.header(&self.row)?;
        } else {
            if self.row.len() < self.width {
                self.row.resize(self.width, String::new());
            }
            self.flat.row(&self.row, line)?;
            if line.is_multiple_of(20_000) {
                progress(Progress { stage: "read".into(), done: line, total: self.total });
            }
        }
        self.row.clear();
        Ok(())
    }
}

fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::Int(i) => i.to_string(),
        // Sheets know one number type only: whole ones are meant as integers.
        DataRef::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => format!("{f:.0}"),
        DataRef::Float(f) => f.to_string(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::String(s) | DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => s.replace('\0', ""),
        DataRef::SharedString(s) => s.replace('\0', ""),
        DataRef::DateTime(_) => day(value.as_f64().unwrap_or_default()),
    }
}

/// Excel counts days; 25,569 is 1970-01-01.
fn day(serial: f64) -> String {
    let seconds = ((serial - 25_569.0) * 86_400.0).round() as i64;
    let Ok(at) = jiff::Timestamp::from_second(seconds) else { return serial.to_string() };
    let form = if serial.fract() == 0.0 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(bytes: &[u8]) -> Result<(Flat, String)> {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("in"), folder.path().join("out"));
        std::fs::write(&from, bytes).unwrap();
        let mut out = File::create(&to).unwrap();
        let report = flatten(&from, None, &mut out, &mut |_| ())?;
        Ok((report, std::fs::read_to_string(to).unwrap()))
    }

    fn cause(bytes: &[u8]) -> String {
        flat(bytes).expect_err("refused").detail.en.clone()
    }

    #[test]
    fn encodings_and_delimiters_come_out_alike() {
        let table = "编号,地址\n1,市南区香港中路10号\n2,市北区台东一路3号\n";
        let (gbk, _, _) = encoding_rs::GB18030.encode(table);
        let bom = [b"\xef\xbb\xbf", table.as_bytes()].concat();
        let tabs = table.replace(',', "\t");
        for (bytes, encoding) in
            [(table.as_bytes(), "UTF-8"), (&*gbk, "gb18030"), (&*bom, "UTF-8"), (tabs.as_bytes(), "UTF-8")]
        {
            let (report, text) = flat(bytes).unwrap();
            assert_eq!((report.rows, report.encoding.as_str(), text.as_str()), (2, encoding, table));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_row_and_cause() {
        assert_eq!(cause(b""), "the file is empty");
        assert_eq!(cause("编号,地址\n".as_bytes()), "the file has no rows below its header");
        assert_eq!(cause("编号,地址\n1,甲\n2,乙,丙\n".as_bytes()), "line 3 has 3 cells, the header has 2");
        assert_eq!(cause("编号,地址\n1,甲\n2\n".as_bytes()), "line 3 has 1 cells, the header has 2");
        let data = "1001,市南区香港中路10号\n1002,市北区台东一路3号\n";
        assert_eq!(cause(data.as_bytes()), "line 1 is no header: cell 1 is “1001”");
        assert_eq!(cause("地址,地址\n甲,乙\n".as_bytes()), "line 1 names the column “地址” more than once");
        let open = format!("编号,地址\n1,\"甲\n{}", "2,乙\n".repeat(400_000));
        assert!(cause(open.as_bytes()).starts_with("the row that begins at line 2 is longer than 1 MiB"));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let (gbk, _, _) = encoding_rs::GB18030.encode("编号,地址\n1,市南区香港中路\n2,");
        let bytes = [&*gbk, b"\xff\xff\n"].concat();
        let said = cause(&bytes);
        assert!(said.starts_with("line 3, cell 2 is no text in"), "{said}");
    }

    #[test]
    fn a_quoted_line_break_stays_in_its_cell() {
        let (report, text) = flat("编号,地址\n1,\"甲\n乙,丙\"\n".as_bytes()).unwrap();
        assert_eq!((report.rows, text.as_str()), (1, "编号,地址\n1,\"甲\n乙,丙\"\n"));
    }
}
