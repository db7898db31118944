//! The rows of a theme's table, whatever they come from: rows of the request or of a layer under the caller's grant.

use std::time::Duration;

use futures_util::StreamExt;
use onemap_spatial::shape::Shape;
use onemap_spatial::{ewkb, within};
use serde_json::Value;

use super::definition::{Definition, Join, Measure};
use super::zones::field;
use super::{Themes, protect};
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::feature::values::{Ewkb, value};
use crate::geo::crs::STORAGE_SRID;
use crate::layer::catalog::Published;
use crate::layer::filter;
use crate::layer::model::{Field, FieldType, Suppression};
use crate::layer::select::{self, Selection};

/// How long a table may take to be read.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// What is read of each row. Each is a field of the table, if the theme needs it.
#[derive(Debug, Default)]
pub struct Columns<'a> {
    /// The code or name that joins.
    pub key: Option<&'a str>,
    pub parent: Option<&'a str>,
    /// The period, or what a protected layer is split by.
    pub split: Option<&'a str>,
    /// For each indicator the field that is summed and, of a ratio, the denominator.
    pub sums: [Option<&'a str>; 2],
    pub denominators: [Option<&'a str>; 2],
    pub category: Option<&'a str>,
    /// Of a protected layer of sums: for how many a row stands.
    pub weight: Option<&'a str>,
    /// Degrees, of rows that come with the request.
    pub place: Option<(&'a str, &'a str)>,
    /// Whether rows are located by their geometry.
    pub located: bool,
}

/// A row as far as a theme needs it.
#[derive(Debug, Default)]
pub struct Record {
    pub key: Option<String>,
    pub parent: Option<String>,
    pub split: Option<String>,
    pub category: Option<String>,
    pub sums: [Number; 2],
    pub denominators: [Number; 2],
    pub weight: Number,
    pub point: Option<[f64; 2]>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Number {
    /// Empty, or not asked for.
    #[default]
    Missing,
    Is(f64),
    /// Something that is no number.
    Wrong(String),
}

impl Number {
    pub fn get(&self) -> Option<f64> {
        match self {
            Number::Is(number) => Some(*number),
            _ => None,
        }
    }

    /// A number as spreadsheets have it: `1,234.5`, with spaces around.
    fn of_text(text: &str) -> Number {
        let text = text.trim();
        if text.is_empty() {
            return Number::Missing;
        }
        let plain: String = text.chars().filter(|c| !matches!(c, ',' | '，' | ' ')).collect();
        match plain.parse::<f64>() {
            Ok(number) if number.is_finite() => Number::Is(number),
            _ => Number::Wrong(text.chars().take(40).collect()),
        }
    }
}

impl<'a> Columns<'a> {
    pub fn of(definition: &'a Definition, rule: Option<&'a Suppression>) -> Columns<'a> {
        let mut columns = Columns {
            split: definition.time.as_ref().map(|t| t.field.as_str()).or_else(|| protect::split(rule)),
            weight: rule.and_then(|rule| rule.count.as_deref()),
            ..Columns::default()
        };
        match &definition.join {
            Join::Code { field } => columns.key = Some(field),
            Join::Name { field, parent } => {
                (columns.key, columns.parent) = (Some(field.as_str()), parent.as_deref());
            }
            Join::Location { lon, lat } => {
                columns.place = lon.as_deref().zip(lat.as_deref());
                columns.located = columns.place.is_none();
            }
        }
        for (at, indicator) in definition.indicators().enumerate() {
            match indicator.kind {
                Measure::Category => columns.category = indicator.field.as_deref(),
                Measure::Ratio => {
                    (columns.sums[at], columns.denominators[at]) =
                        (indicator.field.as_deref(), indicator.denominator.as_deref())
                }
                _ => columns.sums[at] = indicator.field.as_deref(),
            }
        }
        columns
    }

    /// The fields in the order in which they are selected, each with the input that names it: texts first, then numbers.
    fn all(&self) -> [(&'static str, Option<&'a str>); TEXTS + NUMBERS] {
        [
            ("join.field", self.key),
            ("join.parent", self.parent),
            ("time.field", self.split),
            ("indicator.field", self.category),
            ("indicator.field", self.sums[0]),
            ("second.field", self.sums[1]),
            ("indicator.denominator", self.denominators[0]),
            ("second.denominator", self.denominators[1]),
            ("data.layer", self.weight),
        ]
    }
}

const TEXTS: usize = 4;
const NUMBERS: usize = 5;

/// Refuses fields that the table does not have, or whose values are no numbers where numbers are needed.
pub fn check(definition: &Definition, layer: &Published, grant: &Grant<Read>) -> Result<()> {
    let columns = Columns::of(definition, layer.suppression.as_ref());
    for (at, (parameter, name)) in columns.all().into_iter().enumerate() {
        let Some(name) = name else { continue };
        let found = field(parameter, name, layer, grant)?;
        // Texts may hold numbers; dates and booleans do not.
        if at >= TEXTS && !matches!(found.kind, FieldType::Integer | FieldType::Float | FieldType::Text) {
            return Err(Error::invalid(
                parameter,
                format!("字段 {name} 不是数值"),
                format!("the field {name} holds no numbers"),
            ));
        }
    }
    if columns.located && layer.state().source.geometry.is_none() {
        return Err(Error::invalid(
            "join",
            "该图层没有几何，不能按位置关联",
            "this layer has no geometry to be located by",
        )
        .hint("请按代码或名称关联", "join it by code or by name"));
    }
    if let Some(given) = definition.data.filter() {
        filter::parse(&given, layer, grant)?;
    }
    Ok(())
}

/// Hands each row of the request to `take`, numbered from 1.
pub fn of_request(
    rows: &[serde_json::Map<String, Value>],
    columns: &Columns<'_>,
    mut take: impl FnMut(u64, &Record) -> Result<()>,
) -> Result<()> {
    for (parameter, name) in columns
        .all()
        .into_iter()
        .chain([("join.lon", columns.place.map(|p| p.0)), ("join.lat", columns.place.map(|p| p.1))])
    {
        if let Some(name) = name
            && !rows.iter().any(|row| row.contains_key(name))
        {
            let shown: String = name.chars().take(60).collect();
            return Err(Error::invalid(
                parameter,
                format!("数据中没有字段 {shown}"),
                format!("no row has a field {shown}"),
            ));
        }
    }
    let text = |row: &serde_json::Map<String, Value>, name: Option<&str>| match row.get(name?)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let number = |row: &serde_json::Map<String, Value>, name: Option<&str>| match name.and_then(|n| row.get(n)) {
        None | Some(Value::Null) => Number::Missing,
        Some(Value::Number(n)) => n.as_f64().map_or(Number::Missing, Number::Is),
        Some(Value::String(text)) => Number::of_text(text),
        Some(other) => Number::Wrong(other.to_string()),
    };
    for (at, row) in rows.iter().enumerate() {
        let place = columns.place.map(|(lon, lat)| (number(row, Some(lon)).get(), number(row, Some(lat)).get()));
        let record = Record {
            key: text(row, columns.key),
            parent: text(row, columns.parent),
            split: text(row, columns.split),
            category: text(row, columns.category),
            sums: columns.sums.map(|name| number(row, name)),
            denominators: columns.denominators.map(|name| number(row, name)),
            weight: Number::Missing,
            point: place.and_then(|(lon, lat)| Some([lon?, lat?])),
        };
        take(at as u64 + 1, &record)?;
    }
    Ok(())
}

/// Hands each row of a layer, as far as the grant shows it and the filter leaves it, to `take`, numbered by its id.
pub async fn of_layer(
    themes: &Themes,
    definition: &Definition,
    (layer, grant): (&Published, &Grant<Read>),
    columns: &Columns<'_>,
    mut take: impl FnMut(u64, &Record) -> Result<()>,
) -> Result<()> {
    let wanted = columns.all();
    let found: Vec<Option<&Field>> = wanted
        .iter()
        .map(|(parameter, name)| name.map(|name| field(parameter, name, layer, grant)).transpose())
        .collect::<Result<_>>()?;
    let selected: Vec<&Field> = found.iter().flatten().copied().collect();
    let filter = definition.data.filter().map(|given| filter::parse(&given, layer, grant)).transpose()?;
    let srid = columns.located.then_some(STORAGE_SRID);
    let sql = select::features(layer, grant, &selected, &Selection { srid, filter, ..Selection::default() });
    let mut rows = themes.store.apart(grant, LONGEST).await?.rows(&sql).await?;
    while let Some(row) = rows.next().await {
        let row = row?;
        let mut column = 1;
        let mut cells = [const { None }; TEXTS + NUMBERS];
        for (cell, field) in cells.iter_mut().zip(&found) {
            if let Some(field) = field {
                column += 1;
                *cell = Some(value(&row, column, field.kind)?);
            }
        }
        let text = |at: usize| cells[at].as_ref().and_then(|v| v.text()).map(|t| t.into_owned());
        let number = |at: usize| match &cells[at] {
            Some(onemap_formats::Value::Integer(v)) => Number::Is(*v as f64),
            Some(onemap_formats::Value::Float(v)) => Number::Is(*v),
            Some(onemap_formats::Value::Text(text)) => Number::of_text(text),
            _ => Number::Missing,
        };
        let point = match columns.located.then(|| row.try_get::<_, Option<Ewkb<'_>>>(1)).transpose()?.flatten() {
            Some(Ewkb(bytes)) => place_of(bytes),
            None => None,
        };
        let record = Record {
            key: text(0),
            parent: text(1),
            split: text(2),
            category: text(3),
            sums: [number(4), number(5)],
            denominators: [number(6), number(7)],
            weight: number(8),
            point,
        };
        take(row.try_get::<_, i64>(0)? as u64, &record)?;
    }
    Ok(())
}

/// Where a feature counts: a point where it is, a line at its middle vertex, a polygon at a place within it. So each counts once.
fn place_of(bytes: &[u8]) -> Option<[f64; 2]> {
    let place = match Shape::new(ewkb::read(bytes)?)? {
        Shape::Area(area) => within::middle(&area)?,
        other => {
            let coords: Vec<_> = other.coords().collect();
            *coords.get(coords.len() / 2)?
        }
    };
    Some([place.x, place.y])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_spreadsheets_write_them() {
        assert_eq!(Number::of_text(" 1,234.5 "), Number::Is(1234.5));
        assert_eq!(Number::of_text(""), Number::Missing);
        for wrong in ["十二", "NaN", "inf", "12 人"] {
            assert!(matches!(Number::of_text(wrong), Number::Wrong(_)), "{wrong}");
        }
    }
}
