//! PostgreSQL's binary COPY stream, written value by value: the fastest way into a layer table.
//!
//! Format: PostgreSQL 15 documentation, "COPY", Binary Format. All integers are big-endian.

use super::model::FieldType;

/// One value of a row. `Null` fits every type; the others must agree with the column's `FieldType`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// EWKB with its SRID.
    Geometry(&'a [u8]),
}

/// Days and microseconds between the Unix epoch and PostgreSQL's (2000-01-01).
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// The stream's head: signature, flags, no extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The stream's end.
pub const TRAILER: &[u8] = &(-1i16).to_be_bytes();

/// Starts a row of `columns` values.
pub fn begin_row(out: &mut Vec<u8>, columns: usize) {
    out.extend_from_slice(&(columns as i16).to_be_bytes());
}

/// Appends one value.
pub fn put(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(&(-1i32).to_be_bytes()),
        Value::Text(s) => put_bytes(out, s.as_bytes()),
        Value::Geometry(b) => put_bytes(out, b),
        Value::Integer(v) => put_bytes(out, &v.to_be_bytes()),
        Value::Float(v) => put_bytes(out, &v.to_be_bytes()),
        Value::Boolean(v) => put_bytes(out, &[u8::from(*v)]),
        Value::Date(d) => put_bytes(out, &d.saturating_sub(EPOCH_DAYS).to_be_bytes()),
        Value::Timestamp(t) => put_bytes(out, &t.saturating_sub(EPOCH_MICROS).to_be_bytes()),
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

impl Value<'_> {
    /// Whether the value may stand in a column of this type.
    pub fn fits(&self, kind: FieldType) -> bool {
        matches!(
            (self, kind),
            (Value::Null, _)
                | (Value::Text(_), FieldType::Text)
                | (Value::Integer(_), FieldType::Integer)
                | (Value::Float(_), FieldType::Float)
                | (Value::Boolean(_), FieldType::Boolean)
                | (Value::Date(_), FieldType::Date)
                | (Value::Timestamp(_), FieldType::Timestamp)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_count_then_length_and_bytes() {
        let mut out = Vec::new();
        begin_row(&mut out, 3);
        put(&mut out, &Value::Null);
        put(&mut out, &Value::Text("路"));
        put(&mut out, &Value::Date(10_957));
        assert_eq!(out, [0, 3, 255, 255, 255, 255, 0, 0, 0, 3, 0xe8, 0xb7, 0xaf, 0, 0, 0, 4, 0, 0, 0, 0]);
    }
}
