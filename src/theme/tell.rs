//! What of the numbers is told: zone by zone and period by period, and of a protected layer with what its rule withholds left out.

use std::collections::BTreeMap;

use onemap_spatial::area::Area;
use onemap_spatial::ellipsoid;
use onemap_statistics::suppress::Pattern;
use serde_json::{Value, json};

use super::count::{Cell, Counter, Sum};
use super::definition::{Indicator, Measure};
use super::protect;
use crate::error::Result;

/// The numbers of all zones in all periods.
pub struct Numbers {
    /// One `None` for a theme without periods.
    pub periods: Vec<Option<String>>,
    /// Period by period, in each zone by zone.
    pub cells: Vec<Told>,
    /// For the theme's owner: rows that found no zone, by their keys.
    pub report: Value,
}

/// Which parts a table has, and what of it is withheld.
struct Table {
    order: Vec<u32>,
    names: Vec<String>,
    /// Its rows are the zones in the order of their ids.
    pattern: Option<Pattern>,
    /// Where a zone stands among them.
    places: Vec<usize>,
}

impl Table {
    /// Whether a zone's number is withheld: in one of the parts, by its place in the order, or in all of them together.
    fn withholds(&self, zone: usize, part: Option<usize>) -> bool {
        let row = self.places[zone];
        self.pattern.as_ref().is_some_and(|p| part.map_or_else(|| p.row_total(row), |part| p.cell(row, part)))
    }
}

/// A number of a protected layer's table: of a zone, by its feature's id, in a part of it or whole.
pub struct Sliced {
    pub zone: i64,
    pub part: Option<String>,
    pub told: Told,
}

/// Says the numbers of zones.
struct Teller<'a> {
    counter: &'a Counter,
    categories: Vec<String>,
    /// Square metres, where they are needed.
    areas: Vec<f64>,
}

impl Teller<'_> {
    fn new(counter: &Counter) -> Teller<'_> {
        let areas = match counter.definition.indicators().any(|i| i.kind == Measure::PerKm2) {
            true => counter.zones.shapes.iter().map(|area| area.as_ref().map_or(0.0, square_metres)).collect(),
            false => vec![],
        };
        Teller { counter, categories: counter.categories.list(), areas }
    }

    fn told(&self, zone: usize, parts: &[u32], suppressed: bool) -> Told {
        if suppressed {
            return Told { suppressed, ..Told::default() };
        }
        let Counter { definition, zones, .. } = self.counter;
        let cell = self.counter.merged(zone as u32, parts);
        let mut values = [None; 2];
        for (at, indicator) in definition.indicators().enumerate() {
            let per_zone = (zones.inhabitants[at][zone], self.areas.get(zone).copied());
            values[at] = measured(indicator, cell.rows, cell.sums[at], per_zone);
        }
        let category = most_frequent(&cell.categories, &self.categories);
        Told { count: Some(cell.rows), values, category, suppressed }
    }
}

/// What is told of a zone in a period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    pub count: Option<u64>,
    pub values: [Option<f64>; 2],
    pub category: Option<String>,
    pub suppressed: bool,
}

impl Counter {
    /// The parts of the table in their order, and what of it is withheld.
    fn table(&self) -> Result<Table> {
        let names = self.columns.list();
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        order.sort_by(|a, b| by_value(&names[*a as usize], &names[*b as usize]));
        if order.is_empty() && self.definition.time.is_none() {
            order.push(0);
        }
        let weighted = self.rule.as_ref().is_some_and(|rule| rule.count.is_some());
        let rows_of = |zone: u32, column: u32| {
            // A part of a person is a person: it must not round to nobody.
            let counted = |cell: &Cell| if weighted { cell.weight.max(0.0).ceil() as u64 } else { cell.rows };
            self.cells.get(&(zone, column)).map_or(0, counted)
        };
        // By their ids, whatever a theme sorts its zones by: what is withheld beside the small ones hangs on the order.
        let by_id = self.zones.by_id();
        let mut places = vec![0; by_id.len()];
        by_id.iter().enumerate().for_each(|(place, zone)| places[*zone] = place);
        let counts: Vec<u64> = by_id
            .iter()
            .flat_map(|zone| order.iter().map(move |column| (*zone as u32, *column)))
            .map(|(z, c)| rows_of(z, c))
            .collect();
        let pattern = match order.is_empty() {
            true => None,
            false => protect::pattern(self.rule.as_ref(), &counts, order.len())?,
        };
        Ok(Table { order, names, pattern, places })
    }

