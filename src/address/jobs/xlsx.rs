//! A workbook of one sheet, written row by row (ECMA-376, SpreadsheetML): texts inline, so that nothing is held in memory.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::error::{Error, Result};

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="结果" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const SHEETS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#;
const END: &str = "</sheetData></worksheet>";

/// The longest text of a cell, in UTF-16 units.
const LONGEST: usize = 32_767;

pub struct Sheet {
    zip: ZipWriter<BufWriter<File>>,
    line: String,
}

fn broken(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(e)
}

impl Sheet {
    /// Begins a workbook. Its name is taken away at once: it goes with the last one who holds it.
    pub fn create(path: &Path) -> Result<Sheet> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        std::fs::remove_file(path)?;
        let mut zip = ZipWriter::new(BufWriter::with_capacity(256 << 10, file));
        let options = SimpleFileOptions::default().compression_level(Some(3)).large_file(true);
        for (name, text) in [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", RELATIONS),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", SHEETS),
        ] {
            zip.start_file(name, options).map_err(broken)?;
            zip.write_all(text.as_bytes())?;
        }
        zip.start_file("xl/worksheets/sheet1.xml", options).map_err(broken)?;
        zip.write_all(BEGIN.as_bytes())?;
        Ok(Sheet { zip, line: String::new() })
    }

    pub fn row(&mut self, cells: &[Value]) -> Result<()> {
        self.line.clear();
        self.line.push_str("<row>");
        for cell in cells {
            match cell {
                Value::Null => self.line.push_str("<c/>"),
                Value::Number(number) => {
                    self.line.push_str("<c><v>");
                    self.line.push_str(&number.to_string());
                    self.line.push_str("</v></c>");
                }
                Value::String(text) => self.text(text),
                other => self.text(&other.to_string()),
            }
        }
        self.line.push_str("</row>");
        Ok(self.zip.write_all(self.line.as_bytes())?)
    }

    fn text(&mut self, text: &str) {
        self.line.push_str("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">");
        let mut units = 0;
        for c in text.chars() {
            units += c.len_utf16();
            if units > LONGEST {
                break;
            }
            match c {
                '<' => self.line.push_str("&lt;"),
                '>' => self.line.push_str("&gt;"),
                '&' => self.line.push_str("&amp;"),
                // XML 1.0 has no other control characters, and not these two.
                '\t' | '\n' | '\r' => self.line.push(c),
                '\u{fffe}' | '\u{ffff}' => {}
                c if c.is_control() => {}
                c => self.line.push(c),
            }
        }
        self.line.push_str("</t></is></c>");
    }

    /// The whole workbook, from its beginning.
    pub fn finish(mut self) -> Result<File> {
        self.zip.write_all(END.as_bytes())?;
        let out = self.zip.finish().map_err(broken)?;
        let mut file = out.into_inner().map_err(|e| Error::from(e.into_error()))?;
        file.rewind()?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader, Xlsx};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_workbook_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        let mut sheet = Sheet::create(&path).unwrap();
        assert!(!path.exists(), "it leaves nothing behind");
        sheet.row(&[json!("地址"), json!("分")]).unwrap();
        sheet.row(&[json!("<甲> & \"乙\"\u{1}"), json!(0.25)]).unwrap();
        sheet.row(&[Value::Null, json!(7)]).unwrap();
        let mut book: Xlsx<_> = Xlsx::new(std::io::BufReader::new(sheet.finish().unwrap())).unwrap();
        let range = book.worksheet_range("结果").unwrap();
        let rows: Vec<Vec<Data>> = range.rows().map(<[Data]>::to_vec).collect();
        assert_eq!(rows[0][0], Data::String("地址".into()));
        assert_eq!(rows[1], [Data::String("<甲> & \"乙\"".into()), Data::Float(0.25)]);
        assert_eq!(rows[2], [Data::Empty, Data::Float(7.0)]);
    }
}
