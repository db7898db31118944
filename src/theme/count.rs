//! From rows to numbers: each row finds its zone, zones and periods add up, and what must not be told is left out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use geo::Coord;
use onemap_statistics::join::{By, Directory, How, Match};
use onemap_statistics::suppress::MOST_CELLS;
use serde_json::{Value, json};

use super::definition::{Definition, Join, Measure};
use super::rows::{Number, Record};
use super::zones::Zones;
use crate::error::{Error, Result};
use crate::layer::model::Suppression;

/// Keys that found no zone, or several, and values that are no numbers: as many are named in the report.
const MOST_NAMED: usize = 200;
/// Different keys that are counted; the rows of others are still counted together.
const MOST_KEYS: usize = 20_000;
/// Different texts of a field of categories.
const MOST_CATEGORIES: usize = 10_000;

/// What adds up in a zone and period.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub rows: u64,
    /// Of a protected layer of sums: for how many the rows stand.
    pub weight: f64,
    /// For each indicator: the sum, that of the denominator, and how many rows had a number.
    pub sums: [Sum; 2],
    pub categories: BTreeMap<u32, u64>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub sum: f64,
    pub denominator: f64,
    pub count: u64,
}

pub struct Counter {
    pub(super) definition: Arc<Definition>,
    pub(super) zones: Arc<Zones>,
    /// Of a protected layer: what of its one table is told.
    pub(super) rule: Option<Suppression>,
    locator: Option<Locator>,
    pub(super) cells: HashMap<(u32, u32), Cell>,
    pub(super) columns: Names,
    pub(super) categories: Names,
    pub(super) report: Report,
}

/// Which zone a place lies in.
struct Locator {
    areas: onemap_spatial::zones::Zones,
    /// The zones of the areas: those without a geometry have none.
    zones: Vec<u32>,
}

impl Locator {
    fn new(zones: &Zones) -> Locator {
        let (mut areas, mut numbers) = (vec![], vec![]);
        // In an order that no definition changes: it says whose a place on a border is.
        for number in zones.by_id() {
            if let Some(area) = &zones.shapes[number] {
                areas.push(area.clone());
                numbers.push(number as u32);
            }
        }
        Locator { areas: onemap_spatial::zones::Zones::new(areas), zones: numbers }
    }

    /// The first zone that holds the place. One on a border is in the first of its neighbours, so that each row counts once.
    fn find(&self, [x, y]: [f64; 2]) -> Option<u32> {
        let mut first = None;
        self.areas.locate(Coord { x, y }, |number, _| {
            first.get_or_insert(number);
        });
        self.zones.get(first? as usize).copied()
    }
}

/// Texts by their numbers, in the order of their first appearance.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The names by their numbers.
    pub fn list(&self) -> Vec<String> {
        let mut list = vec![String::new(); self.numbers.len()];
        for (name, number) in &self.numbers {
            list[*number as usize] = name.clone();
        }
        list
    }
}

/// How the rows fared.
#[derive(Default)]
pub(super) struct Report {
    pub rows: u64,
    by: BTreeMap<How, u64>,
    located: u64,
    without_key: u64,
    without_period: u64,
    unmatched: HashMap<String, u64>,
    unmatched_rows: u64,
    ambiguous: HashMap<String, (u64, Vec<usize>)>,
    ambiguous_rows: u64,
    wrong: u64,
    wrong_first: Vec<Value>,
}

impl Counter {
    pub fn new(definition: Arc<Definition>, zones: Arc<Zones>, rule: Option<Suppression>) -> Counter {
        let located = matches!(definition.join, Join::Location { .. });
        Counter {
            locator: located.then(|| Locator::new(&zones)),
            definition,
            zones,
            rule,
            cells: HashMap::new(),
            columns: Names::default(),
            categories: Names::default(),
            report: Report::default(),
        }
    }

    /// Rows taken so far.
    pub fn rows(&self) -> u64 {
        self.report.rows
    }

    /// Rows that found their zone.
    pub fn matched(&self) -> u64 {
        self.report.by.values().sum::<u64>() + self.report.located
    }

    /// Adds a row to its zone.
    pub fn take(&mut self, number: u64, record: &Record) -> Result<()> {
        self.report.rows += 1;
        let Some(zone) = self.zone(record) else { return Ok(()) };
        let Some(column) = self.column(record)? else { return Ok(()) };
        let category = record.category.as_deref().map(str::trim).filter(|c| !c.is_empty());
        let category = category.map(|c| self.categories.number(c));
        if self.categories.numbers.len() > MOST_CATEGORIES {
            let en = "the field has too many different values to be categories";
            return Err(Error::invalid("indicator.field", "该字段的不同值过多，不能作为类别", en));
        }
        let cell = self.cells.entry((zone, column)).or_default();
        cell.rows += 1;
        cell.weight += record.weight.get().unwrap_or_default();
        if let Some(category) = category {
            *cell.categories.entry(category).or_default() += 1;
        }
        let numbers = record.sums.iter().zip(&record.denominators);
        for ((sum, indicator), (value, denominator)) in
            cell.sums.iter_mut().zip(self.definition.indicators()).zip(numbers)
        {
            // A ratio needs both; a row that lacks one counts for neither.
            if indicator.kind == Measure::Ratio && denominator.get().is_none() {
                continue;
            }
            if let Some(value) = value.get() {
                sum.sum += value;
                sum.denominator += denominator.get().unwrap_or_default();
                sum.count += 1;
            }
        }
        for value in record.sums.iter().chain(&record.denominators) {
            if let Number::Wrong(text) = value {
                self.report.wrong += 1;
                if self.report.wrong_first.len() < MOST_NAMED {
                    self.report.wrong_first.push(json!({"row": number, "value": text}));
                }
            }
        }
        Ok(())
    }