    /// The numbers, with what the rule withholds left out.
    pub fn finish(self) -> Result<Numbers> {
        let zones = self.zones.shapes.len();
        let table = self.table()?;
        let teller = Teller::new(&self);
        let mut cells = Vec::new();
        let mut periods = Vec::new();
        match self.definition.time {
            None => {
                periods.push(None);
                cells.extend((0..zones).map(|zone| teller.told(zone, &table.order, table.withholds(zone, None))));
            }
            Some(_) => {
                for (at, column) in table.order.iter().enumerate() {
                    let name = &table.names[*column as usize];
                    if name.is_empty() {
                        continue;
                    }
                    periods.push(Some(name.clone()));
                    cells.extend((0..zones).map(|zone| teller.told(zone, &[*column], table.withholds(zone, Some(at)))));
                }
            }
        }
        let report = match &self.rule {
            // Keys that fit no zone, and how many rows did, are small counts too.
            Some(_) => json!({"rows": self.report.rows, "protected": true}),
            None => self.report.document(&self.zones.directory, &self.definition.join),
        };
        Ok(Numbers { periods, cells, report })
    }

    /// A slice of the one table of a protected layer: zone by zone, whole or by the values of the rule's field.
    pub fn slice(&self, by_parts: bool) -> Result<Vec<Sliced>> {
        let table = self.table()?;
        let teller = Teller::new(self);
        let mut all = vec![];
        for (zone, id) in self.zones.ids.iter().enumerate() {
            if !by_parts {
                let told = teller.told(zone, &table.order, table.withholds(zone, None));
                all.push(Sliced { zone: *id, part: None, told });
                continue;
            }
            for (at, column) in table.order.iter().enumerate() {
                let name = table.names.get(*column as usize).filter(|name| !name.is_empty());
                let told = teller.told(zone, &[*column], table.withholds(zone, Some(at)));
                all.push(Sliced { zone: *id, part: name.cloned(), told });
            }
        }
        Ok(all)
    }

    /// What adds up in a zone over several columns.
    fn merged(&self, zone: u32, columns: &[u32]) -> Cell {
        let mut whole = Cell::default();
        for cell in columns.iter().filter_map(|column| self.cells.get(&(zone, *column))) {
            whole.rows += cell.rows;
            for (all, one) in whole.sums.iter_mut().zip(&cell.sums) {
                all.sum += one.sum;
                all.denominator += one.denominator;
                all.count += one.count;
            }
            for (category, count) in &cell.categories {
                *whole.categories.entry(*category).or_default() += count;
            }
        }
        whole
    }
}

/// Numbers by their value, texts by their characters.
fn by_value(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        _ => a.cmp(b),
    }
}

/// An indicator's value; none where there is nothing to work it out of.
fn measured(
    indicator: &Indicator,
    rows: u64,
    sum: Sum,
    (inhabitants, area): (Option<f64>, Option<f64>),
) -> Option<f64> {
    // Without a field, rows are counted.
    let amount = match indicator.field {
        None => Some(rows as f64),
        Some(_) => (sum.count > 0).then_some(sum.sum),
    };
    let over = |divisor: Option<f64>| Some(amount? / divisor.filter(|d| *d > 0.0)?);
    let value = match indicator.kind {
        Measure::Count => Some(rows as f64),
        Measure::Sum => amount,
        Measure::Mean => over(Some(sum.count as f64)),
        Measure::Ratio => over(Some(sum.denominator)),
        Measure::PerCapita => over(inhabitants),
        Measure::PerKm2 => over(area.map(|metres| metres / 1e6)),
        Measure::Category => None,
    };
    value.map(|v| v * indicator.per.unwrap_or(1.0)).filter(|v| v.is_finite())
}

/// The most frequent category; of equally frequent ones the first by its characters.
fn most_frequent(counts: &BTreeMap<u32, u64>, names: &[String]) -> Option<String> {
    let best = counts.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| names[*b.0 as usize].cmp(&names[*a.0 as usize])));
    best.map(|(category, _)| names[*category as usize].clone())
}

/// Square metres on the ellipsoid.
fn square_metres(area: &Area) -> f64 {
    area.polygons().iter().map(ellipsoid::polygon_area).sum()
}
