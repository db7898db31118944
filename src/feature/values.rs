//! Field values from PostgreSQL's binary format, written as JSON without a detour.

use std::borrow::Cow;

use jiff::{Timestamp, civil};
use postgres_types::{FromSql, Type};
use tokio_postgres::Row;

use crate::error::Result;
use crate::layer::model::FieldType;

type Boxed = Box<dyn std::error::Error + Sync + Send>;

/// Days since 2000-01-01, as `date` travels.
struct Days(i32);
/// Microseconds since 2000-01-01T00:00:00Z, as `timestamptz` travels.
struct Micros(i64);
/// A geometry as EWKB.
pub struct Ewkb<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Days {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(Days(i32::from_be_bytes(raw.try_into()?)))
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }
}
impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(Micros(i64::from_be_bytes(raw.try_into()?)))
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }
}
impl<'a> FromSql<'a> for Ewkb<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(Ewkb(raw))
    }
    fn accepts(ty: &Type) -> bool {
        ty.name() == "geometry"
    }
}

/// Appends column `index` of the row as a JSON value.
pub fn write_json(out: &mut Vec<u8>, row: &Row, index: usize, kind: FieldType) -> Result<()> {
    match kind {
        FieldType::Text => match row.try_get::<_, Option<&str>>(index)? {
            Some(text) => write_string(out, text),
            None => out.extend_from_slice(b"null"),
        },
        FieldType::Integer => match row.try_get::<_, Option<i64>>(index)? {
            Some(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            None => out.extend_from_slice(b"null"),
        },
        FieldType::Float => match row.try_get::<_, Option<f64>>(index)? {
            // JSON has no infinities.
            Some(v) if v.is_finite() => out.extend_from_slice(ryu::Buffer::new().format_finite(v).as_bytes()),
            _ => out.extend_from_slice(b"null"),
        },
        FieldType::Boolean => match row.try_get::<_, Option<bool>>(index)? {
            Some(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
            None => out.extend_from_slice(b"null"),
        },
        FieldType::Date | FieldType::Timestamp => match text(row, index, kind)? {
            Some(text) => write_string(out, &text),
            None => out.extend_from_slice(b"null"),
        },
    }
    Ok(())
}

/// Column `index` as a person reads it, as in the files.
pub fn text(row: &Row, index: usize, kind: FieldType) -> Result<Option<String>> {
    Ok(value(row, index, kind)?.text().map(Cow::into_owned))
}

/// Days and microseconds from 1970 to 2000, where PostgreSQL begins to count.
const DAYS: i32 = 10_957;
const MICROS: i64 = 946_684_800_000_000;

/// Column `index` for the writers of files. What has no JSON form (infinities) has none here either.
pub fn value(row: &Row, index: usize, kind: FieldType) -> Result<onemap_formats::Value<'_>> {
    use onemap_formats::Value;
    let value = match kind {
        FieldType::Text => row.try_get::<_, Option<&str>>(index)?.map(Value::Text),
        FieldType::Integer => row.try_get::<_, Option<i64>>(index)?.map(Value::Integer),
        FieldType::Float => row.try_get::<_, Option<f64>>(index)?.filter(|v| v.is_finite()).map(Value::Float),
        FieldType::Boolean => row.try_get::<_, Option<bool>>(index)?.map(Value::Boolean),
        FieldType::Date => row.try_get::<_, Option<Days>>(index)?.and_then(|d| date(d.0)).map(Value::Date),
        FieldType::Timestamp => {
            row.try_get::<_, Option<Micros>>(index)?.and_then(|t| timestamp(t.0)).map(Value::Timestamp)
        }
    };
    Ok(value.unwrap_or(Value::Null))
}

/// Since 1970. PostgreSQL's infinities, and dates beyond year 9999, have no JSON form.
fn date(days: i32) -> Option<i32> {
    let since = days.checked_add(DAYS)?;
    let span = jiff::Span::new().try_days(since).ok()?;
    civil::date(1970, 1, 1).checked_add(span).ok().map(|_| since)
}

fn timestamp(micros: i64) -> Option<i64> {
    let since = micros.checked_add(MICROS)?;
    Timestamp::from_microsecond(since).ok().map(|_| since)
}

/// Appends a JSON string. Only quotes, backslashes and control characters need an escape (RFC 8259).
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut clean = 0;
    let bytes = text.as_bytes();
    for (i, &b) in bytes.iter().enumerate() {
        if b >= 0x20 && b != b'"' && b != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[clean..i]);
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
        }
        clean = i + 1;
    }
    out.extend_from_slice(&bytes[clean..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_what_serde_json_reads_back() {
        for text in ["青岛市", "a\"b\\c", "tab\tnl\n\u{1}\u{7f}", "", "😀"] {
            let mut out = Vec::new();
            write_string(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn dates_and_times_are_rfc_3339() {
        use onemap_formats::Value;
        assert_eq!(date(0).and_then(|d| Value::Date(d).text().map(Cow::into_owned)).unwrap(), "2000-01-01");
        assert_eq!(date(9_822).and_then(|d| Value::Date(d).text().map(Cow::into_owned)).unwrap(), "2026-11-22");
        let time = timestamp(1_500_000).map(Value::Timestamp).unwrap();
        assert_eq!(time.text().unwrap(), "2000-01-01T00:00:01.5Z");
        assert_eq!((date(i32::MAX), date(i32::MIN)), (None, None));
        assert_eq!((timestamp(i64::MAX), timestamp(i64::MIN)), (None, None));
    }
}
