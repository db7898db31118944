//! Days since 1970, as indexes keep the term of an address. Pure, but for today.

use jiff::civil::Date;
use jiff::tz::{Offset, offset};

const FIRST: Date = jiff::civil::date(1970, 1, 1);
/// The zone of the registers, as the database has it, whatever the machine's is.
const ZONE: Offset = offset(8);

/// The day that a value says: 2024-05-01, 2024/5/1, 20240501, 2024年5月1日, or a time that begins so. Nothing for anything else, a
/// permit without end (长期) above all.
pub fn of(text: &str) -> Option<i32> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (year, month, day) = match digits {
        8 => (text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..8].parse().ok()?),
        4 => {
            let mut parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
            (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)
        }
        _ => return None,
    };
    Date::new(year, month, day).ok().map(since)
}

pub fn today() -> i32 {
    since(ZONE.to_datetime(jiff::Timestamp::now()).date())
}

/// As ISO 8601 writes it.
pub fn shown(day: i32) -> String {
    FIRST.saturating_add(jiff::Span::new().days(day)).to_string()
}

fn since(date: Date) -> i32 {
    date.since(FIRST).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_registers_write_them() {
        for text in
            ["2024-05-01", "2024/5/1", "20240501", "2024年5月1日", "2024-05-01T08:00:00+08:00", "2024-05-01 08:00:00"]
        {
            assert_eq!(of(text), Some(19844), "{text}");
        }
        assert_eq!(of("9999-12-31").map(shown).as_deref(), Some("9999-12-31"));
        for text in ["", "长期", "2024", "2024-13-01", "20240231", "12号", "二〇二四年"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
