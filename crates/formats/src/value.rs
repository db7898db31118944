//! A field's value, and its text.

use std::borrow::Cow;

use jiff::{Span, Timestamp, civil};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    /// Finite: there is no other number in most formats.
    Float(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl<'a> Value<'a> {
    /// As a person reads it: dates by ISO 8601, times in UTC. None for what is null.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        Some(match *self {
            Value::Null => return None,
            Value::Text(text) => Cow::Borrowed(text),
            Value::Integer(v) => Cow::Owned(itoa::Buffer::new().format(v).to_owned()),
            Value::Float(v) => Cow::Owned(float(v)),
            Value::Boolean(v) => Cow::Borrowed(if v { "true" } else { "false" }),
            Value::Date(days) => Cow::Owned(date(days)?.to_string()),
            Value::Timestamp(micros) => Cow::Owned(Timestamp::from_microsecond(micros).ok()?.to_string()),
        })
    }
}

/// The shortest text that is read back as the same number; a whole one without a fraction.
pub fn float(value: f64) -> String {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format(value);
    text.strip_suffix(".0").unwrap_or(text).to_owned()
}

/// The day, if it is one of the years that the formats know.
pub fn date(days: i32) -> Option<civil::Date> {
    let span = Span::new().try_days(days).ok()?;
    civil::date(1970, 1, 1).checked_add(span).ok()
}
