//! Working days: Monday to Friday, but for the days that somebody said otherwise of. China moves working days to weekends around its
//! holidays by a yearly notice (国务院办公厅关于部分节假日安排的通知), so both kinds of exceptions are kept.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// The exceptions from the five-day week.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    exceptions: BTreeMap<Date, bool>,
}

/// Further than any sequence of holidays, nearer than any loop without an end.
const MOST_DAYS: i32 = 3_660;

impl Calendar {
    /// From pairs of a day and whether it is a working day.
    pub fn new(exceptions: impl IntoIterator<Item = (Date, bool)>) -> Calendar {
        Calendar { exceptions: exceptions.into_iter().collect() }
    }

    pub fn is_working(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.exceptions.get(&day).copied().unwrap_or(!weekend)
    }

    /// The last day of a term of so many working days that begins on the day after `from`. A term of none ends on the next working day, or
    /// on `from` if that is one.
    pub fn due(&self, from: Date, working_days: u32) -> Date {
        let mut day = from;
        let mut left = working_days;
        for _ in 0..MOST_DAYS {
            if left == 0 && self.is_working(day) {
                break;
            }
            let Ok(following) = day.checked_add(1.day()) else { break };
            day = following;
            left = left.saturating_sub(u32::from(self.is_working(day)));
        }
        day
    }

    /// The working day before a day.
    pub fn before(&self, day: Date) -> Date {
        let mut earlier = day;
        for _ in 0..MOST_DAYS {
            let Ok(previous) = earlier.checked_sub(1.day()) else { break };
            earlier = previous;
            if self.is_working(earlier) {
                break;
            }
        }
        earlier
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weekends_are_passed_over() {
        let calendar = Calendar::default();
        // 2026-06-04 is a Thursday.
        assert_eq!(calendar.due(date(2026, 6, 4), 1), date(2026, 6, 5));
        assert_eq!(calendar.due(date(2026, 6, 4), 2), date(2026, 6, 8));
        assert_eq!(calendar.due(date(2026, 6, 4), 10), date(2026, 6, 18));
        assert_eq!(calendar.due(date(2026, 6, 6), 0), date(2026, 6, 8));
        assert_eq!(calendar.due(date(2026, 6, 6), 1), date(2026, 6, 8));
        assert_eq!(calendar.before(date(2026, 6, 8)), date(2026, 6, 5));
    }

    #[test]
    fn holidays_and_moved_working_days_count_as_they_were_said() {
        // The National Day of 2025: 1 to 8 October off, 28 September and 11 October worked.
        let off = (1..=8).map(|d| (date(2025, 10, d), false));
        let worked = [(date(2025, 9, 28), true), (date(2025, 10, 11), true)];
        let calendar = Calendar::new(off.chain(worked));
        assert_eq!(calendar.due(date(2025, 9, 27), 1), date(2025, 9, 28), "a Sunday that is worked");
        assert_eq!(calendar.due(date(2025, 9, 30), 3), date(2025, 10, 11), "Thursday, Friday and the worked Saturday");
        assert_eq!(calendar.before(date(2025, 10, 9)), date(2025, 9, 30));
    }

    #[test]
    fn a_calendar_without_working_days_ends() {
        let from = date(2026, 1, 1);
        let off = (0..20_000).filter_map(|n| from.checked_add(n.days()).ok()).map(|d| (d, false));
        let calendar = Calendar::new(off);
        assert!(calendar.due(from, 5) > from);
    }
}
