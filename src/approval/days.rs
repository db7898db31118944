//! The platform's calendar, and how long decisions take.

use jiff::civil::Date;
use onemap_approval::Calendar;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::GenericClient;

use super::Approvals;
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// Days that are written at once.
const MOST: usize = 400;

/// A day that is not as the week has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    pub day: Date,
    pub working: bool,
    #[serde(default)]
    pub note: String,
}

/// The day it is in China.
pub fn today() -> Date {
    // Without a database of time zones: China has been at UTC+8 all year since 1991.
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date()
}

pub(super) async fn calendar(client: &impl GenericClient) -> Result<Calendar> {
    let sql = "select day::text, working from onemap.calendar_day where day > current_date - 60";
    let rows = client.query(sql, &[]).await?;
    Ok(Calendar::new(rows.iter().filter_map(|r| Some((r.get::<_, &str>(0).parse().ok()?, r.get(1))))))
}

impl Approvals {
    /// The exceptions of a year.
    pub async fn days(&self, year: i64) -> Result<Vec<Day>> {
        let client = self.database.app().await?;
        let sql = "select day::text, working, note from onemap.calendar_day where extract(year from day) = $1::int8 order by day";
        let rows = client.query(sql, &[&year]).await?;
        Ok(rows
            .iter()
            .filter_map(|r| Some(Day { day: r.get::<_, &str>(0).parse().ok()?, working: r.get(1), note: r.get(2) }))
            .collect())
    }

    /// Replaces a year's exceptions by others. Deadlines that are set already stay.
    pub async fn set_days(&self, by: &Principal, year: i64, days: &[Day]) -> Result<()> {
        if days.len() > MOST {
            return Err(Error::invalid("days", "一年最多 400 条", "a year has 400 entries at most"));
        }
        if let Some(other) = days.iter().find(|d| i64::from(d.day.year()) != year) {
            let day = other.day;
            return Err(Error::invalid("days", format!("{day} 不在 {year} 年"), format!("{day} is not in {year}")));
        }
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "delete from onemap.calendar_day where extract(year from day) = $1::int8";
        transaction.execute(sql, &[&year]).await?;
        for d in days {
            let note: String = d.note.chars().take(200).collect();
            let sql = "insert into onemap.calendar_day (day, working, note) values ($1::text::date, $2, $3)
                       on conflict (day) do update set working = excluded.working, note = excluded.note";
            transaction.execute(sql, &[&d.day.to_string(), &d.working, &note]).await?;
        }
        let detail = json!({"year": year, "days": days.len()});
        let entry = Entry { action: "set", object_kind: "calendar", object_id: &year.to_string(), detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(())
    }
}