    fn zone(&mut self, record: &Record) -> Option<u32> {
        if let Some(locator) = &self.locator {
            let Some(point) = record.point else {
                self.report.without_key += 1;
                return None;
            };
            let found = locator.find(point);
            match found {
                Some(_) => self.report.located += 1,
                None => self.report.unmatched_rows += 1,
            }
            return found;
        }
        let Some(key) = record.key.as_deref().map(str::trim).filter(|key| !key.is_empty()) else {
            self.report.without_key += 1;
            return None;
        };
        let directory = &self.zones.directory;
        let found = match self.definition.join {
            Join::Code { .. } => directory.code(key),
            _ => directory.name(key, record.parent.as_deref()),
        };
        let report = &mut self.report;
        match found {
            Match::One(zone, how) => {
                *report.by.entry(how).or_default() += 1;
                return Some(zone as u32);
            }
            Match::Several(zones) => {
                report.ambiguous_rows += 1;
                if report.ambiguous.len() < MOST_KEYS || report.ambiguous.contains_key(key) {
                    report.ambiguous.entry(key.to_owned()).or_insert((0, zones)).0 += 1;
                }
            }
            Match::None => {
                report.unmatched_rows += 1;
                if report.unmatched.len() < MOST_KEYS || report.unmatched.contains_key(key) {
                    *report.unmatched.entry(key.to_owned()).or_default() += 1;
                }
            }
        }
        None
    }

    /// The period or part of the row; none of a row that says none where periods are asked for.
    fn column(&mut self, record: &Record) -> Result<Option<u32>> {
        let text = record.split.as_deref().map(str::trim).filter(|t| !t.is_empty());
        let name = match &self.definition.time {
            // What a protected layer is split by may be empty: that is a part too.
            None => text.unwrap_or_default().to_owned(),
            Some(time) => {
                let period = match time.unit {
                    None => text.map(str::to_owned),
                    Some(unit) => text.and_then(|t| unit.of(t)),
                };
                if period.is_none() {
                    self.report.without_period += 1;
                }
                match period {
                    Some(period) => period,
                    // Of a protected layer it is a part of the one table, though no period: what is withheld must not depend on who asks.
                    None if self.rule.is_some() => String::new(),
                    None => return Ok(None),
                }
            }
        };
        let number = self.columns.number(&name);
        if self.columns.numbers.len() * self.zones.shapes.len() > MOST_CELLS {
            let most = MOST_CELLS / self.zones.shapes.len().max(1);
            return Err(Error::invalid(
                "time",
                format!("时段或取值过多：这些分区最多 {most} 个"),
                format!("too many periods or values: at most {most} for so many zones"),
            )
            .hint("可用 unit 合并时段", "join periods by a unit, such as year"));
        }
        Ok(Some(number))
    }
}

impl Report {
    pub fn document(&self, directory: &Directory, join: &Join) -> Value {
        let zone = |at: &usize| {
            let zone = &directory.zones()[*at];
            json!({"code": zone.code, "name": zone.name, "parent": zone.parent})
        };
        let by = if matches!(join, Join::Code { .. }) { By::Code } else { By::Name };
        let mut unmatched: Vec<(&String, &u64)> = self.unmatched.iter().collect();
        unmatched.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        let mut ambiguous: Vec<(&String, &(u64, Vec<usize>))> = self.ambiguous.iter().collect();
        ambiguous.sort_by(|a, b| (b.1.0, a.0).cmp(&(a.1.0, b.0)));
        let unmatched: Vec<Value> = unmatched
            .iter()
            .take(MOST_NAMED)
            .map(|(key, rows)| {
                let like: Vec<Value> = directory.suggestions(key, by, 3).iter().map(zone).collect();
                json!({"key": key, "rows": rows, "suggestions": like})
            })
            .collect();
        let ambiguous: Vec<Value> = ambiguous
            .iter()
            .take(MOST_NAMED)
            .map(|(key, (rows, zones))| {
                let zones: Vec<Value> = zones.iter().take(10).map(zone).collect();
                json!({"key": key, "rows": rows, "candidates": zones})
            })
            .collect();
        let by = |how: How| self.by.get(&how).copied().unwrap_or_default();
        json!({
            "rows": self.rows,
            "matched": {"code": by(How::Code), "former_code": by(How::FormerCode), "name": by(How::Name),
                        "short_name": by(How::ShortName), "location": self.located},
            "without_key": self.without_key,
            "without_period": self.without_period,
            "unmatched": {"rows": self.unmatched_rows, "keys": unmatched},
            "ambiguous": {"rows": self.ambiguous_rows, "keys": ambiguous},
            "not_numbers": {"values": self.wrong, "first": self.wrong_first},
        })
    }
}
