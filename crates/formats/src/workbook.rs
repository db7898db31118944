//! A workbook (ECMA-376, SpreadsheetML), row by row: texts inline, so that nothing is held in memory. A sheet that is full is
//! followed by the next.

use std::fmt::Write as _;

use crate::shape::Shape;
use crate::table::{GeometryColumns, Table, Type};
use crate::zipped::Zipped;
use crate::{Error, Result, Row, Value, Writer, value, wkt};

/// Rows of a sheet, its header included.
const ROWS: u32 = 1_048_576;
/// Bytes of a sheet's text: an entry of the archive must stay below 4 GiB.
const BYTES: u64 = 3 << 30;
/// Columns of a sheet.
const COLUMNS: usize = 16_384;
/// The longest text of a cell, in UTF-16 units.
const LONGEST: usize = 32_767;
/// Up to here Excel's numbers are exact.
const EXACT: u64 = 1 << 53;
/// The first day that Excel numbers as everybody else does: 1900-03-01, in days since 1970.
const FIRST_DAY: i32 = -25_508;
/// Excel's day 0 is this many days before 1970.
const EPOCH: i64 = 25_569;
/// Beijing's time is ahead of UTC by this much.
const BEIJING: i64 = 8 * 3600 * 1_000_000;
const DAY: i64 = 24 * 3600 * 1_000_000;

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
/// Cell formats: 0 as it comes, 1 a date, 2 a time, 3 the header.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;
const BEGIN: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData>"#;
const END: &str = "</sheetData></worksheet>";

/// The sheets of a workbook, whatever is in them.
pub struct Sheets {
    zip: Zipped,
    names: Vec<String>,
    /// The name of the sheets of rows; those after the first have a number.
    name: String,
    header: Vec<String>,
    rows: u32,
    bytes: u64,
    line: String,
    most: u32,
    cut: u64,
    cleaned: u64,
}

impl Sheets {
    pub fn new(name: &str, header: Vec<String>) -> Result<Self> {
        if header.len() > COLUMNS {
            return Err(Error::Fields(COLUMNS));
        }
        let mut zip = Zipped::new();
        for (part, text) in [("_rels/.rels", RELATIONS), ("xl/styles.xml", STYLES)] {
            zip.entry(part)?;
            zip.write(HEAD.as_bytes())?;
            zip.write(text.as_bytes())?;
        }
        let line = String::new();
        let name = sheet_name(name);
        let mut sheets =
            Sheets { zip, names: vec![], name, header, rows: 0, bytes: 0, line, most: ROWS, cut: 0, cleaned: 0 };
        sheets.sheet(sheets.name.clone())?;
        sheets.head()?;
        Ok(sheets)
    }

