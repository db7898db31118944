//! CSV (RFC 4180) in UTF-8, with the mark by which Excel knows that it is. Values are as they are in the database: a text that a
//! spreadsheet would take for a formula stays what it is.

use crate::table::{GeometryColumns, Table};
use crate::{Result, Row, Value, Writer, wkt};

pub struct Csv {
    table: Table,
    geometry: GeometryColumns,
    scratch: Vec<u8>,
}

impl Csv {
    pub fn new(table: Table, geometry: GeometryColumns) -> Self {
        Csv { table, geometry, scratch: vec![] }
    }
}

impl Writer for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice("\u{feff}".as_bytes());
        field(out, self.table.id_column().as_bytes());
        let columns = self.table.columns.iter().map(|c| c.name.clone());
        for name in columns.chain(self.table.geometry_columns(self.geometry)) {
            out.push(b',');
            field(out, name.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(itoa::Buffer::new().format(row.id).as_bytes());
        for value in row.values {
            out.push(b',');
            match value {
                // An empty text is told from none by its quotes.
                Value::Text("") => out.extend_from_slice(b"\"\""),
                Value::Text(text) => field(out, text.as_bytes()),
                Value::Integer(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
                other => out.extend_from_slice(other.text().unwrap_or_default().as_bytes()),
            }
        }
        let shape = row.shape();
        match (self.geometry, shape) {
            (GeometryColumns::None, _) => {}
            (GeometryColumns::Coordinates, None) => {
                let columns = if self.table.has_heights() { 3 } else { 2 };
                out.extend(std::iter::repeat_n(b',', columns));
            }
            (GeometryColumns::Coordinates, Some(shape)) => {
                for value in shape.positions.first().into_iter().flatten() {
                    out.push(b',');
                    wkt::number(out, *value, self.table.decimals());
                }
                if self.table.has_heights() {
                    out.push(b',');
                    shape.heights.first().into_iter().for_each(|z| wkt::number(out, *z, 4));
                }
            }
            (GeometryColumns::Wkt, None) => out.push(b','),
            (GeometryColumns::Wkt, Some(shape)) => {
                self.scratch.clear();
                wkt::write(&mut self.scratch, shape, self.table.decimals());
                out.push(b',');
                field(out, &self.scratch);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<bool> {
        Ok(false)
    }
}

/// One field, in quotes where it must be.
pub(crate) fn field(out: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &b in text {
        if b == b'"' {
            out.push(b'"');
        }
        out.push(b);
    }
    out.push(b'"');
}
