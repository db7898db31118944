//! PostgreSQL's binary COPY stream, read row by row however its pieces are cut.
//!
//! Format: PostgreSQL 15 documentation, "COPY", Binary Format. The writing side is `layer::copy`.

use onemap_cql2::Value;

use crate::error::{Error, Result};
use crate::layer::copy::HEADER;
use crate::layer::model::FieldType;

/// A stream under way.
#[derive(Default)]
pub struct Copied {
    buffer: Vec<u8>,
    at: usize,
    begun: bool,
    ended: bool,
    /// Where each value of the current row lies in the buffer; none is a null.
    values: Vec<Option<(usize, usize)>>,
}

impl Copied {
    /// Takes the next piece. What was read is let go of.
    pub fn feed(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// Whether the stream's end was read: without it, rows are missing.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The next row, once it is whole.
    pub fn row(&mut self) -> Result<Option<Row<'_>>> {
        if !self.begun && !self.begin()? {
            return Ok(None);
        }
        let mut at = self.at;
        let Some(count) = self.take::<2>(&mut at).map(i16::from_be_bytes) else { return Ok(None) };
        if self.ended || count < 0 {
            self.ended = true;
            self.at = at;
            return Ok(None);
        }
        self.values.clear();
        for _ in 0..count {
            let Some(length) = self.take::<4>(&mut at).map(i32::from_be_bytes) else { return Ok(None) };
            let Ok(length) = usize::try_from(length) else {
                self.values.push(None);
                continue;
            };
            if self.buffer.len() - at < length {
                return Ok(None);
            }
            self.values.push(Some((at, at + length)));
            at += length;
        }
        self.at = at;
        Ok(Some(Row { buffer: &self.buffer, values: &self.values }))
    }

    /// Reads over the head: signature, flags, and an extension of which nothing is known yet.
    fn begin(&mut self) -> Result<bool> {
        if self.buffer.len() < HEADER.len() {
            return Ok(false);
        }
        if !self.buffer.starts_with(HEADER) {
            return Err(Error::internal("this is not a binary COPY stream"));
        }
        (self.at, self.begun) = (HEADER.len(), true);
        Ok(true)
    }

    fn take<const N: usize>(&self, at: &mut usize) -> Option<[u8; N]> {
        let bytes = self.buffer.get(*at..*at + N)?.try_into().ok()?;
        *at += N;
        Some(bytes)
    }
}

/// One row's values as they travelled.
pub struct Row<'a> {
    buffer: &'a [u8],
    values: &'a [Option<(usize, usize)>],
}

impl<'a> Row<'a> {
    pub fn get(&self, column: usize) -> Option<&'a [u8]> {
        let (from, to) = (*self.values.get(column)?)?;
        self.buffer.get(from..to)
    }

    pub fn integer(&self, column: usize) -> Result<Option<i64>> {
        self.get(column).map(|bytes| Ok(i64::from_be_bytes(sized(bytes)?))).transpose()
    }

    /// The value of a field as tiles and filters know it. A date or a time is put into `text` first.
    pub fn value<'t>(&self, column: usize, kind: FieldType, text: &'t mut String) -> Result<Value<'t>>
    where
        'a: 't,
    {
        let Some(bytes) = self.get(column) else { return Ok(Value::Null) };
        Ok(match kind {
            FieldType::Text => Value::Text(std::str::from_utf8(bytes).map_err(Error::internal)?),
            FieldType::Integer => Value::Integer(i64::from_be_bytes(sized(bytes)?)),
            FieldType::Float => Value::Float(f64::from_be_bytes(sized(bytes)?)),
            FieldType::Boolean => Value::Boolean(bytes != [0]),
            FieldType::Date => {
                write_date(text, i32::from_be_bytes(sized(bytes)?));
                Value::Text(text)
            }
            FieldType::Timestamp => match write_timestamp(text, i64::from_be_bytes(sized(bytes)?)) {
                true => Value::Text(text),
                false => Value::Null,
            },
        })
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| Error::internal(format!("a value of {} bytes, not {N}", bytes.len())))
}

