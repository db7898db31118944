//! Summaries: counts, sums, means, extremes, areas and lengths of a layer's features by zone and category.

pub mod output;
mod protected;

use std::collections::HashMap;

use futures_util::StreamExt;
use onemap_spatial::tally::Tally;
use serde::Deserialize;
use tokio_postgres::Row;

use super::zones::{self, Assign, Zones};
use super::{Named, NamedWith, Opened, Spatial, read};
use crate::access::principal::Principal;
use crate::error::{Error, Result};
use crate::feature::values;
use crate::layer::model::{Field, FieldType};

/// Rows worked through in one turn of a thread.
const BATCH: usize = 2000;
const MOST_STATISTICS: usize = 20;
/// Zones times categories.
const MOST_ROWS: usize = 200_000;

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub layer: String,
    /// CQL2 text.
    pub filter: Option<String>,
    pub zones: zones::Wanted,
    /// `["count"]` by itself.
    pub statistics: Option<Vec<Statistic>>,
    /// The field whose values are the categories.
    pub by: Option<String>,
    #[serde(default)]
    pub assign: Assign,
}

/// A figure: `"count"`, `"area"`, `"length"`, or of a field, `{"sum": "floors"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    Count,
    Area,
    Length,
    Sum(String),
    Mean(String),
    Min(String),
    Max(String),
}

impl Statistic {
    fn field(&self) -> Option<&str> {
        match self {
            Statistic::Count | Statistic::Area | Statistic::Length => None,
            Statistic::Sum(field) | Statistic::Mean(field) | Statistic::Min(field) | Statistic::Max(field) => {
                Some(field)
            }
        }
    }

    /// What its column is called.
    pub fn name(&self) -> String {
        match self {
            Statistic::Count => "count".into(),
            Statistic::Area => "area_m2".into(),
            Statistic::Length => "length_m".into(),
            Statistic::Sum(field) => format!("sum_{field}"),
            Statistic::Mean(field) => format!("mean_{field}"),
            Statistic::Min(field) => format!("min_{field}"),
            Statistic::Max(field) => format!("max_{field}"),
        }
    }
}

/// A summary.
pub struct Summary {
    pub opened: Opened,
    /// The zones' layer, if they are one's.
    pub others: Vec<Opened>,
    pub zones: Zones,
    pub wanted: Wanted,
    pub statistics: Statistics,
    /// Without a tally where the number is withheld.
    pub rows: Vec<(Cell, Option<Tally>)>,
    /// Features read, and those of them that are in no zone; not told of a protected layer.
    pub features: Option<u64>,
    pub outside: Option<u64>,
    /// Of a layer whose small counts are protected from the caller: from which count on they are told.
    pub threshold: Option<u64>,
}

/// What is asked for, each with the place of its field among those that are read.
type Statistics = Vec<(Statistic, Option<usize>)>;

/// A zone and a category; the category of those whose field is empty is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    pub zone: u64,
    pub category: Option<String>,
}

impl Wanted {
    fn statistics(&self, opened: &Opened) -> Result<(Statistics, Vec<Field>)> {
        let given = self.statistics.clone().unwrap_or_else(|| vec![Statistic::Count]);
        if !(1..=MOST_STATISTICS).contains(&given.len()) {
            return Err(Error::invalid("statistics", "应有 1 到 20 个统计量", "give one to twenty statistics"));
        }
        let mut fields: Vec<Field> = vec![];
        let mut made = vec![];
        for statistic in given {
            let Some(name) = statistic.field() else {
                made.push((statistic, None));
                continue;
            };
            let field = opened.field(name, "statistics")?;
            if !matches!(field.kind, FieldType::Integer | FieldType::Float) {
                let (zh, en) = (format!("字段 {name} 不是数字"), format!("the field {name} is no number"));
                return Err(Error::invalid("statistics", zh, en));
            }
            let place = fields.iter().position(|f| f.name == field.name).unwrap_or_else(|| {
                fields.push(field);
                fields.len() - 1
            });
            made.push((statistic, Some(place)));
        }
        Ok((made, fields))
    }
}

impl Spatial {
    /// Refuses what can be refused without reading the layer, for whoever is to be answered later.
    pub fn check(&self, by: &Principal, wanted: &Wanted) -> Result<()> {
        let named = NamedWith { layer: wanted.layer.clone(), fields: None, filter: wanted.filter.clone() };
        let opened = self.open(by, &Named::With(named))?;
        if let Some(rule) = protected::rule(by, &opened) {
            protected::check(wanted, &rule)?;
        }
        wanted.statistics(&opened)?;
        wanted.by.as_deref().map(|name| opened.field(name, "by")).transpose()?;
        Ok(())
    }

