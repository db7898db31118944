//! Attribute values as MVT `Value` messages (MVT 2.1, 4.4): the form in which an index keeps them, so that a tile copies bytes.

use onemap_cql2::Value;

/// What a column holds. Dates and timestamps travel as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ColumnKind {
    Text = 1,
    Integer = 2,
    Float = 3,
    Boolean = 4,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

const TEXT: u8 = 0x0a;
const DOUBLE: u8 = 0x19;
const UINT: u8 = 0x28;
const SINT: u8 = 0x30;
const BOOL: u8 = 0x38;

/// Appends the message of a value; nothing for null and for numbers that are none.
pub fn encode(value: &Value<'_>, out: &mut Vec<u8>) {
    match *value {
        Value::Null => {}
        Value::Text(text) => {
            out.push(TEXT);
            varint(text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Integer(n) if n >= 0 => {
            out.push(UINT);
            varint(n as u64, out);
        }
        Value::Integer(n) => {
            out.push(SINT);
            varint(zigzag64(n), out);
        }
        Value::Float(f) if f.is_finite() => {
            out.push(DOUBLE);
            out.extend_from_slice(&f.to_le_bytes());
        }
        Value::Float(_) => {}
        Value::Boolean(b) => out.extend_from_slice(&[BOOL, u8::from(b)]),
    }
}

/// The value of a message that [`encode`] wrote; null for anything else.
pub fn decode(bytes: &[u8]) -> Value<'_> {
    let Some((&tag, rest)) = bytes.split_first() else { return Value::Null };
    match tag {
        TEXT => {
            let mut at = 0;
            let Some(len) = read_varint(rest, &mut at) else { return Value::Null };
            let text = rest.get(at..at + len as usize).unwrap_or_default();
            std::str::from_utf8(text).map_or(Value::Null, Value::Text)
        }
        DOUBLE => rest.try_into().map_or(Value::Null, |b| Value::Float(f64::from_le_bytes(b))),
        UINT => read_varint(rest, &mut 0).map_or(Value::Null, |n| Value::Integer(n as i64)),
        SINT => read_varint(rest, &mut 0).map_or(Value::Null, |n| Value::Integer((n >> 1) as i64 ^ -((n & 1) as i64))),
        BOOL => Value::Boolean(rest.first() == Some(&1)),
        _ => Value::Null,
    }
}

pub fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// The length of a varint.
pub fn varint_len(n: u64) -> usize {
    (64 - (n | 1).leading_zeros() as usize).div_ceil(7)
}

pub fn read_varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut n = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

pub fn zigzag(n: i32) -> u32 {
    ((n << 1) ^ (n >> 31)) as u32
}

fn zigzag64(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_back(text in ".*", n in any::<i64>(), f in any::<f64>(), b in any::<bool>()) {
            let f = if f.is_finite() { f } else { 0.5 };
            for value in [Value::Text(&text), Value::Integer(n), Value::Float(f), Value::Boolean(b), Value::Null] {
                let mut bytes = vec![];
                encode(&value, &mut bytes);
                prop_assert_eq!(decode(&bytes), value);
            }
        }

        #[test]
        fn a_varint_is_as_long_as_said(n in any::<u64>()) {
            let mut bytes = vec![];
            varint(n, &mut bytes);
            prop_assert_eq!(bytes.len(), varint_len(n));
            prop_assert_eq!(read_varint(&bytes, &mut 0), Some(n));
        }
    }
}
