//! Parameters of a feature query, read into types.

use jiff::{Timestamp, ToSpan, civil};

use crate::db::sql::Bind;
use crate::error::{Error, Result};
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{Condition, Operator};

pub const DEFAULT_LIMIT: i64 = 10;
pub const MOST_FEATURES: i64 = 10_000;

/// `field=value`: equality, the value read as the field's type (OGC 17-069r4, 7.15.5).
pub fn equals(field: &Field, value: &str) -> Result<Condition> {
    let wrong = |zh: &str, en: &str| {
        let shown: String = value.chars().take(60).collect();
        Error::invalid(&field.name, format!("“{shown}”不是{zh}"), format!("“{shown}” is not {en}"))
    };
    let value = match field.kind {
        FieldType::Text => Bind::Text(value.to_owned()),
        FieldType::Integer => Bind::Integer(value.parse().map_err(|_| wrong("整数", "an integer"))?),
        FieldType::Float => {
            let number: f64 = value.parse().map_err(|_| wrong("数字", "a number"))?;
            if !number.is_finite() {
                return Err(wrong("有限的数字", "a finite number"));
            }
            Bind::Float(number)
        }
        FieldType::Boolean => match value {
            "true" => Bind::Boolean(true),
            "false" => Bind::Boolean(false),
            _ => return Err(wrong(" true 或 false", "true or false")),
        },
        FieldType::Date => {
            let wrong = || wrong("日期（YYYY-MM-DD）", "a date (YYYY-MM-DD)");
            let date: civil::Date = value.parse().map_err(|_| wrong())?;
            if date.year() < 1 {
                return Err(wrong());
            }
            Bind::Text(date.to_string())
        }
        FieldType::Timestamp => {
            let wrong = || wrong("RFC 3339 时间", "an RFC 3339 time");
            let time: Timestamp = value.parse().map_err(|_| wrong())?;
            if value.starts_with(['-', '+']) || value.starts_with("0000") {
                return Err(wrong());
            }
            Bind::Text(time.to_string())
        }
    };
    Ok(Condition { field: field.name.clone(), operator: Operator::Equal, value })
}

/// `datetime=`: an instant or an interval, `..` or nothing for an open end (OGC 17-069r4, 7.15.4), held against one temporal
/// field. The text is checked even when a layer has no such field.
pub fn datetime(text: &str, field: Option<&Field>) -> Result<Vec<Condition>> {
    let (from, to) = match text.split_once('/') {
        None => (Some(Moment::parse(text)?), Some(Moment::parse(text)?)),
        Some((from, to)) => (open_end(from)?, open_end(to)?),
    };
    if from.is_none() && to.is_none() {
        return Err(bad_datetime());
    }
    if let (Some(from), Some(to)) = (&from, &to)
        && from.begin() >= to.end()
    {
        return Err(bad_datetime());
    }
    let Some(field) = field else { return Ok(vec![]) };
    let dates = field.kind == FieldType::Date;
    let bound = |operator, moment: Timestamp| {
        let text = if dates { moment.to_string()[..10].to_owned() } else { moment.to_string() };
        Condition { field: field.name.clone(), operator, value: Bind::Text(text) }
    };
    let mut conditions = vec![];
    if let Some(from) = from {
        conditions.push(bound(Operator::AtLeast, from.begin()));
    }
    match to {
        Some(Moment::Time(t)) => conditions.push(bound(Operator::AtMost, t)),
        Some(day) => conditions.push(bound(Operator::Below, day.end())),
        None => {}
    }
    Ok(conditions)
}

enum Moment {
    /// A whole day, in UTC.
    Day(Timestamp, Timestamp),
    Time(Timestamp),
}

impl Moment {
    fn parse(text: &str) -> Result<Moment> {
        // RFC 3339 knows the years 0000 to 9999; PostgreSQL's calendar has no year 0.
        if text.starts_with(['-', '+']) || text.starts_with("0000") {
            return Err(bad_datetime());
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Moment::Time(time));
        }
        let date: civil::Date = text.parse().map_err(|_| bad_datetime())?;
        let midnight = |d: civil::Date| d.to_zoned(jiff::tz::TimeZone::UTC).map(|z| z.timestamp());
        let next = date.checked_add(1.day()).map_err(|_| bad_datetime())?;
        match (midnight(date), midnight(next)) {
            (Ok(begin), Ok(end)) => Ok(Moment::Day(begin, end)),
            _ => Err(bad_datetime()),
        }
    }
    fn begin(&self) -> Timestamp {
        match self {
            Moment::Day(begin, _) | Moment::Time(begin) => *begin,
        }
    }
    /// The first instant after it.
    fn end(&self) -> Timestamp {
        match self {
            Moment::Day(_, end) => *end,
            Moment::Time(t) => t.checked_add(1.nanosecond()).unwrap_or(Timestamp::MAX),
        }
    }
}

fn open_end(text: &str) -> Result<Option<Moment>> {
    match text {
        "" | ".." => Ok(None),
        text => Moment::parse(text).map(Some),
    }
}

fn bad_datetime() -> Error {
    Error::invalid("datetime", "datetime 不正确", "datetime is malformed").hint(
        "例如 2026-01-31、2026-01-31T08:00:00Z 或 2026-01-01/..",
        "for example 2026-01-31, 2026-01-31T08:00:00Z or 2026-01-01/..",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> Field {
        Field { name: "f".into(), kind, title_zh: "".into(), title_en: "".into() }
    }

    #[test]
    fn values_take_their_fields_type() {
        assert!(equals(&field(FieldType::Integer), "12").is_ok());
        for (kind, bad) in [
            (FieldType::Integer, "1.5"),
            (FieldType::Float, "NaN"),
            (FieldType::Boolean, "yes"),
            (FieldType::Date, "2026-02-30"),
            (FieldType::Date, "-000100-02-03"),
            (FieldType::Timestamp, "-000100-02-03T00:00:00Z"),
        ] {
            assert!(equals(&field(kind), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn intervals_open_and_closed() {
        let f = field(FieldType::Timestamp);
        assert_eq!(datetime("2026-01-01", Some(&f)).unwrap().len(), 2);
        assert_eq!(datetime("../2026-01-01T00:00:00Z", Some(&f)).unwrap().len(), 1);
        for bad in [
            "",
            "..",
            "../..",
            "/",
            "x",
            "-000001-01-01",
            "-009999-01-01T00:00:00Z",
            "0000-01-01",
            "2026-01-02/2026-01-01",
            "2026-13-01",
            "2026-01-01/2026-01-02/2026-01-03",
        ] {
            assert!(datetime(bad, Some(&f)).is_err(), "{bad}");
        }
    }
}