    /// Adds a row.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Value<'a>>) -> Result<()> {
        if self.rows >= self.most || self.bytes >= BYTES {
            self.zip.write(END.as_bytes())?;
            self.sheet(format!("{} ({})", self.name, self.names.len() + 1))?;
            self.head()?;
        }
        self.begin();
        for cell in cells {
            self.cell(cell);
        }
        self.line.push_str("</row>");
        self.flush()
    }

    pub fn drain(&self, out: &mut Vec<u8>) {
        self.zip.drain(out);
    }

    /// The last sheet with what there is to say, and the archive's end.
    pub fn finish(&mut self, notes: &[String]) -> Result<()> {
        let mut notes = notes.to_vec();
        if self.cut > 0 {
            notes.push(format!(
                "{n} 个单元格的文本超过 {LONGEST} 个字符，已截断；完整内容请导出 CSV 或 GeoPackage。 {n} cells held more than {LONGEST} characters and were cut; CSV and GeoPackage have them whole.",
                n = self.cut
            ));
        }
        if self.cleaned > 0 {
            notes.push(format!(
                "{n} 个单元格含有 XML 不允许的控制字符，已去除。 {n} cells held control characters that XML does not allow; they were removed.",
                n = self.cleaned
            ));
        }
        self.zip.write(END.as_bytes())?;
        if !notes.is_empty() {
            self.sheet("说明 Notes".to_owned())?;
            for note in notes {
                self.begin();
                self.cell(Value::Text(&note));
                self.line.push_str("</row>");
                self.flush()?;
            }
            self.zip.write(END.as_bytes())?;
        }
        self.package()?;
        self.zip.finish()
    }

    fn sheet(&mut self, name: String) -> Result<()> {
        self.names.push(name);
        (self.rows, self.bytes) = (0, 0);
        self.zip.entry(&format!("xl/worksheets/sheet{}.xml", self.names.len()))?;
        self.zip.write(HEAD.as_bytes())?;
        self.zip.write(BEGIN.as_bytes())
    }

    fn head(&mut self) -> Result<()> {
        self.begin();
        for name in std::mem::take(&mut self.header) {
            self.text(&name, 3);
            self.header.push(name);
        }
        self.line.push_str("</row>");
        self.flush()
    }

    /// A row says its number: the format does not ask for it, but GDAL reads no row without.
    fn begin(&mut self) {
        self.line.clear();
        let _ = write!(self.line, "<row r=\"{}\">", self.rows + 1);
    }

    fn flush(&mut self) -> Result<()> {
        self.rows += 1;
        self.bytes += self.line.len() as u64;
        self.zip.write(self.line.as_bytes())
    }

    fn cell(&mut self, cell: Value<'_>) {
        let line = &mut self.line;
        match cell {
            Value::Null => line.push_str("<c/>"),
            Value::Text(text) => self.text(text, 0),
            Value::Integer(v) if v.unsigned_abs() > EXACT => self.text(itoa::Buffer::new().format(v), 0),
            Value::Integer(v) => number(line, itoa::Buffer::new().format(v), 0),
            Value::Float(v) => number(line, &value::float(v), 0),
            Value::Boolean(v) => {
                let _ = write!(line, "<c t=\"b\"><v>{}</v></c>", u8::from(v));
            }
            Value::Date(days) if days >= FIRST_DAY => number(line, &(i64::from(days) + EPOCH).to_string(), 1),
            Value::Timestamp(micros) if micros >= i64::from(FIRST_DAY + 1) * DAY => {
                let local = micros.saturating_add(BEIJING);
                let (days, rest) = (local.div_euclid(DAY), local.rem_euclid(DAY));
                number(line, &value::float((days + EPOCH) as f64 + rest as f64 / DAY as f64), 2);
            }
            // Excel has no numbers for days before.
            Value::Date(_) | Value::Timestamp(_) => match cell.text() {
                Some(text) => self.text(&text, 0),
                None => line.push_str("<c/>"),
            },
        }
    }

    fn text(&mut self, text: &str, style: u8) {
        let line = &mut self.line;
        let _ = match style {
            0 => write!(line, "<c t=\"inlineStr\"><is><t xml:space=\"preserve\">"),
            style => write!(line, "<c s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">"),
        };
        let (mut units, mut cleaned) = (0, false);
        for (at, c) in text.char_indices() {
            units += c.len_utf16();
            if units > LONGEST {
                self.cut += 1;
                break;
            }
            match c {
                '<' => line.push_str("&lt;"),
                '>' => line.push_str("&gt;"),
                '&' => line.push_str("&amp;"),
                // A bare one is read back as a line feed.
                '\r' => line.push_str("&#13;"),
                '\t' | '\n' => line.push(c),
                // XML 1.0 has no other control characters, and not these two.
                '\u{fffe}' | '\u{ffff}' | '\0'..='\u{1f}' => cleaned = true,
                // Excel reads _x0041_ as a letter; this is how it writes such a text itself.
                '_' if is_escape(&text[at..]) => line.push_str("_x005F_"),
                c => line.push(c),
            }
        }
        self.cleaned += u64::from(cleaned);
        line.push_str("</t></is></c>");
    }

    fn package(&mut self) -> Result<()> {
        let mut types = String::from(
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>"#,
        );
        let mut book = String::from(
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>"#,
        );
        let mut relations =
            String::from(r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#);
        for (i, name) in self.names.iter().enumerate() {
            let n = i + 1;
            let _ = write!(
                types,
                r#"<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>"#
            );
            let _ = write!(book, r#"<sheet name="{}" sheetId="{n}" r:id="rId{n}"/>"#, escaped(name));
            let _ = write!(
                relations,
                r#"<Relationship Id="rId{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>"#
            );
        }
        let _ = write!(
            relations,
            r#"<Relationship Id="rId{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
            self.names.len() + 1
        );
        types.push_str("</Types>");
        book.push_str("</sheets></workbook>");
        for (part, text) in
            [("xl/workbook.xml", &book), ("xl/_rels/workbook.xml.rels", &relations), ("[Content_Types].xml", &types)]
        {
            self.zip.entry(part)?;
            self.zip.write(HEAD.as_bytes())?;
            self.zip.write(text.as_bytes())?;
        }
        Ok(())
    }
}

fn number(line: &mut String, text: &str, style: u8) {
    let _ = match style {
        0 => write!(line, "<c><v>{text}</v></c>"),
        style => write!(line, "<c s=\"{style}\"><v>{text}</v></c>"),
    };
}

/// Whether a text begins like Excel's own escapes: `_x0041_`.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[1] == b'x' && bytes[6] == b'_' && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Excel's sheets have names of at most 31 characters, without these; there must be room for a number.
fn sheet_name(name: &str) -> String {
    let allowed = |c: &char| !matches!(c, '\\' | '/' | '?' | '*' | '[' | ']' | ':' | '\'') && !c.is_control();
    let mut units = 0;
    let kept = |c: &char| {
        units += c.len_utf16();
        units <= 24
    };
    let name: String = name.chars().filter(allowed).take_while(kept).collect();
    if name.trim().is_empty() { "Sheet".to_owned() } else { name.trim().to_owned() }
}

/// A layer as a workbook.
pub struct Workbook {
    table: Table,
    geometry: GeometryColumns,
    sheets: Option<Sheets>,
    text: Vec<u8>,
    long: u64,
}

impl Workbook {
    pub fn new(table: Table, geometry: GeometryColumns) -> Self {
        Workbook { table, geometry, sheets: None, text: vec![], long: 0 }
    }

    /// The geometry's cells. A text that no cell has room for is left out whole: the beginning of one is no geometry.
    fn geometry(&mut self, shape: Option<&Shape>) -> [Value<'_>; 3] {
        let mut cells = [Value::Null; 3];
        let Some(shape) = shape else { return cells };
        match self.geometry {
            GeometryColumns::None => {}
            GeometryColumns::Coordinates => {
                let [x, y] = shape.positions.first().copied().unwrap_or_default();
                let scale = 10f64.powi(self.table.decimals() as i32);
                let round = |v: f64| Value::Float((v * scale).round() / scale);
                cells = [round(x), round(y), shape.heights.first().map_or(Value::Null, |z| Value::Float(*z))];
            }
            GeometryColumns::Wkt => {
                self.text.clear();
                wkt::write(&mut self.text, shape, self.table.decimals());
                // It is ASCII: a byte is a character.
                match std::str::from_utf8(&self.text) {
                    Ok(text) if text.len() <= LONGEST => cells[0] = Value::Text(text),
                    _ => self.long += 1,
                }
            }
        }
        cells
    }
}

impl Writer for Workbook {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut header = vec![self.table.id_column()];
        header.extend(self.table.columns.iter().map(|c| c.name.clone()));
        header.extend(self.table.geometry_columns(self.geometry));
        let sheets = Sheets::new(&self.table.title, header)?;
        sheets.drain(out);
        self.sheets = Some(sheets);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        let Some(mut sheets) = self.sheets.take() else { return Ok(()) };
        let width = self.table.geometry_columns(self.geometry).len();
        let geometry = self.geometry(row.shape());
        let cells = [Value::Integer(row.id)].into_iter().chain(row.values.iter().copied());
        sheets.row(cells.chain(geometry[..width].iter().copied()))?;
        sheets.drain(out);
        self.sheets = Some(sheets);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let mut notes = vec![];
        if let Some(shifted) = self.table.crs.shifted {
            notes.push(format!(
                "坐标为 {name} 偏移坐标，与 CGCS2000/WGS 84 相差约 500 米，仅供显示。 The coordinates are {name}, shifted by some 500 m from CGCS2000/WGS 84; for display only.",
                name = shifted.to_uppercase()
            ));
        }
        if self.table.columns.iter().any(|c| c.kind == Type::Timestamp) {
            notes.push("时间为北京时间（UTC+8）。 Times are Beijing's (UTC+8).".to_owned());
        }
        if self.long > 0 {
            notes.push(format!(
                "{n} 个几何的 WKT 超过单元格上限 {LONGEST} 个字符，已留空；完整几何请导出 GeoPackage 或 FlatGeobuf。 {n} geometries are longer than the {LONGEST} characters of a cell and were left out; GeoPackage and FlatGeobuf have them.",
                n = self.long
            ));
        }
        if let Some(mut sheets) = self.sheets.take() {
            sheets.finish(&notes)?;
            sheets.drain(out);
        }
        Ok(false)
    }
}