/// Days since 2000-01-01, as PostgreSQL writes a date.
fn write_date(out: &mut String, days: i32) {
    use std::fmt::Write;
    out.clear();
    if days == i32::MAX || days == i32::MIN {
        out.push_str(if days > 0 { "infinity" } else { "-infinity" });
        return;
    }
    let (year, month, day) = civil(i64::from(days));
    // There is no year 0: the year before 1 is 1 BC.
    let (shown, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}{era}");
}

/// Microseconds since 2000-01-01T00:00:00Z as `layer::select` has PostgreSQL write them for tiles. False for an infinity.
fn write_timestamp(out: &mut String, micros: i64) -> bool {
    use std::fmt::Write;
    out.clear();
    if micros == i64::MAX || micros == i64::MIN {
        return false;
    }
    let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (year, month, day) = civil(days);
    let shown = if year > 0 { year } else { 1 - year };
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        let _ = write!(out, ".{fraction:06}");
        out.truncate(out.trim_end_matches('0').len());
    }
    out.push('Z');
    true
}

/// Year, month and day of a number of days since 2000-01-01, in the proleptic Gregorian calendar. Years are counted from March,
/// so that a leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    // From 0000-03-01 to 2000-01-01; 400 years have 146,097 days.
    let days = days + 730_425;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, day - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::copy::{self, TRAILER, begin_row, put};

    #[test]
    fn rows_come_out_as_they_went_in_however_the_stream_is_cut() {
        let mut stream = HEADER.to_vec();
        for i in 0..3i64 {
            begin_row(&mut stream, 3);
            put(&mut stream, &copy::Value::Integer(i));
            put(&mut stream, &copy::Value::Null);
            put(&mut stream, &copy::Value::Text("市北区"));
        }
        stream.extend_from_slice(TRAILER);
        for size in [1, 2, 5, 16, 1000] {
            let mut copied = Copied::default();
            let mut found = vec![];
            for piece in stream.chunks(size) {
                copied.feed(piece);
                while let Some(row) = copied.row().unwrap() {
                    assert_eq!(row.get(1), None);
                    let mut text = String::new();
                    assert_eq!(row.value(2, FieldType::Text, &mut text).unwrap(), Value::Text("市北区"));
                    found.push(row.integer(0).unwrap().unwrap());
                }
            }
            assert_eq!(found, [0, 1, 2], "in pieces of {size}");
            assert!(copied.ended());
        }
    }

    #[test]
    fn a_stream_cut_short_has_no_end() {
        let mut copied = Copied::default();
        copied.feed(HEADER);
        assert!(copied.row().unwrap().is_none() && !copied.ended());
    }

    #[test]
    fn dates_are_written_as_postgresql_writes_them() {
        let date = |days| {
            let mut text = String::new();
            write_date(&mut text, days);
            text
        };
        // select (date '2000-01-01' + n)::text
        assert_eq!(date(0), "2000-01-01");
        assert_eq!(date(-1), "1999-12-31");
        assert_eq!(date(59), "2000-02-29");
        assert_eq!(date(9_822), "2026-11-22");
        assert_eq!(date(-36_524), "1900-01-01");
        assert_eq!(date(-730_120), "0001-12-31 BC");
        assert_eq!(date(2_921_940), "10000-01-01");
        assert_eq!(date(i32::MIN), "-infinity");
    }

    #[test]
    fn times_end_with_their_last_digit() {
        let time = |micros| {
            let mut text = String::new();
            write_timestamp(&mut text, micros).then_some(text)
        };
        assert_eq!(time(0).unwrap(), "2000-01-01T00:00:00Z");
        assert_eq!(time(1_500_000).unwrap(), "2000-01-01T00:00:01.5Z");
        assert_eq!(time(-1).unwrap(), "1999-12-31T23:59:59.999999Z");
        assert_eq!(time(10_000_000).unwrap(), "2000-01-01T00:00:10Z");
        assert_eq!(time(i64::MAX), None);
    }
}