    /// Works through the layer. `progress` hears how many features were read.
    pub async fn summary(
        &self,
        by: &Principal,
        wanted: Wanted,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Summary> {
        let named = NamedWith { layer: wanted.layer.clone(), fields: None, filter: wanted.filter.clone() };
        let opened = self.open(by, &Named::With(named))?;
        if let Some(rule) = protected::rule(by, &opened) {
            return self.of_protected(by, wanted, opened, &rule, progress).await;
        }
        let (statistics, numbers) = wanted.statistics(&opened)?;
        let category = wanted.by.as_deref().map(|name| opened.field(name, "by")).transpose()?;
        let _turn = self.turn().await?;
        let longitude = self.longitude(&opened).await?;
        let (zones, others) = self.zones(by, &wanted.zones, longitude).await?;
        zones.allow(wanted.assign)?;
        let columns: Vec<Field> = numbers.iter().chain(&category).cloned().collect();
        let mut rows = self.rows(&opened, &columns, zones.bounds()).await?;
        let total = opened.layer.state().feature_count.map(|n| n as u64);
        let plan = Plan { numbers, category, assign: wanted.assign };
        let mut work = Work { zones, plan, tallies: HashMap::new(), features: 0, outside: 0 };
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH
                && let Some(row) = rows.next().await
            {
                batch.push(row?);
            }
            if batch.is_empty() {
                break;
            }
            work = tokio::task::spawn_blocking(move || work.through(&batch)).await.map_err(Error::internal)??;
            progress(work.features, total);
        }
        let Work { zones, plan, tallies, features, outside } = work;
        let rows = table(&zones, &plan, tallies);
        let (features, outside) = (Some(features), Some(outside));
        Ok(Summary { opened, others, zones, wanted, statistics, rows, features, outside, threshold: None })
    }

    /// Where the layer lies, for its plane: the middle of what is known of it, else of its first feature.
    async fn longitude(&self, opened: &Opened) -> Result<Option<f64>> {
        if let Some([west, _, east, _]) = opened.layer.state().bbox.filter(|_| opened.grant.scope().is_all()) {
            return Ok(Some((west + east) / 2.0));
        }
        let first = self.rows_near(opened, [-180.0, -90.0, 180.0, 90.0], 1).await?;
        let shape = first.first().map(read::shape).transpose()?.flatten();
        Ok(shape.map(|shape| shape.centre().x))
    }
}

struct Plan {
    numbers: Vec<Field>,
    category: Option<Field>,
    assign: Assign,
}

struct Work {
    zones: Zones,
    plan: Plan,
    tallies: HashMap<Cell, Tally>,
    features: u64,
    outside: u64,
}

impl Work {
    fn through(mut self, rows: &[Row]) -> Result<Work> {
        let count = self.plan.numbers.len();
        let mut numbers: Vec<Option<f64>> = vec![None; count];
        for row in rows {
            self.features += 1;
            let parts = match read::shape(row)? {
                Some(shape) => {
                    let area = shape.dimension() == 2;
                    let parts = self.zones.parts(&shape, self.plan.assign)?;
                    parts
                        .into_iter()
                        .map(|p| (p.zone, p.weight, if area { [p.measure, 0.0] } else { [0.0, p.measure] }))
                        .collect()
                }
                None => vec![],
            };
            if parts.is_empty() {
                self.outside += 1;
                continue;
            }
            for (i, field) in self.plan.numbers.iter().enumerate() {
                numbers[i] = read::number(row, i + 2, field.kind)?;
            }
            let category = match &self.plan.category {
                Some(field) => values::text(row, count + 2, field.kind)?,
                None => None,
            };
            for (zone, weight, measures) in parts {
                let cell = Cell { zone, category: category.clone() };
                let tally = self.tallies.entry(cell).or_insert_with(|| Tally::new(count));
                tally.add(weight, measures, &numbers);
            }
            if self.tallies.len() > MOST_ROWS {
                return Err(Error::too_large("结果超过 200000 行", "there are more than 200,000 rows")
                    .hint("请用更大的分区或更少的类别", "use larger zones, or fewer categories"));
            }
        }
        Ok(self)
    }
}

/// By zone and category. Zones that exist without features are there too, unless categories are asked for.
fn table(zones: &Zones, plan: &Plan, mut tallies: HashMap<Cell, Tally>) -> Vec<(Cell, Option<Tally>)> {
    if let (Some(count), None) = (zones.fixed(), &plan.category) {
        for zone in 0..count as u64 {
            tallies.entry(Cell { zone, category: None }).or_insert_with(|| Tally::new(plan.numbers.len()));
        }
    }
    let mut rows: Vec<(Cell, Option<Tally>)> = tallies.into_iter().map(|(cell, tally)| (cell, Some(tally))).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}
