//! The table of a shapefile (dBase III). How wide a column is stands before the first row: so rows are spooled with the text of each
//! cell, and padded when the last has come.

use super::Encoding;
use super::report::Report;
use crate::Value;
use crate::table::Type;
use crate::value;

/// Bytes of a text at most.
pub const LONGEST: usize = 254;
/// Digits of an integer that every reader takes for one.
const DIGITS: usize = 18;
/// Stands for the length of a cell that holds nothing.
const NULL: u8 = 255;

/// What is known of a column when all rows have come.
#[derive(Debug, Clone, Copy)]
pub struct Width {
    pub kind: Type,
    bytes: usize,
    decimals: usize,
    exponent: bool,
}

impl Width {
    pub fn new(kind: Type) -> Self {
        Width { kind, bytes: 1, decimals: 1, exponent: false }
    }

    /// What two columns need that become one.
    pub fn join(&mut self, other: &Width) {
        self.bytes = self.bytes.max(other.bytes);
        self.decimals = self.decimals.max(other.decimals);
        self.exponent |= other.exponent;
    }

    /// Bytes of a cell.
    pub fn bytes(&self) -> usize {
        match self.kind {
            Type::Boolean => 1,
            Type::Date => 8,
            _ => self.bytes,
        }
    }

    fn letter(&self) -> u8 {
        match self.kind {
            Type::Boolean => b'L',
            Type::Date => b'D',
            Type::Float if self.exponent => b'F',
            Type::Float => b'N',
            // An integer of more digits would be read as a rounded number.
            Type::Integer if self.bytes <= DIGITS => b'N',
            Type::Integer | Type::Text | Type::Timestamp => b'C',
        }
    }

    fn decimals(&self) -> u8 {
        if self.kind == Type::Float { self.decimals.min(15).min(self.bytes.saturating_sub(2)).max(1) as u8 } else { 0 }
    }

    pub fn is_long_integer(&self) -> bool {
        self.kind == Type::Integer && self.letter() == b'C'
    }
}

/// Appends a cell to a spooled row.
pub fn spool(
    out: &mut Vec<u8>,
    value: &Value<'_>,
    (id, column): (i64, usize),
    width: &mut Width,
    encoding: Encoding,
    report: &mut Report,
) {
    let at = out.len();
    out.push(0);
    match value {
        Value::Null => {
            out[at] = NULL;
            return;
        }
        Value::Text(text) => encode(out, text, (id, column), encoding, report),
        Value::Integer(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        Value::Float(v) => float(out, *v, width),
        Value::Boolean(v) => out.push(if *v { b'T' } else { b'F' }),
        Value::Date(days) => match value::date(*days).filter(|d| d.year() >= 0) {
            Some(d) => out.extend_from_slice(format!("{:04}{:02}{:02}", d.year(), d.month(), d.day()).as_bytes()),
            None => {
                report.date(column, id);
                out[at] = NULL;
                return;
            }
        },
        Value::Timestamp(_) => out.extend_from_slice(value.text().unwrap_or_default().as_bytes()),
    }
    let length = out.len() - at - 1;
    out[at] = length as u8;
    width.bytes = width.bytes.max(length);
}

fn encode(out: &mut Vec<u8>, text: &str, place: (i64, usize), encoding: Encoding, report: &mut Report) {
    let begin = out.len();
    if encoding == Encoding::Utf8 && text.len() <= LONGEST {
        return out.extend_from_slice(text.as_bytes());
    }
    let mut lost = false;
    for c in text.chars() {
        let mut buffer = [0; 4];
        let length = encoding.encode(c, &mut buffer).unwrap_or_else(|| {
            lost = true;
            buffer[0] = b'?';
            1
        });
        if out.len() - begin + length > LONGEST {
            report.cut(place.1, place.0);
            break;
        }
        out.extend_from_slice(&buffer[..length]);
    }
    if lost {
        report.lost(place.1, place.0);
    }
}

/// The shortest text that is read back as the same number: at most 24 bytes, with an exponent if need be.
fn float(out: &mut Vec<u8>, v: f64, width: &mut Width) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format(v);
    match text.split_once('e') {
        None => {
            let decimals = text.split_once('.').map_or(0, |(_, digits)| digits.len());
            width.decimals = width.decimals.max(decimals);
        }
        Some(_) => width.exponent = true,
    }
    out.extend_from_slice(text.as_bytes());
}

/// Bytes of a file of columns of so many bytes each.
pub fn length(columns: impl ExactSizeIterator<Item = usize>, records: u32) -> u64 {
    // The file ends with a mark.
    let head = header_bytes(columns.len()) + 1;
    head as u64 + u64::from(records) * (1 + columns.sum::<usize>()) as u64
}

fn header_bytes(columns: usize) -> usize {
    32 * (columns + 1) + 1
}

/// The header of the file.
pub fn header(names: &[String], widths: &[Width], records: u32, encoding: Encoding) -> Vec<u8> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let record: usize = 1 + widths.iter().map(Width::bytes).sum::<usize>();
    let mut out = vec![3, (today.year() - 1900) as u8, today.month() as u8, today.day() as u8];
    out.extend_from_slice(&records.to_le_bytes());
    out.extend_from_slice(&(header_bytes(widths.len()) as u16).to_le_bytes());
    out.extend_from_slice(&(record as u16).to_le_bytes());
    out.extend_from_slice(&[0; 17]);
    out.push(encoding.driver());
    out.extend_from_slice(&[0; 2]);
    for (name, width) in names.iter().zip(widths) {
        let begin = out.len();
        let mut buffer = [0; 4];
        for c in name.chars() {
            if let Some(length) = encoding.encode(c, &mut buffer) {
                out.extend_from_slice(&buffer[..length]);
            }
        }
        out.resize(begin + 11, 0);
        out.push(width.letter());
        out.extend_from_slice(&[0; 4]);
        out.push(width.bytes() as u8);
        out.push(width.decimals());
        out.extend_from_slice(&[0; 14]);
    }
    out.push(0x0d);
    out
}

/// Takes a spooled row from the beginning of `row` and appends it as a record. None when it is not whole.
pub fn record<'a>(out: &mut Vec<u8>, mut row: &'a [u8], widths: &[Width]) -> Option<&'a [u8]> {
    out.push(b' ');
    for width in widths {
        let (&length, rest) = row.split_first()?;
        let (text, rest) = rest.split_at_checked(if length == NULL { 0 } else { length.into() })?;
        row = rest;
        let blank = width.bytes() - text.len();
        let right = matches!(width.letter(), b'N' | b'F');
        let fill = if length == NULL && width.kind == Type::Boolean { b'?' } else { b' ' };
        if right {
            out.extend(std::iter::repeat_n(fill, blank));
        }
        out.extend_from_slice(text);
        if !right {
            out.extend(std::iter::repeat_n(fill, blank));
        }
    }
    Some(row)
}
