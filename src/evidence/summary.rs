//! Figures of use by layer, department, operation and day.

use serde_json::{Value, json};

use super::search::View;
use crate::db::pool::Database;
use crate::db::sql::{Bind, Sql};
use crate::error::{Error, Result};

/// Rows of a summary at most.
const MOST: i64 = 10_000;

/// What figures are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Day,
    Layer,
    Department,
    Operation,
}

impl By {
    /// `by=`: some of the names, with commas.
    pub fn parse(text: &str) -> Result<Vec<By>> {
        let mut list = vec![];
        for name in text.split(',').map(str::trim) {
            let by = match name {
                "day" => By::Day,
                "layer" => By::Layer,
                "department" => By::Department,
                "operation" => By::Operation,
                _ => {
                    let known = "day、layer、department、operation";
                    return Err(Error::invalid("by", format!("by 由 {known} 组成"), format!("by is made of {known}")));
                }
            };
            if !list.contains(&by) {
                list.push(by);
            }
        }
        Ok(list)
    }

    fn column(self) -> &'static str {
        match self {
            By::Day => "day::text",
            By::Layer => "layer",
            By::Department => "department",
            By::Operation => "operation",
        }
    }

    fn name(self) -> &'static str {
        match self {
            By::Day => "day",
            By::Layer => "layer",
            By::Department => "department",
            By::Operation => "operation",
        }
    }
}

/// Which figures are wanted. Days are of China's calendar, the last is included.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub by: Vec<By>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub layer: Option<String>,
    pub department: Option<String>,
    pub operation: Option<String>,
}

pub async fn read(database: &Database, view: &View, wanted: &Wanted) -> Result<Vec<Value>> {
    let mut sql = Sql::new("select ");
    for by in &wanted.by {
        sql.push(by.column()).push(", ");
    }
    sql.push("sum(requests)::int8, sum(refused)::int8, sum(rows)::int8, sum(bytes)::int8 from onemap.evidence_day where true");
    for (name, condition, day) in [("from", " and day >= ", &wanted.from), ("to", " and day <= ", &wanted.to)] {
        if let Some(day) = day {
            day.parse::<jiff::civil::Date>()
                .map_err(|_| Error::invalid(name, "日期应为 YYYY-MM-DD", "a day is YYYY-MM-DD"))?;
            sql.push(condition).bind(Bind::Text(day.clone())).push("::date");
        }
    }
    let texts = [
        (" and layer = ", &wanted.layer),
        (" and department = ", &wanted.department),
        (" and operation = ", &wanted.operation),
    ];
    for (condition, text) in texts {
        if let Some(text) = text {
            sql.push(condition).bind(Bind::Text(text.clone()));
        }
    }
    if let View::Department(own) = view {
        sql.push(" and (owner = ").bind(Bind::Text(own.clone()));
        sql.push(" or department = ").bind(Bind::Text(own.clone())).push(")");
    }
    for (i, by) in wanted.by.iter().enumerate() {
        sql.push(if i == 0 { " group by " } else { ", " }).push(by.column());
    }
    for (i, by) in wanted.by.iter().enumerate() {
        sql.push(if i == 0 { " order by " } else { ", " }).push(by.column());
    }
    sql.push(" limit ").bind(Bind::Integer(MOST));
    let client = database.app().await?;
    let statement = client.prepare_typed(sql.text(), &sql.types()).await?;
    let values: Vec<_> = sql.values().collect();
    let rows = client.query(&statement, &values).await?;
    Ok(rows.iter().map(|row| figures(row, &wanted.by)).collect())
}

fn figures(row: &tokio_postgres::Row, by: &[By]) -> Value {
    let number = |i: usize| row.get::<_, Option<i64>>(by.len() + i).unwrap_or(0);
    let mut value = json!({"requests": number(0), "refused": number(1), "rows": number(2), "bytes": number(3)});
    for (i, by) in by.iter().enumerate() {
        // The anonymous belong to no department.
        value[by.name()] = row.get::<_, Option<&str>>(i).filter(|text| !text.is_empty()).into();
    }
    value
}
