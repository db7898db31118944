//! Dates and timestamps of the years 1 to 9999, as ISO 8601 writes them.

use std::fmt;

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Date {
    /// Before and after all days.
    pub(crate) const FIRST: Date = Date(i32::MIN);
    pub(crate) const LAST: Date = Date(i32::MAX);

    /// `2024-05-01`
    pub fn parse(text: &str) -> Option<Date> {
        let &[a, b, c, d, b'-', e, f, b'-', g, h] = text.as_bytes() else { return None };
        let (year, month, day) = (digits(&[a, b, c, d])?, digits(&[e, f])?, digits(&[g, h])?);
        let exists = year > 0 && (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
        exists.then(|| Date(days_of_years(year, month, day) as i32))
    }

    /// The beginning of the day, in UTC.
    pub fn midnight(self) -> Timestamp {
        match self {
            Date::FIRST => Timestamp::FIRST,
            Date::LAST => Timestamp::LAST,
            Date(days) => Timestamp(i64::from(days) * MICROS_OF_DAY),
        }
    }
}

impl Timestamp {
    /// Before and after all times.
    pub(crate) const FIRST: Timestamp = Timestamp(i64::MIN);
    pub(crate) const LAST: Timestamp = Timestamp(i64::MAX);

    /// The time it is, to the second.
    pub fn now() -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(since.as_secs() as i64 * 1_000_000)
    }

    /// Year, month and day in UTC; none of what is before or after all times.
    pub(crate) fn civil(micros: i64) -> Option<(i64, i64, i64)> {
        let days = micros.div_euclid(MICROS_OF_DAY);
        (days_of_years(1, 1, 1)..days_of_years(10_000, 1, 1)).contains(&days).then(|| civil(days))
    }

    /// `2024-05-01T08:30:00Z`, with a fraction of the second if wanted, or an offset such as `+08:00` for `Z`.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let (date, time) = text.split_at_checked(10)?;
        let date = Date::parse(date)?;
        let (time, zone) = time.strip_prefix(['T', 't'])?.split_at_checked(8)?;
        let &[a, b, b':', c, d, b':', e, f] = time.as_bytes() else { return None };
        let (hour, minute, second) = (digits(&[a, b])?, digits(&[c, d])?, digits(&[e, f])?);
        // A leap second is the first of the next minute.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (fraction, zone) = fraction(zone)?;
        let seconds = (hour * 60 + minute) * 60 + second - offset(zone)?;
        let micros = date.midnight().0 + seconds * 1_000_000 + fraction;
        let within =
            Date(days_of_years(1, 1, 1) as i32).midnight().0..Date(days_of_years(10_000, 1, 1) as i32).midnight().0;
        within.contains(&micros).then_some(Timestamp(micros))
    }

    pub fn micros(self) -> i64 {
        self.0
    }
}

/// The value of a field, as microseconds. PostgreSQL's infinities are before and after all else.
pub(crate) fn stored(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(i64::MAX),
        "-infinity" => Some(i64::MIN),
        _ if text.len() == 10 => Date::parse(text).map(|date| date.midnight().0),
        _ => Timestamp::parse(text).map(|timestamp| timestamp.0),
    }
}

/// Only digits: `parse` would take a sign too.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// `.25` and what follows it, in microseconds, rounded as PostgreSQL does.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, zone) = rest.split_at(end);
    let micros = match end {
        0 => return None,
        1..=6 => digits.parse::<i64>().ok()? * 10i64.pow(6 - end as u32),
        _ => (format!("0.{digits}").parse::<f64>().ok()? * 1e6).round_ties_even() as i64,
    };
    Some((micros, zone))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let sign = match *zone.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let &[_, a, b, b':', c, d] = zone.as_bytes() else { return None };
    let (hours, minutes) = (digits(&[a, b])?, digits(&[c, d])?);
    (hours < 16 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March, so that a leap day is the last.
fn days_of_years(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    // 153 days are five months from March or from August; 719,469 days lie between 0000-02-29 and 1970-01-01.
    year * 365 + leaps + (month * 153 + 2) / 5 + day - 719_469
}

/// The date `days` after 1970-01-01.
fn civil(wanted: i64) -> (i64, i64, i64) {
    // A year that is not after the one wanted, and at most some twenty before it.
    let mut year = 1970 + wanted.div_euclid(366).min(wanted.div_euclid(365));
    while days_of_years(year + 1, 1, 1) <= wanted {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_of_years(year, month + 1, 1) <= wanted {
        month += 1;
    }
    (year, month, wanted - days_of_years(year, month, 1) + 1)
}

/// As PostgreSQL calls the times before and after all.
fn infinite(timestamp: Timestamp) -> Option<&'static str> {
    match timestamp {
        Timestamp::FIRST => Some("-infinity"),
        Timestamp::LAST => Some("infinity"),
        _ => None,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(infinite) = infinite(self.midnight()) {
            return f.write_str(infinite);
        }
        let (year, month, day) = civil(self.0.into());
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(infinite) = infinite(*self) {
            return f.write_str(infinite);
        }
        let micros = self.0.rem_euclid(MICROS_OF_DAY);
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", Date(self.0.div_euclid(MICROS_OF_DAY) as i32))?;
        if fraction > 0 {
            write!(f, "{}", format!(".{fraction:06}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_one_after_the_day_before() {
        let first = days_of_years(1, 1, 1);
        assert_eq!(Date(0).to_string(), "1970-01-01");
        assert_eq!(Date::parse("0001-01-01"), Some(Date(first as i32)));
        assert_eq!(Date::parse("2000-03-01"), Some(Date(11_017)));
        for day in
            (first..days_of_years(10_000, 1, 1)).step_by(13).chain(days_of_years(2023, 1, 1)..days_of_years(2025, 2, 1))
        {
            let date = Date(day as i32);
            assert_eq!(Date::parse(&date.to_string()), Some(date));
        }
    }

    #[test]
    fn refuses_what_no_calendar_has() {
        for text in
            ["", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-1-01", "0000-01-01", "+024-01-01"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        let good = "2024-05-01T08:30:00Z";
        assert!(Timestamp::parse(good).is_some());
        for text in [
            "2024-05-01",
            "2024-05-01T08:30:00",
            "2024-05-01 08:30:00Z",
            "2024-05-01T24:00:00Z",
            "2024-05-01T08:30Z",
            "2024-05-01T08:30:00.Z",
            "2024-05-01T08:30:00+8",
            "9999-12-31T23:59:59-01:00",
            "2024-05-0日T08:30:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_and_fractions() {
        let shown = |text| Timestamp::parse(text).unwrap().to_string();
        assert_eq!(shown("2024-05-01T08:30:00+08:00"), "2024-05-01T00:30:00Z");
        assert_eq!(shown("2024-05-01T00:30:00.250-00:45"), "2024-05-01T01:15:00.25Z");
        assert_eq!(shown("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
        assert_eq!(shown("1969-12-31T23:59:59.9999995Z"), "1970-01-01T00:00:00Z");
        assert_eq!(shown("1969-12-31T23:59:59.9999994Z"), "1969-12-31T23:59:59.999999Z");
    }
}
