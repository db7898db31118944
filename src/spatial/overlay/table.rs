//! Tables of rows with what was found behind their own columns: csv, or a workbook as it grows.

use std::borrow::Cow;

use csv::StringRecord;
use onemap_formats::{Sheets, Value as Written};
use serde_json::Value;

use crate::error::{Error, Result};

/// What stands in a column.
pub enum Cell<'a> {
    Empty,
    /// As it was given.
    Given(&'a str),
    Text(Cow<'a, str>),
    /// A layer's value.
    Value(&'a Value),
    Whole(i64),
    /// A number, with so many decimals where csv has a fixed number of them.
    Number(f64, Option<usize>),
}

pub enum Table {
    Csv,
    Sheets(Box<Sheets>),
}

impl Table {
    /// Begins a csv.
    pub fn csv(columns: &StringRecord, out: &mut Vec<u8>) -> Result<Table> {
        // For Excel.
        out.extend_from_slice("\u{feff}".as_bytes());
        record(columns, out)?;
        Ok(Table::Csv)
    }

    /// Begins a workbook.
    pub fn workbook(columns: &StringRecord) -> Result<Table> {
        let sheets = Sheets::new("叠加 Overlay", columns.iter().map(str::to_owned).collect());
        Ok(Table::Sheets(Box::new(sheets.map_err(Error::internal)?)))
    }

    pub fn row(&mut self, cells: &[Cell<'_>], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Table::Csv => record(&cells.iter().map(Cell::text).collect(), out),
            Table::Sheets(sheets) => {
                sheets.row(cells.iter().map(Cell::written)).map_err(Error::internal)?;
                sheets.drain(out);
                Ok(())
            }
        }
    }

    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if let Table::Sheets(sheets) = self {
            sheets.finish(&[]).map_err(Error::internal)?;
            sheets.drain(out);
        }
        Ok(())
    }
}

fn record(columns: &StringRecord, out: &mut Vec<u8>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns).map_err(Error::internal)?;
    writer.flush()?;
    Ok(())
}

impl Cell<'_> {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Cell::Empty | Cell::Value(Value::Null) => "".into(),
            Cell::Given(text) => (*text).into(),
            Cell::Text(text) => text.as_ref().into(),
            Cell::Value(Value::String(text)) => text.as_str().into(),
            Cell::Value(other) => other.to_string().into(),
            Cell::Whole(v) => v.to_string().into(),
            Cell::Number(v, None) => v.to_string().into(),
            Cell::Number(v, Some(decimals)) => format!("{v:.decimals$}").into(),
        }
    }

    fn written(&self) -> Written<'_> {
        match self {
            Cell::Empty => Written::Null,
            Cell::Given("") => Written::Null,
            Cell::Given(text) => plain_number(text).map_or(Written::Text(text), Written::Float),
            Cell::Text(text) => Written::Text(text),
            Cell::Value(Value::String(text)) => Written::Text(text),
            Cell::Value(Value::Bool(v)) => Written::Boolean(*v),
            Cell::Value(Value::Number(n)) => match (n.as_i64(), n.as_f64()) {
                (Some(v), _) => Written::Integer(v),
                (None, Some(v)) => Written::Float(v),
                (None, None) => Written::Null,
            },
            Cell::Value(_) => Written::Null,
            Cell::Whole(v) => Written::Integer(*v),
            Cell::Number(v, _) => Written::Float(*v),
        }
    }
}

/// A text that is a number and nothing else: written as one, it reads as it did. Codes with leading zeros and long ones stay texts.
fn plain_number(text: &str) -> Option<f64> {
    const DIGITS: usize = 15;
    let number: f64 = (text.len() <= DIGITS).then(|| text.parse().ok()).flatten()?;
    (number.is_finite() && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_only_where_nothing_of_them_is_lost() {
        for (text, number) in [("12", Some(12.0)), ("-0.5", Some(-0.5)), ("120.382", Some(120.382))] {
            assert_eq!(plain_number(text), number);
        }
        for text in ["007", "1e5", "1.50", "370202001001123456", "NaN", "inf", "+1", " 1", "甲"] {
            assert_eq!(plain_number(text), None, "{text}");
        }
    }
}
